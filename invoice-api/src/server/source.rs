//! Where a request comes from: what budgets of addresses are charged to.

use std::net::{IpAddr, SocketAddr};

use actix_web::HttpRequest;
use actix_web::http::header::X_FORWARDED_FOR;

use super::budget::Network;
use super::state::AppState;
use crate::config::ProxyNetwork;

/// Hops of `X-Forwarded-For` that are looked at, from the nearest on.
const HOPS_MAX: usize = 16;

/// Where a request comes from. Anyone can write forwarding headers: they are believed from the
/// proxies that the operator named, and then only what those wrote themselves, at the end.
pub(crate) fn network(state: &AppState, request: &HttpRequest) -> Network {
    let peer = request.peer_addr().map(|address| address.ip());
    let headers: Vec<_> = request.headers().get_all(X_FORWARDED_FOR).collect();
    let hops = headers
        .iter()
        .rev()
        .flat_map(|value| value.to_str().unwrap_or_default().rsplit(','));
    Network::from(peer.map(|peer| source(peer, hops, &state.trusted_proxies)))
}

/// The address of whoever asked the outermost of the trusted proxies on the way to this server;
/// `hops` are those that a header names, the nearest first.
fn source<'h>(
    peer: IpAddr,
    hops: impl Iterator<Item = &'h str>,
    trusted: &[ProxyNetwork],
) -> IpAddr {
    let mut source = peer;
    for hop in hops.take(HOPS_MAX) {
        if !trusted.iter().any(|network| network.contains(source)) {
            break;
        }
        let Some(address) = address(hop.trim()) else {
            break;
        };
        source = address;
    }
    source
}

/// The address of a hop: some proxies write the port, too.
fn address(hop: &str) -> Option<IpAddr> {
    let with_port = || hop.parse::<SocketAddr>().map(|address| address.ip());
    hop.parse().or_else(|_| with_port()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_trusted_proxies_wrote_is_believed() {
        let trusted: Vec<ProxyNetwork> = ["10.0.0.0/8", "::1"]
            .map(|text| text.parse().unwrap())
            .into();
        for (peer, header, due) in [
            // A stranger writes what it likes.
            ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
            ("203.0.113.7", "10.0.0.1", "203.0.113.7"),
            // A proxy tells who asked it, and not what that one claims.
            ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "192.0.2.9, 198.51.100.1", "198.51.100.1"),
            ("::1", "2001:db8::7", "2001:db8::7"),
            ("::ffff:10.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
            ("10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"),
            // One proxy behind another.
            (
                "10.0.0.1",
                "192.0.2.9, 198.51.100.1, 10.9.9.9",
                "198.51.100.1",
            ),
            // Nothing to believe: the proxy itself.
            ("10.0.0.1", "", "10.0.0.1"),
            ("10.0.0.1", "198.51.100.1, unknown", "10.0.0.1"),
            ("10.0.0.1", "10.0.0.2", "10.0.0.2"),
        ] {
            let found = source(peer.parse().unwrap(), header.rsplit(','), &trusted);
            assert_eq!(found.to_string(), due, "{peer} {header}");
        }
        let many = vec!["10.0.0.2"; 1_000].join(",");
        let found = source("10.0.0.1".parse().unwrap(), many.rsplit(','), &trusted);
        assert_eq!(found.to_string(), "10.0.0.2");
        let peer = "10.0.0.1".parse().unwrap();
        assert_eq!(source(peer, ["198.51.100.1"].into_iter(), &[]), peer);
    }
}
