//! Sockets, TLS, sessions and threads of a node. Must not know: JavaScript.
//!
//! | module | what it is |
//! |---|---|
//! | [`hub`] | all nodes of the process |
//! | [`node`] | one started node: its tables, and what lanes may ask of it |
//! | [`lane`], [`batch`] | an isolate as a receiver: inbox, wake-up, what one call carries |
//! | [`node::session`] | one authenticated connection: reading, writing, streams, end |
//! | `io` | the node's thread: accept, dial, shake hands, ticks, stalls, draining |
//! | `tls` | the only module that uses rustls |
//! | [`buffer_pool`], [`trim`] | memory of long messages: kept for reuse, then returned to the system |
//!
//! Invariants: no call blocks except [`Hub::open`] (which may look up a host name), [`Node::join`] and
//! [`Node::abort`]; every queue has a limit in [`options`]; what a peer sends can end its session and nothing else;
//! every lane sees the frames of one session in the order in which they were sent.
#![forbid(unsafe_code)]
// What a peer sends must not cause a panic, so the shipped code uses none of these.
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

pub mod batch;
pub mod buffer_pool;
mod error;
mod event;
pub mod hub;
mod identities;
mod io;
pub mod lane;
mod network;
pub mod node;
mod numbers;
pub mod options;
mod shares;
mod tls;
pub mod trim;
mod tune;
pub mod watch;

pub use batch::{Batch, Filled};
pub use error::OpenError;
pub use event::{DialReason, DownCause, ENTRY_HEADER};
pub use hub::Hub;
pub use lane::{Lane, Wake};
pub use node::session::{Read, Session};
pub use node::{Node, NodeStats};
pub use options::{Cookie, NodeOptions, Reader};
