//! This node's own numbering of (name, incarnation): a slot per name, a creation per incarnation of it.
//!
//! Invariants: a number always means the same pair (A9, M4), since actors may keep PIDs with it; number 0 is this node; a
//! name whose 255 creations are used up gets a new slot; the first session of a pair pins the key that every later one must
//! prove; no peer can use up the numbers that other peers may announce.

use std::collections::HashMap;
use std::sync::Arc;

use crate::announcements::{Announced, Announcements, Usage};
use crate::error::OpenError;
use crate::tls::PeerKey;

/// The most pairs that this node numbers: it bounds the memory that announcements can take.
pub(crate) const MAX_IDENTITIES: usize = 262_144;
const MAX_SLOT: u32 = 0xFFFF;
const MAX_CREATION: u32 = 0xFF;
/// What peers may use by announcing nodes that have not connected: half of all, so that a node that does connect gets a
/// number.
const MAX_ANNOUNCED: Usage = Usage {
    pairs: MAX_IDENTITIES / 2,
    slots: MAX_SLOT as usize / 2,
};

/// A pair that a number stands for.
#[derive(Clone, Debug)]
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
    all: Vec<(u32, u64, String)>,
    next_slot: u32,
    announcements: Announcements,
}

#[derive(Debug)]
struct Name {
    slot: u32,
    next_creation: u32,
    known: HashMap<u64, Known>,
}

