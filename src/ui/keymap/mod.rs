//! The one table of keys: dispatch, footer, help, palette and documentation all read it.

mod intent;
mod table;

use std::collections::BTreeMap;

pub use self::{
    intent::{Context, Intent},
    table::{Binding, TABLE},
};
use super::chord::Chord;
use crate::domain::pack::{self, Pack};

/// The table with the operator's own keys in it.
#[derive(Clone, Debug)]
pub struct Keymap {
    rows: Vec<(Binding, Vec<Chord>)>,
}

impl Default for Keymap {
    fn default() -> Self {
        let chords = |binding: &Binding| binding.keys.iter().filter_map(|key| Chord::parse(key)).collect();
        Self { rows: TABLE.iter().map(|binding| (*binding, chords(binding))).collect() }
    }
}

impl Keymap {
    /// The table with keys of one's own: command name -> keys, separated by blanks; an empty text takes the keys away.
    pub fn with(remapped: &BTreeMap<String, String>) -> Result<Self, Vec<String>> {
        let mut keymap = Self::default();
        let mut problems = Vec::new();
        for (command, keys) in remapped {
            let mut chords = Vec::new();
            for key in keys.split_whitespace() {
                match Chord::parse(key) {
                    Some(chord) => chords.push(chord),
                    None => problems.push(format!("keys.{command}: `{key}` is no key; write it as `g`, `ctrl-d`, `space`, `f5`")),
                }
            }
            let mut is_known = false;
            for (binding, own) in &mut keymap.rows {
                if binding.command == command {
                    is_known = true;
                    own.clone_from(&chords);
                }
            }
            if !is_known {
                let nearest = TABLE
                    .iter()
                    .max_by(|a, b| strsim::jaro_winkler(a.command, command).total_cmp(&strsim::jaro_winkler(b.command, command)));
                let hint = nearest.map_or_else(String::new, |binding| format!("; the nearest is `{}`", binding.command));
                problems.push(format!("keys.{command}: there is no such command{hint}"));
            }
        }
        problems.extend(keymap.clashes());
        if problems.is_empty() { Ok(keymap) } else { Err(problems) }
    }

    /// Keys with two meanings in one place. A pane's own key may stand before the key that works anywhere.
    pub fn clashes(&self) -> Vec<String> {
        let mut clashes = Vec::new();
        for (index, (one, chords)) in self.rows.iter().enumerate() {
            for (other, others) in self.rows.iter().skip(index + 1) {
                let meet = one.contexts.iter().any(|context| other.contexts.contains(context));
                if let Some(chord) = chords.iter().find(|chord| meet && others.contains(chord)) {
                    clashes.push(format!("`{chord}` is both {} and {}", one.command, other.command));
                }
            }
        }
        clashes
    }

    /// Keys of the pack's actions that a queue cannot offer, because they mean something else there.
    pub fn clashes_with(&self, pack: &Pack) -> Vec<String> {
        let mut clashes = Vec::new();
        for queue in &pack.queues {
            let mut taken: Vec<(char, &str)> = Vec::new();
            for action in queue.actions.iter().filter_map(|id| pack::find(&pack.actions, id)) {
                let Some(key) = action.key else { continue };
                if let Some(intent) =
                    Chord::parse(key.encode_utf8(&mut [0; 4])).and_then(|chord| self.find(Context::Items, chord))
                {
                    clashes.push(format!(
                        "queue `{}`: `{key}` of `{}` is the key of {}",
                        queue.id,
                        action.id,
                        command_of(intent)
                    ));
                } else if let Some((_, other)) = taken.iter().find(|(letter, _)| *letter == key) {
                    clashes.push(format!("queue `{}`: `{key}` is both `{other}` and `{}`", queue.id, action.id));
                }
                taken.push((key, action.id.as_str()));
            }
        }
        clashes
    }

    pub fn find(&self, context: Context, chord: Chord) -> Option<Intent> {
        let within = |wanted: Context| {
            self.rows
                .iter()
                .find(|(binding, chords)| binding.contexts.contains(&wanted) && chords.contains(&chord))
                .map(|(binding, _)| binding.intent)
        };
        within(context).or_else(|| within(Context::Anywhere))
    }

    /// The rows that work in a context, its own first.
    pub fn working_in(&self, context: Context) -> impl Iterator<Item = &(Binding, Vec<Chord>)> {
        let own = self.rows.iter().filter(move |(binding, _)| binding.contexts.contains(&context));
        let general = self
            .rows
            .iter()
            .filter(move |(binding, _)| context != Context::Anywhere && binding.contexts.contains(&Context::Anywhere));
        own.chain(general)
    }

    pub fn rows(&self) -> &[(Binding, Vec<Chord>)] {
        &self.rows
    }

    /// The first key of an intent, as it is written.
    pub fn key_of(&self, intent: Intent) -> String {
        self.rows
            .iter()
            .find(|(binding, _)| binding.intent == intent)
            .map(|(binding, chords)| chords.first().map_or_else(|| format!(":{}", binding.command), ToString::to_string))
            .unwrap_or_default()
    }
}

/// The name of an intent in the palette.
pub fn command_of(intent: Intent) -> &'static str {
    TABLE.iter().find(|binding| binding.intent == intent).map_or("", |binding| binding.command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_no_clash_and_every_key_in_it_is_a_key() {
        assert_eq!(Keymap::default().clashes(), Vec::<String>::new());
        for binding in TABLE {
            for key in binding.keys {
                assert!(Chord::parse(key).is_some(), "{key}");
            }
            assert!(!binding.says.is_empty() && !binding.command.is_empty());
        }
    }

    #[test]
    fn every_command_has_one_meaning_in_a_context() {
        for (index, one) in TABLE.iter().enumerate() {
            for other in TABLE.iter().skip(index + 1) {
                assert_ne!(one.command, other.command);
            }
        }
    }

    #[test]
    fn a_pane_of_its_own_goes_before_anywhere() {
        let keymap = Keymap::default();
        let a = Chord::parse("a").unwrap();
        assert_eq!(keymap.find(Context::Alerts, a), Some(Intent::Acknowledge));
        assert_eq!(keymap.find(Context::Reconciliation, a), Some(Intent::Repair));
        assert_eq!(keymap.find(Context::Items, a), None);
    }

    #[test]
    fn keys_are_remapped_and_mistakes_are_told() {
        let remapped = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let keymap = Keymap::with(&remapped(&[("zoom", "ctrl-f f5")])).unwrap();
        assert_eq!(keymap.find(Context::Alerts, Chord::parse("f5").unwrap()), Some(Intent::Zoom));
        assert_eq!(keymap.find(Context::Alerts, Chord::parse("f").unwrap()), None);
        let problems = Keymap::with(&remapped(&[("zom", "f"), ("down", "k"), ("up", "nokey")])).unwrap_err();
        assert_eq!(
            problems,
            [
                "keys.up: `nokey` is no key; write it as `g`, `ctrl-d`, `space`, `f5`",
                "keys.zom: there is no such command; the nearest is `zoom`",
            ]
        );
        let clash = Keymap::with(&remapped(&[("down", "k")])).unwrap_err();
        assert_eq!(clash, ["`k` is both down and up"]);
    }
}
