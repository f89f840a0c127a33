//! Splitting a stream into frames, and long frames into pieces (T4).

use proptest::prelude::*;
use snowmesh_core::frame::{
    Checked, Deframer, FRAGMENT_BYTES, FragmentHead, Frame, FrameError, MAX_FRAME, MAX_HANDSHAKE_FRAME,
    MAX_MESSAGE, PeerMisbehaved, Reassembler, ReassemblyLimits, Split, Splitter, check_body, split,
};

use crate::support::{fault, noise, numbers, receive, tables, whole};

fn drain(deframer: &mut Deframer, frames: &mut Vec<(u8, Vec<u8>)>) -> Result<(), FrameError> {
    while let Some(Frame { tag, body }) = deframer.next_frame()? {
        frames.push((tag, body.to_vec()));
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_split_of_the_stream_gives_the_same_frames(
        sent in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..300)), 0..20),
        cuts in prop::collection::vec(1_usize..200, 1..30),
        take_late in any::<bool>(),
    ) {
        let stream: Vec<u8> = sent.iter().flat_map(|(tag, body)| whole(*tag, body)).collect();
        // The buffer holds one of the longest frames, so it fills up and what is pending moves.
        let (mut deframer, mut frames, mut rest) = (Deframer::new(300), Vec::new(), stream.as_slice());
        for cut in cuts.iter().cycle() {
            let (now, later) = rest.split_at(rest.len().min(*cut));
            deframer.push(now);
            if !take_late {
                drain(&mut deframer, &mut frames).unwrap();
            }
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        drain(&mut deframer, &mut frames).unwrap();
        prop_assert_eq!(frames, sent);
        prop_assert_eq!(deframer.pending(), 0);
    }

    #[test]
    fn arbitrary_streams_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let mut deframer = Deframer::new(256);
        deframer.push(&bytes);
        let mut tables = tables();
        while let Ok(Some(Frame { tag, body })) = deframer.next_frame() {
            let _ = check_body(tag, body, &mut tables, &mut numbers());
        }
    }

    #[test]
    fn interleaved_fragments_join_to_what_was_cut(
        lengths in prop::collection::vec((1_usize..4 * FRAGMENT_BYTES, FRAGMENT_BYTES / 8..2 * FRAGMENT_BYTES), 1..5),
        order in prop::collection::vec(any::<prop::sample::Index>(), 40),
    ) {
        let frames: Vec<Vec<u8>> = lengths.iter().map(|&(length, _)| {
            let mut next = noise(length as u64);
            (0..length).map(|_| next()).collect()
        }).collect();
        let mut open: Vec<_> = (0..).zip(&lengths).map(|(id, &(length, most))| (id, Splitter::new(id, length, most))).collect();
        let (mut pieces, mut joined) = (Reassembler::new(ReassemblyLimits::default()), vec![None; frames.len()]);
        for turn in order.iter().cycle() {
            let index = turn.index(open.len());
            let (id, splitter) = &mut open[index];
            let (id, Some(piece)) = (*id, splitter.next()) else {
                open.swap_remove(index);
                if open.is_empty() { break } else { continue }
            };
            prop_assert!(piece.part.len() <= lengths[id as usize].1);
            let mut wire = Vec::new();
            piece.write(&frames[id as usize], &mut wire);
            let Checked::Fragment(head) = receive(wire[4], &mut wire[5..]).unwrap() else { panic!() };
            prop_assert_eq!(head.stream, id);
            if let Some(whole) = pieces.push(&head, &wire[5 + head.part_at..]).unwrap() {
                joined[id as usize] = Some(whole);
            }
        }
        prop_assert_eq!(joined, frames.into_iter().map(Some).collect::<Vec<_>>());
        prop_assert_eq!((pieces.open_streams(), pieces.bytes()), (0, 0));
    }

    #[test]
    fn arbitrary_fragments_do_no_harm(
        heads in prop::collection::vec((0_u32..4, prop::option::of(0_u64..200), any::<bool>(), 0_usize..100), 0..60),
    ) {
        let limits = ReassemblyLimits { max_message: 150, max_streams: 3, max_bytes: 300 };
        let mut pieces = Reassembler::new(limits);
        for (stream, total, is_last, length) in heads {
            let head = FragmentHead { stream, total, is_last, part_at: 0 };
            match pieces.push(&head, &vec![7; length]) {
                Ok(Some(joined)) => prop_assert!((1..=150).contains(&joined.len())),
                Ok(None) => {}
                Err(_) => break,
            }
            prop_assert!(pieces.open_streams() <= 3 && pieces.bytes() <= 300);
        }
    }
}

