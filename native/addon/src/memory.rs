//! Memory of JavaScript that native code uses between calls. A reference keeps it alive; it is never moved or freed here.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;

use napi::sys;
use snowmesh_net::buffer_pool;

use crate::errors::{Code, Error, Result, fault};

/// Memory of at least this size is given to JavaScript without a copy. Below it the copy is cheaper: finalisers run late, and
/// fresh pages for the next message cost more (1.9 instead of 1.3 ms of processor time for a megabyte).
const EXTERNAL_BYTES: usize = 8 << 20;

/// A strong reference to a value of JavaScript, until it is released or dropped. An owner that can outlive the environment must
/// release it before.
#[derive(Debug)]
pub(crate) struct Reference {
    env: sys::napi_env,
    held: Cell<sys::napi_ref>,
}

impl Reference {
    pub(crate) fn hold(env: sys::napi_env, value: sys::napi_value) -> Result<Self> {
        let mut held = ptr::null_mut();
        // SAFETY: a Node-API call with a valid out pointer.
        let status = unsafe { sys::napi_create_reference(env, value, 1, &raw mut held) };
        if status != sys::Status::napi_ok {
            return Err(fault("no reference"));
        }
        let held = Cell::new(held);
        Ok(Self { env, held })
    }

    /// What it holds; `None` when it was released.
    pub(crate) fn value(&self) -> Option<sys::napi_value> {
        let mut value = ptr::null_mut();
        // SAFETY: a Node-API call with a valid out pointer; it refuses the null of a reference that was released.
        let status = unsafe { sys::napi_get_reference_value(self.env, self.held.get(), &raw mut value) };
        (status == sys::Status::napi_ok && !value.is_null()).then_some(value)
    }

    pub(crate) fn release(&self) {
        let held = self.held.replace(ptr::null_mut());
        if !held.is_null() {
            // SAFETY: the reference was made in this environment, and it is deleted once. The environment is alive, see above.
            unsafe { sys::napi_delete_reference(self.env, held) };
        }
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        self.release();
    }
}

/// A `Uint8Array` of the caller, held as by a [`Reference`].
#[derive(Debug)]
pub(crate) struct Chunk {
    reference: Reference,
    data: *mut u8,
    length: usize,
}

impl Chunk {
    /// Holds a `Uint8Array`.
    pub(crate) fn hold(env: sys::napi_env, value: sys::napi_value) -> Result<Self> {
        let (data, length) = bytes_of(env, value)?;
        Ok(Self {
            reference: Reference::hold(env, value)?,
            data,
            length,
        })
    }

    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// The first `length` bytes, for reading; fewer when the chunk is shorter.
    ///
    /// # Safety
    /// On the isolate's thread, and no JavaScript may run while the slice is used.
    pub(crate) unsafe fn head(&self, length: usize) -> &[u8] {
        // SAFETY: the reference keeps the array alive, and `ts/node` never detaches its buffer, so `data` points to `length`
        // bytes. The caller guarantees that nothing writes to them while the slice is used.
        unsafe { std::slice::from_raw_parts(self.data, length.min(self.length)) }
    }

    /// The whole chunk, for writing.
    ///
    /// # Safety
    /// As [`Self::head`], and no other slice of it may be in use.
    #[expect(
        clippy::mut_from_ref,
        reason = "the memory belongs to JavaScript; the caller keeps slices apart"
    )]
    pub(crate) unsafe fn all_mut(&self) -> &mut [u8] {
        // SAFETY: as in `head`; the caller guarantees that there is no other slice of the chunk.
        unsafe { std::slice::from_raw_parts_mut(self.data, self.length) }
    }

    pub(crate) fn release(&self) {
        self.reference.release();
    }
}

/// Where the bytes of a `Uint8Array` are.
pub(crate) fn bytes_of(env: sys::napi_env, value: sys::napi_value) -> Result<(*mut u8, usize)> {
    let mut kind = 0;
    let (mut length, mut offset) = (0, 0);
    let mut data = ptr::null_mut();
    let mut buffer = ptr::null_mut();
    // SAFETY: a Node-API call with valid out pointers; it refuses what is no typed array.
    let status = unsafe {
        sys::napi_get_typedarray_info(
            env,
            value,
            &raw mut kind,
            &raw mut length,
            &raw mut data,
            &raw mut buffer,
            &raw mut offset,
        )
    };
    let is_bytes =
        kind == sys::TypedarrayType::uint8_array || kind == sys::TypedarrayType::uint8_clamped_array;
    if status != sys::Status::napi_ok || !is_bytes {
        return Err(Error::new(Code::BadOption, "a Uint8Array is needed".to_owned()));
    }
    if data.is_null() {
        // An empty array may have no memory at all.
        return Ok((ptr::NonNull::dangling().as_ptr(), 0));
    }
    Ok((data.cast(), length))
}

/// The bytes of a `Uint8Array` while `body` runs.
pub(crate) fn with_bytes<T>(
    env: sys::napi_env,
    value: sys::napi_value,
    body: impl FnOnce(&[u8]) -> T,
) -> Result<T> {
    let (data, length) = bytes_of(env, value)?;
    // SAFETY: the value is alive for this call and no JavaScript runs meanwhile.
    Ok(body(unsafe { std::slice::from_raw_parts(data, length) }))
}

