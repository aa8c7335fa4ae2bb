//! A business whose every connection holds a canary and fails.

use std::{fs, net::SocketAddr, os::unix::fs::PermissionsExt as _, path::Path};

use super::{
    canaries::{
        DATABASE_PASSWORD, FLAG_TOKEN, FROM_COMMAND, HEADER_SECRET, HOOK_PATH, HOOK_QUERY, MAIL_PASSWORD, SIGNING_SECRET,
        STRIPE_KEY,
    },
    outsiders,
    services::{self, ANSWERS, DATABASES, POST_OFFICES},
};

/// A variable and its value.
pub type Variables = Vec<(String, String)>;

/// The four connections whose canary goes in a header.
pub const SITES: [&str; 4] = ["signed", "site", "flags", "vault"];

/// A pack with every canary under every failing answer, the variables that it names, and files beside it.
pub struct Shop {
    pub pack: String,
    pub variables: Variables,
    /// Connections that can be read, with a query of each.
    pub checks: usize,
}

pub struct Addresses {
    pub web: SocketAddr,
    pub nobody: SocketAddr,
}

impl Shop {
    /// Files are written into `home`, whose own database `shop.db` must be there before a queue is read.
    pub fn open(home: &Path) -> Self {
        let addresses = Addresses { web: services::web(), nobody: services::nobody() };
        let mut shop = Self { pack: HEAD.to_owned(), variables: Vec::new(), checks: 0 };
        secret_file(&home.join("signing"), &format!("whsec_{}", SIGNING_SECRET.core));
        secret_file(&home.join("vaulted"), &format!("Bearer vault-{}", FROM_COMMAND.core));
        shop.set("SHOP_DB", format!("sqlite://{}", home.join("shop.db").display()));
        shop.set("SHOP_KEY", format!("rk_live_{}", STRIPE_KEY.core));
        shop.set("SHOP_AUTHORIZATION", format!("Bearer {}", HEADER_SECRET.core));
        shop.set("SHOP_FLAG_TOKEN", FLAG_TOKEN.core.to_owned());
        shop.sites(home, &addresses);
        shop.stripes(&addresses);
        shop.databases(&addresses);
        shop.hooks(&addresses);
        shop.post_offices(&addresses);
        outsiders::named_services(&mut shop, &addresses);
        outsiders::documents(&mut shop, &addresses);
        outsiders::programs(&mut shop, home);
        shop
    }

    pub fn set(&mut self, name: &str, value: String) {
        self.variables.push((name.to_owned(), value));
    }

    pub fn say(&mut self, text: &str) {
        self.pack.push_str(text);
        self.pack.push('\n');
    }

    fn sites(&mut self, home: &Path, addresses: &Addresses) {
        let header = |site: &str| match site {
            "signed" => format!("headers = {{ x-signature_file = \"{}\" }}", home.join("signing").display()),
            "site" => "headers = { authorization_env = \"SHOP_AUTHORIZATION\" }".to_owned(),
            "flags" => "token_env = \"SHOP_FLAG_TOKEN\"".to_owned(),
            // What the command itself sees is left behind for the test.
            _ => format!(
                "headers = {{ authorization_command = [\"sh\", \"-c\", \"env > {0}/environ.seen; tr '\\\\0' ' ' < /proc/$$/cmdline > {0}/cmdline.seen; cat {0}/vaulted\"] }}",
                home.display()
            ),
        };
        for site in SITES {
            let header = header(site);
            self.say(&format!(
                "[connections.{site}]\nhttp = {{ url = \"http://{}\", {header}, timeout = \"1s\" }}",
                addresses.web
            ));
            self.say(&format!(
                "[connections.{site}_gone]\nhttp = {{ url = \"http://{}\", {header}, timeout = \"1s\" }}",
                addresses.nobody
            ));
            self.say(&format!(
                "[connections.{site}_tls]\nhttp = {{ url = \"https://{}\", {header}, timeout = \"1s\" }}",
                addresses.web
            ));
            for (at, answer) in ANSWERS.iter().enumerate() {
                self.http_check(&format!("{site}_{at}"), "http", site, &format!("/{answer}/x"));
                self.http_check(&format!("{site}_probe_{at}"), "probe", site, &format!("/{answer}/x"));
            }
            self.http_check(&format!("{site}_gone"), "http", &format!("{site}_gone"), "/x");
            self.http_check(&format!("{site}_tls"), "http", &format!("{site}_tls"), "/x");
            self.act(
                &format!("tell_{site}"),
                &format!("http = {{ on = \"{site}\", path = \"/{{{{ id }}}}/x\", body = '{{}}' }}"),
            );
        }
    }

    fn http_check(&mut self, name: &str, kind: &str, on: &str, path: &str) {
        let columns = "columns = { value = \"/value\", deep = \"/deep\" }";
        self.check(name, &format!("read.{kind} = {{ on = \"{on}\", path = \"{path}\", {columns} }}\nvalue = \"value\"\ndetail = \"{{{{ value }}}} {{{{ body }}}} {{{{ error }}}}\""));
    }

    pub fn check(&mut self, name: &str, read: &str) {
        self.checks += 1;
        self.say(&format!("[checks.{name}]\ntitle = \"{name}\"\n{read}\nred = {{ at_least = 1 }}\n"));
    }

