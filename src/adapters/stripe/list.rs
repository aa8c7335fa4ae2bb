//! Lists of Stripe as rows, page by page. Never from Search, which is not read-after-write.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use super::{
    api::{Api, Unread},
    client::Reading,
    object::{self, Fields},
    progress::Course,
    timeline, undelivered,
};
use crate::{
    adapters::transport::GRACE,
    domain::{
        pack::{MOST_ROWS, StripeList, StripeRead},
        rows::{Params, Rows},
        text::{Text, counted},
        value::Value,
    },
    ports::{PageCame, SourceError, Taker},
};

/// Stripe's own maximum.
const PAGE: usize = 100;

/// Each page within `limit`: a long list takes as long as it takes, and its rows are counted meanwhile.
pub(super) async fn read(
    api: &Api,
    read: &StripeRead,
    params: &Params,
    limit: Duration,
    came: &PageCame<'_>,
) -> Result<Rows, SourceError> {
    let what = read.list.word();
    let mistake = |why: String| SourceError::Refused(api.transport.text(format_args!("{what}: {why}")));
    if let Some(id) = &read.id {
        let id = id.render(params).map_err(mistake)?;
        let id = is_id(id.trim()).then(|| id.trim()).ok_or_else(|| mistake(format!("`{}` is no id of Stripe's", id.trim())))?;
        if read.list == StripeList::Timeline {
            return timeline::read(api, id, read.at_most, limit, came).await;
        }
        return tokio::time::timeout(limit + GRACE, one(api, read, id)).await.unwrap_or(Err(SourceError::TimedOut(limit)));
    }
    let mut filters = window(read, params);
    for (name, value) in &read.filters {
        filters.push((name.clone(), value.render(params).map_err(mistake)?));
    }
    if read.list == StripeList::UndeliveredEvents {
        return undelivered::read(api, read, params, filters, limit, came).await;
    }
    let mut objects: Vec<Fields> = Vec::new();
    let mut pages = Pages::of(api, what, filters, limit, came);
    while let Some(page) = pages.next_of(read.at_most.into(), objects.len()).await? {
        objects.extend(page.into_iter().map(|object| object::fields(read.list, object)));
    }
    objects.truncate(read.at_most.unwrap_or(usize::MAX));
    Ok(object::rows(read.list, objects))
}

/// As `read`, page by page, each within `limit`; what Stripe calls the requests. More than `at_most` is a failure.
pub(super) async fn stream(
    api: &Api,
    read: &StripeRead,
    params: &Params,
    limit: Duration,
    taker: &mut dyn Taker,
) -> Result<Vec<String>, SourceError> {
    let what = read.list.word();
    let refused = |why: String| SourceError::Refused(api.transport.text(format_args!("{what}: {why}")));
    let mut filters = window(read, params);
    for (name, value) in &read.filters {
        filters.push((name.clone(), value.render(params).map_err(refused)?));
    }
    // Its rows are counted by whoever takes them.
    let mut pages = Pages::of(api, what, filters, limit, &|_| {});
    let (mut requests, mut count) = (Vec::new(), 0);
    loop {
        let Some((page, request)) = pages.next(PAGE).await? else { return Ok(requests) };
        requests.extend(request);
        count += page.len();
        if let Some(most) = read.at_most.filter(|most| count > *most) {
            return Err(refused(format!("more than {most} rows: half a ledger would look whole; give `at_most` more")));
        }
        let page = page.into_iter().map(|object| object::fields(read.list, object)).collect();
        taker.take(object::rows(read.list, page)).map_err(|why| SourceError::Refused(Text::new(why)))?;
    }
}

/// How much of a list a look wants.
#[derive(Clone, Copy)]
pub(super) enum Extent {
    /// The newest so many.
    Newest(usize),
    /// All of it. One that is longer than a screen bears is a failure, told with what to do: cut off, it would look whole.
    Whole(&'static str),
}

impl From<Option<usize>> for Extent {
    fn from(at_most: Option<usize>) -> Self {
        at_most.map_or(Self::Whole("narrow it by `window` or `filters`, or say `at_most`"), Self::Newest)
    }
}

/// A list, page by page, the newest first.
struct Pages<'a> {
    api: &'a Api,
    what: &'static str,
    filters: Vec<(String, String)>,
    limit: Duration,
    page: usize,
    after: Option<String>,
    is_over: bool,
    course: Course<'a>,
    came: &'a PageCame<'a>,
}

impl<'a> Pages<'a> {
    fn of(api: &'a Api, what: &'static str, filters: Vec<(String, String)>, limit: Duration, came: &'a PageCame<'a>) -> Self {
        Self { api, what, filters, limit, page: PAGE, after: None, is_over: false, course: api.progress.begin(what), came }
    }

