//! The command line, from which help, man page and completions are made.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::pack::parse_duration;

/// A terminal cockpit for the person who runs a small Stripe-backed business.
#[derive(Debug, Parser)]
#[command(
    name = "wheelhouse",
    version,
    max_term_width = 100,
    after_help = "Without a command the cockpit opens. `wheelhouse demo` shows it on an embedded business: no set-up, nothing leaves the machine.\n\
                  Exit status of `check`: 0 green, 1 yellow, 2 red, 3 unknown. Bad usage and a wrong pack are 3 as well."
)]
pub struct Arguments {
    #[command(flatten)]
    pub business: BusinessArguments,
    #[command(flatten)]
    pub screen: ScreenArguments,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Which business, and where its record is kept.
#[derive(Debug, Clone, Default, Args)]
pub struct BusinessArguments {
    /// The pack: a name from the configuration, or a path to a pack file
    #[arg(long, short, global = true, value_name = "NAME|FILE", env = "WHEELHOUSE_PACK", help_heading = "Business")]
    pub pack: Option<String>,
    /// Use a built-in business on a scratch database and a local Stripe stand-in
    #[arg(long, global = true, value_name = "PACK", num_args = 0..=1, require_equals = true, default_missing_value = "", help_heading = "Demo")]
    pub demo: Option<String>,
    /// Keep the demo business here between calls, instead of a scratch directory
    #[arg(long, global = true, value_name = "DIR", help_heading = "Demo")]
    pub demo_dir: Option<PathBuf>,
    /// Seed of the demo business's invented rows
    #[arg(long, global = true, value_name = "N", default_value_t = 1, help_heading = "Demo")]
    pub seed: u64,
    /// The moment at which the demo business stands (RFC 3339)
    #[arg(long, global = true, value_name = "TIME", help_heading = "Demo")]
    pub at: Option<DateTime<Utc>>,
    /// Break something in the demo: TARGET=KIND, such as stripe=500, site=timeout, stripe=drop, webhook=slow
    #[arg(long = "fault", global = true, value_name = "TARGET=KIND", help_heading = "Demo")]
    pub faults: Vec<String>,
    /// Never write: not to be unlocked
    #[arg(long, global = true, help_heading = "Business")]
    pub read_only: bool,
    /// Directory of the cockpit's own record (default: the XDG state directory)
    #[arg(long, global = true, value_name = "DIR", env = "WHEELHOUSE_STATE_DIR", help_heading = "Business")]
    pub state_dir: Option<PathBuf>,
    /// Configuration file (default: wheelhouse/config.toml in the XDG configuration directory)
    #[arg(long, global = true, value_name = "FILE", env = "WHEELHOUSE_CONFIG", help_heading = "Business")]
    pub config: Option<PathBuf>,
    /// Who acts, for the journal (default: configuration, then `SUDO_USER`, then `USER`)
    #[arg(long, global = true, value_name = "NAME", help_heading = "Business")]
    pub operator: Option<String>,
}

/// How it is drawn.
#[derive(Debug, Clone, Default, Args)]
pub struct ScreenArguments {
    /// Theme: auto (asks the terminal), dark, light, high-contrast, colour-blind, sixteen, or a file
    #[arg(long, global = true, value_name = "NAME|FILE", help_heading = "Screen")]
    pub theme: Option<String>,
    /// Draw with ASCII characters alone
    #[arg(long, global = true, help_heading = "Screen")]
    pub ascii: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Open the cockpit on a built-in business
    Demo {
        /// The built-in business
        #[arg(value_name = "PACK")]
        name: Option<String>,
    },
    /// Look once at everything and say what is red, yellow, unknown
    Check {
        /// As JSON
        #[arg(long)]
        json: bool,
        /// Green ones too
        #[arg(long, short)]
        all: bool,
    },
    /// Draw one screen to standard output
    Snapshot {
        /// The screen: home, a pane (alerts, queues, jobs ...), queue:NAME, playbook:NAME, job:NAME, why:CHECK, help
        #[arg(long, default_value = "home", value_name = "NAME")]
        screen: String,
        /// Columns x rows
        #[arg(long, default_value = "120x40", value_name = "WxH")]
        size: String,
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        /// Keys to type first, separated by commas (`2,Enter,/,text:puppy`)
        #[arg(long, default_value = "", value_name = "KEYS")]
        keys: String,
    },
    /// Carry out an action on rows, through the journal, without a screen
    Do {
        /// The action's name in the pack (`approve_review`, `job.promote`, `flag.ai_mode`)
        action: String,
        /// Ids of the rows; none for a job or a flag
        ids: Vec<String>,
        /// An input of the action
        #[arg(long = "input", short = 'i', value_name = "NAME=VALUE")]
        inputs: Vec<String>,
        /// Say what would be done, send nothing
        #[arg(long)]
        dry_run: bool,
        /// What the action asks to be typed (the amount, the name, or the count and the total)
        #[arg(long, value_name = "TEXT", default_value = "")]
        confirm: String,
        /// How long to look outside again, at most, for an act of which nobody knows whether it happened
        #[arg(long, value_name = "SPAN", default_value = "30s", value_parser = span)]
        wait: Duration,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Pair the ledgers row by row and say what differs
    Reconcile {
        /// One reconciliation of the pack (default: all)
        name: Option<String>,
        /// As JSON
        #[arg(long, conflicts_with = "csv")]
        json: bool,
        /// As CSV, a line for each discrepancy
        #[arg(long)]
        csv: bool,
        /// Keep the statements in the archive as well, with every row (a sign-off does that by itself)
        #[arg(long)]
        archive: bool,
        /// Say which statements are in the archive, and which the journal knows and are not; nothing is looked at
        #[arg(long, conflicts_with_all = ["csv", "archive"])]
        list: bool,
        /// Tell whether an archived statement is what it was; nothing is looked at
        #[arg(long, value_name = "FILE", conflicts_with_all = ["name", "json", "csv", "archive", "list"])]
        verify: Option<PathBuf>,
        /// Take away what has been in the archive for seven years, each verified before and noted in the journal
        #[arg(long, conflicts_with_all = ["name", "json", "csv", "archive", "list", "verify"])]
        remove_old: bool,
    },
    /// The record of what was done
    Journal {
        #[command(subcommand)]
        command: JournalCommand,
    },
    /// Write a first pack, with comments, for a business on a database and Stripe
    Init(InitArguments),
    /// The systems that the pack talks to
    Connect {
        #[command(subcommand)]
        command: ConnectCommand,
    },
    /// Packs: businesses declared in TOML
    Pack {
        #[command(subcommand)]
        command: PackCommand,
    },
    /// Print the key table
    Keys {
        /// As Markdown, for a README
        #[arg(long)]
        markdown: bool,
    },
    /// Print shell completions
    Completions { shell: clap_complete::Shell },
    /// Print the manual page
    Man,
}

fn span(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "a span is a number with its unit: 30s, 5m, or 0s".to_owned())
}

/// 64 hexadecimal digits, however they are written.
fn noted_head(text: &str) -> Result<String, String> {
    let is_hash = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then(|| text.to_ascii_lowercase()).ok_or_else(|| "a head is 64 hexadecimal digits".to_owned())
}

#[derive(Debug, Subcommand)]
pub enum JournalCommand {
    /// Check the hash chain from its first event to its head
    Verify {
        /// A head that was noted elsewhere, as an earlier `verify` printed it: it must still be in the chain
        #[arg(long, value_name = "HASH", value_parser = noted_head)]
        head: Option<String>,
    },
    /// Print every event
    Export {
        #[arg(long, value_enum, default_value_t = ExportFormat::Jsonl)]
        format: ExportFormat,
    },
    /// Settle what an earlier run left unfinished, and go on with what failed half way
    Recover,
}

/// What is not told is asked, where there is a terminal; else it is what is suggested there.
#[derive(Debug, Args)]
pub struct InitArguments {
    /// The file to write, which must not be there yet (default: the title's words, `tea-and-kettle.toml`)
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// The name of the business
    #[arg(long)]
    pub title: Option<String>,
    /// The zone in which times are shown (`Europe/Vienna`)
    #[arg(long, value_name = "ZONE")]
    pub timezone: Option<String>,
    /// The currency of its money (`EUR`)
    #[arg(long, value_name = "CODE")]
    pub currency: Option<String>,
    /// The environment variable with the database's address; `-` for no database
    #[arg(long, value_name = "VARIABLE")]
    pub database_env: Option<String>,
    /// The table with a row for each payment; `-` for none. Where the database can be reached, one is suggested
    #[arg(long, value_name = "TABLE")]
    pub payments: Option<String>,
    /// Its column with the amount in cents
    #[arg(long, value_name = "COLUMN")]
    pub amount: Option<String>,
    /// Its column with the moment of the payment
    #[arg(long, value_name = "COLUMN")]
    pub paid_at: Option<String>,
    /// Its column with Stripe's id of the charge or of the payment intent; `-` for none
    #[arg(long, value_name = "COLUMN", alias = "charge")]
    pub stripe_id: Option<String>,
    /// Its column with what was given back, in cents; `-` for none
    #[arg(long, value_name = "COLUMN")]
    pub refunded: Option<String>,
    /// The environment variable with Stripe's key; `-` for no Stripe
    #[arg(long, value_name = "VARIABLE")]
    pub stripe_env: Option<String>,
    /// The Stripe account (`acct_...`); where the key is at hand, its own
    #[arg(long)]
    pub account: Option<String>,
    /// It moves real money; where the key is at hand, as the key says
    #[arg(long)]
    pub live: bool,
    /// Ask nothing: take what is suggested
    #[arg(long, short)]
    pub yes: bool,
}

#[derive(Debug, Subcommand)]
pub enum ConnectCommand {
    /// Reach every connection once and say what answers, as whom we are there, and what is amiss
    #[command(
        after_help = "Nothing is changed anywhere, and no journal is opened. Exit status: 0 all is well, 1 something is to be \
                            looked at, 2 a connection is not reached or not the pack's own."
    )]
    Check {
        /// Only these connections (default: all)
        #[arg(value_name = "CONNECTION")]
        names: Vec<String>,
        /// Ask as well what a Stripe key may write, each time for a charge, a dispute or whatever it is that cannot exist:
        /// nothing is changed by that, and the account's log has a line for each
        #[arg(long)]
        writes: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum PackCommand {
    /// Read a pack and say everything that is wrong with it
    Check {
        file: PathBuf,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of packs, for editors
    Schema,
    /// Print the table in which a database keeps a mark of each act, as SQL
    Ddl {
        /// The pack whose connections name the table and the kind of database (default: `operator_actions`, for both kinds)
        file: Option<PathBuf>,
        /// For this kind of database
        #[arg(long = "for", value_enum, value_name = "DATABASE")]
        database: Option<DatabaseKind>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DatabaseKind {
    Postgres,
    Sqlite,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Ansi,
    Svg,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    Jsonl,
    Csv,
}

impl Arguments {
    /// Reads the command line. `--demo NAME` is taken together where NAME is a built-in pack, so that in
    /// `--demo check` the second word stays the command.
    pub fn read(words: impl IntoIterator<Item = OsString>, built_in: &[&str]) -> Result<Self, clap::Error> {
        let mut joined: Vec<OsString> = Vec::new();
        for word in words {
            let follows_demo = joined.last().is_some_and(|last| last == "--demo");
            match word.to_str() {
                Some(name) if follows_demo && built_in.contains(&name) => {
                    joined.pop();
                    joined.push(format!("--demo={name}").into());
                }
                _ => joined.push(word),
            }
        }
        Self::try_parse_from(joined)
    }

    /// The built-in business that is asked for: `Some("")` is the first one.
    pub fn demo(&self) -> Option<&str> {
        match (&self.command, &self.business.demo) {
            (Some(Command::Demo { name }), named) => Some(name.as_deref().or(named.as_deref()).unwrap_or_default()),
            (_, named) => named.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn read(line: &str) -> Arguments {
        Arguments::read(line.split(' ').map(OsString::from), &["shop"]).unwrap()
    }

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn demo_goes_with_every_subcommand() {
        assert_eq!(read("wheelhouse demo").demo(), Some(""));
        assert_eq!(read("wheelhouse demo shop").demo(), Some("shop"));
        assert_eq!(read("wheelhouse --demo").demo(), Some(""));
        assert_eq!(read("wheelhouse --demo check").demo(), Some(""));
        assert!(matches!(read("wheelhouse --demo check").command, Some(Command::Check { .. })));
        assert_eq!(read("wheelhouse --demo shop check --json").demo(), Some("shop"));
        assert!(matches!(read("wheelhouse --demo shop check --json").command, Some(Command::Check { json: true, .. })));
        assert_eq!(read("wheelhouse check --demo=shop").demo(), Some("shop"));
        assert_eq!(read("wheelhouse check").demo(), None);
    }
}
