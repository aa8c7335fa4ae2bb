//! Services that fail in every way and repeat whatever secret they were sent.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use super::canaries::base64;

/// The failing answers over HTTP, by the word in the path that asks for them.
pub const ANSWERS: [&str; 22] = [
    "401-text",
    "403-json",
    "404-json",
    "400-nested",
    "409-json",
    "422-cut",
    "422-cut-later",
    "429-json",
    "500-text",
    "500-json",
    "502-title",
    "200-text",
    "200-json",
    "200-list",
    "200-cut",
    "301-there",
    "302-there",
    "204-named",
    "418-named",
    "reset",
    "silence",
    "400-escaped",
];

/// Serves each connection on a thread of its own, for as long as the process lives.
fn serve(with: impl Fn(TcpStream) -> std::io::Result<()> + Send + Clone + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for line in listener.incoming().flatten() {
            let with = with.clone();
            // Whoever hangs up first ends it.
            thread::spawn(move || drop(with(line)));
        }
    });
    address
}

/// A port at which nobody listens.
pub fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

pub fn web() -> SocketAddr {
    serve(|line| web_request(&line))
}

fn web_request(mut line: &TcpStream) -> std::io::Result<()> {
    line.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut reader = BufReader::new(line);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut said = String::new();
        if reader.read_line(&mut said)? == 0 || said.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = said.split_once(": ")
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
        head.push_str(&said);
    }
    reader.read_exact(&mut vec![0; length])?;
    let echo = head.split_whitespace().collect::<Vec<_>>().join(" ");
    let quoted = serde_json::Value::from(echo.as_str()).to_string();
    // The secret alone, so that a cut falls into it.
    let words = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .filter(|(name, _)| ["authorization", "x-signature", "x-token"].iter().any(|known| name.eq_ignore_ascii_case(known)));
    let secret = words.map(|(_, value)| value.trim().to_owned()).collect::<Vec<_>>().join(" ");
    let secret = if secret.is_empty() { head.split(' ').nth(1).unwrap_or_default().to_owned() } else { secret };
    let header = secret.replace(|c: char| !c.is_ascii_graphic(), "-");
    let error = format!("{{\"error\":{{\"type\":\"invalid_request_error\",\"code\":\"x\",\"message\":{quoted}}}}}");
    let answer = ANSWERS.iter().find(|answer| head.contains(&format!("/{answer}/"))).copied().unwrap_or("200-text");
    let (status, extra, body) = match answer {
        "401-text" => ("401 Unauthorized", String::new(), format!("Invalid key provided: {echo}")),
        "403-json" => ("403 Forbidden", String::new(), error),
        "404-json" => ("404 Not Found", String::new(), error),
        "400-nested" => ("400 Bad Request", String::new(), format!("{{\"errors\":[{{\"seen\":{quoted}}}]}}")),
        "400-escaped" => ("400 Bad Request", String::new(), echo.replace('/', "\\/").replace(' ', "%20")),
        "409-json" => ("409 Conflict", "stripe-should-retry: false\r\n".to_owned(), error),
        // The excerpt ends within the secret.
        "422-cut" => ("422 Unprocessable", String::new(), format!("{}{secret}", "x".repeat(139))),
        "422-cut-later" => ("422 Unprocessable", String::new(), format!("{}{secret}", "x".repeat(147))),
        "429-json" => ("429 Too Many Requests", "stripe-should-retry: false\r\nretry-after: 0\r\n".to_owned(), error),
        "500-text" => ("500 Internal Server Error", String::new(), echo),
        "500-json" => ("500 Internal Server Error", String::new(), error),
        "502-title" => ("502 Bad Gateway", String::new(), format!("<html><title>{echo}</title></html>")),
        "200-json" => ("200 OK", String::new(), format!("{{\"value\":{quoted},\"deep\":[{quoted}],\"id\":{quoted}}}")),
        "200-list" => ("200 OK", String::new(), format!("{{\"data\":{quoted},\"has_more\":true}}")),
        "200-cut" => ("200 OK", String::new(), format!("{{\"value\":{quoted}")),
        "301-there" => ("301 Moved Permanently", format!("location: http://elsewhere.example/{header}\r\n"), String::new()),
        "302-there" => ("302 Found", format!("location: http://elsewhere.example/{header}\r\n"), echo),
        "204-named" => {
            ("200 OK", format!("request-id: {header}\r\nx-request-id: {header}\r\n"), "{\"id\":\"re_1\",\"value\":1}".to_owned())
        }
        "418-named" => ("418 Teapot", format!("request-id: {header}\r\nx-request-id: {header}\r\n"), error),
        "reset" => return Ok(()),
        "silence" => {
            thread::sleep(Duration::from_secs(4));
            return Ok(());
        }
        _ => ("200 OK", String::new(), echo),
    };
    let answer = format!("HTTP/1.1 {status}\r\n{extra}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    line.write_all(answer.as_bytes())
}

