//! Moments that a file keeps in another form than they are asked by. SQLite has no moments: what is bound as
//! `2026-01-01 09:00:00` is compared as text, so that of the same day `2026-01-01T08:00:00Z` always counts as later, and
//! every number as earlier. Never an answer from such a comparison: it would be wrong in silence.

use crate::domain::value::Value;

/// A column as it stands in the statement, bare, on one side of a comparison whose other side is a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Compared {
    /// What stands before the column: a table or the name that the statement gives it.
    pub(super) of: Option<String>,
    pub(super) column: String,
    /// Whether the statement may have made it itself.
    pub(super) is_given: bool,
}

impl Compared {
    fn of(of: Option<&String>, column: &str) -> Self {
        Self { of: of.cloned(), column: column.to_owned(), is_given: false }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    /// In quotes of its own: never a word of the language.
    Name(String),
    Dot,
    Open,
    Close,
    /// `,` or `;`
    Stop,
    /// `<`, `<=`, `>`, `>=`
    Order,
    Moment,
    Other,
}

/// The bare columns that the statement puts in order with a bound moment; `$1`, `$2` ... are `values`.
pub(super) fn compared(text: &str, values: &[Value]) -> Vec<Compared> {
    if !values.iter().any(|value| matches!(value, Value::Time(_))) {
        return Vec::new();
    }
    let tokens = tokens(text, values);
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if *token != Token::Moment {
            continue;
        }
        let (before, after) = (tokens.get(..at).unwrap_or_default(), tokens.get(at + 1..).unwrap_or_default());
        let with_origin = |one: Compared| Compared { is_given: is_given(&tokens, at, &one.column), ..one };
        // `column < $1`, and nothing is done with the moment first.
        let ends = matches!(after.first(), None | Some(Token::Close | Token::Stop | Token::Word(_)));
        if let [before @ .., Token::Order] = before
            && ends
        {
            found.extend(column_at_the_end(before).map(with_origin));
        }
        if let [before @ .., Token::Word(between)] = before
            && between.eq_ignore_ascii_case("between")
            && ends
        {
            found.extend(column_at_the_end(before).map(with_origin));
        }
        // `$1 < column`
        if let [Token::Order, after @ ..] = after
            && starts(before.last())
        {
            found.extend(column_at_the_start(after).map(with_origin));
        }
    }
    found.dedup();
    found
}

/// Whether a side of a comparison begins behind it.
fn starts(token: Option<&Token>) -> bool {
    match token {
        None | Some(Token::Open | Token::Stop) => true,
        Some(Token::Word(word)) => {
            ["where", "and", "or", "not", "on", "when", "having", "select"].iter().any(|known| word.eq_ignore_ascii_case(known))
        }
        Some(Token::Name(_) | Token::Dot | Token::Close | Token::Order | Token::Moment | Token::Other) => false,
    }
}

fn column_at_the_end(tokens: &[Token]) -> Option<Compared> {
    let (before, compared) = match tokens {
        [before @ .., Token::Word(of) | Token::Name(of), Token::Dot, Token::Word(column) | Token::Name(column)] => {
            (before, Compared::of(Some(of), column))
        }
        [before @ .., Token::Word(column) | Token::Name(column)] => (before, Compared::of(None, column)),
        _ => return None,
    };
    starts(before.last()).then_some(compared)
}

fn column_at_the_start(tokens: &[Token]) -> Option<Compared> {
    let (compared, after) = match tokens {
        [Token::Word(of) | Token::Name(of), Token::Dot, Token::Word(column) | Token::Name(column), after @ ..] => {
            (Compared::of(Some(of), column), after)
        }
        [Token::Word(column) | Token::Name(column), after @ ..] => (Compared::of(None, column), after),
        _ => return None,
    };
    matches!(after.first(), None | Some(Token::Close | Token::Stop | Token::Word(_))).then_some(compared)
}

/// The tables that a name in the statement stands for: itself, or what the statement calls so (`repairs r`,
/// `repairs as r`).
pub(super) fn named<'t>(text: &str, name: &str, tables: &'t [String]) -> Option<&'t String> {
    let words: Vec<String> = tokens(text, &[])
        .into_iter()
        .map(|token| match token {
            Token::Word(word) | Token::Name(word) => word,
            Token::Dot | Token::Open | Token::Close | Token::Stop | Token::Order | Token::Moment | Token::Other => String::new(),
        })
        .filter(|word| !word.eq_ignore_ascii_case("as"))
        .collect();
    let called = |table: &&String| {
        words
            .windows(2)
            .any(|two| matches!(two, [one, other] if one.eq_ignore_ascii_case(table) && other.eq_ignore_ascii_case(name)))
    };
    tables.iter().find(called).or_else(|| tables.iter().find(|table| table.eq_ignore_ascii_case(name)))
}

