//! Reads: which connection, which statement or request, and the names that they may use.

use crate::{
    domain::{
        pack::{AskedBy, Except, HttpRead, PageWay, Paging, Query, Read, Sql, StripeList, StripeRead},
        template::{Template, TemplatePlace},
    },
    pack::{
        nearest::advice,
        place::Place,
        raw::{OneOrMany, RawCommandRead, RawExcept, RawHttpRead, RawRead, RawSqlRead, RawStripeList, RawStripeRead},
    },
};

use super::{
    command, firestore,
    reader::Reader,
    service::{netlify, sentry, statuspage, vercel},
};

/// Given to every read.
const ALWAYS: [&str; 4] = ["now", "day_ago", "week_ago", "month_ago"];

/// The names at hand where something is asked or done.
#[derive(Clone, Copy)]
pub(super) enum Names<'a> {
    /// A read on its own.
    Look,
    /// A ledger's read: a window as well.
    Window,
    /// Only these.
    Only(&'a [&'a str]),
    /// A row of a query is at hand, whose columns are known only when it is prepared.
    Row,
}

impl Reader<'_> {
    /// What is used beyond what is at hand.
    pub(super) fn names_at_hand(&mut self, place: &Place, used: &[String], sql: Option<&Sql>, names: Names<'_>) {
        let known: Vec<&str> = match names {
            Names::Row => return,
            Names::Look => ALWAYS.to_vec(),
            Names::Window => ALWAYS.into_iter().chain(["from", "to"]).collect(),
            Names::Only(names) => names.to_vec(),
        };
        let what = if sql.is_some() { "parameter" } else { "name" };
        for name in used.iter().filter(|name| !known.contains(&name.as_str())) {
            let help = Some(advice(name, &known, "given here"));
            let message = format!("nothing gives the {what} `{name}` here");
            match sql.and_then(|sql| sql.place_of(name)) {
                Some(part) => self.say_within(place, part, message, "not given", help),
                None => self.say(place, message, "not given", help),
            }
        }
    }

    pub(super) fn template_of(&mut self, template: Option<Template>, place: &Place, names: Names<'_>) -> Option<Template> {
        let template = template?;
        self.names_at_hand(place, &template.names(), None, names);
        Some(template)
    }
}

pub(super) fn query(reader: &mut Reader<'_>, place: &Place, raw: &RawRead, names: Names<'_>) -> Option<Query> {
    let kinds = [
        ("sql", raw.sql.is_some()),
        ("stripe", raw.stripe.is_some()),
        ("http", raw.http.is_some()),
        ("probe", raw.probe.is_some()),
        ("vercel", raw.vercel.is_some()),
        ("netlify", raw.netlify.is_some()),
        ("sentry", raw.sentry.is_some()),
        ("statuspage", raw.statuspage.is_some()),
        ("firestore", raw.firestore.is_some()),
        ("command", raw.command.is_some()),
    ];
    let word = reader.exactly_one(place, "the kind of this read", &kinds)?;
    let place = place.key(word);
    if let Some(raw) = &raw.firestore {
        return firestore::read(reader, &place, raw, names);
    }
    if let Some(raw) = &raw.command {
        return run(reader, &place, raw, names);
    }
    match (&raw.sql, &raw.stripe, &raw.http, &raw.probe) {
        (Some(raw), ..) => sql(reader, &place, raw, names),
        (_, Some(raw), ..) => stripe(reader, &place, raw, names),
        (_, _, Some(raw), _) => http(reader, &place, raw, names, false),
        (_, _, _, Some(raw)) => http(reader, &place, raw, names, true),
        (None, None, None, None) => known(reader, &place, raw),
    }
}

/// Of a service that is known by name.
fn known(reader: &mut Reader<'_>, place: &Place, raw: &RawRead) -> Option<Query> {
    match (&raw.vercel, &raw.netlify, &raw.sentry, &raw.statuspage) {
        (Some(raw), ..) => vercel::read(reader, place, raw),
        (_, Some(raw), ..) => netlify::read(reader, place, raw),
        (_, _, Some(raw), _) => sentry::read(reader, place, raw),
        (_, _, _, Some(raw)) => statuspage::read(reader, place, raw),
        (None, None, None, None) => None,
    }
}

