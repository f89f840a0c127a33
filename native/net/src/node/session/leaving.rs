//! The orderly end of a session: its end is announced, the bytes that wait are still sent, then GOODBYE, and the peer closes.

use std::io::{ErrorKind, Read};

use snowmesh_core::frame::put_goodbye;

use super::{Phase, Session, SessionIo};
use crate::event::DownCause;
use crate::node::Node;

/// The bytes of the peer that are read and dropped before other sessions have their turn.
const DROP_BUDGET: usize = 512 * 1024;

/// How far an orderly end has come after one turn.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Progress {
    /// The socket takes more than a turn may send.
    Sends,
    /// The peer sends more than a turn may drop.
    Drops,
    /// Nothing is left to do until the socket is ready.
    Waits,
    /// The session has ended.
    Ended,
}

impl Session {
    /// Announces the end; bytes that wait are still sent. Call [`Self::finish_leaving`] next.
    pub(crate) fn leave_in_order(&self, node: &Node, cause: DownCause) {
        let mut io = self.lock();
        if io.phase != Phase::Open {
            return;
        }
        io.phase = Phase::Leaving;
        node.remove_session(self, cause, "");
        io.goodbye = Some(cause);
    }

    /// Continues an orderly end for one turn of the I/O thread: it sends as much as [`Self::pump`] does for any other session.
    pub(crate) fn finish_leaving(&self, node: &Node) -> Progress {
        if self.pump(node) {
            return Progress::Sends;
        }
        let mut io = self.lock();
        if io.phase == Phase::Ended {
            return Progress::Ended;
        }
        if io.streams.is_empty()
            && let Some(cause) = io.goodbye.take()
        {
            let mut frame = Vec::new();
            put_goodbye(&mut frame, cause as u8);
            self.transmit(&mut io, node, &frame);
            self.settle(&mut io, node);
        }
        if !io.wants_read && io.channel.pending() == 0 && io.streams.is_empty() {
            io.channel.finish();
            self.transmit(&mut io, node, &[]);
            let _ = io.stream.shutdown(std::net::Shutdown::Write);
            io.wants_read = true;
            let token = self.token();
            io.register(node, token, false);
        }
        // Closing a socket with unread bytes resets the connection, and the peer could lose our last frames.
        let progress = match io.phase {
            Phase::Ended => Progress::Ended,
            _ => io.discard(),
        };
        if progress == Progress::Ended {
            self.end_locked(&mut io, node, DownCause::Closed, "");
        }
        progress
    }
}

impl SessionIo {
    /// Reads and drops what was received.
    fn discard(&mut self) -> Progress {
        let mut bytes = [0; 16 * 1024];
        let mut left = DROP_BUDGET;
        while left > 0 {
            match self.stream.read(&mut bytes) {
                Ok(0) => return Progress::Ended,
                Ok(count) => left = left.saturating_sub(count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Progress::Waits,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Progress::Ended,
            }
        }
        Progress::Drops
    }
}
