//! The dialling side.

use super::digest::{CookieKey, Covered, EXPORTER_BYTES};
use super::error::{HandshakeError, Refusal};
use super::messages::{Ack, Challenge, Decision, Hello, NONCE_BYTES, Proof};
use super::{LocalNode, Peer};
use crate::frame::tag;
use crate::node_name::NodeName;
use crate::wire::put_frame;

/// What the dialler does next.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use]
pub enum InitiatorStep {
    /// Close this connection and wait for the peer's own until the deadline. The peer has proved its identity.
    Duplicate(Peer),
    /// Send this frame and wait for the next.
    Send(Vec<u8>),
    /// The session begins.
    Up(Peer),
}

/// The dialler's state machine. One value per handshake.
#[derive(Debug)]
pub struct Initiator {
    local: LocalNode,
    key: CookieKey,
    exporter: [u8; EXPORTER_BYTES],
    dialled: NodeName,
    state: State,
}

#[derive(Debug)]
enum State {
    AwaitsChallenge { hello: Vec<u8> },
    AwaitsAck { transcript: Vec<u8>, peer: Peer },
    Over,
}

impl Initiator {
    /// Begins, after the TLS handshake; gives the HELLO frame to send. The nonce must be random and used for this
    /// handshake only.
    #[must_use]
    pub fn start(
        local: &LocalNode,
        key: &CookieKey,
        dialled: &NodeName,
        nonce: [u8; NONCE_BYTES],
        exporter: [u8; EXPORTER_BYTES],
    ) -> (Self, Vec<u8>) {
        let hello = Hello {
            greeting: local.greeting(nonce),
            dialled: dialled.as_str().to_owned(),
        }
        .encode();
        let initiator = Self {
            local: local.clone(),
            key: key.clone(),
            exporter,
            dialled: dialled.clone(),
            state: State::AwaitsChallenge { hello: hello.clone() },
        };
        (initiator, hello)
    }

    /// Takes the next frame of the acceptor.
    ///
    /// # Errors
    /// The connection must be closed, after [`HandshakeError::refusal`] was sent if there is one. Every later
    /// frame is out of turn.
    pub fn on_frame(&mut self, tag: u8, body: &[u8]) -> Result<InitiatorStep, HandshakeError> {
        if tag == tag::REFUSE {
            self.state = State::Over;
            return Err(HandshakeError::Refused(Refusal::parse(body)?));
        }
        match (std::mem::replace(&mut self.state, State::Over), tag) {
            (State::AwaitsChallenge { hello }, tag::CHALLENGE) => self.on_challenge(hello, body),
            (State::AwaitsAck { transcript, peer }, tag::ACK) => self.on_ack(&transcript, peer, body),
            _ => Err(HandshakeError::OutOfTurn { tag }),
        }
    }

    fn on_challenge(&mut self, hello: Vec<u8>, body: &[u8]) -> Result<InitiatorStep, HandshakeError> {
        let peer = self.local.check_greeting(&Challenge::parse(body)?.greeting)?;
        if peer.name == self.local.name {
            return Err(HandshakeError::OwnName);
        }
        if peer.name != self.dialled {
            let [expected, found] = [&self.dialled, &peer.name].map(|name| name.as_str().to_owned());
            return Err(HandshakeError::WrongName { expected, found });
        }
        let mut transcript = hello;
        put_frame(&mut transcript, tag::CHALLENGE, |challenge| {
            challenge.extend_from_slice(body);
        });
        let covered = Covered {
            decision: None,
            exporter: &self.exporter,
            transcript: &transcript,
        };
        let proof = Proof {
            mac: self.key.sign(&covered),
        }
        .encode();
        self.state = State::AwaitsAck { transcript, peer };
        Ok(InitiatorStep::Send(proof))
    }

    fn on_ack(&self, transcript: &[u8], peer: Peer, body: &[u8]) -> Result<InitiatorStep, HandshakeError> {
        let Ack { mac, decision } = Ack::parse(body)?;
        let covered = Covered {
            decision: Some(decision),
            exporter: &self.exporter,
            transcript,
        };
        self.key.verify(&covered, &mac)?;
        Ok(match decision {
            Decision::Accepted => InitiatorStep::Up(peer),
            Decision::Duplicate => InitiatorStep::Duplicate(peer),
        })
    }
}
