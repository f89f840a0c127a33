//! This node's own numbering of (name, incarnation): a slot per name, a creation per incarnation of it.
//!
//! Invariants: a number never means another pair (A9, M4), since actors may keep PIDs with it; number 0 is this node; a
//! name whose creations are used up gets a new slot, and when no slot is left, creations of others; the first session of a
//! pair pins the key that every later one must prove; no peer can use up the numbers that other peers may announce; no
//! network can use up those of nodes of another one, and no name those of other names of its network.

mod announced;

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use snowmesh_core::frame::MAX_SLOTS;

use crate::error::OpenError;
use crate::numbers::Numbers;
use crate::shares::Shares;
use crate::tls::PeerKey;
pub(crate) use announced::Announcer;
use announced::{Announced, Announcements};

/// The most pairs that this node numbers: it bounds the memory that announcements can take. No more are accepted from a peer on one
/// connection, and no fewer: a node that knows many others loses no session by telling of them.
pub(crate) const MAX_IDENTITIES: usize = MAX_SLOTS;
/// What peers may use by announcing nodes that have not connected: half of all, so that a node that does connect gets a
/// number.
const MAX_ANNOUNCED: usize = MAX_IDENTITIES / 2;
/// The nodes of a peer that are looked at to find one to forget.
const TRIES: usize = 8;
/// The factors of the shares: nodes of one network that connect have at most as many numbers as are left, and incarnations of one
/// name there at most a seventh of that.
const FREE_PER_CONNECTED: usize = 1;
const FREE_PER_INCARNATION: usize = 7;

/// A pair that a number stands for.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) nc: u32,
    pub(crate) incarnation: u64,
    pub(crate) name: String,
}

#[derive(Debug)]
pub(crate) struct Identities {
    own_name: String,
    own_incarnation: u64,
    names: HashMap<String, Name>,
    /// By number, for lanes that attach later.
    all: BTreeMap<u32, Identity>,
    numbers: Numbers,
    /// Nodes that were announced and have not connected.
    announced: Announcements,
    /// Nodes that have connected, by their network.
    connected: Shares<IpAddr>,
    /// Incarnations that have connected, by their network and name.
    incarnations: Shares<(IpAddr, Arc<str>)>,
}

#[derive(Debug, Default)]
struct Name {
    /// Of its last number.
    slot: u32,
    known: HashMap<u64, Known>,
}

/// One incarnation of a name.
#[derive(Debug)]
struct Known {
    nc: u32,
    /// What proves that a peer is this node; `None` while it is known from announcements only.
    key: Option<PeerKey>,
    /// Until the node connects, if peers announced it.
    announced: Option<Announced>,
}

/// The number of a pair, and whether the pair got it just now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Numbered {
    pub(crate) nc: u32,
    pub(crate) is_new: bool,
    /// A number that means nothing any more.
    pub(crate) forgotten: Option<u32>,
}

impl Numbered {
    fn known(nc: u32) -> Self {
        Self {
            nc,
            is_new: false,
            forgotten: None,
        }
    }
}

impl Identities {
    pub(crate) fn new(own_name: &str, own_incarnation: u64) -> Self {
        Self {
            own_name: own_name.to_owned(),
            own_incarnation,
            names: HashMap::new(),
            all: BTreeMap::new(),
            numbers: Numbers::new(),
            announced: Announcements::new(),
            connected: Shares::new(FREE_PER_CONNECTED),
            incarnations: Shares::new(FREE_PER_INCARNATION),
        }
    }

    pub(crate) fn number(&mut self, name: &str, incarnation: u64) -> Result<Numbered, OpenError> {
        match self.known(name, incarnation) {
            Some(nc) => Ok(Numbered::known(nc)),
            None => self.assign(name, incarnation, None),
        }
    }

    /// As [`Self::number`], for a pair that a peer announces. One that has announced its share of unknown nodes loses the oldest of them
    /// that no session speaks of, if that was announced more than a day ago. An error: there is none, or the table is full.
    pub(crate) fn number_from_peer(
        &mut self,
        announcer: &Announcer<'_>,
        name: &str,
        incarnation: u64,
    ) -> Result<Numbered, OpenError> {
        if let Some(nc) = self.known(name, incarnation) {
            if let Some(announced) = announced_of(&mut self.names, name, incarnation) {
                self.announced.renew(announced, announcer, nc);
            }
            return Ok(Numbered::known(nc));
        }
        let forgotten = match self.announced.admit(announcer) {
            Ok(()) => None,
            Err(max) => Some(
                self.forget_oldest(announcer)
                    .ok_or(OpenError::TooManyNodes { max })?,
            ),
        };
        let numbered = self.assign(name, incarnation, Some(announcer))?;
        Ok(Numbered {
            forgotten,
            ..numbered
        })
    }

