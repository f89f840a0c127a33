//! The events that lanes get besides frames of peers. Each is one entry of a batch: see [`ENTRY_HEADER`].

use crate::error::OpenError;

/// Bytes of an entry's header, `u32 length of the body | u8 tag | u8 0 | u16 session`.
pub const ENTRY_HEADER: usize = 8;

pub(crate) const SESSION_UP: u8 = 0xA0;
pub(crate) const SESSION_DOWN: u8 = 0xA1;
pub(crate) const NODE_SLOT: u8 = 0xA2;
pub(crate) const CONNECT_RESULT: u8 = 0xA3;
pub(crate) const WRITABLE: u8 = 0xA4;
pub(crate) const STREAM_DONE: u8 = 0xA5;
pub(crate) const PEER_LOOP: u8 = 0xA6;
pub(crate) const BIG: u8 = 0xA7;
pub(crate) const STOPPED: u8 = 0xA8;
pub(crate) const REFUSED: u8 = 0xA9;
pub(crate) const NODE_FORGOTTEN: u8 = 0xAA;

/// Why a session ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum DownCause {
    /// The connection broke, or was closed without GOODBYE.
    Closed = 0,
    /// Nothing was received for the down interval.
    Timeout = 1,
    /// This node ended it.
    Disconnect = 2,
    /// A newer session of the same name took its place.
    Replaced = 3,
    /// The peer broke the protocol.
    Protocol = 4,
    /// This node is stopping.
    Stopping = 5,
    /// The peer ended it in order.
    Goodbye = 6,
    /// The peer does not read and the outbox is full.
    Overflow = 7,
    /// Another node connected to the peer under this node's name.
    Displaced = 8,
}

impl TryFrom<u32> for DownCause {
    type Error = OpenError;

    fn try_from(number: u32) -> Result<Self, OpenError> {
        Ok(match number {
            0 => Self::Closed,
            1 => Self::Timeout,
            2 => Self::Disconnect,
            3 => Self::Replaced,
            4 => Self::Protocol,
            5 => Self::Stopping,
            6 => Self::Goodbye,
            7 => Self::Overflow,
            8 => Self::Displaced,
            _ => return Err(OpenError::BadOption("cause")),
        })
    }
}

/// Why a node is dialled. Look-ups for one reason hold up none for another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum DialReason {
    /// This node, its program or its discovery, asked for it.
    Asked = 0,
    /// It was a peer, and its session was lost.
    Lost = 1,
    /// A peer listed it.
    Hinted = 2,
}

impl TryFrom<u32> for DialReason {
    type Error = OpenError;

    fn try_from(number: u32) -> Result<Self, OpenError> {
        Ok(match number {
            0 => Self::Asked,
            1 => Self::Lost,
            2 => Self::Hinted,
            _ => return Err(OpenError::BadOption("reason")),
        })
    }
}

/// The outcome of a dial.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(crate) enum ConnectStatus {
    /// A session with that name is up.
    Up = 0,
    /// No node accepted the connection.
    Refused = 1,
    /// The handshake took too long.
    Timeout = 2,
    /// The cookies differ.
    Auth = 3,
    /// Version or capabilities do not match.
    Incompatible = 4,
    /// Another node answers there.
    WrongName = 5,
    /// The peer preferred its own connection, which did not come up in time.
    Duplicate = 6,
    /// This node or the peer is stopping.
    Stopping = 7,
    /// Another node of this node's name is connected there.
    NameTaken = 8,
    /// Its host has no address, or could not be looked up.
    Dns = 9,
}

/// Little-endian builder of entry bodies.
#[derive(Debug, Default)]
pub(crate) struct Body(Vec<u8>);

impl Body {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn u8(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }

    pub(crate) fn u32(mut self, value: u32) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub(crate) fn u64(mut self, value: u64) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// A name or a text with a `u16` length; a longer text is cut off between characters.
    pub(crate) fn text(mut self, value: &str) -> Self {
        let mut end = value.len().min(usize::from(u16::MAX));
        while !value.is_char_boundary(end) {
            end -= 1;
        }
        let value = value.get(..end).unwrap_or_default();
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        self.0.extend_from_slice(&length.to_le_bytes());
        self.0.extend_from_slice(value.as_bytes());
        self
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The header of an entry with a body of `length` bytes.
pub(crate) fn entry_header(length: usize, tag: u8, session: u16) -> [u8; ENTRY_HEADER] {
    let [a, b, c, d] = u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    let [e, f] = session.to_le_bytes();
    [a, b, c, d, tag, 0, e, f]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_and_reasons_have_no_other_numbers() {
        for number in 0..=u32::from(u8::MAX) {
            let cause = DownCause::try_from(number).map(|cause| cause as u32);
            assert_eq!(cause.ok(), (number <= 8).then_some(number));
            let reason = DialReason::try_from(number).map(|reason| reason as u32);
            assert_eq!(reason.ok(), (number <= 2).then_some(number));
        }
    }
}
