//! `[checks]` and `[metrics]`: expressions over rows, and limits that make sense together.

use std::time::Duration;

use crate::{
    domain::pack::{Bound, Check, Comparison, Limit, Metric, Target},
    pack::{
        place::Place,
        raw::{RawBound, RawCheck, RawLimit, RawMetric, RawTarget},
    },
};

use super::{
    Part, id,
    read::{Names, query},
    reader::{Reader, Section},
};

pub(super) const EVERY: Duration = Duration::from_mins(1);
const EVERY_WITH_RED: Duration = Duration::from_secs(30);

pub(super) fn check(reader: &mut Reader<'_>, part: &Part<RawCheck>) -> Option<Check> {
    let Part { name, place, raw } = part;
    reader.not_empty(&place.key("title"), &raw.title, "the title");
    reader.no_repetition(&place.key("covers"), &raw.covers);
    let query = query(reader, &place.key("read"), &raw.read, Names::Look);
    let value = reader.expression(&place.key("value"), &raw.value);
    let yellow = raw.yellow.as_ref().and_then(|raw| limit(reader, &place.key("yellow"), raw));
    let red = raw.red.as_ref().and_then(|raw| limit(reader, &place.key("red"), raw));
    if raw.yellow.is_none() && raw.red.is_none() {
        let help = Some("such as `red = { above = 15, for = \"30m\" }`".to_owned());
        reader.say(place, "a check without a limit is never anything but green", "needs `yellow` or `red`", help);
    }
    if let (Some(yellow), Some(red)) = (&yellow, &red) {
        limits_agree(reader, place, yellow, red);
    }
    let recovers_after = reader.duration_or(&place.key("recovers_after"), raw.recovers_after.as_ref(), Duration::ZERO);
    let escalates_after = raw.escalates_after.as_ref().and_then(|text| reader.duration(&place.key("escalates_after"), text));
    if raw.escalates_after.is_some() && raw.yellow.is_none() {
        reader.say_key(
            &place.key("escalates_after"),
            "a check that is never yellow cannot grow old as yellow",
            "needs `yellow`",
            None,
        );
    }
    let default = if raw.red.is_some() { EVERY_WITH_RED } else { EVERY };
    let every = reader.every(&place.key("every"), raw.every.as_ref(), default);
    let playbook = raw.playbook.as_ref().and_then(|name| reader.reference(Section::Playbooks, name, &place.key("playbook")));
    let since = raw.since.as_ref().and_then(|text| reader.expression(&place.key("since"), text));
    let detail = raw.detail.as_ref().and_then(|text| reader.prose(&place.key("detail"), text));
    Some(Check {
        id: id(name),
        title: raw.title.clone(),
        query: query?,
        value: value?,
        unit: raw.unit.clone(),
        yellow,
        red,
        recovers_after,
        escalates_after,
        since,
        every,
        playbook,
        detail,
        covers: raw.covers.clone(),
    })
}

fn limit(reader: &mut Reader<'_>, place: &Place, raw: &RawLimit) -> Option<Limit> {
    let numbers = [
        (Comparison::AtLeast, raw.at_least),
        (Comparison::Above, raw.above),
        (Comparison::AtMost, raw.at_most),
        (Comparison::Below, raw.below),
    ];
    let others = [(Comparison::Is, &raw.is), (Comparison::IsNot, &raw.is_not)];
    let numbers = numbers.into_iter().map(|(comparison, bound)| (comparison, bound.map(Bound::Number)));
    let bounds: Vec<_> = numbers.chain(others.map(|(comparison, raw)| (comparison, raw.as_ref().map(bound)))).collect();
    let keys: Vec<_> = bounds.iter().map(|(comparison, bound)| (comparison.word(), bound.is_some())).collect();
    let holds = reader.duration_or(&place.key("for"), raw.holds.as_ref(), Duration::ZERO);
    let word = reader.exactly_one(place, "the comparison of this limit", &keys)?;
    let (comparison, bound) = bounds.into_iter().find(|(comparison, _)| comparison.word() == word)?;
    if let Some(Bound::Number(number)) = bound {
        reader.finite(&place.key(word), number);
    }
    Some(Limit { comparison, bound: bound?, holds })
}

fn bound(raw: &RawBound) -> Bound {
    match raw {
        RawBound::Truth(truth) => Bound::Truth(*truth),
        RawBound::Number(number) => Bound::Number(*number),
        RawBound::Text(text) => Bound::Text(text.clone()),
    }
}

/// Where both look the same way, red is the farther one.
fn limits_agree(reader: &mut Reader<'_>, place: &Place, yellow: &Limit, red: &Limit) {
    let upward = |comparison| matches!(comparison, Comparison::AtLeast | Comparison::Above);
    let downward = |comparison| matches!(comparison, Comparison::AtMost | Comparison::Below);
    let (Bound::Number(near), Bound::Number(far)) = (&yellow.bound, &red.bound) else { return };
    let crossed = if upward(yellow.comparison) && upward(red.comparison) {
        far < near
    } else {
        downward(yellow.comparison) && downward(red.comparison) && far > near
    };
    if crossed {
        let message = format!("red at {far} comes before yellow at {near}");
        reader.say(
            &place.key("red").key(red.comparison.word()),
            message,
            "nearer than yellow",
            Some("exchange the two".to_owned()),
        );
    }
}

pub(super) fn metric(reader: &mut Reader<'_>, part: &Part<RawMetric>) -> Option<Metric> {
    let Part { name, place, raw } = part;
    reader.not_empty(&place.key("title"), &raw.title, "the title");
    reader.no_repetition(&place.key("covers"), &raw.covers);
    let look = query(reader, &place.key("read"), &raw.read, Names::Look);
    let value = reader.expression(&place.key("value"), &raw.value);
    let previous = raw.previous.as_ref().and_then(|text| reader.expression(&place.key("previous"), text));
    let said = raw.said.as_ref().and_then(|text| reader.prose(&place.key("said"), text));
    let target = raw.target.as_ref().and_then(|raw| target(reader, &place.key("target"), raw));
    let series = raw.series.as_ref().and_then(|raw| query(reader, &place.key("series"), raw, Names::Look));
    let every = reader.every(&place.key("every"), raw.every.as_ref(), EVERY);
    Some(Metric {
        id: id(name),
        title: raw.title.clone(),
        query: look?,
        value: value?,
        unit: raw.unit.clone(),
        said,
        previous,
        target,
        series,
        definition: raw.definition.clone(),
        every,
        covers: raw.covers.clone(),
    })
}

fn target(reader: &mut Reader<'_>, place: &Place, raw: &RawTarget) -> Option<Target> {
    let keys = [("at_least", raw.at_least.is_some()), ("at_most", raw.at_most.is_some())];
    let word = reader.exactly_one(place, "the target", &keys)?;
    raw.at_least.or(raw.at_most).iter().for_each(|number| reader.finite(&place.key(word), *number));
    raw.at_least.map(Target::AtLeast).or(raw.at_most.map(Target::AtMost))
}
