//! A list that comes in pages, each asked for when the one before is used up. Half a list never passes for a whole one.

use std::{
    collections::{HashSet, hash_map::RandomState},
    hash::BuildHasher as _,
    mem,
    time::Duration,
};

use reqwest::Url;
use serde_json::Value as Json;

use super::{HttpSystem, Reply, answer, link, shown};
use crate::{
    domain::{
        pack::{AskedBy, HttpRead, MOST_ROWS, PageWay, Paging},
        rows::{Params, Rows},
        text::{Text, counted},
        value::Value,
    },
    ports::{PageCame, SourceError, Taker},
};

/// More pages than this are a circle that nothing else has shown.
const MOST_PAGES: u64 = if cfg!(test) { 20 } else { 100_000 };

/// Whoever waits for a look waits for no more: each page may take as long as the connection says.
const MOST_IN_A_LOOK: u64 = if cfg!(test) { 20 } else { 2_000 };

impl HttpSystem {
    /// All pages at once, for a screen, each within the connection's timeout: the first rows where the read says how many,
    /// else every one or a failure.
    pub(super) async fn gather(
        &self,
        read: &HttpRead,
        paging: &Paging,
        params: &Params,
        came: &PageCame<'_>,
    ) -> Result<Rows, SourceError> {
        let mut pages = Pages::of(self, read, paging, params, MOST_IN_A_LOOK)?;
        let mut cells: Vec<Vec<Value>> = Vec::new();
        while paging.at_most.is_none_or(|most| cells.len() < most) {
            let Some((rows, _)) = within(self.transport.timeout, pages.next()).await? else { break };
            came(rows.len());
            cells.extend(rows.iter().map(|row| row.values().to_vec()));
            if paging.at_most.is_none() && cells.len() > MOST_ROWS {
                // Cut off, it would look whole.
                let said = format!("more than {}: narrow the request, or say `at_most`", counted(MOST_ROWS as u64, "row"));
                return Err(SourceError::Refused(self.transport.text(said)));
            }
        }
        cells.truncate(paging.at_most.unwrap_or(usize::MAX));
        Ok(Rows::new(answer::none(read).columns().to_vec(), cells))
    }

