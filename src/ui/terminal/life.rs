//! Takes the terminal over and gives it back exactly once: at the end, on a panic in any thread, before a suspension.

use std::{
    fs::File,
    io::{self, IsTerminal},
    os::fd::{AsFd, OwnedFd},
    panic,
    sync::{
        Arc, Mutex, MutexGuard, Once, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use ratatui::layout::Size;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::getsid,
    termios::{OptionalActions, Termios, tcgetattr, tcgetsid, tcgetwinsize, tcsetattr},
};

use super::{canvas, mailbox::Bell, pointer};

/// What to write before the first frame: alternate screen (cleared: the Linux console has none), no cursor, pastes marked.
const GREETING: &str = "\x1b[?1049h\x1b[2J\x1b[?25l\x1b[?2004h";
const LEAVE: &str = "\x1b[m\x1b[?2004l\x1b[?25h\x1b[?1049l";
/// Ends a sequence that was cut off in the middle.
const CANCEL: &str = "\x18";

/// How long giving back waits for a terminal that nobody reads.
const PATIENCE: Duration = Duration::from_millis(200);

// One process has one terminal; the panic hook must reach it from any thread.
static TAKEN: Mutex<Option<Taken>> = Mutex::new(None);
static IS_PANICKED: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();

struct Taken {
    glass: OwnedFd,
    /// How the terminal was set when it was taken over.
    saved: Termios,
    /// False while suspended.
    is_ours: bool,
    is_mid_frame: bool,
    hears_mouse: bool,
    bell: Arc<Bell>,
}

/// The terminal while it is ours.
pub(super) struct Screen {
    keyboard: OwnedFd,
    glass: OwnedFd,
    hears_mouse: bool,
}

impl Screen {
    pub(super) fn take_over(bell: Arc<Bell>, hears_mouse: bool) -> io::Result<Self> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(io::Error::other("the cockpit needs a terminal; for text on a pipe there is `snapshot`"));
        }
        let keyboard = io::stdin().as_fd().try_clone_to_owned()?;
        // Without one of our own, a write may wait for a reader; the guard and a second signal still end that.
        let glass = own_description().map_or_else(|| io::stdout().as_fd().try_clone_to_owned(), Ok)?;
        let saved = tcgetattr(&keyboard)?;
        set_raw(&keyboard, &saved)?;
        IS_PANICKED.store(false, Ordering::SeqCst);
        *lock() = Some(Taken { glass: glass.try_clone()?, saved, is_ours: true, is_mid_frame: false, hears_mouse, bell });
        HOOK.call_once(install_hook);
        Ok(Self { keyboard, glass, hears_mouse })
    }

    /// What to write before the first frame, and after a suspension.
    pub(super) fn greeting(&self) -> String {
        [GREETING, if self.hears_mouse { pointer::LISTEN } else { "" }].concat()
    }

    pub(super) const fn keyboard(&self) -> &OwnedFd {
        &self.keyboard
    }

    pub(super) fn size(&self) -> Size {
        match tcgetwinsize(&self.keyboard) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => Size::new(size.ws_col, size.ws_row),
            _ => Size::new(80, 24),
        }
    }

    pub(super) const fn glass(&self) -> &OwnedFd {
        &self.glass
    }

    /// Writes as much as the terminal takes now; 0 where it takes nothing.
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut taken = lock();
        let taken = taken.as_mut().filter(|taken| taken.is_ours).ok_or_else(given_back)?;
        match rustix::io::write(&self.glass, bytes) {
            Ok(count) => {
                taken.is_mid_frame = count < bytes.len();
                Ok(count)
            }
            Err(Errno::AGAIN | Errno::INTR) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes it again; whatever it shows is not ours.
    pub(super) fn retake(&self) -> io::Result<()> {
        let mut taken = lock();
        let taken = taken.as_mut().ok_or_else(given_back)?;
        set_raw(&self.keyboard, &taken.saved)?;
        taken.is_ours = true;
        taken.is_mid_frame = false;
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if let Some(mut taken) = lock().take() {
            give_back(&mut taken);
        }
    }
}

/// Gives the terminal to the shell for a while.
pub(super) fn lend() {
    if let Some(taken) = lock().as_mut() {
        give_back(taken);
    }
}

/// Whether any thread panicked since the terminal was taken over.
pub(super) fn is_panicked() -> bool {
    IS_PANICKED.load(Ordering::SeqCst)
}

/// Whether a panic has given the terminal back.
pub(super) fn is_given_back() -> bool {
    lock().is_none()
}

fn lock() -> MutexGuard<'static, Option<Taken>> {
    // Nothing under the lock panics; a poisoned terminal must be given back all the same.
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn given_back() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the terminal was given back")
}

/// Opens the terminal once more: its non-blocking mode is then ours alone, and not the shell's as well.
fn own_description() -> Option<OwnedFd> {
    // `/dev/tty` is the controlling terminal: the same one only where its session is ours.
    if tcgetsid(io::stdout()).ok()? != getsid(None).ok()? {
        return None;
    }
    let glass = OwnedFd::from(File::options().write(true).open("/dev/tty").ok()?);
    rustix::io::ioctl_fionbio(&glass, true).ok()?;
    Some(glass)
}

fn set_raw(keyboard: &OwnedFd, saved: &Termios) -> io::Result<()> {
    let mut raw = saved.clone();
    raw.make_raw();
    Ok(tcsetattr(keyboard, OptionalActions::Now, &raw)?)
}

fn give_back(taken: &mut Taken) {
    if !std::mem::take(&mut taken.is_ours) {
        return;
    }
    let broken_off = if taken.is_mid_frame { [CANCEL, canvas::END_UPDATE] } else { [""; 2] };
    let deaf = if taken.hears_mouse { pointer::DEAF } else { "" };
    let farewell = [broken_off.concat().as_str(), deaf, LEAVE].concat();
    let until = Instant::now() + PATIENCE;
    let mut rest = farewell.as_bytes();
    while !rest.is_empty() {
        match rustix::io::write(&taken.glass, rest) {
            Ok(count) => rest = rest.get(count..).unwrap_or_default(),
            Err(Errno::AGAIN) if has_room(&taken.glass, until) => {}
            Err(Errno::INTR) => {}
            // Nobody reads it, or nobody is there: the settings below are the kernel's and need no reader.
            Err(_) => break,
        }
    }
    let _ = tcsetattr(&taken.glass, OptionalActions::Now, &taken.saved);
}

fn has_room(glass: &OwnedFd, until: Instant) -> bool {
    let left = until.saturating_duration_since(Instant::now());
    let Ok(timeout) = Timespec::try_from(left) else { return false };
    let mut watched = [PollFd::new(glass, PollFlags::OUT)];
    !left.is_zero() && matches!(poll(&mut watched, Some(&timeout)), Ok(1..) | Err(Errno::INTR))
}

/// Runs the hook that was there before on the restored screen, then wakes the loop so that it ends.
fn install_hook() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |report| {
        let taken = lock().take();
        let bell = taken.map(|mut taken| {
            give_back(&mut taken);
            taken.bell
        });
        before(report);
        if let Some(bell) = bell {
            IS_PANICKED.store(true, Ordering::SeqCst);
            bell.ring();
        }
    }));
}
