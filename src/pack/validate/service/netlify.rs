//! Netlify: a site's deploys and functions, builds, and the way back. The paths are those of its own description (Swagger).

use super::{Listing, Reached, connection};
use crate::{
    domain::{
        pack::{ConnectionKind, EffectKind, PageWay, Paging, Query, Service},
        proof::Proofs,
        template::{Template, TemplatePlace},
    },
    pack::{
        place::Place,
        raw::{RawNetlify, RawNetlifyEffect, RawNetlifyList, RawNetlifyRead, RawNetlifyRun},
        validate::{effect::Pen, reader::Reader, secret::Given},
    },
};

const WORD: &str = "netlify";

pub(in crate::pack::validate) fn open(reader: &mut Reader<'_>, place: &Place, raw: &RawNetlify) -> Option<ConnectionKind> {
    reader.segment(&place.key("site"), &raw.site, "a site's id or name");
    let token = Given {
        plain: None,
        environment: raw.token_env.as_ref(),
        file: raw.token_file.as_ref(),
        command: raw.token_command.as_ref(),
    };
    let reached = Reached { url: raw.url.as_ref(), url_env: raw.url_env.as_ref(), token: Some(token) };
    let service = Service {
        word: WORD,
        title: "Netlify",
        address: Some("https://api.netlify.com/api/v1"),
        door: format!("/sites/{}", raw.site),
        facts: vec![("site", "/name"), ("account", "/account_name")],
    };
    connection(reader, place, &reached, service)
}

pub(in crate::pack::validate) fn read(reader: &mut Reader<'_>, place: &Place, raw: &RawNetlifyRead) -> Option<Query> {
    let on = reader.connection(WORD, &raw.on, &place.key("on"))?;
    let site = reader.text_of(&on, WORD, "site")?;
    let listing = match raw.list {
        RawNetlifyList::Deploys => Listing {
            path: format!("/sites/{site}/deploys?per_page=100"),
            rows: vec![""],
            // The newest are all that is asked for.
            pages: Some(Paging { way: PageWay::Link { relation: "next".to_owned() }, at_most: Some(100) }),
            columns: vec![
                ("id", "/id"),
                ("state", "/state"),
                ("context", "/context"),
                ("branch", "/branch"),
                ("commit", "/commit_ref"),
                ("title", "/title"),
                ("failure", "/error_message"),
                ("created", "/created_at"),
                ("published", "/published_at"),
                ("schedules", "/function_schedules"),
            ],
            ..Listing::default()
        },
        RawNetlifyList::Functions => Listing {
            path: format!("/sites/{site}/functions"),
            // Described as a list of groups; answered as one.
            rows: vec!["/functions", "/0/functions"],
            columns: vec![("id", "/id"), ("name", "/n")],
            ..Listing::default()
        },
    };
    listing.query(on)
}

pub(in crate::pack::validate) fn effect(
    pen: &mut Pen<'_, '_, '_>,
    place: &Place,
    raw: &RawNetlifyEffect,
) -> Option<(EffectKind, String)> {
    let on = pen.reader.connection(WORD, &raw.on, &place.key("on"))?;
    let site = pen.reader.text_of(&on, WORD, "site")?;
    let (method, path, words) = match raw.run {
        RawNetlifyRun::Build => ("POST", format!("/sites/{site}/builds"), "Netlify: build and deploy"),
        RawNetlifyRun::CleanBuild => {
            ("POST", format!("/sites/{site}/builds?clear_cache=true"), "Netlify: build with an empty cache and deploy")
        }
        RawNetlifyRun::Rollback => ("PUT", format!("/sites/{site}/rollback"), "Netlify: back to the deploy before"),
    };
    let path = Template::parse_for(TemplatePlace::Path, &path).ok()?;
    let kind = EffectKind::Http { on, method: method.to_owned(), path, body: None, find: None, proofs: Proofs::default() };
    Some((kind, words.to_owned()))
}
