//! This node's own numbering of (name, incarnation): a slot per name, a creation per incarnation of it.
//!
//! Invariants: a number, once given, means the same pair for ever (A9, M4); number 0 is this node; a name whose
//! 255 creations are used up goes on in a new slot; the first session of a pair pins the key that every later one must
//! prove.

use std::collections::HashMap;

use crate::error::OpenError;
use crate::tls::PeerKey;

/// Pairs this node numbers at most. A hostile peer may announce names; it must not own our memory.
pub(crate) const MAX_IDENTITIES: usize = 262_144;
const MAX_SLOT: u32 = 0xFFFF;
const MAX_CREATION: u32 = 0xFF;

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
    /// In the order of numbering, for lanes that come later.
    all: Vec<(u32, u64, String)>,
    next_slot: u32,
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
}

/// The number of a pair, and whether it was given just now.
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
        }
    }

    pub(crate) fn number(&mut self, name: &str, incarnation: u64) -> Result<Numbered, OpenError> {
        self.number_within(name, incarnation, MAX_IDENTITIES, MAX_SLOT)
    }

    /// As [`Self::number`], for a pair that a peer tells of: no more than half of the table, so that a peer that connects in
    /// person still has a place.
    pub(crate) fn number_from_peer(&mut self, name: &str, incarnation: u64) -> Result<Numbered, OpenError> {
        self.number_within(name, incarnation, MAX_IDENTITIES / 2, MAX_SLOT / 2)
    }

    fn number_within(
        &mut self,
        name: &str,
        incarnation: u64,
        most_pairs: usize,
        last_slot: u32,
    ) -> Result<Numbered, OpenError> {
        if incarnation == self.own_incarnation && name == self.own_name {
            return Ok(Numbered { nc: 0, is_new: false });
        }
        if let Some(known) = self.names.get(name).and_then(|name| name.known.get(&incarnation)) {
            return Ok(Numbered {
                nc: known.nc,
                is_new: false,
            });
        }
        let full = OpenError::TooManyNodes { max: most_pairs };
        if self.all.len() >= most_pairs {
            return Err(full);
        }
        let needs_slot = self
            .names
            .get(name)
            .is_none_or(|name| name.next_creation > MAX_CREATION);
        if needs_slot {
            if self.next_slot > last_slot {
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
        entry.known.insert(incarnation, Known { nc, key: None });
        self.all.push((nc, incarnation, name.to_owned()));
        Ok(Numbered { nc, is_new: true })
    }

    /// Whether the key is that of the pair, which must have a number. The first key that is asked for is.
    pub(crate) fn pin(&mut self, name: &str, incarnation: u64, key: &PeerKey) -> bool {
        self.names
            .get_mut(name)
            .and_then(|name| name.known.get_mut(&incarnation))
            .is_some_and(|known| known.key.get_or_insert(*key) == key)
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
}