/// How a database fails.
pub const DATABASES: [&str; 5] = ["echo", "plain-only", "garbage", "silence", "reset"];

/// PostgreSQL, as far as the password, which it repeats.
pub fn database(how: &'static str) -> SocketAddr {
    serve(move |line| database_session(&line, how))
}

fn database_session(mut line: &TcpStream, how: &str) -> std::io::Result<()> {
    line.set_read_timeout(Some(Duration::from_secs(5)))?;
    let read = |mut line: &TcpStream| -> std::io::Result<Vec<u8>> {
        let mut buffer = vec![0; 4096];
        let count = line.read(&mut buffer)?;
        buffer.truncate(count);
        Ok(buffer)
    };
    let mut start = read(line)?;
    match how {
        "reset" => return Ok(()),
        "garbage" => return line.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\nwhat?"),
        "silence" => {
            thread::sleep(Duration::from_secs(4));
            return Ok(());
        }
        _ => {}
    }
    // A question for TLS comes first.
    if start.get(4..8) == Some(&[4, 210, 22, 47]) {
        line.write_all(b"N")?;
        start = read(line)?;
    }
    if start.is_empty() {
        return Ok(());
    }
    line.write_all(&[b'R', 0, 0, 0, 8, 0, 0, 0, 3])?;
    let answer = read(line)?;
    let password = String::from_utf8_lossy(answer.get(5..).unwrap_or_default()).trim_end_matches('\0').to_owned();
    let mut fields = Vec::new();
    for (kind, text) in [
        (b'S', "FATAL".to_owned()),
        (b'C', "28P01".to_owned()),
        (b'M', format!("password authentication failed with {password}")),
    ] {
        fields.push(kind);
        fields.extend_from_slice(text.as_bytes());
        fields.push(0);
    }
    fields.push(0);
    let mut message = vec![b'E'];
    message.extend_from_slice(&(fields.len() as u32 + 4).to_be_bytes());
    message.extend_from_slice(&fields);
    line.write_all(&message)
}

/// How a mail server fails.
pub const POST_OFFICES: [&str; 6] = ["535-auth", "535-base64", "454-later", "greeting", "reset", "silence"];

/// SMTP, as far as the password, which it repeats.
pub fn post_office(how: &'static str) -> SocketAddr {
    serve(move |line| post_office_session(&line, how))
}

fn post_office_session(mut line: &TcpStream, how: &str) -> std::io::Result<()> {
    line.set_read_timeout(Some(Duration::from_secs(5)))?;
    match how {
        "reset" => return Ok(()),
        "greeting" => return line.write_all(b"554 go away\r\n"),
        "silence" => {
            thread::sleep(Duration::from_secs(4));
            return Ok(());
        }
        _ => line.write_all(b"220 office\r\n")?,
    }
    for said in BufReader::new(line).lines() {
        let said = said?;
        let argument = said.split(' ').nth(2).unwrap_or_default().to_owned();
        let meant = String::from_utf8_lossy(&unbase64(&argument)).replace('\0', " ");
        let answer = match (said.get(..4), how) {
            (Some("EHLO"), _) => "250-office\r\n250 AUTH PLAIN LOGIN".to_owned(),
            (Some("AUTH"), "535-auth") => format!("535 5.7.8 no such user and password: {meant}"),
            (Some("AUTH"), "454-later") => format!("454 4.7.0 later: {meant}"),
            (Some("AUTH"), _) => format!("535 5.7.8 cannot decode {argument} {}", base64(meant.trim().as_bytes())),
            _ => "250 ok".to_owned(),
        };
        line.write_all(format!("{answer}\r\n").as_bytes())?;
    }
    Ok(())
}

fn unbase64(text: &str) -> Vec<u8> {
    let value = |letter: u8| (0..64_u8).find(|value| base64(&[0, 0, *value]).as_bytes()[3] == letter).unwrap_or(0);
    let bits: Vec<u32> = text.bytes().filter(|letter| *letter != b'=').map(|letter| u32::from(value(letter))).collect();
    let bytes = bits.chunks(4).flat_map(|chunk| {
        let word = chunk.iter().chain([0; 3].iter()).take(4).fold(0_u32, |word, bits| word << 6 | bits);
        word.to_be_bytes()[1..].iter().take(chunk.len() - 1).copied().collect::<Vec<_>>()
    });
    bytes.collect()
}
