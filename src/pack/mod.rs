//! From TOML to a validated pack: every mistake is found at once and answered with its file, line, column and a hint.
//!
//! The way is: text -> tree with places (`source`) -> parts as written (`raw`, by `shape`) -> `validate` -> `Pack`.
//! Nothing after validation can be wrong in form.

mod columns;
pub mod config;
mod draft;
mod duration;
mod literal;
mod nearest;
mod place;
mod problem;
mod raw;
mod schema;
mod shape;
mod source;
mod statements;
mod validate;

use std::{fs, path::Path, sync::Arc};

pub use columns::Columns;
pub use config::Config;
pub use draft::{Draft, DraftError, PaymentsDraft, StripeDraft, StripeId};
pub use duration::parse_duration;
pub use place::Place;
pub use problem::{Problem, Problems};
pub use schema::schema;
pub use source::Source;
pub use statements::Statement;
pub use validate::Files;

use crate::domain::pack::Pack;

/// A pack, and the file that it came from: what is found wrong later can still be shown where it stands.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub pack: Arc<Pack>,
    pub source: Source,
}

/// Reads a pack from its text. `file` is its name as it is shown, and gives the pack its name (`shop.toml`, or
/// `shop/pack.toml`); `files` reads what stands beside it (playbooks).
pub fn parse(file: &str, text: &str, files: &Files<'_>) -> Result<Loaded, Problems> {
    let (source, root, problems) = Source::read(file, text);
    if !problems.is_empty() {
        // What could not be read as TOML would be reported again as missing.
        return Err(Problems::from(problems));
    }
    let pack = validate::validate(&name_of(file), &source, root, problems, files)?;
    let loaded = Loaded { pack: Arc::new(pack), source };
    match loaded.check_declared_columns() {
        problems if problems.is_empty() => Ok(loaded),
        problems => Err(problems),
    }
}

/// Reads a pack and what stands beside it from the disk.
pub fn load(path: &Path) -> Result<Loaded, Problems> {
    let file = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| {
        let (source, ..) = Source::read(&file, "");
        Problems::from(vec![source.problem(0..0, format!("cannot be read: {error}"), "", None)])
    })?;
    let beside = path.parent().unwrap_or(Path::new(""));
    parse(&file, &text, &|name| fs::read_to_string(beside.join(name)).map_err(|error| error.to_string()))
}

/// The file's name without its ending; where that says nothing (`pack.toml`), the directory's.
fn name_of(file: &str) -> String {
    let path = Path::new(file);
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let directory = path.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    match directory {
        Some(directory) if stem == "pack" => directory,
        _ => stem,
    }
}

impl Problems {
    /// A query that its connection refused: `checks.refund_rate` is enough, the statement is found from there.
    pub fn for_query(loaded: &Loaded, path: &str, message: &str) -> Self {
        let place = Place::parse(path);
        let ways = [
            place.key("read").key("sql").key("text"),
            place.key("sql").key("text"),
            place.key("text"),
            place.key("read").key("http").key("path"),
            place.key("read").key("stripe").key("list"),
            place.key("read"),
        ];
        let found = ways.into_iter().find(|way| loaded.source.find(way).is_some()).unwrap_or(place);
        let span = loaded.source.locate(&found);
        Self::from(vec![loaded.source.problem(span, message, "refused", None)])
    }
}
