//! The line between a cockpit and a server that keeps what is changed (Stripe's stand-in, a database of documents): it can
//! break before or after the server's commit, carry a request late, and see to it that the cockpit dies while a request is
//! at a certain place. It remembers what was changed.

use std::{
    collections::VecDeque,
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use rustix::process::{Pid, Signal, kill_process};

use super::points::Kill;

/// What becomes of a request that would change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Passes,
    /// The line breaks, and the server never hears of it.
    CutBefore,
    /// The server commits, and the line breaks.
    CutAfter,
    /// The server commits, and half of its answer arrives.
    Half,
    /// A proxy's page instead of an answer; the server never hears of it.
    Gateway,
    /// The same, and the server has committed.
    GatewayAfter,
    Busy,
    /// The server fails, and remembers that it did.
    Failing,
}

const FAULTS: [Fate; 7] =
    [Fate::CutBefore, Fate::CutAfter, Fate::Half, Fate::Gateway, Fate::GatewayAfter, Fate::Busy, Fate::Failing];

const BAD_GATEWAY: &str = "HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\ncontent-length: 53\r\nconnection: close\r\n\r\n\
    <html><head><title>502 Bad Gateway</title></head>  \r\n";
const BUSY: &str = "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\nretry-after: 1\r\n\
    stripe-should-retry: true\r\ncontent-length: 69\r\nconnection: close\r\n\r\n\
    {\"error\":{\"type\":\"invalid_request_error\",\"code\":\"rate_limit\",\"x\":\"\"}}";

const CONTENDED: &str = "HTTP/1.1 409 Conflict\r\ncontent-type: application/json\r\ncontent-length: 68\r\nconnection: close\r\n\r\n\
    {\"error\":{\"code\":409,\"status\":\"ABORTED\",\"message\":\"too much of it\"}}";

/// What is spoken on it.
#[derive(Clone, Copy, Debug)]
enum Speech {
    /// With the door of the town at which faults are switched.
    Stripe {
        control: SocketAddr,
    },
    Documents,
}

impl Speech {
    /// True for a request that would change something.
    fn changes(self, request: &[u8]) -> bool {
        match self {
            Self::Stripe { .. } => is_on_list("POST", request) || is_on_list("DELETE", request),
            Self::Documents => first_line(request).contains(":commit "),
        }
    }

    /// True for one by which a change is found again.
    fn looks(self, request: &[u8]) -> bool {
        match self {
            Self::Stripe { .. } => is_on_list("GET", request),
            Self::Documents => !self.changes(request),
        }
    }

    /// True where a point is on this line.
    fn has(self, point: &str) -> bool {
        let is_of_documents = point.starts_with("wire.write.");
        match self {
            Self::Stripe { .. } => point.starts_with("wire.") && !is_of_documents,
            Self::Documents => is_of_documents,
        }
    }
}

/// A change that the server has answered with a yes.
#[derive(Clone, Debug)]
pub struct Change {
    /// Its method and path.
    pub line: String,
    pub body: String,
}

/// The life under way, as the line sees it.
#[derive(Default)]
struct State {
    pid: Option<Pid>,
    kill: Option<Kill>,
    killed: bool,
    /// Requests that would change something, in this life.
    posts: u64,
    /// How many in a hundred of them meet a fault.
    faults: u8,
    chance: fastrand::Rng,
    /// Sent by a cockpit that is dead, and not yet arrived.
    late: VecDeque<Vec<u8>>,
    changes: Vec<Change>,
}

/// A line of its own for each worker; it lies open until the process ends.
#[derive(Clone)]
pub struct Wire {
    pub address: SocketAddr,
    server: SocketAddr,
    speech: Speech,
    state: Arc<Mutex<State>>,
}

impl Wire {
    /// `control` is the door of the town at which faults are switched.
    pub fn to_stripe(server: SocketAddr, control: SocketAddr) -> Self {
        Self::lay(server, Speech::Stripe { control })
    }

    pub fn to_documents(server: SocketAddr) -> Self {
        Self::lay(server, Speech::Documents)
    }

