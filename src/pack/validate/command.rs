//! Commands: the program and its surroundings, arguments that no row can turn into something else, exit codes.

use std::path::PathBuf;

use crate::{
    domain::{
        command::{CommandLine, Exits},
        pack::{CommandFormat, CommandRead, ConnectionKind, Program, SecretSource},
        template::TemplatePlace,
    },
    pack::{
        place::Place,
        raw::{RawCommandEffect, RawCommandFormat, RawCommandRead, RawHeader, RawProgram},
    },
};

use super::{
    read::{Names, pointer_is_right},
    reader::{Reader, Section},
    secret::{Given, looks_secret},
};

/// Programs that take an argument for a line of words of their own.
const SHELLS: [&str; 8] = ["sh", "bash", "dash", "zsh", "ksh", "fish", "ash", "csh"];
/// Options that are followed by a secret.
const TELLING_OPTIONS: [&str; 8] =
    ["--password=", "--passwd=", "--token=", "--secret=", "--api-key=", "--apikey=", "--access-token=", "--client-secret="];
/// Words in the name of a variable that holds a secret.
const TELLING_NAMES: [&str; 6] = ["PASSWORD", "PASSWD", "SECRET", "TOKEN", "API_KEY", "PRIVATE_KEY"];

pub(super) fn program(reader: &mut Reader<'_>, place: &Place, raw: &RawProgram) -> ConnectionKind {
    program_name(reader, &place.key("program"), &raw.program);
    let directory = raw.directory.as_ref().map(|directory| {
        if !is_absolute(directory) {
            let help = Some("it begins with `/` or `~/`: where the cockpit was started must not matter".to_owned());
            reader.say(&place.key("directory"), format!("`{directory}` is somewhere else each time"), "not a whole path", help);
        }
        PathBuf::from(directory)
    });
    let mut environment = Vec::new();
    for (key, value) in &raw.environment {
        environment.extend(variable(reader, &place.key("environment").key(key), key, value));
    }
    reader.no_repetition(&place.key("inherit"), &raw.inherit);
    for (index, name) in raw.inherit.iter().enumerate() {
        reader.environment_name(&place.key("inherit").index(index), name);
    }
    let given = Given {
        plain: None,
        environment: raw.stdin_env.as_ref(),
        file: raw.stdin_file.as_ref(),
        command: raw.stdin_command.as_ref(),
    };
    let input = reader.secret(place, "stdin", given, false);
    ConnectionKind::Command(Box::new(Program {
        program: raw.program.clone(),
        directory,
        environment,
        inherit: raw.inherit.clone(),
        input,
        version: raw.version.clone(),
        is_detached: raw.detached,
    }))
}

fn is_absolute(path: &str) -> bool {
    path.starts_with('/') || path.starts_with("~/")
}

fn program_name(reader: &mut Reader<'_>, place: &Place, program: &str) {
    reader.not_empty(place, program, "the program's name");
    if is_absolute(program) || program.trim().is_empty() {
        return;
    }
    if program.contains(char::is_whitespace) {
        let help = Some("the program alone; its arguments go into `args`, one by one".to_owned());
        reader.say(place, format!("`{program}` is a line for a shell, and none is started"), "not a program", help);
    } else if program.contains('/') {
        let help = Some("a name that is looked for in `PATH`, or a path that begins with `/` or `~/`".to_owned());
        reader.say(place, format!("`{program}` is another program in each directory"), "not a whole path", help);
    }
}

/// The ending of the key says how the value is given.
fn variable(reader: &mut Reader<'_>, place: &Place, key: &str, value: &RawHeader) -> Option<(String, SecretSource)> {
    let endings = ["_env", "_file", "_command"];
    let split = endings.iter().find_map(|ending| key.strip_suffix(ending).map(|name| (name, *ending)));
    let (name, how) = split.unwrap_or((key, ""));
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
    if !is_name {
        reader.say_key(place, format!("`{name}` is not the name of an environment variable"), "not a name", None);
        return None;
    }
    let source = match (how, value) {
        ("_env", RawHeader::Text(variable)) => {
            reader.environment_name(place, variable);
            SecretSource::Environment(variable.clone())
        }
        ("_file", RawHeader::Text(path)) => SecretSource::File(path.into()),
        ("_command", RawHeader::Command(argv)) if !argv.is_empty() => SecretSource::Command(argv.clone()),
        ("", RawHeader::Text(text)) => {
            let is_telling = TELLING_NAMES.iter().any(|word| name.to_uppercase().contains(word));
            if is_telling || looks_secret(text) {
                let help = Some(format!("name the variable that holds it: `{name}_env`"));
                reader.say_secret(place, format!("`{name}` is a secret and is never written in a pack"), "not here", help);
            }
            SecretSource::Plain(text.clone())
        }
        (_, RawHeader::Text(_) | RawHeader::Command(_)) => {
            let help = Some("`_command` takes a list: the program and its arguments; all others take a text".to_owned());
            reader.say(place, format!("`{key}` is not given in the right form"), "wrong form", help);
            return None;
        }
    };
    Some((name.to_owned(), source))
}

/// The arguments of a run on a connection.
pub(super) fn line(reader: &mut Reader<'_>, place: &Place, on: &str, args: &[String], names: Names<'_>) -> Option<CommandLine> {
    let args_place = place.key("args");
    let mut templates = Vec::new();
    for (index, text) in args.iter().enumerate() {
        let place = args_place.index(index);
        no_secret(reader, &place, text);
        let template = reader.template_for(TemplatePlace::Address, &place, text);
        templates.push(reader.template_of(template, &place, names));
    }
    let line = CommandLine(templates.into_iter().collect::<Option<_>>()?);
    no_shell_line(reader, &args_place, on, &line);
    Some(line)
}

