//! A node without its I/O thread, sessions of it with peers that do what a test says, and what its lanes get.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;

use snowmesh_core::frame::{Deframer, MAX_FRAME};

use super::session::{Connection, Inbound, Peer, Session};
use super::{Node, NodeParts};
use crate::batch::{Batch, Filled};
use crate::event::{BIG, ENTRY_HEADER};
use crate::lane::{Lane, Wake};
use crate::options::NodeOptions;
use crate::tls::{Channel, TlsConfig};

/// Wakes nobody: the test drains its lanes itself.
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
    let thread = std::thread::spawn(move || {
        let socket = TcpStream::connect(address).unwrap();
        let mut channel = Channel::dial(&dialling).unwrap();
        shake(&mut channel, &socket);
        peer(socket, channel)
    });
    let (socket, _) = listener.accept().unwrap();
    let mut channel = Channel::accept(&tls).unwrap();
    shake(&mut channel, &socket);
    socket.set_nonblocking(true).unwrap();
    let nc = node.slot(name, 1).unwrap();
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

/// The frames that a peer gets until the connection ends.
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
