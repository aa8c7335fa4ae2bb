//! Secrets that nobody may ever see again, and how each is recognised in whatever came out.

use std::fmt::Write as _;

pub use super::outsiders::make_key as documents_key;

/// A secret's kind, and the part of it that nothing else in the world contains.
#[derive(Clone, Copy, Debug)]
pub struct Canary {
    pub what: &'static str,
    pub core: &'static str,
}

pub const STRIPE_KEY: Canary = Canary { what: "Stripe key", core: "k7Qm2ZtR9wXc4LpV1nBs" };
pub const SIGNING_SECRET: Canary = Canary { what: "webhook signing secret", core: "H3vYd8GfJ5aTe0KuNo6i" };
pub const DATABASE_PASSWORD: Canary = Canary { what: "database password", core: "Zp4Wq1XsM7bRc9DkFy2h" };
pub const MAIL_PASSWORD: Canary = Canary { what: "SMTP password", core: "Ue6Lj3TnC8vOg5PiAx0m" };
pub const HEADER_SECRET: Canary = Canary { what: "HTTP header", core: "bQ9Ks2HwE4rYz7Nd1VfG" };
pub const HOOK_PATH: Canary = Canary { what: "webhook address", core: "M5tXo8JcL0aUv3BiRp6S" };
pub const HOOK_QUERY: Canary = Canary { what: "key in a webhook's query", core: "Yq5Tn8RvE2sKw1HbJ7zC" };
pub const FLAG_TOKEN: Canary = Canary { what: "flag token", core: "Dw1Fg7YzQ4kEn9HsTm2C" };
pub const FROM_COMMAND: Canary = Canary { what: "secret of a command", core: "r8Vb3PxI6jLu0OaGc5Ke" };

pub const VERCEL_TOKEN: Canary = Canary { what: "Vercel token", core: "xC4nWq8ZyT1mKe7RbU5j" };
pub const NETLIFY_TOKEN: Canary = Canary { what: "Netlify token", core: "Gs6Pd0FvA9hJi3OwLk2N" };
pub const SENTRY_TOKEN: Canary = Canary { what: "Sentry token", core: "tE7Mz5XuB1cQr8YgVo4H" };
pub const STATUS_PASSWORD: Canary = Canary { what: "password of a status page", core: "Wj2Kb9SaD6fLp0TnCi8U" };
pub const PROGRAM_SECRET: Canary = Canary { what: "secret in a program's environment", core: "o3GhR7EvN5xZm1QyWt6A" };
pub const PROGRAM_INPUT: Canary = Canary { what: "secret on a program's input", core: "Lc8Uf2IsJ4dXk9BpHq0V" };

const WRITTEN: [Canary; 15] = [
    STRIPE_KEY,
    SIGNING_SECRET,
    DATABASE_PASSWORD,
    MAIL_PASSWORD,
    HEADER_SECRET,
    HOOK_PATH,
    HOOK_QUERY,
    FLAG_TOKEN,
    FROM_COMMAND,
    VERCEL_TOKEN,
    NETLIFY_TOKEN,
    SENTRY_TOKEN,
    STATUS_PASSWORD,
    PROGRAM_SECRET,
    PROGRAM_INPUT,
];

/// Those that are written above, and the service account's key, which is made.
pub fn all() -> Vec<Canary> {
    WRITTEN.into_iter().chain(documents_key().map(|key| key.canary)).collect()
}

/// So much of a secret, anywhere in it, is a leak.
const TELLING: usize = 8;

/// Every canary that can be told from these bytes: any stretch of it, plain, in hex, or in Base64 wherever it begins.
pub fn sung(bytes: &[u8]) -> Vec<&'static str> {
    let text = String::from_utf8_lossy(bytes);
    all()
        .iter()
        .filter(|canary| traces(canary.core).iter().any(|trace| text.contains(trace.as_str())))
        .map(|canary| canary.what)
        .collect()
}

fn traces(core: &str) -> Vec<String> {
    let mut traces: Vec<String> = (0..=core.len() - TELLING).map(|at| core.get(at..at + TELLING).unwrap().to_owned()).collect();
    traces.push(core.bytes().rev().map(char::from).collect());
    traces.push(core.bytes().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    }));
    // Of a stretch that begins anywhere in a longer text: the letters that depend on it alone.
    for skip in 0..3 {
        let whole = &core.as_bytes()[skip..skip + (core.len() - skip) / 3 * 3];
        traces.push(base64(whole));
    }
    traces
}

pub fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().chain([0, 0].iter()).take(3).fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
        for (at, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            text.push(if at <= chunk.len() { char::from(LETTERS[(word >> shift & 63) as usize]) } else { '=' });
        }
    }
    text
}

#[test]
fn a_canary_is_heard_in_every_spelling() {
    let core = STRIPE_KEY.core;
    for said in [
        core.to_owned(),
        core.get(5..14).unwrap().to_owned(),
        base64(format!("\0user\0{core}").as_bytes()),
        base64(core.as_bytes()),
        base64(format!("a:{core}").as_bytes()),
    ] {
        assert_eq!(sung(said.as_bytes()), ["Stripe key"], "{said}");
    }
    assert!(sung(b"nothing of the kind, k7Qm2Zt").is_empty());
}
