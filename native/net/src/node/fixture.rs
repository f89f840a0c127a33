//! A node without its I/O thread, sessions of it with peers that do what a test says, and what its lanes get.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;

use snowmesh_core::Pid;
use snowmesh_core::frame::{Deframer, MAX_FRAME, put_slot, tag};

use super::session::{Connection, Inbound, Peer, Session};
use super::{Node, NodeParts};
use crate::batch::{Batch, Filled};
use crate::event::{BIG, ENTRY_HEADER};
use crate::lane::{Lane, Wake};
use crate::options::NodeOptions;
use crate::tls::{Channel, TlsConfig};

/// Wakes no thread: the test drains its lanes itself.
pub(crate) struct Quiet;

impl Wake for Quiet {
    fn wake(&self) {}
}

/// A node, its lane 0 with a buffer of `rx_bytes`, and the poll of the I/O thread that it does not have.
pub(crate) fn node(options: NodeOptions, rx_bytes: usize) -> (Arc<Node>, Arc<Lane>, mio::Poll) {
    let poll = mio::Poll::new().unwrap();
    let lane = Arc::new(Lane::new(0, rx_bytes, Box::new(Quiet)));
    let node = Arc::new(Node::new(NodeParts {
        options,
        name: "a@127.0.0.1:1".to_owned(),
        incarnation: 1,
        port: 1,
        registry: poll.registry().try_clone().unwrap(),
        waker: mio::Waker::new(poll.registry(), crate::io::WAKER).unwrap(),
        lane: lane.clone(),
    }));
    (node, lane, poll)
}

/// An entry as a lane gets it; one that is passed outside the buffer has the tag and body of its frame.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Entry {
    pub(crate) session: u16,
    pub(crate) tag: u8,
    pub(crate) body: Vec<u8>,
}

impl Entry {
    pub(crate) fn new(session: u16, tag: u8, body: &[u8]) -> Self {
        let body = body.to_vec();
        Self { session, tag, body }
    }
}

/// The entries of a batch over `rx`.
pub(crate) fn entries_of(rx: &[u8], filled: &Filled) -> Vec<Entry> {
    let (mut rest, mut entries) = (&rx[..filled.bytes], Vec::new());
    while let Some((&[a, b, c, d, tag, _, e, f], after)) = rest.split_first_chunk::<ENTRY_HEADER>() {
        let (body, after) = after.split_at(u32::from_le_bytes([a, b, c, d]) as usize);
        let session = u16::from_le_bytes([e, f]);
        entries.push(match tag {
            BIG => {
                let index = u32::from_le_bytes(body.try_into().unwrap()) as usize;
                Entry::new(session, filled.bigs[index][0], &filled.bigs[index][1..])
            }
            _ => Entry::new(session, tag, body),
        });
        rest = after;
    }
    assert_eq!(entries.len(), filled.entries as usize);
    entries
}

/// Takes all that waits in the inbox of a lane, in batches of `rx_bytes`.
pub(crate) fn drain(lane: &Lane, rx_bytes: usize) -> Vec<Entry> {
    let (mut rx, mut entries) = (vec![0; rx_bytes], Vec::new());
    lane.begin_drain();
    while !lane.is_empty() {
        let mut batch = Batch::new(&mut rx);
        lane.drain(&mut batch);
        let filled = batch.finish();
        entries.extend(entries_of(&rx, &filled));
    }
    entries
}

