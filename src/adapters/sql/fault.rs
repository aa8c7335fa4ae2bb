//! What went wrong at a database, sorted by what can be done about it.

use std::{error::Error as _, io};

use sqlx::{Error, error::DatabaseError, postgres::PgDatabaseError};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultKind {
    /// Nobody answers at the address.
    Unreachable,
    /// The line broke while it was in use.
    Lost,
    Denied,
    /// The statement, or what it wants to store, is not accepted.
    Refused,
    Malformed,
    TimedOut,
    /// Locked, or lost against another transaction: the same again may pass.
    Busy,
}

/// One failure, in words that may hold a secret until the `Scrubber` has seen them.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) kind: FaultKind,
    pub(super) said: String,
    /// True where the database itself said no, so that what it was asked certainly did not happen.
    pub(super) is_verdict: bool,
    /// The server's prepared statements are not what the driver believes: one was left behind at a pooler's server, or
    /// was destroyed while the driver asked about a type that is new to it.
    pub(super) is_mixed_up: bool,
}

impl Fault {
    pub(super) fn new(kind: FaultKind, said: impl Into<String>) -> Self {
        Self { kind, said: said.into(), is_verdict: false, is_mixed_up: false }
    }

    pub(super) fn timed_out() -> Self {
        Self::new(FaultKind::TimedOut, "no answer in time; the database may be overloaded or far away")
    }

    /// A failure while the connection was being made.
    pub(super) fn connecting(error: &Error) -> Self {
        let fault = Self::from(error);
        match fault.kind {
            FaultKind::Lost if fault.is_verdict => Self { kind: FaultKind::Unreachable, ..fault },
            FaultKind::Lost => Self {
                kind: FaultKind::Unreachable,
                said: format!("nobody answers: {}; is the database running, and the address right?", reason(error)),
                ..fault
            },
            _ => fault,
        }
    }
}

impl From<&Error> for Fault {
    fn from(error: &Error) -> Self {
        match error {
            Error::Database(database) => from_database(database.as_ref()),
            Error::Io(io) if io.kind() == io::ErrorKind::TimedOut => Self::timed_out(),
            Error::Io(_) | Error::WorkerCrashed => Self::new(FaultKind::Lost, format!("the line broke: {}", reason(error))),
            Error::Tls(_) => Self::new(
                FaultKind::Unreachable,
                format!("no safe line: {}; check the server's certificate and name", reason(error)),
            ),
            Error::Configuration(_) => Self::new(FaultKind::Refused, format!("the address is not understood: {}", reason(error))),
            Error::PoolTimedOut => Self::timed_out(),
            // The driver cannot even describe a multirange.
            _ if error.to_string().contains("unknown type code") => Self::new(
                FaultKind::Refused,
                "a column is of a kind that is not known here, such as a multirange; say `column::text` in the statement",
            ),
            _ => Self::new(FaultKind::Malformed, format!("an answer that is not understood: {}", reason(error))),
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

/// The innermost cause says most.
fn reason(error: &Error) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

fn from_database(error: &dyn DatabaseError) -> Fault {
    let (kind, hint) = match error.try_downcast_ref::<PgDatabaseError>() {
        Some(postgres) if postgres.code() == "57014" && postgres.message().contains("user request") => {
            (FaultKind::Busy, "someone at the server has stopped it")
        }
        Some(postgres) if postgres.code() == "28000" && postgres.message().contains("no encryption") => {
            (FaultKind::Denied, "the server wants TLS: take `sslmode=disable` out of the address")
        }
        Some(postgres) => by_sqlstate(postgres.code()),
        None => by_result_code(error.code().and_then(|code| code.parse().ok()).unwrap_or(0)),
    };
    let said = match hint {
        "" => error.message().to_owned(),
        hint => format!("{}; {hint}", error.message()),
    };
    let is_mixed_up = error.code().is_some_and(|code| matches!(&*code, "42P05" | "26000"));
    Fault { kind, said, is_verdict: true, is_mixed_up }
}

/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn by_sqlstate(code: &str) -> (FaultKind, &'static str) {
    match code {
        "42501" => (FaultKind::Denied, "the role needs a grant for it"),
        "57014" => (FaultKind::TimedOut, ""),
        "25006" => (FaultKind::Refused, "a read may not write, and nobody by a role or on a server that only reads"),
        "25P03" => (FaultKind::Lost, "the server waited too long for this machine"),
        "3D000" => (FaultKind::Refused, "check the database's name in the address"),
        "42P01" | "42703" => (FaultKind::Refused, "check the name against the database's schema"),
        "26000" => (FaultKind::Busy, "the schema changed in between"),
        "42P05" => (FaultKind::Busy, "a pooler mixes two programs' statements"),
        "55P03" => (FaultKind::Busy, "someone else holds the row or the table locked"),
        code if code.starts_with("57P") => {
            (FaultKind::Lost, "the server is going down, or someone there has ended this connection")
        }
        code => match code.get(..2) {
            Some("28") => (FaultKind::Denied, "check the user and the password in the address"),
            Some("08") => (FaultKind::Lost, ""),
            Some("40") => (FaultKind::Busy, "someone else was quicker"),
            Some("53") => (FaultKind::Busy, "the server is short of connections or space"),
            _ => (FaultKind::Refused, ""),
        },
    }
}

/// <https://www.sqlite.org/rescode.html>: the low byte is the primary code.
fn by_result_code(code: i32) -> (FaultKind, &'static str) {
    match code & 0xff {
        3 | 23 => (FaultKind::Denied, ""),
        5 | 6 => (FaultKind::Busy, "someone else is writing"),
        8 => (FaultKind::Refused, "a read may not write, and nobody into a file that is read-only"),
        10 => (FaultKind::Refused, "see to the disk that the file is on"),
        13 => (FaultKind::Busy, "free some space where the file is"),
        9 => (FaultKind::TimedOut, "the statement takes too long"),
        11 | 26 => (FaultKind::Malformed, "the file is damaged or no database: put a backup in its place"),
        14 => (FaultKind::Unreachable, "is the file there, and may you open it?"),
        _ => (FaultKind::Refused, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_by_what_can_be_done() {
        for (code, kind) in [
            ("28P01", FaultKind::Denied),
            ("42501", FaultKind::Denied),
            ("42601", FaultKind::Refused),
            ("23505", FaultKind::Refused),
            ("40001", FaultKind::Busy),
            ("40P01", FaultKind::Busy),
            ("55P03", FaultKind::Busy),
            ("53300", FaultKind::Busy),
            ("57014", FaultKind::TimedOut),
            ("57P01", FaultKind::Lost),
            ("08006", FaultKind::Lost),
        ] {
            assert_eq!(by_sqlstate(code).0, kind, "{code}");
        }
        for (code, kind) in [
            (5, FaultKind::Busy),
            (517, FaultKind::Busy),
            (1555, FaultKind::Refused),
            (9, FaultKind::TimedOut),
            (13, FaultKind::Busy),
        ] {
            assert_eq!(by_result_code(code).0, kind, "{code}");
        }
    }

    #[test]
    fn a_refused_connection_is_nobody_answering() {
        let error = Error::Io(io::Error::from(io::ErrorKind::ConnectionRefused));
        let fault = Fault::connecting(&error);
        assert_eq!(fault.kind, FaultKind::Unreachable);
        assert!(fault.said.contains("connection refused"), "{}", fault.said);
    }
}
