//! One authenticated connection to one peer.
//!
//! Guarantees: frames are sent in the order they were given, except that pieces of long frames give way to others; each
//! lane gets frames in the order they were received, whichever thread reads; the end is announced once and nothing
//! follows it.
//! Must not know its caller: the event loop and the I/O thread use the same functions under the same lock.

mod dispatch;
mod inbound;
mod leaving;
mod outbound;
mod reading;
mod streams;
mod traffic;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use mio::net::TcpStream;
use mio::{Interest, Token};
use parking_lot::{Mutex, MutexGuard};

use crate::event::{Body, DownCause};
use crate::node::Node;
use crate::tls::Channel;

pub(crate) use inbound::Inbound;
pub(crate) use leaving::Progress;
pub use reading::Read;
use streams::Streams;
pub(crate) use traffic::Traffic;
#[cfg(test)]
pub(crate) use {outbound::PUMP_PIECES, streams::PIECE_BYTES};

/// Tokens of sessions at the I/O thread's poll are this plus the session's id.
pub(crate) const SESSION_TOKENS: usize = 1 << 16;

/// The node at the other end: what both sides proved or said in the handshake.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) name: String,
    pub(crate) incarnation: u64,
    pub(crate) nc: u32,
    pub(crate) capabilities: u64,
    pub(crate) hidden: bool,
    pub(crate) dialled_by_us: bool,
    pub(crate) network: IpAddr,
}

/// What a session takes over from its handshake.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    pub(crate) channel: Channel,
    pub(crate) inbound: Inbound,
}

/// A session. All its mutable state is behind one lock, held for one read or one write.
#[derive(Debug)]
pub struct Session {
    id: u16,
    peer: Peer,
    io: Mutex<SessionIo>,
    /// Bytes that wait in the outbox and in streams, as of the last change.
    waiting: AtomicUsize,
    pub(crate) traffic: Traffic,
    /// When bytes were last received and last sent, in milliseconds of the node's clock.
    received_at: AtomicU64,
    sent_at: AtomicU64,
    /// When frames other than pieces of long ones were last sent, by the same clock.
    flushed_at: AtomicU64,
    /// The last PING told the peer that our event loop is stalled.
    stall_reported: AtomicBool,
    /// The loop's poll has stopped watching the socket: no event announces the bytes that are left in it.
    hung_up: AtomicBool,
    /// See [`Self::leave_to_thread`].
    stays_with_thread: AtomicBool,
    /// When it came up, in the order of `IoLoop::next_moment`.
    up_at: u64,
    #[cfg(unix)]
    socket: std::os::fd::RawFd,
}

#[derive(Debug)]
pub(crate) struct SessionIo {
    pub(crate) stream: TcpStream,
    channel: Channel,
    inbound: Inbound,
    streams: Streams,
    phase: Phase,
    /// The events for which the I/O thread polls the socket.
    interest: Option<Interest>,
    /// The I/O thread must read.
    wants_read: bool,
    /// A caller was told that bytes wait, and must be told when they are sent.
    notice_due: bool,
    /// At least [`outbound::LOW_WATER`] bytes waited when this was last settled.
    was_high: bool,
    /// Ends in order: the cause of the GOODBYE to send after everything else.
    goodbye: Option<DownCause>,
    ping: u64,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    Open,
    /// Its end is announced; bytes that wait are still sent.
    Leaving,
    Ended,
}

impl Session {
    pub(crate) fn new(id: u16, peer: Peer, connection: Connection, up_at: u64, now: u64) -> Self {
        let Connection {
            stream,
            channel,
            inbound,
        } = connection;
        Self {
            id,
            peer,
            #[cfg(unix)]
            socket: std::os::fd::AsRawFd::as_raw_fd(&stream),
            io: Mutex::new(SessionIo {
                stream,
                channel,
                inbound,
                streams: Streams::default(),
                phase: Phase::Open,
                interest: None,
                wants_read: false,
                notice_due: false,
                was_high: false,
                goodbye: None,
                ping: 0,
            }),
            waiting: AtomicUsize::new(0),
            traffic: Traffic::default(),
            received_at: AtomicU64::new(now),
            sent_at: AtomicU64::new(now),
            flushed_at: AtomicU64::new(now),
            stall_reported: AtomicBool::new(false),
            hung_up: AtomicBool::new(false),
            stays_with_thread: AtomicBool::new(false),
            up_at,
        }
    }

