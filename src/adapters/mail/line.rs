//! The line to a mail server, of which only so much is heard: one that never ends its sentence fills no memory.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

/// All that is said about one mail, with the certificates, is a small part of it.
const MOST_HEARD: usize = 1024 * 1024;

#[derive(Debug)]
pub(super) struct Hearing<S> {
    line: S,
    heard: usize,
}

impl<S> Hearing<S> {
    pub(super) fn of(line: S) -> Self {
        Self { line, heard: 0 }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Hearing<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.heard >= MOST_HEARD {
            return Poll::Ready(Err(io::Error::other(
                "it talks without end, as no mail server does: check the address and its port",
            )));
        }
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.line).poll_read(context, buffer);
        self.heard += buffer.filled().len() - before;
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Hearing<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.line).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_shutdown(context)
    }
}

impl AsyncTokioStream for Hearing<TcpStream> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.line.peer_addr()
    }
}

impl AsyncTokioStream for Hearing<TlsStream<TcpStream>> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.line.get_ref().0.peer_addr()
    }
}
