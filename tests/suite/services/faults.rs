//! Every way in which a service may fail, on every kind of connection: each is said in plain words with the next step,
//! a look is never green, and an act is never lost nor doubled.

use std::{
    fmt::Write as _,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use wheelhouse::{
    adapters::{self, Environment},
    domain::{id::Id, pack::EffectKind, plan::ActionId, plan::Order, proof::Proofs},
    pack::parse,
    ports::{Mark, Outcome, System},
};

use super::{HEAD, House, of, runtime};
use crate::partners::{Partner, authority::Authority};

pub(super) const TOKEN: &str = "canary-token-of-the-house";
const PASSWORD: &str = "canary-password-of-the-house";
/// So long a connection waits.
pub(super) const LIMIT: &str = "1s";

/// How a service fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Refused,
    Silent,
    /// A byte now and then, before the answer has begun.
    DripsAtFirst,
    /// The same in the middle of the answer.
    DripsThen,
    /// It speaks something else.
    Garbage,
    /// A page for people.
    Page,
    Huge,
    /// Credentials are wrong.
    Denied,
    /// The address says TLS, and there is none.
    NoTls,
    /// A certificate that nobody known has signed.
    Untrusted,
}

pub(super) const FAULTS: [Fault; 10] = [
    Fault::Refused,
    Fault::Silent,
    Fault::DripsAtFirst,
    Fault::DripsThen,
    Fault::Garbage,
    Fault::Page,
    Fault::Huge,
    Fault::Denied,
    Fault::NoTls,
    Fault::Untrusted,
];

/// A service that fails, and how often something that changes anything arrived there.
pub(super) struct Failing {
    pub(super) address: String,
    pub(super) acts: Arc<AtomicUsize>,
    _partner: Option<Partner>,
}

impl Failing {
    pub(super) fn http(fault: Fault, authority: &Authority) -> Self {
        let acts = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&acts);
        let plain =
            |with: fn(Fault, &TcpStream, &AtomicUsize) -> std::io::Result<()>| serve(move |line| with(fault, line, &seen));
        let (address, partner) = match fault {
            Fault::Refused => (format!("http://{}", nobody()), None),
            Fault::Untrusted => {
                let (partner, address) = untrusted(authority);
                (format!("https://{address}"), Some(partner))
            }
            Fault::NoTls => (format!("https://{}", plain(web)), None),
            _ => (format!("http://{}", plain(web)), None),
        };
        Self { address, acts, _partner: partner }
    }

    fn mail(fault: Fault, authority: &Authority) -> Self {
        let acts = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&acts);
        let plain =
            |with: fn(Fault, &TcpStream, &AtomicUsize) -> std::io::Result<()>| serve(move |line| with(fault, line, &seen));
        let (address, partner) = match fault {
            Fault::Refused => (format!("smtp://ana:{PASSWORD}@{}", nobody()), None),
            Fault::Untrusted => {
                let (partner, address) = untrusted(authority);
                (format!("smtps://ana:{PASSWORD}@{address}"), Some(partner))
            }
            Fault::NoTls => (format!("smtps://ana:{PASSWORD}@{}", plain(office)), None),
            _ => (format!("smtp://ana:{PASSWORD}@{}", plain(office)), None),
        };
        Self { address, acts, _partner: partner }
    }
}

/// Held for as long as the process lives, so that nobody else comes to answer there.
fn nobody() -> SocketAddr {
    let held = tokio::net::TcpSocket::new_v4().unwrap();
    held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    Box::leak(Box::new(held)).local_addr().unwrap()
}

/// Each line on a thread of its own, for as long as the process lives.
fn serve(with: impl Fn(&TcpStream) -> std::io::Result<()> + Send + Clone + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for line in listener.incoming().flatten() {
            let with = with.clone();
            // Whoever hangs up first ends it.
            thread::spawn(move || drop(with(&line)));
        }
    });
    address
}

fn untrusted(authority: &Authority) -> (Partner, String) {
    let [certificate, key] = authority.leaf();
    let mut command = Command::new("openssl");
    command.args(["s_server", "-accept", "127.0.0.1:0", "-www", "-cert"]).arg(certificate).arg("-key").arg(key);
    let (partner, ready) = Partner::start(&mut command, |line| line.starts_with("ACCEPT ")).expect("openssl serves");
    (partner, ready.trim_start_matches("ACCEPT ").trim().to_owned())
}

