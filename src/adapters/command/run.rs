//! One run of a program: started, heard, and ended with all that it started when its time is over.

use std::{
    fs,
    io::{self, Write as _},
    os::{
        fd::OwnedFd,
        unix::{
            fs::PermissionsExt as _,
            process::{CommandExt as _, ExitStatusExt as _},
        },
    },
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use rustix::process::Signal;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::{
    io::AsyncReadExt as _,
    net::unix::pipe,
    sync::{oneshot, watch},
    time::{Instant, sleep_until},
};

use super::{
    ear::{Ear, Stream},
    group::{self, Group, Watcher},
};
use crate::{adapters::scrub::Scrubber, ports::Told};

/// How long a program has to end by itself after it was asked to.
const TO_OBEY: Duration = Duration::from_secs(2);
/// How long its output is waited for after it has ended: something that it left running may keep it open.
const LINGER: Duration = Duration::from_millis(500);
/// How often what it prints is told.
const TELLING: Duration = Duration::from_millis(250);
/// Where programs are looked for when nothing says it, and where our own always are.
pub(super) const USUAL_PATH: &str = "/usr/local/bin:/usr/bin:/bin";
/// What is read at a time.
const CHUNK: usize = 16 * 1024;

/// Where programs are found and what they are given.
pub(super) struct Surroundings {
    /// As `PATH` has it.
    pub path: String,
    pub directory: PathBuf,
    pub variables: Vec<(String, SecretString)>,
    pub input: Option<SecretString>,
    pub is_detached: bool,
}

/// One run, before it begins.
pub(super) struct Run<'a> {
    pub program: &'a str,
    pub arguments: &'a [String],
    pub surroundings: &'a Surroundings,
    pub limit: Duration,
    /// So much of its standard output is kept; where there is more, it is ended.
    pub keeps: Option<usize>,
    /// When the cockpit ends, as far as that is known.
    pub ending: watch::Receiver<Option<Instant>>,
    /// Tells who stops it, where it can be stopped.
    pub stop: Option<oneshot::Receiver<String>>,
    pub scrub: &'a Scrubber,
    pub told: &'a Told,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Code(i32),
    /// By a signal that was not ours.
    Signal(i32),
    TimedOut,
    /// The cockpit ends.
    WoundDown,
    /// Somebody stopped it; the code with which it obeyed, where it did.
    Stopped(Option<i32>),
    /// It printed more than is read.
    TooMuch,
    /// It could not be ended, or nobody knows what became of it.
    Lost,
}

/// A run that is over, or that is left to itself.
#[derive(Debug)]
pub(super) struct Ended {
    pub end: End,
    pub took: Duration,
    /// What it was given.
    pub limit: Duration,
    pub output: Vec<u8>,
    pub last_words: String,
    pub lines: u64,
    /// Something that it started kept its output open after its end.
    pub left_behind: bool,
    /// The number under which a detached program goes on.
    pub goes_on: Option<i32>,
    pub stopped_by: Option<String>,
    /// It did not end when it was asked to.
    pub was_killed: bool,
}

/// The file that a program's name stands for, or why there is none.
pub(super) fn find(program: &str, surroundings: &Surroundings) -> Result<PathBuf, String> {
    if program.contains('/') {
        let path = at_home(program, surroundings);
        return is_program(&path).map(|()| path);
    }
    let places = surroundings.path.split(':').filter(|place| place.starts_with('/'));
    let mut first = None;
    for path in places.map(|place| Path::new(place).join(program)) {
        match is_program(&path) {
            Ok(()) => return Ok(path),
            Err(why) if path.exists() => drop(first.get_or_insert(why)),
            Err(_) => {}
        }
    }
    Err(first.unwrap_or_else(|| {
        format!("there is no program `{program}` in PATH ({}): install it, or give its path", surroundings.path)
    }))
}

fn at_home(path: &str, surroundings: &Surroundings) -> PathBuf {
    let home = surroundings.variables.iter().find(|(name, _)| name == "HOME").map(|(_, home)| home.expose_secret());
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => Path::new(home).join(rest),
        _ => PathBuf::from(path),
    }
}

fn is_program(path: &Path) -> Result<(), String> {
    let shown = path.display();
    let facts = fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("there is no program {shown}: install it, or give another path"),
        _ => format!("{shown} cannot be examined: {error}"),
    })?;
    if !facts.is_file() {
        return Err(format!("{shown} is not a program"));
    }
    if facts.permissions().mode() & 0o111 == 0 {
        return Err(format!("{shown} is not executable; run `chmod +x {shown}`"));
    }
    Ok(())
}

/// The program while it runs.
struct Running {
    group: Group,
    out: Option<pipe::Receiver>,
    err: Option<pipe::Receiver>,
    exited: Exited,
}

type Exited = oneshot::Receiver<io::Result<ExitStatus>>;

impl Running {
    /// What goes on without us may go on printing: where nobody hears, the next line would end it.
    fn leave_ears(&mut self) {
        for pipe in [self.out.take(), self.err.take()].into_iter().flatten() {
            if let Err(error) = deaf(pipe) {
                tracing::warn!(%error, "what a program goes on printing has nowhere to go");
            }
        }
    }
}

