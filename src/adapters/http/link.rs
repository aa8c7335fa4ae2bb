//! Where the `Link` headers of an answer lead on to (RFC 8288). Never guesses: a header that cannot be read is a failure,
//! for behind it may be the rest of the list.

use reqwest::header::HeaderMap;

/// One link of a header.
#[derive(Debug, Default, PartialEq, Eq)]
struct Link {
    target: String,
    /// Names in small letters; the first of each counts.
    parameters: Vec<(String, String)>,
}

impl Link {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn leads(&self, relation: &str) -> bool {
        let relations = self.parameter("rel").unwrap_or_default();
        // With an anchor it speaks of something else than this answer.
        self.parameter("anchor").is_none() && relations.split_whitespace().any(|one| one.eq_ignore_ascii_case(relation))
    }
}

/// The target of the link of this relation, as it is written; `None` where nothing follows.
pub(super) fn find(headers: &HeaderMap, relation: &str) -> Result<Option<String>, String> {
    Ok(link(headers, relation)?.map(|link| link.target))
}

/// The `cursor` that stands beside it: the address may be that of another host, as Sentry's regions tell it.
pub(super) fn cursor(headers: &HeaderMap, relation: &str) -> Result<Option<String>, String> {
    let Some(link) = link(headers, relation)? else { return Ok(None) };
    let cursor = link.parameter("cursor").filter(|cursor| !cursor.is_empty());
    let cursor = cursor.ok_or_else(|| format!("its `Link` header names a page as `{relation}`, and no `cursor` of it"))?;
    Ok(Some(cursor.to_owned()))
}

/// Sentry names a next page even behind the last one, and says `results="false"` of it.
fn link(headers: &HeaderMap, relation: &str) -> Result<Option<Link>, String> {
    let mut found: Option<Link> = None;
    for header in headers.get_all("link") {
        let text = header.to_str().map_err(|_| "its `Link` header is no text".to_owned())?;
        let links = Links { rest: text }.all().ok_or_else(|| format!("its `Link` header cannot be read: {}", start(text)))?;
        for link in links.into_iter().filter(|link| link.leads(relation)) {
            match &found {
                Some(first) if first.target != link.target => {
                    return Err(format!("its `Link` headers name two pages as `{relation}`"));
                }
                Some(_) => {}
                None => found = Some(link),
            }
        }
    }
    Ok(found.filter(|link| link.parameter("results") != Some("false")))
}

/// As much of it as a sentence bears.
pub(super) fn start(text: &str) -> String {
    let start: String = text.chars().take(120).collect();
    if start.len() < text.len() { format!("{start}…") } else { start }
}

/// A header's value, read from the front.
struct Links<'a> {
    rest: &'a str,
}

