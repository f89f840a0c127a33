//! Writing the frames that a session sends by itself. All others are written in JavaScript.

use super::tag;
use crate::wire::{put_frame, put_name};

/// Appends SLOT: from now on `nc` on this connection stands for `(name, incarnation)`.
pub fn put_slot(out: &mut Vec<u8>, nc: u32, incarnation: u64, name: &str) {
    put_frame(out, tag::SLOT, |body| {
        let [creation, slot_low, slot_high, _] = nc.to_le_bytes();
        body.extend_from_slice(&[slot_low, slot_high, creation]);
        body.extend_from_slice(&incarnation.to_le_bytes());
        put_name(body, name.as_bytes());
    });
}

/// Appends PING. `loop_age_ms` is the time since the event loop last turned.
pub fn put_ping(out: &mut Vec<u8>, sequence: u64, loop_age_ms: u32) {
    put_tick(out, tag::PING, sequence, loop_age_ms);
}

/// Appends PONG with the sequence of the PING it answers.
pub fn put_pong(out: &mut Vec<u8>, sequence: u64, loop_age_ms: u32) {
    put_tick(out, tag::PONG, sequence, loop_age_ms);
}

/// Appends GOODBYE.
pub fn put_goodbye(out: &mut Vec<u8>, cause: u8) {
    put_frame(out, tag::GOODBYE, |body| body.push(cause));
}

fn put_tick(out: &mut Vec<u8>, tag: u8, sequence: u64, loop_age_ms: u32) {
    put_frame(out, tag, |body| {
        body.extend_from_slice(&sequence.to_le_bytes());
        body.extend_from_slice(&loop_age_ms.to_le_bytes());
    });
}
