//! Gives freed memory back to the system when traffic has stopped.
//!
//! An allocator keeps what was freed in the middle of its heaps: after a hundred messages of 1 MiB at once, more than
//! a hundred MiB stay resident although nothing is live. To ask for them costs milliseconds, so it is done once after
//! much traffic, and not while there is any.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How long no traffic must have come before memory is given back. Longer than spare buffers are kept.
const QUIET: Duration = Duration::from_secs(4);
/// Less traffic than this since the last time leaves nothing worth the call. Unit: bytes.
const WORTH: u64 = 16 << 20;
/// Ticks and the like are no traffic. Unit: bytes between two looks.
const TRICKLE: u64 = 64 << 10;

static GIVE_BACK: OnceLock<fn()> = OnceLock::new();

/// Sets what asks the allocator to give memory back. The first call counts.
pub fn set_give_back(give_back: fn()) {
    let _ = GIVE_BACK.set(give_back);
}

/// When one node's traffic was last seen, and up to where memory was given back.
#[derive(Debug)]
pub(crate) struct Trim {
    seen: u64,
    given_back_at: u64,
    quiet_since: Instant,
}

impl Trim {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            seen: 0,
            given_back_at: 0,
            quiet_since: now,
        }
    }

    /// Looks at the bytes that a node has sent and received so far; gives memory back when it is time.
    pub(crate) fn look(&mut self, now: Instant, moved: u64) {
        if self.is_due(now, moved)
            && let Some(give_back) = GIVE_BACK.get()
        {
            give_back();
        }
    }

    fn is_due(&mut self, now: Instant, moved: u64) -> bool {
        if moved.saturating_sub(self.seen) > TRICKLE {
            self.quiet_since = now;
        }
        self.seen = moved;
        let is_due = moved.saturating_sub(self.given_back_at) >= WORTH
            && now.saturating_duration_since(self.quiet_since) >= QUIET;
        if is_due {
            self.given_back_at = moved;
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
        assert!(!trim.is_due(start, WORTH), "traffic now");
        assert!(!trim.is_due(start + QUIET / 2, WORTH), "not quiet for long");
        assert!(
            trim.is_due(start + QUIET, WORTH + TRICKLE),
            "ticks are no traffic"
        );
        assert!(!trim.is_due(start + QUIET * 2, WORTH + TRICKLE), "done");
        assert!(
            !trim.is_due(start + QUIET * 3, WORTH + TRICKLE * 2),
            "too little since"
        );
    }
}
