//! A peer that sends any bytes over TLS, for handshakes and frames that a correct node never sends.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, Connection, DigitallySignedStruct, Error, ServerConfig, SignatureScheme,
};
use snowmesh_core::frame::{Deframer, put_slot};
use snowmesh_core::handshake::{CookieKey, Initiator, InitiatorStep, LocalNode, Peer};
use snowmesh_core::{NodeName, StrongCookie};

pub const ALPN: &[u8] = b"snowmesh/1";

#[derive(Debug)]
struct Trusting;

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[derive(Debug)]
struct Nobody;

impl rustls::client::ResolvesClientCert for Nobody {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<rustls::sign::CertifiedKey>> {
        None
    }
    fn has_certs(&self) -> bool {
        false
    }
}

/// The identity of a peer: a certificate and its key.
#[derive(Clone)]
pub struct Identity(Arc<(CertificateDer<'static>, PrivatePkcs8KeyDer<'static>)>);

impl Identity {
    pub fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(vec!["x".to_owned()])
            .unwrap()
            .self_signed(&key)
            .unwrap();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        Self(Arc::new((certificate.der().clone(), key)))
    }

    /// The one of every peer for which no other is given.
    fn usual() -> Self {
        static USUAL: OnceLock<Identity> = OnceLock::new();
        USUAL.get_or_init(Self::new).clone()
    }

    fn parts(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        (vec![self.0.0.clone()], self.0.1.clone_key().into())
    }
}

pub fn client_config(alpn: &[u8], identity: &Identity) -> Arc<ClientConfig> {
    let (certificates, key) = identity.parts();
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Trusting))
        .with_client_auth_cert(certificates, key)
        .unwrap();
    config.alpn_protocols = vec![alpn.to_vec()];
    Arc::new(config)
}

pub fn server_config() -> Arc<ServerConfig> {
    let (certificates, key) = Identity::new().parts();
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .unwrap();
    config.alpn_protocols = vec![ALPN.to_vec()];
    Arc::new(config)
}

/// A TLS connection with blocking calls.
pub struct Raw {
    pub socket: TcpStream,
    pub tls: Connection,
    pub frames: Deframer,
}

impl Raw {
    /// Connects and finishes TLS.
    pub fn dial(address: SocketAddr) -> std::io::Result<Self> {
        Self::dial_as(address, ALPN)
    }

    /// Finishes TLS as the dialling side.
    pub fn dial_over(socket: TcpStream) -> std::io::Result<Self> {
        let name = ServerName::try_from("x").unwrap();
        let tls = ClientConnection::new(client_config(ALPN, &Identity::usual()), name).unwrap();
        Self::over(socket, tls.into())
    }

    /// As [`Self::dial`], with an identity that is not the usual one.
    pub fn dial_with(address: SocketAddr, identity: &Identity) -> std::io::Result<Self> {
        // Derived before the node's time for a handshake begins: that takes seconds on a busy machine.
        usual_key();
        let name = ServerName::try_from("x").unwrap();
        let tls = ClientConnection::new(client_config(ALPN, identity), name).unwrap();
        Self::over(TcpStream::connect(address)?, tls.into())
    }

    /// Shows no certificate. To the dialling side TLS 1.3 seems to be done before the other one refuses.
    pub fn dial_without_identity(address: SocketAddr) -> std::io::Result<Self> {
        let mut config = ClientConfig::clone(&client_config(ALPN, &Identity::usual()));
        config.client_auth_cert_resolver = Arc::new(Nobody);
        let name = ServerName::try_from("x").unwrap();
        let tls = ClientConnection::new(Arc::new(config), name).unwrap();
        Self::over(TcpStream::connect(address)?, tls.into())
    }

    pub fn dial_as(address: SocketAddr, alpn: &[u8]) -> std::io::Result<Self> {
        let name = ServerName::try_from("x").unwrap();
        let tls = ClientConnection::new(client_config(alpn, &Identity::usual()), name).unwrap();
        Self::over(TcpStream::connect(address)?, tls.into())
    }

    pub fn over(socket: TcpStream, tls: Connection) -> std::io::Result<Self> {
        socket.set_read_timeout(Some(Duration::from_secs(8)))?;
        socket.set_nodelay(true)?;
        let mut raw = Self {
            socket,
            tls,
            frames: Deframer::new(16 << 20),
        };
        while raw.tls.is_handshaking() {
            raw.tls.complete_io(&mut raw.socket)?;
        }
        Ok(raw)
    }