/// A session that is up. After the TLS handshake its peer does with the socket what `peer` says, on a thread of its own.
pub(crate) fn session<T: Send + 'static>(
    node: &Node,
    name: &str,
    peer: impl FnOnce(TcpStream, Channel) -> T + Send + 'static,
) -> (Arc<Session>, JoinHandle<T>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let tls = TlsConfig::generate().unwrap();
    let dialling = tls.clone();
    let (begin, begun) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let socket = TcpStream::connect(address).unwrap();
        let mut channel = Channel::dial(&dialling).unwrap();
        shake(&mut channel, &socket);
        begun.recv().unwrap();
        peer(socket, channel)
    });
    let (socket, _) = listener.accept().unwrap();
    let mut channel = Channel::accept(&tls).unwrap();
    shake(&mut channel, &socket);
    // What came with the end of the TLS handshake would be lost.
    begin.send(()).unwrap();
    socket.set_nonblocking(true).unwrap();
    let nc = node.number(name, 1).unwrap();
    let peer = Peer {
        name: name.to_owned(),
        incarnation: 1,
        nc,
        capabilities: 0,
        hidden: false,
        dialled_by_us: false,
        network: Ipv4Addr::LOCALHOST.into(),
    };
    let connection = Connection {
        stream: mio::net::TcpStream::from_std(socket),
        channel,
        inbound: Inbound::new(Deframer::new(MAX_FRAME), nc, 64 << 20),
    };
    let id = node.reserve_id().unwrap();
    let session = Arc::new(Session::new(id, peer, connection, 1, node.now_ms()));
    session.start(node);
    (session, thread)
}

/// Does one side's part of the TLS handshake.
fn shake(channel: &mut Channel, socket: &TcpStream) {
    loop {
        channel.send(socket).unwrap();
        if !channel.is_handshaking() {
            return;
        }
        channel.receive(socket, |_| {}).unwrap().opened.unwrap();
    }
}

/// A peer that stays until the connection ends, and gives the frames that it got.
#[expect(
    clippy::needless_pass_by_value,
    reason = "a peer of `session` owns its socket"
)]
pub(crate) fn frames_until_end(socket: TcpStream, mut channel: Channel) -> Vec<(u8, Vec<u8>)> {
    let (mut frames, mut got) = (Deframer::new(MAX_FRAME), Vec::new());
    while !channel.peer_closed() {
        let Ok(received) = channel.receive(&socket, |plain| frames.push(plain)) else {
            break;
        };
        received.opened.unwrap();
        while let Some(frame) = frames.next_frame().unwrap() {
            got.push((frame.tag, frame.body.to_vec()));
        }
        if received.bytes == 0 {
            break;
        }
    }
    got
}

/// The number that peers here give the node.
const NC: u32 = 0x101;

/// `u32 length | tag | body`.
pub(crate) fn frame(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(1 + body.len()).unwrap().to_le_bytes();
    [&length[..], &[tag], body].concat()
}

/// The first frame of a peer.
pub(crate) fn first_frame() -> Vec<u8> {
    let mut frame = Vec::new();
    put_slot(&mut frame, NC, 1, "a@127.0.0.1:1");
    frame
}

/// A message of so many bytes that begin with `number`, for an actor of the isolate `scheduler`: `tag | body`.
pub(crate) fn message(scheduler: u8, number: u32, bytes: usize) -> Vec<u8> {
    let to = Pid::pack(1, 1, scheduler, 1).bits().to_le_bytes();
    let length = u32::try_from(4 + bytes).unwrap().to_le_bytes();
    let head = [2, snowmesh_core::term::tag::BINARY];
    let number = number.to_le_bytes();
    [&[tag::SEND][..], &to, &head, &length, &number, &vec![0; bytes]].concat()
}

/// [`message`] as a frame.
pub(crate) fn message_frame(scheduler: u8, number: u32, bytes: usize) -> Vec<u8> {
    let message = message(scheduler, number, bytes);
    frame(message[0], &message[1..])
}

/// The number of a message that a lane got.
pub(crate) fn number_of(message: &Entry) -> u32 {
    assert_eq!(message.tag, tag::SEND);
    u32::from_le_bytes(message.body[14..18].try_into().unwrap())
}

/// A peer that sends its first frame and then `frames`, and stays.
pub(crate) fn sends(frames: Vec<u8>) -> impl FnOnce(TcpStream, Channel) -> (TcpStream, Channel) {
    move |socket, mut channel| {
        channel.seal(&[first_frame(), frames].concat()).unwrap();
        assert!(channel.send(&socket).unwrap());
        (socket, channel)
    }
}
