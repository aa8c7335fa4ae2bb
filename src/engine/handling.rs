//! What the operator does without touching the outside: alerts, sign-offs, looking into the record.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt as _;
use sha2::{Digest as _, Sha256};

use super::{
    message::{Ask, Event, Handle},
    watcher::Watcher,
};
use crate::{
    domain::{
        archive::{Filed, Filing},
        id::Id,
        job::Times,
        journal::Entry,
        pack::Reconciliation,
        reconcile::Gist,
        snapshot::{Handling, SignOff, Statement, Subject},
        text::Text,
    },
    ports::Archive,
};

/// A sign-off whose statement is on its way into the archive.
pub(super) struct Signing {
    ask: Ask,
    /// Of which of the pack's reconciliations.
    index: usize,
    sign_off: SignOff,
    /// The statement, as the record keeps it.
    written: serde_json::Value,
    said: String,
    payload: serde_json::Value,
    filed: Result<Filed, String>,
}

async fn filed(archive: Arc<dyn Archive>, filing: Filing) -> Result<Filed, String> {
    let filed = tokio::task::spawn_blocking(move || archive.file(&filing)).await.map_err(|error| error.to_string())?;
    filed.map_err(|why| {
        format!("the statement could not be archived ({why}): nothing was signed; make room, or mend the directory")
    })
}

/// Lines and flips of a subject's history.
const HISTORY: usize = 100;
/// Journal lines asked for at once.
const PAGE: usize = 200;

impl Watcher {
    pub(super) async fn handle_alert(&mut self, subject: Subject, how: Handle) {
        let now = self.ground.clock.now();
        let mut handling = self.board.handling(&subject);
        let operator = self.ground.operator.clone();
        let name = subject.name();
        let (word, said) = match how {
            Handle::Acknowledge => {
                handling.acknowledged = Some((now, operator.clone()));
                ("ACK", format!("acknowledged {name}"))
            }
            Handle::Snooze(duration) => {
                let until = now + TimeDelta::from_std(duration).unwrap_or_default();
                handling.snoozed_until = Some(until);
                ("SNOOZE", format!("snoozed {name} until {}", self.local(until)))
            }
            Handle::Defer => {
                let Some(until) = self.next_session(now) else {
                    let said = Text::new("the pack names no next session: give it `policy.defer_to`, or snooze (z)");
                    self.tell(Event::Notice { said, is_error: true });
                    return;
                };
                handling.deferred_until = Some(until);
                ("DEFER", format!("deferred {name} to {}", self.local(until)))
            }
            Handle::Note(note) => {
                let said = format!("noted on {name}: {note}");
                handling.note = Some(Text::new(note));
                ("NOTE", said)
            }
            Handle::Reopen => {
                handling = Handling { note: handling.note.take(), ..Handling::default() };
                ("REOPEN", format!("reopened {name}"))
            }
        };
        let entry = Entry::new(now, operator, word, said.clone()).payload(serde_json::json!({ "subject": name }));
        match self.ground.record.save_handling(&subject, &handling, &entry).await {
            Ok(_) => {
                self.board.handle(subject, handling);
                self.tell(Event::Notice { said: Text::new(said), is_error: false });
            }
            Err(error) => self.tell(Event::Notice { said: Text::new(error.to_string()), is_error: true }),
        }
        self.journal_changed();
    }

