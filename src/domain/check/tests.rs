use crate::domain::{
    expression::Expression,
    id::Id,
    pack::{Bound, Check, Comparison, Limit, Query, Read, Sql},
};
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;

const MINUTE: u64 = 60;
fn at(second: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
}

fn limit(comparison: Comparison, bound: Bound, holds: u64) -> Limit {
    Limit { comparison, bound, holds: Duration::from_secs(holds) }
}

fn above(bound: f64, holds: u64) -> Limit {
    limit(Comparison::Above, Bound::Number(bound), holds)
}

fn check(yellow: Option<Limit>, red: Option<Limit>) -> Check {
    let sql = Sql { text: String::new(), numbered: String::new(), parameters: vec![] };
    Check {
        id: Id::new("refund_rate"),
        title: "Refund rate".to_owned(),
        query: Query { on: Id::new("db"), read: Read::Sql(sql), money: vec![] },
        value: Expression::parse("rate").unwrap(),
        unit: "%".to_owned(),
        yellow,
        red,
        recovers_after: Duration::ZERO,
        escalates_after: None,
        since: None,
        every: Duration::from_mins(1),
        playbook: None,
        detail: None,
        covers: vec![],
    }
}

fn number(value: i64) -> Measurement {
    Measurement { value: Value::Integer(value), said: format!("{value}%"), detail: Text::new(""), since: None }
}

fn seen(second: i64, value: i64) -> (i64, Observation) {
    (second, Observation::Read { at: at(second), measurement: number(value) })
}

fn blind(second: i64) -> (i64, Observation) {
    (second, Observation::Blind { why: Text::new("timed out") })
}

fn tick(second: i64) -> (i64, Observation) {
    (second, Observation::Nothing)
}

/// Judges step by step, each time through the record as a restart would.
fn walk(check: &Check, steps: Vec<(i64, Observation)>) -> Vec<Judgement> {
    let mut memory = Memory::default();
    steps
        .into_iter()
        .map(|(second, observation)| {
            let record = serde_json::to_string(&memory).unwrap();
            let (next, judgement) = judge(check, &serde_json::from_str(&record).unwrap(), observation, at(second));
            memory = next;
            judgement
        })
        .collect()
}

fn letters(check: &Check, steps: Vec<(i64, Observation)>) -> String {
    walk(check, steps).iter().map(|judgement| judgement.severity.letter()).collect()
}

/// One reading a minute.
fn minutes(values: &[i64]) -> Vec<(i64, Observation)> {
    values.iter().zip(0..).map(|(value, minute)| seen(minute * 60, *value)).collect()
}

#[test]
fn limits_judge_at_their_edges() {
    use Comparison::{Above, AtLeast, AtMost, Below, Is, IsNot};
    for (comparison, letters_of_9_10_11) in
        [(AtLeast, "GRR"), (Above, "GGR"), (AtMost, "RRG"), (Below, "RGG"), (Is, "GRG"), (IsNot, "RGR")]
    {
        let check = check(None, Some(limit(comparison, Bound::Number(10.0), 0)));
        assert_eq!(letters(&check, minutes(&[9, 10, 11])), letters_of_9_10_11, "{comparison:?}");
    }
}

#[test]
fn red_comes_before_yellow() {
    assert_eq!(letters(&check(Some(above(10.0, 0)), Some(above(15.0, 0))), minutes(&[9, 11, 16, 11, 9])), "GYRYG");
}

#[test]
fn a_limit_counts_only_when_it_has_held() {
    let check = check(Some(above(10.0, 0)), Some(above(15.0, 180)));
    assert_eq!(letters(&check, minutes(&[16, 16, 16, 16, 9])), "YYYRG");
    assert_eq!(letters(&check, minutes(&[16, 16, 11, 16, 16, 16, 16])), "YYYYYYR");
}