/// Until the other side has had enough.
fn drip(mut line: &TcpStream, byte: &[u8]) -> std::io::Result<()> {
    loop {
        line.write_all(byte)?;
        thread::park_timeout(Duration::from_millis(100));
    }
}

fn hold(mut line: &TcpStream) -> std::io::Result<()> {
    line.read_to_end(&mut Vec::new()).map(drop)
}

fn web(fault: Fault, mut line: &TcpStream, acts: &AtomicUsize) -> std::io::Result<()> {
    if fault == Fault::NoTls {
        let _ = line.read(&mut [0; 512])?;
        return line.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    }
    let mut reader = BufReader::new(line);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut said = String::new();
        if reader.read_line(&mut said)? == 0 || said.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = said.split_once(": ")
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
        head.push_str(&said);
    }
    reader.read_exact(&mut vec![0; length])?;
    if !head.starts_with("GET") && !head.starts_with("HEAD") {
        acts.fetch_add(1, Ordering::SeqCst);
    }
    let answer = |status: &str, body: &str| {
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
    };
    match fault {
        Fault::Silent => hold(line),
        Fault::DripsAtFirst => {
            line.write_all(b"HTTP/1.1 200 OK\r\nx-slow: ")?;
            drip(line, b"y")
        }
        Fault::DripsThen => {
            line.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{\"value\": \"")?;
            drip(line, b"y")
        }
        Fault::Garbage => line.write_all(b"\x00\x16\x03 what would you like?\r\n\r\n"),
        Fault::Page => line.write_all(answer("200 OK", "<html><title>Please log in</title></html>").as_bytes()),
        Fault::Huge => line.write_all(answer("200 OK", &format!("{{\"value\": \"{}\"}}", "y".repeat(6 << 20))).as_bytes()),
        // What it was sent comes back with it.
        Fault::Denied => line.write_all(answer("401 Unauthorized", &format!("no such token: {head}")).as_bytes()),
        Fault::Refused | Fault::NoTls | Fault::Untrusted => Ok(()),
    }
}

fn office(fault: Fault, mut line: &TcpStream, acts: &AtomicUsize) -> std::io::Result<()> {
    match fault {
        Fault::Silent => return hold(line),
        Fault::DripsAtFirst => return drip(line, b"2"),
        Fault::Garbage => return line.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        Fault::Huge => return line.write_all(format!("220 {}\r\n", "y".repeat(1 << 18)).as_bytes()),
        _ => line.write_all(b"220 office\r\n")?,
    }
    let mut lines = BufReader::new(line).lines();
    while let Some(said) = lines.next() {
        let said = said?;
        let answer: &[u8] = match (said.get(..4), fault) {
            (Some("EHLO"), _) => b"250-office\r\n250 AUTH PLAIN LOGIN\r\n",
            (Some("AUTH"), Fault::Denied) => b"535 5.7.8 no such password\r\n",
            (Some("AUTH"), _) => b"235 welcome\r\n",
            (Some("DATA"), _) => {
                line.write_all(b"354 go on\r\n")?;
                while lines.next().is_some_and(|said| said.is_ok_and(|said| said != ".")) {}
                acts.fetch_add(1, Ordering::SeqCst);
                match fault {
                    Fault::DripsThen => return drip(line, b"2"),
                    _ => b"<html>taken?</html>\r\n",
                }
            }
            _ => b"250 ok\r\n",
        };
        line.write_all(answer)?;
    }
    Ok(())
}

