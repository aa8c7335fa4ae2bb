//! An action on a row becomes a plan: every effect rendered to what will be sent, nothing left open.
//!
//! Never a plan with a gap: a name that the row, the inputs and the moment do not give is a refusal.

mod document;
use std::collections::BTreeMap;

use crate::domain::zone::Zone;
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest as _, Sha256};

use super::{
    amendment,
    id::Id,
    journal::Act,
    money::{Currency, Money},
    pack::{Action, Connection, EffectKind, EventWay, Input, InputKind, Sql},
    plan::{ActionId, BatchId, EventTo, Order, Plan, Step, Target},
    rows::Params,
    template::Template,
    text::Text,
    value::Value,
};

/// The column with a flag's value before it is set, where that could be read.
pub const CURRENT: &str = "current";

/// What a plan takes from where it is made.
#[derive(Clone, Debug)]
pub struct Setting<'a> {
    pub livemode: bool,
    /// The payment account that the pack pins; empty where it pins none.
    pub account: &'a str,
    pub currency: Currency,
    pub timezone: Zone,
    pub operator: &'a str,
    pub now: DateTime<Utc>,
    pub batch: Option<BatchId>,
    pub claim: Option<Keeping>,
}

/// Where an act on a target is claimed, and the number that its claim will have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keeping {
    pub on: Id<Connection>,
    pub next_epoch: u32,
}

/// The plan of an action on one row. `earlier` are the acts on the same target, whatever became of them.
pub fn make(
    action: &Action,
    target: Target,
    row: Params,
    inputs: &Params,
    earlier: &[Act],
    setting: &Setting<'_>,
) -> Result<Plan, Text> {
    let inputs = complete(&action.inputs, inputs)?;
    let mut names = row.clone();
    names.entry("id".to_owned()).or_insert_with(|| Value::text(target.key.as_str()));
    names.extend(inputs.clone());
    names.insert("now".to_owned(), Value::Time(setting.now));
    names.insert("operator".to_owned(), Value::text(setting.operator));

    let mut refunds = Vec::new();
    for effect in &action.effects {
        if let EffectKind::Refund { amount, .. } = &effect.kind {
            refunds.push(money(&names, amount, setting.currency)?);
        }
    }
    let amount = amount(action, &names, &refunds, setting.currency)?;
    // A database that knows of more decisions than one's own record gives the number, and never a smaller one.
    let epoch = setting.claim.as_ref().map_or(0, |claim| claim.next_epoch).max(epoch(action, earlier));
    let id = identity(setting, &action.id, &target, amount, epoch);
    names.insert("action_id".to_owned(), Value::text(id.0.as_str()));

    let maker = Maker { names: &names, setting };
    let steps = action
        .effects
        .iter()
        .map(|effect| Ok(Step { order: maker.order(&effect.kind)?, said: Text::new(maker.render(&effect.said)?) }))
        .collect::<Result<Vec<_>, Text>>()?;
    if steps.is_empty() {
        return Err(Text::new(format!("`{}` does nothing", action.id)));
    }
    one_write_each(&steps)?;
    let label = match &action.label {
        Some(label) => {
            let mut names = names.clone();
            names.entry(CURRENT.to_owned()).or_insert(Value::Null);
            Maker { names: &names, setting }.render(label)?
        }
        None => target.key.clone(),
    };
    Ok(Plan {
        id,
        action: action.id.clone(),
        title: action.title.clone(),
        target,
        label: Text::new(label),
        row,
        inputs,
        amount,
        epoch,
        claim: setting.claim.as_ref().map(|claim| claim.on.clone()),
        steps,
        is_final: !action.can_be_undone(),
        operator: setting.operator.to_owned(),
        planned_at: setting.now,
        batch: setting.batch.clone(),
    })
}

/// The first write of a document changes it: a second one that expects it as it was read is bound to fail.
fn one_write_each(steps: &[Step]) -> Result<(), Text> {
    let mut written = Vec::new();
    for step in steps {
        let Order::Firestore { on, document, .. } = &step.order else { continue };
        if written.contains(&(on, document)) {
            return Err(Text::new(format!("{document} would be written twice: put all of it into one `set`")));
        }
        written.push((on, document));
    }
    Ok(())
}

/// False for a plan that was made under another account or mode: it must not be looked up, let alone sent, under this one.
pub fn belongs(plan: &Plan, setting: &Setting<'_>) -> bool {
    id_at(plan, plan.epoch, setting) == plan.id
}

/// The name that the same decision has under another number.
pub fn id_at(plan: &Plan, epoch: u32, setting: &Setting<'_>) -> ActionId {
    identity(setting, &plan.action, &plan.target, plan.amount, epoch)
}

/// Required inputs that are empty, by name.
pub fn missing(action: &Action, inputs: &Params) -> Vec<String> {
    action
        .inputs
        .iter()
        .filter(|input| input.required && inputs.get(&input.name).is_none_or(is_empty))
        .map(|input| input.name.clone())
        .collect()
}

