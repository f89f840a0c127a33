//! What an ended session holds, counted by the allocator of this test.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use support::raw::Raw;
use support::{DOWN, TestNode, UP};

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `GlobalAlloc`, which is also that of the system's allocator.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `GlobalAlloc`, which is also that of the system's allocator.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn an_ended_session_holds_no_output_while_a_lane_has_not_taken_its_end() {
    const LONG: usize = 64 << 20;
    let mut a = TestNode::start("a");
    let raw = Raw::session(&a, "raw@127.0.0.1:1", 5);
    let up = a.find("the session", |entry| entry.tag == UP);
    let session = a.node.session(up.session).unwrap();
    let before = LIVE.load(Ordering::Relaxed);
    // The peer does not read. Many short frames wait as sealed records, a long one in a stream.
    let short = [&[27, 0, 0, 0, 0x3F, 1, 0, b'c', 2, 0x23, 20][..], &[b'x'; 20]].concat();
    session
        .flush(&a.node, &short.repeat((LONG / 4) / short.len()))
        .unwrap();
    session.bulk(&a.node, 1, 0, &[&vec![0x10; LONG]]).unwrap();
    assert!(LIVE.load(Ordering::Relaxed) > before + LONG);
    drop(raw);
    a.find("the end", |entry| entry.tag == DOWN);
    let held = || LIVE.load(Ordering::Relaxed).saturating_sub(before);
    a.until("its output is given up", |_| held() < LONG / 8);
    drop(session);
}
