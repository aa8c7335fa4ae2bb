//! One mail from an order: plain text, one recipient, a Message-ID that is the act's own name.

use lettre::{
    Message,
    message::{Mailbox, header::ContentType},
};

use crate::ports::Mark;

/// The same at every attempt, so that a mailbox that gets it twice shows it once.
pub(super) fn id(mark: &Mark) -> String {
    format!("<{}@wheelhouse>", mark.key())
}

pub(super) fn build(from: &Mailbox, to: &str, subject: &str, body: &str, mark: &Mark) -> Result<Message, String> {
    let to: Mailbox = to.trim().parse().map_err(|error| format!("`{to}` is no mail address: {error}"))?;
    // A line break in a subject would begin a header of its own.
    let subject: String = subject.split_whitespace().collect::<Vec<_>>().join(" ");
    Message::builder()
        .from(from.clone())
        .to(to)
        .subject(subject)
        .message_id(Some(id(mark)))
        .header(ContentType::TEXT_PLAIN)
        .body(body.to_owned())
        .map_err(|error| error.to_string())
}
