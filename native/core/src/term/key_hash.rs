//! Bounds the cost of keys of a MAP or SET that collide in V8's hash tables.
//!
//! V8 seeds its hash of strings (of digits only since CVE-2026-21717 was mended), not that of numbers and big integers, so a peer can
//! choose numbers that collide and make the insertion of n keys cost n² / 2 comparisons. The checker therefore counts the comparisons first.

use super::{TermError, tag};

/// Comparisons that colliding keys of one term may cost, in addition to STEPS_PER_KEY for each key.
pub(super) const FREE_STEPS: u64 = 1 << 20;
/// Comparisons that each key may cost. Keys that were not chosen to collide cost fewer than two.
pub(super) const STEPS_PER_KEY: u64 = 64;
/// A container of at most this many keys stays within STEPS_PER_KEY whatever they are, and is not counted.
pub(super) const FEW_KEYS: usize = 64;

/// Counts the comparisons of one term.
#[derive(Debug, Default)]
pub(super) struct Collisions {
    hashes: Vec<u32>,
    counts: Vec<u32>,
    steps: u64,
    allowed: u64,
}

/// Entries that the lists keep room for between terms.
const KEPT: usize = 4_096;

impl Collisions {
    /// Begins a term.
    pub(super) fn reset(&mut self) {
        self.hashes.clear();
        self.steps = 0;
        self.allowed = FREE_STEPS;
        if self.hashes.capacity() > KEPT {
            self.hashes.shrink_to(KEPT);
        }
        if self.counts.capacity() > KEPT {
            self.counts = Vec::new();
        }
    }

    /// Begins a container. Pass the result to [`Self::end`].
    pub(super) const fn begin(&self) -> usize {
        self.hashes.len()
    }

    /// Notes a key, given as its bytes. Kinds that V8 hashes with a seed, or by identity, are not noted.
    #[inline]
    pub(super) fn note(&mut self, key: &[u8]) {
        if let Some(hash) = hash_of(key) {
            self.hashes.push(hash);
        }
    }

    /// Ends a container of `entries` keys: adds up the comparisons that the noted ones cost. O(entries).
    pub(super) fn end(&mut self, base: usize, entries: usize) -> Result<(), TermError> {
        let keys = self.hashes.get(base..).unwrap_or_default();
        if keys.len() > FEW_KEYS {
            let buckets = entries.next_power_of_two() / 2;
            self.counts.clear();
            self.counts.resize(buckets, 0);
            for hash in keys {
                if let Some(count) = self.counts.get_mut(*hash as usize & (buckets - 1)) {
                    self.steps += u64::from(*count);
                    *count += 1;
                }
            }
            self.allowed += STEPS_PER_KEY * keys.len() as u64;
        }
        self.hashes.truncate(base);
        if self.steps > self.allowed {
            return Err(TermError::CollidingKeys);
        }
        Ok(())
    }
}

/// V8's hash of a number or a big integer; `None` for every other value.
#[inline]
fn hash_of(key: &[u8]) -> Option<u32> {
    let (&kind, body) = key.split_first()?;
    Some(match kind {
        tag::SMALL_INT..=tag::SMALL_INT_LAST => hash_int(u32::from(kind - tag::SMALL_INT)),
        tag::INT8 => hash_int(i32::from(i8::from_le_bytes(*body.first_chunk()?)).cast_unsigned()),
        tag::INT16 => hash_int(i32::from(i16::from_le_bytes(*body.first_chunk()?)).cast_unsigned()),
        tag::INT32 => hash_int(u32::from_le_bytes(*body.first_chunk()?)),
        tag::FLOAT => hash_float(f64::from_le_bytes(*body.first_chunk()?)),
        tag::INT => {
            let value = i64::from_le_bytes(*body.first_chunk()?);
            if value.unsigned_abs() < 1 << 53 {
                hash_float(value as f64)
            } else {
                hash_long(value.unsigned_abs())
            }
        }
        tag::BIGINT => {
            let magnitude = body.get(5..)?;
            let low = magnitude.iter().take(8).rev();
            hash_long(low.fold(0, |word, &byte| word << 8 | u64::from(byte)))
        }
        _ => return None,
    })
}

fn hash_float(value: f64) -> u32 {
    let int = value as i32;
    if f64::from(int).to_bits() == value.to_bits() || value == 0.0 {
        hash_int(int.cast_unsigned())
    } else {
        hash_long(value.to_bits())
    }
}

/// `ComputeUnseededHash` of V8.
const fn hash_int(key: u32) -> u32 {
    let mut hash = (!key).wrapping_add(key << 15);
    hash ^= hash >> 12;
    hash = hash.wrapping_add(hash << 2);
    hash ^= hash >> 4;
    hash = hash.wrapping_mul(2057);
    hash ^= hash >> 16;
    hash & 0x3fff_ffff
}

/// `ComputeLongHash` of V8.
const fn hash_long(key: u64) -> u32 {
    let mut hash = (!key).wrapping_add(key << 18);
    hash ^= hash >> 31;
    hash = hash.wrapping_mul(21);
    hash ^= hash >> 11;
    hash = hash.wrapping_add(hash << 6);
    hash ^= hash >> 22;
    (hash & 0x3fff_ffff) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_long_term_needed_is_given_back() {
        let mut collisions = Collisions::default();
        collisions.reset();
        let base = collisions.begin();
        (0..100_000_u32).for_each(|key| collisions.note(&[&[tag::INT32][..], &key.to_le_bytes()].concat()));
        assert_eq!(collisions.end(base, 100_000), Ok(()));
        assert!(collisions.hashes.is_empty(), "a container that ended needs none");
        collisions.note(&[tag::SMALL_INT]);
        collisions.reset();
        assert!(collisions.hashes.is_empty(), "an error may have left some behind");
        assert!(collisions.hashes.capacity() <= KEPT && collisions.counts.capacity() <= KEPT);
    }
}
