//! The last resort: ends the process when the terminal is gone and the terminal's own thread does not answer.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    os::unix::net::UnixStream,
    thread,
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
};

/// Lives as long as the screen does; dropping it ends the watch.
pub(super) struct Guard {
    _end: UnixStream,
}

impl Guard {
    /// Watches `terminal` from a thread that costs nothing until it hangs up, and gives the loop `patience` to end.
    pub(super) fn watch(terminal: OwnedFd, patience: Duration) -> io::Result<Self> {
        let (end, watched) = UnixStream::pair()?;
        thread::Builder::new().name("hang-up".into()).stack_size(64 * 1024).spawn(move || {
            if is_hung_up(&terminal, &watched) {
                thread::sleep(patience);
                end_process();
            }
        })?;
        Ok(Self { _end: end })
    }
}

/// Waits until the terminal hangs up (true) or the screen is given back (false).
fn is_hung_up(terminal: &OwnedFd, end: &UnixStream) -> bool {
    let terminal = terminal.as_fd();
    let end = end.as_fd();
    loop {
        let mut watched = [PollFd::new(&terminal, PollFlags::empty()), PollFd::new(&end, PollFlags::empty())];
        match poll(&mut watched, None) {
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(_) => return false,
        }
        if !watched[1].revents().is_empty() {
            return false;
        }
        if watched[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            return true;
        }
    }
}

#[expect(clippy::exit, reason = "the loop is stuck and the terminal is gone: nobody is left to return to")]
fn end_process() {
    std::process::exit(129);
}