    fn local(&self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.ground.pack.timezone).format("%a %-d %b %H:%M").to_string()
    }

    fn next_session(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let cron = self.ground.pack.policy.defer_to.as_deref()?;
        Times::of(cron, self.ground.pack.timezone)?.after(now)
    }

    /// Signs the statement as it was read; one with a failed look behind it, or that says something else by now, is not signed.
    /// Begins to sign: millions of rows take their time to be archived, and nothing waits for that.
    pub(super) fn sign_off(&mut self, ask: Ask, id: &Id<Reconciliation>, seen: &Gist, note: String) {
        match self.signing(ask, id, seen, note) {
            Ok((signing, filing)) => {
                let archive = Arc::clone(&self.ground.archive);
                let filed = filed(archive, filing);
                self.signings.push(async move { Signing { filed: filed.await, ..signing } }.boxed());
            }
            Err(why) => self.tell(Event::Answer { ask, said: Err(Text::new(why)) }),
        }
    }

    fn signing(&mut self, ask: Ask, id: &Id<Reconciliation>, seen: &Gist, note: String) -> Result<(Signing, Filing), String> {
        let now = self.ground.clock.now();
        let index = self.board.reconciliations.iter().position(|report| report.id == *id);
        let index = index.ok_or_else(|| format!("there is no reconciliation `{id}`"))?;
        let report = Arc::clone(&self.board.reconciliations[index]);
        let Some(statement) = report.look.fresh(now) else {
            return Err(format!("{}: the last look failed or is too old; refresh it (r) before signing", report.title));
        };
        if Gist::of(statement) != *seen {
            return Err(format!("{}: it changed while you read it, and nothing was signed; look again, then sign", report.title));
        }
        let written = serde_json::to_value(statement.as_ref()).map_err(|error| error.to_string())?;
        let hash = hex::encode(Sha256::digest(written.to_string()));
        let difference = statement.totals.iter().map(|totals| totals.difference).collect::<Vec<_>>();
        let open = statement.discrepancies.len() + statement.unlisted;
        let remark = if note.is_empty() { String::new() } else { format!(" ({note})") };
        let said = format!("signed off {}: {} matched, {open} open{remark}", report.title, statement.matched);
        let payload = serde_json::json!({
            "subject": Subject::Reconciliation(id.clone()).name(), "statement": hash, "from": statement.from, "to": statement.to,
        });
        let note = Text::new(note);
        let filing = self.filing(index, Arc::clone(statement), true, &note)?;
        let operator = self.ground.operator.clone();
        let sign_off = SignOff { at: now, operator, note, hash, difference };
        Ok((Signing { ask, index, sign_off, written, said, payload, filed: Err(String::new()) }, filing))
    }

    /// The statement is in the archive, or is not: only now, and only where it is, it is signed.
    pub(super) async fn signed(&mut self, signing: Signing) {
        let ask = signing.ask;
        let said = self.record_signing(signing).await.map_err(Text::new);
        self.journal_changed();
        self.tell(Event::Answer { ask, said });
    }

    async fn record_signing(&mut self, signing: Signing) -> Result<Text, String> {
        let Signing { index, sign_off, written, said, mut payload, filed, .. } = signing;
        let filed = filed?;
        payload["archive"] = filed.name.as_str().into();
        payload["files"] = serde_json::json!(filed.hashes);
        let entry = Entry::new(sign_off.at, sign_off.operator.clone(), "SIGNOFF", said.clone()).payload(payload);
        let (record, id) = (Arc::clone(&self.ground.record), self.ground.pack.reconciliations[index].id.clone());
        if let Err(error) = record.sign_off(&id, &sign_off, &written, &entry).await {
            // What the journal may have signed all the same stays; one that it does not know is told of as such.
            if record.last_sign_off(&id).await.is_ok_and(|stands| stands.as_ref() != Some(&sign_off)) {
                self.ground.archive.discard(&filed);
            }
            return Err(error.to_string());
        }
        self.board.set_sign_off(index, Some(sign_off));
        Ok(Text::new(said))
    }

    /// What goes into the archive. Without it nothing is signed.
    fn filing(&self, index: usize, statement: Arc<Statement>, signed: bool, note: &Text) -> Result<Filing, String> {
        let reconciliation = &self.ground.pack.reconciliations[index];
        let Some(evidence) = self.board.evidence(index) else {
            return Err(format!("{}: its rows are not at hand; refresh it (r) first", reconciliation.title));
        };
        Ok(Filing {
            business: (self.ground.pack.name.clone(), self.ground.pack.title.clone()),
            reconciliation: reconciliation.clone(),
            statement,
            evidence,
            by: self.ground.operator.clone(),
            at: self.ground.clock.now(),
            signed,
            note: note.clone(),
        })
    }

    /// Files a statement as it stands, unsigned, and notes that in the journal where this cockpit may write it.
    pub async fn file_statement(&mut self, id: &Id<Reconciliation>) -> Result<(Filed, Option<Text>), Text> {
        let index = self.board.reconciliations.iter().position(|report| report.id == *id);
        let index = index.ok_or_else(|| Text::new(format!("there is no reconciliation `{id}`")))?;
        let report = Arc::clone(&self.board.reconciliations[index]);
        let statement = report.look.value.as_ref().filter(|_| report.look.failure.is_none());
        let statement = statement.ok_or_else(|| Text::new(format!("{}: could not look", report.title)))?;
        let filing = self.filing(index, Arc::clone(statement), false, &Text::default()).map_err(Text::new)?;
        let filed = filed(Arc::clone(&self.ground.archive), filing).await.map_err(Text::new)?;
        let payload = serde_json::json!({
            "subject": Subject::Reconciliation(id.clone()).name(), "from": statement.from, "to": statement.to,
            "archive": filed.name, "files": filed.hashes,
        });
        let said = format!("archived {}: {}", report.title, filed.name);
        let entry = Entry::new(self.ground.clock.now(), self.ground.operator.clone(), "ARCHIVE", said).payload(payload);
        let noted = self.ground.record.append(&entry).await;
        Ok((filed, noted.err().map(|error| Text::new(error.to_string()))))
    }

    pub(super) async fn history(&mut self, ask: Ask, subject: &Subject) {
        let record = &self.ground.record;
        let flips = record.flips(subject, HISTORY).await;
        let lines = record.lines_about(subject, HISTORY).await;
        match (flips, lines) {
            (Ok(flips), Ok(lines)) => self.tell(Event::History { ask, flips, lines }),
            (Err(error), _) | (_, Err(error)) => {
                self.tell(Event::Notice { said: Text::new(error.to_string()), is_error: true });
            }
        }
    }

    pub(super) async fn journal_page(&mut self, ask: Ask, before: Option<u64>, contains: &str) {
        match self.ground.record.journal_page(before, contains, PAGE).await {
            Ok(lines) => self.tell(Event::Journal { ask, lines }),
            Err(error) => self.tell(Event::Notice { said: Text::new(error.to_string()), is_error: true }),
        }
    }
}
