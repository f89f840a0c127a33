//! The receiving half of a session: splits decrypted bytes into frames, checks them, delivers them to lanes.

use std::time::Duration;

use snowmesh_core::frame::{
    Checked, Deframer, Frame, MAX_FRAME, Reassembler, ReassemblyLimits, Route, SessionTables, check_body,
    check_joined, put_pong,
};

use super::dispatch::Dispatch;
use crate::buffer_pool;
use crate::event::{Body, DownCause, PEER_LOOP};
use crate::node::Node;

/// The receiving half of a session.
#[derive(Debug)]
pub(crate) struct Inbound {
    pub(super) frames: Deframer,
    tables: SessionTables,
    pieces: Reassembler,
    /// Bodies of SHAPE frames in order, for lanes that attach later.
    pub(super) shapes: Vec<Vec<u8>>,
    /// Whether the peer's event loop was stalled when lanes were last told.
    stalled: bool,
    /// Why nothing more can be received. The session ends when the frames received before are delivered.
    pub(super) damage: Option<String>,
}

/// Why the delivery of frames stopped.
pub(super) enum Stop {
    /// All whole frames are delivered.
    Drained,
    /// Some lane has no room.
    Full,
    /// The session must end.
    End(DownCause, String),
}

impl Inbound {
    /// Begins with the bytes that were received behind the handshake.
    pub(crate) fn new(mut frames: Deframer, peer_nc: u32, max_message: u32) -> Self {
        frames.set_limit(MAX_FRAME);
        Self {
            frames,
            tables: SessionTables::new(peer_nc),
            pieces: Reassembler::with_buffers(
                ReassemblyLimits::for_message(max_message as usize),
                buffer_pool::take,
            ),
            shapes: Vec::new(),
            stalled: false,
            damage: None,
        }
    }

    /// Delivers received frames of a peer, whose session came up at `session`, until there are no more, or a lane is full, or the session
    /// must end. Answers to PINGs are appended to `pongs`.
    pub(super) fn deliver_frames(
        &mut self,
        (peer, session): (&str, u64),
        node: &Node,
        out: &mut Dispatch<'_, '_>,
        pongs: &mut Vec<u8>,
    ) -> Stop {
        let mut numbers =
            |name: &str, incarnation: u64| node.number_from_peer(peer, session, name, incarnation);
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
                    self.note_peer_loop(node, out, loop_age_ms);
                }
                Checked::Pong { loop_age_ms, .. } => self.note_peer_loop(node, out, loop_age_ms),
                Checked::Shape { .. } => {
                    self.shapes.push(body.to_vec());
                    out.send_all(tag, body);
                }
                Checked::Skip => {}
                Checked::Slot { .. } => out.drain_inbox(),
            }
        }
        Stop::Full
    }

    /// Tells lanes while the peer's event loop is stalled, and when it no longer is.
    fn note_peer_loop(&mut self, node: &Node, out: &mut Dispatch<'_, '_>, age_ms: u32) {
        let stalled = age_ms >= node.options.tick_ms;
        if stalled || self.stalled {
            out.send_all(PEER_LOOP, Body::new().u8(u8::from(stalled)).u32(age_ms).bytes());
        }
        self.stalled = stalled;
    }
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
    // Joined frames of other kinds are errors, or have an unknown tag and are skipped.
    if let Checked::Deliver(route) =
        check_joined(&mut frame, tables, numbers).map_err(|error| error.to_string())?
    {
        match (lane_of(route), frame.as_slice()) {
            (Some(lane), _) => out.send_joined(lane, frame),
            (None, [tag, body @ ..]) => out.send_all(*tag, body),
            (None, []) => {}
        }
    }
    Ok(())
}

/// The lane a frame goes to; `None`: all of them. Lane 0 answers for actors that are not of this node.
fn lane_of(route: Route) -> Option<u8> {
    match route {
        Route::Actor(pid) => Some(pid.scheduler()),
        Route::Node | Route::Foreign(_) => Some(0),
        Route::Everyone => None,
    }
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
