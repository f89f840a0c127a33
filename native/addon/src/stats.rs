//! The counters of a node and of its sessions.

use napi::Env;
use napi_derive::napi;

use crate::errors::{Result, guard};
use crate::host;
use crate::host::env::EnvState;
use crate::node;

/// Counters of one node.
#[napi(object)]
pub struct NativeStats {
    /// Live sessions.
    pub sessions: f64,
    /// Connections that are not authenticated yet.
    pub handshakes: f64,
    /// Pairs of name and incarnation that have a number.
    pub identities: f64,
    /// Frames handed to lanes.
    pub frames_in: f64,
    /// Frames that lanes gave to sessions.
    pub frames_out: f64,
    /// Plain bytes received.
    pub bytes_in: f64,
    /// Plain bytes sealed.
    pub bytes_out: f64,
    /// Calls of `onBatch` in this isolate.
    pub batches: f64,
    /// Bytes that wait in outboxes and streams.
    pub outbox_bytes: f64,
    /// Bytes that wait in inboxes.
    pub inbox_bytes: f64,
    /// How often the I/O thread took over reading from a stalled event loop.
    pub takeovers: f64,
    /// Milliseconds since the loop of lane 0 last turned; 0 while it waits for events, and without sessions.
    pub loop_age_ms: f64,
    /// Busy waits that found bytes.
    pub spin_hits: f64,
    /// Busy waits that found none.
    pub spin_misses: f64,
    /// The event loop of this isolate reads the sockets.
    pub loop_reader: bool,
}

/// Counters of one session.
#[napi(object)]
pub struct SessionStats {
    /// Frames handed to lanes.
    pub frames_in: f64,
    /// Frames that lanes gave it to send.
    pub frames_out: f64,
    /// Plain bytes received.
    pub bytes_in: f64,
    /// Plain bytes sealed.
    pub bytes_out: f64,
    /// Milliseconds since bytes were last received.
    pub silent_ms: f64,
}

/// Counters of a node.
#[napi]
pub fn stats(env: Env, handle: u32) -> Result<NativeStats> {
    guard(|| {
        let stats = node(handle)?.stats();
        let host = EnvState::of(env.raw()).and_then(|state| state.host(handle).ok());
        let reader = host.as_ref().and_then(|host| host.reader.get());
        let (spin_hits, spin_misses) = reader.map_or((0.0, 0.0), host::LoopReader::spins);
        Ok(NativeStats {
            sessions: stats.sessions as f64,
            handshakes: stats.handshakes as f64,
            identities: stats.identities as f64,
            frames_in: stats.frames_in as f64,
            frames_out: stats.frames_out as f64,
            bytes_in: stats.bytes_in as f64,
            bytes_out: stats.bytes_out as f64,
            batches: host.as_ref().map_or(0.0, |host| host.batches()),
            outbox_bytes: stats.outbox_bytes as f64,
            inbox_bytes: stats.inbox_bytes as f64,
            takeovers: stats.takeovers as f64,
            loop_age_ms: stats.loop_age_ms as f64,
            spin_hits,
            spin_misses,
            loop_reader: reader.is_some(),
        })
    })
}

/// Counters of a session; null when it is not up.
#[napi]
pub fn session_stats(handle: u32, session: u32) -> Result<Option<SessionStats>> {
    guard(|| {
        let node = node(handle)?;
        let found = u16::try_from(session).ok().and_then(|id| node.session(id));
        Ok(found.map(|session| {
            let stats = session.stats(&node);
            SessionStats {
                frames_in: stats.frames_in as f64,
                frames_out: stats.frames_out as f64,
                bytes_in: stats.bytes_in as f64,
                bytes_out: stats.bytes_out as f64,
                silent_ms: stats.silent_ms as f64,
            }
        }))
    })
}
