//! Firestore over REST: documents become rows, acts are one commit with preconditions. No document is ever deleted or replaced.

mod api;
mod cell;
mod claims;
mod failure;
mod identity;
mod look;
mod query;
mod token;
mod write;

use std::{sync::OnceLock, time::Duration};

use async_trait::async_trait;
use reqwest::Url;

use self::{
    api::{Access, Api},
    claims::{Contest, Register},
    token::Tokens,
    write::Write,
};
use super::{
    environment::Found as Secret,
    scrub::Scrubber,
    transport::{Transport, base_address},
    wrong_order, wrong_query,
};
use crate::{
    domain::{
        claim::{Claim, Claims, Ending},
        identity::Identity,
        pack::{FirestoreRead, Query, Read},
        plan::{ActionId, Order},
        rows::{Params, Rows},
        text::Text,
    },
    ports::{Claimed, Doer, Found, Judge, Mark, Outcome, Source, SourceError, Taker},
};

/// A database of documents.
#[derive(Debug)]
pub(super) struct FirestoreSystem {
    api: Api,
    marks: Option<String>,
    /// Set once the collection of marks has been found fit for claims.
    claimable: OnceLock<()>,
}

/// What a pack says of it, with its values found.
pub(super) struct Declared<'a> {
    pub(super) project: &'a str,
    pub(super) database: &'a str,
    /// A service account's key; without one, this machine's default credentials.
    pub(super) key: Option<&'a Secret>,
    pub(super) marks: Option<&'a str>,
    /// Host and port of an emulator, which then takes Google's place.
    pub(super) emulator: Option<&'a str>,
    pub(super) timeout: Duration,
}

impl FirestoreSystem {
    pub(super) fn open(name: &str, declared: &Declared<'_>) -> Result<Self, String> {
        Self::open_at(name, declared, api::GOOGLE, identity::PERMISSIONS)
    }

    fn open_at(name: &str, declared: &Declared<'_>, google: &str, permissions: &str) -> Result<Self, String> {
        let is_id = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:()".contains(&byte));
        if !is_id(declared.project) {
            return Err(format!("`{}` is not the id of a project", Text::new(declared.project).one_line()));
        }
        let scrub = declared.key.map_or_else(Scrubber::default, |key| api::hidden(key.expose()));
        let (base, access) = match (declared.emulator, declared.key) {
            // No token leaves for an emulator, whoever it is.
            (Some(host), _) => {
                let host = host.trim_start_matches("http://").trim_end_matches('/');
                let base = base_address(&format!("http://{host}/")).map_err(|why| format!("FIRESTORE_EMULATOR_HOST: {why}"))?;
                (base, Access::Emulator(host.to_owned()))
            }
            (None, Some(key)) => (base_address(google)?, Access::Google(Tokens::of_key(&key.value, declared.timeout)?)),
            (None, None) => (base_address(google)?, Access::Google(Tokens::of_machine(declared.timeout))),
        };
        let permissions: Url = base_address(permissions)?;
        let transport = Transport::open(name, declared.timeout, scrub)?;
        let (project, database) = (declared.project.to_owned(), declared.database.to_owned());
        let api = Api { transport, base, permissions, project, database, access };
        Ok(Self { api, marks: declared.marks.map(str::to_owned), claimable: OnceLock::new() })
    }

    async fn within<T>(&self, work: impl Future<Output = Result<T, SourceError>>) -> Result<T, SourceError> {
        let limit = self.api.transport.timeout;
        tokio::time::timeout(limit, work).await.unwrap_or(Err(SourceError::TimedOut(limit)))
    }

