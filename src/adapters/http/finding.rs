//! Looks for what a request must name before it is sent. Never changes anything: whatever fails here was not sent.

use std::time::Duration;

use super::{super::transport::NoReply, HttpSystem, Unasked, shown};
use crate::{domain::finding::Finding, ports::Outcome};

/// What is wrong with an answer may be over soon.
const SOON: Duration = Duration::from_secs(5);

impl HttpSystem {
    /// The request's path and body with what was found in them.
    pub(super) async fn found(
        &self,
        finding: &Finding,
        path: &str,
        body: Option<&str>,
    ) -> Result<(String, Option<String>), Outcome> {
        let what = &finding.what;
        let said = |why: &str| self.transport.text(format_args!("not sent, because {what} could not be looked for: {why}"));
        let again = |after: Duration, why: &str| Outcome::Again { after, why: said(why) };
        let rejected = |why: &str| Outcome::Rejected(said(why));
        let reply = match self.ask_in_time("GET", &finding.path).await {
            Ok(reply) => reply,
            Err(Unasked::Mistake(why) | Unasked::NoReply(NoReply::Distrusted(why))) => return Err(rejected(&why)),
            Err(Unasked::NoReply(NoReply::NotSent(why) | NoReply::Spared(why) | NoReply::Lost(why))) => {
                return Err(again(SOON, &why));
            }
            Err(Unasked::NoReply(NoReply::TimedOut { .. })) => return Err(again(SOON, "no answer in time")),
        };
        let answered = format!("GET {} answered {} {}", shown(&finding.path), reply.status, reply.excerpt());
        match reply.status {
            200..300 => {}
            401 | 403 => return Err(rejected(&format!("{answered}: denied; check the connection's credentials"))),
            425 | 429 => return Err(again(reply.retry_after().unwrap_or(SOON), &answered)),
            300..500 => return Err(rejected(&answered)),
            _ => return Err(again(SOON, &answered)),
        }
        let Some(json) = reply.json().filter(|_| reply.cut.is_none()) else {
            return Err(again(SOON, &format!("{answered}: not JSON, or cut off")));
        };
        finding.complete(path, body, &json).map_err(|why| {
            Outcome::Rejected(self.transport.text(format_args!("not sent: {why} (by GET {})", shown(&finding.path))))
        })
    }
}
