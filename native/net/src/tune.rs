//! Socket options that keep kernel buffers small, so that a short message does not wait behind much of a long one (P3).
//!
//! Nothing overtakes bytes that are in a kernel buffer. So unsent bytes are limited on every connection, and the receive
//! buffer is limited where the round trip is so short that a small window keeps the connection busy. For longer round
//! trips the kernel sizes the window itself.

use std::time::Duration;

use mio::net::TcpStream;
use socket2::SockRef;

/// Unsent bytes that the kernel keeps of one connection before it calls it full.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT_BYTES: u32 = 128 * 1024;
/// The receive buffer for short round trips; 512 KiB in 2 ms are 2 Gbit/s, in 0.2 ms 20 Gbit/s.
const SHORT_TRIP_BYTES: usize = 512 * 1024;
/// The longest short round trip. Measured in the handshake, so it includes the peer's work.
const SHORT_TRIP: Duration = Duration::from_millis(2);

/// For every connection from the start.
pub(crate) fn disable_nagle(stream: &TcpStream) {
    // The connection works without these options, so failures are ignored.
    let _ = stream.set_nodelay(true);
}

/// For a session, once the round trip is known.
pub(crate) fn limit_buffers(stream: &TcpStream, round_trip: Duration) {
    let socket = SockRef::from(stream);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = socket.set_tcp_notsent_lowat(UNSENT_BYTES);
    if round_trip <= SHORT_TRIP {
        let _ = socket.set_recv_buffer_size(SHORT_TRIP_BYTES);
    }
}
