//! The exports that send: short frames from the isolate's chunk, long ones on streams.

use std::cell::RefCell;

use napi::Env;
use napi::bindgen_prelude::{JsValue, Unknown};
use napi_derive::napi;
use snowmesh_net::buffer_pool;

use crate::errors::{Result, guard};
use crate::host::Attachment;
use crate::host::env::{EnvState, Outgoing};
use crate::memory::{Chunk, with_bytes, with_parts};

/// Registers this isolate's sending chunk for a session; ignored if the session is not up.
#[napi]
pub fn tx(
    env: Env,
    handle: u32,
    session: u32,
    #[napi(ts_arg_type = "Uint8Array")] chunk: Unknown<'_>,
) -> Result<()> {
    guard(|| {
        let state = EnvState::of_or_new(env.raw())?;
        let host = state.host(handle)?;
        let found = host
            .attachment()
            .and_then(|attachment| attachment.node.session(u16::try_from(session).ok()?));
        if let Some(session) = found {
            let chunk = Chunk::hold(env.raw(), chunk.raw())?;
            let gathered = RefCell::default();
            state.set_chunk(
                handle,
                Outgoing {
                    host,
                    session,
                    chunk,
                    gathered,
                },
            );
        }
        Ok(())
    })
}

/// Seals and sends the first `bytes` of the chunk; returns how many bytes still wait, −1 if the session is not up.
#[napi]
pub fn flush(env: Env, handle: u32, session: u32, bytes: u32) -> Result<f64> {
    guard(|| {
        let (Some(state), Ok(session)) = (EnvState::of(env.raw()), u16::try_from(session)) else {
            return Ok(-1.0);
        };
        let waiting = state.with_chunk(handle, session, |out| {
            let node = &out.host.attachment()?.node;
            // SAFETY: this is the isolate's thread, and nothing runs JavaScript while `frames` is used.
            let frames = unsafe { out.chunk.head(bytes as usize) };
            if let Some(reader) = out.host.reader.get() {
                reader.note_traffic(&out.session);
            }
            out.session.flush(node, frames)
        });
        Ok(number_or_none(waiting.flatten()))
    })
}

/// Queues one frame on a stream; returns how many bytes wait in streams and the outbox, −1 if the session is not up.
#[napi]
pub fn bulk(
    env: Env,
    handle: u32,
    session: u32,
    stream: u32,
    #[napi(ts_arg_type = "readonly Uint8Array[]")] parts: Unknown<'_>,
) -> Result<f64> {
    guard(|| {
        let host = EnvState::of_or_new(env.raw())?.host(handle)?;
        let Some(Attachment { node, lane, .. }) = host.attachment() else {
            return Ok(-1.0);
        };
        let Some(session) = u16::try_from(session).ok().and_then(|id| node.session(id)) else {
            return Ok(-1.0);
        };
        let waiting = with_parts(env.raw(), parts.raw(), |parts| {
            session.bulk(node, stream, lane.index(), parts)
        })?;
        Ok(number_or_none(waiting))
    })
}

/// Copies the next slice of a long frame of `total` bytes; false if the session is not up. One frame at a time; a `total` of
/// 0 drops the slices that were copied.
#[napi]
pub fn gather(
    env: Env,
    handle: u32,
    session: u32,
    total: u32,
    #[napi(ts_arg_type = "Uint8Array")] slice: Unknown<'_>,
) -> Result<bool> {
    guard(|| {
        let (Some(state), Ok(session)) = (EnvState::of(env.raw()), u16::try_from(session)) else {
            return Ok(false);
        };
        let gathered = state.with_chunk(handle, session, |out| {
            let mut frame = out.gathered.borrow_mut();
            let total = total as usize;
            if total == 0 {
                buffer_pool::give(std::mem::take(&mut *frame));
                return Ok(());
            }
            if frame.capacity() < total {
                *frame = buffer_pool::take(total).unwrap_or_else(|| Vec::with_capacity(total));
            }
            with_bytes(env.raw(), slice.raw(), |slice| {
                let room = total.saturating_sub(frame.len());
                frame.extend_from_slice(slice.get(..room).unwrap_or(slice));
            })
        });
        gathered.transpose().map(|found| found.is_some())
    })
}

/// Queues the gathered frame on a stream; returns the same as [`bulk`].
#[napi]
pub fn gathered(env: Env, handle: u32, session: u32, stream: u32) -> Result<f64> {
    guard(|| {
        let (Some(state), Ok(session)) = (EnvState::of(env.raw()), u16::try_from(session)) else {
            return Ok(-1.0);
        };
        let waiting = state.with_chunk(handle, session, |out| {
            let frame = out.gathered.take();
            let attachment = out.host.attachment()?;
            out.session
                .bulk_owned(&attachment.node, stream, attachment.lane.index(), frame)
        });
        Ok(number_or_none(waiting.flatten()))
    })
}

fn number_or_none(waiting: Option<usize>) -> f64 {
    waiting.map_or(-1.0, |waiting| waiting as f64)
}
