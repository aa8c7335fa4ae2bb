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

/// The files of src/ that ship.
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
    let tests = test_files(&files);
    // A module for tests may be a file or a folder.
    files.retain(|file| !tests.iter().any(|test| file.path == *test || file.path.starts_with(test.with_extension(""))));
    assert!(files.len() > 10, "the scanner sees the source");
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// The code that ships: without comments, text, and what is compiled for tests alone.
fn code(text: &str) -> String {
    without_test_items(&without_text(text)).0
}

/// Blanks comments, strings and character literals, in which anything may be said.
fn without_text(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let length = if "/r\"'".contains(character) { literal_length(rest, &code) } else { 0 };
        if length == 0 {
            code.push(character);
            rest = rest.split_at(character.len_utf8()).1;
        } else {
            code.push(' ');
            rest = rest.split_at(length).1;
        }
    }
    code
}

/// The length of the comment or literal that the text begins with; 0 where it is code.
fn literal_length(rest: &str, before: &str) -> usize {
    let until = |opening: usize, closing: &str| {
        let inside = rest.split_at(opening).1;
        inside.find(closing).map_or(rest.len(), |at| opening + at + closing.len())
    };
    let is_in_name = before.ends_with(|character: char| character.is_alphanumeric() || character == '_');
    if rest.starts_with("//") {
        rest.find('\n').unwrap_or(rest.len())
    } else if rest.starts_with("/*") {
        until(2, "*/")
    } else if rest.starts_with('r') && !is_in_name {
        let hashes = rest.chars().skip(1).take_while(|character| *character == '#').count();
        let opening = hashes + 2;
        if rest.chars().nth(hashes + 1) == Some('"') { until(opening, &format!("\"{}", "#".repeat(hashes))) } else { 0 }
    } else if rest.starts_with('"') {
        quoted_length(rest, '"')
    } else if rest.starts_with("'\\") || rest.chars().nth(2) == Some('\'') && rest.starts_with('\'') {
        quoted_length(rest, '\'')
    } else {
        0
    }
}

fn quoted_length(rest: &str, quote: char) -> usize {
    let mut is_escaped = true;
    let end = rest.char_indices().find(|(_, character)| {
        let is_end = *character == quote && !is_escaped;
        is_escaped = *character == '\\' && !is_escaped;
        is_end
    });
    end.map_or(rest.len(), |(at, _)| at + quote.len_utf8())
}

/// The code without items under `#[cfg(test)]`, and the modules among them that are files of their own.
fn without_test_items(code: &str) -> (String, Vec<String>) {
    let mut parts = code.split("#[cfg(test)]");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    let mut modules = Vec::new();
    for part in parts {
        let (mut depth, mut is_open) = (0usize, true);
        let item_end = part.find(|character| {
            match character {
                '{' | '[' | '(' => depth += 1,
                '}' | ']' | ')' => {
                    depth = depth.saturating_sub(1);
                    is_open = !(character == '}' && depth == 0);
                }
                ';' if depth == 0 => is_open = false,
                _ => {}
            }
            !is_open
        });
        let (item, rest) = part.split_at(item_end.map_or(part.len(), |at| at + 1));
        if let Some((_, name)) = item.split_once("mod ").filter(|_| item.ends_with(';')) {
            modules.push(name.trim_end_matches(';').trim().to_owned());
        }
        kept.push_str(rest);
    }
    (kept, modules)
}

/// Marks files that only a `#[cfg(test)] mod name;` brings in.
fn test_files(files: &[File]) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for file in files {
        let stem = file.path.file_stem().unwrap();
        let folder = match stem.to_str().unwrap() {
            "mod" | "lib" | "main" => file.path.parent().unwrap().to_path_buf(),
            _ => file.path.with_extension(""),
        };
        let modules = without_test_items(&without_text(&file.text)).1;
        found.extend(modules.into_iter().map(|name| folder.join(name).with_extension("rs")));
        let declared = file.text.split("#[cfg(test)]\n#[path = \"").skip(1);
        found.extend(declared.filter_map(|rest| Some(file.path.with_file_name(rest.split_once('"')?.0))));
    }
    found
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

#[test]
fn files_of_unit_tests_are_known_by_their_declaration() {
    let code = without_text("#[cfg(test)]\nmod cases;\nmod kept;\n#[cfg(test)]\nmod tests { mod inner; }\n");
    assert_eq!(without_test_items(&code).1, ["cases"]);
}

fn report(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn every_arrow_is_one_that_the_house_allows() {
    let mut wrong = Vec::new();
    for file in sources().iter().filter(|file| file.part != "lib") {
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
        ("ui", "#[cfg(test)]\nmod tests;\n\nuse crate::store::Journal;", "ui may not use store::Journal"),
        ("ui", "#[cfg(test)]\nmod tests { fn a() { b('}', \"}\") } }\nuse crate::pack;", "ui may not use pack"),
        ("demo", "pub(crate) use crate::pack::Pack; use crate::adapters::sql;", "demo may not use adapters::sql"),
    ];
    for (part, text, expected) in planted {
        assert_eq!(forbidden(part, &code(text)), [expected]);
    }
    let allowed = [
        ("ui", "use crate::{domain::id::Id, engine::message::{Event, Request}, ui::theme};"),
        ("domain", "// crate::store is what the engine gives\nlet text = \"crate::store\"; let c = '\"';"),
        ("domain", "fn a() {}\n\n#[cfg(test)]\nmod tests {\n    use crate::pack::read;\n}\n"),
        ("ui", "#[cfg(test)]\nuse crate::{domain, engine, ui};\n\n#[cfg(test)]\n#[path = \"x.rs\"]\npub mod fixture;"),
        ("ui", "let text = r#\"a \"crate::store\" b\"#; let brace = '{'; /* crate::store */"),
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
        let text = file.text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_lowercase();
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
    for part in ["src/adapters/", "src/demo/", "src/"] {
        // A pack's SQL enters in one adapter; the demo town runs its own statements on a database of its own.
        let (inside, outside): (Vec<String>, Vec<String>) =
            holding("AssertSqlSafe(").into_iter().partition(|file| file.starts_with(part));
        assert!(part == "src/" || inside.len() <= 1, "SQL enters {part} in one place, not in {inside:?}");
        let is_known = |file: &String| file.starts_with("src/adapters/") || file.starts_with("src/demo/");
        assert!(outside.iter().chain(&inside).all(is_known), "SQL enters elsewhere: {inside:?} {outside:?}");
    }
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
