//! Every common type of the real server as a cell, and what has no place here as the server's own words.

use serde_json::json;

use super::{Cluster, run};
use crate::{
    adapters::{
        environment::Found as Secret,
        sql::{Reached, SqlSystem},
        testing::{CANARY, LIMIT, params, sql},
    },
    domain::{rows::Params, value::Value},
    ports::{Source as _, SourceError},
};

const TYPES: &str = "
    create extension if not exists citext;
    create extension if not exists hstore;
    create extension if not exists ltree;
    create type state as enum ('open', 'shipped');
    create type place as (street text, number integer);
    create domain cents as integer check (value >= 0);
    create domain tags as text[];
    create domain deep as cents;";

fn text(said: &str) -> Value {
    Value::text(said)
}

fn decimal(written: &str) -> Value {
    Value::Decimal(written.parse().unwrap())
}

fn moment(written: &str) -> Value {
    Value::Time(written.parse().unwrap())
}

/// A type, a value of it, and its cell.
fn table() -> Vec<(&'static str, &'static str, Value)> {
    let mut table = numbers();
    table.extend(times());
    table.extend(texts());
    table.extend(compounds());
    table
}

fn numbers() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("boolean", "true", Value::Bool(true)),
        ("smallint", "-32768", Value::Integer(-32_768)),
        ("integer", "2147483647", Value::Integer(2_147_483_647)),
        ("bigint", "9223372036854775807", Value::Integer(i64::MAX)),
        ("oid", "4294967295", Value::Integer(4_294_967_295)),
        ("cents", "2200", Value::Integer(2200)),
        ("deep", "2200", Value::Integer(2200)),
        ("real", "0.9", decimal("0.9")),
        ("real", "NaN", text("NaN")),
        ("real", "1e38", text("1e38")),
        ("double precision", "0.25", decimal("0.25")),
        ("double precision", "-0", decimal("0")),
        ("double precision", "NaN", text("NaN")),
        ("double precision", "Infinity", text("Infinity")),
        ("double precision", "-Infinity", text("-Infinity")),
        ("double precision", "1e300", text("1e300")),
        ("double precision", "1e-300", text("1e-300")),
        ("numeric", "0", decimal("0")),
        ("numeric", "-12345.6789", decimal("-12345.6789")),
        ("numeric", "0.00000001", decimal("0.00000001")),
        ("numeric(10, 2)", "22", decimal("22.00")),
        ("numeric(4, -2)", "12345", decimal("12300")),
        ("numeric", "79228162514264337593543950335", decimal("79228162514264337593543950335")),
        ("numeric", "123456789012345678901234567890", text("123456789012345678901234567890")),
        ("numeric", "0.33333333333333333333333333333333333333", decimal("0.3333333333333333333333333333")),
        ("numeric", "NaN", text("NaN")),
        ("numeric", "Infinity", text("Infinity")),
        ("numeric", "-Infinity", text("-Infinity")),
        ("money", "1234.50", decimal("1234.50")),
    ]
}

fn times() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("timestamptz", "2026-11-19 19:00:00.25+11", moment("2026-11-19T08:00:00.25Z")),
        ("timestamptz", "infinity", text("infinity")),
        ("timestamptz", "-infinity", text("-infinity")),
        ("timestamptz", "0044-03-15 12:00:00+00 BC", moment("-0043-03-15T12:00:00Z")),
        ("timestamptz", "294276-12-31 00:00:00+00", text("292276 years after 2000")),
        ("timestamp", "2026-11-19 08:00:00", moment("2026-11-19T08:00:00Z")),
        ("timestamp", "infinity", text("infinity")),
        ("date", "2026-11-19", text("2026-11-19")),
        ("date", "infinity", text("infinity")),
        ("time", "08:30:00.5", text("08:30:00.5")),
        ("time", "24:00:00", text("24:00:00")),
        ("timetz", "08:30:00+11", text("08:30:00+11")),
        ("interval", "1 year 2 months 3 days 04:05:06.5", text("1 year 2 mons 3 days 04:05:06.5")),
        ("interval", "-00:00:00.5", text("-00:00:00.5")),
        ("interval", "0", text("00:00:00")),
    ]
}

