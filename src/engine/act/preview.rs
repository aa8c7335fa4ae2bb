//! What an action would do, exactly: rows read afresh, every rule judged, every effect in words. Nothing is sent.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{
    StreamExt as _,
    future::BoxFuture,
    stream::{self, FuturesUnordered},
};

use super::{
    Reply, TakenBack,
    aim::Aim,
    claiming::Kept,
    driver::Driver,
    fresh::{self, Fresh},
};

use crate::{
    domain::{
        claim::{self, Moment},
        guard,
        id::Id,
        money::Money,
        pack::{self, Action, Confirm},
        plan::{BatchId, Order, Plan, Target},
        planning::{self, Keeping, Setting},
        policy::{self, Context, Refusal},
        rows::Params,
        text::Text,
    },
    engine::message::{Ask, Letter, PlanPreview, Preview},
    ports::Ownership,
};

/// Fresh reads of one proposal that wait at the same time.
const READS: usize = 4;
/// Previews that can still be confirmed.
const KEPT: usize = 8;

/// A preview that may be confirmed, and the very plans that it showed.
pub(super) struct Proposal {
    pub(super) ask: Ask,
    pub(super) action: Action,
    pub(super) plans: Vec<Plan>,
    pub(super) preview: Preview,
    pub(super) made_at: DateTime<Utc>,
    /// How far the clock that it was judged by is ahead of ours.
    pub(super) skew: TimeDelta,
}

/// Who waits for a preview.
pub(super) enum Asker {
    Preview(Reply<Box<Preview>>),
    Undo(Reply<TakenBack>),
}

impl Asker {
    /// Whoever asked may have gone; then nobody needs the answer.
    fn answer(self, preview: Result<Box<Preview>, Text>) {
        match self {
            Self::Preview(reply) => drop(reply.send(preview)),
            Self::Undo(reply) => drop(reply.send(preview.map(TakenBack::Undo))),
        }
    }
}

pub(super) struct Looked {
    ask: Ask,
    action: Action,
    inputs: Params,
    aims: Vec<(Aim, Fresh)>,
    kept: Kept,
    /// Whose account it is, where that had to be known first.
    account: Option<Ownership>,
    asker: Asker,
}

pub(super) type Look = BoxFuture<'static, Looked>;

/// What the rules made of the aims.
#[derive(Default)]
struct Sorted {
    plans: Vec<Plan>,
    previews: Vec<PlanPreview>,
    refused: Vec<(Target, Text)>,
    changed: Vec<Text>,
    total: Option<Money>,
}

impl Driver {
    pub(super) fn propose(&mut self, ask: Ask, action: &Id<Action>, aims: Vec<Aim>, inputs: Params, asker: Asker) {
        let Some(action) = pack::find(&self.setup.pack.actions, action).cloned() else {
            return asker.answer(Err(Text::new(format!("there is no action `{action}`"))));
        };
        if aims.is_empty() {
            return asker.answer(Err(Text::new("nothing is selected")));
        }
        // From here on an item is one, in whichever of its queues it was seen.
        let pack = Arc::clone(&self.setup.pack);
        let aims: Vec<Aim> = aims.into_iter().map(|aim| Aim { target: pack.known_as(aim.target), ..aim }).collect();
        let question = (action.needs_the_account() && !self.account.is_own()).then(|| self.ask_account());
        let keeper = self.setup.pack.claims_on().cloned();
        let (connections, currency, now) = (self.setup.connections.clone(), self.setup.pack.currency, self.now());
        let look: Look = Box::pin(async move {
            let targets: Vec<_> = aims.iter().map(|aim| claim::target_name(&aim.target)).collect();
            let reads = stream::iter(aims).map(|aim| {
                let (connections, action) = (&connections, &action);
                async move {
                    let fresh = fresh::read(connections, action, &aim.target, &aim.row, currency, now).await;
                    (aim, fresh)
                }
            });
            // Before the rows: a decision made in between is then one that this preview has not seen, and loses.
            let kept = Kept::read(&connections, keeper, &targets).await;
            let aims = reads.buffered(READS).collect().await;
            let account = match question {
                Some(question) => Some(question.await),
                None => None,
            };
            Looked { ask, action, inputs, aims, kept, account, asker }
        });
        FuturesUnordered::push(&self.looks, look);
    }

    /// The rows have come: judges them and answers.
    pub(super) async fn show(&mut self, looked: Looked) {
        let Looked { ask, action, inputs, aims, kept, account, asker } = looked;
        if let Some(account) = account {
            self.account_answered(account).await;
        }
        asker.answer(self.preview(ask, action, &inputs, aims, &kept).await);
    }

