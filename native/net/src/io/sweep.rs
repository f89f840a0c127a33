//! What the I/O thread checks about once a second while there are sessions: silent peers, a stalled event loop,
//! connections that could not be accepted, memory to free.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::IoLoop;
use crate::event::DownCause;
use crate::lane::Lane;
use crate::node::session::{Read, Session};
use crate::watch::STALL;

/// The longest time between two sweeps.
const SWEEP: Duration = Duration::from_secs(1);
/// The shortest time between two sweeps.
const SWEEP_LEAST: Duration = Duration::from_millis(5);
/// The time between two sweeps while no peer is connected.
const SWEEP_IDLE: Duration = Duration::from_secs(60);

impl IoLoop {
    pub(super) fn sweep(&mut self, now: Instant) {
        let late = now.saturating_duration_since(self.next_sweep);
        let sessions = self.node.sessions();
        self.next_sweep = now
            + match sessions.is_empty() {
                true => SWEEP_IDLE,
                false => self.sweep_interval(),
            };
        self.accept_all();
        crate::buffer_pool::expire(now);
        let moved = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &self.node.counters;
        self.trim
            .observe(now, moved(&counters.bytes_in) + moved(&counters.bytes_out));
        if late > self.node.options.tick() {
            self.grant_grace(&sessions);
        }
        self.watch_loop(&sessions);
        if !self.held.is_empty() && !self.node.is_inbound_blocked() {
            self.unfinished.append(&mut self.held);
        }
        let at = self.node.now_ms();
        let stall = self.node.watch.stall();
        for session in &sessions {
            self.check_silence(session, at);
            session.tick(&self.node, at, stall);
        }
    }

    /// The time between two sweeps while there are sessions.
    pub(super) fn sweep_interval(&self) -> Duration {
        (self.node.options.tick() / 4).clamp(SWEEP_LEAST, SWEEP)
    }

    /// The process itself was suspended, so no bytes could be read. Every session gets one more tick interval.
    fn grant_grace(&self, sessions: &[Arc<Session>]) {
        let grace = self.node.options.down().saturating_sub(self.node.options.tick());
        let received = self
            .node
            .now_ms()
            .saturating_sub(u64::try_from(grace.as_millis()).unwrap_or(0));
        for session in sessions {
            session.note_received(received);
        }
    }

    fn check_silence(&mut self, session: &Arc<Session>, now: u64) {
        let down = u64::try_from(self.node.options.down().as_millis()).unwrap_or(u64::MAX);
        if now.saturating_sub(session.received_at()) < down {
            return;
        }
        // Bytes that wait in the socket show that the peer is alive: they are read before it is declared lost.
        let node = &self.node;
        if !node.is_inbound_blocked() {
            // No event of the socket announces what this read leaves.
            if let Read::More | Read::Spent = session.read(node, None, super::READ_BUDGET) {
                self.unfinished.insert(session.id(), session.clone());
            }
        } else if session.has_unread() {
            session.note_received(now);
        }
        if now.saturating_sub(session.received_at()) >= down {
            session.end(node, DownCause::Timeout, "no byte was received in time");
        }
    }

    /// Takes over reading when the event loop is stalled, and returns it when the loop turns again.
    fn watch_loop(&mut self, sessions: &[Arc<Session>]) {
        let lanes = self.node.lanes();
        let Some(Some(first)) = lanes.first() else { return };
        let watch = &self.node.watch;
        if first.is_scheduled() {
            watch.note_wake_requested();
        }
        let taken_over = self.node.taken_over.load(Ordering::Relaxed);
        match (watch.is_stalled(), taken_over) {
            (true, false) if self.node.is_loop_reader() => self.take_over(sessions),
            (false, true) => self.hand_back(),
            (false, false) => self.probe(sessions, first),
            (true, _) => {}
        }
    }

    /// A loop that waits and one that blocks in another callback look the same: requests a wake-up if a peer is waiting for
    /// bytes or has sent some that are not read.
    fn probe(&mut self, sessions: &[Arc<Session>], first: &Lane) {
        let now = self.node.now_ms();
        let soon = SWEEP + SWEEP_LEAST;
        let tick = self.node.options.tick();
        let silent =
            |session: &Session| Duration::from_millis(now.saturating_sub(session.sent_at())) + soon >= tick;
        if sessions
            .iter()
            .any(|session| silent(session) || session.has_unread())
        {
            self.node.watch.note_wake_requested();
            first.request_drain();
            self.next_sweep = self.next_sweep.min(Instant::now() + STALL + SWEEP_LEAST);
        }
    }

    fn take_over(&mut self, sessions: &[Arc<Session>]) {
        self.node.taken_over.store(true, Ordering::Relaxed);
        self.node.counters.takeovers.fetch_add(1, Ordering::Relaxed);
        for session in sessions {
            session.set_read_by_thread(&self.node, true);
            self.unfinished.insert(session.id(), session.clone());
        }
    }

    pub(super) fn hand_back(&mut self) {
        self.node.taken_over.store(false, Ordering::Relaxed);
        for session in self.node.sessions() {
            session.set_read_by_thread(&self.node, false);
        }
        for session in std::mem::take(&mut self.held).into_values() {
            self.return_to_loop(session);
        }
        if let Some(Some(first)) = self.node.lanes().first() {
            first.notify();
        }
    }
}

#[cfg(test)]
mod tests;
