//! The libuv functions that reading on the event loop needs, found by name at load time.
//!
//! Node-API does not guarantee them: if one is missing (Bun, an unusual build), [`Uv::probe`] gives `None` and the I/O
//! thread reads instead. libuv gives the size of a handle at run time, so no header of libuv is needed.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ffi::{c_int, c_void};
use std::ptr::{self, NonNull};
use std::sync::OnceLock;

use napi::sys;

/// An opaque `uv_loop_t`.
type LoopPtr = *mut c_void;
/// An opaque `uv_handle_t`.
pub(crate) type HandlePtr = *mut c_void;
pub(crate) type HandleCallback = unsafe extern "C" fn(HandlePtr);
pub(crate) type PollCallback = unsafe extern "C" fn(HandlePtr, c_int, c_int);

/// Numbers of `uv_handle_type`, fixed since libuv 1.0.
const KIND_CHECK: c_int = 2;
const KIND_POLL: c_int = 8;
const KIND_PREPARE: c_int = 9;
const READABLE: c_int = 1;
const DISCONNECT: c_int = 4;

/// The loop of an environment. It is not `Send`, so it stays on the thread of that environment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loop(LoopPtr);

impl Loop {
    /// `None` if the runtime has none.
    pub(crate) fn of(env: sys::napi_env) -> Option<Self> {
        let mut found: LoopPtr = ptr::null_mut();
        // SAFETY: a Node-API call with a valid out pointer.
        let status = unsafe { sys::napi_get_uv_event_loop(env, (&raw mut found).cast()) };
        (status == sys::Status::napi_ok && !found.is_null()).then_some(Self(found))
    }
}

#[derive(Debug)]
pub(crate) struct Uv {
    handle_size: unsafe extern "C" fn(c_int) -> usize,
    handle_set_data: unsafe extern "C" fn(HandlePtr, *mut c_void),
    handle_get_data: unsafe extern "C" fn(HandlePtr) -> *mut c_void,
    unref: unsafe extern "C" fn(HandlePtr),
    close: unsafe extern "C" fn(HandlePtr, HandleCallback),
    poll_init_socket: unsafe extern "C" fn(LoopPtr, HandlePtr, c_int) -> c_int,
    poll_start: unsafe extern "C" fn(HandlePtr, c_int, PollCallback) -> c_int,
    poll_stop: unsafe extern "C" fn(HandlePtr) -> c_int,
    prepare_init: unsafe extern "C" fn(LoopPtr, HandlePtr) -> c_int,
    prepare_start: unsafe extern "C" fn(HandlePtr, HandleCallback) -> c_int,
    check_init: unsafe extern "C" fn(LoopPtr, HandlePtr) -> c_int,
    check_start: unsafe extern "C" fn(HandlePtr, HandleCallback) -> c_int,
    backend_timeout: unsafe extern "C" fn(LoopPtr) -> c_int,
}