    /// Page by page, each within the connection's timeout; what the service calls the requests.
    pub(super) async fn pass_on(
        &self,
        read: &HttpRead,
        paging: &Paging,
        params: &Params,
        taker: &mut dyn Taker,
    ) -> Result<Vec<String>, SourceError> {
        let mut pages = Pages::of(self, read, paging, params, MOST_PAGES)?;
        let (mut requests, mut count) = (Vec::new(), 0);
        while let Some((rows, request)) = within(self.transport.timeout, pages.next()).await? {
            requests.extend(request);
            count += rows.len();
            if let Some(most) = paging.at_most.filter(|most| count > *most) {
                let said = format!("more than {most} rows: half a ledger would look whole; give `at_most` more");
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

/// What is asked for a page.
#[derive(Clone)]
struct Asked {
    path: String,
    body: Option<String>,
}

/// What is known of the page that comes next.
enum Ahead {
    Asked(Asked),
    /// It is named by the answer to this path, which is judged when the page is wanted: where the first rows are enough,
    /// it may lead anywhere.
    Named {
        path: String,
        reply: Reply,
        is_empty: bool,
    },
    Over,
}

struct Pages<'a> {
    system: &'a HttpSystem,
    read: &'a HttpRead,
    way: &'a PageWay,
    /// For the first page.
    start: Asked,
    next: Ahead,
    count: u64,
    most: u64,
    /// Every page so far, by its body: one that comes again leads round in a circle.
    bodies: HashSet<u64>,
    hash: RandomState,
}

impl<'a> Pages<'a> {
    fn of(
        system: &'a HttpSystem,
        read: &'a HttpRead,
        paging: &'a Paging,
        params: &Params,
        most: u64,
    ) -> Result<Self, SourceError> {
        let mistake = |why: String| SourceError::Refused(system.transport.text(why));
        let path = read.path.render(params).map_err(mistake)?;
        let body = read.body.as_ref().map(|body| body.render(params)).transpose().map_err(mistake)?;
        let mut pages = Self {
            system,
            read,
            way: &paging.way,
            next: Ahead::Over,
            start: Asked { path, body },
            count: 0,
            most,
            bodies: HashSet::new(),
            hash: RandomState::new(),
        };
        pages.next = Ahead::Asked(match &paging.way {
            PageWay::Next { .. } | PageWay::Link { .. } | PageWay::LinkCursor { .. } | PageWay::Cursor { .. } => {
                pages.start.clone()
            }
            PageWay::Number { by, first } => pages.asked_by(by, Json::from(*first)).map_err(mistake)?,
        });
        Ok(pages)
    }

    /// The next page's rows, and what the service calls the request; `None` after the last.
    async fn next(&mut self) -> Result<Option<(Rows, Option<String>)>, SourceError> {
        let asked = match mem::replace(&mut self.next, Ahead::Over) {
            Ahead::Asked(asked) => Some(asked),
            Ahead::Named { path, reply, is_empty } => self.after(&path, &reply, is_empty).map_err(|why| self.odd(&path, &why))?,
            Ahead::Over => None,
        };
        let Some(Asked { path, body }) = asked else { return Ok(None) };
        let reply = self.system.reply(self.read, &path, body.as_deref()).await?.without_echoes();
        let rows = answer::rows(&self.system.transport, self.read, shown(&path), &reply)?;
        self.count += 1;
        // The first page without rows is where counted pages end, however often it is asked for.
        let is_counted_end = rows.is_empty() && matches!(self.way, PageWay::Number { .. });
        if !is_counted_end && !self.bodies.insert(self.hash.hash_one(&reply.body)) {
            return Err(self.odd(
                &path,
                "this page came before: the pages go round in a circle, or the service does not know how it is asked for the next one",
            ));
        }
        if self.count > self.most {
            return Err(self.odd(&path, &format!("more than {} pages", self.most)));
        }
        let request = reply.named("x-request-id");
        self.next = Ahead::Named { path, reply, is_empty: rows.is_empty() };
        Ok(Some((rows, request)))
    }

    fn odd(&self, path: &str, why: &str) -> SourceError {
        let said = format_args!("{} {}: {why}", self.read.method, shown(path));
        SourceError::Malformed(self.system.transport.text(said))
    }

    /// What the page after this one is asked by.
    fn after(&self, path: &str, reply: &Reply, is_empty: bool) -> Result<Option<Asked>, String> {
        match self.way {
            PageWay::Next { at } => match told(reply, at)? {
                None => Ok(None),
                Some(Json::String(address)) => self.at(path, &address).map(Some),
                Some(_) => Err(leads_nowhere(at)),
            },
            PageWay::Link { relation } => link::find(&reply.headers, relation)?.map(|target| self.at(path, &target)).transpose(),
            PageWay::LinkCursor { relation, by } => {
                link::cursor(&reply.headers, relation)?.map(|cursor| self.asked_by(by, cursor.into())).transpose()
            }
            PageWay::Cursor { at, by } => told(reply, at)?.map(|cursor| self.asked_by(by, cursor)).transpose(),
            PageWay::Number { .. } if is_empty => Ok(None),
            PageWay::Number { by, first } => self.asked_by(by, Json::from(first.saturating_add(self.count))).map(Some),
        }
    }

    /// The page at an address that the answer to a path names; never outside the connection's own, whose secrets go with it.
    fn at(&self, path: &str, address: &str) -> Result<Asked, String> {
        let outside = || {
            // What a service by its name is asked for is not the pack's to say.
            let way_out = if self.system.service.is_some() {
                ""
            } else {
                ": ask for it by `pages.number` or `pages.cursor`, or say `at_most` where the rows before it are enough"
            };
            format!("the next page, `{}`, is outside the connection's address{way_out}", link::start(address))
        };
        let path = self.system.below(path, address).ok_or_else(outside)?;
        Ok(Asked { path, body: self.start.body.clone() })
    }

    /// What the first page is asked by, and which page is wanted.
    fn asked_by(&self, by: &AskedBy, value: Json) -> Result<Asked, String> {
        let Asked { path, body } = &self.start;
        match by {
            AskedBy::Parameter(name) => {
                let value = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
                Ok(Asked { path: self.with_parameter(name, &value)?, body: body.clone() })
            }
            AskedBy::Field(pointer) => {
                let body = body.as_deref().and_then(|body| with_field(body, pointer, value));
                let body = body.ok_or_else(|| format!("its body has no place for `{pointer}`"))?;
                Ok(Asked { path: path.clone(), body: Some(body) })
            }
        }
    }

    /// The first page's path with one parameter more, or with another value for it.
    fn with_parameter(&self, parameter: &str, value: &str) -> Result<String, String> {
        let url: Url = self.system.address(&self.start.path)?;
        let mut asked = url.clone();
        let kept: Vec<(String, String)> =
            url.query_pairs().filter(|(name, _)| name != parameter).map(|(name, value)| (name.into(), value.into())).collect();
        asked.query_pairs_mut().clear().extend_pairs(kept).append_pair(parameter, value);
        self.system.within_base(&asked).ok_or_else(|| format!("`{}` leads out of the connection's address", self.start.path))
    }
}

/// What stands there, a text or a number; `None` where nothing does.
fn told(reply: &Reply, at: &str) -> Result<Option<Json>, String> {
    let json = reply.json();
    match json.as_ref().and_then(|json| json.pointer(at)) {
        None | Some(Json::Null | Json::Bool(false)) => Ok(None),
        Some(Json::String(text)) if text.is_empty() => Ok(None),
        Some(told @ (Json::String(_) | Json::Number(_))) => Ok(Some(told.clone())),
        Some(Json::Bool(true) | Json::Array(_) | Json::Object(_)) => Err(leads_nowhere(at)),
    }
}

fn leads_nowhere(at: &str) -> String {
    format!("what stands at `{at}` leads to no page")
}

/// The body with another value at this key of an object in it; `None` where there is no such object.
fn with_field(body: &str, pointer: &str, value: Json) -> Option<String> {
    let mut json: Json = serde_json::from_str(body).ok()?;
    let (parent, key) = pointer.rsplit_once('/')?;
    let key = key.replace("~1", "/").replace("~0", "~");
    json.pointer_mut(parent)?.as_object_mut()?.insert(key, value);
    Some(json.to_string())
}
