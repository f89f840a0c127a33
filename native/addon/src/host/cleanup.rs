//! The cleanup hook: ends a host whose environment ends before the node was stopped.

use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;

use napi::sys;

use super::Host;
use super::env::{is_node_js, lend};
use crate::errors::{Result, fault, guard_callback};

/// The hook that ends a host with its environment.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cleanup {
    /// The environment waits until libuv has closed the handles.
    Async(sys::napi_async_cleanup_hook_handle),
    /// For runtimes without libuv's loop, where there are no handles to close. An asynchronous hook would not work in Deno: it
    /// frees the hook after it has run, and removing it in the hook, as Node.js requires, would free it twice.
    AtOnce,
}

impl Cleanup {
    /// Registers the hook with a reference to the host, which the hook or [`Self::remove`] takes back.
    pub(super) fn add(host: &Rc<Host>) -> Result<Self> {
        let is_async = is_node_js(host.env);
        lend(host, |held| {
            let mut hook = ptr::null_mut();
            // SAFETY: Node-API calls on the environment's thread; `held` is valid until the hook has run or is removed.
            let status = unsafe {
                if is_async {
                    sys::napi_add_async_cleanup_hook(host.env, Some(on_cleanup), held, &raw mut hook)
                } else {
                    sys::napi_add_env_cleanup_hook(host.env, Some(on_cleanup_at_once), held)
                }
            };
            match (status, is_async) {
                (sys::Status::napi_ok, true) => Ok(Self::Async(hook)),
                (sys::Status::napi_ok, false) => Ok(Self::AtOnce),
                _ => Err(fault("no cleanup hook")),
            }
        })
    }

    pub(super) fn remove(self, host: &Rc<Host>) {
        let held = Rc::as_ptr(host);
        // SAFETY: `add` registered the hook with a reference to this host. The hook cannot run after it is removed, so the
        // reference is taken back here, once.
        unsafe {
            match self {
                Self::Async(hook) => sys::napi_remove_async_cleanup_hook(hook),
                Self::AtOnce => sys::napi_remove_env_cleanup_hook(
                    host.env,
                    Some(on_cleanup_at_once),
                    held.cast_mut().cast::<c_void>(),
                ),
            };
            Rc::decrement_strong_count(held);
        }
    }
}

unsafe extern "C" fn on_cleanup(hook: sys::napi_async_cleanup_hook_handle, held: *mut c_void) {
    // SAFETY: `Cleanup::add` gave this reference to the hook, which runs once.
    let host = unsafe { Rc::from_raw(held.cast::<Host>()) };
    host.cleanup.set(None);
    guard_callback(|| {
        host.tear_down(
            true,
            Box::new(move || {
                // SAFETY: the handle that Node-API passed to the hook; removing it says that the cleanup is done.
                unsafe { sys::napi_remove_async_cleanup_hook(hook) };
            }),
        );
    });
    // Node-API's own hook, which runs after this one, releases the thread-safe function.
}

/// As [`on_cleanup`], without handles to wait for. The async context is not destroyed: there is no handle scope, and Deno would end
/// the process.
unsafe extern "C" fn on_cleanup_at_once(held: *mut c_void) {
    // SAFETY: `Cleanup::add` gave this reference to the hook, which runs once.
    let host = unsafe { Rc::from_raw(held.cast::<Host>()) };
    host.cleanup.set(None);
    guard_callback(|| {
        host.tear_down(false, Box::new(|| {}));
    });
}

/// Calls the function when it is dropped.
pub(super) struct OnDrop(pub(super) Option<Box<dyn FnOnce()>>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        if let Some(last) = self.0.take() {
            last();
        }
    }
}
