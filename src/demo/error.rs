//! Why a demo town could not be opened or changed.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no built-in pack `{name}`; there are: {known}")]
    NoPack { name: String, known: String },
    #[error("{file}: {said}")]
    Declaration { file: String, said: String },
    #[error("{what}: {source}")]
    Sql { what: String, source: sqlx::Error },
    #[error("{what}: the statement needs `:{name}`, and nothing gives it")]
    Parameter { what: String, name: String },
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("`{source_text}` is no fault: {said}")]
    Fault { source_text: String, said: String },
}

impl Error {
    pub(super) fn sql(what: impl Into<String>) -> impl FnOnce(sqlx::Error) -> Self {
        let what = what.into();
        move |source| Self::Sql { what, source }
    }

    pub(super) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }

    pub(super) fn declaration(file: &str, said: impl std::fmt::Display) -> Self {
        Self::Declaration { file: file.to_owned(), said: said.to_string() }
    }
}
