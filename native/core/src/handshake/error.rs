//! Why a handshake failed, and whose fault it is.

use thiserror::Error;

use super::messages::{Refusal, RefuseCode};
use crate::node_name::NodeNameError;

/// The connection must be closed. [`Self::refusal`] is what may be told to the peer before.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The peer's proof does not verify: another cookie, or somebody between us.
    #[error("the peer does not prove the same cookie on this connection")]
    BadProof,
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
    #[error("capabilities differ: we miss {missing:#x}, the peer misses {demanded:#x}")]
    Incompatible {
        /// Bits that we require and the peer does not offer.
        missing: u64,
        /// Bits that the peer requires and we do not offer.
        demanded: u64,
    },
    /// The peer sent something that is no handshake frame, or not this one.
    #[error("the peer sent a malformed handshake frame")]
    Malformed,
    /// The peer claims our own name.
    #[error("the peer has our own name")]
    OwnName,
    /// The peer refused; not authenticated, so a text and no more.
    #[error("the peer refused: {0}")]
    Refused(Refusal),
    /// A frame came that is not the next one.
    #[error("handshake frame {tag:#04x} came out of turn")]
    OutOfTurn {
        /// Its tag.
        tag: u8,
    },
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
    /// What to tell the peer before closing; `None` when nothing helps.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        let (code, detail) = match self {
            Self::BadProof => (RefuseCode::BadProof, String::new()),
            Self::BadVersion { .. } => (
                RefuseCode::BadVersion,
                format!("version {}", super::PROTOCOL_VERSION),
            ),
            Self::IllegalName(error) => (RefuseCode::IllegalName, error.to_string()),
            Self::Incompatible { missing, demanded } => (
                RefuseCode::Incompatible,
                format!("required {missing:#x}, lacking {demanded:#x}"),
            ),
            Self::OwnName => (RefuseCode::IllegalName, "this is my own name".to_owned()),
            Self::WrongName { found, .. } => (RefuseCode::WrongName, format!("this is {found}")),
            Self::Malformed | Self::OutOfTurn { .. } | Self::Refused(_) => return None,
        };
        Some(Refusal { code, detail })
    }
}
