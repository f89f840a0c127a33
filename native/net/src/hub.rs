//! All nodes of this OS process, by handle. All isolates share one hub, as they share the native library.
//!
//! It is never dropped: a thread may still use it while the process runs its exit handlers.

use std::collections::HashMap;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use ring::rand::{SecureRandom, SystemRandom};
use snowmesh_core::handshake::LocalNode;
use snowmesh_core::{NodeName, StrongCookie};

use crate::error::OpenError;
use crate::io::IoLoop;
use crate::lane::{Lane, Wake};
use crate::node::{Node, NodeParts};
use crate::options::NodeOptions;
use crate::tls::TlsConfig;

/// The open nodes of the process.
#[derive(Debug, Default)]
pub struct Hub {
    nodes: Mutex<Nodes>,
}

#[derive(Debug, Default)]
struct Nodes {
    by_handle: HashMap<u32, Arc<Node>>,
    last: u32,
}

impl Hub {
    /// The hub of this process.
    pub fn of_process() -> &'static Self {
        static HUB: OnceLock<&'static Hub> = OnceLock::new();
        HUB.get_or_init(|| Box::leak(Box::default()))
    }

    /// Starts a node with the caller as lane 0, which has a buffer of `rx_bytes`.
    ///
    /// # Errors
    /// Every [`OpenError`] but `UnknownNode` and the table limits.
    pub fn open(
        &self,
        mut options: NodeOptions,
        rx_bytes: usize,
        wake: Box<dyn Wake>,
    ) -> Result<(u32, Arc<Node>, Arc<Lane>), OpenError> {
        options.check()?;
        let name = NodeName::parse(&options.name)?;
        let cookie = StrongCookie::parse(std::mem::take(&mut options.cookie).as_str())?;
        let tls = TlsConfig::generate()?;
        let listener = listen(&options)?;
        let port = listener.local_addr()?.port();
        let name = match name.port() {
            0 => name.with_port(port)?,
            _ => name,
        };
        let incarnation = match options.incarnation {
            0 => random_incarnation()?,
            given => given,
        };
        let local = LocalNode {
            name,
            incarnation,
            is_hidden: options.hidden,
            required: 0,
            offered: 0,
        };
        let poll = mio::Poll::new()?;
        let lane = Arc::new(Lane::new(0, rx_bytes, wake));
        let node = Arc::new(Node::new(NodeParts {
            options,
            name: local.name.as_str().to_owned(),
            incarnation,
            port,
            registry: poll.registry().try_clone()?,
            waker: mio::Waker::new(poll.registry(), crate::io::WAKER)?,
            lane: lane.clone(),
        }));
        let io = IoLoop::new(node.clone(), poll, listener, tls)?;
        let thread = std::thread::Builder::new()
            .name("snowmesh-io".to_owned())
            .spawn(move || io.run(local, cookie))?;
        node.keep_thread(thread);
        let mut nodes = self.nodes.lock();
        nodes.last += 1;
        let handle = nodes.last;
        nodes.by_handle.insert(handle, node.clone());
        Ok((handle, node, lane))
    }

    /// The node with this handle.
    ///
    /// # Errors
    /// [`OpenError::UnknownNode`]
    pub fn node(&self, handle: u32) -> Result<Arc<Node>, OpenError> {
        self.nodes
            .lock()
            .by_handle
            .get(&handle)
            .cloned()
            .ok_or(OpenError::UnknownNode)
    }

    /// Forgets a node that has stopped.
    pub fn forget(&self, handle: u32) {
        self.nodes.lock().by_handle.remove(&handle);
    }
}

fn listen(options: &NodeOptions) -> Result<mio::net::TcpListener, OpenError> {
    let address = format!("{} port {}", options.listen_host, options.listen_port);
    let failed = |source| OpenError::Listen {
        address: address.clone(),
        source,
    };
    // The system's look-up takes an IPv6 address without brackets.
    let host = options.listen_host.trim_start_matches('[').trim_end_matches(']');
    let addresses: Vec<SocketAddr> = (host, options.listen_port)
        .to_socket_addrs()
        .map_err(failed)?
        .collect();
    let mut last = std::io::ErrorKind::AddrNotAvailable.into();
    for address in addresses {
        match mio::net::TcpListener::bind(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(failed(last))
}

/// 64 random bits, never 0, which means "none".
fn random_incarnation() -> Result<u64, OpenError> {
    let mut bytes = [0; 8];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| OpenError::System(std::io::Error::other("no random numbers")))?;
    Ok(u64::from_le_bytes(bytes).max(1))
}
