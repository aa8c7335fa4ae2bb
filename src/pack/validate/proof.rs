//! What in an answer proves a request, or says that it was refused.

use serde_json::Value as Json;

use crate::{
    domain::proof::{Proof, ProofRule, Proofs},
    pack::{
        place::Place,
        raw::{RawBound, RawHttpEffect, RawProof},
    },
};

use super::reader::Reader;

pub(super) fn proofs(reader: &mut Reader<'_>, place: &Place, raw: &RawHttpEffect) -> Proofs {
    let mut one = |key: &'static str, raw: Option<&RawProof>| raw.and_then(|raw| proof(reader, &place.key(key), raw));
    let (expect, refused) = (one("expect", raw.expect.as_ref()), one("refused", raw.refused.as_ref()));
    if expect.is_some() && expect == refused {
        let help = Some("a refusal must be told from what proves that it was done".to_owned());
        reader.say(&place.key("refused"), "the same answer cannot be proof and refusal", "as `expect`", help);
    }
    Proofs { expect, refused }
}

fn proof(reader: &mut Reader<'_>, place: &Place, raw: &RawProof) -> Option<Proof> {
    if !Proof::is_pointer(&raw.at) {
        let name = raw.at.trim_start_matches(['$', '.', '/']).replace('.', "/");
        let help = Some(format!("a JSON pointer begins with `/`: `/{name}`; in a name, `~` is `~0` and `/` is `~1`"));
        reader.say(&place.key("at"), format!("`{}` is no JSON pointer", raw.at), "not a pointer", help);
    }
    let kinds = [("equals", raw.equals.is_some()), ("contains", raw.contains.is_some())];
    reader.exactly_one(place, "what stands there", &kinds)?;
    let rule = match (&raw.equals, &raw.contains) {
        (Some(RawBound::Truth(truth)), _) => ProofRule::Equals(Json::Bool(*truth)),
        (Some(RawBound::Number(number)), _) => ProofRule::Equals(plainly(*number)),
        (Some(RawBound::Text(text)), _) => ProofRule::Equals(Json::String(text.clone())),
        (None, Some(part)) => {
            // Every text contains the empty one.
            reader.not_empty(&place.key("contains"), part, "the part that stands there");
            ProofRule::Contains(part.clone())
        }
        (None, None) => return None,
    };
    Some(Proof { at: raw.at.clone(), rule })
}

/// A whole number is said as one.
fn plainly(number: f64) -> Json {
    serde_json::from_str(&number.to_string()).unwrap_or_else(|_| Json::from(number))
}
