//! One lane of one node in one environment: delivers batches to JavaScript and owns everything that ends with the lane.
//!
//! Invariants: no lock is held and no slice of `rx` is in use while JavaScript runs; a batch is never written while
//! JavaScript still reads the former one; after [`Host::end`] nothing of this lane uses the environment.

mod callback;
mod cleanup;
pub(crate) mod env;
mod loop_callbacks;
mod reader;
mod spin;

use std::cell::{Cell, OnceCell};
use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use napi::sys;
use snowmesh_net::{Batch, Filled, Hub, Lane, Node};

use crate::errors::{Code, Error, Result, fault, guard_callback};
use crate::memory::Chunk;
use crate::wake;
use callback::Callback;
use cleanup::Cleanup;
use env::{EnvState, lend};
use loop_callbacks::CALLBACKS;
pub(crate) use reader::LoopReader;

/// The smallest receiving buffer: it must hold every entry that is not passed outside of it.
const MIN_RX_BYTES: usize = 64 * 1024;

#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) env: sys::napi_env,
    pub(crate) rx: Chunk,
    pub(crate) reader: OnceCell<LoopReader>,
    attachment: OnceCell<Attachment>,
    callback: Callback,
    wake: Cell<sys::napi_threadsafe_function>,
    cleanup: Cell<Option<Cleanup>>,
    delivering: Cell<bool>,
    ended: Cell<bool>,
    /// It was detached inside of `onBatch`, and ends after that.
    detached: Cell<bool>,
    batches: Cell<f64>,
}

/// The lane of the host, known once the node is open.
#[derive(Debug)]
pub(crate) struct Attachment {
    pub(crate) handle: u32,
    pub(crate) node: Arc<Node>,
    pub(crate) lane: Arc<Lane>,
}

impl Host {
    /// Prepares a lane: holds the buffer and the callback, makes the wake. Then call [`Host::attach`].
    pub(crate) fn prepare(
        env: sys::napi_env,
        rx: sys::napi_value,
        callback: sys::napi_value,
    ) -> Result<Rc<Self>> {
        let rx = Chunk::hold(env, rx)?;
        if rx.length() < MIN_RX_BYTES {
            return Err(Error::new(
                Code::BadOption,
                format!("rx must have at least {MIN_RX_BYTES} bytes"),
            ));
        }
        let host = Rc::new(Self {
            env,
            rx,
            reader: OnceCell::new(),
            attachment: OnceCell::new(),
            callback: Callback::hold(env, callback)?,
            wake: Cell::new(ptr::null_mut()),
            cleanup: Cell::new(None),
            delivering: Cell::new(false),
            ended: Cell::new(false),
            detached: Cell::new(false),
            batches: Cell::new(0.0),
        });
        // SAFETY: `held` is a reference to the host, which `on_gone` takes back.
        let wake = lend(&host, |held| unsafe {
            wake::create(env, held, Some(on_wake), Some(on_gone))
        })?;
        host.wake.set(wake);
        Ok(host)
    }

    pub(crate) fn wake_function(&self) -> sys::napi_threadsafe_function {
        self.wake.get()
    }

    /// Attaches the host to its node and registers the cleanup hook. Hooks run in reverse order: this one is registered after
    /// that of the wake, so it runs before it.
    pub(crate) fn attach(self: &Rc<Self>, attachment: Attachment) -> Result<()> {
        let reads = attachment.lane.index() == 0 && attachment.node.is_loop_reader();
        let node = attachment.node.clone();
        self.attachment
            .set(attachment)
            .map_err(|_| fault("attached twice"))?;
        self.cleanup.set(Some(Cleanup::add(self)?));
        if reads && let Some(reader) = LoopReader::start(self, node.spin_us(), CALLBACKS) {
            let _ = self.reader.set(reader);
        }
        Ok(())
    }

    pub(crate) fn attachment(&self) -> Option<&Attachment> {
        self.attachment.get()
    }

    pub(crate) fn may_deliver(&self) -> bool {
        !self.delivering.get() && !self.ended.get()
    }

    pub(crate) fn batches(&self) -> f64 {
        self.batches.get()
    }

    pub(crate) fn keep_alive(&self, alive: bool) {
        match alive {
            _ if self.ended.get() => {}
            true => wake::keep_loop_alive(self.env, self.wake.get()),
            false => wake::unref(self.env, self.wake.get()),
        }
    }

