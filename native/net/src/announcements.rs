//! How many unknown nodes peers may announce, so that one of them does not use up what the others may.

use std::collections::HashMap;
use std::sync::Arc;

/// What one peer has used up for nodes that are not met yet, times this, stays below what is left for all peers.
const FREE_PER_ANNOUNCED: usize = 4;

/// The nodes that were announced and are not met yet.
#[derive(Debug)]
pub(crate) struct Announcements {
    /// What all peers together may use up.
    most: Usage,
    /// What each peer, by its name, has used up. It outlives the session: its numbers do, too.
    by_announcer: HashMap<Arc<str>, Usage>,
    all: Usage,
}

/// One node that was announced: what its announcer has used up by that.
#[derive(Debug)]
pub(crate) struct Announced {
    by: Arc<str>,
    took_slot: bool,
}

impl Announcements {
    pub(crate) fn new(most: Usage) -> Self {
        Self {
            most,
            by_announcer: HashMap::new(),
            all: Usage::default(),
        }
    }

    /// The name under which what `announcer` announces next is counted. An error when it has announced as much as it may: so many
    /// pairs.
    pub(crate) fn admit(&self, announcer: &str) -> Result<Arc<str>, usize> {
        let Some((name, used)) = self.by_announcer.get_key_value(announcer) else {
            return match Usage::default().has_room(self.all, self.most) {
                true => Ok(Arc::from(announcer)),
                false => Err(0),
            };
        };
        match used.has_room(self.all, self.most) {
            true => Ok(name.clone()),
            false => Err(used.pairs),
        }
    }

    /// Counts a new number for the peer `by`.
    pub(crate) fn add(&mut self, by: Arc<str>, took_slot: bool) -> Announced {
        self.all.add(took_slot);
        self.by_announcer.entry(by.clone()).or_default().add(took_slot);
        Announced { by, took_slot }
    }

    /// The node is met: it counts no longer for the peer that announced it.
    pub(crate) fn met(&mut self, Announced { by, took_slot }: &Announced) {
        self.all.remove(*took_slot);
        if let Some(used) = self.by_announcer.get_mut(by) {
            used.remove(*took_slot);
        }
    }

    #[cfg(test)]
    pub(crate) fn slots(&self) -> usize {
        self.all.slots
    }
}

/// Numbers in use.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) pairs: usize,
    pub(crate) slots: usize,
}

impl Usage {
    fn add(&mut self, takes_slot: bool) {
        self.pairs += 1;
        self.slots += usize::from(takes_slot);
    }

    fn remove(&mut self, took_slot: bool) {
        self.pairs = self.pairs.saturating_sub(1);
        self.slots = self.slots.saturating_sub(usize::from(took_slot));
    }

    /// Whether a peer that uses this much may announce one more, while all peers together use `all` of `most`.
    fn has_room(self, all: Self, most: Self) -> bool {
        let within =
            |used: usize, all: usize, most: usize| used * FREE_PER_ANNOUNCED < most.saturating_sub(all);
        within(self.pairs, all.pairs, most.pairs) && within(self.slots, all.slots, most.slots)
    }
}
