//! Frames: where they begin and end, whether a body is legal, and how long ones travel in pieces.
//!
//! ```text
//! received plaintext ─ Deframer ─► tag, body ─ check_body ─► Checked ─► a lane, or handled by the session
//!                                     ▲                        └ Fragment ─ Reassembler ─┐
//!                                     └─────────────── joined `tag | body` ──────────────┘
//! ```
//!
//! After [`check_body`] every PID and reference of the body is in the receiver's own numbering, and the reader of
//! the body may trust its structure.

mod build;
mod check;
mod deframer;
mod error;
mod fragment;
mod layout;
mod session_tables;
pub mod tag;
mod walk;

pub use build::{put_goodbye, put_ping, put_pong, put_slot};
pub use check::{Checked, FragmentHead, Route, check_body, check_joined};
pub use deframer::{Deframer, Frame, Split, split};
pub use error::{FrameError, PeerMisbehaved};
pub use fragment::{Piece, Reassembler, ReassemblyLimits, Splitter};
pub use session_tables::{MAX_SHAPE_BYTES, MAX_SHAPE_KEYS, MAX_SHAPES, MAX_SLOTS, Number, SessionTables};

/// The longest `length` of a frame before authentication.
pub const MAX_HANDSHAKE_FRAME: usize = 4_096;
/// The longest `length` of a frame in a session.
pub const MAX_FRAME: usize = 16_777_216;
/// A sender splits a frame whose tag and body are longer than this.
pub const FRAGMENT_BYTES: usize = 131_072;
/// The longest joined frame, by default.
pub const MAX_MESSAGE: usize = 134_217_728;
/// The most streams of fragments that may be open at once.
pub const MAX_STREAMS: usize = 1_024;
/// The longest name of an actor, node, function, room or channel in bytes.
pub const MAX_NAME_BYTES: usize = 255;
/// The `ms` of a CALL that has no deadline.
pub const FOR_EVER: u32 = 0xFFFF_FFFF;