/// One read or several; the places of several carry their index.
pub(super) fn queries(reader: &mut Reader<'_>, place: &Place, raw: &OneOrMany<RawRead>, names: Names<'_>) -> Vec<Query> {
    match raw {
        OneOrMany::One(raw) => query(reader, place, raw, names).into_iter().collect(),
        OneOrMany::Many(list) => {
            list.iter().enumerate().filter_map(|(index, raw)| query(reader, &place.index(index), raw, names)).collect()
        }
    }
}

fn sql(reader: &mut Reader<'_>, place: &Place, raw: &RawSqlRead, names: Names<'_>) -> Option<Query> {
    let on = reader.connection("sql", &raw.on, &place.key("on"));
    reader.no_repetition(&place.key("money"), &raw.money);
    let text = place.key("text");
    let sql = reader.sql(&text, &raw.text, Sql::check_read)?;
    reader.names_at_hand(&text, &sql.parameters, Some(&sql), names);
    Some(Query { on: on?, read: Read::Sql(sql), money: raw.money.clone() })
}

fn stripe(reader: &mut Reader<'_>, place: &Place, raw: &RawStripeRead, names: Names<'_>) -> Option<Query> {
    let on = reader.connection("stripe", &raw.on, &place.key("on"));
    reader.no_repetition(&place.key("money"), &raw.money);
    let address = |reader: &mut Reader<'_>, place: &Place, text: &str| {
        let template = reader.template_for(TemplatePlace::Address, place, text);
        reader.template_of(template, place, names)
    };
    let id = raw.id.as_ref().and_then(|text| address(reader, &place.key("id"), text));
    let filters = place.key("filters");
    let filters =
        raw.filters.iter().filter_map(|(name, text)| Some((name.clone(), address(reader, &filters.key(name), text)?))).collect();
    let window = raw.window.as_ref().and_then(|text| reader.duration(&place.key("window"), text));
    if raw.at_most == Some(0) {
        reader.say(&place.key("at_most"), "no rows at all would be read", "too few", None);
    }
    let at_most = raw.at_most.map(|most| usize::try_from(most).unwrap_or(usize::MAX));
    let list = list(raw.list);
    if list == StripeList::Timeline {
        if raw.id.is_none() {
            let help = Some("such as `id = \"{{ customer }}\"`".to_owned());
            reader.say(place, "a timeline is one customer's, and `id` says whose", "has no `id`", help);
        }
        if !raw.filters.is_empty() {
            reader.say_key(&place.key("filters"), "a timeline has no filters: it is of several lists", "not here", None);
        }
    }
    let endpoint = raw.endpoint.as_ref().and_then(|text| address(reader, &place.key("endpoint"), text));
    if list == StripeList::UndeliveredEvents {
        undelivered_alone(reader, place, raw, names);
    } else if raw.endpoint.is_some() {
        let help = Some("`list = \"undelivered_events\"`".to_owned());
        reader.say_key(&place.key("endpoint"), "only undelivered events are meant for an endpoint", "not here", help);
    }
    let except = raw.except.as_ref().and_then(|raw_except| except(reader, place, raw, raw_except, names));
    let read = StripeRead { list, id, filters, window, at_most, endpoint, except };
    Some(Query { on: on?, read: Read::Stripe(read), money: raw.money.clone() })
}

/// What is made of two lists is no ledger, and has no object of its own.
fn undelivered_alone(reader: &mut Reader<'_>, place: &Place, raw: &RawStripeRead, names: Names<'_>) {
    if raw.id.is_some() {
        let help = Some("`list = \"events\"` reads one event".to_owned());
        reader.say_key(&place.key("id"), "undelivered events are read as a list", "not here", help);
    }
    if matches!(names, Names::Window) {
        reader.say(&place.key("list"), "undelivered events are no ledger: nothing of them is money", "not here", None);
    }
}

fn except(
    reader: &mut Reader<'_>,
    place: &Place,
    raw: &RawStripeRead,
    except: &RawExcept,
    names: Names<'_>,
) -> Option<Box<Except>> {
    let place = place.key("except");
    if raw.id.is_some() || !matches!(names, Names::Look) {
        let help = Some("in a check's, a queue's or a metric's `read` of a list".to_owned());
        reader.say_key(&place, "nothing can be left out here", "not here", help);
    }
    let on = reader.connection("sql", &except.on, &place.key("on"));
    let text = place.key("text");
    let sql = reader.sql(&text, &except.text, Sql::check_read)?;
    reader.names_at_hand(&text, &sql.parameters, Some(&sql), names);
    Some(Box::new(Except { on: on?, sql }))
}

