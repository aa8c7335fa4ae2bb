//! Vercel: a project's variables and deployments. A changed variable reaches only new deployments.
//!
//! The paths are those of its REST reference: variables are listed by `/v10/projects/{project}/env` and edited by
//! `/v9/projects/{project}/env/{id}`, deployments are listed by `/v6/deployments` and made by `/v13/deployments`.

use serde_json::{Value as Json, json};

use super::{Listing, Reached, connection};
use crate::{
    domain::{
        finding::{Finding, Goes, Taken},
        id::Id,
        pack::{Connection, ConnectionKind, EffectKind, Query, Service},
        proof::{Proof, ProofRule, Proofs},
        template::{Template, TemplatePlace},
    },
    pack::{
        place::Place,
        raw::{RawVercel, RawVercelEffect, RawVercelRead, RawVercelTarget},
        validate::{effect::Pen, reader::Reader, secret::Given},
    },
};

const WORD: &str = "vercel";

pub(in crate::pack::validate) fn open(reader: &mut Reader<'_>, place: &Place, raw: &RawVercel) -> Option<ConnectionKind> {
    reader.segment(&place.key("project"), &raw.project, "a project's name or id");
    if let Some(team) = &raw.team {
        reader.segment(&place.key("team"), team, "a team's slug or id");
    }
    let token = Given {
        plain: None,
        environment: raw.token_env.as_ref(),
        file: raw.token_file.as_ref(),
        command: raw.token_command.as_ref(),
    };
    let reached = Reached { url: raw.url.as_ref(), url_env: raw.url_env.as_ref(), token: Some(token) };
    let project = Project { name: raw.project.clone(), team: raw.team.clone() };
    let service = Service {
        word: WORD,
        title: "Vercel",
        address: Some("https://api.vercel.com"),
        door: project.path("/v9/projects/{project}"),
        facts: vec![("project", "/name"), ("account", "/accountId")],
    };
    connection(reader, place, &reached, service)
}

pub(in crate::pack::validate) fn read(reader: &mut Reader<'_>, place: &Place, raw: &RawVercelRead) -> Option<Query> {
    let on = reader.connection(WORD, &raw.on, &place.key("on"));
    let keys = [("variable", raw.variable.is_some()), ("list", raw.list.is_some())];
    reader.exactly_one(place, "what is read", &keys)?;
    let on = on?;
    let project = Project::of(reader, &on)?;
    let target = word(raw.target.unwrap_or_default());
    match &raw.variable {
        Some(variable) => {
            reader.not_empty(&place.key("variable"), variable, "the variable's name");
            Listing {
                path: project.path("/v10/projects/{project}/env"),
                rows: vec!["/envs"],
                only: named(variable, target),
                columns: vec![("id", "/id"), ("key", "/key"), ("value", "/value"), ("type", "/type"), ("updated", "/updatedAt")],
                times: vec!["updated"],
                ..Listing::default()
            }
        }
        None => Listing {
            path: project.path(&format!("/v6/deployments?projectId={{project}}&target={target}&limit=100")),
            rows: vec!["/deployments"],
            columns: vec![
                ("id", "/uid"),
                ("state", "/readyState"),
                ("created", "/created"),
                ("ready", "/ready"),
                ("by", "/creator/username"),
                ("url", "/url"),
                ("branch", "/meta/githubCommitRef"),
                ("commit", "/meta/githubCommitMessage"),
            ],
            times: vec!["created", "ready"],
            ..Listing::default()
        },
    }
    .query(on)
}

pub(in crate::pack::validate) fn effect(
    pen: &mut Pen<'_, '_, '_>,
    place: &Place,
    raw: &RawVercelEffect,
) -> Option<(EffectKind, String)> {
    let on = pen.reader.connection(WORD, &raw.on, &place.key("on"));
    let keys = [("set", raw.set.is_some()), ("redeploy", raw.redeploy.is_some())];
    pen.reader.exactly_one(place, "what is to be done there", &keys)?;
    let to = raw.to.as_ref().map(|to| (to, value(pen, &place.key("to"), to)));
    match (&raw.set, &to, raw.redeploy) {
        (Some(_), None, _) => pen.reader.say(place, "nothing says what the variable is set to", "needs `to`", None),
        (None, Some(_), _) => pen.reader.say_key(&place.key("to"), "only a variable is set to something", "not here", None),
        _ => {}
    }
    if let (None, Some(_)) = (&raw.set, raw.target) {
        pen.reader.say_key(&place.key("target"), "`redeploy` itself says which environment", "not here", None);
    }
    let on = on?;
    let project = Project::of(pen.reader, &on)?;
    match (&raw.set, to, raw.redeploy) {
        (Some(name), Some((to, body)), _) => {
            pen.reader.not_empty(&place.key("set"), name, "the variable's name");
            let target = word(raw.target.unwrap_or_default());
            Some((set(on, &project, name, target, body?)?, format!("Vercel: {name} = {to}")))
        }
        (None, None, Some(target)) => Some((redeploy(on, &project, target)?, format!("Vercel: deploy {} again", word(target)))),
        _ => None,
    }
}

