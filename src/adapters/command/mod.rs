//! Programs of this machine, by their arguments and never by a shell: their output becomes rows, their exit an outcome.
//!
//! Never a secret in their arguments, nor in what is told of their output; nothing inherited that the pack does not name.

mod ear;
mod group;
mod rows;
mod run;

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::{
    sync::{oneshot, watch},
    time::Instant,
};

use self::{
    rows::Facts,
    run::{End, Ended, Run, Surroundings, USUAL_PATH},
};
use super::{
    environment::{Environment, Found as Given},
    scrub::Scrubber,
    wrong_order, wrong_query,
};
use crate::{
    domain::{
        age,
        command::{Exits, Printed},
        identity::Identity,
        pack::{CommandRead, Program, Query, Read},
        plan::{ActionId, Order},
        proof::Proven,
        rows::{Params, Rows},
        text::{Text, counted},
    },
    ports::{Answer, Doer, Found, Mark, Outcome, Source, SourceError, Told},
};

/// More is no answer that a screen could show.
const LARGEST_OUTPUT: usize = 16 * 1024 * 1024;
/// Passed on from the cockpit's own environment, beside what the pack lists.
const PASSED_ON: [&str; 3] = ["PATH", "HOME", "LANG"];
/// To say one's version takes no longer.
const TO_SAY_VERSION: Duration = Duration::from_secs(5);

/// A program that is run.
pub(super) struct CommandSystem {
    name: String,
    program: String,
    version: Vec<String>,
    surroundings: Surroundings,
    timeout: Duration,
    scrub: Scrubber,
    /// When the cockpit ends.
    ending: watch::Sender<Option<Instant>>,
    /// The acts under way: each is told by whom it is stopped.
    under_way: Mutex<HashMap<ActionId, oneshot::Sender<String>>>,
}