    fn stripes(&mut self, addresses: &Addresses) {
        let web = addresses.web;
        let places = ANSWERS
            .iter()
            .map(|answer| format!("http://{web}/{answer}/"))
            .chain([format!("http://{}/", addresses.nobody), format!("https://{web}/")]);
        for (at, place) in places.enumerate() {
            self.set(&format!("SHOP_STRIPE_{at}"), place);
            self.say(&format!("[connections.stripe_{at}]\nstripe = {{ key_env = \"SHOP_KEY\", url_env = \"SHOP_STRIPE_{at}\", livemode = true, timeout = \"2s\" }}"));
            self.check(
                &format!("stripe_{at}"),
                &format!("read.stripe = {{ on = \"stripe_{at}\", list = \"charges\" }}\nvalue = \"rows\""),
            );
            self.act(
                &format!("refund_{at}"),
                &format!("stripe = {{ on = \"stripe_{at}\", refund = \"charge\", amount = \"amount\" }}"),
            );
        }
    }

    fn databases(&mut self, addresses: &Addresses) {
        let mut places: Vec<String> = DATABASES.iter().map(|how| services::database(how).to_string()).collect();
        places.push(addresses.nobody.to_string());
        for (at, place) in places.iter().enumerate() {
            let mode = if at == 1 { "require" } else { "prefer" };
            self.set(&format!("SHOP_PG_{at}"), format!("postgres://app:{}@{place}/app?sslmode={mode}", DATABASE_PASSWORD.core));
            self.say(&format!(
                "[connections.pg_{at}]\nsql = {{ url_env = \"SHOP_PG_{at}\", marks = \"operator_actions\", timeout = \"1s\" }}"
            ));
            self.check(
                &format!("pg_{at}"),
                &format!("read.sql = {{ on = \"pg_{at}\", text = \"select 1 as n\" }}\nvalue = \"n\""),
            );
            self.act(
                &format!("change_{at}"),
                &format!("sql = {{ on = \"pg_{at}\", text = \"update t set a = 1 where b = 2\", rows = 1 }}"),
            );
        }
    }

    fn hooks(&mut self, addresses: &Addresses) {
        let web = addresses.web;
        let places = ANSWERS
            .iter()
            .map(|answer| format!("http://{web}/{answer}"))
            .chain([format!("http://{}", addresses.nobody), format!("https://{web}")]);
        for (at, place) in places.enumerate() {
            let secrets = (HOOK_PATH.core, HOOK_QUERY.core);
            self.set(&format!("SHOP_HOOK_{at}"), format!("{place}/services/T0/B0/{}?v=1&sig={}", secrets.0, secrets.1));
            self.say(&format!("[connections.hook_{at}]\nwebhook = {{ url_env = \"SHOP_HOOK_{at}\", timeout = \"1s\" }}"));
            self.act(&format!("message_{at}"), &format!("webhook = {{ on = \"hook_{at}\", text = \"hello\" }}"));
        }
    }

    fn post_offices(&mut self, addresses: &Addresses) {
        let mut places: Vec<String> =
            POST_OFFICES.iter().map(|how| format!("smtp://shop:{}@{}", MAIL_PASSWORD.core, services::post_office(how))).collect();
        places.push(format!("smtp://shop:{}@{}", MAIL_PASSWORD.core, addresses.nobody));
        places.push(format!("smtps://shop:{}@{}", MAIL_PASSWORD.core, services::post_office("535-auth")));
        self.set("SHOP_MAIL_PASSWORD", MAIL_PASSWORD.core.to_owned());
        for (at, place) in places.into_iter().enumerate() {
            // In the address, or by itself.
            let is_by_itself = at % 2 == 1;
            let login = if is_by_itself { "user = \"shop\", password_env = \"SHOP_MAIL_PASSWORD\", " } else { "" };
            let in_address = format!("shop:{}@", MAIL_PASSWORD.core);
            self.set(&format!("SHOP_MAIL_{at}"), if is_by_itself { place.replace(&in_address, "") } else { place });
            self.say(&format!(
                "[connections.mail_{at}]\nsmtp = {{ url_env = \"SHOP_MAIL_{at}\", {login}from = \"a@b.example\", timeout = \"1s\" }}"
            ));
            self.act(
                &format!("mail_{at}"),
                &format!("smtp = {{ on = \"mail_{at}\", to = \"c@d.example\", subject = \"x\", body = \"y\" }}"),
            );
        }
    }

    pub fn act(&mut self, name: &str, effect: &str) {
        self.say(&format!("[actions.{name}]\ntitle = \"{name}\"\nhold = \"0s\"\ndo = [{{ {effect}, says = \"{name}\" }}]\n"));
        let offered = format!("\"{name}\", # offered");
        self.pack = self.pack.replace("# offered", &offered);
    }
}

const HEAD: &str = r#"
[pack]
title = "Canaries"
timezone = "UTC"
currency = "AUD"

[connections.db]
sql = { url_env = "SHOP_DB", marks = "operator_actions" }

[queues.things]
title = "Things"
read.sql = { on = "db", text = "select id, charge, amount from things", money = ["amount"] }
id = "id"
minutes_each = 1
columns = [{ column = "id", title = "Id", as = "id" }]
actions = [
  # offered
]

"#;

fn secret_file(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}