/// The body that carries the value; what it is made of stays within its quotes.
fn value(pen: &mut Pen<'_, '_, '_>, place: &Place, to: &str) -> Option<Template> {
    let template = pen.template(TemplatePlace::Json, place, to)?;
    if template.filled_with("0", "\"").contains(|c: char| matches!(c, '"' | '\\') || c.is_control()) {
        let help = Some("plain words and `{{ value }}`, without `| json`".to_owned());
        pen.reader.say(place, "a value in quotes, or of several lines, cannot be written here", "not plain", help);
        return None;
    }
    Template::parse_for(TemplatePlace::Json, &format!("{{\"value\": \"{to}\"}}")).ok()
}

fn set(on: Id<Connection>, project: &Project, name: &str, target: &str, body: Template) -> Option<EffectKind> {
    let find = Finding {
        what: format!("variable {name} for {target} in {}", project.name),
        path: project.path("/v10/projects/{project}/env"),
        list: "/envs".to_owned(),
        only: named(name, target),
        is_first: false,
        takes: vec![Taken { from: "/id".to_owned(), goes: Goes::PathEnd }],
    };
    let path = Template::parse_for(TemplatePlace::Path, &project.path("/v9/projects/{project}/env")).ok()?;
    let (method, body) = ("PATCH".to_owned(), Some(body));
    Some(EffectKind::Http { on, method, path, body, find: Some(Box::new(find)), proofs: Proofs::default() })
}

fn redeploy(on: Id<Connection>, project: &Project, target: RawVercelTarget) -> Option<EffectKind> {
    let word = word(target);
    let find = Finding {
        what: format!("ready deployment for {word} in {}", project.name),
        path: project.path(&format!("/v6/deployments?projectId={{project}}&target={word}&state=READY&limit=1")),
        list: "/deployments".to_owned(),
        only: Vec::new(),
        is_first: true,
        takes: vec![
            Taken { from: "/uid".to_owned(), goes: Goes::Body("deploymentId".to_owned()) },
            Taken { from: "/name".to_owned(), goes: Goes::Body("name".to_owned()) },
        ],
    };
    let mut body = json!({ "project": project.name, "meta": { "action": "redeploy" } });
    // One without a target is a preview.
    if let (RawVercelTarget::Production, Json::Object(body)) = (target, &mut body) {
        body.insert("target".to_owned(), json!(word));
    }
    let path = Template::parse_for(TemplatePlace::Path, &project.path("/v13/deployments?forceNew=1")).ok()?;
    let body = Some(Template::parse_for(TemplatePlace::Json, &body.to_string()).ok()?);
    Some(EffectKind::Http { on, method: "POST".to_owned(), path, body, find: Some(Box::new(find)), proofs: Proofs::default() })
}

fn named(variable: &str, target: &str) -> Vec<Proof> {
    vec![
        Proof { at: "/key".to_owned(), rule: ProofRule::Equals(json!(variable)) },
        Proof { at: "/target".to_owned(), rule: ProofRule::Contains(target.to_owned()) },
    ]
}

fn word(target: RawVercelTarget) -> &'static str {
    match target {
        RawVercelTarget::Production => "production",
        RawVercelTarget::Preview => "preview",
    }
}

struct Project {
    name: String,
    team: Option<String>,
}

impl Project {
    fn of(reader: &Reader<'_>, on: &Id<Connection>) -> Option<Self> {
        Some(Self { name: reader.text_of(on, WORD, "project")?, team: reader.text_of(on, WORD, "team") })
    }

    /// The path with the project's name in it, and the team behind it.
    fn path(&self, path: &str) -> String {
        let path = path.replace("{project}", &self.name);
        let Some(team) = &self.team else { return path };
        let key = if team.starts_with("team_") { "teamId" } else { "slug" };
        let mark = if path.contains('?') { '&' } else { '?' };
        format!("{path}{mark}{key}={team}")
    }
}
