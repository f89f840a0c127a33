//! The state of a connection that is not a session yet.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use snowmesh_core::NodeName;
use snowmesh_core::frame::{Deframer, MAX_HANDSHAKE_FRAME};
use snowmesh_core::handshake::{Acceptor, Initiator};

use super::admission::Stage;
use crate::tls::Channel;

/// A connection that is not a session yet.
#[derive(Debug)]
pub(super) struct Handshake {
    pub(super) stream: TcpStream,
    pub(super) channel: Channel,
    pub(super) frames: Deframer,
    pub(super) role: Role,
    begun: Instant,
    /// When bytes were last sent, and the shortest time from then to an answer.
    pub(super) sent_at: Instant,
    pub(super) round_trip: Duration,
    pub(super) stage: Stage,
    /// When it reached the present stage.
    reached: Instant,
    /// When HELLO was received, in the order of [`super::IoLoop::next_moment`].
    pub(super) hello_at: u64,
}

#[derive(Debug)]
pub(super) enum Role {
    Accept(Option<Acceptor>),
    Dial {
        dial: u64,
        name: NodeName,
        machine: Option<Initiator>,
    },
}

/// When an incoming handshake began, and when it reached its stage.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    begun: Instant,
    reached: Instant,
}

impl Limit {
    /// A stage may take half of the time of the whole handshake.
    pub(super) fn until(&self, whole: Duration) -> Instant {
        (self.begun + whole).min(self.reached + whole / 2)
    }
}

impl Handshake {
    pub(super) fn new(stream: TcpStream, channel: Channel, role: Role) -> Self {
        let now = Instant::now();
        Self {
            stream,
            channel,
            frames: Deframer::new(MAX_HANDSHAKE_FRAME),
            role,
            begun: now,
            sent_at: now,
            round_trip: Duration::MAX,
            stage: Stage::Connected,
            reached: now,
            hello_at: 0,
        }
    }

    /// Where the peer is; of no use when the connection has broken already.
    pub(super) fn address(&self) -> IpAddr {
        self.stream
            .peer_addr()
            .map_or(Ipv4Addr::UNSPECIFIED.into(), |address| address.ip())
    }

    /// Its time limit; `None` for a dial.
    pub(super) fn limit(&self) -> Option<Limit> {
        match self.role {
            Role::Accept(_) => Some(Limit {
                begun: self.begun,
                reached: self.reached,
            }),
            Role::Dial { .. } => None,
        }
    }

    /// Notes that it has reached a later stage.
    pub(super) fn reach(&mut self, stage: Stage) {
        if self.stage < stage {
            self.stage = stage;
            self.reached = Instant::now();
        }
    }

    pub(super) fn acceptor(&mut self) -> Option<&mut Acceptor> {
        match &mut self.role {
            Role::Accept(acceptor) => acceptor.as_mut(),
            Role::Dial { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t5_a_stage_may_take_half_of_the_time_and_all_stages_together_the_whole() {
        let (begun, second) = (Instant::now(), Duration::from_secs(1));
        let until = |reached: Duration| {
            let limit = Limit {
                begun,
                reached: begun + reached,
            };
            limit.until(8 * second) - begun
        };
        assert_eq!(until(Duration::ZERO), 4 * second);
        assert_eq!(until(second), 5 * second);
        assert_eq!(until(4 * second), 8 * second);
        assert_eq!(until(7 * second), 8 * second);
    }
}