/// The pack's connections, all of them to the same failing service.
fn connections(web: &str, mail: &str) -> Vec<Arc<dyn System>> {
    adapters::install_tls();
    let source = format!(
        "{HEAD}[connections]\n\
         site.http = {{ url = \"{web}\", token_env = \"TOKEN\", timeout = \"{LIMIT}\" }}\n\
         host.vercel = {{ token_env = \"TOKEN\", project = \"shop\", url = \"{web}\", timeout = \"{LIMIT}\" }}\n\
         hook.webhook = {{ url_env = \"HOOK\", timeout = \"{LIMIT}\" }}\n\
         mail.smtp = {{ url_env = \"MAIL\", from = \"Shop <a@b.example>\", timeout = \"{LIMIT}\" }}\n"
    );
    let pack = parse("house.toml", &source, &|_| Err("no files".into())).unwrap_or_else(|problems| panic!("{problems}")).pack;
    let environment =
        Environment::default().with("TOKEN", TOKEN).with("HOOK", format!("{web}/services/{TOKEN}")).with("MAIL", mail);
    let opened = adapters::open(&pack, &environment).unwrap();
    ["site", "host", "hook", "mail"].iter().map(|name| Arc::clone(opened.find(&Id::new(*name)).unwrap())).collect()
}

/// What is sent to the four.
fn orders() -> [Order; 4] {
    let source = format!(
        "{HEAD}[connections]\nhost.vercel = {{ token_env = \"TOKEN\", project = \"shop\" }}\n\
         [actions.set]\ntitle = \"Set\"\ndo.vercel = {{ on = \"host\", set = \"MODE\", to = \"safe\" }}\n"
    );
    let pack = parse("house.toml", &source, &|_| Err("no files".into())).unwrap_or_else(|problems| panic!("{problems}")).pack;
    let EffectKind::Http { on, method, find, proofs, .. } = pack.actions[0].effects[0].kind.clone() else { panic!() };
    let body = Some("{\"value\": \"safe\"}".to_owned());
    [
        Order::Http {
            on: Id::new("site"),
            method: "POST".into(),
            path: "/run".into(),
            body: None,
            find: None,
            proofs: Proofs::default(),
        },
        Order::Http { on, method, path: "/v9/projects/shop/env".into(), body, find, proofs },
        Order::Webhook { on: Id::new("hook"), text: "Backups are late".into() },
        Order::Mail { on: Id::new("mail"), to: "jo@b.example".into(), subject: "Hello".into(), body: "Dear Jo".into() },
    ]
}

/// What is said of a request, of one that must find something first, of a message, of a mail: the kind of its outcome,
/// and words of it.
pub(super) type Ends = [(&'static str, &'static str); 4];

/// In the order of `FAULTS`: what a look says, and how each act ends.
pub(super) const TABLE: [(&str, Ends); 10] = [
    (
        "nobody answers",
        [("Again", "not sent"), ("Again", "could not be looked for"), ("Again", "not sent"), ("Again", "not sent, connecting")],
    ),
    (
        "no answer within 1 s",
        [
            ("Unknown", "no answer within 1 s"),
            ("Again", "no answer in time"),
            ("Unknown", "no answer within 1 s"),
            ("Again", "not sent, connecting: no answer within 1 s"),
        ],
    ),
    (
        "no answer within 1 s",
        [
            ("Unknown", "no answer within 1 s"),
            ("Again", "no answer in time"),
            ("Unknown", "no answer within 1 s"),
            ("Again", "not sent, connecting: no answer within 1 s"),
        ],
    ),
    // The status is an answer; a mail's text is out, and no answer has come.
    (
        "the answer stopped in the middle, and time ran out",
        [
            ("Confirmed", "answered 200"),
            ("Again", "not JSON, or cut off"),
            ("Confirmed", "answered 200"),
            ("Unknown", "no answer within 1 s"),
        ],
    ),
    (
        "nobody answers",
        [
            ("Unknown", "the line broke"),
            ("Again", "could not be looked for"),
            ("Unknown", "the line broke"),
            ("Again", "does not speak as a mail server does"),
        ],
    ),
    (
        "but not with JSON: a page of HTML: Please log in",
        [
            ("Confirmed", "answered 200"),
            ("Again", "not JSON, or cut off"),
            ("Confirmed", "answered 200"),
            ("Unknown", "the line broke"),
        ],
    ),
    (
        "the answer is bigger than 5 MiB",
        [
            ("Confirmed", "answered 200"),
            ("Again", "not JSON, or cut off"),
            ("Confirmed", "answered 200"),
            ("Again", "does not speak as a mail server does"),
        ],
    ),
    (
        "check the connection's credentials",
        [
            ("Rejected", "check the connection's credentials"),
            ("Rejected", "check the connection's credentials"),
            ("Rejected", "check the connection's credentials"),
            ("Rejected", "check who logs in, and the password"),
        ],
    ),
    (
        "it speaks no TLS there: check the address and its port",
        [
            ("Rejected", "it speaks no TLS there"),
            ("Rejected", "it speaks no TLS there"),
            ("Rejected", "it speaks no TLS there"),
            ("Rejected", "it speaks no TLS there"),
        ],
    ),
    (
        "name who signed it in `ca_file`",
        [
            ("Rejected", "name who signed it in `ca_file`"),
            ("Rejected", "name who signed it in `ca_file`"),
            ("Rejected", "name who signed it in `ca_file`"),
            ("Rejected", "name who signed it in `ca_file`"),
        ],
    ),
];

