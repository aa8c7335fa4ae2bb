//! What happened since the operator was last here, in a line.

use chrono::{DateTime, Utc};

use crate::domain::{
    severity::Severity,
    snapshot::{Digest, Flip, Snapshot},
};

/// Counts flips by their end, not by their number: a check that went red and back is no red. `before` is the picture at
/// the end of the last visit, `now` the one of this moment.
pub fn digest(last_visit: Option<DateTime<Utc>>, flips: &[Flip], before: Option<&Snapshot>, now: &Snapshot) -> Digest {
    let mut lines = Vec::new();
    if last_visit.is_some() {
        for severity in [Severity::Red, Severity::Yellow] {
            let (came, went) = moved(flips, severity);
            if came > 0 {
                lines.push(format!("+{came} {}", severity.word()));
            }
            if went > 0 {
                lines.push(format!("-{went} {}", severity.word()));
            }
        }
        lines.extend(queue_changes(before, now));
    }
    let open = now.flags.iter().filter(|flag| flag.flip.is_some()).count();
    match open {
        0 => {}
        1 => lines.push("1 flag still flipped".to_owned()),
        _ => lines.push(format!("{open} flags still flipped")),
    }
    Digest { last_visit, lines }
}

/// How many subjects came to, and how many left, a severity between the first and the last flip.
fn moved(flips: &[Flip], severity: Severity) -> (usize, usize) {
    let mut ends: Vec<(&Flip, &Flip)> = Vec::new();
    for flip in flips {
        match ends.iter_mut().find(|(first, _)| first.subject == flip.subject) {
            Some(pair) => pair.1 = flip,
            None => ends.push((flip, flip)),
        }
    }
    let came = ends.iter().filter(|(first, last)| first.from != severity && last.to == severity).count();
    let went = ends.iter().filter(|(first, last)| first.from == severity && last.to != severity).count();
    (came, went)
}

fn queue_changes(before: Option<&Snapshot>, now: &Snapshot) -> Vec<String> {
    let mut lines = Vec::new();
    for queue in &now.queues {
        let earlier = before.and_then(|before| before.queues.iter().find(|earlier| earlier.id == queue.id));
        let (Some(earlier), Some(items)) = (earlier.and_then(|earlier| earlier.look.value.as_ref()), &queue.look.value) else {
            continue;
        };
        let (earlier, items) = (earlier.items.len(), items.items.len());
        if items > earlier {
            lines.push(format!("+{} {}", items - earlier, queue.title));
        } else if earlier > items {
            lines.push(format!("-{} {}", earlier - items, queue.title));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{id::Id, snapshot::Subject, text::Text};

    fn flip(name: &str, from: Severity, to: Severity) -> Flip {
        Flip { subject: Subject::Check(Id::new(name)), at: DateTime::UNIX_EPOCH, from, to, said: Text::default() }
    }

    #[test]
    fn a_check_that_went_red_and_back_is_no_red() {
        use Severity::{Green, Red, Yellow};
        let flips =
            [flip("a", Green, Red), flip("b", Green, Red), flip("a", Red, Green), flip("c", Yellow, Red), flip("d", Red, Yellow)];
        assert_eq!(moved(&flips, Red), (2, 1));
        assert_eq!(moved(&flips, Yellow), (1, 1));
    }
}
