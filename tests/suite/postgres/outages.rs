//! A cockpit that is open while its database is locked, stopped and started again: what cannot be seen is said, all
//! else goes on, and what was begun is done once.

use super::{Business, Way};
use crate::pty::Terminal;

struct Seen<'a> {
    terminal: &'a mut Terminal,
}

impl Seen<'_> {
    /// Types keys, and waits for a frame that has all of it.
    fn after(&mut self, keys: &str, see: &[&str]) {
        self.terminal.look_up();
        self.terminal.keys(keys);
        let lacks = |frame: &str| see.iter().filter(|text| !frame.contains(**text)).map(|text| format!("`{text}`")).collect();
        self.terminal.until(keys, lacks);
    }
}

#[test]
fn a_locked_table_and_a_stopped_server_are_told_and_pass() {
    let home = tempfile::tempdir().unwrap();
    let Some(business) = Business::open(home.path(), Way::Directly) else { return };
    let arguments = ["--pack", "cockpit/pack.toml", "--state-dir", "town"];
    let mut terminal = Terminal::start_with(&arguments, &business.environment, home.path(), 120, 40);
    let mut seen = Seen { terminal: &mut terminal };
    seen.after("", &["2 Queues   59 items", "? 0 no data"]);
    seen.after("W", &["writing is unlocked"]);

    // Somebody has locked the reviews, and meanwhile a refund is asked for no more: that is seen, and the reviews are old.
    let lock = business.lock("reviews");
    business.run("update refund_requests set status = 'denied' where id = 'rr_0314'");
    seen.after("R,2", &["2 Queues   58 items", " old: db: "]);
    seen.after("!", &["someone else holds the row or the table locked"]);
    drop(lock);
    seen.after("Esc,R,Enter,/,text:rv_902,Enter", &["1 of 51"]);

    // The second step of an act meets a lock: it is tried again, and done once.
    let lock = business.lock("review_moderation_log");
    seen.after("a", &["tried again in"]);
    drop(lock);
    seen.after("", &["Approve rv_902 Harbour Barkers: done"]);
    let log = "select count(*) from review_moderation_log where review_id = 'rv_902' and decided_by = 'op'";
    assert_eq!(business.ask(log), "1");

    business.server.stop();
    seen.after("Esc,Esc,R,!", &["nobody answers"]);
    seen.after("Esc", &["1 Alerts"]);
    // What the database told is unknown now, all of it: none of it is green any more.
    let unknown = |frame: &str| frame.split("? ").filter_map(|rest| rest.split_once(" no data")?.0.parse::<u32>().ok()).max();
    let lacks = |frame: &str| if unknown(frame) > Some(10) { Vec::new() } else { vec!["more than ten with no data".to_owned()] };
    seen.terminal.until("with no data", lacks);
    assert!(business.server.begin());
    seen.after("Esc,R", &["? 0 no data", "2 Queues   57 items"]);
    assert_eq!(business.ask(log), "1");
}
