//! The house's rules that the compiler does not know: who may use whom, how long a file is, what src/ never names.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The arrows of src/lib.rs and the README: a folder, and what it may use. `*` is everything.
const MAY_USE: [(&str, &[&str]); 11] = [
    ("domain", &[]),
    ("pack", &["domain"]),
    ("ports", &["domain"]),
    ("adapters", &["ports", "domain"]),
    ("store", &["ports", "domain"]),
    ("engine", &["ports", "domain"]),
    ("ui", &["domain", "engine::message"]),
    ("demo", &["pack", "domain"]),
    ("cli", &["*"]),
    ("app", &["*"]),
    ("main", &["app", "cli"]),
];

/// Above this a file is split.
const LONGEST_FILE: usize = 600;

/// Words of the built-in businesses. Their packs say them; the program does not.
const BUSINESS_WORDS: [&str; 10] =
    ["dtd", "trainer", "council", "dog trainers", "marketplace", "installer", "wildlife", "workspace saas", "z.ai", "z_ai"];

struct File {
    path: PathBuf,
    /// The first folder under src/, or the file's own name.
    part: String,
    text: String,
}

fn sources() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let below = path.strip_prefix(&root).unwrap();
                let part = below.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
                let text = fs::read_to_string(&path).unwrap();
                files.push(File { path: below.to_path_buf(), part, text });
            }
        }
    }
    assert!(files.len() > 10, "the scanner sees the source");
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// The text without comments, strings and unit tests, which may speak of anything.
fn code(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut characters = without_unit_tests(text).chars().collect::<Vec<_>>().into_iter().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('/', Some('/')) => while characters.next_if(|next| *next != '\n').is_some() {},
            ('"', _) => {
                while let Some(next) = characters.next() {
                    match next {
                        '\\' => drop(characters.next()),
                        '"' => break,
                        _ => {}
                    }
                }
                code.push_str("\"\"");
            }
            ('\'', Some('"')) => drop(characters.next()),
            _ => code.push(character),
        }
    }
    code
}

/// Unit tests stand at the end of a file.
fn without_unit_tests(text: &str) -> &str {
    text.split("\n#[cfg(test)]\nmod ").next().unwrap_or(text)
}

/// Every path below `crate::` that the code uses, as far as two names: `engine::message`, `domain::id`.
fn used_paths(code: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for root in ["crate::", "wheelhouse::"] {
        for (at, _) in code.match_indices(root) {
            let (before, from) = code.split_at(at);
            if !before.ends_with(|character: char| character.is_alphanumeric() || "_$".contains(character)) {
                collect(from.strip_prefix(root).unwrap(), "", 2, &mut used);
            }
        }
    }
    used
}

/// Reads a use tree (`a::{b, c::d}`) to the given depth.
fn collect(tree: &str, before: &str, depth: usize, used: &mut BTreeSet<String>) {
    let tree = tree.trim_start();
    if let Some(inside) = tree.strip_prefix('{') {
        for branch in branches(inside) {
            collect(branch, before, depth, used);
        }
        return;
    }
    let name: String = tree.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect();
    if name.is_empty() {
        return;
    }
    let path = if before.is_empty() { name.clone() } else { format!("{before}::{name}") };
    match tree.strip_prefix(&name).and_then(|rest| rest.strip_prefix("::")) {
        Some(rest) if depth > 1 => collect(rest, &path, depth - 1, used),
        _ => {
            used.insert(path);
        }
    }
}

/// The parts between the commas of a brace whose opening is already read.
fn branches(inside: &str) -> Vec<&str> {
    let mut depth = 0usize;
    let end = inside.find(|character| {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => return true,
            '}' => depth -= 1,
            _ => {}
        }
        false
    });
    let inside = end.map_or(inside, |end| inside.split_at(end).0);
    inside
        .split(|character| {
            match character {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            character == ',' && depth == 0
        })
        .collect()
}

/// What a part uses and may not.
fn forbidden(part: &str, code: &str) -> Vec<String> {
    let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == part) else {
        return vec![format!("src/{part} has no arrows: add it to MAY_USE, src/lib.rs and the README")];
    };
    used_paths(code)
        .into_iter()
        .filter(|path| {
            let first = path.split("::").next().unwrap_or(path);
            let is_allowed = |arrow: &&str| *arrow == "*" || *arrow == first || path == *arrow;
            first != part && !allowed.iter().any(is_allowed)
        })
        .map(|path| format!("{part} may not use {path}"))
        .collect()
}