impl Links<'_> {
    /// `None` where it is not written as the standard has it.
    fn all(mut self) -> Option<Vec<Link>> {
        let mut links = Vec::new();
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t', ',']);
            if self.rest.is_empty() {
                return Some(links);
            }
            let (target, rest) = self.rest.strip_prefix('<')?.split_once('>')?;
            self.rest = rest;
            let mut link = Link { target: target.trim().to_owned(), parameters: Vec::new() };
            while self.takes(';') {
                self.parameter(&mut link.parameters)?;
            }
            links.push(link);
            self.blank();
            if !(self.rest.is_empty() || self.rest.starts_with(',')) {
                return None;
            }
        }
    }

    fn blank(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn takes(&mut self, sign: char) -> bool {
        self.blank();
        let rest = self.rest.strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn parameter(&mut self, into: &mut Vec<(String, String)>) -> Option<()> {
        self.blank();
        let name = self.word();
        if name.is_empty() {
            // A `;` too many.
            return (self.rest.is_empty() || self.rest.starts_with([';', ','])).then_some(());
        }
        let value = match (self.takes('='), self.takes('"')) {
            (true, true) => self.quoted()?,
            (true, false) => self.word(),
            (false, _) => String::new(),
        };
        into.push((name, value));
        Some(())
    }

    fn word(&mut self) -> String {
        let end = self.rest.find([' ', '\t', ';', ',', '=', '"', '<', '>']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word.to_ascii_lowercase()
    }

    /// What stands until the next quote; a backslash takes what follows as it is.
    fn quoted(&mut self) -> Option<String> {
        let mut value = String::new();
        let mut signs = self.rest.char_indices();
        while let Some((at, sign)) = signs.next() {
            match sign {
                '"' => {
                    self.rest = self.rest.get(at + 1..)?;
                    return Some(value);
                }
                '\\' => value.push(signs.next()?.1),
                _ => value.push(sign),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (reqwest::header::LINK, HeaderValue::from_bytes(value.as_bytes()).unwrap())).collect()
    }

    #[test]
    fn the_link_of_a_relation_is_found_however_it_is_written() {
        for (values, target) in [
            (
                &["<https://a.example/list?page=2>; rel=\"next\", <https://a.example/list?page=9>; rel=\"last\""][..],
                Some("https://a.example/list?page=2"),
            ),
            (&["</list?page=1>; rel=prev", "</list?page=3>; rel=next"], Some("/list?page=3")),
            (&["</2>;REL=\"Prev NEXT\""], Some("/2")),
            (&["</a,b;c>; title=\"one, \\\"two\\\"; rel=\\\"next\\\"\"; rel = \"next\"; "], Some("/a,b;c")),
            (&["</2>; rel=\"next\"; rel=\"last\", , </3>; rel=\"last\"; rel=\"next\","], Some("/2")),
            (&["</2>; rel=\"next\"", "</2>; rel=\"next\""], Some("/2")),
            (&["< /2 >; crossorigin; rel=next"], Some("/2")),
            (&["</2>; rel=\"next\"; results=\"true\"; cursor=\"0:100:0\""], Some("/2")),
            (&["</2>; rel=\"next\"; results=\"false\"; cursor=\"0:100:0\""], None),
            (&["</2>; rel=\"next\"; anchor=\"#part\""], None),
            (&["</2>; rel=\"nextish\", </3>; title=next, </4>"], None),
            (&["</2>; rel=\"https://rel.example/next\""], None),
            (&["", " , "], None),
            (&[], None),
        ] {
            assert_eq!(find(&headers(values), "next"), Ok(target.map(ToOwned::to_owned)), "{values:?}");
        }
        assert_eq!(find(&headers(&["</2>; rel=\"older\""]), "older"), Ok(Some("/2".to_owned())));
    }

    #[test]
    fn a_cursor_beside_the_relation_is_found_and_missed() {
        let sentrys = |results: &str, cursor: &str| {
            cursor_of(&format!(
                "<https://us.sentry.io/x/?cursor=0:0:1>; rel=\"previous\"; results=\"false\"; cursor=\"0:0:1\", \
                <https://us.sentry.io/x/?cursor=0:100:0>; rel=\"next\"; results=\"{results}\"{cursor}"
            ))
        };
        assert_eq!(sentrys("true", "; cursor=\"0:100:0\""), Ok(Some("0:100:0".to_owned())));
        assert_eq!(sentrys("false", "; cursor=\"0:100:0\""), Ok(None));
        assert!(sentrys("true", "").unwrap_err().contains("no `cursor`"));
        assert_eq!(cursor_of(""), Ok(None));
    }

    fn cursor_of(value: &str) -> Result<Option<String>, String> {
        cursor(&headers(&[value]), "next")
    }

    #[test]
    fn what_cannot_be_read_or_leads_two_ways_is_a_failure() {
        for values in [
            &["https://a.example/2; rel=next"][..],
            &["</2; rel=next"],
            &["</2>; rel=\"next"],
            &["</2>; rel=\"next\\"],
            &["</2> rel=next"],
            &["</2>; =next"],
            &["</1>; rel=prev, /2; rel=next"],
            &["</2>; rel=\"ne\"xt"],
        ] {
            let said = find(&headers(values), "next").unwrap_err();
            assert!(said.contains("cannot be read"), "{values:?}: {said}");
        }
        let two = find(&headers(&["</2>; rel=next", "</3>; rel=next"]), "next").unwrap_err();
        assert!(two.contains("two pages"), "{two}");
        assert!(find(&headers(&["</2>; rel=next; title=\"\u{fc}\""]), "next").unwrap_err().contains("no text"));
        let long = find(&headers(&[&"x".repeat(5_000)]), "next").unwrap_err();
        assert!(long.len() < 200, "{long}");
    }
}
