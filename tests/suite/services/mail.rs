//! Mail by a server that others wrote: open, STARTTLS and TLS, with and without a login, read back from its Maildir.

use super::House;
use crate::partners::{
    authority::Authority,
    post_office::{Line, PostOffice},
};

const PASSWORD: &str = "as-secret as a test: 100%";

fn pack(connection: &str) -> String {
    format!(
        r#"
[queues.things]
title = "Things"
read.sql = {{ on = "db", text = "select id, name from things" }}
id = "id"
columns = [ {{ column = "id" }} ]
actions = ["write"]
[connections]
db.sql = {{ url = "sqlite:things.db" }}
mail.smtp = {{ from = "Müllers Läden <hallo@shop.example>", timeout = "10s", {connection} }}
[actions.write]
title = "Write"
hold = "0s"
do.smtp = {{ on = "mail", to = "Jürgen <jo@dogs.example>", subject = "Grüße an {{{{ name }}}}", body = "Dear {{{{ name }}}},\n\n.\nA$22.00 is on its way – 3 days.\n{{% if name %}}Bye{{% endif %}}\n" }}
"#
    )
}

fn write(house: &House) -> crate::cli::Ran {
    house.run(&["do", "write", "t1"])
}

/// Header and body of a mail, the body without its encoding.
fn parts(mail: &str) -> (String, String) {
    let (head, body) = mail.split_once("\n\n").or_else(|| mail.split_once("\r\n\r\n")).expect("a head and a body");
    let body = body.replace("=\r\n", "").replace("=\n", "");
    let bytes: Vec<u8> = body.bytes().collect();
    let mut text = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match (bytes[at], hex) {
            (b'=', Some(byte)) => {
                text.push(byte);
                at += 3;
            }
            (byte, _) => {
                text.push(byte);
                at += 1;
            }
        }
    }
    (head.to_owned(), String::from_utf8(text).unwrap().replace("\r\n", "\n"))
}

#[test]
fn a_mail_arrives_as_it_was_meant_on_every_kind_of_line() {
    let home = tempfile::tempdir().unwrap();
    let Some(authority) = Authority::new(&home.path().join("authority")) else { return };
    let trusted = format!("ca_file = \"{}\"", authority.certificate().display());
    for (line, login) in [(Line::Open, false), (Line::Open, true), (Line::StartTls, true), (Line::Tls, true), (Line::Tls, false)]
    {
        let context = format!("{line:?} login {login}");
        let home = tempfile::tempdir().unwrap();
        let known = login.then_some(("ana@shop", PASSWORD));
        let Some(office) = PostOffice::open(home.path(), line, Some(&authority), known) else { return };
        let scheme = if line == Line::Tls { "smtps" } else { "smtp" };
        let asked = if line == Line::StartTls { "?tls=required" } else { "" };
        let user = if login { "user = \"ana@shop\", password_env = \"PASSWORD\", " } else { "" };
        let url = format!("{scheme}://{}{asked}", office.place());
        let house =
            House::in_home(home, &pack(&format!("url_env = \"URL\", {user}{trusted}")), &[("URL", &url), ("PASSWORD", PASSWORD)]);
        let line = if line == Line::Open { "line open" } else { "line encrypted" };
        let told = house.run(&["connect", "check"]).ends(0).says(&["SMTP", line]);
        assert_eq!(told.out.contains("user ana@shop"), login, "{context}: {}", told.out);
        assert_eq!(office.mails(), [] as [String; 0], "{context}: a check sends nothing");

        let ran = write(&house).ends(0).says(&["done"]);
        assert!(!ran.out.contains(PASSWORD) && !ran.errors.contains(PASSWORD), "{context}: {ran:?}");
        let mails = office.mails();
        assert_eq!(mails.len(), 1, "{context}: {mails:?}");
        let (head, body) = parts(&mails[0]);
        for wanted in [
            "To: =?utf-8?b?SsO8cmdlbg==?= <jo@dogs.example>",
            "<hallo@shop.example>",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: quoted-printable",
            "X-RcptTo: jo@dogs.example",
            "X-MailFrom: hallo@shop.example",
            "Subject: =?utf-8?b?",
            "@wheelhouse>",
        ] {
            assert!(head.contains(wanted), "{context}: no `{wanted}` in\n{head}");
        }
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{context}: {head}");
        assert!(body.starts_with("Dear Ann"), "{context}: {body}");
        assert!(body.contains("\n\n.\nA$22.00 is on its way – 3 days.\nBye"), "{context}: {body}");
    }
}

#[test]
fn a_password_in_the_address_is_one_as_well() {
    let home = tempfile::tempdir().unwrap();
    let Some(office) = PostOffice::open(home.path(), Line::Open, None, Some(("ana@shop", "p@ss:w/rd"))) else { return };
    let url = format!("smtp://ana%40shop:p%40ss%3Aw%2Frd@{}", office.place());
    let house = House::in_home(home, &pack("url_env = \"URL\""), &[("URL", &url)]);
    write(&house).ends(0);
    assert_eq!(office.mails().len(), 1);
}

#[test]
fn without_what_the_server_wants_nothing_is_sent_and_the_next_step_is_said() {
    let home = tempfile::tempdir().unwrap();
    let Some(authority) = Authority::new(&home.path().join("authority")) else { return };
    let ca = format!("ca_file = \"{}\"", authority.certificate().display());
    let login = format!("user = \"ana\", password_env = \"PASSWORD\", {ca}");
    for (line, url, more, status, said) in [
        // The server's certificate is signed by nobody known.
        (Line::Tls, "smtps://{}", "user = \"ana\", password_env = \"PASSWORD\"", 1, "or name who signed it in `ca_file`"),
        (
            Line::StartTls,
            "smtp://{}?tls=required",
            "user = \"ana\", password_env = \"PASSWORD\"",
            1,
            "or name who signed it in `ca_file`",
        ),
        // TLS is spoken to a server that speaks none, and none to one that speaks it.
        (Line::Open, "smtps://{}", login.as_str(), 1, "it speaks no TLS there"),
        (Line::Open, "smtp://{}?tls=required", login.as_str(), 1, "the server offers no TLS, and nothing goes over an open line"),
        // It wants TLS first, a login first, or another password.
        (Line::StartTls, "smtp://{}?tls=none", ca.as_str(), 1, "530"),
        (Line::Open, "smtp://{}", ca.as_str(), 1, "530"),
        (Line::Open, "smtp://{}", login.as_str(), 1, "535"),
    ] {
        let context = format!("{line:?} {url} {more}");
        let home = tempfile::tempdir().unwrap();
        let Some(office) = PostOffice::open(home.path(), line, Some(&authority), Some(("ana", "another"))) else { return };
        let url = url.replace("{}", &office.place());
        let more = format!("url_env = \"URL\", {more}");
        let house = House::in_home(home, &pack(&more), &[("URL", &url), ("PASSWORD", PASSWORD)]);
        let ran = write(&house);
        assert!(ran.status == status && format!("{}{}", ran.out, ran.errors).contains(said), "{context}: {ran:?}");
        assert!(!ran.out.contains(PASSWORD) && !ran.errors.contains(PASSWORD), "{context}: {ran:?}");
        assert_eq!(office.mails(), [] as [String; 0], "{context}");
    }
}
