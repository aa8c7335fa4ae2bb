//! The statement as one page for a person: needs no network, and nothing from outside is more than text in it.

use std::fmt::{self, Display, Write as _};

use chrono::{DateTime, Utc};

use crate::domain::{
    archive::{Filing, Origin},
    money::Money,
    snapshot::{Discrepancy, Entry, Statement, Totals},
    text::{Text, counted},
};

/// So many discrepancies are on the page; the other files have all.
const MOST: usize = 1_000;
/// So many request ids of a side.
const MOST_REQUESTS: usize = 50;

const STYLE: &str = "body{font:14px/1.45 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1b1b1f}\
h1{font-size:1.4rem}h2{font-size:1.05rem;margin-top:2rem}table{border-collapse:collapse;width:100%}\
th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #d8d8de;vertical-align:top;overflow-wrap:anywhere}\
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}code,pre{font:12px ui-monospace,monospace}\
pre{white-space:pre-wrap;background:#f4f4f6;padding:.6rem}.sum td{font-weight:600}@media print{body{margin:0}}";

/// Text made safe to look at, and then safe for a page.
struct Safe<T>(T);

impl<T: Display> Display for Safe<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in Text::new(self.0.to_string()).shown().chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// What stands on the page: all of it is in the JSON as well.
pub(super) struct Leaf<'a> {
    /// The pack's title.
    pub business: &'a str,
    pub title: &'a str,
    pub statement: &'a Statement,
    pub origins: &'a [Origin; 2],
    pub asked_at: DateTime<Utc>,
    pub filed_at: DateTime<Utc>,
    pub by: &'a str,
    pub signed: bool,
    pub note: &'a Text,
}

impl<'a> Leaf<'a> {
    pub(super) fn of(filing: &'a Filing) -> Self {
        Self {
            business: &filing.business.1,
            title: &filing.reconciliation.title,
            statement: &filing.statement,
            origins: &filing.evidence.origins,
            asked_at: filing.evidence.asked_at,
            filed_at: filing.at,
            by: &filing.by,
            signed: filing.signed,
            note: &filing.note,
        }
    }
}

/// `hash` is the one in the last line of the JSON.
pub(super) fn page(leaf: &Leaf<'_>, name: &str, hash: &str) -> String {
    let statement = leaf.statement;
    let mut page = String::new();
    // Writing to a String cannot fail.
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{} {}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <h1>{}: {}</h1>\n",
        Safe(leaf.title),
        Safe(moment(statement.to)),
        Safe(leaf.business),
        Safe(leaf.title),
    );
    let _ = writeln!(page, "<table>");
    let filed = if leaf.signed { "Signed off" } else { "Filed, not signed" };
    let facts = [
        ("Window", format!("{} to {}, the end not included", moment(statement.from), moment(statement.to))),
        ("Read", moment(leaf.asked_at)),
        (filed, format!("{} by {}", moment(leaf.filed_at), leaf.by)),
        ("Note", leaf.note.original().to_owned()),
        ("Matched", counted(statement.matched as u64, "row")),
        ("Does not match, or in flight", (statement.discrepancies.len() + statement.unlisted).to_string()),
    ];
    for (label, fact) in facts.iter().filter(|(_, fact)| !fact.is_empty()) {
        let _ = writeln!(page, "<tr><th>{}</th><td>{}</td></tr>", Safe(label), Safe(fact));
    }
    let _ = writeln!(page, "</table>");
    for totals in &statement.totals {
        sums(&mut page, totals, &statement.theirs_title, &statement.ours_title);
    }
    differences(&mut page, &statement.discrepancies, statement.unlisted, &statement.theirs_title, &statement.ours_title);
    let _ = writeln!(page, "<h2>Where the rows came from</h2>");
    for origin in leaf.origins {
        source(&mut page, origin);
    }
    let _ = writeln!(
        page,
        "<h2>Proof</h2>\n<p>Every row is in <code>{name}.json</code> and <code>{name}.csv</code>. \
         <code>wheelhouse reconcile --verify {name}.json</code> tells any change of any of the files; \
         <code>sha256sum -c {name}.sha256</code> does without it.</p>\n<p>SHA-256 of the statement: <code>{}</code></p>\n</body>\n</html>",
        Safe(hash),
        name = Safe(name),
    );
    page
}

