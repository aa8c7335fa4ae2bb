//! Where the values are found that a pack only names: variables, files, commands. Never shown, not even by `Debug`.

use std::{
    collections::HashMap,
    fmt,
    fs::File,
    io::Read as _,
    os::unix::fs::MetadataExt as _,
    path::Path,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use secrecy::{ExposeSecret as _, SecretString};

use crate::domain::pack::SecretSource;

/// A password manager may ask for a touch; longer than this it is stuck.
const COMMAND_LIMIT: Duration = Duration::from_secs(20);

/// A secret is a line, not a file.
const LARGEST: u64 = 64 * 1024;

/// A value and whether it was fetched as a secret; what stands plainly in the pack is none.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) value: SecretString,
    pub(super) is_secret: bool,
}

impl Found {
    pub(super) fn expose(&self) -> &str {
        self.value.expose_secret()
    }

    #[cfg(test)]
    pub(super) fn secret(value: &str) -> Self {
        Self { value: SecretString::from(value), is_secret: true }
    }

    #[cfg(test)]
    pub(super) fn plain(value: &str) -> Self {
        Self { value: SecretString::from(value), is_secret: false }
    }
}

/// Environment variables: the process's own, and those that stand in for them (a demo's addresses).
#[derive(Clone, Default)]
pub struct Environment {
    instead: HashMap<String, SecretString>,
    reads_process: bool,
    /// Variables that hold secrets of the pack: a command that prints another one needs none of them.
    kept_back: Vec<String>,
}

impl Environment {
    /// The process's environment variables.
    pub fn process() -> Self {
        Self { reads_process: true, ..Self::default() }
    }

    /// With one variable set, whatever the process has there.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.instead.insert(name.into(), SecretString::from(value.into()));
        self
    }

    /// With these variables kept from every command that is run.
    #[must_use]
    pub(super) fn keeping_back(mut self, names: Vec<String>) -> Self {
        self.kept_back = names;
        self
    }

    pub(super) fn find(&self, source: &SecretSource) -> Result<Found, String> {
        let value = match source {
            SecretSource::Environment(name) => self
                .variable(name)
                .ok_or_else(|| format!("the environment variable {name} is not set; export it before starting"))?,
            SecretSource::File(path) => read_file(path)?,
            SecretSource::Command(argv) => run_command(argv, &self.kept_back, COMMAND_LIMIT)?,
            SecretSource::Plain(value) => return Ok(Found { value: value.as_str().into(), is_secret: false }),
        };
        if value.expose_secret().is_empty() {
            return Err(format!("{} is empty", said(source)));
        }
        Ok(Found { value, is_secret: true })
    }

    /// `None` where a variable is not set; every other failure stays one.
    pub(super) fn find_optional(&self, source: &SecretSource) -> Result<Option<Found>, String> {
        match source {
            SecretSource::Environment(name) if self.variable(name).is_none() => Ok(None),
            source => self.find(source).map(Some),
        }
    }

    /// A variable that is passed on to a program.
    pub(super) fn passed_on(&self, name: &str) -> Option<SecretString> {
        self.variable(name)
    }

    fn variable(&self, name: &str) -> Option<SecretString> {
        if let Some(value) = self.instead.get(name) {
            return Some(value.clone());
        }
        if !self.reads_process {
            return None;
        }
        std::env::var(name).ok().map(|value| SecretString::from(value.trim()))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("instead", &self.instead.keys())
            .field("reads_process", &self.reads_process)
            .finish_non_exhaustive()
    }
}

fn said(source: &SecretSource) -> String {
    match source {
        SecretSource::Environment(name) => format!("the environment variable {name}"),
        SecretSource::File(path) => format!("the file {}", path.display()),
        SecretSource::Command(argv) => format!("the output of `{}`", argv.first().map_or("", String::as_str)),
        SecretSource::Plain(_) => "the value in the pack".to_owned(),
    }
}

fn read_file(path: &Path) -> Result<SecretString, String> {
    let shown = path.display();
    let file = File::open(path).map_err(|error| format!("the file {shown} cannot be read: {error}"))?;
    // Asked of the open file, so that nothing can be put in its place between the question and the reading.
    let facts = file.metadata().map_err(|error| format!("the file {shown} cannot be examined: {error}"))?;
    if !facts.is_file() {
        return Err(format!("{shown} is not a plain file"));
    }
    if facts.uid() != rustix::process::geteuid().as_raw() {
        return Err(format!("the file {shown} belongs to somebody else; `chown` it to yourself"));
    }
    if facts.mode() & 0o177 != 0 {
        return Err(format!(
            "the file {shown} is open to others (mode {:04o}, must be 0600); run `chmod 600 {shown}`",
            facts.mode() & 0o7777
        ));
    }
    read_line(file).map_err(|error| format!("the file {shown} cannot be read: {error}"))
}

