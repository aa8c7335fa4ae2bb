use std::{os::unix::fs::PermissionsExt as _, sync::Arc, time::Duration};

use chrono::TimeDelta;

use super::*;
use crate::{
    domain::{
        archive::{Evidence, Origin},
        id::Id,
        money::{Currency, Money},
        pack::Reconciliation,
        reconcile::{Book, reconcile},
        rows::{Params, Row},
        snapshot::Entry,
        value::Value,
    },
    ports::Archive as _,
};

const EVIL: &str = "<script>alert(1)</script>&'\"\u{202e}";

fn now() -> DateTime<Utc> {
    "2026-03-20T12:00:00Z".parse().unwrap()
}

fn entry(key: &str, link: Option<&str>, minor: i64) -> Entry {
    let currency = Currency::from_code("AUD").unwrap();
    Entry {
        key: key.to_owned(),
        link: link.map(str::to_owned),
        amount: Money::new(minor, currency),
        refunded: Money::new(0, currency),
        at: now() - TimeDelta::days(2),
        status: Some(Text::new("succeeded")),
        settled: true,
        pending: false,
        row: Row::from(&Params::from([("id".to_owned(), Value::text(key))])),
    }
}

fn filing(at: DateTime<Utc>) -> Filing {
    let reconciliation = Reconciliation {
        id: Id::new("charges"),
        title: format!("Charges {EVIL}"),
        theirs: Id::new("stripe"),
        ours: Id::new("db"),
        window: Duration::from_hours(24 * 7),
        settle: Duration::from_hours(1),
        tolerance: Duration::from_mins(10),
        proposals: [].into(),
        proposals_there: [].into(),
        proposals_here: [].into(),
        every: Duration::from_mins(5),
        covers: vec![],
    };
    let theirs = [entry("ch_1", None, 2200), entry("ch_2", None, -700), entry("=cmd|'/C calc'!A1", Some("x"), 900)];
    let ours = [entry("1", Some("ch_1"), 2000), entry("2", None, -700), entry("3", None, -700), entry(EVIL, Some("y"), 5)];
    let book = |title: &str, entries: &[Entry]| Book::of(title, entries).unwrap();
    let (from, to) = (now() - TimeDelta::days(7), now());
    let (statement, sheet) = reconcile(&reconciliation, book("stripe", &theirs), book("db", &ours), from, to, now());
    let origin = |title: &str| Origin {
        ledger: title.to_owned(),
        title: title.to_owned(),
        connection: "db".to_owned(),
        kind: "sql".to_owned(),
        query: format!("select 1 -- {EVIL}"),
        parameters: [("from".to_owned(), from.to_rfc3339())].into(),
        requests: vec!["req_1".to_owned(), EVIL.to_owned()],
        rows: 4,
        took_ms: 12,
    };
    Filing {
        business: ("shop".to_owned(), "The shop".to_owned()),
        reconciliation,
        statement: Arc::new(statement),
        evidence: Arc::new(Evidence { origins: [origin("stripe"), origin("db")], sheet, asked_at: now() }),
        by: "mira".to_owned(),
        at,
        signed: true,
        note: Text::new(format!("both explained {EVIL}")),
    }
}

fn shelf() -> (tempfile::TempDir, Shelf) {
    let directory = tempfile::tempdir().unwrap();
    let shelf = Shelf::new(directory.path().join("statements/shop"));
    (directory, shelf)
}

fn holds(shelf: &Shelf, name: &str, ending: &str) -> bool {
    matches!(verify(&shelf.path(name, ending)).unwrap(), Verdict::Holds { .. })
}

#[test]
fn a_statement_is_filed_for_its_owner_alone_and_found_again() {
    let (_directory, shelf) = shelf();
    assert_eq!(shelf.list().unwrap(), []);
    let filed = shelf.file(&filing(now())).unwrap();
    assert_eq!(filed.name, "charges_20260320T120000Z");
    for ending in [JSON, CSV, HTML, HASHES] {
        let mode = fs::metadata(shelf.path(&filed.name, ending)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{ending}");
        assert!(holds(&shelf, &filed.name, ending), "{ending}");
    }
    assert_eq!(fs::metadata(shelf.directory()).unwrap().permissions().mode() & 0o777, 0o700);
    let listed = shelf.list().unwrap();
    let head = listed[0].head.as_ref().unwrap();
    assert_eq!((head.reconciliation.shown(), head.filed_by.shown(), head.signed, head.to), ("charges", "mira", true, now()));
    let text = fs::read_to_string(shelf.path(&filed.name, JSON)).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["rows"].as_array().unwrap().len(), 7);
    assert_eq!(json["rows"][0][10], serde_json::json!(null));
    assert_eq!(json["sources"][0]["requests"][0], "req_1");
    assert_eq!(json["totals"][0]["difference"]["minor"], 2200 - 700 + 900 - (2000 - 1400 + 5));
    assert_eq!(json["note"], format!("both explained {EVIL}"));
    assert!(!text.contains('\u{202e}'), "what deceives the eye is escaped");
}

