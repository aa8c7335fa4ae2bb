//! A line to a stand-in on which every request can meet a fault, and on which every request is seen.

use std::{
    collections::HashSet,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

use super::stage;

/// What a request meets. `Before` and `After` say on which side of the service's commit it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Nobody listens.
    Refused,
    ResetBefore,
    ResetAfter,
    /// Taken, and never answered; nothing was done.
    Timeout,
    /// Done, and never answered.
    HangAfter,
    /// 500 of the service itself, which did nothing.
    Failing,
    /// 500 that the service remembers under the key and gives again and again.
    FailingKept,
    /// 502 with a proxy's HTML.
    BadGateway,
    BadGatewayAfter,
    TooMany,
    /// 409: the key is in use.
    Conflict,
    /// 402: the account has not the money.
    Declined,
    /// Somebody gave the money back in the dashboard a moment before.
    RefundedElsewhere,
    /// Another cockpit's act gave it back a moment before.
    RefundedByAnother,
    /// 201, and the body breaks off.
    CutBody,
    /// 202 without a body.
    EmptyBody,
    /// 200 with HTML from something in between; done all the same.
    Page,
    /// 200 with HTML from something in between; never passed on.
    CaptivePortal,
    Slow,
    /// Done, the answer is lost, and the service has forgotten the key.
    KeyPruned,
}

/// The requests of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Refund,
    /// The list of a charge's refunds: the look.
    Look,
    Charge,
    Account,
    /// Any other that changes something.
    Post,
}

#[derive(Clone, Debug)]
pub struct Seen {
    pub kind: Kind,
    pub key: String,
    pub body: String,
    /// The service has answered, whatever became of the answer.
    pub is_answered: bool,
}

/// The line's own end; its address is what a pack is given.
pub struct Line {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    upstream: SocketAddr,
    /// The stand-ins' own database, for what only Stripe can do to itself.
    stand_ins: PathBuf,
    secret: String,
    rules: Mutex<Vec<(Kind, Fault)>>,
    shuts_after: Mutex<Option<Kind>>,
    seen: Mutex<Vec<Seen>>,
    /// Keys under which a failure is remembered.
    kept: Mutex<HashSet<String>>,
    under_way: AtomicUsize,
    is_open: watch::Sender<bool>,
}

impl Line {
    pub async fn to(upstream: SocketAddr, stand_ins: PathBuf, secret: String) -> Self {
        let listener = TcpListener::bind((own_host(), 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            upstream,
            stand_ins,
            secret,
            rules: Mutex::default(),
            shuts_after: Mutex::default(),
            seen: Mutex::default(),
            kept: Mutex::default(),
            under_way: AtomicUsize::new(0),
            is_open: watch::Sender::new(true),
        });
        let acceptor = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { address, shared, acceptor: Mutex::new(Some(acceptor)) }
    }

    /// The next request of that kind that has no rule yet meets this.
    pub fn arm(&self, kind: Kind, fault: Fault) {
        self.shared.rules.lock().unwrap().push((kind, fault));
    }

    /// From the answer to the next request of that kind on, nobody listens.
    pub fn shut_after(&self, kind: Kind) {
        *self.shared.shuts_after.lock().unwrap() = Some(kind);
    }

    pub async fn shut(&self) {
        self.shared.is_open.send_replace(false);
        let acceptor = self.acceptor.lock().unwrap().take();
        if let Some(acceptor) = acceptor {
            acceptor.await.unwrap();
        }
    }

    /// Somebody listens again, at the same address.
    pub async fn reopen(&self) {
        self.shut().await;
        let listener = loop {
            match TcpListener::bind(self.address).await {
                Ok(listener) => break listener,
                // The closed one may hold the port for a moment.
                Err(_) => tokio::task::yield_now().await,
            }
        };
        self.shared.is_open.send_replace(true);
        *self.acceptor.lock().unwrap() = Some(tokio::spawn(accept(listener, Arc::clone(&self.shared))));
    }

    pub fn is_open(&self) -> bool {
        *self.shared.is_open.borrow()
    }

    pub fn is_idle(&self) -> bool {
        self.shared.under_way.load(Ordering::SeqCst) == 0
    }

    pub fn has_passed_on(&self, kind: Kind) -> bool {
        self.seen(kind).iter().any(|seen| seen.is_answered)
    }

