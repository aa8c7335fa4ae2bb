//! `[actions]`: guards, inputs, undo, and how much a confirmation asks.

use std::time::Duration;

use crate::{
    domain::{
        amendment::Amendment,
        id::Id,
        pack::{Action, Confirm, Effect, EffectKind, Guard, GuardRule, Input, InputKind, Query, WindowClock},
        template::Template,
    },
    pack::{
        place::Place,
        raw::{OneOrMany, RawAction, RawConfirm, RawEffect, RawGuard, RawInput, RawWithin},
    },
};

use super::{
    Part,
    effect::{Within, effects},
    firestore, id,
    read::{Names, queries},
    reader::{Reader, Section},
};

/// Where nothing can be taken back, there is time to think again.
const HOLD: Duration = Duration::from_secs(10);
/// Given to every action.
const ALWAYS: [&str; 3] = ["now", "operator", "action_id"];

/// What a flag or a job says about the action that it brings along.
pub(super) struct Brought {
    pub id: Id<Action>,
    pub title: String,
    /// After the title, one line for the journal.
    pub label: &'static str,
    pub effects: Vec<Effect>,
    pub inputs: Vec<Input>,
    pub undo: Option<Id<Action>>,
    pub confirm: Confirm,
    /// Read before it is acted: what the effects expect to be as it was.
    pub fresh: Vec<Query>,
    pub covers: Vec<String>,
}

pub(super) fn brought_action(brought: Brought) -> Action {
    let mut action = Action {
        id: brought.id,
        title: brought.title,
        key: None,
        effects: brought.effects,
        guards: Vec::new(),
        inputs: brought.inputs,
        undo: brought.undo,
        confirm: brought.confirm,
        stops_at_unknown: false,
        hold: Duration::ZERO,
        amount: None,
        fresh: brought.fresh,
        unchanged: Vec::new(),
        label: Template::parse(brought.label).ok(),
        covers: brought.covers,
    };
    action.hold = if action.is_final() { HOLD } else { Duration::ZERO };
    action
}

pub(super) fn action(reader: &mut Reader<'_>, part: &Part<RawAction>, brought: &[Action]) -> Action {
    let Part { name, place, raw } = part;
    reader.not_empty(&place.key("title"), &raw.title, "the title");
    reader.no_repetition(&place.key("covers"), &raw.covers);
    let key = raw.key.as_ref().and_then(|text| key(reader, &place.key("key"), text));
    let has_reason = raw.inputs.iter().any(|input| input.name == "reason");
    let within = Within::Action { brought, reason: &raw.title, has_reason };
    let effects = effects(reader, &place.key("do"), &raw.effects, Names::Row, within);
    if matches!(&raw.effects, OneOrMany::Many(list) if list.is_empty()) {
        reader.say(&place.key("do"), "an action that does nothing is none", "empty", None);
    }
    if matches!(effects.first(), Some(Effect { kind: EffectKind::Proof { .. }, .. })) {
        let help = Some("put it behind the effect that it proves".to_owned());
        reader.say(&place.key("do"), "a proof proves what came before it, and nothing does", "begins with a proof", help);
    }
    let guards = raw.guards.iter().enumerate();
    let guards = guards.filter_map(|(index, raw)| guard(reader, &place.key("guards").index(index), raw)).collect();
    let inputs = inputs(reader, &place.key("inputs"), &raw.inputs);
    let undo = raw.undo.as_ref().and_then(|undo| undo_of(reader, place, name, undo, &effects));
    let fresh = queries(reader, &place.key("fresh"), &raw.fresh, Names::Row);
    // Whose id and times they are is said by the first.
    let fresh: Vec<Query> =
        fresh.into_iter().enumerate().map(|(index, query)| if index == 0 { query } else { firestore::beside(query) }).collect();
    firestore::is_read_afresh(reader, &place.key("do"), &effects, &fresh);
    let label = raw.label.as_ref().and_then(|text| reader.template(&place.key("label"), text));
    let amount = amount(reader, place, raw, &effects);
    let mut action = Action {
        id: id(name),
        title: raw.title.clone(),
        key,
        effects,
        guards,
        inputs,
        undo,
        confirm: Confirm::Key,
        stops_at_unknown: raw.stop_at_unknown.unwrap_or(false),
        hold: Duration::ZERO,
        amount,
        fresh,
        unchanged: raw.unchanged.clone(),
        label,
        covers: raw.covers.clone(),
    };
    if raw.stop_at_unknown == Some(false) && (action.moves_money() || action.amount.is_some()) {
        reader.say(&place.key("stop_at_unknown"), "a batch of money always stops at the first unknown", "not here", None);
    }
    // A broken `undo` must not make what follows look final.
    let is_final = action.is_final() && raw.undo.is_none();
    action.confirm = raw.confirm.map_or_else(|| asks(raw, &action, is_final), confirm);
    action.hold = reader.duration_or(&place.key("hold"), raw.hold.as_ref(), if is_final { HOLD } else { Duration::ZERO });
    action
}

