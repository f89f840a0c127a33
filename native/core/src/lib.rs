//! The protocol of snowmesh, without input or output: it checks, rewrites and builds bytes.
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
//! parameters), no `unsafe`. No bytes from a peer cause a panic, unbounded recursion, or an allocation out of
//! proportion to the bytes received. Errors name the party at fault.
//!
//! The specification is `docs/wire.md`; known answers are in `test/vectors`.
#![forbid(unsafe_code)]
// Bytes from a peer must not cause a panic, so the shipped code uses none of these.
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

pub use cookie::{CookieError, StrongCookie};
pub use node_name::{NodeName, NodeNameError};
pub use pid::{Pid, Ref};
