//! Where the cockpit keeps its things: XDG directories, unless told otherwise.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use directories::ProjectDirs;

fn project() -> Option<ProjectDirs> {
    ProjectDirs::from("", "", "wheelhouse")
}

/// The configuration file, whether or not it exists.
pub fn config_file(told: Option<&Path>) -> Option<PathBuf> {
    told.map(Path::to_path_buf).or_else(|| project().map(|dirs| dirs.config_dir().join("config.toml")))
}

/// The directory of records and logs, made if it is not there; readable by its owner alone, because it holds the
/// business's names and amounts.
pub fn state_directory(told: Option<&Path>) -> io::Result<PathBuf> {
    let directory = match told {
        Some(told) => told.to_path_buf(),
        None => project()
            .and_then(|dirs| dirs.state_dir().map(Path::to_path_buf))
            .ok_or_else(|| io::Error::other("no home directory is known: set HOME, or give --state-dir"))?,
    };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
    if told.is_none() {
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o700))?;
    }
    Ok(directory)
}

/// The directory of the statements of every business: below the one that was told, else with the operator's data.
pub fn statements(told: Option<&Path>) -> io::Result<PathBuf> {
    let data = || project().map(|dirs| dirs.data_dir().to_path_buf());
    let directory = told.map(Path::to_path_buf).or_else(data);
    let none = || io::Error::other("no home directory is known: set HOME, or give --state-dir");
    directory.map(|directory| directory.join("statements")).ok_or_else(none)
}
