//! What must become of an act, for each fault and each moment at which it strikes, and why.

use wheelhouse::domain::plan::Standing;

use super::line::Fault;

/// Where an act stands when the fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum When {
    /// Nothing is known yet: whose key is it?
    Account,
    /// The row is being read for the preview.
    Planned,
    /// Confirmed and held, and being read once more.
    Intent,
    /// The first attempt.
    Sent,
    /// The second attempt, after one that was certainly not carried out.
    Again,
    /// The second attempt, after one that might have been and was not.
    Resent,
    /// The look for an attempt that happened.
    Look,
    /// The look for an attempt that did not.
    LookForNothing,
    /// The look of a new start, after a kill behind Stripe's commit.
    Recovered,
    /// The look of a new start, after a kill before it.
    RecoveredNothing,
}

use When::{Account, Again, Intent, Look, LookForNothing, Planned, Recovered, RecoveredNothing, Resent, Sent};

/// Where it must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Done,
    /// Refused so many times before it could be planned; then done.
    DoneAfter(usize),
    /// Done once the operator has asked to look again.
    DoneOnRequest,
    /// It can never be planned.
    Barred,
    /// Confirmed, and refused before anything was sent.
    Refused,
    /// Certainly not done, by Stripe's own word.
    Rejected,
    /// Somebody else gave the money back: nothing of ours, and said so.
    RejectedForAnother,
    /// Somebody gave the money back and nothing says who: a person decides.
    ForAPerson,
    /// Nobody knows, nothing was done, and it is not tried for ever.
    Unknown,
}

impl End {
    pub fn standing(self) -> Option<Standing> {
        match self {
            Self::Done | Self::DoneAfter(_) | Self::DoneOnRequest => Some(Standing::Done),
            Self::Barred => None,
            Self::Refused => Some(Standing::Refused),
            Self::Rejected | Self::RejectedForAnother => Some(Standing::Rejected),
            Self::ForAPerson | Self::Unknown => Some(Standing::Unknown),
        }
    }

    /// Refunds of ours, and of others, that Stripe must have in the end.
    pub fn refunds(self) -> (usize, Option<usize>) {
        match self {
            Self::Done | Self::DoneAfter(_) | Self::DoneOnRequest => (1, Some(0)),
            Self::Rejected | Self::Unknown => (0, Some(0)),
            Self::RejectedForAnother | Self::ForAPerson | Self::Barred => (0, Some(1)),
            // A read that was refused, or a row that had changed.
            Self::Refused => (0, None),
        }
    }

    /// What the operator must have been told.
    pub fn said(self) -> &'static str {
        match self {
            Self::Done | Self::DoneAfter(_) | Self::DoneOnRequest => "applied",
            Self::Barred => "nothing has gone back",
            Self::Refused => "",
            Self::Rejected => "refused",
            Self::RejectedForAnother => "already refunded, and not by this act",
            Self::ForAPerson => "nothing says by whom",
            Self::Unknown => "attempts: look again later",
        }
    }
}

pub struct Row {
    pub fault: Fault,
    pub when: &'static [When],
    /// After one, two and three in a row.
    pub ends: [End; 3],
    pub why: &'static str,
}

const fn row(fault: Fault, when: &'static [When], ends: [End; 3], why: &'static str) -> Row {
    Row { fault, when, ends, why }
}

const SENDING: &[When] = &[Sent, Again, Resent];
const LOOKING: &[When] = &[Look, LookForNothing, Recovered, RecoveredNothing];
const LOOKING_FOR_NOTHING: &[When] = &[LookForNothing, RecoveredNothing];
const LOOKING_FOR_IT: &[When] = &[Look, Recovered];

use End::{Barred, Done, DoneAfter, DoneOnRequest, ForAPerson, Refused, Rejected, RejectedForAnother, Unknown};

const DONE: [End; 3] = [Done; 3];
/// Three requests are one look: only the third in a row is noticed at all.
const THIRD_REFUSES: [End; 3] = [Done, Done, DoneAfter(1)];
const EACH_REFUSES: [End; 3] = [DoneAfter(1), DoneAfter(2), DoneAfter(3)];

