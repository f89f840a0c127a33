//! Why a session must end.

use thiserror::Error;

use crate::node_name::NodeNameError;
use crate::term::TermError;

/// A frame cannot be taken. Every variant ends the session it came on, and nothing else.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum FrameError {
    /// The peer announced a (name, incarnation) pair that gets no number: the peer has used up its share of them.
    #[error("the peer announced more unknown nodes than its share")]
    NoNumberLeft,
    /// The peer broke the protocol.
    #[error("the peer broke the protocol: {0}")]
    Peer(#[from] PeerMisbehaved),
}

/// How the peer broke the protocol.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum PeerMisbehaved {
    /// A number or a shape was announced that contradicts an earlier announcement or is out of turn.
    #[error("an announcement contradicts an earlier one")]
    BadAnnouncement,
    /// A fragment does not fit its stream.
    #[error("a fragment does not fit its stream")]
    BadFragment,
    /// A name is empty, longer than 255 bytes, or not UTF-8.
    #[error("a name is empty, too long or not UTF-8")]
    BadName,
    /// An announced node name breaks the naming rules.
    #[error("an announced node name is illegal: {0}")]
    BadNodeName(NodeNameError),
    /// A term is malformed.
    #[error("a term is malformed: {0}")]
    BadTerm(#[from] TermError),
    /// A field holds a value that is not defined.
    #[error("a field holds an undefined value")]
    BadValue,
    /// A frame has length 0.
    #[error("a frame is empty")]
    EmptyFrame,
    /// A frame's length exceeds the limit.
    #[error("a frame of {length} bytes exceeds the limit of {limit}")]
    FrameTooLong {
        /// The length that was announced.
        length: u32,
        /// The limit.
        limit: u32,
    },
    /// A joined message exceeds the limit.
    #[error("a message of {length} bytes exceeds the limit of {limit}")]
    MessageTooLong {
        /// The length that was announced.
        length: u64,
        /// The limit.
        limit: u64,
    },
    /// The first frame after the handshake was not the SLOT frame that announces our own pair.
    #[error("the session did not begin with a SLOT frame that announces this node")]
    NotBegun,
    /// A joined frame is of a kind that must travel whole.
    #[error("frame tag {0:#04x} must not travel in fragments")]
    NotForFragments(u8),
    /// The `from` of a signal is not an actor of the sender.
    #[error("a signal claims to come from an actor of another node")]
    NotFromSender,
    /// A PID or reference of a pair that was not announced.
    #[error("a PID of a node that was not announced")]
    Unannounced,
    /// More announcements, streams or buffered pieces than a session may have.
    #[error("more {0} than a session may have")]
    TooMany(&'static str),
    /// Bytes are left when the body is complete.
    #[error("a frame has trailing bytes")]
    TrailingBytes,
    /// The body ends too early.
    #[error("a frame ends too early")]
    Truncated,
    /// A tag that must be known is not.
    #[error("unknown frame tag {0:#04x}")]
    UnknownTag(u8),
}
