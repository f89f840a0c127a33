//! Checks one frame: whether it is legal and which lane gets it. Rewrites every PID in it.

use super::error::{FrameError, PeerMisbehaved};
use super::layout::{Field, layout};
use super::session_tables::{Number, SessionTables};
use super::tag;
use super::walk::{Walk, rewrite_pid};
use crate::pid::Pid;
use crate::wire::{Reader, Short};

/// What to do with a legal frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Checked {
    /// For JavaScript.
    Deliver(Route),
    /// A piece of a long frame, for the [`super::Reassembler`].
    Fragment(FragmentHead),
    /// The peer ends the session in order.
    Goodbye {
        /// The cause that the peer gives.
        cause: u8,
    },
    /// To be answered with PONG.
    Ping {
        /// To be copied into the PONG.
        sequence: u64,
        /// Milliseconds since the peer's event loop last turned.
        loop_age_ms: u32,
    },
    /// The answer to a PING of ours.
    Pong {
        /// As in the PING.
        sequence: u64,
        /// Milliseconds since the peer's event loop last turned.
        loop_age_ms: u32,
    },
    /// A new shape: the tables have it now, and every lane must get it.
    Shape {
        /// Its id.
        id: u16,
    },
    /// An unknown tag that may be skipped.
    Skip,
    /// A number was announced: the tables have it now.
    Slot {
        /// Our own number of the pair.
        nc: u32,
    },
}

/// The lane that a frame for JavaScript goes to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Route {
    /// An actor of this node, of this incarnation.
    Actor(Pid),
    /// Every isolate: the frame does not say which of them.
    Everyone,
    /// The node: a name, or a table that the first isolate keeps.
    Node,
    /// An actor that is not ours: of an earlier incarnation, or of another node. The frame reaches no actor (M4), but a
    /// MONITOR or CALL is answered.
    Foreign(Pid),
}

/// Bits of a FRAGMENT's flags.
pub(super) const FIRST_PIECE: u8 = 1;
pub(super) const LAST_PIECE: u8 = 2;

/// The fixed part of a FRAGMENT.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FragmentHead {
    /// The sender's number of the stream.
    pub stream: u32,
    /// `Some(length of the joined frame)` on the first piece.
    pub total: Option<u64>,
    /// Whether this is the last piece.
    pub is_last: bool,
    /// Where in the body the piece begins.
    pub part_at: usize,
}

/// Checks the body of a frame, and rewrites every PID and reference in it into this node's numbering.
///
/// One pass, without allocation for frames other than SLOT and SHAPE. After an error the body may be partly
/// rewritten and the session must end.
///
/// # Errors
/// What the peer did wrong, or [`FrameError::NoNumberLeft`].
#[inline]
pub fn check_body(
    tag: u8,
    body: &mut [u8],
    tables: &mut SessionTables,
    numbers: &mut dyn Number,
) -> Result<Checked, FrameError> {
    if tag == tag::SEND && tables.is_begun() {
        return check_send(body, tables);
    }
    check_any(tag, body, tables, numbers)
}

/// Checks a joined frame, `tag | body`, as [`check_body`] does, and refuses tags that must not travel in fragments.
///
/// # Errors
/// What the peer did wrong, or [`FrameError::NoNumberLeft`].
pub fn check_joined(
    frame: &mut [u8],
    tables: &mut SessionTables,
    numbers: &mut dyn Number,
) -> Result<Checked, FrameError> {
    let (tag, body) = frame.split_first_mut().ok_or(PeerMisbehaved::EmptyFrame)?;
    match *tag {
        tag::FRAGMENT | tag::SLOT | tag::SHAPE | tag::GOODBYE | tag::PING | tag::PONG => {
            Err(PeerMisbehaved::NotForFragments(*tag).into())
        }
        tag => check_body(tag, body, tables, numbers),
    }
}

/// The fast path: nearly every frame of a busy session is a SEND.
fn check_send(body: &mut [u8], tables: &mut SessionTables) -> Result<Checked, FrameError> {
    let (to, term) = body.split_first_chunk_mut().ok_or(PeerMisbehaved::Truncated)?;
    let to = rewrite_pid(to, &tables.translation)?;
    tables.check_term(term)?;
    Ok(Checked::Deliver(route_to(to)))
}