    fn lay(server: SocketAddr, speech: Speech) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let wire = Self { address: listener.local_addr().unwrap(), server, speech, state: Arc::default() };
        let line = wire.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let line = line.clone();
                thread::spawn(move || drop(line.carry(stream)));
            }
        });
        wire
    }

    /// A life begins: what meets its requests, and at which of them it ends.
    pub fn begin(&self, kill: Option<Kill>, faults: u8, seed: u64) {
        let mut state = self.state();
        *state = State {
            kill: kill.filter(|kill| self.speech.has(&kill.point)),
            faults,
            chance: fastrand::Rng::with_seed(seed),
            late: std::mem::take(&mut state.late),
            changes: std::mem::take(&mut state.changes),
            ..State::default()
        };
    }

    /// What the server has changed since it was forgotten, as far as its answers have come.
    pub fn changes(&self) -> Vec<Change> {
        self.state().changes.clone()
    }

    pub fn forget(&self) {
        self.state().changes.clear();
    }

    /// Whom to kill. Until `end`, which comes before the process is waited for, the number is nobody else's.
    pub fn belongs_to(&self, pid: u32) {
        self.state().pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    }

    /// Answers whether it was the line that ended this life.
    pub fn end(&self) -> bool {
        let mut state = self.state();
        state.pid = None;
        state.killed
    }

    /// Everything that is still on its way arrives.
    pub fn deliver(&self) {
        loop {
            let Some(request) = self.state().late.pop_front() else { return };
            drop(self.ask(&request));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn carry(&self, mut client: TcpStream) -> io::Result<()> {
        let request = message(&mut client)?;
        let is_change = self.speech.changes(&request);
        let answered = if is_change { self.post(&request, &mut client) } else { self.pass(&request, &mut client) };
        client.shutdown(Shutdown::Both)?;
        if (is_change || self.speech.looks(&request)) && self.is_in_use() {
            // What a dead cockpit sent arrives behind the first word that its heir had about it.
            self.deliver();
        }
        answered
    }

    fn is_in_use(&self) -> bool {
        let state = self.state();
        state.pid.is_some() && !state.killed
    }

    fn pass(&self, request: &[u8], client: &mut TcpStream) -> io::Result<()> {
        client.write_all(&self.ask(request)?)
    }

    fn post(&self, request: &[u8], client: &mut TcpStream) -> io::Result<()> {
        let (fate, kill) = self.state().next();
        // The same places, whatever is changed.
        match kill.as_deref().and_then(|point| point.rsplit('.').next()) {
            Some("received") => self.kill(),
            Some("late") => {
                self.state().late.push_back(request.to_owned());
                self.kill();
            }
            Some("forwarded") => {
                let server = self.send(request)?;
                self.kill();
                self.hear(request, server)?;
            }
            Some(_) => {
                self.ask(request)?;
                self.kill();
            }
            None => return self.meet(fate, request, client),
        }
        Ok(())
    }

    fn meet(&self, fate: Fate, request: &[u8], client: &mut TcpStream) -> io::Result<()> {
        match fate {
            Fate::Passes => self.pass(request, client),
            Fate::CutBefore => Ok(()),
            Fate::CutAfter => self.ask(request).map(drop),
            Fate::Half => {
                let answer = self.ask(request)?;
                client.write_all(&answer[..answer.len() - answer.len() / 4])
            }
            Fate::Gateway => client.write_all(BAD_GATEWAY.as_bytes()),
            Fate::GatewayAfter => {
                self.ask(request)?;
                client.write_all(BAD_GATEWAY.as_bytes())
            }
            Fate::Busy => client.write_all(if let Speech::Documents = self.speech { CONTENDED } else { BUSY }.as_bytes()),
            Fate::Failing => {
                let Speech::Stripe { control } = self.speech else { return client.write_all(BAD_GATEWAY.as_bytes()) };
                let line = first_line(request);
                let path = line.split(' ').nth(1).unwrap_or_default();
                let fault = format!("stripe:{path}=500:1");
                let switch = format!("POST /faults HTTP/1.1\r\nhost: town\r\ncontent-length: {}\r\n\r\n{fault}", fault.len());
                let mut control = TcpStream::connect(control)?;
                control.write_all(&closing(switch.as_bytes()))?;
                control.read_to_end(&mut Vec::new())?;
                self.pass(request, client)
            }
        }
    }

    fn kill(&self) {
        let mut state = self.state();
        if let Some(pid) = state.pid {
            kill_process(pid, Signal::KILL).unwrap();
            state.killed = true;
        }
    }

    fn send(&self, request: &[u8]) -> io::Result<TcpStream> {
        let mut server = TcpStream::connect(self.server)?;
        server.write_all(&closing(request))?;
        Ok(server)
    }

    fn ask(&self, request: &[u8]) -> io::Result<Vec<u8>> {
        self.hear(request, self.send(request)?)
    }

    fn hear(&self, request: &[u8], mut server: TcpStream) -> io::Result<Vec<u8>> {
        let mut answer = Vec::new();
        server.read_to_end(&mut answer)?;
        if self.speech.changes(request) && answer.starts_with(b"HTTP/1.1 200") {
            let body = String::from_utf8_lossy(request).split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
            self.state().changes.push(Change { line: first_line(request), body: body.unwrap_or_default() });
        }
        Ok(answer)
    }
}

impl State {
    fn next(&mut self) -> (Fate, Option<String>) {
        self.posts += 1;
        let kill = self.kill.as_ref().filter(|kill| kill.nth == self.posts).map(|kill| kill.point.clone());
        let is_faulty = self.chance.u8(0..100) < self.faults;
        let fate = if is_faulty { FAULTS[self.chance.usize(0..FAULTS.len())] } else { Fate::Passes };
        (fate, kill)
    }
}

/// One of the lists on which something is changed.
fn is_on_list(method: &str, request: &[u8]) -> bool {
    let lists = ["refunds", "subscriptions", "disputes", "events"];
    lists.iter().any(|list| request.starts_with(format!("{method} /v1/{list}").as_bytes()))
}

fn first_line(request: &[u8]) -> String {
    String::from_utf8_lossy(request.split(|byte| *byte == b'\r').next().unwrap_or_default()).into_owned()
}

/// The request, with the wish that the line be closed behind its answer.
fn closing(request: &[u8]) -> Vec<u8> {
    let line = request.windows(2).position(|two| two == b"\r\n").map_or(0, |at| at + 2);
    [&request[..line], b"connection: close\r\n", &request[line..]].concat()
}

/// One request, to its last byte.
pub fn message(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        if let Some(head) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let words = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
            let length = words.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            if bytes.len() >= head + 4 + length.unwrap_or(0usize) {
                return Ok(bytes);
            }
        }
        match stream.read(&mut piece)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => bytes.extend_from_slice(&piece[..count]),
        }
    }
}