fn key(reader: &mut Reader<'_>, place: &Place, text: &str) -> Option<char> {
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(key), None) if !key.is_control() && !key.is_whitespace() && !key.is_ascii_digit() => Some(key),
        _ => {
            let help = Some("one character that is no digit: digits choose panes and reasons".to_owned());
            reader.say(place, format!("`{text}` is not a key"), "not a key", help);
            None
        }
    }
}

fn confirm(raw: RawConfirm) -> Confirm {
    match raw {
        RawConfirm::Key => Confirm::Key,
        RawConfirm::Count => Confirm::Count,
        RawConfirm::Typed => Confirm::Typed,
    }
}

/// The weight of an action where the pack does not say it.
fn asks(raw: &RawAction, action: &Action, is_final: bool) -> Confirm {
    let written: &[RawEffect] = match &raw.effects {
        OneOrMany::One(effect) => std::slice::from_ref(effect),
        OneOrMany::Many(list) => list,
    };
    let is_grave = |effect: &Effect| match &effect.kind {
        EffectKind::Refund { .. } => true,
        EffectKind::Amend { change, .. } => change.is_for_good(),
        EffectKind::Sql { .. }
        | EffectKind::Http { .. }
        | EffectKind::Mail { .. }
        | EffectKind::Webhook { .. }
        | EffectKind::Event { .. }
        | EffectKind::Proof { .. }
        | EffectKind::Firestore { .. } => false,
    };
    let touches = written.iter().any(|effect| effect.flag.is_some() || effect.job.is_some());
    if touches || action.amount.is_some() || action.effects.iter().any(is_grave) {
        Confirm::Typed
    } else if is_final || action.needs_the_account() {
        Confirm::Count
    } else {
        Confirm::Key
    }
}

/// What the caps count is what is sent.
fn amount(reader: &mut Reader<'_>, place: &Place, raw: &RawAction, effects: &[Effect]) -> Option<String> {
    let refunded = effects.iter().find_map(|effect| match &effect.kind {
        EffectKind::Refund { amount, .. } => Some(amount),
        EffectKind::Sql { .. }
        | EffectKind::Amend { .. }
        | EffectKind::Http { .. }
        | EffectKind::Mail { .. }
        | EffectKind::Webhook { .. }
        | EffectKind::Event { .. }
        | EffectKind::Proof { .. }
        | EffectKind::Firestore { .. } => None,
    });
    match (&raw.amount, refunded) {
        (Some(amount), Some(refunded)) if amount != refunded => {
            let message = format!("the caps would count `{amount}`, and `{refunded}` is what is refunded");
            reader.say(&place.key("amount"), message, "not what is sent", None);
            None
        }
        (Some(amount), _) => Some(amount.clone()),
        (None, refunded) => refunded.cloned(),
    }
}