fn list(raw: RawStripeList) -> StripeList {
    match raw {
        RawStripeList::Charges => StripeList::Charges,
        RawStripeList::PaymentIntents => StripeList::PaymentIntents,
        RawStripeList::Refunds => StripeList::Refunds,
        RawStripeList::Events => StripeList::Events,
        RawStripeList::BalanceTransactions => StripeList::BalanceTransactions,
        RawStripeList::Disputes => StripeList::Disputes,
        RawStripeList::Payouts => StripeList::Payouts,
        RawStripeList::Customers => StripeList::Customers,
        RawStripeList::Subscriptions => StripeList::Subscriptions,
        RawStripeList::Invoices => StripeList::Invoices,
        RawStripeList::Transfers => StripeList::Transfers,
        RawStripeList::UndeliveredEvents => StripeList::UndeliveredEvents,
        RawStripeList::Timeline => StripeList::Timeline,
    }
}

fn http(reader: &mut Reader<'_>, place: &Place, raw: &RawHttpRead, names: Names<'_>, probe: bool) -> Option<Query> {
    let on = reader.connection("http", &raw.on, &place.key("on"));
    reader.no_repetition(&place.key("money"), &raw.money);
    let default = if raw.body.is_some() { "POST" } else { "GET" };
    let method = reader.method(&place.key("method"), raw.method.as_ref(), default, &["GET", "POST", "HEAD"]);
    let (path_place, body_place) = (place.key("path"), place.key("body"));
    let path = reader.path(&path_place, &raw.path);
    let path = reader.template_of(path, &path_place, names);
    let body = raw.body.as_ref().and_then(|text| reader.body(&body_place, text));
    let body = reader.template_of(body, &body_place, names);
    let columns = place.key("columns");
    for (name, pointer) in &raw.columns {
        pointer_is_right(reader, &columns.key(name), pointer);
    }
    if let Some(rows) = &raw.rows {
        pointer_is_right(reader, &place.key("rows"), rows);
    }
    let asking = Asking { method: &method, body: body.as_ref(), probe };
    let pages = paging(reader, place, raw, &asking);
    let columns = raw.columns.iter().map(|(name, pointer)| (name.clone(), pointer.clone())).collect();
    for (key, names) in [("times", &raw.times), ("numbers", &raw.numbers)] {
        reader.no_repetition(&place.key(key), names);
        for (index, name) in names.iter().enumerate().filter(|(_, name)| !raw.columns.contains_key(*name)) {
            let known: Vec<&str> = raw.columns.keys().map(String::as_str).collect();
            let help = Some(advice(name, &known, "columns"));
            reader.say(&place.key(key).index(index), format!("there is no column `{name}` here"), "not a column", help);
        }
    }
    let read = HttpRead {
        method,
        path: path?,
        body,
        columns,
        rows: raw.rows.iter().cloned().collect(),
        only: Vec::new(),
        times: raw.times.clone(),
        numbers: raw.numbers.clone(),
        pages,
        probe,
    };
    Some(Query { on: on?, read: Read::Http(read), money: raw.money.clone() })
}

fn run(reader: &mut Reader<'_>, place: &Place, raw: &RawCommandRead, names: Names<'_>) -> Option<Query> {
    let on = reader.connection("command", &raw.on, &place.key("on"));
    let read = command::read(reader, place, raw, names);
    Some(Query { on: on?, read: Read::Command(read?), money: raw.money.clone() })
}

/// What a page is asked with.
struct Asking<'a> {
    method: &'a str,
    body: Option<&'a Template>,
    probe: bool,
}

