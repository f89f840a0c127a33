//! Nodes that peers have announced and that have not connected: how many each peer may announce, and which of them may be
//! forgotten so that it may announce another one.
//!
//! Invariant: the number of a node is not forgotten while a session is up on which a frame may name it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::shares::Shares;

/// A peer announces at most a quarter of what is left to announce.
const FREE_PER_ANNOUNCED: usize = 4;
/// How long a node that was announced is remembered in any case. Numbers are not given again, so this also bounds how fast peers
/// can use them up: at most [`super::MAX_ANNOUNCED`] a day.
pub(super) const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// The sessions on which a node was announced that are remembered for it. One that more sessions have announced is kept for ever.
const MAX_HOLDERS: usize = 8;

/// A session on which a node is announced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Announcer<'a> {
    pub(crate) name: &'a str,
    /// When it came up, in the order of [`crate::node::session::Session::up_at`].
    pub(crate) session: u64,
    /// The sessions that are up.
    pub(crate) up: &'a HashSet<u64>,
    pub(crate) now: Instant,
}

/// What is known of a node that was announced and has not connected.
#[derive(Debug)]
pub(super) struct Announced {
    /// The name of the first peer that announced it.
    by: Arc<str>,
    /// Its place in the queue of that peer.
    place: u64,
    /// When it was last announced, by whomever.
    at: Instant,
    /// The sessions on which it was announced; `None`: too many.
    holders: Option<Vec<u64>>,
}

impl Announced {
    fn note(&mut self, announcer: &Announcer<'_>) {
        self.at = announcer.now;
        let Some(holders) = &mut self.holders else { return };
        if holders.contains(&announcer.session) {
            return;
        }
        holders.retain(|session| announcer.up.contains(session));
        if holders.len() < MAX_HOLDERS {
            holders.push(announcer.session);
        } else {
            self.holders = None;
        }
    }

    /// Whether it was announced so lately that it is kept in any case.
    pub(super) fn is_recent(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.at) < KEPT
    }

    /// Whether a session is up on which a frame may name it.
    pub(super) fn is_held(&self, up: &HashSet<u64>) -> bool {
        let holders = self.holders.as_ref();
        holders.is_none_or(|holders| holders.iter().any(|session| up.contains(session)))
    }
}

/// The nodes that were announced, by the name of the peer that announced them first. They are kept when its session ends.
#[derive(Debug)]
pub(super) struct Announcements {
    shares: Shares<Arc<str>>,
    /// Their numbers, in the order of their last announcements, but for those that could not be forgotten when they were looked at.
    queues: HashMap<Arc<str>, BTreeMap<u64, u32>>,
    last: u64,
}

impl Announcements {
    pub(super) fn new() -> Self {
        Self {
            shares: Shares::new(FREE_PER_ANNOUNCED),
            queues: HashMap::new(),
            last: 0,
        }
    }

    pub(super) fn all(&self) -> usize {
        self.shares.all()
    }

    /// Asks whether a peer may announce one more. An error: it may not, and it has announced so many.
    pub(super) fn admit(&self, announcer: &Announcer<'_>) -> Result<(), usize> {
        let left = super::MAX_ANNOUNCED.saturating_sub(self.all());
        self.shares.admit(&Arc::from(announcer.name), left)
    }

    pub(super) fn add(&mut self, announcer: &Announcer<'_>, nc: u32) -> Announced {
        let by: Arc<str> = Arc::from(announcer.name);
        self.shares.add(by.clone());
        Announced {
            place: self.enqueue(&by, nc),
            at: announcer.now,
            holders: Some(vec![announcer.session]),
            by,
        }
    }

    /// It was announced once more.
    pub(super) fn renew(&mut self, announced: &mut Announced, announcer: &Announcer<'_>, nc: u32) {
        announced.note(announcer);
        self.move_back(announced, nc);
    }

    /// It counts for nobody any more: it has connected, or is forgotten.
    pub(super) fn remove(&mut self, announced: &Announced) {
        self.dequeue(announced);
        self.shares.remove(&announced.by);
    }

    /// The first number in the queue of a peer.
    pub(super) fn first(&self, announcer: &Announcer<'_>) -> Option<u32> {
        let (_, nc) = self.queues.get(announcer.name)?.first_key_value()?;
        Some(*nc)
    }

    /// Moves it to the end of its queue.
    pub(super) fn move_back(&mut self, announced: &mut Announced, nc: u32) {
        self.dequeue(announced);
        announced.place = self.enqueue(&announced.by, nc);
    }

    fn enqueue(&mut self, by: &Arc<str>, nc: u32) -> u64 {
        self.last += 1;
        self.queues.entry(by.clone()).or_default().insert(self.last, nc);
        self.last
    }

    fn dequeue(&mut self, announced: &Announced) {
        if let Some(queue) = self.queues.get_mut(&announced.by) {
            queue.remove(&announced.place);
            if queue.is_empty() {
                self.queues.remove(&announced.by);
            }
        }
    }
}

#[cfg(test)]
mod tests;
