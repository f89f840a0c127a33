//! One lane of one node in one environment: hands batches to JavaScript and owns everything that must end with it.
//!
//! Invariants: no lock is held and no slice of `rx` is in use while JavaScript runs; a batch is never written while
//! JavaScript still walks the former one; after [`Host::end`] nothing of this lane touches the environment.

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
use env::EnvState;
use loop_callbacks::CALLBACKS;
pub(crate) use reader::LoopReader;

/// A receiving buffer must hold any entry that is not a frame of its own.
const LEAST_RX: usize = 64 * 1024;

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
    /// JavaScript said that it has more to do.
    busy: Cell<bool>,
    ended: Cell<bool>,
    batches: Cell<f64>,
}

/// What the host serves, known once the node is open.
#[derive(Debug)]
pub(crate) struct Attachment {
    pub(crate) handle: u32,
    pub(crate) node: Arc<Node>,
    pub(crate) lane: Arc<Lane>,
}

impl Host {
    /// Prepares a lane: holds the buffer and the callback, makes the wake. [`Host::attach`] completes it.
    pub(crate) fn prepare(
        env: sys::napi_env,
        rx: sys::napi_value,
        callback: sys::napi_value,
    ) -> Result<Rc<Self>> {
        let rx = Chunk::hold(env, rx)?;
        if rx.length() < LEAST_RX {
            rx.release(env);
            return Err(Error::new(
                Code::BadOption,
                format!("rx must have at least {LEAST_RX} bytes"),
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
            busy: Cell::new(false),
            ended: Cell::new(false),
            batches: Cell::new(0.0),
        });
        // The thread-safe function holds the host until its finaliser runs.
        let held = Rc::into_raw(host.clone()).cast_mut().cast::<c_void>();
        host.wake
            .set(wake::create(env, held, Some(on_wake), Some(on_gone))?);
        Ok(host)
    }

    pub(crate) fn wake_function(&self) -> sys::napi_threadsafe_function {
        self.wake.get()
    }

    /// Ties the host to its node and registers the cleanup hook: after the wake, so that it runs before it.
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

    pub(crate) fn is_busy(&self) -> bool {
        self.busy.get()
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
            true => wake::strengthen(self.env, self.wake.get()),
            false => wake::unref(self.env, self.wake.get()),
        }
    }

    /// A wake-up arrived: one batch of what waits, then back to the loop.
    fn on_wake(self: &Rc<Self>) {
        let Some(Attachment { node, lane, .. }) = self.attachment() else {
            return;
        };
        let watch = node.loop_watch();
        watch.answered();
        lane.begin_drain();
        if !self.may_deliver() {
            return;
        }
        if let Some(reader) = self.reader.get() {
            watch.turned();
            reader.adopt(self, node);
            reader.resume(node);
        } else if lane.index() == 0 {
            // This runtime has no loop to read on: the node's thread does.
            node.adopt()
                .iter()
                .for_each(|session| session.leave_to_thread(node));
        }
        // SAFETY: nothing is being delivered, so no other slice of `rx` is in use; no JavaScript runs until `finish`.
        let mut batch = Batch::new(unsafe { self.rx.all_mut() });
        lane.drain(&mut batch);
        if let Some(reader) = self.reader.get() {
            reader.read_unfinished(node, lane, &mut batch);
        }
        self.deliver(batch.finish());
        // The loop's reader does both when the loop has turned.
        if !self.ended.get() && self.reader.get().is_none() {
            node.lane_drained(lane);
            lane.notify();
        }
    }

    /// Calls `onBatch`. Microtasks and `nextTick`s have run when this returns.
    pub(crate) fn deliver(self: &Rc<Self>, mut filled: Filled) {
        if filled.bytes == 0 {
            return;
        }
        self.batches.set(self.batches.get() + 1.0);
        self.delivering.set(true);
        let answer = self.callback.call(&mut filled);
        self.delivering.set(false);
        self.busy.set(answer & 1 != 0);
        self.settle(&filled);
    }

    /// What follows from entries that JavaScript has seen now.
    fn settle(self: &Rc<Self>, filled: &Filled) {
        let Some(Attachment { handle, node, lane }) = self.attachment() else {
            return;
        };
        for session in &filled.ended {
            if let Some(reader) = self.reader.get() {
                reader.forget(*session);
            }
            if let Some(state) = EnvState::of(self.env) {
                state.drop_chunk(self.env, *handle, *session);
            }
            node.down_taken(*session, lane);
        }
        if filled.stopped {
            self.end();
        }
    }

    /// The regular end: the node stopped, or the lane was detached.
    pub(crate) fn end(self: &Rc<Self>) {
        if let Some(cleanup) = self.cleanup.take() {
            cleanup.remove(self);
        }
        if self.let_go(true, Box::new(|| {})) {
            wake::release(self.wake.get());
        }
    }

    /// Ends everything once: threads joined, wake cut off, handles closed, references dropped. `closed` is called
    /// when libuv has released the last handle. False: it had ended before.
    fn let_go(self: &Rc<Self>, with_context: bool, closed: Box<dyn FnOnce()>) -> bool {
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
                state.forget_host(self.env, *handle, lane.index());
            }
        }
        match self.reader.get() {
            Some(reader) => reader.stop(closed),
            None => closed(),
        }
        self.rx.release(self.env);
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
    // A null environment means that it is gone and items are only drained.
    if env.is_null() {
        return;
    }
    // SAFETY: the function holds a reference to the host until `on_gone`; a second one is taken for this call.
    let host = unsafe {
        Rc::increment_strong_count(context.cast::<Host>());
        Rc::from_raw(context.cast::<Host>())
    };
    guard_callback(|| host.on_wake());
}

unsafe extern "C" fn on_gone(_env: sys::napi_env, context: *mut c_void, _hint: *mut c_void) {
    // SAFETY: the reference that `prepare` gave to the function, given back once by Node-API.
    drop(unsafe { Rc::from_raw(context.cast::<Host>()) });
}