impl Uv {
    /// The functions of this process, or `None` when one is missing.
    pub(crate) fn probe() -> Option<&'static Self> {
        static FOUND: OnceLock<Option<Uv>> = OnceLock::new();
        FOUND.get_or_init(find).as_ref()
    }

    /// Milliseconds until the loop's next timer: 0 if a timer, an immediate or a closing handle is due, negative if none is set.
    ///
    /// # Safety
    /// The environment of the loop must be alive.
    pub(crate) unsafe fn backend_timeout(&self, uv_loop: Loop) -> c_int {
        // SAFETY: a `Loop` came from Node-API and is on its thread; the caller guarantees that its environment is alive.
        unsafe { (self.backend_timeout)(uv_loop.0) }
    }

    /// Calls `callback` whenever the socket is readable; `data` is what [`Self::data`] gives there.
    ///
    /// # Safety
    /// The environment of the loop must be alive, `socket` open, and `data` what `callback` needs, until the handle is closed.
    pub(crate) unsafe fn poll(
        &self,
        uv_loop: Loop,
        socket: c_int,
        callback: PollCallback,
        data: *mut c_void,
    ) -> Option<Handle> {
        let handle = self.allocate(KIND_POLL)?;
        // SAFETY: the memory has the size that libuv gave, and a `Loop` is on its thread; the rest the caller guarantees. If init fails,
        // libuv does not know the handle, so it may be freed.
        unsafe {
            if (self.poll_init_socket)(uv_loop.0, handle.pointer, socket) != 0 {
                handle.free();
                return None;
            }
            (self.handle_set_data)(handle.pointer, data);
            (self.unref)(handle.pointer);
            (self.poll_start)(handle.pointer, READABLE | DISCONNECT, callback);
        }
        Some(handle)
    }

    pub(crate) fn poll_stop(&self, handle: &Handle) {
        // SAFETY: `poll` initialised the handle, and it is not closed: `close` takes it by value.
        unsafe { (self.poll_stop)(handle.pointer) };
    }

    pub(crate) fn poll_restart(&self, handle: &Handle, callback: PollCallback) {
        // SAFETY: as in `poll_stop`.
        unsafe { (self.poll_start)(handle.pointer, READABLE | DISCONNECT, callback) };
    }

    /// Calls `callback` each time before the loop waits.
    ///
    /// # Safety
    /// The environment of the loop must be alive, and `data` what `callback` needs, until the handle is closed.
    pub(crate) unsafe fn prepare(
        &self,
        uv_loop: Loop,
        callback: HandleCallback,
        data: *mut c_void,
    ) -> Option<Handle> {
        let handle = self.allocate(KIND_PREPARE)?;
        // SAFETY: the memory has the size that libuv gave, and a `Loop` is on its thread; the rest the caller guarantees. Init cannot
        // fail.
        unsafe {
            (self.prepare_init)(uv_loop.0, handle.pointer);
            (self.handle_set_data)(handle.pointer, data);
            (self.prepare_start)(handle.pointer, callback);
            (self.unref)(handle.pointer);
        }
        Some(handle)
    }

    /// Calls `callback` each time after the loop waited.
    ///
    /// # Safety
    /// As of [`Self::prepare`].
    pub(crate) unsafe fn check(
        &self,
        uv_loop: Loop,
        callback: HandleCallback,
        data: *mut c_void,
    ) -> Option<Handle> {
        let handle = self.allocate(KIND_CHECK)?;
        // SAFETY: as in `prepare`.
        unsafe {
            (self.check_init)(uv_loop.0, handle.pointer);
            (self.handle_set_data)(handle.pointer, data);
            (self.check_start)(handle.pointer, callback);
            (self.unref)(handle.pointer);
        }
        Some(handle)
    }

    /// What was given as `data` when the handle was made.
    ///
    /// # Safety
    /// libuv must have passed `handle` to the callback that runs now.
    pub(crate) unsafe fn data(&self, handle: HandlePtr) -> *mut c_void {
        // SAFETY: libuv has not released a handle whose callback runs.
        unsafe { (self.handle_get_data)(handle) }
    }

    /// Closes a handle. Its memory is freed, and `closed` called, when the loop has released it.
    pub(crate) fn close(&self, handle: Handle, closed: Box<dyn FnOnce()>) {
        let pointer = handle.pointer;
        let data = Box::into_raw(Box::new(Closing { handle, closed }));
        // SAFETY: the handle is initialised and closed once, since it is taken by value. libuv calls `on_closed` once, which
        // takes back the box.
        unsafe {
            (self.handle_set_data)(pointer, data.cast());
            (self.close)(pointer, on_closed);
        }
    }

    fn allocate(&self, kind: c_int) -> Option<Handle> {
        // SAFETY: the function only reads a table; an unknown kind gives usize::MAX, which is refused below.
        let size = unsafe { (self.handle_size)(kind) };
        if size == 0 || size > 4096 {
            return None;
        }
        let layout = Layout::from_size_align(size, 16).ok()?;
        // SAFETY: the layout's size is not zero.
        let pointer = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        Some(Handle {
            pointer: pointer.as_ptr().cast(),
            layout,
        })
    }
}

/// An initialised libuv handle in memory that this module allocated. It must be given to [`Uv::close`].
#[derive(Debug)]
pub(crate) struct Handle {
    pointer: HandlePtr,
    layout: Layout,
}

impl Handle {
    /// # Safety
    /// libuv must not know the handle, or have called its close callback.
    unsafe fn free(self) {
        // SAFETY: `allocate` allocated it with this layout; it is taken by value, so it is freed once.
        unsafe { dealloc(self.pointer.cast(), self.layout) };
    }
}

struct Closing {
    handle: Handle,
    closed: Box<dyn FnOnce()>,
}

unsafe extern "C" fn on_closed(handle: HandlePtr) {
    let Some(uv) = Uv::probe() else { return };
    // SAFETY: libuv passed the handle. `Uv::close` stored this box, and libuv calls this once.
    let closing = unsafe { Box::from_raw(uv.data(handle).cast::<Closing>()) };
    // SAFETY: in its close callback libuv no longer uses the handle.
    unsafe { closing.handle.free() };
    crate::errors::guard_callback(closing.closed);
}

#[cfg(unix)]
fn find() -> Option<Uv> {
    use libloading::os::unix::Library;

    let process = Library::this();
    macro_rules! symbol {
        ($name:literal) => {
            // SAFETY: the types of the fields are the signatures in libuv 1.x, which every supported Node.js exports.
            *unsafe { process.get(concat!($name, "\0").as_bytes()) }.ok()?
        };
    }
    let found = Uv {
        handle_size: symbol!("uv_handle_size"),
        handle_set_data: symbol!("uv_handle_set_data"),
        handle_get_data: symbol!("uv_handle_get_data"),
        unref: symbol!("uv_unref"),
        close: symbol!("uv_close"),
        poll_init_socket: symbol!("uv_poll_init_socket"),
        poll_start: symbol!("uv_poll_start"),
        poll_stop: symbol!("uv_poll_stop"),
        prepare_init: symbol!("uv_prepare_init"),
        prepare_start: symbol!("uv_prepare_start"),
        check_init: symbol!("uv_check_init"),
        check_start: symbol!("uv_check_start"),
        backend_timeout: symbol!("uv_backend_timeout"),
    };
    // The program is never unloaded, and dropping its handle would do nothing useful.
    std::mem::forget(process);
    Some(found)
}

/// On Windows sockets are not file descriptors, and the I/O thread reads.
#[cfg(not(unix))]
fn find() -> Option<Uv> {
    None
}
