//! Every way in which an adapter can fail, driven straight: reads, acts, looks, questions, preparations, and what each
//! type says of itself.

use std::{fs, os::unix::fs::PermissionsExt as _, panic, path::Path, sync::Arc};

use futures_util::{StreamExt as _, stream};
use wheelhouse::{
    adapters::{self, Environment},
    domain::{
        id::Id,
        journal::Act,
        money::{Currency, Money},
        pack::{Action, Pack, Query},
        plan::{ActionId, Order, Target},
        planning::{self, Setting},
        rows::Params,
        value::Value,
    },
    pack::{self, Loaded},
    ports::{Connections, Mark},
};

use super::{
    canaries::{PROGRAM_SECRET, all, sung},
    services::ANSWERS,
    shop::Shop,
};

/// One path: where it failed, and all that it said.
struct Failing {
    name: String,
    said: String,
}

fn load(shop: &Shop) -> Loaded {
    pack::parse("canaries.toml", &shop.pack, &|_| Err("there is none".to_owned())).unwrap_or_else(|problems| panic!("{problems}"))
}

fn environment(shop: &Shop) -> Environment {
    shop.variables.iter().fold(Environment::default(), |environment, (name, value)| environment.with(name, value))
}

#[test]
fn no_error_of_an_adapter_tells_a_secret() {
    every_path();
}

