//! A database of documents (hidane, an emulator of Firestore by others) behind a line of its own: what it holds before a
//! round, and what it holds of each item whenever it is asked.

use std::net::SocketAddr;

use serde_json::{Value as Json, json};

use super::wire::Wire;
use crate::documents::server::{ROOT, Server, words};

/// As the documents' names have it.
pub const PROJECT: &str = "board";

pub struct Papers {
    pub wire: Wire,
    server: Server,
}

/// What a document says of who changed it, and what its marks say.
pub struct Held {
    /// `stuck` or `open`.
    pub state: String,
    /// The act that its fields name.
    pub by: String,
    pub has_owner: bool,
    /// The title, which nobody changes.
    pub title: String,
}

impl Papers {
    /// `None` where it is not installed, which is said.
    pub fn open() -> Option<Self> {
        let server = Server::start()?;
        let address: SocketAddr = server.address.parse().unwrap();
        Some(Self { wire: Wire::to_documents(address), server })
    }

    /// A document for each item, in which nothing is done yet.
    pub async fn furnish(&self, items: &[String]) {
        for item in items {
            let fields = json!({ "title": words(item), "state": words("stuck"), "owner": words("u1") });
            let write = json!({ "writes": [{ "update": { "name": format!("{ROOT}/jobs/{item}"), "fields": fields } }] });
            let answer = self.server.ask("commit", &write).await;
            assert!(answer["commitTime"].is_string(), "{answer}");
        }
    }

    pub async fn held(&self, item: &str) -> Held {
        let answer = self.server.ask("batchGet", &json!({ "documents": [format!("{ROOT}/jobs/{item}")] })).await;
        let fields = &answer[0]["found"]["fields"];
        let text = |value: &Json| value["stringValue"].as_str().unwrap_or_default().to_owned();
        Held {
            state: text(&fields["state"]),
            by: text(&fields["reopened"]["mapValue"]["fields"]["by"]),
            has_owner: fields.get("owner").is_some(),
            title: text(&fields["title"]),
        }
    }

    /// Every mark of a round: its act and its target. Claims, and the gates that they pass, stand beside them.
    pub async fn marks(&self, collection: &str) -> Vec<(String, String)> {
        let query = json!({ "structuredQuery": { "from": [{ "collectionId": collection }] } });
        let answer = self.server.ask("runQuery", &query).await;
        let found = answer.as_array().into_iter().flatten().filter_map(|part| part.get("document"));
        let found = found.filter(|document| document["fields"]["step"].is_object());
        let text = |document: &Json, name: &str| document["fields"][name]["stringValue"].as_str().unwrap_or_default().to_owned();
        found.map(|document| (text(document, "action_id"), text(document, "target"))).collect()
    }
}
