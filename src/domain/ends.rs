//! How the acts of a batch ended, counted once for the screen, the journal and the command line.

use serde::{Deserialize, Serialize};

use super::plan::Standing;

/// Acts that are over, by how they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ends {
    pub done: usize,
    /// Done as far as the outside answered, and what would prove it is not there: neither done nor failed.
    #[serde(default)]
    pub unproven: usize,
    pub failed: usize,
    /// Nothing of them was sent, or nothing was changed.
    pub skipped: usize,
}

impl Ends {
    /// False, and nothing is counted, where it is not over.
    pub fn add(&mut self, standing: Standing) -> bool {
        match standing {
            Standing::Done => self.done += 1,
            Standing::Unproven => self.unproven += 1,
            Standing::Rejected => self.failed += 1,
            Standing::Changed | Standing::Refused | Standing::TakenBack | Standing::NotSent => self.skipped += 1,
            Standing::Held | Standing::Waiting | Standing::UnderWay | Standing::Unknown => return false,
        }
        true
    }

    /// How many are over.
    pub fn through(&self) -> usize {
        self.done + self.unproven + self.failed + self.skipped
    }

    /// True where each that is over is done.
    pub fn all_done(&self) -> bool {
        self.done == self.through()
    }

    /// `, 1 not proven, 1 failed, 2 skipped`: what ended otherwise than done; what happened to none is left out.
    pub fn otherwise(&self) -> String {
        let counts = [(self.unproven, Standing::Unproven.word()), (self.failed, "failed"), (self.skipped, "skipped")];
        let happened = counts.iter().filter(|(count, _)| *count > 0);
        happened.map(|(count, word)| [", ", &count.to_string(), " ", word].concat()).collect()
    }

    /// `3 of 5 done, 1 not proven, 1 failed`.
    pub fn said(&self, total: usize) -> String {
        format!("{} of {total} done{}", self.done, self.otherwise())
    }
}

impl Extend<Standing> for Ends {
    fn extend<T: IntoIterator<Item = Standing>>(&mut self, standings: T) {
        for standing in standings {
            self.add(standing);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_proven_is_neither_done_nor_failed() {
        let mut ends = Ends::default();
        ends.extend([Standing::Done, Standing::Unproven, Standing::Done, Standing::Rejected, Standing::Done]);
        assert_eq!(ends.said(5), "3 of 5 done, 1 not proven, 1 failed");
        assert_eq!((ends.through(), ends.all_done()), (5, false));
        assert!(!ends.add(Standing::Unknown) && ends.through() == 5, "nobody knows its end");
    }

    #[test]
    fn what_happened_to_none_is_left_out() {
        let cases: [(&[Standing], &str); 3] = [
            (&[Standing::Done, Standing::Done], "2 of 2 done"),
            (&[Standing::Changed, Standing::Refused, Standing::TakenBack, Standing::NotSent], "0 of 4 done, 4 skipped"),
            (&[Standing::Unproven], "0 of 1 done, 1 not proven"),
        ];
        for (standings, said) in cases {
            let mut ends = Ends::default();
            ends.extend(standings.iter().copied());
            assert_eq!(ends.said(standings.len()), said);
        }
    }

    #[test]
    fn a_count_of_an_earlier_version_is_still_read() {
        let read: Ends = serde_json::from_str(r#"{"done": 2, "failed": 1, "skipped": 0}"#).unwrap();
        assert_eq!(read, Ends { done: 2, unproven: 0, failed: 1, skipped: 0 });
    }
}
