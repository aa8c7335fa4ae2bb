//! What answers, as whom we are known there, and what the credentials may do, where Google can be asked.

use reqwest::Url;
use serde_json::{Value as Json, json};

use super::{
    api::{Access, Api},
    failure::Failure,
};
use crate::{
    domain::{identity::Identity, text::Text},
    ports::SourceError,
};

pub(super) const PERMISSIONS: &str = "https://cloudresourcemanager.googleapis.com/";
const PERMISSIONS_SCOPE: &str = "https://www.googleapis.com/auth/cloudplatformprojects.readonly";
const ADMIN_SCOPE: &str = "https://www.googleapis.com/auth/datastore";

/// What reading, and what acting, takes.
const READING: [&str; 2] = ["datastore.entities.get", "datastore.entities.list"];
const ACTING: [&str; 2] = ["datastore.entities.create", "datastore.entities.update"];
/// What no action ever does.
const TOO_MUCH: [(&str, &str); 3] = [
    ("datastore.entities.delete", "delete documents"),
    ("datastore.databases.delete", "delete the database"),
    ("resourcemanager.projects.setIamPolicy", "give others rights"),
];

/// Reads a document that nobody has: what answers is the database, and the right to read is proven.
pub(super) async fn identify(api: &Api, marks: Option<&str>) -> Result<Identity, SourceError> {
    let probe = format!("{}/wheelhouse-asks-who-answers", marks.unwrap_or("operator_actions"));
    let body = json!({ "documents": [format!("{}/{probe}", api.root())], "mask": { "fieldPaths": [] } });
    let asked = api.ask(&[], "batchGet", &body).await;
    let (_, reply) = asked.map_err(|failure| failure.unread(&api.transport, "the database"))?;
    let clock = reply.told_time();
    let mut facts = vec![("project", Text::new(api.project.as_str())), ("database", Text::new(api.database.as_str()))];
    let system = match &api.access {
        Access::Emulator(host) => {
            facts.push(("emulator", Text::new(host.as_str())));
            "Firestore emulator"
        }
        Access::Google(tokens) => {
            facts.extend(tokens.account().map(|account| ("account", api.transport.scrub.text(account))));
            facts.extend(place(api).await?.map(|place| ("location", place)));
            facts.extend(permitted(api).await.map(|may| ("may", Text::new(may_do(&may)))));
            "Firestore"
        }
    };
    Ok(Identity { system: Text::new(system), facts, clock })
}

/// Where the database is; `None` where these credentials may not ask. One of another mode is none of ours.
async fn place(api: &Api) -> Result<Option<Text>, SourceError> {
    let address = api.base.join(&format!("v1/projects/{}/databases/{}", api.project, api.database));
    let Ok(address) = address else { return Ok(None) };
    let Ok((told, _)) = api.send(api.transport.client.get(address), ADMIN_SCOPE).await else { return Ok(None) };
    if told.get("type").and_then(Json::as_str) == Some("DATASTORE_MODE") {
        let said = "the database is in Datastore mode, and only one in native mode can be read here";
        return Err(SourceError::Refused(api.transport.text(said)));
    }
    Ok(told.get("locationId").and_then(Json::as_str).map(|place| api.transport.scrub.text(place)))
}

/// Which of the permissions the credentials have; `None` where nobody says.
async fn permitted(api: &Api) -> Option<Vec<String>> {
    let Access::Google(_) = &api.access else { return None };
    let asked: Vec<&str> = READING.into_iter().chain(ACTING).chain(TOO_MUCH.map(|(name, _)| name)).collect();
    let address: Url = api.permissions.join(&format!("v1/projects/{}:testIamPermissions", api.project)).ok()?;
    let request = api.transport.client.post(address).json(&json!({ "permissions": asked }));
    let told: Result<(Json, _), Failure> = api.send(request, PERMISSIONS_SCOPE).await;
    let (told, _) = told.ok()?;
    let has = told.get("permissions").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
    Some(has.iter().filter_map(Json::as_str).map(str::to_owned).collect())
}

fn may_do(has: &[String]) -> String {
    let all = |wanted: &[&str]| wanted.iter().all(|wanted| has.iter().any(|has| has == wanted));
    let parts = [(all(&READING), "read"), (all(&ACTING), "write"), (all(&[TOO_MUCH[0].0]), "delete")];
    let parts: Vec<&str> = parts.into_iter().filter(|(may, _)| *may).map(|(_, word)| word).collect();
    if parts.is_empty() { "nothing that is asked for".to_owned() } else { parts.join(", ") }
}

/// What is to be known at every start.
pub(super) async fn inspect(api: &Api) -> Vec<Text> {
    let mut said = Vec::new();
    if let Access::Emulator(host) = &api.access {
        said.push(api.transport.text(format_args!(
            "reads and writes the emulator at {host}, not Google's database: FIRESTORE_EMULATOR_HOST is set; unset it for the \
             real one"
        )));
    }
    let has = permitted(api).await.unwrap_or_default();
    let too_much: Vec<&str> =
        TOO_MUCH.into_iter().filter(|(name, _)| has.iter().any(|has| has == name)).map(|(_, what)| what).collect();
    if !too_much.is_empty() {
        said.push(api.transport.text(format_args!(
            "the credentials may {}, which no action needs: a role of one's own with {} is enough",
            too_much.join(", "),
            READING.into_iter().chain(ACTING).collect::<Vec<_>>().join(", ")
        )));
    }
    said
}
