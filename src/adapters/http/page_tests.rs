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
    domain::pack::{PageWay, Paging},
};

fn paged(at: &str, way: PageWay, at_most: usize) -> HttpRead {
    let list = pointing(at, &[("id", "/id")]);
    HttpRead { rows: vec!["/data".into()], pages: Some(Paging { way, at_most }), ..list }
}

fn next() -> PageWay {
    PageWay::Next { at: "/links/next".into() }
}

fn cursor() -> PageWay {
    PageWay::Cursor { at: "/next_cursor".into(), parameter: "cursor".into() }
}

fn number() -> PageWay {
    PageWay::Number { parameter: "page".into(), first: 1 }
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
