//! Frame tags, named as in section 6 of docs/wire.md.

/// A message to a PID.
pub const SEND: u8 = 0x10;
/// A message to a registered name.
pub const REG_SEND: u8 = 0x11;
/// Names of the sender's other peers: hints only.
pub const PEER_LIST: u8 = 0x12;
/// Asks for a link.
pub const LINK: u8 = 0x13;
/// Removes a link.
pub const UNLINK: u8 = 0x14;
/// An exit signal over a link.
pub const EXIT: u8 = 0x15;
/// Asks for a monitor.
pub const MONITOR: u8 = 0x16;
/// Removes a monitor.
pub const DEMONITOR: u8 = 0x17;
/// A monitored actor has ended.
pub const MONITOR_EXIT: u8 = 0x18;
/// Asks for a spawn.
pub const SPAWN: u8 = 0x19;
/// The answer to a spawn.
pub const SPAWN_REPLY: u8 = 0x1A;
/// Global names: registration.
pub const GLOBAL_REGISTER: u8 = 0x1B;
/// Global names: removal.
pub const GLOBAL_UNREGISTER: u8 = 0x1C;
/// Global names: synchronisation.
pub const GLOBAL_SYNC: u8 = 0x1D;
/// A broadcast into a room.
pub const ROOM_BROADCAST: u8 = 0x1E;
/// Announces the pair that a number of the sender stands for.
pub const SLOT: u8 = 0x30;
/// Announces the keys that a shape id stands for.
pub const SHAPE: u8 = 0x31;
/// A piece of a long frame.
pub const FRAGMENT: u8 = 0x32;
/// Confirms an UNLINK.
pub const UNLINK_ACK: u8 = 0x33;
/// An explicit exit signal.
pub const EXIT2: u8 = 0x34;
/// A call to a PID.
pub const CALL: u8 = 0x35;
/// A call to a registered name.
pub const REG_CALL: u8 = 0x36;
/// The answer to a call.
pub const REPLY: u8 = 0x37;
/// A message to an alias.
pub const ALIAS_SEND: u8 = 0x38;
/// The sender ends the session in order.
pub const GOODBYE: u8 = 0x39;
/// The actor that requested a start has received its reply.
pub const SPAWN_ACK: u8 = 0x3A;
/// Control messages of the layers above a session.
pub const SYSTEM: u8 = 0x3F;
/// Asks for a PONG.
pub const PING: u8 = 0xF0;
/// Answers a PING.
pub const PONG: u8 = 0xF1;

/// Handshake: the dialler's first frame.
pub const HELLO: u8 = 0x01;
/// Handshake: the acceptor's first frame.
pub const CHALLENGE: u8 = 0x02;
/// Handshake: the dialler's proof.
pub const PROOF: u8 = 0x03;
/// Handshake: the acceptor's proof and decision.
pub const ACK: u8 = 0x04;
/// Handshake: a refusal, instead of any other frame.
pub const REFUSE: u8 = 0x0F;

/// Whether an unknown tag may be skipped.
#[must_use]
pub const fn is_skippable(tag: u8) -> bool {
    matches!(tag, 0x80..=0xBF)
}
