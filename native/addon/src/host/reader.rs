//! Reads sockets on the event loop: a `uv_poll` handle for each session, and a short busy wait after traffic.
//!
//! For: a round trip without a switch of threads. Guarantees: one batch per callback and session, then the loop turns;
//! handles never keep the loop alive; the busy wait runs only while it finds bytes often enough (see [`Spin`]), never while
//! JavaScript, a timer or the loop has work to do, and never on a single processor.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use snowmesh_net::{Batch, Lane, Node, Read, Session};

use super::cleanup::OnDrop;
use super::env::lend;
use super::spin::Spin;
use super::{Attachment, Host};
use crate::uv::{Handle, HandleCallback, Loop, PollCallback, Uv};

/// The bytes read from one session before the loop turns.
const TURN_BYTES: usize = 256 * 1024;
/// The longest time a busy wait may go on while it keeps finding bytes.
const SPIN_TOTAL: Duration = Duration::from_millis(2);

/// The functions that libuv calls.
#[derive(Clone, Copy, Debug)]
pub(super) struct Callbacks {
    /// A socket is readable.
    pub(super) readable: PollCallback,
    /// The loop is about to wait.
    pub(super) waits: HandleCallback,
    /// The loop has waited.
    pub(super) turned: HandleCallback,
}

#[derive(Debug)]
pub(crate) struct LoopReader {
    uv: &'static Uv,
    callbacks: Callbacks,
    uv_loop: Loop,
    watched: RefCell<HashMap<u16, Watched>>,
    /// Prepare and check handles with the host reference each of them holds.
    phases: RefCell<Vec<(Handle, *const Host)>>,
    /// Sessions with bytes left to read or frames left to deliver after their turn.
    unfinished: RefCell<Vec<Arc<Session>>>,
    /// Polling is stopped because a lane is full.
    paused: Cell<bool>,
    spin: Spin,
}

#[derive(Debug)]
struct Watched {
    handle: Handle,
    data: *mut Watch,
}

/// The data of a poll handle, for its callback.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) host: Rc<Host>,
    pub(super) session: Arc<Session>,
}

impl LoopReader {
    /// Starts on the environment's loop; `None` if the runtime lacks the functions that this needs.
    pub(super) fn start(host: &Rc<Host>, spin_us: u32, callbacks: Callbacks) -> Option<Self> {
        let uv = Uv::probe()?;
        let uv_loop = Loop::of(host.env)?;
        let one_processor = std::thread::available_parallelism().is_ok_and(|count| count.get() == 1);
        let reader = Self {
            uv,
            callbacks,
            uv_loop,
            watched: RefCell::default(),
            phases: RefCell::default(),
            unfinished: RefCell::default(),
            paused: Cell::new(false),
            spin: Spin::new(if one_processor { 0 } else { spin_us }),
        };
        let prepare: unsafe fn(_, _, _, _) -> _ = Uv::prepare;
        for (make, callback) in [(prepare, callbacks.waits), (Uv::check, callbacks.turned)] {
            let phase = lend(host, |held| {
                // SAFETY: `held` is a reference to the host, which `stop` takes back. The cleanup hook calls it in the environment's life.
                let handle = unsafe { make(uv, uv_loop, callback, held) };
                handle.map(|handle| (handle, held.cast_const().cast())).ok_or(())
            });
            let Ok(phase) = phase else {
                reader.stop(Box::new(|| {}));
                return None;
            };
            reader.phases.borrow_mut().push(phase);
        }
        Some(reader)
    }

    /// Begins to watch new sessions.
    pub(crate) fn watch_new_sessions(&self, host: &Rc<Host>, node: &Node) {
        for session in node.take_new_sessions() {
            let (id, socket, readable) = (session.id(), session.socket(), self.callbacks.readable);
            let data = Box::into_raw(Box::new(Watch {
                host: host.clone(),
                session: session.clone(),
            }));
            // SAFETY: `data` is a box that is freed when the handle is closed, and its session keeps the socket open until then. The
            // environment is alive, as in `start`.
            match unsafe { self.uv.poll(self.uv_loop, socket, readable, data.cast()) } {
                Some(handle) => {
                    self.watched.borrow_mut().insert(id, Watched { handle, data });
                }
                None => {
                    // SAFETY: libuv refused the handle, so nothing else holds the box.
                    drop(unsafe { Box::from_raw(data) });
                    session.leave_to_thread(node);
                }
            }
        }
        for session in node.take_queued_for_loop() {
            self.read_later(&session);
        }
    }

    /// Reads a session once more in the next turn of the loop.
    fn read_later(&self, session: &Arc<Session>) {
        let mut unfinished = self.unfinished.borrow_mut();
        if !unfinished.iter().any(|waiting| Arc::ptr_eq(waiting, session)) {
            unfinished.push(session.clone());
        }
    }

    /// Stops watching a session that ended.
    pub(crate) fn forget(&self, session: u16) {
        let mut unfinished = self.unfinished.borrow_mut();
        unfinished.retain(|waiting| waiting.id() != session);
        drop(unfinished);
        self.spin.forget(session);
        let watched = self.watched.borrow_mut().remove(&session);
        if let Some(watched) = watched {
            self.close(watched, || {});
        }
    }

    /// Polls again if polling was stopped and every lane has room.
    pub(crate) fn resume(&self, node: &Node) {
        if self.paused.get() && !node.is_inbound_blocked() {
            self.paused.set(false);
            for watched in self.watched.borrow().values() {
                self.uv.poll_restart(&watched.handle, self.callbacks.readable);
            }
        }
    }

