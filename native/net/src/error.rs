//! Why a node could not be opened or a call was refused. The addon maps each to an error code.

use snowmesh_core::{CookieError, NodeNameError};
use thiserror::Error;

/// A node could not be opened, or a call was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The option named is outside its range.
    #[error("option {0}")]
    BadOption(&'static str),
    /// The cookie is missing or can be guessed.
    #[error(transparent)]
    Cookie(#[from] CookieError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// As given.
        address: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The node name breaks a naming rule.
    #[error(transparent)]
    Name(#[from] NodeNameError),
    /// The system refused a thread or a poll descriptor.
    #[error(transparent)]
    System(#[from] std::io::Error),
    /// Making the ephemeral key or certificate failed.
    #[error("TLS set-up failed: {0}")]
    Tls(String),
    /// 64 isolates are attached already.
    #[error("a node has at most {max} lanes")]
    TooManyLanes {
        /// The limit.
        max: usize,
    },
    /// The identity table is full.
    #[error("more than {max} node identities are known")]
    TooManyNodes {
        /// The limit.
        max: usize,
    },
    /// No node has this handle.
    #[error("no open node has this handle")]
    UnknownNode,
}
