//! Does an archived statement add up? Its rows are read once more, and from them alone both sides, the classes and the
//! difference are reckoned again.

use std::{
    collections::BTreeMap,
    fs::File,
    hash::{BuildHasher as _, RandomState},
    io::{BufRead as _, BufReader},
    path::Path,
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value as Json;

use crate::domain::{
    money::{Currency, Money},
    pack::Class,
    snapshot::Totals,
    text::{Text, counted},
};

/// So many rows are told of one by one.
const MOST_TOLD: usize = 5;

/// What of the statement does not follow from its rows; nothing where all does.
pub(super) fn problems(file: &Path) -> Result<Vec<String>, String> {
    let mut again = Again::default();
    let mut part = Part::Facts;
    let lines = BufReader::with_capacity(1 << 16, File::open(file).map_err(|error| error.to_string())?).lines();
    for (number, line) in lines.enumerate() {
        let line = line.map_err(|error| error.to_string())?;
        let odd = |why: &dyn std::fmt::Display| format!("line {}: {why}", number + 1);
        let element = line.strip_suffix(',').unwrap_or(&line);
        match (part, element) {
            (_, "]") => part = Part::Facts,
            (Part::Rows, row) => again.row(&serde_json::from_str(row).map_err(|error| odd(&error))?)?,
            (Part::Discrepancies, one) => again.listed(&serde_json::from_str(one).map_err(|error| odd(&error))?),
            (Part::Facts, "\"rows\":[") => part = Part::Rows,
            (Part::Facts, "\"discrepancies\":[") => part = Part::Discrepancies,
            (Part::Facts, "{" | "}") => {}
            (Part::Facts, fact) => match serde_json::from_str(&format!("{{{fact}}}")) {
                Ok(Json::Object(fact)) => again.told.extend(fact),
                Ok(_) => return Err(odd(&"this is no fact")),
                Err(error) => return Err(odd(&error)),
            },
        }
    }
    again.ended()
}

#[derive(Clone, Copy)]
enum Part {
    Facts,
    Discrepancies,
    Rows,
}

/// Side, class, id, link, amount, refunded, currency, at, status, settled, partner.
type Row = (String, Class, String, IgnoredAny, i64, i64, Currency, DateTime<Utc>, IgnoredAny, bool, Option<String>);

#[derive(Deserialize)]
struct Listed {
    class: Class,
    difference: Vec<Money>,
}

/// Both sides in one currency, theirs first, and how much and how many of each class.
#[derive(Default)]
struct Sum {
    sides: [(i128, usize); 2],
    classes: BTreeMap<Class, (usize, i128)>,
}

/// One row of a pair: both ids, its class and its currency.
type Half = (u64, Class, [u8; 3]);

#[derive(Default)]
struct Again {
    /// What the statement says of itself.
    told: serde_json::Map<String, Json>,
    window: Option<(DateTime<Utc>, DateTime<Utc>)>,
    sums: BTreeMap<[u8; 3], Sum>,
    /// What is listed, by class and currency.
    listed: BTreeMap<(Class, [u8; 3]), i128>,
    listed_count: usize,
    rows: [usize; 2],
    /// Pairs and rows alone: those that match, and all others.
    matched: usize,
    open: usize,
    halves: [Vec<Half>; 2],
    hash: RandomState,
    odd_rows: Vec<String>,
    odd_count: usize,
}

impl Again {
    fn row(&mut self, row: &Row) -> Result<(), String> {
        let (side, class, id, _, amount, refunded, currency, at, _, settled, partner) = row;
        let side = match side.as_str() {
            "theirs" => 0,
            "ours" => 1,
            other => return Err(format!("a row of `{}` belongs to neither side", Text::new(other))),
        };
        self.rows[side] += 1;
        let net = if *settled { i128::from(*amount) - i128::from(*refunded) } else { 0 };
        let letters = currency.letters();
        let sum = self.sums.entry(letters).or_default();
        sum.sides[side].0 += net;
        sum.sides[side].1 += usize::from(*settled);
        let of_class = sum.classes.entry(*class).or_default();
        of_class.1 += if side == 0 { net } else { -net };
        // A pair is counted by their row, a row alone by itself.
        if side == 0 || partner.is_none() {
            of_class.0 += 1;
            *(if *class == Class::Matched { &mut self.matched } else { &mut self.open }) += 1;
            if !self.is_within(*at)? {
                self.odd(|| format!("{} lies outside of the window", Text::new(id.as_str())));
            }
        }
        if let Some(partner) = partner {
            let ids = if side == 0 { (id, partner) } else { (partner, id) };
            self.halves[side].push((self.hash.hash_one(ids), *class, letters));
        }
        Ok(())
    }

    fn is_within(&mut self, at: DateTime<Utc>) -> Result<bool, String> {
        let window = match self.window {
            Some(window) => window,
            None => (self.fact("from")?, self.fact("to")?),
        };
        self.window = Some(window);
        Ok(window.0 <= at && at < window.1)
    }

    fn listed(&mut self, one: &Listed) {
        self.listed_count += 1;
        for money in &one.difference {
            *self.listed.entry((one.class, money.currency.letters())).or_default() += i128::from(money.minor);
        }
    }

    fn odd(&mut self, said: impl FnOnce() -> String) {
        self.odd_count += 1;
        if self.odd_rows.len() < MOST_TOLD {
            self.odd_rows.push(said());
        }
    }

    fn fact<T: for<'a> Deserialize<'a>>(&self, name: &str) -> Result<T, String> {
        let fact = self.told.get(name).cloned().ok_or_else(|| format!("it does not say `{name}`"))?;
        serde_json::from_value(fact).map_err(|error| format!("`{name}`: {error}"))
    }

    fn ended(mut self) -> Result<Vec<String>, String> {
        let told: Vec<Totals> = self.fact("totals")?;
        let (matched, unlisted): (usize, usize) = (self.fact("matched")?, self.fact("unlisted")?);
        let titles: [String; 2] = [self.fact("theirs")?, self.fact("ours")?];
        let sources: Vec<Json> = self.fact("sources")?;
        let strangers = self.pairs();
        let mut problems = std::mem::take(&mut self.odd_rows);
        if self.odd_count > problems.len() {
            problems.push(format!("and {} more", counted((self.odd_count - problems.len()) as u64, "row")));
        }
        if strangers > 0 {
            problems.push(format!("{} told by one side alone", counted(strangers as u64, "pair")));
        }
        let mut hold = |what: &str, rows: usize, said: usize| {
            if rows != said {
                problems.push(format!("{what}: {rows} by the rows, {said} in the statement"));
            }
        };
        hold("matched", self.matched, matched);
        hold("not matched", self.open, self.listed_count + unlisted);
        for (title, (rows, source)) in titles.iter().zip(self.rows.iter().zip(&sources)) {
            let read = source.get("rows").and_then(Json::as_u64).unwrap_or_default();
            if *rows as u64 > read {
                problems.push(format!("{}: {rows} rows, of {read} that were read", Text::new(title.as_str())));
            }
        }
        for (letters, sum) in &self.sums {
            let said = told.iter().find(|totals| totals.difference.currency.letters() == *letters);
            problems.extend(self.currency(*letters, sum, said, &titles, unlisted == 0));
        }
        for totals in told.iter().filter(|totals| !self.sums.contains_key(&totals.difference.currency.letters())) {
            problems.push(format!("{}: no row is in it", totals.difference.currency.code()));
        }
        Ok(problems)
    }

    /// Both rows of a pair tell of it, in one class; counts those that do not. Where their currencies differ, the pair is
    /// counted in both.
    fn pairs(&mut self) -> usize {
        let [mut theirs, mut ours] = std::mem::take(&mut self.halves);
        theirs.sort_unstable();
        ours.sort_unstable();
        let (mut left, mut right) = (theirs.as_slice(), ours.as_slice());
        let mut strangers = 0;
        while let Some(key) = left.first().into_iter().chain(right.first()).map(|half| (half.0, half.1)).min() {
            let of_pair = |halves: &[Half]| halves.iter().take_while(|half| (half.0, half.1) == key).count();
            let (some_theirs, rest_theirs) = left.split_at(of_pair(left));
            let (some_ours, rest_ours) = right.split_at(of_pair(right));
            (left, right) = (rest_theirs, rest_ours);
            strangers += some_theirs.len().abs_diff(some_ours.len());
            let mut theirs: Vec<[u8; 3]> = some_theirs.iter().map(|half| half.2).collect();
            for (_, class, letters) in some_ours {
                match theirs.iter().position(|of_theirs| of_theirs == letters) {
                    Some(same) => drop(theirs.swap_remove(same)),
                    None => self.sums.entry(*letters).or_default().classes.entry(*class).or_default().0 += 1,
                }
            }
        }
        strangers
    }

    fn currency(&self, letters: [u8; 3], sum: &Sum, told: Option<&Totals>, titles: &[String; 2], lists_all: bool) -> Vec<String> {
        let Some(totals) = told else {
            return vec![format!("{}: the statement has no totals in it", String::from_utf8_lossy(&letters))];
        };
        let currency = totals.difference.currency;
        let named = |what: &str| format!("{} {}", currency.code(), Text::new(what));
        let [(theirs, their_rows), (ours, our_rows)] = sum.sides;
        let by_class: i128 = totals.by_class.iter().map(|(_, _, money)| i128::from(money.minor)).sum();
        let mut amounts = vec![
            (named(&titles[0]), theirs, totals.theirs),
            (named(&titles[1]), ours, totals.ours),
            (named("difference"), theirs - ours, totals.difference),
            (named("all classes"), by_class, totals.difference),
        ];
        let mut counts =
            vec![(named(&titles[0]), their_rows, totals.theirs_rows), (named(&titles[1]), our_rows, totals.ours_rows)];
        for class in Class::ALL {
            let (count, minor) = sum.classes.get(&class).copied().unwrap_or_default();
            let said = totals.by_class.iter().find(|(of, ..)| *of == class);
            let (said_count, said) = said.map_or((0, Money::new(0, currency)), |(_, count, money)| (*count, *money));
            amounts.push((named(class.said()), minor, said));
            counts.push((named(class.said()), count, said_count));
            if class != Class::Matched && lists_all {
                let listed = self.listed.get(&(class, letters)).copied().unwrap_or_default();
                amounts.push((named(&format!("listed as {}", class.said())), listed, said));
            }
        }
        let amounts = amounts.into_iter().map(|(what, minor, said)| (what, Money::new(clamped(minor), currency), said));
        let amounts = amounts.filter(|(_, again, said)| again != said);
        let amounts = amounts
            .map(|(what, again, said)| format!("{what}: {} by the rows, {} in the statement", again.signed(), said.signed()));
        let counts = counts.into_iter().filter(|(_, again, said)| again != said);
        amounts.chain(counts.map(|(what, again, said)| format!("{what}: {again} rows, {said} in the statement"))).collect()
    }
}

/// As amounts are told that no number of 64 bits holds.
fn clamped(minor: i128) -> i64 {
    i64::try_from(minor).unwrap_or(if minor < 0 { i64::MIN } else { i64::MAX })
}
