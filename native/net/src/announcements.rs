//! Limits how many unknown nodes each peer may announce, so that one peer cannot use up the numbers of the others.

use std::collections::HashMap;
use std::sync::Arc;

/// A peer may announce another node while its own usage, times this, is below what is left for all peers.
const FREE_PER_ANNOUNCED: usize = 4;

/// Counts the nodes that were announced and have not connected to this node.
#[derive(Debug)]
pub(crate) struct Announcements {
    /// What all peers together may use.
    limit: Usage,
    /// What each peer uses, by its name. Kept when its session ends, since the numbers are kept, too.
    by_announcer: HashMap<Arc<str>, Usage>,
    all: Usage,
}

/// One announced node: who announced it, and what that used.
#[derive(Debug)]
pub(crate) struct Announced {
    by: Arc<str>,
    took_slot: bool,
}

impl Announcements {
    pub(crate) fn new(limit: Usage) -> Self {
        Self {
            limit,
            by_announcer: HashMap::new(),
            all: Usage::default(),
        }
    }

    /// Asks whether `announcer` may announce another node; gives the name to count it under. An error: it may not, and this
    /// is how many pairs it has announced.
    pub(crate) fn admit(&self, announcer: &str) -> Result<Arc<str>, usize> {
        let Some((name, used)) = self.by_announcer.get_key_value(announcer) else {
            return match Usage::default().has_room(self.all, self.limit) {
                true => Ok(Arc::from(announcer)),
                false => Err(0),
            };
        };
        match used.has_room(self.all, self.limit) {
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

    /// The node has connected: it no longer counts for the peer that announced it.
    pub(crate) fn remove(&mut self, Announced { by, took_slot }: &Announced) {
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

    /// Whether a peer that uses this much may announce one more, while all peers together use `all` of `limit`.
    fn has_room(self, all: Self, limit: Self) -> bool {
        let within =
            |used: usize, all: usize, limit: usize| used * FREE_PER_ANNOUNCED < limit.saturating_sub(all);
        within(self.pairs, all.pairs, limit.pairs) && within(self.slots, all.slots, limit.slots)
    }
}
