//! Reading a session: which thread reads, how much at once, and what ends the session.
//!
//! The same code runs on the event loop and on the I/O thread. Frames stay in order because a read holds the session's lock and
//! the event loop drains its inbox before it reads.

use std::sync::atomic::Ordering;

use snowmesh_core::frame::tag;

use super::dispatch::Dispatch;
use super::inbound::Stop;
use super::outbound::LOW_WATER;
use super::{Phase, Session, SessionIo, Traffic};
use crate::batch::Batch;
use crate::event::DownCause;
use crate::lane::Lane;
use crate::node::Node;
use crate::tls::RECEIVE_BYTES;

/// How a read ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Read {
    /// Nothing is left for now.
    Idle,
    /// There is more; the batch or an inbox is full.
    More,
    /// The budget is spent; the socket may have more.
    Spent,
    /// The session is over.
    Ended,
}

impl Session {
    /// Reads and delivers at most about `budget` bytes. With `direct` the caller is lane 0's own thread: the frames of lane 0
    /// go directly into the batch, after everything that its inbox holds.
    pub fn read(&self, node: &Node, mut direct: Option<(&Lane, &mut Batch<'_>)>, budget: usize) -> Read {
        let mut io = self.lock();
        if io.phase != Phase::Open {
            return Read::Ended;
        }
        if let Some((lane, batch)) = &mut direct {
            lane.drain(batch);
            if !lane.is_empty() {
                return Read::More;
            }
        }
        let is_loop = direct.is_some();
        let mut out = Dispatch::new(node, self.id(), direct.map(|(_, batch)| batch));
        let read = self.read_locked(&mut io, node, &mut out, budget, is_loop);
        node.counters.frames_in.fetch_add(out.frames, Ordering::Relaxed);
        self.traffic.frames_in.fetch_add(out.frames, Ordering::Relaxed);
        read
    }

    fn read_locked(
        &self,
        io: &mut SessionIo,
        node: &Node,
        out: &mut Dispatch<'_, '_>,
        budget: usize,
        is_loop: bool,
    ) -> Read {
        let mut left = budget;
        // The loop's poll is level-triggered and reports what is left; the I/O thread's is not, so it reads to the end.
        let mut drained = false;
        loop {
            let mut pongs = Vec::new();
            let stop = io
                .inbound
                .deliver_frames((&self.peer().name, self.up_at), node, out, &mut pongs);
            // A peer that sends PINGs and does not read must not fill our memory; bytes that wait show it that we are alive.
            if !pongs.is_empty() && io.channel.pending() < LOW_WATER {
                self.transmit(io, node, &pongs);
                self.settle(io, node);
            }
            if matches!(stop, Stop::Drained)
                && let Some(damage) = io.inbound.damage.take()
            {
                self.end_locked(io, node, DownCause::Protocol, &damage);
                return Read::Ended;
            }
            match stop {
                Stop::Drained if io.phase == Phase::Ended => return Read::Ended,
                Stop::Drained if io.channel.peer_closed() => {
                    self.end_locked(io, node, DownCause::Closed, "the peer closed the connection");
                    return Read::Ended;
                }
                Stop::Drained if drained => return Read::Idle,
                Stop::Drained if left == 0 => return Read::Spent,
                Stop::Drained => {}
                Stop::Full => return Read::More,
                Stop::End(cause, detail) => {
                    self.end_locked(io, node, cause, &detail);
                    return Read::Ended;
                }
            }
            match receive(io, node, &self.traffic) {
                Ok(0) => {
                    self.end_locked(io, node, DownCause::Closed, "the connection was closed");
                    return Read::Ended;
                }
                Ok(received) => {
                    left = left.saturating_sub(received);
                    drained = is_loop && received < RECEIVE_BYTES && !self.hung_up.load(Ordering::Relaxed);
                    self.note_received(node.now_ms());
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Read::Idle,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.end_locked(io, node, DownCause::Closed, &error.to_string());
                    return Read::Ended;
                }
            }
        }
    }

    /// The connection broke and the loop's poll stopped: from now on each read continues until the socket has no more.
    pub fn note_hangup(&self) {
        self.hung_up.store(true, Ordering::Relaxed);
    }

    /// Whether [`Self::note_hangup`] was called.
    #[must_use]
    pub fn is_hung_up(&self) -> bool {
        self.hung_up.load(Ordering::Relaxed)
    }

    /// Whether bytes wait in the socket.
    pub(crate) fn has_unread(&self) -> bool {
        let io = self.lock();
        io.phase == Phase::Open && io.stream.peek(&mut [0]).is_ok_and(|count| count > 0)
    }

    pub(crate) fn is_read_by_thread(&self) -> bool {
        self.lock().wants_read
    }

    /// The event loop cannot watch this session: the I/O thread reads it until its end.
    pub fn leave_to_thread(&self, node: &Node) {
        self.stays_with_thread.store(true, Ordering::Relaxed);
        self.set_read_by_thread(node, true);
    }

    /// Has the I/O thread read this session, or leaves it to the loop.
    pub(crate) fn set_read_by_thread(&self, node: &Node, reads: bool) {
        if !reads && self.stays_with_thread.load(Ordering::Relaxed) {
            return;
        }
        let mut io = self.lock();
        if io.phase == Phase::Open && io.wants_read != reads {
            io.wants_read = reads;
            self.settle(&mut io, node);
        }
    }

    /// Tells a new lane of this session and its shapes. The caller holds `io`.
    pub(crate) fn replay(&self, io: &SessionIo, lane: &Lane) {
        if io.phase == Phase::Open {
            lane.push(self.id(), crate::event::SESSION_UP, self.up_body().bytes());
            for shape in &io.inbound.shapes {
                lane.push(self.id(), tag::SHAPE, shape);
            }
        }
    }
}

/// Reads once from the socket, decrypts, and appends to the frames; gives the bytes read.
fn receive(io: &mut SessionIo, node: &Node, traffic: &Traffic) -> std::io::Result<usize> {
    let (frames, mut plain) = (&mut io.inbound.frames, 0);
    let received = io.channel.receive(&io.stream, |bytes| {
        plain += bytes.len() as u64;
        frames.push(bytes);
    })?;
    node.counters.bytes_in.fetch_add(plain, Ordering::Relaxed);
    traffic.bytes_in.fetch_add(plain, Ordering::Relaxed);
    io.inbound.damage = received.opened.err().map(|error| error.to_string());
    Ok(received.bytes)
}

#[cfg(test)]
mod tests;
