//! One lane of one node in one environment: hands batches to JavaScript and owns everything that must end with it.
//!
//! Invariants: no lock is held and no slice of `rx` is in use while JavaScript runs; a batch is never written while
//! JavaScript still walks the former one; after [`Host::end`] nothing of this lane touches the environment.

pub(crate) mod env;
mod reader;

use std::cell::{Cell, OnceCell};
use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use napi::sys;
use snowmesh_net::{Batch, Filled, Hub, Lane, Node};

use crate::errors::{Code, Error, Result, fault, guard_callback};
use crate::memory::{Chunk, drop_reference, reference, referenced, to_array};
use crate::wake;
use env::EnvState;
pub(crate) use reader::LoopReader;

/// A receiving buffer must hold any entry that is not a frame of its own.
const LEAST_RX: usize = 64 * 1024;

#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) env: sys::napi_env,
    pub(crate) rx: Chunk,
    pub(crate) reader: OnceCell<LoopReader>,
    attachment: OnceCell<Attachment>,
    callback: sys::napi_ref,
    receiver: sys::napi_ref,
    context: sys::napi_async_context,
    wake: Cell<sys::napi_threadsafe_function>,
    cleanup: Cell<sys::napi_async_cleanup_hook_handle>,
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
        let (receiver, context) = async_context(env)?;
        let host = Rc::new(Self {
            env,
            rx,
            reader: OnceCell::new(),
            attachment: OnceCell::new(),
            callback: reference(env, callback)?,
            receiver,
            context,
            wake: Cell::new(ptr::null_mut()),
            cleanup: Cell::new(ptr::null_mut()),
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
        let mut hook = ptr::null_mut();
        let held = Rc::into_raw(self.clone()).cast_mut().cast::<c_void>();
        // SAFETY: the hook takes the reference back, or `end` does when it removes the hook.
        let status =
            unsafe { sys::napi_add_async_cleanup_hook(self.env, Some(on_cleanup), held, &raw mut hook) };
        if status != sys::Status::napi_ok {
            return Err(fault("no cleanup hook"));
        }
        self.cleanup.set(hook);
        if reads && let Some(reader) = LoopReader::start(self, node.spin_us()) {
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
        let answer = self.call(&mut filled);
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

    fn call(&self, filled: &mut Filled) -> u32 {
        let env = self.env;
        let mut scope = ptr::null_mut();
        let mut answer = 0;
        // SAFETY: Node-API calls on the environment's thread inside a handle scope of our own; values do not leave it.
        unsafe {
            if sys::napi_open_handle_scope(env, &raw mut scope) != sys::Status::napi_ok {
                return 0;
            }
            if let Some((callback, receiver, arguments)) = self.arguments(filled) {
                let mut result = ptr::null_mut();
                let status = sys::napi_make_callback(
                    env,
                    self.context,
                    receiver,
                    callback,
                    arguments.len(),
                    arguments.as_ptr(),
                    &raw mut result,
                );
                match status {
                    sys::Status::napi_ok => {
                        sys::napi_get_value_uint32(env, result, &raw mut answer);
                    }
                    sys::Status::napi_pending_exception => report_exception(env),
                    _ => {}
                }
            }
            sys::napi_close_handle_scope(env, scope);
        }
        answer
    }

    /// The callback, its receiver and `(bytes, bigs)`; `None` while the environment is ending.
    fn arguments(
        &self,
        filled: &mut Filled,
    ) -> Option<(sys::napi_value, sys::napi_value, [sys::napi_value; 2])> {
        let env = self.env;
        let frames = std::mem::take(&mut filled.bigs);
        let callback = referenced(env, self.callback)?;
        let receiver = referenced(env, self.receiver)?;
        let mut bytes = ptr::null_mut();
        let mut bigs = ptr::null_mut();
        // SAFETY: as in `call`.
        unsafe {
            sys::napi_create_uint32(env, u32::try_from(filled.bytes).ok()?, &raw mut bytes);
            if frames.is_empty() {
                sys::napi_get_null(env, &raw mut bigs);
            } else {
                sys::napi_create_array_with_length(env, frames.len(), &raw mut bigs);
            }
        }
        for (index, frame) in frames.into_iter().enumerate() {
            let array = to_array(env, frame)?;
            // SAFETY: as in `call`.
            unsafe { sys::napi_set_element(env, bigs, u32::try_from(index).ok()?, array) };
        }
        Some((callback, receiver, [bytes, bigs]))
    }

    /// The regular end: the node stopped, or the lane was detached.
    pub(crate) fn end(self: &Rc<Self>) {
        let hook = self.cleanup.replace(ptr::null_mut());
        if !hook.is_null() {
            // SAFETY: the hook was registered by `attach` with a reference to this host, taken back here; it cannot
            // run any more.
            unsafe {
                sys::napi_remove_async_cleanup_hook(hook);
                Rc::decrement_strong_count(Rc::as_ptr(self));
            }
        }
        if self.let_go(Box::new(|| {})) {
            wake::release(self.wake.get());
        }
    }

    /// Ends everything once: threads joined, wake cut off, handles closed, references dropped. `closed` is called
    /// when libuv has let go of the last handle. False: it had ended before.
    fn let_go(self: &Rc<Self>, closed: Box<dyn FnOnce()>) -> bool {
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
        drop_reference(self.env, self.callback);
        drop_reference(self.env, self.receiver);
        // SAFETY: made by `async_context` in this environment; destroyed once.
        unsafe { sys::napi_async_destroy(self.env, self.context) };
        true
    }
}

/// What `napi_make_callback` needs so that async hooks and microtasks work as for any other callback.
fn async_context(env: sys::napi_env) -> Result<(sys::napi_ref, sys::napi_async_context)> {
    let mut resource = ptr::null_mut();
    let mut name = ptr::null_mut();
    let mut context = ptr::null_mut();
    let text = "snowmesh";
    // SAFETY: Node-API calls with valid out pointers.
    let status = unsafe {
        sys::napi_create_object(env, &raw mut resource);
        sys::napi_create_string_utf8(env, text.as_ptr().cast(), text.len().cast_signed(), &raw mut name);
        sys::napi_async_init(env, resource, name, &raw mut context)
    };
    if status != sys::Status::napi_ok {
        return Err(fault("no async context"));
    }
    Ok((reference(env, resource)?, context))
}

/// `onBatch` threw: that is an uncaught exception of the process, as for any callback of Node.js.
fn report_exception(env: sys::napi_env) {
    let mut error = ptr::null_mut();
    // SAFETY: Node-API calls right after a pending exception was reported.
    unsafe {
        if sys::napi_get_and_clear_last_exception(env, &raw mut error) == sys::Status::napi_ok {
            sys::napi_fatal_exception(env, error);
        }
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

unsafe extern "C" fn on_cleanup(hook: sys::napi_async_cleanup_hook_handle, held: *mut c_void) {
    // SAFETY: the reference that `attach` gave to the hook, which runs once.
    let host = unsafe { Rc::from_raw(held.cast::<Host>()) };
    host.cleanup.set(ptr::null_mut());
    guard_callback(|| {
        host.let_go(Box::new(move || {
            // SAFETY: the handle Node-API passed to the hook; removing it tells that cleaning up is done.
            unsafe { sys::napi_remove_async_cleanup_hook(hook) };
        }));
    });
    // The thread-safe function is left to Node-API, whose own hook comes after this one.
}
