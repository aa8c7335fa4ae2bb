//! Vercel's side of a flag: a project's variables, which the site sees only once the next deployment is ready.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json as JsonBody, Router,
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use serde_json::{Map, Value as Json, json};

use super::{declaration::VercelTown, error::Error, script::Values, switchboard::Switchboard};

struct Vercel {
    declared: VercelTown,
    board: Switchboard,
}

pub(super) fn router(declared: VercelTown, board: Switchboard) -> Router {
    Router::new()
        .route("/{version}/projects/{project}", get(project))
        .route("/{version}/projects/{project}/env", get(list))
        .route("/{version}/projects/{project}/env/{id}", get(read).patch(change))
        .route("/{version}/deployments", get(deployments).post(deploy))
        .route("/{version}/deployments/{id}", get(deployment))
        .fallback(nowhere)
        .with_state(Arc::new(Vercel { declared, board }))
}

struct Refusal(StatusCode, &'static str, String);

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, "internal_server_error", error.to_string())
    }
}

impl axum::response::IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, JsonBody(json!({ "error": { "code": self.1, "message": self.2 } }))).into_response()
    }
}

fn not_found(what: &str) -> Refusal {
    Refusal(StatusCode::NOT_FOUND, "not_found", format!("{what} was not found."))
}

impl Vercel {
    fn admit(&self, headers: &HeaderMap, project: Option<&str>) -> Result<(), Refusal> {
        let wanted = format!("Bearer {}", self.declared.token);
        if headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) != Some(&wanted) {
            return Err(Refusal(StatusCode::FORBIDDEN, "forbidden", "Not authorized".to_owned()));
        }
        match project {
            Some(project) if project != self.declared.project => Err(not_found("Project")),
            _ => Ok(()),
        }
    }

    async fn variables(&self, id: Option<&str>) -> Result<Vec<Json>, Refusal> {
        let source = "select id, name, value, created, updated from variables where id = coalesce(:id, id) order by id";
        let rows = self.board.rows(source, &Values::from([("id".into(), json!(id))])).await?;
        Ok(rows.into_iter().map(variable).collect())
    }
}

fn variable(mut row: Map<String, Json>) -> Json {
    let mut take = |name: &str| row.remove(name).unwrap_or_default();
    json!({
        "id": take("id"), "key": take("name"), "value": take("value"), "type": "plain", "target": ["production"],
        "createdAt": take("created"), "updatedAt": take("updated"),
    })
}