fn moment(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn sums(page: &mut String, totals: &Totals, theirs: &str, ours: &str) {
    let _ = writeln!(page, "<h2>{}</h2>\n<table>", Safe(totals.difference.currency.code()));
    let mut row = |class: &str, title: &str, rows: usize, money: String| {
        let rows = if class.is_empty() { counted(rows as u64, "row") } else { String::new() };
        let _ = writeln!(
            page,
            "<tr class=\"{class}\"><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            Safe(title),
            Safe(rows),
            Safe(money)
        );
    };
    row("", theirs, totals.theirs_rows, totals.theirs.to_string());
    row("", ours, totals.ours_rows, totals.ours.to_string());
    row("sum", "difference", 0, totals.difference.signed());
    for (class, count, money) in &totals.by_class {
        row("", class.said(), *count, money.signed());
    }
    let _ = writeln!(page, "</table>");
}

fn differences(page: &mut String, discrepancies: &[Discrepancy], unlisted: usize, theirs: &str, ours: &str) {
    if discrepancies.is_empty() {
        return;
    }
    let _ = writeln!(
        page,
        "<h2>What does not match</h2>\n<table>\n<tr><th>Class</th><th>{}</th><th>{}</th><th class=\"n\">Difference</th><th>When</th><th>What</th></tr>",
        Safe(theirs),
        Safe(ours)
    );
    for discrepancy in discrepancies.iter().take(MOST) {
        let key = |entry: &Option<Entry>| entry.as_ref().map_or_else(|| "-".to_owned(), |entry| entry.key.clone());
        let at = discrepancy.theirs.as_ref().or(discrepancy.ours.as_ref()).map(|entry| moment(entry.at));
        let money: Vec<String> = discrepancy.difference.iter().copied().map(Money::signed).collect();
        let candidates: Vec<String> = discrepancy.candidates.iter().map(|entry| entry.key.clone()).collect();
        let could_be = if candidates.is_empty() { String::new() } else { format!(": {}", candidates.join(", ")) };
        let _ = writeln!(
            page,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"n\">{}</td><td>{}</td><td>{}{}</td></tr>",
            Safe(discrepancy.class.said()),
            Safe(key(&discrepancy.theirs)),
            Safe(key(&discrepancy.ours)),
            Safe(money.join(" ")),
            Safe(at.unwrap_or_default()),
            Safe(discrepancy.said.one_line()),
            Safe(could_be),
        );
    }
    let _ = writeln!(page, "</table>");
    let more = discrepancies.len().saturating_sub(MOST) + unlisted;
    if more > 0 {
        let _ = writeln!(page, "<p>And {more} more, in the other files.</p>");
    }
}

fn source(page: &mut String, origin: &Origin) {
    let window: Vec<String> = origin.parameters.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    let _ = writeln!(
        page,
        "<h3>{}</h3>\n<p>{} by {} over the connection <code>{}</code> in {} ms; {}</p>\n<pre>{}</pre>",
        Safe(&origin.title),
        counted(origin.rows as u64, "row"),
        Safe(&origin.kind),
        Safe(&origin.connection),
        origin.took_ms,
        Safe(window.join(", ")),
        Safe(&origin.query),
    );
    if !origin.requests.is_empty() {
        let told: Vec<&str> = origin.requests.iter().take(MOST_REQUESTS).map(String::as_str).collect();
        let more = origin.requests.len().saturating_sub(MOST_REQUESTS);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let _ = writeln!(page, "<p>Requests: <code>{}</code>{}</p>", Safe(told.join(", ")), Safe(more));
    }
}