fn texts() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("text", "Tëxt", text("Tëxt")),
        ("text", "", text("")),
        ("varchar(3)", "abc", text("abc")),
        ("char(5)", "ab", text("ab")),
        ("\"char\"", "x", text("x")),
        ("name", "orders", text("orders")),
        ("citext", "Anna@Example.Org", text("Anna@Example.Org")),
        ("ltree", "a.b.c", text("a.b.c")),
        ("state", "shipped", text("shipped")),
        ("uuid", "7f9c2ba4-e88f-4a27-8f3c-111111111111", text("7f9c2ba4-e88f-4a27-8f3c-111111111111")),
        ("bytea", "\\xc0de", text("c0de")),
        ("inet", "10.0.0.1", text("10.0.0.1")),
        ("inet", "10.0.0.1/8", text("10.0.0.1/8")),
        ("inet", "2001:db8::1", text("2001:db8::1")),
        ("cidr", "10.0.0.0/8", text("10.0.0.0/8")),
        ("macaddr", "08:00:2b:01:02:03", text("08:00:2b:01:02:03")),
        ("bit(3)", "101", text("101")),
        ("varbit", "10", text("10")),
        ("xml", "<a/>", text("<a/>")),
        ("point", "(1,2)", text("(1,2)")),
        ("tsvector", "a b", text("'a' 'b'")),
        ("pg_lsn", "16/B374D848", text("16/B374D848")),
        ("regclass", "pg_class", text("pg_class")),
        ("hstore", "a=>1", text("\"a\"=>\"1\"")),
    ]
}

