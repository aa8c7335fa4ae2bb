//! Effects: what an action changes; those of a flag or a job are taken over from it.

use crate::{
    domain::{
        pack::{Action, Effect, EffectKind, EventWay, Sql},
        template::{Template, TemplatePlace},
        value::Value,
    },
    pack::{
        nearest::advice,
        place::Place,
        raw::{
            OneOrMany, RawEffect, RawEventEffect, RawFlagEffect, RawHttpEffect, RawJobEffect, RawMailEffect, RawProofEffect,
            RawSqlEffect, RawWebhookEffect,
        },
    },
};

use super::{
    firestore, proof,
    read::Names,
    reader::{Reader, Section},
    service::{netlify, vercel},
};

/// Whose effects they are.
#[derive(Clone, Copy)]
pub(super) enum Within<'a> {
    /// An action's: they may take over those of a flag or a job, which are these.
    Action { brought: &'a [Action], reason: &'a str, has_reason: bool },
    /// A flag's or a job's own.
    Brought,
}

pub(super) fn effects(
    reader: &mut Reader<'_>,
    place: &Place,
    raw: &OneOrMany<RawEffect>,
    names: Names<'_>,
    within: Within<'_>,
) -> Vec<Effect> {
    match raw {
        OneOrMany::One(raw) => effect(reader, place, raw, names, within),
        OneOrMany::Many(list) => {
            list.iter().enumerate().flat_map(|(index, raw)| effect(reader, &place.index(index), raw, names, within)).collect()
        }
    }
}

fn effect(reader: &mut Reader<'_>, place: &Place, raw: &RawEffect, names: Names<'_>, within: Within<'_>) -> Vec<Effect> {
    let kinds = [
        ("sql", raw.sql.is_some()),
        ("stripe", raw.stripe.is_some()),
        ("http", raw.http.is_some()),
        ("smtp", raw.smtp.is_some()),
        ("webhook", raw.webhook.is_some()),
        ("vercel", raw.vercel.is_some()),
        ("netlify", raw.netlify.is_some()),
        ("event", raw.event.is_some()),
        ("proof", raw.proof.is_some()),
        ("firestore", raw.firestore.is_some()),
        ("flag", raw.flag.is_some()),
        ("job", raw.job.is_some()),
    ];
    let Some(word) = reader.exactly_one(place, "the kind of this effect", &kinds) else { return Vec::new() };
    let at = place.key(word);
    if let Some(raw) = &raw.flag {
        return flag(reader, &at, raw, within);
    }
    if let Some(raw) = &raw.job {
        return job(reader, &at, raw, within);
    }
    let mut pen = Pen { reader, names };
    let made = if let Some(raw) = &raw.sql {
        pen.sql(&at, raw)
    } else if let Some(raw) = &raw.stripe {
        pen.stripe(&at, raw)
    } else if let Some(raw) = &raw.http {
        pen.http(&at, raw)
    } else if let Some(raw) = &raw.smtp {
        pen.mail(&at, raw)
    } else if let Some(raw) = &raw.webhook {
        pen.webhook(&at, raw)
    } else if let Some(raw) = &raw.vercel {
        vercel::effect(&mut pen, &at, raw)
    } else if let Some(raw) = &raw.netlify {
        netlify::effect(&mut pen, &at, raw)
    } else if let Some(raw) = &raw.event {
        pen.event(&at, raw)
    } else if let Some(raw) = &raw.proof {
        pen.proof(&at, raw)
    } else if let Some(raw) = &raw.firestore {
        firestore::effect(pen.reader, &at, raw, names)
    } else {
        None
    };
    let says = raw.says.as_ref().map(|text| pen.template(TemplatePlace::Prose, &place.key("says"), text));
    let Some((kind, words)) = made else { return Vec::new() };
    let said = match says {
        Some(says) => says,
        // Words made of the pack's own names, which parse: else the kind's word stands for itself.
        None => Template::parse(&words).or_else(|_| Template::parse(kind.word())).ok(),
    };
    said.map(|said| Effect { kind, said }).into_iter().collect()
}

/// Makes effects with the names that are at hand for them.
pub(super) struct Pen<'r, 's, 'n> {
    pub(super) reader: &'r mut Reader<'s>,
    names: Names<'n>,
}

pub(super) type Made = Option<(EffectKind, String)>;

