//! What in an answer proves that a request did what it was to do, or that it was refused: pure, over the answer's JSON.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// A place in an answer, and what must stand there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    /// A JSON pointer (RFC 6901); empty is the whole answer.
    pub at: String,
    pub rule: ProofRule,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProofRule {
    /// A truth, a number or a text.
    Equals(Json),
    /// A part of the text that stands there, or one of the texts of the list.
    Contains(String),
}

impl Proof {
    pub fn holds(&self, answer: &Json) -> bool {
        let Some(found) = answer.pointer(&self.at) else { return false };
        match &self.rule {
            // However it is spelled: 1 and 1.0 are one number.
            ProofRule::Equals(Json::Number(wanted)) => {
                found.as_number().is_some_and(|found| found == wanted || found.as_f64() == wanted.as_f64())
            }
            ProofRule::Equals(wanted) => found == wanted,
            ProofRule::Contains(part) => match found {
                Json::String(text) => text.contains(part.as_str()),
                Json::Array(list) => list.iter().any(|one| one.as_str() == Some(part)),
                Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_) => false,
            },
        }
    }

    /// True for a pointer as RFC 6901 has it.
    pub fn is_pointer(at: &str) -> bool {
        let is_whole = at.is_empty() || at.starts_with('/');
        is_whole && at.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']))
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = if self.at.is_empty() { "the answer" } else { self.at.as_str() };
        match &self.rule {
            ProofRule::Equals(wanted) => write!(f, "{at} = {wanted}"),
            ProofRule::Contains(part) => write!(f, "{at} contains `{part}`"),
        }
    }
}

/// What a pack says of the 2xx answers to one of its requests. Empty: each of them means done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Proofs {
    /// Nothing else is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Proof>,
    /// It did not happen, and will not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Proof>,
}

impl Proofs {
    pub fn is_empty(&self) -> bool {
        self.expect.is_none() && self.refused.is_none()
    }

    /// `answer` is `None` where there is no JSON to judge.
    pub fn judge(&self, answer: Option<&Json>) -> Proven {
        let holds = |proof: &Option<Proof>| proof.as_ref().is_some_and(|proof| answer.is_some_and(|answer| proof.holds(answer)));
        if holds(&self.refused) {
            Proven::Refused
        } else if self.expect.is_none() || holds(&self.expect) {
            Proven::Done
        } else {
            Proven::Nothing
        }
    }
}

/// What an answer proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proven {
    Done,
    Refused,
    Nothing,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn equals(at: &str, wanted: Json) -> Proof {
        Proof { at: at.to_owned(), rule: ProofRule::Equals(wanted) }
    }

    fn contains(at: &str, part: &str) -> Proof {
        Proof { at: at.to_owned(), rule: ProofRule::Contains(part.to_owned()) }
    }

    #[test]
    fn a_place_equals_or_contains() {
        let answer = json!({ "ok": true, "n": 1.0, "state": "queued", "deep": { "a/b": ["x", 7] }, "none": null });
        for (proof, holds) in [
            (equals("/ok", json!(true)), true),
            (equals("/ok", json!("true")), false),
            (equals("/ok", json!(1)), false),
            (equals("/n", json!(1)), true),
            (equals("/n", json!(2)), false),
            (equals("/state", json!("queued")), true),
            (equals("/gone", json!(false)), false),
            (equals("/none", json!(false)), false),
            (contains("/state", "que"), true),
            (contains("/state", "done"), false),
            (contains("/deep/a~1b", "x"), true),
            (contains("/deep/a~1b", "7"), false),
            (contains("/deep", "x"), false),
            (contains("/ok", "true"), false),
            (contains("/gone", "x"), false),
        ] {
            assert_eq!(proof.holds(&answer), holds, "{proof}");
        }
        assert!(equals("", json!("ok")).holds(&json!("ok")));
    }

    #[test]
    fn only_what_is_expected_is_done_and_a_refusal_goes_first() {
        let both = Proofs { expect: Some(equals("/ok", json!(true))), refused: Some(contains("/error", "locked")) };
        let expect = Proofs { refused: None, ..both.clone() };
        let refused = Proofs { expect: None, ..both.clone() };
        for (proofs, answer, proven) in [
            (&both, Some(json!({ "ok": true })), Proven::Done),
            (&both, Some(json!({ "ok": false })), Proven::Nothing),
            (&both, Some(json!({ "ok": true, "error": "locked by ana" })), Proven::Refused),
            (&both, None, Proven::Nothing),
            (&expect, Some(json!({ "error": "locked" })), Proven::Nothing),
            (&refused, Some(json!({ "error": "locked" })), Proven::Refused),
            (&refused, Some(json!({ "error": "late" })), Proven::Done),
            (&refused, None, Proven::Done),
            (&Proofs::default(), Some(json!({ "ok": false })), Proven::Done),
        ] {
            assert_eq!(proofs.judge(answer.as_ref()), proven, "{proofs:?} {answer:?}");
        }
    }

    #[test]
    fn a_pointer_begins_with_a_slash_and_escapes_as_it_must() {
        assert!(["", "/", "/a", "/a/0", "/a~0b~1c"].into_iter().all(Proof::is_pointer));
        assert!(!["a", "a/b", "$.a", "/a~", "/a~2"].into_iter().any(Proof::is_pointer));
    }
}
