//! The one thread-safe function of a lane: a weak wake-up without data.
//!
//! Weak: it never keeps the process alive unless the node is `ref`ed. Coalesced by the lane, so at most one is on
//! its way. `Lane::disconnect` waits for a call under way, so none can follow the environment's death.

use std::ffi::c_void;
use std::ptr;

use napi::sys;
use snowmesh_net::Wake;

use crate::errors::{Result, fault};

/// Calls `napi_call_threadsafe_function`; owned by the lane.
#[derive(Debug)]
pub(crate) struct ThreadsafeWake(pub(crate) sys::napi_threadsafe_function);

// SAFETY: Node-API allows calling a thread-safe function from any thread.
unsafe impl Send for ThreadsafeWake {}
// SAFETY: as above; calls need no exclusive access.
unsafe impl Sync for ThreadsafeWake {}

impl Wake for ThreadsafeWake {
    fn wake(&self) {
        // SAFETY: the function lives until its lane is disconnected; the call never blocks. A refusal means that
        // the environment is closing: there is no loop to wake.
        unsafe {
            sys::napi_call_threadsafe_function(
                self.0,
                ptr::null_mut(),
                sys::ThreadsafeFunctionCallMode::nonblocking,
            );
        }
    }
}

/// Makes a weak function that runs `on_wake(context)` on the environment's thread, and `on_gone(context)` at the end.
pub(crate) fn create(
    env: sys::napi_env,
    context: *mut c_void,
    on_wake: sys::napi_threadsafe_function_call_js,
    on_gone: sys::napi_finalize,
) -> Result<sys::napi_threadsafe_function> {
    let mut name = ptr::null_mut();
    let mut function = ptr::null_mut();
    // SAFETY: plain Node-API calls on the environment's thread; every out pointer is valid for the call.
    let status = unsafe {
        let text = "snowmesh";
        sys::napi_create_string_utf8(env, text.as_ptr().cast(), text.len().cast_signed(), &raw mut name);
        sys::napi_create_threadsafe_function(
            env,
            ptr::null_mut(),
            ptr::null_mut(),
            name,
            0,
            1,
            context,
            on_gone,
            context,
            on_wake,
            &raw mut function,
        )
    };
    if status != sys::Status::napi_ok {
        return Err(fault("no thread-safe function"));
    }
    unref(env, function);
    Ok(function)
}

/// Keeps the event loop alive.
pub(crate) fn strengthen(env: sys::napi_env, function: sys::napi_threadsafe_function) {
    // SAFETY: the function is alive; called on the environment's thread.
    unsafe { sys::napi_ref_threadsafe_function(env, function) };
}

/// Lets the event loop end.
pub(crate) fn unref(env: sys::napi_env, function: sys::napi_threadsafe_function) {
    // SAFETY: as above.
    unsafe { sys::napi_unref_threadsafe_function(env, function) };
}

/// Gives the function up; `on_gone` follows. It may not be called any more.
pub(crate) fn release(function: sys::napi_threadsafe_function) {
    // SAFETY: the last of its one user gives it up, after its lane was disconnected.
    unsafe {
        sys::napi_release_threadsafe_function(function, sys::ThreadsafeFunctionReleaseMode::release);
    }
}
