//! The typed filter: words, `column>value`, `age>3d`, `left<6h`, a preset's name. All of its terms must hold.

use std::cmp::Ordering;

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{pack::Queue, snapshot::Item, value::Value};

/// A filter as typed, read once and asked of many items.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    text: String,
    terms: Vec<Term>,
    /// What of it could not be read, for the screen.
    problem: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
enum Term {
    Contains(String),
    Preset(String),
    Age(Operator, TimeDelta),
    Left(Operator, TimeDelta),
    Column(String, Operator, Operand),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Operator {
    AtLeast,
    AtMost,
    Not,
    More,
    Less,
    Is,
}

impl Operator {
    /// The longer first, so that `>=` is not read as `>`.
    const ALL: [(&'static str, Self); 6] =
        [(">=", Self::AtLeast), ("<=", Self::AtMost), ("!=", Self::Not), (">", Self::More), ("<", Self::Less), ("=", Self::Is)];

    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::AtLeast => order.is_ge(),
            Self::AtMost => order.is_le(),
            Self::Not => order.is_ne(),
            Self::More => order.is_gt(),
            Self::Less => order.is_lt(),
            Self::Is => order.is_eq(),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Operand {
    text: String,
    number: Option<f64>,
    span: Option<TimeDelta>,
}

impl Filter {
    pub fn parse(text: &str, queue: &Queue, columns: &[String]) -> Self {
        let mut filter = Self { text: text.trim().to_owned(), ..Self::default() };
        for word in text.split_whitespace() {
            match term(word, queue, columns) {
                Ok(term) => filter.terms.push(term),
                Err(problem) => filter.problem = Some(problem),
            }
        }
        filter
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    pub fn holds(&self, item: &Item, now: DateTime<Utc>) -> bool {
        self.terms.iter().all(|term| term.holds(item, now))
    }
}

fn term(word: &str, queue: &Queue, columns: &[String]) -> Result<Term, String> {
    let found = Operator::ALL.iter().filter_map(|(sign, operator)| {
        word.split_once(sign).filter(|(name, _)| !name.is_empty()).map(|(name, value)| (name, *operator, value))
    });
    // The operator that comes first in the word is the one that was meant.
    let Some((name, operator, value)) = found.min_by_key(|(name, ..)| name.len()) else {
        let word = word.to_lowercase();
        let preset = queue.presets.iter().find(|preset| preset.name.to_lowercase() == word);
        return Ok(preset.map_or(Term::Contains(word), |preset| Term::Preset(preset.name.clone())));
    };
    let span = span(value);
    match (name, span) {
        ("age", Some(span)) => return Ok(Term::Age(operator, span)),
        ("left", Some(span)) => return Ok(Term::Left(operator, span)),
        ("age" | "left", None) => return Err(format!("`{value}` is no span of time; write 30m, 6h, 3d")),
        _ => {}
    }
    let titled = queue.columns.iter().find(|spec| spec.title.eq_ignore_ascii_case(name)).map(|spec| spec.column.clone());
    let exact = columns.iter().find(|column| column.eq_ignore_ascii_case(name)).cloned();
    let Some(column) = exact.or(titled) else {
        let nearest = columns.iter().max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)));
        let hint = nearest.map_or_else(String::new, |column| format!("; the nearest is `{column}`"));
        return Err(format!("no column `{name}`{hint}"));
    };
    Ok(Term::Column(column, operator, Operand { text: value.to_lowercase(), number: number(value), span }))
}

fn number(text: &str) -> Option<f64> {
    match text.strip_suffix('%') {
        Some(percent) => percent.parse::<f64>().ok().map(|number| number / 100.0),
        None => text.parse().ok(),
    }
}

fn span(text: &str) -> Option<TimeDelta> {
    let unit = text.chars().last()?;
    let number: f64 = text.strip_suffix(unit)?.parse().ok()?;
    let seconds = match unit {
        's' => 1.0,
        'm' => 60.0,
        'h' => 3_600.0,
        'd' => 86_400.0,
        'w' => 604_800.0,
        _ => return None,
    };
    TimeDelta::try_seconds((number * seconds) as i64)
}

/// Without regard to case; a plain needle costs no copy, for it is looked for in every cell of every row.
fn contains(text: &str, needle: &str) -> bool {
    if needle.is_ascii() {
        return needle.is_empty()
            || text.as_bytes().windows(needle.len()).any(|part| part.eq_ignore_ascii_case(needle.as_bytes()));
    }
    text.to_lowercase().contains(needle)
}

impl Term {
    fn holds(&self, item: &Item, now: DateTime<Utc>) -> bool {
        match self {
            Self::Contains(needle) => {
                contains(&item.key, needle)
                    || item.row.cells().any(|(_, value)| match value {
                        Value::Text(text) => contains(text.shown(), needle),
                        other => contains(&other.to_string(), needle),
                    })
            }
            Self::Preset(name) => item.presets.contains(name),
            Self::Age(operator, span) => item.since.is_some_and(|since| operator.holds((now - since).cmp(span))),
            Self::Left(operator, span) => item.deadline.is_some_and(|deadline| operator.holds((deadline - now).cmp(span))),
            Self::Column(column, operator, operand) => {
                item.row.find(column).is_some_and(|value| operand.compared(value, *operator, now))
            }
        }
    }
}

impl Operand {
    /// An empty cell satisfies nothing but `!=`: what is not known is neither more nor less.
    fn compared(&self, value: &Value, operator: Operator, now: DateTime<Utc>) -> bool {
        if value.is_null() {
            return operator == Operator::Not;
        }
        let number = self.number.zip(value.number()).and_then(|(wanted, cell)| cell.partial_cmp(&wanted));
        let age = self.span.zip(value.time()).map(|(wanted, at)| (now - at).cmp(&wanted));
        let order = number.or(age).unwrap_or_else(|| value.to_string().to_lowercase().as_str().cmp(&self.text));
        operator.holds(order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::model::fixture;

    fn kept(text: &str) -> Vec<String> {
        let now = fixture::now();
        let queue = fixture::pack().queues.into_iter().next().unwrap();
        let items = fixture::reviews(now);
        let columns: Vec<String> = items.items.first().unwrap().row.cells().map(|(name, _)| name.to_owned()).collect();
        let filter = Filter::parse(text, &queue, &columns);
        items.items.iter().filter(|item| filter.holds(item, now)).map(|item| item.key.clone()).collect()
    }

    #[test]
    fn terms_narrow_and_all_of_them_must_hold() {
        for (text, wanted) in [
            ("", 6),
            ("happy", 1),
            ("HAPPY", 1),
            ("rv_90", 6),
            ("safe", 3),
            ("age>3d", 3),
            ("age<=3d safe", 1),
            ("ai_confidence>=0.9", 3),
            ("ai_confidence>=90%", 3),
            ("AI<0.5", 1),
            ("business=happy", 0),
            ("stars!=5", 4),
            ("stars>4 happy", 1),
            ("nothing-like-this", 0),
        ] {
            assert_eq!(kept(text).len(), wanted, "{text}: {:?}", kept(text));
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_with_the_nearest_name() {
        let queue = fixture::pack().queues.into_iter().next().unwrap();
        let columns = ["id".to_owned(), "ai_confidence".to_owned()];
        assert_eq!(
            Filter::parse("confidence>1", &queue, &columns).problem(),
            Some("no column `confidence`; the nearest is `ai_confidence`")
        );
        assert_eq!(Filter::parse("age>soon", &queue, &columns).problem(), Some("`soon` is no span of time; write 30m, 6h, 3d"));
        assert_eq!(Filter::parse("id!=a>b", &queue, &columns).problem(), None);
    }
}
