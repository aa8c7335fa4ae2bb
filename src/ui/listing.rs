//! The rows of each pane, in order, as things; a queue's items are the one list that is never walked.

use super::{
    model::Model,
    place::{Pane, Thing},
};
use crate::domain::{pack::Class, severity::Severity};

impl Model {
    /// The rows of a pane (not of a queue being worked).
    pub fn things(&self, pane: Pane) -> Vec<Thing> {
        let wanted = self.filters.get(&pane).map(|text| text.to_lowercase()).filter(|text| !text.is_empty());
        let keep = |title: &str| wanted.as_ref().is_none_or(|wanted| title.to_lowercase().contains(wanted));
        if pane == Pane::Playbooks {
            let kept = self.pack.playbooks.iter().filter(|playbook| keep(&playbook.title));
            return kept.map(|playbook| Thing::Playbook(playbook.id.clone())).collect();
        }
        let Some(snapshot) = &self.snapshot else { return Vec::new() };
        match pane {
            Pane::Alerts => self.alert_things(wanted.is_some(), &keep),
            Pane::Queues => {
                let kept = snapshot.queues.iter().filter(|queue| keep(&queue.title));
                kept.map(|queue| Thing::Queue(queue.id.clone())).collect()
            }
            Pane::Jobs => snapshot.jobs.iter().filter(|job| keep(&job.title)).map(|job| Thing::Job(job.id.clone())).collect(),
            Pane::Reconciliation => self.statement_things(&keep),
            Pane::Flags => {
                snapshot.flags.iter().filter(|flag| keep(&flag.title)).map(|flag| Thing::Flag(flag.id.clone())).collect()
            }
            Pane::Metrics => {
                let kept = snapshot.metrics.iter().filter(|metric| keep(&metric.title));
                kept.map(|metric| Thing::Metric(metric.id.clone())).collect()
            }
            Pane::Journal => {
                let lines = snapshot.journal.iter().chain(&self.older);
                let kept = lines.filter(|line| keep(line.said.shown()) || keep(&line.word) || keep(&line.who));
                kept.map(|line| Thing::Line(line.sequence)).collect()
            }
            Pane::Playbooks => Vec::new(),
        }
    }

    /// What is not well, one row each; what is well in one row, unless it is asked for.
    fn alert_things(&self, is_filtered: bool, keep: &dyn Fn(&str) -> bool) -> Vec<Thing> {
        let Some(snapshot) = &self.snapshot else { return Vec::new() };
        let is_well = |severity| severity == Severity::Green;
        let shown = snapshot.alerts.iter().filter(|alert| keep(&alert.title));
        let (well, wrong): (Vec<_>, Vec<_>) = shown.partition(|alert| is_well(self.severity(alert)));
        let mut things: Vec<Thing> = wrong.iter().map(|alert| Thing::Alert(alert.subject.clone())).collect();
        if self.shows_healthy || is_filtered {
            things.extend(well.iter().map(|alert| Thing::Alert(alert.subject.clone())));
        } else if !well.is_empty() {
            things.push(Thing::Healthy);
        }
        things
    }

    /// Each reconciliation, and under it what does not match.
    fn statement_things(&self, keep: &dyn Fn(&str) -> bool) -> Vec<Thing> {
        let Some(snapshot) = &self.snapshot else { return Vec::new() };
        let mut things = Vec::new();
        for report in &snapshot.reconciliations {
            if keep(&report.title) {
                things.push(Thing::Statement(report.id.clone()));
            }
            let discrepancies = report.look.value.iter().flat_map(|statement| &statement.discrepancies);
            let unmatched =
                discrepancies.filter(|discrepancy| discrepancy.class != Class::Matched && keep(discrepancy.said.shown()));
            things.extend(unmatched.map(|discrepancy| Thing::Discrepancy(report.id.clone(), discrepancy.key.clone())));
        }
        things
    }
}
