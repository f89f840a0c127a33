//! Long frames in pieces: the sender splits them, the receiver joins them.
//!
//! Joining reserves memory in proportion to the bytes received, never for a length that was only announced.

use std::collections::BTreeMap;
use std::ops::Range;

use super::check::{FIRST_PIECE, FragmentHead, LAST_PIECE};
use super::error::{FrameError, PeerMisbehaved};
use super::{FRAGMENT_BYTES, MAX_MESSAGE, MAX_STREAMS, tag};

/// How much a peer may have open at once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ReassemblyLimits {
    /// The longest joined frame.
    pub max_message: usize,
    /// The most open streams.
    pub max_streams: usize,
    /// The most bytes of unfinished streams together.
    pub max_bytes: usize,
}

impl ReassemblyLimits {
    /// The limits for a given longest message: unfinished messages may take four times as much.
    #[must_use]
    pub const fn for_message(max_message: usize) -> Self {
        Self {
            max_message,
            max_streams: MAX_STREAMS,
            max_bytes: max_message.saturating_mul(4),
        }
    }
}

impl Default for ReassemblyLimits {
    fn default() -> Self {
        Self::for_message(MAX_MESSAGE)
    }
}

/// Joins the fragments of one session.
#[derive(Debug)]
pub struct Reassembler {
    limits: ReassemblyLimits,
    /// Gives an empty buffer for a message of this many bytes, if the caller has one.
    take_buffer: fn(usize) -> Option<Vec<u8>>,
    streams: BTreeMap<u32, Stream>,
    bytes: usize,
}

#[derive(Debug)]
struct Stream {
    total: usize,
    joined: Vec<u8>,
}

impl Reassembler {
    /// Begins without open streams.
    #[must_use]
    pub const fn new(limits: ReassemblyLimits) -> Self {
        Self::with_buffers(limits, |_| None)
    }

    /// As [`Self::new`]; `take_buffer` may give an empty buffer with room for a message of that many bytes.
    #[must_use]
    pub const fn with_buffers(limits: ReassemblyLimits, take_buffer: fn(usize) -> Option<Vec<u8>>) -> Self {
        Self {
            limits,
            take_buffer,
            streams: BTreeMap::new(),
            bytes: 0,
        }
    }

    /// Takes one piece; gives the joined frame, `tag | body`, when it was the last. A last piece before all bytes
    /// were received means that the sender abandoned the stream: it is dropped without an error.
    ///
    /// # Errors
    /// A piece that does not fit its stream, or a broken limit. The session must end.
    pub fn push(&mut self, head: &FragmentHead, part: &[u8]) -> Result<Option<Vec<u8>>, FrameError> {
        if part.len() > FRAGMENT_BYTES {
            return Err(PeerMisbehaved::BadFragment.into());
        }
        if let Some(total) = head.total {
            self.open(head.stream, total)?;
        }
        let stream = self
            .streams
            .get_mut(&head.stream)
            .ok_or(PeerMisbehaved::BadFragment)?;
        if stream.total - stream.joined.len() < part.len() {
            return Err(PeerMisbehaved::BadFragment.into());
        }
        if self.bytes + part.len() > self.limits.max_bytes {
            return Err(PeerMisbehaved::TooMany("bytes of unfinished messages").into());
        }
        stream.append(part);
        self.bytes += part.len();
        Ok(if head.is_last {
            self.close(head.stream)
        } else {
            None
        })
    }

    /// Streams that are open.
    #[must_use]
    pub fn open_streams(&self) -> usize {
        self.streams.len()
    }

    /// Bytes of unfinished streams.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes reserved for unfinished streams. O(streams)
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.streams.values().map(|stream| stream.joined.capacity()).sum()
    }

    fn open(&mut self, stream: u32, total: u64) -> Result<(), PeerMisbehaved> {
        let limit = self.limits.max_message;
        let total = match usize::try_from(total) {
            Ok(0) => return Err(PeerMisbehaved::EmptyFrame),
            Ok(fits) if fits <= limit => fits,
            _ => {
                return Err(PeerMisbehaved::MessageTooLong {
                    length: total,
                    limit: limit as u64,
                });
            }
        };
        if self.streams.len() >= self.limits.max_streams {
            return Err(PeerMisbehaved::TooMany("open streams"));
        }
        match self.streams.insert(
            stream,
            Stream {
                total,
                joined: (self.take_buffer)(total).unwrap_or_default(),
            },
        ) {
            None => Ok(()),
            Some(_) => Err(PeerMisbehaved::BadFragment),
        }
    }

    fn close(&mut self, stream: u32) -> Option<Vec<u8>> {
        let Stream { total, joined } = self.streams.remove(&stream)?;
        self.bytes -= joined.len();
        (joined.len() == total).then_some(joined)
    }
}

