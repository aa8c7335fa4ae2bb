//! The canaries of what is known by name, of documents and of programs: services with a token, a service account's key, a
//! program's environment and its input.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command, sync::OnceLock};

use super::{
    canaries::{
        Canary, NETLIFY_TOKEN, PROGRAM_INPUT, PROGRAM_SECRET, SENTRY_TOKEN, STATUS_PASSWORD, VERCEL_TOKEN, documents_key,
    },
    services::ANSWERS,
    shop::{Addresses, Shop},
};

/// A service with a token: what is read there, and what is done.
struct Named {
    word: &'static str,
    place: &'static str,
    token: Canary,
    reads: &'static [&'static str],
    effect: Option<&'static str>,
}

const NAMED: [Named; 3] = [
    Named {
        word: "vercel",
        place: "project = \"p1\"",
        token: VERCEL_TOKEN,
        reads: &["variable = \"MODE\"", "list = \"deployments\""],
        effect: Some("redeploy = \"production\""),
    },
    Named {
        word: "netlify",
        place: "site = \"s1\"",
        token: NETLIFY_TOKEN,
        reads: &["list = \"deploys\""],
        effect: Some("run = \"build\""),
    },
    Named { word: "sentry", place: "organization = \"o1\"", token: SENTRY_TOKEN, reads: &["list = \"errors\""], effect: None },
];

/// What a program does with its secrets before it ends.
const WAYS: [&str; 13] =
    ["out", "err", "both", "json", "csv", "cut", "half", "glued", "long", "fails", "killed", "hangs", "version"];

const PROGRAM: &str = r#"#!/bin/sh
# Repeats its secrets, by its first argument.
read -r told
for of in environ cmdline; do
  tr '\0' '\n' < /proc/$$/$of > "$SEEN/$of.$$" && mv "$SEEN/$of.$$" "$SEEN/$of.of_program"
done
case "$1" in
  out) echo "$TOOL_SECRET and $told" ;;
  err) echo "$TOOL_SECRET and $told" >&2; exit 1 ;;
  both) echo "$TOOL_SECRET"; echo "$told" >&2; exit 3 ;;
  json) echo "{\"value\":\"$TOOL_SECRET\",\"deep\":[\"$told\"]}" ;;
  csv) printf 'value,deep\n%s,%s\n' "$TOOL_SECRET" "$told" ;;
  cut) printf '%0139d%s\n' 0 "$TOOL_SECRET"; printf '%0147d%s' 0 "$told" >&2; exit 1 ;;
  half) printf '%.13s' "$TOOL_SECRET"; printf '%.13s' "$told" >&2; exec sleep 600 ;;
  glued) printf 'x%sx%sx' "$TOOL_SECRET" "$told"; exit 2 ;;
  long) i=0; while [ $i -lt 200 ]; do printf '%s\r' "$TOOL_SECRET$told"; i=$((i + 1)); done; exit 1 ;;
  fails) echo "no such user: $told with $TOOL_SECRET"; exit 127 ;;
  killed) echo "$told$TOOL_SECRET"; kill -9 $$ ;;
  hangs) echo "$TOOL_SECRET"; echo "$told" >&2; exec sleep 600 ;;
  *) echo "tool 1 $TOOL_SECRET $told" ;;
esac
"#;

pub fn named_services(shop: &mut Shop, addresses: &Addresses) {
    for Named { word, place, token, reads, effect } in NAMED {
        let variable = format!("SHOP_{}_TOKEN", word.to_uppercase());
        shop.set(&variable, token.core.to_owned());
        for (at, url) in places(addresses).iter().enumerate() {
            let on = format!("{word}_{at}");
            shop.say(&format!(
                "[connections.{on}]\n{word} = {{ token_env = \"{variable}\", {place}, url = \"{url}\", timeout = \"1s\" }}"
            ));
            for (number, read) in reads.iter().enumerate() {
                shop.check(&format!("{on}_{number}"), &format!("read.{word} = {{ on = \"{on}\", {read} }}\nvalue = \"status\"\ndetail = \"{{{{ body }}}} {{{{ error }}}}\""));
            }
            if let Some(effect) = effect {
                shop.act(&format!("act_{on}"), &format!("{word} = {{ on = \"{on}\", {effect} }}"));
            }
        }
    }
    // A status page has no token; one behind a door has a password in its address.
    for (at, url) in places(addresses).iter().enumerate() {
        let variable = format!("SHOP_STATUS_{at}");
        shop.set(&variable, url.replacen("://", &format!("://page:{}@", STATUS_PASSWORD.core), 1));
        shop.say(&format!("[connections.page_{at}]\nstatuspage = {{ url_env = \"{variable}\", timeout = \"1s\" }}"));
        shop.check(&format!("page_{at}"), &format!("read.statuspage = {{ on = \"page_{at}\" }}\nvalue = \"status\"\ndetail = \"{{{{ description }}}} {{{{ body }}}} {{{{ error }}}}\""));
    }
}

