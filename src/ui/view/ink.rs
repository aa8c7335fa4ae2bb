//! What every part of the screen is drawn with: the model, the theme, the time, and how words are cut.

use crate::domain::zone::Zone;
use chrono::{DateTime, Datelike as _, DurationRound as _, TimeDelta, Utc};
use ratatui::{buffer::Buffer, style::Style};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use crate::{
    domain::{
        age,
        pack::ColumnFormat,
        severity::Severity,
        snapshot::{Failure, Look},
        text::Text,
        value::Value,
    },
    ui::{
        model::Model,
        theme::{Role, Theme},
    },
};

#[derive(Clone, Copy)]
pub struct Ink<'a> {
    pub model: &'a Model,
    pub theme: &'a Theme,
    /// For countdowns.
    pub now: DateTime<Utc>,
    /// The full minute: ages change on it and at no other moment, so that a key costs no more than its key.
    pub calm: DateTime<Utc>,
}

impl<'a> Ink<'a> {
    pub fn new(model: &'a Model, theme: &'a Theme, now: DateTime<Utc>) -> Self {
        Self { model, theme, now, calm: minute(now) }
    }

    pub fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }

    pub fn zone(&self) -> Zone {
        self.model.pack.timezone
    }

    /// An age in minutes and more; what is younger is `now`.
    pub fn age(&self, since: DateTime<Utc>) -> String {
        let age = self.calm - minute(since);
        if age < TimeDelta::minutes(1) { "now".to_owned() } else { age::span(age) }
    }

    /// The time that is left, in minutes and more, or by how much it is over.
    pub fn left(&self, until: DateTime<Utc>) -> (String, Role) {
        let left = minute(until) - self.calm;
        if left <= TimeDelta::zero() {
            return (format!("over by {}", span(-left)), Role::Bad);
        }
        let role = if left < TimeDelta::hours(6) { Role::Warning } else { Role::Muted };
        (format!("{} left", span(left)), role)
    }

    pub fn clock(&self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.zone()).format("%H:%M").to_string()
    }

    /// `10:44` today, `Thu 10:44` within the week, `18 Dec 10:44` within the year, else with it.
    pub fn when(&self, at: DateTime<Utc>) -> String {
        let (local, today) = (at.with_timezone(&self.zone()), self.calm.with_timezone(&self.zone()));
        let days = (today.date_naive() - local.date_naive()).num_days();
        let format = match days {
            0 => "%H:%M",
            -6..=6 => "%a %H:%M",
            _ if local.year() == today.year() => "%-d %b %H:%M",
            _ => "%-d %b %Y",
        };
        local.format(format).to_string()
    }

    pub fn date(&self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.zone()).format("%a %-d %b %H:%M").to_string()
    }

    /// A cell as its column is to be read, whether it stands on the right, and what it means.
    pub fn cell(&self, value: &Value, format: ColumnFormat) -> (String, bool, Role) {
        match (format, value) {
            (_, Value::Null) => ("-".to_owned(), false, Role::Muted),
            (ColumnFormat::Age, Value::Time(at)) => (self.age(*at), true, Role::Text),
            (ColumnFormat::Left, Value::Time(at)) => {
                let left = minute(*at) - self.calm;
                let is_over = left <= TimeDelta::zero();
                let role = if left < TimeDelta::hours(6) { Role::Warning } else { Role::Text };
                if is_over { ("over".to_owned(), true, Role::Muted) } else { (span(left), true, role) }
            }
            (_, Value::Time(at)) => (self.date(*at), false, Role::Text),
            (ColumnFormat::Percent, value) => match value.number() {
                Some(number) => (format!("{:.0}%", number * 100.0), true, Role::Text),
                None => (value.to_string(), false, Role::Text),
            },
            (_, Value::Money(money)) => (money.to_string(), true, Role::Money),
            (_, Value::Integer(_) | Value::Decimal(_)) => (value.to_string(), true, Role::Text),
            (_, value) => (value.to_string(), false, Role::Text),
        }
    }

    fn ellipsis(&self) -> &'static str {
        if self.model.shown.ascii { ".." } else { "…" }
    }

    /// Cut to a width, an ellipsis at the end of what was cut.
    pub fn cut(&self, text: &str, width: usize) -> String {
        if text.width() <= width {
            return text.to_owned();
        }
        let ellipsis = self.ellipsis();
        let room = width.saturating_sub(ellipsis.width());
        let mut cut = String::new();
        let mut used = 0;
        for grapheme in text.graphemes(true) {
            if used + grapheme.width() > room {
                break;
            }
            used += grapheme.width();
            cut.push_str(grapheme);
        }
        if width >= ellipsis.width() {
            cut.push_str(ellipsis);
        }
        cut
    }

    /// Writes text into `width` columns; returns the columns that it took.
    pub fn put(&self, buffer: &mut Buffer, (x, y): (u16, u16), width: u16, text: &str, role: Role) -> u16 {
        if width == 0 || !buffer.area.contains((x, y).into()) {
            return 0;
        }
        if is_plain(text) {
            return self.put_plain(buffer, (x, y), width, text, role);
        }
        let text = self.cut(&Text::new(text).one_line(), usize::from(width));
        let (end, _) = buffer.set_stringn(x, y, &text, usize::from(width), self.style(role));
        end - x
    }

    /// A letter takes a column: nothing has to be measured, and nearly all of a screen is such text.
    fn put_plain(&self, buffer: &mut Buffer, (x, y): (u16, u16), width: u16, text: &str, role: Role) -> u16 {
        let (width, ellipsis) = (usize::from(width), self.ellipsis());
        let (kept, ellipsis) = match width.checked_sub(ellipsis.chars().count()) {
            _ if text.len() <= width => (text, ""),
            Some(room) => (text.get(..room).unwrap_or_default(), ellipsis),
            None => ("", ""),
        };
        let (style, right) = (self.style(role), buffer.area.right());
        let mut end = x;
        for (column, letter) in (x..right).zip(kept.chars().chain(ellipsis.chars())) {
            buffer[(column, y)].set_char(letter).set_style(style);
            end = column + 1;
        }
        end - x
    }

    pub fn severity(severity: Severity) -> Role {
        match severity {
            Severity::Green => Role::Green,
            Severity::Unknown => Role::Unknown,
            Severity::Yellow => Role::Yellow,
            Severity::Red => Role::Red,
        }
    }

    /// A look that has brought nothing yet: `looking...`, or how many pages have come of it.
    pub fn looking<T>(look: &Look<T>) -> String {
        look.reading.map_or_else(|| "looking...".to_owned(), |so_far| format!("reading: {}", so_far.said()))
    }

    /// What is wrong with a look, in words; `None` where it is fresh.
    pub fn trouble<T>(&self, look: &Look<T>) -> Option<String> {
        let age = look.looked_at.map(|at| format!("{} old", self.age(at)));
        match (&look.failure, age) {
            (Some(failure), age) => {
                let failed = self.failed(failure);
                Some(age.map_or(failed.clone(), |age| format!("{age}: {failed}")))
            }
            (None, Some(age)) if self.model.is_stale(look) => Some(match look.reading {
                Some(so_far) => format!("{age}; reading again: {}", so_far.said()),
                None => format!("{age}: no newer look came"),
            }),
            (None, _) => None,
        }
    }

    /// A failed look: what, since when, how often, when it is tried again.
    pub fn failed(&self, failure: &Failure) -> String {
        let next = failure.next_try.map_or_else(String::new, |at| format!(", next try {}", self.clock(at)));
        let tries = if failure.tries > 1 { format!(" x{}", failure.tries) } else { String::new() };
        format!("{} (since {}{tries}{next})", failure.said.one_line(), self.when(failure.since))
    }
}