    /// The id under which lanes know it.
    #[must_use]
    pub fn id(&self) -> u16 {
        self.id
    }

    /// The descriptor to poll. Open as long as the session is referenced.
    #[cfg(unix)]
    #[must_use]
    pub fn socket(&self) -> std::os::fd::RawFd {
        self.socket
    }

    /// On other systems a socket is not a file descriptor, and the I/O thread reads.
    #[cfg(not(unix))]
    #[must_use]
    pub fn socket(&self) -> i32 {
        -1
    }

    pub(crate) fn peer(&self) -> &Peer {
        &self.peer
    }

    pub(crate) fn up_at(&self) -> u64 {
        self.up_at
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    pub(crate) fn received_at(&self) -> u64 {
        self.received_at.load(Ordering::Relaxed)
    }

    pub(crate) fn note_received(&self, now: u64) {
        self.received_at.fetch_max(now, Ordering::Relaxed);
    }

    pub(crate) fn sent_at(&self) -> u64 {
        self.sent_at.load(Ordering::Relaxed)
    }

    pub(crate) fn token(&self) -> Token {
        Token(SESSION_TOKENS + usize::from(self.id))
    }

    pub(crate) fn up_body(&self) -> Body {
        let flags = u8::from(self.peer.dialled_by_us) | u8::from(self.peer.hidden) << 1;
        Body::new()
            .u32(self.peer.nc)
            .u64(self.peer.incarnation)
            .u8(flags)
            .u64(self.peer.capabilities)
            .text(&self.peer.network.to_string())
            .text(&self.peer.name)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, SessionIo> {
        self.io.lock()
    }

    /// Ends the session at once.
    pub(crate) fn end(&self, node: &Node, cause: DownCause, detail: &str) {
        self.end_locked(&mut self.lock(), node, cause, detail);
    }

    /// Sends the first frame, then announces the session: no lane can send before that frame.
    pub(crate) fn start(self: &Arc<Self>, node: &Node) {
        let mut io = self.lock();
        self.announce_peer(&mut io, node);
        node.add_session(self);
        if io.phase == Phase::Ended {
            node.remove_session(self, DownCause::Closed, "the connection broke at once");
        }
    }

    fn end_locked(&self, io: &mut SessionIo, node: &Node, cause: DownCause, detail: &str) {
        if io.phase == Phase::Open {
            io.phase = Phase::Ended;
            node.remove_session(self, cause, detail);
        }
        io.phase = Phase::Ended;
        io.unregister(node);
        // Fails if the peer has closed the connection.
        let _ = io.stream.shutdown(std::net::Shutdown::Both);
        // Lanes may hold the session until they have taken its SESSION_DOWN.
        io.streams = Streams::default();
        io.channel.drop_output();
        self.waiting.store(0, Ordering::Relaxed);
    }
}

impl SessionIo {
    /// Has the I/O thread poll the socket for reading if it must read, and for writing if `write`.
    fn register(&mut self, node: &Node, token: Token, write: bool) {
        let wanted = match (self.wants_read, write) {
            (true, true) => Some(Interest::READABLE | Interest::WRITABLE),
            (true, false) => Some(Interest::READABLE),
            (false, true) => Some(Interest::WRITABLE),
            (false, false) => None,
        };
        if wanted == self.interest {
            return;
        }
        let done = match (self.interest, wanted) {
            (None, Some(wanted)) => node.registry.register(&mut self.stream, token, wanted),
            (Some(_), Some(wanted)) => node.registry.reregister(&mut self.stream, token, wanted),
            (_, None) => node.registry.deregister(&mut self.stream),
        };
        // Fails only if the descriptor is closed already; then the next read or write fails, too.
        if done.is_ok() {
            self.interest = wanted;
        }
    }

    fn unregister(&mut self, node: &Node) {
        if self.interest.take().is_some() {
            let _ = node.registry.deregister(&mut self.stream);
        }
    }
}

#[cfg(test)]
mod tests;
