//! The town's own door for whoever wants to break it while it runs: `/faults` and `/switches`.
//!
//! `POST /faults` with `stripe=500` as the body, `GET /faults`, `DELETE /faults`; `POST /switches/NAME` with the value.

use std::sync::Arc;

use axum::{
    Json as JsonBody, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::{get, post},
};

use super::{fault::Fault, town::Levers};

pub(super) fn router(levers: Levers) -> Router {
    Router::new()
        .route("/faults", get(list).post(add).delete(clear))
        .route("/switches", get(switches))
        .route("/switches/{name}", post(switch))
        .with_state(Arc::new(levers))
}

async fn list(State(levers): State<Arc<Levers>>) -> Response {
    let standing: Vec<String> = levers.faults.standing().iter().map(ToString::to_string).collect();
    JsonBody(standing).into_response()
}

async fn add(State(levers): State<Arc<Levers>>, body: String) -> Response {
    let added = async {
        for line in body.lines().map(str::trim).filter(|line| !line.is_empty()) {
            levers.fault(&Fault::parse(line)?).await?;
        }
        Ok::<(), super::Error>(())
    };
    match added.await {
        Ok(()) => list(State(levers)).await,
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

async fn clear(State(levers): State<Arc<Levers>>) -> Response {
    match levers.clear().await {
        Ok(()) => list(State(levers)).await,
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn switches(State(levers): State<Arc<Levers>>) -> Response {
    match levers.board.switches().await {
        Ok(switches) => JsonBody(switches).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn switch(State(levers): State<Arc<Levers>>, Path(name): Path<String>, body: String) -> Response {
    match levers.board.switch(&name, body.trim()).await {
        Ok(true) => switches(State(levers)).await,
        Ok(false) => (StatusCode::NOT_FOUND, format!("there is no switch `{name}`")).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
