//! Each way out of the program that needs no process of its own: what comes out of it when hostile text goes in.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::{Terminal, backend::TestBackend, buffer::Buffer, layout::Size};
use wheelhouse::{
    domain::{
        self,
        amendment::Amendment,
        id::Id,
        money::Currency,
        pack::{Action, Confirm, Effect, EffectKind},
        plan::{Order, Standing, Target},
        planning::{self, Setting},
        rows::{Params, Rows},
        snapshot::{Failure, Item, Items, JournalLine},
        template::Template,
        text::{self, Text},
        value::Value,
    },
    engine::message::Event,
    ui::{
        self, Cmd, Model, Msg,
        paint::{self, Paper},
        terminal::Canvas,
        theme::{Background, Depth, Theme},
    },
};

use super::oracle;
use crate::screens::fixture;

/// Offences of one text at the door alone.
pub fn door(hostile: &str) -> Vec<String> {
    oracle::offence(Text::new(hostile).shown()).map(|offence| format!("door: {offence}")).into_iter().collect()
}

/// Offences of one text at the door and at every way out that takes a text alone.
pub fn plain(hostile: &str) -> Vec<String> {
    let text = Text::new(hostile);
    let value = Value::text(hostile);
    let json = serde_json::json!({ hostile: [hostile] });
    let safe_json = text::safe_json(&json.to_string()).into_owned();
    let mut offences: Vec<String> = [
        ("shown", oracle::offence(text.shown())),
        (
            "one line",
            oracle::offence(&text.one_line()).or_else(|| text.one_line().contains('\n').then(|| "two lines".to_owned())),
        ),
        ("display", oracle::offence(&format!("{text}"))),
        ("debug", oracle::offence(&format!("{text:?}"))),
        ("a cell's words", oracle::offence(&value.to_string())),
        ("a JSON cell's words", oracle::offence(&Value::Json(json.clone()).to_string())),
        ("JSON", oracle::offence(&safe_json)),
        ("CSV", oracle::offence_in_cell(&text::csv_cell(hostile))),
        ("spoken", oracle::offence(&text::spoken(hostile))),
    ]
    .into_iter()
    .filter_map(|(way, offence)| offence.map(|offence| format!("{way}: {offence}")))
    .collect();
    if serde_json::from_str::<serde_json::Value>(&safe_json).ok() != Some(json) {
        offences.push(format!("JSON: it no longer says the same: {safe_json}"));
    }
    offences
}

/// The order of a mail and of a message in which the row's words are said.
pub fn outgoing(hostile: &str) -> Vec<String> {
    let template = |text: &str| Template::parse(text).unwrap();
    let said = "{{ name }} and {{ more.name }}";
    let kinds = [
        EffectKind::Mail { on: Id::new("mail"), to: template("a@b.example"), subject: template(said), body: template(said) },
        EffectKind::Webhook { on: Id::new("hook"), text: template(said) },
        EffectKind::Amend {
            on: Id::new("stripe"),
            object: "id".to_owned(),
            change: Amendment::Stage,
            evidence: vec![("uncategorized_text".to_owned(), template(said))],
        },
    ];
    let action = Action {
        id: Id::new("tell"),
        title: "Tell".to_owned(),
        key: None,
        effects: kinds.into_iter().map(|kind| Effect { kind, said: template("tell {{ name }}") }).collect(),
        guards: Vec::new(),
        inputs: Vec::new(),
        undo: None,
        confirm: Confirm::Key,
        stops_at_unknown: false,
        hold: std::time::Duration::ZERO,
        amount: None,
        fresh: Vec::new(),
        unchanged: Vec::new(),
        label: Some(template("{{ name }}")),
        covers: Vec::new(),
    };
    let row = Params::from([
        ("name".to_owned(), Value::text(hostile)),
        ("more".to_owned(), Value::Json(serde_json::json!({ "name": hostile }))),
    ]);
    let setting = Setting {
        livemode: false,
        account: "",
        currency: Currency::from_code("AUD").unwrap(),
        timezone: wheelhouse::domain::zone::Zone::UTC,
        operator: "jo",
        now: DateTime::UNIX_EPOCH,
        batch: None,
        claim: None,
    };
    let target = Target { queue: None, key: "k".to_owned() };
    let Ok(plan) = planning::make(&action, target, row, &Params::new(), &[], &setting) else { return Vec::new() };
    let mut texts = vec![plan.label.shown().to_owned()];
    for step in &plan.steps {
        texts.push(step.said.shown().to_owned());
        match &step.order {
            Order::Mail { to, subject, body, .. } => texts.extend([to.clone(), subject.clone(), body.clone()]),
            Order::Webhook { text, .. } => texts.push(text.clone()),
            Order::Amend { evidence, .. } => texts.extend(evidence.values().cloned()),
            Order::Sql { .. }
            | Order::Refund { .. }
            | Order::Http { .. }
            | Order::Event { .. }
            | Order::Proof { .. }
            | Order::Firestore { .. } => {}
        }
    }
    texts.iter().filter_map(|text| oracle::offence(text)).map(|offence| format!("mail or message: {offence}")).collect()
}

