//! Receiving: bytes off the socket, opened, cut into frames, checked, handed to lanes. The same code runs on the
//! event loop and on the I/O thread; the session's lock and "inbox first" keep the order.

use std::sync::atomic::Ordering;
use std::time::Duration;

use snowmesh_core::frame::{
    Checked, Deframer, Frame, MAX_FRAME, Reassembler, ReassemblyLimits, Route, SessionTables, check_body,
    check_joined, put_pong, tag,
};

use super::dispatch::Dispatch;
use super::outbound::LOW_WATER;
use super::{Phase, Session, SessionIo, Traffic};
use crate::batch::Batch;
use crate::event::{Body, DownCause, PEER_LOOP};
use crate::lane::Lane;
use crate::node::Node;
use crate::spares;
use crate::tls::RECEIVE_BYTES;

/// What a read ended with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
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

/// The receiving half of a session.
#[derive(Debug)]
pub(crate) struct Inbound {
    frames: Deframer,
    tables: SessionTables,
    pieces: Reassembler,
    /// Bodies of SHAPE frames in order, for lanes that come later.
    shapes: Vec<Vec<u8>>,
    /// The stall last reported to lanes.
    stalled: bool,
    /// Why nothing more can be received. The session ends when the frames before that were handed over.
    damage: Option<String>,
}

/// Why frames stopped.
enum Stop {
    /// All whole frames were handed over.
    Drained,
    /// Some lane has no room.
    Full,
    /// The session must end.
    End(DownCause, String),
}

impl Inbound {
    /// Takes over what the handshake had received and not used.
    pub(crate) fn new(mut frames: Deframer, peer_nc: u32, max_message: u32) -> Self {
        frames.set_limit(MAX_FRAME);
        Self {
            frames,
            tables: SessionTables::new(peer_nc),
            pieces: Reassembler::with_spares(
                ReassemblyLimits::for_message(max_message as usize),
                spares::take,
            ),
            shapes: Vec::new(),
            stalled: false,
            damage: None,
        }
    }

    fn hand_over(
        &mut self,
        peer: &str,
        node: &Node,
        out: &mut Dispatch<'_, '_>,
        pongs: &mut Vec<u8>,
    ) -> Stop {
        let mut numbers = |name: &str, incarnation: u64| node.slot_from_peer(peer, name, incarnation);
        while !out.is_full() {
            let Frame { tag, body } = match self.frames.next_frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => return Stop::Drained,
                Err(error) => return Stop::End(DownCause::Protocol, error.to_string()),
            };
            let checked = match check_body(tag, body, &mut self.tables, &mut numbers) {
                Ok(checked) => checked,
                Err(error) => return Stop::End(DownCause::Protocol, error.to_string()),
            };
            match checked {
                Checked::Deliver(route) => deliver(out, route, tag, body),
                Checked::Fragment(head) => {
                    let part = body.get(head.part_at..).unwrap_or_default();
                    let joined = match self.pieces.push(&head, part) {
                        Ok(Some(joined)) => joined,
                        Ok(None) => continue,
                        Err(error) => return Stop::End(DownCause::Protocol, error.to_string()),
                    };
                    if let Err(error) = deliver_joined(out, joined, &mut self.tables, &mut numbers) {
                        return Stop::End(DownCause::Protocol, error);
                    }
                }
                Checked::Goodbye { cause } if cause == DownCause::Replaced as u8 => {
                    return Stop::End(DownCause::Displaced, String::new());
                }
                Checked::Goodbye { .. } => return Stop::End(DownCause::Goodbye, String::new()),
                Checked::Ping {
                    sequence,
                    loop_age_ms,
                } => {
                    put_pong(pongs, sequence, millis(node.watch.stall()));
                    self.note_loop(node, out, loop_age_ms);
                }
                Checked::Pong { loop_age_ms, .. } => self.note_loop(node, out, loop_age_ms),
                Checked::Shape { .. } => {
                    self.shapes.push(body.to_vec());
                    out.send_all(tag, body);
                }
                Checked::Skip => {}
                Checked::Slot { .. } => out.catch_up(),
            }
        }
        Stop::Full
    }

    /// Tells lanes when the peer's loop begins or ceases to stand still.
    fn note_loop(&mut self, node: &Node, out: &mut Dispatch<'_, '_>, age_ms: u32) {
        let stalled = age_ms >= node.options.tick_ms;
        if stalled || self.stalled {
            out.send_all(PEER_LOOP, Body::new().u8(u8::from(stalled)).u32(age_ms).bytes());
        }
        self.stalled = stalled;
    }
}