#[test]
fn t4_lengths_are_judged_before_memory_is_reserved() {
    let mut deframer = Deframer::new(MAX_HANDSHAKE_FRAME);
    deframer.push(&4_097_u32.to_le_bytes());
    let too_long = PeerMisbehaved::FrameTooLong {
        length: 4_097,
        limit: 4_096,
    };
    assert_eq!(fault(deframer.next_frame()), too_long);
    assert_eq!(deframer.capacity(), 4 + MAX_HANDSHAKE_FRAME);
    assert_eq!(fault(split(&[0, 0, 0, 0], MAX_FRAME)), PeerMisbehaved::EmptyFrame);
    let mut deframer = Deframer::new(MAX_FRAME);
    deframer.push(&16_777_216_u32.to_le_bytes());
    assert!(deframer.next_frame().unwrap().is_none());
    assert!(deframer.spare(16_384).len() < 100_000);
    assert!(deframer.capacity() < 200_000, "only announced, not yet there");
    assert_eq!(split(&[1, 0, 0, 0], MAX_FRAME), Ok(Split::Partial { needs: 5 }));
    assert_eq!(
        split(&[1, 0, 0, 0, 9, 9], MAX_FRAME),
        Ok(Split::Frame { tag: 9, bytes: 5 })
    );
}

#[test]
fn memory_of_a_long_frame_is_given_back() {
    let mut deframer = Deframer::new(MAX_FRAME);
    let long = whole(1, &vec![0; 3_000_000]);
    let (mut copied, mut before) = (0, 0);
    for chunk in long.chunks(16_384) {
        let length = deframer.pending() + deframer.spare(chunk.len()).len();
        if length != before {
            (copied, before) = (copied + deframer.pending(), length);
        }
        deframer.push(chunk);
    }
    assert!(deframer.capacity() < 2 * long.len(), "grows with what came");
    assert!(copied < 2 * long.len(), "{copied} bytes were copied");
    assert_eq!(deframer.next_frame().unwrap().unwrap().body.len(), 3_000_000);
    deframer.spare(16_384);
    assert!(
        (500_000..600_000).contains(&deframer.capacity()),
        "some is kept for the next one"
    );
    deframer.push(&long[..100_000]);
    deframer.release();
    assert_eq!(deframer.pending(), 100_000, "bytes of an incomplete frame stay");
    deframer.push(&long[100_000..]);
    assert!(deframer.next_frame().unwrap().is_some());
    deframer.release();
    assert!(deframer.capacity() < 100_000);
    deframer.push(&whole(1, b"next"));
    assert_eq!(deframer.next_frame().unwrap().unwrap().body, b"next");
}

#[test]
fn the_limit_can_be_raised_when_the_handshake_is_over() {
    let mut deframer = Deframer::new(MAX_HANDSHAKE_FRAME);
    deframer.push(&whole(4, b"ack"));
    deframer.push(&whole(0x10, &[0; 5_000]));
    assert_eq!(deframer.next_frame().unwrap().unwrap().tag, 4);
    deframer.set_limit(MAX_FRAME);
    assert_eq!(deframer.next_frame().unwrap().unwrap().body.len(), 5_000);
}

fn head(stream: u32, total: Option<u64>, is_last: bool) -> FragmentHead {
    FragmentHead {
        stream,
        total,
        is_last,
        part_at: 0,
    }
}

