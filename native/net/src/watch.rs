//! Detects that the event loop of lane 0 is stalled.
//!
//! The loop notes when it begins to run callbacks and when it is about to wait. While it waits it is idle, not stalled.
//! But other code's callback that blocks right after the wait looks like waiting, so there is a second sign: a wake-up
//! that was requested and has not arrived ([`LoopWatch::note_wake_requested`]).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// After this long without a turn of the loop the I/O thread reads in its place.
pub(crate) const STALL: Duration = Duration::from_millis(200);

const IDLE: u64 = 0;

/// Times are milliseconds since the node's start, plus one; 0 means none.
#[derive(Debug)]
pub struct LoopWatch {
    start: Instant,
    busy_since: AtomicU64,
    wake_requested_at: AtomicU64,
}

impl LoopWatch {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            busy_since: AtomicU64::new(IDLE),
            wake_requested_at: AtomicU64::new(IDLE),
        }
    }

    /// The loop runs callbacks.
    pub fn note_turn(&self) {
        self.busy_since.store(self.now(), Ordering::Relaxed);
    }

    /// The loop is about to wait for events.
    pub fn note_wait(&self) {
        self.busy_since.store(IDLE, Ordering::Relaxed);
    }

    /// A wake-up of the loop was requested.
    pub(crate) fn note_wake_requested(&self) {
        let now = self.now();
        let _ = self
            .wake_requested_at
            .compare_exchange(IDLE, now, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// The wake-up arrived.
    pub fn note_wake(&self) {
        self.wake_requested_at.store(IDLE, Ordering::Relaxed);
    }

    /// Time since the loop last turned; zero while it waits for events.
    pub(crate) fn age(&self) -> Duration {
        let since = [&self.busy_since, &self.wake_requested_at]
            .into_iter()
            .map(|stamp| stamp.load(Ordering::Relaxed))
            .filter(|stamp| *stamp != IDLE)
            .min();
        Duration::from_millis(since.map_or(0, |since| self.now().saturating_sub(since)))
    }

    /// The age, if it is long enough that peers are told; otherwise zero.
    pub(crate) fn stall(&self) -> Duration {
        let age = self.age();
        if age >= STALL { age } else { Duration::ZERO }
    }

    pub(crate) fn is_stalled(&self) -> bool {
        self.age() >= STALL
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1
    }
}
