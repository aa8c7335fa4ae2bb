//! Stripe's lists: newest first, in pages between cursors, filtered as each list allows.

use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::{Map, Value as Json, json};

use super::{
    Stripe,
    answer::{Answer, Refusal},
    billing, disputes, objects,
};
use crate::demo::script::Values;

pub(super) struct Listing {
    pub word: &'static str,
    /// As in `No such charge`.
    pub object: &'static str,
    /// Query parameter -> column.
    filters: &'static [(&'static str, &'static str)],
    build: fn(&Stripe, &Row) -> Json,
}

pub(super) type Row = Map<String, Json>;

const LISTS: &[Listing] = &[
    Listing {
        word: "charges",
        object: "charge",
        filters: &[("customer", "customer"), ("payment_intent", "payment_intent")],
        build: objects::charge,
    },
    Listing {
        word: "payment_intents",
        object: "payment_intent",
        filters: &[("customer", "customer")],
        build: objects::payment_intent,
    },
    Listing {
        word: "refunds",
        object: "refund",
        filters: &[("charge", "charge"), ("payment_intent", "payment_intent")],
        build: objects::refund,
    },
    Listing { word: "events", object: "event", filters: &[("type", "type")], build: objects::event },
    Listing {
        word: "balance_transactions",
        object: "balance_transaction",
        filters: &[("type", "type"), ("source", "source"), ("currency", "currency")],
        build: objects::balance_transaction,
    },
    Listing {
        word: "disputes",
        object: "dispute",
        filters: &[("charge", "charge"), ("payment_intent", "payment_intent")],
        build: disputes::dispute,
    },
    Listing { word: "payouts", object: "payout", filters: &[("status", "status")], build: objects::payout },
    Listing { word: "customers", object: "customer", filters: &[("email", "email")], build: billing::customer },
    Listing {
        word: "subscriptions",
        object: "subscription",
        filters: &[("customer", "customer"), ("price", "price")],
        build: billing::subscription,
    },
    Listing {
        word: "invoices",
        object: "invoice",
        filters: &[("customer", "customer"), ("subscription", "subscription"), ("status", "status")],
        build: billing::invoice,
    },
    Listing {
        word: "transfers",
        object: "transfer",
        filters: &[("destination", "destination"), ("transfer_group", "transfer_group")],
        build: objects::transfer,
    },
];

pub(super) fn find(word: &str) -> Option<&'static Listing> {
    LISTS.iter().find(|listing| listing.word == word)
}

const EVENTS_KEPT: i64 = 30 * 86_400;

pub(super) async fn list(stripe: &Stripe, word: &str, params: &[(String, String)]) -> Answer {
    let Some(listing) = find(word) else { return Refusal::not_found("Unrecognized request URL").into() };
    match page(stripe, listing, params).await {
        Ok(page) => Answer::ok(&page),
        Err(refusal) => refusal.into(),
    }
}

pub(super) async fn one(stripe: &Stripe, word: &str, id: &str, params: &[(String, String)]) -> Answer {
    let Some(listing) = find(word) else { return Refusal::not_found("Unrecognized request URL").into() };
    let found = async {
        let row = row(stripe, listing, id).await?;
        let row = row.ok_or_else(|| Refusal::missing(404, listing.object, id, objects::id_param(listing.word)))?;
        let mut object = (listing.build)(stripe, &row);
        if params.iter().any(|(name, value)| name.starts_with("expand[") && value == "refunds") {
            expand(stripe, &mut object).await?;
        }
        Ok(object)
    };
    Answer::from(found.await)
}

/// The row of that id, with what else its object is built from.
pub(super) async fn row(stripe: &Stripe, listing: &Listing, id: &str) -> Result<Option<Row>, Refusal> {
    let source = format!("{} where list.id = :id", select(listing));
    let rows = stripe.board.rows(&source, &Values::from([("id".into(), json!(id))])).await?;
    Ok(rows.into_iter().next())
}

