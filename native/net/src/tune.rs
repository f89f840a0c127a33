//! Socket options: so that a short message waits behind little of a long one (P3).
//!
//! What stands in kernel buffers cannot be overtaken. Unsent bytes are kept few on every connection; what the
//! receiving kernel may hold is bounded where the round trip is so short that a small window fills the line. Over
//! longer distances the kernel sizes the window itself.

use std::time::Duration;

use mio::net::TcpStream;
use socket2::SockRef;

/// Unsent bytes that the kernel keeps of one connection before it calls it full.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT_BYTES: u32 = 128 * 1024;
/// The receive buffer asked for on a short line; 512 KiB in 2 ms is 2 Gbit/s, in 0.2 ms 20.
const NEAR_BYTES: usize = 512 * 1024;
/// What counts as a short line. Measured in the handshake, so it includes the peer's work.
const NEAR: Duration = Duration::from_millis(2);

/// For every connection from the start.
pub(crate) fn begin(stream: &TcpStream) {
    // None of the options is needed for a correct connection.
    let _ = stream.set_nodelay(true);
}

/// For a session, once the round trip is known.
pub(crate) fn settle(stream: &TcpStream, round_trip: Duration) {
    let socket = SockRef::from(stream);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = socket.set_tcp_notsent_lowat(UNSENT_BYTES);
    if round_trip <= NEAR {
        let _ = socket.set_recv_buffer_size(NEAR_BYTES);
    }
}
