//! What a peer has announced on one connection: its numbers and its shapes.
//!
//! One value per session. The node-wide numbering belongs to the caller, which provides it as a [`Number`].

use std::collections::BTreeMap;

use super::error::{FrameError, PeerMisbehaved};
use crate::node_name::NodeName;
use crate::pid::MAX_NC;
use crate::term::{ShapeTable, TermChecker, Translate};
use crate::wire::Reader;

/// Pairs that a node may number, and so that a peer may announce on one connection: all that it has.
pub const MAX_SLOTS: usize = 262_144;
/// Shapes that a peer may announce on one connection.
pub const MAX_SHAPES: usize = 4_096;
/// Keys that one shape may have.
pub const MAX_SHAPE_KEYS: usize = 64;
/// Bytes that the keys of all shapes of one connection may have together.
pub const MAX_SHAPE_BYTES: usize = 16_777_216;

/// The node-wide numbering: gives this node's own number for a (name, incarnation) pair.
pub trait Number {
    /// The number of the pair; a pair without one gets one now. 0 for this node itself. `None`: no number is left
    /// for the announcer.
    fn number(&mut self, name: &str, incarnation: u64) -> Option<u32>;
}

impl<F: FnMut(&str, u64) -> Option<u32>> Number for F {
    fn number(&mut self, name: &str, incarnation: u64) -> Option<u32> {
        self(name, incarnation)
    }
}

/// The tables of one session's incoming direction.
#[derive(Debug)]
pub struct SessionTables {
    pub(super) translation: Translation,
    pub(super) shapes: ShapeTable,
    pub(super) checker: TermChecker,
    shape_bytes: usize,
    begun: bool,
}

impl SessionTables {
    /// Tables for a peer that this node numbers `peer_nc`. Nothing is announced yet.
    #[must_use]
    pub fn new(peer_nc: u32) -> Self {
        Self {
            translation: Translation {
                sender: peer_nc,
                receiver: NOT_ANNOUNCED,
                others: BTreeMap::new(),
            },
            shapes: ShapeTable::default(),
            checker: TermChecker::default(),
            shape_bytes: 0,
            begun: false,
        }
    }

    /// The pairs announced so far.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.translation.others.len()
    }

    /// The shapes announced so far.
    #[must_use]
    pub fn shapes(&self) -> &ShapeTable {
        &self.shapes
    }

    /// Whether the peer has announced its number of this node, which its first frame must do.
    pub(super) const fn is_begun(&self) -> bool {
        self.begun
    }

    /// Takes the body of SLOT. Gives our number of the announced pair.
    pub(super) fn announce_slot(&mut self, body: &[u8], numbers: &mut dyn Number) -> Result<u32, FrameError> {
        let mut reader = Reader::new(body);
        let slot = reader.u16()?;
        let creation = reader.u8()?;
        let incarnation = reader.u64()?;
        let name = NodeName::parse_bytes(reader.name()?).map_err(PeerMisbehaved::BadNodeName)?;
        if !reader.rest().is_empty() {
            return Err(PeerMisbehaved::TrailingBytes.into());
        }
        if slot == 0 || incarnation == 0 {
            return Err(PeerMisbehaved::BadAnnouncement.into());
        }
        let theirs = u32::from(slot) << 8 | u32::from(creation);
        let known = self.translation.others.get(&theirs).copied();
        if known.is_none() && self.translation.others.len() >= MAX_SLOTS {
            return Err(PeerMisbehaved::TooMany("identities").into());
        }
        let ours = numbers
            .number(name.as_str(), incarnation)
            .ok_or(FrameError::NoNumberLeft)?;
        if known.is_some_and(|before| before != ours) {
            return Err(PeerMisbehaved::BadAnnouncement.into());
        }
        if !self.begun {
            if ours != 0 {
                return Err(PeerMisbehaved::NotBegun.into());
            }
            self.begun = true;
            self.translation.receiver = theirs;
        }
        self.translation.others.insert(theirs, ours);
        Ok(ours)
    }

    /// Takes the body of SHAPE. Gives the id.
    pub(super) fn announce_shape(&mut self, body: &[u8]) -> Result<u16, FrameError> {
        let mut reader = Reader::new(body);
        let id = reader.u16()?;
        let count = usize::from(reader.u16()?);
        if usize::from(id) != self.shapes.len() {
            return Err(PeerMisbehaved::BadAnnouncement.into());
        }
        self.shape_bytes += body.len();
        if self.shapes.len() >= MAX_SHAPES || count > MAX_SHAPE_KEYS || self.shape_bytes > MAX_SHAPE_BYTES {
            return Err(PeerMisbehaved::TooMany("object shapes").into());
        }
        let mut keys = Vec::with_capacity(count);
        for _ in 0..count {
            keys.push(std::str::from_utf8(reader.name()?).map_err(|_| PeerMisbehaved::BadName)?);
        }
        if !reader.rest().is_empty() {
            return Err(PeerMisbehaved::TrailingBytes.into());
        }
        keys.sort_unstable();
        if keys.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(PeerMisbehaved::BadAnnouncement.into());
        }
        self.shapes.push(u8::try_from(count).unwrap_or(u8::MAX));
        Ok(id)
    }
}

/// Above every 24-bit number, so it equals none.
const NOT_ANNOUNCED: u32 = MAX_NC + 1;

/// From the sender's numbering into ours. Nearly every PID is the sender's or ours, so these two are fields.
#[derive(Debug)]
pub(super) struct Translation {
    pub(super) sender: u32,
    receiver: u32,
    others: BTreeMap<u32, u32>,
}

impl Translate for Translation {
    #[inline]
    fn translate(&self, nc: u32) -> Option<u32> {
        if nc == 0 {
            Some(self.sender)
        } else if nc == self.receiver {
            Some(0)
        } else {
            self.others.get(&nc).copied()
        }
    }
}
