//! A client's connection with deadlines on it: for a head to arrive, for an answer to be taken, and for the
//! rest of a refused request to run dry.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until},
};

use super::{head::HeadWatch, last_word};
use crate::web::limits::Limits;

/// The connection as the HTTP library gets it.
pub(super) struct ClientIo {
    stream: TcpStream,
    watch: Arc<HeadWatch>,
    limits: Arc<Limits>,
    head_deadline: Deadline,
    write_deadline: Deadline,
    linger_deadline: Deadline,
    /// What is still to be written instead of what the library wrote.
    instead: Option<Instead>,
}

/// Words put into the library's mouth.
struct Instead {
    bytes: Vec<u8>,
    written: usize,
}

impl ClientIo {
    pub(super) fn new(stream: TcpStream, watch: Arc<HeadWatch>, limits: Arc<Limits>) -> Self {
        let [head_deadline, write_deadline, linger_deadline] = Default::default();
        Self { stream, watch, limits, head_deadline, write_deadline, linger_deadline, instead: None }
    }

    /// Writes something else instead of `bytes`, if that has to be; ready when all of it is written.
    fn write_instead(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Option<Poll<io::Result<()>>> {
        if self.instead.is_none() {
            self.instead = last_word::instead_of(bytes).map(|bytes| Instead { bytes, written: 0 });
        }
        let Instead { bytes, written } = self.instead.as_mut()?;
        while *written < bytes.len() {
            match Pin::new(&mut self.stream).poll_write(cx, &bytes[*written..]) {
                Poll::Ready(Ok(0)) => return Some(Poll::Ready(Err(io::ErrorKind::WriteZero.into()))),
                Poll::Ready(Ok(count)) => *written += count,
                Poll::Ready(Err(error)) => return Some(Poll::Ready(Err(error))),
                Poll::Pending => return Some(Poll::Pending),
            }
        }
        self.instead = None;
        Some(Poll::Ready(Ok(())))
    }

    /// Gives a write that waits for the client its deadline.
    fn limit_write(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.write_deadline.at = None;
            return written;
        }
        let limit = self.limits.write;
        self.write_deadline.at.get_or_insert_with(|| Instant::now() + limit);
        ready!(self.write_deadline.poll_passed(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for ClientIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let filled = buf.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut this.stream).poll_read(cx, buf) {
            this.watch.saw(&buf.filled()[filled..], &this.limits);
            return Poll::Ready(read);
        }
        this.head_deadline.at = this.watch.head_by();
        ready!(this.head_deadline.poll_passed(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for ClientIo {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = match self.write_instead(cx, bytes) {
            Some(written) => written.map_ok(|()| bytes.len()),
            None => Pin::new(&mut self.stream).poll_write(cx, bytes),
        };
        self.limit_write(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = parts.iter().find(|part| !part.is_empty()).map_or(&[][..], |part| part);
        let written = match self.write_instead(cx, first) {
            Some(written) => written.map_ok(|()| first.len()),
            None => Pin::new(&mut self.stream).poll_write_vectored(cx, parts),
        };
        self.limit_write(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Says that nothing more is sent, then waits for the client to do the same. Closing at once while
    /// bytes of it are unread would reset the connection, and the client might never see its answer.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.linger_deadline.at.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            this.linger_deadline.at = Some(Instant::now() + this.limits.linger);
        }
        let mut dropped = [0; 4096];
        loop {
            // Asked first, so that a client that never stops sending is cut off too.
            if this.linger_deadline.poll_passed(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut buf = ReadBuf::new(&mut dropped);
            ready!(Pin::new(&mut this.stream).poll_read(cx, &mut buf))?;
            if buf.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

/// An instant that may be set, moved and taken away.
#[derive(Default)]
struct Deadline {
    at: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    /// Ready once the instant has passed; never when there is none.
    fn poll_passed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else { return Poll::Pending };
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if sleep.deadline() != at {
            sleep.as_mut().reset(at);
        }
        sleep.as_mut().poll(cx)
    }
}
