//! Faults of the town's stand-ins: `stripe=500`, `site:/api/health=timeout:3`, switched while it runs.

use std::{fmt, str::FromStr, sync::Arc, time::Duration};

use tokio::sync::watch;

use super::error::Error;

/// `TARGET[:PATH]=KIND[:COUNT]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub target: Target,
    /// Only requests whose path begins so.
    pub path: Option<String>,
    pub kind: FaultKind,
    /// Gone after so many requests.
    pub count: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Stripe,
    Site,
    Vercel,
    Webhook,
    Database,
    Mail,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// 500, after the request has reached the service.
    Failing,
    /// 502 with a proxy's HTML: the service was never reached.
    BadGateway,
    TooMany,
    /// Takes the request and never answers; nothing is done. For the database: locked.
    Timeout,
    /// Does what was asked, and closes without an answer.
    Drop,
    /// Nobody listens. For mail: the directory is gone.
    Refuse,
    /// Does what was asked, and answers so much later.
    Slow(Duration),
    /// Reads are answered as they were when first asked after the fault began.
    Stale,
    /// No fault: takes away the one that stands.
    Clear,
}

const SLOW: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(2);

const TARGETS: [(&str, Target); 6] = [
    ("stripe", Target::Stripe),
    ("site", Target::Site),
    ("vercel", Target::Vercel),
    ("webhook", Target::Webhook),
    ("database", Target::Database),
    ("mail", Target::Mail),
];

const KINDS: [(&str, FaultKind); 9] = [
    ("500", FaultKind::Failing),
    ("502", FaultKind::BadGateway),
    ("429", FaultKind::TooMany),
    ("timeout", FaultKind::Timeout),
    ("drop", FaultKind::Drop),
    ("refuse", FaultKind::Refuse),
    ("slow", FaultKind::Slow(SLOW)),
    ("stale", FaultKind::Stale),
    ("none", FaultKind::Clear),
];

impl Fault {
    pub fn parse(text: &str) -> Result<Self, Error> {
        let wrong = |said: String| Error::Fault { source_text: text.to_owned(), said };
        let (place, what) = text.split_once('=').ok_or_else(|| wrong("write TARGET=KIND, as in `stripe=500`".to_owned()))?;
        let (name, path) = match place.split_once(':') {
            Some((name, path)) if path.starts_with('/') => (name, Some(path.to_owned())),
            Some(_) => return Err(wrong("a path begins with `/`".to_owned())),
            None => (place, None),
        };
        let (word, count) = match what.split_once(':') {
            Some((word, count)) => {
                let count = count.parse().ok().filter(|count| *count > 0);
                (word, Some(count.ok_or_else(|| wrong("the count is a number from 1".to_owned()))?))
            }
            None => (what, None),
        };
        let target = named(&TARGETS, name).map_err(|known| wrong(format!("the target is one of {known}")))?;
        let kind = named(&KINDS, word).map_err(|known| wrong(format!("the kind is one of {known}")))?;
        let fault = Self { target, path, kind, count };
        fault.check().map_err(|said| wrong(said.to_owned()))?;
        Ok(fault)
    }

    fn check(&self) -> Result<(), &'static str> {
        let plain = self.path.is_none() && self.count.is_none();
        match (self.target, self.kind) {
            (_, FaultKind::Clear) if self.count.is_none() => Ok(()),
            (_, FaultKind::Clear) => Err("`none` has no count"),
            (Target::Database, FaultKind::Timeout) | (Target::Mail, FaultKind::Refuse) if plain => Ok(()),
            (Target::Database, _) => Err("the database knows `timeout` only, for all of it"),
            (Target::Mail, _) => Err("mail knows `refuse` only, for all of it"),
            (_, FaultKind::Refuse) if !plain => Err("who refuses connections sees neither path nor count"),
            _ => Ok(()),
        }
    }

    fn fits(&self, target: Target, path: &str) -> bool {
        self.target == target && self.path.as_deref().is_none_or(|prefix| path.starts_with(prefix))
    }
}

fn named<Named: Copy>(table: &[(&str, Named)], word: &str) -> Result<Named, String> {
    table.iter().find(|(name, _)| *name == word).map(|(_, named)| *named).ok_or_else(|| {
        let known: Vec<&str> = table.iter().map(|(name, _)| *name).collect();
        known.join(", ")
    })
}

