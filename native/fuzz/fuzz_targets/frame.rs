//! Arbitrary bytes after the first frame of a session: no panic, memory in proportion to the bytes, and the same results
//! however the bytes are split.
#![no_main]

use libfuzzer_sys::fuzz_target;
use snowmesh_core::frame::{
    Checked, Deframer, Frame, FrameError, MAX_FRAME, Reassembler, ReassemblyLimits, SessionTables,
    check_body, check_joined, put_slot,
};

/// What a session does with received bytes.
struct Session {
    deframer: Deframer,
    tables: SessionTables,
    pieces: Reassembler,
    seen: Vec<Result<Checked, FrameError>>,
}

fn number(name: &str, incarnation: u64) -> Option<u32> {
    if name == "us@h:1" {
        Some(0)
    } else {
        u32::try_from(incarnation).ok().filter(|nc| *nc <= 0xFF_FFFF)
    }
}

impl Session {
    fn new() -> Self {
        let mut first_frame = Vec::new();
        put_slot(&mut first_frame, 0x0100, 1, "us@h:1");
        let mut session = Self {
            deframer: Deframer::new(MAX_FRAME),
            tables: SessionTables::new(0x0500),
            pieces: Reassembler::new(ReassemblyLimits::for_message(1 << 20)),
            seen: Vec::new(),
        };
        session.receive(&first_frame);
        session
    }

    fn receive(&mut self, bytes: &[u8]) {
        if self.seen.last().is_some_and(Result::is_err) {
            return;
        }
        self.deframer.push(bytes);
        loop {
            let (verdict, joined) = match self.deframer.next_frame() {
                Err(error) => (Err(error), None),
                Ok(None) => return,
                Ok(Some(Frame { tag, body })) => match check_body(tag, body, &mut self.tables, &mut number) {
                    Ok(Checked::Fragment(head)) => match self.pieces.push(&head, &body[head.part_at..]) {
                        Ok(joined) => (Ok(Checked::Fragment(head)), joined),
                        Err(error) => (Err(error), None),
                    },
                    verdict => (verdict, None),
                },
            };
            self.seen.push(verdict);
            if let Some(mut frame) = joined {
                self.seen
                    .push(check_joined(&mut frame, &mut self.tables, &mut number));
            }
            if self.seen.last().is_some_and(Result::is_err) {
                return;
            }
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let (mut whole, mut split) = (Session::new(), Session::new());
    whole.receive(bytes);
    let step = bytes.first().map_or(1, |&byte| usize::from(byte % 61) + 1);
    bytes.chunks(step).for_each(|chunk| split.receive(chunk));
    assert_eq!(whole.seen, split.seen);
    assert!(whole.pieces.bytes() <= bytes.len());
});
