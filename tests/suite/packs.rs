//! Packs: good ones become what they say, wrong ones are answered where they are wrong.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value as Json;
use sqlx::{Column as _, Connection as _, Executor as _, SqlSafeStr as _, Statement as _};
use wheelhouse::{
    domain::{
        id::Id,
        pack::{
            self, Bound, Class, Comparison, Confirm, ConnectionKind, EffectKind, GuardRule, MessageFormat, Read, SecretSource,
            Target, WindowClock,
        },
        rows::Params,
        value::Value,
    },
    pack::{Columns, Loaded, Problems, load, parse, schema},
};

fn packs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packs")
}

fn shop() -> Loaded {
    load(&packs().join("shop/pack.toml")).unwrap_or_else(|problems| panic!("{problems}"))
}

fn read(text: &str) -> Result<Loaded, Problems> {
    parse("wrong.toml", text, &|name| if name == "there.md" { Ok("# There".into()) } else { Err("no such file".into()) })
}

#[test]
fn the_shop_is_what_its_file_says() {
    let pack = shop().pack;
    assert_eq!((pack.name.as_str(), pack.title.as_str(), pack.currency.code()), ("shop", "Tea & Kettle", "EUR"));
    assert_eq!(pack.timezone, "Europe/Vienna".parse().unwrap());
    let [db] = pack.connections.as_slice() else { panic!("{:?}", pack.connections) };
    assert_eq!(db.timeout, Duration::from_secs(5));
    assert!(matches!(&db.kind, ConnectionKind::Sql { url: SecretSource::Environment(name), marks: Some(marks), .. }
        if name == "SHOP_DATABASE_URL" && marks == "operator_actions"));

    let low = &pack.checks[0];
    assert_eq!(low.id.as_str(), "stock_low");
    let red = low.red.as_ref().unwrap();
    assert_eq!((red.comparison, &red.bound, red.holds), (Comparison::Above, &Bound::Number(3.0), Duration::from_mins(10)));
    assert_eq!(low.playbook, Some(Id::new("reorder")));
    assert_eq!((pack.checks[1].every, pack.checks[2].every), (Duration::from_mins(1), Duration::from_mins(1)));
    let Read::Sql(sql) = &pack.checks[2].query.read else { panic!() };
    assert_eq!(sql.parameters, ["week_ago"]);
    assert!(sql.numbered.ends_with("placed_at < $1"));

    let queue = &pack.queues[0];
    assert_eq!(queue.presets.iter().map(|preset| preset.name.as_str()).collect::<Vec<_>>(), ["domestic", "large"]);
    assert_eq!(queue.columns.len(), 5);
    assert_eq!(pack.queues[1].empty, "Nothing waits in Shipped today.");

    let reconciliation = &pack.reconciliations[0];
    assert_eq!(reconciliation.proposals.get(&Class::MissingHere), Some(&Id::new("mark_paid")));
    assert_eq!(pack.metrics[0].target, Some(Target::AtLeast(1000.0)));
    assert_eq!(pack.policy.money_per_day, Some(50_000));
    assert!(pack.playbooks[0].markdown.starts_with("# Stock runs out"));
}

#[test]
fn lists_keep_the_order_of_the_file() {
    let pack = shop().pack;
    let names: Vec<_> = pack.actions.iter().map(|action| action.id.as_str()).collect();
    assert_eq!(names, ["ship", "unship", "cancel", "mark_paid", "job.stocktake"]);
    let names: Vec<_> = pack.checks.iter().map(|check| check.id.as_str()).collect();
    assert_eq!(names, ["stock_low", "orders_waiting", "unpaid"]);
}

#[test]
fn actions_weigh_what_they_touch() {
    let pack = shop().pack;
    let action = |name: &str| pack::find(&pack.actions, &Id::new(name)).unwrap();
    assert_eq!(action("ship").confirm, Confirm::Key);
    assert!(!action("ship").is_final());
    assert_eq!(action("cancel").confirm, Confirm::Count);
    assert_eq!(action("job.stocktake").confirm, Confirm::Typed);
    assert_eq!(action("cancel").effects.len(), 2);
    let guard = &action("cancel").guards[0];
    assert!(matches!(&guard.rule, GuardRule::Within { window, clock: WindowClock::Now, .. } if window.as_secs() == 14 * 86_400));
    let EffectKind::Sql { rows, sql, .. } = &action("unship").effects[0].kind else { panic!() };
    assert_eq!((*rows, sql.parameters.as_slice()), (1, &["id".to_owned()][..]));
    assert_eq!(action("unship").effects[0].said.source(), "update orders, 1 row");
}

