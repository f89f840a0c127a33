//! Incoming connections: as many handshakes at once as allowed, the most hopeless one makes room for a new one.

use std::time::{Duration, Instant};

use super::IoLoop;

/// When to look again for connections that could not be accepted.
const RETRY: Duration = Duration::from_secs(1);
/// Connections accepted before sessions and handshakes have their turn.
const ACCEPT_TURN: usize = 64;

impl IoLoop {
    pub(super) fn accept_all(&mut self) {
        self.has_backlog = false;
        for _ in 0..ACCEPT_TURN {
            let Some(listener) = &self.listener else { return };
            match listener.accept() {
                Ok((stream, _)) => {
                    self.make_room();
                    // A failure concerns this connection alone; it is closed by being dropped.
                    let _ = self.begin_accept(stream);
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                Err(_) => {
                    // No descriptor is left, and nothing will announce who waits: looks again soon.
                    self.next_sweep = self.next_sweep.min(Instant::now() + RETRY);
                    return;
                }
            }
        }
        self.has_backlog = true;
    }

    /// Evicts the connection with the least progress, of those the one that has waited longest.
    fn make_room(&mut self) {
        let incoming = self
            .handshakes
            .iter()
            .filter(|(_, handshake)| handshake.is_incoming());
        if incoming.clone().count() < self.node.options.max_handshakes as usize {
            return;
        }
        let weakest = incoming
            .min_by_key(|(_, handshake)| handshake.standing())
            .map(|(token, _)| *token);
        if let Some(token) = weakest {
            self.drop_handshake(token);
        }
    }

    pub(super) fn handshake_expired(&mut self, token: usize) {
        // Dials have a deadline of their own, for all their addresses.
        if self
            .handshakes
            .get(&token)
            .is_some_and(super::handshaker::Handshake::is_incoming)
        {
            self.drop_handshake(token);
        }
    }

    pub(super) fn handshake_deadline(&self) -> Instant {
        Instant::now() + self.node.options.handshake()
    }
}
