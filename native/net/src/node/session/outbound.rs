//! Sending: the calling thread seals and writes; the I/O thread writes what the socket did not take at once.

use std::sync::atomic::Ordering;
use std::time::Duration;

use parking_lot::MutexGuard;
use snowmesh_core::frame::{put_ping, put_slot};

use super::streams::{PIECE_BYTES, StreamDone};
use super::{Phase, Session, SessionIo};
use crate::buffer_pool;
use crate::event::{Body, DownCause, STREAM_DONE, WRITABLE};
use crate::node::Node;

/// When the outbox falls below this many bytes, lanes get a WRITABLE event.
pub(super) const LOW_WATER: usize = 512 * 1024;
/// A piece of a long frame is sealed only when fewer bytes than this wait, so that short frames do not wait long.
const BULK_AHEAD: usize = 128 * 1024;
/// The most pieces that one session sends before other sessions have their turn: 2 MiB of long frames, about two milliseconds.
pub(crate) const PUMP_PIECES: usize = (2 << 20) / PIECE_BYTES;
/// For this long after a flush another one is expected. Unit: ms.
const NEXT_FLUSH_MS: u64 = 20;
/// The most bytes of a flush that are sealed before they are written, so that the kernel sends while the rest is sealed.
const SEND_BYTES: usize = 64 * 1024;

impl Session {
    /// Seals and sends whole frames on the calling thread. Gives the number of bytes that still wait; `None`: the session is
    /// not up.
    pub fn flush(&self, node: &Node, frames: &[u8]) -> Option<usize> {
        let mut io = self.lock();
        if io.phase != Phase::Open {
            return None;
        }
        if io.channel.pending() + frames.len() > node.options.outbox_bytes as usize {
            self.end_locked(
                &mut io,
                node,
                DownCause::Overflow,
                "the peer does not read: the outbox is full",
            );
            return None;
        }
        self.count_frames(node, frames);
        self.transmit(&mut io, node, frames);
        self.settle(&mut io, node);
        let pending = io.channel.pending();
        io.notice_due |= pending > 0;
        (io.phase == Phase::Open).then_some(pending)
    }

    /// Queues a frame (`tag | body`, in parts) on a stream. Gives the bytes that wait in outbox and streams; `None`: not up.
    pub fn bulk(&self, node: &Node, stream: u32, lane: u8, parts: &[&[u8]]) -> Option<usize> {
        let length = parts.iter().map(|part| part.len()).sum();
        let mut frame = buffer_pool::take(length).unwrap_or_else(|| Vec::with_capacity(length));
        // Copied without the lock, so that others can send meanwhile.
        for part in parts {
            frame.extend_from_slice(part);
        }
        self.bulk_owned(node, stream, lane, frame)
    }

    /// As [`Self::bulk`], for a frame in one buffer, which is not copied.
    pub fn bulk_owned(&self, node: &Node, stream: u32, lane: u8, frame: Vec<u8>) -> Option<usize> {
        let mut io = self.lock();
        if io.phase != Phase::Open {
            return None;
        }
        let limit = node.options.outbox_bytes as usize + node.options.max_message as usize;
        if io.streams.bytes() + frame.len() > limit {
            self.end_locked(
                &mut io,
                node,
                DownCause::Overflow,
                "the peer does not read: the streams are full",
            );
            return None;
        }
        if frame.is_empty() {
            return Some(self.waiting());
        }
        self.count_out(node, 1);
        io.streams.push(stream, lane, frame);
        io.notice_due = true;
        self.settle(&mut io, node);
        Some(self.waiting())
    }

    /// Sends the first frame of a session: a SLOT that announces our number of the peer.
    pub(super) fn announce_peer(&self, io: &mut SessionIo, node: &Node) {
        let mut frame = Vec::new();
        let peer = self.peer();
        put_slot(&mut frame, peer.nc, peer.incarnation, &peer.name);
        self.transmit(io, node, &frame);
        self.settle(io, node);
    }

    /// Sends until the socket is full or nothing waits. True: stopped before, because other sessions have their turn.
    /// Called by the I/O thread.
    pub(crate) fn pump(&self, node: &Node) -> bool {
        let mut io = self.lock();
        let (mut pieces, mut is_cut_short) = (PUMP_PIECES, false);
        while io.phase != Phase::Ended {
            self.transmit(&mut io, node, &[]);
            if io.phase == Phase::Ended || io.channel.pending() >= BULK_AHEAD || io.streams.is_empty() {
                break;
            }
            if pieces == 0 {
                is_cut_short = true;
                break;
            }
            pieces -= 1;
            let done = self.seal_piece(&mut io, node);
            self.transmit(&mut io, node, &[]);
            if let Some(done) = done
                && let Some(Some(lane)) = node.lanes().get(usize::from(done.lane))
                && io.phase == Phase::Open
            {
                lane.push(
                    self.id(),
                    STREAM_DONE,
                    Body::new().u32(done.stream).u32(done.frames).bytes(),
                );
                lane.notify();
            }
            self.yield_between_pieces(&mut io, node);
        }
        self.settle(&mut io, node);
        is_cut_short
    }

