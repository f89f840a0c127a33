//! Decides when the busy wait of the loop's reader is worth its processor time, and which sessions it reads.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Duration, Instant};

use snowmesh_net::Session;

/// The most sessions that the busy wait reads.
const HOT_SESSIONS: usize = 4;
/// The busy wait runs while the score is above 0. A wait that finds bytes adds SCORE_HIT, up to SCORE_MAX; one that finds
/// none subtracts 1.
const SCORE_MAX: i32 = 32;
const SCORE_HIT: i32 = 4;
/// At a score of 0 one wait in this many is tried.
const PROBE_EVERY: u32 = 64;

#[derive(Debug)]
pub(super) struct Spin {
    window: Duration,
    score: Cell<i32>,
    chances: Cell<u32>,
    traffic_at: Cell<Option<Instant>>,
    hot: RefCell<Vec<Arc<Session>>>,
    hits: Cell<f64>,
    misses: Cell<f64>,
}

impl Spin {
    pub(super) fn new(window_us: u32) -> Self {
        Self {
            window: Duration::from_micros(window_us.into()),
            score: Cell::new(SCORE_HIT),
            chances: Cell::new(0),
            traffic_at: Cell::new(None),
            hot: RefCell::default(),
            hits: Cell::new(0.0),
            misses: Cell::new(0.0),
        }
    }

    /// Bytes of the session were sent or received.
    pub(super) fn note(&self, session: &Arc<Session>) {
        if self.window.is_zero() {
            return;
        }
        self.traffic_at.set(Some(Instant::now()));
        let mut hot = self.hot.borrow_mut();
        if hot.first().is_some_and(|first| Arc::ptr_eq(first, session)) {
            return;
        }
        hot.retain(|held| !Arc::ptr_eq(held, session));
        hot.insert(0, session.clone());
        hot.truncate(HOT_SESSIONS);
    }

    /// Whether to wait now: there was traffic a moment ago, and the score is above 0 or a wait is tried.
    pub(super) fn is_worth_it(&self) -> bool {
        let recent = self
            .traffic_at
            .get()
            .is_some_and(|at| at.elapsed() <= self.window);
        if !recent {
            return false;
        }
        if self.score.get() > 0 {
            return true;
        }
        self.chances.set(self.chances.get().wrapping_add(1));
        self.chances.get().is_multiple_of(PROBE_EVERY)
    }

    pub(super) fn hit(&self) {
        self.hits.set(self.hits.get() + 1.0);
        self.score.set((self.score.get() + SCORE_HIT).min(SCORE_MAX));
    }

    pub(super) fn miss(&self) {
        self.misses.set(self.misses.get() + 1.0);
        self.score.set((self.score.get() - 1).max(0));
    }

    /// How long a wait lasts that finds no bytes.
    pub(super) fn window(&self) -> Duration {
        self.window
    }

    /// The session at a place in the list, which begins with the latest traffic; `None` at its end.
    ///
    /// The list can change between two calls, so a pass over it can give a session twice or leave one out.
    pub(super) fn hot(&self, place: usize) -> Option<Arc<Session>> {
        self.hot.borrow().get(place).cloned()
    }

    pub(super) fn forget(&self, session: u16) {
        self.hot.borrow_mut().retain(|hot| hot.id() != session);
    }

    pub(super) fn clear(&self) {
        self.hot.borrow_mut().clear();
    }

    /// The number of waits that found bytes, and of those that found none.
    pub(super) fn counts(&self) -> (f64, f64) {
        (self.hits.get(), self.misses.get())
    }
}
