//! One TLS connection. It does not own the socket.

use std::cell::RefCell;
use std::io::{self, BufRead, IoSlice, Read, Write};

use ring::digest;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, Connection, ServerConnection};
use snowmesh_core::handshake::{EXPORTER_BYTES, EXPORTER_LABEL};

use super::TlsConfig;

/// The most bytes sealed at once. More do not stay in the cache: 1.3 instead of 3.1 GB/s measured.
const SEAL_BYTES: usize = 64 * 1024;
/// The plain bytes in one TLS record, and the bytes that the record adds.
const RECORD_BYTES: usize = 16 * 1024;
const RECORD_OVERHEAD: usize = 22;
/// What one call of [`Channel::receive`] reads at most, once the TLS handshake is done.
pub(crate) const RECEIVE_BYTES: usize = 128 * 1024;
/// The same during the TLS handshake.
const HANDSHAKE_BYTES: usize = 16 * 1024;

thread_local! {
    /// Bytes from the socket that rustls has not taken. Each call of [`Channel::receive`] begins and ends with none, so all channels of
    /// a thread share the memory.
    static SEALED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The SHA-256 of a certificate whose key the peer has proved.
pub(crate) type PeerKey = [u8; 32];

#[derive(Debug)]
pub(crate) struct Channel {
    tls: Connection,
    peer_closed: bool,
    /// Sealed bytes that the socket has not taken yet.
    pending: usize,
}

/// What [`Channel::receive`] did.
#[derive(Debug)]
pub(crate) struct Received {
    /// Bytes read from the socket; 0 is the end of the stream.
    pub(crate) bytes: usize,
    /// An error if nothing more can be received. `sink` got the plain bytes of the records before.
    pub(crate) opened: Result<(), ChannelError>,
}

/// TLS failed: a damaged record, another protocol, an alert from the peer.
#[derive(Debug, thiserror::Error)]
#[error("tls: {0}")]
pub(crate) struct ChannelError(String);

impl ChannelError {
    fn of(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl Channel {
    pub(crate) fn dial(config: &TlsConfig) -> Result<Self, ChannelError> {
        let name = ServerName::try_from("snowmesh").map_err(ChannelError::of)?;
        let mut tls = ClientConnection::new(config.client.clone(), name).map_err(ChannelError::of)?;
        tls.set_buffer_limit(None);
        Ok(Self::of(tls.into()))
    }

    pub(crate) fn accept(config: &TlsConfig) -> Result<Self, ChannelError> {
        let mut tls = ServerConnection::new(config.server.clone()).map_err(ChannelError::of)?;
        tls.set_buffer_limit(None);
        Ok(Self::of(tls.into()))
    }

    fn of(tls: Connection) -> Self {
        Self {
            tls,
            peer_closed: false,
            pending: 0,
        }
    }

    pub(crate) fn is_handshaking(&self) -> bool {
        self.tls.is_handshaking()
    }

    /// Whether the peer has closed its sending half (`close_notify`).
    pub(crate) fn peer_closed(&self) -> bool {
        self.peer_closed
    }

    /// The exporter value, which only the two ends of this connection know (RFC 9266).
    pub(crate) fn binding(&self) -> Result<[u8; EXPORTER_BYTES], ChannelError> {
        if self.tls.alpn_protocol().is_none() {
            return Err(ChannelError("the peer does not speak snowmesh/1".to_owned()));
        }
        self.tls
            .export_keying_material([0; EXPORTER_BYTES], EXPORTER_LABEL, Some(b""))
            .map_err(ChannelError::of)
    }

    /// The key that the peer proved in the TLS handshake; `None` before its end.
    pub(crate) fn peer_key(&self) -> Option<PeerKey> {
        let certificate = self.tls.peer_certificates()?.first()?;
        digest::digest(&digest::SHA256, certificate)
            .as_ref()
            .try_into()
            .ok()
    }

    /// Reads once from the socket and opens every whole record; `sink` gets the plain bytes in order, in pieces of any size.
    pub(crate) fn receive(
        &mut self,
        mut socket: impl Read,
        mut sink: impl FnMut(&[u8]),
    ) -> io::Result<Received> {
        let most = if self.is_handshaking() {
            HANDSHAKE_BYTES
        } else {
            RECEIVE_BYTES
        };
        SEALED.with_borrow_mut(|sealed| {
            if sealed.len() < most {
                sealed.resize(most, 0);
            }
            let bytes = socket.read(sealed.get_mut(..most).unwrap_or_default())?;
            let opened = self.open(sealed.get(..bytes).unwrap_or_default(), &mut sink);
            Ok(Received { bytes, opened })
        })
    }

    /// rustls keeps the beginning of an incomplete record. While it does, it reads as much as its buffer holds, a record and more;
    /// with an empty buffer it reads 4 KiB, and shrinks and grows the buffer. So it gets the bytes as they came, not record by record.
    fn open(&mut self, mut sealed: &[u8], sink: &mut impl FnMut(&[u8])) -> Result<(), ChannelError> {
        // What follows `close_notify` is ignored (RFC 8446 section 6.1).
        while !sealed.is_empty() && !self.peer_closed {
            if self.tls.read_tls(&mut sealed).map_err(ChannelError::of)? == 0 {
                return Err(ChannelError("not a TLS record".to_owned()));
            }
            let state = self.tls.process_new_packets();
            // Also when a record is damaged: whole ones may have come before it.
            self.drain(sink)?;
            self.peer_closed |= state.map_err(ChannelError::of)?.peer_has_closed();
        }
        Ok(())
    }

    fn drain(&mut self, sink: &mut impl FnMut(&[u8])) -> Result<(), ChannelError> {
        let mut reader = self.tls.reader();
        loop {
            let taken = match reader.fill_buf() {
                Ok(plain) => {
                    sink(plain);
                    plain.len()
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
                Err(error) => return Err(ChannelError::of(error)),
            };
            if taken == 0 {
                return Ok(());
            }
            reader.consume(taken);
        }
    }

    /// Seals `plain` into the outgoing queue. The queue has no limit of its own: the caller bounds it.
    pub(crate) fn seal(&mut self, plain: &[u8]) -> Result<(), ChannelError> {
        for piece in plain.chunks(SEAL_BYTES) {
            self.tls.writer().write_all(piece).map_err(ChannelError::of)?;
            self.pending += piece.len() + piece.len().div_ceil(RECORD_BYTES) * RECORD_OVERHEAD;
        }
        Ok(())
    }

    /// [`Self::seal`] for bytes in two places, without joining them first.
    pub(crate) fn seal_parts(&mut self, head: &[u8], body: &[u8]) -> Result<(), ChannelError> {
        let (first, rest) = body.split_at(body.len().min(SEAL_BYTES.saturating_sub(head.len())));
        let length = head.len() + first.len();
        let parts = [IoSlice::new(head), IoSlice::new(first)];
        // The queue has no limit, so all bytes are written.
        self.tls
            .writer()
            .write_vectored(&parts)
            .map_err(ChannelError::of)?;
        self.pending += length + length.div_ceil(RECORD_BYTES) * RECORD_OVERHEAD;
        self.seal(rest)
    }

    /// Writes what the socket takes now. `Ok(true)`: nothing is left.
    pub(crate) fn send(&mut self, mut socket: impl Write) -> io::Result<bool> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut socket) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(sent) => self.pending = self.pending.saturating_sub(sent),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.pending = self.pending.max(1);
                    return Ok(false);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.pending = 0;
        Ok(true)
    }

    /// Whether sealed bytes wait for the socket.
    pub(crate) fn has_output(&self) -> bool {
        self.tls.wants_write()
    }

    /// Sealed bytes that wait for the socket.
    pub(crate) fn pending(&self) -> usize {
        self.pending
    }

    /// Drops the bytes that wait for the socket.
    pub(crate) fn drop_output(&mut self) {
        while self.tls.wants_write() {
            if self.tls.write_tls(&mut io::sink()).is_err() {
                break;
            }
        }
        self.pending = 0;
    }

    /// Closes the sending half: queues `close_notify`.
    pub(crate) fn finish(&mut self) {
        self.tls.send_close_notify();
        self.pending = self.pending.max(1);
    }
}
