//! The mouse as terminals report it (SGR, mode 1006): a press of the first button and the wheel; all else means nothing.

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

/// Asks for presses and the wheel (1000), their places as numbers without a limit (1006).
pub(super) const LISTEN: &str = "\x1b[?1000h\x1b[?1006h";
pub(super) const DEAF: &str = "\x1b[?1006l\x1b[?1000l";

/// What stands between `ESC [ <` and `M`. With Shift, Alt or Ctrl it is the terminal's own, or nobody's.
pub(super) fn pressed(report: &[u8]) -> Option<MouseEvent> {
    let mut numbers = std::str::from_utf8(report).ok()?.split(';').map(|number| number.parse::<u16>().ok());
    let (button, column, row) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let kind = match button {
        0 => MouseEventKind::Down(MouseButton::Left),
        64 => MouseEventKind::ScrollUp,
        65 => MouseEventKind::ScrollDown,
        _ => return None,
    };
    let (column, row) = (column.checked_sub(1)?, row.checked_sub(1)?);
    Some(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }).filter(|_| numbers.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_button_and_the_wheel_are_told() {
        let at = |kind, column, row| Some(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE });
        for (report, wanted) in [
            ("0;1;1", at(MouseEventKind::Down(MouseButton::Left), 0, 0)),
            ("0;250;300", at(MouseEventKind::Down(MouseButton::Left), 249, 299)),
            ("64;5;6", at(MouseEventKind::ScrollUp, 4, 5)),
            ("65;5;6", at(MouseEventKind::ScrollDown, 4, 5)),
            ("1;5;6", None),
            ("2;5;6", None),
            ("4;5;6", None),
            ("32;5;6", None),
            ("0;0;6", None),
            ("0;5", None),
            ("0;5;6;7", None),
            ("0;99999;6", None),
            ("", None),
        ] {
            assert_eq!(pressed(report.as_bytes()), wanted, "{report}");
        }
    }
}
