//! Why a handshake failed, and the REFUSE frame that tells the peer.

use std::fmt;

use thiserror::Error;

use crate::frame::tag;
use crate::node_name::NodeNameError;
use crate::wire::{Reader, Short, put_frame, put_name};

/// The longest detail of a REFUSE in bytes, written or read; the rest is cut off.
const MAX_DETAIL_BYTES: usize = 512;

/// The connection must be closed. [`Self::refusal`] is what the peer may be told first.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The peer's proof does not verify: another cookie, or an attacker between the nodes.
    #[error("the peer does not prove the same cookie on this connection")]
    BadProof,
    /// This side has no room for another node.
    #[error("there is no room for another node")]
    Busy,
    /// The peer speaks another version.
    #[error("the peer speaks protocol version {version}")]
    BadVersion {
        /// The version it named.
        version: u16,
    },
    /// The peer's name breaks the naming rules.
    #[error("the peer's name is illegal: {0}")]
    IllegalName(NodeNameError),
    /// One side requires capabilities that the other lacks.
    #[error("capabilities differ: the peer lacks {missing:#x}, this node lacks {demanded:#x}")]
    Incompatible {
        /// Bits that we require and the peer does not offer.
        missing: u64,
        /// Bits that the peer requires and we do not offer.
        demanded: u64,
    },
    /// The peer sent something that is no handshake frame, or not this one.
    #[error("the peer sent a malformed handshake frame")]
    Malformed,
    /// Another live node has the peer's name, and a session.
    #[error("another node of that name is connected; each node needs a name of its own")]
    NameTaken,
    /// The peer claims our own name.
    #[error("the peer has our own name")]
    OwnName,
    /// The peer refused. The reason is not authenticated: text for a log, nothing more.
    #[error("the peer refused: {0}")]
    Refused(Refusal),
    /// A frame came that is not the next one.
    #[error("handshake frame {tag:#04x} came out of turn")]
    OutOfTurn {
        /// Its tag.
        tag: u8,
    },
    /// The peer claims the name and incarnation of a node whose key it does not have.
    #[error("the peer's key is not the one with which that name and incarnation first connected")]
    OtherKey,
    /// The node at that address has another name, or was dialled by another name.
    #[error("expected {expected}, found {found}")]
    WrongName {
        /// The name that the dialler meant.
        expected: String,
        /// The name that the acceptor has.
        found: String,
    },
}

impl HandshakeError {
    /// What to tell the peer before closing; `None`: nothing.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        let (code, detail) = match self {
            Self::BadProof => (RefuseCode::BadProof, String::new()),
            Self::Busy => (RefuseCode::Busy, String::new()),
            Self::BadVersion { .. } => (
                RefuseCode::BadVersion,
                format!("version {}", super::PROTOCOL_VERSION),
            ),
            Self::IllegalName(error) => (RefuseCode::IllegalName, error.to_string()),
            Self::Incompatible { missing, demanded } => (
                RefuseCode::Incompatible,
                format!("required {missing:#x}, lacking {demanded:#x}"),
            ),
            Self::NameTaken => (RefuseCode::NameTaken, String::new()),
            Self::OtherKey => (RefuseCode::OtherKey, String::new()),
            Self::OwnName => (RefuseCode::IllegalName, "this is my own name".to_owned()),
            Self::WrongName { found, .. } => (RefuseCode::WrongName, format!("this is {found}")),
            Self::Malformed | Self::OutOfTurn { .. } | Self::Refused(_) => return None,
        };
        Some(Refusal { code, detail })
    }
}

/// What a REFUSE frame says before the connection is closed. Never authenticated.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// Why.
    pub code: RefuseCode,
    /// For a person to read.
    pub detail: String,
}

/// Why a connection was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RefuseCode {
    /// 1: the peer speaks another version of the protocol.
    BadVersion,
    /// 2: one side requires capabilities that the other lacks.
    Incompatible,
    /// 3: the acceptor has another name than the dialled one.
    WrongName,
    /// 4: the proof does not verify.
    BadProof,
    /// 5: the name breaks the naming rules, or is the acceptor's own.
    IllegalName,
    /// 6: no number is left for the peer.
    Busy,
    /// 7: the acceptor is stopping.
    Stopping,
    /// 8: another node has that name and incarnation.
    OtherKey,
    /// 9: another node of that name is connected.
    NameTaken,
    /// A code that this version does not know.
    Other(u8),
}

impl Refusal {
    /// The whole frame. A long detail is cut at a character.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_frame(&mut out, tag::REFUSE, |body| {
            body.push(self.code.to_byte());
            put_name(body, cut(&self.detail).as_bytes());
        });
        out
    }

    /// Reads the body of a REFUSE. Any program can send it, so invalid UTF-8 and control characters are replaced.
    ///
    /// # Errors
    /// [`HandshakeError::Malformed`].
    pub fn parse(body: &[u8]) -> Result<Self, HandshakeError> {
        let mut reader = Reader::new(body);
        let code = RefuseCode::from_byte(reader.u8()?);
        let text = String::from_utf8_lossy(reader.name()?);
        let detail = cut(&text)
            .chars()
            .map(|c| if c.is_control() { '\u{FFFD}' } else { c })
            .collect();
        Ok(Self { code, detail })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.detail.as_str() {
            "" => self.code.fmt(out),
            detail => write!(out, "{} ({detail})", self.code),
        }
    }
}

impl RefuseCode {
    /// The byte on the wire.
    #[must_use]
    pub const fn to_byte(self) -> u8 {
        match self {
            Self::BadVersion => 1,
            Self::Incompatible => 2,
            Self::WrongName => 3,
            Self::BadProof => 4,
            Self::IllegalName => 5,
            Self::Busy => 6,
            Self::Stopping => 7,
            Self::OtherKey => 8,
            Self::NameTaken => 9,
            Self::Other(code) => code,
        }
    }

    /// The meaning of a byte on the wire.
    #[must_use]
    pub const fn from_byte(code: u8) -> Self {
        match code {
            1 => Self::BadVersion,
            2 => Self::Incompatible,
            3 => Self::WrongName,
            4 => Self::BadProof,
            5 => Self::IllegalName,
            6 => Self::Busy,
            7 => Self::Stopping,
            8 => Self::OtherKey,
            9 => Self::NameTaken,
            other => Self::Other(other),
        }
    }
}

impl fmt::Display for RefuseCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::BadVersion => "bad version",
            Self::Incompatible => "incompatible capabilities",
            Self::WrongName => "wrong name",
            Self::BadProof => "bad proof",
            Self::IllegalName => "illegal name",
            Self::Busy => "busy",
            Self::Stopping => "stopping",
            Self::OtherKey => "another node has that name and incarnation",
            Self::NameTaken => "another node of that name is connected; each node needs a name of its own",
            Self::Other(code) => return write!(out, "code {code}"),
        })
    }
}

impl From<Short> for HandshakeError {
    fn from(_: Short) -> Self {
        Self::Malformed
    }
}

fn cut(text: &str) -> &str {
    let end = (0..=MAX_DETAIL_BYTES.min(text.len()))
        .rev()
        .find(|&end| text.is_char_boundary(end));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}