/// Whether the statement gives this name to something itself, in brackets that are over where it is compared (`used`):
/// then it need not be the table's own column. In the same `select` the table's column goes before what is called so.
fn is_given(tokens: &[Token], used: usize, column: &str) -> bool {
    tokens.iter().enumerate().any(|(at, token)| {
        let (before, after) = (tokens.get(..at).unwrap_or_default(), tokens.get(at + 1..).unwrap_or_default());
        // `datetime(made) as made`, and the same without the word.
        let is_named = match before.last() {
            Some(Token::Close) => true,
            Some(Token::Word(word)) => ["as", "end"].iter().any(|known| word.eq_ignore_ascii_case(known)),
            Some(Token::Name(_) | Token::Dot | Token::Open | Token::Stop | Token::Order | Token::Moment | Token::Other)
            | None => false,
        };
        matches!(token, Token::Word(name) | Token::Name(name) if name.eq_ignore_ascii_case(column))
            && (is_named || is_listed(before, after))
            && is_over(tokens, at, used)
    })
}

/// Whether the innermost brackets around a place do not hold the other.
fn is_over(tokens: &[Token], at: usize, other: usize) -> bool {
    fn leaves<'t>(mut way: impl Iterator<Item = &'t Token>, opens: &Token, closes: &Token) -> bool {
        let mut depth = 0_i32;
        way.any(|token| {
            depth += i32::from(token == opens) - i32::from(token == closes);
            depth < 0
        })
    }
    if at < other {
        leaves(tokens.get(at..other).unwrap_or_default().iter(), &Token::Open, &Token::Close)
    } else {
        leaves(tokens.get(other..at).unwrap_or_default().iter().rev(), &Token::Close, &Token::Open)
    }
}

/// Whether it is of the columns in `with recent(id, made) as (...)`.
fn is_listed(before: &[Token], after: &[Token]) -> bool {
    let is_part = |token: &&Token| matches!(token, Token::Word(_) | Token::Name(_) | Token::Stop);
    let mut before = before.iter().rev().skip_while(is_part);
    let begins = matches!((before.next(), before.next()), (Some(Token::Open), Some(Token::Word(_) | Token::Name(_))));
    let mut after = after.iter().skip_while(is_part);
    let ends =
        matches!((after.next(), after.next()), (Some(Token::Close), Some(Token::Word(word))) if word.eq_ignore_ascii_case("as"));
    let is_defined = match after.next() {
        Some(Token::Open) => true,
        Some(Token::Word(word)) => ["materialized", "not"].iter().any(|known| word.eq_ignore_ascii_case(known)),
        Some(Token::Name(_) | Token::Dot | Token::Close | Token::Stop | Token::Order | Token::Moment | Token::Other) | None => {
            false
        }
    };
    begins && ends && is_defined
}

/// Whether the statement names a table.
pub(super) fn names(text: &str, table: &str) -> bool {
    tokens(text, &[])
        .iter()
        .any(|token| matches!(token, Token::Word(word) | Token::Name(word) if word.eq_ignore_ascii_case(table)))
}

fn tokens(text: &str, values: &[Value]) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let (token, length) = match first {
            '\'' => (Some(Token::Other), quoted(rest, '\'').len()),
            '"' | '`' => (Some(Token::Name(inside(quoted(rest, first)))), quoted(rest, first).len()),
            '[' => {
                let length = rest.find(']').map_or(rest.len(), |end| end + 1);
                (Some(Token::Name(inside(rest.get(..length).unwrap_or_default()))), length)
            }
            '-' if rest.starts_with("--") => (None, rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => (None, rest.find("*/").map_or(rest.len(), |end| end + 2)),
            '$' => {
                let digits =
                    rest.len() - 1 - rest.get(1..).unwrap_or_default().trim_start_matches(|c: char| c.is_ascii_digit()).len();
                let number: Option<usize> = rest.get(1..=digits).and_then(|digits| digits.parse().ok());
                let value = number.and_then(|number| values.get(number.checked_sub(1)?));
                (Some(if matches!(value, Some(Value::Time(_))) { Token::Moment } else { Token::Other }), 1 + digits)
            }
            '<' if rest.starts_with("<>") || rest.starts_with("<<") => (Some(Token::Other), 2),
            '>' if rest.starts_with(">>") => (Some(Token::Other), 2),
            '<' | '>' => (Some(Token::Order), if rest.get(1..2) == Some("=") { 2 } else { 1 }),
            '.' => (Some(Token::Dot), 1),
            '(' => (Some(Token::Open), 1),
            ')' => (Some(Token::Close), 1),
            ',' | ';' => (Some(Token::Stop), 1),
            letter if letter.is_alphabetic() || letter == '_' => {
                let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                (Some(Token::Word(rest.get(..length).unwrap_or_default().to_owned())), length)
            }
            blank if blank.is_whitespace() => (None, blank.len_utf8()),
            other => (Some(Token::Other), other.len_utf8()),
        };
        tokens.extend(token);
        rest = rest.get(length.max(1)..).unwrap_or_default();
    }
    tokens
}

