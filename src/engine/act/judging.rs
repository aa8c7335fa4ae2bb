//! The last judgement before the first attempt: the row read once more, every rule held against it, the permit given.

use std::sync::Arc;

use chrono::{DateTime, NaiveTime, TimeZone as _, Utc};

use super::{driver::Driver, flight, fresh::Fresh};

use crate::{
    domain::{
        journal::{self, Act, Phase},
        money::Money,
        pack::{self, Action, Pack},
        plan::{ActionId, Order, Plan},
        planning,
        policy::{self, Context, Permit, Refusal},
        rows::Params,
        text::Text,
    },
    ports::StoreError,
};

/// All that an act is judged by, apart from its row and the moment.
pub(super) struct Bench {
    pub(super) pack: Arc<Pack>,
    pub(super) action: Action,
    pub(super) plan: Plan,
    pub(super) operator: String,
    /// Every other act on the target.
    pub(super) earlier: Vec<Act>,
    wrong_account: Option<Text>,
    money_today: i64,
    money_this_session: i64,
}

impl Bench {
    /// A permit for the plan as it was confirmed, where every rule holds over the row as it is now.
    pub(super) fn review(&self, row: Params, claimed: Option<&Text>, now: DateTime<Utc>) -> Result<Permit, Refusal> {
        same_money(&self.plan, &self.action, &row, &self.earlier, &self.setting(now))?;
        let context = Context {
            action: &self.action,
            policy: &self.pack.policy,
            currency: self.pack.currency,
            timezone: self.pack.timezone,
            // It was confirmed while writing was unlocked; a hold does not outlive its confirmation.
            may_write: true,
            wrong_account: self.wrong_account.as_ref(),
            claimed,
            drawn: Some(&self.plan.row),
            earlier: &self.earlier,
            money_today: self.money_today,
            money_this_session: self.money_this_session,
            now,
        };
        policy::review(Plan { row, ..self.plan.clone() }, &context)
    }

    pub(super) fn setting(&self, now: DateTime<Utc>) -> planning::Setting<'_> {
        planning::Setting { batch: self.plan.batch.clone(), ..setting(&self.pack, &self.operator, now) }
    }
}

impl Driver {
    /// Reads the row once more before the first attempt, in its claim where it is claimed; the verdict comes when it lands.
    pub(super) async fn judge_again(&mut self, id: &ActionId, now: DateTime<Utc>) {
        let Some(running) = self.find(id) else { return };
        let plan = running.act.plan.clone();
        let Some(action) = self.action(&plan) else {
            let why = Text::new(format!("`{}` is no longer in the pack", plan.action));
            return self.feed(id, journal::Event::Refuse(why)).await;
        };
        if plan.claim.is_some() {
            return self.feed(id, journal::Event::Turn).await;
        }
        self.fly(flight::read_afresh(&self.setup.connections, &action, &plan, self.setup.pack.currency, now), id);
    }

    /// The last judgement before the first attempt of an act that nothing claims, over the row as it is now.
    pub(super) async fn begin(&mut self, id: &ActionId, fresh: Fresh) {
        let Some(running) = self.find(id) else { return };
        let plan = running.act.plan.clone();
        if self.broken.is_some() || self.is_paused(&plan) || !matches!(running.act.state.phase, Phase::Intent { .. }) {
            return;
        }
        let event = match fresh {
            Fresh::Unread(why) => journal::Event::Refuse(why),
            Fresh::Gone => journal::Event::Change(Text::new("it is no longer there")),
            Fresh::Row(row) => match self.bench(&plan).await {
                Ok(Ok(bench)) => match bench.review(row, None, self.now()) {
                    Ok(permit) => {
                        self.give(id, permit);
                        journal::Event::Begin
                    }
                    Err(refusal) => event_of(refusal),
                },
                Ok(Err(refusal)) => event_of(refusal),
                Err(error) => return self.fail(&error),
            },
        };
        self.feed(id, event).await;
    }