    /// The next page of a look that has `have` objects; `None` where it has enough.
    async fn next_of(&mut self, extent: Extent, have: usize) -> Result<Option<Vec<Json>>, SourceError> {
        let left = match extent {
            Extent::Newest(most) => most.saturating_sub(have),
            Extent::Whole(_) => MOST_ROWS.saturating_sub(have),
        };
        if let (0, false, Extent::Whole(advice)) = (left, self.is_over, extent) {
            let said = format!("{}: more than {}: {advice}", self.what, counted(MOST_ROWS as u64, "row"));
            return Err(SourceError::Refused(self.api.transport.text(said)));
        }
        if left == 0 {
            return Ok(None);
        }
        Ok(self.next(left).await?.map(|(page, _)| page))
    }

    /// The next page of at most so many objects, and what Stripe calls the request; `None` after the last.
    async fn next(&mut self, at_most: usize) -> Result<Option<(Vec<Json>, Option<String>)>, SourceError> {
        let limit = self.limit;
        tokio::time::timeout(limit + GRACE, self.turn(at_most)).await.unwrap_or(Err(SourceError::TimedOut(limit)))
    }

    async fn turn(&mut self, at_most: usize) -> Result<Option<(Vec<Json>, Option<String>)>, SourceError> {
        if self.is_over {
            return Ok(None);
        }
        let (api, what) = (self.api, self.what);
        let (mut page, request) = self.fetch(at_most).await.map_err(|unread| api.unread(what, &unread))?;
        let odd = |why: &str| SourceError::Malformed(api.transport.text(format_args!("{what}: {why}")));
        let Some(Json::Array(data)) = page.get_mut("data").map(Json::take) else {
            return Err(odd("the list has no data"));
        };
        let last = data.last().and_then(|last| last.get("id")).and_then(Json::as_str).map(ToOwned::to_owned);
        if has_more(&page).map_err(odd)? {
            // Half a list would be worse than none: it would look whole.
            self.after = Some(last.ok_or_else(|| odd("there is more, and the last object has no id to go on from"))?);
        } else {
            self.is_over = true;
        }
        self.course.came(data.len());
        (self.came)(data.len());
        Ok(Some((data, request)))
    }

    /// Objects that are too big for one answer come in smaller pages.
    async fn fetch(&mut self, at_most: usize) -> Result<(Json, Option<String>), Unread> {
        loop {
            let asked_for = self.page.min(at_most);
            let mut query = self.filters.clone();
            query.push(("limit".to_owned(), asked_for.to_string()));
            query.extend(self.after.iter().map(|id| ("starting_after".to_owned(), id.clone())));
            match self.api.get_named(&Reading { path: format!("/{}", self.what), query }).await {
                Err(Unread::TooBig(_)) if asked_for > 1 => self.page = asked_for.div_ceil(8),
                answer => return answer,
            }
        }
    }
}

/// Whether a list goes on behind this page. One that does not say so is not known to be whole.
pub(super) fn has_more(page: &Json) -> Result<bool, &'static str> {
    let said = page.get("has_more").and_then(Json::as_bool);
    said.ok_or("the list does not say whether there is more of it, so it may be only a part")
}

/// As much of a list as is wanted.
pub(super) async fn all(
    api: &Api,
    what: &'static str,
    filters: Vec<(String, String)>,
    extent: impl Into<Extent>,
    limit: Duration,
    came: &PageCame<'_>,
) -> Result<Vec<Json>, SourceError> {
    let extent = extent.into();
    let mut pages = Pages::of(api, what, filters, limit, came);
    let mut objects = Vec::new();
    while let Some(page) = pages.next_of(extent, objects.len()).await? {
        objects.extend(page);
    }
    if let Extent::Newest(most) = extent {
        objects.truncate(most);
    }
    Ok(objects)
}

/// One object; none where Stripe does not know the id.
async fn one(api: &Api, read: &StripeRead, id: &str) -> Result<Rows, SourceError> {
    let what = read.list.word();
    match api.get(&Reading::of(format!("/{what}/{id}"))).await {
        Ok(found) => Ok(object::rows(read.list, vec![object::fields(read.list, found)])),
        Err(Unread::Refusal(refusal)) if refusal.is_missing() => Ok(object::rows(read.list, Vec::new())),
        Err(unread) => Err(api.unread(&format!("{what}/{id}"), &unread)),
    }
}

pub(super) fn is_id(id: &str) -> bool {
    !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
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
