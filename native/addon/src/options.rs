//! The options with which JavaScript opens a node.

use napi::bindgen_prelude::BigInt;
use napi_derive::napi;
use snowmesh_net::{NodeOptions, Reader};

use crate::errors::{Code, Error, Result};

/// How a node's sockets behave.
#[napi(object)]
pub struct OpenOptions {
    /// Full node name.
    pub name: String,
    /// Address to listen on.
    pub listen_host: String,
    /// Port to listen on; 0 takes any.
    pub listen_port: u32,
    /// The shared secret.
    pub cookie: String,
    /// The incarnation of this start; none: random.
    pub incarnation: Option<BigInt>,
    /// Peers do not tell other nodes of it.
    pub hidden: Option<bool>,
    /// Silence after which a PING is sent.
    pub tick_ms: Option<u32>,
    /// Silence after which a session ends.
    pub down_ms: Option<u32>,
    /// From connect or accept to authenticated.
    pub handshake_ms: Option<u32>,
    /// Unauthenticated connections at once.
    pub max_handshakes: Option<u32>,
    /// Largest message accepted.
    pub max_message: Option<u32>,
    /// Undelivered bytes a lane holds.
    pub inbox_bytes: Option<u32>,
    /// Unsent bytes a session holds.
    pub outbox_bytes: Option<u32>,
    /// Which thread reads the sockets.
    #[napi(ts_type = "'loop' | 'thread'")]
    pub reader: Option<String>,
    /// Longest busy wait in microseconds.
    pub spin_us: Option<u32>,
}

impl OpenOptions {
    /// The options of the node; options that are not given have their defaults.
    pub(crate) fn into_node_options(self) -> Result<NodeOptions> {
        let given = self;
        let bad = |what: &str| Error::new(Code::BadOption, what.to_owned());
        let base = NodeOptions::default();
        Ok(NodeOptions {
            name: given.name,
            listen_host: given.listen_host,
            listen_port: u16::try_from(given.listen_port)
                .map_err(|_| bad("listenPort must be at most 65 535"))?,
            cookie: given.cookie.into(),
            incarnation: given.incarnation.map_or(0, |incarnation| incarnation.get_u64().1),
            hidden: given.hidden.unwrap_or(base.hidden),
            tick_ms: given.tick_ms.unwrap_or(base.tick_ms),
            down_ms: given.down_ms.unwrap_or(base.down_ms),
            handshake_ms: given.handshake_ms.unwrap_or(base.handshake_ms),
            max_handshakes: given.max_handshakes.unwrap_or(base.max_handshakes),
            max_message: given.max_message.unwrap_or(base.max_message),
            inbox_bytes: given.inbox_bytes.unwrap_or(base.inbox_bytes),
            outbox_bytes: given.outbox_bytes.unwrap_or(base.outbox_bytes),
            reader: match given.reader.as_deref() {
                None | Some("loop") => Reader::Loop,
                Some("thread") => Reader::Thread,
                Some(_) => return Err(bad("reader must be 'loop' or 'thread'")),
            },
            spin_us: given.spin_us.unwrap_or(base.spin_us),
        })
    }
}