    pub fn seen(&self, kind: Kind) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().iter().filter(|seen| seen.kind == kind).cloned().collect()
    }
}

/// A loopback address that no other line has, here or in another process: while nobody listens on one, its port may be
/// given to the next that opens, and its callers must not get there.
fn own_host() -> Ipv4Addr {
    static LINES: AtomicUsize = AtomicUsize::new(0);
    let (line, process) = (LINES.fetch_add(1, Ordering::Relaxed), std::process::id() as usize);
    let part = |number: usize| (1 + number % 250) as u8;
    Ipv4Addr::new(127, part(process), part(process / 250), part(line))
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut open = shared.is_open.subscribe();
    loop {
        tokio::select! {
            biased;
            _ = open.wait_for(|open| !open) => return,
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { continue };
                let shared = Arc::clone(&shared);
                shared.under_way.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    serve(&shared, client).await;
                    shared.under_way.fetch_sub(1, Ordering::SeqCst);
                });
            }
        }
    }
}

struct Request {
    head: String,
    body: String,
}

impl Request {
    async fn read(client: &mut TcpStream) -> Option<Self> {
        let (mut bytes, mut buffer) = (Vec::new(), [0; 8192]);
        loop {
            let count = client.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
            bytes.extend_from_slice(&buffer[..count]);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let request = Self { head: head.to_owned(), body: body.to_owned() };
            let length = request.header("content-length").parse().unwrap_or(0);
            if body.len() >= length {
                return Some(request);
            }
        }
    }

    fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }

    fn kind(&self) -> Kind {
        let first = self.head.lines().next().unwrap_or_default();
        match first.split(' ').collect::<Vec<_>>().as_slice() {
            ["GET", path, ..] if path.starts_with("/v1/refunds") => Kind::Look,
            ["GET", path, ..] if path.starts_with("/v1/account") => Kind::Account,
            ["GET", ..] => Kind::Charge,
            [_, path, ..] if path.starts_with("/v1/refunds") => Kind::Refund,
            _ => Kind::Post,
        }
    }
}

async fn serve(shared: &Shared, mut client: TcpStream) {
    let Some(request) = Request::read(&mut client).await else { return };
    let kind = request.kind();
    let key = request.header("idempotency-key").to_owned();
    let number = {
        let mut seen = shared.seen.lock().unwrap();
        seen.push(Seen { kind, key: key.clone(), body: request.body.clone(), is_answered: false });
        seen.len() - 1
    };
    let fault = {
        let mut rules = shared.rules.lock().unwrap();
        let place = rules.iter().position(|(known, _)| *known == kind);
        place.map(|place| rules.remove(place).1)
    };
    let is_kept = kind == Kind::Refund && shared.kept.lock().unwrap().contains(&key);
    let answer = answer(shared, &request, &key, if is_kept { Some(Fault::Failing) } else { fault }).await;
    shared.seen.lock().unwrap()[number].is_answered = true;
    let shuts = {
        let mut shuts_after = shared.shuts_after.lock().unwrap();
        let shuts = *shuts_after == Some(kind);
        if shuts {
            *shuts_after = None;
        }
        shuts
    };
    if shuts {
        shared.is_open.send_replace(false);
        // The acceptor is woken and has let go of its port before anybody can ask again.
        while shared.is_open.receiver_count() > 0 {
            tokio::task::yield_now().await;
        }
    }
    match answer {
        Some(bytes) => {
            // Whoever asked may have given up.
            let _ = client.write_all(&bytes).await;
            let _ = client.shutdown().await;
        }
        None if matches!(fault, Some(Fault::Timeout | Fault::HangAfter)) => {
            let _ = client.read(&mut [0; 1]).await;
        }
        None => drop(client),
    }
}

const FAILING: &str = r#"{"error":{"message":"An unknown error occurred on our side.","type":"api_error"}}"#;
const RATE: &str = r#"{"error":{"code":"rate_limit","message":"Request rate limit exceeded.","type":"invalid_request_error"}}"#;
const IN_USE: &str = r#"{"error":{"code":"idempotency_key_in_use","message":"There is currently another in-progress request using this key.","type":"invalid_request_error"}}"#;
const DECLINED: &str =
    r#"{"error":{"code":"balance_insufficient","message":"Insufficient funds in your account.","type":"invalid_request_error"}}"#;
