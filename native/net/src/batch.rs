//! A batch: the entries that one call hands to JavaScript, packed into memory that JavaScript owns.

use crate::event::{BIG, ENTRY_HEADER, SESSION_DOWN, STOPPED, entry_header};

/// Entries a batch holds at most, so that the event loop turns in between.
const BATCH_ENTRIES: u32 = 2_000;
/// Frames of at least this size are passed outside the buffer, each in its own memory.
pub(crate) const BIG_FRAME: usize = 256 * 1024;
/// Frames outside the buffer that one batch carries at most.
const BATCH_BIGS: usize = 16;

/// A batch under construction over the receiving buffer of one lane.
#[derive(Debug)]
pub struct Batch<'a> {
    rx: &'a mut [u8],
    used: usize,
    entries: u32,
    bigs: Vec<Vec<u8>>,
    ended: Vec<u16>,
    stopped: bool,
}

/// What a finished batch holds.
#[derive(Debug, Default)]
pub struct Filled {
    /// Bytes used at the start of the buffer.
    pub bytes: usize,
    /// Entries in them.
    pub entries: u32,
    /// The frames that BIG entries point to, by index.
    pub bigs: Vec<Vec<u8>>,
    /// Sessions whose SESSION_DOWN is among the entries.
    pub ended: Vec<u16>,
    /// The node's last entry is among the entries.
    pub stopped: bool,
}

impl<'a> Batch<'a> {
    /// Starts an empty batch over `rx`.
    pub fn new(rx: &'a mut [u8]) -> Self {
        Self {
            rx,
            used: 0,
            entries: 0,
            bigs: Vec::new(),
            ended: Vec::new(),
            stopped: false,
        }
    }

    /// Ends the batch and frees the buffer.
    #[must_use]
    pub fn finish(self) -> Filled {
        Filled {
            bytes: self.used,
            entries: self.entries,
            bigs: self.bigs,
            ended: self.ended,
            stopped: self.stopped,
        }
    }

    /// Whether nothing was put in yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries == 0
    }

    pub(crate) fn is_full(&self) -> bool {
        self.entries >= BATCH_ENTRIES || self.bigs.len() >= BATCH_BIGS || self.room() < ENTRY_HEADER + 4
    }

    /// Bodies of at least this many bytes are passed outside a buffer of `size` bytes.
    pub(crate) fn inline_limit(size: usize) -> usize {
        BIG_FRAME.min(size / 2).saturating_sub(ENTRY_HEADER)
    }

    /// Whether a body of `length` bytes still fits.
    pub(crate) fn fits(&self, length: usize) -> bool {
        self.entries < BATCH_ENTRIES && self.room() >= ENTRY_HEADER + length
    }

    /// Appends one entry; false when there is no room.
    pub(crate) fn push(&mut self, session: u16, tag: u8, body: &[u8]) -> bool {
        if !self.fits(body.len()) {
            return false;
        }
        let Some(room) = self.rx.get_mut(self.used..self.used + ENTRY_HEADER + body.len()) else {
            return false;
        };
        let (head, rest) = room.split_at_mut(ENTRY_HEADER);
        head.copy_from_slice(&entry_header(body.len(), tag, session));
        rest.copy_from_slice(body);
        self.used += ENTRY_HEADER + body.len();
        self.note(session, tag);
        true
    }

    /// Appends a frame (`tag | body`) that is passed outside the buffer; gives it back when there is no room.
    pub(crate) fn push_big(&mut self, session: u16, frame: Vec<u8>) -> Result<(), Vec<u8>> {
        if self.is_full() || !self.fits(4) {
            return Err(frame);
        }
        let index = u32::try_from(self.bigs.len()).unwrap_or(u32::MAX);
        self.push(session, BIG, &index.to_le_bytes());
        self.bigs.push(frame);
        Ok(())
    }

    fn room(&self) -> usize {
        self.rx.len() - self.used
    }

    fn note(&mut self, session: u16, tag: u8) {
        self.entries += 1;
        match tag {
            SESSION_DOWN => self.ended.push(session),
            STOPPED => self.stopped = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: u16 = 3;
    const TAG: u8 = 0x10;

    /// The entries that a batch over so many bytes takes.
    fn taken(bytes: usize, body: &[u8]) -> u32 {
        let mut rx = vec![0; bytes];
        let mut batch = Batch::new(&mut rx);
        assert!(batch.is_empty());
        while batch.push(SESSION, TAG, body) {
            assert!(!batch.is_empty());
        }
        let filled = batch.finish();
        assert_eq!(
            filled.bytes,
            filled.entries as usize * (ENTRY_HEADER + body.len())
        );
        filled.entries
    }

    #[test]
    fn a_batch_is_full_of_bytes_or_of_entries() {
        assert_eq!(
            (taken(17, &[]), taken(39, &[0; 5]), taken(12, &[0; 5])),
            (2, 3, 0)
        );
        assert_eq!(taken(1 << 20, &[]), BATCH_ENTRIES);
    }

    #[test]
    fn a_batch_that_is_not_full_takes_a_frame_outside_the_buffer() {
        for (bytes, most) in [(0, 0), (11, 0), (12, 1), (47, 3), (48, 4), (1 << 20, BATCH_BIGS)] {
            let mut rx = vec![0; bytes];
            let mut batch = Batch::new(&mut rx);
            let mut count = 0;
            while !batch.is_full() {
                assert_eq!(batch.push_big(SESSION, vec![TAG, 7]), Ok(()));
                count += 1;
            }
            assert_eq!(batch.push_big(SESSION, vec![TAG, 8]), Err(vec![TAG, 8]), "back");
            let filled = batch.finish();
            assert_eq!((count, filled.bigs), (most, vec![vec![TAG, 7]; most]));
        }
        let mut rx = vec![0; 1 << 20];
        let mut batch = Batch::new(&mut rx);
        (0..BATCH_ENTRIES).for_each(|_| assert!(batch.push(SESSION, TAG, &[])));
        assert!(batch.is_full() && batch.push_big(SESSION, vec![TAG]).is_err());
    }

    #[test]
    fn a_body_that_takes_half_of_the_buffer_is_passed_outside() {
        assert_eq!(Batch::inline_limit(4096), 2048 - ENTRY_HEADER);
        assert_eq!(Batch::inline_limit(usize::MAX), BIG_FRAME - ENTRY_HEADER);
        assert_eq!(Batch::inline_limit(4), 0);
    }

    #[test]
    fn a_batch_tells_which_sessions_and_whether_the_node_ended() {
        let mut rx = [0; 128];
        let mut batch = Batch::new(&mut rx);
        for (session, tag) in [(1, TAG), (2, SESSION_DOWN), (3, SESSION_DOWN), (0, STOPPED)] {
            assert!(batch.push(session, tag, &[]));
        }
        let filled = batch.finish();
        assert_eq!((filled.ended, filled.stopped), (vec![2, 3], true));
    }
}
