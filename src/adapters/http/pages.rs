//! A list that comes in pages, each asked for when the one before is used up. Half a list never passes for a whole one.

use std::{
    collections::{HashSet, hash_map::RandomState},
    hash::BuildHasher as _,
    time::Duration,
};

use reqwest::Url;
use serde_json::Value as Json;

use super::{HttpSystem, Reply, answer, shown};
use crate::{
    domain::{
        pack::{HttpRead, PageWay, Paging},
        rows::{Params, Rows},
        text::Text,
        value::Value,
    },
    ports::{PageCame, SourceError, Taker},
};

/// More pages than this are a circle that nothing else has shown.
const MOST_PAGES: u64 = 100_000;

impl HttpSystem {
    /// All pages at once, for a screen: not more rows than the read says.
    pub(super) async fn gather(
        &self,
        read: &HttpRead,
        paging: &Paging,
        params: &Params,
        came: &PageCame<'_>,
    ) -> Result<Rows, SourceError> {
        let mut pages = Pages::of(self, read, paging, params)?;
        let all = async {
            let mut cells: Vec<Vec<Value>> = Vec::new();
            while cells.len() < paging.at_most {
                let Some((rows, _)) = pages.next().await? else { break };
                came(rows.len());
                cells.extend(rows.iter().map(|row| row.values().to_vec()));
            }
            cells.truncate(paging.at_most);
            Ok(Rows::new(answer::none(read).columns().to_vec(), cells))
        };
        let limit = self.transport.timeout;
        tokio::time::timeout(limit, all).await.unwrap_or(Err(SourceError::TimedOut(limit)))
    }

    /// Page by page, each within the connection's timeout; what the service calls the requests.
    pub(super) async fn pass_on(
        &self,
        read: &HttpRead,
        paging: &Paging,
        params: &Params,
        taker: &mut dyn Taker,
    ) -> Result<Vec<String>, SourceError> {
        let mut pages = Pages::of(self, read, paging, params)?;
        let (mut requests, mut count) = (Vec::new(), 0);
        while let Some((rows, request)) = within(self.transport.timeout, pages.next()).await? {
            requests.extend(request);
            count += rows.len();
            if count > paging.at_most {
                let said = format!("more than {} rows: half a ledger would look whole; give `at_most` more", paging.at_most);
                return Err(SourceError::Refused(self.transport.text(said)));
            }
            taker.take(rows).map_err(|why| SourceError::Refused(Text::new(why)))?;
        }
        Ok(requests)
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, SourceError>>) -> Result<T, SourceError> {
    tokio::time::timeout(limit, work).await.unwrap_or(Err(SourceError::TimedOut(limit)))
}

struct Pages<'a> {
    system: &'a HttpSystem,
    read: &'a HttpRead,
    way: &'a PageWay,
    /// Of the first page.
    start: String,
    /// Of the page that comes next; none after the last.
    next: Option<String>,
    count: u64,
    /// Every page so far, by its body: one that comes again leads round in a circle.
    bodies: HashSet<u64>,
    hash: RandomState,
}

impl<'a> Pages<'a> {
    fn of(system: &'a HttpSystem, read: &'a HttpRead, paging: &'a Paging, params: &Params) -> Result<Self, SourceError> {
        let mistake = |why: String| SourceError::Refused(system.transport.text(why));
        let start = read.path.render(params).map_err(mistake)?;
        let mut pages = Self {
            system,
            read,
            way: &paging.way,
            next: None,
            start,
            count: 0,
            bodies: HashSet::new(),
            hash: RandomState::new(),
        };
        pages.next = Some(match &paging.way {
            PageWay::Next { .. } | PageWay::Cursor { .. } => pages.start.clone(),
            PageWay::Number { parameter, first } => pages.asked_by(parameter, &first.to_string()).map_err(mistake)?,
        });
        Ok(pages)
    }

    /// The next page's rows, and what the service calls the request; `None` after the last.
    async fn next(&mut self) -> Result<Option<(Rows, Option<String>)>, SourceError> {
        let Some(path) = self.next.take() else { return Ok(None) };
        let reply = self.system.reply(self.read, &path, None).await?.without_echoes();
        let rows = answer::rows(&self.system.transport, self.read, shown(&path), &reply)?;
        self.count += 1;
        let odd = |why: &str| SourceError::Malformed(self.system.transport.text(format_args!("GET {}: {why}", shown(&path))));
        // The first page without rows is where counted pages end, however often it is asked for.
        let is_counted_end = rows.is_empty() && matches!(self.way, PageWay::Number { .. });
        if !is_counted_end && !self.bodies.insert(self.hash.hash_one(&reply.body)) {
            return Err(odd(
                "this page came before: the pages go round in a circle, or the service does not know how it is asked for the next one",
            ));
        }
        if self.count > MOST_PAGES {
            return Err(odd(&format!("more than {MOST_PAGES} pages")));
        }
        self.next = self.after(&path, &reply, rows.is_empty()).map_err(|why| odd(&why))?;
        Ok(Some((rows, reply.named("x-request-id"))))
    }

    /// Where the page after this one is.
    fn after(&self, path: &str, reply: &Reply, is_empty: bool) -> Result<Option<String>, String> {
        let told = |at: &str| {
            let json = reply.json();
            match json.as_ref().and_then(|json| json.pointer(at)) {
                None | Some(Json::Null | Json::Bool(false)) => Ok(None),
                Some(Json::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
                Some(Json::Number(number)) => Ok(Some(number.to_string())),
                Some(Json::Bool(true) | Json::Array(_) | Json::Object(_)) => {
                    Err(format!("what stands at `{at}` leads to no page"))
                }
            }
        };
        match self.way {
            PageWay::Next { at } => match told(at)? {
                None => Ok(None),
                Some(address) => {
                    let outside = || format!("the next page, `{address}`, is outside the connection's address");
                    self.system.below(path, &address).map(Some).ok_or_else(outside)
                }
            },
            PageWay::Cursor { at, parameter } => told(at)?.map(|cursor| self.asked_by(parameter, &cursor)).transpose(),
            PageWay::Number { .. } if is_empty => Ok(None),
            PageWay::Number { parameter, first } => self.asked_by(parameter, &(first + self.count).to_string()).map(Some),
        }
    }

    /// The first page's path with one parameter more, or with another value for it.
    fn asked_by(&self, parameter: &str, value: &str) -> Result<String, String> {
        let url: Url = self.system.address(&self.start)?;
        let mut asked = url.clone();
        let kept: Vec<(String, String)> =
            url.query_pairs().filter(|(name, _)| name != parameter).map(|(name, value)| (name.into(), value.into())).collect();
        asked.query_pairs_mut().clear().extend_pairs(kept).append_pair(parameter, value);
        self.system.within_base(&asked).ok_or_else(|| format!("`{}` leads out of the connection's address", self.start))
    }
}
