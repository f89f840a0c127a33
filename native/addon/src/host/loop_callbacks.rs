//! The libuv callbacks of the reader on the event loop: a socket is readable, the loop is about to wait, the loop has waited.

use std::ffi::c_int;
use std::rc::Rc;

use super::Host;
use super::reader::{Callbacks, LoopReader, Watch};
use crate::errors::guard_callback;
use crate::uv::{HandlePtr, Uv};

/// The callbacks that the host gives its reader.
pub(super) const CALLBACKS: Callbacks = Callbacks {
    readable: on_readable,
    waits: on_prepare,
    turned: on_check,
};

unsafe extern "C" fn on_readable(handle: HandlePtr, status: c_int, _events: c_int) {
    let Some(uv) = Uv::probe() else { return };
    // SAFETY: libuv passed the handle. The data of a poll handle is the box that `watch_new_sessions` gave it, which is freed only in the close callback.
    let watch = unsafe { &*uv.data(handle).cast::<Watch>() };
    let (host, session) = (watch.host.clone(), watch.session.clone());
    guard_callback(|| {
        if let (Some(attachment), Some(reader)) = (host.attachment(), host.reader.get()) {
            attachment.node.loop_watch().note_turn();
            if status < 0 {
                // libuv stops the handle of a socket with an error, even if bytes are left to read.
                session.note_hangup();
            }
            reader.turn(&host, &session);
        }
    });
}

unsafe extern "C" fn on_prepare(handle: HandlePtr) {
    let body = |host: &Rc<Host>, reader: &LoopReader| {
        reader.spin(host);
        if let Some(attachment) = host.attachment() {
            reader.wake_for_unfinished(&attachment.node, &attachment.lane);
            attachment.node.loop_watch().note_wait();
        }
    };
    // SAFETY: `LoopReader::start` made the handle, and libuv passed it.
    unsafe { with_host(handle, body) };
}

unsafe extern "C" fn on_check(handle: HandlePtr) {
    let body = |host: &Rc<Host>, _: &LoopReader| {
        if let Some(attachment) = host.attachment() {
            attachment.node.loop_watch().note_turn();
        }
    };
    // SAFETY: as in `on_prepare`.
    unsafe { with_host(handle, body) };
}

/// # Safety
/// libuv must have passed `handle`, a prepare or check handle of a reader, to the callback that runs now.
unsafe fn with_host(handle: HandlePtr, body: impl FnOnce(&Rc<Host>, &LoopReader)) {
    let Some(uv) = Uv::probe() else { return };
    // SAFETY: the caller guarantees that libuv passed the handle. The data of these handles is a reference to the host, held until
    // the close callback. Another one is taken for this call.
    let host = unsafe {
        let held = uv.data(handle).cast_const().cast::<Host>();
        Rc::increment_strong_count(held);
        Rc::from_raw(held)
    };
    guard_callback(|| {
        if let Some(reader) = host.reader.get() {
            body(&host, reader);
        }
    });
}
