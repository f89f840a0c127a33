//! Cuts a byte stream into frames, however the bytes were split.

use super::error::{FrameError, PeerMisbehaved};

/// Bytes of the length field.
const PREFIX: usize = 4;
/// What a deframer's buffer starts with.
const BASE_BYTES: usize = 65_536;
/// The largest buffer that is kept when all frames are taken out: growing clears and copies memory, and a stream of long frames would
/// do it for each of them.
const KEPT_BYTES: usize = 524_288;

/// What stands at the beginning of some bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Split {
    /// A whole frame: length, tag and body.
    Frame {
        /// Its tag.
        tag: u8,
        /// Bytes of the frame with its length field; the body is `5..bytes`.
        bytes: usize,
    },
    /// Not yet a whole frame.
    Partial {
        /// Bytes that the frame has in all as far as is known; at most the limit and 4.
        needs: usize,
    },
}

/// Looks at the beginning of `bytes`. Never reads past the first frame and never copies.
///
/// # Errors
/// [`PeerMisbehaved::EmptyFrame`] and [`PeerMisbehaved::FrameTooLong`], as soon as the length field is there.
#[inline]
pub fn split(bytes: &[u8], limit: usize) -> Result<Split, FrameError> {
    let Some((prefix, rest)) = bytes.split_first_chunk::<PREFIX>() else {
        return Ok(Split::Partial { needs: PREFIX });
    };
    let announced = u32::from_le_bytes(*prefix);
    let length = announced as usize;
    if length == 0 {
        return Err(PeerMisbehaved::EmptyFrame.into());
    }
    if length > limit {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        return Err(PeerMisbehaved::FrameTooLong {
            length: announced,
            limit,
        }
        .into());
    }
    match rest.first() {
        Some(&tag) if rest.len() >= length => Ok(Split::Frame {
            tag,
            bytes: PREFIX + length,
        }),
        _ => Ok(Split::Partial {
            needs: PREFIX + length,
        }),
    }
}

/// A whole frame inside a deframer's buffer. The body may be rewritten in place.
#[derive(Debug)]
pub struct Frame<'a> {
    /// The tag.
    pub tag: u8,
    /// What follows the tag.
    pub body: &'a mut [u8],
}

/// A receive buffer that hands out whole frames in place.
///
/// ```text
///  0        start            end            len
///  | taken  | frames, partial | spare        |
/// ```
/// The buffer grows with bytes that came, never to a length that was only announced.
#[derive(Debug)]
pub struct Deframer {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    limit: usize,
}

impl Deframer {
    /// An empty buffer for frames of at most `limit` bytes of tag and body.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            end: 0,
            limit,
        }
    }

    /// Changes the limit, for frames not yet taken out: the session's limit differs from the handshake's.
    pub const fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Room for at least `least` bytes to read into; what was taken out is given up for it. Follow with
    /// [`Self::filled`].
    pub fn spare(&mut self, least: usize) -> &mut [u8] {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            if self.buffer.len() > KEPT_BYTES.max(least) {
                self.shrink(KEPT_BYTES.max(least));
            }
        }
        if self.buffer.len() - self.end < least {
            self.make_room(least);
        }
        self.buffer.get_mut(self.end..).unwrap_or_default()
    }

    /// Says how many bytes of the spare room were filled.
    pub fn filled(&mut self, count: usize) {
        self.end = self.buffer.len().min(self.end + count);
    }

    /// Appends bytes that were received elsewhere.
    pub fn push(&mut self, bytes: &[u8]) {
        if let Some(room) = self.spare(bytes.len()).get_mut(..bytes.len()) {
            room.copy_from_slice(bytes);
        }
        self.filled(bytes.len());
    }

    /// Takes out the next whole frame; `None` until more bytes have come.
    ///
    /// # Errors
    /// A length of 0 or over the limit. The stream is not usable any more.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, FrameError> {
        let pending = self.buffer.get_mut(self.start..self.end).unwrap_or_default();
        let Split::Frame { tag, bytes } = split(pending, self.limit)? else {
            return Ok(None);
        };
        self.start += bytes;
        Ok(pending.get_mut(PREFIX + 1..bytes).map(|body| Frame { tag, body }))
    }

    /// Bytes received and not taken out.
    #[must_use]
    pub const fn pending(&self) -> usize {
        self.end - self.start
    }

    /// Bytes of memory held.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// Frees memory that long frames needed, if all frames are taken out. Call it when no more are expected soon.
    pub fn release(&mut self) {
        if self.start == self.end && self.buffer.len() > BASE_BYTES {
            self.start = 0;
            self.end = 0;
            self.shrink(BASE_BYTES);
        }
    }

    fn shrink(&mut self, bytes: usize) {
        self.buffer.truncate(bytes);
        self.buffer.shrink_to_fit();
    }

    fn make_room(&mut self, least: usize) {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let wanted = self.end + least;
        if self.buffer.len() < wanted {
            // Doubling what came keeps the cost of growing linear and the memory bounded by it.
            self.buffer.resize(
                wanted.max(self.end * 2).max(BASE_BYTES.min(self.limit + PREFIX)),
                0,
            );
        }
    }
}