/// Money, flags, jobs, mail and messages: the parts that a shop on SQL alone does not have.
const TOWN: &str = r#"
[pack]
title = "Town"
timezone = "Australia/Sydney"
currency = "AUD"
[connections]
stripe.stripe = { key_env = "KEY", url_env = "STRIPE_URL", account = "acct_1", livemode = false }
site.http = { url = "https://town.example", headers = { authorization_env = "TOKEN", accept = "application/json" } }
mail.smtp = { url_env = "MAIL_URL", from = "Town <hello@town.example>" }
hook.webhook = { url_file = "/etc/wheelhouse/hook" }
db.sql = { url = "sqlite:town.db" }
[checks.up]
title = "Site"
read.probe = { on = "site", path = "/health" }
value = "ok"
red = { is = false, for = "2m" }
[flags.mode]
title = "MODE"
read.http = { on = "site", path = "/mode", columns = { value = "/value" } }
column = "value"
values = ["fast", "safe"]
normal = "fast"
set = [
  { http = { on = "site", path = "/mode/{{ value }}", body = '{"value": "{{ value }}", "why": {{ reason | json }}}' } },
  { sql = { on = "db", text = "update settings set mode = :value where name = 'mode'" } },
]
probes = [ { title = "asks", read.probe = { on = "site", path = "/ask", body = '{"q": "x"}', columns = { mode = "/mode" } }, column = "mode", expect = "{{ value }}" } ]
back_when = "up"
[jobs.sweep]
title = "sweep"
schedule = "0 2 * * *"
history.sql = { on = "db", text = "select started_at, status from runs" }
history_columns = { started = "started_at", status = "status", succeeded = "ok" }
run.http = { on = "site", path = "/sweep" }
[actions.refund]
title = "Refund"
key = "F"
do = [
  { stripe = { on = "stripe", refund = "charge_id", amount = "amount" } },
  { smtp = { on = "mail", to = "{{ email }}", subject = "Refund", body = "Dear {{ name }}, {{ amount }} is on its way." } },
]
fresh = [ { stripe = { on = "stripe", list = "charges", id = "{{ charge_id }}" } }, { sql = { on = "db", text = "select status from requests where id = :id" } } ]
guards = [ { title = "in time", within = { column = "bought", window = "72h", clock = "requested_at:asked" } } ]
[actions.go_safe]
title = "Go safe"
do = [ { flag = { set = "mode", to = "safe" } }, { job = { run = "sweep" } }, { webhook = { on = "hook", text = "MODE is safe" } } ]
"#;

#[test]
fn what_an_operator_reads_says_dates_in_the_packs_zone() {
    let watched = r#"
[metrics.sold]
title = "Sold"
read.sql = { on = "db", text = "select began, count(*) as sold from sales" }
value = "sold"
said = "since {{ began | date }}"
[checks.quiet]
title = "Quiet"
read.sql = { on = "db", text = "select began, count(*) as sold from sales" }
value = "sold"
yellow = { below = 1 }
detail = "since {{ began | date }}"
"#;
    let pack = read(&format!("{TOWN}{watched}")).unwrap_or_else(|problems| panic!("{problems}")).pack;
    let began = Params::from([("began".to_owned(), Value::Time("2026-06-18T14:00:00Z".parse().unwrap()))]);
    for template in [&pack.checks[1].detail, &pack.metrics[0].said] {
        let said = template.as_ref().unwrap().render(&began);
        assert_eq!(said.as_deref(), Ok("since Fri 19 Jun 2026, 00:00"));
    }
}

