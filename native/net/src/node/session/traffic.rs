//! The traffic counters of a session.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Session;
use crate::node::Node;

/// The traffic of a session since it came up.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) frames_in: AtomicU64,
    pub(crate) frames_out: AtomicU64,
    pub(crate) bytes_in: AtomicU64,
    pub(crate) bytes_out: AtomicU64,
}

/// Counters of a session at one moment.
#[derive(Clone, Copy, Debug)]
pub struct SessionStats {
    /// Frames handed to lanes.
    pub frames_in: u64,
    /// Frames that lanes gave it to send, including those that still wait.
    pub frames_out: u64,
    /// Plain bytes received.
    pub bytes_in: u64,
    /// Plain bytes sealed.
    pub bytes_out: u64,
    /// Milliseconds since bytes were last received.
    pub silent_ms: u64,
}

impl Session {
    /// A lane gave it whole frames to send.
    pub(super) fn count_frames(&self, node: &Node, frames: &[u8]) {
        self.count_out(node, frames_in(frames));
    }

    /// Lanes gave it more frames to send.
    pub(super) fn count_out(&self, node: &Node, frames: u64) {
        node.counters.frames_out.fetch_add(frames, Ordering::Relaxed);
        self.traffic.frames_out.fetch_add(frames, Ordering::Relaxed);
    }

    /// Counters now.
    #[must_use]
    pub fn stats(&self, node: &Node) -> SessionStats {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        SessionStats {
            frames_in: count(&self.traffic.frames_in),
            frames_out: count(&self.traffic.frames_out),
            bytes_in: count(&self.traffic.bytes_in),
            bytes_out: count(&self.traffic.bytes_out),
            silent_ms: node.now_ms().saturating_sub(self.received_at()),
        }
    }
}

/// How many whole frames there are in `bytes`: `u32 length | …` each.
fn frames_in(mut bytes: &[u8]) -> u64 {
    let mut count = 0;
    while let Some((head, rest)) = bytes.split_first_chunk::<4>() {
        count += 1;
        bytes = rest.get(u32::from_le_bytes(*head) as usize..).unwrap_or_default();
    }
    count
}
