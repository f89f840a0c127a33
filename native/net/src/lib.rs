//! The node's sockets, TLS, sessions and threads. Knows bytes and peers; does not know JavaScript.
//!
//! | module | what it is |
//! |---|---|
//! | [`hub`] | all nodes of the process |
//! | [`node`] | one started node: its tables, and what lanes may ask of it |
//! | [`lane`], [`batch`] | an isolate as a receiver: inbox, wake-up, what one call carries |
//! | [`node::session`] | one authenticated connection: reading, writing, streams, end |
//! | `io` | the node's thread: accept, dial, shake hands, ticks, stalls, draining |
//! | `tls` | the only place that knows rustls |
//!
//! Invariants: nothing here blocks a caller; every queue has a limit in [`options`]; what a peer sends can end its
//! session and nothing else; the order of one session's frames is the order every lane sees.
#![forbid(unsafe_code)]

mod announcements;
pub mod batch;
mod error;
mod event;
pub mod hub;
mod identities;
mod io;
pub mod lane;
pub mod node;
pub mod options;
pub mod spares;
mod tls;
pub mod trim;
mod tune;
pub mod watch;

pub use batch::{Batch, Filled};
pub use error::OpenError;
pub use event::{DownCause, ENTRY_HEADER};
pub use hub::Hub;
pub use lane::{Lane, Wake};
pub use node::session::{Read, Session};
pub use node::{Node, NodeStats};
pub use options::{NodeOptions, Reader};