/// Somebody who takes all that comes and keeps nothing, and lives on where we end.
fn deaf(pipe: pipe::Receiver) -> io::Result<()> {
    let (nurse, _) = nurse(None)?;
    let ears = Command::new("/bin/cat")
        .env_clear()
        .current_dir("/")
        .stdin(pipe.into_blocking_fd()?)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?;
    drop(nurse.send(ears));
    Ok(())
}

impl Run<'_> {
    /// Runs it to its end, or to the end of its time. An error says why nothing was run at all.
    pub(super) async fn carry_out(mut self) -> Result<Ended, String> {
        let stop = self.stop.take();
        let mut running = self.start()?;
        let mut hearing = Hearing::new(&self);
        (self.told)(hearing.ear.printed());
        let end = hearing.listen(&self, &mut running, stop).await;
        let (goes_on, left_behind) = (hearing.goes_on.then(|| running.group.number()), hearing.left_behind);
        if self.surroundings.is_detached && (goes_on.is_some() || left_behind) {
            running.leave_ears();
        }
        running.group.end();
        (self.told)(hearing.ear.printed());
        Ok(Ended {
            end,
            took: hearing.began.elapsed(),
            limit: self.limit,
            last_words: hearing.ear.last_words(),
            lines: hearing.ear.printed().lines,
            output: hearing.output,
            left_behind,
            goes_on,
            stopped_by: hearing.stopped_by,
            was_killed: hearing.was_killed,
        })
    }

    fn start(&self) -> Result<Running, String> {
        let Surroundings { directory, variables, input, is_detached, .. } = self.surroundings;
        let program = find(self.program, self.surroundings)?;
        let directory = at_home(&directory.to_string_lossy(), self.surroundings);
        if !directory.is_dir() {
            return Err(format!("there is no directory {}", directory.display()));
        }
        let shown = program.display().to_string();
        let not_started = |error: io::Error| format!("{shown} cannot be started: {error}");
        let watcher = if *is_detached { None } else { Some(Watcher::start().map_err(not_started)?) };
        let (out, told) = hears().map_err(not_started)?;
        let (err, warned) = hears().map_err(not_started)?;
        let setsid = USUAL_PATH.split(':').map(|place| Path::new(place).join("setsid")).find(|path| is_program(path).is_ok());
        let mut command = group::command(&program, self.arguments, setsid.as_deref());
        command
            .env_clear()
            .envs(variables.iter().map(|(name, value)| (name, value.expose_secret())))
            .current_dir(directory)
            .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(told)
            .stderr(warned);
        // All that could fail is made before: what has been started is never said not to have run.
        let (nurse, exited) = nurse(input.clone()).map_err(not_started)?;
        let child = command.spawn().map_err(not_started)?;
        // With it go our own ends of what it writes to.
        drop(command);
        let group = Group::of(&child, watcher);
        // A nurse that is gone tells nothing: then nobody knows what became of it.
        let _ = nurse.send(child);
        Ok(Running { group, out: Some(out), err: Some(err), exited })
    }
}

/// A pipe that a program writes to and that is heard here.
fn hears() -> io::Result<(pipe::Receiver, io::PipeWriter)> {
    let (reader, writer) = io::pipe()?;
    Ok((pipe::Receiver::from_owned_fd(OwnedFd::from(reader))?, writer))
}

/// Waiting for a process has no time limit of its own, nor has writing to one: a thread does both.
fn nurse(input: Option<SecretString>) -> io::Result<(mpsc::Sender<Child>, Exited)> {
    let (nurse, born) = mpsc::channel::<Child>();
    let (gone, exited) = oneshot::channel();
    let work = move || {
        let Ok(mut child) = born.recv() else { return };
        if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
            // Nobody has to read it; a pipe that breaks is the program's affair.
            let _ = writeln!(stdin, "{}", input.expose_secret());
        }
        let _ = gone.send(child.wait());
    };
    thread::Builder::new().name("command".to_owned()).spawn(work)?;
    Ok((nurse, exited))
}

/// How far it is on the way to its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Runs,
    Asked,
    Killed,
    /// It has ended; its output may go on.
    Ended,
}

struct Hearing<'a> {
    ear: Ear<'a>,
    output: Vec<u8>,
    began: Instant,
    stage: Stage,
    /// When the next stage begins.
    due: Instant,
    /// Why it is ended.
    cause: End,
    /// How it ended by itself.
    status: Option<End>,
    tell_at: Option<Instant>,
    left_behind: bool,
    goes_on: bool,
    stopped_by: Option<String>,
    was_killed: bool,
}

async fn read(from: &mut Option<pipe::Receiver>, buffer: &mut Vec<u8>) -> io::Result<usize> {
    match from {
        Some(pipe) => pipe.read_buf(buffer).await,
        None => std::future::pending().await,
    }
}

/// Who stops it; `None` where nobody can any more.
async fn stopped(stop: &mut Option<oneshot::Receiver<String>>) -> Option<String> {
    match stop {
        Some(asked) => asked.await.ok(),
        None => std::future::pending().await,
    }
}

