//! hidane, an emulator of Firestore by others, started for one test.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use super::{FirestoreSystem, Json, ROOT, json, open};
use crate::adapters::testing::LIMIT;

/// A server on a port of its own, stopped when it is dropped.
pub(super) struct Partner {
    server: Child,
    pub(super) address: String,
}

impl Partner {
    /// `None` where it is not installed, which is said.
    pub(super) fn start(arguments: &[&str]) -> Option<Self> {
        let Some(program) = program() else {
            crate::adapters::absent::absent("hidane", "tests/all partners");
            return None;
        };
        let mut server = Command::new(program)
            .args(["--host", "127.0.0.1", "--port", "0"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
        let address =
            lines.by_ref().map(Result::unwrap).find_map(|line| line.strip_prefix("API endpoint: http://").map(str::to_owned));
        assert!(lines.map(Result::unwrap).any(|line| line.contains("is now running")));
        Some(Self { server, address: address.unwrap() })
    }

    pub(super) fn open(&self, marks: Option<&str>) -> FirestoreSystem {
        open(&self.address, marks, LIMIT)
    }
}

impl Drop for Partner {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn program() -> Option<PathBuf> {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).chain([tools]).map(|directory| directory.join("hidane")).find(|program| program.is_file())
}

/// Writes documents as somebody else would: whole, without asking. Their fields are as the interface spells them.
pub(super) async fn fill(system: &FirestoreSystem, documents: &[(String, Json)]) {
    for part in documents.chunks(400) {
        let write = |(name, fields): &(String, Json)| json!({ "update": { "name": format!("{ROOT}/{name}"), "fields": fields } });
        let writes: Vec<Json> = part.iter().map(write).collect();
        system.api.act("commit", &json!({ "writes": writes })).await.unwrap();
    }
}

pub(super) async fn put(system: &FirestoreSystem, name: &str, fields: Json) {
    fill(system, &[(name.to_owned(), fields)]).await;
}

/// All that a document holds, as the interface spells it.
pub(super) async fn held(system: &FirestoreSystem, name: &str) -> Json {
    let body = json!({ "documents": [format!("{ROOT}/{name}")] });
    let (answer, _) = system.api.ask(&[], "batchGet", &body).await.unwrap();
    answer[0]["found"]["fields"].clone()
}