impl Session {
    /// Reads what is there, at most about `budget` bytes. With `direct` the caller is lane 0's own thread: its frames
    /// go straight into the batch, after everything its inbox holds.
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
        // A level-triggered poll comes back by itself; an edge must be read to its end.
        let mut drained = false;
        loop {
            let mut pongs = Vec::new();
            let stop = io.inbound.hand_over(&self.peer().name, node, out, &mut pongs);
            // The bytes that wait are sign enough of life, and a peer that asks and never reads must not fill our memory.
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
            match io.channel.receive(&io.stream) {
                Ok(0) => {
                    self.end_locked(io, node, DownCause::Closed, "the connection was closed");
                    return Read::Ended;
                }
                Ok(received) => {
                    left = left.saturating_sub(received);
                    drained = is_loop && received < RECEIVE_BYTES && !self.hung_up.load(Ordering::Relaxed);
                    self.note_heard(node.now_ms());
                    open(io, node, &self.traffic);
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

    /// The connection broke and the loop's poll stopped: from now on every read continues to the end of the stream.
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

    /// No loop can watch this session: the I/O thread reads it for good.
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

    /// Tells a new lane what it has missed of this session. The caller holds `io`.
    pub(crate) fn replay(&self, io: &SessionIo, lane: &Lane) {
        if io.phase == Phase::Open {
            lane.push(self.id(), crate::event::SESSION_UP, self.up_body().bytes());
            for shape in &io.inbound.shapes {
                lane.push(self.id(), tag::SHAPE, shape);
            }
        }
    }
}

/// Opens what was received.
fn open(io: &mut SessionIo, node: &Node, traffic: &Traffic) {
    let (frames, mut plain) = (&mut io.inbound.frames, 0);
    let opened = io.channel.open(|bytes| {
        plain += bytes.len() as u64;
        frames.push(bytes);
    });
    node.counters.bytes_in.fetch_add(plain, Ordering::Relaxed);
    traffic.bytes_in.fetch_add(plain, Ordering::Relaxed);
    io.inbound.damage = opened.err().map(|error| error.to_string());
}

fn deliver(out: &mut Dispatch<'_, '_>, route: Route, tag: u8, body: &[u8]) {
    match lane_of(route) {
        Some(lane) => out.send_to(lane, tag, body),
        None => out.send_all(tag, body),
    }
}

fn deliver_joined(
    out: &mut Dispatch<'_, '_>,
    mut frame: Vec<u8>,
    tables: &mut SessionTables,
    numbers: &mut dyn snowmesh_core::frame::Number,
) -> Result<(), String> {
    // Only what goes to JavaScript has a reason to be long; the rest is skipped.
    if let Checked::Deliver(route) =
        check_joined(&mut frame, tables, numbers).map_err(|error| error.to_string())?
    {
        match (lane_of(route), frame.as_slice()) {
            (Some(lane), _) => out.joined(lane, frame),
            (None, [tag, body @ ..]) => out.send_all(*tag, body),
            (None, []) => {}
        }
    }
    Ok(())
}

/// The lane a frame goes to; `None`: all of them. For an actor that does not exist the first one answers.
fn lane_of(route: Route) -> Option<u8> {
    match route {
        Route::Actor(pid) => Some(pid.scheduler()),
        Route::Node | Route::Stranger(_) => Some(0),
        Route::Everyone => None,
    }
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
