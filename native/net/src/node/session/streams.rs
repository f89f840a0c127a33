//! Bulk streams of one session: long frames split into fragments, one piece of each stream in turn.
//!
//! A piece is sent only when few bytes wait before it, so a short frame never waits behind more than a few pieces, and no
//! stream waits until another is finished (P3).

use std::collections::VecDeque;

use snowmesh_core::frame::{FRAGMENT_BYTES, Splitter};

/// Bytes of a long frame in one piece. With the header and the TLS records around it, a piece fits into one packet of Linux's loopback
/// (65 483 bytes), and into the caches of the receiver, which copies it twice: a message of 1 MiB takes 0.95 of the processor time that it
/// takes in pieces of [`FRAGMENT_BYTES`].
pub(crate) const PIECE_BYTES: usize = 63 * 1024;

#[derive(Debug, Default)]
pub(crate) struct Streams {
    turn: VecDeque<Stream>,
    bytes: usize,
}

#[derive(Debug)]
struct Stream {
    id: u32,
    lane: u8,
    frames: VecDeque<Vec<u8>>,
    /// Splits the first frame; `None` before its first piece is sent.
    splitter: Option<Splitter>,
    /// Frames sent since the last notice, and their bytes.
    done: u32,
    done_bytes: usize,
}

/// Bytes of sent frames after which a notice is given although the stream holds more: a sender that always has a frame waiting never
/// empties its stream.
const NOTICE_BYTES: usize = 256 * 1024;

/// Frames of a stream have been sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct StreamDone {
    pub(crate) stream: u32,
    /// The lane that queued the frames.
    pub(crate) lane: u8,
    /// Frames sent since the last such notice.
    pub(crate) frames: u32,
}

