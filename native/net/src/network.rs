//! Which addresses count as one host, for limits that one host must not evade.

use std::net::{IpAddr, Ipv6Addr};

/// The network that counts as one host: an IPv4 address, or an IPv6 /64, of which one host can use every address.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}
