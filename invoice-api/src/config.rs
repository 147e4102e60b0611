//! How the server is set up.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use invoice_core::paper_link::PAPER_BASE_BYTES_MAX;
use ipnet::IpNet;

use crate::trust::TrustedSeals;

/// Settings of the HTTP server. [`ServerConfig::new`] has defaults for all but the address.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Where to listen; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Certificate and key, when the server speaks TLS itself.
    pub tls: Option<TlsFiles>,
    /// Threads that serve connections.
    pub workers: usize,
    /// Threads that verify request signatures.
    pub verifiers: usize,
    /// Connections in all; more wait in the kernel's queue.
    pub connections_max: usize,
    /// Bulk streams at the same time; more are answered 503.
    pub bulk_streams_max: usize,
    /// Event streams at the same time; more are answered 503.
    pub event_streams_max: usize,
    /// Time for a client to send its request line and headers.
    pub head_timeout: Duration,
    /// Time that an idle connection is kept.
    pub keep_alive: Duration,
    /// Time for requests that are being answered when the server is asked to stop.
    pub stop_timeout: Duration,
    /// How much a member, and an address, may ask for.
    pub budgets: BudgetConfig,
    /// Where people reach this server, for the QR codes of printed documents; where it listens,
    /// when absent.
    pub public_url: Option<PublicUrl>,
    /// The fonts of printed documents.
    pub fonts: print::Fonts,
    /// Reverse proxies before this server: `X-Forwarded-For` is believed from them alone. Without
    /// them an address is that of the connection.
    pub trusted_proxies: Vec<ProxyNetwork>,
    /// Whose seals on papers are believed.
    pub papers_trust: TrustedSeals,
}

/// Addresses of reverse proxies: one address, or a network such as `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProxyNetwork(IpNet);

/// The text is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "应为地址或网段，如 10.0.0.1 或 10.0.0.0/8 / an address or a network such as 10.0.0.1 or 10.0.0.0/8"
)]
pub struct ProxyNetworkError;

impl ProxyNetwork {
    /// Whether the address is one of these.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for ProxyNetwork {
    type Err = ProxyNetworkError;

    fn from_str(text: &str) -> Result<Self, ProxyNetworkError> {
        let one = || text.parse::<IpAddr>().map(|one| one.to_canonical().into());
        let network = text.parse().or_else(|_| one());
        network.map(Self).map_err(|_| ProxyNetworkError)
    }
}

/// Where people reach a server: `http://` or `https://` with a host and perhaps a port, at most
/// [`PAPER_BASE_BYTES_MAX`] bytes, without a `/` at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

/// The text is no public address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "公开地址应为 http(s)://主机[:端口]，至多 {PAPER_BASE_BYTES_MAX} 字节 / a public address is http(s)://host[:port] of at most {PAPER_BASE_BYTES_MAX} bytes"
)]
pub struct PublicUrlError;

impl PublicUrl {
    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PublicUrl {
    type Err = PublicUrlError;

    fn from_str(text: &str) -> Result<Self, PublicUrlError> {
        let url = reqwest::Url::parse(text).map_err(|_| PublicUrlError)?;
        let base = url.as_str().trim_end_matches('/').to_owned();
        let plain = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if plain && base.len() <= PAPER_BASE_BYTES_MAX {
            Ok(Self(base))
        } else {
            Err(PublicUrlError)
        }
    }
}

/// PEM files for TLS.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate chain, leaf first.
    pub certificates: PathBuf,
    /// The private key, PKCS#8, PKCS#1 or SEC1.
    pub key: PathBuf,
}

/// Budgets per minute; a whole minute's worth may be used at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetConfig {
    /// Records that a member may send for recording or validation.
    pub records_per_minute: NonZeroU32,
    /// Documents that a member may check.
    pub checks_per_minute: NonZeroU32,
    /// Other signed questions of a member.
    pub reads_per_minute: NonZeroU32,
    /// Requests without a signature from one address (IPv6: one /64).
    pub anonymous_per_minute: NonZeroU32,
    /// Failed authentications from one address in the name of one key; beyond them such requests
    /// are refused before any signature is verified.
    pub failures_per_minute: NonZeroU32,
    /// Public checks from one address that match nothing; beyond them the page is refused to it
    /// for a while.
    pub misses_per_minute: NonZeroU32,
    /// Test messages that a member may have sent to its webhooks.
    pub webhook_tests_per_minute: NonZeroU32,
}

const fn budget(per_minute: u32) -> NonZeroU32 {
    match NonZeroU32::new(per_minute) {
        Some(budget) => budget,
        None => NonZeroU32::MIN,
    }
}

/// Enough for one node of a province: a platform that issues for many sellers may send as fast as
/// the node records, and an authority or a large payer may check as fast as it compares.
impl Default for BudgetConfig {
    fn default() -> Self {
        Self {
            records_per_minute: budget(3_000_000),
            checks_per_minute: budget(1_500_000),
            reads_per_minute: budget(12_000),
            anonymous_per_minute: budget(6_000),
            failures_per_minute: budget(600),
            misses_per_minute: budget(60),
            webhook_tests_per_minute: budget(6),
        }
    }
}

impl ServerConfig {
    /// Settings for a server at this address.
    #[must_use]
    pub fn new(listen: SocketAddr) -> Self {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            listen,
            tls: None,
            workers: threads,
            verifiers: threads,
            connections_max: 4_096,
            bulk_streams_max: 32,
            event_streams_max: 1_024,
            head_timeout: Duration::from_secs(10),
            keep_alive: Duration::from_secs(75),
            stop_timeout: Duration::from_secs(30),
            budgets: BudgetConfig::default(),
            public_url: None,
            fonts: print::Fonts::built_in(),
            trusted_proxies: Vec::new(),
            papers_trust: TrustedSeals::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_an_address_or_a_network() {
        let holds = |network: &str, address: &str| {
            let network = network.parse::<ProxyNetwork>().unwrap();
            network.contains(address.parse().unwrap())
        };
        assert!(holds("10.0.0.0/8", "10.1.2.3") && holds("10.0.0.0/8", "::ffff:10.1.2.3"));
        assert!(holds("10.0.0.1", "10.0.0.1") && !holds("10.0.0.1", "10.0.0.2"));
        assert!(holds("2001:db8::/32", "2001:db8::1") && !holds("2001:db8::/32", "10.0.0.1"));
        for wrong in ["", "10.0.0.0/33", "10.0.0", "proxy.example"] {
            assert_eq!(
                wrong.parse::<ProxyNetwork>(),
                Err(ProxyNetworkError),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_public_address_is_a_host_and_no_more() {
        for (text, base) in [
            ("https://tax.example", Some("https://tax.example")),
            ("https://tax.example/", Some("https://tax.example")),
            ("http://127.0.0.1:8080", Some("http://127.0.0.1:8080")),
            ("https://tax.example/a", None),
            ("https://tax.example/?a", None),
            ("https://tax.example/#a", None),
            ("https://u@tax.example", None),
            ("ftp://tax.example", None),
            ("tax.example", None),
            (
                "https://an-unusually-long-name.of-a-department.example",
                None,
            ),
        ] {
            let url = text.parse::<PublicUrl>().ok();
            assert_eq!(url.as_ref().map(PublicUrl::as_str), base, "{text}");
        }
    }
}
