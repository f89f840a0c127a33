//! Socket options that keep kernel buffers small, so that a short message does not wait behind much of a long one (P3).
//!
//! Nothing overtakes bytes that are in a kernel buffer. So unsent bytes are limited on every connection, and the receive
//! buffer is limited where the round trip is so short that a small window keeps the connection busy. For longer round
//! trips the kernel sizes the window itself. Between two processes of one machine the window decides how often they wait for each
//! other's processor: with 512 KiB, messages of 64 KiB and 1 MiB have 0.8 of the rate.

use std::sync::OnceLock;
use std::time::Duration;

use mio::net::TcpStream;
use socket2::{Domain, SockRef, Socket, Type};

/// Unsent bytes that the kernel keeps of one connection before it calls it full.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT_BYTES: u32 = 128 * 1024;
/// The receive buffer for short round trips; 512 KiB in 2 ms are 2 Gbit/s, in 0.2 ms 20 Gbit/s.
const SHORT_TRIP_BYTES: usize = 512 * 1024;
/// The longest short round trip. Measured in the handshake, so it includes the peer's work.
const SHORT_TRIP: Duration = Duration::from_millis(2);
/// The receive buffer for a peer on the same machine, which reads 2 MiB in about two milliseconds.
const SAME_MACHINE_BYTES: usize = 2 * 1024 * 1024;

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
    if is_same_machine(stream) {
        if is_granted(SAME_MACHINE_BYTES) {
            let _ = socket.set_recv_buffer_size(SAME_MACHINE_BYTES);
        }
    } else if round_trip <= SHORT_TRIP {
        let _ = socket.set_recv_buffer_size(SHORT_TRIP_BYTES);
    }
}

/// Both ends have one address.
fn is_same_machine(stream: &TcpStream) -> bool {
    match (stream.local_addr(), stream.peer_addr()) {
        (Ok(local), Ok(peer)) => local.ip() == peer.ip() || peer.ip().is_loopback(),
        _ => false,
    }
}

/// Whether the system lets a socket have a receive buffer of `bytes`. A socket that asked for more than that gets less than the kernel would
/// give it (Linux before 6.16: 208 KiB by `net.core.rmem_max`), and cannot take it back. So another socket asks, once a process.
fn is_granted(bytes: usize) -> bool {
    static GRANTED: OnceLock<bool> = OnceLock::new();
    *GRANTED.get_or_init(|| {
        Socket::new(Domain::IPV4, Type::STREAM, None)
            .and_then(|probe| {
                probe.set_recv_buffer_size(bytes)?;
                probe.recv_buffer_size()
            })
            .is_ok_and(|granted| granted >= bytes)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_on_this_machine_gets_a_large_receive_buffer_or_keeps_that_of_the_kernel() {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let _accepted = listener.accept().unwrap();
        let size = || SockRef::from(&stream).recv_buffer_size().unwrap();
        let before = size();
        limit_buffers(&stream, Duration::ZERO);
        assert!(size() >= SAME_MACHINE_BYTES || size() == before);
    }
}
