//! Lists of Stripe as rows, page by page. Never from Search, which is not read-after-write.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use super::{
    api::{Api, Unread},
    client::Reading,
    object::{self, Fields},
};
use crate::{
    domain::{
        pack::StripeRead,
        rows::{Params, Rows},
        value::Value,
    },
    ports::SourceError,
};

/// Stripe's own maximum.
const PAGE: usize = 100;

pub(super) async fn read(api: &Api, read: &StripeRead, params: &Params) -> Result<Rows, SourceError> {
    let what = read.list.word();
    let mistake = |why: String| SourceError::Refused(api.transport.text(format_args!("{what}: {why}")));
    if let Some(id) = &read.id {
        let id = id.render(params).map_err(mistake)?;
        return one(api, read, id.trim()).await;
    }
    let mut filters = window(read, params);
    for (name, value) in &read.filters {
        filters.push((name.clone(), value.render(params).map_err(mistake)?));
    }
    let mut objects: Vec<Fields> = Vec::new();
    let mut after: Option<String> = None;
    while objects.len() < read.at_most {
        let mut query = filters.clone();
        query.push(("limit".to_owned(), PAGE.min(read.at_most - objects.len()).to_string()));
        query.extend(after.take().map(|id| ("starting_after".to_owned(), id)));
        let list = Reading { path: format!("/{what}"), query };
        let mut page = api.get(&list).await.map_err(|unread| api.unread(what, &unread))?;
        let odd = |why: &str| SourceError::Malformed(api.transport.text(format_args!("{what}: {why}")));
        let Some(Json::Array(data)) = page.get_mut("data").map(Json::take) else {
            return Err(odd("the list has no data"));
        };
        let last = data.last().and_then(|last| last.get("id")).and_then(Json::as_str).map(ToOwned::to_owned);
        objects.extend(data.into_iter().map(object::fields));
        if page.get("has_more").and_then(Json::as_bool) != Some(true) {
            break;
        }
        // Half a list would be worse than none: it would look whole.
        after = Some(last.ok_or_else(|| odd("there is more, and the last object has no id to go on from"))?);
    }
    objects.truncate(read.at_most);
    Ok(object::rows(read.list, objects))
}

/// One object; none where Stripe does not know the id.
async fn one(api: &Api, read: &StripeRead, id: &str) -> Result<Rows, SourceError> {
    let what = read.list.word();
    if id.is_empty() || !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(SourceError::Refused(api.transport.text(format_args!("{what}: `{id}` is no id of Stripe's"))));
    }
    match api.get(&Reading::of(format!("/{what}/{id}"))).await {
        Ok(found) => Ok(object::rows(read.list, vec![object::fields(found)])),
        Err(Unread::Refusal(refusal)) if refusal.is_missing() => Ok(object::rows(read.list, Vec::new())),
        Err(unread) => Err(api.unread(&format!("{what}/{id}"), &unread)),
    }
}

/// `created` from `:from` (else so far back as the query says) to `:to`.
fn window(read: &StripeRead, params: &Params) -> Vec<(String, String)> {
    let given = |name: &str| params.get(name).and_then(Value::time);
    let back =
        || read.window.and_then(|window| Some(given("now").unwrap_or_else(Utc::now) - chrono::TimeDelta::from_std(window).ok()?));
    let bound = |name: &str, moment: DateTime<Utc>| (format!("created[{name}]"), moment.timestamp().to_string());
    let from = given("from").or_else(back).map(|from| bound("gte", from));
    let to = given("to").map(|to| bound("lt", to));
    from.into_iter().chain(to).collect()
}