    pub fn exporter(&self) -> [u8; 32] {
        self.tls
            .export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b""))
            .unwrap()
    }

    pub fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.tls.writer().write_all(bytes)?;
        while self.tls.wants_write() {
            self.tls.write_tls(&mut self.socket)?;
        }
        Ok(())
    }

    /// The next frame as tag and body; an error when the connection ends first.
    pub fn frame(&mut self) -> std::io::Result<(u8, Vec<u8>)> {
        loop {
            // What came together with the end, or with the TLS handshake, counts too.
            let ended = self.take_plain();
            if let Some(frame) = self.frames.next_frame().map_err(std::io::Error::other)? {
                return Ok((frame.tag, frame.body.to_vec()));
            }
            if ended? || self.tls.read_tls(&mut self.socket)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            self.tls.process_new_packets().map_err(std::io::Error::other)?;
        }
    }

    fn take_plain(&mut self) -> std::io::Result<bool> {
        let mut plain = [0; 65_536];
        loop {
            match self.tls.reader().read(&mut plain) {
                Ok(0) => return Ok(true),
                Ok(count) => self.frames.push(&plain[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether the other side closes without another frame.
    pub fn is_closed(&mut self) -> bool {
        self.frame()
            .is_err_and(|error| error.kind() != std::io::ErrorKind::WouldBlock)
    }

    /// The honest handshake of the dialling side.
    pub fn prove(&mut self, local: &LocalNode, cookie: &str, dialled: &str) -> Result<Peer, String> {
        let key = match cookie {
            super::COOKIE => usual_key(),
            _ => CookieKey::derive(&StrongCookie::parse(cookie).unwrap()),
        };
        let dialled = NodeName::parse(dialled).unwrap();
        let (mut machine, hello) = Initiator::start(local, &key, &dialled, [7; 32], self.exporter());
        self.write(&hello).map_err(|error| error.to_string())?;
        loop {
            let (tag, body) = self.frame().map_err(|error| error.to_string())?;
            match machine.on_frame(tag, &body).map_err(|error| error.to_string())? {
                InitiatorStep::Send(frame) => self.write(&frame).map_err(|error| error.to_string())?,
                InitiatorStep::Up(peer) => return Ok(peer),
                InitiatorStep::Duplicate(_) => return Err("duplicate".to_owned()),
            }
        }
    }

    /// Becomes a session: proved, and its first frame sent. Number 257 stands for the node.
    pub fn session(node: &super::TestNode, name: &str, incarnation: u64) -> Self {
        Self::session_with(node, name, incarnation, &Identity::usual())
    }

    pub fn session_with(node: &super::TestNode, name: &str, incarnation: u64, identity: &Identity) -> Self {
        let mut raw = Self::dial_with(node.address(), identity).unwrap();
        let peer = raw
            .prove(&local(name, incarnation), super::COOKIE, &node.name)
            .unwrap();
        let mut slot = Vec::new();
        put_slot(&mut slot, 257, peer.incarnation, peer.name.as_str());
        raw.write(&slot).unwrap();
        raw
    }
}

/// The key of the cookie that all nodes of the tests have.
fn usual_key() -> CookieKey {
    static KEY: OnceLock<CookieKey> = OnceLock::new();
    KEY.get_or_init(|| CookieKey::derive(&StrongCookie::parse(super::COOKIE).unwrap()))
        .clone()
}

pub fn local(name: &str, incarnation: u64) -> LocalNode {
    LocalNode {
        name: NodeName::parse(name).unwrap(),
        incarnation,
        is_hidden: false,
        required: 0,
        offered: 0,
    }
}

/// `u32 length | tag | body`.
pub fn frame(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = (u32::try_from(body.len()).unwrap() + 1).to_le_bytes().to_vec();
    out.push(tag);
    out.extend_from_slice(body);
    out
}

/// A listener on a free port of loopback.
pub fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Copies until one side ends or `limit` bytes went from `from` to `to`.
pub fn pump(mut from: TcpStream, mut to: TcpStream, limit: usize) {
    let mut left = limit;
    let mut bytes = [0; 4096];
    while left > 0 {
        let room = left.min(bytes.len());
        match from.read(&mut bytes[..room]) {
            Ok(count @ 1..) if to.write_all(&bytes[..count]).is_ok() => left -= count,
            _ => break,
        }
    }
    let _ = from.shutdown(std::net::Shutdown::Both);
    let _ = to.shutdown(std::net::Shutdown::Both);
}
