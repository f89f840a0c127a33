//! The lower bound of a round trip between two processes: a TCP connection over loopback, blocking reads and writes, no TLS, no event loop.
//!
//! `cargo run --release --example bare_round_trip` prints percentiles in microseconds. Both processes sleep while they wait, so most of the
//! time is what the kernel needs to wake them.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::env;
use std::io::{Read, Result, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;
use std::time::Instant;

/// A message of 64 bytes with what snowmesh and TLS add to it.
const BYTES: usize = 128;
const TRIPS: usize = 30_000;

fn main() -> Result<()> {
    match env::args().nth(1) {
        Some(address) => echo(TcpStream::connect(address)?),
        None => measure(),
    }
}

fn measure() -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?.to_string();
    let mut peer = Command::new(env::current_exe()?).arg(address).spawn()?;
    let (mut stream, _) = listener.accept()?;
    stream.set_nodelay(true)?;
    let mut message = [7; BYTES];
    let mut micros = Vec::with_capacity(TRIPS);
    for _ in 0..TRIPS {
        let start = Instant::now();
        stream.write_all(&message)?;
        stream.read_exact(&mut message)?;
        micros.push(start.elapsed().as_secs_f64() * 1e6);
    }
    micros.sort_by(f64::total_cmp);
    for share in [0.5, 0.9, 0.99, 0.999] {
        let at = (share * TRIPS as f64) as usize;
        println!("p{} {:.0} us", share * 100.0, micros[at]);
    }
    drop(stream);
    peer.wait()?;
    Ok(())
}

fn echo(mut stream: TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut message = [0; BYTES];
    while stream.read_exact(&mut message).is_ok() {
        stream.write_all(&message)?;
    }
    Ok(())
}
