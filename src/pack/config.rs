//! The operator's own settings: which packs there are, and how the cockpit looks and asks. Never a business's rules.

use std::{
    collections::BTreeMap,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    time::Duration,
};

use directories::{BaseDirs, ProjectDirs};
use schemars::JsonSchema;
use serde::Deserialize;
use toml::{Spanned, de::DeValue};

use super::{
    duration::parse_duration,
    nearest::advice,
    place::Place,
    problem::{Problem, Problems},
    schema::schema_of,
    shape,
    source::{Source, Tree},
};

/// A dialog that listens at once takes keys that were meant for something else.
const LISTENS_AFTER: Duration = Duration::from_millis(300);
const UNLOCKED_FOR: Duration = Duration::from_mins(15);
const UNLOCKED_AT_MOST: Duration = Duration::from_hours(8);

/// Settings; the default is what holds without a file.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Who acts, as the journal names them; the login name where it is not said.
    pub operator: Option<String>,
    /// The pack that is opened when none is named.
    pub open: Option<String>,
    /// In the order of the file.
    pub packs: Vec<(String, PathBuf)>,
    pub theme: Option<String>,
    /// Intent -> key, as they are written; what they mean is the key table's to judge (`problem_at("keys.NAME", ..)`).
    pub keys: Vec<(String, String)>,
    /// Nothing is looked at more often than this.
    pub refresh: Option<Duration>,
    pub confirm: Delays,
    pub mouse: bool,
    pub ascii: bool,
    source: Option<Source>,
}

/// How slowly a confirmation goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delays {
    /// A dialog takes no key before this; at least 300 ms.
    pub listens_after: Duration,
    /// Every final act is held at least so long.
    pub hold_at_least: Duration,
    /// On a demo business no act is held longer; one's own is never held shorter than its pack says.
    pub hold_at_most: Option<Duration>,
    /// How long writing stays unlocked.
    pub unlocked_for: Duration,
}

impl Default for Delays {
    fn default() -> Self {
        Self { listens_after: LISTENS_AFTER, hold_at_least: Duration::ZERO, hold_at_most: None, unlocked_for: UNLOCKED_FOR }
    }
}

/// The operator's settings for wheelhouse.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "wheelhouse configuration")]
struct RawConfig {
    /// Who acts, as the journal names them.
    operator: Option<String>,
    /// The pack that is opened when none is named (default: the first).
    open: Option<String>,
    /// NAME = path of the pack file; relative to this file, `~/` is the home directory.
    #[serde(default)]
    packs: BTreeMap<String, String>,
    theme: Option<String>,
    /// Intent = key.
    #[serde(default)]
    keys: BTreeMap<String, String>,
    /// Nothing is looked at more often than this (`60s`).
    refresh: Option<String>,
    #[serde(default)]
    confirm: RawDelays,
    /// A click selects, a second one opens, the wheel moves; text is then selected with Shift.
    #[serde(default)]
    mouse: bool,
    #[serde(default)]
    ascii: bool,
}

/// How slowly a confirmation goes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RawDelays {
    /// A dialog takes no key before this (default and least: `300ms`).
    listens_after: Option<String>,
    /// Every final act is held at least so long.
    hold_at_least: Option<String>,
    /// On a demo business no act is held longer.
    hold_at_most: Option<String>,
    /// How long writing stays unlocked (default `15m`, at most `8h`).
    unlocked_for: Option<String>,
}

impl Config {
    /// Where it is by the XDG rules (`~/.config/wheelhouse/config.toml`).
    pub fn path() -> Option<PathBuf> {
        ProjectDirs::from("", "", "wheelhouse").map(|directories| directories.config_dir().join("config.toml"))
    }

