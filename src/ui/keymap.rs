//! The one table of keys: dispatch, footer, help, palette and documentation all read it.

use std::collections::BTreeMap;

use super::{
    chord::Chord,
    place::{Pane, Place, Thing},
};
use crate::domain::pack::{self, Pack};

/// What a key means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Intent {
    Down,
    Up,
    Top,
    Bottom,
    PageDown,
    PageUp,
    Focus(Pane),
    NextPane,
    PreviousPane,
    Open,
    Back,
    Quit,
    Help,
    Palette,
    Filter,
    NextMatch,
    PreviousMatch,
    Preset,
    Detail,
    Why,
    Preview,
    Zoom,
    Mark,
    Range,
    MarkAll,
    Refresh,
    RefreshAll,
    CopyId,
    CopyCell,
    Sort,
    Reverse,
    ViewBack,
    ViewForth,
    ViewLast,
    Export,
    Record,
    Errors,
    Acknowledge,
    Reopen,
    Snooze,
    Defer,
    Note,
    Repair,
    SignOff,
    Toggle,
    TakeBack,
    LookUp,
    Decide,
    PauseBatch,
    CancelBatch,
    Unlock,
    Redraw,
    Suspend,
}

/// Where a key has its meaning. `Items` is a queue being worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Context {
    Anywhere,
    Alerts,
    Queues,
    Items,
    Jobs,
    Reconciliation,
    Flags,
    Playbooks,
    Metrics,
    Journal,
}

impl Context {
    pub fn title(self) -> &'static str {
        match self {
            Self::Anywhere => "anywhere",
            Self::Alerts => "alerts",
            Self::Queues => "queues",
            Self::Items => "a queue",
            Self::Jobs => "jobs",
            Self::Reconciliation => "reconciliation",
            Self::Flags => "flags",
            Self::Playbooks => "playbooks",
            Self::Metrics => "metrics",
            Self::Journal => "journal",
        }
    }

    pub fn of(place: &Place) -> Self {
        if let Some(page) = &place.page {
            return match page {
                Thing::Alert(_) | Thing::Healthy => Self::Alerts,
                Thing::Queue(_) => Self::Queues,
                Thing::Item(..) => Self::Items,
                Thing::Job(_) => Self::Jobs,
                Thing::Statement(_) | Thing::Discrepancy(..) => Self::Reconciliation,
                Thing::Flag(_) => Self::Flags,
                Thing::Playbook(_) => Self::Playbooks,
                Thing::Metric(_) => Self::Metrics,
                Thing::Line(_) => Self::Journal,
            };
        }
        match place.pane {
            Pane::Alerts => Self::Alerts,
            Pane::Queues if place.queue.is_some() => Self::Items,
            Pane::Queues => Self::Queues,
            Pane::Jobs => Self::Jobs,
            Pane::Reconciliation => Self::Reconciliation,
            Pane::Flags => Self::Flags,
            Pane::Playbooks => Self::Playbooks,
            Pane::Metrics => Self::Metrics,
            Pane::Journal => Self::Journal,
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    pub intent: Intent,
    /// The default keys, written as in the config.
    pub keys: &'static [&'static str],
    pub contexts: &'static [Context],
    /// Its name in the palette and in the config.
    pub command: &'static str,
    /// Its word in the footer; empty where the footer has no room for it.
    pub short: &'static str,
    pub says: &'static str,
}

const fn row(
    intent: Intent,
    keys: &'static [&'static str],
    contexts: &'static [Context],
    command: &'static str,
    short: &'static str,
    says: &'static str,
) -> Binding {
    Binding { intent, keys, contexts, command, short, says }
}

const ANYWHERE: &[Context] = &[Context::Anywhere];
const ALERTS: &[Context] = &[Context::Alerts];
const ITEMS: &[Context] = &[Context::Items];
const DOUBTFUL: &[Context] = &[Context::Alerts, Context::Jobs, Context::Reconciliation];