    /// Where the claims of a preview stand, and the moment to judge by: the database's, where they do.
    fn office<'a>(&self, kept: &'a Kept, identity: &'a str, now: DateTime<Utc>) -> Office<'a> {
        let ahead = self.setup.clock.ahead();
        let now = if let Kept::In(_, claims) = kept { claims.now + ahead } else { now };
        Office { kept, identity, moment: Moment { now, timezone: self.setup.pack.timezone, ahead } }
    }

    async fn preview(
        &mut self,
        ask: Ask,
        action: Action,
        inputs: &Params,
        aims: Vec<(Aim, Fresh)>,
        kept: &Kept,
    ) -> Result<Box<Preview>, Text> {
        let now = self.now();
        let identity = self.identity().await;
        let office = self.office(kept, identity.as_deref().unwrap_or_default(), now);
        let judged_at = office.moment.now;
        let missing = planning::missing(&action, inputs);
        // While inputs are still to come, the rules and the effects are shown without them; it cannot be confirmed.
        let mut drafted = action.clone();
        drafted.inputs.iter_mut().for_each(|input| input.required &= missing.is_empty());
        let batch = (aims.len() > 1).then(|| BatchId(format!("{}-{}", now.timestamp_micros(), ask.0)));
        let (money_today, money_this_session) = self.money_without(None).await.map_err(|error| Text::new(error.to_string()))?;

        let journal = Arc::clone(&self.setup.journal);
        let mut sorted = Sorted::default();
        for (aim, fresh) in aims {
            let earlier = journal.acts_on(&aim.target).await.map_err(|error| Text::new(error.to_string()))?;
            let so_far = sorted.total.map_or(0, |total| total.minor);
            let context = Context {
                action: &drafted,
                policy: &self.setup.pack.policy,
                currency: self.setup.pack.currency,
                timezone: self.setup.pack.timezone,
                may_write: true,
                wrong_account: self.account.bars(drafted.needs_the_account()),
                claimed: None,
                drawn: aim.is_drawn.then_some(&aim.row),
                earlier: &earlier,
                money_today: money_today.saturating_add(so_far),
                money_this_session: money_this_session.saturating_add(so_far),
                now: judged_at,
            };
            let setting = Setting { batch: batch.clone(), now, ..self.setting() };
            sorted.take(&aim.target, fresh, inputs, &context, &setting, &office);
        }

        let after = sorted.total.map_or(0, |total| total.minor);
        let context = Context {
            action: &drafted,
            policy: &self.setup.pack.policy,
            currency: self.setup.pack.currency,
            timezone: self.setup.pack.timezone,
            may_write: true,
            wrong_account: None,
            claimed: None,
            drawn: None,
            earlier: &[],
            money_today,
            money_this_session,
            now,
        };
        let confirm = confirm(&action, &sorted.plans);
        let is_final = action.is_final();
        let preview = Preview {
            action: action.id.clone(),
            title: action.title.clone(),
            plans: sorted.previews,
            refused: sorted.refused,
            expected: if confirm == Confirm::Typed { expected(&sorted.plans, sorted.total) } else { String::new() },
            confirm,
            total: sorted.total,
            hold: if is_final { action.hold.max(self.setup.hold_at_least) } else { action.hold },
            is_final: !action.can_be_undone(),
            changed: sorted.changed,
            caps: if sorted.total.is_some() { policy::caps(&context, after) } else { Vec::new() },
            missing,
            unclaimed: kept.weaker(),
        };
        if preview.missing.is_empty() {
            let refused: Vec<_> = preview.refused.iter().map(|(target, why)| (target.key.clone(), why.clone())).collect();
            self.record_refusals(&action.title, &refused).await;
        }
        self.proposals.retain(|proposal| proposal.ask != ask);
        self.proposals.push_front(Proposal {
            ask,
            action,
            plans: sorted.plans,
            preview: preview.clone(),
            made_at: now,
            skew: judged_at - now,
        });
        self.proposals.truncate(KEPT);
        Ok(Box::new(preview))
    }
}

impl Proposal {
    /// Long enough to read it; beyond that the world has moved on.
    pub(super) fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        (TimeDelta::zero()..TimeDelta::minutes(10)).contains(&(now - self.made_at))
    }
}

/// Where claims are kept, and what is there.
struct Office<'a> {
    kept: &'a Kept,
    identity: &'a str,
    moment: Moment,
}

impl Sorted {
    fn take(
        &mut self,
        target: &Target,
        fresh: Fresh,
        inputs: &Params,
        context: &Context<'_>,
        setting: &Setting<'_>,
        office: &Office<'_>,
    ) {
        match self.plan(target, fresh, inputs, context, setting, office) {
            Ok(plan) => {
                self.previews.push(plan_preview(&plan, context));
                if let Some(amount) = plan.amount {
                    let total = self.total.get_or_insert(Money::new(0, amount.currency));
                    total.minor = total.minor.saturating_add(amount.minor);
                }
                self.plans.push(plan);
            }
            Err(refusal) => {
                if let Refusal::Changed(why) = &refusal {
                    self.changed.push(Text::new(format!("{}: {}", target.key, why.original())));
                }
                self.refused.push((target.clone(), Text::new(refusal.to_string())));
            }
        }
    }

