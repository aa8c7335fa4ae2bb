//! Hears what a program prints: its last lines, never a secret among them, in little memory however much it prints.

use std::collections::VecDeque;

use crate::{
    adapters::scrub::Scrubber,
    domain::{command::Printed, text::Text},
};

/// Lines that are kept.
const LINES: usize = 120;
/// Bytes that are kept.
const KEPT: usize = 8 * 1024;
/// A line is cut where it is longer.
const LONGEST: usize = 2 * 1024;
/// Lines that say why something failed.
const LAST_WORDS: usize = 3;
/// Of them, characters.
const WORDS: usize = 300;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Out,
    Err,
}

/// What is kept of both streams, in the order of its coming. Lines are whole until they are shown, so that a secret is
/// found in them however it came.
#[derive(Debug)]
pub(super) struct Ear<'s> {
    scrub: &'s Scrubber,
    lines: VecDeque<(Stream, Vec<u8>)>,
    /// The lines that have no end yet.
    open: [Vec<u8>; 2],
    kept: usize,
    count: u64,
    bytes: u64,
}

impl<'s> Ear<'s> {
    pub(super) fn new(scrub: &'s Scrubber) -> Self {
        Self { scrub, lines: VecDeque::new(), open: [Vec::new(), Vec::new()], kept: 0, count: 0, bytes: 0 }
    }

    fn open(&mut self, stream: Stream) -> &mut Vec<u8> {
        let [out, err] = &mut self.open;
        match stream {
            Stream::Out => out,
            Stream::Err => err,
        }
    }

