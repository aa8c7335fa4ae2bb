//! Signals as something to wait for beside keys and events.

use std::{
    io,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use signal_hook::{
    consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGWINCH},
    flag,
    iterator::{backend::SignalDelivery, exfiltrator::SignalOnly},
};

pub(super) const ENDING: [i32; 4] = [SIGTERM, SIGINT, SIGHUP, SIGQUIT];

pub(super) struct Signals {
    delivery: SignalDelivery<UnixStream, SignalOnly>,
    unanswered: Arc<AtomicBool>,
}

impl Signals {
    /// Starts to listen. SIGTSTP keeps its default: only the kernel knows whether somebody is there to continue a
    /// stopped program.
    pub(super) fn listen() -> io::Result<Self> {
        let unanswered = Arc::new(AtomicBool::new(false));
        for signal in ENDING {
            // A second signal ends a process whose loop never answered the first. Order matters: the first arms it.
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&unanswered))?;
            flag::register(signal, Arc::clone(&unanswered))?;
        }
        let (read, write) = UnixStream::pair()?;
        let all = ENDING.into_iter().chain([SIGCONT, SIGWINCH]);
        Ok(Self { delivery: SignalDelivery::with_pipe(read, write, SignalOnly, all)?, unanswered })
    }

    pub(super) fn waker(&self) -> BorrowedFd<'_> {
        self.delivery.get_read().as_fd()
    }

    /// The signals since the last look.
    pub(super) fn take(&mut self) -> Vec<i32> {
        self.unanswered.store(false, Ordering::SeqCst);
        self.delivery.pending().collect()
    }
}
