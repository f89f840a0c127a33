//! The Node-API interface of snowmesh: each export checks its arguments, calls `snowmesh_net` and maps errors.
//!
//! This crate is the only one with `unsafe` and the only one that knows Node-API. What every function does is
//! documented where users meet it, in `bindings/index.ts`; the signatures here generate `bindings/native.d.ts`.
#![expect(
    clippy::needless_pass_by_value,
    reason = "Node-API conversions give owned values"
)]

pub mod errors;
mod host;
mod memory;
mod options;
pub mod sending;
pub mod signal_watchdog;
pub mod stats;
mod uv;
mod wake;
pub mod write_to_all;

use std::rc::Rc;

use napi::bindgen_prelude::{BigInt, JsValue, Unknown};
use napi::{Env, sys};
use napi_derive::napi;
use snowmesh_core::Pid;
use snowmesh_net::{DialReason, DownCause, Hub, Reader};

use crate::errors::{Code, Error, Result, coded, guard};
use crate::host::env::EnvState;
use crate::host::{Attachment, Host};
use crate::memory::with_bytes;
use crate::options::OpenOptions;
use crate::wake::ThreadsafeWake;

/// Increased with every change of a signature or of the layout of entries; the same number is in `bindings/index.ts`.
const ABI: u32 = 14;

/// The ABI stamp.
#[napi]
pub fn abi() -> u32 {
    ABI
}

/// Starts a node with this isolate as lane 0; returns its handle.
#[napi]
pub fn open(
    env: Env,
    options: OpenOptions,
    #[napi(ts_arg_type = "Uint8Array")] rx: Unknown<'_>,
    #[napi(ts_arg_type = "(bytes: number, bigs: Uint8Array[] | null) => number")] on_batch: Unknown<'_>,
) -> Result<u32> {
    guard(|| {
        let mut options = options.into_node_options()?;
        if uv::Uv::probe().is_none() || !host::env::is_node_js(env.raw()) {
            options.reader = Reader::Thread;
        }
        let (state, host) = prepare(&env, &rx, &on_batch)?;
        snowmesh_net::trim::set_trim_heap(memory::trim_heap);
        let wake = Box::new(ThreadsafeWake(host.wake_function()));
        let opened = Hub::of_process().open(options, host.rx.length(), wake);
        let (handle, node, lane) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                host.end();
                return Err(coded(&error));
            }
        };
        attach_host(&state, &host, Attachment { handle, node, lane })?;
        Ok(handle)
    })
}

/// The port a node listens on.
#[napi]
pub fn port(handle: u32) -> Result<u32> {
    guard(|| Ok(node(handle)?.port().into()))
}

/// The incarnation of a node's start.
#[napi(ts_return_type = "bigint")]
pub fn incarnation(handle: u32) -> Result<BigInt> {
    guard(|| Ok(node(handle)?.incarnation().into()))
}

/// Requests a session; one CONNECT_RESULT follows.
#[napi]
pub fn dial(handle: u32, request: u32, name: String, host: String, port: u32, reason: u32) -> Result<()> {
    guard(|| {
        let port = u16::try_from(port).map_err(|_| Error::new(Code::BadOption, "port".to_owned()))?;
        let reason = DialReason::try_from(reason).map_err(|error| coded(&error))?;
        node(handle)?.dial(request, name, host, port, reason);
        Ok(())
    })
}

/// Ends a session in order.
#[napi]
pub fn hangup(handle: u32, session: u32, cause: u32) -> Result<()> {
    guard(|| {
        let cause = DownCause::try_from(cause).map_err(|error| coded(&error))?;
        if let Ok(session) = u16::try_from(session) {
            node(handle)?.hangup(session, cause);
        }
        Ok(())
    })
}

/// The number of an identity; one without a number gets one.
#[napi]
pub fn number_of(
    handle: u32,
    name: String,
    #[napi(ts_arg_type = "bigint")] incarnation: BigInt,
) -> Result<u32> {
    guard(|| {
        let name = snowmesh_core::NodeName::parse(&name)
            .map_err(|error| Error::new(Code::NodeName, error.to_string()))?;
        node(handle)?
            .number(name.as_str(), incarnation.get_u64().1)
            .map_err(|error| coded(&error))
    })
}

