//! The hot path: validates a term and rewrites its PIDs in one pass over the bytes.
//!
//! Recursion happens per container only and is bounded by [`MAX_DEPTH`], so the stack stays within some tens of
//! KiB whatever the input. Nothing is allocated, except that the keys of objects written without a shape are
//! noted in a list that is kept from term to term.

use super::key_hash::{Collisions, FEW_KEYS as FEW_ENTRIES};
use super::memory::{self, MAX_BIGINT_BYTES, MAX_ENTRIES, MAX_STRING_BYTES, MAX_TERM_MEMORY};
use super::{MAX_DEPTH, ShapeTable, TERM_VERSION, TermError, tag};
use crate::pid::{LOCAL_BITS, LOCAL_MASK, Pid};

/// From the writer's numbering into the reader's.
pub trait Translate {
    /// The reader's number for the writer's number `nc`; `None` when it was not announced.
    fn translate(&self, nc: u32) -> Option<u32>;
}

/// Leaves every number as it is.
#[derive(Clone, Copy, Debug)]
pub struct Untranslated;

impl Translate for Untranslated {
    #[inline]
    fn translate(&self, nc: u32) -> Option<u32> {
        Some(nc)
    }
}

impl<F: Fn(u32) -> Option<u32>> Translate for F {
    #[inline]
    fn translate(&self, nc: u32) -> Option<u32> {
        self(nc)
    }
}

/// Checks terms. Keeps a list of keys between terms so that checking does not allocate.
#[derive(Debug, Default)]
pub struct TermChecker {
    keys: Vec<Key>,
    collisions: Collisions,
}

/// Keys that the list keeps room for between terms.
const KEPT_KEYS: usize = 4_096;

impl TermChecker {
    /// Validates `term`, version byte included, and rewrites the PIDs and references in it.
    ///
    /// Cost: one pass, a second one over the number keys of maps and sets, and n log n comparisons for the n keys of
    /// an object written without a shape. After an error
    /// the bytes may be partly rewritten.
    ///
    /// # Errors
    /// The first thing found wrong.
    #[inline]
    pub fn check<T: Translate>(
        &mut self,
        term: &mut [u8],
        shapes: &ShapeTable,
        translate: &T,
    ) -> Result<(), TermError> {
        let mut walk = Walk {
            bytes: term,
            at: 0,
            shapes,
            translate,
            keys: &mut self.keys,
            collisions: &mut self.collisions,
            memory: 0,
        };
        walk.collisions.reset();
        let version = walk.u8()?;
        if version != TERM_VERSION {
            return Err(TermError::UnknownVersion(version));
        }
        let verdict = walk.values(1, 0).and_then(|()| walk.take_memory(0));
        let is_complete = walk.at == walk.bytes.len();
        if !self.keys.is_empty() {
            self.keys.clear();
        }
        if self.keys.capacity() > KEPT_KEYS {
            self.keys.shrink_to(KEPT_KEYS);
        }
        verdict?;
        if is_complete {
            Ok(())
        } else {
            Err(TermError::TrailingBytes)
        }
    }
}

/// A key of an object whose values are still being checked. Ordered by mark first, bytes second.
#[derive(Clone, Copy, Debug)]
struct Key {
    mark: u32,
    at: u32,
    length: u16,
}

/// Objects of at most this many keys are compared pair by pair.
const FEW_KEYS: usize = 8;

struct Walk<'a, T> {
    bytes: &'a mut [u8],
    at: usize,
    shapes: &'a ShapeTable,
    translate: &'a T,
    keys: &'a mut Vec<Key>,
    collisions: &'a mut Collisions,
    /// What the values so far take in JavaScript, about, in bytes.
    memory: u64,
}