/// The bytes of an array of `Uint8Array`s while `body` runs.
pub(crate) fn with_parts<T>(
    env: sys::napi_env,
    value: sys::napi_value,
    body: impl FnOnce(&[&[u8]]) -> T,
) -> Result<T> {
    let mut count = 0;
    // SAFETY: a Node-API call with a valid out pointer; it refuses what is no array.
    if unsafe { sys::napi_get_array_length(env, value, &raw mut count) } != sys::Status::napi_ok {
        return Err(Error::new(
            Code::BadOption,
            "an array of Uint8Arrays is needed".to_owned(),
        ));
    }
    // The length of an array without elements reserves nothing: the first hole is refused.
    let mut elements = Vec::new();
    for index in 0..count {
        let mut element = ptr::null_mut();
        // SAFETY: a Node-API call with a valid out pointer; a hole gives undefined, which `bytes_of` refuses.
        if unsafe { sys::napi_get_element(env, value, index, &raw mut element) } != sys::Status::napi_ok {
            return Err(fault("no element"));
        }
        bytes_of(env, element)?;
        elements.push(element);
    }
    let mut parts = Vec::with_capacity(elements.len());
    for element in elements {
        let (data, length) = bytes_of(env, element)?;
        // SAFETY: the handle scope of this call keeps the element alive, and from here on no JavaScript runs.
        parts.push(unsafe { std::slice::from_raw_parts(data.cast_const(), length) });
    }
    Ok(body(&parts))
}

/// A `Uint8Array` of these bytes: of the same memory if they are many and the runtime allows it, otherwise of a copy.
/// `None` when there is no memory for it, or the environment is ending.
pub(crate) fn to_array(env: sys::napi_env, mut bytes: Vec<u8>) -> Option<sys::napi_value> {
    if bytes.len() < EXTERNAL_BYTES {
        let array = new_array(env, &bytes);
        buffer_pool::give(bytes);
        return array;
    }
    let (data, length) = (bytes.as_mut_ptr().cast::<c_void>(), bytes.len());
    let held = Box::into_raw(Box::new(bytes));
    let mut buffer = ptr::null_mut();
    // SAFETY: `held` owns the memory until the finaliser runs.
    let status = unsafe {
        sys::napi_create_external_arraybuffer(
            env,
            data,
            length,
            Some(drop_bytes),
            held.cast(),
            &raw mut buffer,
        )
    };
    match status {
        sys::Status::napi_ok => array_over(env, buffer, 0, length),
        // Node.js has kept the box before it failed, and its finaliser still runs.
        sys::Status::napi_generic_failure => None,
        // SAFETY: the call was refused before anything kept the box that was made above.
        _ => new_array(env, &unsafe { Box::from_raw(held) }),
    }
}

unsafe extern "C" fn drop_bytes(_env: sys::napi_env, _data: *mut c_void, held: *mut c_void) {
    // SAFETY: the box that `to_array` gave to Node-API, given back once.
    let bytes = unsafe { Box::from_raw(held.cast::<Vec<u8>>()) };
    buffer_pool::give(*bytes);
}

/// A `Uint8Array` of a copy. Memory of a Node.js `Buffer` is not cleared before the copy, which would take twice as long as the copy.
fn new_array(env: sys::napi_env, bytes: &[u8]) -> Option<sys::napi_value> {
    let mut data = ptr::null_mut();
    let mut buffer = ptr::null_mut();
    // SAFETY: a Node-API call with valid out pointers; the copy fills all `bytes.len()` bytes of the new memory.
    unsafe {
        if sys::napi_create_buffer(env, bytes.len(), &raw mut data, &raw mut buffer) != sys::Status::napi_ok {
            return None;
        }
        if !bytes.is_empty() {
            ptr::copy_nonoverlapping(bytes.as_ptr(), data.cast(), bytes.len());
        }
    }
    let (mut memory, mut offset) = (ptr::null_mut(), 0);
    // SAFETY: a Node-API call with valid out pointers, or null for what is not asked for.
    let status = unsafe {
        sys::napi_get_typedarray_info(
            env,
            buffer,
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
            &raw mut memory,
            &raw mut offset,
        )
    };
    if status != sys::Status::napi_ok {
        return None;
    }
    array_over(env, memory, offset, bytes.len())
}

fn array_over(
    env: sys::napi_env,
    buffer: sys::napi_value,
    offset: usize,
    length: usize,
) -> Option<sys::napi_value> {
    let mut array = ptr::null_mut();
    let kind = sys::TypedarrayType::uint8_array;
    // SAFETY: a Node-API call with a valid out pointer; the buffer has `length` bytes from `offset` on.
    let status = unsafe { sys::napi_create_typedarray(env, kind, length, buffer, offset, &raw mut array) };
    (status == sys::Status::napi_ok).then_some(array)
}

/// Has the allocator return freed pages to the system. Takes milliseconds; any thread may call it.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn trim_heap() {
    unsafe extern "C" {
        fn malloc_trim(pad: usize) -> std::ffi::c_int;
    }
    // SAFETY: glibc's own function; it takes a number and is safe to call from any thread.
    unsafe { malloc_trim(0) };
}

/// Other allocators return memory by themselves, or have no call for it.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn trim_heap() {}
