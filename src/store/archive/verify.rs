//! Is a statement what it was? Every byte of its three files counts, and of the list of their hashes; and its rows must
//! still add up to what it says.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use super::{
    CSV, HASHES, HTML, JSON, again,
    canonical::{AFTER_HASH, BEFORE_HASH, name_of},
    sums,
};

/// What became of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was changed since it was filed, and its rows add up; its hashes, by the files' names.
    Holds { name: String, hashes: BTreeMap<String, String> },
    /// Something was; each file and what is wrong with it.
    Broken { wrong: Vec<(String, String)> },
}

/// Judges the statement that a file belongs to: its JSON, its CSV, its page, or the list of hashes.
pub fn verify(file: &Path) -> io::Result<Verdict> {
    if !file.is_file() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "there is no such file"));
    }
    let name = name_of(file);
    let path = |ending: &str| -> PathBuf { file.with_file_name(format!("{name}.{ending}")) };
    let mut wrong = Vec::new();
    let list = path(HASHES);
    let expected = match fs::read_to_string(&list) {
        Ok(text) => hashes(&name, &text).unwrap_or_else(|| {
            wrong.push((format!("{name}.{HASHES}"), "is not the list of three hashes that was written".to_owned()));
            BTreeMap::new()
        }),
        Err(error) => {
            wrong.push((format!("{name}.{HASHES}"), format!("cannot be read: {error}")));
            BTreeMap::new()
        }
    };
    let mut found = BTreeMap::new();
    for ending in [JSON, CSV, HTML] {
        let own = format!("{name}.{ending}");
        match hashed(&path(ending), ending == JSON) {
            Err(error) => wrong.push((own, format!("cannot be read: {error}"))),
            Ok((hash, is_sound)) => {
                if !is_sound {
                    wrong.push((own.clone(), "was changed: the hash in its last line is another".to_owned()));
                } else if expected.get(&own).is_some_and(|expected| *expected != hash) {
                    wrong.push((own.clone(), "was changed: its hash is not the one in the list".to_owned()));
                }
                found.insert(own, hash);
            }
        }
    }
    if wrong.is_empty() {
        let problems = sums::problems(&path(JSON)).unwrap_or_else(|why| vec![why]);
        wrong.extend(problems.into_iter().map(|why| (format!("{name}.{JSON}"), format!("does not add up: {why}"))));
    }
    if wrong.is_empty() {
        wrong.extend(beside(&path(JSON), &name, &found));
    }
    Ok(if wrong.is_empty() { Verdict::Holds { name, hashes: found } } else { Verdict::Broken { wrong } })
}

/// What of the other files does not say what the JSON says.
fn beside(file: &Path, name: &str, found: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let others = match again::others(file) {
        Ok(Some(others)) => others,
        Ok(None) => return Vec::new(),
        Err(why) => return vec![(format!("{name}.{JSON}"), format!("is not what was written: {why}"))],
    };
    let both = [(CSV, others.csv), (HTML, others.html)].map(|(ending, hash)| (format!("{name}.{ending}"), hash));
    let differing = both.into_iter().filter(|(own, hash)| found.get(own) != Some(hash));
    differing.map(|(own, _)| (own, "does not say what the rows in the JSON say".to_owned())).collect()
}

/// The list of hashes beside a statement, where it is one.
pub(super) fn listed(list: &Path) -> Option<BTreeMap<String, String>> {
    hashes(&name_of(list), &fs::read_to_string(list).ok()?)
}

/// As they were written, byte for byte; anything else is none.
fn hashes(name: &str, text: &str) -> Option<BTreeMap<String, String>> {
    let is_hash = |hash: &str| hash.len() == 64 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let hashes: BTreeMap<String, String> = text
        .lines()
        .map(|line| {
            line.split_once("  ").filter(|(hash, _)| is_hash(hash)).map(|(hash, file)| (file.to_owned(), hash.to_owned()))
        })
        .collect::<Option<_>>()?;
    let again = hashes.iter().map(|(file, hash)| format!("{hash}  {file}\n")).collect::<Vec<_>>().concat();
    let is_whole = hashes.len() == 3 && [JSON, CSV, HTML].iter().all(|ending| hashes.contains_key(&format!("{name}.{ending}")));
    (is_whole && again == text).then_some(hashes)
}

/// The hash of the whole file, and whether the one in its last line, where it must have one, is that of all before it.
fn hashed(file: &Path, has_own: bool) -> io::Result<(String, bool)> {
    let mut file = File::open(file)?;
    let length = file.metadata()?.len();
    let tail = (BEFORE_HASH.len() + 64 + AFTER_HASH.len()) as u64;
    let mut hash = Sha256::new();
    io::copy(&mut (&mut file).take(length.saturating_sub(tail)), &mut hash)?;
    let before = hex::encode(hash.clone().finalize());
    let mut last = Vec::new();
    file.read_to_end(&mut last)?;
    hash.update(&last);
    let is_sound = !has_own || last == format!("{BEFORE_HASH}{before}{AFTER_HASH}").as_bytes();
    Ok((hex::encode(hash.finalize()), is_sound))
}
