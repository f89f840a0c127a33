//! Has the allocator return freed memory to the system when traffic has stopped.
//!
//! An allocator keeps memory that was freed in the middle of its heaps: after a hundred messages of 1 MiB at once, more than
//! a hundred MiB stay resident although nothing is live. The call takes milliseconds, so it is made once after much
//! traffic, and never during traffic.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How long there must be no traffic before the heap is trimmed. Longer than the buffer pool keeps a buffer.
const QUIET: Duration = Duration::from_secs(4);
/// The heap is not trimmed for less traffic than this since the last time. Unit: bytes.
const MIN_TRAFFIC: u64 = 16 << 20;
/// At most this much between two calls counts as no traffic: PINGs, for example. Unit: bytes.
const IDLE_TRAFFIC: u64 = 64 << 10;

static TRIM_HEAP: OnceLock<fn()> = OnceLock::new();

/// Sets the function that makes the allocator return memory to the system. Only the first call has an effect.
pub fn set_trim_heap(trim_heap: fn()) {
    let _ = TRIM_HEAP.set(trim_heap);
}

/// The traffic of one node, as of the last call and as of the last trim. Unit: bytes.
#[derive(Debug)]
pub(crate) struct Trim {
    seen: u64,
    trimmed_at: u64,
    quiet_since: Instant,
}

impl Trim {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            seen: 0,
            trimmed_at: 0,
            quiet_since: now,
        }
    }

    /// Takes the number of bytes that a node has sent and received so far; trims the heap when that is due.
    pub(crate) fn observe(&mut self, now: Instant, moved: u64) {
        if self.is_due(now, moved)
            && let Some(trim_heap) = TRIM_HEAP.get()
        {
            trim_heap();
        }
    }

    fn is_due(&mut self, now: Instant, moved: u64) -> bool {
        if moved.saturating_sub(self.seen) > IDLE_TRAFFIC {
            self.quiet_since = now;
        }
        self.seen = moved;
        let is_due = moved.saturating_sub(self.trimmed_at) >= MIN_TRAFFIC
            && now.saturating_duration_since(self.quiet_since) >= QUIET;
        if is_due {
            self.trimmed_at = moved;
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_due_once_after_much_traffic_has_stopped() {
        let start = Instant::now();
        let mut trim = Trim::new(start);
        assert!(!trim.is_due(start, MIN_TRAFFIC), "traffic now");
        assert!(!trim.is_due(start + QUIET / 2, MIN_TRAFFIC), "not quiet for long");
        assert!(
            trim.is_due(start + QUIET, MIN_TRAFFIC + IDLE_TRAFFIC),
            "PINGs are no traffic"
        );
        assert!(
            !trim.is_due(start + QUIET * 2, MIN_TRAFFIC + IDLE_TRAFFIC),
            "done"
        );
        assert!(
            !trim.is_due(start + QUIET * 3, MIN_TRAFFIC + IDLE_TRAFFIC * 2),
            "too little since"
        );
    }
}
