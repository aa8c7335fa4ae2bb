//! The business's own site: its declared endpoints, over the business's database.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use chrono::{TimeDelta, Utc};
use serde_json::{Map, Value as Json, json};
use sqlx::{Connection as _, SqliteConnection};

use super::{
    declaration::{Endpoint, SiteTown},
    error::Error,
    form,
    line::Line,
    script::{Script, Values},
    switchboard::Switchboard,
};
use crate::domain::{
    expression::{Expression, ExpressionError},
    rows::{Params, Row},
    signature,
    template::{Template, TemplatePlace},
    value::Value,
};

/// A signature may be so old, or so young.
const SIGNED_SINCE: TimeDelta = TimeDelta::minutes(5);

struct Site {
    declared: SiteTown,
    business: Line,
    board: Switchboard,
}

/// Refuses templates and expressions that do not compile.
pub(super) fn router(declared: SiteTown, business: Line, board: Switchboard) -> Result<Router, Error> {
    for endpoint in &declared.endpoints {
        template(endpoint)?;
        for expression in endpoint.hangs_while.iter().chain(&endpoint.run_when) {
            Expression::parse(expression).map_err(wrong(endpoint))?;
        }
    }
    Ok(Router::new().fallback(answer).with_state(Arc::new(Site { declared, business, board })))
}

fn template(endpoint: &Endpoint) -> Result<Template, Error> {
    Template::parse_for(TemplatePlace::Json, &endpoint.answer).map_err(wrong(endpoint))
}

fn wrong<E: ToString>(endpoint: &Endpoint) -> impl Fn(E) -> Error {
    |error| Error::declaration(&format!("demo.toml, {}", endpoint.path), error.to_string())
}

/// What an endpoint's template and expressions see.
struct Seen {
    env: BTreeMap<String, String>,
    switches: BTreeMap<String, String>,
    body: Json,
    query: BTreeMap<String, String>,
    /// The first row of each read.
    reads: Map<String, Json>,
    now: String,
}

impl Seen {
    fn names(&self) -> Params {
        let parts = [
            ("env", json!(self.env)),
            ("switches", json!(self.switches)),
            ("body", self.body.clone()),
            ("query", json!(self.query)),
            ("reads", Json::Object(self.reads.clone())),
        ];
        parts.into_iter().map(|(name, json)| (name.to_owned(), Value::Json(json))).collect()
    }

    /// An expression over a part that is not there holds no more than one that is false.
    fn holds(&self, expression: &str) -> Result<bool, ExpressionError> {
        Ok(Expression::parse(expression)?.holds(&Row::from(&self.names())))
    }

    fn values(&self) -> Values {
        let mut values = Values::from([("now".to_owned(), json!(self.now))]);
        let texts = [("env", &self.env), ("switch", &self.switches), ("query", &self.query)];
        for (prefix, names) in texts {
            values.extend(names.iter().map(|(name, value)| (format!("{prefix}_{name}"), json!(value))));
        }
        for (name, value) in self.body.as_object().into_iter().flatten() {
            values.insert(format!("body_{name}"), value.clone());
        }
        values
    }
}

async fn answer(State(site): State<Arc<Site>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let known: Vec<&Endpoint> = site.declared.endpoints.iter().filter(|endpoint| endpoint.path == uri.path()).collect();
    let Some(endpoint) = known.iter().find(|endpoint| endpoint.method == method.as_str()) else {
        let status = if known.is_empty() { StatusCode::NOT_FOUND } else { StatusCode::METHOD_NOT_ALLOWED };
        return said(status, status.canonical_reason().unwrap_or_default());
    };
    if let Some(required) = &endpoint.require {
        let given = headers.get(&required.header).and_then(|value| value.to_str().ok());
        if given != Some(&required.is) {
            return said(StatusCode::UNAUTHORIZED, "unauthorized");
        }
    }
    if let Some(secret) = &endpoint.signed_with {
        let header = headers.get(signature::HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
        // By the machine's clock, as whoever signs has it; the town's may stand elsewhere.
        if let Err(why) = signature::verify(secret, header, &body, Utc::now(), SIGNED_SINCE) {
            return said(StatusCode::BAD_REQUEST, why);
        }
    }
    let body = if body.is_empty() { json!({}) } else { serde_json::from_slice(&body).unwrap_or_default() };
    if !body.is_object() {
        return said(StatusCode::BAD_REQUEST, "the body is no JSON object");
    }
    match serve(&site, endpoint, body, &uri).await {
        Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(error) => said(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn said(status: StatusCode, error: &str) -> Response {
    (status, axum::Json(json!({ "error": error }))).into_response()
}

async fn serve(site: &Site, endpoint: &Endpoint, body: Json, uri: &Uri) -> Result<String, Error> {
    let mut seen = Seen {
        env: site.board.live().await?,
        switches: site.board.switches().await?,
        body,
        query: form::pairs(uri.query().unwrap_or_default()).into_iter().collect(),
        reads: Map::new(),
        now: site.board.clock.stamp(),
    };
    if let Some(expression) = &endpoint.hangs_while
        && seen.holds(expression).map_err(wrong(endpoint))?
    {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(Duration::from_millis(endpoint.delay_ms)).await;
    let runs = endpoint.run_when.as_deref().map_or(Ok(true), |expression| seen.holds(expression)).map_err(wrong(endpoint))?;
    let values = seen.values();
    let mut connection = site.business.enter().await.map_err(Error::sql(&endpoint.path))?;
    if runs && !endpoint.run.is_empty() {
        run(&mut connection, endpoint, &values).await?;
    }
    for (name, source) in &endpoint.reads {
        let rows = Script::new(&endpoint.path, source).rows(&mut connection, &values).await?;
        seen.reads.insert(name.clone(), rows.into_iter().next().map_or(Json::Null, Json::Object));
    }
    template(endpoint)?.render(&seen.names()).map_err(wrong(endpoint))
}

async fn run(connection: &mut SqliteConnection, endpoint: &Endpoint, values: &Values) -> Result<(), Error> {
    let mut transaction = connection.begin_with("begin immediate").await.map_err(Error::sql(&endpoint.path))?;
    for source in &endpoint.run {
        Script::new(&endpoint.path, source).run(&mut transaction, values).await?;
    }
    transaction.commit().await.map_err(Error::sql(&endpoint.path))
}