fn compounds() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("json", r#"{"b": 1, "a": [true, null]}"#, Value::Json(json!({ "b": 1, "a": [true, null] }))),
        ("jsonb", "null", Value::Json(json!(null))),
        ("jsonb", r#""text""#, Value::Json(json!("text"))),
        ("jsonb", "1e400", Value::text(format!("1{}", "0".repeat(400)))),
        ("text[]", r#"{x,NULL,"a b"}"#, Value::Json(json!(["x", null, "a b"]))),
        ("integer[]", "{}", Value::Json(json!([]))),
        ("integer[]", "{{1,2},{3,NULL}}", Value::Json(json!([[1, 2], [3, null]]))),
        ("integer[]", "[0:1]={1,2}", Value::Json(json!([1, 2]))),
        ("bigint[]", "{9223372036854775807}", Value::Json(json!([i64::MAX]))),
        ("boolean[]", "{t,f,NULL}", Value::Json(json!([true, false, null]))),
        ("numeric[]", "{12345678901234567890.12,NaN,NULL}", Value::Json(json!(["12345678901234567890.12", "NaN", null]))),
        ("double precision[]", "{0.5,NaN}", Value::Json(json!([0.5, "NaN"]))),
        ("timestamptz[]", "{2026-11-19 19:00:00+11}", Value::Json(json!(["2026-11-19T08:00:00+00:00"]))),
        ("date[]", "{2026-11-19}", Value::Json(json!(["2026-11-19"]))),
        ("uuid[]", "{7f9c2ba4-e88f-4a27-8f3c-111111111111}", Value::Json(json!(["7f9c2ba4-e88f-4a27-8f3c-111111111111"]))),
        ("inet[]", "{10.0.0.1}", Value::Json(json!(["10.0.0.1"]))),
        ("state[]", "{open,NULL}", Value::Json(json!(["open", null]))),
        ("cents[]", "{1}", Value::Json(json!([1]))),
        ("tags", "{a}", Value::Json(json!(["a"]))),
        ("jsonb[]", r#"{"{\"a\": 1}"}"#, Value::Json(json!([{ "a": 1 }]))),
        ("place", "(Main,7)", Value::Json(json!({ "street": "Main", "number": 7 }))),
        ("place[]", "{\"(Main,7)\"}", Value::Json(json!([{ "street": "Main", "number": 7 }]))),
        ("int4range", "[1,5)", text("[1,5)")),
        ("daterange", "[2026-01-01,)", text("[2026-01-01,)")),
        ("tstzrange", "[2026-11-19 19:00+11,)", text("[\"2026-11-19 08:00:00+00\",)")),
    ]
}

#[tokio::test]
async fn every_type_of_the_server_is_a_cell_and_so_is_none_of_it() {
    let Some(cluster) = Cluster::start() else { return };
    run(&cluster, TYPES).await;
    let db = cluster.open(None, LIMIT);
    for (kind, written, cell) in table() {
        let literal = written.replace('\'', "''");
        let look = format!("select 1 as one, '{literal}'::{kind} as cell, null::{kind} as nothing, 'last' as last");
        let rows = db.read(&sql(&look), &Params::new()).await.unwrap_or_else(|error| panic!("{kind} {written}: {error}"));
        assert_eq!(rows.columns(), ["one", "cell", "nothing", "last"], "{kind}");
        let row = rows.first().unwrap();
        assert_eq!(row.find("cell"), Some(&cell), "{kind} {written}");
        assert_eq!(row.find("nothing"), Some(&Value::Null), "{kind}");
        assert_eq!(row.find("last"), Some(&text("last")), "{kind}");
    }
    odd_shapes(&db).await;
    zones(&cluster).await;
    there_and_back(&db).await;
}

/// Statements of every form, with columns that have no place here.
async fn odd_shapes(db: &SqlSystem) {
    for (look, cells) in [
        ("select row(1, 'a') as it", vec![Value::Json(json!({ "f1": 1, "f2": "a" }))]),
        ("values (1, array[1]) -- a comment", vec![Value::Integer(1), Value::Json(json!([1]))]),
        ("with a as (select array['x'] as it) select it, it from a;", vec![Value::Json(json!(["x"])), Value::Json(json!(["x"]))]),
        ("select array_agg(n order by n desc) from generate_series(1, 3) n", vec![Value::Json(json!([3, 2, 1]))]),
        ("select pg_sleep(0)", vec![Value::Null]),
    ] {
        let rows = db.read(&sql(look), &Params::new()).await.unwrap_or_else(|error| panic!("{look}: {error}"));
        let found: Vec<Value> = rows.first().unwrap().cells().map(|(_, cell)| cell.clone()).collect();
        assert_eq!(found, cells, "{look}");
    }
    let multirange = sql("select '{[2026-01-01,2026-02-01)}'::datemultirange as it");
    let error = db.read(&multirange, &Params::new()).await.unwrap_err();
    assert!(matches!(&error, SourceError::Refused(why) if why.shown().contains("say `column::text`")), "{error:?}");
    // The order within is the order without, and parameters keep their numbers.
    let look = sql("select n, array[n] as it from generate_series(1, 9) n where n <> :no and n < :below order by n desc");
    let rows = db.read(&look, &params(&[("no", Value::Integer(3)), ("below", Value::Integer(6))])).await.unwrap();
    let order: Vec<_> = rows.iter().filter_map(|row| row.find("n").and_then(Value::integer)).collect();
    assert_eq!(order, [5, 4, 2, 1]);
    assert_eq!(rows.columns(), ["n", "it"]);
}

/// A `timestamp` is a moment of the zone that the pack names, on its way here and back.
async fn zones(cluster: &Cluster) {
    let url = &Secret::secret(&cluster.address(CANARY));
    let zone = Some("Australia/Sydney".parse().unwrap());
    let reached = Reached { url, act_url: None, authority: None, zone, timeout: LIMIT };
    let db = SqlSystem::open("db", &reached, None).unwrap();
    let look = sql(
        "select '2026-11-19 19:00:00'::timestamp as wall, '2026-04-05 02:30:00'::timestamp as twice, cast( :at as timestamp) = '2026-11-19 19:00' as same, \
         cast( :late as date) = '2026-11-20' as its_day, cast( :day as date) = '2026-11-19' as that_day",
    );
    // A moment of Thursday evening is Friday in Sydney; a day that is written as one is that day.
    let (at, late) = (moment("2026-11-19T08:00:00Z"), moment("2026-11-19T14:00:00Z"));
    let rows = db.read(&look, &params(&[("at", at), ("late", late), ("day", text("2026-11-19"))])).await.unwrap();
    let row = rows.first().unwrap();
    assert_eq!(row.find("its_day"), Some(&Value::Bool(true)));
    assert_eq!(row.find("that_day"), Some(&Value::Bool(true)));
    assert_eq!(row.find("wall"), Some(&moment("2026-11-19T08:00:00Z")));
    assert_eq!(row.find("twice"), Some(&text("2026-04-05 02:30:00")));
    assert_eq!(row.find("same"), Some(&Value::Bool(true)));
}

/// A cell of a row goes back as a parameter of the statement that changes that row.
async fn there_and_back(db: &SqlSystem) {
    for (kind, written) in [
        ("timestamptz", "infinity"),
        ("timestamptz", "2026-11-19 19:00:00.25+11"),
        ("timestamp", "-infinity"),
        ("date", "infinity"),
        ("date", "2026-11-19"),
        ("numeric", "22.00"),
        ("char(5)", "ab"),
        ("citext", "Anna"),
        ("state", "open"),
        ("time", "08:30:00.5"),
        ("bytea", "\\xc0de"),
        ("double precision", "0.25"),
    ] {
        let rows = db.read(&sql(&format!("select '{written}'::{kind} as cell")), &Params::new()).await.unwrap();
        let cell = rows.first().unwrap().find("cell").unwrap().clone();
        let back = sql(&format!("select '{written}'::{kind} = :cell as same"));
        let rows = db.read(&back, &params(&[("cell", cell.clone())])).await.unwrap_or_else(|error| panic!("{kind}: {error}"));
        assert_eq!(rows.first().unwrap().find("same"), Some(&Value::Bool(true)), "{kind} {cell:?}");
    }
    let look = sql("select '10.0.0.1'::inet = :cell as same");
    let error = db.read(&look, &params(&[("cell", text("10.0.0.1"))])).await.unwrap_err();
    assert!(matches!(&error, SourceError::Refused(why) if why.shown().contains("cast the parameter")), "{error:?}");
}