/// A business in which everything that comes from outside is hostile.
fn cockpit(words: &[String]) -> Model {
    let mut next = words.iter().cycle();
    let mut hostile = move || next.next().cloned().unwrap_or_default();
    let mut snapshot = fixture::snapshot();
    let now = fixture::now();
    for alert in &mut snapshot.alerts {
        let alert = Arc::make_mut(alert);
        alert.detail = Text::new(hostile());
        alert.failure = Some(failure(&hostile()));
    }
    let rows = words.iter().map(|words| vec![Value::text(words.as_str()), Value::text(words.as_str()), Value::Integer(1)]);
    let rows = Rows::new(["id", "text", "stars"].map(str::to_owned), rows.collect::<Vec<_>>()).into_rows();
    let items: Vec<_> = rows
        .into_iter()
        .map(|row| {
            let key = row.find("id").map(Value::original).unwrap_or_default();
            Arc::new(Item {
                key,
                row,
                since: None,
                deadline: None,
                presets: Vec::new(),
                barred: vec![(Id::new("approve"), Text::new(hostile()))],
            })
        })
        .collect();
    for queue in &mut snapshot.queues {
        Arc::make_mut(queue).look.value = Some(Arc::new(Items { items: items.clone(), ..Items::default() }));
    }
    for job in &mut snapshot.jobs {
        let look = &mut Arc::make_mut(job).look;
        if let Some(health) = look.value.as_mut().map(Arc::make_mut) {
            health.runs.iter_mut().for_each(|run| run.error = Some(Text::new(hostile())));
            health.effect = vec![("expired".to_owned(), Value::text(hostile()))];
        }
    }
    for report in &mut snapshot.reconciliations {
        if let Some(statement) = Arc::make_mut(report).look.value.as_mut().map(Arc::make_mut) {
            for discrepancy in &mut statement.discrepancies {
                discrepancy.said = Text::new(hostile());
                discrepancy.key = hostile();
                discrepancy.theirs.iter_mut().for_each(|entry| entry.key = hostile());
            }
        }
    }
    for flag in &mut snapshot.flags {
        Arc::make_mut(flag).look.value = Some(Arc::new(Value::text(hostile())));
    }
    snapshot.sources.iter_mut().for_each(|source| source.failure = Some(failure(&hostile())));
    let line = |sequence| JournalLine {
        sequence,
        at: now,
        who: hostile(),
        word: "NOTE".to_owned(),
        said: Text::new(hostile()),
        severity: domain::severity::Severity::Green,
    };
    let lines: Vec<_> = (1..=20).map(line).collect();
    snapshot.journal = lines.into();
    let mut model = Model::new(Arc::new(fixture::pack()), fixture::shown(), Some(Arc::new(snapshot)));
    for (at, words) in words.iter().take(6).enumerate() {
        tell(&mut model, Event::Notice { said: Text::new(words.as_str()), is_error: at % 2 == 0 });
        let target = fixture::target("reviews", words);
        let mut receipt = fixture::receipt(&target, Standing::Unknown);
        receipt.label = Text::new(words.as_str());
        receipt.said = Text::new(words.as_str());
        tell(&mut model, Event::Receipt(receipt));
    }
    model
}

