//! Memory of long messages, kept for a moment when they are gone: fresh pages cost more than the copy into them.
//!
//! For: senders' streams and receivers' joined messages, of all nodes of the process. Guarantees: bounded in bytes and
//! number, and given back to the system when they were not used for a while.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Shorter buffers are cheap to make.
const LEAST_BYTES: usize = 128 * 1024;
const MOST_BYTES: usize = 160 << 20;
const MOST_BUFFERS: usize = 32;
/// Unused for so long, a buffer goes back to the system.
const KEPT: Duration = Duration::from_secs(3);

#[derive(Debug, Default)]
struct Spares {
    kept: Vec<Spare>,
    bytes: usize,
}

#[derive(Debug)]
struct Spare {
    buffer: Vec<u8>,
    since: Instant,
}

static SPARES: Mutex<Spares> = Mutex::new(Spares {
    kept: Vec::new(),
    bytes: 0,
});

/// An empty buffer with room for `bytes`, if a warm one is there that is not much larger.
#[must_use]
pub fn take(bytes: usize) -> Option<Vec<u8>> {
    if bytes < LEAST_BYTES {
        return None;
    }
    SPARES.lock().take(bytes)
}

/// Keeps a buffer that is free, or gives it back.
pub fn give(buffer: Vec<u8>) {
    if buffer.capacity() >= LEAST_BYTES {
        // What has no room is freed outside of the lock.
        let _refused = SPARES.lock().give(buffer, Instant::now());
    }
}

/// Frees what was not used for a while.
pub(crate) fn expire(now: Instant) {
    let _expired = SPARES.lock().expire(now);
}

impl Spares {
    fn take(&mut self, bytes: usize) -> Option<Vec<u8>> {
        let fits = |capacity: usize| capacity >= bytes && capacity / 4 <= bytes;
        let (at, _) = self
            .kept
            .iter()
            .enumerate()
            .filter(|(_, spare)| fits(spare.buffer.capacity()))
            .min_by_key(|(_, spare)| spare.buffer.capacity())?;
        let mut buffer = self.kept.swap_remove(at).buffer;
        self.bytes -= buffer.capacity();
        buffer.clear();
        Some(buffer)
    }

    fn give(&mut self, buffer: Vec<u8>, now: Instant) -> Option<Vec<u8>> {
        let bytes = self.bytes + buffer.capacity();
        if bytes > MOST_BYTES || self.kept.len() >= MOST_BUFFERS {
            return Some(buffer);
        }
        self.bytes = bytes;
        self.kept.push(Spare { buffer, since: now });
        None
    }

    fn expire(&mut self, now: Instant) -> Vec<Spare> {
        let (expired, kept) = std::mem::take(&mut self.kept)
            .into_iter()
            .partition(|spare| now.saturating_duration_since(spare.since) >= KEPT);
        self.kept = kept;
        self.bytes = self.kept.iter().map(|spare| spare.buffer.capacity()).sum();
        expired
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_smallest_that_fits_and_none_that_is_far_too_large() {
        let (mut spares, now) = (Spares::default(), Instant::now());
        for size in [8 << 20, 1 << 20, 2 << 20] {
            assert!(spares.give(Vec::with_capacity(size), now).is_none());
        }
        assert_eq!(
            spares.take(1_500_000).map(|buffer| buffer.capacity()),
            Some(2 << 20)
        );
        assert_eq!(spares.take(200_000), None);
        assert_eq!(
            spares.take(1 << 20).map(|buffer| buffer.capacity()),
            Some(1 << 20)
        );
    }

    #[test]
    fn keeps_no_more_than_its_limit_and_nothing_for_ever() {
        let (mut spares, now) = (Spares::default(), Instant::now());
        assert!(spares.give(Vec::with_capacity(100 << 20), now).is_none());
        assert!(spares.give(Vec::with_capacity(100 << 20), now).is_some());
        assert!(spares.expire(now + KEPT / 2).is_empty());
        assert_eq!(spares.expire(now + KEPT).len(), 1);
        assert_eq!(spares.bytes, 0);
    }
}