impl CommandSystem {
    /// Fetches the secrets. Whether the program is there is seen when it is needed: a backup that cannot be made must not
    /// keep the rest of the business from being seen.
    pub(super) fn open(name: &str, program: &Program, environment: &Environment, timeout: Duration) -> Result<Self, String> {
        let mut scrub = Scrubber::default();
        let mut variables: Vec<(String, SecretString)> = Vec::new();
        let mut set = |name: &str, value: SecretString| {
            variables.retain(|(known, _)| known != name);
            variables.push((name.to_owned(), value));
        };
        for name in PASSED_ON.into_iter().chain(program.inherit.iter().map(String::as_str)) {
            if let Some(value) = environment.passed_on(name) {
                set(name, value);
            }
        }
        for (name, source) in &program.environment {
            let given = environment.find(source)?;
            hide(&mut scrub, &given);
            set(name, given.value);
        }
        let input = program.input.as_ref().map(|source| environment.find(source)).transpose()?;
        if let Some(given) = &input {
            hide(&mut scrub, given);
        }
        let value = |name: &str| {
            let found = variables.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.expose_secret().to_owned()).filter(|value| !value.is_empty())
        };
        let surroundings = Surroundings {
            path: value("PATH").unwrap_or_else(|| USUAL_PATH.to_owned()),
            directory: program.directory.clone().or_else(|| value("HOME").map(PathBuf::from)).unwrap_or_else(|| "/".into()),
            input: input.map(|given| given.value),
            is_detached: program.is_detached,
            variables,
        };
        Ok(Self {
            name: name.to_owned(),
            program: program.program.clone(),
            version: program.version.clone(),
            surroundings,
            timeout,
            scrub,
            ending: watch::Sender::new(None),
            under_way: Mutex::default(),
        })
    }

    fn under_way(&self) -> MutexGuard<'_, HashMap<ActionId, oneshot::Sender<String>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn text(&self, said: impl std::fmt::Display) -> Text {
        self.scrub.text(&format!("{}: {said}", self.name))
    }

    /// The program as it is said: its name, without the way to it.
    fn said(&self) -> &str {
        self.program.rsplit('/').next().unwrap_or(&self.program)
    }

    /// A read of the program: short, and stopped by nobody.
    async fn run(&self, arguments: &[String], limit: Duration, told: &Told) -> Result<Ended, String> {
        self.run_until(arguments, limit, Some(LARGEST_OUTPUT), told, None).await
    }

    async fn run_until(
        &self,
        arguments: &[String],
        limit: Duration,
        keeps: Option<usize>,
        told: &Told,
        stop: Option<oneshot::Receiver<String>>,
    ) -> Result<Ended, String> {
        if let Some(number) = arguments.iter().position(|argument| self.scrub.is_in(argument)) {
            return Err(format!(
                "its argument {} holds a secret of this connection, and arguments are in the list of processes: give it by \
                 `environment` or `stdin_env` alone",
                number + 1
            ));
        }
        let run = Run {
            program: &self.program,
            arguments,
            surroundings: &self.surroundings,
            limit,
            keeps,
            ending: self.ending.subscribe(),
            stop,
            scrub: &self.scrub,
            told,
        };
        run.carry_out().await
    }

    /// What there is to say of an end, after the program's name.
    fn how(&self, ended: &Ended) -> String {
        let took = took(ended.took);
        let how = match ended.end {
            End::Code(code) => format!("ended with {code} after {took}"),
            End::Signal(signal) => format!("was ended by {} after {took}", signal_name(signal)),
            End::TimedOut if ended.goes_on.is_some() => format!("did not end within {}", span(ended.limit)),
            End::TimedOut => format!("did not end within {} and was ended", span(ended.limit)),
            End::WoundDown if ended.goes_on.is_some() => format!("was still running when the cockpit ended, after {took}"),
            End::WoundDown => format!("was ended with the cockpit, after {took}"),
            End::Stopped(code) => {
                let by = ended.stopped_by.as_deref().unwrap_or("somebody");
                let code = code.map_or_else(String::new, |code| format!(", and ended with {code}"));
                let killed = if ended.was_killed { "; it did not end when it was asked to, and was killed" } else { "" };
                format!("was stopped by {by} after {took}{code}{killed}")
            }
            End::TooMuch => {
                format!("printed more than {} MiB and was ended; let it print less", LARGEST_OUTPUT / (1024 * 1024))
            }
            End::Lost => format!("could not be ended, or was lost, after {took}"),
        };
        let goes_on = ended.goes_on.map_or_else(String::new, |number| format!("; it goes on as process {number}"));
        let left = if ended.left_behind && ended.goes_on.is_none() {
            if self.surroundings.is_detached {
                "; what it started goes on"
            } else {
                "; what it had left running was ended as well"
            }
        } else {
            ""
        };
        format!("{} {how}{goes_on}{left}", self.said())
    }

    fn with_last_words(how: &str, ended: &Ended) -> String {
        if ended.last_words.is_empty() { how.to_owned() } else { format!("{how}: {}", ended.last_words) }
    }

    async fn look(&self, read: &CommandRead, params: &Params) -> Result<Rows, SourceError> {
        let arguments = read.line.render(params).map_err(|why| SourceError::Refused(self.text(why)))?;
        let silent = |_: Printed| {};
        let mut facts = Facts::default();
        let failure = match self.run(&arguments, self.timeout, &silent).await {
            Err(why) => SourceError::Unreachable(self.text(why)),
            Ok(ended) => {
                facts.took_ms = Some(ended.took.as_millis() as i64);
                let how = self.how(&ended);
                match ended.end {
                    End::Code(code) => {
                        facts.exit = Some(code);
                        if read.done.contains(&code) {
                            let output = self.scrub.without_echoes(&ended.output).unwrap_or(ended.output);
                            match rows::rows(read, &output, &facts) {
                                Ok(rows) => return Ok(self.scrub.rows_without_echoes(rows)),
                                Err(why) => SourceError::Malformed(self.text(format_args!("{how}, but {why}"))),
                            }
                        } else {
                            SourceError::Refused(self.text(Self::with_last_words(&how, &ended)))
                        }
                    }
                    End::TimedOut => SourceError::TimedOut(self.timeout),
                    End::TooMuch => SourceError::Malformed(self.text(how)),
                    End::Signal(_) | End::WoundDown | End::Stopped(_) | End::Lost => {
                        SourceError::Unreachable(self.text(Self::with_last_words(&how, &ended)))
                    }
                }
            }
        };
        if !read.probe {
            return Err(failure);
        }
        facts.error = Some(failure.to_string());
        Ok(rows::failed(read, &facts))
    }

    fn judge(&self, ended: &Ended, exits: &Exits) -> Outcome {
        let how = self.how(ended);
        let unknown = |how: &str| Outcome::Unknown(self.text(Self::with_last_words(how, ended)));
        let code = match ended.end {
            End::Code(code) => code,
            // Only what the pack says in so many words: an orderly end on request may leave half of it done.
            End::Stopped(Some(code)) if exits.names_refused(code) => code,
            End::Signal(_) | End::TimedOut | End::WoundDown | End::Stopped(_) | End::TooMuch | End::Lost => return unknown(&how),
        };
        match exits.judge(code) {
            Proven::Done => {
                let lines = if ended.lines > 0 { format!(", {}", counted(ended.lines, "line")) } else { String::new() };
                let said = self.text(format_args!("{how}{lines}"));
                Outcome::Confirmed(Answer { reference: None, request: None, said })
            }
            Proven::Refused => Outcome::Rejected(self.text(Self::with_last_words(&how, ended))),
            Proven::Nothing => unknown(&format!("{how}, and that does not say how far it came")),
        }
    }
}

