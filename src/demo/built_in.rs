//! The packs that the program carries: their files, by path, as they were when it was built.

/// One embedded pack and the demo business that goes with it.
#[derive(Clone, Copy, Debug)]
pub struct BuiltIn {
    pub name: &'static str,
    /// Path beside the pack (`pack.toml`, `playbooks/...`) and text.
    pub files: &'static [(&'static str, &'static str)],
}

impl BuiltIn {
    pub fn file(&self, path: &str) -> Option<&'static str> {
        self.files.iter().find(|(name, _)| *name == path).map(|(_, text)| *text)
    }
}

/// Every built-in pack, by name.
pub const ALL: &[BuiltIn] = include!(concat!(env!("OUT_DIR"), "/packs.rs"));

pub fn find(name: &str) -> Option<&'static BuiltIn> {
    ALL.iter().find(|pack| pack.name == name)
}
