//! The protocol of snowmesh: bytes in, verdicts and bytes out.
//!
//! | module | what it decides |
//! |---|---|
//! | [`pid`] | how a PID and a reference are packed into integers and shown |
//! | [`term`] | whether a term is well formed; rewrites its PIDs; reference codec |
//! | [`frame`] | where a frame begins and ends, whether its body is legal, fragments |
//! | [`handshake`] | authentication: messages, proofs, both state machines |
//! | [`node_name`], [`cookie`] | which names and cookies are accepted |
//! | [`tie_break`] | which of two connections to the same peer stays |
//!
//! Invariants: no input or output, no clock, no thread, no randomness (nonces and incarnations are
//! parameters), no `unsafe`. Nothing that a peer sends can panic, recurse without bound, or reserve memory
//! that is not covered by bytes that came. Errors name the party at fault.
//!
//! The law is `docs/wire.md`; known answers are in `test/vectors`.
#![forbid(unsafe_code)]
// Bytes of a peer must not be able to panic us: no shortcuts in what ships.
#![cfg_attr(
    not(test),
    deny(
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

pub mod cookie;
pub mod frame;
pub mod handshake;
pub mod node_name;
pub mod pid;
pub mod term;
pub mod tie_break;
mod wire;

pub use cookie::{CookieError, check_cookie};
pub use node_name::{NodeName, NodeNameError};
pub use pid::{Pid, Ref};
