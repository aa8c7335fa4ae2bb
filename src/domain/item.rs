//! A queue's rows as items: each named by its key, never by its place; with its deadline, its presets and what it is
//! barred from.

use std::{cmp::Ordering, collections::HashMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    guard,
    pack::{self, Action, Guard, Queue},
    rows::{Params, Row, Rows},
    snapshot::{Item, Items},
    text::Text,
    value::Value,
};

/// An error says which row cannot be an item: a list with a row missing is worse than none.
pub fn items(queue: &Queue, actions: &[Action], rows: &Rows, now: DateTime<Utc>) -> Result<Items, String> {
    let offered: Vec<&Action> = queue.actions.iter().filter_map(|id| pack::find(actions, id)).collect();
    let judged: Vec<(&Action, Vec<&Guard>)> =
        offered.into_iter().map(|action| (action, judged_in_the_list(action, rows.columns()))).collect();
    let names = Params::from([("now".to_owned(), Value::Time(now))]);
    let mut places: HashMap<String, usize> = HashMap::with_capacity(rows.len());
    let mut items = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        let number = index + 1;
        let key = key(queue, row, number)?;
        if let Some(first) = places.insert(key.clone(), number) {
            return Err(format!("{}: `{}` {key} stands on rows {first} and {number}", queue.title, queue.key));
        }
        let since = queue.since.as_deref().map_or(Ok(None), |column| time(queue, row, column, number))?;
        let deadline = match &queue.deadline {
            None => None,
            Some(deadline) => time(queue, row, &deadline.column, number)?
                .and_then(|from| from.checked_add_signed(TimeDelta::from_std(deadline.after).ok()?)),
        };
        let presets = queue
            .presets
            .iter()
            .filter(|preset| preset.filter.holds_with(row, &names))
            .map(|preset| preset.name.clone())
            .collect();
        let barred = judged
            .iter()
            .filter_map(|(action, guards)| first_failing(guards, row, now).map(|why| (action.id.clone(), why)))
            .collect();
        items.push(Arc::new(Item { key, row: row.clone(), since, deadline, presets, barred }));
    }
    let groups = together(queue, &mut items);
    Ok(Items { items, left_out: rows.left_out(), groups })
}

/// Brings together what the queue's group says, in the order of its columns; each group keeps the order of its rows.
fn together(queue: &Queue, items: &mut [Arc<Item>]) -> Vec<(Text, usize)> {
    if queue.group.is_empty() {
        return Vec::new();
    }
    let cell = |item: &Item, column: &String| item.row.find(column).cloned().unwrap_or_default();
    items.sort_by(|a, b| {
        let mut orders = queue.group.iter().map(|column| cell(a, column).order(&cell(b, column)));
        orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    });
    let mut groups: Vec<(Text, usize)> = Vec::new();
    for item in items.iter() {
        let shared: Vec<String> = queue.group.iter().map(|column| cell(item, column).original()).collect();
        let shared =
            Text::new(shared.iter().map(|said| if said.is_empty() { "-" } else { said.as_str() }).collect::<Vec<_>>().join(" "));
        match groups.last_mut() {
            Some((last, count)) if *last == shared => *count += 1,
            Some(_) | None => groups.push((shared, 1)),
        }
    }
    groups
}

/// The guards that the list can judge: one that reads an input, or a column that only the fresh reads bring, is judged
/// when the action is proposed.
fn judged_in_the_list<'a>(action: &'a Action, columns: &[String]) -> Vec<&'a Guard> {
    let is_here = |name: &str| name == "now" || columns.iter().any(|column| name == column || is_part_of(name, column));
    let comes_later =
        |name: &String| !is_here(name) && (!action.fresh.is_empty() || action.inputs.iter().any(|input| input.name == *name));
    action.guards.iter().filter(|guard| !guard::columns(guard).iter().any(comes_later)).collect()
}

/// `body.mode` is a part of the JSON cell `body`.
fn is_part_of(name: &str, column: &str) -> bool {
    name.strip_prefix(column).is_some_and(|rest| rest.starts_with('.'))
}

