//! When the busy wait of the loop's reader is worth its processor time, and which sessions it looks at.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Duration, Instant};

use snowmesh_net::Session;

/// Sessions that the busy wait looks at.
const HOT_SESSIONS: usize = 4;
/// How sure the busy wait can get of paying, and what finding bytes adds.
const SCORE_MOST: i32 = 32;
const SCORE_HIT: i32 = 4;
/// When it does not pay, one in so many chances is tried all the same.
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

    /// Bytes of the session moved.
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

    /// Whether to wait now: there was traffic a moment ago, and waiting has paid lately or is tried again.
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
        self.score.set((self.score.get() + SCORE_HIT).min(SCORE_MOST));
    }

    pub(super) fn miss(&self) {
        self.misses.set(self.misses.get() + 1.0);
        self.score.set((self.score.get() - 1).max(0));
    }

    /// How long to look for bytes without finding any.
    pub(super) fn window(&self) -> Duration {
        self.window
    }

    /// A session to look at: 0 is the one with the latest traffic. `None`: there are no more.
    ///
    /// What the caller does with it may change the order, so one pass can look at a session twice or leave one out.
    pub(super) fn hot(&self, place: usize) -> Option<Arc<Session>> {
        self.hot.borrow().get(place).cloned()
    }

    pub(super) fn forget(&self, session: u16) {
        self.hot.borrow_mut().retain(|hot| hot.id() != session);
    }

    pub(super) fn clear(&self) {
        self.hot.borrow_mut().clear();
    }

    /// Waits that found bytes, and that did not.
    pub(super) fn counts(&self) -> (f64, f64) {
        (self.hits.get(), self.misses.get())
    }
}
