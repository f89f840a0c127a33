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

#[cfg(test)]
mod tests {
    use super::*;

    fn wait_for(holds: impl Fn() -> bool) {
        while !holds() {
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_loop_that_waits_is_not_stalled_and_one_that_does_not_turn_is() {
        let watch = LoopWatch::new();
        let idle = |watch: &LoopWatch| (watch.age(), watch.stall(), watch.is_stalled());
        let nothing = (Duration::ZERO, Duration::ZERO, false);
        wait_for(|| watch.now() > 2);
        assert_eq!(idle(&watch), nothing);
        watch.note_turn();
        wait_for(|| watch.age() > Duration::ZERO);
        assert!(watch.is_stalled() || watch.stall() <= watch.age());
        wait_for(|| watch.is_stalled());
        assert!(watch.stall() >= STALL && watch.age() >= watch.stall());
        watch.note_turn();
        watch.note_wait();
        assert_eq!(idle(&watch), nothing);
        watch.note_wake_requested();
        wait_for(|| watch.is_stalled());
        watch.note_wake();
        assert_eq!(idle(&watch), nothing);
    }

    #[test]
    fn the_earlier_sign_of_a_stall_counts() {
        let some = Duration::from_millis(20);
        let watch = LoopWatch::new();
        watch.note_wake_requested();
        wait_for(|| watch.age() >= some);
        watch.note_wake_requested();
        watch.note_turn();
        assert!(watch.age() >= some, "neither makes it younger");
        watch.note_wake();
        watch.note_turn();
        wait_for(|| watch.age() >= some);
        watch.note_wake_requested();
        assert!(watch.age() >= some);
    }
}
