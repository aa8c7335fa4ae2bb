//! A picture of which not everything was looked at yet, filled from the one before.

use std::sync::Arc;

use super::{Look, Snapshot};

impl Snapshot {
    /// What was not looked at yet is as an earlier picture has it, with its own age: what was read then, and nothing of
    /// what was done.
    pub fn fill_from(&mut self, before: &Self) {
        fn fill<T>(now: &mut [Arc<T>], before: &[Arc<T>], is_unread: impl Fn(&T) -> bool, is_same: impl Fn(&T, &T) -> bool) {
            for one in now.iter_mut().filter(|one| is_unread(one)) {
                if let Some(earlier) = before.iter().find(|earlier| is_same(earlier, one)) {
                    *one = Arc::clone(earlier);
                }
            }
        }
        fn is_unread<T>(look: &Look<T>) -> bool {
            look.value.is_none() && look.failure.is_none()
        }
        fill(
            &mut self.alerts,
            &before.alerts,
            |alert| alert.looked_at.is_none() && alert.failure.is_none(),
            |a, b| a.subject == b.subject,
        );
        fill(&mut self.queues, &before.queues, |queue| is_unread(&queue.look), |a, b| a.id == b.id);
        fill(&mut self.jobs, &before.jobs, |job| is_unread(&job.look), |a, b| a.id == b.id);
        fill(&mut self.reconciliations, &before.reconciliations, |report| is_unread(&report.look), |a, b| a.id == b.id);
        fill(&mut self.flags, &before.flags, |flag| is_unread(&flag.look), |a, b| a.id == b.id);
        fill(&mut self.metrics, &before.metrics, |metric| is_unread(&metric.look), |a, b| a.id == b.id);
    }
}
