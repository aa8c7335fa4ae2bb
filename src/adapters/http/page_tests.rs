//! Lists in pages, against a server that counts what it was asked.

use std::collections::HashMap;

use serde_json::{Value as Json, json};
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::any};

use super::{
    tests::{open, pointing, read},
    *,
};
use crate::{
    adapters::testing::{CANARY, LIMIT, query},
    domain::pack::{AskedBy, MOST_ROWS, PageWay, Paging},
};

fn paged(at: &str, way: PageWay, at_most: impl Into<Option<usize>>) -> HttpRead {
    let list = pointing(at, &[("id", "/id")]);
    HttpRead { rows: vec!["/data".into()], pages: Some(Paging { way, at_most: at_most.into() }), ..list }
}

fn next() -> PageWay {
    PageWay::Next { at: "/links/next".into() }
}

fn cursor() -> PageWay {
    PageWay::Cursor { at: "/next_cursor".into(), by: AskedBy::Parameter("cursor".into()) }
}

fn number() -> PageWay {
    PageWay::Number { by: AskedBy::Parameter("page".into()), first: 1 }
}

/// What comes in, part by part.
#[derive(Default)]
struct Basket(Vec<Vec<i64>>);

impl Taker for Basket {
    fn take(&mut self, rows: Rows) -> Result<(), String> {
        self.0.push(rows.iter().filter_map(|row| row.find("id")?.integer()).collect());
        Ok(())
    }
}

