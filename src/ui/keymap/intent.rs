//! What a key can mean, and where it has that meaning.

use crate::ui::place::{Pane, Place, Thing};

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
    Output,
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
    Recovery,
    Period,
    PauseBatch,
    CancelBatch,
    StopRun,
    Unlock,
    Redraw,
    Suspend,
}

impl Intent {
    /// Does no more than move the selection in its list.
    pub const fn is_step(self) -> bool {
        matches!(self, Self::Down | Self::Up | Self::Top | Self::Bottom | Self::PageDown | Self::PageUp)
    }
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
    /// The page of a command that runs, or ran.
    Run,
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
            Self::Run => "a command",
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
                Thing::Run(_) => Self::Run,
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
