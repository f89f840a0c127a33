//! Delivers the frames of one read to the lanes: directly into lane 0's batch when its own thread reads, otherwise into
//! inboxes.

use crate::batch::Batch;
use crate::node::{Lanes, Node};

pub(super) struct Dispatch<'a, 'b> {
    node: &'a Node,
    session: u16,
    lanes: Lanes,
    batch: Option<&'a mut Batch<'b>>,
    /// Lanes (bits) whose inboxes got entries.
    touched: u64,
    is_full: bool,
    pub(super) frames: u64,
}

impl<'a, 'b> Dispatch<'a, 'b> {
    pub(super) fn new(node: &'a Node, session: u16, batch: Option<&'a mut Batch<'b>>) -> Self {
        let lanes = node.lanes();
        let mut is_full = batch.as_ref().is_some_and(|batch| batch.is_full());
        // While a lane is full not even one frame is taken, however often bytes arrive.
        for lane in lanes.iter().flatten() {
            if lane.bytes() >= node.options.inbox_bytes as usize {
                lane.mark_overflow();
                is_full = true;
            }
        }
        Self {
            node,
            session,
            lanes,
            batch,
            touched: 0,
            is_full,
            frames: 0,
        }
    }

    /// Whether this read must deliver no more frames.
    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    /// Delivers a frame to the lane with this scheduler index, or to lane 0 if there is no such lane.
    pub(super) fn send_to(&mut self, lane: u8, tag: u8, body: &[u8]) {
        self.frames += 1;
        self.put(self.existing_lane(lane), tag, body);
    }

    /// Delivers a frame to every lane.
    pub(super) fn send_all(&mut self, tag: u8, body: &[u8]) {
        self.frames += 1;
        for lane in 0..self.lanes.len() {
            if self.lanes.get(lane).is_some_and(Option::is_some) {
                self.put(lane, tag, body);
            }
        }
    }

    /// Delivers a joined frame (`tag | body`) to a lane; a long one is not copied.
    pub(super) fn send_joined(&mut self, lane: u8, frame: Vec<u8>) {
        let index = self.existing_lane(lane);
        let Some(Some(target)) = self.lanes.get(index) else {
            return;
        };
        let [tag, body @ ..] = frame.as_slice() else {
            return;
        };
        if body.len() < target.inline_limit() {
            return self.send_to(lane, *tag, body);
        }
        self.frames += 1;
        let frame = match &mut self.batch {
            Some(batch) if index == 0 => match batch.push_big(self.session, frame) {
                Ok(()) => {
                    self.is_full |= batch.is_full();
                    return;
                }
                Err(frame) => frame,
            },
            _ => frame,
        };
        target.push_big(self.session, frame);
        self.note_inbox_entry(index);
    }

    /// Moves the inbox into the batch: it may hold an announcement that the next frames need.
    pub(super) fn drain_inbox(&mut self) {
        if let (Some(batch), Some(Some(lane))) = (&mut self.batch, self.lanes.first()) {
            lane.drain(batch);
            self.is_full |= batch.is_full() || !lane.is_empty();
        }
    }

    fn existing_lane(&self, lane: u8) -> usize {
        let lane = usize::from(lane);
        if self.lanes.get(lane).is_some_and(Option::is_some) {
            lane
        } else {
            0
        }
    }

    fn put(&mut self, index: usize, tag: u8, body: &[u8]) {
        let Some(Some(lane)) = self.lanes.get(index) else {
            return;
        };
        if index == 0
            && let Some(batch) = &mut self.batch
        {
            if body.len() < lane.inline_limit() && batch.push(self.session, tag, body) {
                self.is_full |= batch.is_full();
                return;
            }
            // No room: it goes into the inbox, and reading stops, so that no later frame overtakes it.
            self.is_full = true;
        }
        lane.push(self.session, tag, body);
        self.note_inbox_entry(index);
    }

    fn note_inbox_entry(&mut self, index: usize) {
        self.touched |= 1 << index;
        let Some(Some(lane)) = self.lanes.get(index) else {
            return;
        };
        if lane.bytes() >= self.node.options.inbox_bytes as usize {
            lane.mark_overflow();
            self.is_full = true;
        }
    }
}

impl Drop for Dispatch<'_, '_> {
    fn drop(&mut self) {
        for (index, lane) in self.lanes.iter().enumerate() {
            // If lane 0's own thread reads, it drains its inbox afterwards without a wake-up.
            let is_reader = index == 0 && self.batch.is_some();
            if self.touched & 1 << index != 0
                && !is_reader
                && let Some(lane) = lane
            {
                lane.notify();
            }
        }
    }
}
