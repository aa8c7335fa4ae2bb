//! What an answer other than success means, in words with the next step. The words are those of
//! <https://cloud.google.com/apis/design/errors>.

use serde_json::Value as Json;

use crate::{
    adapters::transport::{NoReply, Reply, Transport},
    ports::SourceError,
};

/// An answer that is none, or no answer.
#[derive(Debug)]
pub(super) enum Failure {
    NoReply(NoReply),
    /// The service's own refusal.
    Refusal(Refusal),
    /// Something that the service does not say: a page of a proxy, half an answer, no JSON.
    Odd {
        status: u16,
        why: String,
    },
    /// Bigger than is read here; a smaller question may have an answer.
    TooBig(String),
    /// There is no token to ask with.
    NoToken(String),
}

#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) http: u16,
    /// `FAILED_PRECONDITION`, `PERMISSION_DENIED` ...
    pub(super) status: String,
    pub(super) message: String,
    pub(super) retry_after: Option<std::time::Duration>,
}

impl Refusal {
    /// The refusal in an answer, where one is in it: alone, or as the last of what was streamed.
    pub(super) fn of(reply: &Reply, json: &Json) -> Option<Self> {
        let error = match json {
            Json::Array(parts) => parts.iter().find_map(|part| part.get("error")),
            other => other.get("error"),
        }?;
        let word = |name: &str| error.get(name).and_then(Json::as_str).map(|word| reply.clean(word));
        Some(Self {
            http: error.get("code").and_then(Json::as_u64).and_then(|code| u16::try_from(code).ok()).unwrap_or(reply.status),
            status: word("status")?,
            message: word("message").unwrap_or_default(),
            retry_after: reply.retry_after(),
        })
    }

    pub(super) fn is(&self, status: &str) -> bool {
        self.status == status
    }

    /// A query that needs an index which is not there yet; the message has the link that makes it.
    pub(super) fn wants_index(&self) -> bool {
        self.is("FAILED_PRECONDITION") && self.message.contains("index")
    }

    /// The service's words, its own code, and what to do about it.
    pub(super) fn said(&self) -> String {
        let words = if self.message.trim().is_empty() { "no reason given" } else { self.message.trim() };
        let next = match self.status.as_str() {
            "UNAUTHENTICATED" => "; check the connection's credentials",
            "PERMISSION_DENIED" => {
                "; give the credentials' account a role in this project (reading: roles/datastore.viewer, acting: \
                 roles/datastore.user), and see that the Firestore API is enabled"
            }
            "RESOURCE_EXHAUSTED" => "; the project's quota is used up: look at it in Google's console, or look less often",
            "FAILED_PRECONDITION" if self.wants_index() => "; open that link once, and wait until the index is built",
            "NOT_FOUND" => "; check `project` and `database`",
            _ => "",
        };
        format!("{} {words} [{}]{next}", self.http, self.status)
    }
}

impl Failure {
    /// True where the same question may be answered a moment later.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::NoReply(NoReply::TimedOut { .. } | NoReply::Distrusted(_)) | Self::TooBig(_) | Self::NoToken(_) => false,
            Self::NoReply(NoReply::NotSent(_) | NoReply::Spared(_) | NoReply::Lost(_)) => true,
            Self::Odd { status, .. } => *status >= 500,
            Self::Refusal(refusal) => {
                matches!(refusal.status.as_str(), "UNAVAILABLE" | "ABORTED" | "INTERNAL") || refusal.is("RESOURCE_EXHAUSTED")
            }
        }
    }

    pub(super) fn unread(&self, transport: &Transport, what: &str) -> SourceError {
        match self {
            Self::NoReply(failure) => transport.unread(failure),
            Self::NoToken(why) => SourceError::Denied(transport.text(why)),
            Self::TooBig(why) => SourceError::Malformed(transport.text(format_args!("{what}: {why}"))),
            Self::Odd { status, why } => {
                let said = transport.text(format_args!("{what} answered {status}: {why}"));
                match status {
                    401 | 403 | 407 => SourceError::Denied(said),
                    300..500 => SourceError::Refused(said),
                    _ => SourceError::Malformed(said),
                }
            }
            Self::Refusal(refusal) => {
                let said = transport.text(format_args!("{what} refused: {}", refusal.said()));
                match refusal.status.as_str() {
                    "UNAUTHENTICATED" | "PERMISSION_DENIED" => SourceError::Denied(said),
                    "RESOURCE_EXHAUSTED" | "UNAVAILABLE" | "ABORTED" => SourceError::Busy(said),
                    "INTERNAL" | "UNKNOWN" | "DATA_LOSS" | "DEADLINE_EXCEEDED" => SourceError::Malformed(said),
                    _ => SourceError::Refused(said),
                }
            }
        }
    }
}
