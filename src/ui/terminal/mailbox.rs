//! The bounded way by which other threads reach the terminal's thread and wake it.

use std::{
    fmt,
    io::{self, Read, Write},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
};

/// The terminal's side is gone; what could not be delivered comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Closed<E>(pub E);

impl<E> fmt::Debug for Closed<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Closed")
    }
}

/// Makes the two ends. `capacity` is how many events may wait.
///
/// # Errors
/// When the machine has no file descriptors left.
pub fn mailbox<E: Send + 'static>(capacity: usize) -> io::Result<(Sender<E>, Mailbox<E>)> {
    let (read, write) = UnixStream::pair()?;
    read.set_nonblocking(true)?;
    write.set_nonblocking(true)?;
    let (sender, receiver) = sync_channel(capacity);
    let bell = Arc::new(Bell { write, is_rung: AtomicBool::new(false) });
    Ok((Sender { sender, bell: Arc::clone(&bell) }, Mailbox { receiver, read, bell }))
}

/// Wakes the terminal's thread; any number of rings before it looks are one byte.
pub(super) struct Bell {
    write: UnixStream,
    is_rung: AtomicBool,
}

impl Bell {
    pub(super) fn ring(&self) {
        if !self.is_rung.swap(true, Ordering::AcqRel) {
            // A full pipe wakes the reader as well as one more byte would.
            let _ = (&self.write).write(&[1]);
        }
    }
}

/// The engine's end; cheap to clone.
pub struct Sender<E> {
    sender: SyncSender<E>,
    bell: Arc<Bell>,
}

impl<E> Clone for Sender<E> {
    fn clone(&self) -> Self {
        Self { sender: self.sender.clone(), bell: Arc::clone(&self.bell) }
    }
}

impl<E> Sender<E> {
    /// Delivers, waiting while the box is full. The terminal's thread empties it also while nobody reads the
    /// terminal, so the wait is short; it ends with an error when that thread is gone.
    ///
    /// # Errors
    /// When nobody will ever read it.
    pub fn send(&self, event: E) -> Result<(), Closed<E>> {
        match self.sender.try_send(event) {
            Ok(()) => {
                self.bell.ring();
                Ok(())
            }
            Err(TrySendError::Disconnected(event)) => Err(Closed(event)),
            Err(TrySendError::Full(event)) => {
                self.bell.ring();
                let sent = self.sender.send(event).map_err(|error| Closed(error.0));
                self.bell.ring();
                sent
            }
        }
    }
}

/// The terminal's end.
pub struct Mailbox<E> {
    receiver: Receiver<E>,
    read: UnixStream,
    bell: Arc<Bell>,
}

impl<E> Mailbox<E> {
    pub(super) fn bell(&self) -> Arc<Bell> {
        Arc::clone(&self.bell)
    }

    pub(super) fn waker(&self) -> BorrowedFd<'_> {
        self.read.as_fd()
    }

    /// Silences the bell, before the box is emptied: an event that comes in between rings again.
    pub(super) fn silence(&self) {
        let mut bytes = [0; 64];
        while (&self.read).read(&mut bytes).is_ok_and(|count| count == bytes.len()) {}
        self.bell.is_rung.store(false, Ordering::Release);
    }

    pub(super) fn take(&self) -> Option<E> {
        self.receiver.try_recv().ok()
    }
}

#[cfg(test)]
mod tests {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    use super::*;

    fn is_rung<E>(mailbox: &Mailbox<E>) -> bool {
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut [PollFd::new(&mailbox.waker(), PollFlags::IN)], Some(&zero)).unwrap() == 1
    }

    #[test]
    fn many_events_are_one_ring_and_none_is_lost() {
        let (sender, mailbox) = mailbox(8).unwrap();
        assert!(!is_rung(&mailbox));
        for number in 0..8 {
            sender.send(number).unwrap();
        }
        assert!(is_rung(&mailbox));
        mailbox.silence();
        assert!(!is_rung(&mailbox));
        assert_eq!(std::iter::from_fn(|| mailbox.take()).collect::<Vec<_>>(), (0..8).collect::<Vec<_>>());
        sender.send(9).unwrap();
        assert!(is_rung(&mailbox));
    }

    #[test]
    fn a_full_box_holds_the_sender_until_there_is_room() {
        let (sender, mailbox) = mailbox(1).unwrap();
        let sending = std::thread::spawn(move || (0..100).all(|number| sender.send(number).is_ok()));
        let mut seen = Vec::new();
        while seen.len() < 100 {
            poll(&mut [PollFd::new(&mailbox.waker(), PollFlags::IN)], None).unwrap();
            mailbox.silence();
            seen.extend(std::iter::from_fn(|| mailbox.take()));
        }
        assert!(sending.join().unwrap());
        assert_eq!(seen, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn a_sender_learns_that_the_terminal_is_gone() {
        let (sender, mailbox) = mailbox(1).unwrap();
        drop(mailbox);
        assert_eq!(sender.send("late"), Err(Closed("late")));
    }
}
