//! Every key, in the order of the footer and the help.

use super::{Context, Intent};
use crate::ui::place::Pane;

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
    row(Intent::Period, &["m"], &[Context::Metrics], "period", "period", "the courses of 7 days, of 30, or all of them"),
    row(
        Intent::StopRun,
        &["x"],
        &[Context::Run],
        "stop",
        "stop...",
        "stop the command that runs, and all that it started (asks first)",
    ),
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
    row(Intent::Output, &["ctrl-o"], ANYWHERE, "output", "", "what a command prints that runs, or that ran last"),
    row(Intent::Errors, &["!"], ANYWHERE, "errors", "", "what could not be read or done, and what to try"),
    row(Intent::LookUp, &["L"], ANYWHERE, "look-up", "", "settle acts that stand unknown, half done or not proven"),
    row(
        Intent::Decide,
        &["D"],
        ANYWHERE,
        "decide",
        "",
        "acts in doubt: what is certain, what is not; decide what became of each",
    ),
    row(
        Intent::Recovery,
        &[],
        ANYWHERE,
        "recovery",
        "",
        "what an earlier run left: what is certain, what was asked, how it stands",
    ),
    row(Intent::PauseBatch, &["P"], ANYWHERE, "pause", "", "pause the batch, or go on with it"),
    row(Intent::CancelBatch, &[], ANYWHERE, "cancel-batch", "", "take back all that the batch has not sent yet"),
    row(Intent::Redraw, &["ctrl-l"], ANYWHERE, "redraw", "", "paint the screen anew"),
    row(Intent::Suspend, &["ctrl-z"], ANYWHERE, "suspend", "", "to the shell; fg comes back"),
    row(Intent::Quit, &["q", "ctrl-c"], ANYWHERE, "quit", "", "back, and at the root: quit"),
];