pub(super) fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Confirmed(answer) => answer.said.shown().to_owned(),
        Outcome::Again { why, .. } | Outcome::Rejected(why) | Outcome::Changed(why) | Outcome::Unknown(why) => {
            why.shown().to_owned()
        }
    }
}

#[test]
fn no_fault_loses_or_doubles_an_act_and_each_says_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let Some(authority) = Authority::new(&home.path().join("authority")) else { return };
    let runtime = runtime();
    let mut wrong = Vec::new();
    for (fault, (_, ends)) in FAULTS.iter().zip(TABLE) {
        let (web, mail) = (Failing::http(*fault, &authority), Failing::mail(*fault, &authority));
        let systems = connections(&web.address, &mail.address);
        for ((system, order), (kind, said)) in systems.iter().zip(orders()).zip(ends) {
            let before = (web.acts.load(Ordering::SeqCst), mail.acts.load(Ordering::SeqCst));
            let mark = Mark { action: ActionId("act".into()), step: 0, attempt: 1, target: "t".into(), operator: "op".into() };
            let outcome = runtime.block_on(system.act(&order, &mark));
            let (found, told) = (format!("{outcome:?}"), words(&outcome));
            let came = web.acts.load(Ordering::SeqCst) - before.0 + mail.acts.load(Ordering::SeqCst) - before.1;
            // Told as not sent, it was not; told as unknown or done, it was, and once.
            // A request whose credentials are wrong arrives to be refused; what goes before it is refused instead.
            let is_refused_there =
                *fault == Fault::Denied && matches!(order, Order::Http { find: None, .. } | Order::Webhook { .. });
            let expected = usize::from(is_refused_there || matches!(outcome, Outcome::Unknown(_) | Outcome::Confirmed(_)));
            if !found.starts_with(kind) || !told.contains(said) || came != expected {
                wrong.push(format!("{fault:?} {order:?}: arrived {came} times\n  {found}\n  and not {kind}: {said}"));
            }
            if found.contains("canary") || told.contains("canary") {
                wrong.push(format!("{fault:?}: a secret is told: {found}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_fault_is_green_and_each_says_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let Some(authority) = Authority::new(&home.path().join("authority")) else { return };
    let services: Vec<_> = FAULTS.iter().map(|fault| Failing::http(*fault, &authority)).collect();
    let mut pack = String::new();
    for (at, service) in services.iter().enumerate() {
        let address = &service.address;
        // Writing to a String cannot fail.
        let _ = write!(
            pack,
            "[connections.site{at}]\nhttp = {{ url = \"{address}\", token_env = \"TOKEN\", timeout = \"{LIMIT}\" }}\n\
             [connections.host{at}]\nvercel = {{ url = \"{address}\", token_env = \"TOKEN\", project = \"shop\", timeout = \"{LIMIT}\" }}\n\
             [checks.site{at}]\ntitle = \"Site {at}\"\nread.http = {{ on = \"site{at}\", path = \"/x\", columns = {{ value = \"/value\" }} }}\nvalue = \"value\"\nred = {{ is = \"bad\" }}\n\
             [checks.host{at}]\ntitle = \"Host {at}\"\nread.vercel = {{ on = \"host{at}\", list = \"deployments\" }}\nvalue = \"rows\"\nred = {{ above = 9 }}\n"
        );
    }
    let house = House::of(&pack, &[("TOKEN", TOKEN)]);
    let ran = house.run(&["check", "--all", "--json"]).ends(3);
    assert!(!ran.out.contains("canary") && !ran.errors.contains("canary"), "{ran:?}");
    let told = ran.json();
    for (at, (said, _)) in TABLE.iter().enumerate() {
        for name in [format!("check.site{at}"), format!("check.host{at}")] {
            let alert = of(&told, "alerts", &name);
            assert_eq!(alert["severity"], "unknown", "{:?}: {alert}", FAULTS[at]);
            let failure = alert["failure"].as_str().unwrap_or_default();
            assert!(failure.contains(said), "{:?} {name}: {failure}", FAULTS[at]);
        }
    }
    // The screen says the same.
    let screen = house.run(&["snapshot", "--size", "120x40"]).ends(0);
    assert!(!screen.out.contains("canary"), "{}", screen.out);
    screen.says(&["? 20 no data  G 0 ok", "? Site 8  no data"]);
}

#[test]
fn a_check_of_the_connections_tells_each_fault_and_of_a_hook_only_that_somebody_is_there() {
    let home = tempfile::tempdir().unwrap();
    let Some(authority) = Authority::new(&home.path().join("authority")) else { return };
    let web: Vec<_> = FAULTS.iter().map(|fault| Failing::http(*fault, &authority)).collect();
    let mail: Vec<_> = FAULTS.iter().map(|fault| Failing::mail(*fault, &authority)).collect();
    let (mut pack, mut variables) = ("[connections]\n".to_owned(), vec![("TOKEN".to_owned(), TOKEN.to_owned())]);
    for (at, (web, mail)) in web.iter().zip(&mail).enumerate() {
        let address = &web.address;
        let _ = write!(
            pack,
            "site{at}.http = {{ url = \"{address}\", token_env = \"TOKEN\", timeout = \"{LIMIT}\" }}\n\
             host{at}.vercel = {{ url = \"{address}\", token_env = \"TOKEN\", project = \"shop\", timeout = \"{LIMIT}\" }}\n\
             hook{at}.webhook = {{ url_env = \"HOOK{at}\", timeout = \"{LIMIT}\" }}\n\
             mail{at}.smtp = {{ url_env = \"MAIL{at}\", from = \"Shop <a@b.example>\", timeout = \"{LIMIT}\" }}\n"
        );
        variables.push((format!("HOOK{at}"), format!("{address}/services/{TOKEN}")));
        variables.push((format!("MAIL{at}"), mail.address.clone()));
    }
    let variables: Vec<_> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let ran = House::of(&pack, &variables).run(&["connect", "check", "--json"]).ends(2);
    assert!(!ran.out.contains("canary") && !ran.errors.contains("canary"), "{ran:?}");
    let told = ran.json();
    let late = "no answer within 1 s";
    let (no_tls, untrusted) = ("it speaks no TLS there", "name who signed it in `ca_file`");
    // Empty: it is reached.
    for (fault, expected) in FAULTS.iter().zip([
        ["nobody answers", "nobody answers", "nobody answers", "connecting: "],
        [late, late, late, late],
        [late, late, late, late],
        ["", "answers 200", "", ""],
        ["nobody answers", "nobody answers", "nobody answers", "does not speak as a mail server does"],
        ["", "answers 200 a page of HTML: Please log in", "", ""],
        ["", "answers 200", "", "does not speak as a mail server does"],
        ["answers 401", "answers 401", "", "check who logs in, and the password"],
        [no_tls, no_tls, no_tls, no_tls],
        [untrusted, untrusted, untrusted, untrusted],
    ]) {
        let at = FAULTS.iter().position(|other| other == fault).unwrap();
        for (name, said) in ["site", "host", "hook", "mail"].into_iter().zip(expected) {
            let one = of(&told, "connections", &format!("{name}{at}"));
            let failure = one["failure"].as_str().unwrap_or_default();
            assert!(failure.contains(said) && said.is_empty() == failure.is_empty(), "{fault:?}, not `{said}`: {one}");
        }
    }
    let hook = of(&told, "connections", "hook7");
    assert_eq!(hook["identity"]["reached"], "the host alone", "refused at its front page, and there all the same: {hook}");
    assert!(hook["identity"]["untried"].as_str().unwrap().contains("only a message would show"), "{hook}");
}
