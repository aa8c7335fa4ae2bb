//! The start and the end: what an earlier run left is settled before anything else; an orderly end leaves nothing open
//! that could be closed. Unlocking after a journal that failed is a start as well.

use std::{mem, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};

use super::{
    Reply,
    account::needs_account,
    driver::{Driver, Mode},
};

use crate::{
    domain::{
        age,
        journal::{Entry, Event},
        plan::Receipt,
        planning,
        text::Text,
    },
    engine::message,
};

/// What is under way when the program ends has so long; a lost terminal is given up soon after.
const LAST_CALL: Duration = Duration::from_secs(20);

impl Driver {
    /// At once; at a start that found nothing to settle, as soon as that is over: nobody has to ask twice for it.
    pub(super) async fn asked_to_unlock(&mut self, reply: Reply<DateTime<Utc>>) {
        if matches!(&self.mode, Mode::Recovering { acts, .. } if acts.is_empty()) && self.broken.is_none() {
            self.unlocks.push(reply);
            return;
        }
        drop(reply.send(self.unlock().await));
    }

    pub(super) async fn unlock(&mut self) -> Result<DateTime<Utc>, Text> {
        if let Some(barrier) = &self.setup.barrier {
            return Err(barrier.why().clone());
        }
        if let Some(why) = self.account.another() {
            return Err(Text::new(format!("nothing is written in this session: {}", why.original())));
        }
        if matches!(self.mode, Mode::Stopping(_)) {
            return Err(Text::new("it is stopping"));
        }
        if matches!(self.mode, Mode::Recovering { .. }) && self.broken.is_none() {
            return Err(Text::new("what an earlier run left is being settled first: nothing is unlocked"));
        }
        if self.broken.is_some() && !self.flights.is_empty() {
            return Err(Text::new("an effect is still on its way: try again when it has answered"));
        }
        let now = self.now();
        let was_broken = self.broken.take().is_some();
        let entry = Entry::new(
            now,
            self.setup.operator.clone(),
            "UNLOCK",
            format!("writing unlocked for {}", age::span(self.lock.open_for())),
        );
        self.record(&entry).await;
        if let Some(why) = self.broken.clone() {
            return Err(why);
        }
        if was_broken {
            // Memory may be behind the disk: what was under way is taken from there and settled.
            self.running.clear();
            self.mode = Mode::NotRecovered;
            if let Err(why) = self.begin_recovery().await {
                self.broken = Some(why.clone());
                return Err(why);
            }
        }
        let until = self.lock.open(now);
        (self.setup.tell)(message::Event::Lock { until: Some(until), why: None });
        Ok(until)
    }

    pub(super) async fn close_lock(&mut self, word: &str, said: &str) -> Result<(), Text> {
        if self.lock.until().is_some() {
            self.lock.close();
            let entry = Entry::new(self.now(), self.setup.operator.clone(), word, said);
            self.record(&entry).await;
        }
        (self.setup.tell)(message::Event::Lock { until: None, why: None });
        Ok(())
    }

    pub(super) async fn recover(&mut self, reply: Reply<Vec<Receipt>>) {
        let is_first = matches!(self.mode, Mode::NotRecovered);
        if self.setup.barrier.is_some() || !is_first {
            if is_first {
                self.mode = Mode::Ready;
            }
            return drop(reply.send(Ok(Vec::new())));
        }
        if let Err(why) = self.begin_recovery().await {
            return drop(reply.send(Err(why)));
        }
        if let Mode::Recovering { reply: waiting, .. } = &mut self.mode {
            *waiting = Some(reply);
        }
    }

    async fn begin_recovery(&mut self) -> Result<(), Text> {
        let journal = Arc::clone(&self.setup.journal);
        let mut open = match journal.open_acts().await {
            Ok(open) => open,
            Err(error) => {
                let said = Text::new(error.to_string());
                (self.setup.tell)(message::Event::Notice { said: said.clone(), is_error: true });
                return Err(said);
            }
        };
        let strangers = open.extract_if(.., |act| !planning::belongs(&act.plan, &self.setting())).count();
        if strangers > 0 {
            let said = format!("{strangers} open acts were made under another account or mode and are left for it to settle");
            (self.setup.tell)(message::Event::Notice { said: Text::new(said), is_error: true });
        }
        if let Err(error) = self.list_findings(&open).await {
            let said = Text::new(error.to_string());
            (self.setup.tell)(message::Event::Notice { said: said.clone(), is_error: true });
            return Err(said);
        }
        if let Some(why) = self.account.another().cloned() {
            // It is the right key's to settle; what there is of it is told all the same.
            let now = self.now();
            if let Some(findings) = &mut self.findings {
                findings.end(now, Some(&why));
            }
            return Err(why);
        }
        let acts: Vec<_> = open.iter().map(|act| act.plan.id.clone()).collect();
        self.mode = Mode::Recovering { acts: acts.clone(), reply: None };
        for act in open {
            self.adopt(act);
        }
        self.account.unsettled = acts;
        if !self.account.is_asked() {
            let is_own = self.account.is_own();
            self.settle_waiting(|act| is_own || !needs_account(act)).await;
        }
        self.sweep_at = Some(self.now());
        self.sweep().await;
        Ok(())
    }

    /// Answers once everything found has been looked up and nothing is on its way.
    pub(super) async fn report_recovery(&mut self) {
        let waits = self.account.is_asked() && !self.account.unsettled.is_empty();
        if waits || !self.flights.is_empty() || !matches!(self.mode, Mode::Recovering { .. }) {
            return;
        }
        let Mode::Recovering { acts, reply } = mem::replace(&mut self.mode, Mode::Ready) else { return };
        let now = self.now();
        if let Some(findings) = &mut self.findings {
            findings.end(now, self.account.another());
        }
        if let Some(why) = self.account.another().cloned() {
            if let Some(reply) = reply {
                drop(reply.send(Err(why)));
            }
            self.answer_unlocks().await;
            return;
        }
        let may_write = self.broken.is_none() && self.setup.barrier.is_none();
        let known = || self.running.iter().map(|running| &running.act).chain(&self.ended);
        let receipts: Vec<_> =
            acts.iter().filter_map(|id| known().find(|act| act.plan.id == *id)).map(|act| self.receipt(act, now)).collect();
        (self.setup.tell)(message::Event::Recovered(receipts.clone()));
        if may_write {
            self.close_cut_batches().await;
        }
        if let Some(reply) = reply {
            drop(reply.send(Ok(receipts)));
        }
        self.answer_unlocks().await;
    }

    async fn answer_unlocks(&mut self) {
        let waiting = mem::take(&mut self.unlocks);
        if waiting.is_empty() {
            return;
        }
        let unlocked = self.unlock().await;
        for reply in waiting {
            drop(reply.send(unlocked.clone()));
        }
    }

    /// Starts nothing more; what has not been sent is said to be so.
    pub(super) async fn stop(&mut self, reply: Option<Reply<()>>) {
        if let Mode::Stopping(waiting) = &mut self.mode {
            waiting.extend(reply);
            return;
        }
        self.mode = Mode::Stopping(reply.into_iter().collect());
        self.answer_unlocks().await;
        self.looks.clear();
        self.following.clear();
        for system in self.setup.connections.0.values() {
            system.wind_down(LAST_CALL);
        }
        let held: Vec<_> = self.intended().map(|act| act.plan.id.clone()).collect();
        for id in &held {
            if self.broken.is_none() {
                self.feed(id, Event::Recover).await;
            }
        }
    }
}
