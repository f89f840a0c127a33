//! Connections that are not sessions yet: TLS, then the cookie handshake, all without blocking.
//!
//! Silent or slow peers cost memory only, which the cap bounds, until the deadline (T5).

use std::io;
use std::net::IpAddr;
use std::time::Instant;

use mio::net::TcpStream;
use mio::{Interest, Token};
use ring::rand::{SecureRandom, SystemRandom};
use snowmesh_core::NodeName;
use snowmesh_core::frame::Frame;
use snowmesh_core::handshake::{
    Acceptor, AcceptorStep, HandshakeError, Initiator, InitiatorStep, NONCE_BYTES, Peer,
};

use super::admission::Stage;
use super::handshake::{Handshake, Role};
use super::{HANDSHAKE_TOKENS, IoLoop};
use crate::event::ConnectStatus;
use crate::tls::{Channel, Received};
use crate::tune;

/// What advancing a handshake led to.
enum Outcome {
    /// More bytes are needed.
    Waits,
    /// The incoming peer proved its identity; the node must decide.
    Proved(Peer),
    /// Our dial was accepted as a session.
    Up(Peer),
    /// The peer prefers its own connection to our dial.
    Duplicate,
    /// The connection failed; the text is for the answer to our dial.
    Broken(ConnectStatus, String),
    Failed(HandshakeError),
}

impl IoLoop {
    pub(super) fn begin_accept(&mut self, stream: TcpStream, address: IpAddr) -> io::Result<()> {
        let channel = Channel::accept(&self.tls).map_err(io::Error::other)?;
        let token = self.begin(stream, channel, Role::Accept(None))?;
        self.admission.enter(token, address);
        self.handshake_expired(token); // sets its first deadline
        Ok(())
    }

    pub(super) fn begin_dial(&mut self, dial: u64, name: NodeName, stream: TcpStream) -> io::Result<usize> {
        let channel = Channel::dial(&self.tls).map_err(io::Error::other)?;
        self.begin(
            stream,
            channel,
            Role::Dial {
                dial,
                name,
                machine: None,
            },
        )
    }

    fn begin(&mut self, mut stream: TcpStream, channel: Channel, role: Role) -> io::Result<usize> {
        self.last_handshake += 1;
        let token = HANDSHAKE_TOKENS + self.last_handshake;
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll
            .registry()
            .register(&mut stream, Token(token), interest)?;
        tune::disable_nagle(&stream);
        self.handshakes
            .insert(token, Handshake::new(stream, channel, role));
        self.count_handshakes();
        Ok(token)
    }

    /// The socket of a handshake is ready.
    pub(super) fn drive(&mut self, token: usize) {
        let Some(mut handshake) = self.handshakes.remove(&token) else {
            return;
        };
        match self.advance(&mut handshake) {
            Outcome::Waits => {
                self.admission.reach(token, handshake.stage);
                self.handshakes.insert(token, handshake);
                return;
            }
            Outcome::Proved(peer) => match self.identify(&handshake, &peer) {
                Ok(nc) => self.decide(handshake, &peer, nc),
                Err(error) => self.refuse(handshake, &error),
            },
            Outcome::Up(peer) => match self.identify(&handshake, &peer) {
                Ok(nc) => self.establish(handshake, &peer, nc, true),
                Err(error) => self.fail_dial_with(&handshake, &error),
            },
            Outcome::Duplicate => self.await_peer(&handshake),
            Outcome::Broken(status, detail) => self.fail_dial(&handshake, status, detail),
            Outcome::Failed(error) => self.refuse(handshake, &error),
        }
        self.admission.leave(token);
        self.count_handshakes();
    }

    pub(super) fn drop_handshake(&mut self, token: usize) {
        if let Some(mut handshake) = self.handshakes.remove(&token) {
            self.admission.leave(token);
            let _ = self.poll.registry().deregister(&mut handshake.stream);
            self.count_handshakes();
        }
    }

    pub(super) fn drop_handshakes(&mut self) {
        self.handshakes.clear();
        self.count_handshakes();
    }

    fn count_handshakes(&self) {
        let count = self.handshakes.len() as u64;
        self.node
            .counters
            .handshakes
            .store(count, std::sync::atomic::Ordering::Relaxed);
    }