/// One incarnation of a name.
#[derive(Debug)]
struct Known {
    nc: u32,
    /// What proves that a peer is this node; `None` while it is known from announcements only.
    key: Option<PeerKey>,
    /// Who announced it, until the node connects.
    announced: Option<Announced>,
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
            next_slot: 1,
            announcements: Announcements::new(MAX_ANNOUNCED),
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
        let announcer = self
            .announcements
            .admit(announcer)
            .map_err(|max| OpenError::TooManyNodes { max })?;
        self.assign(name, incarnation, Some(announcer))
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
        let takes_slot = self
            .names
            .get(name)
            .is_none_or(|name| name.next_creation > MAX_CREATION);
        if takes_slot {
            if self.next_slot > MAX_SLOT {
                return Err(full);
            }
            let slot = self.next_slot;
            self.next_slot += 1;
            let entry = self.names.entry(name.to_owned()).or_insert(Name {
                slot,
                next_creation: 1,
                known: HashMap::new(),
            });
            entry.slot = slot;
            entry.next_creation = 1;
        }
        let Some(entry) = self.names.get_mut(name) else {
            return Err(full);
        };
        let nc = entry.slot << 8 | entry.next_creation;
        entry.next_creation += 1;
        let announced = announcer.map(|by| self.announcements.add(by, takes_slot));
        let key = None;
        entry.known.insert(incarnation, Known { nc, key, announced });
        self.all.push((nc, incarnation, name.to_owned()));
        Ok(Numbered { nc, is_new: true })
    }

    /// Whether the key is that of the pair, which must have a number. The first key that is asked about becomes the key of the
    /// pair. The node has connected, so it no longer counts for the peer that announced it.
    pub(crate) fn pin(&mut self, name: &str, incarnation: u64, key: &PeerKey) -> bool {
        let Some(known) = self
            .names
            .get_mut(name)
            .and_then(|name| name.known.get_mut(&incarnation))
        else {
            return false;
        };
        let is_pinned = known.key.get_or_insert(*key) == key;
        if let Some(announced) = known.announced.take() {
            self.announcements.remove(&announced);
        }
        is_pinned
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = Identity> {
        self.all.iter().map(|(nc, incarnation, name)| Identity {
            nc: *nc,
            incarnation: *incarnation,
            name: name.clone(),
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nc(table: &mut Identities, name: &str, incarnation: u64) -> u32 {
        table.number(name, incarnation).expect("room for one more").nc
    }

    #[test]
    fn own_pair_is_zero_and_an_earlier_self_is_not() {
        let mut table = Identities::new("me@here", 7);
        assert_eq!(nc(&mut table, "me@here", 7), 0);
        assert_eq!(nc(&mut table, "me@here", 6), 1 << 8 | 1);
    }

    #[test]
    fn a_pair_keeps_its_number() {
        let mut table = Identities::new("me@here", 7);
        let first = nc(&mut table, "a@x", 1);
        assert_eq!(nc(&mut table, "b@x", 1), 2 << 8 | 1);
        assert_eq!(nc(&mut table, "a@x", 2), first + 1);
        assert_eq!(nc(&mut table, "a@x", 1), first);
    }

    #[test]
    fn m4_three_hundred_restarts_never_share_a_number() {
        let mut table = Identities::new("me@here", 7);
        let mut seen = std::collections::HashSet::new();
        for incarnation in 1..=300 {
            assert!(seen.insert(nc(&mut table, "a@x", incarnation)));
        }
        assert_eq!(
            nc(&mut table, "a@x", 300) >> 8,
            2,
            "a second slot after 255 creations"
        );
    }

    #[test]
    fn the_first_key_of_an_incarnation_stays() {
        let mut table = Identities::new("me@here", 7);
        assert!(!table.pin("a@x", 1, &[1; 32]), "it has no number");
        nc(&mut table, "a@x", 1);
        assert!(table.pin("a@x", 1, &[1; 32]));
        assert!(!table.pin("a@x", 1, &[2; 32]));
        assert!(table.pin("a@x", 1, &[1; 32]));
        nc(&mut table, "a@x", 2);
        assert!(table.pin("a@x", 2, &[2; 32]), "a restart has a key of its own");
        assert!(!table.pin("me@here", 7, &[2; 32]), "nobody else is this node");
    }

    #[test]
    fn the_table_is_bounded() {
        let mut table = Identities::new("me@here", 7);
        for number in 0..u64::from(MAX_SLOT) {
            nc(&mut table, &format!("n{number}@x"), 1);
        }
        assert!(table.number("one-more@x", 1).is_err());
    }

    /// Announces names that no other peer knows until one is refused. Gives how many got a number.
    fn flood(table: &mut Identities, announcer: &str) -> usize {
        (0..MAX_IDENTITIES)
            .take_while(|number| {
                let name = format!("n{number}-{announcer}");
                table.number_from_peer(announcer, &name, 1).is_ok()
            })
            .count()
    }

    #[test]
    fn one_announcer_leaves_room_for_the_others() {
        let mut table = Identities::new("me@here", 7);
        assert_eq!(
            flood(&mut table, "hostile@x"),
            6_554,
            "a fifth of all, a quarter of the rest"
        );
        assert!(table.number_from_peer("hostile@x", "again@x", 1).is_err());
        assert!(table.number_from_peer("honest@x", "third@x", 1).is_ok());
        assert!(
            table.number_from_peer("hostile@x", "third@x", 1).is_ok(),
            "it is known"
        );
        for number in 0..20 {
            flood(&mut table, &format!("hostile{number}@x"));
        }
        for number in 0..32 {
            let name = format!("other{number}@x");
            assert!(table.number_from_peer("honest@x", &name, 1).is_ok(), "{number}");
        }
    }

    #[test]
    fn restarts_of_one_name_are_counted_too() {
        let mut table = Identities::new("me@here", 7);
        let given = (1..u64::MAX)
            .take_while(|incarnation| table.number_from_peer("hostile@x", "a@x", *incarnation).is_ok())
            .count();
        assert_eq!(given, 26_215);
        assert!(table.number_from_peer("honest@x", "b@x", 1).is_ok());
    }

    #[test]
    fn a_node_that_connects_counts_no_longer_for_its_announcer() {
        let mut table = Identities::new("me@here", 7);
        let given = flood(&mut table, "a@x");
        for number in 0..given {
            let name = format!("n{number}-a@x");
            nc(&mut table, &name, 1);
            assert!(table.pin(&name, 1, &[1; 32]));
        }
        assert!(table.number_from_peer("a@x", "one-more@x", 1).is_ok());
        assert_eq!(table.announcements.slots(), 1);
    }
}
