//! A list of many pages tells how far it has come while it is read, in the place where its rows will stand.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{Arc, Condvar, Mutex},
    thread,
};

use tempfile::TempDir;

use crate::pty::Terminal;

const PAGES: usize = 8;
const ROWS: usize = 30;
/// The page that is not answered before it may be.
const HELD: usize = 6;

/// May the rest be answered?
type Gate = Arc<(Mutex<bool>, Condvar)>;

fn open(gate: &Gate, is_open: bool) {
    *gate.0.lock().unwrap() = is_open;
    gate.1.notify_all();
}

/// A service of eight pages and an empty one behind them; answers its address. Gone with the test's own process.
fn service(gate: &Gate) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let gate = Arc::clone(gate);
    thread::spawn(move || {
        for line in listener.incoming().flatten() {
            let gate = Arc::clone(&gate);
            thread::spawn(move || drop(answer(&line, &gate)));
        }
    });
    format!("http://{address}")
}

fn answer(line: &TcpStream, gate: &Gate) -> std::io::Result<()> {
    let mut lines = BufReader::new(line.try_clone()?).lines();
    while let Some(first) = lines.next().transpose()? {
        let page = first.split("page=").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<usize>().ok()).unwrap_or(1);
        while lines.next().transpose()?.is_some_and(|header| !header.is_empty()) {}
        if page >= HELD {
            drop(gate.1.wait_while(gate.0.lock().unwrap(), |is_open| !*is_open).unwrap());
        }
        let rows = if page > PAGES { 0..0 } else { page * 100..page * 100 + ROWS };
        let rows: Vec<String> = rows.map(|id| format!("{{\"id\":\"o{id}\",\"n\":{id}}}")).collect();
        let body = format!("{{\"data\":[{}]}}", rows.join(","));
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
        let mut line = line;
        line.write_all(head.as_bytes())?;
        line.write_all(body.as_bytes())?;
    }
    Ok(())
}

fn pack(home: &Path, address: &str) {
    let paged = "on = \"site\", path = \"/orders\", rows = \"/data\", columns = { id = \"/id\", n = \"/n\" }, pages = { number = { parameter = \"page\" } }";
    let text = format!(
        r#"[pack]
title = "Depot"
timezone = "UTC"
currency = "EUR"

[connections]
site.http = {{ url = "{address}", timeout = "5m" }}

[checks.orders]
title = "First order"
read.http = {{ {paged} }}
value = "n"
every = "1h"
red = {{ above = 1000000 }}

[queues.orders]
title = "Orders"
read.http = {{ {paged} }}
id = "id"
every = "1h"
minutes_each = 1
columns = [ {{ column = "id", title = "Order" }} ]
"#
    );
    fs::write(home.join("pack.toml"), text).unwrap();
}

#[test]
fn a_first_look_of_many_pages_says_how_many_have_come_and_then_gives_way_to_its_rows() {
    for (columns, rows) in [(120, 40), (80, 24)] {
        let home = TempDir::new().unwrap();
        let gate = Gate::default();
        pack(home.path(), &service(&gate));
        let arguments = ["--pack", "pack.toml", "--state-dir", "state"];
        let mut terminal = Terminal::start_with(&arguments, &[], home.path(), columns, rows);
        // Both looks stand at the page that is held: no more than five have come.
        terminal.until_now("how far it has come", |screen| screen.contains("reading: 5 pages, 150 rows"));
        if columns == 80 {
            terminal.until_now("the alert as well", |screen| screen.matches("reading: 5 pages").count() >= 2);
        }
        terminal.keys("2,Enter");
        terminal.until_now("the same in the queue", |screen| screen.contains("Reading: 5 pages, 150 rows"));
        open(&gate, true);
        terminal.until_now("its rows", |screen| screen.contains("240 items") && screen.contains("o100"));
        terminal.keys("Esc,1");
        terminal.until_now("nothing is read any more", |screen| !screen.to_lowercase().contains("reading:"));
        terminal.keys("q");
        assert!(terminal.ended().success());
    }
}
