//! hidane, an emulator of Firestore by others, with the board's documents in it; and a line to it that loses answers.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value as Json, json};

/// How often no fault is to come any more.
const NEVER: usize = usize::MAX;

/// Where the board's documents are.
pub const ROOT: &str = "projects/board/databases/(default)/documents";

pub struct Server {
    process: Child,
    pub address: String,
}

impl Server {
    /// `None` where it is not installed, which is said.
    pub fn start() -> Option<Self> {
        wheelhouse::adapters::install_tls();
        let Some(program) = program() else {
            crate::partners::absent("hidane", "tests/all partners");
            return None;
        };
        // It ends with whoever started it, however that ended, and hears no Ctrl-C that is meant for him.
        let mut process = Command::new("sh")
            .args(["-c", r#""$@" & child=$!; read -r _; kill "$child"; wait"#, "sh"])
            .arg(program)
            .args(["--host", "127.0.0.1", "--port", "0"])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("hidane starts");
        let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines().map(Result::unwrap);
        let address = lines.find_map(|line| line.strip_prefix("API endpoint: http://").map(str::to_owned)).expect("an address");
        assert!(lines.any(|line| line.contains("is now running")));
        Some(Self { process, address })
    }

    /// With the board as it is now: two jobs stuck, one reported, every switch as it should be.
    pub fn with_board() -> Option<Self> {
        let server = Self::start()?;
        let ago = |days: i64| at(Utc::now() - TimeDelta::days(days));
        let job = |title: &str, status: &str, days: i64| {
            json!({
                "title": words(title), "status": words(status), "installerId": words("inst_7"), "ownerId": words("u1"),
                "payment": { "mapValue": { "fields": { "amountCents": { "integerValue": "45000" } } } },
                "updatedAt": ago(days), "visibility": words("public"), "notes": words("Called twice, nobody answers."),
            })
        };
        for (name, fields) in [
            ("jobs/j1", job("Gutter in Ferny Grove", "funded", 12)),
            ("jobs/j2", job("Deck in Samford", "in_progress", 9)),
            ("jobs/j3", job("FREE MONEY click here", "open", 1)),
            ("jobs/j4", job("Fence in Bardon", "funded", 2)),
            ("users/u1", json!({ "name": words("Kim Spam"), "isBanned": { "booleanValue": false } })),
            (
                "jobs/j3/reports/r1",
                json!({ "jobId": words("j3"), "ownerId": words("u1"), "state": words("new"), "source": words("ai"),
                    "text": words("Looks like spam."), "createdAt": ago(1) }),
            ),
            ("feature_flags/ENABLE_PAYMENTS", json!({ "label": words("a"), "enabled": { "booleanValue": true } })),
            ("feature_flags/ENABLE_AI_GENERATION", json!({ "label": words("b"), "enabled": { "booleanValue": true } })),
            ("feature_flags/ENABLE_DISPUTES_V2", json!({ "label": words("c"), "enabled": { "booleanValue": true } })),
            ("system_status/global", json!({ "status": words("operational"), "message": words("All is well.") })),
            ("business_audit_logs/l1", json!({ "event": words("PAYMENT_FUNDED"), "at": at(Utc::now() - TimeDelta::hours(1)) })),
        ] {
            server.put(name, &fields);
        }
        Some(server)
    }

    /// Writes a whole document, as somebody else would.
    pub fn put(&self, name: &str, fields: &Json) {
        self.put_all(&[(name.to_owned(), fields.clone())]);
    }

    /// Writes many of them.
    pub fn put_all(&self, documents: &[(String, Json)]) {
        for part in documents.chunks(400) {
            let write =
                |(name, fields): &(String, Json)| json!({ "update": { "name": format!("{ROOT}/{name}"), "fields": fields } });
            let answer = self.post("commit", &json!({ "writes": part.iter().map(write).collect::<Vec<_>>() }));
            assert!(answer["commitTime"].is_string(), "{answer}");
        }
    }

    /// Changes one field, as somebody else would.
    pub fn change(&self, name: &str, field: &str, value: &Json) {
        let document = json!({ "name": format!("{ROOT}/{name}"), "fields": { field: value } });
        let write = json!({ "writes": [{ "update": document, "updateMask": { "fieldPaths": [field] } }] });
        assert!(self.post("commit", &write)["commitTime"].is_string());
    }

    /// A document's fields as the interface spells them; null where it is not there.
    pub fn held(&self, name: &str) -> Json {
        self.post("batchGet", &json!({ "documents": [format!("{ROOT}/{name}")] }))[0]["found"]["fields"].clone()
    }

    /// The one text or truth in a field, by a pointer into the fields.
    pub fn text(&self, name: &str, pointer: &str) -> String {
        let held = self.held(name);
        let value = pointer
            .split('.')
            .enumerate()
            .fold(&held, |fields, (number, part)| if number == 0 { &fields[part] } else { &fields["mapValue"]["fields"][part] });
        let plain = value.as_object().and_then(|kinds| kinds.values().next());
        plain.map(|plain| plain.as_str().map_or_else(|| plain.to_string(), str::to_owned)).unwrap_or_default()
    }

    pub fn count(&self, collection: &str) -> usize {
        self.all(collection).len()
    }

    /// Acts that have left their mark.
    pub fn marks(&self) -> usize {
        self.all("operator_actions").iter().filter(|marked| marked["step"].is_object()).count()
    }

    /// The ids of a collection's documents.
    pub fn names(&self, collection: &str) -> Vec<String> {
        let query = json!({ "structuredQuery": { "from": [{ "collectionId": collection }] } });
        let answer = self.post("runQuery", &query);
        let name = |part: &Json| Some(part.get("document")?["name"].as_str()?.rsplit('/').next()?.to_owned());
        answer.as_array().into_iter().flatten().filter_map(name).collect()
    }

    /// The fields of a collection's documents as the interface spells them.
    pub fn all(&self, collection: &str) -> Vec<Json> {
        let query = json!({ "structuredQuery": { "from": [{ "collectionId": collection }] } });
        let answer = self.post("runQuery", &query);
        answer.as_array().into_iter().flatten().filter_map(|part| Some(part.get("document")?["fields"].clone())).collect()
    }

    fn post(&self, verb: &str, body: &Json) -> Json {
        let ask = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(self.ask(verb, body))
        };
        // On a thread of its own: whoever asks may be in a runtime already.
        std::thread::scope(|scope| scope.spawn(ask).join()).expect("an answer")
    }

    /// One request of the interface, by its verb (`commit`, `batchGet`, `runQuery`).
    pub async fn ask(&self, verb: &str, body: &Json) -> Json {
        let url = format!("http://{}/v1/{ROOT}:{verb}", self.address);
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let answer = client.post(url).bearer_auth("owner").json(body).send().await.expect("it answers");
        answer.json().await.expect("JSON")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The end of its input is the end of it.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// Where it is installed: in the path, or where `tests/all` puts it.
pub fn program() -> Option<PathBuf> {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).chain([tools]).map(|place| place.join("hidane"));
    places.find(|program| program.is_file())
}

pub fn words(text: &str) -> Json {
    json!({ "stringValue": text })
}

fn at(moment: DateTime<Utc>) -> Json {
    json!({ "timestampValue": moment.to_rfc3339() })
}

/// A line to the server that loses what is answered to commits, after they are done: to those of acts, or of claims.
pub struct LossyLine {
    pub address: String,
    loss: Arc<Loss>,
}

#[derive(Debug)]
struct Loss {
    of_claims: bool,
    /// Answers that are still to be lost.
    left: AtomicUsize,
    /// Commits of the kind that came through to the server.
    commits: AtomicUsize,
    /// Lists, or pages of them, that were answered.
    looks: AtomicUsize,
}

impl LossyLine {
    /// Loses so many answers to acts.
    pub fn to(server: &Server, losses: usize) -> Self {
        Self::losing(server, losses, false)
    }

    pub fn losing_claims(server: &Server, losses: usize) -> Self {
        Self::losing(server, losses, true)
    }

    fn losing(server: &Server, losses: usize, of_claims: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let loss = Arc::new(Loss {
            of_claims,
            left: AtomicUsize::new(losses),
            commits: AtomicUsize::new(0),
            looks: AtomicUsize::new(0),
        });
        let line = Self { address: listener.local_addr().expect("an address").to_string(), loss: Arc::clone(&loss) };
        let server = server.address.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (server, loss) = (server.clone(), Arc::clone(&loss));
                std::thread::spawn(move || carry(client, &server, &loss));
            }
        });
        line
    }

    pub fn never_loses(server: &Server) -> Self {
        Self::to(server, 0)
    }

    pub fn always_loses(server: &Server) -> Self {
        Self::to(server, NEVER)
    }

    pub fn looks(&self) -> usize {
        self.loss.looks.load(Ordering::SeqCst)
    }

    /// Commits of acts, or of claims where those are lost.
    pub fn commits(&self) -> usize {
        self.loss.commits.load(Ordering::SeqCst)
    }
}

