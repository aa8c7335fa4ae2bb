//! The cockpit: the model on the terminal's thread, the engine on a thread of its own, messages between them.

use std::{
    collections::VecDeque,
    fs::OpenOptions,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    sync::Arc,
    time::Instant,
};

use ratatui::buffer::Buffer;
use tokio::sync::mpsc;

use super::{business::Opening, clock::CockpitClock, complaint::Complaint};
use crate::{
    cli::output,
    domain::{
        plan::{Receipt, Standing},
        text::Text,
    },
    engine::{
        message::{Event, Request},
        watcher::{Listener, Watcher},
    },
    ports::Clock as _,
    ui::{
        Cmd, Model, Msg,
        terminal::{Closed, Drawn, Ended, Input, Program, Reason, Sender, Settings, Wish, mailbox, run},
        theme::Theme,
    },
};

/// Requests that may wait for the engine; more than a person can type while it is busy.
const REQUESTS: usize = 256;
/// Events that may wait for the screen.
const EVENTS: usize = 256;

/// Everything that the terminal's thread owns.
struct Cockpit {
    model: Model,
    theme: Theme,
    clock: Arc<CockpitClock>,
    requests: mpsc::Sender<Request>,
    wishes: VecDeque<Wish>,
    /// Starts the engine, once the first frame is on its way.
    begin: Option<Box<dyn FnOnce()>>,
    /// Told to end, and waiting for the effect under way.
    leaving: bool,
    /// What went wrong after that: no screen shows it any more.
    parting: Vec<Text>,
}

/// Opens the cockpit and stays until the operator, or the terminal, goes.
pub fn open(opening: Opening, model: Model, theme: Theme, settings: &Settings) -> Result<Ended, Complaint> {
    let (requests, asked) = mpsc::channel(REQUESTS);
    let (sender, mailbox) = mailbox(EVENTS)?;
    let clock = Arc::clone(&opening.clock);
    let begin = Box::new(move || start_engine(opening, asked, sender));
    let mut cockpit = Cockpit {
        model,
        theme,
        clock,
        requests,
        wishes: VecDeque::new(),
        begin: Some(begin),
        leaving: false,
        parting: Vec::new(),
    };
    for clash in cockpit.model.keymap.clashes_with(&cockpit.model.pack) {
        cockpit.update(Msg::Event(Event::Notice { said: Text::new(clash), is_error: true }));
    }
    let ended = run(&mut cockpit, &mailbox, settings)?;
    for said in &cockpit.parting {
        output::complain(&format!("wheelhouse: {}", said.one_line()));
    }
    for receipt in cockpit.model.receipts.iter().filter(|receipt| receipt.standing == Standing::Unknown) {
        let Receipt { title, label, said, .. } = receipt;
        let said = format!("wheelhouse: {title} {}: {}; the next start looks it up", label.one_line(), said.one_line());
        output::complain(&said);
    }
    match cockpit.model.unopened {
        Some(why) if ended == Ended::Quit => Err(Complaint::said(why.shown())),
        Some(_) | None => Ok(ended),
    }
}

fn start_engine(opening: Opening, asked: mpsc::Receiver<Request>, sender: Sender<Event>) {
    let failed = sender.clone();
    let started = std::thread::Builder::new().name("engine".to_owned()).spawn(move || engine(opening, asked, sender));
    if let Err(error) = started {
        let said = Text::new(format!("the engine could not be started: {error}"));
        let _: Result<(), Closed<Event>> = failed.send(Event::Unopened(said));
    }
}

fn engine(opening: Opening, asked: mpsc::Receiver<Request>, sender: Sender<Event>) {
    let listener: Listener = Arc::new(move |event| sender.send(event).is_ok());
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            listener(Event::Unopened(Text::new(format!("the engine could not be started: {error}"))));
            return;
        }
    };
    runtime.block_on(async {
        if let Err(complaint) = watch(opening, asked, Arc::clone(&listener)).await {
            tracing::error!(%complaint, "the business could not be opened");
            let said = match complaint {
                Complaint::Said(words) => words,
                Complaint::Problems(problems) => problems.to_string(),
            };
            listener(Event::Unopened(Text::new(said)));
        }
    });
}

async fn watch(opening: Opening, asked: mpsc::Receiver<Request>, listener: Listener) -> Result<(), Complaint> {
    let mut business = opening.open().await?;
    for warning in business.warnings.drain(..) {
        listener(Event::Notice { said: warning, is_error: true });
    }
    let watcher = Watcher::start(business.ground.clone(), Arc::clone(&listener), business.actor.clone()).await;
    // Looking does not wait for it: what is asked, of whom and since when, is on the screen meanwhile. What it came to, or
    // why it could not be, the acting part tells.
    let actor = business.actor.clone();
    tokio::spawn(async move {
        if let Err(why) = actor.recover().await {
            tracing::warn!(%why, "what an earlier run left is not settled");
        }
    });
    watcher.run(asked, business.acted).await;
    Ok(())
}

