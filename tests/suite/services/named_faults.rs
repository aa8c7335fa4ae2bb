//! The same faults behind Sentry, Netlify and a status page, in documents and behind programs: no look at them is green, and no
//! act is lost nor doubled.

use std::{fmt::Write as _, fs, sync::atomic::Ordering};

use wheelhouse::{
    adapters::{self, Environment},
    domain::{id::Id, pack::EffectKind, plan::ActionId, plan::Order, rows::Params},
    pack::parse,
    ports::{Mark, Outcome},
};

use super::{
    HEAD, House,
    faults::{FAULTS, Failing, Fault, LIMIT, TABLE, TOKEN, words},
    of, runtime,
};
use crate::partners::authority::Authority;

#[test]
fn no_fault_of_a_named_service_is_green_and_each_says_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let Some(authority) = Authority::new(&home.path().join("authority")) else { return };
    let services: Vec<_> = FAULTS.iter().map(|fault| Failing::http(*fault, &authority)).collect();
    let (mut connections, mut checks) = ("[connections]\n".to_owned(), String::new());
    for (at, service) in services.iter().enumerate() {
        let reached = format!("url = \"{}\", timeout = \"{LIMIT}\"", service.address);
        // Writing to a String cannot fail.
        let _ = write!(
            connections,
            "errors{at}.sentry = {{ token_env = \"TOKEN\", organization = \"shop\", {reached} }}\n\
             pages{at}.netlify = {{ token_env = \"TOKEN\", site = \"shop\", {reached} }}\n\
             status{at}.statuspage = {{ {reached} }}\n"
        );
        for (name, read, value, red) in [
            ("errors", format!("sentry = {{ on = \"errors{at}\", list = \"errors\" }}"), "errors", "above = 5"),
            ("pages", format!("netlify = {{ on = \"pages{at}\", list = \"functions\" }}"), "rows", "above = 9"),
            ("status", format!("statuspage = {{ on = \"status{at}\" }}"), "indicator", "is = \"major\""),
        ] {
            let _ = writeln!(
                checks,
                "[checks.{name}{at}]\ntitle = \"{name} {at}\"\nread.{read}\nvalue = \"{value}\"\nred = {{ {red} }}"
            );
        }
    }
    let pack = format!("{connections}{checks}");
    let ran = House::of(&pack, &[("TOKEN", TOKEN)]).run(&["check", "--all", "--json"]).ends(3);
    assert!(!ran.out.contains("canary") && !ran.errors.contains("canary"), "{ran:?}");
    let told = ran.json();
    for (at, (said, _)) in TABLE.iter().enumerate() {
        for name in ["errors", "pages", "status"] {
            let alert = of(&told, "alerts", &format!("check.{name}{at}"));
            assert_eq!(alert["severity"], "unknown", "{:?}: {alert}", FAULTS[at]);
            let failure = alert["failure"].as_str().unwrap_or_default();
            assert!(failure.contains(said), "{:?} {name}: {failure}", FAULTS[at]);
        }
    }
}

#[test]
fn no_fault_loses_or_doubles_a_build() {
    let home = tempfile::tempdir().unwrap();
    let Some(authority) = Authority::new(&home.path().join("authority")) else { return };
    adapters::install_tls();
    for (fault, (_, ends)) in FAULTS.iter().zip(TABLE) {
        let service = Failing::http(*fault, &authority);
        let source = format!(
            "{HEAD}[connections]\npages.netlify = {{ token_env = \"TOKEN\", site = \"shop\", url = \"{}\", timeout = \"{LIMIT}\" }}\n\
             [actions.build]\ntitle = \"Build\"\ndo.netlify = {{ on = \"pages\", run = \"build\" }}\n",
            service.address
        );
        let pack = parse("house.toml", &source, &|_| Err("no files".into())).unwrap_or_else(|problems| panic!("{problems}")).pack;
        let EffectKind::Http { on, method, path, find, proofs, .. } = pack.actions[0].effects[0].kind.clone() else { panic!() };
        let path = path.render(&Params::new()).unwrap();
        let order = Order::Http { on, method, path, body: None, find, proofs };
        let opened = adapters::open(&pack, &Environment::default().with("TOKEN", TOKEN)).unwrap();
        let mark = Mark { action: ActionId("act".into()), step: 0, attempt: 1, target: "t".into(), operator: "op".into() };
        let outcome = runtime().block_on(opened.find(&Id::new("pages")).unwrap().act(&order, &mark));
        let (kind, said) = ends[0];
        let (found, told) = (format!("{outcome:?}"), words(&outcome));
        assert!(found.starts_with(kind) && told.contains(said) && !found.contains("canary"), "{fault:?}: {found}");
        let came = service.acts.load(Ordering::SeqCst);
        let expected = *fault == Fault::Denied || matches!(outcome, Outcome::Unknown(_) | Outcome::Confirmed(_));
        assert_eq!(came, usize::from(expected), "{fault:?}: {found}");
    }
}

