//! A Slack-like sink: takes `{"text": ...}` and keeps each message as a line of `webhook.jsonl`.

use std::{io::Write as _, path::PathBuf, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{Method, StatusCode},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value as Json, json};

use super::clock::TownClock;

pub(super) struct Sink {
    pub file: PathBuf,
    pub clock: TownClock,
}

pub(super) fn router(sink: Sink) -> Router {
    Router::new().fallback(take).with_state(Arc::new(sink))
}

async fn take(State(sink): State<Arc<Sink>>, method: Method, body: Bytes) -> Response {
    if method != Method::POST {
        return (StatusCode::METHOD_NOT_ALLOWED, "invalid_method").into_response();
    }
    let Ok(message) = serde_json::from_slice::<Json>(&body) else {
        return (StatusCode::BAD_REQUEST, "invalid_payload").into_response();
    };
    let Some(text) = message.get("text").and_then(Json::as_str).filter(|text| !text.is_empty()) else {
        return (StatusCode::BAD_REQUEST, "no_text").into_response();
    };
    let line = format!("{}\n", json!({ "at": sink.clock.now().to_rfc3339(), "text": text }));
    let kept = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&sink.file)
        .and_then(|mut file| file.write_all(line.as_bytes()));
    match kept {
        Ok(()) => "ok".into_response(),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "not_kept").into_response(),
    }
}