/// Everybody on the machine can read the arguments of everybody's programs.
fn no_secret(reader: &mut Reader<'_>, place: &Place, text: &str) {
    let lower = text.to_lowercase();
    let option = TELLING_OPTIONS.iter().find(|option| lower.starts_with(**option));
    if let Some(option) = option {
        let help = "give it by `environment`, by `stdin_env`, or name a file that only you can read".to_owned();
        let message = format!("what follows `{option}` is in the list of processes, for everyone to read");
        reader.say_secret(place, message, "never here", Some(help));
    } else if looks_secret(text) {
        let help = "take it out of the file, count it as known, and give the new one by `environment` or `stdin_env`".to_owned();
        reader.say_secret(
            place,
            "this looks like a secret, and arguments are in the list of processes",
            "never here",
            Some(help),
        );
    }
}

/// A shell makes words of its own of what a row holds: quoting inside its line is not ours to judge.
fn no_shell_line(reader: &mut Reader<'_>, place: &Place, on: &str, line: &CommandLine) {
    let program = Place::default().key(Section::Connections.word()).key(on).key("command").key("program");
    let Some(program) = reader.source.text_at(&program) else { return };
    let shell = program.rsplit('/').next().unwrap_or(program);
    let takes_a_line = |text: &str| text.starts_with('-') && !text.starts_with("--") && text.ends_with('c');
    let Some(at) = line.0.iter().position(|template| takes_a_line(template.source())) else { return };
    if SHELLS.contains(&shell)
        && let Some(said) = line.0.get(at + 1).filter(|template| !template.names().is_empty())
    {
        let help = Some("put the value after the line as an argument of its own, and use it there as `\"$1\"`".to_owned());
        let message =
            format!("`{shell} {}` would run what `{}` holds", line.0.get(at).map_or("-c", |flag| flag.source()), said.source());
        reader.say(&place.index(at + 1), message, "a shell line with a value in it", help);
    }
}

pub(super) fn read(reader: &mut Reader<'_>, place: &Place, raw: &RawCommandRead, names: Names<'_>) -> Option<CommandRead> {
    let line = line(reader, place, &raw.on, &raw.args, names);
    let format = raw.format.map_or(CommandFormat::Text, format);
    let pointers = [("columns", !raw.columns.is_empty()), ("rows", raw.rows.is_some())];
    for (key, _) in pointers.into_iter().filter(|(_, is_given)| *is_given && format != CommandFormat::Json) {
        let help = Some("`format = \"json\"` has places to point at".to_owned());
        reader.say_key(
            &place.key(key),
            format!("`{key}` points into JSON, and this is read as {}", format.word()),
            "not here",
            help,
        );
    }
    for (name, pointer) in &raw.columns {
        pointer_is_right(reader, &place.key("columns").key(name), pointer);
    }
    if let Some(rows) = &raw.rows {
        pointer_is_right(reader, &place.key("rows"), rows);
    }
    let header = place.key("header");
    if !raw.header.is_empty() && format != CommandFormat::Csv {
        reader.say_key(
            &header,
            format!("`header` names the columns of csv, and this is read as {}", format.word()),
            "not here",
            None,
        );
    }
    reader.no_repetition(&header, &raw.header);
    reader.no_repetition(&place.key("money"), &raw.money);
    let done = codes(reader, place, "done", raw.done.as_ref()).unwrap_or_else(|| vec![0]);
    Some(CommandRead {
        line: line?,
        format,
        columns: raw.columns.iter().map(|(name, pointer)| (name.clone(), pointer.clone())).collect(),
        rows: raw.rows.clone(),
        header: raw.header.clone(),
        done,
        probe: raw.probe,
    })
}

fn format(raw: RawCommandFormat) -> CommandFormat {
    match raw {
        RawCommandFormat::Json => CommandFormat::Json,
        RawCommandFormat::Lines => CommandFormat::Lines,
        RawCommandFormat::Csv => CommandFormat::Csv,
        RawCommandFormat::Text => CommandFormat::Text,
    }
}

pub(super) fn exits(reader: &mut Reader<'_>, place: &Place, raw: &RawCommandEffect) -> Exits {
    let done = codes(reader, place, "done", raw.done.as_ref()).unwrap_or_else(|| vec![0]);
    let refused = codes(reader, place, "refused", raw.refused.as_ref());
    let unknown = codes(reader, place, "unknown", Some(&raw.unknown)).unwrap_or_default();
    let mut known: Vec<(i32, &str)> = done.iter().map(|code| (*code, "done")).collect();
    for (key, codes) in [("refused", refused.as_ref()), ("unknown", Some(&unknown))] {
        for (index, code) in codes.into_iter().flatten().enumerate() {
            match known.iter().find(|(other, _)| other == code) {
                Some((_, other)) => {
                    let message = format!("exit code {code} means `{other}` already");
                    reader.say(&place.key(key).index(index), message, "second meaning", None);
                }
                None => known.push((*code, key)),
            }
        }
    }
    Exits { done, refused, unknown }
}

fn codes(reader: &mut Reader<'_>, place: &Place, key: &str, codes: Option<&Vec<i32>>) -> Option<Vec<i32>> {
    let codes = codes?;
    for (index, code) in codes.iter().enumerate() {
        let place = place.key(key).index(index);
        if !(0..=255).contains(code) {
            reader.say(&place, format!("no program ends with {code}"), "not an exit code", Some("0 to 255".to_owned()));
        } else if codes.iter().take(index).any(|earlier| earlier == code) {
            reader.say(&place, format!("exit code {code} is there twice"), "second time", None);
        }
    }
    if key == "done" && codes.is_empty() {
        reader.say(&place.key(key), "it could never be done", "no code", Some("leave it out: then 0 means done".to_owned()));
    }
    Some(codes.clone())
}
