//! Hostile text through every way out: no forbidden code point comes out of any.
//!
//! The short form takes every Unicode scalar and some thousands of hostile strings; the long form, `tests/proofs F5`, draws every
//! scalar as well, and takes ten million strings.

mod oracle;
mod outputs;
mod program;
mod strings;

use std::time::Instant;

use wheelhouse::{
    domain::journal::Entry,
    ports::Journal as _,
    store::{Format, Store},
};

use outputs::VIEWS;
use strings::{hostile, scalars};

/// Strings of one picture.
const ON_A_SCREEN: usize = 40;
/// Of the short form's strings, one picture in so many is drawn; of the long form's, every one.
const PICTURES_SKIPPED: usize = 40;

const STRINGS: u64 = 50_000;
const STRINGS_OF_THE_LONG_FORM: u64 = 10_000_000;

fn none(offences: impl IntoIterator<Item = String>) {
    let offences: Vec<String> = offences.into_iter().collect();
    assert!(
        offences.is_empty(),
        "{} offences, among them\n{}",
        offences.len(),
        offences.iter().take(12).cloned().collect::<Vec<_>>().join("\n")
    );
}

/// All of the planes that have characters; of the endless empty ones a part.
fn is_worth_it(text: &str) -> bool {
    let first = text.chars().next().map_or(0, u32::from);
    first < 0x2_0000 || (0xe_0000..0xf_0000).contains(&first) || (first / 64).is_multiple_of(64)
}

#[test]
fn every_scalar_comes_out_as_nothing_that_deceives() {
    let ways = |text: String| if is_worth_it(&text) { outputs::plain(&text) } else { outputs::door(&text) };
    none(scalars(64).flat_map(ways));
}

#[test]
fn every_scalar_can_be_told_to_others() {
    none(scalars(512).filter(|text| is_worth_it(text)).flat_map(|text| outputs::outgoing(&text)));
}

#[test]
fn every_scalar_is_drawn_as_nothing_that_deceives() {
    drawn(is_worth_it);
}

/// A page of them each.
fn drawn(is_wanted: impl Fn(&str) -> bool) {
    let mut page = Vec::new();
    let mut offences = Vec::new();
    let mut pages = 0;
    for text in scalars(64).chain([String::new()]) {
        if !text.is_empty() {
            page.push(text.clone());
        }
        if page.len() == ON_A_SCREEN || text.is_empty() {
            if page.first().is_some_and(|text| is_wanted(text)) {
                offences.extend(outputs::screen(VIEWS[1 + pages % 2], &page));
            }
            pages += 1;
            page.clear();
        }
    }
    none(offences);
}

/// A share of the hostile strings through everything, in a process of its own.
fn share(part: u64, parts: u64, is_long: bool) {
    let all = if is_long { STRINGS_OF_THE_LONG_FORM } else { STRINGS };
    let (began, count) = (Instant::now(), all / parts);
    let mut offences = Vec::new();
    for batch in 0..count.div_ceil(ON_A_SCREEN as u64) {
        let first = part * count + batch * ON_A_SCREEN as u64;
        let words: Vec<String> = (first..first + ON_A_SCREEN as u64).map(hostile).collect();
        for (at, word) in words.iter().enumerate() {
            // The door for each; in the short form every third through the other ways out as well.
            offences.extend(if is_long || at.is_multiple_of(3) { outputs::plain(word) } else { outputs::door(word) });
            if is_long || batch.is_multiple_of(8) {
                offences.extend(outputs::outgoing(word));
            }
        }
        if is_long || batch.is_multiple_of(PICTURES_SKIPPED as u64) {
            let turn = if is_long { batch } else { batch / PICTURES_SKIPPED as u64 };
            offences.extend(outputs::screen(VIEWS[turn as usize % VIEWS.len()], &words));
        }
        if batch % 2_500 == 2_499 {
            println!(
                "part {part}: {} of {count} strings, {} offences, {:.0?}",
                (batch + 1) * ON_A_SCREEN as u64,
                offences.len(),
                began.elapsed()
            );
        }
    }
    println!("part {part}: {count} strings, {} offences, {:.0?}", offences.len(), began.elapsed());
    none(offences);
}

#[test]
fn hostile_strings_come_out_harmless_first_half() {
    share(0, 2, false);
}

#[test]
fn hostile_strings_come_out_harmless_second_half() {
    share(1, 2, false);
}

#[test]
#[ignore = "the long form of F5: tests/proofs F5"]
fn long_f5_every_scalar_through_everything() {
    drawn(|_| true);
    none(scalars(64).flat_map(|text| outputs::plain(&text)));
    none(scalars(512).flat_map(|text| outputs::outgoing(&text)));
}

#[test]
#[ignore = "the long form of F5: tests/proofs F5"]
fn long_f5_ten_million_hostile_strings() {
    std::thread::scope(|scope| {
        for part in 0..2 {
            scope.spawn(move || share(part, 2, true));
        }
    });
}

#[tokio::test]
async fn the_record_is_exported_harmless() {
    let folder = tempfile::TempDir::new().unwrap();
    let at = "2026-11-20T09:00:00Z".parse().unwrap();
    let (store, _) = Store::open(&folder.path().join("town.db"), "jo", at).await.unwrap();
    let texts = scalars(4096).filter(|text| is_worth_it(text)).chain((0..400).map(hostile));
    for text in texts {
        let entry = Entry::new(at, text.clone(), text.clone(), text.clone()).payload(serde_json::json!({ text.as_str(): text }));
        store.append(&entry).await.unwrap();
    }
    let (mut lines, mut cells) = (Vec::new(), Vec::new());
    store.export(Format::JsonLines, &mut lines).await.unwrap();
    store.export(Format::Csv, &mut cells).await.unwrap();
    let lines = String::from_utf8(lines).unwrap();
    let mut offences: Vec<String> = oracle::offence(&lines).into_iter().collect();
    let mut reader = csv::Reader::from_reader(cells.as_slice());
    for record in reader.records() {
        offences.extend(record.unwrap().iter().filter_map(oracle::offence_in_cell));
    }
    none(offences);
    assert!(store.verify().await.unwrap().is_ok(), "what it was is what is kept");
}

#[test]
fn the_oracle_sees_what_it_must() {
    for bad in [
        "\u{1b}",
        "a\tb",
        "\u{202e}",
        "\u{200b}",
        "\u{e0041}",
        "\u{9b}",
        "\u{2028}",
        "\u{e000}",
        "\u{378}",
        "\u{17b4}",
        "e\u{301}\u{301}\u{301}\u{301}\u{301}",
        "\r",
    ] {
        assert!(oracle::offence(bad).is_some(), "{bad:?}");
    }
    for good in ["naïve 犬 A$22.00\nx", "e\u{301}", "كلب", "→ ↵ ✓ ─"] {
        assert_eq!(oracle::offence(good), None);
    }
    for bad in ["=1+1", " =1", "\u{ff1d}1", "@x", "a\nb", "-1+1"] {
        assert!(oracle::offence_in_cell(bad).is_some(), "{bad:?}");
    }
    assert_eq!(oracle::offence_in_cell("-22.00"), None);
    for bad in ["\u{1b}]0;x\u{7}", "\u{1b}[6n", "\u{1b}c", "\u{1b}P", "\u{9b}2J", "\u{7}"] {
        assert!(oracle::offence_to_terminal(bad).is_some(), "{bad:?}");
    }
    assert_eq!(oracle::offence_to_terminal("\u{1b}[2;5H\u{1b}[1;31mx\u{1b}[m\u{1b}[?25h"), None);
}