#[test]
fn the_same_statement_is_the_same_bytes() {
    let ((_one, a), (_other, b)) = (shelf(), shelf());
    assert_eq!(a.file(&filing(now())).unwrap(), b.file(&filing(now())).unwrap());
}

#[test]
fn names_never_clash() {
    let (_directory, shelf) = shelf();
    let names: Vec<String> = (0..3).map(|_| shelf.file(&filing(now())).unwrap().name).collect();
    assert_eq!(names, ["charges_20260320T120000Z", "charges_20260320T120000Z-2", "charges_20260320T120000Z-3"]);
    assert!(names.iter().all(|name| holds(&shelf, name, JSON)));
}

#[test]
fn any_flipped_bit_of_any_file_is_told() {
    let (_directory, shelf) = shelf();
    let name = shelf.file(&filing(now())).unwrap().name;
    for ending in [JSON, CSV, HTML, HASHES] {
        let path = shelf.path(&name, ending);
        let whole = fs::read(&path).unwrap();
        let tail = whole.len().saturating_sub(160);
        // Every bit of the end, where hashes stand, and here and there one of the bytes before.
        let has_hashes = matches!(ending, JSON | HASHES);
        let bits = (0..whole.len()).flat_map(|at| (0..8).map(move |bit| (at, bit)));
        let flips =
            bits.filter(|(at, bit)| if has_hashes && *at >= tail { at % 2 == 0 || *bit == 5 } else { at % 16 == 2 * bit });
        for (at, bit) in flips {
            let mut changed = whole.clone();
            changed[at] ^= 1 << bit;
            fs::write(&path, &changed).unwrap();
            assert!(!holds(&shelf, &name, JSON), "bit {bit} of byte {at} of the {ending}");
        }
        for cut in [0, 1, whole.len() - 1] {
            fs::write(&path, &whole[..cut]).unwrap();
            assert!(!holds(&shelf, &name, JSON), "{ending} cut at {cut}");
        }
        fs::write(&path, [whole.as_slice(), b"\n"].concat()).unwrap();
        assert!(!holds(&shelf, &name, JSON), "{ending} with one byte more");
        fs::remove_file(&path).unwrap();
        if ending != JSON {
            assert!(!holds(&shelf, &name, JSON), "no {ending}");
        }
        fs::write(&path, &whole).unwrap();
        assert!(holds(&shelf, &name, ending));
    }
}

/// As somebody would who knows how statements are hashed: a change, and every hash made to fit it.
fn forge(shelf: &Shelf, name: &str, change: impl Fn(&str) -> String) {
    let path = shelf.path(name, JSON);
    let text = fs::read_to_string(&path).unwrap();
    let changed = change(&text);
    assert_ne!(changed, text, "nothing to change");
    let body = changed.split(canonical::BEFORE_HASH).next().unwrap();
    let hash = |text: &str| hex::encode(Sha256::digest(text.as_bytes()));
    let whole = format!("{body}{}{}{}", canonical::BEFORE_HASH, hash(body), canonical::AFTER_HASH);
    fs::write(&path, &whole).unwrap();
    let list = shelf.path(name, HASHES);
    let told = fs::read_to_string(&list).unwrap();
    let own = format!("  {name}.{JSON}");
    let lines = told.lines().map(|line| if line.ends_with(&own) { format!("{}{own}", hash(&whole)) } else { line.to_owned() });
    fs::write(&list, lines.map(|line| line + "\n").collect::<String>()).unwrap();
}

