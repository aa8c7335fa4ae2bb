//! Runs one stand-in behind its door and lets the faults that stand meet each request.

use std::{collections::HashMap, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{Method, StatusCode, header, response::Parts},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};
use tokio::{sync::Mutex, task::JoinHandle};

use super::{
    door::{Cut, Door},
    fault::{FaultKind, Faults, Target},
};

/// A running server; it ends with this value.
#[derive(Debug)]
pub(super) struct StandIn {
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl StandIn {
    pub async fn start(target: Option<Target>, router: Router, faults: &Faults) -> io::Result<Self> {
        let door = Door::open(target, faults.clone()).await?;
        let address = axum::serve::Listener::local_addr(&door)?;
        let router = match target {
            Some(target) => {
                let guard = Arc::new(Guard { target, faults: faults.clone(), frozen: Mutex::default() });
                router.layer(middleware::from_fn_with_state(guard, meet_fault))
            }
            None => router,
        };
        let serve = axum::serve(door, router.into_make_service_with_connect_info::<Cut>());
        let task = tokio::spawn(async move {
            // A door never closes by itself: the task ends when the town does.
            let _ = serve.await;
        });
        Ok(Self { address, task })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Left to the service itself, because what it remembers of the request depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    Failing,
    Slow(Duration),
}

struct Guard {
    target: Target,
    faults: Faults,
    frozen: Mutex<HashMap<String, (Parts, Bytes)>>,
}

async fn meet_fault(
    State(guard): State<Arc<Guard>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    mut request: Request,
    next: Next,
) -> Response {
    let reads = request.method() == Method::GET;
    let service_knows = guard.target == Target::Stripe && !reads;
    let met = guard.faults.meet(guard.target, request.uri().path());
    if met != Some(FaultKind::Stale) && !guard.faults.stands(guard.target, FaultKind::Stale) {
        guard.frozen.lock().await.clear();
    }
    match met {
        None | Some(FaultKind::Clear) => next.run(request).await,
        Some(FaultKind::Stale) if !reads => next.run(request).await,
        Some(FaultKind::Failing) if service_knows => {
            request.extensions_mut().insert(Trouble::Failing);
            next.run(request).await
        }
        Some(FaultKind::Failing) => failing(guard.target),
        Some(FaultKind::BadGateway) => bad_gateway(),
        Some(FaultKind::TooMany) => too_many(guard.target),
        Some(FaultKind::Timeout) => std::future::pending().await,
        Some(FaultKind::Drop) => {
            let answer = next.run(request).await;
            cut.now();
            answer
        }
        Some(FaultKind::Refuse) => {
            cut.now();
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Some(FaultKind::Slow(pause)) if service_knows => {
            request.extensions_mut().insert(Trouble::Slow(pause));
            next.run(request).await
        }
        Some(FaultKind::Slow(pause)) => {
            let answer = next.run(request).await;
            tokio::time::sleep(pause).await;
            answer
        }
        Some(FaultKind::Stale) => frozen(&guard, request, next).await,
    }
}

async fn frozen(guard: &Guard, request: Request, next: Next) -> Response {
    let asked = request.uri().to_string();
    if let Some((parts, body)) = guard.frozen.lock().await.get(&asked) {
        return Response::from_parts(parts.clone(), Body::from(body.clone()));
    }
    let (parts, body) = next.run(request).await.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    guard.frozen.lock().await.insert(asked, (parts.clone(), body.clone()));
    Response::from_parts(parts, Body::from(body))
}

const JSON: (header::HeaderName, &str) = (header::CONTENT_TYPE, "application/json");

pub(super) const STRIPE_FAILING: &str =
    r#"{"error":{"message":"An unknown error occurred on our side. Please try again.","type":"api_error"}}"#;

fn failing(target: Target) -> Response {
    match target {
        Target::Stripe => (StatusCode::INTERNAL_SERVER_ERROR, [JSON], STRIPE_FAILING).into_response(),
        Target::Vercel => {
            let body = r#"{"error":{"code":"internal_server_error","message":"An unexpected error has occurred."}}"#;
            (StatusCode::INTERNAL_SERVER_ERROR, [JSON], body).into_response()
        }
        Target::Site | Target::Webhook | Target::Database | Target::Mail => {
            (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error").into_response()
        }
    }
}

fn bad_gateway() -> Response {
    let page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n\
        <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";
    (StatusCode::BAD_GATEWAY, [(header::CONTENT_TYPE, "text/html")], page).into_response()
}

fn too_many(target: Target) -> Response {
    let wait = [(header::RETRY_AFTER, "1")];
    match target {
        Target::Stripe => {
            let body = r#"{"error":{"code":"rate_limit","message":"Request rate limit exceeded. You can learn more about rate limits here https://stripe.com/docs/rate-limits.","type":"invalid_request_error"}}"#;
            (StatusCode::TOO_MANY_REQUESTS, wait, [JSON, (header::HeaderName::from_static("stripe-should-retry"), "true")], body)
                .into_response()
        }
        Target::Site | Target::Vercel | Target::Webhook | Target::Database | Target::Mail => {
            (StatusCode::TOO_MANY_REQUESTS, wait, "Too Many Requests").into_response()
        }
    }
}
