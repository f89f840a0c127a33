//! What ends a host when its environment ends before the node was stopped.

use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;

use napi::sys;

use super::Host;
use super::env::is_node_js;
use crate::errors::{Result, fault, guard_callback};

/// The hook that ends a host with its environment.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cleanup {
    /// The environment waits until libuv has closed the handles.
    Async(sys::napi_async_cleanup_hook_handle),
    /// A runtime without libuv's loop has no handles to close. Deno frees an asynchronous hook by itself after it has run: to
    /// remove it in the hook, as Node.js requires, would free it twice.
    AtOnce,
}

impl Cleanup {
    /// Registers the hook with a reference to the host: the hook takes it back, or [`Self::remove`] does.
    pub(super) fn add(host: &Rc<Host>) -> Result<Self> {
        let held = Rc::into_raw(host.clone()).cast_mut().cast::<c_void>();
        let mut hook = ptr::null_mut();
        let is_async = is_node_js(host.env);
        // SAFETY: Node-API calls on the environment's thread; `held` lives until the hook has run or is removed.
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
    }

    pub(super) fn remove(self, host: &Rc<Host>) {
        let held = Rc::as_ptr(host);
        // SAFETY: the hook was registered by `add` with a reference to this host, taken back here; it cannot run any more.
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
    // SAFETY: the reference that `attach` gave to the hook, which runs once.
    let host = unsafe { Rc::from_raw(held.cast::<Host>()) };
    host.cleanup.set(None);
    guard_callback(|| {
        host.let_go(
            true,
            Box::new(move || {
                // SAFETY: the handle Node-API passed to the hook; removing it tells that cleaning up is done.
                unsafe { sys::napi_remove_async_cleanup_hook(hook) };
            }),
        );
    });
    // The thread-safe function is left to Node-API, whose own hook comes after this one.
}

/// As [`on_cleanup`], where everything ends in one call. There is no handle scope: Deno ends the process when an async context is
/// destroyed here.
unsafe extern "C" fn on_cleanup_at_once(held: *mut c_void) {
    // SAFETY: the reference that `attach` gave to the hook, which runs once.
    let host = unsafe { Rc::from_raw(held.cast::<Host>()) };
    host.cleanup.set(None);
    guard_callback(|| {
        host.let_go(false, Box::new(|| {}));
    });
}

/// Calls back when it is dropped.
pub(super) struct OnDrop(pub(super) Option<Box<dyn FnOnce()>>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        if let Some(last) = self.0.take() {
            last();
        }
    }
}
