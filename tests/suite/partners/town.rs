//! The demo town with its host, its channel and its mail server run by others. Its site is its own: it sees the variables
//! of a deployment once the host has made one, as a hosted site does.

use std::{
    path::{Path, PathBuf},
    sync::mpsc,
    thread::JoinHandle,
    time::Duration,
};

use serde_json::{Map, Value as Json};

use super::{
    emulate::{self, Emulate},
    post_office::{Line, PostOffice},
};
use crate::{
    postgres::{stand, write_pack},
    probe,
};

pub struct Others {
    pub environment: Vec<(String, String)>,
    office: PostOffice,
    /// What is asked of the host and the channel, by whoever speaks to them.
    asks: Option<mpsc::Sender<(String, mpsc::Sender<String>)>>,
    speaker: Option<JoinHandle<()>>,
    /// The town's servers run until it goes.
    _open: mpsc::Sender<()>,
}

impl Others {
    /// In `home`: `town` with the stand-ins and the record, `cockpit/pack.toml`. `None` where a partner is missing.
    pub fn open(home: &Path) -> Option<Self> {
        let office = PostOffice::open(home, Line::Open, None, Some(("ana", "mail-password-of-the-test")))?;
        let (told, found) = mpsc::channel();
        let (asks, asked) = mpsc::channel();
        let (folder, town) = (home.to_path_buf(), home.join("town"));
        let speaker = std::thread::spawn(move || speak(&folder, &town, &told, &asked));
        // Without a host the sender goes without a word.
        let (project, vercel, hook) = found.recv().ok()?;
        let (open, _, mut environment) = stand(home.join("town"));
        let project = format!("project = \"{project}\", team = \"{}\"", emulate::TEAM);
        write_pack(home, &[(format!("project = \"{}\"", emulate::PROJECT), project)]);
        for (name, value) in &mut environment {
            match name.as_str() {
                "DTD_VERCEL_URL" => value.clone_from(&vercel),
                "DTD_VERCEL_TOKEN" => emulate::TOKEN.clone_into(value),
                "DTD_INCIDENTS_URL" => value.clone_from(&hook),
                "DTD_MAIL_URL" => *value = format!("smtp://ana:mail-password-of-the-test@{}", office.place()),
                _ => {}
            }
        }
        Some(Self { environment, office, asks: Some(asks), speaker: Some(speaker), _open: open })
    }

    /// `variables`, `deployments`, `messages` or `mails`, a line each.
    pub fn told(&self, what: &str) -> String {
        if what == "mails" {
            return self.office.mails().join("\n");
        }
        let (answer, answered) = mpsc::channel();
        self.asks.as_ref().unwrap().send((what.to_owned(), answer)).unwrap();
        answered.recv().unwrap()
    }
}

impl Drop for Others {
    fn drop(&mut self) {
        self.asks = None;
        if let Some(speaker) = self.speaker.take() {
            // Whatever it met has been told already.
            let _ = speaker.join();
        }
    }
}

type Asked = mpsc::Receiver<(String, mpsc::Sender<String>)>;

/// Speaks to the host and the channel, and carries what is deployed to the site, until nobody asks any more.
fn speak(home: &Path, town: &Path, told: &mpsc::Sender<(String, String, String)>, asked: &Asked) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let Some(emulate) = runtime.block_on(Emulate::open(home)) else { return };
    let mut deployed = runtime.block_on(emulate.deployments());
    told.send((runtime.block_on(emulate.project()), emulate.vercel(), emulate.hook())).unwrap();
    loop {
        match asked.recv_timeout(Duration::from_millis(50)) {
            Ok((what, answer)) => {
                let lines = match what.as_str() {
                    "variables" => runtime.block_on(emulate.variables()),
                    "deployments" => runtime.block_on(emulate.deployments()),
                    "messages" => runtime.block_on(emulate.messages()),
                    other => panic!("nobody tells {other}"),
                };
                answer.send(lines.join("\n")).unwrap();
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => return,
        }
        let now = runtime.block_on(emulate.deployments());
        for new in now.iter().rev().filter(|id| !deployed.contains(id)) {
            deploy(town, new, &runtime.block_on(emulate.variables()));
        }
        deployed = now;
    }
}

/// The site runs on what the host has for production.
fn deploy(town: &Path, id: &str, variables: &[String]) {
    let live = variables.iter().filter_map(|line| {
        let (name, value) = line.split_once(" for production = ")?;
        Some((name.to_owned(), Json::from(value)))
    });
    let live = Json::Object(live.collect::<Map<_, _>>()).to_string();
    let file: PathBuf = town.join("stand-ins.db");
    probe::execute_on(&file, &format!("insert into deployments (id, created, ready, variables) values ('{id}', 0, 0, '{live}')"));
}
