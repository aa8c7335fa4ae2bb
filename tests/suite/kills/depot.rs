//! A service that keeps nothing to look at, a channel beside it, and the business's handler of Stripe's events: every
//! request that arrives there has happened, once more. It outlives the cockpits, breaks the line before and after it has
//! acted, and ends a life at a request.

use std::{
    collections::HashMap,
    io::{self, Write as _},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use chrono::{TimeDelta, Utc};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value as Json;
use sqlx::Connection as _;
use wheelhouse::domain::signature;

use super::{business::HOOK_SECRET, place, points::Kill, wire::message};

/// Where requests arrive, by the beginning of their path: `hook` takes events from the cockpit, `told` from Stripe.
const PLACES: [&str; 4] = ["site", "shout", "hook", "told"];

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Passes,
    CutBefore,
    CutAfter,
    Gateway,
    GatewayAfter,
    Busy,
    /// A 200 that says that nothing was booked, and is right.
    Unproven,
}

const FAULTS: [Fate; 6] = [Fate::CutBefore, Fate::CutAfter, Fate::Gateway, Fate::GatewayAfter, Fate::Busy, Fate::Unproven];

/// A request that was acted upon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// One of `PLACES`.
    pub place: &'static str,
    pub path: String,
    /// The idempotency key; of an event its own id.
    pub key: String,
    pub body: String,
}

#[derive(Default)]
struct State {
    pid: Option<Pid>,
    kill: Option<Kill>,
    killed: bool,
    met: HashMap<String, u64>,
    faults: u8,
    chance: fastrand::Rng,
    arrivals: Vec<Arrival>,
    /// The database of the business whose events are taken.
    business: PathBuf,
    /// Requests that are being carried.
    open: usize,
}

