//! Chooses the incoming handshake to close for a new connection when the cap is reached.
//!
//! Every stage of the handshake has an equal share of the cap. The stage that exceeds its share the most loses a
//! connection: the one that entered the stage first, of the address with the most connections if that address has
//! more than an eighth of the stage, else of all. So strangers, whatever stage they stop at and however many they
//! are, push out each other. A connection that goes on leaves its stage before an eighth of the stage is renewed,
//! also when it shares its address with strangers.
//!
//! Must not know: sockets, clocks, handshakes. Every operation is O(log n).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use crate::network::network;

/// How far an incoming connection has come.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Stage {
    /// TCP only.
    Connected,
    /// Some bytes of TLS have been received.
    Bytes,
    /// TLS is done.
    Tls,
    /// HELLO has been received; the proof is due.
    Hello,
}

const STAGES: usize = 4;

/// The incoming handshakes, by stage, address and age.
#[derive(Debug, Default)]
pub(super) struct Admission {
    cap: usize,
    entries: HashMap<usize, Entry>,
    stages: [Members; STAGES],
    /// The number of the last entry into a stage.
    last: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    stage: Stage,
    address: IpAddr,
    entered: u64,
}

/// An address with at most this many connections in a stage does not count as crowding it, however small the cap is.
const FEW: usize = 4;

/// The connections in one stage.
#[derive(Debug, Default)]
struct Members {
    /// Oldest first.
    all: BTreeMap<u64, usize>,
    /// Connections of each address, oldest first.
    by_address: HashMap<IpAddr, BTreeMap<u64, usize>>,
    /// Addresses by their number of connections; among equals the address with the oldest connection is last.
    by_crowd: BTreeSet<(usize, std::cmp::Reverse<u64>, IpAddr)>,
}

impl Admission {
    pub(super) fn new(cap: usize) -> Self {
        Self {
            cap,
            ..Self::default()
        }
    }

    /// The connection to close before another one is accepted; `None` while there is room.
    pub(super) fn victim(&self) -> Option<usize> {
        if self.entries.len() < self.cap {
            return None;
        }
        // Shares are equal, so the stage that exceeds its share the most has the most members.
        let stages = self.stages.iter().rev();
        stages.max_by_key(|stage| stage.all.len())?.victim()
    }

    /// A connection from `address` was accepted.
    pub(super) fn enter(&mut self, token: usize, address: IpAddr) {
        self.put(token, Stage::Connected, network(address));
    }

    /// A connection reached a stage. An earlier stage than its present one is ignored.
    pub(super) fn reach(&mut self, token: usize, stage: Stage) {
        match self.entries.get(&token) {
            Some(entry) if entry.stage < stage => {
                let address = entry.address;
                self.leave(token);
                self.put(token, stage, address);
            }
            _ => {}
        }
    }

    /// A connection is no longer a handshake.
    pub(super) fn leave(&mut self, token: usize) {
        if let Some(entry) = self.entries.remove(&token)
            && let Some(members) = self.stages.get_mut(entry.stage as usize)
        {
            members.remove(entry);
        }
    }

    fn put(&mut self, token: usize, stage: Stage, address: IpAddr) {
        self.last += 1;
        let entry = Entry {
            stage,
            address,
            entered: self.last,
        };
        self.entries.insert(token, entry);
        if let Some(members) = self.stages.get_mut(stage as usize) {
            members.insert(token, entry);
        }
    }
}

impl Members {
    fn victim(&self) -> Option<usize> {
        let (of_largest, _, address) = self.by_crowd.last()?;
        let limit = FEW.max(self.all.len() / 8);
        let crowd = self.by_address.get(address).filter(|_| *of_largest > limit);
        crowd.unwrap_or(&self.all).values().next().copied()
    }

    fn insert(&mut self, token: usize, entry: Entry) {
        self.all.insert(entry.entered, token);
        self.change(entry.address, |of_address| {
            of_address.insert(entry.entered, token);
        });
    }

    fn remove(&mut self, entry: Entry) {
        self.all.remove(&entry.entered);
        self.change(entry.address, |of_address| {
            of_address.remove(&entry.entered);
        });
    }

    /// Changes the connections of one address and keeps the order of addresses.
    fn change(&mut self, address: IpAddr, change: impl FnOnce(&mut BTreeMap<u64, usize>)) {
        let of_address = self.by_address.entry(address).or_default();
        if let Some(rank) = rank(of_address, address) {
            self.by_crowd.remove(&rank);
        }
        change(of_address);
        match rank(of_address, address) {
            Some(rank) => {
                self.by_crowd.insert(rank);
            }
            None => {
                self.by_address.remove(&address);
            }
        }
    }
}