impl Pen<'_, '_, '_> {
    fn at_hand(&mut self, template: Option<Template>, place: &Place) -> Option<Template> {
        let template = template?;
        self.reader.names_at_hand(place, &template.names(), None, self.names);
        Some(template)
    }

    pub(super) fn template(&mut self, kind: TemplatePlace, place: &Place, text: &str) -> Option<Template> {
        let template = self.reader.template_for(kind, place, text);
        self.at_hand(template, place)
    }

    fn sql(&mut self, place: &Place, raw: &RawSqlEffect) -> Made {
        let on = self.reader.connection("sql", &raw.on, &place.key("on"));
        let text = place.key("text");
        let sql = self.reader.sql(&text, &raw.text, Sql::check_change)?;
        self.reader.names_at_hand(&text, &sql.parameters, Some(&sql), self.names);
        let rows = raw.rows.unwrap_or(1);
        let words: Vec<&str> = raw.text.split_whitespace().take(3).collect();
        let table = match words.as_slice() {
            [first, _, table] if first.eq_ignore_ascii_case("insert") || first.eq_ignore_ascii_case("delete") => table,
            [_, table, _] => table,
            _ => "rows",
        };
        let table = table.split('(').next().unwrap_or(table);
        let verb = words.first().unwrap_or(&"change").to_lowercase();
        Some((
            EffectKind::Sql { on: on?, sql, rows },
            format!("{verb} {table}, {rows} {}", if rows == 1 { "row" } else { "rows" }),
        ))
    }

    fn http(&mut self, place: &Place, raw: &RawHttpEffect) -> Made {
        let on = self.reader.connection("http", &raw.on, &place.key("on"));
        let allowed = ["POST", "PUT", "PATCH", "DELETE", "GET"];
        let method = self.reader.method(&place.key("method"), raw.method.as_ref(), "POST", &allowed);
        let (path_place, body_place) = (place.key("path"), place.key("body"));
        let path = self.reader.path(&path_place, &raw.path);
        let path = self.at_hand(path, &path_place);
        let body = raw.body.as_ref().and_then(|text| self.reader.body(&body_place, text));
        let body = self.at_hand(body, &body_place);
        let words = format!("{method} {}", raw.path);
        let proofs = proof::proofs(self.reader, place, raw);
        Some((EffectKind::Http { on: on?, method, path: path?, body, find: None, proofs }, words))
    }

    fn mail(&mut self, place: &Place, raw: &RawMailEffect) -> Made {
        let on = self.reader.connection("smtp", &raw.on, &place.key("on"));
        let to = self.template(TemplatePlace::Address, &place.key("to"), &raw.to);
        let subject = self.template(TemplatePlace::Prose, &place.key("subject"), &raw.subject);
        let body = self.template(TemplatePlace::Prose, &place.key("body"), &raw.body);
        let words = format!("mail to {}: {}", raw.to, raw.subject);
        Some((EffectKind::Mail { on: on?, to: to?, subject: subject?, body: body? }, words))
    }

    fn webhook(&mut self, place: &Place, raw: &RawWebhookEffect) -> Made {
        let on = self.reader.connection("webhook", &raw.on, &place.key("on"));
        let text = self.template(TemplatePlace::Prose, &place.key("text"), &raw.text);
        Some((EffectKind::Webhook { on: on?, text: text? }, format!("message to {}", raw.on)))
    }

    fn event(&mut self, place: &Place, raw: &RawEventEffect) -> Made {
        let on = self.reader.connection("stripe", &raw.on, &place.key("on"));
        let ways = [("resend", raw.resend.is_some()), ("deliver", raw.deliver.is_some())];
        let way = self.reader.exactly_one(place, "by whom the event is sent", &ways)?;
        let (event, with, other) = match way {
            "resend" => (raw.resend.as_ref()?, ("endpoint", &raw.endpoint), ("handler", &raw.handler)),
            _ => (raw.deliver.as_ref()?, ("handler", &raw.handler), ("endpoint", &raw.endpoint)),
        };
        self.reader.not_empty(&place.key(way), event, "the name of the column");
        if other.1.is_some() {
            let help = Some(format!("`{}`", with.0));
            self.reader.say_key(&place.key(other.0), format!("`{}` does not go with `{way}`", other.0), "not here", help);
        }
        let Some(to) = with.1 else {
            let help = match with.0 {
                "handler" => "one of the connection's `handlers`",
                _ => "the column with the endpoint's id, as `undelivered_events` has it",
            };
            self.reader.say(place, format!("`{way}` needs `{}`", with.0), "where to?", Some(help.to_owned()));
            return None;
        };
        let way = if way == "resend" {
            self.reader.not_empty(&place.key("endpoint"), to, "the name of the column");
            EventWay::Account { endpoint: to.clone() }
        } else {
            self.reader.handler(&raw.on, to, &place.key("handler"))?;
            EventWay::Ourselves { handler: to.clone() }
        };
        let words = match &way {
            EventWay::Account { endpoint } => format!("Stripe sends {{{{ {event} }}}} again to {{{{ {endpoint} }}}}"),
            EventWay::Ourselves { handler } => format!("post {{{{ {event} }}}}, signed, to the handler {handler}"),
        };
        Some((EffectKind::Event { on: on?, event: event.clone(), way }, words))
    }

    fn proof(&mut self, place: &Place, raw: &RawProofEffect) -> Made {
        let on = self.reader.connection("sql", &raw.on, &place.key("on"));
        let text = place.key("text");
        let sql = self.reader.sql(&text, &raw.text, Sql::check_read)?;
        self.reader.names_at_hand(&text, &sql.parameters, Some(&sql), self.names);
        Some((EffectKind::Proof { on: on?, sql }, format!("see in {} that it is done", raw.on)))
    }
}

