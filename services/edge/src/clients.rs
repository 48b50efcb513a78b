//! Which client a request comes from, as far as limits are concerned.

use http::{HeaderMap, HeaderName};
use ipnet::{IpNet, Ipv6Net};
use std::fmt;
use std::net::{IpAddr, SocketAddr};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// A network of this size is one customer's: whoever has it has all of its addresses.
const IPV6_PREFIX: u8 = 64;
/// More proxies than this do not stand in a row; whoever lists more is making them up.
const MAX_HOPS: usize = 16;

/// Whom requests without a user are counted for: an IPv4 address, or the /64 network of an IPv6 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(IpNet);

impl From<IpAddr> for ClientAddress {
    fn from(address: IpAddr) -> ClientAddress {
        // An IPv4 address that came over an IPv6 socket is an IPv4 address.
        match address.to_canonical() {
            IpAddr::V4(address) => ClientAddress(IpNet::from(IpAddr::V4(address))),
            IpAddr::V6(address) => {
                let network = Ipv6Net::new(address, IPV6_PREFIX).unwrap_or_else(|_| Ipv6Net::from(address));
                ClientAddress(IpNet::V6(network.trunc()))
            }
        }
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpNet::V4(network) => network.addr().fmt(f),
            IpNet::V6(network) => network.fmt(f),
        }
    }
}

/// Finds the client behind the proxies that are trusted.
#[derive(Debug, Clone)]
pub struct Clients {
    trusted_proxies: Vec<IpNet>,
}

impl Clients {
    /// `trusted_proxies`: those whose word on where a request comes from is taken.
    pub fn new(trusted_proxies: Vec<IpNet>) -> Clients {
        Clients { trusted_proxies }
    }

    /// Whose a request is that came over a connection from `peer`.
    ///
    /// Only a trusted proxy's `X-Forwarded-For` is read, and only as far as each hop was written by another trusted
    /// one: from the right to the first address that is not trusted. All before it is the client's own claim.
    /// `Forwarded` (RFC 7239) is not read: a proxy that writes one of the two passes the client's other one through.
    pub fn address(&self, peer: SocketAddr, headers: &HeaderMap) -> ClientAddress {
        let mut nearest = peer.ip();
        let lines = headers.get_all(&FORWARDED_FOR).iter().rev();
        let hops = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        for hop in hops.take(MAX_HOPS) {
            if !self.trusts(nearest) {
                break;
            }
            let Some(address) = parse(hop.trim()) else { break };
            nearest = address;
        }
        ClientAddress::from(nearest)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted_proxies.iter().any(|network| network.contains(&address))
    }
}

/// An address as proxies write it: some add the port.
fn parse(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(hop);
    bare.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded_for: &[&str]) -> String {
        let trusted = ["10.0.0.0/8", "2001:db8:ffff::/48"].map(|network| network.parse().unwrap());
        let mut headers = HeaderMap::new();
        for line in forwarded_for {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        let peer = SocketAddr::new(peer.parse().unwrap(), 4711);
        Clients::new(trusted.to_vec()).address(peer, &headers).to_string()
    }

    #[test]
    fn a_stranger_s_word_counts_for_nothing() {
        assert_eq!(client("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
    }

    #[test]
    fn behind_trusted_proxies_the_last_address_that_is_not_trusted_counts() {
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["1.1.1.1", "198.51.100.1:80 , 10.0.0.2"]), "198.51.100.1");
        assert_eq!(client("::ffff:10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("2001:db8:ffff::1", &["[2001:db8:1:2:3::4]:80"]), "2001:db8:1:2::/64");
    }

    #[test]
    fn what_is_no_address_ends_the_trust() {
        assert_eq!(client("10.0.0.1", &["198.51.100.1, unknown, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(client("10.0.0.1", &["198.51.100.1, "]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &[&format!("198.51.100.1{}", ",10.0.0.3".repeat(40))]), "10.0.0.3");
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_client() {
        assert_eq!(client("2001:db8:1:2:aaaa::1", &[]), client("2001:db8:1:2:bbbb::2", &[]));
        assert_ne!(client("2001:db8:1:2::1", &[]), client("2001:db8:1:3::1", &[]));
    }
}
