//! Two ledgers of a million rows a side, paired. `benches/ledgers` runs it beside three databases; see there.
//!
//! `make DIR ROWS` writes the two ledgers, `run DIR` reads and pairs them and says in JSON what it found, how long both
//! took, and how much memory at most.

#![expect(clippy::expect_used, reason = "a benchmark that cannot be set up must not measure something else")]

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use wheelhouse::domain::{
    id::Id,
    money::Currency,
    pack::{Ledger, LedgerColumns, Query, Read, Reconciliation, Sql},
    reconcile::{Book, Cell, reconcile},
    snapshot::Statement,
};

/// The product's own.
#[global_allocator]
static HEAP: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

const THEIRS: &str = "id,amount,refunded,currency,created,status,payment_intent,customer";
const OURS: &str = "id,charge_id,amount,refunded,currency,created,status";
/// Seconds of 2026-11-20; what the ledgers' window ends with.
const NOW: i64 = 1_795_132_800;
const WEEK: i64 = 7 * 86_400;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["make", directory, rows] => make(Path::new(directory), rows.parse().expect("a number of rows")),
        ["run", directory] => run(Path::new(directory)),
        _ => say(&json!({ "usage": "make DIR ROWS, run DIR" }).to_string()),
    }
}

fn say(line: &str) {
    writeln!(std::io::stdout(), "{line}").expect("standard output");
}

/// One in two hundred is missing here, missing there, or differs; ours come in no order.
fn make(directory: &Path, rows: usize) {
    let mut random = fastrand::Rng::with_seed(7);
    let mut theirs = create(directory, "theirs.csv", THEIRS);
    let mut of_ours = Vec::with_capacity(rows);
    let letters = |random: &mut fastrand::Rng, count: usize| (0..count).map(|_| random.alphanumeric()).collect::<String>();
    for index in 0..rows {
        let id = format!("ch_3Q{}", letters(&mut random, 20));
        let (intent, customer) = (format!("pi_3Q{}", letters(&mut random, 20)), format!("cus_{}", letters(&mut random, 14)));
        let amount = random.i64(100..50_000);
        let refunded = if random.u8(..) < 5 { amount / 2 } else { 0 };
        let currency = if random.u8(..) < 25 { "usd" } else { "aud" };
        let created = NOW - WEEK + 1 + (WEEK - 8_000) * index as i64 / rows as i64;
        let fault = if index % 200 == 7 { random.u8(..4) } else { u8::MAX };
        if fault != 0 {
            writeln!(theirs, "{id},{amount},{refunded},{currency},{created},succeeded,{intent},{customer}").expect("a row");
        }
        if fault != 1 {
            let amount = amount + i64::from(fault == 2) * 20;
            let refunded = refunded + i64::from(fault == 3) * 50;
            of_ours.push(format!("pay_{index:08},{id},{amount},{refunded},{currency},{},succeeded", created + 3));
        }
    }
    random.shuffle(&mut of_ours);
    let mut ours = create(directory, "ours.csv", OURS);
    for line in &of_ours {
        writeln!(ours, "{line}").expect("a row");
    }
    theirs.flush().and_then(|()| ours.flush()).expect("written");
}

fn create(directory: &Path, name: &str, head: &str) -> BufWriter<File> {
    let mut file = BufWriter::new(File::create(directory.join(name)).expect("a file"));
    writeln!(file, "{head}").expect("a head");
    file
}

fn run(directory: &Path) {
    let began = Instant::now();
    let (theirs, ours) = std::thread::scope(|scope| {
        let ours = scope.spawn(|| read(&directory.join("ours.csv"), "db", Some("charge_id")));
        let theirs = read(&directory.join("theirs.csv"), "stripe", None);
        (theirs, ours.join().expect("a side"))
    });
    let read = began.elapsed();
    let rows = (theirs.len(), ours.len());
    let now = moment(NOW);
    let paired = Instant::now();
    let (statement, _sheet) = reconcile(&reconciliation(), theirs, ours, now - TimeDelta::seconds(WEEK), now, now);
    let join = paired.elapsed();
    say(&json!({
        "rows": [rows.0, rows.1],
        "read_ms": milliseconds(read),
        "join_ms": milliseconds(join),
        "peak_mib": peak_mib(),
        "classes": classes(&statement),
        "listed": statement.discrepancies.len(),
    })
    .to_string());
}

fn milliseconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 10_000.0).round() / 10.0
}

/// As the databases tell it: currency, class, how many, and the minor units that the class makes up.
fn classes(statement: &Statement) -> BTreeMap<String, (usize, i64)> {
    let all = statement.totals.iter().flat_map(|totals| {
        let currency = totals.difference.currency.code().to_lowercase();
        totals.by_class.iter().map(move |(class, count, money)| (format!("{currency} {}", class.word()), (*count, money.minor)))
    });
    all.collect()
}

fn moment(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).expect("a moment")
}

const MOST_COLUMNS: usize = 8;

/// What the text of a column is.
#[derive(Clone, Copy)]
enum Kind {
    Amount,
    Moment,
    Text,
}

impl Kind {
    fn of(column: &str) -> Self {
        match column {
            "amount" | "refunded" => Self::Amount,
            "created" => Self::Moment,
            _ => Self::Text,
        }
    }
}

fn read(file: &Path, title: &str, link: Option<&str>) -> Book {
    let mut reader = csv::ReaderBuilder::new().buffer_capacity(1 << 18).from_path(file).expect("a ledger");
    let head: Vec<String> = reader.headers().expect("a head").iter().map(str::to_owned).collect();
    let mut book = Book::new(&ledger(title, link), Currency::from_code("AUD").expect("a currency"));
    book.head(&head).expect("its columns");
    let kinds: Vec<Kind> = head.iter().map(|name| Kind::of(name)).collect();
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).expect("a row") {
        let mut cells = [Cell::Null; MOST_COLUMNS];
        for ((text, kind), cell) in record.iter().zip(&kinds).zip(&mut cells) {
            *cell = match kind {
                Kind::Amount => Cell::Integer(text.parse().expect("minor units")),
                Kind::Moment => Cell::Time(moment(text.parse().expect("seconds"))),
                Kind::Text => Cell::Text(text),
            };
        }
        book.push(&cells[..kinds.len()]).expect("a row that can be read");
    }
    book
}

fn ledger(title: &str, link: Option<&str>) -> Ledger {
    let text = str::to_owned;
    let sql = Sql { text: String::new(), numbered: String::new(), parameters: vec![] };
    Ledger {
        id: Id::new(title),
        title: text(title),
        query: Query { on: Id::new("db"), read: Read::Sql(sql), money: vec![] },
        columns: LedgerColumns {
            key: text("id"),
            link: link.map(text),
            amount: text("amount"),
            refunded: Some(text("refunded")),
            currency: Some(text("currency")),
            at: text("created"),
            status: Some(text("status")),
            settled: vec![text("succeeded")],
            pending: vec![text("pending")],
        },
    }
}

fn reconciliation() -> Reconciliation {
    Reconciliation {
        id: Id::new("charges"),
        title: "Charges".to_owned(),
        theirs: Id::new("stripe"),
        ours: Id::new("db"),
        window: Duration::from_secs(WEEK as u64),
        settle: Duration::from_hours(1),
        tolerance: Duration::from_mins(10),
        proposals: BTreeMap::new(),
        proposals_there: BTreeMap::new(),
        proposals_here: BTreeMap::new(),
        every: Duration::from_mins(5),
        covers: vec![],
    }
}

/// The most memory that the process ever had, as the kernel counts it.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the kernel's count");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the high water mark");
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).expect("KiB") / 1024
}