impl<T: Translate> Walk<'_, T> {
    /// Checks `count` values that stand one after the other inside `depth` containers.
    fn values(&mut self, count: usize, depth: usize) -> Result<(), TermError> {
        for _ in 0..count {
            match self.u8()? {
                tag::SMALL_INT..=tag::SMALL_INT_LAST
                | tag::TRUE
                | tag::FALSE
                | tag::UNDEFINED
                | tag::NULL => {}
                tag @ tag::SHORT_STRING..=tag::SHORT_STRING_LAST => {
                    self.memory += memory::STRING;
                    self.text(usize::from(tag - tag::SHORT_STRING))?;
                }
                tag::INT8 => self.skip(1)?,
                tag::INT16 => self.skip(2)?,
                tag::INT32 => self.skip(4)?,
                tag::INT | tag::FLOAT => {
                    self.memory += memory::NUMBER;
                    self.skip(8)?;
                }
                tag::DATE => {
                    self.memory += memory::DATE;
                    self.skip(8)?;
                }
                tag::SHAPED => {
                    let id = u16::from_le_bytes(self.array()?);
                    let count = self.shapes.key_count(id).ok_or(TermError::UnknownShape)?;
                    self.list(count, depth, memory::SHAPED)?;
                }
                tag::STRING8 => {
                    let length = usize::from(self.u8()?);
                    self.memory += memory::STRING;
                    self.text(length)?;
                }
                tag::STRING => {
                    let length = self.u32()?;
                    self.memory += memory::STRING;
                    self.text(length)?;
                    if length > MAX_STRING_BYTES {
                        return Err(TermError::StringTooLong);
                    }
                }
                tag::PID => {
                    self.memory += memory::ADDRESS;
                    self.pid()?;
                }
                tag::REF => {
                    self.memory += memory::ADDRESS;
                    self.reference()?;
                }
                tag::LIST8 => {
                    let count = usize::from(self.u8()?);
                    self.list(count, depth, memory::LIST)?;
                }
                tag::LIST => {
                    let count = self.u32()?;
                    self.list(count, depth, memory::LIST)?;
                }
                tag::SET => {
                    let count = self.u32()?;
                    self.enter(count, 1, depth, memory::SET, memory::SET_ENTRY)?;
                    self.keyed(count, 1, depth)?;
                }
                tag::MAP => {
                    let count = self.u32()?;
                    self.enter(count, 2, depth, memory::MAP, memory::MAP_ENTRY)?;
                    self.keyed(count, 2, depth)?;
                }
                tag::OBJECT => {
                    let count = self.u32()?;
                    self.enter(count, 3, depth, memory::OBJECT, memory::KEY)?;
                    self.object(count, depth)?;
                }
                tag::BINARY8 => {
                    let length = usize::from(self.u8()?);
                    self.take_memory(memory::BYTES)?;
                    self.skip(length)?;
                }
                tag::BINARY => {
                    let length = self.u32()?;
                    self.take_memory(memory::BYTES)?;
                    self.skip(length)?;
                }
                tag::BIGINT => self.big_int()?,
                tag::VIEW => self.view()?,
                tag::STRUCT => self.fields(depth)?,
                unknown => return Err(TermError::UnknownTag(unknown)),
            }
        }
        Ok(())
    }

    fn list(&mut self, count: usize, depth: usize, bytes: u64) -> Result<(), TermError> {
        self.enter(count, 1, depth, bytes, memory::SLOT)?;
        self.values(count, depth + 1)
    }

    /// A container of `count` keys, each with `width - 1` values behind it.
    fn keyed(&mut self, count: usize, width: usize, depth: usize) -> Result<(), TermError> {
        if count <= FEW_ENTRIES {
            return self.values(count * width, depth + 1);
        }
        let base = self.collisions.mark();
        for _ in 0..count {
            let start = self.at;
            self.values(1, depth + 1)?;
            self.collisions
                .note(self.bytes.get(start..self.at).unwrap_or_default());
            self.values(width - 1, depth + 1)?;
        }
        self.collisions.settle(base, count)
    }

    /// Scalars are only added; the next container, or the end of the term, looks at the sum.
    #[inline]
    fn take_memory(&mut self, bytes: u64) -> Result<(), TermError> {
        self.memory += bytes;
        if self.memory > MAX_TERM_MEMORY {
            return Err(TermError::TooMuchMemory);
        }
        Ok(())
    }

    /// Goes into a container. Each entry takes at least `least` bytes of the term, so a count beyond that is false; then products
    /// of counts do not overflow either. In JavaScript the container takes `bytes` and `entry` more for each entry.
    #[inline]
    fn enter(
        &mut self,
        count: usize,
        least: usize,
        depth: usize,
        bytes: u64,
        entry: u64,
    ) -> Result<(), TermError> {
        if depth >= MAX_DEPTH {
            return Err(TermError::TooDeep);
        }
        if count > (self.bytes.len() - self.at) / least {
            return Err(TermError::CountTooLarge);
        }
        if count > MAX_ENTRIES {
            return Err(TermError::TooManyEntries);
        }
        self.take_memory(bytes + count as u64 * entry)
    }

    fn object(&mut self, count: usize, depth: usize) -> Result<(), TermError> {
        let base = self.keys.len();
        for _ in 0..count {
            let key = self.key()?;
            self.keys.push(key);
            self.values(1, depth + 1)?;
        }
        self.distinct(base)?;
        self.keys.truncate(base);
        Ok(())
    }

    fn fields(&mut self, depth: usize) -> Result<(), TermError> {
        self.name()?;
        let count = usize::from(u16::from_le_bytes(self.array()?));
        self.enter(count, 3, depth, memory::STRUCT, memory::KEY)?;
        for _ in 0..count {
            self.name()?;
            self.values(1, depth + 1)?;
        }
        Ok(())
    }

    fn name(&mut self) -> Result<(), TermError> {
        let length = u16::from_le_bytes(self.array()?);
        self.text(usize::from(length))
    }

    fn key(&mut self) -> Result<Key, TermError> {
        let length = u16::from_le_bytes(self.array()?);
        let at = u32::try_from(self.at).map_err(|_| TermError::CountTooLarge)?;
        self.text(usize::from(length))?;
        let key = Key { mark: 0, at, length };
        Ok(Key {
            mark: mark(key_bytes(self.bytes, key)),
            ..key
        })
    }

    /// No two of the keys from `base` on are equal. Sorting by mark and bytes is never quadratic, even when
    /// the sender chose keys of equal marks.
    fn distinct(&mut self, base: usize) -> Result<(), TermError> {
        let bytes = &*self.bytes;
        let Some(keys) = self.keys.get_mut(base..) else {
            return Ok(());
        };
        let is_same = |a: &Key, b: &Key| {
            a.mark == b.mark && a.length == b.length && key_bytes(bytes, *a) == key_bytes(bytes, *b)
        };
        let has_twins = if keys.len() <= FEW_KEYS {
            keys.iter()
                .enumerate()
                .any(|(index, a)| keys.iter().take(index).any(|b| is_same(a, b)))
        } else {
            keys.sort_unstable_by(|a, b| {
                a.mark
                    .cmp(&b.mark)
                    .then_with(|| key_bytes(bytes, *a).cmp(key_bytes(bytes, *b)))
            });
            keys.windows(2)
                .any(|pair| matches!(pair, [a, b] if is_same(a, b)))
        };
        if has_twins {
            Err(TermError::DuplicateKey)
        } else {
            Ok(())
        }
    }

    fn big_int(&mut self) -> Result<(), TermError> {
        let sign = self.u8()?;
        let length = self.u32()?;
        self.memory += memory::NUMBER + length as u64;
        let magnitude = self.take(length)?;
        if length > MAX_BIGINT_BYTES {
            return Err(TermError::BigIntTooLarge);
        }
        let is_canonical = match magnitude.last() {
            None => sign == 0,
            Some(&top) => sign <= 1 && top != 0,
        };
        if is_canonical {
            Ok(())
        } else {
            Err(TermError::BadBigInt)
        }
    }

    fn view(&mut self) -> Result<(), TermError> {
        self.take_memory(memory::BYTES)?;
        let element = tag::view_element_bytes(self.u8()?).ok_or(TermError::BadView)?;
        let length = self.u32()?;
        if !length.is_multiple_of(element) {
            return Err(TermError::BadView);
        }
        self.skip(length)
    }

    fn pid(&mut self) -> Result<(), TermError> {
        let rest = self.bytes.get_mut(self.at..).ok_or(TermError::Truncated)?;
        let place: &mut [u8; 8] = rest.first_chunk_mut().ok_or(TermError::Truncated)?;
        let bits = u64::from_le_bytes(*place);
        let nc = (bits >> LOCAL_BITS) as u32;
        let ours = self.translate.translate(nc).ok_or(TermError::UnannouncedPid)?;
        *place = Pid::new(ours, bits & LOCAL_MASK).bits().to_le_bytes();
        self.at += 8;
        Ok(())
    }

    fn reference(&mut self) -> Result<(), TermError> {
        self.pid()?;
        self.skip(8)
    }

    #[inline]
    fn text(&mut self, length: usize) -> Result<(), TermError> {
        let text = self.take(length)?;
        if text.is_ascii() || std::str::from_utf8(text).is_ok() {
            Ok(())
        } else {
            Err(TermError::BadUtf8)
        }
    }

    #[inline]
    fn skip(&mut self, count: usize) -> Result<(), TermError> {
        self.take(count).map(drop)
    }

    #[inline]
    fn take(&mut self, count: usize) -> Result<&[u8], TermError> {
        let end = self.at.checked_add(count).ok_or(TermError::Truncated)?;
        let taken = self.bytes.get(self.at..end).ok_or(TermError::Truncated)?;
        self.at = end;
        Ok(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], TermError> {
        let rest = self.bytes.get(self.at..).ok_or(TermError::Truncated)?;
        let taken = *rest.first_chunk().ok_or(TermError::Truncated)?;
        self.at += N;
        Ok(taken)
    }

    #[inline]
    fn u8(&mut self) -> Result<u8, TermError> {
        let byte = *self.bytes.get(self.at).ok_or(TermError::Truncated)?;
        self.at += 1;
        Ok(byte)
    }

    #[inline]
    fn u32(&mut self) -> Result<usize, TermError> {
        Ok(u32::from_le_bytes(self.array()?) as usize)
    }
}

fn key_bytes(bytes: &[u8], key: Key) -> &[u8] {
    let at = key.at as usize;
    bytes.get(at..at + usize::from(key.length)).unwrap_or_default()
}

/// A cheap mark of a key: its two ends and its length. Equal keys have equal marks.
fn mark(key: &[u8]) -> u32 {
    let (head, tail) = match (key.first_chunk::<8>(), key.last_chunk::<8>()) {
        (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
        _ => (key.iter().fold(0, |word, &byte| word << 8 | u64::from(byte)), 0),
    };
    let word = head ^ tail.rotate_left(29) ^ key.len() as u64;
    (word.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32
}
