//! Vercel, Netlify, Sentry and status pages: which requests a pack's words become, and that others take them.

use serde_json::{Value as Json, json};
use wheelhouse::{
    domain::{
        finding::Goes,
        pack::{ConnectionKind, EffectKind, HttpRead, Pack, Query, Read},
        rows::Params,
        value::Value,
    },
    pack::parse,
};

use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{header, path, query_param},
};

use super::{House, of, runtime};
use crate::partners::{
    emulate::{self, Emulate},
    prism::Prism,
};

const CONNECTIONS: &str = r#"
[pack]
title = "House"
timezone = "UTC"
currency = "EUR"
[connections]
host.vercel = { token_env = "VERCEL_TOKEN", project = "my-site", team = "team_1" }
other.vercel = { token_env = "VERCEL_TOKEN", project = "prj_9" }
site.netlify = { token_file = "/run/token", site = "shop.netlify.app" }
errors.sentry = { token_command = ["pass", "sentry"], organization = "shop", url = "https://de.sentry.io" }
status.statuspage = { url = "https://status.host.example" }
"#;

fn pack(parts: &str) -> Pack {
    let source = format!("{CONNECTIONS}{parts}");
    parse("house.toml", &source, &|_| Err("no files".into()))
        .unwrap_or_else(|problems| panic!("{problems}"))
        .pack
        .as_ref()
        .clone()
}