/// What begins with a quote, to its end; two of them are one that does not end it.
fn quoted(text: &str, quote: char) -> &str {
    let mut ends = text.match_indices(quote).map(|(at, _)| at).skip(1);
    while let Some(end) = ends.next() {
        if text.get(end + 1..).is_some_and(|rest| rest.starts_with(quote)) {
            ends.next();
            continue;
        }
        return text.get(..=end).unwrap_or(text);
    }
    text
}

fn inside(quoted: &str) -> String {
    let mut characters = quoted.chars();
    characters.next();
    characters.next_back();
    characters.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_columns_that_are_put_in_order_with_a_moment_are_found_and_nothing_else() {
        let values = [Value::Time("2026-01-01T09:00:00Z".parse().unwrap()), Value::text("x")];
        for (text, columns) in [
            ("select 1 from t where a < $1", "a"),
            ("select 1 from t where b = $2 and t.a>=$1 and c is null", "t.a"),
            ("select 1 from t where $1 > a", "a"),
            ("select 1 from t where ($1 <= t.\"at\")", "t.at"),
            ("select 1 from t where a between $1 and $1", "a"),
            ("select sum(case when a < $1 then 1 end) from t", "a"),
            ("select a < $1, $1 > b from t", "a b"),
            ("select 1 from t where [a] < $1;", "a"),
            ("select 1 from t where datetime(a) < $1", ""),
            ("select 1 from t where a < datetime($1)", ""),
            ("select 1 from t where $1 < datetime(a)", ""),
            ("select 1 from t where a < $1 || 'Z'", ""),
            ("select 1 from t where x || a < $1", ""),
            ("select 1 from t where $1 < a || 'Z'", ""),
            ("select 1 from t where a = $1 or a <> $1", ""),
            ("select 1 from t where a < $2", ""),
            ("select 1 from t where note = 'a < $1' -- a < $1\n", ""),
            ("select 1 from t where note = 'it''s a < $1' /* a < $1 */", ""),
            ("update t set a = $1 where b is null", ""),
        ] {
            let shown =
                |one: &Compared| format!("{}{}", one.of.as_ref().map_or_else(String::new, |of| format!("{of}.")), one.column);
            let found: Vec<String> = compared(text, &values).iter().map(shown).collect();
            assert_eq!(found.join(" "), columns, "{text}");
        }
        assert_eq!(compared("select 1 from t where a < $2", &values), []);
    }

    #[test]
    fn a_table_is_known_by_its_own_name_and_by_what_the_statement_calls_it() {
        let tables = ["repairs".to_owned(), "bills".to_owned()];
        let text = "select 1 from Repairs as r join bills b on b.id = r.bill";
        for (name, table) in [("r", Some("repairs")), ("b", Some("bills")), ("bills", Some("bills")), ("x", None)] {
            assert_eq!(named(text, name, &tables).map(String::as_str), table, "{name}");
        }
        assert!(names(text, "repairs") && !names(text, "bill_items"));
    }

    #[test]
    fn a_name_that_the_statement_gives_itself_is_known_however_it_gives_it() {
        let values = [Value::Time("2026-01-01T09:00:00Z".parse().unwrap())];
        for (text, is_given) in [
            ("select b from (select datetime(a) as A, b from t) where a > $1", true),
            ("with recent as (select id, datetime(a) a from t) select id from recent where a > $1", true),
            ("select 1 from (select case when b then c end a from t) where $1 < a", true),
            ("with recent(id, a) as (select id, datetime(a) from t) select id from recent where a > $1", true),
            (
                "with \"recent\"(a, id) as not materialized (select datetime(a), id from t) select 1 from recent where a > $1",
                true,
            ),
            ("select b, (select 1 from u where a > $1) from (select datetime(a) as a, b from t)", true),
            ("select a, datetime(a) as c from t where a > $1", false),
            // It is the table's own all the same.
            ("select datetime(a) as a from t where a > $1", false),
            ("select datetime(a) a from t where (b or (a > $1))", false),
            ("select id from (select id, a from t) as x where a > $1", false),
            ("select max(b, a) as c from t where (a > $1)", false),
            ("insert into u (id, a) select id, a from t where a > $1", false),
        ] {
            let found = compared(text, &values);
            assert_eq!(found.iter().map(|one| one.is_given).collect::<Vec<_>>(), [is_given], "{text}");
        }
    }
}
