//! This node's own numbering of (name, incarnation): a slot per name, a creation per incarnation of it.
//!
//! Invariants: a number always means the same pair (A9, M4), since actors may keep PIDs with it; number 0 is this node; a
//! name whose creations are used up gets a new slot, and when no slot is left, creations of others; the first session of a
//! pair pins the key that every later one must prove; no peer can use up the numbers that other peers may announce; no
//! network can use up those of nodes of another one, and no name those of other names of its network.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use snowmesh_core::frame::MAX_SLOTS;

use crate::error::OpenError;
use crate::numbers::Numbers;
use crate::shares::Shares;
use crate::tls::PeerKey;

/// The most pairs that this node numbers: it bounds the memory that announcements can take. No more are accepted from a peer on one
/// connection, and no fewer: a node that knows many others loses no session by telling of them.
pub(crate) const MAX_IDENTITIES: usize = MAX_SLOTS;
/// What peers may use by announcing nodes that have not connected: half of all, so that a node that does connect gets a
/// number.
const MAX_ANNOUNCED: usize = MAX_IDENTITIES / 2;
/// The factors of the shares: a peer announces at most a quarter of what is left to announce, nodes of one network that connect
/// have at most as many numbers as are left, and incarnations of one name there at most a seventh of that.
const FREE_PER_ANNOUNCED: usize = 4;
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
    /// In the order of numbering, for lanes that attach later.
    all: Vec<Identity>,
    numbers: Numbers,
    /// Nodes that were announced and have not connected, by the name of the announcer. Kept when its session ends, since the
    /// numbers are kept, too.
    announced: Shares<Arc<str>>,
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
    /// The name of the announcer, until the node connects.
    announced: Option<Arc<str>>,
}

/// The number of a pair, and whether the pair got it just now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Numbered {
    pub(crate) nc: u32,
    pub(crate) is_new: bool,
}

impl Identities {
    pub(crate) fn new(own_name: &str, own_incarnation: u64) -> Self {
        Self {
            own_name: own_name.to_owned(),
            own_incarnation,
            names: HashMap::new(),
            all: Vec::new(),
            numbers: Numbers::new(),
            announced: Shares::new(FREE_PER_ANNOUNCED),
            connected: Shares::new(FREE_PER_CONNECTED),
            incarnations: Shares::new(FREE_PER_INCARNATION),
        }
    }

    pub(crate) fn number(&mut self, name: &str, incarnation: u64) -> Result<Numbered, OpenError> {
        match self.known(name, incarnation) {
            Some(nc) => Ok(Numbered { nc, is_new: false }),
            None => self.assign(name, incarnation, None),
        }
    }

    /// As [`Self::number`], for a pair that the peer `announcer` announces. An error: that peer has announced its share of
    /// unknown nodes, or the table is full.
    pub(crate) fn number_from_peer(
        &mut self,
        announcer: &str,
        name: &str,
        incarnation: u64,
    ) -> Result<Numbered, OpenError> {
        if let Some(nc) = self.known(name, incarnation) {
            return Ok(Numbered { nc, is_new: false });
        }
        let announcer = Arc::from(announcer);
        let left = MAX_ANNOUNCED.saturating_sub(self.announced.all());
        self.announced
            .admit(&announcer, left)
            .map_err(|max| OpenError::TooManyNodes { max })?;
        self.assign(name, incarnation, Some(announcer))
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
            return Ok(nc.map(|nc| Numbered { nc, is_new: false }));
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
        let announcer = known.and_then(|known| {
            known.key = Some(*key);
            known.announced.take()
        });
        if let Some(announcer) = announcer {
            self.announced.remove(&announcer); // it counts for its network now
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
        announcer: Option<Arc<str>>,
    ) -> Result<Numbered, OpenError> {
        let full = OpenError::TooManyNodes { max: MAX_IDENTITIES };
        if self.all.len() >= MAX_IDENTITIES {
            return Err(full);
        }
        let own = self.names.get(name).map(|name| name.slot);
        let nc = self.numbers.take(own).ok_or(full)?;
        if let Some(announcer) = &announcer {
            self.announced.add(announcer.clone());
        }
        let entry = self.names.entry(name.to_owned()).or_default();
        entry.slot = nc >> 8;
        entry.known.insert(
            incarnation,
            Known {
                nc,
                key: None,
                announced: announcer,
            },
        );
        self.all.push(Identity {
            nc,
            incarnation,
            name: name.to_owned(),
        });
        Ok(Numbered { nc, is_new: true })
    }

    pub(crate) fn all(&self) -> &[Identity] {
        &self.all
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }
}

#[cfg(test)]
mod tests;
