//! Outgoing connections: looks up the host, tries its addresses in turn, answers every request exactly once.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::time::Instant;

use mio::net::TcpStream;
use snowmesh_core::NodeName;

use super::IoLoop;
use super::deadlines::Due;
use crate::event::{Body, CONNECT_RESULT, ConnectStatus};
use crate::node::{Command, DialRequest};

/// The most host names looked up at once. A look-up can take long and cannot be cancelled.
const MAX_LOOKUPS: usize = 8;

/// One attempt to reach a name, for all requests of that name.
#[derive(Debug)]
pub(super) struct Dial {
    pub(super) name: NodeName,
    requests: Vec<u32>,
    host: String,
    port: u16,
    addresses: VecDeque<SocketAddr>,
    pub(super) state: DialState,
    /// Why the last address failed.
    failure: (ConnectStatus, String),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum DialState {
    /// The host name waits to be looked up.
    Queued,
    LookingUp,
    /// This handshake is in progress.
    Connecting(usize),
    /// The peer keeps or makes its own connection, which must come up before the deadline.
    AwaitingPeer,
}

impl IoLoop {
    pub(super) fn dial(&mut self, request: DialRequest) {
        let DialRequest {
            request,
            name,
            host,
            port,
        } = request;
        if self.stopping {
            return self.answer(request, ConnectStatus::Stopping, "this node stops");
        }
        if name == self.node.name {
            return self.answer(request, ConnectStatus::WrongName, "this is the node's own name");
        }
        if self.node.session_of(&name).is_some() {
            return self.answer(request, ConnectStatus::Up, "");
        }
        let name = match NodeName::parse(&name) {
            Ok(name) => name,
            Err(error) => return self.answer(request, ConnectStatus::WrongName, &error.to_string()),
        };
        if let Some(dial) = self.dials.values_mut().find(|dial| dial.name == name) {
            return dial.requests.push(request);
        }
        self.last_dial += 1;
        let id = self.last_dial;
        let literal = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>();
        let addresses = literal.iter().map(|ip| SocketAddr::new(*ip, port)).collect();
        self.dials.insert(
            id,
            Dial {
                name,
                requests: vec![request],
                host,
                port,
                addresses,
                state: DialState::Queued,
                failure: (ConnectStatus::Dns, "the host has no address".to_owned()),
            },
        );
        self.deadlines
            .set(Instant::now() + self.node.options.handshake(), Due::Dial(id));
        if literal.is_ok() {
            self.try_next_address(id);
        } else {
            self.look_up();
        }
    }

    /// Whether a dial of ours competes with an incoming connection of that name.
    pub(super) fn is_dialling(&self, name: &str) -> bool {
        self.dials
            .values()
            .any(|dial| dial.name.as_str() == name && dial.state != DialState::AwaitingPeer)
    }

    /// A session with this name is up: answers the requests that wait for it and drops our own attempt.
    pub(super) fn dial_done(&mut self, name: &str) {
        let found = self
            .dials
            .iter()
            .find(|(_, dial)| dial.name.as_str() == name)
            .map(|(id, _)| *id);
        if let Some(id) = found {
            self.end_dial(id, ConnectStatus::Up, "");
        }
    }

    /// The connection to one address failed: tries the next address, or ends the dial.
    pub(super) fn dial_failed(&mut self, id: u64, status: ConnectStatus, detail: String) {
        let Some(dial) = self.dials.get_mut(&id) else {
            return;
        };
        dial.failure = (status, detail);
        // Another address is tried only if nothing accepted this one: the answer of a peer is final.
        if status != ConnectStatus::Refused {
            dial.addresses.clear();
        }
        self.try_next_address(id);
    }

    pub(super) fn dial_expired(&mut self, id: u64) {
        let Some(dial) = self.dials.get(&id) else { return };
        if dial.state == DialState::AwaitingPeer {
            self.end_dial(
                id,
                ConnectStatus::Duplicate,
                "the peer's own connection never came",
            );
        } else {
            self.end_dial(id, ConnectStatus::Timeout, "no answer in time");
        }
    }

    pub(super) fn refuse_dials(&mut self) {
        for id in self.dials.keys().copied().collect::<Vec<_>>() {
            self.end_dial(id, ConnectStatus::Stopping, "this node stops");
        }
    }