fn flag(reader: &mut Reader<'_>, place: &Place, raw: &RawFlagEffect, within: Within<'_>) -> Vec<Effect> {
    let set = place.key("set");
    let Within::Action { brought, reason, has_reason } = within else {
        reader.say(&set, "a flag or a job cannot set a flag; an action can", "not here", None);
        return Vec::new();
    };
    if reader.reference::<crate::domain::pack::Flag>(Section::Flags, &raw.set, &set).is_none() {
        return Vec::new();
    }
    let Some(action) = brought.iter().find(|action| action.id.as_str() == format!("flag.{}", raw.set)) else { return Vec::new() };
    let values = action.inputs.iter().find_map(|input| match &input.kind {
        crate::domain::pack::InputKind::Choice(values) if input.name == "value" => Some(values),
        _ => None,
    });
    let values: Vec<&str> = values.into_iter().flatten().map(String::as_str).collect();
    if !values.contains(&raw.to.as_str()) {
        let help = Some(advice(&raw.to, &values, "values"));
        reader.say(&place.key("to"), format!("`{}` is not a value of the flag `{}`", raw.to, raw.set), "not a value", help);
    }
    let mut given = vec![("value", raw.to.as_str())];
    if !has_reason {
        given.push(("reason", reason));
    }
    action.effects.iter().filter_map(|effect| with_given(effect, &given)).collect()
}

fn job(reader: &mut Reader<'_>, place: &Place, raw: &RawJobEffect, within: Within<'_>) -> Vec<Effect> {
    let run = place.key("run");
    let Within::Action { brought, .. } = within else {
        reader.say(&run, "a flag or a job cannot run a job; an action can", "not here", None);
        return Vec::new();
    };
    if reader.reference::<crate::domain::pack::Job>(Section::Jobs, &raw.run, &run).is_none() {
        return Vec::new();
    }
    if let Some(action) = brought.iter().find(|action| action.id.as_str() == format!("job.{}", raw.run)) {
        return action.effects.clone();
    }
    let declared = Place::default().key("jobs").key(&raw.run);
    if reader.source.find(&declared.key("run")).is_none() {
        let help = Some(format!("say how in `[jobs.{}]`: `run = [ ... ]`", raw.run));
        reader.say(&run, format!("nothing says how the job `{}` is run", raw.run), "cannot be run", help);
    }
    Vec::new()
}

/// The effect with some names given for good; `None` where its statement cannot take them.
fn with_given(effect: &Effect, given: &[(&str, &str)]) -> Option<Effect> {
    let fill = |template: &Template| {
        given.iter().fold(template.clone(), |template, (name, value)| template.with(name, Value::text(*value)))
    };
    let kind = match &effect.kind {
        EffectKind::Sql { on, sql, rows } => {
            let sql = given.iter().try_fold(sql.clone(), |sql, (name, value)| sql.with_text(name, value)).ok()?;
            EffectKind::Sql { on: on.clone(), sql, rows: *rows }
        }
        EffectKind::Refund { on, charge, amount, reason } => EffectKind::Refund {
            on: on.clone(),
            charge: charge.clone(),
            amount: amount.clone(),
            reason: reason.as_ref().map(fill),
        },
        EffectKind::Amend { on, object, change, evidence } => EffectKind::Amend {
            on: on.clone(),
            object: object.clone(),
            change: *change,
            evidence: evidence.iter().map(|(name, text)| (name.clone(), fill(text))).collect(),
        },
        EffectKind::Http { on, method, path, body, find, proofs } => EffectKind::Http {
            on: on.clone(),
            method: method.clone(),
            path: fill(path),
            body: body.as_ref().map(fill),
            find: find.clone(),
            proofs: proofs.clone(),
        },
        EffectKind::Mail { on, to, subject, body } => {
            EffectKind::Mail { on: on.clone(), to: fill(to), subject: fill(subject), body: fill(body) }
        }
        EffectKind::Webhook { on, text } => EffectKind::Webhook { on: on.clone(), text: fill(text) },
        EffectKind::Event { .. } => effect.kind.clone(),
        EffectKind::Proof { on, sql } => {
            let sql = given.iter().try_fold(sql.clone(), |sql, (name, value)| sql.with_text(name, value)).ok()?;
            EffectKind::Proof { on: on.clone(), sql }
        }
        EffectKind::Firestore { on, write } => EffectKind::Firestore { on: on.clone(), write: write.given(given) },
    };
    Some(Effect { kind, said: fill(&effect.said) })
}