#[test]
fn turning_says_since_when_and_when_it_counts() {
    let check = check(None, Some(above(15.0, 180)));
    let judged = walk(&check, minutes(&[9, 16, 16]));
    assert_eq!(judged[0].turning, None);
    let turning = Turning { into: Severity::Red, since: at(60), counts_at: at(240) };
    assert_eq!(judged[1].turning, Some(turning.clone()));
    assert_eq!(judged[2].turning, Some(turning));
    assert_eq!(judged[2].severity, Severity::Green);
    assert_eq!(walk(&check, minutes(&[16; 4]))[3].turning, None);
}

#[test]
fn the_holding_clock_stands_while_it_is_blind() {
    let check = check(None, Some(above(15.0, 180)));
    let steps = vec![seen(0, 16), seen(60, 16), blind(120), seen(180, 16), seen(240, 16), seen(300, 16)];
    assert_eq!(letters(&check, steps), "GG?GGR");
    let stale = vec![seen(0, 16), seen(1_000, 16), seen(1_060, 16), seen(1_120, 16), seen(1_180, 16)];
    assert_eq!(letters(&check, stale), "GGGGR");
}

#[test]
fn a_better_reading_must_hold_before_it_counts() {
    let mut check = check(Some(above(10.0, 0)), Some(above(15.0, 0)));
    check.recovers_after = Duration::from_mins(2);
    assert_eq!(letters(&check, minutes(&[16, 9, 16, 9, 9, 9, 9])), "RRRRRGG");
    assert_eq!(letters(&check, minutes(&[16, 11, 9, 9, 9])), "RRRYG");
    assert_eq!(letters(&check, minutes(&[11, 9, 16, 9])), "YYRR");
}

#[test]
fn flapping_over_a_held_limit_does_not_look_like_recovery() {
    let mut check = check(None, Some(above(15.0, 120)));
    check.recovers_after = Duration::from_mins(2);
    assert_eq!(letters(&check, minutes(&[16, 16, 16, 9, 16, 9, 16, 9, 9, 9])), "GGRRRRRRRG");
}

#[test]
fn an_old_yellow_becomes_red() {
    let mut check = check(Some(above(10.0, 0)), None);
    check.every = Duration::from_hours(1);
    check.escalates_after = Some(Duration::from_hours(3));
    let hours = |values: &[i64]| values.iter().zip(0..).map(|(value, hour)| seen(hour * 3_600, *value)).collect::<Vec<_>>();
    assert_eq!(letters(&check, hours(&[11, 11, 11, 11, 11, 9, 11])), "YYYRRGY");
    let mut steps = hours(&[11, 11, 11]);
    steps.push(tick(3 * 3_600));
    let judged = walk(&check, steps);
    assert_eq!(judged[3].severity, Severity::Red);
    assert_eq!(judged[3].since, at(3 * 3_600));
    assert!(judged[3].flip.is_some());
}

#[test]
fn what_could_not_be_read_is_unknown_and_comes_back_as_it_was() {
    let check = check(Some(above(10.0, 0)), Some(above(15.0, 0)));
    let judged = walk(&check, vec![seen(0, 9), seen(60, 16), blind(120), tick(130), seen(180, 17), seen(240, 9)]);
    let letters: String = judged.iter().map(|judgement| judgement.severity.letter()).collect();
    assert_eq!(letters, "GR??RG");
    assert_eq!(judged[2].since, at(120));
    assert_eq!(judged[2].detail.shown(), "timed out");
    assert_eq!(judged[2].said, "16%");
    assert_eq!(judged[4].since, at(60));
    assert_eq!(judged[5].since, at(240));
    let flips: Vec<_> = judged.iter().map(|judgement| judgement.flip.is_some()).collect();
    assert_eq!(flips, [false, true, true, false, true, true]);
}

