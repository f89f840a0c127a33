//! The handshake: four frames after TLS that prove the cookie in both directions (section 3 of the wire).
//!
//! ```text
//!  Initiator                                         Acceptor
//!  start ──────────── HELLO ───────────────────────► on_frame
//!  on_frame ◄──────── CHALLENGE ──────────────────── Step::Send
//!  Step::Send ─────── PROOF ───────────────────────► on_frame
//!                                                    Step::Proved(peer) · tie_break · decide
//!  on_frame ◄──────── ACK, decision ──────────────── frame to send
//!  Step::Up(peer) or Step::Duplicate
//! ```
//!
//! Both state machines take whole frames and give frames to send. They take the nonce and the exporter value as
//! parameters and know neither time nor sockets; the deadline is the caller's. A frame out of turn is an error.
//! Nothing that the peer says is trusted before its proof, and a REFUSE is only ever text for a log.

mod acceptor;
mod digest;
mod error;
mod initiator;
mod messages;

pub use acceptor::{Acceptor, AcceptorStep};
pub use digest::{CookieKey, EXPORTER_BYTES, EXPORTER_LABEL};
pub use error::{HandshakeError, Refusal, RefuseCode};
pub use initiator::{Initiator, InitiatorStep};
pub use messages::{Ack, Challenge, Decision, Greeting, Hello, MAC_BYTES, NONCE_BYTES, Proof};

use crate::node_name::NodeName;

/// The protocol version of HELLO and CHALLENGE.
pub const PROTOCOL_VERSION: u16 = 1;

/// What a node says about itself in every handshake.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LocalNode {
    /// Its full name.
    pub name: NodeName,
    /// 64 random bits of this start; never 0.
    pub incarnation: u64,
    /// Whether peers leave it out of the lists of nodes that they send.
    pub is_hidden: bool,
    /// Capabilities that the other side must offer.
    pub required: u64,
    /// Capabilities that this side has.
    pub offered: u64,
}

/// The peer at the other end, proved.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Peer {
    /// Its full name.
    pub name: NodeName,
    /// Its incarnation.
    pub incarnation: u64,
    /// Whether it is left out of the lists of nodes that this node sends.
    pub is_hidden: bool,
    /// Everything it offers, known to us or not.
    pub offered: u64,
    /// What both sides offer.
    pub capabilities: u64,
}

impl LocalNode {
    fn greeting(&self, nonce: [u8; NONCE_BYTES]) -> Greeting {
        Greeting {
            version: PROTOCOL_VERSION,
            required: self.required,
            offered: self.offered,
            incarnation: self.incarnation,
            is_hidden: self.is_hidden,
            nonce,
            name: self.name.as_str().to_owned(),
        }
    }

    /// The checks that both sides make of the other's greeting, in the order of the refusals.
    fn check_greeting(&self, greeting: &Greeting) -> Result<Peer, HandshakeError> {
        if greeting.version != PROTOCOL_VERSION {
            return Err(HandshakeError::BadVersion {
                version: greeting.version,
            });
        }
        let missing = self.required & !greeting.offered;
        let demanded = greeting.required & !self.offered;
        if missing != 0 || demanded != 0 {
            return Err(HandshakeError::Incompatible { missing, demanded });
        }
        let name = NodeName::parse(&greeting.name).map_err(HandshakeError::IllegalName)?;
        if greeting.incarnation == 0 {
            return Err(HandshakeError::Malformed);
        }
        Ok(Peer {
            name,
            incarnation: greeting.incarnation,
            is_hidden: greeting.is_hidden,
            offered: greeting.offered,
            capabilities: greeting.offered & self.offered,
        })
    }
}