#[test]
fn flags_and_jobs_bring_actions_along_and_lend_their_effects() {
    let pack = read(TOWN).unwrap_or_else(|problems| panic!("{problems}")).pack;
    let names: Vec<_> = pack.actions.iter().map(|action| action.id.as_str()).collect();
    assert_eq!(names, ["refund", "go_safe", "flag.mode", "job.sweep"]);
    let action = |name: &str| pack::find(&pack.actions, &Id::new(name)).unwrap();

    let set = action("flag.mode");
    assert_eq!(set.inputs.iter().map(|input| input.name.as_str()).collect::<Vec<_>>(), ["value", "reason"]);
    assert!(!set.is_final(), "a flip is taken back by the value before");
    assert_eq!(pack.flags[0].set.as_str(), "flag.mode");
    assert_eq!(pack.jobs[0].run, Some(Id::new("job.sweep")));
    assert_eq!(pack.jobs[0].schedule.evaluated_in, "Australia/Sydney".parse().unwrap());

    let safe = action("go_safe");
    assert_eq!((safe.confirm, safe.effects.len()), (Confirm::Typed, 4));
    let EffectKind::Http { path, body: Some(body), .. } = &safe.effects[0].kind else { panic!() };
    assert_eq!(path.render(&Params::new()).as_deref(), Ok("/mode/safe"));
    assert_eq!(body.render(&Params::new()).as_deref(), Ok(r#"{"value": "safe", "why": "Go safe"}"#));
    let EffectKind::Sql { sql, .. } = &safe.effects[1].kind else { panic!() };
    assert_eq!(sql.numbered, "update settings set mode = 'safe' where name = 'mode'");
}

#[test]
fn the_board_is_what_its_file_says() {
    let pack = load(&packs().join("board/pack.toml")).unwrap_or_else(|problems| panic!("{problems}")).pack;
    assert!(
        matches!(&pack.connections[0].kind, ConnectionKind::Firestore { project: SecretSource::Environment(name), database, marks: Some(_), .. }
        if name == "BOARD_PROJECT" && database == "(default)")
    );
    let Read::Firestore(read) = &pack.queues[0].query.read else { panic!() };
    assert_eq!(
        read.said(),
        "collection jobs where status one_of [\"funded\", \"in_progress\"] and updatedAt below {{ week_ago }}"
    );
    assert_eq!(&read.names()[..4], ["id", "path", "create_time", "update_time"]);
    let action = |name: &str| pack::find(&pack.actions, &Id::new(name)).unwrap();
    assert!(!action("reopen").is_final() && action("reopen").confirm == Confirm::Key);
    let said: Vec<_> = action("reopen").effects.iter().map(|effect| effect.said.source()).collect();
    assert_eq!(
        said,
        ["jobs/{{ id }}: reopened.at = the moment of writing, reopened.by = {{ operator }}, reopened.from = {{ status }}, \
          reopened.installer = {{ installer }}, status = \"open\", without installerId"]
    );
    // What is read beside the row's own document brings nothing but its own columns along.
    let Read::Firestore(beside) = &action("ban").fresh[1].read else { panic!() };
    assert_eq!(beside.names(), ["banned", "name", "user_changed"]);
    let Read::Firestore(flag) = &action("flag.enable_payments").fresh[0].read else { panic!() };
    assert_eq!(flag.names(), ["value", "update_time", "path"]);
    assert_eq!(action("flag.enable_payments").undo, Some(Id::new("flag.enable_payments")));
}

#[test]
fn money_is_held_typed_and_counted() {
    let pack = read(TOWN).unwrap_or_else(|problems| panic!("{problems}")).pack;
    let refund = pack::find(&pack.actions, &Id::new("refund")).unwrap();
    assert!(refund.is_final());
    assert_eq!(
        (refund.confirm, refund.hold, refund.amount.as_deref()),
        (Confirm::Typed, Duration::from_secs(10), Some("amount"))
    );
    let names: Params = [("charge_id".to_owned(), Value::text("ch_1")), ("amount".to_owned(), Value::Integer(3))].into();
    assert_eq!(refund.effects[0].said.render(&names).as_deref(), Ok("refund 3 of charge ch_1"));
    assert!(
        matches!(&refund.guards[0].rule, GuardRule::Within { clock: WindowClock::RequestedAt(column), .. } if column == "asked")
    );
    assert_eq!(refund.fresh.len(), 2);
}

/// Every file in `bad` has one mistake (or five, all found at once), and the file beside it says exactly what is answered. With `UPDATE_PACKS` set,
/// the answers are written anew, to be read before they are kept.
#[test]
fn each_mistake_is_answered_where_it_is() {
    let directory = packs().join("bad");
    let mut files: Vec<_> = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    files.sort();
    assert!(files.len() >= 30, "{} wrong packs", files.len());
    let mut wrong = Vec::new();
    for path in files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let Err(problems) =
            parse(&name, &text, &|file| fs::read_to_string(directory.join(file)).map_err(|_| "no such file".into()))
        else {
            wrong.push(format!("{name} is accepted"));
            continue;
        };
        let expected = if name.starts_with("five-") { 5 } else { 1 };
        if problems.len() != expected {
            wrong.push(format!("{name} has {} problems, not {expected}:\n{problems}", problems.len()));
        }
        let said = format!("{problems}\n");
        let answer = path.with_extension("txt");
        if std::env::var_os("UPDATE_PACKS").is_some() {
            fs::write(&answer, &said).unwrap();
        }
        let kept = fs::read_to_string(&answer).unwrap_or_default();
        if said != kept {
            wrong.push(format!("{name} is answered\n{said}\nand not\n{kept}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_problem_begins_with_its_place_and_is_json_as_well() {
    let problems = read("[pack]\ntitle = \"T\"\ntimezone = \"UTC\"\ncurrency = \"XXQ\"\n").unwrap_err();
    assert!(problems.to_string().starts_with("wrong.toml:4:12: there is no currency `XXQ`\n"), "{problems}");
    assert!(problems.in_colour().contains('\u{1b}'));
    let json = problems.to_json();
    assert_eq!((json[0]["line"].as_u64(), json[0]["column"].as_u64()), (Some(4), Some(12)));
    assert_eq!(json[0]["file"], "wrong.toml");
}

#[test]
fn a_statement_that_its_database_refuses_is_shown_where_it_stands() {
    let loaded = shop();
    let said = Problems::for_query(&loaded, "checks.unpaid", "no such column: unpayed").to_string();
    assert!(said.contains("no such column: unpayed") && said.contains("select count(*) as unpaid"), "{said}");
    let said = Problems::for_query(&loaded, "actions.cancel.do[1]", "no such table: cancellations").to_string();
    assert!(said.contains("insert into cancellations"), "{said}");
    let said = Problems::for_query(&loaded, "queues.to_ship.deadline.column", "no column `paid`").to_string();
    assert!(said.contains("column = \"paid_at\""), "{said}");
}

#[test]
fn every_statement_can_be_prepared_and_shown() {
    let loaded = shop();
    let statements = loaded.statements();
    let paths: Vec<_> = statements.iter().map(|statement| statement.path.as_str()).collect();
    for path in [
        "checks.stock_low.read",
        "jobs.stocktake.effect",
        "metrics.revenue.series",
        "actions.ship.fresh[0]",
        "actions.cancel.do[1]",
        "jobs.stocktake.run[0]",
    ] {
        assert!(paths.contains(&path), "{path} in {paths:?}");
    }
    for statement in &statements {
        let Read::Sql(sql) = &statement.query.read else { panic!("{statement:?}") };
        let problems = Problems::for_query(&loaded, &statement.path, "refused");
        let at = problems.iter().next().unwrap();
        let first_line = sql.text.trim_start().lines().next().unwrap();
        let shown = loaded.source.text().get(at.span.start..).unwrap().trim_start_matches(['"', '\n']);
        assert!(shown.starts_with(first_line), "{}: {problems}", statement.path);
    }
}

#[test]
fn columns_that_rows_do_not_have_are_shown_where_they_are_wanted() {
    let loaded = shop();
    let columns = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert!(loaded.check_columns("checks.stock_low.read", &columns(&["low", "least"])).is_empty());
    let said = loaded.check_columns("checks.stock_low.read", &columns(&["lows", "least"])).to_string();
    assert!(said.contains("the rows have no `low`") && said.contains("did you mean `lows`?"), "{said}");
    let problems = loaded.check_columns("queues.to_ship.read", &columns(&["id", "customer", "total", "country", "note"]));
    let said: Vec<_> = problems.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(said, ["the rows have no `paid_at`"; 3], "since, deadline and the list: {problems}");
    let problems = loaded.check_columns("ledgers.payments.read", &columns(&["id", "amount_cents", "received_at", "state"]));
    assert_eq!(problems.len(), 1, "{problems}");
    let problems = loaded.check_columns("jobs.stocktake.history", &columns(&["started_at"]));
    assert_eq!(problems.len(), 4, "{problems}");
}

#[test]
fn what_an_action_takes_and_nothing_gives_is_shown() {
    let loaded = shop();
    let known = |read: &[&str]| {
        let columns = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        [
            ("queues.to_ship.read".to_owned(), columns(read)),
            ("actions.ship.fresh[0]".to_owned(), columns(&["status", "total"])),
            ("ledgers.payments.read".to_owned(), columns(&["id", "order_id", "received_at"])),
            ("ledgers.orders.read".to_owned(), columns(&["id"])),
        ]
        .into()
    };
    assert!(loaded.check_actions(&known(&["id", "customer", "paid_at"])).is_empty());
    let problems = loaded.check_actions(&known(&["id", "client", "paid"]));
    let said: Vec<_> = problems.iter().map(|problem| (problem.label.as_str(), problem.message.as_str())).collect();
    let message = |name: &str| format!("an item of `to_ship`, the inputs and the fresh reads give no `{name}`");
    let expected = [message("customer"), message("paid_at"), message("customer")];
    assert_eq!(said, expected.each_ref().map(|message| ("not there", message.as_str())), "{problems}");
    assert!(loaded.check_actions(&[].into()).is_empty(), "what is not known is not judged");
}

#[test]
fn effects_behind_those_of_a_flag_keep_their_places() {
    let loaded = read(
        &TOWN.replace("{ webhook = {", "{ sql = { on = \"db\", text = \"delete from alarms where id = :id\" } }, { webhook = {"),
    );
    let loaded = loaded.unwrap_or_else(|problems| panic!("{problems}"));
    let statements = loaded.statements();
    let own = statements.iter().find(|statement| statement.path.starts_with("actions.go_safe")).unwrap();
    assert_eq!(own.path, "actions.go_safe.do[2]");
    let said = Problems::for_query(&loaded, &own.path, "no such table: alarms").to_string();
    assert!(said.contains("delete from alarms"), "{said}");
    assert!(statements.iter().any(|statement| statement.path == "flags.mode.set[1]" && statement.changes));
}

#[tokio::test]
async fn the_shop_runs_on_its_own_database() {
    let loaded = shop();
    let mut database = sqlx::SqliteConnection::connect("sqlite::memory:").await.unwrap();
    for file in ["schema.sql", "seed.sql"] {
        let text = fs::read_to_string(packs().join("shop").join(file)).unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&mut database).await.unwrap();
    }
    let mut known = Columns::new();
    for statement in loaded.statements() {
        let Read::Sql(sql) = &statement.query.read else { panic!("{statement:?}") };
        let numbered = sqlx::AssertSqlSafe(sql.numbered.clone()).into_sql_str();
        let prepared = (&mut database).prepare(numbered).await;
        let prepared =
            prepared.unwrap_or_else(|error| panic!("{}", Problems::for_query(&loaded, &statement.path, &error.to_string())));
        let columns: Vec<_> = prepared.columns().iter().map(|column| column.name().to_owned()).collect();
        let problems = loaded.check_columns(&statement.path, &columns);
        assert!(statement.changes || problems.is_empty(), "{problems}");
        assert_eq!(
            prepared.parameters().map_or(0, |known| known.either(<[_]>::len, |count| count)),
            sql.parameters.len(),
            "{}",
            statement.path
        );
        known.insert(statement.path, columns);
    }
    let problems = loaded.check_actions(&known);
    assert!(problems.is_empty(), "{problems}");
}

#[test]
fn a_pack_that_is_not_there_is_said_so() {
    let problems = load(Path::new("/nowhere/pack.toml")).unwrap_err();
    assert_eq!(problems.to_string(), "/nowhere/pack.toml:1:1: cannot be read: No such file or directory (os error 2)");
    assert_eq!(read("").unwrap_err().to_string(), "wrong.toml:1:1: the section `[pack]` is missing");
}

#[test]
fn no_text_makes_the_reader_fall_over() {
    let good = fs::read_to_string(packs().join("shop/pack.toml")).unwrap();
    let cuts = good.char_indices().map(|(at, _)| at).filter(|at| at % 7 == 0);
    for at in cuts {
        if let Err(problems) = read(good.get(..at).unwrap()) {
            assert!(!problems.to_string().is_empty());
        }
    }
    for text in [
        format!("a = {}", "[".repeat(10_000)),
        format!("a{}=1", ".a".repeat(10_000)),
        "{{".repeat(10_000),
        "\u{feff}[pack]".to_owned(),
    ] {
        assert!(!read(&text).unwrap_err().to_string().is_empty());
    }
}

#[test]
fn the_schema_has_every_key_that_packs_use() {
    let schema = schema();
    let whole = |name: &str| fs::read_to_string(packs().join(name)).unwrap();
    for text in [whole("shop/pack.toml"), whole("board/pack.toml"), TOWN.to_owned()] {
        let pack: Json = serde_json::to_value(toml::from_str::<toml::Table>(&text).unwrap()).unwrap();
        let mut unknown = Vec::new();
        walk(&schema, &schema, &pack, "", &mut unknown);
        assert_eq!(unknown, Vec::<String>::new());
    }
    let check = &schema["$defs"]["RawCheck"];
    assert!(check["properties"]["value"]["description"].as_str().unwrap().contains("expression"));
    assert!(check["required"].as_array().unwrap().contains(&"value".into()));
    let text = schema.to_string();
    assert!(!text.contains("null"), "TOML has no null");
}

/// As much of JSON Schema as the pack's own uses.
fn walk(root: &Json, schema: &Json, value: &Json, path: &str, unknown: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return walk(root, &root["$defs"][name], value, path, unknown);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let fits = choices.iter().any(|choice| {
            let mut wrong = Vec::new();
            walk(root, choice, value, path, &mut wrong);
            wrong.is_empty()
        });
        if !fits {
            unknown.push(format!("{path}: none of several shapes"));
        }
        return;
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Json::String(kind) => vec![kind],
        Json::Array(kinds) => kinds.iter().filter_map(Json::as_str).collect(),
        _ => return,
    };
    let kind = match value {
        Json::Object(_) => "object",
        Json::Array(_) => "array",
        Json::String(_) => "string",
        Json::Bool(_) => "boolean",
        Json::Number(number) if number.is_i64() && kinds.contains(&"integer") => "integer",
        Json::Number(_) => "number",
        Json::Null => "null",
    };
    if !kinds.contains(&kind) {
        unknown.push(format!("{path}: {kind} instead of {kinds:?}"));
    }
    for (key, value) in value.as_object().into_iter().flatten() {
        let path = format!("{path}.{key}");
        match (&schema["properties"][key], &schema["additionalProperties"]) {
            (Json::Object(_), _) => walk(root, &schema["properties"][key], value, &path, unknown),
            (_, Json::Object(_)) => walk(root, &schema["additionalProperties"], value, &path, unknown),
            _ => unknown.push(path),
        }
    }
    for value in value.as_array().into_iter().flatten() {
        walk(root, &schema["items"], value, path, unknown);
    }
}

#[test]
fn a_webhook_takes_messages_as_slack_does_unless_it_is_said() {
    for (said, expected) in [
        ("", MessageFormat::Slack),
        (", format = \"slack\"", MessageFormat::Slack),
        (", format = \"plain\"", MessageFormat::Plain),
    ] {
        let head = "[pack]\ntitle = \"Shop\"\ntimezone = \"UTC\"\ncurrency = \"EUR\"\n";
        let pack = format!("{head}[connections]\nhook.webhook = {{ url_env = \"HOOK\"{said} }}\n");
        let loaded = read(&pack).unwrap_or_else(|problems| panic!("{problems}"));
        let ConnectionKind::Webhook { format, .. } = loaded.pack.connections[0].kind else { panic!() };
        assert_eq!(format, expected, "{said}");
    }
}
