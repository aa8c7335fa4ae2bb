//! `[pack]`, `[policy]` and `[playbooks]`.

use crate::domain::zone::Zone;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use toml::de::DeTable;

use crate::{
    domain::{
        money::Currency,
        pack::{Playbook, Policy},
    },
    pack::{
        place::Place,
        raw::{RawHead, RawPlaybook, RawPolicy},
        shape,
    },
};

use super::{Files, Part, id, reader::Reader};

pub(super) struct Head {
    pub title: String,
    pub timezone: Zone,
    pub currency: Currency,
}

fn read<T: DeserializeOwned + JsonSchema>(reader: &mut Reader<'_>, root: &mut DeTable<'_>, key: &str) -> Option<T> {
    let value = root.remove(key)?;
    let (part, problems) = shape::read(reader.source, &Place::default().key(key), value);
    reader.problems.extend(problems);
    part
}

pub(super) fn head(reader: &mut Reader<'_>, root: &mut DeTable<'_>) -> Option<Head> {
    let place = Place::default().key("pack");
    if !root.contains_key("pack") {
        let help = Some("[pack]\ntitle = \"...\"\ntimezone = \"Europe/Vienna\"\ncurrency = \"EUR\"".to_owned());
        reader.say(&place, "the section `[pack]` is missing", "a pack begins with it", help);
        return None;
    }
    let raw: RawHead = read(reader, root, "pack")?;
    reader.not_empty(&place.key("title"), &raw.title, "the title");
    let timezone = reader.zone(&place.key("timezone"), &raw.timezone);
    let currency = Currency::from_code(&raw.currency);
    if currency.is_none() {
        let help = Some("a code of ISO 4217, such as `AUD`".to_owned());
        reader.say(&place.key("currency"), format!("there is no currency `{}`", raw.currency), "not a currency", help);
    }
    reader.timezone = timezone.unwrap_or(Zone::UTC);
    reader.currency = currency;
    Some(Head { title: raw.title, timezone: timezone?, currency: currency? })
}

pub(super) fn policy(reader: &mut Reader<'_>, root: &mut DeTable<'_>) -> Option<Policy> {
    if !root.contains_key("policy") {
        return Some(Policy::default());
    }
    let raw: RawPolicy = read(reader, root, "policy")?;
    let place = Place::default().key("policy");
    let mut cap = |key: &str, text: Option<&String>| text.and_then(|text| reader.amount(&place.key(key), text));
    let money_per_session = cap("money_per_session", raw.money_per_session.as_ref());
    let money_per_day = cap("money_per_day", raw.money_per_day.as_ref());
    if let (Some(session), Some(day)) = (money_per_session, money_per_day)
        && session > day
    {
        reader.say(&place.key("money_per_session"), "one session may send more than the day it is in", "more than a day's", None);
    }
    let defer_to = raw.defer_to.and_then(|text| reader.cron(&place.key("defer_to"), &text));
    Some(Policy { money_per_session, money_per_day, forbidden: raw.forbidden, defer_to })
}

pub(super) fn playbook(reader: &mut Reader<'_>, part: &Part<RawPlaybook>, files: &Files<'_>) -> Option<Playbook> {
    let Part { name, place, raw } = part;
    reader.not_empty(&place.key("title"), &raw.title, "the title");
    reader.no_repetition(&place.key("covers"), &raw.covers);
    let file_place = place.key("file");
    if raw.file.starts_with('/') || raw.file.split('/').any(|step| step == "..") {
        let help = Some("a path beside the pack file, such as `playbooks/stock.md`".to_owned());
        reader.say(&file_place, format!("`{}` leads away from the pack", raw.file), "not beside the pack", help);
        return None;
    }
    match files(&raw.file) {
        Ok(markdown) => {
            Some(Playbook { id: id(name), title: raw.title.clone(), markdown: markdown.into(), covers: raw.covers.clone() })
        }
        Err(why) => {
            reader.say(&file_place, format!("`{}` cannot be read: {why}", raw.file), "not read", None);
            None
        }
    }
}