fn first_failing(guards: &[&Guard], row: &Row, now: DateTime<Utc>) -> Option<Text> {
    guards.iter().map(|guard| guard::verdict(guard, row, now)).find(|verdict| !verdict.holds).map(|verdict| {
        if verdict.said.shown().is_empty() {
            Text::new(verdict.title)
        } else {
            Text::new(format!("{}: {}", verdict.title, verdict.said.original()))
        }
    })
}

fn key(queue: &Queue, row: &Row, number: usize) -> Result<String, String> {
    match row.find(&queue.key) {
        None => Err(format!("{}: there is no column `{}`", queue.title, queue.key)),
        Some(value) => {
            let key = value.original();
            if key.is_empty() { Err(format!("{}: row {number} has no `{}`", queue.title, queue.key)) } else { Ok(key) }
        }
    }
}

fn time(queue: &Queue, row: &Row, column: &str, number: usize) -> Result<Option<DateTime<Utc>>, String> {
    match row.find(column) {
        None => Err(format!("{}: there is no column `{column}`", queue.title)),
        Some(Value::Null) => Ok(None),
        Some(Value::Time(time)) => Ok(Some(*time)),
        Some(other) => Err(format!("{}: `{column}` of row {number} is not a time (`{other}`)", queue.title)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::{
        expression::Expression,
        id::Id,
        pack::{Confirm, Deadline, GuardRule, Input, InputKind, Preset, Query, Read, Sql, WindowClock},
    };

    fn now() -> DateTime<Utc> {
        "2026-04-06T00:00:00Z".parse().unwrap()
    }

    fn query() -> Query {
        let sql = Sql { text: String::new(), numbered: String::new(), parameters: vec![] };
        Query { on: Id::new("db"), read: Read::Sql(sql), money: vec![] }
    }

    fn queue() -> Queue {
        Queue {
            id: Id::new("refunds"),
            title: "Refunds".to_owned(),
            query: query(),
            key: "id".to_owned(),
            items: Id::new("refunds"),
            since: Some("requested_at".to_owned()),
            deadline: Some(Deadline { column: "purchased_at".to_owned(), after: Duration::from_hours(72) }),
            group: vec![],
            minutes_each: 4.0,
            target_below: None,
            presets: vec![Preset { name: "small".to_owned(), filter: Expression::parse("amount < 50").unwrap() }],
            actions: vec![Id::new("approve"), Id::new("deny")],
            columns: vec![],
            body: None,
            empty: String::new(),
            every: Duration::from_mins(1),
            covers: vec![],
        }
    }

    fn action(name: &str, guards: Vec<Guard>) -> Action {
        Action {
            id: Id::new(name),
            title: name.to_owned(),
            key: None,
            effects: vec![],
            guards,
            inputs: vec![],
            undo: None,
            confirm: Confirm::Key,
            stops_at_unknown: false,
            hold: Duration::ZERO,
            amount: None,
            fresh: vec![],
            unchanged: vec![],
            label: None,
            covers: vec![],
        }
    }

    fn within() -> Guard {
        let window = Duration::from_hours(72);
        let rule = GuardRule::Within { column: "purchased_at".to_owned(), window, clock: WindowClock::Now };
        Guard { title: "within 3 days".to_owned(), rule, says: None }
    }

    fn holds(title: &str, expression: &str) -> Guard {
        Guard { title: title.to_owned(), rule: GuardRule::Holds(Expression::parse(expression).unwrap()), says: None }
    }

    fn rows(cells: Vec<(Value, i64, i64)>) -> Rows {
        let columns = ["id", "requested_at", "purchased_at", "amount"].map(str::to_owned);
        let hours = |hours: i64| Value::Time(now() - TimeDelta::hours(hours));
        Rows::new(columns, cells.into_iter().map(|(id, age, amount)| vec![id, hours(1), hours(age), Value::Integer(amount)]))
    }

    #[test]
    fn rows_become_items_with_deadline_presets_and_bars() {
        let actions = [action("deny", vec![]), action("approve", vec![within()])];
        let rows = rows(vec![(Value::Integer(7), 69, 22), (Value::text("x"), 97, 80)]);
        let items = items(&queue(), &actions, &rows, now()).unwrap().items;
        assert_eq!(items[0].key, "7");
        assert_eq!(items[0].since, Some(now() - TimeDelta::hours(1)));
        assert_eq!(items[0].deadline, Some(now() + TimeDelta::hours(3)));
        assert_eq!(items[0].presets, ["small"]);
        assert!(items[0].barred.is_empty());
        assert!(items[1].presets.is_empty());
        assert_eq!(items[1].barred_from(&Id::new("approve")).unwrap().shown(), "within 3 days: over by 1d 1h");
        assert!(items[1].barred_from(&Id::new("deny")).is_none());
    }

    #[test]
    fn a_row_without_a_name_of_its_own_is_refused() {
        for (cells, said) in [
            (vec![(Value::Null, 1, 1)], "Refunds: row 1 has no `id`"),
            (vec![(Value::text(""), 1, 1)], "Refunds: row 1 has no `id`"),
            (
                vec![(Value::Integer(4), 1, 1), (Value::Integer(5), 1, 1), (Value::Integer(4), 1, 1)],
                "Refunds: `id` 4 stands on rows 1 and 3",
            ),
        ] {
            assert_eq!(items(&queue(), &[], &rows(cells), now()).unwrap_err(), said);
        }
        let nameless = Rows::new(["amount".to_owned()], [vec![Value::Integer(1)]]);
        assert_eq!(items(&queue(), &[], &nameless, now()).unwrap_err(), "Refunds: there is no column `id`");
    }

    #[test]
    fn a_time_that_is_no_time_is_refused_and_an_empty_one_is_none() {
        let columns = || ["id", "requested_at", "purchased_at"].map(str::to_owned);
        let of = |value: Value| Rows::new(columns(), [vec![Value::Integer(1), value, Value::Null]]);
        let item = items(&queue(), &[], &of(Value::Null), now()).unwrap();
        assert_eq!((item.items[0].since, item.items[0].deadline), (None, None));
        let wrong = items(&queue(), &[], &of(Value::text("yesterday")), now()).unwrap_err();
        assert_eq!(wrong, "Refunds: `requested_at` of row 1 is not a time (`yesterday`)");
    }

    #[test]
    fn what_only_a_fresh_read_or_an_input_brings_is_judged_later() {
        let guards = || vec![holds("not refunded yet", "amount_refunded == 0"), holds("enough left", "amount_refunded < amount")];
        let plain = action("approve", guards());
        let fresh = Action { fresh: vec![query()], ..action("approve", guards()) };
        let asked = Input { name: "amount_refunded".to_owned(), title: String::new(), kind: InputKind::Text, required: true };
        let input = Action { inputs: vec![asked], ..action("approve", guards()) };
        for (action, barred) in [(plain, 1), (fresh, 0), (input, 0)] {
            let items = items(&queue(), &[action], &rows(vec![(Value::Integer(1), 1, 1)]), now()).unwrap();
            assert_eq!(items.items[0].barred.len(), barred);
        }
    }

    #[test]
    fn items_of_a_group_stand_together_in_the_order_of_their_rows_and_are_counted() {
        let cells = [("e", 1, "b"), ("d", 2, "a"), ("c", 3, "b"), ("b", 4, ""), ("a", 5, "a")];
        let cells = cells.map(|(id, amount, kind)| vec![Value::text(id), Value::Integer(amount), Value::text(kind)]);
        let rows = Rows::new(["id", "amount", "kind"].map(str::to_owned), cells);
        let queue = Queue { since: None, deadline: None, presets: vec![], group: vec!["kind".to_owned()], ..queue() };
        let items = items(&queue, &[], &rows, now()).unwrap();
        assert_eq!(items.items.iter().map(|item| item.key.as_str()).collect::<String>(), "bdaec");
        let groups: Vec<_> = items.groups.iter().map(|(shared, count)| (shared.shown(), *count)).collect();
        assert_eq!(groups, [("-", 1), ("a", 2), ("b", 2)]);
    }
}
