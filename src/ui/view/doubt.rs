//! The acts in doubt: what each of them is, what is certain about it, how it is settled.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    ink::{Ink, wrapped},
    overlay, sheet,
};
use crate::{
    domain::{
        plan::{Receipt, Standing},
        text,
    },
    ui::{keymap::Intent, overlay::Doubt, theme::Role},
};

/// Acts named one by one; more are counted.
const NAMED: usize = 8;

pub fn draw(ink: &Ink<'_>, buffer: &mut Buffer, screen: Rect, doubt: &Doubt) {
    let acts: Vec<&Receipt> = ink.model.receipts.to_decide().collect();
    let at = acts.iter().position(|act| act.plan == doubt.plan);
    let width = screen.width.min(96);
    let lines = lines(ink, &acts, at, usize::from(width.saturating_sub(4)));
    let area = overlay::centered(buffer, screen, width, (lines.len() as u16).saturating_add(5));
    sheet::frame(ink, buffer, area, &title(&acts), "Esc closes", true, None);
    if area.width < 12 || area.height < 4 {
        return;
    }
    let (x, room) = (area.x + 2, area.width - 4);
    // However small the screen is, the line that is typed in stays in view.
    let typed = area.bottom() - 2;
    for ((line, role), y) in lines.iter().zip(area.y + 1..typed) {
        ink.put(buffer, (x, y), room, line, *role);
    }
    if at.is_none() {
        return;
    }
    let took = ink.put(buffer, (x, typed), room, "What became of it:", Role::Warning) + 1;
    let field = 16.min(room.saturating_sub(took));
    overlay::field(ink, buffer, (x + took, typed), field, &doubt.typed, true);
    let hint = x + took + field + 2;
    ink.put(buffer, (hint, typed), area.right().saturating_sub(hint + 2), "(Enter alone does nothing)", Role::Muted);
}

/// `2 acts in doubt, 1 half done, 1 not proven`: what there is none of is left out.
fn title(acts: &[&Receipt]) -> String {
    let half_done = acts.iter().filter(|act| act.is_half_done()).count();
    let unproven = acts.iter().filter(|act| act.standing == Standing::Unproven).count();
    let in_doubt = acts.len() - half_done - unproven;
    let counts = [(in_doubt, "in doubt"), (half_done, "half done"), (unproven, "not proven")];
    let said = counts.iter().filter(|(count, _)| *count > 0).enumerate().map(|(place, (count, word))| {
        let counted = if place == 0 { text::counted(*count, "act") } else { count.to_string() };
        format!("{counted} {word}")
    });
    let said = said.collect::<Vec<_>>().join(", ");
    if said.is_empty() { "Nothing is in doubt any more".to_owned() } else { said }
}

fn lines(ink: &Ink<'_>, acts: &[&Receipt], at: Option<usize>, width: usize) -> Vec<(String, Role)> {
    let mut lines = Vec::new();
    let first = at.unwrap_or(0).saturating_sub(NAMED - 1);
    for (place, act) in acts.iter().enumerate().skip(first).take(NAMED) {
        let (marker, role) = if Some(place) == at { (">", Role::Title) } else { (" ", Role::Text) };
        lines.push((format!("{marker} {} {}   since {}", act.title, act.label.one_line(), ink.when(act.at)), role));
    }
    if acts.len() > first + NAMED {
        lines.push((format!("  and {} more", acts.len() - first - NAMED), Role::Muted));
    }
    let Some(act) = at.and_then(|at| acts.get(at)) else {
        if !acts.is_empty() {
            lines.push((String::new(), Role::Text));
            let said = "The act that you were reading is no longer in doubt. Tab goes on to the next.";
            lines.extend(wrapped(said, width).into_iter().map(|line| (line, Role::Warning)));
        }
        return lines;
    };
    let mut say = |text: &str, role: Role| lines.extend(wrapped(text, width).into_iter().map(|line| (line, role)));
    say("", Role::Text);
    let through = match act.steps_done {
        0 => "nothing of it is known to have happened".to_owned(),
        1 => format!("the first of its {} steps is through", act.steps),
        done => format!("{done} of its {} steps are through", act.steps),
    };
    say(&format!("Certain:  {through}. Whatever goes out again carries the same key."), Role::Text);
    let key = ink.model.keymap.key_of(Intent::LookUp);
    let is_last = act.steps_done + 1 >= act.steps;
    let after = if is_last { "the act is done" } else { "the steps after it are carried out" };
    if act.standing == Standing::Unproven {
        say(&format!("Missing:  {}", act.said.one_line()), Role::Warning);
        say("", Role::Text);
        say(&format!("{key} looks for the proof again: nothing is sent by that."), Role::Text);
        say("If you have seen yourself whether it was taken in, type:", Role::Text);
        say(&format!("  happened        it counts as proven; {after}"), Role::Text);
        say("  not happened    it is closed as failed, and what came before stands", Role::Text);
        return lines;
    }
    if act.has_rest {
        say(&format!("Failed:   {}", act.said.one_line()), Role::Bad);
        say("", Role::Text);
        if act.is_resendable {
            say(&format!("{key} sends what is left once more, and never again what is through."), Role::Text);
        } else {
            say(
                &format!(
                    "Step {} is not sent again: its key is too old, and the outside may have forgotten it.",
                    act.steps_done + 1
                ),
                Role::Text,
            );
        }
        say(&format!("If you have done step {} by hand, or leave it undone, type:", act.steps_done + 1), Role::Text);
        say(&format!("  happened        it counts as through; {after}"), Role::Text);
        say("  not happened    the rest is left undone, and what came before stands", Role::Text);
        return lines;
    }
    say(&format!("In doubt: step {} of {}. {}", act.steps_done + 1, act.steps, act.said.one_line()), Role::Bad);
    say("", Role::Text);
    say(&format!("{key} asks the outside again what became of it, by the act's own name: it happens once at most."), Role::Text);
    say("If you have looked yourself, type what you saw:", Role::Text);
    say(&format!("  happened        it counts as through; {after}"), Role::Text);
    let not_happened = match act.steps_done {
        0 => "the act ends here; it can be planned anew, and is judged again",
        _ => "what came before stands; the rest is then to be finished, or closed",
    };
    say(&format!("  not happened    {not_happened}"), Role::Text);
    lines
}