const DOCUMENTS: &str = r#"
[connections]
docs.firestore = { project = "shop", timeout = "3s" }
[checks.stuck]
title = "Stuck"
read.firestore = { on = "docs", collection = "jobs", count = "stuck" }
value = "stuck"
red = { above = 9 }
[checks.listed]
title = "Listed"
read.firestore = { on = "docs", collection = "jobs" }
value = "rows"
red = { above = 9 }
"#;

#[test]
fn no_fault_of_a_database_of_documents_is_green() {
    let home = tempfile::tempdir().unwrap();
    let Some(authority) = Authority::new(&home.path().join("authority")) else { return };
    for (fault, said) in [
        (Fault::Refused, "nobody answers"),
        (Fault::DripsThen, ""),
        (Fault::Garbage, "nobody answers"),
        (Fault::Page, "a page of HTML: Please log in"),
        (Fault::Huge, "bigger than 5 MiB"),
        (Fault::Denied, "answered 401"),
    ] {
        let service = Failing::http(fault, &authority);
        let host = service.address.trim_start_matches("http://");
        let told = House::of(DOCUMENTS, &[("FIRESTORE_EMULATOR_HOST", host)]).run(&["check", "--all", "--json"]).ends(3).json();
        for name in ["check.stuck", "check.listed"] {
            let alert = of(&told, "alerts", name);
            assert_eq!(alert["severity"], "unknown", "{fault:?}: {alert}");
            let failure = alert["failure"].as_str().unwrap_or_default();
            assert!(!failure.is_empty() && failure.contains(said), "{fault:?} {name}: {failure}");
        }
    }
}

#[test]
fn no_fault_of_a_program_is_green() {
    let faults = [
        ("exit 0", "it printed nothing"),
        ("echo 'FATAL: password authentication failed' >&2; exit 2", "ended with 2 after"),
        ("echo id; while :; do echo 1; sleep 0.1; done", "no answer within 1 s"),
        ("printf '<html>'; printf '\\0\\n1,2\\n'", "not CSV"),
        ("kill -s KILL $$", "was ended by SIGKILL"),
        ("yes id", ""),
    ];
    let home = tempfile::tempdir().unwrap();
    let mut pack =
        "[connections]\ntool.command = { program = \"sh\", timeout = \"1s\" }\ngone.command = { program = \"no-such-tool\" }\n"
            .to_owned();
    let check = |name: &str, read: &str| {
        format!(
            "[checks.{name}]\ntitle = \"{name}\"\nread.command = {{ {read}, format = \"csv\" }}\nvalue = \"rows\"\nred = {{ above = 9 }}\n"
        )
    };
    for (at, (line, _)) in faults.iter().enumerate() {
        let script = home.path().join(format!("{at}.sh"));
        fs::write(&script, line).unwrap();
        pack.push_str(&check(&format!("tool{at}"), &format!("on = \"tool\", args = [\"{}\"]", script.display())));
    }
    pack.push_str(&check("gone", "on = \"gone\", args = [\"list\"]"));
    let told = House::in_home(home, &pack, &[]).run(&["check", "--all", "--json"]).ends(3).json();
    let expected = faults.iter().enumerate().map(|(at, (_, said))| (format!("check.tool{at}"), *said));
    for (name, said) in expected.chain([("check.gone".to_owned(), "there is no program `no-such-tool`")]) {
        let alert = of(&told, "alerts", &name);
        assert_eq!(alert["severity"], "unknown", "{alert}");
        let failure = alert["failure"].as_str().unwrap_or_default();
        assert!(!failure.is_empty() && failure.contains(said), "{name}: {failure}");
    }
}
