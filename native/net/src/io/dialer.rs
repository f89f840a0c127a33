//! Outgoing connections: looks up the host, tries its addresses in turn, answers every request exactly once.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use snowmesh_core::NodeName;

use super::IoLoop;
use super::admission::Stage;
use super::deadlines::Due;
use crate::event::{Body, CONNECT_RESULT, ConnectStatus, DialReason};
use crate::node::DialRequest;

/// The least time for an address that does not answer, if there are others.
const ADDRESS_LEAST: Duration = Duration::from_secs(1);
const TOO_LATE: &str = "no answer in time";

/// One attempt to reach a name, for all requests of that name.
#[derive(Debug)]
pub(super) struct Dial {
    pub(super) name: NodeName,
    requests: Vec<u32>,
    reason: DialReason,
    addresses: VecDeque<SocketAddr>,
    /// When it fails, whatever it is doing.
    until: Instant,
    pub(super) state: DialState,
    /// Why the last address failed.
    failure: (ConnectStatus, String),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum DialState {
    /// The host name is looked up, or waits for that.
    LookingUp,
    /// The time is over, but the look-up that it began is not. It is answered when the look-up ends, so that the member that told of the
    /// name has no other dial before.
    Overdue,
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
            reason,
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
        let mut requests = vec![request];
        if let Some((&id, dial)) = self.dials.iter_mut().find(|(_, dial)| dial.name == name) {
            if !dial.requests.contains(&request) {
                dial.requests.push(request);
            }
            let is_asked_now = reason == DialReason::Asked && dial.reason != DialReason::Asked;
            if !is_asked_now || !matches!(dial.state, DialState::LookingUp | DialState::Overdue) {
                return;
            }
            // It waits for a look-up, which other hosts may hold up: begins anew, with time and look-ups of what was asked for.
            requests = std::mem::take(&mut dial.requests);
            self.lookups.withdraw(dial.reason, id);
            self.dials.remove(&id);
        }
        self.last_dial += 1;
        let id = self.last_dial;
        let literal = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>();
        let until = Instant::now() + self.node.options.handshake();
        let addresses = literal.iter().map(|ip| SocketAddr::new(*ip, port)).collect();
        self.dials.insert(
            id,
            Dial {
                name,
                requests,
                reason,
                addresses,
                until,
                state: DialState::LookingUp,
                failure: (ConnectStatus::Dns, "the host has no address".to_owned()),
            },
        );
        self.deadlines.set(until, Due::Dial(id));
        if literal.is_ok() {
            self.try_next_address(id);
        } else {
            self.lookups.request(reason, id, host, port);
        }
    }

    /// Whether a dial of ours competes with an incoming connection of that name.
    pub(super) fn is_dialling(&self, name: &str) -> bool {
        let competes = |state| matches!(state, DialState::LookingUp | DialState::Connecting(_));
        self.dials
            .values()
            .any(|dial| dial.name.as_str() == name && competes(dial.state))
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

    /// An address had its part of the time. If it has not answered at all, tries the next one.
    pub(super) fn address_expired(&mut self, id: u64, token: usize) {
        let handshake = self.handshakes.get(&token);
        if handshake.is_some_and(|handshake| handshake.stage == Stage::Connected) {
            self.drop_handshake(token);
            self.dial_failed(
                id,
                ConnectStatus::Refused,
                "the address does not answer".to_owned(),
            );
        }
    }

    pub(super) fn dial_expired(&mut self, id: u64) {
        let Some(dial) = self.dials.get_mut(&id) else {
            return;
        };
        let is_told = dial.reason != DialReason::Asked;
        match dial.state {
            DialState::AwaitingPeer => self.end_dial(
                id,
                ConnectStatus::Duplicate,
                "the peer's own connection never came",
            ),
            DialState::LookingUp if is_told && !self.lookups.withdraw(dial.reason, id) => {
                dial.state = DialState::Overdue;
            }
            _ => self.end_dial(id, ConnectStatus::Timeout, TOO_LATE),
        }
    }

    pub(super) fn refuse_dials(&mut self) {
        for id in self.dials.keys().copied().collect::<Vec<_>>() {
            self.end_dial(id, ConnectStatus::Stopping, "this node stops");
        }
    }

    /// A look-up ended. The dial it was for may have ended before.
    pub(super) fn resolved(&mut self, id: u64, reason: DialReason, found: std::io::Result<Vec<SocketAddr>>) {
        self.lookups.ended(reason);
        let Some(dial) = self.dials.get_mut(&id) else {
            return;
        };
        if dial.state == DialState::Overdue {
            return self.end_dial(id, ConnectStatus::Timeout, TOO_LATE);
        }
        match found {
            Ok(addresses) => dial.addresses = addresses.into(),
            Err(error) => dial.failure = (ConnectStatus::Dns, error.to_string()),
        }
        self.try_next_address(id);
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
                        // The time that is left is divided between this address and those after it.
                        let now = Instant::now();
                        let left = dial.until.saturating_duration_since(now);
                        if let Ok(others @ 1..) = u32::try_from(dial.addresses.len()) {
                            let part = (left / others.saturating_add(1)).max(ADDRESS_LEAST);
                            self.deadlines.set(now + part, Due::Address(id, token));
                        }
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
        match dial.state {
            DialState::Connecting(token) => self.drop_handshake(token),
            DialState::LookingUp => drop(self.lookups.withdraw(dial.reason, id)),
            DialState::AwaitingPeer | DialState::Overdue => {}
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
mod tests;
