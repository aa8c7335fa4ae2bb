//! What may be done. Only `review` makes a `Permit`, and the engine carries out nothing else.
//!
//! There is no override: a rule that fails, or that cannot be judged, refuses.

use crate::domain::zone::Zone;
use chrono::{DateTime, Utc};

use super::{
    guard,
    journal::Act,
    money::{Currency, Money},
    pack::{Action, Policy},
    plan::Plan,
    rows::Params,
    text::Text,
};

/// A plan that passed every rule, at the moment it did.
#[derive(Clone, Debug, PartialEq)]
pub struct Permit {
    plan: Plan,
}

impl Permit {
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

/// What the rules are judged by.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub action: &'a Action,
    pub policy: &'a Policy,
    /// The pack's; the caps are in it.
    pub currency: Currency,
    /// The pack's; refusals say moments in it.
    pub timezone: Zone,
    /// True while writing is unlocked, and for what was confirmed while it was.
    pub may_write: bool,
    /// Why the account, or its mode, is not the one that the pack pins.
    pub wrong_account: Option<&'a Text>,
    /// Why the claims in the business's database forbid it.
    pub claimed: Option<&'a Text>,
    /// The row as the operator saw it; `None` where none was drawn. The plan's own row is the fresh one.
    pub drawn: Option<&'a Params>,
    /// Every other act on the target.
    pub earlier: &'a [Act],
    /// Minor units sent, or still to be sent, without this plan.
    pub money_today: i64,
    pub money_this_session: i64,
    pub now: DateTime<Utc>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("writing is locked")]
    Locked,
    #[error("{0}")]
    WrongAccount(Text),
    /// It was done, is under way, or may have happened.
    #[error("{0}")]
    Decided(Text),
    /// Someone else changed the row since it was drawn.
    #[error("{0}")]
    Changed(Text),
    #[error("{0}")]
    Guard(Text),
    #[error("{0}")]
    Cap(Text),
}

/// Judges every rule, the hard ones first.
pub fn review(plan: Plan, context: &Context<'_>) -> Result<Permit, Refusal> {
    if !context.may_write {
        return Err(Refusal::Locked);
    }
    judge(&plan, context)?;
    Ok(Permit { plan })
}

/// The permit of an act that passed review before its first attempt and must be brought to its end.
pub fn resume(act: &Act) -> Option<Permit> {
    act.state.was_sent.then(|| Permit { plan: act.plan.clone() })
}

/// All rules but the write lock: what a preview tells before anything is unlocked.
pub fn judge(plan: &Plan, context: &Context<'_>) -> Result<(), Refusal> {
    if let Some(why) = context.wrong_account {
        return Err(Refusal::WrongAccount(why.clone()));
    }
    if let Some(why) = context.claimed {
        return Err(Refusal::Decided(why.clone()));
    }
    undecided(plan, context)?;
    unchanged(plan, context)?;
    guarded(plan, context)?;
    within_caps(plan, context)
}

/// The money that would be out after this plan, against each cap: said, and whether it fits.
pub fn caps(context: &Context<'_>, more: i64) -> Vec<(String, bool)> {
    let caps = [
        (context.policy.money_per_session, context.money_this_session, "this session"),
        (context.policy.money_per_day, context.money_today, "today"),
    ];
    caps.into_iter()
        .filter_map(|(cap, sent, span)| {
            let cap = cap?;
            let after = sent.saturating_add(more);
            let money = |minor| Money::new(minor, context.currency);
            Some((format!("{} of {} {span}", money(after), money(cap)), after <= cap))
        })
        .collect()
}

/// Money moves once: what happened, or may have, is not decided a second time. Anything else waits for what is open.
fn undecided(plan: &Plan, context: &Context<'_>) -> Result<(), Refusal> {
    for act in context.earlier {
        let said = |what: &str| {
            let at = act.plan.planned_at.with_timezone(&context.timezone).format("%a %-d %b %Y, %H:%M");
            Refusal::Decided(Text::new(format!("{}: {what} ({}, planned {at})", act.plan.title, act.state.said.original())))
        };
        if !act.state.phase.is_over() {
            return Err(said("another act on it is not over"));
        }
        let is_same = act.plan.action == plan.action && act.plan.amount == plan.amount;
        if is_same && plan.amount.is_some() && act.state.may_have_happened() {
            return Err(said("it was already done"));
        }
    }
    Ok(())
}

fn unchanged(plan: &Plan, context: &Context<'_>) -> Result<(), Refusal> {
    let Some(drawn) = context.drawn else { return Ok(()) };
    for column in &context.action.unchanged {
        let refused = |said: String| Err(Refusal::Changed(Text::new(said)));
        match (drawn.get(column), plan.row.get(column)) {
            (Some(before), Some(now)) if before == now => {}
            (Some(before), Some(now)) => {
                let said = |value: &super::value::Value| match value.to_string() {
                    empty if empty.is_empty() => "empty".to_owned(),
                    said => said,
                };
                return refused(format!("{column} was {} and is {} now", said(before), said(now)));
            }
            (None, _) | (_, None) => return refused(format!("no {column} to compare")),
        }
    }
    Ok(())
}

fn guarded(plan: &Plan, context: &Context<'_>) -> Result<(), Refusal> {
    let failed = guard::verdicts(context.action, &names(plan), context.now).into_iter().find(|verdict| !verdict.holds);
    match failed {
        Some(verdict) => Err(Refusal::Guard(Text::new(format!("{}: {}", verdict.title, verdict.said.original())))),
        None => Ok(()),
    }
}

/// What a plan's guards may name: its row and its inputs.
pub fn names(plan: &Plan) -> Params {
    let mut names = plan.row.clone();
    names.extend(plan.inputs.clone());
    names
}

fn within_caps(plan: &Plan, context: &Context<'_>) -> Result<(), Refusal> {
    let Some(amount) = plan.amount else { return Ok(()) };
    let has_cap = context.policy.money_per_day.is_some() || context.policy.money_per_session.is_some();
    if has_cap && amount.currency != context.currency {
        let said = format!("{amount} cannot be held against a cap in {}", context.currency.code());
        return Err(Refusal::Cap(Text::new(said)));
    }
    match caps(context, amount.minor.saturating_abs()).into_iter().find(|(_, fits)| !fits) {
        Some((said, _)) => Err(Refusal::Cap(Text::new(format!("over the cap: it would be {said}")))),
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
