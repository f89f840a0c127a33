//! The counters of a node.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Node;

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) handshakes: AtomicU64,
    pub(crate) frames_in: AtomicU64,
    pub(crate) frames_out: AtomicU64,
    pub(crate) bytes_in: AtomicU64,
    pub(crate) bytes_out: AtomicU64,
    pub(crate) takeovers: AtomicU64,
}

/// Counters of a node at one moment.
#[derive(Clone, Copy, Debug, Default)]
#[expect(
    missing_docs,
    reason = "the binding documents each field; the names are the same"
)]
pub struct NodeStats {
    pub sessions: u64,
    pub handshakes: u64,
    pub identities: u64,
    pub frames_in: u64,
    pub frames_out: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub outbox_bytes: u64,
    pub inbox_bytes: u64,
    pub takeovers: u64,
    pub loop_age_ms: u64,
}

impl Node {
    /// Counters now.
    #[must_use]
    pub fn stats(&self) -> NodeStats {
        let (sessions, identities): (Vec<_>, usize) = {
            let tables = self.tables.lock();
            (
                tables.sessions.values().cloned().collect(),
                tables.identities.len(),
            )
        };
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        NodeStats {
            sessions: sessions.len() as u64,
            handshakes: count(&self.counters.handshakes),
            identities: identities as u64,
            frames_in: count(&self.counters.frames_in),
            frames_out: count(&self.counters.frames_out),
            bytes_in: count(&self.counters.bytes_in),
            bytes_out: count(&self.counters.bytes_out),
            outbox_bytes: sessions.iter().map(|session| session.waiting() as u64).sum(),
            inbox_bytes: self
                .lanes()
                .iter()
                .flatten()
                .map(|lane| lane.bytes() as u64)
                .sum(),
            takeovers: count(&self.counters.takeovers),
            loop_age_ms: u64::try_from(self.watch.age().as_millis()).unwrap_or(u64::MAX),
        }
    }
}
