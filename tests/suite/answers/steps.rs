//! The steps that are no refund: a statement, a request, a message, a mail. What cannot be looked for is never sent twice.

use std::sync::Arc;

use chrono::TimeDelta;
use futures_util::{StreamExt as _, stream};
use sqlx::Connection as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use wheelhouse::{
    domain::{
        id::Id,
        plan::{Receipt, Standing},
        rows::Params,
    },
    engine::message::Ask,
};

use super::{
    Form,
    line::{Fault, Kind, Line},
    play::drive,
    post_office::{Office, Trouble},
    stage::{self, Stage},
};
use crate::acting::{Cockpit, world::World};

/// A site that says yes to everything.
async fn site() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut line, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = line.read(&mut [0; 8192]).await;
                let _ =
                    line.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 13\r\nconnection: close\r\n\r\n{\"ok\": true }\n").await;
            });
        }
    });
    address
}

struct Acted {
    receipt: Receipt,
    was_asked_for: bool,
    cockpit: Cockpit,
}

/// Confirms one action on one purchase and lets it come to its end.
async fn act(
    stage: &Stage,
    id: &str,
    action: &str,
    database: &str,
    line: &Line,
    mail: &str,
    tick: impl AsyncFn(&Cockpit),
) -> Acted {
    let world = World::new(&[]);
    let pack = stage::till(database, "1500ms", None);
    let connections = stage.connections(&pack, line.address, mail);
    let cockpit = Cockpit::open_on(&world, &stage.folder.path().join(format!("{id}.db")), Arc::clone(&pack), connections).await;
    cockpit.actor.recover().await.unwrap();
    cockpit.actor.unlock().await.unwrap();
    let preview = cockpit.actor.propose(Ask(1), Id::new(action), vec![stage::aim(id)], Params::new()).await.unwrap();
    assert_eq!(preview.plans.len(), 1, "{preview:?}");
    cockpit.actor.commit(Ask(1), preview.expected.clone()).await.unwrap();
    cockpit.later(TimeDelta::seconds(11)).await;
    let was_asked_for = drive(&cockpit, id, line, async || tick(&cockpit).await).await;
    let standings = cockpit.actor.standings();
    let receipt = standings.receipts.iter().find(|receipt| receipt.target.key == id).unwrap().clone();
    Acted { receipt, was_asked_for, cockpit }
}

/// Fault, where it ends, how often it arrived, what is said, and why.
type Row = (Fault, Standing, usize, &'static str, &'static str);

const REQUESTS: [Row; 15] = [
    (Fault::Refused, Standing::Done, 1, "answered 200", "certainly not sent: again until somebody listens"),
    (Fault::ResetBefore, Standing::Unknown, 0, "could not tell", "nothing at the address tells: not sent again by itself"),
    (Fault::ResetAfter, Standing::Unknown, 1, "could not tell", "it arrived once; a second would be a second"),
    (Fault::Timeout, Standing::Unknown, 0, "could not tell", "a silence tells nothing"),
    (Fault::HangAfter, Standing::Unknown, 1, "could not tell", "a silence tells nothing"),
    (Fault::Failing, Standing::Unknown, 0, "could not tell", "a 500 tells nothing"),
    (Fault::BadGateway, Standing::Unknown, 0, "could not tell", "a proxy's page tells nothing"),
    (Fault::BadGatewayAfter, Standing::Unknown, 1, "could not tell", "a proxy's page tells nothing"),
    (Fault::TooMany, Standing::Done, 1, "answered 200", "certainly not done: again after the wait"),
    (Fault::Conflict, Standing::Rejected, 0, "answered 409", "a 4xx is a no"),
    (Fault::Declined, Standing::Rejected, 0, "answered 402", "a 4xx is a no"),
    (Fault::CutBody, Standing::Done, 1, "answered 201", "any 2xx is a yes"),
    (Fault::EmptyBody, Standing::Done, 1, "answered 202", "any 2xx is a yes"),
    (Fault::Page, Standing::Done, 1, "answered 200", "any 2xx is a yes"),
    (Fault::Slow, Standing::Done, 1, "answered 200", "late is in time"),
];

