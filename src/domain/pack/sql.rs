//! SQL of a pack: one statement, whose parameters have names; a value never becomes part of its text.

use std::ops::Range;

use super::Sql;

/// What is wrong with a statement, and where in it (bytes).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{said}")]
pub struct SqlMistake {
    pub said: String,
    pub at: Range<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A bare word or number.
    Word,
    Quoted,
    /// `:name`, the colon included.
    Parameter,
    Mark(u8),
}

#[derive(Clone, Debug)]
struct Token {
    kind: Kind,
    at: Range<usize>,
}

/// Words that a read may begin with.
const READS: [&str; 4] = ["select", "with", "values", "table"];
/// Words that an action's statement may begin with.
const CHANGES: [&str; 6] = ["insert", "update", "delete", "merge", "with", "select"];
const WRITING: [&str; 4] = ["insert", "update", "delete", "merge"];

impl Sql {
    /// Takes one statement, a closing semicolon dropped. `:name` is a parameter outside quotes, comments, dollar
    /// quotes and `::casts`.
    pub fn parse(text: &str) -> Result<Self, SqlMistake> {
        let tokens = tokens(text)?;
        let Some(last) = tokens.iter().rfind(|token| token.kind != Kind::Mark(b';')) else {
            return Err(SqlMistake { said: "there is no statement".into(), at: 0..text.len() });
        };
        if let Some(semicolon) = tokens.iter().position(|token| token.kind == Kind::Mark(b';'))
            && let Some(next) = tokens.iter().skip(semicolon).find(|token| token.kind != Kind::Mark(b';'))
        {
            let said = "a second statement begins here; one statement each".into();
            return Err(SqlMistake { said, at: next.at.clone() });
        }
        let mut parameters: Vec<String> = Vec::new();
        let (mut numbered, mut from) = (String::with_capacity(text.len()), 0);
        for token in tokens.iter().filter(|token| token.kind == Kind::Parameter) {
            let name = piece(text, token.at.start + 1..token.at.end);
            let number = parameters.iter().position(|known| known == name).unwrap_or_else(|| {
                parameters.push(name.to_owned());
                parameters.len() - 1
            });
            numbered.push_str(piece(text, from..token.at.start));
            numbered.push('$');
            numbered.push_str(&(number + 1).to_string());
            from = token.at.end;
        }
        numbered.push_str(piece(text, from..last.at.end.max(from)));
        Ok(Self { text: text.to_owned(), numbered, parameters })
    }

    /// A read never writes: it begins with `select`, `with`, `values` or `table`, and no part of it changes rows.
    pub fn check_read(&self) -> Result<(), SqlMistake> {
        let tokens = tokens(&self.text)?;
        let first = first_word(&self.text, &tokens);
        if !first.is_some_and(|token| is_one_of(&self.text, token, &READS)) {
            let word = first.map_or("this", |token| piece(&self.text, token.at.clone()));
            let at = first.map_or(0..self.text.len(), |token| token.at.clone());
            return Err(SqlMistake { said: format!("a read cannot begin with `{word}`"), at });
        }
        for (before, token) in tokens.iter().zip(tokens.iter().skip(1)) {
            let opens = matches!(before.kind, Kind::Mark(b'(' | b')'));
            if opens && token.kind == Kind::Word && is_one_of(&self.text, token, &WRITING) {
                let word = piece(&self.text, token.at.clone());
                return Err(SqlMistake { said: format!("a read cannot `{word}`"), at: token.at.clone() });
            }
        }
        Ok(())
    }

    /// An action changes rows, and says which: never the schema, never every row of a table.
    pub fn check_change(&self) -> Result<(), SqlMistake> {
        let tokens = tokens(&self.text)?;
        let Some(first) = first_word(&self.text, &tokens) else {
            return Err(SqlMistake { said: "there is no statement".into(), at: 0..self.text.len() });
        };
        let word = piece(&self.text, first.at.clone());
        if !is_one_of(&self.text, first, &CHANGES) {
            return Err(SqlMistake { said: format!("an action cannot `{word}`: it changes rows"), at: first.at.clone() });
        }
        let has_where = tokens.iter().any(|token| is_one_of(&self.text, token, &["where"]));
        if is_one_of(&self.text, first, &["update", "delete"]) && !has_where {
            let said = format!("this `{word}` has no `where`: it would change every row");
            return Err(SqlMistake { said, at: first.at.clone() });
        }
        Ok(())
    }

    /// The statement with one parameter given for good, as a quoted text.
    pub fn with_text(&self, name: &str, value: &str) -> Result<Self, SqlMistake> {
        let (mut text, mut from) = (String::new(), 0);
        for token in tokens(&self.text)?.iter().filter(|token| token.kind == Kind::Parameter) {
            if piece(&self.text, token.at.start + 1..token.at.end) == name {
                text.push_str(piece(&self.text, from..token.at.start));
                text.push('\'');
                text.push_str(&value.replace('\'', "''"));
                text.push('\'');
                from = token.at.end;
            }
        }
        text.push_str(piece(&self.text, from..self.text.len()));
        Self::parse(&text)
    }

