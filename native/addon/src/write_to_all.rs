//! Writes the same bytes to many sockets with one call from JavaScript.

use std::slice;

use napi::Env;
use napi::bindgen_prelude::{JsValue, Unknown};
use napi_derive::napi;

use crate::errors::{Result, guard};
use crate::memory::{bytes_of, with_bytes};

const ENTRY: usize = size_of::<i32>();

/// Writes `bytes` to each socket in `sockets`, a list of 32-bit file descriptors. Each descriptor is replaced by the number of
/// bytes that the kernel took, 0 on any error.
#[napi]
pub fn write_to_all(
    env: Env,
    #[napi(ts_arg_type = "Uint8Array")] sockets: Unknown<'_>,
    #[napi(ts_arg_type = "Uint8Array")] bytes: Unknown<'_>,
) -> Result<()> {
    guard(|| {
        let (list, length) = bytes_of(env.raw(), sockets.raw())?;
        let taken: Vec<u8> = with_bytes(env.raw(), bytes.raw(), |bytes| {
            // SAFETY: the arguments keep the list alive during this call, and nothing writes to it while the slice is used.
            let list = unsafe { slice::from_raw_parts(list, length) };
            list.chunks_exact(ENTRY)
                .flat_map(|entry| {
                    send(i32::from_ne_bytes(entry.try_into().unwrap_or_default()), bytes).to_ne_bytes()
                })
                .collect()
        })?;
        // SAFETY: as above, no other slice of the list is used now, and `taken` is not longer than the list.
        let list = unsafe { slice::from_raw_parts_mut(list, taken.len()) };
        list.copy_from_slice(&taken);
        Ok(())
    })
}

/// How many bytes the kernel took, 0 on any error. Never blocks.
#[cfg(unix)]
fn send(socket: i32, bytes: &[u8]) -> i32 {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const FLAGS: i32 = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // Node.js ignores SIGPIPE everywhere.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const FLAGS: i32 = libc::MSG_DONTWAIT;
    // SAFETY: the system call reads `bytes` and keeps no pointer; an invalid descriptor gives an error.
    let taken = unsafe { libc::send(socket, bytes.as_ptr().cast(), bytes.len(), FLAGS) };
    i32::try_from(taken).unwrap_or(0).max(0)
}

/// Sockets are not file descriptors here.
#[cfg(not(unix))]
fn send(_socket: i32, _bytes: &[u8]) -> i32 {
    0
}
