//! TLS 1.3 for one connection: bytes from the socket in, plain bytes out, and back.
//!
//! For: hiding rustls from the rest of the crate, so that moving to another version of it stays in this folder.
//! Guarantees: TLS 1.3 only, the protocol name is negotiated, no resumption, no early data. Both ends show a certificate
//! and prove its key; none is ever *trusted* - the caller proves the cookie over [`Channel::binding`], which only the two
//! ends of this very TLS connection share. [`Channel::peer_key`] tells one node from another that has the same cookie.
//! Must not know: frames, names, cookies.
//!
//! Why the buffered interface of rustls: the exporter (the binding) is offered by no other in 0.23. Its outgoing
//! queue holds sealed records and is written with one vectored call, so it doubles as the session's outbox.

mod channel;
mod config;
mod verify;

pub(crate) use channel::{Channel, PeerKey, RECEIVE_BYTES};
pub(crate) use config::TlsConfig;
