//! `onBatch`: calling the JavaScript function that takes a lane's batches.

use std::cell::Cell;
use std::ptr;

use napi::{JsError, sys};
use snowmesh_net::Filled;

use crate::errors::{Result, fault};
use crate::memory::{Reference, to_array};

/// The bit of an answer that asks for another call, after the microtasks.
const AGAIN: u32 = 1;

/// The function, with the receiver and the async context that a callback of Node.js needs.
#[derive(Debug)]
pub(super) struct Callback {
    env: sys::napi_env,
    function: Reference,
    receiver: Reference,
    context: Cell<sys::napi_async_context>,
}

impl Callback {
    /// Keeps the function alive until [`Self::release`] or the drop.
    pub(super) fn hold(env: sys::napi_env, function: sys::napi_value) -> Result<Self> {
        let function = Reference::hold(env, function)?;
        let mut resource = ptr::null_mut();
        // SAFETY: a Node-API call with a valid out pointer; if it fails, `resource` stays null, which the next one refuses.
        unsafe { sys::napi_create_object(env, &raw mut resource) };
        Ok(Self {
            env,
            function,
            receiver: Reference::hold(env, resource)?,
            context: Cell::new(async_context(env, resource)?),
        })
    }

    /// Calls it with the batch, and once more without one if it asks for that or threw. Microtasks and `nextTick`s of each call have
    /// run when it returns, unless this is called inside of another callback of Node.js.
    pub(super) fn call(&self, filled: &mut Filled) {
        let bigs = std::mem::take(&mut filled.bigs);
        if self.call_once(filled.bytes, bigs) & AGAIN != 0 {
            self.call_once(0, Vec::new());
        }
    }

    /// Gives its result, [`AGAIN`] if it threw, 0 if it could not be called.
    fn call_once(&self, bytes: usize, bigs: Vec<Vec<u8>>) -> u32 {
        let env = self.env;
        let mut scope = ptr::null_mut();
        let mut answer = 0;
        // SAFETY: Node-API calls on the environment's thread, in a handle scope that no value leaves.
        unsafe {
            if sys::napi_open_handle_scope(env, &raw mut scope) != sys::Status::napi_ok {
                report_loss(env);
                return 0;
            }
            // Released: the host has ended.
            if let (Some(callback), Some(receiver)) = (self.function.value(), self.receiver.value()) {
                let mut result = ptr::null_mut();
                let status = arguments(env, bytes, bigs).map_or_else(
                    |status| status,
                    |arguments| {
                        sys::napi_make_callback(
                            env,
                            self.context.get(),
                            receiver,
                            callback,
                            arguments.len(),
                            arguments.as_ptr(),
                            &raw mut result,
                        )
                    },
                );
                match status {
                    sys::Status::napi_ok => {
                        sys::napi_get_value_uint32(env, result, &raw mut answer);
                    }
                    sys::Status::napi_pending_exception => {
                        report_exception(env);
                        answer = AGAIN;
                    }
                    // The environment is ending: nobody misses the events.
                    sys::Status::napi_closing | sys::Status::napi_cannot_run_js => {}
                    _ => report_loss(env),
                }
            }
            sys::napi_close_handle_scope(env, scope);
        }
        answer
    }

    /// Releases everything. Without `with_context` the async context is left to the ending environment.
    pub(super) fn release(&self, with_context: bool) {
        self.function.release();
        self.receiver.release();
        let context = self.context.replace(ptr::null_mut());
        if with_context && !context.is_null() {
            // SAFETY: `async_context` made it in this environment, and it is destroyed once.
            unsafe { sys::napi_async_destroy(self.env, context) };
        }
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        self.release(true);
    }
}

/// What `napi_make_callback` needs so that async hooks and microtasks work as in any callback of Node.js.
fn async_context(env: sys::napi_env, resource: sys::napi_value) -> Result<sys::napi_async_context> {
    let mut name = ptr::null_mut();
    let mut context = ptr::null_mut();
    let text = "snowmesh";
    // SAFETY: Node-API calls with valid out pointers.
    let status = unsafe {
        sys::napi_create_string_utf8(env, text.as_ptr().cast(), text.len().cast_signed(), &raw mut name);
        sys::napi_async_init(env, resource, name, &raw mut context)
    };
    if status == sys::Status::napi_ok {
        Ok(context)
    } else {
        Err(fault("no async context"))
    }
}

/// `(bytes, bigs)`, in a handle scope of the caller, or the status of the call that failed. A frame that there is no memory for is a hole in
/// `bigs`: JavaScript ends its session.
fn arguments(
    env: sys::napi_env,
    length: usize,
    frames: Vec<Vec<u8>>,
) -> std::result::Result<[sys::napi_value; 2], sys::napi_status> {
    let mut bytes = ptr::null_mut();
    let mut bigs = ptr::null_mut();
    // SAFETY: Node-API calls with valid out pointers, in the handle scope of the caller.
    let statuses = unsafe {
        [
            sys::napi_create_double(env, length as f64, &raw mut bytes),
            if frames.is_empty() {
                sys::napi_get_null(env, &raw mut bigs)
            } else {
                sys::napi_create_array_with_length(env, frames.len(), &raw mut bigs)
            },
        ]
    };
    if let Some(failed) = statuses
        .into_iter()
        .find(|status| *status != sys::Status::napi_ok)
    {
        return Err(failed);
    }
    for (index, frame) in (0..).zip(frames) {
        let is_set = to_array(env, frame).is_some_and(|array| {
            // SAFETY: a Node-API call in the handle scope of the caller; `bigs` is the array made above.
            let status = unsafe { sys::napi_set_element(env, bigs, index, array) };
            status == sys::Status::napi_ok
        });
        if !is_set {
            let mut ignored = ptr::null_mut();
            // SAFETY: as above. What was thrown for want of memory would be taken for an exception of the callback.
            unsafe { sys::napi_get_and_clear_last_exception(env, &raw mut ignored) };
        }
    }
    Ok([bytes, bigs])
}

/// Events did not reach JavaScript, which still runs: an uncaught exception of the process, which must not go on without them.
fn report_loss(env: sys::napi_env) {
    let error = JsError::from(fault("events of the native core were lost; please report this"));
    // SAFETY: Node-API calls on the environment's thread.
    unsafe { sys::napi_fatal_exception(env, error.into_value(env)) };
}

/// `onBatch` threw: an uncaught exception of the process, as in any callback of Node.js.
fn report_exception(env: sys::napi_env) {
    let mut error = ptr::null_mut();
    // SAFETY: Node-API calls right after a pending exception was reported.
    unsafe {
        if sys::napi_get_and_clear_last_exception(env, &raw mut error) == sys::Status::napi_ok {
            sys::napi_fatal_exception(env, error);
        }
    }
}
