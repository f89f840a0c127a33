//! Watches whether the event loop of lane 0 turns.
//!
//! The loop stamps the moments at which it wakes and at which it goes to wait. While it waits it is idle, not
//! stalled; a callback of other code that blocks looks like waiting, so [`LoopWatch::poked`] gives the second
//! sign: a wake-up asked for and not answered.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A loop that did not turn for this long does not read; the native thread does.
pub(crate) const STALL: Duration = Duration::from_millis(200);

const IDLE: u64 = 0;

/// Times are milliseconds since the node's start, plus one; 0 means "not so".
#[derive(Debug)]
pub struct LoopWatch {
    start: Instant,
    busy_since: AtomicU64,
    poked_at: AtomicU64,
}

impl LoopWatch {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            busy_since: AtomicU64::new(IDLE),
            poked_at: AtomicU64::new(IDLE),
        }
    }

    /// The loop runs callbacks.
    pub fn turned(&self) {
        self.busy_since.store(self.now(), Ordering::Relaxed);
    }

    /// The loop is about to wait for something to happen.
    pub fn waits(&self) {
        self.busy_since.store(IDLE, Ordering::Relaxed);
    }

    /// The loop was asked for a wake-up.
    pub(crate) fn poked(&self) {
        let now = self.now();
        let _ = self
            .poked_at
            .compare_exchange(IDLE, now, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// The wake-up arrived.
    pub fn answered(&self) {
        self.poked_at.store(IDLE, Ordering::Relaxed);
    }

    /// How long the loop has not turned; zero while it just waits.
    pub(crate) fn age(&self) -> Duration {
        let since = [&self.busy_since, &self.poked_at]
            .into_iter()
            .map(|stamp| stamp.load(Ordering::Relaxed))
            .filter(|stamp| *stamp != IDLE)
            .min();
        Duration::from_millis(since.map_or(0, |since| self.now().saturating_sub(since)))
    }

    /// The age if it is a stall that peers are told of, else zero.
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
