//! A handler that is not ours: Stripe's own Python library decides whether what we sign is signed.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use super::Letters;

const HANDLER: &str = r#"
import http.server, sys, stripe

class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            event = stripe.Webhook.construct_event(body, self.headers["stripe-signature"], sys.argv[1])
            status, said = 200, event["id"] + " " + event["data"]["object"]["metadata"]["letter"]
        except stripe.SignatureVerificationError as error:
            status, said = 400, str(error)
        print(status, said, flush=True)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(said.encode())

    def log_message(self, *args):
        pass

server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"#;

/// The handler, and what it said of each event.
struct Handler {
    process: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    address: String,
}

impl Handler {
    /// `None` where Stripe's library is not installed, which is said.
    fn start(secret: &str) -> Option<Self> {
        let Some(python) = python() else {
            crate::partners::absent("Stripe's library for Python", "tests/all partners");
            return None;
        };
        let mut process =
            Command::new(python).args(["-c", HANDLER, secret]).stdout(Stdio::piped()).spawn().expect("Python starts");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.next().expect("the handler comes up").unwrap();
        Some(Self { process, lines, address: format!("http://127.0.0.1:{port}/hook") })
    }

    fn said(&mut self) -> String {
        self.lines.next().expect("the handler was told").unwrap()
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The first Python that has the library: the tests' own, else the machine's.
fn python() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/venv/bin/python");
    [own, PathBuf::from("python3")].into_iter().find(|python| {
        let mut command = Command::new(python);
        command.args(["-c", "import stripe"]).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    })
}

#[tokio::test]
async fn stripes_own_library_takes_what_we_sign() {
    let Some(mut handler) = Handler::start("whsec_letters") else { return };
    let mut letters = Letters::open().await;
    letters.hook = Some(handler.address.clone());
    // It keeps no table: what it took is delivered, and not proven.
    let verdicts = letters.verdicts("do deliver evt_l042", 2).await;
    assert_eq!(verdicts[0].1, "unproven", "{verdicts:?}");
    assert_eq!(handler.said(), "200 evt_l042 l042");
}

#[tokio::test]
async fn stripes_own_library_refuses_what_is_signed_with_another_secret() {
    let Some(mut handler) = Handler::start("whsec_of_another_endpoint") else { return };
    let mut letters = Letters::open().await;
    letters.hook = Some(handler.address.clone());
    let verdicts = letters.verdicts("do deliver evt_l042", 1).await;
    assert_eq!(verdicts[0].1, "rejected", "{verdicts:?}");
    assert!(
        verdicts[0].2.contains("No signatures found") && verdicts[0].2.contains("check that the handler's `secret`"),
        "{verdicts:?}"
    );
    assert!(handler.said().starts_with("400 No signatures found matching the expected signature"));
}