impl<'a> Hearing<'a> {
    fn new(run: &Run<'a>) -> Self {
        let began = Instant::now();
        Self {
            ear: Ear::new(run.scrub),
            output: Vec::new(),
            began,
            stage: Stage::Runs,
            due: began + run.limit,
            cause: End::TimedOut,
            status: None,
            tell_at: None,
            left_behind: false,
            goes_on: false,
            stopped_by: None,
            was_killed: false,
        }
    }

    async fn listen(&mut self, run: &Run<'_>, running: &mut Running, mut stop: Option<oneshot::Receiver<String>>) -> End {
        let mut ending = run.ending.clone();
        let (mut out, mut err) = (Vec::with_capacity(CHUNK), Vec::with_capacity(CHUNK));
        let mut is_watched = true;
        self.wind_down(*ending.borrow_and_update());
        loop {
            if self.stage == Stage::Ended && running.out.is_none() && running.err.is_none() {
                break;
            }
            let tell_at = self.tell_at.unwrap_or(self.due);
            tokio::select! {
                count = read(&mut running.out, &mut out) => {
                    if matches!(count, Ok(1..)) { self.heard(Stream::Out, &mut out, run, running) } else { running.out = None }
                }
                count = read(&mut running.err, &mut err) => {
                    if matches!(count, Ok(1..)) { self.heard(Stream::Err, &mut err, run, running) } else { running.err = None }
                }
                status = &mut running.exited, if self.status.is_none() => self.exited(status.ok().and_then(Result::ok)),
                changed = ending.changed(), if is_watched => match changed {
                    Ok(()) => self.wind_down(*ending.borrow_and_update()),
                    Err(_) => is_watched = false,
                },
                by = stopped(&mut stop) => {
                    stop = None;
                    self.stop(by, running);
                }
                () = sleep_until(tell_at), if self.tell_at.is_some() => {
                    self.tell_at = None;
                    (run.told)(self.ear.printed());
                }
                () = sleep_until(self.due) => if self.go_on(run, running) { break },
            }
        }
        match (self.stage, self.status) {
            // What it ended with before it had to does not matter less for having come late.
            (Stage::Ended, Some(status)) => status,
            _ => self.cause,
        }
    }

    fn heard(&mut self, stream: Stream, chunk: &mut Vec<u8>, run: &Run<'_>, running: &Running) {
        self.ear.hear(stream, chunk);
        if let (Stream::Out, Some(keeps)) = (stream, run.keeps) {
            let room = keeps - self.output.len();
            self.output.extend_from_slice(chunk.get(..room.min(chunk.len())).unwrap_or_default());
            if chunk.len() > room && self.stage == Stage::Runs {
                self.cause = End::TooMuch;
                self.kill(running);
            }
        }
        chunk.clear();
        self.tell_at.get_or_insert_with(|| Instant::now() + TELLING);
    }

    fn exited(&mut self, status: Option<ExitStatus>) {
        let by_itself = match status {
            Some(status) => match (status.code(), status.signal()) {
                (Some(code), _) => End::Code(code),
                (None, Some(signal)) => End::Signal(signal),
                (None, None) => End::Lost,
            },
            None => End::Lost,
        };
        // After it was asked to end, an orderly end is still one that was cut short.
        self.status = Some(match (self.stage, self.cause, by_itself) {
            (Stage::Runs, ..) => by_itself,
            (_, End::Stopped(_), End::Code(code)) => End::Stopped(Some(code)),
            (_, cause, _) => cause,
        });
        self.stage = Stage::Ended;
        self.due = Instant::now() + LINGER;
    }

    /// The cockpit ends at that time.
    fn wind_down(&mut self, at: Option<Instant>) {
        if let Some(at) = at
            && self.stage == Stage::Runs
            && at < self.due
        {
            self.due = at;
            self.cause = End::WoundDown;
        }
    }

    /// Asks it to end at once; what does not is killed. Whoever stops it means all of it, detached or not.
    fn stop(&mut self, by: Option<String>, running: &mut Running) {
        if let (Some(by), Stage::Runs) = (by, self.stage) {
            self.cause = End::Stopped(None);
            self.stopped_by = Some(by);
            running.group.take_back();
            self.ask(running);
        }
    }

    fn ask(&mut self, running: &Running) {
        running.group.signal(Signal::TERM);
        self.stage = Stage::Asked;
        self.due = Instant::now() + TO_OBEY;
    }

    fn kill(&mut self, running: &Running) {
        self.was_killed = true;
        running.group.signal(Signal::KILL);
        self.stage = Stage::Killed;
        self.due = Instant::now() + TO_OBEY;
    }

    /// Its time is over: asks it, ends it, gives it up. True where nothing more is waited for.
    fn go_on(&mut self, run: &Run<'_>, running: &Running) -> bool {
        match self.stage {
            Stage::Runs if run.surroundings.is_detached => {
                self.goes_on = true;
                return true;
            }
            Stage::Runs => self.ask(running),
            Stage::Asked => self.kill(running),
            Stage::Killed => return true,
            Stage::Ended => {
                self.left_behind = true;
                return true;
            }
        }
        false
    }
}