    /// A wake-up arrived: delivers one batch of the entries that wait, then returns to the loop.
    fn on_wake(self: &Rc<Self>) {
        let Some(Attachment { node, lane, .. }) = self.attachment() else {
            return;
        };
        let watch = node.loop_watch();
        watch.note_wake();
        lane.begin_drain();
        if !self.may_deliver() {
            return;
        }
        if let Some(reader) = self.reader.get() {
            watch.note_turn();
            reader.watch_new_sessions(self, node);
            reader.resume(node);
        } else if lane.index() == 0 {
            // There is no loop to read on: the I/O thread reads.
            node.take_new_sessions()
                .iter()
                .for_each(|session| session.leave_to_thread(node));
        }
        // SAFETY: nothing is being delivered, so no other slice of `rx` exists; no JavaScript runs before `finish`.
        let mut batch = Batch::new(unsafe { self.rx.all_mut() });
        lane.drain(&mut batch);
        if let Some(reader) = self.reader.get() {
            reader.read_unfinished(node, lane, &mut batch);
        }
        self.deliver(batch.finish());
        // The reader on the loop does both right before the loop waits.
        if !self.ended.get() && self.reader.get().is_none() {
            node.lane_drained(lane);
            lane.notify();
        }
    }

    /// Calls `onBatch`.
    pub(crate) fn deliver(self: &Rc<Self>, mut filled: Filled) {
        if filled.bytes == 0 {
            return;
        }
        self.batches.set(self.batches.get() + 1.0);
        self.delivering.set(true);
        self.callback.call(&mut filled);
        self.delivering.set(false);
        self.after_delivery(&filled);
    }

    /// Acts on entries that JavaScript has processed: ended sessions, the end of the node.
    fn after_delivery(self: &Rc<Self>, filled: &Filled) {
        let Some(Attachment { handle, node, lane }) = self.attachment() else {
            return;
        };
        for session in &filled.ended {
            if let Some(reader) = self.reader.get() {
                reader.forget(*session);
            }
            if let Some(state) = EnvState::of(self.env) {
                state.drop_chunk(*handle, *session);
            }
            node.down_taken(*session, lane);
        }
        if filled.stopped || self.detached.get() {
            self.end();
        }
    }

    /// Ends the host, as [`Self::end`]; inside of `onBatch` once that has returned and was called again if it asked for that, since
    /// both calls use the references and the async context that the end drops.
    pub(crate) fn detach(self: &Rc<Self>) {
        if self.delivering.get() {
            self.detached.set(true);
        } else {
            self.end();
        }
    }

    /// The normal end: the node stopped, or the lane was detached.
    pub(crate) fn end(self: &Rc<Self>) {
        if let Some(cleanup) = self.cleanup.take() {
            cleanup.remove(self);
        }
        if self.tear_down(true, Box::new(|| {})) {
            wake::release(self.wake.get());
        }
    }

    /// Ends everything, once: disconnects the wake, joins the I/O thread, closes the handles, drops the references. `closed` is
    /// called when libuv has released the last handle. False: it had ended before.
    fn tear_down(self: &Rc<Self>, with_context: bool, closed: Box<dyn FnOnce()>) -> bool {
        if self.ended.replace(true) {
            closed();
            return false;
        }
        if let Some(Attachment { handle, node, lane }) = self.attachment() {
            lane.disconnect();
            if lane.index() == 0 {
                node.abort();
                Hub::of_process().forget(*handle);
            } else {
                node.detach(lane);
            }
            if let Some(state) = EnvState::of(self.env) {
                state.forget_host(*handle, lane.index());
            }
        }
        match self.reader.get() {
            Some(reader) => reader.stop(closed),
            None => closed(),
        }
        self.rx.release();
        self.callback.release(with_context);
        true
    }
}

unsafe extern "C" fn on_wake(
    env: sys::napi_env,
    _callback: sys::napi_value,
    context: *mut c_void,
    _data: *mut c_void,
) {
    // Null: the environment has ended, and Node-API only drains the queue of calls.
    if env.is_null() {
        return;
    }
    // SAFETY: `context` is a reference to the host, held until `on_gone`. Another one is taken for this call.
    let host = unsafe {
        Rc::increment_strong_count(context.cast::<Host>());
        Rc::from_raw(context.cast::<Host>())
    };
    guard_callback(|| host.on_wake());
}

unsafe extern "C" fn on_gone(_env: sys::napi_env, context: *mut c_void, _hint: *mut c_void) {
    // SAFETY: `prepare` gave this reference to the function; Node-API gives it back once.
    drop(unsafe { Rc::from_raw(context.cast::<Host>()) });
}