    /// Forgets a node that a peer has announced. Gives its number, which no node gets any more.
    fn forget_oldest(&mut self, announcer: &Announcer<'_>) -> Option<u32> {
        let nc = self.forgettable(announcer)?;
        let forgotten = self.all.remove(&nc)?;
        let entry = self.names.get_mut(&forgotten.name)?;
        let known = entry.known.remove(&forgotten.incarnation)?;
        if entry.known.is_empty() {
            self.names.remove(&forgotten.name);
        }
        self.announced.remove(&known.announced?);
        Some(nc)
    }

    /// One of the nodes that a peer announced the longest time ago, which may be forgotten.
    fn forgettable(&mut self, announcer: &Announcer<'_>) -> Option<u32> {
        for _ in 0..TRIES {
            let nc = self.announced.first(announcer)?;
            let known = self.all.get(&nc)?;
            let announced = announced_of(&mut self.names, &known.name, known.incarnation)?;
            if announced.is_recent(announcer.now) {
                return None;
            }
            if !announced.is_held(announcer.up) {
                return Some(nc);
            }
            self.announced.move_back(announced, nc);
        }
        None
    }

    /// As [`Self::number`], for a node of `network` that has connected and proved this key. `Ok(None)`: the first session of that
    /// pair had another key. An error: nodes of that network, or incarnations of that name there, have all numbers that they may
    /// have, or the table is full. A pair that has connected before keeps its number in any case.
    pub(crate) fn number_proved(
        &mut self,
        name: &str,
        incarnation: u64,
        network: IpAddr,
        key: &PeerKey,
    ) -> Result<Option<Numbered>, OpenError> {
        let pinned = self
            .names
            .get(name)
            .and_then(|name| name.known.get(&incarnation)?.key);
        if let Some(pinned) = pinned {
            let nc = self.known(name, incarnation).filter(|_| pinned == *key);
            return Ok(nc.map(Numbered::known));
        }
        if self.known(name, incarnation) == Some(0) {
            return Ok(None);
        }
        let left = MAX_IDENTITIES.saturating_sub(self.all.len());
        let restarts = (network, Arc::from(name));
        let full = |max| OpenError::TooManyNodes { max };
        self.connected.admit(&network, left).map_err(full)?;
        self.incarnations.admit(&restarts, left).map_err(full)?;
        let numbered = self.number(name, incarnation)?;
        let known = self
            .names
            .get_mut(name)
            .and_then(|name| name.known.get_mut(&incarnation));
        let announced = known.and_then(|known| {
            known.key = Some(*key);
            known.announced.take()
        });
        if let Some(announced) = announced {
            self.announced.remove(&announced); // it counts for its network now
        }
        self.connected.add(network);
        self.incarnations.add(restarts);
        Ok(Some(numbered))
    }

    fn known(&self, name: &str, incarnation: u64) -> Option<u32> {
        if incarnation == self.own_incarnation && name == self.own_name {
            return Some(0);
        }
        Some(self.names.get(name)?.known.get(&incarnation)?.nc)
    }

    /// Gives a number to a pair that has none.
    fn assign(
        &mut self,
        name: &str,
        incarnation: u64,
        announcer: Option<&Announcer<'_>>,
    ) -> Result<Numbered, OpenError> {
        let full = OpenError::TooManyNodes { max: MAX_IDENTITIES };
        if self.all.len() >= MAX_IDENTITIES {
            return Err(full);
        }
        let own = self.names.get(name).map(|name| name.slot);
        let nc = self.numbers.take(own).ok_or(full)?;
        let announced = announcer.map(|announcer| self.announced.add(announcer, nc));
        let entry = self.names.entry(name.to_owned()).or_default();
        entry.slot = nc >> 8;
        entry.known.insert(
            incarnation,
            Known {
                nc,
                key: None,
                announced,
            },
        );
        self.all.insert(
            nc,
            Identity {
                nc,
                incarnation,
                name: name.to_owned(),
            },
        );
        Ok(Numbered {
            is_new: true,
            ..Numbered::known(nc)
        })
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Identity> {
        self.all.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }
}

fn announced_of<'a>(
    names: &'a mut HashMap<String, Name>,
    name: &str,
    incarnation: u64,
) -> Option<&'a mut Announced> {
    names
        .get_mut(name)?
        .known
        .get_mut(&incarnation)?
        .announced
        .as_mut()
}

#[cfg(test)]
mod tests;