    /// Where a parameter first stands in the text, the colon included.
    pub fn place_of(&self, parameter: &str) -> Option<Range<usize>> {
        let tokens = tokens(&self.text).ok()?;
        let mut places = tokens.into_iter().filter(|token| token.kind == Kind::Parameter).map(|token| token.at);
        places.find(|at| piece(&self.text, at.start + 1..at.end) == parameter)
    }
}

fn piece(text: &str, at: Range<usize>) -> &str {
    text.get(at).unwrap_or_default()
}

fn first_word<'a>(text: &str, tokens: &'a [Token]) -> Option<&'a Token> {
    tokens.iter().find(|token| token.kind == Kind::Word && !piece(text, token.at.clone()).is_empty())
}

fn is_one_of(text: &str, token: &Token, words: &[&str]) -> bool {
    token.kind == Kind::Word && words.iter().any(|word| piece(text, token.at.clone()).eq_ignore_ascii_case(word))
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

fn begins_name(byte: u8) -> bool {
    is_word(byte) && !byte.is_ascii_digit()
}

fn tokens(text: &str) -> Result<Vec<Token>, SqlMistake> {
    let bytes = text.as_bytes();
    let at = |index: usize| bytes.get(index).copied().unwrap_or(0);
    let word_end = |from: usize| (from..bytes.len()).find(|&index| !is_word(at(index))).unwrap_or(bytes.len());
    let mut tokens: Vec<Token> = Vec::new();
    let mut index = 0;
    while index < bytes.len() {
        let (kind, end) = match (at(index), at(index + 1)) {
            (b'-', b'-') => (None, text.get(index..).and_then(|rest| rest.find('\n')).map_or(bytes.len(), |n| index + n)),
            (b'/', b'*') => (None, comment_end(text, index)?),
            (quote @ (b'\'' | b'"' | b'`'), _) => {
                let escapes = quote == b'\'' && tokens.last().is_some_and(|word| is_escape_mark(text, word, index));
                (Some(Kind::Quoted), quote_end(text, index, escapes)?)
            }
            (b'$', b'0'..=b'9') => {
                let end = word_end(index + 1);
                return Err(unnamed(text, index..end));
            }
            (b'$', _) => {
                dollar_quote_end(text, index)?.map_or((Some(Kind::Mark(b'$')), index + 1), |end| (Some(Kind::Quoted), end))
            }
            (b'?', _) => return Err(unnamed(text, index..index + 1)),
            (b'@', next) if begins_name(next) && !tokens.last().is_some_and(|token| token.kind == Kind::Mark(b'<')) => {
                let end = word_end(index + 1);
                return Err(unnamed(text, index..end));
            }
            (b':', b':') => (Some(Kind::Mark(b':')), index + 2),
            (b':', next) if begins_name(next) => (Some(Kind::Parameter), word_end(index + 1)),
            (b':', next) if next.is_ascii_digit() || next == b']' => (Some(Kind::Mark(b':')), index + 1),
            (b':', _) => {
                let said = "a parameter without a name; `:id` would be one".into();
                return Err(SqlMistake { said, at: index..index + 1 });
            }
            (byte, _) if is_word(byte) => (Some(Kind::Word), word_end(index)),
            (byte, _) if byte.is_ascii_whitespace() => (None, index + 1),
            (byte, _) => (Some(Kind::Mark(byte)), index + 1),
        };
        if let Some(kind) = kind {
            tokens.push(Token { kind, at: index..end });
        }
        index = end;
    }
    Ok(tokens)
}

fn unnamed(text: &str, at: Range<usize>) -> SqlMistake {
    SqlMistake { said: format!("`{}` has no name; write a parameter as `:name`", piece(text, at.clone())), at }
}

fn unfinished(what: &str, at: Range<usize>) -> SqlMistake {
    SqlMistake { said: format!("this {what} is not closed"), at }
}

/// PostgreSQL's `E'...'`, in which a backslash escapes.
fn is_escape_mark(text: &str, token: &Token, quote: usize) -> bool {
    token.at.end == quote && is_one_of(text, token, &["e"])
}

/// Comments nest, as PostgreSQL has it.
fn comment_end(text: &str, from: usize) -> Result<usize, SqlMistake> {
    let (mut depth, mut index) = (0_usize, from);
    while let Some(rest) = text.as_bytes().get(index..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with(b"/*") {
            (depth, index) = (depth + 1, index + 2);
        } else if rest.starts_with(b"*/") {
            (depth, index) = (depth - 1, index + 2);
            if depth == 0 {
                return Ok(index);
            }
        } else {
            index += 1;
        }
    }
    Err(unfinished("comment", from..from + 2))
}

fn quote_end(text: &str, from: usize, escapes: bool) -> Result<usize, SqlMistake> {
    let bytes = text.as_bytes();
    let quote = bytes.get(from).copied().unwrap_or(b'\'');
    let mut index = from + 1;
    while let Some(&byte) = bytes.get(index) {
        if byte == b'\\' && escapes {
            index += 2;
        } else if byte != quote {
            index += 1;
        } else if bytes.get(index + 1) == Some(&quote) {
            index += 2;
        } else {
            return Ok(index + 1);
        }
    }
    Err(unfinished("quote", from..from + 1))
}

/// `$$ ... $$` and `$tag$ ... $tag$`; `None` where the dollar opens no quote.
fn dollar_quote_end(text: &str, from: usize) -> Result<Option<usize>, SqlMistake> {
    let rest = text.get(from + 1..).unwrap_or_default();
    let Some(length) = rest.find('$') else { return Ok(None) };
    let tag = piece(rest, 0..length);
    if !tag.bytes().all(is_word) {
        return Ok(None);
    }
    let mark = format!("${tag}$");
    let inside = from + mark.len();
    match text.get(inside..).and_then(|rest| rest.find(&mark)) {
        Some(length) => Ok(Some(inside + length + mark.len())),
        None => Err(unfinished("dollar quote", from..inside)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_by_name() {
        let sql = Sql::parse("update t set a = :a, b = :b where id = :a;").unwrap();
        assert_eq!(sql.numbered, "update t set a = $1, b = $2 where id = $1");
        assert_eq!(sql.parameters, ["a", "b"]);
        assert_eq!(sql.place_of("b"), Some(25..27));
    }

    #[test]
    fn what_only_looks_like_a_parameter_is_left_alone() {
        for text in [
            "select ':a', \":b\", `:c`",
            "select 'it''s :a'",
            r"select E'it\'s :a'",
            "select 1 -- :a ?\n",
            "select /* :a /* :b */ ? */ 1",
            "select $$ :a ? $$, $tag$ :b $x$ $tag$",
            "select now()::date, x[1:2]",
        ] {
            let sql = Sql::parse(text).unwrap();
            assert_eq!(sql.parameters, Vec::<String>::new(), "{text}");
            assert_eq!(sql.numbered, text.trim_end_matches("-- :a ?\n").trim_end(), "{text}");
        }
        assert_eq!(Sql::parse("select :a::date").unwrap().numbered, "select $1::date");
        assert_eq!(Sql::parse("select naïve from t where ü = :ü").unwrap().parameters, ["ü"]);
    }

    #[test]
    fn half_written_statements_are_refused_where_they_are_wrong() {
        for (text, at, said) in [
            ("", 0..0, "no statement"),
            (" ; ", 0..3, "no statement"),
            ("select ?", 7..8, "`?` has no name"),
            ("select $1", 7..9, "`$1` has no name"),
            ("select @id", 7..10, "`@id` has no name"),
            ("select : id", 7..8, "without a name"),
            ("select :", 7..8, "without a name"),
            ("select 'a", 7..8, "quote is not closed"),
            ("select /* a", 7..9, "comment is not closed"),
            ("select $$ a", 7..9, "dollar quote is not closed"),
            ("select 1; select 2", 10..16, "second statement"),
        ] {
            let mistake = Sql::parse(text).unwrap_err();
            assert!(mistake.said.contains(said), "{text}: {mistake}");
            assert_eq!(mistake.at, at, "{text}");
        }
    }

    #[test]
    fn a_read_never_writes() {
        for text in [
            "select * from t for update",
            "with a as (select 1) select * from a",
            "(select 1) union (select 2)",
            "values (1)",
            "select replace(name, 'a', 'b'), 'delete' from t",
        ] {
            assert_eq!(Sql::parse(text).unwrap().check_read(), Ok(()), "{text}");
        }
        for text in [
            "delete from t",
            "pragma journal_mode = off",
            "with a as (delete from t returning *) select * from a",
            "with a as (select 1) update t set b = 1",
            "explain analyze delete from t",
        ] {
            assert!(Sql::parse(text).unwrap().check_read().is_err(), "{text}");
        }
    }

    #[test]
    fn an_action_changes_rows_and_says_which() {
        assert_eq!(Sql::parse("update t set a = 1 where id = :id").unwrap().check_change(), Ok(()));
        assert_eq!(Sql::parse("insert into t values (:id)").unwrap().check_change(), Ok(()));
        for text in ["drop table t", "truncate t", "update t set a = 1", "delete from t", "alter table t add b"] {
            assert!(Sql::parse(text).unwrap().check_change().is_err(), "{text}");
        }
    }

    #[test]
    fn a_parameter_given_for_good_is_quoted() {
        let sql = Sql::parse("update f set v = :value where n = :name").unwrap().with_text("value", "it's").unwrap();
        assert_eq!(sql.numbered, "update f set v = 'it''s' where n = $1");
    }
}
