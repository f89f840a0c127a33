//! The node's tables: sessions by id and name, ids in use, identities by number. Every change that lanes must learn of in
//! order is announced under the same lock.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use super::Node;
use super::session::Session;
use crate::error::OpenError;
use crate::event::{Body, DownCause, NODE_FORGOTTEN, NODE_SLOT, SESSION_DOWN, SESSION_UP};
use crate::identities::{Announcer, Identities, Numbered};
use crate::lane::Lane;
use crate::network::network;
use crate::tls::PeerKey;

#[derive(Debug)]
pub(super) struct Tables {
    pub(super) sessions: HashMap<u16, Arc<Session>>,
    pub(super) by_name: HashMap<String, u16>,
    /// [`Session::up_at`] of each session.
    up: HashSet<u64>,
    /// Ids in use. After the end of the session: the lanes (bits) that have not taken its SESSION_DOWN yet.
    pub(super) ids: HashMap<u16, Option<u64>>,
    pub(super) last_id: u16,
    pub(super) identities: Identities,
    /// Sessions that the loop of lane 0 does not watch yet.
    pub(super) not_watched: Vec<Arc<Session>>,
    /// Sessions that had received but undelivered frames when the I/O thread stopped reading them.
    queued_for_loop: BTreeMap<u16, Arc<Session>>,
}

impl Tables {
    pub(super) fn new(identities: Identities) -> Self {
        Self {
            sessions: HashMap::new(),
            by_name: HashMap::new(),
            up: HashSet::new(),
            ids: HashMap::new(),
            last_id: 0,
            identities,
            not_watched: Vec::new(),
            queued_for_loop: BTreeMap::new(),
        }
    }

    /// Stops waiting until this lane, which was removed, takes the SESSION_DOWN of ended sessions.
    pub(super) fn forget_lane(&mut self, lane: u8) {
        self.ids
            .retain(|_, waiting| waiting.as_mut().is_none_or(|lanes| forget(lanes, 1 << lane)));
    }
}

impl Node {
    /// The session with this id, while it is up.
    #[must_use]
    pub fn session(&self, id: u16) -> Option<Arc<Session>> {
        self.tables.lock().sessions.get(&id).cloned()
    }

    /// The number of an identity; one without a number gets one.
    ///
    /// # Errors
    /// [`OpenError::TooManyNodes`]
    pub fn number(&self, name: &str, incarnation: u64) -> Result<u32, OpenError> {
        let mut tables = self.tables.lock();
        let numbered = tables.identities.number(name, incarnation)?;
        Ok(self.announce_number(numbered, name, incarnation))
    }

    /// As [`Self::number`], for an identity that a peer announces on the session that came up at `session`. `None`: it has announced its
    /// share of unknown ones.
    pub(crate) fn number_from_peer(
        &self,
        peer: &str,
        session: u64,
        name: &str,
        incarnation: u64,
    ) -> Option<u32> {
        let mut tables = self.tables.lock();
        let Tables { identities, up, .. } = &mut *tables;
        let announcer = Announcer {
            name: peer,
            session,
            up,
            now: Instant::now(),
        };
        let numbered = identities.number_from_peer(&announcer, name, incarnation).ok()?;
        Some(self.announce_number(numbered, name, incarnation))
    }

    /// As [`Self::number`], for the identity that a peer at `address` claims in a handshake. `Ok(None)`: the first session of that
    /// identity had another key, so the peer is not that node.
    ///
    /// # Errors
    /// [`OpenError::TooManyNodes`]: none is left for that network, or for that name there.
    pub(crate) fn number_proved(
        &self,
        name: &str,
        incarnation: u64,
        address: IpAddr,
        key: &PeerKey,
    ) -> Result<Option<u32>, OpenError> {
        let network = network(address);
        let mut tables = self.tables.lock();
        let numbered = tables.identities.number_proved(name, incarnation, network, key)?;
        Ok(numbered.map(|numbered| self.announce_number(numbered, name, incarnation)))
    }

    /// Announces a new number to the lanes: call it with the tables locked, so that no lane sees the number before.
    fn announce_number(&self, numbered: Numbered, name: &str, incarnation: u64) -> u32 {
        if let Some(forgotten) = numbered.forgotten {
            self.broadcast(0, NODE_FORGOTTEN, Body::new().u32(forgotten).bytes());
        }
        if numbered.is_new {
            let body = number_body(numbered.nc, incarnation, name);
            self.broadcast(0, NODE_SLOT, body.bytes());
        }
        numbered.nc
    }