    /// Continues with the sessions that were not finished in their turn.
    pub(crate) fn read_unfinished(&self, node: &Node, lane: &Lane, batch: &mut Batch<'_>) {
        let mut waiting = Vec::new();
        if !self.paused.get() {
            waiting.append(&mut self.unfinished.borrow_mut());
        }
        for session in waiting {
            let read = session.read(node, Some((lane, batch)), TURN_BYTES);
            self.note_read(node, &session, read);
        }
        lane.drain(batch);
    }

    /// Bytes were sent: an answer may come soon.
    pub(crate) fn note_traffic(&self, session: &Arc<Session>) {
        self.spin.note(session);
    }

    pub(crate) fn spins(&self) -> (f64, f64) {
        self.spin.counts()
    }

    /// Closes every handle; `closed` is called when libuv has released the last.
    pub(crate) fn stop(&self, closed: Box<dyn FnOnce()>) {
        self.unfinished.borrow_mut().clear();
        self.spin.clear();
        // Runs when its last clone is dropped, which is in the last close callback.
        let last = Rc::new(OnDrop(Some(closed)));
        let watched = std::mem::take(&mut *self.watched.borrow_mut());
        for watched in watched.into_values() {
            let last = last.clone();
            self.close(watched, move || drop(last));
        }
        let phases = std::mem::take(&mut *self.phases.borrow_mut());
        for (handle, host) in phases {
            let last = last.clone();
            let done = move || {
                // SAFETY: `start` gave this reference to the handle; it is taken back once, as the handle is closed now.
                drop(unsafe { Rc::from_raw(host) });
                drop(last);
            };
            self.uv.close(handle, Box::new(done));
        }
    }

    fn close(&self, watched: Watched, done: impl FnOnce() + 'static) {
        let data = watched.data;
        let freed = move || {
            // SAFETY: `watch_new_sessions` made this box for the handle, which libuv has released, so this is the last use of the box. It
            // holds the session, so the socket was open until now.
            drop(unsafe { Box::from_raw(data) });
            done();
        };
        self.uv.close(watched.handle, Box::new(freed));
    }

    /// One read and one delivery for a session; true if JavaScript got entries.
    pub(super) fn turn(&self, host: &Rc<Host>, session: &Arc<Session>) -> bool {
        let Some(Attachment { node, lane, .. }) = host.attachment() else {
            return false;
        };
        if !host.may_deliver() {
            return false;
        }
        // SAFETY: nothing is being delivered, so no other slice of `rx` exists; no JavaScript runs before `finish`.
        let mut batch = Batch::new(unsafe { host.rx.all_mut() });
        let read = session.read(node, Some((lane, &mut batch)), TURN_BYTES);
        self.note_read(node, session, read);
        // Announcements, and the end of the session, go through the inbox.
        lane.drain(&mut batch);
        let filled = batch.finish();
        if filled.bytes == 0 {
            return false;
        }
        self.spin.note(session);
        host.deliver(filled);
        true
    }

    /// Decides from the result of a read when the session is read next.
    fn note_read(&self, node: &Node, session: &Arc<Session>, read: Read) {
        match read {
            Read::Idle => {}
            Read::Ended => self.forget(session.id()),
            Read::More | Read::Spent if node.is_inbound_blocked() => {
                // No poll announces frames that were received but not delivered.
                self.read_later(session);
                self.pause();
            }
            // The poll reports the rest, unless it has stopped watching the socket.
            Read::Spent if !session.is_hung_up() => {}
            Read::More | Read::Spent => self.read_later(session),
        }
    }

    /// Right before the loop waits: requests a wake-up if there is more to read or deliver. One requested earlier would arrive in
    /// the same turn of the loop, again and again, and immediates and timers would wait until all traffic has ended (P6).
    pub(super) fn wake_for_unfinished(&self, node: &Node, lane: &Lane) {
        // Reads have drained the inbox.
        node.lane_drained(lane);
        let can_continue = match self.paused.get() {
            true => !node.is_inbound_blocked(),
            false => !self.unfinished.borrow().is_empty(),
        };
        match can_continue {
            true => lane.request_drain(),
            false => lane.notify(),
        }
    }

    fn pause(&self) {
        self.paused.set(true);
        for watched in self.watched.borrow().values() {
            self.uv.poll_stop(&watched.handle);
        }
    }

    /// Right before the loop waits: reads the sockets with the latest traffic in a busy wait for a moment.
    pub(super) fn spin(&self, host: &Rc<Host>) {
        if !self.spin.is_worth_it() || self.loop_has_work() {
            return;
        }
        let begun = Instant::now();
        let mut until = begun + self.spin.window();
        loop {
            let found = (0..)
                .map_while(|place| self.spin.hot(place))
                .fold(false, |found, session| self.turn(host, &session) | found);
            let now = Instant::now();
            if found {
                self.spin.hit();
                if self.loop_has_work() || now - begun > SPIN_TOTAL {
                    return;
                }
                until = now + self.spin.window();
            } else if now >= until || !host.may_deliver() {
                return self.spin.miss();
            }
            std::hint::spin_loop();
        }
    }

    /// Whether a timer, an immediate or a closing handle is due.
    fn loop_has_work(&self) -> bool {
        // SAFETY: the host runs, so its environment is alive.
        unsafe { self.uv.backend_timeout(self.uv_loop) == 0 }
    }
}