#[test]
fn a_request_or_a_message_whose_fate_is_unknown_is_never_sent_again_by_itself() {
    requests(Form::Short);
}

#[test]
fn a_mail_whose_fate_is_unknown_is_never_sent_again_by_itself() {
    mails();
}

#[test]
fn a_statement_meets_a_lock_a_change_and_a_refusal_and_changes_all_or_nothing() {
    statements();
}

pub fn requests(form: Form) {
    let ways = ["tell_site", "tell_channel"];
    let cases: Vec<_> = REQUESTS
        .iter()
        .flat_map(|row| {
            // Only what is asked again can meet a second.
            let is_repeated = matches!(row.0, Fault::Refused | Fault::TooMany | Fault::Conflict | Fault::Declined);
            let most = if is_repeated || form != Form::Short { 3 } else { 1 };
            ways.iter().flat_map(move |way| (1..=most).map(move |tries| (row, *way, tries)))
        })
        .collect();
    let id = |at: usize| format!("r{at}");
    run(cases.len(), id, &async |stage, at| {
        let (row, way, tries) = cases[at];
        let (fault, standing, arrived, said, why) = row;
        let line = Line::to(site().await, stage.stand_ins(), String::new()).await;
        if *fault == Fault::Refused {
            line.shut().await;
        } else {
            (0..tries).for_each(|_| line.arm(Kind::Post, *fault));
        }
        let tick = async |cockpit: &Cockpit| {
            let refusals = cockpit.lines().await.iter().filter(|line| line.contains("tried again in")).count();
            if !line.is_open() && refusals >= tries {
                line.reopen().await;
            }
        };
        let acted = act(stage, &id(at), way, "20s", &line, "file:///nowhere", tick).await;
        let context = format!("{fault:?} x{tries} {way} ({why}): {:?}", acted.receipt);
        assert_eq!(
            (acted.receipt.standing, acted.receipt.steps_done),
            (*standing, if *standing == Standing::Done { 2 } else { 1 }),
            "{context}"
        );
        assert!(acted.receipt.said.shown().contains(said), "{context}");
        assert_eq!(acted.was_asked_for, *standing == Standing::Unknown, "{context}");
        assert_eq!(stage.purchase(&id(at)).await, ("closed".to_owned(), 1), "the statement before it stands, once; {context}");
        let passed_on = |fault: &Fault| {
            !matches!(
                fault,
                Fault::Conflict | Fault::Declined | Fault::Timeout | Fault::ResetBefore | Fault::Failing | Fault::BadGateway
            )
        };
        let seen = line.seen(Kind::Post);
        assert_eq!(usize::from(passed_on(fault)), *arrived, "{context}");
        let attempts = if *fault == Fault::TooMany { tries + 1 } else { 1 };
        assert_eq!(seen.len(), attempts, "{context}");
        assert!(seen.iter().all(|one| one.key == seen[0].key && one.body == seen[0].body), "{context}");
        if *standing == Standing::Rejected {
            // The cause is gone after so many asks of the operator: what is left is done, and the rest never again.
            for _ in 0..tries {
                while acted.cockpit.actor.look_up(acted.receipt.plan.clone()).await.is_err() {
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                }
                drive(&acted.cockpit, &id(at), &line, async || {}).await;
            }
            let standings = acted.cockpit.actor.standings();
            let after = standings.receipts.iter().find(|receipt| receipt.plan == acted.receipt.plan).unwrap();
            assert_eq!(after.standing, Standing::Done, "{context}: {after:?}");
            assert_eq!(stage.purchase(&id(at)).await, ("closed".to_owned(), 1), "{context}");
        }
    });
}

