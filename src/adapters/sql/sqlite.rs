//! SQLite: one lane of connections that cannot write, and one that can.

use std::{
    path::Path,
    str::FromStr as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use sqlx::{
    Column as _, ConnectOptions as _, Either, Executor as _, Row as _, Statement as _, TypeInfo as _, ValueRef as _,
    query::Query,
    sqlite::{SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteRow},
};

use super::{
    Acted, Broken, Statement, cell,
    claims::{Contended, Contest, Transaction},
    fault::{Fault, FaultKind},
    lane::{Lane, Place},
    moments,
    parts::Parts,
    statement_of_the_pack,
};
use crate::domain::{moment::OddMoment, rows::Rows, value::Value};

/// Each is a thread of the driver's. Looks at a file take milliseconds: two are there so that a slow one holds up none.
const READERS: usize = 2;

/// KiB in each connection, as SQLite counts them; the file's pages are in the machine's memory anyhow.
const CACHE: &str = "-128";

/// Rows that the driver's thread reads ahead of us; a list of this length is handed over in one go.
const ROWS_AT_ONCE: usize = 200;

/// Looks at the clock after so many steps of the virtual machine: a few thousand times a second.
const STEPS_BETWEEN_LOOKS: i32 = 20_000;

/// Looking at the schema inside the transaction makes a kept connection notice that somebody changed it. Otherwise it
/// notices in the middle of the statement, and the driver panics over columns that it did not count.
const BEGIN_READING: &str = "begin; select 1 from sqlite_master limit 1";
const BEGIN_WRITING: &str = "begin immediate; select 1 from sqlite_master limit 1";

/// How many statements of a reading end before the pack's own begins.
const ENDED_BEFORE: usize = 2;

#[derive(Debug)]
pub(super) struct Sqlite {
    reading: SqliteConnectOptions,
    writing: SqliteConnectOptions,
    readers: Lane<Reader>,
    writer: Lane<SqliteConnection>,
    timeout: Duration,
}

impl Sqlite {
    pub(super) fn open(url: &str, timeout: Duration) -> Result<Self, String> {
        let options = SqliteConnectOptions::from_str(url).map_err(|error| format!("the address is not understood: {error}"))?;
        if options.get_filename() == Path::new("") {
            return Err("the address names no file".to_owned());
        }
        // Half the time for waiting, so that a locked database is told from a slow one.
        let options = options.busy_timeout(timeout / 2).disable_statement_logging().pragma("cache_size", CACHE);
        Ok(Self {
            reading: options.clone().pragma("query_only", "on").row_buffer_size(ROWS_AT_ONCE),
            writing: options,
            readers: Lane::with_places(READERS),
            writer: Lane::with_places(1),
            timeout,
        })
    }

    pub(super) async fn read(&self, text: &str, values: &[Value]) -> Result<Rows, Fault> {
        self.stream(text, values, Parts::gathered()).await
    }

    pub(super) async fn stream(&self, text: &str, values: &[Value], mut parts: Parts<'_>) -> Result<Rows, Fault> {
        let place = self.readers.enter().await;
        let mut reader = self.reader(&place).await?;
        reader.end_by(parts.patience(self.timeout));
        comparable(&mut reader.connection, text, values).await?;
        // All in one message to the driver's thread: a cockpit looks some forty times a minute, for days.
        let script = format!("{BEGIN_READING}; {text}\n; rollback");
        let mut ended = 0;
        {
            let query = bound(sqlx::query(statement_of_the_pack(&script)), values);
            let mut answers = reader.connection.fetch_many(query);
            while let Some(answer) = answers.try_next().await? {
                match answer {
                    Either::Left(_) => ended += 1,
                    Either::Right(_) if ended < ENDED_BEFORE => {}
                    Either::Right(row) => {
                        if parts.is_blank() {
                            parts.head(row.columns().iter().map(|column| column.name().to_owned()).collect());
                        }
                        parts.admit(sizes(&row)?.into_iter())?;
                        parts.push(decoded(&row)?)?;
                    }
                }
            }
        }
        if parts.is_blank() {
            parts.head(names(&mut reader.connection, text).await?);
        }
        // Otherwise the text swallowed the rollback, in a comment left open perhaps: the connection is not kept.
        if ended == ENDED_BEFORE + 2 {
            place.keep(reader);
        }
        parts.end()
    }

    pub(super) async fn columns(&self, text: &str) -> Result<Option<Vec<String>>, Fault> {
        let place = self.readers.enter().await;
        let mut reader = self.reader(&place).await?;
        reader.end_by(self.timeout);
        command(&mut reader.connection, BEGIN_READING).await?;
        let columns = names(&mut reader.connection, text).await?;
        command(&mut reader.connection, "rollback").await?;
        place.keep(reader);
        Ok(Some(columns))
    }

    async fn reader(&self, place: &Place<'_, Reader>) -> Result<Reader, Fault> {
        match place.take() {
            Some(reader) => Ok(reader),
            None => Reader::connect(&self.reading).await,
        }
    }

    pub(super) async fn act(&self, statement: &Statement<'_>) -> Result<Acted, Broken> {
        let within = self.timeout;
        let Ok(place) = tokio::time::timeout(within, self.writer.enter()).await else {
            return Err(Fault::timed_out().into());
        };
        let mut connection = match place.take() {
            Some(connection) => connection,
            None => connect(&self.writing).await?,
        };
        let acted = match tokio::time::timeout(within, apply(&mut connection, statement, within)).await {
            Ok(acted) => acted?,
            // Dropping the connection rolls back: the commit was not sent.
            Err(_) => return Err(Fault::timed_out().into()),
        };
        if let Some(verdict) = acted {
            place.keep(connection);
            return Ok(verdict);
        }
        // Without a time limit: a commit that is under way is waited for, not abandoned. The file is local and the
        // wait for a lock is bounded by the busy timeout.
        match command(&mut connection, "commit").await {
            Ok(()) => {
                place.keep(connection);
                Ok(Acted::Committed)
            }
            Err(fault) => {
                // A commit that met a lock leaves the transaction open, and it can be taken back for certain.
                let in_doubt = fault.kind != FaultKind::Busy || command(&mut connection, "rollback").await.is_err();
                Err(Broken { fault, in_doubt })
            }
        }
    }
}

impl Sqlite {
    /// A claim in one transaction, from which nobody else writes until it is over.
    pub(super) async fn claim(&self, mut contest: Contest<'_>) -> Result<Contended, Broken> {
        let Ok(place) = tokio::time::timeout(self.timeout, self.writer.enter()).await else {
            return Err(Fault::timed_out().into());
        };
        let mut connection = match place.take() {
            Some(connection) => connection,
            None => connect(&self.writing).await?,
        };
        let before_commit = async {
            end_by(&mut connection, self.timeout).await?;
            command(&mut connection, BEGIN_WRITING).await?;
            let contended = contest.run(&mut Writing { connection: &mut connection }).await?;
            command(&mut connection, "pragma query_only = off").await?;
            if !matches!(contended, Contended::Stands) {
                command(&mut connection, "rollback").await?;
            }
            Ok::<_, Fault>(contended)
        };
        let contended = tokio::time::timeout(self.timeout, before_commit).await.unwrap_or_else(|_| Err(Fault::timed_out()))?;
        if matches!(contended, Contended::Stands) {
            let committed = command(&mut connection, "commit").await;
            committed.map_err(|fault| Broken { fault, in_doubt: true })?;
        }
        place.keep(connection);
        Ok(contended)
    }

    /// One statement, which is its own transaction.
    pub(super) async fn change(&self, text: &str, values: &[Value]) -> Result<(), Broken> {
        let work = async {
            let place = self.writer.enter().await;
            let mut connection = match place.take() {
                Some(connection) => connection,
                None => connect(&self.writing).await?,
            };
            end_by(&mut connection, self.timeout).await?;
            Writing { connection: &mut connection }.change(text, values).await?;
            place.keep(connection);
            Ok::<_, Fault>(())
        };
        let done = tokio::time::timeout(self.timeout, work).await;
        Ok(done.unwrap_or_else(|_| Err(Fault::timed_out()))?)
    }
}

/// The connection that writes, in a transaction.
struct Writing<'a> {
    connection: &'a mut SqliteConnection,
}