const PAGE: &str = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>";

/// `None` is no answer at all.
async fn answer(shared: &Shared, request: &Request, key: &str, fault: Option<Fault>) -> Option<Vec<u8>> {
    let json =
        |status: &str, body: &str, more: &str| Some(message(status, &format!("content-type: application/json\r\n{more}"), body));
    let page = |status: &str| Some(message(status, "content-type: text/html\r\n", PAGE));
    match fault {
        None => Some(forward(shared, request).await),
        Some(Fault::Refused | Fault::ResetBefore | Fault::Timeout) => None,
        Some(Fault::ResetAfter | Fault::HangAfter) => {
            forward(shared, request).await;
            None
        }
        Some(Fault::Failing) => json("500 Internal Server Error", FAILING, ""),
        Some(Fault::FailingKept) => {
            shared.kept.lock().unwrap().insert(key.to_owned());
            json("500 Internal Server Error", FAILING, "")
        }
        Some(Fault::BadGateway) => page("502 Bad Gateway"),
        Some(Fault::BadGatewayAfter) => {
            forward(shared, request).await;
            page("502 Bad Gateway")
        }
        Some(Fault::TooMany) => json("429 Too Many Requests", RATE, "retry-after: 1\r\nstripe-should-retry: true\r\n"),
        Some(Fault::Conflict) => json("409 Conflict", IN_USE, "stripe-should-retry: true\r\n"),
        Some(Fault::Declined) => json("402 Payment Required", DECLINED, "stripe-should-retry: false\r\n"),
        Some(Fault::RefundedElsewhere) => {
            give_back(shared, request, "").await;
            Some(forward(shared, request).await)
        }
        Some(Fault::RefundedByAnother) => {
            give_back(shared, request, "&metadata%5Bwheelhouse_action%5D=another").await;
            Some(forward(shared, request).await)
        }
        Some(Fault::CutBody) => {
            let answer = forward(shared, request).await;
            let body = String::from_utf8_lossy(&answer).split_once("\r\n\r\n").map(|(_, body)| body.to_owned())?;
            let half: String = body.chars().take(body.len() * 2 / 3).collect();
            json("201 Created", &half, "")
        }
        Some(Fault::EmptyBody) => {
            forward(shared, request).await;
            json("202 Accepted", "", "")
        }
        Some(Fault::Page) => {
            forward(shared, request).await;
            page("200 OK")
        }
        Some(Fault::CaptivePortal) => page("200 OK"),
        Some(Fault::Slow) => {
            let answer = forward(shared, request).await;
            tokio::time::sleep(Duration::from_millis(250)).await;
            Some(answer)
        }
        Some(Fault::KeyPruned) => {
            let answer = forward(shared, request).await;
            stage::forget_key(&shared.stand_ins, key).await;
            (request.kind() != Kind::Refund).then_some(answer)
        }
    }
}

fn message(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()).into_bytes()
}

async fn forward(shared: &Shared, request: &Request) -> Vec<u8> {
    let head: Vec<&str> = request.head.lines().filter(|line| !line.to_ascii_lowercase().starts_with("connection:")).collect();
    pass_on(shared.upstream, &format!("{}\r\nconnection: close\r\n\r\n{}", head.join("\r\n"), request.body)).await
}

async fn pass_on(upstream: SocketAddr, request: &str) -> Vec<u8> {
    let mut service = TcpStream::connect(upstream).await.unwrap();
    service.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    service.read_to_end(&mut answer).await.unwrap();
    answer
}

/// The whole charge goes back by another hand.
async fn give_back(shared: &Shared, request: &Request, metadata: &str) {
    let wanted = if request.body.is_empty() { &request.head } else { &request.body };
    let Some(charge) = wanted.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').find(|word| word.starts_with("ch_")) else {
        panic!("no charge in {wanted}")
    };
    let body = format!("charge={charge}{metadata}");
    let head = format!(
        "POST /v1/refunds HTTP/1.1\r\nhost: stripe\r\nauthorization: Bearer {}\r\nidempotency-key: elsewhere-{charge}\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        shared.secret,
        body.len()
    );
    let answer = pass_on(shared.upstream, &head).await;
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
}