    pub(super) fn hear(&mut self, stream: Stream, chunk: &[u8]) {
        self.bytes += chunk.len() as u64;
        let chunk = self.without_flood(stream, chunk);
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            let is_whole = piece.ends_with(b"\n");
            self.open(stream).extend_from_slice(piece.strip_suffix(b"\n").unwrap_or(piece));
            self.cut(stream);
            if is_whole {
                self.count += 1;
                let line = std::mem::take(self.open(stream));
                self.keep(stream, line);
            }
        }
    }

    /// Of a flood of lines only the last ones are looked at: the rest would push each other out.
    fn without_flood<'c>(&mut self, stream: Stream, chunk: &'c [u8]) -> &'c [u8] {
        // Searching for one byte is quick; most of what is printed ends here.
        if chunk.len() < LINES * 2 || !chunk.contains(&b'\n') {
            return chunk;
        }
        let ends: Vec<usize> = chunk.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect();
        let Some(last_skipped) = ends.len().checked_sub(LINES + 1).and_then(|at| ends.get(at)) else { return chunk };
        self.count += (ends.len() - LINES) as u64;
        self.open(stream).clear();
        chunk.get(last_skipped + 1..).unwrap_or_default()
    }

    /// A line without an end is taken in parts, none of which ends within a secret.
    fn cut(&mut self, stream: Stream) {
        let scrub = self.scrub;
        let longest = LONGEST.max(scrub.longest() * 2);
        while self.open(stream).len() > longest {
            let open = self.open(stream);
            let at = scrub.cut_before(open, open.len().saturating_sub(scrub.longest()).clamp(1, longest));
            let rest = open.split_off(at);
            let part = std::mem::replace(open, rest);
            self.keep(stream, part);
        }
    }

    fn keep(&mut self, stream: Stream, line: Vec<u8>) {
        self.kept += line.len();
        self.lines.push_back((stream, line));
        while self.lines.len() > 1 && (self.lines.len() > LINES || self.kept > KEPT) {
            self.kept -= self.lines.pop_front().map_or(0, |(_, line)| line.len());
        }
    }

    /// A line as it may be shown: where it was written over by carriage returns, what stands there last.
    fn shown(&self, line: &[u8]) -> String {
        let text = self.scrub.clean(&String::from_utf8_lossy(line));
        let text = text.trim_end_matches('\r');
        text.rsplit('\r').find(|part| !part.trim().is_empty()).unwrap_or(text).to_owned()
    }

    /// A line that has no end yet, without what may become a secret.
    fn begun(&self, line: &[u8]) -> String {
        let secret = self.scrub.begun_secret(line);
        let mut text = self.shown(line.get(..line.len() - secret).unwrap_or_default());
        if secret > 0 {
            text.push_str("***");
        }
        text
    }

    /// The last lines so far.
    pub(super) fn printed(&self) -> Printed {
        let whole = self.lines.iter().map(|(_, line)| self.shown(line));
        let begun = self.open.iter().filter(|line| !line.is_empty()).map(|line| self.begun(line));
        let tail = whole.chain(begun).collect::<Vec<_>>().join("\n");
        Printed { tail: Text::new(tail), lines: self.count, bytes: self.bytes }
    }

    /// Why it failed, on one line: the last words that it had for that, else the last at all.
    pub(super) fn last_words(&self) -> String {
        let of = |stream: Option<Stream>| {
            let is_wanted = |other: Stream| stream.is_none_or(|stream| stream == other);
            let whole = self.lines.iter().filter(|(other, _)| is_wanted(*other)).map(|(_, line)| self.shown(line));
            let begun = [Stream::Out, Stream::Err].into_iter().zip(&self.open).filter(|(other, _)| is_wanted(*other));
            let said: Vec<String> = whole
                .chain(begun.map(|(_, line)| self.begun(line)))
                .map(|line| line.trim().to_owned())
                .filter(|line| !line.is_empty())
                .collect();
            said.get(said.len().saturating_sub(LAST_WORDS)..).unwrap_or_default().join(" / ")
        };
        let said = of(Some(Stream::Err));
        let said = if said.is_empty() { of(None) } else { said };
        let surplus = said.chars().count().saturating_sub(WORDS);
        if surplus == 0 { said } else { format!("...{}", said.chars().skip(surplus).collect::<String>()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "canary-7f3a9c-secret";

    fn scrub() -> Scrubber {
        let mut scrub = Scrubber::default();
        scrub.hide(SECRET);
        scrub
    }

    fn heard(chunks: &[(Stream, &str)]) -> (String, String) {
        let scrub = scrub();
        let mut ear = Ear::new(&scrub);
        for (stream, chunk) in chunks {
            ear.hear(*stream, chunk.as_bytes());
        }
        (ear.printed().tail.shown().to_owned(), ear.last_words())
    }

    #[test]
    fn lines_of_both_streams_stand_in_their_order_and_the_last_words_are_those_of_the_second() {
        let (tail, words) = heard(&[
            (Stream::Out, "one\ntwo"),
            (Stream::Err, "careful\n"),
            (Stream::Out, " and a half\n"),
            (Stream::Err, "cannot\n\nbecause of x"),
        ]);
        assert_eq!(tail, "one\ncareful\ntwo and a half\ncannot\n\nbecause of x");
        assert_eq!(words, "careful / cannot / because of x");
        assert_eq!(heard(&[(Stream::Out, "a\nb\nc\nd\n")]).1, "b / c / d");
        assert_eq!(heard(&[]), (String::new(), String::new()));
    }

    #[test]
    fn what_was_written_over_is_what_stands_there_last() {
        assert_eq!(heard(&[(Stream::Err, "10 %\r20 %\r30 %")]).0, "30 %");
        assert_eq!(heard(&[(Stream::Out, "a\r\nb\r\n")]).0, "a\nb");
    }

    #[test]
    fn a_secret_is_hidden_wherever_the_pieces_part() {
        for at in 1..SECRET.len() {
            let (first, second) = SECRET.split_at(at);
            let first = format!("key {first}");
            let second = format!("{second} used\n");
            let (tail, words) = heard(&[(Stream::Err, &first), (Stream::Out, "meanwhile\n"), (Stream::Err, &second)]);
            assert_eq!(tail, "meanwhile\nkey *** used");
            assert_eq!(words, "key *** used");
            // Nor is half of one shown while the rest is still to come.
            let (tail, _) = heard(&[(Stream::Err, &first)]);
            assert!(at < 4 || tail == "key ***", "{tail}");
        }
    }

    #[test]
    fn a_line_without_an_end_is_cut_outside_of_every_secret() {
        let scrub = scrub();
        for before in LONGEST - 40..LONGEST + 40 {
            let mut ear = Ear::new(&scrub);
            ear.hear(Stream::Out, "x".repeat(before).as_bytes());
            ear.hear(Stream::Out, SECRET.as_bytes());
            ear.hear(Stream::Out, "y".repeat(LONGEST).as_bytes());
            let tail = ear.printed().tail;
            assert!(tail.shown().contains("***") && !tail.shown().replace('\n', "").contains("canary"), "{before}");
        }
    }

    #[test]
    fn however_much_is_printed_little_is_kept() {
        let scrub = scrub();
        let mut ear = Ear::new(&scrub);
        for number in 0..100_000_u32 {
            ear.hear(Stream::Out, format!("line {number}\n").as_bytes());
            ear.hear(Stream::Err, &[b'z'; 64]);
        }
        let printed = ear.printed();
        assert!(printed.tail.original().len() < KEPT + 2 * LONGEST + LINES, "{}", printed.tail.original().len());
        assert!(printed.tail.shown().contains("line 99999"));
        assert_eq!(printed.lines, 100_000);
        assert!(printed.bytes > 6_400_000);
    }

    #[test]
    fn bytes_that_are_no_text_become_visible_and_harmless() {
        let scrub = scrub();
        let mut ear = Ear::new(&scrub);
        ear.hear(Stream::Out, b"\x1b[2J\x07\xff\xfe\x00bell\n");
        let tail = ear.printed().tail;
        assert_eq!(tail.shown(), "<001B>[2J<0007>\u{fffd}\u{fffd}<0000>bell");
    }
}