/// Charges and intents carry what came back of them; events carry their object's row.
fn select(listing: &Listing) -> String {
    const REFUNDED: &str =
        "(select coalesce(sum(amount), 0) from refunds where refunds.charge = {} and refunds.status in ('succeeded', 'pending'))";
    const DISPUTED: &str = "exists (select 1 from disputes where disputes.charge = {})";
    let extra = match listing.word {
        "charges" => {
            format!(", {} as refunded, {} as disputed", REFUNDED.replace("{}", "list.id"), DISPUTED.replace("{}", "list.id"))
        }
        "events" => format!(
            ", (select json_object('seq', c.seq, 'id', c.id, 'created', c.created, 'amount', c.amount, 'currency', c.currency, \
             'status', c.status, 'payment_intent', c.payment_intent, 'customer', c.customer, 'email', c.email, 'name', c.name, \
             'description', c.description, 'metadata', c.metadata, 'fee', c.fee, 'disputed', 0, 'charge', c.id, \
             'refunded', case list.type when 'charge.refunded' then {} else 0 end) \
             from charges c where list.object in (c.id, c.payment_intent)) as about",
            REFUNDED.replace("{}", "c.id"),
        ),
        _ => String::new(),
    };
    format!("select list.*{extra} from {} list", listing.word)
}

struct Cursor {
    created: i64,
    seq: i64,
}

/// A part of a list as it is sent. Its objects are built while they are written: a hundred of them are much memory.
struct Page<'a> {
    stripe: &'a Stripe,
    listing: &'a Listing,
    has_more: bool,
    rows: Vec<Row>,
    /// Instead of the rows, where the objects had to be completed.
    expanded: Vec<Json>,
}

impl Serialize for Page<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut page = serializer.serialize_map(Some(4))?;
        page.serialize_entry("object", "list")?;
        page.serialize_entry("url", &format!("/v1/{}", self.listing.word))?;
        page.serialize_entry("has_more", &self.has_more)?;
        page.serialize_entry("data", &Objects(self))?;
        page.end()
    }
}

struct Objects<'a>(&'a Page<'a>);

impl Serialize for Objects<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Page { stripe, listing, rows, expanded, .. } = self.0;
        let built = rows.iter().map(|row| (listing.build)(stripe, row));
        if expanded.is_empty() { serializer.collect_seq(built) } else { serializer.collect_seq(expanded) }
    }
}

async fn page<'a>(stripe: &'a Stripe, listing: &'a Listing, params: &[(String, String)]) -> Result<Page<'a>, Refusal> {
    let find = |name: &str| params.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let limit = limit(find("limit"))?;
    let mut conditions = vec!["1".to_owned()];
    let mut values = Values::from([("limit".into(), json!(limit + 1))]);
    filters(stripe, listing, params, &mut conditions, &mut values)?;
    let (after, before) = (find("starting_after"), find("ending_before"));
    if after.is_some() && before.is_some() {
        return Err(Refusal::invalid("You cannot specify both starting_after and ending_before."));
    }
    for (name, id, sign) in [("starting_after", after, "<"), ("ending_before", before, ">")] {
        let Some(id) = id else { continue };
        let cursor = cursor(stripe, listing, id).await?.ok_or_else(|| Refusal::missing(400, listing.object, id, name))?;
        conditions.push(format!("(list.created, list.seq) {sign} (:cursor_created, :cursor_seq)"));
        values.insert("cursor_created".into(), json!(cursor.created));
        values.insert("cursor_seq".into(), json!(cursor.seq));
    }
    let direction = if before.is_some() { "asc" } else { "desc" };
    let source = format!(
        "{} where {} order by list.created {direction}, list.seq {direction} limit :limit",
        select(listing),
        conditions.join(" and "),
    );
    let mut rows = stripe.board.rows(&source, &values).await?;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    if before.is_some() {
        rows.reverse();
    }
    let mut page = Page { stripe, listing, has_more, rows, expanded: Vec::new() };
    if params.iter().any(|(name, value)| name.starts_with("expand[") && value == "data.refunds") {
        for row in std::mem::take(&mut page.rows) {
            let mut object = (listing.build)(stripe, &row);
            expand(stripe, &mut object).await?;
            page.expanded.push(object);
        }
    }
    Ok(page)
}

pub(super) fn limit(given: Option<&str>) -> Result<usize, Refusal> {
    let Some(given) = given else { return Ok(10) };
    let whole: i64 = given
        .parse()
        .map_err(|_| Refusal::of_param("parameter_invalid_integer", "limit", format!("Invalid integer: {given}")))?;
    match usize::try_from(whole) {
        Ok(limit @ 1..=100) => Ok(limit),
        Ok(0) | Err(_) => {
            Err(Refusal::of_param("parameter_invalid_integer", "limit", "This value must be greater than or equal to 1."))
        }
        Ok(_) => Err(Refusal::of_param("parameter_invalid_integer", "limit", "This value must be less than or equal to 100.")),
    }
}

