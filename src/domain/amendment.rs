//! What is changed about an object that the payment account holds already: evidence for a dispute, or a subscription's
//! collection and end.

use serde::{Deserialize, Serialize};

use super::text::Text;

/// Stripe takes so many characters of evidence for one dispute, in all its fields together.
pub const EVIDENCE: usize = 150_000;

/// The fields in which evidence is given, as Stripe names them; those that end in a document take the id of a file.
pub const EVIDENCE_FIELDS: [&str; 27] = [
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
];

/// One change; asked for twice, it is there once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Amendment {
    /// Evidence for a dispute, kept as a draft that the bank does not see. An empty text takes a field out again.
    Stage,
    /// The draft goes to the bank: usually once, and for good.
    Submit,
    /// The subscription goes on, and its invoices are not collected.
    Pause(Uncollected),
    Resume,
    /// The subscription ends with the period that is paid for.
    CancelAtPeriodEnd,
    /// It does not end with the period after all.
    Keep,
    /// It ends at once, and for good.
    CancelNow,
}

/// What becomes of the invoices of a subscription that is paused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Uncollected {
    /// They wait as drafts, to be collected later.
    #[default]
    KeepAsDraft,
    MarkUncollectible,
    Void,
}

impl Amendment {
    /// The key in a pack, and the end of the name under which the act is found again in the object's metadata.
    pub fn word(self) -> &'static str {
        match self {
            Self::Stage => "evidence",
            Self::Submit => "submit",
            Self::Pause(_) => "pause",
            Self::Resume => "resume",
            Self::CancelAtPeriodEnd => "cancel_at_period_end",
            Self::Keep => "keep",
            Self::CancelNow => "cancel_now",
        }
    }

    /// As a sentence about it begins (`evidence for dp_1`).
    pub fn of(self, object: &str) -> String {
        match self {
            Self::Stage => format!("evidence for {object}"),
            Self::Submit => format!("submission of the evidence for {object}"),
            Self::Pause(_) => format!("pause of {object}"),
            Self::Resume => format!("resumption of {object}"),
            Self::CancelAtPeriodEnd => format!("cancellation of {object} at its period's end"),
            Self::Keep => format!("keeping of {object}"),
            Self::CancelNow => format!("cancellation of {object}"),
        }
    }

    /// True where nothing brings it back.
    pub fn is_for_good(self) -> bool {
        match self {
            Self::Submit | Self::CancelNow => true,
            Self::Stage | Self::Pause(_) | Self::Resume | Self::CancelAtPeriodEnd | Self::Keep => false,
        }
    }

    /// True for a dispute, false for a subscription.
    pub fn is_of_a_dispute(self) -> bool {
        match self {
            Self::Stage | Self::Submit => true,
            Self::Pause(_) | Self::Resume | Self::CancelAtPeriodEnd | Self::Keep | Self::CancelNow => false,
        }
    }
}

impl Uncollected {
    pub const ALL: [Self; 3] = [Self::KeepAsDraft, Self::MarkUncollectible, Self::Void];

    /// Stripe's own word.
    pub fn word(self) -> &'static str {
        match self {
            Self::KeepAsDraft => "keep_as_draft",
            Self::MarkUncollectible => "mark_uncollectible",
            Self::Void => "void",
        }
    }
}

/// Refuses evidence that Stripe would not take whole.
pub fn check_length<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<(), Text> {
    let count: usize = texts.into_iter().map(|text| text.chars().count()).sum();
    if count <= EVIDENCE {
        return Ok(());
    }
    Err(Text::new(format!("the evidence has {count} characters, and Stripe takes {EVIDENCE} in all its fields together")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_counted_in_characters_and_over_all_its_fields() {
        let half = "ä".repeat(EVIDENCE / 2);
        assert_eq!(check_length([half.as_str(), half.as_str()]), Ok(()));
        let refused = check_length([half.as_str(), half.as_str(), "x"]).unwrap_err();
        assert!(refused.original().contains("150001 characters") && refused.original().contains("150000"), "{refused}");
    }

    #[test]
    fn what_is_for_good_is_what_has_no_way_back() {
        let all = [
            Amendment::Stage,
            Amendment::Submit,
            Amendment::Pause(Uncollected::Void),
            Amendment::Resume,
            Amendment::CancelAtPeriodEnd,
            Amendment::Keep,
            Amendment::CancelNow,
        ];
        let for_good: Vec<&str> = all.iter().filter(|one| one.is_for_good()).map(|one| one.word()).collect();
        assert_eq!(for_good, ["submit", "cancel_now"]);
    }
}
