//! Look-ups of host names, each on a thread of its own.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use crate::event::DialReason;
use crate::node::{Command, Node};

/// The addresses of a host and port. Blocks.
type Resolve = fn(&str, u16) -> io::Result<Vec<SocketAddr>>;

/// A look-up can take long and cannot be cancelled, and members choose the hosts of hints and of lost peers: these have no part of
/// the look-ups that this node asked for. Each reason has as many as `ts/node/mesh/mesh.ts` has dials for it.
#[derive(Debug)]
pub(super) struct Lookups {
    node: Arc<Node>,
    pub(super) resolve: Resolve,
    asked: Share,
    lost: Share,
    hinted: Share,
}

/// The look-ups for one reason.
#[derive(Debug)]
struct Share {
    most: usize,
    running: usize,
    /// Host and port of the dials that wait, the oldest first: later dials have greater numbers.
    waiting: BTreeMap<u64, (String, u16)>,
}

impl Lookups {
    pub(super) fn new(node: Arc<Node>) -> Self {
        Self {
            node,
            resolve: |host, port| (host, port).to_socket_addrs().map(Iterator::collect),
            asked: Share::new(16),
            lost: Share::new(24),
            hinted: Share::new(8),
        }
    }

    /// Looks a host up as soon as there is room: [`Command::Resolved`] follows, unless it is withdrawn.
    pub(super) fn request(&mut self, reason: DialReason, dial: u64, host: String, port: u16) {
        self.share(reason).waiting.insert(dial, (host, port));
        self.begin(reason);
    }

    /// Drops a request. False: its look-up has begun.
    pub(super) fn withdraw(&mut self, reason: DialReason, dial: u64) -> bool {
        self.share(reason).waiting.remove(&dial).is_some()
    }

    /// A look-up has ended.
    pub(super) fn ended(&mut self, reason: DialReason) {
        let share = self.share(reason);
        share.running = share.running.saturating_sub(1);
        self.begin(reason);
    }

    fn begin(&mut self, reason: DialReason) {
        while let Some((dial, (host, port))) = self.share(reason).next() {
            let (node, resolve) = (self.node.clone(), self.resolve);
            let started = std::thread::Builder::new()
                .name("snowmesh-dns".to_owned())
                .spawn(move || {
                    let found = resolve(&host, port);
                    node.command(Command::Resolved { dial, reason, found });
                });
            // If the thread did not start, the deadline answers the dial.
            self.share(reason).running += usize::from(started.is_ok());
        }
    }

    fn share(&mut self, reason: DialReason) -> &mut Share {
        match reason {
            DialReason::Asked => &mut self.asked,
            DialReason::Lost => &mut self.lost,
            DialReason::Hinted => &mut self.hinted,
        }
    }
}

impl Share {
    fn new(most: usize) -> Self {
        Self {
            most,
            running: 0,
            waiting: BTreeMap::new(),
        }
    }

    /// Takes the request to begin next, if there is room.
    fn next(&mut self) -> Option<(u64, (String, u16))> {
        (self.running < self.most)
            .then(|| self.waiting.pop_first())
            .flatten()
    }
}