fn read_line(from: impl std::io::Read) -> std::io::Result<SecretString> {
    let mut text = String::new();
    from.take(LARGEST).read_to_string(&mut text)?;
    Ok(SecretString::from(text.trim()))
}

fn run_command(argv: &[String], kept_back: &[String], limit: Duration) -> Result<SecretString, String> {
    let Some((program, arguments)) = argv.split_first() else {
        return Err("the command for the secret is empty".to_owned());
    };
    let mut command = Command::new(program);
    for name in kept_back {
        command.env_remove(name);
    }
    let mut child = command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("`{program}` cannot be started: {error}"))?;
    let output = child.stdout.take().ok_or_else(|| format!("`{program}` has no output"))?;
    let (sender, receiver) = mpsc::channel();
    // A thread of its own: reading a pipe has no time limit.
    thread::spawn(move || sender.send(read_line(output)));
    let answer = receiver.recv_timeout(limit);
    if answer.is_err() {
        // Already gone is as good as killed.
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| format!("`{program}` was lost: {error}"))?;
    match answer {
        Err(_) => Err(format!("`{program}` gave no secret within {} s", limit.as_secs())),
        Ok(_) if !status.success() => Err(format!("`{program}` failed ({status}); run it by hand to see why")),
        Ok(Err(error)) => Err(format!("the output of `{program}` cannot be read: {error}")),
        Ok(Ok(secret)) => Ok(secret),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write as _, os::unix::fs::PermissionsExt as _};

    use super::*;

    fn file(mode: u32) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"canary-in-a-file\n").unwrap();
        fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
        file
    }

    fn command(argv: &[&str]) -> SecretSource {
        SecretSource::Command(argv.iter().map(|&word| word.to_owned()).collect())
    }

    #[test]
    fn a_variable_given_stands_in_for_the_process() {
        let environment = Environment::process().with("PATH", "canary-value");
        assert_eq!(environment.find(&SecretSource::Environment("PATH".into())).unwrap().expose(), "canary-value");
        assert!(!format!("{environment:?}").contains("canary-value"));
        assert!(environment.find(&SecretSource::Environment("HOME".into())).is_ok());
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let problem = Environment::default().find(&SecretSource::Environment("SHOP_KEY".into())).unwrap_err();
        assert!(problem.contains("SHOP_KEY is not set"), "{problem}");
        assert!(Environment::default().find_optional(&SecretSource::Environment("SHOP_KEY".into())).unwrap().is_none());
    }

    #[test]
    fn a_file_counts_only_when_nobody_else_can_read_it() {
        let kept = file(0o600);
        let found = Environment::default().find(&SecretSource::File(kept.path().into())).unwrap();
        assert_eq!(found.expose(), "canary-in-a-file");
        assert!(!format!("{found:?}").contains("canary"));
        for mode in [0o644, 0o640, 0o604, 0o660, 0o700] {
            let open = file(mode);
            let problem = Environment::default().find(&SecretSource::File(open.path().into())).unwrap_err();
            assert!(problem.contains("chmod 600"), "{problem}");
        }
    }

    #[test]
    fn a_command_gives_its_first_output_and_its_failure_is_said() {
        let environment = Environment::default();
        assert_eq!(environment.find(&command(&["echo", "canary-out"])).unwrap().expose(), "canary-out");
        assert!(environment.find(&command(&["false"])).unwrap_err().contains("failed"));
        assert!(environment.find(&command(&["true"])).unwrap_err().contains("empty"));
        assert!(environment.find(&command(&["/no/such/program"])).unwrap_err().contains("cannot be started"));
    }

    #[test]
    fn a_command_sees_its_surroundings_and_none_of_the_packs_secrets() {
        let environment = Environment::process().keeping_back(vec!["HOME".to_owned()]);
        let source = command(&["sh", "-c", "echo \"${HOME-kept back} ${PATH:+there}\""]);
        assert_eq!(environment.find(&source).unwrap().expose(), "kept back there");
    }

    #[test]
    fn a_command_that_hangs_is_ended() {
        let problem = run_command(&["sleep".to_owned(), "600".to_owned()], &[], Duration::from_millis(20)).unwrap_err();
        assert!(problem.contains("gave no secret within"), "{problem}");
    }
}