fn filters(
    stripe: &Stripe,
    listing: &Listing,
    params: &[(String, String)],
    conditions: &mut Vec<String>,
    values: &mut Values,
) -> Result<(), Refusal> {
    let mut types: Vec<&str> = Vec::new();
    for (at, (name, value)) in params.iter().enumerate() {
        let bound = format!("p{at}");
        if let Some((_, column)) = listing.filters.iter().find(|(param, _)| param == name) {
            conditions.push(format!("list.{column} = :{bound}"));
            values.insert(bound, json!(value));
        } else if let Some(operator) = comparison(name) {
            let moment: i64 = value
                .parse()
                .map_err(|_| Refusal::of_param("parameter_invalid_integer", name, format!("Invalid integer: {value}")))?;
            conditions.push(format!("list.created {operator} :{bound}"));
            values.insert(bound, json!(moment));
        } else if listing.word == "events" && name.starts_with("types[") {
            types.push(value);
        } else if listing.word == "events" && name == "delivery_success" {
            conditions.push(format!("list.delivered = :{bound}"));
            values.insert(bound, json!(i64::from(value == "true")));
        } else if listing.word == "subscriptions" && name == "status" {
            if value != "all" {
                conditions.push(format!("list.status = :{bound}"));
                values.insert(bound, json!(value));
            }
        } else if !matches!(name.as_str(), "limit" | "starting_after" | "ending_before") && !name.starts_with("expand[") {
            return Err(Refusal::of_param("parameter_unknown", name, format!("Received unknown parameter: {name}")));
        }
    }
    // Those that have ended are told of only where they are asked for.
    if listing.word == "subscriptions" && !params.iter().any(|(name, _)| name == "status") {
        conditions.push("list.status <> 'canceled'".to_owned());
    }
    if types.len() > 20 {
        return Err(Refusal::of_param("parameter_invalid", "types", "You may only specify up to 20 event types."));
    }
    if !types.is_empty() {
        conditions.push("list.type in (select value from json_each(:types))".to_owned());
        values.insert("types".into(), json!(types));
    }
    if listing.word == "events" {
        conditions.push("list.created >= :kept".to_owned());
        values.insert("kept".into(), json!(stripe.now() - EVENTS_KEPT));
    }
    Ok(())
}

fn comparison(name: &str) -> Option<&'static str> {
    match name {
        "created" => Some("="),
        "created[gte]" => Some(">="),
        "created[gt]" => Some(">"),
        "created[lte]" => Some("<="),
        "created[lt]" => Some("<"),
        _ => None,
    }
}

async fn cursor(stripe: &Stripe, listing: &Listing, id: &str) -> Result<Option<Cursor>, Refusal> {
    let source = format!("select created, seq from {} where id = :id", listing.word);
    let rows = stripe.board.rows(&source, &Values::from([("id".into(), json!(id))])).await?;
    let whole = |row: &Row, column: &str| row.get(column).and_then(Json::as_i64);
    Ok(rows.first().and_then(|row| Some(Cursor { created: whole(row, "created")?, seq: whole(row, "seq")? })))
}

/// Puts a charge's refunds into it, as `expand[]=refunds` asks.
async fn expand(stripe: &Stripe, object: &mut Json) -> Result<(), Refusal> {
    let Some(charge) = object.get("id").and_then(Json::as_str).filter(|id| id.starts_with("ch_")) else { return Ok(()) };
    // One more than Stripe puts into it, which tells whether there is more.
    let source = "select * from refunds where charge = :charge order by created desc, seq desc limit 11";
    let rows = stripe.board.rows(source, &Values::from([("charge".into(), json!(charge))])).await?;
    let data: Vec<Json> = rows.iter().take(10).map(|row| objects::refund(stripe, row)).collect();
    let mut list = super::empty_list(&format!("/v1/charges/{charge}/refunds"));
    if let (Some(list), Some(object)) = (list.as_object_mut(), object.as_object_mut()) {
        list.insert("has_more".to_owned(), json!(rows.len() > data.len()));
        list.insert("data".to_owned(), json!(data));
        object.insert("refunds".to_owned(), json!(list));
    }
    Ok(())
}