#[test]
fn an_old_reading_is_no_reading() {
    let check = check(Some(above(10.0, 0)), None);
    let judged = walk(&check, vec![tick(0), seen(1, 11), tick(121), tick(122), seen(130, 11)]);
    let letters: String = judged.iter().map(|judgement| judgement.severity.letter()).collect();
    assert_eq!(letters, "?YY?Y");
    assert_eq!(judged[0].detail.shown(), "not read yet");
    assert_eq!(judged[3].detail.shown(), "the last reading is 2m old");
    assert_eq!(judged[4].since, at(1));
}

#[test]
fn impossible_times_are_flagged() {
    let check = check(Some(above(10.0, 0)), None);
    let future = (60, Observation::Read { at: at(4_000), measurement: number(9) });
    let judged = walk(&check, vec![seen(0, 9), future, seen(120, 9)]);
    assert_eq!(judged[1].severity, Severity::Unknown);
    assert_eq!(judged[1].detail.shown(), "the reading is 1h05m from the future: a clock is wrong");
    assert_eq!(judged[2].severity, Severity::Green);
    let set_back = walk(&check, vec![seen(9_000, 9), tick(60), seen(120, 9)]);
    let letters: String = set_back.iter().map(|judgement| judgement.severity.letter()).collect();
    assert_eq!(letters, "G?G");
}

#[test]
fn an_answer_that_was_overtaken_changes_nothing() {
    let check = check(Some(above(10.0, 0)), None);
    let late = (70, Observation::Read { at: at(30), measurement: number(99) });
    assert_eq!(letters(&check, vec![seen(60, 9), late, seen(120, 9)]), "GGG");
}

#[test]
fn a_value_of_the_wrong_type_is_unknown_never_green() {
    let numeric = check(Some(above(10.0, 0)), None);
    let word = check(Some(limit(Comparison::IsNot, Bound::Text("ok".to_owned()), 0)), None);
    let truth = check(Some(limit(Comparison::Is, Bound::Truth(false), 0)), None);
    let senseless = check(Some(limit(Comparison::Above, Bound::Text("ok".to_owned()), 0)), None);
    let endless = check(Some(above(f64::NAN, 0)), None);
    for (check, value, letter) in [
        (&numeric, Value::text("12"), '?'),
        (&numeric, Value::Bool(true), '?'),
        (&numeric, Value::Time(at(0)), '?'),
        (&numeric, Value::Null, '?'),
        (&numeric, Value::Decimal(Decimal::new(101, 1)), 'Y'),
        (&word, Value::text("ok"), 'G'),
        (&word, Value::text("down"), 'Y'),
        (&word, Value::Integer(0), '?'),
        (&truth, Value::Bool(false), 'Y'),
        (&truth, Value::Integer(0), 'Y'),
        (&truth, Value::Integer(1), 'G'),
        (&truth, Value::Integer(2), '?'),
        (&senseless, Value::text("ok"), '?'),
        (&endless, Value::Integer(1), '?'),
    ] {
        let measurement = Measurement { said: value.to_string(), value, detail: Text::new(""), since: None };
        let step = (0, Observation::Read { at: at(0), measurement: measurement.clone() });
        assert_eq!(letters(check, vec![step]), letter.to_string(), "{measurement:?}");
    }
}

#[test]
fn the_rule_reads_as_a_sentence() {
    let mut check = check(Some(limit(Comparison::AtLeast, Bound::Number(10.0), 0)), Some(above(15.0, 30 * MINUTE)));
    assert_eq!(rule(&check), "yellow at least 10%, red above 15% for 30m");
    check.recovers_after = Duration::from_mins(2);
    check.escalates_after = Some(Duration::from_hours(24));
    assert_eq!(rule(&check), "yellow at least 10%, red above 15% for 30m, red after 1d of yellow, recovers after 2m");
    check.yellow = Some(limit(Comparison::IsNot, Bound::Truth(true), 0));
    check.red = Some(limit(Comparison::Is, Bound::Text("down".to_owned()), 0));
    assert_eq!(rule(&check), "yellow is not yes, red is down, red after 1d of yellow, recovers after 2m");
}

