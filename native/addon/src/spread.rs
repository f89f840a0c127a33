//! The same bytes to many sockets of the event loop, with one call from JavaScript.

use std::slice;

use napi::Env;
use napi::bindgen_prelude::{JsValue, Unknown};
use napi_derive::napi;

use crate::errors::{Result, guard};
use crate::memory::{bytes_of, with_bytes};

const ENTRY: usize = size_of::<i32>();

/// Writes bytes to each of the sockets whose descriptors, 32 bits each, `sockets` has; each is replaced by how many bytes
/// the kernel took, 0 when it took none for whatever reason.
#[napi]
pub fn spread(
    env: Env,
    #[napi(ts_arg_type = "Uint8Array")] sockets: Unknown<'_>,
    #[napi(ts_arg_type = "Uint8Array")] bytes: Unknown<'_>,
) -> Result<()> {
    guard(|| {
        let (list, length) = bytes_of(env.raw(), sockets.raw())?;
        let taken: Vec<u8> = with_bytes(env.raw(), bytes.raw(), |bytes| {
            // SAFETY: the list is alive for this call, and nothing writes to it while this slice is.
            let list = unsafe { slice::from_raw_parts(list, length) };
            list.chunks_exact(ENTRY)
                .flat_map(|entry| {
                    send(i32::from_ne_bytes(entry.try_into().unwrap_or_default()), bytes).to_ne_bytes()
                })
                .collect()
        })?;
        // SAFETY: no slice of the list is alive any more, and `taken` is not longer.
        let list = unsafe { slice::from_raw_parts_mut(list, taken.len()) };
        list.copy_from_slice(&taken);
        Ok(())
    })
}

/// How many bytes a socket took; it never blocks.
#[cfg(unix)]
fn send(socket: i32, bytes: &[u8]) -> i32 {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const FLAGS: i32 = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // Node.js ignores SIGPIPE everywhere.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const FLAGS: i32 = libc::MSG_DONTWAIT;
    // SAFETY: a system call that reads `bytes` and keeps nothing; a descriptor that is none gives an error.
    let taken = unsafe { libc::send(socket, bytes.as_ptr().cast(), bytes.len(), FLAGS) };
    i32::try_from(taken).unwrap_or(0).max(0)
}

/// Sockets have no descriptors here.
#[cfg(not(unix))]
fn send(_socket: i32, _bytes: &[u8]) -> i32 {
    0
}
