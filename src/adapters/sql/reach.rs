//! What a role of PostgreSQL may do beyond what any action needs, and whether the server's clock agrees with ours.
//! Told at the start, with the next step; nothing is refused for it.

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{
    age,
    identity::{ToldTime, is_off},
    rows::{Row, Rows},
    text,
    value::Value,
};

/// The role, the clock, and every table that it could empty, or drop because it owns it.
pub(super) const LOOK: &str = "\
select r.rolname::text as role, r.rolsuper as is_superuser, r.rolcreaterole or r.rolcreatedb or r.rolbypassrls as is_steward, \
clock_timestamp() as now, t.name, t.owned, t.emptied from pg_roles r left join (\
select n.nspname || '.' || c.relname as name, pg_has_role(c.relowner, 'usage') as owned, \
has_table_privilege(c.oid, 'delete') or has_table_privilege(c.oid, 'truncate') as emptied \
from pg_class c join pg_namespace n on n.oid = c.relnamespace \
where c.relkind in ('r', 'p') and c.relpersistence <> 't' and n.nspname <> 'information_schema' and n.nspname not like 'pg\\_%' \
) t on t.owned or t.emptied where r.rolname = current_user order by t.name";

/// Tables that are named; the others are counted.
const NAMED: usize = 3;

/// Sentences about what `LOOK` answered, asked between two moments of this machine.
pub(super) fn said(rows: &Rows, asked: DateTime<Utc>, answered: DateTime<Utc>) -> Vec<String> {
    let Some(first) = rows.first() else { return Vec::new() };
    let role = first.find("role").map(Value::original).unwrap_or_default();
    let mut said = Vec::new();
    let less = "this pack needs far less: act as a role that may read, and change just the columns of its actions";
    if is(first, "is_superuser") {
        said.push(format!("the role `{role}` is a superuser and can do anything here; {less}"));
    } else {
        if is(first, "is_steward") {
            said.push(format!("the role `{role}` can make roles or databases, or pass by row security; {less}"));
        }
        let named = |column: &str| -> Vec<String> {
            rows.iter().filter(|row| is(row, column)).filter_map(|row| row.find("name").map(Value::original)).collect()
        };
        let owned = named("owned");
        if !owned.is_empty() {
            said.push(format!("the role `{role}` owns {} and can change or drop them; give it grants instead", few(&owned)));
        }
        let emptied: Vec<_> = named("emptied").into_iter().filter(|name| !owned.contains(name)).collect();
        if !emptied.is_empty() {
            let all = emptied.join(", ");
            let tables = if emptied.len() > NAMED { "TABLES" } else { all.as_str() };
            said.push(format!(
                "the role `{role}` can delete the rows of {}; where no action does: `revoke delete, truncate on {tables} from {role}`",
                few(&emptied)
            ));
        }
    }
    said.extend(moment(first).and_then(|now| drift(now, asked, answered)));
    said
}

/// What lies between the clocks, less what the answer took on its way.
fn drift(now: DateTime<Utc>, asked: DateTime<Utc>, answered: DateTime<Utc>) -> Option<String> {
    let ahead = ToldTime { now, unit: TimeDelta::zero() }.ahead(asked, answered);
    let word = if ahead > TimeDelta::zero() { "ahead of" } else { "behind" };
    is_off(ahead).then(|| {
        format!(
            "its clock is {} {word} this machine's: what is claimed there is judged by its clock, all else by this machine's; set the wrong one right",
            age::span(ahead.abs())
        )
    })
}

fn few(names: &[String]) -> String {
    let named = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {}", text::counted(more as u64, "more table")),
    }
}

fn is(row: &Row, column: &str) -> bool {
    row.find(column) == Some(&Value::Bool(true))
}

fn moment(row: &Row) -> Option<DateTime<Utc>> {
    match row.find("now") {
        Some(Value::Time(now)) => Some(*now),
        Some(_) | None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    #[test]
    fn clocks_are_compared_less_what_the_answer_took() {
        assert_eq!(drift(at(105), at(100), at(110)), None);
        assert_eq!(drift(at(112), at(100), at(110)), None, "two seconds are tolerated");
        assert!(drift(at(113), at(100), at(110)).unwrap().starts_with("its clock is 3s ahead of this machine's"));
        assert!(drift(at(40), at(100), at(110)).unwrap().starts_with("its clock is 1m behind this machine's"));
    }

    #[test]
    fn a_role_that_can_do_more_is_told_what_and_what_to_do() {
        let look = |cells: [(&str, bool, bool); 2]| {
            let row = |(name, owned, emptied): (&str, bool, bool)| {
                vec![
                    Value::text("app"),
                    Value::Bool(false),
                    Value::Bool(false),
                    Value::Time(at(0)),
                    Value::text(name),
                    Value::Bool(owned),
                    Value::Bool(emptied),
                ]
            };
            let columns = ["role", "is_superuser", "is_steward", "now", "name", "owned", "emptied"].map(str::to_owned);
            said(&Rows::new(columns, cells.map(row)), at(0), at(0))
        };
        assert_eq!(
            look([("public.a", true, true), ("public.b", false, true)]),
            [
                "the role `app` owns public.a and can change or drop them; give it grants instead",
                "the role `app` can delete the rows of public.b; where no action does: `revoke delete, truncate on public.b from app`",
            ]
        );
        assert_eq!(look([("public.a", false, false), ("public.b", false, false)]), [] as [&str; 0]);
    }
}