fn places(addresses: &Addresses) -> Vec<String> {
    let answers = ANSWERS.iter().map(|answer| format!("http://{}/{answer}", addresses.web));
    answers.chain([format!("http://{}", addresses.nobody), format!("https://{}", addresses.web)]).collect()
}

/// A key whose tokens come from the failing service. What a token itself meets is tested beside the adapter: Google's own
/// address is in no pack.
pub fn documents(shop: &mut Shop, addresses: &Addresses) {
    let Some(made) = documents_key() else { return };
    for (at, url) in places(addresses).iter().filter(|url| !url.starts_with("https")).enumerate() {
        let key = serde_json::json!({
            "type": "service_account",
            "project_id": "shop",
            "private_key_id": made.canary.core,
            "private_key": made.pem,
            "client_email": "cockpit@shop.iam.gserviceaccount.com",
            "token_uri": format!("{url}/token"),
        });
        shop.set(&format!("SHOP_DOCS_{at}"), key.to_string());
        shop.say(&format!("[connections.docs_{at}]\nfirestore = {{ project = \"shop\", credentials_env = \"SHOP_DOCS_{at}\", marks = \"operator_actions\", timeout = \"1s\" }}"));
        shop.check(
            &format!("docs_{at}"),
            &format!("read.firestore = {{ on = \"docs_{at}\", collection = \"jobs\", count = \"n\" }}\nvalue = \"n\""),
        );
        shop.act(
            &format!("write_{at}"),
            &format!("firestore = {{ on = \"docs_{at}\", document = \"jobs/j1\", create = true, set = {{ a = 1 }} }}"),
        );
    }
}

/// A key as Google's console makes it, and the part of it that is listened for.
pub struct Key {
    pub pem: String,
    pub canary: Canary,
}

/// Made once by openssl; `None` where there is none, which is said.
pub fn make_key() -> Option<&'static Key> {
    static MADE: OnceLock<Option<Key>> = OnceLock::new();
    let make = || {
        let made = Command::new("openssl").args(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]).output();
        let Ok(made) = made else {
            crate::partners::absent("openssl", "apt-get install openssl");
            return None;
        };
        let pem = String::from_utf8(made.stdout).unwrap();
        // A stretch of the secret numbers, which begin after the head and the modulus.
        let plain = |part: &&[u8]| part.iter().all(u8::is_ascii_alphanumeric);
        let stretch = pem.lines().skip(8).find_map(|line| line.as_bytes().windows(20).find(plain)).unwrap();
        let core = String::from_utf8(stretch.to_vec()).unwrap();
        Some(Key { pem, canary: Canary { what: "service account's key", core: core.leak() } })
    };
    MADE.get_or_init(make).as_ref()
}

/// The program lies in a directory of its own, in which it also works.
pub fn programs(shop: &mut Shop, home: &Path) {
    let directory = home.join("tools");
    fs::create_dir_all(&directory).unwrap();
    let program = directory.join("tool");
    fs::write(&program, PROGRAM).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
    shop.set("SHOP_TOOL_SECRET", PROGRAM_SECRET.core.to_owned());
    shop.set("SHOP_TOOL_INPUT", PROGRAM_INPUT.core.to_owned());
    let (program, directory, home) = (program.display(), directory.display(), home.display());
    shop.say(&format!(
        "[connections.tool]\ncommand = {{ program = \"{program}\", directory = \"{directory}\", version = [\"version\"], stdin_env = \"SHOP_TOOL_INPUT\", environment = {{ SEEN = \"{home}\", TOOL_SECRET_env = \"SHOP_TOOL_SECRET\" }}, timeout = \"1s\" }}"
    ));
    for way in WAYS {
        for format in ["text", "lines", "csv", "json"] {
            let more = match format {
                "json" => ", columns = { value = \"/value\", deep = \"/deep\" }",
                "csv" => ", header = [\"value\", \"deep\"]",
                _ => "",
            };
            shop.check(
                &format!("tool_{way}_{format}"),
                &format!("read.command = {{ on = \"tool\", args = [\"{way}\"], format = \"{format}\"{more} }}\nvalue = \"exit\"\ndetail = \"{{{{ error }}}}\""),
            );
        }
        shop.act(&format!("tool_{way}"), &format!("command = {{ on = \"tool\", args = [\"{way}\"] }}"));
    }
}
