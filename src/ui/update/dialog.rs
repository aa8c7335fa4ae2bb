//! Keys while the dialog before an act is open.

use crossterm::event::KeyCode;

use super::{acting, perform::say};
use crate::{
    domain::pack::Confirm,
    engine::message::Request,
    ui::{
        chord::Chord,
        dialog::{Dialog, Focus, Stage},
        field::Field,
        message::Cmd,
        model::Model,
        notice::Tone,
        overlay::Overlay,
        waiting::Waiting,
    },
};

pub fn press(model: &mut Model, mut dialog: Box<Dialog>, chord: Chord) -> Vec<Cmd> {
    // Esc and Ctrl-C always close; all else waits until it can be meant for this dialog.
    if chord.code == KeyCode::Esc || (chord.control && chord.code == KeyCode::Char('c')) {
        return close(model);
    }
    if !dialog.listens(model.now) {
        model.overlay = Some(Overlay::Dialog(dialog));
        return Vec::new();
    }
    let mut cmds = Vec::new();
    match chord.code {
        KeyCode::Tab | KeyCode::Down => cmds = leave(model, &mut dialog, false),
        KeyCode::BackTab | KeyCode::Up => cmds = leave(model, &mut dialog, true),
        KeyCode::PageDown => dialog.scroll = dialog.scroll.saturating_add(5),
        KeyCode::PageUp => dialog.scroll = dialog.scroll.saturating_sub(5),
        KeyCode::Enter => return enter(model, dialog),
        _ => return letter(model, dialog, chord),
    }
    model.overlay = Some(Overlay::Dialog(dialog));
    cmds
}

fn close(model: &mut Model) -> Vec<Cmd> {
    model.questions.forget_dialog();
    say(model, Tone::Plain, "cancelled; nothing has been sent");
    Vec::new()
}

/// Goes to the next place; a text that changed is asked about.
fn leave(model: &mut Model, dialog: &mut Dialog, back: bool) -> Vec<Cmd> {
    let was_input = matches!(dialog.focus, Focus::Input(_));
    dialog.step(back);
    if was_input && dialog.is_behind { propose(model, dialog) } else { Vec::new() }
}

/// Asks anew what would happen, with the inputs as they are now.
fn propose(model: &mut Model, dialog: &mut Dialog) -> Vec<Cmd> {
    let ask = model.questions.ask(Waiting::Dialog);
    dialog.ask = ask;
    dialog.is_behind = false;
    dialog.stage = Stage::Checking;
    dialog.ready_at = None;
    let inputs = dialog.inputs();
    let request = match dialog.resumes.clone() {
        Some(batch) => Request::Resume { ask, batch, inputs },
        None => Request::Propose { ask, action: dialog.action.clone(), targets: dialog.targets.clone(), inputs },
    };
    vec![Cmd::Ask(request)]
}

fn enter(model: &mut Model, mut dialog: Box<Dialog>) -> Vec<Cmd> {
    match dialog.focus {
        Focus::Cancel => close(model),
        // Enter on what was typed is not Enter alone; on any other field it only goes on.
        Focus::Confirm | Focus::Typed => confirm(model, dialog),
        Focus::Input(_) => {
            let cmds = leave(model, &mut dialog, false);
            model.overlay = Some(Overlay::Dialog(dialog));
            cmds
        }
    }
}

fn letter(model: &mut Model, mut dialog: Box<Dialog>, chord: Chord) -> Vec<Cmd> {
    let mut cmds = Vec::new();
    let typed = chord.letter();
    if let Some((at, choice)) = typed.and_then(|letter| chosen(&dialog, letter)) {
        if let Some(entry) = dialog.entries.get_mut(at) {
            entry.field = Field::with(&choice);
            cmds = propose(model, &mut dialog);
        }
    } else if matches!(dialog.focus, Focus::Cancel | Focus::Confirm) && is_for_the_buttons(&dialog, typed) {
        match chord.code {
            KeyCode::Left | KeyCode::Right => {
                let has_confirm = dialog.stops().contains(&Focus::Confirm);
                dialog.focus = if dialog.focus == Focus::Cancel && has_confirm { Focus::Confirm } else { Focus::Cancel };
            }
            KeyCode::Char('y') if dialog.confirm() != Some(Confirm::Typed) && dialog.opened_by != Some('y') => {
                return confirm(model, dialog);
            }
            KeyCode::Char('n' | 'q') => return close(model),
            KeyCode::Char('j') => dialog.scroll = dialog.scroll.saturating_add(1),
            KeyCode::Char('k') => dialog.scroll = dialog.scroll.saturating_sub(1),
            _ => {}
        }
    } else {
        let belongs = dialog.wanting().or_else(|| dialog.text());
        if let Some(belongs) = belongs.filter(|_| matches!(dialog.focus, Focus::Cancel | Focus::Confirm)) {
            dialog.focus = belongs;
        }
        let is_input = matches!(dialog.focus, Focus::Input(_));
        let before = dialog.field().map(|field| field.text().to_owned());
        if let Some(field) = dialog.field() {
            field.press(chord);
        }
        let after = dialog.field().map(|field| field.text().to_owned());
        dialog.is_behind |= is_input && before != after;
    }
    model.overlay = Some(Overlay::Dialog(dialog));
    cmds
}

/// Where a text can be written, only the key that confirms is the buttons': prose that begins before its field has the
/// focus must neither close the dialog nor run on over the page behind it.
fn is_for_the_buttons(dialog: &Dialog, typed: Option<char>) -> bool {
    match typed {
        None => true,
        Some('y') => dialog.wanting().is_none(),
        Some(_) => dialog.wanting().is_none() && dialog.text().is_none(),
    }
}

/// The choice that a digit stands for.
fn chosen(dialog: &Dialog, letter: char) -> Option<(usize, String)> {
    let at = dialog.choosing()?;
    let number = letter.to_digit(10)?.checked_sub(1)?;
    let choice = dialog.entries.get(at)?.choices.get(number as usize)?;
    Some((at, choice.clone()))
}

fn confirm(model: &mut Model, mut dialog: Box<Dialog>) -> Vec<Cmd> {
    if dialog.is_behind {
        let cmds = propose(model, &mut dialog);
        model.overlay = Some(Overlay::Dialog(dialog));
        return cmds;
    }
    if !dialog.fits(model.size) {
        let (width, height) = dialog.least();
        say(model, Tone::Warning, format!("the window is too small to confirm: make it {width}x{height} or larger"));
        model.overlay = Some(Overlay::Dialog(dialog));
        return Vec::new();
    }
    if let Some(obstacle) = dialog.obstacle(model.now) {
        say(model, Tone::Warning, obstacle);
        model.overlay = Some(Overlay::Dialog(dialog));
        return Vec::new();
    }
    if !acting::may_write(model) {
        model.overlay = Some(Overlay::Dialog(dialog));
        return Vec::new();
    }
    let typed = dialog.typed.text().trim().to_owned();
    match &dialog.stage {
        Stage::Ready(preview) => acting::commit(model, dialog.ask, preview, typed),
        Stage::Checking | Stage::Failed(_) => Vec::new(),
    }
}
