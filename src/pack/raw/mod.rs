//! A pack as it is written: what serde reads and what the editor's schema is made of. Nothing here is judged yet.

mod action;
mod command;
mod connection;
mod firestore;
mod flag;
mod head;
mod job;
mod ledger;
mod queue;
mod read;
mod service;
mod watch;

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer,
    de::{self, value::MapAccessDeserializer},
};

pub(super) use action::{
    RawAction, RawConfirm, RawEffect, RawEventEffect, RawFlagEffect, RawGuard, RawHttpEffect, RawInput, RawJobEffect,
    RawMailEffect, RawProof, RawProofEffect, RawSqlEffect, RawStripeEffect, RawUncollected, RawWebhookEffect, RawWithin,
};
pub(super) use command::{RawCommandEffect, RawCommandFormat, RawCommandRead, RawProgram};
pub(super) use connection::{
    RawConnection, RawHandler, RawHeader, RawHttp, RawMessageFormat, RawSmtp, RawSql, RawStripe, RawWebhook,
};
pub(super) use firestore::{RawCondition, RawFirestore, RawFirestoreEffect, RawFirestoreRead, RawTyped, RawWritten};
pub(super) use flag::RawFlag;
pub(super) use head::{RawHead, RawPlaybook, RawPolicy};
pub(super) use job::RawJob;
pub(super) use ledger::{RawLedger, RawReconciliation};
pub(super) use queue::{RawColumn, RawColumnFormat, RawQueue};
pub(super) use read::{RawExcept, RawHttpRead, RawRead, RawSqlRead, RawStripeList, RawStripeRead};
pub(super) use service::{
    RawNetlify, RawNetlifyEffect, RawNetlifyList, RawNetlifyRead, RawNetlifyRun, RawSentry, RawSentryList, RawSentryRead,
    RawStatuspage, RawStatuspageList, RawStatuspageRead, RawVercel, RawVercelEffect, RawVercelRead, RawVercelTarget,
};
pub(super) use watch::{RawBound, RawCheck, RawLimit, RawMetric, RawTarget};

/// A business declared for wheelhouse: what it is made of, what is watched, and what its operator can do.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "wheelhouse pack")]
#[expect(dead_code, reason = "read section by section, so that one mistake does not hide the next; whole only for the schema")]
pub(super) struct RawPack {
    pub pack: RawHead,
    /// The outside systems: `NAME.KIND = { ... }`.
    #[serde(default)]
    pub connections: BTreeMap<String, RawConnection>,
    /// What is judged green, yellow or red.
    #[serde(default)]
    pub checks: BTreeMap<String, RawCheck>,
    /// Pending work.
    #[serde(default)]
    pub queues: BTreeMap<String, RawQueue>,
    /// Scheduled tasks of the business.
    #[serde(default)]
    pub jobs: BTreeMap<String, RawJob>,
    /// Records of money, to be paired by a reconciliation.
    #[serde(default)]
    pub ledgers: BTreeMap<String, RawLedger>,
    /// Two ledgers paired row by row.
    #[serde(default)]
    pub reconciliations: BTreeMap<String, RawReconciliation>,
    /// Switches of the business.
    #[serde(default)]
    pub flags: BTreeMap<String, RawFlag>,
    /// Figures that are watched, not judged.
    #[serde(default)]
    pub metrics: BTreeMap<String, RawMetric>,
    /// What the operator can do.
    #[serde(default)]
    pub actions: BTreeMap<String, RawAction>,
    /// What to do when.
    #[serde(default)]
    pub playbooks: BTreeMap<String, RawPlaybook>,
    #[serde(default)]
    pub policy: RawPolicy,
}

/// One table, or a list of them.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(untagged)]
pub(super) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> de::Visitor<'de> for Either<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table or a list of tables")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(OneOrMany::One)
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(OneOrMany::Many(items))
            }
        }

        deserializer.deserialize_any(Either(PhantomData))
    }
}