pub fn mails() {
    use Trouble::{Busy, DropsAfter, DropsBefore, Later, Never, Refuses, SilentAfter};
    let rows: [(Trouble, Standing, usize, &str); 7] = [
        (Refuses, Standing::Done, 1, "certainly not sent: again until somebody listens"),
        (Busy, Standing::Done, 1, "421 in greeting: certainly not taken"),
        (Later, Standing::Done, 1, "450: certainly not taken"),
        (Never, Standing::Rejected, 0, "550: a no"),
        (DropsBefore, Standing::Done, 1, "the line broke before the text was out: certainly not taken"),
        (DropsAfter, Standing::Unknown, 1, "taken, and the answer lost"),
        (SilentAfter, Standing::Unknown, 1, "taken, and never answered"),
    ];
    let cases: Vec<_> = rows.iter().flat_map(|row| (1..=3).map(move |tries| (row, tries))).collect();
    let id = |at: usize| format!("m{at}");
    run(cases.len(), id, &async |stage, at| {
        let ((trouble, standing, taken, why), tries) = cases[at];
        let line = Line::to(site().await, stage.stand_ins(), String::new()).await;
        let office = Office::open(*trouble, tries).await;
        let tick = async |cockpit: &Cockpit| {
            let refusals = cockpit.lines().await.iter().filter(|line| line.contains("tried again in")).count();
            if refusals >= tries {
                office.listen().await;
            }
        };
        let acted = act(stage, &id(at), "write", "20s", &line, &office.url(), tick).await;
        let context = format!("{trouble:?} x{tries} ({why}): {:?}", acted.receipt);
        assert_eq!(acted.receipt.standing, *standing, "{context}");
        assert_eq!(office.taken(), *taken, "{context}");
        assert_eq!(stage.purchase(&id(at)).await, ("closed".to_owned(), 1), "{context}");
    });
}

pub fn statements() {
    let cases: Vec<_> =
        ["locked", "changed", "refused", "unmarked"].iter().flat_map(|fault| (1..=3).map(move |tries| (*fault, tries))).collect();
    let id = |at: usize| format!("s{at}");
    // One after the other: a lock and a missing table are met by everybody.
    run_at_once(1, cases.len(), id, &async |stage, at| {
        let (fault, tries) = cases[at];
        let line = Line::to(site().await, stage.stand_ins(), String::new()).await;
        let id = id(at);
        let trigger = format!(
            "create trigger no_{id} before update on purchases when new.id = '{id}' begin select raise(abort, 'closed for the night'); end"
        );
        let mut holder = stage::connect(&stage.till()).await;
        match fault {
            "locked" => sqlx::raw_sql("begin immediate").execute(&mut holder).await.map(drop).unwrap(),
            "changed" => stage.meanwhile(&format!("update purchases set state = 'lost' where id = '{id}'")).await,
            "refused" => stage.meanwhile(&trigger).await,
            _ => stage.meanwhile("alter table operator_actions rename to put_away").await,
        }
        let holder = tokio::sync::Mutex::new(Some(holder));
        let tick = async |cockpit: &Cockpit| {
            let refusals = cockpit.lines().await.iter().filter(|line| line.contains("tried again in")).count();
            if refusals >= tries
                && let Some(holder) = holder.lock().await.take()
            {
                holder.close().await.unwrap();
            }
        };
        let acted = act(stage, &id, "close", "300ms", &line, "file:///nowhere", tick).await;
        if fault == "unmarked" {
            stage.meanwhile("alter table put_away rename to operator_actions").await;
        }
        let (standing, said, purchase) = match fault {
            "locked" => (Standing::Done, "applied", ("closed", 1)),
            "changed" => (Standing::Changed, "0 rows instead of 1", ("lost", 0)),
            "refused" => (Standing::Rejected, "closed for the night", ("paid", 0)),
            _ => (Standing::Rejected, "operator_actions", ("paid", 0)),
        };
        let context = format!("{fault} x{tries}: {:?}", acted.receipt);
        assert_eq!(acted.receipt.standing, standing, "{context}");
        assert!(acted.receipt.said.shown().contains(said), "{context}");
        assert_eq!(stage.purchase(&id).await, (purchase.0.to_owned(), purchase.1), "{context}");
    });
}

fn run(count: usize, id: impl Fn(usize) -> String, case: &impl AsyncFn(&Stage, usize)) {
    run_at_once(super::AT_ONCE, count, id, case);
}

fn run_at_once(at_once: usize, count: usize, id: impl Fn(usize) -> String, case: &impl AsyncFn(&Stage, usize)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let ids: Vec<String> = (0..count).map(id).collect();
        let stage = Stage::open(&ids).await;
        stream::iter(0..count).map(|at| case(&stage, at)).buffer_unordered(at_once).collect::<Vec<()>>().await;
    });
}