fn rows(columns: &[&str], cells: Vec<Vec<Value>>) -> Rows {
    Rows::new(columns.iter().map(|name| (*name).to_owned()), cells)
}

fn look(check: &Check, rows: &Rows) -> Result<Measurement, Text> {
    measure(check, rows, at(0))
}

#[test]
fn a_measurement_is_the_value_of_the_first_row() {
    let mut check = check(Some(above(10.0, 0)), None);
    let two = rows(&["rate"], vec![vec![Value::Integer(7)], vec![Value::Integer(99)]]);
    assert_eq!(look(&check, &two).unwrap().said, "7%");
    let empty = look(&check, &rows(&["rate"], vec![vec![Value::Null]])).unwrap_err();
    assert_eq!(empty.shown(), "`rate` is empty");
    assert_eq!(look(&check, &rows(&["rate"], vec![])).unwrap_err().shown(), "the query answered no row");
    assert_eq!(look(&check, &rows(&["other"], vec![vec![Value::Null]])).unwrap_err().shown(), "there is no column `rate`");
    let text = look(&check, &rows(&["rate"], vec![vec![Value::text("7")]])).unwrap_err();
    assert_eq!(text.shown(), "the value is text (`7`), the limit is a number");
    check.value = Expression::parse("rows").unwrap();
    assert_eq!(look(&check, &two).unwrap().value, Value::Integer(2));
    assert_eq!(look(&check, &rows(&["rate"], vec![])).unwrap().value, Value::Integer(0));
}

proptest! {
    /// Whatever comes in whatever order: Unknown exactly where the newest look failed or is too old, a flip exactly
    /// where the severity changes, and never better than the reading itself.
    #[test]
    fn a_judgement_is_never_better_than_what_was_seen(
        steps in prop::collection::vec((1_i64..200, prop::option::weighted(0.8, 0_i64..20), any::<bool>()), 1..60),
        holds in 0_u64..200,
        recovers in 0_u64..200,
    ) {
        let mut check = check(Some(above(10.0, 0)), Some(above(15.0, holds)));
        check.recovers_after = Duration::from_secs(recovers);
        let (mut memory, mut now, mut before) = (Memory::default(), 0, Severity::Unknown);
        let mut newest: Option<(i64, i64)> = None;
        let mut failed = true;
        for (index, (wait, value, is_tick)) in steps.into_iter().enumerate() {
            now += wait;
            let observation = match value {
                _ if is_tick => Observation::Nothing,
                Some(value) => Observation::Read { at: at(now), measurement: number(value) },
                None => Observation::Blind { why: Text::new("") },
            };
            if !is_tick {
                failed = value.is_none();
                newest = value.map(|value| (now, value)).or(newest);
            }
            let (next, judgement) = judge(&check, &memory, observation, at(now));
            memory = next;
            let sees = !failed && newest.is_some_and(|(read, _)| now - read <= 120);
            prop_assert_eq!(judgement.severity == Severity::Unknown, !sees);
            if sees && newest.is_some_and(|(_, value)| value > 10) {
                prop_assert!(judgement.severity >= Severity::Yellow);
            }
            let quiet_start = index == 0 && judgement.severity == Severity::Green;
            prop_assert_eq!(judgement.flip.is_some(), judgement.severity != before && !quiet_start);
            prop_assert!(judgement.since <= at(now));
            before = judgement.severity;
        }
    }
}

#[test]
fn a_detail_says_dates_in_the_zone_of_its_template() {
    let mut check = check(Some(above(10.0, 0)), None);
    let template = crate::domain::template::Template::parse("since {{ began | date }}").unwrap();
    check.detail = Some(template.in_zone(crate::domain::zone::zone("Australia/Sydney")));
    let began = Value::Time("2026-06-18T14:00:00Z".parse().unwrap());
    let measured = look(&check, &rows(&["rate", "began"], vec![vec![Value::Integer(7), began]])).unwrap();
    assert_eq!(measured.detail.shown(), "since Fri 19 Jun 2026, 00:00");
}
