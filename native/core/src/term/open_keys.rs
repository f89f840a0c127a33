//! Detects repeated keys in objects that are written without a shape.

use super::TermError;

/// Keys of the objects whose values are being checked, those of the innermost object last. The list is kept from
/// term to term, so that checking does not allocate.
#[derive(Debug, Default)]
pub(super) struct OpenKeys {
    keys: Vec<Key>,
}

/// Where a key is in the term.
#[derive(Clone, Copy, Debug)]
struct Key {
    fingerprint: u32,
    at: u32,
    length: u16,
}

/// Keys that the list keeps room for between terms.
const KEPT_KEYS: usize = 4_096;

/// Objects of at most this many keys are compared pair by pair.
const FEW_KEYS: usize = 8;

impl OpenKeys {
    /// Begins an object. Pass the result to [`Self::end`].
    pub(super) fn begin(&self) -> usize {
        self.keys.len()
    }

    /// Notes the key of `length` bytes at the offset `at`.
    pub(super) fn note(&mut self, bytes: &[u8], at: usize, length: u16) -> Result<(), TermError> {
        let at = u32::try_from(at).map_err(|_| TermError::CountTooLarge)?;
        let key = Key {
            fingerprint: 0,
            at,
            length,
        };
        let fingerprint = fingerprint(key_bytes(bytes, key));
        self.keys.push(Key { fingerprint, ..key });
        Ok(())
    }

    /// Ends the object whose keys begin at `base`: an error if two of them are equal. Sorts by fingerprint, then bytes, so
    /// the cost is never quadratic, even when the sender chose keys with equal fingerprints.
    pub(super) fn end(&mut self, bytes: &[u8], base: usize) -> Result<(), TermError> {
        let Some(keys) = self.keys.get_mut(base..) else {
            return Ok(());
        };
        let is_same = |a: &Key, b: &Key| {
            a.fingerprint == b.fingerprint
                && a.length == b.length
                && key_bytes(bytes, *a) == key_bytes(bytes, *b)
        };
        let has_duplicates = if keys.len() <= FEW_KEYS {
            keys.iter()
                .enumerate()
                .any(|(index, a)| keys.iter().take(index).any(|b| is_same(a, b)))
        } else {
            keys.sort_unstable_by(|a, b| {
                a.fingerprint
                    .cmp(&b.fingerprint)
                    .then_with(|| key_bytes(bytes, *a).cmp(key_bytes(bytes, *b)))
            });
            keys.windows(2)
                .any(|pair| matches!(pair, [a, b] if is_same(a, b)))
        };
        self.keys.truncate(base);
        if has_duplicates {
            Err(TermError::DuplicateKey)
        } else {
            Ok(())
        }
    }

    /// Forgets everything: an error may have left open objects behind.
    pub(super) fn reset(&mut self) {
        self.keys.clear();
        if self.keys.capacity() > KEPT_KEYS {
            self.keys.shrink_to(KEPT_KEYS);
        }
    }
}

fn key_bytes(bytes: &[u8], key: Key) -> &[u8] {
    let at = key.at as usize;
    bytes.get(at..at + usize::from(key.length)).unwrap_or_default()
}

/// A cheap fingerprint of a key: its first and last bytes and its length. Equal keys have equal fingerprints.
fn fingerprint(key: &[u8]) -> u32 {
    let (head, tail) = match (key.first_chunk::<8>(), key.last_chunk::<8>()) {
        (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
        _ => (key.iter().fold(0, |word, &byte| word << 8 | u64::from(byte)), 0),
    };
    let word = head ^ tail.rotate_left(29) ^ key.len() as u64;
    (word.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_long_term_needed_is_given_back() {
        let mut keys = OpenKeys::default();
        for at in 0..100_000 {
            keys.note(&[], at, 0).unwrap();
        }
        keys.reset();
        assert!(keys.keys.is_empty() && keys.keys.capacity() <= KEPT_KEYS);
    }
}
