//! Copies text to the operator's own clipboard by OSC 52, which works through SSH.

use crossterm::{Command, clipboard::CopyToClipboard};

/// What terminals accept: xterm takes 100,000 bytes of base64, others a little under 75,000.
pub const LONGEST_COPY: usize = 56_000;

/// The bytes that put `text` on the clipboard; none when it is longer than terminals accept.
///
/// Inside tmux it is said twice: tmux itself takes the plain sequence where `set-clipboard` is on and passes the wrapped one
/// to the outer terminal where `allow-passthrough` is on.
pub(super) fn sequence(text: &str, is_in_tmux: bool) -> Option<String> {
    if text.len() > LONGEST_COPY {
        return None;
    }
    let mut plain = String::new();
    CopyToClipboard::to_clipboard_from(text).write_ansi(&mut plain).ok()?;
    if !is_in_tmux {
        return Some(plain);
    }
    let wrapped = plain.replace('\u{1b}', "\u{1b}\u{1b}");
    Some(format!("{plain}\u{1b}Ptmux;{wrapped}\u{1b}\\"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_travels_as_base64_and_is_wrapped_for_tmux() {
        assert_eq!(sequence("re_9Q", false).unwrap(), "\u{1b}]52;c;cmVfOVE=\u{1b}\\");
        assert_eq!(
            sequence("re_9Q", true).unwrap(),
            "\u{1b}]52;c;cmVfOVE=\u{1b}\\\u{1b}Ptmux;\u{1b}\u{1b}]52;c;cmVfOVE=\u{1b}\u{1b}\\\u{1b}\\"
        );
    }

    #[test]
    fn more_than_a_terminal_takes_is_refused_and_not_cut() {
        assert!(sequence(&"x".repeat(LONGEST_COPY), false).is_some());
        assert_eq!(sequence(&"x".repeat(LONGEST_COPY + 1), false), None);
    }
}