fn undo_of(reader: &mut Reader<'_>, place: &Place, name: &str, undo: &str, effects: &[Effect]) -> Option<Id<Action>> {
    let place = place.key("undo");
    let found = reader.reference(Section::Actions, undo, &place)?;
    if undo == name {
        reader.say(&place, "an action does not take itself back", "itself", None);
        return None;
    }
    let lasting = effects.iter().find_map(|effect| match &effect.kind {
        EffectKind::Refund { .. } => Some("a refund"),
        EffectKind::Mail { .. } => Some("a mail"),
        EffectKind::Webhook { .. } => Some("a message"),
        EffectKind::Amend { change: Amendment::Submit, .. } => Some("evidence"),
        EffectKind::Amend { change: Amendment::CancelNow, .. } => Some("a cancellation"),
        EffectKind::Event { .. } => Some("an event"),
        EffectKind::Sql { .. }
        | EffectKind::Amend { .. }
        | EffectKind::Http { .. }
        | EffectKind::Proof { .. }
        | EffectKind::Firestore { .. } => None,
    });
    if let Some(what) = lasting {
        let help = Some("leave `undo` out: it is held for 10 s instead, in which it can be taken back".to_owned());
        reader.say(&place, format!("{what} that is sent cannot be taken back"), "cannot be kept", help);
        return None;
    }
    Some(found)
}

fn guard(reader: &mut Reader<'_>, place: &Place, raw: &RawGuard) -> Option<Guard> {
    let keys = [("within", raw.within.is_some()), ("holds", raw.holds.is_some())];
    reader.not_empty(&place.key("title"), &raw.title, "the title");
    reader.exactly_one(place, "the rule of this guard", &keys)?;
    let rule = match (&raw.within, &raw.holds) {
        (Some(raw), _) => within(reader, &place.key("within"), raw)?,
        (None, Some(text)) => GuardRule::Holds(reader.expression(&place.key("holds"), text)?),
        (None, None) => return None,
    };
    let says = raw.says.as_ref().and_then(|text| reader.template(&place.key("says"), text));
    Some(Guard { title: raw.title.clone(), rule, says })
}

fn within(reader: &mut Reader<'_>, place: &Place, raw: &RawWithin) -> Option<GuardRule> {
    let window = reader.duration(&place.key("window"), &raw.window);
    let clock = match raw.clock.as_deref().map(|clock| (clock, clock.strip_prefix("requested_at:"))) {
        None | Some(("now", _)) => WindowClock::Now,
        Some((_, Some(column))) if !column.trim().is_empty() => WindowClock::RequestedAt(column.trim().to_owned()),
        Some((clock, _)) => {
            let help = Some("`now`, or `requested_at:COLUMN`".to_owned());
            reader.say(&place.key("clock"), format!("there is no clock `{clock}`"), "not a clock", help);
            return None;
        }
    };
    Some(GuardRule::Within { column: raw.column.clone(), window: window?, clock })
}

fn inputs(reader: &mut Reader<'_>, place: &Place, raw: &[RawInput]) -> Vec<Input> {
    let mut inputs: Vec<Input> = Vec::new();
    for (index, raw) in raw.iter().enumerate() {
        let place = place.index(index);
        let name_place = place.key("name");
        let is_name = raw.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && raw.name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
        if !is_name {
            let help = Some("letters, digits and `_`: it is used as `:name` and `{{ name }}`".to_owned());
            reader.say(&name_place, format!("`{}` cannot be the name of an input", raw.name), "not a name", help);
        }
        if ALWAYS.contains(&raw.name.as_str()) {
            reader.say(&name_place, format!("`{}` is given to every action already", raw.name), "taken", None);
        }
        if inputs.iter().any(|input| input.name == raw.name) {
            reader.say(&name_place, format!("the input `{}` is there twice", raw.name), "second time", None);
        }
        let kind = match &raw.choices {
            None => InputKind::Text,
            Some(choices) => {
                let choices_place = place.key("choices");
                reader.no_repetition(&choices_place, choices);
                if !(1..=9).contains(&choices.len()) {
                    let help = Some("1 to 9: each is chosen by its digit".to_owned());
                    reader.say(&choices_place, format!("{} choices cannot be offered", choices.len()), "not so many", help);
                }
                InputKind::Choice(choices.clone())
            }
        };
        inputs.push(Input { name: raw.name.clone(), title: raw.title.clone(), kind, required: raw.required });
    }
    inputs
}