/// Letters that may go to a screen as they are; names and keys from outside come here without having passed a door.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// A span in minutes and more.
pub fn span(span: TimeDelta) -> String {
    if span < TimeDelta::minutes(1) { "<1m".to_owned() } else { age::span(span) }
}

/// The full minute: two times differ as their clocks say.
pub fn minute(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::minutes(1)).unwrap_or(at)
}

/// Breaks a text into lines of a width, at blanks where there are any.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let text = Text::new(text);
    let text = text.shown();
    let width = width.max(1);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        let mut used = 0;
        for word in paragraph.split_inclusive(' ') {
            if used > 0 && used + word.trim_end().width() > width {
                lines.push(std::mem::take(&mut line).trim_end().to_owned());
                used = 0;
            }
            for grapheme in word.graphemes(true) {
                if used + grapheme.width() > width && grapheme != " " {
                    lines.push(std::mem::take(&mut line).trim_end().to_owned());
                    used = 0;
                }
                line.push_str(grapheme);
                used += grapheme.width();
            }
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::model::fixture;

    #[test]
    fn text_is_wrapped_at_blanks_and_long_words_are_broken() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrapped("a\n\nb", 9), ["a", "", "b"]);
        assert_eq!(wrapped("", 9), [""]);
        for width in 1..12 {
            assert!(wrapped("wide 犬犬犬 and narrow", width.max(2)).iter().all(|line| line.width() <= width.max(2)));
        }
    }

    #[test]
    fn a_cut_text_ends_in_an_ellipsis_and_never_in_half_a_character() {
        let model = fixture::model();
        let theme = Theme::plain();
        let ink = Ink::new(&model, &theme, fixture::now());
        assert_eq!(ink.cut("Happy Paws", 10), "Happy Paws");
        assert_eq!(ink.cut("Happy Paws", 6), "Happy…");
        assert_eq!(ink.cut("犬犬犬", 4), "犬…");
        assert_eq!(ink.cut("abc", 0), "");
    }
}