#[derive(Clone)]
pub struct Depot {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Depot {
    pub fn open() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let depot = Self { address: listener.local_addr().unwrap(), state: Arc::default() };
        let door = depot.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                door.state().open += 1;
                let door = door.clone();
                thread::spawn(move || {
                    drop(door.serve(stream));
                    door.state().open -= 1;
                });
            }
        });
        depot
    }

    /// A life begins: what meets its requests, and at which of them it ends.
    pub fn begin(&self, kill: Option<Kill>, faults: u8, seed: u64) {
        let mut state = self.state();
        state.pid = None;
        let is_here = |kill: &Kill| {
            kill.point
                .split_once('.')
                .is_some_and(|(place, at)| PLACES.contains(&place) && (at == "received" || at == "committed"))
        };
        state.kill = kill.filter(is_here);
        state.killed = false;
        state.met.clear();
        state.faults = faults;
        state.chance = fastrand::Rng::with_seed(seed);
    }

    /// Whom to kill.
    pub fn belongs_to(&self, pid: u32) {
        self.state().pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    }

    /// Answers whether this life ended here.
    pub fn end(&self) -> bool {
        let mut state = self.state();
        state.pid = None;
        state.killed
    }

    /// Waits until what the dead have sent has arrived: whoever looks then sees all of it.
    pub fn settle(&self) {
        let mut quiet = 0;
        while quiet < 3 {
            quiet = if self.state().open == 0 { quiet + 1 } else { 0 };
            thread::sleep(Duration::from_millis(1));
        }
    }

    pub fn arrivals(&self) -> Vec<Arrival> {
        self.state().arrivals.clone()
    }

    /// A round begins: nothing has arrived yet.
    pub fn serve_for(&self, business: PathBuf) {
        let mut state = self.state();
        state.arrivals.clear();
        state.business = business;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        let request = message(&mut client)?;
        let answered = self.answer(&String::from_utf8_lossy(&request), &mut client);
        drop(client.shutdown(Shutdown::Both));
        answered
    }

    fn answer(&self, request: &str, client: &mut TcpStream) -> io::Result<()> {
        let path = request.split(' ').nth(1).unwrap_or_default();
        if let Some(key) = path.strip_prefix("/arrived/") {
            let is_there = self.state().arrivals.iter().any(|arrival| arrival.key == key);
            return say(client, if is_there { "200 OK" } else { "404 Not Found" }, "{}");
        }
        let first = path.split('/').nth(1).unwrap_or_default();
        let Some(place) = PLACES.into_iter().find(|place| *place == first) else {
            return say(client, "404 Not Found", "{}");
        };
        // What Stripe sends has nothing to do with whether the cockpit lives: it is taken.
        if self.is_due(&format!("{place}.received")) && place != "told" {
            return Ok(());
        }
        let fate = if place == "told" { Fate::Passes } else { self.state().fate() };
        match fate {
            Fate::CutBefore => return Ok(()),
            Fate::Gateway => return say(client, "502 Bad Gateway", "<html><title>502 Bad Gateway</title></html>"),
            Fate::Busy => return say(client, "429 Too Many Requests", "{}"),
            Fate::Unproven if place == "site" => return say(client, "200 OK", "{\"booked\": false}"),
            Fate::Passes | Fate::CutAfter | Fate::GatewayAfter | Fate::Unproven => {}
        }
        let (head, body) = request.split_once("\r\n\r\n").unwrap_or((request, ""));
        let header = |wanted: &str| {
            head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case(wanted).then(|| value.trim().to_owned())
            })
        };
        let is_event = matches!(place, "hook" | "told");
        let key =
            if is_event { event_of(&header(signature::HEADER).unwrap_or_default(), body) } else { header("idempotency-key") };
        let Some(key) = key.or_else(|| (!is_event).then(String::new)) else {
            return say(client, "400 Bad Request", "{\"error\": \"not signed\"}");
        };
        let arrival = Arrival { place, path: path.to_owned(), key: key.clone(), body: body.to_owned() };
        self.state().arrivals.push(arrival);
        if is_event {
            let business = self.state().business.clone();
            process(&business, &key);
        }
        if self.is_due(&format!("{place}.committed")) && place != "told" {
            return Ok(());
        }
        match fate {
            Fate::CutAfter => Ok(()),
            Fate::GatewayAfter => say(client, "502 Bad Gateway", "<html><title>502 Bad Gateway</title></html>"),
            _ => say(client, "200 OK", "{\"booked\": true}"),
        }
    }

    /// Counts a point, and ends the life where it is the one.
    fn is_due(&self, name: &str) -> bool {
        let mut state = self.state();
        let met = state.met.entry(name.to_owned()).or_default();
        *met += 1;
        let met = *met;
        let is_due = state.kill.as_ref().is_some_and(|kill| kill.point == name && kill.nth == met);
        if let (true, Some(pid)) = (is_due, state.pid) {
            kill_process(pid, Signal::KILL).unwrap();
            state.killed = true;
        }
        is_due
    }
}

impl State {
    fn fate(&mut self) -> Fate {
        let is_faulty = self.chance.u8(0..100) < self.faults;
        if is_faulty { FAULTS[self.chance.usize(0..FAULTS.len())] } else { Fate::Passes }
    }
}

fn say(client: &mut TcpStream, status: &str, body: &str) -> io::Result<()> {
    let length = body.len();
    write!(
        client,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

/// The event's id, where it is signed as Stripe signs.
fn event_of(header: &str, body: &str) -> Option<String> {
    signature::verify(HOOK_SECRET, header, body.as_bytes(), Utc::now(), TimeDelta::minutes(5)).ok()?;
    let event: Json = serde_json::from_str(body).ok()?;
    event["id"].as_str().map(str::to_owned)
}

/// As a business does it that knows each event by its id: once, however often it is told.
fn process(business: &Path, event: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = place::open(business).await;
        let script = format!(
            "begin immediate;
             insert into printed (event) select '{event}' where not exists (select 1 from processed where id = '{event}');
             insert or ignore into processed (id, at) values ('{event}', datetime('now'));
             commit"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(script)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}

/// What a person sees there who looks: whether a request with this key has arrived.
pub fn has_arrived(depot: SocketAddr, key: &str) -> bool {
    let mut line = TcpStream::connect(depot).unwrap();
    write!(line, "GET /arrived/{key} HTTP/1.1\r\nhost: depot\r\n\r\n").unwrap();
    let mut answer = String::new();
    io::Read::read_to_string(&mut line, &mut answer).unwrap();
    answer.starts_with("HTTP/1.1 200")
}