/// What a read may name that looks for a trace of an act: its row, its inputs, its id, when it was sent, the usual moments.
pub fn names_for_tracing(plan: &Plan, sent_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Params {
    let mut names = names_for_reading(&plan.target, &plan.row, now);
    names.extend(plan.inputs.clone());
    names.insert("operator".to_owned(), Value::text(plan.operator.as_str()));
    names.insert("action_id".to_owned(), Value::text(plan.id.0.as_str()));
    names.insert("sent_at".to_owned(), Value::Time(sent_at.unwrap_or(plan.planned_at)));
    names
}

/// What a fresh read may name: the row, its id, and the usual moments.
pub fn names_for_reading(target: &Target, row: &Params, now: DateTime<Utc>) -> Params {
    let mut names = row.clone();
    names.entry("id".to_owned()).or_insert_with(|| Value::text(target.key.as_str()));
    for (name, days) in [("now", 0), ("day_ago", 1), ("week_ago", 7), ("month_ago", 30)] {
        names.insert(name.to_owned(), Value::Time(now - TimeDelta::days(days)));
    }
    names
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => text.original().trim().is_empty(),
        Value::Bool(_) | Value::Integer(_) | Value::Decimal(_) | Value::Money(_) | Value::Time(_) | Value::Json(_) => false,
    }
}

/// The action's own inputs and no others; one that need not be given is empty text.
fn complete(declared: &[Input], given: &Params) -> Result<Params, Text> {
    if let Some(stranger) = given.keys().find(|name| !declared.iter().any(|input| input.name == **name)) {
        return Err(Text::new(format!("there is no input `{stranger}`")));
    }
    declared
        .iter()
        .map(|input| {
            let value = given.get(&input.name).filter(|value| !is_empty(value));
            match (value, &input.kind) {
                (None, _) if input.required => Err(Text::new(format!("`{}` is required", input.name))),
                (None, _) => Ok((input.name.clone(), Value::text(""))),
                (Some(value), InputKind::Choice(choices)) if !choices.contains(&value.original()) => {
                    Err(Text::new(format!("`{}` must be one of {}", input.name, choices.join(", "))))
                }
                (Some(value), InputKind::Choice(_) | InputKind::Text) => Ok((input.name.clone(), value.clone())),
            }
        })
        .collect()
}

fn amount(action: &Action, names: &Params, refunds: &[Money], currency: Currency) -> Result<Option<Money>, Text> {
    let declared = action.amount.as_ref().map(|column| money(names, column, currency)).transpose()?;
    let Some(first) = refunds.first() else { return Ok(declared) };
    let mut total = Money::new(0, first.currency);
    for refund in refunds {
        if refund.minor <= 0 || refund.currency != total.currency {
            return Err(Text::new(format!("{refund} cannot be refunded")));
        }
        total.minor = total.minor.checked_add(refund.minor).ok_or_else(|| Text::new("the amounts are out of range"))?;
    }
    match declared {
        Some(declared) if declared != total => Err(Text::new(format!("the amount is {declared} but {total} would be refunded"))),
        Some(_) | None => Ok(Some(total)),
    }
}

fn money(names: &Params, column: &str, currency: Currency) -> Result<Money, Text> {
    match names.get(column) {
        Some(Value::Money(money)) => Ok(*money),
        Some(Value::Integer(minor)) => Ok(Money::new(*minor, currency_of(names, currency)?)),
        None | Some(Value::Null) => Err(Text::new(format!("no {column}"))),
        Some(_) => Err(Text::new(format!("{column} is not an amount"))),
    }
}

fn currency_of(names: &Params, default: Currency) -> Result<Currency, Text> {
    match names.get("currency") {
        Some(Value::Text(code)) => {
            Currency::from_code(code.original().trim()).ok_or_else(|| Text::new(format!("{} is not a currency", code.original())))
        }
        _ => Ok(default),
    }
}

/// An act whose key has been used up, because it was sent and is over, gives way to the next number.
fn epoch(action: &Action, earlier: &[Act]) -> u32 {
    let used = earlier.iter().filter(|act| act.plan.action == action.id && act.state.was_sent && act.state.phase.is_over());
    used.map(|act| act.plan.epoch.saturating_add(1)).max().unwrap_or(0)
}

/// The same for every operator who decides the same thing; each field is preceded by its length, so that no two
/// different decisions read the same.
fn identity(setting: &Setting<'_>, action: &Id<Action>, target: &Target, amount: Option<Money>, epoch: u32) -> ActionId {
    let minor = amount.map(|amount| amount.minor.to_string()).unwrap_or_default();
    let fields = [
        if setting.livemode { "live" } else { "test" },
        setting.account,
        action.as_str(),
        target.queue.as_ref().map_or("", |queue| queue.as_str()),
        &target.key,
        &minor,
        amount.map_or("", |amount| amount.currency.code()),
        &epoch.to_string(),
    ];
    let mut hash = Sha256::new();
    for field in fields {
        hash.update(field.len().to_be_bytes());
        hash.update(field);
    }
    ActionId(hex::encode(hash.finalize()))
}