    fn plan(
        &self,
        target: &Target,
        fresh: Fresh,
        inputs: &Params,
        context: &Context<'_>,
        setting: &Setting<'_>,
        office: &Office<'_>,
    ) -> Result<Plan, Refusal> {
        let row = match fresh {
            Fresh::Row(row) => row,
            Fresh::Gone => return Err(Refusal::Changed(Text::new("it is no longer there"))),
            Fresh::Unread(why) => return Err(Refusal::Guard(why)),
        };
        let (held, claim) = match office.kept {
            Kept::Nowhere => (Vec::new(), None),
            Kept::Unread(why) => return Err(Refusal::Guard(why.clone())),
            Kept::In(on, claims) => {
                let held = claims.on(&claim::target_name(target));
                let keeping = Keeping { on: on.clone(), next_epoch: claim::next_epoch(&held) };
                (held, Some(keeping))
            }
        };
        let setting = &Setting { claim, ..setting.clone() };
        let plan =
            planning::make(context.action, target.clone(), row, inputs, context.earlier, setting).map_err(Refusal::Guard)?;
        let barred = claim::bar(&plan, &held, office.identity, setting, &office.moment);
        policy::judge(&plan, &Context { claimed: barred.as_ref(), ..*context })?;
        match (plan.amount, self.total) {
            (Some(amount), Some(total)) if amount.currency != total.currency => {
                Err(Refusal::Cap(Text::new(format!("{amount} is in another currency than the others: on its own, please"))))
            }
            _ => Ok(plan),
        }
    }
}

fn plan_preview(plan: &Plan, context: &Context<'_>) -> PlanPreview {
    PlanPreview {
        id: plan.id.clone(),
        target: plan.target.clone(),
        label: plan.label.clone(),
        amount: plan.amount,
        guards: guard::verdicts(context.action, &policy::names(plan), context.now),
        steps: plan.steps.iter().map(|step| step.said.clone()).collect(),
        letters: plan.steps.iter().enumerate().filter_map(|(step, sent)| letter(step, &sent.order)).collect(),
    }
}

fn letter(step: usize, order: &Order) -> Option<Letter> {
    let text = |words: &str| Text::new(words);
    match order {
        Order::Mail { to, subject, body, .. } => {
            Some(Letter { step, to: text(to), subject: Some(text(subject)), text: text(body) })
        }
        Order::Webhook { on, text: words } => Some(Letter { step, to: text(on.as_str()), subject: None, text: text(words) }),
        Order::Amend { object, evidence, .. } if !evidence.is_empty() => {
            let said: Vec<String> = evidence.iter().map(|(field, said)| format!("{field}: {said}")).collect();
            let to = format!("the draft of {object}");
            Some(Letter { step, to: text(&to), subject: None, text: text(&said.join("\n")) })
        }
        Order::Sql { .. }
        | Order::Refund { .. }
        | Order::Amend { .. }
        | Order::Http { .. }
        | Order::Event { .. }
        | Order::Proof { .. }
        | Order::Firestore { .. } => None,
    }
}

/// The pack's own confirmation, raised where it is too light: several are counted, a refund and what is for good at Stripe are always typed.
fn confirm(action: &Action, plans: &[Plan]) -> Confirm {
    let is_grave = |order: &Order| match order {
        Order::Refund { .. } => true,
        Order::Amend { change, .. } => change.is_for_good(),
        Order::Sql { .. }
        | Order::Http { .. }
        | Order::Mail { .. }
        | Order::Webhook { .. }
        | Order::Event { .. }
        | Order::Proof { .. }
        | Order::Firestore { .. } => false,
    };
    let least = if plans.iter().flat_map(|plan| &plan.steps).any(|step| is_grave(&step.order)) {
        Confirm::Typed
    } else if plans.len() > 1 {
        Confirm::Count
    } else {
        Confirm::Key
    };
    action.confirm.max(least)
}

/// The amount, or the name; for several the count and the total.
fn expected(plans: &[Plan], total: Option<Money>) -> String {
    match (plans, total) {
        ([], _) => String::new(),
        ([_], Some(total)) => total.figures(),
        ([plan], None) => plan.target.key.clone(),
        (plans, Some(total)) => format!("{} {}", plans.len(), total.figures()),
        (plans, None) => plans.len().to_string(),
    }
}