#[async_trait]
impl Transaction for Writing<'_> {
    async fn rows(&mut self, text: &str, values: &[Value]) -> Result<Rows, Fault> {
        comparable(self.connection, text, values).await?;
        let query = bound(sqlx::query(statement_of_the_pack(text)), values);
        let found = query.fetch_all(&mut *self.connection).await?;
        let columns = match found.first() {
            Some(row) => row.columns().iter().map(|column| column.name().to_owned()).collect(),
            None => names(self.connection, text).await?,
        };
        Ok(Rows::new(columns, found.iter().map(decoded).collect::<Result<Vec<_>, Fault>>()?))
    }

    async fn change(&mut self, text: &str, values: &[Value]) -> Result<u64, Fault> {
        let query = bound(sqlx::query(statement_of_the_pack(text)), values);
        Ok(query.execute(&mut *self.connection).await?.rows_affected())
    }

    async fn only_read(&mut self) -> Result<(), Fault> {
        command(self.connection, "pragma query_only = on").await
    }
}

/// A connection that cannot write, and when what it is at must end.
#[derive(Debug)]
struct Reader {
    connection: SqliteConnection,
    opened: Instant,
    /// Milliseconds after it was opened.
    end: Arc<AtomicU64>,
}

impl Reader {
    async fn connect(options: &SqliteConnectOptions) -> Result<Self, Fault> {
        let mut connection = connect(options).await?;
        let opened = Instant::now();
        let end = Arc::new(AtomicU64::new(u64::MAX));
        let limit = Arc::clone(&end);
        // Dropping the future alone would leave the driver's thread at work.
        let is_in_time = move || opened.elapsed().as_millis() < u128::from(limit.load(Ordering::Relaxed));
        connection.lock_handle().await?.set_progress_handler(STEPS_BETWEEN_LOOKS, is_in_time);
        Ok(Self { connection, opened, end })
    }

