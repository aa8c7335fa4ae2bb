//! The loopback door of a stand-in: a listener that can refuse, and connections that can be cut without an answer.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use super::fault::{Fault, FaultKind, Faults, Target};

/// Cuts one connection: the next byte to be written breaks it instead.
#[derive(Clone, Debug, Default)]
pub(super) struct Cut(Arc<AtomicBool>);

impl Cut {
    pub fn now(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_made(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

pub(super) struct Wire {
    stream: TcpStream,
    cut: Cut,
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.cut.is_made() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

pub(super) struct Door {
    /// `None` while it refuses: the port is closed then, as that of a service that is down.
    listener: Option<TcpListener>,
    address: SocketAddr,
    target: Option<Target>,
    faults: Faults,
    changes: watch::Receiver<Vec<Fault>>,
}

impl Door {
    /// A door without a target never refuses.
    pub async fn open(target: Option<Target>, faults: Faults) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        if let Some(target) = target {
            faults.door(target, true);
        }
        Ok(Self { listener: Some(listener), address, target, changes: faults.changes(), faults })
    }

    fn refuses(&self) -> bool {
        self.target.is_some_and(|target| self.faults.stands(target, FaultKind::Refuse))
    }

    fn say(&self) {
        if let Some(target) = self.target {
            self.faults.door(target, self.listener.is_some());
        }
    }

    async fn change(&mut self) {
        if self.changes.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// How long to wait before a port that cannot be had back is asked for again.
const PATIENCE: Duration = Duration::from_millis(50);

impl Listener for Door {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        loop {
            if self.refuses() {
                self.listener = None;
                self.say();
                self.change().await;
                continue;
            }
            let Some(listener) = &self.listener else {
                match TcpListener::bind(self.address).await {
                    Ok(listener) => {
                        self.listener = Some(listener);
                        self.say();
                    }
                    Err(_) => tokio::time::sleep(PATIENCE).await,
                }
                continue;
            };
            let accepted = tokio::select! {
                accepted = listener.accept() => Some(accepted),
                _ = self.changes.changed() => None,
            };
            match accepted {
                Some(Ok((stream, address))) => return (Wire { stream, cut: Cut::default() }, address),
                Some(Err(_)) => tokio::time::sleep(PATIENCE).await,
                None => {}
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

impl Connected<IncomingStream<'_, Door>> for Cut {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().cut.clone()
    }
}