    pub(super) async fn bench(&mut self, plan: &Plan) -> Result<Result<Bench, Refusal>, StoreError> {
        let Some(action) = self.action(plan) else {
            return Ok(Err(Refusal::Guard(Text::new(format!("`{}` is no longer in the pack", plan.action)))));
        };
        let journal = Arc::clone(&self.setup.journal);
        let mut earlier = journal.acts_on(&plan.target).await?;
        earlier.retain(|act| act.plan.id != plan.id);
        let (money_today, money_this_session) = self.money_without(Some(&plan.id)).await?;
        Ok(Ok(Bench {
            pack: Arc::clone(&self.setup.pack),
            wrong_account: self.account.bars(action.needs_the_account()).cloned(),
            action,
            plan: plan.clone(),
            operator: self.setup.operator.clone(),
            earlier,
            money_today,
            money_this_session,
        }))
    }

    pub(super) fn setting(&self) -> planning::Setting<'_> {
        setting(&self.setup.pack, &self.setup.operator, self.now())
    }

    /// Money sent, or still to be sent, today (in the pack's zone) and in this session.
    pub(super) async fn money_without(&mut self, except: Option<&ActionId>) -> Result<(i64, i64), StoreError> {
        let zone = self.setup.pack.timezone;
        let today = self.now().with_timezone(&zone).date_naive().and_time(NaiveTime::MIN);
        // Where a clock change swallows midnight, the day begins at the first moment that exists.
        let began = zone.from_local_datetime(&today).earliest().map_or_else(|| today.and_utc(), |began| began.to_utc());
        let session_began = self.setup.session_began;
        let journal = Arc::clone(&self.setup.journal);
        Ok((journal.money_sent(began, except).await?, journal.money_sent(session_began, except).await?))
    }
}

/// What a refusal is to the act that it stops.
pub(super) fn event_of(refusal: Refusal) -> journal::Event {
    match refusal {
        Refusal::Changed(why) => journal::Event::Change(why),
        Refusal::Locked | Refusal::WrongAccount(_) | Refusal::Decided(_) | Refusal::Guard(_) | Refusal::Cap(_) => {
            journal::Event::Refuse(Text::new(refusal.to_string()))
        }
    }
}

fn setting<'a>(pack: &'a Pack, operator: &'a str, now: DateTime<Utc>) -> planning::Setting<'a> {
    let pinned = pack.connections.iter().find_map(|connection| match &connection.kind {
        pack::ConnectionKind::Stripe { account, livemode, .. } => Some((account.as_deref(), *livemode)),
        pack::ConnectionKind::Sql { .. }
        | pack::ConnectionKind::Http { .. }
        | pack::ConnectionKind::Smtp { .. }
        | pack::ConnectionKind::Webhook { .. }
        | pack::ConnectionKind::Firestore { .. } => None,
    });
    planning::Setting {
        livemode: pinned.is_some_and(|(_, livemode)| livemode),
        account: pinned.and_then(|(account, _)| account).unwrap_or_default(),
        currency: pack.currency,
        timezone: pack.timezone,
        operator,
        now,
        batch: None,
        claim: None,
    }
}

/// The money that the row would now have moved must be the money that was confirmed.
fn same_money(
    plan: &Plan,
    action: &Action,
    row: &Params,
    earlier: &[Act],
    setting: &planning::Setting<'_>,
) -> Result<(), Refusal> {
    if plan.amount.is_none() {
        return Ok(());
    }
    let remade =
        planning::make(action, plan.target.clone(), row.clone(), &plan.inputs, earlier, setting).map_err(Refusal::Guard)?;
    let money = |plan: &Plan| -> Vec<Order> {
        let orders = plan.steps.iter().map(|step| &step.order);
        orders.filter(|order| matches!(order, Order::Refund { .. })).cloned().collect()
    };
    if remade.amount == plan.amount && money(&remade) == money(plan) {
        return Ok(());
    }
    let said = |amount: Option<Money>| amount.map_or_else(|| "none".to_owned(), |amount| amount.to_string());
    Err(Refusal::Changed(Text::new(format!("the money was {} and is {} now", said(plan.amount), said(remade.amount)))))
}
