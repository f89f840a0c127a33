//! The state of one environment (isolate): its lanes and its sending chunks. It is instance data of Node-API, so isolates
//! share nothing but the hub.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use napi::sys;
use snowmesh_net::Session;

use super::Host;
use crate::errors::{Code, Error, Result, fault};
use crate::memory::Chunk;

#[derive(Debug, Default)]
pub(crate) struct EnvState {
    hosts: RefCell<HashMap<(u32, u8), Rc<Host>>>,
    chunks: RefCell<HashMap<(u32, u16), Outgoing>>,
}

/// Where this isolate writes frames for one session.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) host: Rc<Host>,
    pub(crate) session: Arc<Session>,
    pub(crate) chunk: Chunk,
    /// A long frame that is being copied, slice by slice.
    pub(crate) gathered: RefCell<Vec<u8>>,
}

impl EnvState {
    /// The state of `env`, made on first use.
    pub(crate) fn of_or_new(env: sys::napi_env) -> Result<Rc<Self>> {
        if let Some(state) = Self::of(env) {
            return Ok(state);
        }
        let state = Rc::<Self>::default();
        lend(&state, |held| {
            // SAFETY: a Node-API call. `held` is a reference to the state until `drop_state` takes it back, which Node-API calls once,
            // after our hooks.
            match unsafe { sys::napi_set_instance_data(env, held, Some(drop_state), ptr::null_mut()) } {
                sys::Status::napi_ok => Ok(()),
                _ => Err(fault("no instance data")),
            }
        })?;
        Ok(state)
    }

    /// The state of `env`, if there is one.
    pub(crate) fn of(env: sys::napi_env) -> Option<Rc<Self>> {
        let mut data = ptr::null_mut();
        // SAFETY: a Node-API call with a valid out pointer; if it fails, `data` stays null.
        unsafe { sys::napi_get_instance_data(env, &raw mut data) };
        let held = data.cast_const().cast::<Self>();
        if held.is_null() {
            return None;
        }
        // SAFETY: instance data belongs to this addon alone, and only `of_or_new` sets it: to a reference that lives until the
        // finaliser, after which Node-API gives null. Another one is taken for the caller, on the thread that all of them belong to.
        unsafe {
            Rc::increment_strong_count(held);
            Some(Rc::from_raw(held))
        }
    }

    pub(crate) fn add_host(&self, handle: u32, lane: u8, host: Rc<Host>) {
        self.hosts.borrow_mut().insert((handle, lane), host);
    }

    /// A lane of this isolate on that node.
    pub(crate) fn host(&self, handle: u32) -> Result<Rc<Host>> {
        let hosts = self.hosts.borrow();
        let found = hosts
            .iter()
            .find(|((held, _), _)| *held == handle)
            .map(|(_, host)| host.clone());
        found.ok_or_else(|| {
            Error::new(
                Code::NoNode,
                "this isolate is not attached to that node".to_owned(),
            )
        })
    }

    pub(crate) fn lane(&self, handle: u32, lane: u8) -> Option<Rc<Host>> {
        self.hosts.borrow().get(&(handle, lane)).cloned()
    }

    pub(crate) fn set_chunk(&self, handle: u32, outgoing: Outgoing) {
        let key = (handle, outgoing.session.id());
        self.chunks.borrow_mut().insert(key, outgoing);
    }

    /// Runs `body` with the chunk of that session, if there is one.
    pub(crate) fn with_chunk<T>(
        &self,
        handle: u32,
        session: u16,
        body: impl FnOnce(&Outgoing) -> T,
    ) -> Option<T> {
        self.chunks.borrow().get(&(handle, session)).map(body)
    }

    pub(crate) fn drop_chunk(&self, handle: u32, session: u16) {
        self.chunks.borrow_mut().remove(&(handle, session));
    }

    /// Drops a lane that ended, and its chunks.
    pub(crate) fn forget_host(&self, handle: u32, lane: u8) {
        let host = self.hosts.borrow_mut().remove(&(handle, lane));
        let Some(host) = host else { return };
        self.chunks
            .borrow_mut()
            .retain(|_, held| !Rc::ptr_eq(&held.host, &host));
    }
}

/// Lends C a reference to `owner`, which a callback takes back. If `give` fails, C has kept nothing and the reference ends here.
pub(super) fn lend<O, T, E>(
    owner: &Rc<O>,
    give: impl FnOnce(*mut c_void) -> std::result::Result<T, E>,
) -> std::result::Result<T, E> {
    let held = Rc::into_raw(owner.clone());
    give(held.cast_mut().cast()).inspect_err(|_| {
        // SAFETY: the reference was made above, and nothing else takes it back.
        drop(unsafe { Rc::from_raw(held) });
    })
}

/// Whether this is Node.js. Bun and Deno export functions of libuv, but do not run its loop.
pub(crate) fn is_node_js(env: sys::napi_env) -> bool {
    let mut versions = ptr::null_mut();
    // SAFETY: Node-API calls with valid out pointers; each fails if the value is not an object.
    unsafe {
        sys::napi_get_global(env, &raw mut versions);
        for name in [c"process", c"versions"] {
            if sys::napi_get_named_property(env, versions, name.as_ptr(), &raw mut versions)
                != sys::Status::napi_ok
            {
                return false;
            }
        }
        [c"bun", c"deno"].iter().all(|name| {
            let mut has = false;
            sys::napi_has_named_property(env, versions, name.as_ptr(), &raw mut has) == sys::Status::napi_ok
                && !has
        })
    }
}

unsafe extern "C" fn drop_state(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: `of_or_new` gave this reference to Node-API, which gives it back once.
    drop(unsafe { Rc::from_raw(data.cast_const().cast::<EnvState>()) });
}