    /// Lets other threads take the lock to flush short frames between two pieces. If one flushed lately, this thread also
    /// yields the processor: were it preempted while it holds the lock, the other would wait for milliseconds.
    fn yield_between_pieces(&self, io: &mut MutexGuard<'_, SessionIo>, node: &Node) {
        let since = node
            .now_ms()
            .saturating_sub(self.flushed_at.load(Ordering::Relaxed));
        if since <= NEXT_FLUSH_MS {
            MutexGuard::unlocked_fair(io, std::thread::yield_now);
        } else {
            MutexGuard::bump(io);
        }
    }

    fn seal_piece(&self, io: &mut SessionIo, node: &Node) -> Option<StreamDone> {
        let (streams, channel) = (&mut io.streams, &mut io.channel);
        let mut sealed = Ok(());
        let done = streams.next_piece(|head, part| {
            sealed = channel.seal_parts(head, part);
            let bytes = (head.len() + part.len()) as u64;
            node.counters.bytes_out.fetch_add(bytes, Ordering::Relaxed);
            self.traffic.bytes_out.fetch_add(bytes, Ordering::Relaxed);
        });
        self.sent_at.fetch_max(node.now_ms(), Ordering::Relaxed);
        if let Err(error) = sealed {
            self.end_locked(io, node, DownCause::Protocol, &error.to_string());
        }
        done
    }

    /// Sends PING when nothing was sent for a tick, or when the peer was told of a stall that is over.
    pub(crate) fn tick(&self, node: &Node, now: u64, loop_age: Duration) {
        let silent = Duration::from_millis(now.saturating_sub(self.sent_at())) >= node.options.tick();
        let stalls = loop_age >= node.options.tick();
        let recovered = !stalls && self.stall_reported.load(Ordering::Relaxed);
        if !silent && !recovered {
            return;
        }
        let mut io = self.lock();
        io.inbound.frames.release();
        // While bytes wait for the socket, the peer has unread ones that show that we are alive.
        if io.phase != Phase::Open || io.channel.pending() > 0 {
            return;
        }
        io.ping += 1;
        let mut frame = Vec::new();
        put_ping(
            &mut frame,
            io.ping,
            u32::try_from(loop_age.as_millis()).unwrap_or(u32::MAX),
        );
        self.stall_reported.store(stalls, Ordering::Relaxed);
        self.transmit(&mut io, node, &frame);
        self.settle(&mut io, node);
    }

    /// Seals `frames`, behind the bytes that wait, and writes what the socket takes.
    pub(super) fn transmit(&self, io: &mut SessionIo, node: &Node, frames: &[u8]) {
        let mut blocked = false;
        let mut rest = frames;
        loop {
            let (piece, after) = rest.split_at(rest.len().min(SEND_BYTES));
            rest = after;
            let sealed = io.channel.seal(piece);
            let sent = if blocked {
                Ok(false)
            } else {
                io.channel.send(&io.stream)
            };
            match (sealed, sent) {
                (Ok(()), Ok(all)) => blocked = !all,
                (Err(error), _) => {
                    return self.end_locked(io, node, DownCause::Protocol, &error.to_string());
                }
                (_, Err(error)) => {
                    return self.end_locked(io, node, DownCause::Closed, &error.to_string());
                }
            }
            if rest.is_empty() {
                break;
            }
        }
        if !frames.is_empty() {
            let now = node.now_ms();
            self.sent_at.fetch_max(now, Ordering::Relaxed);
            self.flushed_at.fetch_max(now, Ordering::Relaxed);
            let bytes = frames.len() as u64;
            node.counters.bytes_out.fetch_add(bytes, Ordering::Relaxed);
            self.traffic.bytes_out.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Call after every change: has the I/O thread poll for writing if bytes wait, and sends the WRITABLE event that is due.
    pub(super) fn settle(&self, io: &mut SessionIo, node: &Node) {
        if io.phase == Phase::Ended {
            return;
        }
        let pending = io.channel.pending();
        self.waiting
            .store(pending + io.streams.bytes(), Ordering::Relaxed);
        io.register(node, self.token(), pending > 0 || !io.streams.is_empty());
        let fell = io.was_high && pending < LOW_WATER;
        let emptied = io.notice_due && pending == 0 && io.streams.is_empty();
        io.was_high = pending >= LOW_WATER;
        io.notice_due &= !emptied;
        if (fell || emptied) && io.phase == Phase::Open {
            node.broadcast(
                self.id(),
                WRITABLE,
                Body::new()
                    .u32(u32::try_from(pending).unwrap_or(u32::MAX))
                    .bytes(),
            );
        }
    }
}
