//! Stand-ins for programs of the machine: scripts in a directory of the town that is looked into before all others.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _, path::Path};

use super::error::Error;

/// Where they are looked for when the machine does not say it.
const USUAL_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Writes each of them into `bin`; the `PATH` by which they are found, where there are any.
pub(super) fn furnish(dir: &Path, programs: &BTreeMap<String, String>) -> Result<Option<String>, Error> {
    if programs.is_empty() {
        return Ok(None);
    }
    let bin = dir.join("bin");
    fs::create_dir_all(&bin).map_err(Error::io(&bin))?;
    for (name, script) in programs {
        if name.contains('/') {
            return Err(Error::declaration("demo.toml, programs", format!("`{name}` is not the name of a program")));
        }
        let file = bin.join(name);
        // Another cockpit of the same town may be running it: it is replaced, not written over.
        let new = bin.join(format!(".{name}"));
        fs::write(&new, format!("#!/bin/sh\n{script}")).map_err(Error::io(&new))?;
        fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).map_err(Error::io(&new))?;
        fs::rename(&new, &file).map_err(Error::io(&file))?;
    }
    let path = std::env::var("PATH").unwrap_or_else(|_| USUAL_PATH.to_owned());
    Ok(Some(format!("{}:{path}", bin.display())))
}