async fn list(
    State(vercel): State<Arc<Vercel>>,
    Path((_, project)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    vercel.admit(&headers, Some(&project))?;
    Ok(JsonBody(json!({ "envs": vercel.variables(None).await? })).into_response())
}

async fn read(
    State(vercel): State<Arc<Vercel>>,
    Path((_, project, id)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    vercel.admit(&headers, Some(&project))?;
    let found = vercel.variables(Some(&id)).await?.into_iter().next().ok_or_else(|| not_found("Environment variable"))?;
    Ok(JsonBody(found).into_response())
}

async fn change(
    State(vercel): State<Arc<Vercel>>,
    Path((version, project, id)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    vercel.admit(&headers, Some(&project))?;
    let bad = |said: &str| Refusal(StatusCode::BAD_REQUEST, "bad_request", said.to_owned());
    let body: Json = serde_json::from_slice(&body).map_err(|_| bad("Invalid JSON"))?;
    let value = body.get("value").and_then(Json::as_str).ok_or_else(|| bad("Missing required property `value`"))?;
    let now = vercel.board.clock.now().timestamp_millis();
    let values = Values::from([("id".into(), json!(id)), ("value".into(), json!(value)), ("now".into(), json!(now))]);
    vercel.board.run("update variables set value = :value, updated = :now where id = :id", &values).await?;
    read(State(vercel), Path((version, project, id)), headers).await
}

async fn project(
    State(vercel): State<Arc<Vercel>>,
    Path((_, project)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    vercel.admit(&headers, Some(&project))?;
    Ok(JsonBody(json!({ "id": format!("prj_{project}"), "name": project, "accountId": "team_demo" })).into_response())
}

/// The one that the town began with, which no table has.
const FIRST: &str = "dpl_first";

impl Vercel {
    /// Newest first.
    async fn known_deployments(&self) -> Result<Vec<(String, i64, Option<i64>)>, Refusal> {
        let made = "select id, created, ready from deployments order by seq desc";
        let mut rows = self.board.rows(made, &Values::new()).await?;
        rows.extend(
            self.board.rows("select min(created) as created, min(created) as ready from variables", &Values::new()).await?,
        );
        let now = self.board.clock.now().timestamp_millis();
        let known = rows.iter().map(|row| {
            let moment = |column: &str| row.get(column).and_then(Json::as_i64).unwrap_or_default();
            let id = row.get("id").and_then(Json::as_str).unwrap_or(FIRST).to_owned();
            (id, moment("created"), Some(moment("ready")).filter(|ready| *ready <= now))
        });
        Ok(known.collect())
    }
}

async fn deployments(
    State(vercel): State<Arc<Vercel>>,
    Query(asked): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    vercel.admit(&headers, asked.get("projectId").map(String::as_str))?;
    let is_wanted = |state: &str| asked.get("state").is_none_or(|wanted| wanted.split(',').any(|wanted| wanted == state));
    let limit = asked.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(20);
    let known = vercel.known_deployments().await?.into_iter().filter_map(|(id, created, ready)| {
        let state = if ready.is_some() { "READY" } else { "BUILDING" };
        is_wanted(state).then(|| described(&vercel.declared.project, &id, created, state, ready))
    });
    let known: Vec<Json> =
        if asked.get("target").is_none_or(|target| target == "production") { known.take(limit).collect() } else { Vec::new() };
    Ok(JsonBody(json!({ "deployments": known, "pagination": { "count": known.len(), "next": null, "prev": null } }))
        .into_response())
}

async fn deploy(State(vercel): State<Arc<Vercel>>, headers: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
    vercel.admit(&headers, None)?;
    let body: Json = serde_json::from_slice(&body).unwrap_or_default();
    let bad = |said: &str| Refusal(StatusCode::BAD_REQUEST, "bad_request", said.to_owned());
    body.get("name").and_then(Json::as_str).ok_or_else(|| bad("Missing required property `name`"))?;
    let source = body.get("deploymentId").and_then(Json::as_str).ok_or_else(|| bad("Nothing to deploy"))?;
    if !vercel.known_deployments().await?.iter().any(|(id, ..)| id == source) {
        return Err(not_found("Deployment"));
    }
    let rows = vercel.board.rows("select name, value from variables", &Values::new()).await?;
    let text = |row: &Map<String, Json>, column: &str| row.get(column).and_then(Json::as_str).map(str::to_owned);
    let variables: BTreeMap<String, String> =
        rows.iter().filter_map(|row| Some((text(row, "name")?, text(row, "value")?))).collect();
    let now = vercel.board.clock.now().timestamp_millis();
    let id = format!("dpl_{:016x}", fastrand::u64(..));
    let values = Values::from([
        ("id".into(), json!(id)),
        ("now".into(), json!(now)),
        ("ready".into(), json!(now + vercel.declared.deploys_in_ms)),
        ("variables".into(), json!(json!(variables).to_string())),
    ]);
    let insert = "insert into deployments (id, created, ready, variables) values (:id, :now, :ready, :variables)";
    vercel.board.run(insert, &values).await?;
    let state = described(&vercel.declared.project, &id, now, "QUEUED", None);
    Ok((StatusCode::OK, JsonBody(state)).into_response())
}

async fn deployment(
    State(vercel): State<Arc<Vercel>>,
    Path((_, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    vercel.admit(&headers, None)?;
    let source = "select created, ready from deployments where id = :id";
    let rows = vercel.board.rows(source, &Values::from([("id".into(), json!(id))])).await?;
    let row = rows.first().ok_or_else(|| not_found("Deployment"))?;
    let moment = |column: &str| row.get(column).and_then(Json::as_i64).unwrap_or_default();
    let ready = Some(moment("ready")).filter(|ready| *ready <= vercel.board.clock.now().timestamp_millis());
    let state = if ready.is_some() { "READY" } else { "BUILDING" };
    Ok(JsonBody(described(&vercel.declared.project, &id, moment("created"), state, ready)).into_response())
}

fn described(project: &str, id: &str, created: i64, state: &str, ready: Option<i64>) -> Json {
    json!({
        "id": id, "uid": id, "name": project, "created": created, "target": "production", "readyState": state, "status": state, "createdAt": created,
        "ready": ready, "url": format!("{project}.vercel.example"),
    })
}

async fn nowhere() -> Refusal {
    not_found("The requested endpoint")
}