    fn advance(&mut self, handshake: &mut Handshake) -> Outcome {
        if let Role::Dial { .. } = handshake.role
            && handshake.stage == Stage::Connected
        {
            if let Ok(Some(error)) | Err(error) = handshake.stream.take_error() {
                return Outcome::Broken(ConnectStatus::Refused, error.to_string());
            }
            if handshake.stream.peer_addr().is_err() {
                return Outcome::Waits;
            }
        }
        loop {
            let has_sent = handshake.channel.has_output();
            if let Err(error) = handshake.channel.send(&handshake.stream) {
                return Outcome::Broken(ConnectStatus::Refused, error.to_string());
            }
            if has_sent {
                handshake.sent_at = Instant::now();
            }
            let frames = &mut handshake.frames;
            let received = handshake
                .channel
                .receive(&handshake.stream, |plain| frames.push(plain));
            let opened = match received {
                Ok(Received { bytes: 0, .. }) => {
                    let text = "the peer closed the connection during the handshake";
                    return Outcome::Broken(ConnectStatus::Refused, text.to_owned());
                }
                Ok(Received { opened, .. }) => opened,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Outcome::Waits,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Outcome::Broken(ConnectStatus::Refused, error.to_string()),
            };
            handshake.reach(Stage::Bytes);
            handshake.round_trip = handshake.round_trip.min(handshake.sent_at.elapsed());
            if let Err(error) = opened {
                // The channel may hold an alert for the peer.
                let _ = handshake.channel.send(&handshake.stream);
                return Outcome::Broken(ConnectStatus::Incompatible, error.to_string());
            }
            match self.step(handshake) {
                Ok(None) => {}
                Ok(Some(outcome)) => return outcome,
                Err(error) => return Outcome::Failed(error),
            }
        }
    }

    /// Passes received frames to the state machine, which is made when TLS is done.
    fn step(&mut self, handshake: &mut Handshake) -> Result<Option<Outcome>, HandshakeError> {
        if handshake.channel.is_handshaking() {
            return Ok(None);
        }
        if handshake.stage < Stage::Tls {
            handshake.reach(Stage::Tls);
            if let Err(text) = self.start_machine(handshake) {
                return Ok(Some(Outcome::Broken(ConnectStatus::Incompatible, text)));
            }
        }
        loop {
            let Frame { tag, body } = match handshake.frames.next_frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => return Ok(None),
                Err(_) => return Err(HandshakeError::Malformed),
            };
            let answer = match &mut handshake.role {
                Role::Accept(Some(acceptor)) => match acceptor.on_frame(tag, body)? {
                    AcceptorStep::Proved(peer) => return Ok(Some(Outcome::Proved(peer))),
                    AcceptorStep::Send(frame) => frame,
                },
                Role::Dial {
                    machine: Some(initiator),
                    ..
                } => match initiator.on_frame(tag, body)? {
                    InitiatorStep::Duplicate(_) => return Ok(Some(Outcome::Duplicate)),
                    InitiatorStep::Send(frame) => frame,
                    InitiatorStep::Up(peer) => return Ok(Some(Outcome::Up(peer))),
                },
                _ => return Err(HandshakeError::Malformed),
            };
            if handshake.stage < Stage::Hello {
                handshake.reach(Stage::Hello);
                handshake.hello_at = self.next_moment();
            }
            if let Err(error) = handshake.channel.seal(&answer) {
                return Ok(Some(Outcome::Broken(
                    ConnectStatus::Incompatible,
                    error.to_string(),
                )));
            }
        }
    }

    fn start_machine(&self, handshake: &mut Handshake) -> Result<(), String> {
        let exporter = handshake.channel.binding().map_err(|error| error.to_string())?;
        let mut nonce = [0; NONCE_BYTES];
        SystemRandom::new()
            .fill(&mut nonce)
            .map_err(|_| "no random numbers".to_owned())?;
        let Some((local, key)) = &self.identity else {
            return Err("not ready".to_owned());
        };
        match &mut handshake.role {
            Role::Accept(acceptor) => *acceptor = Some(Acceptor::start(local, key, nonce, exporter)),
            Role::Dial { name, machine, .. } => {
                let (initiator, hello) = Initiator::start(local, key, name, nonce, exporter);
                *machine = Some(initiator);
                handshake
                    .channel
                    .seal(&hello)
                    .map_err(|error| error.to_string())?;
            }
        }
        Ok(())
    }

    /// This node's number of a peer that proved the cookie; an error if its key is not that of the first session of that
    /// incarnation, or if there is no number left for it.
    fn identify(&self, handshake: &Handshake, peer: &Peer) -> Result<u32, HandshakeError> {
        let key = handshake.channel.peer_key().ok_or(HandshakeError::OtherKey)?;
        let address = handshake.address();
        self.node
            .number_proved(peer.name.as_str(), peer.incarnation, address, &key)
            .map_err(|_| HandshakeError::Busy)?
            .ok_or(HandshakeError::OtherKey)
    }

    fn await_peer(&mut self, handshake: &Handshake) {
        if let Role::Dial { dial, .. } = handshake.role
            && let Some(dial) = self.dials.get_mut(&dial)
        {
            dial.state = super::dialer::DialState::AwaitingPeer;
        }
    }

    /// Reports a failed connection to the dial it was made for, if there is one.
    pub(super) fn fail_dial(&mut self, handshake: &Handshake, status: ConnectStatus, detail: String) {
        if let Role::Dial { dial, .. } = handshake.role {
            self.dial_failed(dial, status, detail);
        }
    }
}