impl FromStr for Fault {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = TARGETS.iter().find(|(_, target)| *target == self.target).map_or("", |(name, _)| name);
        let kind = KINDS
            .iter()
            .find(|(_, kind)| std::mem::discriminant(kind) == std::mem::discriminant(&self.kind))
            .map_or("", |(name, _)| name);
        f.write_str(target)?;
        if let Some(path) = &self.path {
            write!(f, ":{path}")?;
        }
        write!(f, "={kind}")?;
        if let Some(count) = self.count {
            write!(f, ":{count}")?;
        }
        Ok(())
    }
}

/// The faults that stand now, shared by every stand-in, and which doors are open.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    standing: Arc<watch::Sender<Vec<Fault>>>,
    doors: Arc<watch::Sender<Vec<(Target, bool)>>>,
}

impl Faults {
    /// A fault takes the place of an earlier one of the same target and path.
    pub fn switch(&self, fault: &Fault) {
        self.standing.send_modify(|standing| {
            standing.retain(|other| other.target != fault.target || other.path != fault.path);
            if fault.kind != FaultKind::Clear {
                standing.push(fault.clone());
            }
        });
    }

    pub fn clear(&self) {
        self.standing.send_modify(Vec::clear);
    }

    pub fn standing(&self) -> Vec<Fault> {
        self.standing.borrow().clone()
    }

    pub fn changes(&self) -> watch::Receiver<Vec<Fault>> {
        self.standing.subscribe()
    }

    /// The fault that meets this request, counted.
    pub fn meet(&self, target: Target, path: &str) -> Option<FaultKind> {
        let mut met = None;
        self.standing.send_if_modified(|standing| {
            let Some(index) = standing.iter().position(|fault| fault.fits(target, path)) else { return false };
            let Some(fault) = standing.get_mut(index) else { return false };
            met = Some(fault.kind);
            match &mut fault.count {
                None => false,
                Some(1) => {
                    standing.remove(index);
                    true
                }
                Some(left) => {
                    *left -= 1;
                    true
                }
            }
        });
        met
    }

    /// Says whether a door is open.
    pub fn door(&self, target: Target, open: bool) {
        self.doors.send_modify(|doors| match doors.iter_mut().find(|(known, _)| *known == target) {
            Some(door) => door.1 = open,
            None => doors.push((target, open)),
        });
    }

    /// Waits until every door is as the faults want it, so that whoever switched one sees it at once.
    pub async fn settled(&self) {
        let mut doors = self.doors.subscribe();
        let as_wanted =
            doors.wait_for(|doors| doors.iter().all(|(target, open)| *open != self.stands(*target, FaultKind::Refuse)));
        // A port that another program has taken meanwhile stays shut.
        let _ = tokio::time::timeout(PATIENCE, as_wanted).await;
    }

    pub fn stands(&self, target: Target, kind: FaultKind) -> bool {
        self.standing.borrow().iter().any(|fault| fault.target == target && fault.kind == kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_reads_back_as_it_was_written() {
        for text in [
            "stripe=500",
            "site:/api/health=timeout:3",
            "webhook=502",
            "vercel=429:1",
            "database=timeout",
            "mail=refuse",
            "stripe=drop",
            "site=slow",
            "site=stale",
            "stripe=refuse",
            "stripe=none",
        ] {
            assert_eq!(Fault::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_fault_is_refused_with_what_fits() {
        for (text, said) in [
            ("stripe", "TARGET=KIND"),
            ("moon=500", "stripe, site, vercel"),
            ("stripe=501", "500, 502, 429"),
            ("stripe=500:0", "number from 1"),
            ("site:api=500", "begins with `/`"),
            ("database=500", "`timeout` only"),
            ("mail=timeout", "`refuse` only"),
            ("stripe=refuse:2", "neither path nor count"),
        ] {
            let error = Fault::parse(text).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn a_counted_fault_is_gone_after_its_count() {
        let faults = Faults::default();
        faults.switch(&Fault::parse("site:/a=500:2").unwrap());
        assert_eq!(faults.meet(Target::Site, "/b"), None);
        assert_eq!(faults.meet(Target::Site, "/a/1"), Some(FaultKind::Failing));
        assert_eq!(faults.meet(Target::Stripe, "/a"), None);
        assert_eq!(faults.meet(Target::Site, "/a"), Some(FaultKind::Failing));
        assert_eq!(faults.meet(Target::Site, "/a"), None);
    }
}
