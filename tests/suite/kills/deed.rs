//! What is done in a round: which action of the pack, on which rows of the business, and what it changes outside.

use serde::{Deserialize, Serialize};
use wheelhouse::domain::{amendment::Amendment, id::Id, plan::Target};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Stripe, then the database, then a mail.
    Refund,
    /// The database alone.
    Credit,
    /// The database alone: withdrawn while it is held, then done, then undone.
    Lend,
    /// A request, the database, a message.
    Ship,
    /// A subscription at Stripe, then the database; so are the three that follow.
    Pause,
    Resume,
    /// It ends with its period.
    Cancel,
    /// It ends at once: Stripe takes no key for that.
    End,
    /// Evidence for a dispute, kept as a draft at Stripe; then the database.
    Stage,
    /// An event that did not arrive: Stripe sends it again, the business's own table proves it, then the database.
    Resend,
    /// The same, posted and signed by the cockpit itself.
    Deliver,
    /// A document in Firestore, then the database.
    Write,
    /// A refund, and what has become of it a month later.
    Follow,
    /// A program of this machine, and the database.
    Export,
}

impl Deed {
    /// The action in the pack.
    pub fn action(self) -> &'static str {
        match self {
            Self::Refund | Self::Follow => "refund",
            Self::Credit => "credit",
            Self::Lend => "lend",
            Self::Ship => "ship",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Cancel => "cancel",
            Self::End => "end",
            Self::Stage => "stage",
            Self::Resend => "resend",
            Self::Deliver => "deliver",
            Self::Write => "write",
            Self::Export => "export",
        }
    }

    /// True where it gives money back.
    pub fn refunds(self) -> bool {
        matches!(self, Self::Refund | Self::Follow)
    }

    /// True where an event is sent once more.
    pub fn sends_events(self) -> bool {
        matches!(self, Self::Resend | Self::Deliver)
    }

    /// What Stripe is asked to change.
    pub fn amendment(self) -> Option<Amendment> {
        match self {
            Self::Pause => Some(Amendment::Pause(wheelhouse::domain::amendment::Uncollected::default())),
            Self::Resume => Some(Amendment::Resume),
            Self::Cancel => Some(Amendment::CancelAtPeriodEnd),
            Self::End => Some(Amendment::CancelNow),
            Self::Stage => Some(Amendment::Stage),
            Self::Refund
            | Self::Credit
            | Self::Lend
            | Self::Ship
            | Self::Resend
            | Self::Deliver
            | Self::Write
            | Self::Follow
            | Self::Export => None,
        }
    }

    /// The number of the step that is the database's.
    pub fn own_step(self) -> usize {
        match self {
            Self::Credit | Self::Lend => 0,
            Self::Refund
            | Self::Follow
            | Self::Ship
            | Self::Pause
            | Self::Resume
            | Self::Cancel
            | Self::End
            | Self::Stage
            | Self::Write
            | Self::Export => 1,
            Self::Resend | Self::Deliver => 2,
        }
    }

    pub fn table(self) -> &'static str {
        match self {
            Self::Refund | Self::Follow => "payments",
            Self::Credit => "wallets",
            Self::Lend => "books",
            Self::Ship => "parcels",
            Self::Pause | Self::Resume | Self::Cancel | Self::End => "members",
            Self::Stage => "cases",
            Self::Resend | Self::Deliver => "letters",
            Self::Write => "jobs",
            Self::Export => "exports",
        }
    }

    /// The status of its row before and after.
    pub fn states(self) -> (&'static str, &'static str) {
        match self {
            Self::Refund | Self::Follow => ("paid", "refunded"),
            Self::Credit => ("due", "credited"),
            Self::Lend => ("in", "out"),
            Self::Ship => ("new", "sent"),
            Self::Pause => ("paying", "paused"),
            Self::Resume => ("paused", "paying"),
            Self::Cancel => ("paying", "leaving"),
            Self::End => ("paying", "gone"),
            Self::Stage => ("open", "answered"),
            Self::Resend | Self::Deliver => ("untold", "told"),
            Self::Write => ("stuck", "reopened"),
            Self::Export => ("new", "made"),
        }
    }

    pub fn target(self, item: &str) -> Target {
        Target { queue: Some(Id::new(self.table())), key: item.to_owned() }
    }
}
