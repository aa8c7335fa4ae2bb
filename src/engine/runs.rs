//! What a run that the operator started has changed: a job's figures before it and after it.

use chrono::{DateTime, Utc};

use super::watcher::Watcher;
use crate::{
    domain::{
        journal::Entry,
        plan::{ActionId, Receipt, Standing},
        snapshot::Subject,
        text::Text,
        value::Value,
    },
    engine::message::Event,
};

type Figures = Vec<(String, Value)>;

/// Runs whose figures after the run are still to be read.
#[derive(Debug, Default)]
pub struct Runs(Vec<Run>);

#[derive(Debug)]
struct Run {
    job: usize,
    plan: ActionId,
    before: Figures,
    done: Option<DateTime<Utc>>,
}

impl Runs {
    /// Follows an act that runs a job. `figures` are those last read.
    fn told(&mut self, job: usize, receipt: &Receipt, figures: &Figures, now: DateTime<Utc>) {
        let known = self.0.iter().position(|run| run.plan == receipt.plan);
        match receipt.standing {
            Standing::Held | Standing::Waiting | Standing::UnderWay | Standing::Unknown => {
                if known.is_none() {
                    self.0.push(Run { job, plan: receipt.plan.clone(), before: figures.clone(), done: None });
                }
            }
            Standing::Done => match known.and_then(|at| self.0.get_mut(at)) {
                Some(run) => run.done = Some(now),
                None => self.0.push(Run { job, plan: receipt.plan.clone(), before: figures.clone(), done: Some(now) }),
            },
            Standing::TakenBack
            | Standing::Refused
            | Standing::Rejected
            | Standing::Unproven
            | Standing::Changed
            | Standing::NotSent => {
                self.0.retain(|run| run.plan != receipt.plan);
            }
        }
    }

    /// The change, once figures are there that were asked for after the run.
    fn looked(&mut self, job: usize, asked: DateTime<Utc>, after: &Figures) -> Option<String> {
        let at = self.0.iter().position(|run| run.job == job && run.done.is_some_and(|done| done <= asked))?;
        let before = self.0.swap_remove(at).before;
        let changes = after.iter().filter_map(|(name, after)| {
            let (_, before) = before.iter().find(|(known, _)| known == name)?;
            Some(format!("{name} {} -> {}", before.original(), after.original()))
        });
        Some(changes.collect::<Vec<_>>().join(", ")).filter(|said| !said.is_empty())
    }
}

impl Watcher {
    pub(super) fn run_told(&mut self, job: usize, receipt: &Receipt) {
        let figures = self.figures(job);
        let now = self.ground.clock.now();
        self.runs.told(job, receipt, &figures, now);
    }

    /// Writes down what a run changed, when a look asked for after it is there.
    pub(super) async fn run_looked(&mut self, job: usize, asked: DateTime<Utc>) {
        let figures = self.figures(job);
        let Some(changes) = self.runs.looked(job, asked, &figures) else { return };
        let (id, title) = (self.ground.pack.jobs[job].id.clone(), &self.ground.pack.jobs[job].title);
        let said = format!("{title}: {changes}");
        let payload = serde_json::json!({ "subject": Subject::Job(id).name() });
        let entry = Entry::by_system(self.ground.clock.now(), "RESULT", said.clone()).payload(payload);
        let event = match self.ground.record.append(&entry).await {
            Ok(_) => Event::Notice { said: Text::new(said), is_error: false },
            Err(error) => Event::Notice { said: Text::new(error.to_string()), is_error: true },
        };
        self.journal_changed();
        self.tell(event);
    }

    fn figures(&self, job: usize) -> Figures {
        let report = self.board.jobs.get(job);
        report.and_then(|report| report.look.value.as_ref()).map(|health| health.effect.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn figures(ran_out: i64) -> Figures {
        vec![("ran_out".to_owned(), Value::Integer(ran_out))]
    }

    #[test]
    fn only_figures_asked_for_after_the_run_tell_what_it_changed() {
        let done = DateTime::<Utc>::UNIX_EPOCH;
        let plan = ActionId("a1".into());
        let mut runs = Runs(vec![Run { job: 0, plan, before: figures(2), done: Some(done) }]);
        assert_eq!(runs.looked(0, done - TimeDelta::seconds(1), &figures(2)), None, "asked before the run was through");
        assert_eq!(runs.looked(1, done, &figures(0)), None, "another job");
        assert_eq!(runs.looked(0, done, &figures(0)).as_deref(), Some("ran_out 2 -> 0"));
        assert_eq!(runs.looked(0, done, &figures(0)), None, "told once");
    }
}
