//! Which lists the key may read, asked one by one, against what the pack reads; and, where that is wanted, what it may write.
//!
//! A write is asked for something that cannot exist: Stripe refuses a key without the right before it looks for the object,
//! and answers any other that there is none. Never changes anything.

use futures_util::future::join_all;
use stripe_client_core::{IdempotencyKey, RequestStrategy, StripeMethod, StripeRequest as _};

use super::{
    answer::Refusal,
    api::Api,
    client::{self, Reading, Writing},
};
use crate::{
    adapters::transport::{NoReply, Reply},
    domain::{
        pack::StripeList,
        rights::{Asking, Needs, Rights, Written},
        text::Text,
    },
    ports::Ownership,
};

/// What one answer tells.
enum May {
    Yes,
    /// With the right that is missing, where Stripe names it.
    Not(Option<String>),
    /// Nobody knows, and why.
    Unknown(String),
}

pub(super) async fn ask(api: &Api, needs: &Needs) -> Rights {
    let lists = StripeList::ALL.into_iter().filter(|list| list.is_stripes_own()).map(StripeList::word);
    let lists = lists.chain(["webhook_endpoints"]);
    let told = join_all(lists.map(|list| async move { (list, may_read(api, list).await) })).await;
    let words = |is_wanted: &dyn Fn(&str) -> bool| {
        let wanted = told.iter().filter(|(list, may)| matches!(may, May::Yes) && is_wanted(list)).map(|(list, _)| *list);
        wanted.collect::<Vec<_>>().join(" ")
    };
    let mut facts = vec![("may read", words(&|_| true)), ("not needed", words(&|list| !needs.reads.contains(list)))];
    let needed = told.iter().filter(|(list, _)| needs.reads.contains(list));
    let mut lacks: Vec<Text> = needed.filter_map(|(list, may)| lack(api, "read", list, may)).collect();
    let named = |writes: &[Written], said: &str| {
        let words: Vec<&str> = writes.iter().map(|written| written.word()).collect();
        if words.is_empty() { String::new() } else { format!("{} ({said})", words.join(" ")) }
    };
    let needed: Vec<Written> = needs.writes.iter().copied().collect();
    match needs.asking {
        Asking::Reads => facts.push(("needs to write", named(&needed, "`--writes` asks whether it may"))),
        // Whose key it is comes first: what another account's key may do is of no use.
        Asking::Writes if api.ownership().await != Ownership::Own => {
            facts.push(("needs to write", named(&needed, "not asked: the key is not known to be the pack's own")));
        }
        Asking::Writes => {
            let told = join_all(needed.into_iter().map(|written| async move { (written, may_write(api, written).await) })).await;
            let may: Vec<Written> = told.iter().filter(|(_, may)| matches!(may, May::Yes)).map(|(written, _)| *written).collect();
            facts.push(("may write", named(&may, "asked for what does not exist")));
            lacks.extend(told.iter().filter_map(|(written, may)| lack(api, "write", written.word(), may)));
        }
    }
    let facts = facts.into_iter().filter(|(_, said)| !said.is_empty());
    Rights { lacks, facts: facts.map(|(label, said)| (label, Text::new(said))).collect() }
}

/// What is to be done about a need; `None` where it is met.
fn lack(api: &Api, verb: &str, what: &str, may: &May) -> Option<Text> {
    let said = match may {
        May::Yes => return None,
        May::Not(Some(right)) => {
            format!("the pack {verb}s {what}, and the key may not: give it {right} in Stripe's dashboard under API keys")
        }
        May::Not(None) => {
            format!("the pack {verb}s {what}, and the key may not: see Stripe's dashboard under API keys")
        }
        May::Unknown(why) => format!("whether the key may {verb} {what}, which the pack does, could not be asked: {why}"),
    };
    Some(api.transport.text(said))
}

async fn may_read(api: &Api, list: &str) -> May {
    let one = vec![("limit".to_owned(), "1".to_owned())];
    let reading = Reading { path: format!("/{list}"), query: one };
    judge(api, client::ask(api, reading.build(), RequestStrategy::Once).await, Reply::is_success)
}

/// No id of Stripe's has a line under its letters behind the first: none of these can ever be.
const NOTHING: &str = "wheelhouse_asks_for_its_rights";

async fn may_write(api: &Api, written: Written) -> May {
    let of_nothing = |kind: &str| format!("{kind}_{NOTHING}");
    let (path, form) = match written {
        // Should all else fail: a draft, and not a word of it.
        Written::Disputes => (format!("/disputes/{}", of_nothing("dp")), vec![("submit", "false".to_owned())]),
        Written::Events => (format!("/events/{}/retry", of_nothing("evt")), vec![("webhook_endpoint", of_nothing("we"))]),
        Written::Refunds => ("/refunds".to_owned(), vec![("amount", "1".to_owned()), ("charge", of_nothing("ch"))]),
        Written::Subscriptions => (format!("/subscriptions/{}", of_nothing("sub")), Vec::new()),
    };
    let form = form.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    // Its own each time: an answer of yesterday, given once more, would tell yesterday's rights.
    let key = match IdempotencyKey::new(format!("wheelhouse-right-{:016x}", fastrand::u64(..))) {
        Ok(key) => RequestStrategy::Idempotent(key),
        Err(why) => return May::Unknown(why.to_string()),
    };
    let writing = Writing { method: StripeMethod::Post, path, form };
    let is_of_nothing = |reply: &Reply| Refusal::of(reply).is_of_nothing();
    match client::ask(api, writing.build(), key).await {
        Ok(reply) if reply.is_success() => {
            May::Unknown(format!("{} for what cannot exist; look at the account's log", reply.status))
        }
        reply => judge(api, reply, is_of_nothing),
    }
}

fn judge(api: &Api, reply: Result<Reply, NoReply>, is_allowed: impl Fn(&Reply) -> bool) -> May {
    match reply {
        Ok(reply) if is_allowed(&reply) => May::Yes,
        Ok(reply) if reply.status == 403 => May::Not(Refusal::of(&reply).lacks()),
        Ok(reply) => May::Unknown(Refusal::of(&reply).said()),
        Err(failure) => May::Unknown(api.transport.unread(&failure).to_string()),
    }
}
