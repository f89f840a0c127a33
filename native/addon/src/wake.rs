//! The thread-safe function of a lane: it wakes the isolate's thread and carries no data.
//!
//! It is unreferenced, so it keeps the process alive only while the node is `ref`ed. The lane has at most one call pending.
//! `Lane::disconnect` waits for a call in progress, so no call follows the end of the environment.

use std::ffi::c_void;
use std::ptr;

use napi::sys;
use snowmesh_net::Wake;

use crate::errors::{Result, fault};

/// The wake of a lane, which owns it: calls the thread-safe function.
#[derive(Debug)]
pub(crate) struct ThreadsafeWake(pub(crate) sys::napi_threadsafe_function);

// SAFETY: Node-API allows calling a thread-safe function from any thread.
unsafe impl Send for ThreadsafeWake {}
// SAFETY: Node-API allows concurrent calls of a thread-safe function.
unsafe impl Sync for ThreadsafeWake {}

impl Wake for ThreadsafeWake {
    fn wake(&self) {
        // SAFETY: the function is alive until its lane is disconnected, which drops `self`. If the environment is closing,
        // the call fails, and there is no loop to wake.
        unsafe {
            sys::napi_call_threadsafe_function(
                self.0,
                ptr::null_mut(),
                sys::ThreadsafeFunctionCallMode::nonblocking,
            );
        }
    }
}

/// Makes an unreferenced function that runs `on_wake(context)` on the environment's thread, and `on_gone(context)` at the end.
///
/// # Safety
/// `context` must be what both callbacks need until `on_gone` has run. If this fails, neither runs.
pub(crate) unsafe fn create(
    env: sys::napi_env,
    context: *mut c_void,
    on_wake: sys::napi_threadsafe_function_call_js,
    on_gone: sys::napi_finalize,
) -> Result<sys::napi_threadsafe_function> {
    let mut name = ptr::null_mut();
    let mut function = ptr::null_mut();
    // SAFETY: Node-API calls with valid out pointers, on the environment's thread; the caller guarantees what the callbacks need.
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

/// Makes the function keep the event loop alive.
pub(crate) fn keep_loop_alive(env: sys::napi_env, function: sys::napi_threadsafe_function) {
    // SAFETY: the function is not released yet, and this is the environment's thread.
    unsafe { sys::napi_ref_threadsafe_function(env, function) };
}

/// Allows the event loop to end.
pub(crate) fn unref(env: sys::napi_env, function: sys::napi_threadsafe_function) {
    // SAFETY: as in `keep_loop_alive`.
    unsafe { sys::napi_unref_threadsafe_function(env, function) };
}

/// Releases the function; `on_gone` follows. It must not be called afterwards.
pub(crate) fn release(function: sys::napi_threadsafe_function) {
    // SAFETY: called once, by the host that made the function, after its lane was disconnected.
    unsafe {
        sys::napi_release_threadsafe_function(function, sys::ThreadsafeFunctionReleaseMode::release);
    }
}