    /// A look-up ended. The dial it was for may have ended before.
    pub(super) fn resolved(&mut self, id: u64, found: std::io::Result<Vec<SocketAddr>>) {
        self.lookups = self.lookups.saturating_sub(1);
        if let Some(dial) = self.dials.get_mut(&id) {
            match found {
                Ok(addresses) => dial.addresses = addresses.into(),
                Err(error) => dial.failure = (ConnectStatus::Dns, error.to_string()),
            }
            self.try_next_address(id);
        }
        self.look_up();
    }

    fn look_up(&mut self) {
        for (&id, dial) in self
            .dials
            .iter_mut()
            .filter(|(_, dial)| dial.state == DialState::Queued)
        {
            if self.lookups >= MAX_LOOKUPS {
                return;
            }
            let node = self.node.clone();
            let (host, port) = (dial.host.clone(), dial.port);
            let started = std::thread::Builder::new()
                .name("snowmesh-dns".to_owned())
                .spawn(move || {
                    let found = (host.as_str(), port).to_socket_addrs().map(Iterator::collect);
                    node.command(Command::Resolved { dial: id, found });
                });
            // If the thread did not start, the deadline answers the dial.
            dial.state = DialState::LookingUp;
            self.lookups += usize::from(started.is_ok());
        }
    }

    fn try_next_address(&mut self, id: u64) {
        loop {
            let Some(dial) = self.dials.get_mut(&id) else {
                return;
            };
            let Some(address) = dial.addresses.pop_front() else {
                let (status, detail) = dial.failure.clone();
                return self.end_dial(id, status, &detail);
            };
            let name = dial.name.clone();
            match TcpStream::connect(address).and_then(|stream| self.begin_dial(id, name, stream)) {
                Ok(token) => {
                    if let Some(dial) = self.dials.get_mut(&id) {
                        dial.state = DialState::Connecting(token);
                    }
                    return;
                }
                Err(error) => {
                    if let Some(dial) = self.dials.get_mut(&id) {
                        dial.failure = (ConnectStatus::Refused, format!("{address}: {error}"));
                    }
                }
            }
        }
    }

    fn end_dial(&mut self, id: u64, status: ConnectStatus, detail: &str) {
        let Some(dial) = self.dials.remove(&id) else {
            return;
        };
        if let DialState::Connecting(token) = dial.state {
            self.drop_handshake(token);
        }
        for request in dial.requests {
            self.answer(request, status, detail);
        }
    }

    fn answer(&self, request: u32, status: ConnectStatus, detail: &str) {
        self.node.push_to_first(
            0,
            CONNECT_RESULT,
            Body::new().u32(request).u8(status as u8).text(detail).bytes(),
        );
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::lane::{Lane, Wake};
    use crate::node::{Node, NodeParts};
    use crate::options::NodeOptions;
    use crate::tls::TlsConfig;

    struct NoWake;

    impl Wake for NoWake {
        fn wake(&self) {}
    }

    /// An I/O loop that does not run: the test calls it.
    fn io_loop() -> IoLoop {
        let poll = mio::Poll::new().unwrap();
        let listener = mio::net::TcpListener::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let node = Arc::new(Node::new(NodeParts {
            options: NodeOptions::default(),
            name: "a@127.0.0.1:1".to_owned(),
            incarnation: 1,
            port: 1,
            registry: poll.registry().try_clone().unwrap(),
            waker: mio::Waker::new(poll.registry(), crate::io::WAKER).unwrap(),
            lane: Arc::new(Lane::new(0, 1 << 20, Box::new(NoWake))),
        }));
        IoLoop::new(node, poll, listener, TlsConfig::generate().unwrap()).unwrap()
    }

    #[test]
    fn a_late_lookup_of_an_ended_dial_gives_the_next_dial_of_that_name_no_addresses() {
        let mut io = io_loop();
        let begin = |io: &mut IoLoop, request, host: &str| {
            io.dial(DialRequest {
                request,
                name: "b@b.invalid:1".to_owned(),
                host: host.to_owned(),
                port: 1,
            });
            io.last_dial
        };
        let first = begin(&mut io, 1, "slow.invalid");
        io.dial_expired(first);
        let second = begin(&mut io, 2, "other.invalid");
        io.resolved(first, Ok(vec![([127, 0, 0, 1], 1).into()]));
        let dial = &io.dials[&second];
        assert_eq!(dial.state, DialState::LookingUp);
        assert!(dial.addresses.is_empty());
    }
}
