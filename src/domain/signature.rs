//! How Stripe signs an event for whoever takes it (<https://docs.stripe.com/webhooks#verify-manually>): pure.

use chrono::{DateTime, TimeDelta, Utc};
use ring::hmac;

/// The header that carries it.
pub const HEADER: &str = "stripe-signature";

/// The header's value: when it was signed, and the code over that moment and the body.
pub fn sign(secret: &str, at: DateTime<Utc>, body: &[u8]) -> String {
    let at = at.timestamp();
    let code = hmac::sign(&key(secret), &signed(at, body));
    format!("t={at},v1={}", hex::encode(code))
}

/// Whether one of the header's codes is right, and no older than the tolerance; why not.
pub fn verify(secret: &str, header: &str, body: &[u8], now: DateTime<Utc>, tolerance: TimeDelta) -> Result<(), &'static str> {
    let parts = || header.split(',').filter_map(|part| part.split_once('='));
    let at: i64 = parts()
        .find_map(|(name, value)| (name == "t").then(|| value.parse().ok())?)
        .ok_or("no moment of signing in the header")?;
    let codes = parts().filter(|(name, _)| *name == "v1").filter_map(|(_, code)| hex::decode(code).ok());
    let signed = signed(at, body);
    if !codes.into_iter().any(|code| hmac::verify(&key(secret), &signed, &code).is_ok()) {
        return Err("no signature in the header fits the body");
    }
    if (now.timestamp() - at).abs() > tolerance.num_seconds() {
        return Err("signed too long ago");
    }
    Ok(())
}

fn key(secret: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())
}

fn signed(at: i64, body: &[u8]) -> Vec<u8> {
    [at.to_string().as_bytes(), b".", body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"id":"evt_1"}"#;

    fn at() -> DateTime<Utc> {
        "2026-03-16T22:00:00Z".parse().unwrap()
    }

    #[test]
    fn what_is_signed_is_known_and_nothing_else_is() {
        let header = sign("whsec_a", at(), BODY);
        let five = TimeDelta::minutes(5);
        assert_eq!(verify("whsec_a", &header, BODY, at(), five), Ok(()));
        assert_eq!(verify("whsec_a", &format!("{header},v1=00,v0=zz"), BODY, at() + five, five), Ok(()));
        for (secret, header, body, later, said) in [
            ("whsec_b", header.as_str(), BODY, 0, "fits the body"),
            ("whsec_a", header.as_str(), b"{}".as_slice(), 0, "fits the body"),
            ("whsec_a", header.as_str(), BODY, 301, "too long ago"),
            ("whsec_a", header.as_str(), BODY, -301, "too long ago"),
            ("whsec_a", "v1=00", BODY, 0, "no moment"),
            ("whsec_a", "t=1773698400", BODY, 0, "fits the body"),
            ("whsec_a", "", BODY, 0, "no moment"),
        ] {
            let why = verify(secret, header, body, at() + TimeDelta::seconds(later), five).unwrap_err();
            assert!(why.contains(said), "{header}: {why}");
        }
    }
}
