//! The accepting side.

use super::digest::{CookieKey, Covered, EXPORTER_BYTES};
use super::error::{HandshakeError, Refusal};
use super::messages::{Ack, Challenge, Decision, Hello, NONCE_BYTES, Proof};
use super::{LocalNode, Peer};
use crate::frame::tag;
use crate::node_name::NodeName;
use crate::wire::put_frame;

/// What the acceptor does next.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use]
pub enum AcceptorStep {
    /// The peer has proved itself: ask [`crate::tie_break::tie_break`], then [`Acceptor::decide`].
    Proved(Peer),
    /// Send this frame and wait for the next.
    Send(Vec<u8>),
}

/// The acceptor's state machine. One value per handshake.
#[derive(Debug)]
pub struct Acceptor {
    local: LocalNode,
    key: CookieKey,
    nonce: [u8; NONCE_BYTES],
    exporter: [u8; EXPORTER_BYTES],
    state: State,
    claimed: Option<String>,
}

#[derive(Debug)]
enum State {
    AwaitsHello,
    AwaitsProof { transcript: Vec<u8>, peer: Peer },
    Undecided { transcript: Vec<u8> },
    Over,
}

impl Acceptor {
    /// Waits for HELLO, after the TLS handshake. The nonce must be random and used for this handshake only.
    #[must_use]
    pub fn start(
        local: &LocalNode,
        key: &CookieKey,
        nonce: [u8; NONCE_BYTES],
        exporter: [u8; EXPORTER_BYTES],
    ) -> Self {
        let (local, key) = (local.clone(), key.clone());
        Self {
            local,
            key,
            nonce,
            exporter,
            state: State::AwaitsHello,
            claimed: None,
        }
    }

    /// Takes the next frame of the dialler.
    ///
    /// # Errors
    /// The connection must be closed, after [`HandshakeError::refusal`] was sent if there is one. Every later
    /// frame is out of turn.
    pub fn on_frame(&mut self, tag: u8, body: &[u8]) -> Result<AcceptorStep, HandshakeError> {
        if tag == tag::REFUSE {
            self.state = State::Over;
            return Err(HandshakeError::Refused(Refusal::parse(body)?));
        }
        match (std::mem::replace(&mut self.state, State::Over), tag) {
            (State::AwaitsHello, tag::HELLO) => self.on_hello(body),
            (State::AwaitsProof { transcript, peer }, tag::PROOF) => self.on_proof(transcript, peer, body),
            _ => Err(HandshakeError::OutOfTurn { tag }),
        }
    }

    /// Answers a proved peer; gives the ACK frame to send. `None` unless [`AcceptorStep::Proved`] came just
    /// before.
    #[must_use]
    pub fn decide(&mut self, decision: Decision) -> Option<Vec<u8>> {
        let State::Undecided { transcript } = std::mem::replace(&mut self.state, State::Over) else {
            return None;
        };
        let covered = Covered {
            decision: Some(decision),
            exporter: &self.exporter,
            transcript: &transcript,
        };
        Some(
            Ack {
                mac: self.key.sign(&covered),
                decision,
            }
            .encode(),
        )
    }

    /// The legal name that the dialler claimed, for a log line. It may not be proved yet.
    #[must_use]
    pub fn claimed_name(&self) -> Option<&str> {
        self.claimed.as_deref()
    }

    fn on_hello(&mut self, body: &[u8]) -> Result<AcceptorStep, HandshakeError> {
        let hello = Hello::parse(body)?;
        let peer = self.local.check_greeting(&hello.greeting)?;
        self.claimed = Some(hello.greeting.name);
        if peer.name == self.local.name {
            return Err(HandshakeError::OwnName);
        }
        if hello.dialled != self.local.name.as_str() {
            // The error is logged, and a text that is not a name could contain anything.
            let expected = match NodeName::parse(&hello.dialled) {
                Ok(_) => hello.dialled,
                Err(_) => "an illegal name".to_owned(),
            };
            let found = self.local.name.as_str().to_owned();
            return Err(HandshakeError::WrongName { expected, found });
        }
        let challenge = Challenge {
            greeting: self.local.greeting(self.nonce),
        }
        .encode();
        let mut transcript = Vec::with_capacity(body.len() + 5 + challenge.len());
        put_frame(&mut transcript, tag::HELLO, |hello| hello.extend_from_slice(body));
        transcript.extend_from_slice(&challenge);
        self.state = State::AwaitsProof { transcript, peer };
        Ok(AcceptorStep::Send(challenge))
    }

    fn on_proof(
        &mut self,
        transcript: Vec<u8>,
        peer: Peer,
        body: &[u8],
    ) -> Result<AcceptorStep, HandshakeError> {
        let covered = Covered {
            decision: None,
            exporter: &self.exporter,
            transcript: &transcript,
        };
        self.key.verify(&covered, &Proof::parse(body)?.mac)?;
        self.state = State::Undecided { transcript };
        Ok(AcceptorStep::Proved(peer))
    }
}
