//! Which business is opened: read from the command line and the configuration before anything is started.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use crate::{
    cli::arguments::Arguments,
    demo::built_in::{self, BuiltIn},
    pack::{self, Config, Loaded},
};

use super::{complaint::Complaint, paths};

/// The business, its settings and who works on it.
#[derive(Debug)]
pub struct Choice {
    pub loaded: Loaded,
    pub config: Config,
    pub operator: String,
    /// The built-in business; `None` for one's own.
    pub demo: Option<&'static BuiltIn>,
}

impl Choice {
    pub fn make(arguments: &Arguments) -> Result<Self, Complaint> {
        let config = config(arguments)?;
        let operator = operator(arguments, &config);
        if let Some(name) = arguments.demo() {
            let built_in = built_in(name)?;
            let mut loaded = load_built_in(built_in)?;
            if let Some(most) = config.confirm.hold_at_most {
                hold_at_most(&mut loaded, most);
            }
            return Ok(Self { loaded, config, operator, demo: Some(built_in) });
        }
        let path = pack_path(arguments.business.pack.as_deref(), &config)?;
        Ok(Self { loaded: pack::load(&path)?, config, operator, demo: None })
    }
}

fn config(arguments: &Arguments) -> Result<Config, Complaint> {
    let told = arguments.business.config.as_deref();
    let Some(path) = paths::config_file(told) else { return Ok(Config::default()) };
    if told.is_some() && !path.exists() {
        return Err(Complaint::said(format!("{}: there is no such configuration file", path.display())));
    }
    Ok(Config::load(&path)?)
}

fn built_in(name: &str) -> Result<&'static BuiltIn, Complaint> {
    let found = if name.is_empty() { built_in::ALL.first() } else { built_in::find(name) };
    found.ok_or_else(|| {
        let known: Vec<&str> = built_in::ALL.iter().map(|pack| pack.name).collect();
        Complaint::said(format!("there is no built-in business `{name}`; there is {}", known.join(", ")))
    })
}

fn load_built_in(built_in: &'static BuiltIn) -> Result<Loaded, Complaint> {
    let file = format!("{}/pack.toml", built_in.name);
    let text = built_in.file("pack.toml").ok_or_else(|| Complaint::said(format!("{file} is not built in")))?;
    let beside = |path: &str| built_in.file(path).map(str::to_owned).ok_or_else(|| "there is no such file".to_owned());
    Ok(pack::parse(&file, text, &beside)?)
}

/// Nothing real waits on a demo business: whoever tries it, or tests it, need not wait either.
fn hold_at_most(loaded: &mut Loaded, most: Duration) {
    let mut pack = loaded.pack.as_ref().clone();
    for action in &mut pack.actions {
        action.hold = action.hold.min(most);
    }
    loaded.pack = Arc::new(pack);
}

/// A name from the configuration, else a path.
fn pack_path(told: Option<&str>, config: &Config) -> Result<PathBuf, Complaint> {
    match told {
        Some(name) => match config.pack(name) {
            Some(path) => Ok(path.to_path_buf()),
            None if Path::new(name).exists() => Ok(PathBuf::from(name)),
            None => {
                let known: Vec<&str> = config.packs.iter().map(|(name, _)| name.as_str()).collect();
                let known =
                    if known.is_empty() { "none is configured".to_owned() } else { format!("configured: {}", known.join(", ")) };
                Err(Complaint::said(format!("`{name}` is neither a configured pack nor a file ({known})")))
            }
        },
        None => config.first_pack().map(|(_, path)| path.to_path_buf()).ok_or_else(|| {
            let at = paths::config_file(None).map_or_else(|| "config.toml".to_owned(), |path| path.display().to_string());
            Complaint::said(format!(
                "no business is configured yet.\n\n  wheelhouse demo              shows the cockpit on a built-in business\n  \
                 wheelhouse --pack FILE       opens the pack in FILE\n  wheelhouse init              writes a first pack\n  \
                 wheelhouse pack check FILE   says what is wrong with a pack\n\n\
                 To open your own without naming it, write to {at}:\n\n  [packs]\n  shop = \"/path/to/shop.toml\""
            ))
        }),
    }
}

fn operator(arguments: &Arguments, config: &Config) -> String {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    arguments
        .business
        .operator
        .clone()
        .or_else(|| config.operator.clone())
        .or_else(|| variable("SUDO_USER"))
        .or_else(|| variable("USER"))
        .or_else(|| variable("LOGNAME"))
        .unwrap_or_else(|| "operator".to_owned())
}