    /// Reads the settings at a path; a file that is not there is the default, one that cannot be read is a problem.
    pub fn load(path: &Path) -> Result<Self, Problems> {
        let file = path.display().to_string();
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&file, &text),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => {
                let (source, ..) = Source::read(&file, "");
                Err(Problems::from(vec![source.problem(0..0, format!("cannot be read: {error}"), "", None)]))
            }
        }
    }

    /// Reads the settings from their text; paths of packs are relative to `file`.
    pub fn parse(file: &str, text: &str) -> Result<Self, Problems> {
        let (source, root, problems) = Source::read(file, text);
        if !problems.is_empty() {
            return Err(Problems::from(problems));
        }
        let root = Spanned::new(0..text.len(), DeValue::Table(root));
        let (raw, problems) = shape::read::<RawConfig>(&source, &Place::default(), root);
        let Some(raw) = raw.filter(|_| problems.is_empty()) else { return Err(problems.into()) };
        let mut judge = Judge { source: &source, problems: Vec::new() };
        let config = judge.config(&raw, Path::new(file));
        match Problems::from(judge.problems) {
            problems if problems.is_empty() => Ok(Self { source: Some(source), ..config }),
            problems => Err(problems),
        }
    }

    /// The schema for editors.
    pub fn schema() -> serde_json::Value {
        schema_of::<RawConfig>()
    }

    /// The path of a pack by its name.
    pub fn pack(&self, name: &str) -> Option<&Path> {
        self.packs.iter().find(|(known, _)| known == name).map(|(_, path)| path.as_path())
    }

    /// What is opened when no pack is named.
    pub fn first_pack(&self) -> Option<(&str, &Path)> {
        let open = self.open.as_deref().and_then(|name| self.pack(name).map(|path| (name, path)));
        open.or_else(|| self.packs.first().map(|(name, path)| (name.as_str(), path.as_path())))
    }

    /// A problem found later (a key that means nothing, a theme that is not there), shown where it is written.
    pub fn problem_at(&self, path: &str, message: impl Into<String>, label: impl Into<String>) -> Problems {
        let nothing = || Source::read("(no configuration)", "").0;
        self.source.clone().unwrap_or_else(nothing).problem_at(path, message, label)
    }
}

struct Judge<'s> {
    source: &'s Source,
    problems: Vec<Problem>,
}

impl Judge<'_> {
    fn config(&mut self, raw: &RawConfig, file: &Path) -> Config {
        let root = Place::default();
        let packs = self.in_order(&root.key("packs"), &raw.packs);
        let names: Vec<&str> = packs.iter().map(|(name, _)| name.as_str()).collect();
        if let Some(open) = raw.open.as_ref().filter(|open| !names.contains(&open.as_str())) {
            let help = advice(open, &names, "packs");
            self.say(&root.key("open"), format!("there is no pack `{open}`"), "not a pack", Some(help));
        }
        let beside = file.parent().unwrap_or(Path::new(""));
        let packs = packs.into_iter().map(|(name, path)| (name, beside.join(at_home(&path)))).collect();
        let keys = self.in_order(&root.key("keys"), &raw.keys);
        for (intent, _) in keys.iter().filter(|(_, key)| key.trim().is_empty()) {
            self.say(&root.key("keys").key(intent), format!("`{intent}` has no key"), "nothing here", None);
        }
        if raw.operator.as_ref().is_some_and(|name| name.trim().is_empty()) {
            self.say(&root.key("operator"), "the journal needs a name", "nothing here", None);
        }
        Config {
            operator: raw.operator.clone(),
            open: raw.open.clone(),
            packs,
            theme: raw.theme.clone(),
            keys,
            refresh: self.span(&root.key("refresh"), raw.refresh.as_ref(), Duration::from_secs(1), Duration::MAX),
            confirm: self.delays(&root.key("confirm"), &raw.confirm),
            mouse: raw.mouse,
            ascii: raw.ascii,
            source: None,
        }
    }

    fn delays(&mut self, place: &Place, raw: &RawDelays) -> Delays {
        let usual = Delays::default();
        let listens_after =
            self.span(&place.key("listens_after"), raw.listens_after.as_ref(), LISTENS_AFTER, Duration::from_secs(10));
        let hold = self.span(&place.key("hold_at_least"), raw.hold_at_least.as_ref(), Duration::ZERO, UNLOCKED_FOR);
        let unlocked = self.span(&place.key("unlocked_for"), raw.unlocked_for.as_ref(), Duration::from_mins(1), UNLOCKED_AT_MOST);
        Delays {
            listens_after: listens_after.unwrap_or(usual.listens_after),
            hold_at_least: hold.unwrap_or(usual.hold_at_least),
            hold_at_most: self.span(&place.key("hold_at_most"), raw.hold_at_most.as_ref(), Duration::ZERO, UNLOCKED_FOR),
            unlocked_for: unlocked.unwrap_or(usual.unlocked_for),
        }
    }

    fn span(&mut self, place: &Place, text: Option<&String>, least: Duration, most: Duration) -> Option<Duration> {
        let text = text?;
        let span = parse_duration(text);
        match span {
            None => {
                let help = Some("a number and a unit, such as `300ms`, `60s` or `15m`".to_owned());
                self.say(place, format!("`{text}` is not a span of time"), "not a span", help);
            }
            Some(span) if span < least => self.say(place, format!("at least {least:?}"), "too short", None),
            Some(span) if span > most => self.say(place, format!("at most {most:?}"), "too long", None),
            Some(_) => {}
        }
        span
    }

    fn in_order(&self, place: &Place, entries: &BTreeMap<String, String>) -> Vec<(String, String)> {
        let order = self.source.find(place).into_iter().flat_map(Tree::keys);
        order.filter_map(|key| entries.get(key).map(|value| (key.to_owned(), value.clone()))).collect()
    }

    fn say(&mut self, place: &Place, message: impl Into<String>, label: &str, help: Option<String>) {
        self.problems.push(self.source.problem(self.source.locate(place), message, label, help));
    }
}