pub const TABLE: &[Row] = &[
    // The key's account: refunds are barred until it is known, and it is asked again with each preview.
    row(Fault::Refused, &[Account], EACH_REFUSES, "nobody says whose key it is: no refund is planned until somebody does"),
    row(Fault::ResetBefore, &[Account], DONE, "a question is asked three times; the next preview asks it anew"),
    row(
        Fault::Timeout,
        &[Account],
        [Done, DoneAfter(1), DoneAfter(2)],
        "a silence is not asked into again; the next preview asks",
    ),
    row(Fault::Failing, &[Account], DONE, "a question is asked three times"),
    row(Fault::BadGateway, &[Account], DONE, "a question is asked three times"),
    row(Fault::TooMany, &[Account], DONE, "a question is asked three times"),
    row(Fault::Conflict, &[Account], DONE, "a question is asked three times"),
    row(Fault::Declined, &[Account], [Done, DoneAfter(1), DoneAfter(2)], "a refusal is an answer, and no account"),
    row(Fault::CutBody, &[Account], [Done, DoneAfter(1), DoneAfter(2)], "half an account is none"),
    row(Fault::EmptyBody, &[Account], [Done, DoneAfter(1), DoneAfter(2)], "nothing is no account"),
    row(Fault::Page, &[Account], [Done, DoneAfter(1), DoneAfter(2)], "a page is no account"),
    row(Fault::Slow, &[Account], DONE, "late is in time"),
    // The preview's own reads.
    row(Fault::Refused, &[Planned], EACH_REFUSES, "what cannot be read afresh is not planned"),
    row(Fault::ResetBefore, &[Planned], THIRD_REFUSES, "a read is asked three times"),
    row(Fault::Timeout, &[Planned], EACH_REFUSES, "a silence has used the time up"),
    row(Fault::Failing, &[Planned], THIRD_REFUSES, "a read is asked three times"),
    row(Fault::BadGateway, &[Planned], THIRD_REFUSES, "a read is asked three times"),
    row(Fault::TooMany, &[Planned], THIRD_REFUSES, "a read is asked three times"),
    row(Fault::Conflict, &[Planned], THIRD_REFUSES, "a read is asked three times"),
    row(Fault::Declined, &[Planned], EACH_REFUSES, "Stripe's no to a read is final for that read"),
    row(
        Fault::RefundedElsewhere,
        &[Planned],
        [Barred; 3],
        "the charge read afresh says that money has gone back: the guard fails",
    ),
    row(Fault::CutBody, &[Planned], EACH_REFUSES, "half a charge is not judged"),
    row(Fault::EmptyBody, &[Planned], EACH_REFUSES, "no charge is not judged"),
    row(Fault::Page, &[Planned], EACH_REFUSES, "a page is not a charge"),
    row(Fault::Slow, &[Planned], DONE, "late is in time"),
    row(Fault::KeyPruned, &[Planned], DONE, "no key has been used yet"),
    // The last look at the row before the first attempt.
    row(Fault::Refused, &[Intent], [Refused; 3], "what cannot be read once more is not sent"),
    row(Fault::ResetBefore, &[Intent], [Done, Done, Refused], "a read is asked three times"),
    row(Fault::Timeout, &[Intent], [Refused; 3], "a silence has used the time up"),
    row(Fault::Failing, &[Intent], [Done, Done, Refused], "a read is asked three times"),
    row(Fault::BadGateway, &[Intent], [Done, Done, Refused], "a read is asked three times"),
    row(Fault::TooMany, &[Intent], [Done, Done, Refused], "a read is asked three times"),
    row(Fault::Conflict, &[Intent], [Done, Done, Refused], "a read is asked three times"),
    row(Fault::Declined, &[Intent], [Refused; 3], "Stripe's no to a read is final for that read"),
    row(Fault::RefundedElsewhere, &[Intent], [Refused; 3], "money went back during the hold: the guard fails at the last look"),
    row(Fault::CutBody, &[Intent], [Refused; 3], "half a charge is not judged"),
    row(Fault::EmptyBody, &[Intent], [Refused; 3], "no charge is not judged"),
    row(Fault::Page, &[Intent], [Refused; 3], "a page is not a charge"),
    row(Fault::Slow, &[Intent], DONE, "late is in time"),
    row(Fault::KeyPruned, &[Intent], DONE, "no key has been used yet"),
    // The attempt itself.
    row(Fault::Refused, SENDING, DONE, "certainly not sent: the same key again until somebody listens"),
    row(Fault::ResetBefore, SENDING, DONE, "looked for, not found, sent again under the same key"),
    row(Fault::ResetAfter, SENDING, DONE, "looked for and found: it is ours"),
    row(Fault::Timeout, SENDING, DONE, "looked for, not found, sent again under the same key"),
    row(Fault::HangAfter, SENDING, DONE, "looked for and found: it is ours"),
    row(Fault::Failing, SENDING, DONE, "a 500 tells nothing: looked for, not found, sent again"),
    row(
        Fault::FailingKept,
        SENDING,
        [Unknown; 3],
        "the key answers 500 for ever: six attempts, six more when asked, then a person",
    ),
    row(Fault::BadGateway, SENDING, DONE, "a proxy's page tells nothing: looked for, not found, sent again"),
    row(Fault::BadGatewayAfter, SENDING, DONE, "a proxy's page tells nothing: looked for and found"),
    row(Fault::TooMany, SENDING, DONE, "certainly not done: the same key after the wait"),
    row(Fault::Conflict, SENDING, DONE, "the key is in use: the same key after the wait"),
    row(Fault::Declined, SENDING, [Rejected; 3], "Stripe says no, and a look finds nothing: it is believed"),
    row(Fault::RefundedElsewhere, SENDING, [ForAPerson; 3], "the same money went back and nothing says by whom"),
    row(Fault::RefundedByAnother, SENDING, [RejectedForAnother; 3], "the refund that is there names another act"),
    row(Fault::CutBody, SENDING, DONE, "a 2xx with an id in it is done, however odd"),
    row(Fault::EmptyBody, SENDING, DONE, "a 2xx without an object: only the look can tell, and it does"),
    row(Fault::Page, SENDING, DONE, "a page with 200 is not Stripe's word: the look finds it"),
    row(Fault::CaptivePortal, SENDING, DONE, "a page with 200 is not Stripe's word: the look finds nothing, sent again"),
    row(Fault::Slow, SENDING, DONE, "late is in time"),
    row(Fault::KeyPruned, SENDING, DONE, "the metadata outlives the key: found, and never sent again"),
    // The look for what an attempt did.
    row(Fault::Refused, LOOKING, [Done, Done, DoneOnRequest], "it looks by itself three times, then when asked"),
    row(Fault::ResetBefore, LOOKING, DONE, "three requests are one look, and the next look comes by itself"),
    row(Fault::Timeout, LOOKING, [Done, Done, DoneOnRequest], "a silence is one look; it looks by itself three times"),
    row(Fault::Failing, LOOKING, DONE, "three requests are one look"),
    row(Fault::BadGateway, LOOKING, DONE, "three requests are one look"),
    row(Fault::TooMany, LOOKING, DONE, "three requests are one look"),
    row(Fault::Conflict, LOOKING, DONE, "three requests are one look"),
    row(Fault::Declined, LOOKING, [Done, Done, DoneOnRequest], "a look that is refused could not tell"),
    row(
        Fault::RefundedElsewhere,
        LOOKING_FOR_NOTHING,
        [ForAPerson; 3],
        "never sent again while the same money is out unlabelled",
    ),
    row(
        Fault::RefundedByAnother,
        LOOKING_FOR_NOTHING,
        [RejectedForAnother; 3],
        "not ours: sent, and Stripe says that nothing is left",
    ),
    row(Fault::CutBody, LOOKING, [Done, Done, DoneOnRequest], "half a list could not tell"),
    row(Fault::EmptyBody, LOOKING, [Done, Done, DoneOnRequest], "no list could not tell"),
    row(Fault::Page, LOOKING, [Done, Done, DoneOnRequest], "a page could not tell"),
    row(Fault::Slow, LOOKING, DONE, "late is in time"),
    row(Fault::KeyPruned, LOOKING_FOR_IT, DONE, "it is found by its name, not by its key"),
    row(Fault::KeyPruned, LOOKING_FOR_NOTHING, DONE, "no key was ever used: sent again"),
];
