//! Status pages as statuspage.io publishes them: whether all is well, part by part, and what is not resolved.

use super::{Listing, Reached, connection};
use crate::{
    domain::pack::{ConnectionKind, Query, Service},
    pack::{
        place::Place,
        raw::{RawStatuspage, RawStatuspageList, RawStatuspageRead},
        validate::reader::Reader,
    },
};

const WORD: &str = "statuspage";
const STATUS: &str = "/api/v2/status.json";

pub(in crate::pack::validate) fn open(reader: &mut Reader<'_>, place: &Place, raw: &RawStatuspage) -> Option<ConnectionKind> {
    let reached = Reached { url: raw.url.as_ref(), url_env: raw.url_env.as_ref(), token: None };
    let service = Service {
        word: WORD,
        title: "status page",
        address: None,
        door: STATUS.to_owned(),
        facts: vec![("page", "/page/name"), ("says", "/status/description")],
    };
    connection(reader, place, &reached, service)
}

pub(in crate::pack::validate) fn read(reader: &mut Reader<'_>, place: &Place, raw: &RawStatuspageRead) -> Option<Query> {
    let on = reader.connection(WORD, &raw.on, &place.key("on"))?;
    let listing = match raw.list.unwrap_or_default() {
        RawStatuspageList::Status => Listing {
            path: STATUS.to_owned(),
            columns: vec![
                ("indicator", "/status/indicator"),
                ("description", "/status/description"),
                ("page", "/page/name"),
                ("updated", "/page/updated_at"),
            ],
            ..Listing::default()
        },
        RawStatuspageList::Components => Listing {
            path: "/api/v2/components.json".to_owned(),
            rows: vec!["/components"],
            columns: vec![("id", "/id"), ("name", "/name"), ("state", "/status"), ("updated", "/updated_at")],
            ..Listing::default()
        },
        RawStatuspageList::Incidents => Listing {
            path: "/api/v2/incidents/unresolved.json".to_owned(),
            rows: vec!["/incidents"],
            columns: vec![
                ("id", "/id"),
                ("name", "/name"),
                ("state", "/status"),
                ("impact", "/impact"),
                ("began", "/created_at"),
                ("updated", "/updated_at"),
                ("link", "/shortlink"),
            ],
            ..Listing::default()
        },
    };
    listing.query(on)
}