fn failure(words: &str) -> Failure {
    Failure { said: Text::new(words), since: fixture::now() - TimeDelta::minutes(3), tries: 2, next_try: None }
}

fn tell(model: &mut Model, event: Event) -> Vec<Cmd> {
    ui::update(model, Msg::Event(event), fixture::now())
}

fn press(model: &mut Model, key: &str) -> Vec<Cmd> {
    let (code, modifiers) = match key {
        "enter" => (KeyCode::Enter, KeyModifiers::NONE),
        "ctrl-s" => (KeyCode::Char('s'), KeyModifiers::CONTROL),
        other => (KeyCode::Char(other.chars().next().unwrap()), KeyModifiers::NONE),
    };
    ui::update(model, Msg::Key(KeyEvent::new(code, modifiers)), fixture::now())
}

/// The panes that are drawn, each by its keys; each also gives its file and its row for the clipboard.
pub const VIEWS: [&str; 12] =
    ["", "2 enter", "2 enter enter", "2 enter p", "2 enter F", "1 w", "3 enter", "4 enter", "5 enter", "8 enter", "!", "D"];

/// Offences of one view over a hostile business: the buffer, the terminal's bytes, text, ANSI, SVG, CSV and clipboard.
pub fn screen(view: &str, words: &[String]) -> Vec<String> {
    let mut model = cockpit(words);
    let now: DateTime<Utc> = fixture::now();
    let (width, height) = (160, 50);
    ui::update(&mut model, Msg::Resize(width, height), now);
    let mut cmds = Vec::new();
    for key in view.split_whitespace() {
        cmds.extend(press(&mut model, key));
    }
    let theme = Theme::plain();
    let mut canvas = Canvas::new(Size::new(width, height), Depth::Full);
    let bytes = canvas.frame(|screen| ui::draw(&model, screen, &theme, now)).unwrap_or_default();
    let mut plain = Terminal::new(TestBackend::new(width, height)).unwrap();
    plain.draw(|frame| ui::view(&model, frame, &theme, now)).unwrap();
    let buffer = plain.backend().buffer();
    let svg = paint::svg(buffer, &Paper { background: Background::Dark, title: "hostile".to_owned() });
    let mut offences: Vec<(&str, Option<String>)> = vec![
        ("buffer", in_cells(buffer)),
        ("terminal", oracle::offence_to_terminal(&bytes)),
        ("text", oracle::offence(&paint::text(buffer))),
        ("ANSI", oracle::offence_to_terminal(&paint::ansi(buffer, Depth::Full))),
        ("SVG", oracle::offence(&svg)),
    ];
    for key in ["Y", "y", "ctrl-s"] {
        cmds.extend(press(&mut model, key));
    }
    for cmd in cmds {
        match cmd {
            // Tabs part the cells.
            Cmd::Copy(copied) => offences.extend(copied.split('\t').map(|cell| ("clipboard", oracle::offence(cell)))),
            Cmd::Export { name, content } => {
                offences.push(("file name", oracle::offence(&name)));
                let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(content.as_bytes());
                for record in reader.records() {
                    let record = record.unwrap();
                    offences.extend(record.iter().map(|cell| ("export", oracle::offence_in_cell(cell))));
                }
            }
            Cmd::Ask(_) | Cmd::Redraw | Cmd::Suspend | Cmd::Quit => {}
        }
    }
    offences.into_iter().filter_map(|(way, offence)| Some(format!("{way} at `{view}`: {}", offence?))).collect()
}

fn in_cells(buffer: &Buffer) -> Option<String> {
    buffer.content.iter().find_map(|cell| oracle::offence(cell.symbol()))
}