#[test]
fn what_was_changed_with_its_hashes_no_longer_adds_up() {
    for (from, to, said) in [
        ("\"matched\":0,", "\"matched\":2,", "matched: 0 by the rows, 2 in the statement"),
        ("\"minor\":2400,", "\"minor\":2399,", "AUD stripe: +A$24.00 by the rows, +A$23.99 in the statement"),
        (
            "[\"ours\",\"amount\",\"1\",\"ch_1\",2000,",
            "[\"ours\",\"amount\",\"1\",\"ch_1\",1999,",
            "AUD amount differs: +A$2.01 by the rows",
        ),
        ("[\"ours\",\"amount\",", "[\"ours\",\"matched\",", "2 pairs told by one side alone"),
        ("\"from\":\"2026-03-13", "\"from\":\"2026-03-19", "lies outside of the window"),
        ("\"unlisted\":0", "\"unlisted\":1", "not matched"),
        ("[\"theirs\",\"amount\"", "[\"mine\",\"amount\"", "belongs to neither side"),
        ("[\"theirs\",\"amount\"", "[\"theirs\",\"fine\"", "unknown variant `fine`"),
    ] {
        let (_directory, shelf) = shelf();
        let name = shelf.file(&filing(now())).unwrap().name;
        forge(&shelf, &name, |text| text.replacen(from, to, 1));
        let Verdict::Broken { wrong } = verify(&shelf.path(&name, JSON)).unwrap() else { panic!("{to} holds") };
        let told = wrong.iter().map(|(_, why)| why.as_str()).collect::<Vec<_>>().join("; ");
        assert!(told.contains(said) && told.contains("does not add up"), "{to}: {told}");
    }
}

#[test]
fn a_row_that_is_left_out_or_told_twice_is_missed() {
    for again in [false, true] {
        let (_directory, shelf) = shelf();
        let name = shelf.file(&filing(now())).unwrap().name;
        forge(&shelf, &name, |text| {
            let row = text.lines().find(|line| line.starts_with("[\"theirs\",\"missing_here\"")).unwrap();
            text.replacen(&format!("{row}\n"), &if again { format!("{row}\n{row}\n") } else { String::new() }, 1)
        });
        assert!(!holds(&shelf, &name, JSON), "{again}");
    }
}

#[test]
fn nothing_from_outside_is_more_than_text_on_the_page_and_in_the_table() {
    let (_directory, shelf) = shelf();
    let name = shelf.file(&filing(now())).unwrap().name;
    let page = fs::read_to_string(shelf.path(&name, HTML)).unwrap();
    assert!(!page.contains("<script") && page.contains("&lt;script&gt;alert(1)&lt;/script&gt;&amp;&#39;&quot;&lt;202E&gt;"));
    for from_elsewhere in ["http:", "https:", "src=", "href=", "url(", "@import"] {
        assert!(!page.contains(from_elsewhere), "{from_elsewhere}");
    }
    let table = fs::read_to_string(shelf.path(&name, CSV)).unwrap();
    assert_eq!(table.lines().count(), 8);
    assert!(table.contains("'=cmd|") && !table.contains(",=cmd"));
    assert!(table.contains(",-7.00,"), "a number stays one");
}

fn noted(filed: &Filed, at: DateTime<Utc>) -> (String, Noted) {
    let (subject, hashes) = ("reconciliation.charges".to_owned(), filed.hashes.clone());
    let name = filed.name.clone();
    (name.clone(), Noted { sequence: 7, name, subject, who: Text::new("mira"), at, word: Filings::Signed, hashes })
}

#[test]
fn the_shelf_is_held_against_the_journal() {
    let (_directory, shelf) = shelf();
    let held = |journal: &BTreeMap<String, Noted>| -> Vec<String> {
        let all = Held::all(shelf.list().unwrap(), shelf.directory(), Some(journal.clone()));
        all.iter().map(|one| one.standing.word().to_owned()).collect()
    };
    let filed = [(); 3].map(|()| shelf.file(&filing(now())).unwrap());
    let mut journal: BTreeMap<String, Noted> = filed[..2].iter().map(|filed| noted(filed, now())).collect();
    // The last one's name and signature were on the disk before the journal was to sign it.
    assert_eq!(held(&journal), ["known", "known", "unknown"]);
    let unasked = Held::all(shelf.list().unwrap(), shelf.directory(), None);
    assert!(unasked.iter().all(|one| one.standing == Standing::Unasked));
    journal.get_mut(&filed[0].name).unwrap().hashes = filed[1].hashes.clone();
    assert_eq!(held(&journal), ["broken", "known", "unknown"]);
    fs::remove_file(shelf.path(&filed[0].name, CSV)).unwrap();
    assert_eq!(held(&BTreeMap::new()), ["broken", "unknown", "unknown"], "half of it is there");
    shelf.remove(&filed[0].name).unwrap();
    assert_eq!(held(&journal), ["missing", "known", "unknown"], "deleted by hand, and noticed");
    for noted in journal.values_mut() {
        noted.word = Filings::Removed;
    }
    assert_eq!(held(&journal), ["left", "unknown"], "taken away by the journal, one of them not quite");
}

