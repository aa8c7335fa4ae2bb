//! What the adapters' tests share: marks, queries, a server that breaks off, and the secret that must never be seen.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinHandle,
};

use crate::{
    domain::{
        id::Id,
        pack::{Query, Read, Sql},
        plan::ActionId,
        rows::Params,
        template::Template,
        value::Value,
    },
    ports::{Mark, Outcome},
};

/// Part of every secret in these tests.
pub(super) const CANARY: &str = "canary-7f3a9c";

pub(super) const LIMIT: Duration = Duration::from_secs(5);

pub(super) fn mark(action: &str) -> Mark {
    Mark { action: ActionId(action.to_owned()), step: 0, attempt: 1, target: "rr_1".into(), operator: "ana".into() }
}

/// A read of SQL; `:name` becomes `$1` ... in order of appearance.
pub(super) fn sql(text: &str) -> Query {
    let mut parameters: Vec<String> = Vec::new();
    let mut numbered = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(" :") {
        let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
        let (name, tail) = after.split_at(end);
        let place = parameters.iter().position(|known| known == name).unwrap_or_else(|| {
            parameters.push(name.to_owned());
            parameters.len() - 1
        });
        numbered = format!("{numbered}{before} ${}", place + 1);
        rest = tail;
    }
    numbered.push_str(rest);
    query(Read::Sql(Sql { text: text.to_owned(), numbered, parameters }))
}

pub(super) fn query(read: Read) -> Query {
    Query { on: Id::new("it"), read, money: Vec::new() }
}

pub(super) fn template(text: &str) -> Template {
    Template::parse(text).unwrap()
}

pub(super) fn params(pairs: &[(&str, Value)]) -> Params {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

/// The words of an outcome, whatever it is.
pub(super) fn words(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Confirmed(answer) => answer.said.shown(),
        Outcome::Again { why, .. } | Outcome::Rejected(why) | Outcome::Changed(why) | Outcome::Unknown(why) => why.shown(),
    }
}

/// A server for one request: it reads it, writes these bytes, and hangs up. Its address, and the request that it saw.
pub(super) async fn breaks_off(answer: &'static str) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let seen = tokio::spawn(async move {
        let (mut line, _) = listener.accept().await.unwrap();
        let request = request(&mut line).await;
        line.write_all(answer.as_bytes()).await.unwrap();
        request
    });
    (address, seen)
}

/// A server that takes the request and never answers.
pub(super) async fn never_answers() -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let held = tokio::spawn(async move {
        let mut lines = Vec::new();
        loop {
            lines.push(listener.accept().await.unwrap());
        }
    });
    (address, held)
}

/// An address where nobody listens: held for as long as the process lives, so that nobody else comes to answer there.
pub(super) async fn nobody() -> String {
    let held = tokio::net::TcpSocket::new_v4().unwrap();
    held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    format!("http://{}", Box::leak(Box::new(held)).local_addr().unwrap())
}

async fn request(line: &mut tokio::net::TcpStream) -> String {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = line.read(&mut buffer).await.unwrap();
        seen.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&seen).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .map_or(0, |(_, length)| length.parse().unwrap());
        if body.len() >= length || read == 0 {
            return text;
        }
    }
}
