//! Where an endpoint's messages go: a URL that was looked at before anything connects to it.

use std::net::IpAddr;

use url::{Host, Url};

use crate::address::Networks;

/// Bytes of a URL at most.
pub const URL_BYTES_MAX: usize = 1_024;
/// The lowest port besides that of the scheme: below it are services of other protocols.
pub const PORT_MIN: u16 = 1_024;

/// How a message travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// With TLS.
    Https,
    /// Without, which is allowed only into networks that the operator named.
    Http,
}

/// What is wrong with a URL. Codes are permanent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UrlFault {
    /// It is longer than [`URL_BYTES_MAX`].
    TooLong,
    /// It is no absolute URL with a host.
    Malformed,
    /// It is not `https` (nor `http` into a named network).
    SchemeRefused,
    /// It has a user name or a password: those belong into no log.
    UserInfo,
    /// It has a fragment, which is never sent.
    Fragment,
    /// Its port is neither that of the scheme nor at least [`PORT_MIN`].
    PortRefused,
    /// Its host is an address that the node does not send to.
    AddressRefused,
}

impl UrlFault {
    /// Every fault, in the order in which they are looked for.
    pub const ALL: &'static [Self] = &[
        Self::TooLong,
        Self::Malformed,
        Self::SchemeRefused,
        Self::UserInfo,
        Self::Fragment,
        Self::PortRefused,
        Self::AddressRefused,
    ];

    /// The stable name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::Malformed => "malformed",
            Self::SchemeRefused => "scheme_refused",
            Self::UserInfo => "user_info",
            Self::Fragment => "fragment",
            Self::PortRefused => "port_refused",
            Self::AddressRefused => "address_refused",
        }
    }
}

/// A URL that messages may go to. A host name is resolved for each connection and all that it
/// resolves to is checked then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    url: Url,
    scheme: Scheme,
}

impl Target {
    /// Reads and checks a URL. Addresses in every spelling that browsers take (`0x7f.1`,
    /// `2130706433`, `[::ffff:7f00:1]`) are seen as what they are.
    ///
    /// # Errors
    /// The first fault.
    pub fn parse(text: &str, networks: &Networks) -> Result<Self, UrlFault> {
        if text.len() > URL_BYTES_MAX {
            return Err(UrlFault::TooLong);
        }
        let url = Url::parse(text).map_err(|_| UrlFault::Malformed)?;
        let scheme = match url.scheme() {
            "https" => Scheme::Https,
            "http" if !networks.is_empty() => Scheme::Http,
            _ => return Err(UrlFault::SchemeRefused),
        };
        if url.as_str().len() > URL_BYTES_MAX {
            return Err(UrlFault::TooLong);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlFault::UserInfo);
        }
        if url.fragment().is_some() {
            return Err(UrlFault::Fragment);
        }
        // A port that is that of the scheme is not kept in the URL.
        if url.port().is_some_and(|port| port < PORT_MIN) {
            return Err(UrlFault::PortRefused);
        }
        let address = match url.host().ok_or(UrlFault::Malformed)? {
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
            Host::Domain(_) => None,
        };
        let target = Self { url, scheme };
        if address.is_some_and(|address| !target.may_connect(address, networks)) {
            return Err(UrlFault::AddressRefused);
        }
        Ok(target)
    }

    /// Whether a connection to an address, a literal one or one that the name resolves to, is
    /// allowed.
    #[must_use]
    pub fn may_connect(&self, address: IpAddr, networks: &Networks) -> bool {
        match self.scheme {
            Scheme::Https => networks.check(address).is_ok(),
            Scheme::Http => networks.contains(address),
        }
    }

    /// The URL as it is called.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// How messages travel.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_leads_to_a_public_place() {
        let networks = Networks::default();
        let long = format!("https://erp.example/{}", "a".repeat(URL_BYTES_MAX));
        let grows = format!("https://erp.example/{}", "票".repeat(300));
        for (text, fault) in [
            ("https://erp.example/hook?a=b", None),
            ("https://erp.example:443/", None),
            ("https://erp.example:8443/", None),
            ("https://8.8.8.8/", None),
            ("https://票.example/", None),
            (&long, Some(UrlFault::TooLong)),
            (&grows, Some(UrlFault::TooLong)),
            ("", Some(UrlFault::Malformed)),
            ("/hook", Some(UrlFault::Malformed)),
            ("https://", Some(UrlFault::Malformed)),
            ("https://[::1", Some(UrlFault::Malformed)),
            ("http://erp.example/", Some(UrlFault::SchemeRefused)),
            ("ftp://erp.example/", Some(UrlFault::SchemeRefused)),
            ("file:///etc/passwd", Some(UrlFault::SchemeRefused)),
            ("data:text/plain,x", Some(UrlFault::SchemeRefused)),
            ("https://u@erp.example/", Some(UrlFault::UserInfo)),
            ("https://u:p@erp.example/", Some(UrlFault::UserInfo)),
            ("https://erp.example/#x", Some(UrlFault::Fragment)),
            ("https://erp.example:22/", Some(UrlFault::PortRefused)),
            ("https://erp.example:80/", Some(UrlFault::PortRefused)),
            ("https://erp.example:0/", Some(UrlFault::PortRefused)),
            ("https://127.0.0.1/", Some(UrlFault::AddressRefused)),
            ("https://127.1:8443/", Some(UrlFault::AddressRefused)),
            ("https://2130706433/", Some(UrlFault::AddressRefused)),
            ("https://0x7f000001/", Some(UrlFault::AddressRefused)),
            ("https://0177.0.0.1/", Some(UrlFault::AddressRefused)),
            ("https://%31%32%37.0.0.1/", Some(UrlFault::AddressRefused)),
            ("https://１２７.０.０.１/", Some(UrlFault::AddressRefused)),
            ("https://0/", Some(UrlFault::AddressRefused)),
            ("https://[::1]/", Some(UrlFault::AddressRefused)),
            ("https://[::ffff:7f00:1]/", Some(UrlFault::AddressRefused)),
            ("https://[64:ff9b::7f00:1]/", Some(UrlFault::AddressRefused)),
            (
                "https://169.254.169.254/latest/",
                Some(UrlFault::AddressRefused),
            ),
        ] {
            assert_eq!(Target::parse(text, &networks).err(), fault, "{text}");
        }
    }

    #[test]
    fn named_networks_are_reached_without_tls_and_nothing_else_is() {
        let networks: Networks = "127.0.0.0/8,10.0.0.0/8".parse().unwrap();
        for (text, fault) in [
            ("http://127.0.0.1:9000/hook", None),
            ("https://10.2.3.4/", None),
            ("http://erp.internal/", None),
            ("http://8.8.8.8/", Some(UrlFault::AddressRefused)),
            ("https://8.8.8.8/", None),
            ("https://192.168.1.1/", Some(UrlFault::AddressRefused)),
        ] {
            assert_eq!(Target::parse(text, &networks).err(), fault, "{text}");
        }
        let public: IpAddr = "8.8.8.8".parse().unwrap();
        let target = Target::parse("http://erp.internal/", &networks).unwrap();
        assert_eq!(target.scheme(), Scheme::Http);
        assert!(!target.may_connect(public, &networks));
        let target = Target::parse("https://erp.internal/", &networks).unwrap();
        assert!(target.may_connect(public, &networks));
    }
}
