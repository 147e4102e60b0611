//! Which addresses the node sends to: public ones, and private networks that its operator named.
//!
//! A member chooses the URL and sees what answers, so without this guard the node would be a way
//! into the network that it stands in (server-side request forgery).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Networks that can be named.
const NETWORKS_MAX: usize = 64;

/// What kind of address is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressClass {
    /// `0.0.0.0/8`, `::`.
    Unspecified,
    /// `127.0.0.0/8`, `::1`.
    Loopback,
    /// RFC 1918, unique local (RFC 4193).
    Private,
    /// `100.64.0.0/10` (RFC 6598), behind a carrier's translation.
    Shared,
    /// `169.254.0.0/16` with the metadata services of clouds, `fe80::/10`.
    LinkLocal,
    /// Multicast.
    Multicast,
    /// Addresses of examples.
    Documentation,
    /// `198.18.0.0/15` (RFC 2544), `2001:2::/48`.
    Benchmarking,
    /// Whatever else is not an address of one host on the Internet.
    Reserved,
}

/// Private networks that the operator allows, in CIDR notation, separated by commas.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

/// The text is no list of networks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "应为逗号分隔的网段，如 10.0.0.0/8 / networks are such as 10.0.0.0/8, separated by commas, at most {NETWORKS_MAX}: {0}"
)]
pub struct NetworksError(String);

impl FromStr for Networks {
    type Err = NetworksError;

    fn from_str(text: &str) -> Result<Self, NetworksError> {
        let mut networks = Vec::new();
        for part in text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let wrong = || NetworksError(part.to_owned());
            let network: IpNet = part.parse().map_err(|_| wrong())?;
            if networks.len() >= NETWORKS_MAX || network.addr() != network.network() {
                return Err(wrong());
            }
            networks.push(network);
        }
        Ok(Self(networks))
    }
}

impl Networks {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an address lies in one of them.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether messages go to an address: to a public one, or to one in a named network.
    ///
    /// # Errors
    /// The class of an address that they do not go to.
    pub fn check(&self, address: IpAddr) -> Result<(), AddressClass> {
        if self.contains(address) {
            return Ok(());
        }
        match class(address) {
            None => Ok(()),
            Some(class) => Err(class),
        }
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(a: u16, b: u16, c: u16, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), length)
}

/// IPv4 addresses that are not one host on the Internet (IANA special-purpose registry, RFC 6890).
const V4: [(Ipv4Net, AddressClass); 15] = [
    (v4(0, 0, 0, 0, 8), AddressClass::Unspecified),
    (v4(10, 0, 0, 0, 8), AddressClass::Private),
    (v4(100, 64, 0, 0, 10), AddressClass::Shared),
    (v4(127, 0, 0, 0, 8), AddressClass::Loopback),
    (v4(169, 254, 0, 0, 16), AddressClass::LinkLocal),
    (v4(172, 16, 0, 0, 12), AddressClass::Private),
    (v4(192, 0, 0, 0, 24), AddressClass::Reserved),
    (v4(192, 0, 2, 0, 24), AddressClass::Documentation),
    (v4(192, 88, 99, 0, 24), AddressClass::Reserved),
    (v4(192, 168, 0, 0, 16), AddressClass::Private),
    (v4(198, 18, 0, 0, 15), AddressClass::Benchmarking),
    (v4(198, 51, 100, 0, 24), AddressClass::Documentation),
    (v4(203, 0, 113, 0, 24), AddressClass::Documentation),
    (v4(224, 0, 0, 0, 4), AddressClass::Multicast),
    // With the broadcast address.
    (v4(240, 0, 0, 0, 4), AddressClass::Reserved),
];

/// The one block that IPv6 addresses of hosts on the Internet come from.
const GLOBAL: Ipv6Net = v6(0x2000, 0, 0, 3);

/// What in it, and beside it, has a meaning of its own; the first that fits counts.
const V6: [(Ipv6Net, AddressClass); 8] = [
    (v6(0x2001, 2, 0, 48), AddressClass::Benchmarking),
    (v6(0x2001, 0xdb8, 0, 32), AddressClass::Documentation),
    (v6(0x3fff, 0, 0, 20), AddressClass::Documentation),
    // Teredo and other protocol assignments: a tunnel hides where the packet really goes.
    (v6(0x2001, 0, 0, 23), AddressClass::Reserved),
    (v6(0xfc00, 0, 0, 7), AddressClass::Private),
    (v6(0xfe80, 0, 0, 10), AddressClass::LinkLocal),
    (v6(0xfec0, 0, 0, 10), AddressClass::Private),
    (v6(0xff00, 0, 0, 8), AddressClass::Multicast),
];

/// NAT64 (RFC 6052): the last 32 bits are an IPv4 address.
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 0, 96);
/// 6to4 (RFC 3056): bits 16 to 47 are an IPv4 address.
const SIX_TO_FOUR: Ipv6Net = v6(0x2002, 0, 0, 16);

/// The class of an address that is not a public one.
fn class(address: IpAddr) -> Option<AddressClass> {
    match address.to_canonical() {
        IpAddr::V4(address) => class_v4(address),
        IpAddr::V6(address) => class_v6(address),
    }
}