pub fn every_path() {
    let home = tempfile::TempDir::new().unwrap();
    let shop = Shop::open(home.path());
    adapters::install_tls();
    let loaded = load(&shop);
    let connections = adapters::open(&loaded.pack, &environment(&shop)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut paths = runtime.block_on(drive(&loaded.pack, &connections));
    paths.extend(wrong_places(home.path()));
    paths.extend(selves(&shop, &loaded, &connections));
    let leaks: Vec<String> = paths
        .iter()
        .filter(|path| !sung(path.said.as_bytes()).is_empty())
        .map(|path| format!("{}: {:?} in {}", path.name, sung(path.said.as_bytes()), path.said))
        .collect();
    assert!(leaks.is_empty(), "{} of {} paths leak\n{}", leaks.len(), paths.len(), leaks.join("\n"));
    // What never came along would prove nothing: it was repeated, and taken out.
    for of in ["signed_", "vercel_", "netlify_", "sentry_", "page_", "tool_err", "tool_out"] {
        let is_told = |path: &&Failing| path.name.contains(of) && path.said.contains("***");
        assert!(paths.iter().any(|path| is_told(&path)), "nobody repeated the secret of {of}");
    }
    println!("{} error paths, {} canaries: none seen", paths.len(), all().len());
    assert!(paths.len() >= 500, "{}", paths.len());
    assert!(paths.iter().all(|path| !path.said.is_empty()), "a path that says nothing proves nothing");
    is_told_to_no_command(home.path());
}

/// The command that prints a secret sees none of the others, neither in its environment nor in its words.
fn is_told_to_no_command(home: &Path) {
    for seen in ["environ.seen", "cmdline.seen"] {
        let bytes = fs::read(home.join(seen)).unwrap();
        assert!(!bytes.is_empty() && sung(&bytes).is_empty(), "{seen}: {:?}", sung(&bytes));
    }
    is_told_to_no_program(home);
}

/// A program of a connection has what the pack gives it in its environment, and that is all.
pub fn is_told_to_no_program(home: &Path) {
    let seen = |name: &str| fs::read(home.join(name)).unwrap();
    assert_eq!(sung(&seen("environ.of_program")), [PROGRAM_SECRET.what]);
    assert_eq!(sung(&seen("cmdline.of_program")), Vec::<&str>::new());
}

fn queries(pack: &Pack) -> Vec<(String, Query)> {
    pack.checks.iter().map(|check| (check.id.to_string(), check.query.clone())).collect()
}

async fn drive(pack: &Arc<Pack>, connections: &Connections) -> Vec<Failing> {
    let queries = queries(pack);
    let reads = queries.iter().map(|(name, query)| async move {
        let system = connections.find(&query.on).unwrap();
        let (read, prepared) = (system.read(query, &Params::new()).await, system.prepare(query).await);
        let shown = match &read {
            Ok(rows) => rows
                .clone()
                .into_rows()
                .iter()
                .flat_map(|row| row.cells().map(|(_, cell)| format!("{cell} {}", cell.original())).collect::<Vec<_>>())
                .collect(),
            Err(error) => error.to_string(),
        };
        Failing { name: format!("read {name}"), said: format!("{read:?} {shown} {prepared:?}") }
    });
    let acts =
        pack.actions.iter().flat_map(|action| orders(action).into_iter().map(move |(way, order)| (action, way, order))).map(
            |(action, way, order)| async move {
                let system = connections.find(order.connection()).unwrap();
                let mark = Mark {
                    action: ActionId("a".repeat(64)),
                    step: 0,
                    attempt: 1,
                    target: "t1".to_owned(),
                    operator: "jo".to_owned(),
                };
                let (outcome, found) = (system.act(&order, &mark).await, system.look_up(&order, &mark).await);
                let more = (system.ownership().await, system.inspect().await);
                let said = format!("{outcome:?} {found:?} {more:?} {}", serde_json::to_string(&(&outcome, &found)).unwrap());
                Failing { name: format!("act {} {way}", action.id), said }
            },
        );
    let mut paths: Vec<Failing> = stream::iter(reads).buffer_unordered(24).collect().await;
    paths.extend(stream::iter(acts).buffer_unordered(24).collect::<Vec<_>>().await);
    paths
}

/// What an action would send; a request asks for each failing answer in turn.
fn orders(action: &Action) -> Vec<(String, Order)> {
    let ways: &[&str] = if action.id.as_str().starts_with("tell_") { &ANSWERS } else { &["t1"] };
    let setting = Setting {
        livemode: true,
        account: "",
        currency: Currency::from_code("AUD").unwrap(),
        timezone: wheelhouse::domain::zone::Zone::UTC,
        operator: "jo",
        now: chrono::DateTime::UNIX_EPOCH,
        batch: None,
        claim: None,
    };
    let none: &[Act] = &[];
    ways.iter()
        .map(|way| {
            let row = Params::from([
                ("id".to_owned(), Value::text(*way)),
                ("charge".to_owned(), Value::text("ch_1")),
                ("amount".to_owned(), Value::Money(Money::new(2200, setting.currency))),
            ]);
            let target = Target { queue: Some(Id::new("things")), key: (*way).to_owned() };
            let plan = planning::make(action, target, row, &Params::new(), none, &setting).unwrap();
            ((*way).to_owned(), plan.steps[0].order.clone())
        })
        .collect()
}

/// Secrets that cannot be fetched, and addresses that are none.
fn wrong_places(home: &Path) -> Vec<Failing> {
    let mut paths = Vec::new();
    for (at, canary) in all().iter().enumerate() {
        let file = home.join(format!("open{at}"));
        fs::write(&file, canary.core).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let shown = file.display();
        let ways = [
            format!("key_file = \"{shown}\""),
            format!("key_file = \"{shown}/none\""),
            format!("key_command = [\"sh\", \"-c\", \"cat {shown}; cat {shown} >&2; exit 3\"]"),
            format!("key_command = [\"/no/such/{at}\"]"),
            "key_command = [\"true\"]".to_owned(),
        ];
        for (way, given) in ways.iter().enumerate() {
            let text = format!(
                "[pack]\ntitle = \"x\"\ntimezone = \"UTC\"\ncurrency = \"AUD\"\n[connections]\nstripe.stripe = {{ {given}, livemode = true }}\n"
            );
            let loaded = pack::parse("x.toml", &text, &|_| Err(String::new())).unwrap_or_else(|problems| panic!("{problems}"));
            let opened = adapters::open(&loaded.pack, &Environment::process());
            paths.push(Failing { name: format!("fetch {} {way}", canary.what), said: format!("{opened:?}") });
        }
        let core = canary.core;
        let wrong = [
            ("sql", "url_env = \"X\"".to_owned(), format!("oracle://app:{core}@db/app")),
            ("sql", "url_env = \"X\"".to_owned(), format!("postgres://app:{core}@[::1/app")),
            ("http", "url_env = \"X\"".to_owned(), format!("ftp://app:{core}@site")),
            ("http", "url_env = \"X\"".to_owned(), format!("http://app:{core}@[site")),
            ("smtp", "url_env = \"X\", from = \"a@b.example\"".to_owned(), format!("smtps://app:{core}@")),
            ("smtp", "url_env = \"X\", from = \"a@b.example\"".to_owned(), format!("gopher://app:{core}@mail")),
            ("webhook", "url_env = \"X\"".to_owned(), format!("hooks.example/{core}")),
            ("webhook", "url_env = \"X\"".to_owned(), format!("https://{core}:99999/x")),
            ("firestore", "project = \"p\", credentials_env = \"X\"".to_owned(), format!("not {core}")),
            (
                "firestore",
                "project = \"p\", credentials_env = \"X\"".to_owned(),
                format!(
                    "{{\"type\":\"service_account\",\"client_email\":\"a@b.example\",\"token_uri\":\"https://a.example/{core}?{core}\",\"private_key\":\"-----BEGIN PRIVATE KEY-----\\n{core}\\n-----END PRIVATE KEY-----\"}}"
                ),
            ),
            (
                "http",
                "url = \"http://127.0.0.1\", headers = { authorization_env = \"X\" }".to_owned(),
                format!("Bearer {core}\u{1}x"),
            ),
        ];
        for (way, (kind, given, value)) in wrong.into_iter().enumerate() {
            let text = format!(
                "[pack]\ntitle = \"x\"\ntimezone = \"UTC\"\ncurrency = \"AUD\"\n[connections]\nit.{kind} = {{ {given} }}\n"
            );
            let loaded = pack::parse("x.toml", &text, &|_| Err(String::new())).unwrap_or_else(|problems| panic!("{problems}"));
            let opened = adapters::open(&loaded.pack, &Environment::default().with("X", value));
            assert!(opened.is_err(), "{kind} {way}");
            paths.push(Failing { name: format!("open {kind} {way} {}", canary.what), said: format!("{opened:?}") });
        }
        // A secret in the pack itself, where only its place may be named.
        let written = format!(
            "[pack]\ntitle = \"x\"\ntimezone = \"UTC\"\ncurrency = \"AUD\"\n[connections]\nstripe.stripe = {{ key_env = \"sk_live_{core}\", livemode = true }}\ndb.sql = {{ url = \"postgres://app:{core}@db/app\" }}\n"
        );
        let problems = pack::parse("x.toml", &written, &|_| Err(String::new())).unwrap_err();
        paths.push(Failing {
            name: format!("written {}", canary.what),
            said: format!("{problems}\n{}\n{}", problems.in_colour(), problems.to_json()),
        });
    }
    paths
}

/// What every type says of itself, and what a panic over it would say.
fn selves(shop: &Shop, loaded: &Loaded, connections: &Connections) -> Vec<Failing> {
    let environment = environment(shop);
    let mut said = vec![
        ("environment", format!("{environment:?}")),
        ("pack", format!("{:?}", loaded.pack)),
        ("loaded", format!("{loaded:?}")),
        ("connections", format!("{connections:?}")),
        ("marked", format!("{:?}", adapters::marked(&loaded.pack, &environment))),
    ];
    let words = format!("{environment:?} {connections:?} {:?}", loaded.pack.connections);
    let panicked = panic::catch_unwind(panic::AssertUnwindSafe(|| panic!("{words}"))).unwrap_err();
    said.push(("panic", panicked.downcast_ref::<String>().unwrap().clone()));
    said.into_iter().map(|(name, said)| Failing { name: name.to_owned(), said }).collect()
}
