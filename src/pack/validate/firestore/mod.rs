//! Firestore: the connection, and what paths of documents and fields must be.

mod effect;
mod read;
mod written;

use crate::{
    domain::{
        document::{FieldPath, segments_of},
        pack::ConnectionKind,
        template::{Template, TemplatePlace},
    },
    pack::{place::Place, raw::RawFirestore},
};

pub(super) use self::{
    effect::{effect, expects, is_read_afresh},
    read::{beside, of_flag, read},
};

use super::{read::Names, reader::Reader, secret::Given};

const DEFAULT_DATABASE: &str = "(default)";

pub(super) fn connection(reader: &mut Reader<'_>, place: &Place, raw: &RawFirestore) -> Option<ConnectionKind> {
    let project = Given { plain: raw.project.as_ref(), environment: raw.project_env.as_ref(), ..Given::default() };
    let project = match (&raw.project, &raw.project_env) {
        (None, None) => {
            let help = Some("its id, as Google's console shows it: `project = \"...\"`, or `project_env`".to_owned());
            reader.say(place, "which project is it?", "needs `project`", help);
            None
        }
        _ => reader.secret(place, "project", project, true),
    };
    let is_word =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte));
    if let Some(id) = raw.project.as_ref().filter(|id| !is_word(id)) {
        reader.say(&place.key("project"), format!("`{id}` is not the id of a project"), "not an id", None);
    }
    if let Some(id) = raw.database.as_ref().filter(|id| *id != DEFAULT_DATABASE && !is_word(id)) {
        let help = Some(format!("`{DEFAULT_DATABASE}`, or the id of another one of the project"));
        reader.say(&place.key("database"), format!("`{id}` is not the id of a database"), "not an id", help);
    }
    let credentials = Given {
        plain: None,
        environment: raw.credentials_env.as_ref(),
        file: raw.credentials_file.as_ref(),
        command: raw.credentials_command.as_ref(),
    };
    let credentials = reader.secret(place, "credentials", credentials, false);
    if let Some(marks) = &raw.marks
        && !segments_of(marks).is_ok_and(|segments| segments.len() % 2 == 1)
    {
        reader.say(&place.key("marks"), format!("`{marks}` is not the name of a collection"), "not a collection", None);
    }
    let database = raw.database.clone().unwrap_or_else(|| DEFAULT_DATABASE.to_owned());
    Some(ConnectionKind::Firestore { project: project?, database, credentials, marks: raw.marks.clone() })
}

/// A path of collections and ids; `rest` is 0 for a document and 1 for a collection.
fn path_of(reader: &mut Reader<'_>, place: &Place, text: &str, rest: usize, names: Names<'_>) -> Option<Template> {
    let template = reader.template_for(TemplatePlace::Path, place, text)?;
    reader.names_at_hand(place, &template.names(), None, names);
    let help = || {
        let example = if rest == 0 { "`users/{{ id }}`" } else { "`users/{{ id }}/notes`" };
        Some(format!("collections and ids by turns, with `/` between them, such as {example}"))
    };
    let (kind, other) = if rest == 0 { ("document", "collection") } else { ("collection", "document") };
    match segments_of(&template.filled_with("x", "x")) {
        Ok(segments) if segments.len() % 2 == rest => {}
        Ok(_) => reader.say(
            place,
            format!("`{text}` is the path of a {other}, and a {kind} is meant"),
            &format!("not a {kind}"),
            help(),
        ),
        Err(why) => reader.say(place, format!("`{text}` is not the path of a {kind}: {why}"), &format!("not a {kind}"), help()),
    }
    Some(template)
}

fn field(reader: &mut Reader<'_>, place: &Place, text: &str, is_key: bool) -> Option<FieldPath> {
    let problem = match FieldPath::parse(text) {
        Ok(path) if path.is_reserved() && text != "__name__" => "the database keeps names like this for itself".to_owned(),
        Ok(path) => return Some(path),
        Err(error) => error.to_string(),
    };
    let message = format!("`{text}` is not the path of a field: {problem}");
    let help = Some("names with dots between them; one that has a dot itself stands in backticks: `` `a.b` ``".to_owned());
    if is_key {
        reader.say_key(place, message, "not a field", help);
    } else {
        reader.say(place, message, "not a field", help);
    }
    None
}