/// Every key. The order within a context is the order in the footer and in the help.
pub const TABLE: &[Binding] = &[
    row(Intent::Open, &["enter"], ANYWHERE, "open", "open", "open what is selected: a queue, a page, an alert's playbook"),
    row(Intent::Why, &["w"], ANYWHERE, "why", "why", "why: the rule, the readings, since when, what changed"),
    row(Intent::Acknowledge, &["a"], ALERTS, "acknowledge", "ack", "acknowledge: seen, until it changes"),
    row(Intent::Snooze, &["z"], ALERTS, "snooze", "snooze", "snooze for a while, or defer to the next session"),
    row(Intent::Defer, &["Z"], ALERTS, "defer", "", "defer to the next session"),
    row(Intent::Reopen, &["x"], ALERTS, "reopen", "", "back to unhandled"),
    row(Intent::Note, &["c"], DOUBTFUL, "note", "note", "write a note, kept in the journal"),
    row(Intent::Mark, &["space"], ITEMS, "mark", "mark", "mark or unmark the row"),
    row(Intent::Range, &["v"], ITEMS, "range", "", "start a range; v again marks it"),
    row(Intent::MarkAll, &["A"], ITEMS, "mark-all", "all in filter", "mark every row that the filter shows now, and freeze them"),
    row(Intent::Preset, &["."], ITEMS, "preset", "preset", "the next preset filter"),
    row(Intent::Sort, &["s"], ITEMS, "sort", "sort", "sort by the next column"),
    row(Intent::Reverse, &["S"], ITEMS, "reverse", "", "reverse the order"),
    row(Intent::Preview, &["p"], ITEMS, "preview", "preview", "show the selected row in full beside the list"),
    row(Intent::Toggle, &["t"], &[Context::Jobs], "run", "run...", "run the job now (asks first)"),
    row(Intent::Toggle, &["t"], &[Context::Flags], "flip", "flip...", "flip the flag (asks first)"),
    row(Intent::Repair, &["a"], &[Context::Reconciliation], "repair", "repair...", "carry out the proposed repair (asks first)"),
    row(Intent::SignOff, &["O"], &[Context::Reconciliation], "sign-off", "sign off...", "sign off the statement"),
    row(Intent::Detail, &["d"], ANYWHERE, "detail", "", "everything about what is selected: its columns, runs, probes"),
    row(Intent::Detail, &["l"], &[Context::Jobs], "logs", "log", "its runs, with their errors"),
    row(Intent::Filter, &["/"], ANYWHERE, "filter", "filter", "filter: words, column>value, age>3d, a preset's name"),
    row(Intent::NextMatch, &["n"], ANYWHERE, "next", "", "the next row, round the end; on a page the next item"),
    row(Intent::PreviousMatch, &["N"], ANYWHERE, "previous", "", "the row before, round the start"),
    row(
        Intent::TakeBack,
        &["u"],
        ANYWHERE,
        "take-back",
        "take back",
        "take back the last act: stop it while held, undo it where it can be undone",
    ),
    row(Intent::Unlock, &["W"], ANYWHERE, "unlock", "unlock", "unlock writing for a while, or lock it again"),
    row(Intent::Palette, &[":", "ctrl-p"], ANYWHERE, "palette", "command", "find any command by name"),
    row(Intent::Help, &["?"], ANYWHERE, "help", "", "the keys that work here"),
    row(Intent::Back, &["esc"], ANYWHERE, "back", "", "back: range, marks, filter, page, queue, zoom"),
    row(Intent::Zoom, &["f"], ANYWHERE, "zoom", "zoom", "the pane on the full screen, and back"),
    row(Intent::NextPane, &["tab"], ANYWHERE, "next-pane", "next", "the next pane"),
    row(Intent::PreviousPane, &["shift-tab"], ANYWHERE, "previous-pane", "", "the pane before"),
    row(Intent::Focus(Pane::Alerts), &["1"], ANYWHERE, "alerts", "", "pane 1: what is wrong and since when"),
    row(Intent::Focus(Pane::Queues), &["2"], ANYWHERE, "queues", "", "pane 2: what waits"),
    row(Intent::Focus(Pane::Jobs), &["3"], ANYWHERE, "jobs", "", "pane 3: scheduled jobs and their history"),
    row(Intent::Focus(Pane::Reconciliation), &["4"], ANYWHERE, "reconciliation", "", "pane 4: two records of the money, paired"),
    row(Intent::Focus(Pane::Flags), &["5"], ANYWHERE, "flags", "", "pane 5: switches and open loops"),
    row(Intent::Focus(Pane::Playbooks), &["6"], ANYWHERE, "playbooks", "", "pane 6: what to do when"),
    row(Intent::Focus(Pane::Metrics), &["7"], ANYWHERE, "metrics", "", "pane 7: figures that are watched"),
    row(Intent::Focus(Pane::Journal), &["8"], ANYWHERE, "journal", "", "pane 8: what was done, by whom"),
    row(Intent::Down, &["j", "down"], ANYWHERE, "down", "", "down"),
    row(Intent::Up, &["k", "up"], ANYWHERE, "up", "", "up"),
    row(Intent::Top, &["g", "home"], ANYWHERE, "top", "", "to the top"),
    row(Intent::Bottom, &["G", "end"], ANYWHERE, "bottom", "", "to the bottom"),
    row(Intent::PageDown, &["ctrl-d", "pgdn"], ANYWHERE, "page-down", "", "half a page down"),
    row(Intent::PageUp, &["ctrl-u", "pgup"], ANYWHERE, "page-up", "", "half a page up"),
    row(Intent::Refresh, &["r"], ANYWHERE, "refresh", "", "look again at this pane"),
    row(Intent::RefreshAll, &["R", "ctrl-r"], ANYWHERE, "refresh-all", "", "look again at everything"),
    row(Intent::CopyId, &["y"], ANYWHERE, "copy", "copy", "copy the id"),
    row(Intent::CopyCell, &["Y"], ANYWHERE, "copy-row", "", "copy the row, its cells separated by tabs"),
    row(Intent::ViewBack, &["["], ANYWHERE, "view-back", "", "the view before"),
    row(Intent::ViewForth, &["]"], ANYWHERE, "view-forth", "", "the view after"),
    row(Intent::ViewLast, &["-"], ANYWHERE, "view-last", "", "to the last view and back"),
    row(Intent::Export, &["ctrl-s"], ANYWHERE, "export", "", "write what the pane shows to a file"),
    row(Intent::Record, &["@"], ANYWHERE, "record", "", "the whole journal"),
    row(Intent::Errors, &["!"], ANYWHERE, "errors", "", "what could not be read or done, and what to try"),
    row(Intent::LookUp, &["L"], ANYWHERE, "look-up", "", "settle acts that stand unknown or half done"),
    row(
        Intent::Decide,
        &["D"],
        ANYWHERE,
        "decide",
        "",
        "acts in doubt: what is certain, what is not; decide what became of each",
    ),
    row(Intent::PauseBatch, &["P"], ANYWHERE, "pause", "", "pause the batch, or go on with it"),
    row(Intent::CancelBatch, &[], ANYWHERE, "cancel-batch", "", "take back all that the batch has not sent yet"),
    row(Intent::Redraw, &["ctrl-l"], ANYWHERE, "redraw", "", "paint the screen anew"),
    row(Intent::Suspend, &["ctrl-z"], ANYWHERE, "suspend", "", "to the shell; fg comes back"),
    row(Intent::Quit, &["q", "ctrl-c"], ANYWHERE, "quit", "", "back, and at the root: quit"),
];

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