fn report(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn every_arrow_is_one_that_the_house_allows() {
    let mut wrong = Vec::new();
    for file in sources().iter().filter(|file| file.part != "lib") {
        // A unit test may reach further, so that a fixture is written once.
        let found = forbidden(&file.part, &code(&file.text));
        wrong.extend(found.into_iter().map(|what| format!("src/{}: {what}", file.path.display())));
    }
    report(&wrong);
}

#[test]
fn a_planted_arrow_is_found() {
    let planted = [
        ("domain", "use crate::store::Journal;", "domain may not use store::Journal"),
        ("domain", "fn f() { crate::engine::look() }", "domain may not use engine::look"),
        ("ui", "use crate::{\n    domain::id,\n    engine::{look, message},\n};", "ui may not use engine::look"),
        ("engine", "use crate::{domain::{id::Id, text::Text}, adapters};", "engine may not use adapters"),
        ("pack", "use wheelhouse::ui::Model;", "pack may not use ui::Model"),
        ("demo", "pub(crate) use crate::pack::Pack; use crate::adapters::sql;", "demo may not use adapters::sql"),
    ];
    for (part, text, expected) in planted {
        assert_eq!(forbidden(part, &code(text)), [expected]);
    }
    let allowed = [
        ("ui", "use crate::{domain::id::Id, engine::message::{Event, Request}, ui::theme};"),
        ("domain", "// crate::store is what the engine gives\nlet text = \"crate::store\"; let c = '\"';"),
        ("domain", "fn a() {}\n\n#[cfg(test)]\nmod tests {\n    use crate::pack::read;\n}\n"),
        ("cli", "use crate::app::run;"),
    ];
    for (part, text) in allowed {
        assert_eq!(forbidden(part, &code(text)).join(", "), "", "{text}");
    }
}

#[test]
fn the_arrows_are_the_same_in_the_code_the_diagram_and_the_readme() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for place in ["src/lib.rs", "README.md"] {
        let text = fs::read_to_string(root.join(place)).unwrap();
        let drawn: BTreeSet<String> = text
            .lines()
            .map(|line| line.trim_start_matches("//!").trim())
            .filter_map(|line| line.split_once(" -> "))
            .map(|(part, rest)| {
                let targets = rest.split("  ").next().unwrap_or_default();
                format!("{} -> {targets}", part.trim())
            })
            .collect();
        let arrows = |allowed: &[&str]| match allowed {
            [] => "nothing of ours".to_owned(),
            some => some.join(", "),
        };
        for (part, allowed) in MAY_USE.iter().filter(|(_, allowed)| !allowed.contains(&"*") && allowed != &["app", "cli"]) {
            let arrow = format!("{part} -> {}", arrows(allowed));
            assert!(drawn.contains(&arrow), "{place} does not draw `{arrow}`, but {drawn:#?}");
        }
    }
}

#[test]
fn no_file_names_a_business() {
    let mut wrong = Vec::new();
    for file in sources() {
        let text = without_unit_tests(&file.text).to_lowercase();
        for (number, line) in text.lines().enumerate() {
            let words: Vec<&str> = BUSINESS_WORDS.into_iter().filter(|word| is_said(line, word)).collect();
            if !words.is_empty() {
                wrong.push(format!("src/{}:{}: {}", file.path.display(), number + 1, words.join(", ")));
            }
        }
    }
    report(&wrong);
}

/// Whether the word stands by itself, plural or not, or as a part of a name (`dtd_pack`).
fn is_said(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let (before, from) = line.split_at(at);
        let before = before.chars().next_back();
        let after = from.strip_prefix(word).unwrap().trim_start_matches('s').chars().next();
        let is_edge = |character: Option<char>| !character.is_some_and(char::is_alphanumeric);
        is_edge(before) && is_edge(after)
    })
}

#[test]
fn a_named_business_is_found() {
    assert!(is_said("the trainers directory", "trainer"));
    assert!(is_said("open(\"dtd\")", "dtd"));
    assert!(is_said("fn dtd_pack()", "dtd"));
    assert!(!is_said("constrainers", "trainer"));
    assert!(!is_said("the width", "dtd"));
}

#[test]
fn dangerous_words_stay_where_they_are_allowed() {
    let files = sources();
    let holding = |word: &str| -> Vec<String> {
        files.iter().filter(|file| code(&file.text).contains(word)).map(|file| format!("src/{}", file.path.display())).collect()
    };
    let once = holding("AssertSqlSafe(");
    assert!(once.len() <= 1, "SQL from a pack enters in one place, not in {once:?}");
    for word in ["unsafe ", "#[allow(", "#![allow(", "transmute", "static mut"] {
        assert_eq!(holding(word).join(", "), "", "holds {word:?}");
    }
    let sleeping: Vec<String> = files
        .iter()
        .filter(|file| file.part == "domain")
        .filter(|file| reads_a_clock(&code(&file.text)))
        .map(|file| file.path.display().to_string())
        .collect();
    assert_eq!(sleeping.join(", "), "", "domain takes `now` as an argument and waits for nothing");
}

fn reads_a_clock(code: &str) -> bool {
    ["Utc::now(", "Local::now(", "SystemTime::now(", "Instant::now(", "sleep(", "async fn", ".await"]
        .into_iter()
        .any(|word| code.contains(word))
}

#[test]
fn every_file_opens_with_its_duty_and_can_be_read_in_a_sitting() {
    let mut wrong = Vec::new();
    for file in sources() {
        let place = format!("src/{}", file.path.display());
        let lines = file.text.lines().count();
        if lines > LONGEST_FILE {
            wrong.push(format!("{place}: {lines} lines, the limit is {LONGEST_FILE}"));
        }
        let duty = file.text.lines().next().unwrap_or_default();
        if !duty.starts_with("//! ") || duty.len() < "//! ..".len() {
            wrong.push(format!("{place}: does not open with a `//!` sentence of its duty"));
        }
        let name = file.path.file_stem().unwrap().to_str().unwrap();
        if ["utils", "util", "helpers", "helper", "common", "types", "misc", "manager", "handler"].contains(&name) {
            wrong.push(format!("{place}: a file is named by its concept"));
        }
    }
    report(&wrong);
}