fn read(query: &str) -> HttpRead {
    let check = format!("[checks.it]\ntitle = \"it\"\nread.{query}\nvalue = \"rows\"\nred = {{ above = 1 }}\n");
    match pack(&check).checks.remove(0).query {
        Query { read: Read::Http(read), .. } => read,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_read_asks_what_the_service_describes() {
    for (query, path, rows) in [
        (r#"vercel = { on = "host", variable = "MODE" }"#, "/v10/projects/my-site/env?teamId=team_1", "/envs"),
        (r#"vercel = { on = "other", variable = "MODE" }"#, "/v10/projects/prj_9/env", "/envs"),
        (
            r#"vercel = { on = "host", list = "deployments" }"#,
            "/v6/deployments?projectId=my-site&target=production&limit=100&teamId=team_1",
            "/deployments",
        ),
        (
            r#"vercel = { on = "other", list = "deployments", target = "preview" }"#,
            "/v6/deployments?projectId=prj_9&target=preview&limit=100",
            "/deployments",
        ),
        (r#"netlify = { on = "site", list = "deploys" }"#, "/sites/shop.netlify.app/deploys?per_page=100", ""),
        (r#"netlify = { on = "site", list = "functions" }"#, "/sites/shop.netlify.app/functions", "/functions"),
        (
            r#"sentry = { on = "errors", list = "issues", route = "/api/stripe", environment = "production", period = "90m" }"#,
            "/api/0/organizations/shop/issues/?query=is%3Aunresolved%20transaction%3A%2A%2Fapi%2Fstripe%2A&statsPeriod=90m&environment=production&limit=100",
            "",
        ),
        (
            r#"sentry = { on = "errors", list = "errors", project = "7", period = "7d" }"#,
            "/api/0/organizations/shop/events/?dataset=errors&field=count()&field=count_unique(user)&query=&statsPeriod=7d&project=7",
            "/data",
        ),
        (
            r#"sentry = { on = "errors", list = "issues", project = "web-shop" }"#,
            "/api/0/organizations/shop/issues/?query=is%3Aunresolved&statsPeriod=24h&projectSlug=web-shop&limit=100",
            "",
        ),
        (r#"statuspage = { on = "status", list = "components" }"#, "/api/v2/components.json", "/components"),
        (r#"statuspage = { on = "status", list = "incidents" }"#, "/api/v2/incidents/unresolved.json", "/incidents"),
    ] {
        let read = read(query);
        assert_eq!((read.path.render(&Params::new()).as_deref(), read.method.as_str()), (Ok(path), "GET"), "{query}");
        assert_eq!(read.rows.first().map(String::as_str), Some(rows), "{query}");
    }
    let at_most = |read: HttpRead| read.pages.map(|paging| paging.at_most);
    assert_eq!(at_most(read(r#"sentry = { on = "errors", list = "issues" }"#)), Some(None));
    assert_eq!(at_most(read(r#"sentry = { on = "errors", list = "issues", at_most = 50 }"#)), Some(Some(50)));
    let page = read(r#"statuspage = { on = "status" }"#);
    assert_eq!((page.path.render(&Params::new()).as_deref(), page.rows.len()), (Ok("/api/v2/status.json"), 0));
}

#[test]
fn each_effect_sends_what_the_service_describes() {
    let effect = |effect: &str| {
        let action =
            format!("[actions.go]\ntitle = \"Go\"\ninputs = [ {{ name = \"value\", title = \"Value\" }} ]\ndo.{effect}\n");
        pack(&action).actions.remove(0).effects.remove(0)
    };
    let value = Params::from([("value".to_owned(), Value::text("sa\"fe"))]);
    for (written, method, path, body, looked_for) in [
        (
            r#"vercel = { on = "host", set = "MODE", to = "{{ value }}" }"#,
            "PATCH",
            "/v9/projects/my-site/env?teamId=team_1",
            Some(r#"{"value": "sa\"fe"}"#),
            Some("/v10/projects/my-site/env?teamId=team_1"),
        ),
        (
            r#"vercel = { on = "other", redeploy = "production" }"#,
            "POST",
            "/v13/deployments?forceNew=1",
            Some(r#"{"project":"prj_9","meta":{"action":"redeploy"},"target":"production"}"#),
            Some("/v6/deployments?projectId=prj_9&target=production&state=READY&limit=1"),
        ),
        (r#"netlify = { on = "site", run = "build" }"#, "POST", "/sites/shop.netlify.app/builds", None, None),
        (
            r#"netlify = { on = "site", run = "clean_build" }"#,
            "POST",
            "/sites/shop.netlify.app/builds?clear_cache=true",
            None,
            None,
        ),
        (r#"netlify = { on = "site", run = "rollback" }"#, "PUT", "/sites/shop.netlify.app/rollback", None, None),
    ] {
        let EffectKind::Http { method: how, path: to, body: carried, find, .. } = effect(written).kind else {
            panic!("{written}")
        };
        assert_eq!((how.as_str(), to.render(&value).as_deref()), (method, Ok(path)), "{written}");
        assert_eq!(carried.map(|body| body.render(&value).unwrap()).as_deref(), body, "{written}");
        assert_eq!(find.map(|find| find.path).as_deref(), looked_for, "{written}");
    }
    let EffectKind::Http { find: Some(find), .. } = effect(r#"vercel = { on = "other", redeploy = "preview" }"#).kind else {
        panic!()
    };
    assert!(find.takes.iter().any(|taken| taken.goes == Goes::Body("deploymentId".to_owned())), "{find:?}");
}

#[test]
fn each_connection_knows_its_address_and_who_tells_whose_token_it_is() {
    let pack = pack("");
    let doors: Vec<_> = pack
        .connections
        .iter()
        .map(|connection| match &connection.kind {
            ConnectionKind::Http { token, service: Some(service), .. } => {
                (connection.kind.word(), service.address.unwrap_or("-"), service.door.as_str(), token.is_some())
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        doors,
        [
            ("vercel", "https://api.vercel.com", "/v9/projects/my-site?teamId=team_1", true),
            ("vercel", "https://api.vercel.com", "/v9/projects/prj_9", true),
            ("netlify", "https://api.netlify.com/api/v1", "/sites/shop.netlify.app", true),
            ("sentry", "https://sentry.io", "/api/0/organizations/shop/", true),
            ("statuspage", "-", "/api/v2/status.json", false),
        ]
    );
}

#[test]
fn the_example_in_the_reference_is_right() {
    let reference = include_str!("../../../assets/PACKS.md");
    let (_, section) = reference.split_once("### Services by name").unwrap();
    let example = section.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let source = format!("{}{example}", super::HEAD);
    let read = parse("example.toml", &source, &|_| Err("no files".into())).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!((read.pack.connections.len(), read.pack.checks.len(), read.pack.flags.len()), (5, 3, 1));
}

const HOSTED: &str = r#"
[queues.things]
title = "Things"
read.sql = { on = "db", text = "select id, name from things" }
id = "id"
columns = [ { column = "id" } ]
actions = ["misspelt"]
[connections]
db.sql = { url = "sqlite:things.db" }
host.vercel = { token_env = "TOKEN", project = "PROJECT", team = "dogs", url_env = "HOST" }
incidents.webhook = { url_env = "HOOK" }
[checks.deployed]
title = "Latest deployment"
read.vercel = { on = "host", list = "deployments" }
value = "state"
yellow = { is_not = "READY" }
since = "created"
detail = "{{ id }}"
[checks.gone]
title = "A variable that is not there"
read.vercel = { on = "host", variable = "GONE" }
value = "value"
red = { is = "x" }
[flags.mode]
title = "AI_MODE"
read.vercel = { on = "host", variable = "AI_MODE" }
column = "value"
values = ["z_ai", "deterministic"]
normal = "z_ai"
set = [
  { vercel = { on = "host", set = "AI_MODE", to = "{{ value }}" } },
  { vercel = { on = "host", redeploy = "production" } },
  { webhook = { on = "incidents", text = "{{ value }}: {{ reason }}" } },
]
[actions.misspelt]
title = "A variable that is not there"
hold = "0s"
do.vercel = { on = "host", set = "AI_MOOD", to = "x" }
"#;

#[test]
fn a_variable_is_set_by_its_name_and_deployed_once_and_the_channel_is_told() {
    let runtime = runtime();
    let home = tempfile::tempdir().unwrap();
    let Some(emulate) = runtime.block_on(Emulate::open(home.path())) else { return };
    let project = runtime.block_on(emulate.project());
    let variables = [("TOKEN", emulate::TOKEN), ("HOST", &emulate.vercel()), ("HOOK", &emulate.hook())]
        .map(|(name, value)| (name, value.to_owned()));
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let house = House::in_home(home, &HOSTED.replace("PROJECT", &project), &variables);
    let told = house.run(&["connect", "check", "--json"]).ends(0).json();
    let host = of(&told, "connections", "host");
    assert_eq!(
        (&host["kind"], &host["system"], &host["identity"]["project"]),
        (&"vercel".into(), &"Vercel".into(), &emulate::PROJECT.into()),
        "{told}"
    );

    let before = runtime.block_on(emulate.deployments());
    let flip = ["do", "flag.mode", "-i", "value=deterministic", "-i", "reason=Z.AI is <down> & out", "--confirm", "mode"];
    house.run(&flip).ends(0).says(&["done"]);
    assert_eq!(
        runtime.block_on(emulate.variables()),
        ["AI_MODE for preview = fast", "AI_MODE for production = deterministic"],
        "only the one of that environment"
    );
    let after = runtime.block_on(emulate.deployments());
    assert_eq!(after.len(), before.len() + 1, "{after:?}");
    assert_eq!(runtime.block_on(emulate.messages()), ["deterministic: Z.AI is ‹down› & out"], "no value calls a channel");

    let told = house.run(&["check", "--all", "--json"]).ends(3).json();
    assert_eq!(of(&told, "alerts", "check.deployed")["detail"], after[0], "the latest is the one that was made");
    assert_eq!(of(&told, "alerts", "check.gone")["failure"], "the query answered no row");
    house.run(&["do", "misspelt", "t1"]).ends(1).says(&[&format!("there is no variable AI_MOOD for production in {project}")]);
    assert_eq!(runtime.block_on(emulate.deployments()), after);
}

const BUILT: &str = r#"
[queues.things]
title = "Things"
read.sql = { on = "db", text = "select id, name from things" }
id = "id"
columns = [ { column = "id" } ]
actions = ["build", "back"]
[connections]
db.sql = { url = "sqlite:things.db" }
site.netlify = { token_env = "TOKEN", site = "shop", url_env = "SITE" }
[checks.deploys]
title = "Deploys"
read.netlify = { on = "site", list = "deploys" }
value = "state"
red = { is = "error" }
detail = "{{ failure }} {{ context }} {{ branch }}"
[checks.functions]
title = "Functions"
read.netlify = { on = "site", list = "functions" }
value = "rows"
yellow = { below = 1 }
[actions.build]
title = "Build"
hold = "0s"
do.netlify = { on = "site", run = "build" }
[actions.back]
title = "Back"
hold = "0s"
do.netlify = { on = "site", run = "rollback" }
"#;

#[test]
fn netlifys_own_description_knows_every_request_and_has_every_column() {
    let Some(netlify) = Prism::netlify() else { return };
    let house = House::of(BUILT, &[("TOKEN", "netlify-token"), ("SITE", &netlify.url())]);
    house.run(&["connect", "check"]).ends(0).says(&["Netlify", "site string"]);
    // Its answers are examples: a text where a text is described.
    house.run(&["check", "--all"]).ends(0).says(&["string", "string string string"]);
    house.run(&["do", "build", "t1"]).ends(0);
    house.run(&["do", "back", "t1"]).ends(0);
}

const TOLD: &str = r#"
[connections]
errors.sentry = { token_env = "TOKEN", organization = "shop", url_env = "SERVICE" }
status.statuspage = { url_env = "SERVICE" }
[checks.errors]
title = "Errors in payments"
read.sentry = { on = "errors", list = "errors", route = "/api/stripe/*", environment = "production", period = "1h" }
value = "errors"
yellow = { above = 0 }
red = { above = 5 }
detail = "{{ users }} people"
[checks.issues]
title = "Issues in payments"
read.sentry = { on = "errors", list = "issues", route = "/api/stripe/*" }
value = "events * 2"
red = { at_least = 24 }
since = "first_seen"
detail = "{{ short_id }} {{ title }}"
[checks.host]
title = "The host's own word"
read.statuspage = { on = "status" }
value = "indicator"
yellow = { is_not = "none" }
detail = "{{ description }}"
[checks.parts]
title = "The host's parts"
read.statuspage = { on = "status", list = "components" }
value = "rows"
red = { below = 2 }
"#;

#[test]
fn what_sentry_and_a_status_page_tell_can_be_judged() {
    let runtime = runtime();
    let server = runtime.block_on(MockServer::start());
    let answer = |at: &str, queries: &[(&str, &str)], body: Json| {
        let asked = queries.iter().fold(Mock::given(path(at)), |mock, (name, value)| mock.and(query_param(*name, *value)));
        runtime.block_on(asked.respond_with(ResponseTemplate::new(200).set_body_json(body)).mount(&server));
    };
    let token = header("authorization", "Bearer sentry-token");
    let organization = Mock::given(path("/api/0/organizations/shop/")).and(token);
    let known = ResponseTemplate::new(200).set_body_json(json!({ "slug": "shop" }));
    runtime.block_on(organization.respond_with(known).mount(&server));
    answer(
        "/api/0/organizations/shop/events/",
        &[("dataset", "errors"), ("query", "transaction:/api/stripe/*"), ("statsPeriod", "1h"), ("environment", "production")],
        json!({ "data": [{ "count()": 3, "count_unique(user)": 2 }], "meta": {} }),
    );
    answer(
        "/api/0/organizations/shop/issues/",
        &[("query", "is:unresolved transaction:/api/stripe/*"), ("statsPeriod", "24h")],
        json!([{ "id": "1", "shortId": "SHOP-1", "title": "Boom", "count": "12", "userCount": 4, "firstSeen": "2026-01-01T00:00:00Z" }]),
    );
    let page = json!({ "id": "x", "name": "Host", "updated_at": "2026-01-01T00:00:00Z" });
    answer(
        "/api/v2/status.json",
        &[],
        json!({ "page": page, "status": { "indicator": "minor", "description": "Partial outage" } }),
    );
    answer(
        "/api/v2/components.json",
        &[],
        json!({ "page": page, "components": [{ "id": "a", "name": "API", "status": "operational" }] }),
    );
    let house = House::of(TOLD, &[("TOKEN", "sentry-token"), ("SERVICE", &server.uri())]);
    house.run(&["connect", "check"]).ends(0).says(&["Sentry, organization shop", "status page, page Host, says Partial outage"]);
    let told = house.run(&["check", "--all", "--json"]).ends(2).json();
    for (name, severity, reading, detail) in [
        ("check.errors", "yellow", "3", "2 people"),
        ("check.issues", "red", "24", "SHOP-1 Boom"),
        ("check.host", "yellow", "minor", "Partial outage"),
        ("check.parts", "red", "1", ""),
    ] {
        let alert = of(&told, "alerts", name);
        assert_eq!(
            (&alert["severity"], &alert["reading"], &alert["detail"]),
            (&severity.into(), &reading.into(), &detail.into()),
            "{alert}"
        );
    }
    assert_eq!(of(&told, "alerts", "check.issues")["since"], "2026-01-01T00:00:00Z");
}

const MANY: &str = r#"
[connections]
errors.sentry = { token_env = "TOKEN", organization = "shop", url_env = "SERVICE" }
site.netlify = { token_env = "TOKEN", site = "shop", url_env = "SERVICE" }
[checks.issues]
title = "Issues"
read.sentry = { on = "errors", list = "issues" }
value = "rows"
red = { above = 200 }
[checks.deploys]
title = "Deploys"
read.netlify = { on = "site", list = "deploys" }
value = "rows"
red = { above = 100 }
"#;

/// A page in Sentry's own form: it names a next one also behind the last, by its own address and not by the region's.
#[test]
fn issues_are_counted_to_their_last_page_and_deploys_are_the_newest() {
    let runtime = runtime();
    let server = runtime.block_on(MockServer::start());
    let issues = |request: &wiremock::Request| {
        let asked: std::collections::HashMap<_, _> = request.url.query_pairs().into_owned().collect();
        assert_eq!((asked["limit"].as_str(), asked["query"].as_str()), ("100", "is:unresolved"));
        let from: usize = asked.get("cursor").map_or(0, |cursor| cursor.split(':').nth(1).unwrap().parse().unwrap());
        let page: Vec<Json> = (from..230).take(100).map(|id| json!({ "id": id.to_string() })).collect();
        let link = |name: &str, to: usize, has_more: bool| {
            let at = "https://sentry.io/api/0/organizations/shop/issues/?limit=100";
            format!("<{at}&cursor=0:{to}:0>; rel=\"{name}\"; results=\"{has_more}\"; cursor=\"0:{to}:0\"")
        };
        let links = [link("previous", from.saturating_sub(100), from > 0), link("next", from + 100, from + 100 < 230)].join(", ");
        ResponseTemplate::new(200).set_body_json(page).insert_header("link", links)
    };
    runtime.block_on(Mock::given(path("/api/0/organizations/shop/issues/")).respond_with(issues).expect(3).mount(&server));
    let deploys: Vec<Json> = (0..100).map(|id| json!({ "id": id })).collect();
    let next = format!("<{}/sites/shop/deploys?page=2&per_page=100>; rel=\"next\"", server.uri());
    let deploys = ResponseTemplate::new(200).set_body_json(deploys).insert_header("link", next);
    runtime.block_on(Mock::given(path("/sites/shop/deploys")).respond_with(deploys).expect(1).mount(&server));
    let house = House::of(MANY, &[("TOKEN", "a-token"), ("SERVICE", &server.uri())]);
    let told = house.run(&["check", "--all", "--json"]).ends(2).json();
    for (name, severity, reading) in [("check.issues", "red", "230"), ("check.deploys", "green", "100")] {
        let alert = of(&told, "alerts", name);
        assert_eq!((&alert["severity"], &alert["reading"]), (&severity.into(), &reading.into()), "{alert}");
    }
}