fn class_v4(address: Ipv4Addr) -> Option<AddressClass> {
    let found = V4.iter().find(|(network, _)| network.contains(&address));
    found.map(|(_, class)| *class)
}

fn class_v6(address: Ipv6Addr) -> Option<AddressClass> {
    if address.is_unspecified() {
        return Some(AddressClass::Unspecified);
    }
    if address.is_loopback() {
        return Some(AddressClass::Loopback);
    }
    let [_, _, a, b, c, d, .., e, f, g, h] = address.octets();
    if NAT64.contains(&address) {
        return class_v4(Ipv4Addr::new(e, f, g, h));
    }
    if SIX_TO_FOUR.contains(&address) {
        return class_v4(Ipv4Addr::new(a, b, c, d));
    }
    match V6.iter().find(|(network, _)| network.contains(&address)) {
        Some((_, class)) => Some(*class),
        None if GLOBAL.contains(&address) => None,
        None => Some(AddressClass::Reserved),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_hosts_on_the_internet_are_allowed() {
        use AddressClass::*;
        for (address, refused) in [
            ("8.8.8.8", None),
            ("114.114.114.114", None),
            ("172.15.255.255", None),
            ("172.32.0.0", None),
            ("100.63.255.255", None),
            ("100.128.0.0", None),
            ("198.17.255.255", None),
            ("2400:3200::1", None),
            ("2606:4700::1111", None),
            ("0.0.0.0", Some(Unspecified)),
            ("0.1.2.3", Some(Unspecified)),
            ("127.0.0.1", Some(Loopback)),
            ("127.255.255.255", Some(Loopback)),
            ("10.0.0.1", Some(Private)),
            ("172.16.0.1", Some(Private)),
            ("172.31.255.255", Some(Private)),
            ("192.168.1.1", Some(Private)),
            ("100.64.0.1", Some(Shared)),
            ("100.100.100.200", Some(Shared)),
            ("169.254.169.254", Some(LinkLocal)),
            ("192.0.0.8", Some(Reserved)),
            ("192.0.2.1", Some(Documentation)),
            ("198.51.100.7", Some(Documentation)),
            ("203.0.113.9", Some(Documentation)),
            ("198.19.0.1", Some(Benchmarking)),
            ("192.88.99.1", Some(Reserved)),
            ("224.0.0.1", Some(Multicast)),
            ("239.255.255.250", Some(Multicast)),
            ("240.0.0.1", Some(Reserved)),
            ("255.255.255.255", Some(Reserved)),
            ("::", Some(Unspecified)),
            ("::1", Some(Loopback)),
            ("::2", Some(Reserved)),
            ("fc00::1", Some(Private)),
            ("fd12:3456::1", Some(Private)),
            ("fe80::1", Some(LinkLocal)),
            ("fec0::1", Some(Private)),
            ("ff02::1", Some(Multicast)),
            ("2001:db8::1", Some(Documentation)),
            ("3fff::1", Some(Documentation)),
            ("2001:2::1", Some(Benchmarking)),
            ("2001::1", Some(Reserved)),
            ("100::1", Some(Reserved)),
            ("64:ff9b:1::1", Some(Reserved)),
            // IPv4 addresses in other clothes.
            ("::ffff:127.0.0.1", Some(Loopback)),
            ("::ffff:10.0.0.1", Some(Private)),
            ("::ffff:8.8.8.8", None),
            ("::10.0.0.1", Some(Reserved)),
            ("64:ff9b::a9fe:a9fe", Some(LinkLocal)),
            ("64:ff9b::808:808", None),
            ("2002:7f00:1::", Some(Loopback)),
            ("2002:c0a8:101::1", Some(Private)),
            ("2002:808:808::1", None),
        ] {
            let parsed: IpAddr = address.parse().unwrap();
            let checked = Networks::default().check(parsed);
            assert_eq!(checked.err(), refused, "{address}");
        }
    }

    #[test]
    fn named_networks_are_allowed_and_nothing_beside_them() {
        let networks: Networks = "10.1.0.0/16, 127.0.0.0/8,fd00::/8".parse().unwrap();
        for (address, allowed) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("10.2.0.1", false),
            ("127.0.0.1", true),
            ("::1", false),
            ("fd00::7", true),
            ("fc00::7", false),
            ("169.254.169.254", false),
        ] {
            let parsed: IpAddr = address.parse().unwrap();
            assert_eq!(networks.check(parsed).is_ok(), allowed, "{address}");
            assert_eq!(networks.contains(parsed), allowed, "{address}");
        }
        for bad in ["10.0.0.1/8", "10.0.0.0/33", "host", "10.0.0.0/8;::/0"] {
            assert!(bad.parse::<Networks>().is_err(), "{bad}");
        }
        assert!("".parse::<Networks>().unwrap().is_empty());
        let many = vec!["10.0.0.0/8"; NETWORKS_MAX + 1].join(",");
        assert!(many.parse::<Networks>().is_err());
    }
}
