//! What Stripe answers: a status, a body, and the headers that go with every answer.

use axum::{
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::demo::error::Error;

/// An answer before it is sent; also what is remembered for an idempotency key.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub status: u16,
    pub body: String,
    pub request: String,
    /// The key that it was given under, and whether it had been given before.
    pub key: Option<String>,
    pub replay_of: Option<String>,
    /// `Stripe-Should-Retry`.
    pub retry: Option<bool>,
}

impl Answer {
    pub fn ok(body: &impl Serialize) -> Self {
        Self::of(200, body)
    }

    pub fn of(status: u16, body: &impl Serialize) -> Self {
        // Indented, as Stripe's own are.
        let body = serde_json::to_string_pretty(body).unwrap_or_default();
        Self { status, body, request: request_id(), key: None, replay_of: None, retry: None }
    }
}

pub(super) fn request_id() -> String {
    let letters: String = std::iter::repeat_with(fastrand::alphanumeric).take(14).collect();
    format!("req_{letters}")
}

/// Why Stripe did not do it.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub status: u16,
    pub kind: &'static str,
    pub code: Option<&'static str>,
    pub param: Option<String>,
    pub message: String,
    pub retry: Option<bool>,
}

impl Refusal {
    pub fn invalid(message: impl Into<String>) -> Self {
        let message = message.into();
        Self { status: 400, kind: "invalid_request_error", code: None, param: None, message, retry: None }
    }

    pub fn of_param(code: &'static str, param: &str, message: impl Into<String>) -> Self {
        Self { code: Some(code), param: Some(param.to_owned()), ..Self::invalid(message) }
    }

    /// An object that does not exist: 404 where it is the one asked for, 400 as a cursor.
    pub fn missing(status: u16, object: &str, id: &str, param: &str) -> Self {
        let message = format!("No such {}: '{id}'", object.replace('_', " "));
        Self { status, ..Self::of_param("resource_missing", param, message) }
    }

    pub fn denied(message: &str) -> Self {
        Self { status: 401, ..Self::invalid(message) }
    }

    pub fn not_found(message: &str) -> Self {
        Self { status: 404, ..Self::invalid(message) }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { status: 500, kind: "api_error", ..Self::invalid(error.to_string()) }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let mut error = serde_json::Map::new();
        if let Some(code) = refusal.code {
            error.insert("code".to_owned(), json!(code));
            error.insert("doc_url".to_owned(), json!(format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-"))));
        }
        error.insert("message".to_owned(), json!(refusal.message));
        if let Some(param) = refusal.param {
            error.insert("param".to_owned(), json!(param));
        }
        error.insert("type".to_owned(), json!(refusal.kind));
        Self { retry: refusal.retry, ..Self::of(refusal.status, &json!({ "error": error })) }
    }
}

impl From<Result<Json, Refusal>> for Answer {
    fn from(result: Result<Json, Refusal>) -> Self {
        match result {
            Ok(body) => Self::ok(&body),
            Err(refusal) => refusal.into(),
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, [(header::CONTENT_TYPE, "application/json")], self.body).into_response();
        let mut add = |name: &'static str, value: String| {
            if let Ok(value) = value.parse() {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        };
        add("request-id", self.request);
        if let Some(key) = self.key {
            add("idempotency-key", key);
        }
        if let Some(original) = self.replay_of {
            add("idempotent-replayed", "true".to_owned());
            add("original-request", original);
        }
        if let Some(retry) = self.retry {
            add("stripe-should-retry", retry.to_string());
        }
        response
    }
}
