//! How the screen looks: theme, colours, keys, what the header says.

use std::{collections::BTreeMap, env, io, path::Path, sync::Arc};

use chrono::TimeDelta;

use crate::{
    adapters::{self, Environment},
    cli::arguments::Arguments,
    domain::{
        pack::{ConnectionKind, Pack},
        snapshot::Snapshot,
    },
    pack::{Config, Problems},
    ports::Memory as _,
    store::Store,
    ui::{
        Mode, Model, Shown,
        keymap::Keymap,
        terminal::Settings,
        theme::{self, Depth, Theme},
    },
};

use super::{business::Opening, choice::Choice, complaint::Complaint};

pub struct Look {
    pub theme: Theme,
    pub settings: Settings,
    keymap: Keymap,
    ascii: bool,
}

impl Look {
    pub fn choose(arguments: &Arguments, choice: &Choice) -> Result<Self, Complaint> {
        let config = &choice.config;
        let keymap = keymap(config)?;
        let told = arguments.screen.theme.as_deref();
        let colorfgbg = env::var("COLORFGBG").ok();
        let chosen = theme::Choice::of(told.or(config.theme.as_deref()), colorfgbg.as_deref()).map_err(|error| match told {
            Some(_) => Complaint::said(error.to_string()),
            None => config.problem_at("theme", error.to_string(), "not a theme").into(),
        })?;
        let mut settings = Settings::new(Depth::of(&io::stdout()));
        settings.is_in_tmux = env::var_os("TMUX").is_some();
        settings.asks_background = chosen.asks_background;
        settings.mouse = config.mouse;
        Ok(Self { theme: chosen.theme, settings, keymap, ascii: arguments.screen.ascii || config.ascii })
    }

    pub fn model(&self, opening: &Opening, last: Option<Arc<Snapshot>>) -> Model {
        let choice = &opening.choice;
        let shown = Shown {
            mode: mode(choice),
            account: account(choice),
            operator: choice.operator.clone(),
            read_only: opening.arguments.read_only,
            ascii: self.ascii,
            ssh: env::var_os("SSH_CONNECTION").map(|_| host()),
            listens_after: TimeDelta::from_std(choice.config.confirm.listens_after).unwrap_or(TimeDelta::MAX),
        };
        Model::new(Arc::clone(&choice.loaded.pack), shown, last).with_keymap(self.keymap.clone())
    }
}

/// The operator's own keys; what is wrong with them is shown where it stands in the configuration.
fn keymap(config: &Config) -> Result<Keymap, Complaint> {
    let remapped: BTreeMap<String, String> = config.keys.iter().cloned().collect();
    Keymap::with(&remapped).map_err(|problems| {
        let located = problems.iter().map(|problem| {
            let (place, said) =
                problem.split_once(": ").filter(|(place, _)| place.starts_with("keys.")).unwrap_or(("keys", problem));
            config.problem_at(place, said, "here")
        });
        located.fold(Problems::default(), Problems::and).into()
    })
}

fn stripe(choice: &Choice) -> Option<(&Option<String>, bool)> {
    choice.loaded.pack.connections.iter().find_map(|connection| match &connection.kind {
        ConnectionKind::Stripe { account, livemode, .. } => Some((account, *livemode)),
        ConnectionKind::Sql { .. }
        | ConnectionKind::Http { .. }
        | ConnectionKind::Smtp { .. }
        | ConnectionKind::Webhook { .. }
        | ConnectionKind::Firestore { .. }
        | ConnectionKind::Command(_) => None,
    })
}

fn mode(choice: &Choice) -> Mode {
    let pack = &choice.loaded.pack;
    if choice.demo.is_some() { Mode::Demo } else { mode_of(pack, adapters::has_emulator(&Environment::process())) }
}

/// What can be real is taken for real: one live account outweighs all that is test data, and a database of SQL does not say
/// which it is.
fn mode_of(pack: &Pack, has_emulator: bool) -> Mode {
    let (mut has_stripe, mut is_live, mut is_emulated, mut has_sql) = (false, false, false, false);
    for connection in &pack.connections {
        match &connection.kind {
            ConnectionKind::Stripe { livemode, .. } => {
                has_stripe = true;
                is_live |= livemode;
            }
            ConnectionKind::Firestore { .. } => is_emulated = has_emulator,
            ConnectionKind::Sql { .. } => has_sql = true,
            ConnectionKind::Http { .. }
            | ConnectionKind::Smtp { .. }
            | ConnectionKind::Webhook { .. }
            | ConnectionKind::Command(_) => {}
        }
    }
    match (has_stripe, is_live) {
        (true, false) => Mode::Test,
        (false, _) if is_emulated && !has_sql => Mode::Test,
        // A business without Stripe is as real as one with it.
        (true, true) | (false, _) => Mode::Live,
    }
}

fn account(choice: &Choice) -> Option<String> {
    stripe(choice).and_then(|(account, _)| account.clone())
}

fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").map_or_else(|_| "this host".to_owned(), |name| name.trim().to_owned())
}

/// The picture that the last visit ended with: the first paint shows it, with its age, before anything is asked.
pub fn last_picture(opening: &Opening) -> Option<Arc<Snapshot>> {
    let record = opening.record().filter(|record| record.exists())?;
    read_picture(&record)
}

fn read_picture(record: &Path) -> Option<Arc<Snapshot>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    runtime.block_on(async {
        let store = Store::open_to_read(record).await.ok()?;
        store.last_snapshot().await.ok()?.map(Arc::new)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emulator_is_test_data_and_hides_nothing_that_is_live() {
        const DOCUMENTS: &str = "docs.firestore = { project = \"shop\" }\n";
        const SQL: &str = "db.sql = { url_env = \"DB\" }\n";
        const SITE: &str = "site.http = { url = \"https://shop.example\" }\n";
        const TEST: &str = "a.stripe = { key_env = \"KEY\", livemode = false }\n";
        const LIVE: &str = "b.stripe = { key_env = \"KEY\", livemode = true }\n";
        for (connections, on_emulator, elsewhere) in [
            (&[DOCUMENTS][..], Mode::Test, Mode::Live),
            (&[DOCUMENTS, SITE], Mode::Test, Mode::Live),
            (&[DOCUMENTS, SQL], Mode::Live, Mode::Live),
            (&[DOCUMENTS, TEST], Mode::Test, Mode::Test),
            (&[DOCUMENTS, LIVE], Mode::Live, Mode::Live),
            (&[LIVE, DOCUMENTS], Mode::Live, Mode::Live),
            (&[TEST, LIVE], Mode::Live, Mode::Live),
            (&[SQL], Mode::Live, Mode::Live),
            (&[SQL, TEST], Mode::Test, Mode::Test),
            (&[SITE], Mode::Live, Mode::Live),
        ] {
            let head = "[pack]\ntitle = \"Shop\"\ntimezone = \"UTC\"\ncurrency = \"AUD\"\n[connections]\n";
            let text = format!("{head}{}", connections.concat());
            let pack = crate::pack::parse("shop.toml", &text, &|_| Err(String::new())).unwrap().pack;
            assert_eq!((mode_of(&pack, true), mode_of(&pack, false)), (on_emulator, elsewhere), "{connections:?}");
        }
    }
}