impl Stream {
    fn append(&mut self, part: &[u8]) {
        let length = self.joined.len() + part.len();
        if length > self.joined.capacity() {
            // If this fails, `extend_from_slice` reserves for the received bytes only.
            let _ = self
                .joined
                .try_reserve_exact(capacity_for(length, self.total) - self.joined.len());
        }
        self.joined.extend_from_slice(part);
    }
}

/// The room to reserve for a message of `total` bytes of which `length` have been received: the whole, or its half, its quarter, and
/// so on, but less than twice `length`. So nothing is reserved for bytes that are only announced, also where reserved memory is
/// committed, and all growths together copy fewer bytes than the message has.
fn capacity_for(length: usize, total: usize) -> usize {
    let mut capacity = total;
    while capacity / 2 >= length {
        capacity /= 2;
    }
    capacity
}

/// Splits one long frame, `tag | body`, into pieces. Holds positions only, no bytes.
#[derive(Clone, Debug)]
pub struct Splitter {
    stream: u32,
    total: usize,
    most: usize,
    sent: usize,
}

/// One piece: its header, and which bytes of the frame follow it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Piece {
    head: [u8; Self::MAX_HEAD],
    head_bytes: usize,
    /// Where in the long frame the piece's bytes are.
    pub part: Range<usize>,
}

impl Splitter {
    /// Splits a frame of `total` bytes for the stream into pieces of `most` bytes; of [`FRAGMENT_BYTES`] if that is less.
    #[must_use]
    pub fn new(stream: u32, total: usize, most: usize) -> Self {
        Self {
            stream,
            total,
            most: most.clamp(1, FRAGMENT_BYTES),
            sent: 0,
        }
    }

    /// Bytes that are in no piece yet.
    #[must_use]
    pub const fn left(&self) -> usize {
        self.total - self.sent
    }
}

impl Iterator for Splitter {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        if self.sent >= self.total {
            return None;
        }
        let part = self.sent..self.total.min(self.sent + self.most);
        let is_first = part.start == 0;
        let is_last = part.end == self.total;
        let flags = if is_first { FIRST_PIECE } else { 0 } | if is_last { LAST_PIECE } else { 0 };
        self.sent = part.end;
        Some(Piece::new(
            self.stream,
            is_first.then_some(self.total),
            flags,
            part,
        ))
    }
}

impl Piece {
    /// Length, tag, stream, flags and total.
    const MAX_HEAD: usize = 18;

    fn new(stream: u32, total: Option<usize>, flags: u8, part: Range<usize>) -> Self {
        let total = total.map(|total| (total as u64).to_le_bytes());
        let total = total.as_ref().map_or(&[][..], |bytes| &bytes[..]);
        let length = u32::try_from(6 + total.len() + part.len()).unwrap_or(u32::MAX);
        let (length, stream) = (length.to_le_bytes(), stream.to_le_bytes());
        let mut head = [0; Self::MAX_HEAD];
        let mut head_bytes = 0;
        for field in [&length[..], &[tag::FRAGMENT], &stream, &[flags], total] {
            if let Some(place) = head.get_mut(head_bytes..head_bytes + field.len()) {
                place.copy_from_slice(field);
            }
            head_bytes += field.len();
        }
        Self {
            head,
            head_bytes,
            part,
        }
    }

    /// What goes before the part: length, tag and the fixed fields.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        self.head.get(..self.head_bytes).unwrap_or_default()
    }

    /// Appends the whole wire frame of this piece of `frame`.
    pub fn write(&self, frame: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(self.head());
        out.extend_from_slice(frame.get(self.part.clone()).unwrap_or_default());
    }
}
