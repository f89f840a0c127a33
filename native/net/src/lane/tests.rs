//! What goes into an inbox comes out, once, in order, and in its own lane.

use std::sync::Arc;

use super::*;
use crate::node::fixture::{Entry, Quiet, drain};

const SESSION: u16 = 0x0102;
const TAG: u8 = 0x10;

/// Numbers that look random and are the same in each run.
fn numbers(mut seed: u64) -> impl FnMut(u64) -> u64 {
    move |below| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) % below
    }
}

#[test]
fn entries_come_out_in_the_order_in_which_they_went_in() {
    for seed in 1..=20 {
        let mut below = numbers(seed);
        let rx_bytes = 64 + below(6000) as usize;
        let lane = Lane::new(0, rx_bytes, Box::new(Quiet));
        let (mut given, mut got) = (Vec::new(), Vec::new());
        for turn in 0..60 {
            for _ in 0..below(80) {
                let tag = TAG + below(4) as u8;
                let longest = if below(20) == 0 { 20_000 } else { 200 };
                let body = vec![turn; below(longest) as usize];
                match below(3) {
                    0 => lane.push_big(SESSION, [&[tag][..], &body].concat()),
                    _ => lane.push(SESSION, tag, &body),
                }
                given.push(Entry::new(SESSION, tag, &body));
            }
            if below(3) == 0 {
                got.extend(drain(&lane, rx_bytes));
            }
        }
        got.extend(drain(&lane, rx_bytes));
        assert!(given == got, "seed {seed}");
        assert_eq!(lane.bytes(), 0, "seed {seed}");
    }
}

#[test]
fn what_waits_is_counted_until_it_is_taken() {
    let lane = Lane::new(0, 4096, Box::new(Quiet));
    lane.push(SESSION, TAG, &[0; 100]);
    lane.push_big(SESSION, vec![TAG; 1000]);
    assert_eq!(lane.bytes(), ENTRY_HEADER + 100 + 1000);
    let mut rx = [0; ENTRY_HEADER + 100];
    let mut batch = Batch::new(&mut rx);
    lane.drain(&mut batch);
    assert_eq!((batch.finish().entries, lane.bytes()), (1, 1000));
}

#[test]
fn a_body_that_does_not_fit_into_the_buffer_is_passed_outside_of_it() {
    let lane = Lane::new(0, 4096, Box::new(Quiet));
    let longest = lane.inline_limit();
    lane.push(SESSION, TAG, &vec![1; longest - 1]);
    lane.push(SESSION, TAG, &vec![1; longest]);
    let mut rx = [0; 4096];
    let mut batch = Batch::new(&mut rx);
    lane.drain(&mut batch);
    let filled = batch.finish();
    assert_eq!((filled.entries, filled.bigs.len()), (2, 1));
    assert_eq!(filled.bigs[0].len(), 1 + longest);
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Arc<Count> {
    fn wake(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_lane_is_woken_once_for_what_waits_and_never_after_it_is_disconnected() {
    let count = Arc::<Count>::default();
    let lane = Lane::new(0, 4096, Box::new(count.clone()));
    let woken = || count.0.load(Ordering::SeqCst);
    lane.notify();
    assert_eq!((woken(), lane.is_scheduled()), (0, false), "nothing waits");
    for _ in 0..3 {
        lane.push(SESSION, TAG, &[]);
        lane.notify();
    }
    assert_eq!((woken(), lane.is_scheduled()), (1, true));
    assert_eq!(drain(&lane, 4096).len(), 3);
    lane.request_drain();
    assert_eq!(woken(), 2, "also if nothing waits");
    lane.begin_drain();
    lane.disconnect();
    lane.request_drain();
    assert_eq!(woken(), 2);
}

#[test]
fn a_suspended_lane_gets_nothing() {
    let lane = Lane::new(0, 4096, Box::new(Quiet));
    lane.set_suspended(true);
    lane.push(SESSION, TAG, &[]);
    lane.push_big(SESSION, vec![TAG]);
    assert!(lane.is_empty() && !lane.is_listening());
    lane.set_suspended(false);
    lane.push(SESSION, TAG, &[]);
    assert_eq!(drain(&lane, 4096).len(), 1);
}
