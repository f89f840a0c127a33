//! A lane: one isolate of this process as a receiver. It owns the inbox that other threads fill.
//!
//! Guarantees: entries are drained in the order in which they were pushed; a wake-up is requested once per batch, not per
//! entry; the wake is not called after [`Lane::disconnect`] has returned.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::batch::Batch;
use crate::event::{ENTRY_HEADER, entry_header};

/// Entries are collected into chunks of about this size.
const CHUNK_BYTES: usize = 64 * 1024;

/// Makes the lane's own thread call [`Lane::drain`]. Called from any thread; must not block.
pub trait Wake: Send + Sync {
    /// Schedules a drain soon.
    fn wake(&self);
}

/// One isolate attached to a node.
pub struct Lane {
    index: u8,
    /// Bodies of at least this size are passed outside the lane's buffer.
    inline_limit: usize,
    inbox: Mutex<VecDeque<Item>>,
    /// Bytes in the inbox.
    bytes: AtomicUsize,
    /// A wake-up was requested and has not arrived.
    scheduled: AtomicBool,
    /// Gets no entries until it has been told of the sessions and nodes that were there before it.
    suspended: AtomicBool,
    /// A reader stopped because this inbox is full.
    overflowed: AtomicBool,
    wake: Mutex<Option<Box<dyn Wake>>>,
}

enum Item {
    Entries { bytes: Vec<u8>, read: usize },
    Big { session: u16, frame: Vec<u8> },
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lane")
            .field("index", &self.index)
            .field("bytes", &self.bytes())
            .finish_non_exhaustive()
    }
}

impl Lane {
    pub(crate) fn new(index: u8, rx_bytes: usize, wake: Box<dyn Wake>) -> Self {
        Self {
            index,
            inline_limit: Batch::inline_limit(rx_bytes),
            inbox: Mutex::default(),
            bytes: AtomicUsize::new(0),
            scheduled: AtomicBool::new(false),
            suspended: AtomicBool::new(false),
            overflowed: AtomicBool::new(false),
            wake: Mutex::new(Some(wake)),
        }
    }

    /// The scheduler index: the top six bits of the local ids this lane owns.
    #[must_use]
    pub fn index(&self) -> u8 {
        self.index
    }

    /// Bytes that wait to be drained.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.load(Ordering::Acquire) == 0
    }

    /// Moves entries into the batch until it is full or nothing waits. Only the lane's own thread may call it.
    pub fn drain(&self, batch: &mut Batch<'_>) {
        if self.is_empty() {
            return;
        }
        let mut inbox = self.inbox.lock();
        let mut moved = 0;
        while let Some(item) = inbox.pop_front() {
            match item {
                Item::Entries { bytes, mut read } => {
                    let before = read;
                    let all = drain_entries(&bytes, &mut read, batch);
                    moved += read - before;
                    if !all {
                        inbox.push_front(Item::Entries { bytes, read });
                        break;
                    }
                }
                Item::Big { session, frame } => {
                    let size = frame.len();
                    if let Err(frame) = batch.push_big(session, frame) {
                        inbox.push_front(Item::Big { session, frame });
                        break;
                    }
                    moved += size;
                }
            }
        }
        self.bytes.fetch_sub(moved, Ordering::Release);
    }

    /// Notes that the wake-up arrived. Call it before draining, so that later entries request a new one.
    pub fn begin_drain(&self) {
        // A swap, since a store reads nothing: so the drain sees what was pushed before each request that found this one pending.
        self.scheduled.swap(false, Ordering::SeqCst);
    }

    /// Requests a drain if entries wait and no request is pending.
    pub fn notify(&self) {
        if !self.is_empty() {
            self.request_drain();
        }
    }

    /// Requests a drain even if nothing waits: the lane's thread then looks at the node, too.
    pub fn request_drain(&self) {
        if !self.scheduled.swap(true, Ordering::SeqCst)
            && let Some(wake) = &*self.wake.lock()
        {
            wake.wake();
        }
    }

    /// Disconnects the lane: once this has returned, no wake-up is in progress and none will follow.
    pub fn disconnect(&self) {
        *self.wake.lock() = None;
    }

    /// Whether a wake-up was requested and has not arrived.
    pub(crate) fn is_scheduled(&self) -> bool {
        self.scheduled.load(Ordering::SeqCst)
    }

    /// Whether entries are put into its inbox: it is not suspended.
    pub(crate) fn is_listening(&self) -> bool {
        !self.suspended.load(Ordering::SeqCst)
    }

    pub(crate) fn set_suspended(&self, suspended: bool) {
        self.suspended.store(suspended, Ordering::SeqCst);
    }

    pub(crate) fn mark_overflow(&self) {
        self.overflowed.store(true, Ordering::SeqCst);
    }

    pub(crate) fn had_overflow(&self) -> bool {
        self.overflowed.load(Ordering::SeqCst)
    }

    pub(crate) fn clear_overflow(&self) {
        self.overflowed.store(false, Ordering::SeqCst);
    }

    pub(crate) fn push(&self, session: u16, tag: u8, body: &[u8]) {
        if !self.is_listening() {
            return;
        }
        if body.len() >= self.inline_limit {
            let mut frame = Vec::with_capacity(body.len() + 1);
            frame.push(tag);
            frame.extend_from_slice(body);
            return self.push_big(session, frame);
        }
        let size = ENTRY_HEADER + body.len();
        let mut inbox = self.inbox.lock();
        let chunk = match inbox.back_mut() {
            Some(Item::Entries { bytes, .. }) if bytes.len() + size <= CHUNK_BYTES => bytes,
            _ => {
                inbox.push_back(Item::Entries {
                    bytes: Vec::with_capacity(size.max(4096)),
                    read: 0,
                });
                match inbox.back_mut() {
                    Some(Item::Entries { bytes, .. }) => bytes,
                    _ => return,
                }
            }
        };
        chunk.extend_from_slice(&entry_header(body.len(), tag, session));
        chunk.extend_from_slice(body);
        self.bytes.fetch_add(size, Ordering::Release);
    }

    /// Queues a whole frame (`tag | body`) in its own memory.
    pub(crate) fn push_big(&self, session: u16, frame: Vec<u8>) {
        if !self.is_listening() {
            return;
        }
        let mut inbox = self.inbox.lock();
        self.bytes.fetch_add(frame.len(), Ordering::Release);
        inbox.push_back(Item::Big { session, frame });
    }

    pub(crate) fn inline_limit(&self) -> usize {
        self.inline_limit
    }
}

/// Copies whole entries into the batch; true when all of them fitted.
fn drain_entries(bytes: &[u8], read: &mut usize, batch: &mut Batch<'_>) -> bool {
    while let Some(&[a, b, c, d, tag, _, e, f]) = bytes
        .get(*read..*read + ENTRY_HEADER)
        .and_then(|head| <&[u8; ENTRY_HEADER]>::try_from(head).ok())
    {
        let length = u32::from_le_bytes([a, b, c, d]) as usize;
        let start = *read + ENTRY_HEADER;
        let Some(body) = bytes.get(start..start + length) else {
            return true;
        };
        if !batch.push(u16::from_le_bytes([e, f]), tag, body) {
            return false;
        }
        *read = start + length;
    }
    true
}

#[cfg(test)]
mod tests;