    fn end_by(&self, within: Duration) {
        let end = (self.opened.elapsed() + within).as_millis();
        self.end.store(u64::try_from(end).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// Everything before the commit; `None` means that it is to be committed.
async fn apply(connection: &mut SqliteConnection, statement: &Statement<'_>, within: Duration) -> Result<Option<Acted>, Fault> {
    end_by(connection, within).await?;
    command(connection, BEGIN_WRITING).await?;
    let verdict = changes(connection, statement).await;
    match verdict {
        Ok(None) => Ok(None),
        Ok(Some(acted)) => command(connection, "rollback").await.map(|()| Some(acted)),
        // The caller drops the connection, and with it the transaction.
        Err(fault) => Err(fault),
    }
}

async fn changes(connection: &mut SqliteConnection, statement: &Statement<'_>) -> Result<Option<Acted>, Fault> {
    if let Some(marks) = statement.marks {
        let values = super::marks::values(statement.mark);
        let query = bound(sqlx::query(statement_of_the_pack(&marks.write)), &values);
        if query.execute(&mut *connection).await?.rows_affected() == 0 {
            return Ok(Some(Acted::Already));
        }
    }
    // Behind the mark: whatever the columns hold by now, what was done is done.
    comparable(connection, statement.text, statement.parameters).await?;
    let query = bound(sqlx::query(statement_of_the_pack(statement.text)), statement.parameters);
    let found = query.execute(&mut *connection).await?.rows_affected();
    Ok((found != statement.rows).then_some(Acted::OtherRows(found)))
}

async fn connect(options: &SqliteConnectOptions) -> Result<SqliteConnection, Fault> {
    options.connect().await.map_err(|error| Fault::connecting(&error))
}

async fn command(connection: &mut SqliteConnection, text: &'static str) -> Result<(), Fault> {
    sqlx::raw_sql(text).execute(connection).await?;
    Ok(())
}

/// Ends a statement that runs on: dropping the future alone would leave the driver's thread at work.
async fn end_by(connection: &mut SqliteConnection, within: Duration) -> Result<(), Fault> {
    let end = Instant::now() + within;
    connection.lock_handle().await?.set_progress_handler(STEPS_BETWEEN_LOOKS, move || Instant::now() < end);
    Ok(())
}

async fn names(connection: &mut SqliteConnection, text: &str) -> Result<Vec<String>, Fault> {
    let statement = connection.prepare(statement_of_the_pack(text)).await?;
    Ok(statement.columns().iter().map(|column| column.name().to_owned()).collect())
}

/// Fails where a column that is put in order with a bound moment holds moments in another form.
async fn comparable(connection: &mut SqliteConnection, text: &str, values: &[Value]) -> Result<(), Fault> {
    for moments::Compared { of, column, is_given } in moments::compared(text, values) {
        let tables = sqlx::query_scalar(TABLES_WITH).persistent(false).bind(&column).fetch_all(&mut *connection).await;
        let tables: Vec<String> = match tables.map_err(Fault::from) {
            Ok(tables) => tables,
            Err(fault) if fault.kind == FaultKind::Busy => return Err(fault),
            // Whatever is wrong is told of by the look itself.
            Err(_) => return Ok(()),
        };
        let meant: Vec<&String> = match &of {
            Some(of) => moments::named(text, of, &tables).into_iter().collect(),
            None if is_given => Vec::new(),
            None => tables.iter().filter(|table| moments::names(text, table)).collect(),
        };
        let mut odd = Vec::new();
        for table in &meant {
            odd.extend(odd_moment(connection, table, &column).await);
        }
        // Where several tables have such a column it is not known whose is meant.
        if let Some(said) = odd.first().filter(|_| odd.len() == meant.len()) {
            return Err(Fault::new(FaultKind::Refused, said));
        }
    }
    Ok(())
}

const TABLES_WITH: &str = "select m.name from sqlite_master m join pragma_table_info(m.name) c \
    where m.type = 'table' and m.sql not like 'create virtual%' and c.name = ? collate nocase";

/// What is wrong with a column's moments, by its oldest and its newest rows; `None` also where these cannot be looked at.
async fn odd_moment(connection: &mut SqliteConnection, table: &str, column: &str) -> Option<String> {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let look = OddMoment::look(&quoted(table), &quoted(column));
    let query = sqlx::query_scalar(statement_of_the_pack(&look)).persistent(false);
    let found: String = query.fetch_optional(connection).await.ok()??;
    let (odd, held) = OddMoment::told(&found)?;
    let why = match odd {
        OddMoment::Text => format!(
            "moments like `{held}`, and here they would be compared as texts with `YYYY-MM-DD hh:mm:ss`: each of the same day \
             would count as later"
        ),
        OddMoment::JulianDay | OddMoment::Unix { .. } => {
            format!("numbers like {held}, and a number counts as earlier than every moment")
        }
    };
    Some(format!("`{table}.{column}` holds {why}; write `{}` in the statement", odd.in_sql(column)))
}

fn bound<'q>(query: Query<'q, sqlx::Sqlite, SqliteArguments>, values: &'q [Value]) -> Query<'q, sqlx::Sqlite, SqliteArguments> {
    // Not cached: the driver would keep a statement's columns after the table has changed.
    values.iter().fold(query.persistent(false), |query, value| match value {
        Value::Null => query.bind(None::<String>),
        Value::Bool(truth) => query.bind(*truth),
        Value::Integer(number) => query.bind(*number),
        Value::Money(money) => query.bind(money.minor),
        Value::Decimal(_) => query.bind(value.number()),
        // As SQLite's own datetime() writes it, so that the two can be compared.
        Value::Time(time) => query.bind(time.format("%Y-%m-%d %H:%M:%S").to_string()),
        Value::Text(text) => query.bind(text.original()),
        Value::Json(json) => query.bind(json.to_string()),
    })
}

/// What its cells take in the file; numbers are small whatever they are.
fn sizes(row: &SqliteRow) -> Result<Vec<usize>, Fault> {
    let size = |index: usize| {
        let raw = row.try_get_raw(index)?;
        let is_long = !raw.is_null() && matches!(raw.type_info().name(), "TEXT" | "BLOB");
        Ok(if is_long { row.try_get_unchecked::<&[u8], _>(index)?.len() } else { 0 })
    };
    (0..row.len()).map(|index| size(index).map_err(|error: sqlx::Error| Fault::from(error))).collect()
}

fn decoded(row: &SqliteRow) -> Result<Vec<Value>, Fault> {
    (0..row.len()).map(|index| decode(row, index).map_err(Fault::from)).collect()
}

fn decode(row: &SqliteRow, index: usize) -> Result<Value, sqlx::Error> {
    let raw = row.try_get_raw(index)?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let stored = raw.type_info().name().to_owned();
    let declared = row.column(index).type_info().name();
    Ok(match (stored.as_str(), declared) {
        ("INTEGER", "BOOLEAN") => Value::Bool(row.try_get_unchecked::<i64, _>(index)? != 0),
        ("INTEGER", _) => Value::Integer(row.try_get_unchecked(index)?),
        ("REAL", _) => cell::float(row.try_get_unchecked(index)?),
        ("BLOB", _) => Value::text(hex::encode(row.try_get_unchecked::<Vec<u8>, _>(index)?)),
        (_, declared) => {
            // Bytes, because SQLite does not check them: one odd letter must not lose the list.
            let text = String::from_utf8_lossy(row.try_get_unchecked::<&[u8], _>(index)?).into_owned();
            let moment = if declared == "DATETIME" { cell::declared_moment(&text) } else { cell::moment(&text) };
            moment.map_or_else(|| Value::text(text), Value::Time)
        }
    })
}
