//! How far looks that come in pages have come, put into the picture where their rows will stand.

use std::{collections::BTreeMap, sync::Arc};

use super::watch::Watch;
use crate::domain::{
    pack::Pack,
    snapshot::{Alert, FlagReport, JobReport, MetricReport, PagesSoFar, QueueReport},
    text::Text,
};

type Pages = BTreeMap<Watch, PagesSoFar>;

pub fn queues(reports: &[Arc<QueueReport>], pages: &Pages) -> Vec<Arc<QueueReport>> {
    told(reports, pages, Watch::Queue, |report, reading| report.look.reading = reading)
}

pub fn jobs(reports: &[Arc<JobReport>], pages: &Pages) -> Vec<Arc<JobReport>> {
    told(reports, pages, Watch::Job, |report, reading| report.look.reading = reading)
}

pub fn flags(reports: &[Arc<FlagReport>], pages: &Pages) -> Vec<Arc<FlagReport>> {
    told(reports, pages, Watch::Flag, |report, reading| report.look.reading = reading)
}

pub fn metrics(reports: &[Arc<MetricReport>], pages: &Pages) -> Vec<Arc<MetricReport>> {
    told(reports, pages, Watch::Metric, |report, reading| report.look.reading = reading)
}

/// A check that has never been read says how far it has come, in place of that nothing is known of it.
pub fn alerts(mut alerts: Vec<Arc<Alert>>, pages: &Pages, pack: &Pack) -> Vec<Arc<Alert>> {
    for (watch, so_far) in pages {
        let Some(subject) = watch.subject(pack) else { continue };
        let is_first = |alert: &&mut Arc<Alert>| alert.subject == subject && alert.looked_at.is_none() && alert.failure.is_none();
        if let Some(alert) = alerts.iter_mut().find(is_first) {
            Arc::make_mut(alert).detail = Text::new(format!("reading: {}", so_far.said()));
        }
    }
    alerts
}

fn told<R: Clone>(
    reports: &[Arc<R>],
    pages: &Pages,
    watch: impl Fn(usize) -> Watch,
    tell: impl Fn(&mut R, Option<PagesSoFar>),
) -> Vec<Arc<R>> {
    let told = |(index, report): (usize, &Arc<R>)| match pages.get(&watch(index)) {
        None => Arc::clone(report),
        Some(so_far) => {
            let mut report = R::clone(report);
            tell(&mut report, Some(*so_far));
            Arc::new(report)
        }
    };
    reports.iter().enumerate().map(told).collect()
}
