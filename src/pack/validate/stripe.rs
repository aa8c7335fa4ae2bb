//! Effects at the payment account: which change, of what, and what only goes with some of them.

use crate::{
    domain::{
        amendment::{Amendment, EVIDENCE_FIELDS, Uncollected},
        id::Id,
        pack::{Connection, EffectKind},
        template::TemplatePlace,
    },
    pack::{
        nearest::advice,
        place::Place,
        raw::{RawStripeEffect, RawUncollected},
    },
};

use super::effect::{Made, Pen};

impl Pen<'_, '_, '_> {
    pub(super) fn stripe(&mut self, place: &Place, raw: &RawStripeEffect) -> Made {
        let on = self.reader.connection("stripe", &raw.on, &place.key("on"));
        let verbs = [
            ("refund", raw.refund.as_ref()),
            ("evidence", raw.evidence.as_ref()),
            ("submit", raw.submit.as_ref()),
            ("pause", raw.pause.as_ref()),
            ("resume", raw.resume.as_ref()),
            ("cancel_at_period_end", raw.cancel_at_period_end.as_ref()),
            ("keep", raw.keep.as_ref()),
            ("cancel_now", raw.cancel_now.as_ref()),
        ];
        let keys = verbs.map(|(verb, column)| (verb, column.is_some()));
        let verb = self.reader.exactly_one(place, "what is done at Stripe", &keys)?;
        let column = verbs.iter().find_map(|(known, column)| (*known == verb).then_some(*column)?)?;
        self.reader.not_empty(&place.key(verb), column, "the name of the column");
        let only = [
            ("amount", "refund", raw.amount.is_some()),
            ("reason", "refund", raw.reason.is_some()),
            ("fields", "evidence", !raw.fields.is_empty()),
            ("invoices", "pause", raw.invoices.is_some()),
        ];
        for (key, goes_with, _) in only.iter().filter(|(_, goes_with, is_there)| *is_there && *goes_with != verb) {
            self.reader.say_key(&place.key(key), format!("`{key}` goes with `{goes_with}` alone"), "not here", None);
        }
        let change = match verb {
            "refund" => return self.refund(place, raw, on, column),
            "evidence" => return self.evidence(place, raw, on, column),
            "submit" => Amendment::Submit,
            "pause" => Amendment::Pause(uncollected(raw.invoices)),
            "resume" => Amendment::Resume,
            "cancel_at_period_end" => Amendment::CancelAtPeriodEnd,
            "keep" => Amendment::Keep,
            _ => Amendment::CancelNow,
        };
        let words = words(change, column);
        Some((EffectKind::Amend { on: on?, object: column.clone(), change, evidence: Vec::new() }, words))
    }

    fn refund(&mut self, place: &Place, raw: &RawStripeEffect, on: Option<Id<Connection>>, charge: &str) -> Made {
        let Some(amount) = &raw.amount else {
            let help = Some("the column with the amount, in minor units".to_owned());
            self.reader.say(place, "a refund needs its `amount`", "has none", help);
            return None;
        };
        self.reader.not_empty(&place.key("amount"), amount, "the name of the column");
        let reason = match &raw.reason {
            Some(text) => Some(self.template(TemplatePlace::Prose, &place.key("reason"), text)?),
            None => None,
        };
        let words = format!("refund {{{{ {amount} }}}} of charge {{{{ {charge} }}}}");
        Some((EffectKind::Refund { on: on?, charge: charge.to_owned(), amount: amount.clone(), reason }, words))
    }

    fn evidence(&mut self, place: &Place, raw: &RawStripeEffect, on: Option<Id<Connection>>, dispute: &str) -> Made {
        let fields = place.key("fields");
        if raw.fields.is_empty() {
            let help = Some("such as `fields = { uncategorized_text = \"{{ note }}\" }`".to_owned());
            self.reader.say(place, "evidence needs its `fields`", "has none", help);
        }
        let mut evidence = Vec::new();
        for (name, text) in &raw.fields {
            let at = fields.key(name);
            if !EVIDENCE_FIELDS.contains(&name.as_str()) {
                let help = Some(advice(name, &EVIDENCE_FIELDS, "fields"));
                self.reader.say_key(&at, format!("Stripe has no field of evidence `{name}`"), "not a field", help);
            }
            let template = self.template(TemplatePlace::Prose, &at, text);
            evidence.extend(template.map(|template| (name.clone(), template)));
        }
        let words = words(Amendment::Stage, dispute);
        Some((EffectKind::Amend { on: on?, object: dispute.to_owned(), change: Amendment::Stage, evidence }, words))
    }
}

fn uncollected(raw: Option<RawUncollected>) -> Uncollected {
    match raw {
        None | Some(RawUncollected::KeepAsDraft) => Uncollected::KeepAsDraft,
        Some(RawUncollected::MarkUncollectible) => Uncollected::MarkUncollectible,
        Some(RawUncollected::Void) => Uncollected::Void,
    }
}

/// As the dialog and the journal tell it, where the pack does not.
fn words(change: Amendment, column: &str) -> String {
    let id = format!("{{{{ {column} }}}}");
    match change {
        Amendment::Stage => format!("stage evidence for {id}, without submitting it"),
        Amendment::Submit => format!("submit the evidence for {id} to the bank, for good"),
        Amendment::Pause(Uncollected::KeepAsDraft) => format!("pause {id}: its invoices stay drafts"),
        Amendment::Pause(Uncollected::MarkUncollectible) => format!("pause {id}: its invoices are given up"),
        Amendment::Pause(Uncollected::Void) => format!("pause {id}: its invoices are void"),
        Amendment::Resume => format!("resume {id}: its invoices are collected again"),
        Amendment::CancelAtPeriodEnd => format!("cancel {id} at its period's end"),
        Amendment::Keep => format!("keep {id} beyond its period's end"),
        Amendment::CancelNow => format!("cancel {id} at once, for good"),
    }
}