fn rank(
    of_address: &BTreeMap<u64, usize>,
    address: IpAddr,
) -> Option<(usize, std::cmp::Reverse<u64>, IpAddr)> {
    let (oldest, _) = of_address.first_key_value()?;
    Some((of_address.len(), std::cmp::Reverse(*oldest), address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([127, 0, 0, last])
    }

    /// A cap of 8 that strangers have filled in `stage`, one from each of `addresses` in turn.
    fn full(stage: Stage, addresses: u8) -> Admission {
        let mut admission = Admission::new(8);
        for token in 0..8 {
            admission.enter(token, address(1 + token as u8 % addresses));
            admission.reach(token, stage);
        }
        admission
    }

    const ALL: [Stage; STAGES] = [Stage::Connected, Stage::Bytes, Stage::Tls, Stage::Hello];

    #[test]
    fn there_is_no_victim_while_there_is_room() {
        let mut admission = full(Stage::Tls, 1);
        assert!(admission.victim().is_some());
        admission.leave(3);
        assert_eq!(admission.victim(), None);
    }

    /// Strangers replace each other at once: each time one is closed, the next one comes and goes as far.
    #[test]
    fn t5_a_newcomer_reaches_every_stage_while_strangers_fill_any() {
        for stage in ALL {
            for addresses in [1, 3, 8] {
                let mut admission = full(stage, addresses);
                let newcomer = 100;
                let mut next = 200;
                let evict = |admission: &mut Admission| {
                    if let Some(victim) = admission.victim() {
                        assert_ne!(victim, newcomer, "{stage:?} from {addresses} addresses");
                        admission.leave(victim);
                    }
                };
                evict(&mut admission);
                admission.enter(newcomer, address(99));
                for reached in ALL {
                    admission.reach(newcomer, reached);
                    // As many strangers as a stage has places, less its share for the newcomer.
                    for _ in 0..3 {
                        evict(&mut admission);
                        admission.enter(next, address(1 + next as u8 % addresses));
                        admission.reach(next, stage);
                        next += 1;
                    }
                }
            }
        }
    }

    /// Strangers can have the address of a member, behind one NAT.
    #[test]
    fn t5_a_stranger_at_the_address_of_a_newcomer_does_not_push_it_out() {
        for stage in ALL {
            let mut admission = full(stage, 8);
            admission.leave(0);
            admission.enter(100, address(99));
            admission.reach(100, stage);
            for next in 200..203 {
                let victim = admission.victim().unwrap();
                assert_ne!(victim, 100, "{stage:?}");
                admission.leave(victim);
                admission.enter(next, address(99));
                admission.reach(next, stage);
            }
        }
    }

    #[test]
    fn t5_one_address_pushes_out_itself() {
        let mut admission = Admission::new(8);
        for token in 0..8 {
            admission.enter(token, address(1 + u8::from(token >= 3)));
        }
        let victim = admission.victim();
        assert_eq!(victim, Some(3), "the oldest of the address with the most");
    }

    #[test]
    fn t5_an_address_crowds_a_stage_with_more_than_an_eighth_of_it() {
        for (of_one, victim) in [(10, 80), (11, 0)] {
            let mut admission = Admission::new(80);
            (80..160 - of_one).for_each(|other| admission.enter(other, address(other as u8)));
            (0..of_one).for_each(|token| admission.enter(token, address(1)));
            assert_eq!(admission.victim(), Some(victim), "{of_one} of 80");
        }
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_as_one() {
        let mut admission = Admission::new(6);
        admission.enter(0, address(1));
        for token in 1..6 {
            admission.enter(token, format!("2001:db8::{token}").parse().unwrap());
        }
        assert_eq!(admission.victim(), Some(1));
    }

    #[test]
    fn what_left_leaves_nothing_behind() {
        let mut admission = full(Stage::Hello, 3);
        for token in 0..8 {
            admission.leave(token);
        }
        assert!(admission.entries.is_empty());
        for members in &admission.stages {
            assert_eq!(
                (
                    members.all.len(),
                    members.by_address.len(),
                    members.by_crowd.len()
                ),
                (0, 0, 0)
            );
        }
    }
}