    fn documents<'q>(&self, query: &'q Query) -> Result<&'q FirestoreRead, SourceError> {
        match &query.read {
            Read::Firestore(read) => Ok(read),
            Read::Sql(_) | Read::Stripe(_) | Read::Http(_) | Read::Command(_) => {
                Err(wrong_query(&self.api.transport.name, "firestore"))
            }
        }
    }

    /// What keeps acts from being claimed in the collection of marks, if anything does.
    async fn unclaimable(&self, register: Register<'_>) -> Result<Option<String>, SourceError> {
        if self.claimable.get().is_some() {
            return Ok(None);
        }
        let unfit = self.within(register.unfit()).await?;
        if unfit.is_none() {
            self.claimable.get_or_init(|| ());
        }
        Ok(unfit)
    }

    /// The collection of marks, where there is one.
    fn register(&self) -> Option<Register<'_>> {
        self.marks.as_deref().map(|marks| Register { api: &self.api, marks })
    }

    /// The same, where acts can be claimed in it.
    async fn claimable(&self) -> Result<Option<Register<'_>>, SourceError> {
        let Some(register) = self.register() else { return Ok(None) };
        Ok(self.unclaimable(register).await?.is_none().then_some(register))
    }

    fn write<'w>(&'w self, order: &'w Order, mark: &'w Mark) -> Option<Write<'w>> {
        let Order::Firestore { document, changes, when, .. } = order else { return None };
        Some(Write { document, changes, when: *when, mark, marks: self.marks.as_deref() })
    }
}

#[async_trait]
impl Source for FirestoreSystem {
    fn looks_at_once(&self) -> usize {
        3
    }

    async fn read(&self, query: &Query, params: &Params) -> Result<Rows, SourceError> {
        let read = self.documents(query)?;
        self.within(look::read(&self.api, read, params)).await
    }

    async fn stream(&self, query: &Query, params: &Params, taker: &mut dyn Taker) -> Result<Vec<String>, SourceError> {
        let read = self.documents(query)?;
        if read.is_list() {
            return look::stream(&self.api, read, params, self.api.transport.timeout, taker).await;
        }
        let rows = self.read(query, params).await?;
        taker.take(rows).map(|()| Vec::new()).map_err(|why| SourceError::Refused(Text::new(why)))
    }

    /// Its columns are the pack's own; whether an index is missing shows at the first look.
    async fn prepare(&self, query: &Query) -> Result<Option<Vec<String>>, SourceError> {
        self.documents(query).map(|read| Some(read.names()))
    }

    async fn identify(&self) -> Result<Identity, SourceError> {
        self.within(identity::identify(&self.api, self.marks.as_deref())).await
    }

    async fn inspect(&self) -> Result<Vec<Text>, SourceError> {
        let mut said = self.within(async { Ok(identity::inspect(&self.api).await) }).await?;
        if let Some(register) = self.register() {
            // Who does not answer is told by the looks.
            let unfit = self.unclaimable(register).await.ok().flatten();
            said.extend(unfit.map(|why| self.api.transport.text(why)));
        }
        Ok(said)
    }
}

#[async_trait]
impl Doer for FirestoreSystem {
    async fn act(&self, order: &Order, mark: &Mark) -> Outcome {
        match self.write(order, mark) {
            Some(write) => write::send(&self.api, &write).await,
            None => wrong_order(&self.api.transport.name, "firestore"),
        }
    }

    async fn look_up(&self, order: &Order, mark: &Mark) -> Found {
        let Some(write) = self.write(order, mark) else {
            return Found::CannotTell(Text::new(format!("{}: not an order for Firestore", self.api.transport.name)));
        };
        let limit = self.api.transport.timeout;
        tokio::time::timeout(limit, write::look_up(&self.api, &write)).await.unwrap_or_else(|_| {
            Found::CannotTell(self.api.transport.text(format_args!("{}: {}", write.document, SourceError::TimedOut(limit))))
        })
    }

    async fn claims(&self, targets: &[String]) -> Result<Option<Claims>, SourceError> {
        let Some(register) = self.claimable().await? else { return Ok(None) };
        self.within(register.claims(targets)).await.map(Some)
    }

    async fn claim(&self, claim: &Claim, settled: &[(ActionId, Ending)], judge: &mut dyn Judge) -> Claimed {
        let Some(register) = self.register() else { return Claimed::NotKept };
        Contest { system: self, register, claim, settled, judge }.run().await
    }

    async fn release(&self, act: &ActionId, journal: &str, ending: Ending) -> Result<(), SourceError> {
        let Some(register) = self.register() else { return Ok(()) };
        self.within(register.release(act, journal, ending)).await
    }

    async fn open_claims(&self, journal: &str) -> Result<Vec<ActionId>, SourceError> {
        let Some(register) = self.claimable().await? else { return Ok(Vec::new()) };
        self.within(register.open(journal)).await
    }
}

#[cfg(test)]
mod tests;
