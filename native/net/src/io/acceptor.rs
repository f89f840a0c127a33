//! Incoming connections: as many handshakes at once as allowed, the most hopeless one makes room for a new one.

use std::time::Instant;

use super::IoLoop;

impl IoLoop {
    pub(super) fn accept_all(&mut self) {
        while let Some(listener) = &self.listener {
            match listener.accept() {
                Ok((stream, _)) => {
                    self.make_room();
                    // A failure concerns this connection alone; it is closed by being dropped.
                    let _ = self.begin_accept(stream);
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                // Nobody is left, or no descriptor: the next sweep looks again.
                Err(_) => return,
            }
        }
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