fn check_any(
    tag: u8,
    body: &mut [u8],
    tables: &mut SessionTables,
    numbers: &mut dyn Number,
) -> Result<Checked, FrameError> {
    if !tables.is_begun() && tag != tag::SLOT {
        return Err(PeerMisbehaved::NotBegun.into());
    }
    match tag {
        tag::SLOT => Ok(Checked::Slot {
            nc: tables.announce_slot(body, numbers)?,
        }),
        tag::SHAPE => Ok(Checked::Shape {
            id: tables.announce_shape(body)?,
        }),
        tag::FRAGMENT => fragment_head(body),
        tag::PING => tick(body).map(|(sequence, loop_age_ms)| Checked::Ping {
            sequence,
            loop_age_ms,
        }),
        tag::PONG => tick(body).map(|(sequence, loop_age_ms)| Checked::Pong {
            sequence,
            loop_age_ms,
        }),
        tag::GOODBYE => match *body {
            [cause] => Ok(Checked::Goodbye { cause }),
            [] => Err(PeerMisbehaved::Truncated.into()),
            _ => Err(PeerMisbehaved::TrailingBytes.into()),
        },
        _ => match layout(tag) {
            Some(fields) => check_fields(tag, fields, body, tables),
            None if tag::is_skippable(tag) => Ok(Checked::Skip),
            None => Err(PeerMisbehaved::UnknownTag(tag).into()),
        },
    }
}

fn check_fields(
    tag: u8,
    fields: &[Field],
    body: &mut [u8],
    tables: &mut SessionTables,
) -> Result<Checked, FrameError> {
    let mut walk = Walk::new(body);
    let mut route = if tag == tag::DEMONITOR {
        Route::Everyone
    } else {
        Route::Node
    };
    for field in fields {
        match field {
            Field::Bytes => walk.bytes()?,
            Field::From => walk.from(&tables.translation)?,
            Field::MonitorTarget => match walk.u8()? {
                0 => route = route_to(walk.pid(&tables.translation)?),
                1 => walk.name()?,
                _ => return Err(PeerMisbehaved::BadValue.into()),
            },
            Field::Name => walk.name()?,
            Field::Names => walk.names()?,
            Field::Pid => drop(walk.pid(&tables.translation)?),
            Field::Ref => drop(walk.reference(&tables.translation)?),
            Field::RefTo => route = route_to(walk.reference(&tables.translation)?),
            Field::Term => tables.check_term(walk.all())?,
            Field::To => route = route_to(walk.pid(&tables.translation)?),
            Field::U8 => drop(walk.u8()?),
            Field::U32 => drop(walk.take(4)?),
            Field::U64 => drop(walk.take(8)?),
        }
    }
    if walk.is_at_end() {
        Ok(Checked::Deliver(route))
    } else {
        Err(PeerMisbehaved::TrailingBytes.into())
    }
}

const fn route_to(to: Pid) -> Route {
    if to.is_local() {
        Route::Actor(to)
    } else {
        Route::Foreign(to)
    }
}

fn fragment_head(body: &[u8]) -> Result<Checked, FrameError> {
    let mut reader = Reader::new(body);
    let stream = reader.u32()?;
    let flags = reader.u8()?;
    if flags & !(FIRST_PIECE | LAST_PIECE) != 0 {
        return Err(PeerMisbehaved::BadValue.into());
    }
    let total = match flags & FIRST_PIECE {
        0 => None,
        _ => Some(reader.u64()?),
    };
    let part_at = body.len() - reader.rest().len();
    Ok(Checked::Fragment(FragmentHead {
        stream,
        total,
        is_last: flags & LAST_PIECE != 0,
        part_at,
    }))
}

fn tick(body: &[u8]) -> Result<(u64, u32), FrameError> {
    let mut reader = Reader::new(body);
    let tick = (reader.u64()?, reader.u32()?);
    if reader.rest().is_empty() {
        Ok(tick)
    } else {
        Err(PeerMisbehaved::TrailingBytes.into())
    }
}

impl SessionTables {
    #[inline]
    fn check_term(&mut self, term: &mut [u8]) -> Result<(), PeerMisbehaved> {
        Ok(self.checker.check(term, &self.shapes, &self.translation)?)
    }
}

impl From<Short> for PeerMisbehaved {
    fn from(_: Short) -> Self {
        Self::Truncated
    }
}

impl From<Short> for FrameError {
    fn from(_: Short) -> Self {
        Self::Peer(PeerMisbehaved::Truncated)
    }
}