    /// Takes the sessions that the loop of lane 0 must begin to watch.
    #[must_use]
    pub fn take_new_sessions(&self) -> Vec<Arc<Session>> {
        std::mem::take(&mut self.tables.lock().not_watched)
    }

    /// Takes the sessions that the loop of lane 0 must read once, without waiting for their sockets.
    #[must_use]
    pub fn take_queued_for_loop(&self) -> Vec<Arc<Session>> {
        std::mem::take(&mut self.tables.lock().queued_for_loop)
            .into_values()
            .collect()
    }

    pub(crate) fn queue_for_loop(&self, session: Arc<Session>) {
        let mut tables = self.tables.lock();
        if tables.sessions.contains_key(&session.id()) {
            tables.queued_for_loop.insert(session.id(), session);
        }
    }

    /// A lane took a SESSION_DOWN; the id is free when all lanes have.
    pub fn down_taken(&self, session: u16, lane: &Lane) {
        let mut tables = self.tables.lock();
        if let Some(Some(waiting)) = tables.ids.get_mut(&session)
            && !forget(waiting, 1 << lane.index())
        {
            tables.ids.remove(&session);
        }
    }

    pub(crate) fn sessions(&self) -> Vec<Arc<Session>> {
        self.tables.lock().sessions.values().cloned().collect()
    }

    pub(crate) fn session_of(&self, name: &str) -> Option<Arc<Session>> {
        let tables = self.tables.lock();
        tables.sessions.get(tables.by_name.get(name)?).cloned()
    }

    /// Reserves an id that no session uses, and no ended one whose SESSION_DOWN some lane has not taken.
    pub(crate) fn reserve_id(&self) -> Option<u16> {
        let mut tables = self.tables.lock();
        for _ in 0..u16::MAX {
            tables.last_id = tables.last_id.wrapping_add(1);
            let id = tables.last_id;
            if id != 0 && !tables.ids.contains_key(&id) {
                tables.ids.insert(id, None);
                return Some(id);
            }
        }
        None
    }

    /// Adds a session and announces it to every lane. The former session of that name has ended.
    pub(crate) fn add_session(&self, session: &Arc<Session>) {
        let mut tables = self.tables.lock();
        tables.sessions.insert(session.id(), session.clone());
        tables.up.insert(session.up_at());
        tables.by_name.insert(session.peer().name.clone(), session.id());
        if self.is_loop_reader() {
            tables.not_watched.push(session.clone());
        }
        self.broadcast(session.id(), SESSION_UP, session.up_body().bytes());
    }

    /// Removes a session and announces its end. Called once, with the session's `io` held.
    pub(crate) fn remove_session(&self, session: &Session, cause: DownCause, detail: &str) {
        let mut tables = self.tables.lock();
        if tables.sessions.remove(&session.id()).is_none() {
            return;
        }
        tables.up.remove(&session.up_at());
        if tables.by_name.get(&session.peer().name) == Some(&session.id()) {
            tables.by_name.remove(&session.peer().name);
        }
        tables.not_watched.retain(|waiting| waiting.id() != session.id());
        tables.queued_for_loop.remove(&session.id());
        let lanes = self
            .lanes()
            .iter()
            .flatten()
            .filter(|lane| lane.is_listening())
            .fold(0, |bits, lane| bits | 1 << lane.index());
        tables.ids.insert(session.id(), Some(lanes));
        self.broadcast(
            session.id(),
            SESSION_DOWN,
            Body::new().u8(cause as u8).text(detail).bytes(),
        );
    }

    /// Tells a new lane of the present numbers and sessions and includes it from now on. The caller holds the `io` of every
    /// session.
    pub(crate) fn resume(&self, lane: &Lane, replay_sessions: impl FnOnce()) {
        let tables = self.tables.lock();
        lane.set_suspended(false);
        for known in tables.identities.all() {
            lane.push(
                0,
                NODE_SLOT,
                number_body(known.nc, known.incarnation, &known.name).bytes(),
            );
        }
        replay_sessions();
        lane.notify();
    }
}

/// Clears `bit`; true while others are set.
fn forget(waiting: &mut u64, bit: u64) -> bool {
    *waiting &= !bit;
    *waiting != 0
}

fn number_body(nc: u32, incarnation: u64, name: &str) -> Body {
    Body::new().u32(nc).u64(incarnation).text(name)
}

#[cfg(test)]
mod tests;