impl Streams {
    /// Queues `tag | body` behind the frames that the stream still holds.
    pub(crate) fn push(&mut self, id: u32, lane: u8, frame: Vec<u8>) {
        self.bytes += frame.len();
        match self.turn.iter_mut().find(|stream| stream.id == id) {
            Some(stream) => stream.frames.push_back(frame),
            None => {
                self.turn.push_back(Stream {
                    id,
                    lane,
                    frames: VecDeque::from([frame]),
                    splitter: None,
                    done: 0,
                    done_bytes: 0,
                });
            }
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.turn.is_empty()
    }

    /// Gives the next piece, a whole wire frame in two parts, to `send`. `Some`: the stream
    /// is empty now, or has sent [`NOTICE_BYTES`] since the last notice.
    pub(crate) fn next_piece(&mut self, send: impl FnOnce(&[u8], &[u8])) -> Option<StreamDone> {
        let mut stream = self.turn.pop_front()?;
        let left = stream.next_piece(send)?;
        self.bytes -= left.bytes;
        if left.is_whole {
            stream.splitter = None;
            stream.done = stream.done.wrapping_add(1);
            if let Some(frame) = stream.frames.pop_front() {
                stream.done_bytes += frame.len();
                crate::buffer_pool::give(frame);
            }
        }
        let is_empty = stream.frames.is_empty();
        let mut notice = None;
        if is_empty || stream.done_bytes >= NOTICE_BYTES {
            notice = Some(StreamDone {
                stream: stream.id,
                lane: stream.lane,
                frames: std::mem::take(&mut stream.done),
            });
            stream.done_bytes = 0;
        }
        if !is_empty {
            self.turn.push_back(stream);
        }
        notice
    }
}

/// What a piece took from its frame.
struct Left {
    bytes: usize,
    is_whole: bool,
}

impl Stream {
    fn next_piece(&mut self, send: impl FnOnce(&[u8], &[u8])) -> Option<Left> {
        let frame = self.frames.front()?;
        if frame.len() <= FRAGMENT_BYTES {
            send(
                &u32::try_from(frame.len()).unwrap_or(u32::MAX).to_le_bytes(),
                frame,
            );
            return Some(Left {
                bytes: frame.len(),
                is_whole: true,
            });
        }
        let splitter = self
            .splitter
            .get_or_insert_with(|| Splitter::new(self.id, frame.len(), PIECE_BYTES));
        let piece = splitter.next()?;
        send(piece.head(), frame.get(piece.part.clone()).unwrap_or_default());
        Some(Left {
            bytes: piece.part.len(),
            is_whole: splitter.left() == 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use snowmesh_core::frame::tag;

    use super::*;

    fn drain(streams: &mut Streams) -> (Vec<Vec<u8>>, Vec<StreamDone>) {
        let (mut pieces, mut done) = (Vec::new(), Vec::new());
        while !streams.is_empty() {
            let mut piece = Vec::new();
            done.extend(streams.next_piece(|head, part| piece = [head, part].concat()));
            pieces.push(piece);
        }
        (pieces, done)
    }

    #[test]
    fn p3_streams_take_turns_and_a_short_frame_is_not_split() {
        let mut streams = Streams::default();
        streams.push(1, 0, vec![0x10; 3 * PIECE_BYTES]);
        streams.push(2, 3, vec![0x10; 10]);
        assert_eq!(streams.bytes(), 3 * PIECE_BYTES + 10);
        let (pieces, done) = drain(&mut streams);
        let tags: Vec<u8> = pieces.iter().map(|piece| piece[4]).collect();
        assert_eq!(tags, [tag::FRAGMENT, 0x10, tag::FRAGMENT, tag::FRAGMENT]);
        assert_eq!(
            done,
            [
                StreamDone {
                    stream: 2,
                    lane: 3,
                    frames: 1
                },
                StreamDone {
                    stream: 1,
                    lane: 0,
                    frames: 1
                }
            ]
        );
        assert_eq!(streams.bytes(), 0);
    }

    #[test]
    fn a_stream_counts_the_frames_that_left_since_the_last_notice() {
        let mut streams = Streams::default();
        for _ in 0..3 {
            streams.push(9, 0, vec![0x10; 5]);
        }
        assert_eq!(
            drain(&mut streams).1,
            [StreamDone {
                stream: 9,
                lane: 0,
                frames: 3
            }]
        );
        streams.push(9, 0, vec![0x10; 5]);
        assert_eq!(
            drain(&mut streams).1,
            [StreamDone {
                stream: 9,
                lane: 0,
                frames: 1
            }]
        );
    }

    #[test]
    fn long_frames_of_one_stream_follow_each_other_whole() {
        let mut streams = Streams::default();
        let frames = [3, 1, 2].map(|pieces| vec![0x10 + pieces as u8; FRAGMENT_BYTES + pieces * PIECE_BYTES]);
        frames.iter().for_each(|frame| streams.push(7, 0, frame.clone()));
        let (pieces, done) = drain(&mut streams);
        let mut joined: Vec<Vec<u8>> = Vec::new();
        for piece in &pieces {
            let is_first = piece[9] & 1 != 0;
            if is_first {
                joined.push(Vec::new());
            }
            let part = &piece[if is_first { 18 } else { 10 }..];
            joined.last_mut().unwrap().extend_from_slice(part);
        }
        assert!(joined == frames);
        assert_eq!(streams.bytes(), 0);
        assert_eq!(done.iter().map(|done| done.frames).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn a_stream_that_never_empties_is_reported_on_the_way() {
        let mut streams = Streams::default();
        let frame = || vec![0x10; NOTICE_BYTES / 2];
        streams.push(4, 0, frame());
        let mut reported = 0;
        for _ in 0..100 {
            streams.push(4, 0, frame());
            let before = streams.bytes();
            while streams.bytes() > before - frame().len() {
                reported += streams.next_piece(|_, _| {}).map_or(0, |done| done.frames);
            }
        }
        assert!(!streams.is_empty());
        assert_eq!(reported, 100);
    }

    #[test]
    fn the_first_part_names_the_total_and_the_last_is_marked() {
        let mut streams = Streams::default();
        let frame: Vec<u8> = (0..FRAGMENT_BYTES + 3).map(|byte| byte as u8).collect();
        streams.push(7, 0, frame.clone());
        let (pieces, _) = drain(&mut streams);
        assert_eq!(pieces[0][5..9], 7_u32.to_le_bytes());
        assert_eq!(pieces[0][9], 1, "first");
        assert_eq!(pieces[0][10..18], (frame.len() as u64).to_le_bytes());
        assert_eq!(pieces[1][9], 0, "neither");
        assert_eq!(pieces[2][9], 2, "last");
        assert_eq!(pieces[1].len(), 10 + PIECE_BYTES);
        assert_eq!(
            [&pieces[0][18..], &pieces[1][10..], &pieces[2][10..]].concat(),
            frame
        );
    }
}
