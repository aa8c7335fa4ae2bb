//! How long the cockpit's own work takes: `cargo bench`. Each module is a subject.

#![expect(clippy::expect_used, reason = "a benchmark that cannot be set up must not measure something else")]

// The fixture finds the crate's rooms beside itself.
use wheelhouse::{domain, engine, ui};

#[path = "../tests/screens/fixture.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "the fixture is made for the screens' tests")]
mod fixture;

fn main() {
    divan::main();
}

/// A look's answer judged against its rule: what every check costs at every interval.
mod judging {
    use std::time::Duration;

    use chrono::{DateTime, TimeDelta};
    use divan::{Bencher, black_box};
    use wheelhouse::domain::{
        check::{Memory, Observation, judge, measure},
        expression::Expression,
        id::Id,
        pack::{Bound, Check, Comparison, Limit, Query, Read, Sql},
        rows::Rows,
        value::Value,
    };

    fn check() -> Check {
        let limit =
            |bound: f64| Limit { comparison: Comparison::Above, bound: Bound::Number(bound), holds: Duration::from_mins(30) };
        let sql = Sql { text: String::new(), numbered: String::new(), parameters: vec![] };
        Check {
            id: Id::new("refund_rate"),
            title: "Refund rate".to_owned(),
            query: Query { on: Id::new("db"), read: Read::Sql(sql), money: vec![] },
            value: Expression::parse("refunded * 100.0 / total").expect("an expression"),
            unit: "%".to_owned(),
            yellow: Some(limit(10.0)),
            red: Some(limit(15.0)),
            recovers_after: Duration::from_mins(2),
            escalates_after: Some(Duration::from_hours(24)),
            since: None,
            every: Duration::from_mins(1),
            playbook: None,
            detail: None,
            covers: vec![],
        }
    }

    #[divan::bench(args = [20, 1_000])]
    fn checks(bencher: Bencher<'_, '_>, count: usize) {
        let check = check();
        let rows = Rows::new(["refunded", "total"].map(str::to_owned), [vec![Value::Integer(9), Value::Integer(76)]]);
        bencher.bench(|| {
            let mut memory = Memory::default();
            for look in 0..count {
                let now = DateTime::UNIX_EPOCH + TimeDelta::minutes(look as i64);
                let observation = match measure(&check, black_box(&rows), now) {
                    Ok(measurement) => Observation::Read { at: now, measurement },
                    Err(why) => Observation::Blind { why },
                };
                memory = judge(&check, &memory, observation, now).0;
            }
            memory
        });
    }
}

/// Two ledgers paired, classified and added up.
mod reconciling {
    use std::{collections::BTreeMap, time::Duration};

    use chrono::{DateTime, TimeDelta, Utc};
    use divan::Bencher;
    use wheelhouse::domain::{
        id::Id,
        money::{Currency, Money},
        pack::Reconciliation,
        reconcile::{Book, reconcile},
        rows::{Params, Row},
        snapshot::Entry,
    };

    const WEEK: TimeDelta = TimeDelta::days(7);

    fn reconciliation() -> Reconciliation {
        Reconciliation {
            id: Id::new("charges"),
            title: "Charges".to_owned(),
            theirs: Id::new("stripe"),
            ours: Id::new("payments"),
            window: Duration::from_hours(7 * 24),
            settle: Duration::from_hours(1),
            tolerance: Duration::from_mins(10),
            proposals: BTreeMap::new(),
            proposals_there: BTreeMap::new(),
            proposals_here: BTreeMap::new(),
            every: Duration::from_mins(5),
            covers: vec![],
        }
    }

    /// One row in a hundred is missing or wrong; a third of the rest pairs by amount and time alone.
    fn side(title: &str, rows: usize, now: DateTime<Utc>, is_theirs: bool) -> Book {
        let aud = Currency::from_code("AUD").expect("a currency");
        let row = Row::from(&Params::new());
        let entries = (0..rows).filter(|index| index % 100 != 1 || is_theirs).map(|index| {
            let is_wrong = index % 100 == 2 && !is_theirs;
            let key = if is_theirs { format!("ch_{index}") } else { index.to_string() };
            let amount = if index % 3 == 0 { 100_000 + index as i64 } else { 2_200 };
            Entry {
                key,
                link: (!is_theirs && index % 3 != 0).then(|| format!("ch_{index}")),
                amount: Money::new(amount + i64::from(is_wrong), aud),
                refunded: Money::new(0, aud),
                at: now - TimeDelta::hours(2) - TimeDelta::seconds(500_000 * index as i64 / rows as i64),
                status: None,
                settled: true,
                pending: false,
                row: row.clone(),
            }
        });
        Book::of(title, &entries.collect::<Vec<_>>()).expect("rows that can be read")
    }

    #[divan::bench(args = [1_000, 10_000, 100_000], sample_count = 10)]
    fn rows_a_side(bencher: Bencher<'_, '_>, rows: usize) {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let reconciliation = reconciliation();
        let sides = || (side("stripe", rows, now, true), side("db", rows, now, false));
        bencher.with_inputs(sides).bench_values(|(theirs, ours)| reconcile(&reconciliation, theirs, ours, now - WEEK, now, now));
    }
}

/// One frame of 120x40 while a queue of so many items is worked. It must not depend on their number.
mod drawing {
    use std::sync::Arc;

    use crossterm::event::{KeyCode, KeyEvent};
    use divan::Bencher;
    use ratatui::{Terminal, backend::TestBackend};
    use wheelhouse::ui::{self, Model, Msg, theme::Theme};

    use crate::fixture;

    fn working(items: usize) -> (Model, Terminal<TestBackend>) {
        let mut snapshot = fixture::snapshot();
        let report = Arc::make_mut(&mut snapshot.queues[0]);
        report.look.value = Some(Arc::new(fixture::many_reviews(items)));
        let mut model = Model::new(Arc::new(fixture::pack()), fixture::shown(), Some(Arc::new(snapshot)));
        ui::update(&mut model, Msg::Resize(120, 40), fixture::now());
        press(&mut model, KeyCode::Char('2'));
        press(&mut model, KeyCode::Enter);
        (model, Terminal::new(TestBackend::new(120, 40)).expect("a screen of memory"))
    }

    fn press(model: &mut Model, code: KeyCode) {
        ui::update(model, Msg::Key(KeyEvent::from(code)), fixture::now());
    }

    fn draw(model: &Model, terminal: &mut Terminal<TestBackend>, theme: &Theme) {
        terminal.draw(|frame| ui::view(model, frame, theme, fixture::now())).expect("a frame");
    }

    #[divan::bench(args = [100, 10_000, 100_000])]
    fn a_frame(bencher: Bencher<'_, '_>, items: usize) {
        let (model, mut terminal) = working(items);
        let theme = Theme::plain();
        bencher.bench_local(|| draw(&model, &mut terminal, &theme));
    }

    #[divan::bench(args = [100, 10_000, 100_000])]
    fn a_key_and_its_frame(bencher: Bencher<'_, '_>, items: usize) {
        let (mut model, mut terminal) = working(items);
        let theme = Theme::plain();
        let mut keys = [KeyCode::Char('j'), KeyCode::Char('k')].into_iter().cycle();
        bencher.bench_local(|| {
            press(&mut model, keys.next().unwrap_or(KeyCode::Null));
            draw(&model, &mut terminal, &theme);
        });
    }
}
