//! `a=1&b[c]=2` as pairs, percent signs decoded.

pub(super) fn pairs(encoded: &str) -> Vec<(String, String)> {
    // The address is only a carrier: the decoding is the URL type's own.
    reqwest::Url::parse(&format!("http://localhost/?{encoded}"))
        .map(|url| url.query_pairs().into_owned().collect())
        .unwrap_or_default()
}