/// One request to the server and its answer back; then both lines are closed.
fn carry(mut client: TcpStream, server: &str, loss: &Loss) {
    let Some(request) = request(&mut client) else { return };
    let Ok(mut line) = TcpStream::connect(server) else { return };
    let request = request.replacen("\r\n", "\r\nconnection: close\r\n", 1);
    if line.write_all(request.as_bytes()).is_err() {
        return;
    }
    let mut answer = Vec::new();
    if line.read_to_end(&mut answer).is_err() {
        return;
    }
    if request.lines().next().is_some_and(|first| first.contains(":runQuery")) {
        loss.looks.fetch_add(1, Ordering::SeqCst);
    }
    let is_commit = request.lines().next().is_some_and(|first| first.contains(":commit"));
    // A claim is given back by another commit, which has no gate in it; what is rehearsed is nothing.
    let is_claim = request.contains("/operator_actions/gate-");
    let is_act = !request.contains("/operator_actions/claim-") && !request.contains("/operator_actions/wheelhouse-rehearses");
    if is_commit && (if loss.of_claims { is_claim } else { is_act }) {
        loss.commits.fetch_add(1, Ordering::SeqCst);
        let left = loss.left.load(Ordering::SeqCst);
        if left > 0 {
            loss.left.store(left - 1, Ordering::SeqCst);
            return;
        }
    }
    let _ = client.write_all(&answer);
}

fn request(client: &mut TcpStream) -> Option<String> {
    let mut seen = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        let count = client.read(&mut buffer).ok().filter(|count| *count > 0)?;
        seen.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&seen).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length =
            head.lines().filter_map(|line| line.split_once(": ")).find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        if body.len() >= length.map_or(0, |(_, length)| length.parse().unwrap_or(0)) {
            return Some(text);
        }
    }
}
