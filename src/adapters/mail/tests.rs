use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
    task::JoinHandle,
};

use super::*;
use crate::{
    adapters::testing::{CANARY, LIMIT, mark, nobody, words},
    domain::id::Id,
};

fn mail(to: &str) -> Order {
    Order::Mail {
        on: Id::new("mail"),
        to: to.into(),
        subject: "Your refund\nBcc: all@x.example".into(),
        body: "A$22.00\nDanke, Jürgen".into(),
    }
}

fn open(url: &str) -> MailSystem {
    MailSystem::open("mail", &office(url)).unwrap()
}

fn office(url: &str) -> Office<'static> {
    let url = Secret::secret(url);
    Office { url, from: "Shop <shop@shop.example>", login: None, authority: None, timeout: LIMIT }
}

/// A mail server for one session; answers the mail itself with `verdict`, hangs up where it is empty. What it heard.
async fn server(verdict: &'static str) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("smtp://{}", listener.local_addr().unwrap());
    let heard = tokio::spawn(async move {
        let (line, _) = listener.accept().await.unwrap();
        let (reader, mut writer) = line.into_split();
        let mut lines = BufReader::new(reader).lines();
        let (mut heard, mut in_data) = (String::new(), false);
        writer.write_all(b"220 test\r\n").await.unwrap();
        while let Ok(Some(said)) = lines.next_line().await {
            heard.push_str(&said);
            heard.push('\n');
            let answer = match said.as_str() {
                "." => {
                    in_data = false;
                    verdict
                }
                _ if in_data => continue,
                "DATA" => {
                    in_data = true;
                    "354 go on"
                }
                _ => "250 ok",
            };
            if answer.is_empty() {
                break;
            }
            writer.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
        }
        heard
    });
    (address, heard)
}

#[tokio::test]
async fn a_mail_becomes_one_file_however_often_it_is_sent() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("out")).unwrap();
    let system = open(&format!("file://{}/out", directory.path().display()));
    assert!(matches!(system.look_up(&mail("a@b.example"), &mark("a1")).await, Found::Absent));
    for _ in 0..2 {
        assert!(matches!(system.act(&mail("Ann <a@b.example>"), &mark("a1")).await, Outcome::Confirmed(_)));
    }
    assert!(matches!(system.look_up(&mail("a@b.example"), &mark("a1")).await, Found::Ours(_)));
    let files: Vec<_> = std::fs::read_dir(directory.path().join("out")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, ["a1-0.eml"]);
    let written = std::fs::read_to_string(directory.path().join("out/a1-0.eml")).unwrap();
    assert!(written.contains("Message-ID: <a1-0@wheelhouse>"), "{written}");
    assert!(
        written.contains("From: \"Shop\" <shop@shop.example>") || written.contains("From: Shop <shop@shop.example>"),
        "{written}"
    );
    assert!(!written.contains("\nBcc:"), "a subject must not begin a header: {written}");
}

#[tokio::test]
async fn each_verdict_of_the_server_means_one_thing() {
    for (verdict, kind) in
        [("250 queued as 1", "Confirmed"), ("450 greylisted", "Again"), ("550 no such user", "Rejected"), ("", "Unknown")]
    {
        let (address, heard) = server(verdict).await;
        let system = open(&address);
        let outcome = system.act(&mail("a@b.example"), &mark("a1")).await;
        assert!(format!("{outcome:?}").starts_with(kind), "{verdict}: {outcome:?}");
        assert!(heard.await.unwrap().contains("Message-ID: <a1-0@wheelhouse>"));
        assert!(matches!(system.look_up(&mail("a@b.example"), &mark("a1")).await, Found::CannotTell(_)));
    }
}

#[tokio::test]
async fn nobody_there_is_asked_again_and_the_password_stays_unsaid() {
    let address = nobody().await.replace("http://", &format!("smtp://user:{CANARY}@"));
    let system = open(&address);
    let outcome = system.act(&mail("a@b.example"), &mark("a1")).await;
    assert!(matches!(outcome, Outcome::Again { .. }), "{outcome:?}");
    assert!(!words(&outcome).contains(CANARY) && !format!("{system:?}").contains(CANARY));
}

