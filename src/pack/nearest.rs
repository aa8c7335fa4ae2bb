//! The name that was probably meant.

/// The closest of the known names, where one is close enough to be a slip of the hand.
pub(super) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&written, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= 1.max(written.len().max(name.len()) / 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Said under a wrong name: the nearest one, or all that there are.
pub(super) fn advice(written: &str, known: &[&str], what: &str) -> String {
    match nearest(written, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None if known.is_empty() => format!("there are no {what} in this file"),
        None => format!("{what}: {}", list(known)),
    }
}

pub(super) fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_strangers_are_not() {
        for (written, known, meant) in [
            ("refund_rat", &["refund_rate", "stock"][..], Some("refund_rate")),
            ("tilte", &["title", "read"], Some("title")),
            ("db", &["db2"], Some("db2")),
            ("Stripe", &["stripe"], Some("stripe")),
            ("orders", &["stock_low", "payments"], None),
        ] {
            assert_eq!(nearest(written, known.iter().copied()), meant, "{written}");
        }
    }
}
