//! HELLO, CHALLENGE, PROOF and ACK as values; REFUSE is in [`super::error`]. Parsing trusts nothing and ignores unknown
//! trailing bytes.

use super::error::HandshakeError;
use crate::frame::tag;
use crate::wire::{Reader, put_frame, put_name};

/// Bytes of a proof.
pub const MAC_BYTES: usize = 32;
/// Bytes of a nonce.
pub const NONCE_BYTES: usize = 32;
const HIDDEN: u8 = 1;

/// What HELLO and CHALLENGE have in common.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Greeting {
    /// Protocol version.
    pub version: u16,
    /// Capabilities the other side must offer.
    pub required: u64,
    /// Capabilities the sender has.
    pub offered: u64,
    /// The sender's incarnation.
    pub incarnation: u64,
    /// Flag bit 0.
    pub is_hidden: bool,
    /// Random bytes of this handshake.
    pub nonce: [u8; NONCE_BYTES],
    /// The sender's name.
    pub name: String,
}

/// Frame 1, dialler to acceptor.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hello {
    /// The dialler.
    pub greeting: Greeting,
    /// The name that the dialler means to reach.
    pub dialled: String,
}

/// Frame 2, acceptor to dialler.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Challenge {
    /// The acceptor.
    pub greeting: Greeting,
}

/// Frame 3, dialler to acceptor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Proof {
    /// The dialler's MAC.
    pub mac: [u8; MAC_BYTES],
}

/// Frame 4, acceptor to dialler.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ack {
    /// The acceptor's MAC.
    pub mac: [u8; MAC_BYTES],
    /// Whether this connection becomes the session.
    pub decision: Decision,
}

/// What the acceptor decides about a proved connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Decision {
    /// It becomes the session.
    Accepted = 0,
    /// The acceptor keeps, or is making, a connection of its own.
    Duplicate = 1,
}

impl Hello {
    /// The whole frame.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_frame(&mut out, tag::HELLO, |body| {
            self.greeting.put(body);
            put_name(body, self.dialled.as_bytes());
        });
        out
    }

    /// Reads the body of a HELLO.
    ///
    /// # Errors
    /// [`HandshakeError::BadVersion`] if the version differs, otherwise [`HandshakeError::Malformed`].
    pub fn parse(body: &[u8]) -> Result<Self, HandshakeError> {
        let mut reader = Reader::new(body);
        let greeting = Greeting::read(&mut reader)?;
        Ok(Self {
            greeting,
            dialled: read_text(&mut reader)?,
        })
    }
}

impl Challenge {
    /// The whole frame.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_frame(&mut out, tag::CHALLENGE, |body| self.greeting.put(body));
        out
    }

    /// Reads the body of a CHALLENGE.
    ///
    /// # Errors
    /// [`HandshakeError::BadVersion`] if the version differs, otherwise [`HandshakeError::Malformed`].
    pub fn parse(body: &[u8]) -> Result<Self, HandshakeError> {
        Ok(Self {
            greeting: Greeting::read(&mut Reader::new(body))?,
        })
    }
}

impl Proof {
    /// The whole frame.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_frame(&mut out, tag::PROOF, |body| body.extend_from_slice(&self.mac));
        out
    }

    /// Reads the body of a PROOF.
    ///
    /// # Errors
    /// [`HandshakeError::Malformed`].
    pub fn parse(body: &[u8]) -> Result<Self, HandshakeError> {
        Ok(Self {
            mac: Reader::new(body).array()?,
        })
    }
}

impl Ack {
    /// The whole frame.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_frame(&mut out, tag::ACK, |body| {
            body.extend_from_slice(&self.mac);
            body.push(self.decision as u8);
        });
        out
    }

    /// Reads the body of an ACK.
    ///
    /// # Errors
    /// [`HandshakeError::Malformed`], also for an unknown decision.
    pub fn parse(body: &[u8]) -> Result<Self, HandshakeError> {
        let mut reader = Reader::new(body);
        let mac = reader.array()?;
        let decision = match reader.u8()? {
            0 => Decision::Accepted,
            1 => Decision::Duplicate,
            _ => return Err(HandshakeError::Malformed),
        };
        Ok(Self { mac, decision })
    }
}

impl Greeting {
    fn put(&self, body: &mut Vec<u8>) {
        body.extend_from_slice(&self.version.to_le_bytes());
        body.extend_from_slice(&self.required.to_le_bytes());
        body.extend_from_slice(&self.offered.to_le_bytes());
        body.extend_from_slice(&self.incarnation.to_le_bytes());
        body.push(if self.is_hidden { HIDDEN } else { 0 });
        body.extend_from_slice(&self.nonce);
        put_name(body, self.name.as_bytes());
    }

    /// The version comes first because another version may have other fields.
    fn read(reader: &mut Reader<'_>) -> Result<Self, HandshakeError> {
        let version = reader.u16()?;
        if version != super::PROTOCOL_VERSION {
            return Err(HandshakeError::BadVersion { version });
        }
        Ok(Self {
            version,
            required: reader.u64()?,
            offered: reader.u64()?,
            incarnation: reader.u64()?,
            is_hidden: reader.u8()? & HIDDEN != 0,
            nonce: reader.array()?,
            name: read_text(reader)?,
        })
    }
}

fn read_text(reader: &mut Reader<'_>) -> Result<String, HandshakeError> {
    let text = std::str::from_utf8(reader.name()?).map_err(|_| HandshakeError::Malformed)?;
    Ok(text.to_owned())
}