struct Maker<'a> {
    names: &'a Params,
    setting: &'a Setting<'a>,
}

impl Maker<'_> {
    fn order(&self, kind: &EffectKind) -> Result<Order, Text> {
        Ok(match kind {
            EffectKind::Sql { on, sql, rows } => {
                Order::Sql { on: on.clone(), statement: sql.numbered.clone(), parameters: self.bind(sql)?, rows: *rows }
            }
            EffectKind::Refund { on, charge, amount, reason } => Order::Refund {
                on: on.clone(),
                charge: self.name_in(charge)?,
                amount: money(self.names, amount, self.setting.currency)?,
                reason: reason.as_ref().map(|reason| self.render(reason)).transpose()?.filter(|reason| !reason.is_empty()),
            },
            EffectKind::Amend { on, object, change, evidence } => Order::Amend {
                on: on.clone(),
                object: self.name_in(object)?,
                change: *change,
                evidence: self.evidence(evidence)?,
            },
            EffectKind::Http { on, method, path, body, find, proofs } => Order::Http {
                on: on.clone(),
                method: method.clone(),
                path: self.render(path)?,
                body: body.as_ref().map(|body| self.render(body)).transpose()?,
                find: find.clone(),
                proofs: proofs.clone(),
            },
            EffectKind::Mail { on, to, subject, body } => {
                Order::Mail { on: on.clone(), to: self.speak(to)?, subject: self.speak(subject)?, body: self.speak(body)? }
            }
            EffectKind::Webhook { on, text } => Order::Webhook { on: on.clone(), text: self.announce(text)? },
            EffectKind::Event { on, event, way } => {
                let to = match way {
                    EventWay::Account { endpoint } => EventTo::Endpoint(self.name_in(endpoint)?),
                    EventWay::Ourselves { handler } => EventTo::Handler(handler.clone()),
                };
                Order::Event { on: on.clone(), event: self.name_in(event)?, to }
            }
            EffectKind::Proof { on, sql } => {
                Order::Proof { on: on.clone(), statement: sql.numbered.clone(), parameters: self.bind(sql)? }
            }
            EffectKind::Firestore { on, write } => document::order(on, write, self.names, self.setting.timezone)?,
            EffectKind::Command { on, line, exits, found_by } => Order::Command {
                on: on.clone(),
                arguments: line.render_in(self.names, self.setting.timezone).map_err(Text::new)?,
                exits: exits.clone(),
                is_looked_for: found_by.is_some(),
            },
        })
    }

    fn evidence(&self, fields: &[(String, Template)]) -> Result<BTreeMap<String, String>, Text> {
        let said = fields.iter().map(|(name, template)| Ok((name.clone(), self.speak(template)?.trim().to_owned())));
        let evidence = said.collect::<Result<BTreeMap<_, _>, Text>>()?;
        amendment::check_length(evidence.values().map(String::as_str))?;
        Ok(evidence)
    }

    fn bind(&self, sql: &Sql) -> Result<Vec<Value>, Text> {
        let find = |name: &String| self.names.get(name).cloned().ok_or_else(|| Text::new(format!("no {name}")));
        sql.parameters.iter().map(find).collect()
    }

    /// The outside's name for something, which stands in a column.
    fn name_in(&self, column: &str) -> Result<String, Text> {
        match self.names.get(column) {
            Some(Value::Text(name)) if !name.original().is_empty() => Ok(name.original().to_owned()),
            Some(_) | None => Err(Text::new(format!("no {column}"))),
        }
    }

    /// For others to read: the pack's own words as they are, and nothing in the row's that deceives.
    fn speak(&self, template: &Template) -> Result<String, Text> {
        let spoken = self.names.iter().map(|(name, value)| (name.clone(), value.spoken())).collect();
        template.render_in(&spoken, self.setting.timezone).map_err(Text::new)
    }

    /// For a channel, where angle brackets call everybody or hide where a link leads: the pack's own words may, a value
    /// may not.
    fn announce(&self, template: &Template) -> Result<String, Text> {
        let blunt = |text: &str| text.replace('<', "\u{2039}").replace('>', "\u{203a}");
        let announced = self.names.iter().map(|(name, value)| {
            let value = match value.spoken() {
                Value::Text(text) => Value::text(blunt(text.original())),
                // JSON has no brackets of this kind but in its texts.
                Value::Json(json) => serde_json::from_str(&blunt(&json.to_string())).map_or(Value::Null, Value::Json),
                other => other,
            };
            (name.clone(), value)
        });
        template.render_in(&announced.collect(), self.setting.timezone).map_err(Text::new)
    }

    fn render(&self, template: &Template) -> Result<String, Text> {
        template.render_in(self.names, self.setting.timezone).map_err(Text::new)
    }
}

#[cfg(test)]
#[path = "planning_tests.rs"]
mod tests;
