//! A command's arguments, what its exit means, and what it prints: pure. Never a shell line: each argument is one
//! argument, whatever a row holds.

use serde::{Deserialize, Serialize};

use super::{proof::Proven, rows::Params, template::Template, text::Text, zone::Zone};

/// The arguments of a program, each a template of its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CommandLine(pub Vec<Template>);

impl CommandLine {
    /// The arguments, filled in. What a row makes begin with `-` would be an option of the program: that is refused,
    /// unless a `--` of the pack's own stands before it.
    pub fn render_in(&self, names: &Params, zone: Zone) -> Result<Vec<String>, String> {
        let mut only_words = false;
        let mut arguments = Vec::with_capacity(self.0.len());
        for template in &self.0 {
            let argument = template.render_in(names, zone)?;
            let is_own = template.source().starts_with('-');
            if argument.starts_with('-') && !is_own && !only_words {
                return Err(format!(
                    "the argument `{argument}` begins with `-` and would be taken for an option; where it is none, the pack puts \
                     `--` before `{}`",
                    template.source()
                ));
            }
            if argument.contains('\0') {
                return Err(format!("what `{}` gives holds a NUL, and no argument can", template.source()));
            }
            only_words |= template.source() == "--";
            arguments.push(argument);
        }
        Ok(arguments)
    }

    /// As `render_in`, with dates in UTC.
    pub fn render(&self, names: &Params) -> Result<Vec<String>, String> {
        self.render_in(names, Zone::UTC)
    }

    /// The same arguments with one name given for good.
    #[must_use]
    pub fn with(&self, fill: impl Fn(&Template) -> Template) -> Self {
        Self(self.0.iter().map(fill).collect())
    }

    /// As they are written, with blanks between.
    pub fn source(&self) -> String {
        self.0.iter().map(Template::source).collect::<Vec<_>>().join(" ")
    }
}

/// What the pack says of a program's exit codes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exits {
    pub done: Vec<i32>,
    /// Nothing was done. `None`: every code that is named nowhere says so; else one that is named nowhere says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Vec<i32>>,
    /// Nobody knows how far it came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<i32>,
}

impl Default for Exits {
    fn default() -> Self {
        Self { done: vec![0], refused: None, unknown: Vec::new() }
    }
}

impl Exits {
    /// True where the pack names this very code as one after which nothing was done.
    pub fn names_refused(&self, code: i32) -> bool {
        self.refused.as_ref().is_some_and(|refused| refused.contains(&code))
    }

    pub fn judge(&self, code: i32) -> Proven {
        if self.done.contains(&code) {
            return Proven::Done;
        }
        let is_refusal = match &self.refused {
            Some(refused) => refused.contains(&code),
            None => !self.unknown.contains(&code),
        };
        if is_refusal { Proven::Refused } else { Proven::Nothing }
    }
}

/// What a program has printed so far: its last lines, without a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Printed {
    pub tail: Text,
    /// Whole lines, and bytes, in all.
    pub lines: u64,
    pub bytes: u64,
}

impl Printed {
    /// The last line that says anything.
    pub fn last_line(&self) -> &str {
        self.tail.shown().lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().trim()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{template::TemplatePlace, value::Value};

    fn line(arguments: &[&str]) -> CommandLine {
        CommandLine(arguments.iter().map(|text| Template::parse_for(TemplatePlace::Address, text).unwrap()).collect())
    }

    fn names(name: &str) -> Params {
        Params::from([("name".to_owned(), Value::text(name))])
    }

    #[test]
    fn what_a_row_holds_is_one_argument_whatever_it_is() {
        for held in ["two words", "$(reboot)", "; rm -rf /", "`id`", "a\nb", "'\"", "*", "|", "&&", "~"] {
            assert_eq!(line(&["export", "{{ name }}"]).render(&names(held)), Ok(vec!["export".to_owned(), held.to_owned()]));
        }
        assert_eq!(line(&["--to={{ name }}"]).render(&names("-x")), Ok(vec!["--to=-x".to_owned()]));
        assert!(line(&["{{ name }}"]).render(&names("a\0b")).unwrap_err().contains("NUL"));
        assert!(line(&["{{ other }}"]).render(&names("a")).is_err());
    }

    #[test]
    fn a_row_gives_no_option() {
        for held in ["-rf", "--output=/etc/passwd", "-"] {
            let refused = line(&["show", "{{ name }}"]).render(&names(held)).unwrap_err();
            assert!(refused.contains(held) && refused.contains("`--` before `{{ name }}`"), "{refused}");
            assert!(line(&["--", "{{ name }}"]).render(&names(held)).is_ok());
            assert!(line(&["{{ name }}", "--"]).render(&names(held)).is_err(), "a `--` after it helps nothing");
            assert!(line(&["{{ name }}", "{{ name }}"]).render(&names("--")).is_err(), "nor does one of the row's own");
        }
        assert_eq!(line(&["-v", "--all"]).render(&Params::new()), Ok(vec!["-v".to_owned(), "--all".to_owned()]));
    }

    #[test]
    fn an_exit_is_what_the_pack_says_and_else_zero_is_done() {
        let usual = Exits::default();
        assert_eq!([0, 1, 127].map(|code| usual.judge(code)), [Proven::Done, Proven::Refused, Proven::Refused]);
        let unknown = Exits { done: vec![0, 3], unknown: vec![75], ..Exits::default() };
        assert_eq!([3, 75, 1].map(|code| unknown.judge(code)), [Proven::Done, Proven::Nothing, Proven::Refused]);
        let refused = Exits { refused: Some(vec![2]), ..Exits::default() };
        assert_eq!([0, 2, 1].map(|code| refused.judge(code)), [Proven::Done, Proven::Refused, Proven::Nothing]);
    }

    #[test]
    fn the_last_line_is_the_last_that_says_something() {
        let printed = |tail: &str| Printed { tail: Text::new(tail), lines: 0, bytes: 0 };
        assert_eq!(printed("one\n  two \n\n").last_line(), "two");
        assert_eq!(printed("").last_line(), "");
    }
}
