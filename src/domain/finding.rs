//! What is looked for before a request that must name a thing by an id which only the service knows: pure, over the
//! JSON of the answer. Looking changes nothing, so whatever fails here was not sent.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::proof::Proof;

/// A thing in a list of the service, and where its id goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What is looked for, in words (`the variable MODE for production`).
    pub what: String,
    /// Asked by GET at the request's own connection.
    pub path: String,
    /// A JSON pointer to the list.
    pub list: String,
    /// What must stand in the one that is meant.
    pub only: Vec<Proof>,
    /// The first that fits is meant; else there must be one alone.
    pub is_first: bool,
    pub takes: Vec<Taken>,
}

/// A part of what was found (a JSON pointer into it), and where in the request it goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Taken {
    pub from: String,
    pub goes: Goes,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goes {
    /// The last segment of the path.
    PathEnd,
    /// A key of the JSON body.
    Body(String),
}

impl Finding {
    /// The request with what was found in it; or why there is none, in words.
    pub fn complete(&self, path: &str, body: Option<&str>, answer: &Json) -> Result<(String, Option<String>), String> {
        let found = self.find(answer)?;
        let (mut path, mut body) = (path.to_owned(), body.map(ToOwned::to_owned));
        for taken in &self.takes {
            let value = found.pointer(&taken.from).and_then(Json::as_str).filter(|value| !value.is_empty());
            let value = value.ok_or_else(|| format!("{} has no text at `{}`", self.what, taken.from))?;
            match &taken.goes {
                Goes::PathEnd => path = with_end(&path, value)?,
                Goes::Body(key) => body = Some(with_key(body.as_deref().unwrap_or("{}"), key, value)?),
            }
        }
        Ok((path, body))
    }

    fn find<'a>(&self, answer: &'a Json) -> Result<&'a Json, String> {
        let list = answer.pointer(&self.list).and_then(Json::as_array).ok_or_else(|| format!("no list at `{}`", self.list))?;
        let mut fitting = list.iter().filter(|one| self.only.iter().all(|proof| proof.holds(one)));
        match (fitting.next(), fitting.count()) {
            (None, _) => Err(format!("there is no {}", self.what)),
            (Some(found), others) if self.is_first || others == 0 => Ok(found),
            (Some(_), others) => {
                Err(format!("{} things answer to {}, and which one is meant is not told", others + 1, self.what))
            }
        }
    }
}

/// An id is one segment, whatever a service says: nothing in it leads elsewhere.
fn with_end(path: &str, id: &str) -> Result<String, String> {
    let is_plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~'));
    if !is_plain || matches!(id, "." | "..") {
        return Err(format!("`{id}` is no id that can stand in a path"));
    }
    let (before, query) = path.split_once('?').map_or((path, None), |(before, query)| (before, Some(query)));
    let query = query.map_or_else(String::new, |query| format!("?{query}"));
    Ok(format!("{}/{id}{query}", before.trim_end_matches('/')))
}

fn with_key(body: &str, key: &str, value: &str) -> Result<String, String> {
    match serde_json::from_str(body) {
        Ok(Json::Object(mut body)) => {
            body.insert(key.to_owned(), Json::from(value));
            Ok(Json::Object(body).to_string())
        }
        Ok(_) | Err(_) => Err("the request's body is no JSON object".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::proof::ProofRule;

    fn variable() -> Finding {
        let proof = |at: &str, rule| Proof { at: at.to_owned(), rule };
        Finding {
            what: "variable MODE for production".into(),
            path: "/env".into(),
            list: "/envs".into(),
            only: vec![
                proof("/key", ProofRule::Equals(json!("MODE"))),
                proof("/target", ProofRule::Contains("production".into())),
            ],
            is_first: false,
            takes: vec![Taken { from: "/id".into(), goes: Goes::PathEnd }],
        }
    }

    #[test]
    fn the_one_that_is_meant_gives_its_id_to_the_path_or_the_body() {
        let answer = json!({ "envs": [
            { "id": "env_1", "key": "OTHER", "target": ["production"] },
            { "id": "env_2", "key": "MODE", "target": ["preview"] },
            { "id": "env_3", "key": "MODE", "target": ["production", "preview"] },
        ] });
        let body = Some("{\"value\":\"x\"}");
        let completed = variable().complete("/env?team=t", body, &answer).unwrap();
        assert_eq!(completed, ("/env/env_3?team=t".to_owned(), body.map(ToOwned::to_owned)));
        let into_body =
            Finding { takes: vec![Taken { from: "/id".into(), goes: Goes::Body("deploymentId".into()) }], ..variable() };
        let (path, body) = into_body.complete("/deploy", body, &answer).unwrap();
        assert_eq!((path.as_str(), body.as_deref()), ("/deploy", Some("{\"value\":\"x\",\"deploymentId\":\"env_3\"}")));
        assert_eq!(into_body.complete("/deploy", None, &answer).unwrap().1.as_deref(), Some("{\"deploymentId\":\"env_3\"}"));
    }

    #[test]
    fn what_is_not_there_or_not_alone_is_said_and_sends_nothing() {
        let one = json!({ "id": "env_3", "key": "MODE", "target": ["production"] });
        let led_astray = json!({ "id": "../../users/me", "key": "MODE", "target": ["production"] });
        for (answer, said) in [
            (json!({ "envs": [] }), "there is no variable MODE for production"),
            (json!({ "envs": [one, one] }), "2 things answer to variable MODE for production"),
            (json!({ "envs": [{ "key": "MODE", "target": "production" }] }), "has no text at `/id`"),
            (json!({ "envs": [led_astray] }), "no id that can stand in a path"),
            (json!({ "error": "no" }), "no list at `/envs`"),
        ] {
            let why = variable().complete("/env", None, &answer).unwrap_err();
            assert!(why.contains(said), "{why}");
        }
        let first = Finding { is_first: true, ..variable() };
        assert_eq!(first.complete("/env", None, &json!({ "envs": [one, one] })).unwrap().0, "/env/env_3");
    }
}
