//! Which lists the key may read, asked one by one, against what the pack reads. Never a write: whether the key may do that
//! is found only by doing it.

use futures_util::future::join_all;
use stripe_client_core::{RequestStrategy, StripeRequest as _};

use super::{
    answer::Refusal,
    api::Api,
    client::{self, Reading},
};
use crate::domain::{
    pack::StripeList,
    rights::{Needs, Rights},
    text::Text,
};

/// What the answer to one list tells.
enum May {
    Read,
    /// With the right that is missing, where Stripe names it.
    Not(Option<String>),
    /// Nobody knows, and why.
    Unknown(String),
}

pub(super) async fn ask(api: &Api, needs: &Needs) -> Rights {
    let lists = StripeList::ALL.into_iter().filter(|list| list.is_stripes_own());
    let told = join_all(lists.map(|list| async move { (list, may_read(api, list).await) })).await;
    let words = |is_wanted: &dyn Fn(StripeList, &May) -> bool| {
        let wanted = told.iter().filter(|(list, may)| is_wanted(*list, may)).map(|(list, _)| list.word());
        wanted.collect::<Vec<_>>().join(" ")
    };
    let may = words(&|_, may| matches!(may, May::Read));
    let beyond = words(&|list, may| matches!(may, May::Read) && !needs.reads.contains(&list));
    let writes = needs.writes.iter().copied().collect::<Vec<_>>().join(" ");
    let writes = if writes.is_empty() { writes } else { format!("{writes} (only an act can try that)") };
    let facts = [("may read", may), ("not needed", beyond), ("needs to write", writes)];
    let lacks = told.iter().filter(|(list, _)| needs.reads.contains(list)).filter_map(|(list, may)| {
        let what = list.word();
        let said = match may {
            May::Read => return None,
            May::Not(Some(right)) => {
                format!("the pack reads {what}, and the key may not: give it {right} in Stripe's dashboard under API keys")
            }
            May::Not(None) => {
                format!("the pack reads {what}, and the key may not: see Stripe's dashboard under API keys")
            }
            May::Unknown(why) => format!("whether the key may read {what}, which the pack does, could not be asked: {why}"),
        };
        Some(api.transport.text(said))
    });
    let facts = facts.into_iter().filter(|(_, said)| !said.is_empty());
    Rights { lacks: lacks.collect(), facts: facts.map(|(label, said)| (label, Text::new(said))).collect() }
}

async fn may_read(api: &Api, list: StripeList) -> May {
    let one = vec![("limit".to_owned(), "1".to_owned())];
    let reading = Reading { path: format!("/{}", list.word()), query: one };
    match client::ask(api, reading.build(), RequestStrategy::Once).await {
        Ok(reply) if reply.is_success() => May::Read,
        Ok(reply) if reply.status == 403 => May::Not(Refusal::of(&reply).lacks()),
        Ok(reply) => May::Unknown(Refusal::of(&reply).said()),
        Err(failure) => May::Unknown(api.transport.unread(&failure).to_string()),
    }
}