#[test]
fn seven_years_are_counted_from_the_journals_line_where_there_is_one() {
    let (_directory, shelf) = shelf();
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let filed = shelf.file(&filing(at("2019-01-01T00:00:00Z"))).unwrap();
    let is_over = |journal: Option<BTreeMap<String, Noted>>, now: &str| {
        Held::all(shelf.list().unwrap(), shelf.directory(), journal)[0].is_over(at(now))
    };
    assert!(is_over(Some(BTreeMap::new()), "2026-01-01T00:00:00Z") && !is_over(None, "2025-12-31T23:59:59Z"));
    let later: BTreeMap<String, Noted> = [noted(&filed, at("2024-01-01T00:00:00Z"))].into();
    assert!(!is_over(Some(later.clone()), "2030-12-31T23:59:59Z"), "whatever the file says of itself");
    assert!(is_over(Some(later), "2031-01-01T00:00:00Z"));
}

/// Changes one of the other files, with its hash in the list.
fn retell(shelf: &Shelf, name: &str, ending: &str, change: impl Fn(&str) -> String) {
    let path = shelf.path(name, ending);
    let text = fs::read_to_string(&path).unwrap();
    let changed = change(&text);
    assert_ne!(changed, text, "nothing to change");
    fs::write(&path, &changed).unwrap();
    let hash = |text: &str| hex::encode(Sha256::digest(text.as_bytes()));
    let list = shelf.path(name, HASHES);
    let told = fs::read_to_string(&list).unwrap().replace(&hash(&text), &hash(&changed));
    fs::write(&list, told).unwrap();
}

#[test]
fn the_table_and_the_page_must_say_what_the_rows_say() {
    for (ending, from, to) in [(CSV, ",22.00,", ",21.00,"), (HTML, "A$24.00", "A$23.00"), (HTML, "by mira", "by nobody")] {
        let (_directory, shelf) = shelf();
        let name = shelf.file(&filing(now())).unwrap().name;
        retell(&shelf, &name, ending, |text| text.replacen(from, to, 1));
        let Verdict::Broken { wrong } = verify(&shelf.path(&name, JSON)).unwrap() else { panic!("{to} holds") };
        assert_eq!(wrong, [(format!("{name}.{ending}"), "does not say what the rows in the JSON say".to_owned())]);
    }
}

#[test]
fn a_statement_under_another_name_is_told() {
    let (_directory, shelf) = shelf();
    let name = shelf.file(&filing(now())).unwrap().name;
    let other = "charges_20270320T120000Z";
    for ending in [JSON, CSV, HTML] {
        fs::rename(shelf.path(&name, ending), shelf.path(other, ending)).unwrap();
    }
    let list = fs::read_to_string(shelf.path(&name, HASHES)).unwrap();
    fs::write(shelf.path(other, HASHES), list.replace(&name, other)).unwrap();
    assert!(!holds(&shelf, other, JSON));
    let listed = shelf.list().unwrap();
    assert!(listed[0].head.as_ref().unwrap_err().shown().contains("under another name"), "{listed:?}");
}

/// The first format did not hold its name, and was never compared with its table and page.
#[test]
fn statements_of_the_first_format_hold_still() {
    let (_directory, shelf) = shelf();
    let name = shelf.file(&filing(now())).unwrap().name;
    forge(&shelf, &name, |text| {
        text.replacen(canonical::FORMAT, canonical::FIRST_FORMAT, 1).replacen(&format!("\"name\":\"{name}\",\n"), "", 1)
    });
    assert!(holds(&shelf, &name, JSON));
    assert!(shelf.list().unwrap()[0].head.is_ok());
}

/// They are made again when a statement is verified, years later: who changes them gives the format a new number.
#[test]
fn what_is_written_stays_as_it_was_written() {
    let (_directory, shelf) = shelf();
    let hashes: Vec<String> =
        shelf.file(&filing(now())).unwrap().hashes.into_values().map(|hash| hash.chars().take(12).collect()).collect();
    assert_eq!(
        (canonical::FORMAT, hashes.join(" ").as_str()),
        ("wheelhouse statement 2", "8d2e9e73cb77 7c4d28f8a27e bec7112e612c")
    );
}

#[test]
fn what_cannot_be_written_is_told_and_leaves_nothing_behind() {
    let (directory, _) = shelf();
    let file = directory.path().join("file");
    fs::write(&file, "in the way").unwrap();
    assert!(Shelf::new(&file).file(&filing(now())).is_err());
    let (_directory, shelf) = shelf();
    let filed = shelf.file(&filing(now())).unwrap();
    shelf.discard(&filed);
    assert_eq!(fs::read_dir(shelf.directory()).unwrap().count(), 0);
}