/// What must not be told of a secret, in every spelling.
fn hide(scrub: &mut Scrubber, given: &Given) {
    scrub.hide_address(given.expose());
    if given.is_secret {
        scrub.hide_lines(given.expose());
    }
}

fn span(duration: Duration) -> String {
    age::span(chrono::TimeDelta::from_std(duration).unwrap_or(chrono::TimeDelta::MAX))
}

fn took(duration: Duration) -> String {
    if duration.as_secs() == 0 { format!("{} ms", duration.as_millis()) } else { span(duration) }
}

fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        _ => return format!("signal {signal}"),
    };
    format!("{name} (signal {signal})")
}

impl std::fmt::Debug for CommandSystem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CommandSystem").field("name", &self.name).field("program", &self.program).finish_non_exhaustive()
    }
}

#[async_trait]
impl Source for CommandSystem {
    /// One that hangs must not keep the others unseen until its time is over.
    fn looks_at_once(&self) -> usize {
        2
    }

    async fn read(&self, query: &Query, params: &Params) -> Result<Rows, SourceError> {
        match &query.read {
            Read::Command(read) => self.look(read, params).await,
            Read::Sql(_) | Read::Stripe(_) | Read::Http(_) | Read::Firestore(_) => Err(wrong_query(&self.name, "command")),
        }
    }

    async fn prepare(&self, query: &Query) -> Result<Option<Vec<String>>, SourceError> {
        match &query.read {
            Read::Command(read) => Ok(read.known_columns()),
            Read::Sql(_) | Read::Stripe(_) | Read::Http(_) | Read::Firestore(_) => Err(wrong_query(&self.name, "command")),
        }
    }

    /// The program that is found, and what it says of its version where the pack knows how it is asked.
    async fn identify(&self) -> Result<Identity, SourceError> {
        let found = run::find(&self.program, &self.surroundings);
        let found = found.map_err(|why| SourceError::Unreachable(self.text(why)))?;
        let mut facts = vec![("program", self.scrub.text(&found.display().to_string()))];
        if !self.version.is_empty() {
            let silent = |_: Printed| {};
            let limit = self.timeout.min(TO_SAY_VERSION);
            let ended = self.run(&self.version, limit, &silent).await;
            let ended = ended.map_err(|why| SourceError::Unreachable(self.text(why)))?;
            let output = String::from_utf8_lossy(&ended.output).into_owned();
            let first = output.lines().find(|line| !line.trim().is_empty()).unwrap_or(&ended.last_words).trim().to_owned();
            if ended.end != End::Code(0) || first.is_empty() {
                let said = format!("asked for its version, {}", Self::with_last_words(&self.how(&ended), &ended));
                return Err(SourceError::Malformed(self.text(said)));
            }
            facts.push(("version", self.scrub.text(&first)));
        }
        facts.push(("directory", self.scrub.text(&self.surroundings.directory.display().to_string())));
        Ok(Identity { system: Text::new("program"), facts, clock: None })
    }
}

#[async_trait]
impl Doer for CommandSystem {
    async fn act(&self, order: &Order, mark: &Mark) -> Outcome {
        self.act_aloud(order, mark, &|_: Printed| {}).await
    }

    async fn act_aloud(&self, order: &Order, mark: &Mark, told: &Told) -> Outcome {
        let Order::Command { arguments, exits, .. } = order else {
            return wrong_order(&self.name, "command");
        };
        let (stopper, stop) = oneshot::channel();
        self.under_way().insert(mark.action.clone(), stopper);
        let ended = self.run_until(arguments, self.timeout, None, told, Some(stop)).await;
        self.under_way().remove(&mark.action);
        match ended {
            Ok(ended) => self.judge(&ended, exits),
            Err(why) => Outcome::Rejected(self.text(format_args!("nothing was run: {why}"))),
        }
    }

    fn longest_act(&self) -> Option<Duration> {
        Some(self.timeout)
    }

    fn wind_down(&self, within: Duration) {
        self.ending.send_replace(Some(Instant::now() + within));
    }

    fn cut_short(&self, act: &ActionId, by: &str) -> bool {
        self.under_way().remove(act).is_some_and(|stopper| stopper.send(by.to_owned()).is_ok())
    }

    async fn look_up(&self, _order: &Order, _mark: &Mark) -> Found {
        Found::CannotTell(self.text("nothing tells how far it came; look for what it should have made, and decide (D)"))
    }
}

#[cfg(test)]
mod tests;