#[test]
fn p5_pieces_that_do_not_fit_their_stream_end_the_session() {
    let opened = || {
        let mut pieces = Reassembler::new(ReassemblyLimits::default());
        assert_eq!(pieces.push(&head(1, Some(10), false), b"abcd"), Ok(None));
        pieces
    };
    let bad = |mut pieces: Reassembler, head: &FragmentHead, part: &[u8]| fault(pieces.push(head, part));
    assert_eq!(
        bad(opened(), &head(2, None, false), b"x"),
        PeerMisbehaved::BadFragment,
        "not open"
    );
    assert_eq!(
        bad(opened(), &head(1, Some(10), false), b"x"),
        PeerMisbehaved::BadFragment,
        "first again"
    );
    assert_eq!(
        bad(opened(), &head(1, None, false), b"1234567"),
        PeerMisbehaved::BadFragment,
        "over total"
    );
    let long = vec![0; FRAGMENT_BYTES + 1];
    assert_eq!(
        bad(opened(), &head(2, Some(1 << 20), false), &long),
        PeerMisbehaved::BadFragment,
        "too long"
    );
    assert_eq!(
        bad(opened(), &head(2, Some(0), true), b""),
        PeerMisbehaved::EmptyFrame
    );
    let length = MAX_MESSAGE as u64 + 1;
    let too_long = PeerMisbehaved::MessageTooLong {
        length,
        limit: MAX_MESSAGE as u64,
    };
    assert_eq!(bad(opened(), &head(2, Some(length), false), b""), too_long);
    assert_eq!(opened().push(&head(2, Some(length - 1), false), b""), Ok(None));
}

#[test]
fn open_streams_and_their_bytes_are_bounded() {
    let mut pieces = Reassembler::new(ReassemblyLimits::default());
    for stream in 0..1_024 {
        assert_eq!(pieces.push(&head(stream, Some(1 << 27), false), b"x"), Ok(None));
    }
    assert_eq!((pieces.open_streams(), pieces.bytes()), (1_024, 1_024));
    assert_eq!(
        fault(pieces.push(&head(5_000, Some(9), false), b"x")),
        PeerMisbehaved::TooMany("open streams")
    );
    let limits = ReassemblyLimits {
        max_message: 100,
        max_streams: 9,
        max_bytes: 150,
    };
    let mut pieces = Reassembler::new(limits);
    assert_eq!(pieces.push(&head(1, Some(100), false), &[0; 99]), Ok(None));
    assert_eq!(pieces.push(&head(2, Some(100), false), &[0; 51]), Ok(None));
    let verdict = pieces.push(&head(2, None, false), b"x");
    assert_eq!(
        fault(verdict),
        PeerMisbehaved::TooMany("bytes of unfinished messages")
    );
}

#[test]
fn memory_is_reserved_for_what_came_and_not_for_what_was_announced() {
    let mut pieces = Reassembler::new(ReassemblyLimits::default());
    for stream in 0..1_024 {
        let opened = pieces.push(&head(stream, Some(1 << 27), false), &[7; 1_024]);
        assert_eq!(opened, Ok(None));
        assert!(pieces.capacity() < 2 * pieces.bytes(), "stream {stream}");
        assert!(pieces.capacity() >= pieces.bytes(), "stream {stream}");
    }
    // A long message: each growth copies what came before, all together fewer bytes than the message has.
    let total = 500 * FRAGMENT_BYTES;
    let mut pieces = Reassembler::new(ReassemblyLimits::default());
    let piece = vec![7; FRAGMENT_BYTES];
    let (mut copied, mut before) = (0, 0);
    for number in 0..total / FRAGMENT_BYTES {
        let is_last = number == total / FRAGMENT_BYTES - 1;
        let first = (number == 0).then_some(total as u64);
        let joined = pieces.push(&head(1, first, is_last), &piece).unwrap();
        assert_eq!(joined.map(|frame| frame.len()), is_last.then_some(total));
        if is_last {
            break;
        }
        let capacity = pieces.capacity();
        assert!(capacity <= total.min(2 * pieces.bytes()), "{capacity} bytes");
        if capacity != before {
            copied += pieces.bytes() - FRAGMENT_BYTES;
        }
        before = capacity;
    }
    assert!(copied <= total, "{copied} bytes were copied");
}

#[test]
fn a_stream_that_was_given_up_is_forgotten() {
    let mut pieces = Reassembler::new(ReassemblyLimits::default());
    assert_eq!(pieces.push(&head(4, Some(10), false), b"abc"), Ok(None));
    assert_eq!(pieces.push(&head(4, None, true), b""), Ok(None));
    assert_eq!((pieces.open_streams(), pieces.bytes()), (0, 0));
    assert_eq!(
        pieces.push(&head(4, Some(3), true), b"new"),
        Ok(Some(b"new".to_vec()))
    );
}