impl Cockpit {
    fn update(&mut self, msg: Msg) {
        let now = self.clock.now();
        for cmd in crate::ui::update(&mut self.model, msg, now) {
            self.carry_out(cmd);
        }
    }

    fn carry_out(&mut self, cmd: Cmd) {
        match cmd {
            Cmd::Ask(request) => {
                if let Err(error) = self.requests.try_send(request) {
                    let said = match error {
                        mpsc::error::TrySendError::Full(_) => "the engine is busy: ask again in a moment",
                        mpsc::error::TrySendError::Closed(_) => "the engine has stopped: quit (q) and start again",
                    };
                    self.update(Msg::Event(Event::Notice { said: Text::new(said), is_error: true }));
                }
            }
            Cmd::Copy(text) => self.wishes.push_back(Wish::Copy(text)),
            Cmd::Export { name, content } => {
                let notice = match export(&name, &content) {
                    Ok(path) => Event::Notice { said: Text::new(format!("written to {path}")), is_error: false },
                    Err(error) => {
                        Event::Notice { said: Text::new(format!("{name} could not be written: {error}")), is_error: true }
                    }
                };
                self.update(Msg::Event(notice));
            }
            Cmd::Redraw => self.wishes.push_back(Wish::Repaint),
            Cmd::Suspend => self.wishes.push_back(Wish::Suspend),
            Cmd::Quit => self.leave(),
        }
    }

    /// Asks the engine to finish the effect under way and start none; the end comes with its answer.
    fn leave(&mut self) {
        if self.leaving {
            return;
        }
        self.leaving = true;
        if self.begin.is_some() || self.requests.try_send(Request::Stop).is_err() {
            self.wishes.push_back(Wish::Quit);
        }
    }
}

/// Writes beside where the operator started the cockpit; never over a file that is there.
fn export(name: &str, content: &str) -> io::Result<String> {
    let path = std::env::current_dir()?.join(name);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    file.write_all(content.as_bytes())?;
    Ok(path.display().to_string())
}

impl Program for Cockpit {
    type Event = Event;

    fn input(&mut self, input: Input) {
        match input {
            Input::Key(key) => self.update(Msg::Key(key)),
            Input::Mouse(event) => self.update(Msg::Mouse(event)),
            Input::Paste(text) => self.update(Msg::Paste(text)),
            Input::Resize { columns, rows } => self.update(Msg::Resize(columns, rows)),
            Input::Leave(Reason::HangUp | Reason::Signal(_)) => self.leave(),
            Input::Resumed => self.update(Msg::Tick),
            Input::Background(background) => self.theme = Theme::for_background(background),
        }
    }

    fn event(&mut self, event: Event) {
        let has_stopped = matches!(event, Event::Stopped | Event::Unopened(_));
        if let Event::Notice { said, is_error: true } = &event
            && self.leaving
        {
            self.parting.push(said.clone());
        }
        let was_opening = self.model.snapshot.is_none();
        self.update(Msg::Event(event));
        if was_opening && self.model.snapshot.is_some() {
            // A whole screen costs fewer bytes on cleared ground than over a sentence.
            self.wishes.push_back(Wish::Repaint);
        }
        if has_stopped && self.leaving {
            self.wishes.push_back(Wish::Quit);
        }
    }

    fn woke(&mut self, _now: Instant) {
        self.update(Msg::Tick);
    }

    fn draw(&mut self, screen: &mut Buffer) -> Drawn {
        let size = (screen.area.width, screen.area.height);
        if size != self.model.size {
            self.update(Msg::Resize(size.0, size.1));
        }
        let drawn = crate::ui::draw(&self.model, screen, &self.theme, self.clock.now());
        self.model.drawn();
        drawn
    }

    fn is_dirty(&self) -> bool {
        self.model.is_dirty()
    }

    fn next_wake(&self) -> Option<Instant> {
        let wait = self.model.next_tick() - self.clock.now();
        // Past due is due now: the error of a negative span is just that.
        Some(Instant::now() + wait.to_std().unwrap_or_default())
    }

    fn wish(&mut self) -> Option<Wish> {
        self.wishes.pop_front()
    }

    fn begun(&mut self) {
        if let Some(begin) = self.begin.take() {
            begin();
        }
    }
}