#[tokio::test]
async fn a_recipient_that_is_none_is_rejected() {
    let directory = tempfile::tempdir().unwrap();
    let system = open(&format!("file://{}", directory.path().display()));
    let outcome = system.act(&mail("nobody in particular"), &mark("a1")).await;
    assert!(matches!(outcome, Outcome::Rejected(_)), "{outcome:?}");
}

#[tokio::test]
async fn a_plain_line_to_another_machine_is_used_only_where_it_is_asked_for_and_then_told() {
    let exposed = async |address: &str| {
        open(address).inspect().await.unwrap().iter().map(|said| said.shown().to_owned()).collect::<String>()
    };
    for hidden in [
        "smtp://u:p4ss@mail.example",
        "smtp://mail.example:25?tls=required",
        "smtps://mail.example",
        "smtp://127.0.0.1:25",
        "smtp://[::1]",
    ] {
        assert_eq!(exposed(hidden).await, "", "{hidden}");
    }
    assert!(
        exposed("smtp://u:p4ss@mail.example?tls=none")
            .await
            .contains("the password and every mail goes to mail.example:25 in clear")
    );
    assert!(exposed("smtp://mail.example?tls=opportunistic").await.contains("`tls=required` prevents it"));
    for (odd, said) in [
        (format!("gopher://u:{CANARY}@h"), "must begin with `smtps://`"),
        (format!("smtp://u:{CANARY}@mail.example?tls=maybe"), "`tls=maybe` in the address"),
    ] {
        let problem = MailSystem::open("mail", &office(&odd)).unwrap_err();
        assert!(problem.contains(said) && !problem.contains(CANARY), "{problem}");
    }
    let login = Some(("ana".to_owned(), Secret::secret(CANARY)));
    let problem = MailSystem::open("mail", &Office { login, ..office("smtp://u:p4ss@127.0.0.1") }).unwrap_err();
    assert!(problem.contains("both say who logs in") && !problem.contains("p4ss"), "{problem}");
}

/// A server that talks without ever ending a line, from its greeting on or after the mail's text; how much it could say.
async fn flood(greets: bool) -> (String, JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("smtp://{}", listener.local_addr().unwrap());
    let said = tokio::spawn(async move {
        let (line, _) = listener.accept().await.unwrap();
        let (reader, mut writer) = line.into_split();
        if greets {
            let mut lines = BufReader::new(reader).lines();
            writer.write_all(b"220 test\r\n").await.unwrap();
            while lines.next_line().await.unwrap().is_some_and(|said| said != "DATA") {
                writer.write_all(b"250 ok\r\n").await.unwrap();
            }
            writer.write_all(b"354 go on\r\n").await.unwrap();
            while lines.next_line().await.unwrap().is_some_and(|said| said != ".") {}
        }
        let mut said = 0;
        while writer.write_all(&[b'2'; 16 * 1024]).await.is_ok() {
            said += 16 * 1024;
        }
        said
    });
    (address, said)
}

#[tokio::test]
async fn a_server_that_never_ends_its_sentence_is_not_heard_out() {
    for (greets, kind) in [(false, "Again"), (true, "Unknown")] {
        let (address, said) = flood(greets).await;
        // Nothing but the flood itself ends it.
        let office = Office { timeout: Duration::from_mins(10), ..office(&address) };
        let outcome = MailSystem::open("mail", &office).unwrap().act(&mail("a@b.example"), &mark("a1")).await;
        assert!(format!("{outcome:?}").starts_with(kind), "{outcome:?}");
        assert!(words(&outcome).contains("it talks without end, as no mail server does"), "{outcome:?}");
        // What was heard, and what the two ends of the line may hold.
        assert!(said.await.unwrap() < 32 << 20);
    }
}