fn paging(reader: &mut Reader<'_>, place: &Place, raw: &RawHttpRead, asking: &Asking<'_>) -> Option<Paging> {
    let at_most = place.key("at_most");
    if raw.at_most == Some(0) {
        reader.say(&at_most, "no rows at all would be read", "too few", None);
    }
    let Some(pages) = &raw.pages else {
        if raw.at_most.is_some() {
            let help = Some("one answer is taken whole; leave it out, or say how `pages` lead on".to_owned());
            reader.say(&at_most, "`at_most` is of a list in `pages`", "no pages", help);
        }
        return None;
    };
    let place = place.key("pages");
    if asking.probe {
        reader.say(&place, "a probe judges one answer", "no pages here", Some("read pages with `http`".to_owned()));
    } else if asking.method == "HEAD" {
        reader.say(&place, "an answer to HEAD has no list", "no pages here", None);
    } else if raw.rows.is_none() {
        reader.say(&place, "pages are of a list: `rows` points to it", "no list", None);
    }
    let kinds = [
        ("next", pages.next.is_some()),
        ("link", pages.link.is_some()),
        ("cursor", pages.cursor.is_some()),
        ("number", pages.number.is_some()),
    ];
    let word = reader.exactly_one(&place, "what leads to the next page", &kinds)?;
    let place = place.key(word);
    if matches!(word, "next" | "link") && asking.method == "POST" {
        let help = Some("a POST asks for its pages by `cursor` or `number`".to_owned());
        reader.say_key(&place, "an address alone does not say what is posted to it", "not with POST", help);
    }
    let way = match (&pages.next, &pages.link, &pages.cursor, &pages.number) {
        (Some(at), ..) => {
            pointer_is_right(reader, &place, at);
            PageWay::Next { at: at.clone() }
        }
        (_, Some(relation), ..) => {
            if relation.is_empty() || relation.contains(char::is_whitespace) {
                let help = Some("as the header has it in `rel`, such as `next`".to_owned());
                reader.say(&place, format!("`{relation}` is not the relation of a link"), "not a relation", help);
            }
            PageWay::Link { relation: relation.clone() }
        }
        (_, _, Some(cursor), _) => {
            pointer_is_right(reader, &place.key("at"), &cursor.at);
            let by = asked_by(reader, &place, (cursor.parameter.as_ref(), cursor.field.as_ref()), asking)?;
            PageWay::Cursor { at: cursor.at.clone(), by }
        }
        (_, _, _, Some(number)) => {
            let by = asked_by(reader, &place, (number.parameter.as_ref(), number.field.as_ref()), asking)?;
            PageWay::Number { by, first: number.first.unwrap_or(1) }
        }
        (None, None, None, None) => return None,
    };
    Some(Paging { way, at_most: raw.at_most.map(|most| usize::try_from(most).unwrap_or(usize::MAX)) })
}

/// Where the request says which page it wants.
fn asked_by(
    reader: &mut Reader<'_>,
    place: &Place,
    (parameter, field): (Option<&String>, Option<&String>),
    asking: &Asking<'_>,
) -> Option<AskedBy> {
    let kinds = [("parameter", parameter.is_some()), ("field", field.is_some())];
    reader.exactly_one(place, "what takes the next page", &kinds)?;
    if let Some(parameter) = parameter {
        reader.not_empty(&place.key("parameter"), parameter, "the parameter's name");
        return Some(AskedBy::Parameter(parameter.clone()));
    }
    let (place, field) = (place.key("field"), field?);
    let Some(body) = asking.body else {
        let help = Some("`parameter` names one of the address".to_owned());
        reader.say_key(&place, "a `field` is of the body, and there is none", "no body", help);
        return None;
    };
    pointer_is_right(reader, &place, field);
    if !field.is_empty() && !field.starts_with('/') {
        return None;
    }
    // Whatever it is filled with, its objects are where they are.
    let body: serde_json::Value = serde_json::from_str(&body.filled_with("0", "\"0\"")).ok()?;
    let (parent, key) = field.rsplit_once('/').unwrap_or_default();
    if key.is_empty() || !body.pointer(parent).is_some_and(serde_json::Value::is_object) {
        let help = Some("the last part of it is a key, which need not be there; all before it must be".to_owned());
        reader.say(&place, format!("the body has no place for `{field}`"), "not in the body", help);
    }
    Some(AskedBy::Field(field.clone()))
}

pub(super) fn pointer_is_right(reader: &mut Reader<'_>, place: &Place, pointer: &str) {
    if !pointer.is_empty() && !pointer.starts_with('/') {
        let help = Some(format!("such as `/{}`", pointer.replace('.', "/")));
        reader.say(place, format!("`{pointer}` is not a JSON pointer"), "begins with `/`", help);
    }
}