fn at_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), BaseDirs::new()) {
        (Some(rest), Some(directories)) => directories.home_dir().join(rest),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "/home/op/.config/wheelhouse/config.toml";

    #[test]
    fn settings_are_what_the_file_says() {
        let config = Config::parse(
            FILE,
            r#"
            operator = "mira"
            open = "shop"
            theme = "dark"
            refresh = "2m"
            mouse = true
            [packs]
            zoo = "/srv/zoo.toml"
            shop = "shop/pack.toml"
            [keys]
            approve = "a"
            quit = "ctrl-q"
            [confirm]
            listens_after = "500ms"
            unlocked_for = "5m"
            "#,
        )
        .unwrap();
        assert_eq!(config.operator.as_deref(), Some("mira"));
        assert_eq!(config.packs.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["zoo", "shop"]);
        assert_eq!(config.first_pack(), Some(("shop", Path::new("/home/op/.config/wheelhouse/shop/pack.toml"))));
        assert_eq!(config.pack("zoo"), Some(Path::new("/srv/zoo.toml")));
        assert_eq!(config.keys.len(), 2);
        assert_eq!(config.refresh, Some(Duration::from_mins(2)));
        assert_eq!(config.confirm.listens_after, Duration::from_millis(500));
        assert_eq!(config.confirm.unlocked_for, Duration::from_mins(5));
        assert!(config.mouse && !config.ascii);
        let said = config.problem_at("keys.quit", "`ctrl-q` is taken", "taken").to_string();
        assert!(said.starts_with(&format!("{FILE}:12:20: `ctrl-q` is taken")), "{said}");
    }

    #[test]
    fn without_a_file_there_are_defaults() {
        let config = Config::load(Path::new("/nowhere/config.toml")).unwrap();
        assert!(config.packs.is_empty() && config.first_pack().is_none());
        assert_eq!(config.confirm, Delays::default());
        assert!(!config.problem_at("keys.quit", "wrong", "here").is_empty());
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let text = "open = \"shp\"\nrefresh = \"often\"\n[packs]\nshop = \"shop.toml\"\n[confirm]\nlistens_after = \"1ms\"\n";
        let problems = Config::parse("config.toml", text).unwrap_err();
        let said: Vec<_> = problems.iter().map(|problem| (problem.line, problem.message.as_str())).collect();
        assert_eq!(said, [(1, "there is no pack `shp`"), (2, "`often` is not a span of time"), (6, "at least 300ms")]);
        let problems = Config::parse("config.toml", "thme = \"dark\"\nmouse = \"yes\"\n").unwrap_err();
        let said: Vec<_> = problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(said, ["there is no key `thme` here", "a text stands here, where true or false is expected"]);
    }

    #[test]
    fn the_schema_has_every_setting() {
        let schema = Config::schema();
        for key in ["operator", "open", "packs", "theme", "keys", "refresh", "confirm", "mouse", "ascii"] {
            assert!(schema["properties"][key].is_object(), "{key}");
        }
    }
}