/// Seven rows, three a page, however it is asked for them; its address stands in the links.
async fn seven(change: impl Fn(&HashMap<String, String>, &mut Json) + Send + Sync + 'static) -> MockServer {
    let server = MockServer::start().await;
    let base = server.uri();
    let answer = move |request: &Request| {
        let asked: HashMap<String, String> = request.url.query_pairs().into_owned().collect();
        let from = match (asked.get("from"), asked.get("cursor"), asked.get("page")) {
            (Some(from), ..) => from.parse().unwrap(),
            (_, Some(cursor), _) => cursor.strip_prefix("after ").unwrap().parse().unwrap(),
            (_, _, Some(page)) => 3 * (page.parse::<i64>().unwrap() - 1),
            _ => 0_i64,
        };
        let rows: Vec<Json> = (from..7).take(3).map(|id| json!({ "id": id })).collect();
        let after = from + 3;
        let next = (after < 7).then(|| format!("{base}/list?kind={}&from={after}", asked.get("kind").map_or("", |kind| kind)));
        let cursor = (after < 7).then(|| format!("after {after}"));
        let mut body = json!({ "data": rows, "links": { "next": next }, "next_cursor": cursor });
        change(&asked, &mut body);
        ResponseTemplate::new(200).set_body_json(body).insert_header("x-request-id", format!("req_{from}"))
    };
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

async fn parts(server: &MockServer, list: HttpRead) -> (Result<Vec<String>, SourceError>, Vec<Vec<i64>>) {
    let mut basket = Basket::default();
    let answer = open(&server.uri(), LIMIT).stream(&query(Read::Http(list)), &Params::new(), &mut basket).await;
    (answer, basket.0)
}

#[tokio::test]
async fn each_way_leads_through_all_pages_and_asks_for_none_twice() {
    for (at, way, requests) in [("/list?kind=a", next(), 3), ("/list?kind=a", cursor(), 3), ("/list?kind=a", number(), 4)] {
        let server = seven(|asked, _| assert_eq!(asked.get("kind").map(String::as_str), Some("a"))).await;
        let (answer, parts) = parts(&server, paged(at, way.clone(), usize::MAX)).await;
        let mut expected = vec![vec![0, 1, 2], vec![3, 4, 5], vec![6]];
        expected.extend((requests == 4).then(Vec::new));
        assert_eq!(parts, expected, "{way:?}");
        let mut named = vec!["req_0", "req_3", "req_6"];
        named.extend((requests == 4).then_some("req_9"));
        assert_eq!(answer.unwrap(), named, "{way:?}");
        assert_eq!(server.received_requests().await.unwrap().len(), requests);
    }
}

#[tokio::test]
async fn a_screen_takes_what_it_can_show_and_a_ledger_all_or_nothing() {
    let server = seven(|_, _| {}).await;
    let rows = read(&open(&server.uri(), LIMIT), paged("/list", next(), 4)).await.unwrap();
    assert_eq!(rows.iter().filter_map(|row| row.find("id")?.integer()).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!(server.received_requests().await.unwrap().len(), 2, "the third page is not asked for");
    let (answer, parts) = parts(&server, paged("/list", next(), 4)).await;
    assert_eq!(parts, [[0, 1, 2]]);
    let said = answer.unwrap_err().to_string();
    assert!(said.contains("more than 4 rows: half a ledger would look whole"), "{said}");
}

#[tokio::test]
async fn a_list_that_is_too_long_for_a_screen_is_a_failure_and_never_cut_off_in_silence() {
    for (rows, is_told) in [(MOST_ROWS, false), (MOST_ROWS + 1, true)] {
        let server = seven(move |_, body| {
            *body = json!({ "data": (0..rows).map(|id| json!({ "id": id })).collect::<Vec<_>>() });
        })
        .await;
        match read(&open(&server.uri(), LIMIT), paged("/list", next(), None)).await {
            Ok(told) => assert!(!is_told && told.len() == rows),
            Err(why) => assert!(
                is_told && why.to_string().contains("more than 10000 rows: narrow the request, or say `at_most`"),
                "{why}"
            ),
        }
    }
}

#[tokio::test]
async fn links_lead_on_where_the_address_has_a_login() {
    let server = seven(|_, _| {}).await;
    let address = server.uri().replace("http://", "http://shop:pass%20word@");
    let rows = read(&open(&address, LIMIT), paged("/list", next(), None)).await.unwrap();
    assert_eq!(rows.len(), 7);
}

#[tokio::test]
async fn a_list_without_rows_is_a_list() {
    let server = seven(|_, body| *body = json!({ "data": [] })).await;
    for way in [next(), cursor(), number()] {
        let rows = read(&open(&server.uri(), LIMIT), paged("/list", way, 10)).await.unwrap();
        assert!(rows.is_empty() && rows.columns().contains(&"id".to_owned()));
    }
}

type Change = fn(&HashMap<String, String>, &mut Json);

#[tokio::test]
async fn what_is_no_whole_list_is_never_taken_for_one() {
    let second: [(PageWay, Change, &str); 6] = [
        (
            next(),
            |_, body| body["links"]["next"] = json!("https://elsewhere.example/list"),
            "is outside the connection's address",
        ),
        (next(), |_, body| body["links"]["next"] = json!("/list?from=0"), "this page came before"),
        (cursor(), |_, body| body["next_cursor"] = json!({ "at": 3 }), "what stands at `/next_cursor` leads to no page"),
        (cursor(), |_, body| body["next_cursor"] = json!("after 0"), "this page came before"),
        // It does not know the parameter, and answers with its first page for ever.
        (number(), |_, body| *body = json!({ "data": [{ "id": 1 }] }), "this page came before"),
        (
            cursor(),
            |asked, body| {
                if asked.contains_key("cursor") {
                    *body = json!({ "error": "cursor expired" });
                }
            },
            "there is no list at `/data`",
        ),
    ];
    for (way, change, expected) in second {
        let server = seven(change).await;
        let (answer, _) = parts(&server, paged("/list", way.clone(), usize::MAX)).await;
        let error = answer.unwrap_err();
        let said = error.to_string();
        assert!(said.contains(expected), "{way:?}: {said}");
        assert!(!said.contains(CANARY), "{said}");
        assert!(matches!(error, SourceError::Malformed(_)), "{error:?}");
        assert!(server.received_requests().await.unwrap().len() <= 2, "{way:?}");
    }
}

#[tokio::test]
async fn whoever_cannot_use_a_row_ends_the_reading_with_his_words() {
    struct Picky;
    impl Taker for Picky {
        fn take(&mut self, _: Rows) -> Result<(), String> {
            Err("tills: row 1 has no `cents`".to_owned())
        }
    }
    let server = seven(|_, _| {}).await;
    let list = query(Read::Http(paged("/list", next(), usize::MAX)));
    let stopped = open(&server.uri(), LIMIT).stream(&list, &Params::new(), &mut Picky).await.unwrap_err();
    assert_eq!(stopped, SourceError::Refused("tills: row 1 has no `cents`".into()));
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

fn link() -> PageWay {
    PageWay::Link { relation: "next".into() }
}

/// Two pages by `Link` headers, below a path of their own; what stands in the first one's header is made of the address.
async fn linked(header: impl Fn(&str) -> Vec<String> + Send + Sync + 'static) -> (MockServer, String) {
    let server = MockServer::start().await;
    let base = format!("{}/api", server.uri());
    let of = base.clone();
    let answer = move |request: &Request| {
        let last = json!([{ "id": 3 }]);
        if request.url.query_pairs().any(|(name, _)| name == "page") {
            return ResponseTemplate::new(200).set_body_json(last).append_header("link", "</api/list>; rel=\"first\"");
        }
        let first = ResponseTemplate::new(200).set_body_json(json!([{ "id": 1 }, { "id": 2 }]));
        header(&of).into_iter().fold(first, |answer, value| answer.append_header("link", value))
    };
    Mock::given(any()).respond_with(answer).mount(&server).await;
    (server, base)
}

async fn through_links(base: &str) -> (Result<Vec<String>, SourceError>, Vec<Vec<i64>>) {
    let mut basket = Basket::default();
    let list = HttpRead { rows: vec![String::new()], ..paged("/list", link(), usize::MAX) };
    let answer = open(base, LIMIT).stream(&query(Read::Http(list)), &Params::new(), &mut basket).await;
    (answer, basket.0)
}

#[tokio::test]
async fn a_link_header_leads_through_all_pages_however_it_is_written() {
    let ways: [fn(&str) -> Vec<String>; 5] = [
        |base| vec![format!("<{base}/list?page=2>; rel=\"next\", <{base}/list?page=2>; rel=\"last\"")],
        |_| vec!["</api/list?page=1>; rel=prev".to_owned(), "</api/list?page=2>; rel=\"next\"".to_owned()],
        |_| vec!["<?page=2>;rel=NEXT".to_owned()],
        |_| vec!["<./sub/../list?page=2#here>; title=\"a, <b>; c\"; rel=\"last next\"".to_owned()],
        // As Sentry has it.
        |base| vec![format!("<{base}/list?page=2>; rel=\"next\"; results=\"true\"; cursor=\"0:100:0\"")],
    ];
    for way in ways {
        let (server, base) = linked(way).await;
        let (answer, parts) = through_links(&base).await;
        assert!(answer.is_ok(), "{answer:?}");
        assert_eq!(parts, [vec![1, 2], vec![3]], "{:?}", way(&base));
        let asked = server.received_requests().await.unwrap();
        assert!(asked.iter().all(|request| request.headers.get("authorization").is_some()));
    }
    for end in ["", "</api/list?page=2>; rel=\"last\"", "</api/list?page=2>; rel=\"next\"; results=\"false\""] {
        let (_server, base) = linked(move |_| vec![end.to_owned()]).await;
        assert_eq!(through_links(&base).await.1, [[1, 2]], "{end}");
    }
}

/// The header's secret goes nowhere else, and no part of a list passes for the whole.
#[tokio::test]
async fn a_link_that_leads_elsewhere_is_not_followed_and_makes_no_half_list() {
    let elsewhere = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_json(json!([{ "id": 9 }]))).mount(&elsewhere).await;
    let other = elsewhere.uri();
    let host = other.trim_start_matches("http://").to_owned();
    let hostile = [
        format!("<{other}/api/list?page=2>; rel=\"next\""),
        format!("<//{host}/api/list?page=2>; rel=\"next\""),
        format!("<\\\\{host}\\api\\list>; rel=\"next\""),
        "<BASE@HOST/api/list?page=2>; rel=\"next\"".replace("HOST", &host),
        "<HTTPS:/list?page=2>; rel=\"next\"".to_owned(),
        "<https://127.0.0.1/api/list?page=2>; rel=\"next\"".to_owned(),
        "<file:///etc/passwd>; rel=\"next\"".to_owned(),
        "<javascript:alert(1)>; rel=\"next\"".to_owned(),
        "</apis/list?page=2>; rel=\"next\"".to_owned(),
        "</api/../list?page=2>; rel=\"next\"".to_owned(),
        "</api/%2e%2e/list?page=2>; rel=\"next\"".to_owned(),
        "</api/list?page=2>; rel=\"next\", </api/list?page=3>; rel=\"next\"".to_owned(),
        "</api/list?page=2>; rel=\"next".to_owned(),
        "/api/list?page=2; rel=\"next\"".to_owned(),
        format!("<{other}/{CANARY}>; rel=\"next\""),
    ];
    for header in hostile {
        let shown = header.clone();
        let (server, base) = linked(move |base| vec![header.replace("BASE", base)]).await;
        let (answer, _) = through_links(&base).await;
        let error = answer.unwrap_err();
        let said = error.to_string();
        assert!(matches!(error, SourceError::Malformed(_)), "{shown}: {said}");
        assert!(
            ["is outside the connection's address", "name two pages", "cannot be read"].iter().any(|why| said.contains(why)),
            "{shown}: {said}"
        );
        assert!(!said.contains(CANARY), "{said}");
        assert_eq!(server.received_requests().await.unwrap().len(), 1, "{shown}");
    }
    assert!(elsewhere.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn links_that_go_round_in_a_circle_end() {
    for circle in ["</api/list>; rel=\"next\"", "<>; rel=next", "</api/list?again>; rel=next"] {
        let (server, base) = linked(move |_| vec![circle.to_owned()]).await;
        let said = through_links(&base).await.0.unwrap_err().to_string();
        assert!(said.contains("this page came before"), "{circle}: {said}");
        assert_eq!(server.received_requests().await.unwrap().len(), 2, "{circle}");
    }
}

#[tokio::test]
async fn pages_without_an_end_end_all_the_same() {
    let server = MockServer::start().await;
    let answer = |request: &Request| {
        let page: i64 = request.url.query().map_or(0, |query| query.trim_start_matches("page=").parse().unwrap());
        let next = format!("</list?page={}>; rel=\"next\"", page + 1);
        ResponseTemplate::new(200).set_body_json(json!([{ "id": page }])).append_header("link", next)
    };
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let said = through_links(&server.uri()).await.0.unwrap_err().to_string();
    assert!(said.contains("more than 20 pages"), "{said}");
    assert_eq!(server.received_requests().await.unwrap().len(), 21);
    let list = HttpRead { rows: vec![String::new()], ..paged("/list", link(), None) };
    let said = read(&open(&server.uri(), LIMIT), list).await.unwrap_err().to_string();
    assert!(said.contains("more than 20 pages"), "a look ends as well: {said}");
}

/// A search that is posted: what it looks for, and from where on, stand in its body.
async fn searched() -> MockServer {
    let server = MockServer::start().await;
    let answer = |request: &Request| {
        let asked: Json = serde_json::from_slice(&request.body).unwrap();
        if asked["filter"] != json!({ "kind": "a \"b\"" }) || request.headers.get("content-type").is_none() {
            return ResponseTemplate::new(400).set_body_json(json!({ "error": asked }));
        }
        let from = asked.pointer("/page/from").map_or(0, |from| from.as_i64().unwrap());
        let from = asked.pointer("/page/number").map_or(from, |number| 3 * number.as_i64().unwrap());
        let rows: Vec<Json> = (from..7).take(3).map(|id| json!({ "id": id })).collect();
        let next = (from + 3 < 7).then_some(from + 3);
        ResponseTemplate::new(200).set_body_json(json!({ "data": rows, "next": next }))
    };
    Mock::given(wiremock::matchers::method("POST")).respond_with(answer).mount(&server).await;
    server
}

fn posted(way: PageWay) -> HttpRead {
    let body = r#"{"filter": {"kind": "{{ kind }}"}, "page": {"size": 3}}"#;
    let body = crate::domain::template::Template::parse_for(crate::domain::template::TemplatePlace::Json, body).unwrap();
    HttpRead { method: "POST".into(), body: Some(body), ..paged("/search", way, usize::MAX) }
}

#[tokio::test]
async fn a_search_that_is_posted_is_asked_for_its_pages_in_its_body() {
    let field = |pointer: &str| AskedBy::Field(pointer.to_owned());
    let kind = || Params::from_iter([("kind".to_owned(), crate::domain::value::Value::text("a \"b\""))]);
    for (way, requests) in [
        (PageWay::Cursor { at: "/next".into(), by: field("/page/from") }, 3),
        (PageWay::Number { by: field("/page/number"), first: 0 }, 4),
    ] {
        let server = searched().await;
        let mut basket = Basket::default();
        let list = query(Read::Http(posted(way.clone())));
        open(&server.uri(), LIMIT).stream(&list, &kind(), &mut basket).await.unwrap();
        assert_eq!(basket.0.concat(), [0, 1, 2, 3, 4, 5, 6], "{way:?}");
        let asked = server.received_requests().await.unwrap();
        assert_eq!(asked.len(), requests);
        assert!(asked.iter().all(|request| request.headers.get("idempotency-key").is_none()), "it is no act");
        let second: Json = serde_json::from_slice(&asked[1].body).unwrap();
        assert_eq!(second["page"]["size"], 3, "the rest of the body stays");
    }
    let server = searched().await;
    let nowhere = query(Read::Http(posted(PageWay::Cursor { at: "/next".into(), by: field("/deep/from") })));
    let said = open(&server.uri(), LIMIT).read(&nowhere, &kind()).await.unwrap_err().to_string();
    assert!(said.contains("its body has no place for `/deep/from`"), "{said}");
}

#[tokio::test]
async fn a_page_that_is_posted_is_tried_again_where_the_line_broke() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let mut bodies = Vec::new();
        for answer in ["", "HTTP/1.1 200 OK\r\ncontent-length: 24\r\nconnection: close\r\n\r\n{\"data\": [{\"id\": 5}]}   "] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !String::from_utf8_lossy(&request).contains("\"size\": 3}}") {
                assert!(stream.read_buf(&mut request).await.unwrap() > 0);
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            bodies.push(String::from_utf8_lossy(&request).into_owned());
        }
        bodies
    });
    let way = PageWay::Cursor { at: "/next".into(), by: AskedBy::Field("/page/from".into()) };
    let given = Params::from_iter([("kind".to_owned(), crate::domain::value::Value::text("x"))]);
    let rows = open(&url, LIMIT).read(&query(Read::Http(posted(way))), &given).await.unwrap();
    assert_eq!(rows.first().unwrap().find("id").unwrap().integer(), Some(5));
    let bodies = serving.await.unwrap();
    assert!(bodies.iter().all(|body| body.starts_with("POST /search")) && bodies.len() == 2, "{bodies:?}");
}

#[tokio::test]
async fn a_list_that_goes_on_is_no_whole_one_where_the_pack_does_not_say_how() {
    let alone = |rows: bool| HttpRead {
        rows: rows.then(|| "/data".to_owned()).into_iter().collect(),
        ..pointing("/list", &[("id", "/id")])
    };
    for (link, is_told) in [
        (Some("</list?page=2>; rel=\"next\""), true),
        (Some("</list?page=2>; rel=\"next\"; results=\"false\""), false),
        (Some("</list?page=1>; rel=\"prev\""), false),
        (None, false),
    ] {
        let server = MockServer::start().await;
        let answer =
            ResponseTemplate::new(200).set_body_json(json!({ "data": [{ "id": 1 }] })).insert_header("x-request-id", "req_1");
        let answer = link.map_or_else(|| answer.clone(), |link| answer.clone().insert_header("link", link));
        Mock::given(any()).respond_with(answer).mount(&server).await;
        let system = open(&server.uri(), LIMIT);
        let looked = read(&system, alone(true)).await;
        let (streamed, parts) = parts(&server, alone(true)).await;
        if is_told {
            for error in [looked.unwrap_err(), streamed.unwrap_err()] {
                let said = error.to_string();
                assert!(said.contains("its `Link` header names a next page; write `pages.link = \"next\"`"), "{said}");
            }
            assert!(parts.is_empty(), "{parts:?}");
        } else {
            assert_eq!(looked.unwrap().len(), 1, "{link:?}");
            assert_eq!(
                (streamed.unwrap(), parts),
                (vec!["req_1".to_owned()], vec![vec![1]]),
                "what the service calls it is kept"
            );
        }
        assert_eq!(read(&system, alone(false)).await.unwrap().len(), 1, "one object is no list");
    }
}

/// GitHub's pages lead to another address than the one that was asked, a proxy's to a host that only it can reach.
#[tokio::test]
async fn where_the_first_rows_are_enough_it_does_not_matter_where_the_next_page_is() {
    let elsewhere = |_: &str| vec!["<http://internal.example/repositories/7/list?page=2>; rel=\"next\"".to_owned()];
    let list = |at_most| HttpRead { rows: vec![String::new()], ..paged("/list", link(), at_most) };
    for (at_most, rows) in [(1, 1), (2, 2)] {
        let (_server, base) = linked(elsewhere).await;
        assert_eq!(read(&open(&base, LIMIT), list(Some(at_most))).await.unwrap().len(), rows, "{at_most}");
    }
    for at_most in [Some(3), None] {
        let (_server, base) = linked(elsewhere).await;
        let said = read(&open(&base, LIMIT), list(at_most)).await.unwrap_err().to_string();
        assert!(said.contains("is outside the connection's address: ask for it by `pages.number` or `pages.cursor`"), "{said}");
    }
    // A ledger is whole or a failure: that there is more must be known.
    let (server, _) = linked(elsewhere).await;
    let mut basket = Basket::default();
    let streamed = open(&format!("{}/api", server.uri()), LIMIT);
    let streamed = streamed.stream(&query(Read::Http(list(Some(2)))), &Params::new(), &mut basket).await;
    assert!(streamed.unwrap_err().to_string().contains("is outside the connection's address"));
}

#[tokio::test]
async fn each_page_of_a_look_has_the_time_of_the_connection_for_itself() {
    let server = seven(|_, _| {}).await;
    let limit = Duration::from_secs(3);
    // The first page's rows take as long as all of them might have.
    let came = std::sync::atomic::AtomicUsize::new(0);
    let slow = |rows| {
        if came.fetch_add(rows, std::sync::atomic::Ordering::Relaxed) == 0 {
            std::thread::sleep(limit);
        }
    };
    let list = query(Read::Http(paged("/list", next(), None)));
    assert_eq!(open(&server.uri(), limit).read_aloud(&list, &Params::new(), &slow).await.unwrap().len(), 7);
}

#[tokio::test]
async fn a_probe_of_a_list_that_goes_on_is_well_and_a_posted_list_is_told_what_leads_it_on() {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_json(json!({ "data": [{ "id": 1 }] }));
    Mock::given(any()).respond_with(answer.insert_header("link", "</list?page=2>; rel=\"next\"")).mount(&server).await;
    let system = open(&server.uri(), LIMIT);
    let probe = HttpRead { pages: None, probe: true, ..paged("/list", next(), None) };
    let rows = read(&system, probe).await.unwrap();
    assert_eq!(rows.first().unwrap().find("ok"), Some(&crate::domain::value::Value::Bool(true)));
    let kind = Params::from_iter([("kind".to_owned(), crate::domain::value::Value::text("x"))]);
    let post = query(Read::Http(HttpRead { pages: None, ..posted(next()) }));
    let said = system.read(&post, &kind).await.unwrap_err().to_string();
    assert!(said.contains("write `pages.cursor` or `pages.number` beside `rows`") && !said.contains("pages.link"), "{said}");
}
