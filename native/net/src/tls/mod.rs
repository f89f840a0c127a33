//! TLS 1.3 for one connection.
//!
//! For: keeping rustls out of the rest of the crate, so that only this folder changes with a new version of it.
//! Guarantees: TLS 1.3 only, the protocol name is negotiated, no resumption, no early data. Both ends show a certificate
//! and prove its key; no certificate is *trusted*: the caller proves the cookie over [`Channel::binding`], which only the
//! two ends of this TLS connection share. [`Channel::peer_key`] tells one node from another that has the same cookie.
//! Must not know: frames, names, cookies.
//!
//! This uses the buffered interface of rustls, because in 0.23 no other gives the exporter value (the binding). Its outgoing
//! queue holds sealed records and is written with one vectored call, so it is also the session's outbox.

mod channel;
mod config;
#[cfg(test)]
mod tests;
mod verify;

pub(crate) use channel::{Channel, PeerKey, RECEIVE_BYTES, Received};
pub(crate) use config::TlsConfig;
