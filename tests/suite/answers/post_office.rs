//! A mail server that fails as told, so many times, and then takes everything.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody listens.
    Refuses,
    /// 421 for a greeting.
    Busy,
    /// 450 for the recipient.
    Later,
    /// 550 for the recipient.
    Never,
    /// Hangs up before the mail's text.
    DropsBefore,
    /// Takes the mail, and hangs up.
    DropsAfter,
    /// Takes the mail, and says nothing.
    SilentAfter,
}

pub struct Office {
    address: SocketAddr,
    shared: Arc<Shared>,
    /// Until somebody listens.
    is_shut: Mutex<bool>,
}

struct Shared {
    trouble: Trouble,
    left: AtomicUsize,
    taken: AtomicUsize,
}

impl Office {
    pub async fn open(trouble: Trouble, times: usize) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { trouble, left: AtomicUsize::new(times), taken: AtomicUsize::new(0) });
        let is_shut = trouble == Trouble::Refuses;
        if !is_shut {
            tokio::spawn(accept(listener, Arc::clone(&shared)));
        }
        Self { address, shared, is_shut: Mutex::new(is_shut) }
    }

    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    pub fn taken(&self) -> usize {
        self.shared.taken.load(Ordering::SeqCst)
    }

    pub async fn listen(&self) {
        let was_shut = std::mem::replace(&mut *self.is_shut.lock().unwrap(), false);
        if was_shut {
            self.shared.left.store(0, Ordering::SeqCst);
            let listener = TcpListener::bind(self.address).await.unwrap();
            tokio::spawn(accept(listener, Arc::clone(&self.shared)));
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((line, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        // Whoever hangs up first ends it.
        tokio::spawn(async move { drop(serve(&shared, line).await) });
    }
}

async fn serve(shared: &Shared, line: TcpStream) -> std::io::Result<()> {
    let has_trouble = shared.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
    let trouble = has_trouble.then_some(shared.trouble);
    let (read, mut write) = line.into_split();
    let mut lines = BufReader::new(read).lines();
    if trouble == Some(Trouble::Busy) {
        return write.write_all(b"421 too busy\r\n").await;
    }
    write.write_all(b"220 office\r\n").await?;
    while let Some(said) = lines.next_line().await? {
        let word = said.get(..4).unwrap_or(&said).to_ascii_uppercase();
        let answer: &[u8] = match (word.as_str(), trouble) {
            ("RCPT", Some(Trouble::Later)) => b"450 try later\r\n",
            ("RCPT", Some(Trouble::Never)) => b"550 nobody here\r\n",
            ("DATA", Some(Trouble::DropsBefore)) => return Ok(()),
            ("DATA", _) => {
                write.write_all(b"354 go on\r\n").await?;
                while lines.next_line().await?.is_some_and(|said| said != ".") {}
                shared.taken.fetch_add(1, Ordering::SeqCst);
                match trouble {
                    Some(Trouble::DropsAfter) => return Ok(()),
                    Some(Trouble::SilentAfter) => {
                        lines.next_line().await?;
                        return Ok(());
                    }
                    _ => b"250 taken\r\n",
                }
            }
            ("EHLO" | "HELO", _) => b"250 office\r\n",
            ("QUIT", _) => return write.write_all(b"221 bye\r\n").await,
            _ => b"250 ok\r\n",
        };
        write.write_all(answer).await?;
    }
    Ok(())
}
