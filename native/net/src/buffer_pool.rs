//! A pool of large buffers, shared by all nodes of the process.
//!
//! For: long messages that are being sent or joined. To fault in fresh pages costs more than to copy a message into them.
//! Guarantees: the pool is bounded in bytes and buffers, and frees what was not used for some seconds.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Shorter buffers are not kept: they are cheap to allocate.
const MIN_BUFFER_BYTES: usize = 128 * 1024;
const MAX_POOL_BYTES: usize = 160 << 20;
const MAX_BUFFERS: usize = 32;
/// A buffer that was not used for this long is freed.
const KEPT_FOR: Duration = Duration::from_secs(3);

#[derive(Debug, Default)]
struct Pool {
    kept: Vec<Kept>,
    bytes: usize,
}

#[derive(Debug)]
struct Kept {
    buffer: Vec<u8>,
    since: Instant,
}

static POOL: Mutex<Pool> = Mutex::new(Pool {
    kept: Vec::new(),
    bytes: 0,
});

/// An empty buffer with room for `bytes`, if the pool has one that is at most four times as large.
/// Of several of one size, the one that was used last: it may still be in the processor's cache.
#[must_use]
pub fn take(bytes: usize) -> Option<Vec<u8>> {
    if bytes < MIN_BUFFER_BYTES {
        return None;
    }
    POOL.lock().take(bytes)
}

/// Puts a buffer that is no longer used into the pool, or frees it.
pub fn give(buffer: Vec<u8>) {
    if buffer.capacity() >= MIN_BUFFER_BYTES {
        // A buffer that does not fit is freed after the lock is released.
        let _refused = POOL.lock().give(buffer, Instant::now());
    }
}

/// Frees the buffers that were not used for [`KEPT_FOR`].
pub(crate) fn expire(now: Instant) {
    let _expired = POOL.lock().expire(now);
}

impl Pool {
    fn take(&mut self, bytes: usize) -> Option<Vec<u8>> {
        let fits = |capacity: usize| capacity >= bytes && capacity / 4 <= bytes;
        let (at, _) = self
            .kept
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, kept)| fits(kept.buffer.capacity()))
            .min_by_key(|(_, kept)| kept.buffer.capacity())?;
        let mut buffer = self.kept.swap_remove(at).buffer;
        self.bytes -= buffer.capacity();
        buffer.clear();
        Some(buffer)
    }

    fn give(&mut self, buffer: Vec<u8>, now: Instant) -> Option<Vec<u8>> {
        let bytes = self.bytes + buffer.capacity();
        if bytes > MAX_POOL_BYTES || self.kept.len() >= MAX_BUFFERS {
            return Some(buffer);
        }
        self.bytes = bytes;
        self.kept.push(Kept { buffer, since: now });
        None
    }

    fn expire(&mut self, now: Instant) -> Vec<Kept> {
        let (expired, kept) = std::mem::take(&mut self.kept)
            .into_iter()
            .partition(|kept| now.saturating_duration_since(kept.since) >= KEPT_FOR);
        self.kept = kept;
        self.bytes = self.kept.iter().map(|kept| kept.buffer.capacity()).sum();
        expired
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_smallest_that_fits_and_none_that_is_far_too_large() {
        let (mut pool, now) = (Pool::default(), Instant::now());
        for size in [8 << 20, 1 << 20, 2 << 20] {
            assert!(pool.give(Vec::with_capacity(size), now).is_none());
        }
        assert_eq!(
            pool.take(1_500_000).map(|buffer| buffer.capacity()),
            Some(2 << 20)
        );
        assert_eq!(pool.take(200_000), None);
        assert_eq!(pool.take(1 << 20).map(|buffer| buffer.capacity()), Some(1 << 20));
    }

    #[test]
    fn gives_the_one_of_a_size_that_was_used_last() {
        let (mut pool, now) = (Pool::default(), Instant::now());
        let buffers = [(); 3].map(|()| Vec::with_capacity(1 << 20));
        let places = buffers.each_ref().map(|buffer: &Vec<u8>| buffer.as_ptr());
        for buffer in buffers {
            assert!(pool.give(buffer, now).is_none());
        }
        let taken = [(); 3].map(|()| pool.take(1 << 20).unwrap());
        assert!(taken.iter().rev().map(Vec::as_ptr).eq(places));
    }

    #[test]
    fn a_buffer_that_is_taken_is_empty_and_gives_its_bytes_back() {
        let (mut pool, now) = (Pool::default(), Instant::now());
        for _ in 0..3 {
            assert!(pool.give(vec![7; 100 << 20], now).is_none(), "there is room");
            assert_eq!(pool.take(100 << 20).map(|buffer| buffer.len()), Some(0));
        }
        for _ in 0..MAX_BUFFERS {
            assert!(pool.give(Vec::with_capacity(MIN_BUFFER_BYTES), now).is_none());
        }
        assert!(pool.give(Vec::with_capacity(MIN_BUFFER_BYTES), now).is_some());
    }

    #[test]
    fn short_buffers_are_not_kept() {
        // The pool of the process, so sizes that no other test has.
        let (long, short) = (MIN_BUFFER_BYTES + 4097, MIN_BUFFER_BYTES - 1);
        give(Vec::with_capacity(long));
        let kept = take(long).map(|buffer| buffer.capacity());
        assert_eq!(kept, Some(long));
        give(Vec::with_capacity(short));
        assert_eq!(take(short), None);
    }

    #[test]
    fn keeps_no_more_than_its_limit_and_nothing_for_ever() {
        let (mut pool, now) = (Pool::default(), Instant::now());
        assert!(pool.give(Vec::with_capacity(100 << 20), now).is_none());
        assert!(pool.give(Vec::with_capacity(100 << 20), now).is_some());
        assert!(pool.expire(now + KEPT_FOR / 2).is_empty());
        assert_eq!(pool.expire(now + KEPT_FOR).len(), 1);
        assert_eq!(pool.bytes, 0);
    }
}