/// Stops a node in order; STOPPED follows. Keeps the process alive until then.
#[napi]
pub fn close(env: Env, handle: u32) -> Result<()> {
    guard(|| {
        let host = EnvState::of_or_new(env.raw())?.host(handle)?;
        host.keep_alive(true);
        node(handle)?.close();
        Ok(())
    })
}

/// Attaches this isolate to a node of this process as another lane; returns its scheduler index.
#[napi]
pub fn attach(
    env: Env,
    handle: u32,
    #[napi(ts_arg_type = "Uint8Array")] rx: Unknown<'_>,
    #[napi(ts_arg_type = "(bytes: number, bigs: Uint8Array[] | null) => number")] on_batch: Unknown<'_>,
) -> Result<u32> {
    guard(|| {
        let node = node(handle)?;
        let (state, host) = prepare(&env, &rx, &on_batch)?;
        let wake = Box::new(ThreadsafeWake(host.wake_function()));
        match node.attach(host.rx.length(), wake) {
            Ok(lane) => {
                let index = lane.index();
                attach_host(&state, &host, Attachment { handle, node, lane })?;
                Ok(index.into())
            }
            Err(error) => {
                host.end();
                Err(coded(&error))
            }
        }
    })
}

/// Detaches a lane of this isolate from a node, inside of its `onBatch` when that is over; unknown lanes are ignored. Lane 0 is
/// detached by `close`.
#[napi]
pub fn detach(env: Env, handle: u32, lane: u32) -> Result<()> {
    guard(|| {
        if let (Some(state), Ok(lane @ 1..)) = (EnvState::of(env.raw()), u8::try_from(lane))
            && let Some(host) = state.lane(handle, lane)
        {
            host.detach();
        }
        Ok(())
    })
}

/// Keeps the OS process alive while the node is open.
#[napi(js_name = "ref")]
pub fn keep(env: Env, handle: u32) -> Result<()> {
    guard(|| {
        EnvState::of_or_new(env.raw())?.host(handle)?.keep_alive(true);
        Ok(())
    })
}

/// Reverses `ref`.
#[napi]
pub fn unref(env: Env, handle: u32) -> Result<()> {
    guard(|| {
        EnvState::of_or_new(env.raw())?.host(handle)?.keep_alive(false);
        Ok(())
    })
}

/// Validates one term.
#[napi]
pub fn term_check(env: Env, #[napi(ts_arg_type = "Uint8Array")] bytes: Unknown<'_>) -> Result<()> {
    guard(|| {
        with_bytes(env.raw(), bytes.raw(), snowmesh_core::term::validate)?
            .map_err(|error| Error::new(Code::BadTerm, error.to_string()))
    })
}

/// Packs a PID.
#[napi(ts_return_type = "bigint")]
pub fn pid_pack(nc: u32, local: f64) -> BigInt {
    Pid::new(nc, local as u64).bits().into()
}

/// Unpacks a PID into nc and local id.
#[napi(ts_return_type = "[number, number]")]
pub fn pid_unpack(#[napi(ts_arg_type = "bigint")] pid: BigInt) -> Vec<f64> {
    let pid = Pid::from_bits(pid.get_u64().1);
    vec![f64::from(pid.nc()), pid.local() as f64]
}

fn node(handle: u32) -> Result<std::sync::Arc<snowmesh_net::Node>> {
    Hub::of_process().node(handle).map_err(|error| coded(&error))
}

fn prepare(env: &Env, rx: &Unknown<'_>, on_batch: &Unknown<'_>) -> Result<(Rc<EnvState>, Rc<Host>)> {
    let mut kind = 0;
    // SAFETY: a Node-API call with a valid out pointer.
    unsafe { sys::napi_typeof(env.raw(), on_batch.raw(), &raw mut kind) };
    if kind != sys::ValueType::napi_function {
        return Err(Error::new(
            Code::BadOption,
            "onBatch must be a function".to_owned(),
        ));
    }
    let state = EnvState::of_or_new(env.raw())?;
    Ok((state, Host::prepare(env.raw(), rx.raw(), on_batch.raw())?))
}

fn attach_host(state: &EnvState, host: &Rc<Host>, attachment: Attachment) -> Result<()> {
    let (handle, lane) = (attachment.handle, attachment.lane.index());
    state.add_host(handle, lane, host.clone());
    host.attach(attachment).inspect_err(|_| host.end())
}
