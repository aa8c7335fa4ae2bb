//! What the README shows is what the program has.

use std::{fs, path::Path};

use wheelhouse::{cli::keys, pack};

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("the file is there")
}

/// The key table between its markers is the one that `wheelhouse keys --markdown` prints.
#[test]
fn the_key_table_is_the_programs() {
    let readme = text("README.md");
    let (_, rest) = readme.split_once("<!-- keys: begin -->\n").expect("the table begins");
    let (table, _) = rest.split_once("<!-- keys: end -->").expect("the table ends");
    assert_eq!(table, keys::as_markdown(), "print it with `wheelhouse keys --markdown`");
}

/// Every whole pack in the reference is one that `pack check` takes.
#[test]
fn the_packs_of_the_reference_are_right() {
    let reference = text("assets/PACKS.md");
    let blocks = reference.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let packs: Vec<&str> = blocks.filter(|block| block.contains("[pack]") && block.contains("[connections]")).collect();
    assert!(!packs.is_empty(), "the reference shows no whole pack");
    // The examples of commands lack only the head.
    let head = "[pack]\ntitle = \"Cycles\"\ntimezone = \"UTC\"\ncurrency = \"EUR\"\n";
    let blocks = reference.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let commands: Vec<String> = blocks
        .filter(|block| block.contains(".command = {") && block.contains("[connections]"))
        .map(|block| format!("{head}{block}"))
        .collect();
    assert_eq!(commands.len(), 3, "a dump, an export, an admin's tool");
    for block in packs.into_iter().chain(commands.iter().map(String::as_str)) {
        let read = pack::parse("reference.toml", block, &|_| Ok(String::new()));
        if let Err(problems) = read {
            panic!("{problems}\n--- in:\n{block}");
        }
    }
}
