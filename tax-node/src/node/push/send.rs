//! One attempt: a POST to an address that was checked, with limits on everything.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use invoice_core::calendar::Instant;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, redirect};
use webhooks::{
    ANSWER_BYTES_MAX, Attempt, HEADER_ID, HEADER_SIGNATURE, HEADER_TIMESTAMP, Networks, Reason,
    Scheme, Target, Verdict,
};

use crate::node::clock::Clock;

/// How long a connection may take, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an attempt may take.
const WHOLE_TIMEOUT: Duration = Duration::from_secs(15);
/// Bytes of an answer's body that are read.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a character in UTF-8 at most: so much more is read than is kept, so that none is cut.
const CHARACTER_BYTES_MAX: usize = 4;
/// Addresses of one name at most.
const ADDRESSES_MAX: usize = 64;

/// A message as it is sent.
pub(super) struct Message<'m> {
    pub(super) id: &'m str,
    pub(super) timestamp: i64,
    pub(super) signature: String,
    pub(super) body: String,
}

/// Sends messages.
pub(super) struct Sender {
    /// `None` when TLS cannot be set up, as on a machine without any trusted certificate.
    https: Option<Client>,
    http: Option<Client>,
}

impl Sender {
    pub(super) fn new(networks: &Arc<Networks>) -> Self {
        // An error means that this process has chosen a provider already, which then stands.
        let _chosen_before = rustls::crypto::ring::default_provider().install_default();
        let client = |scheme| {
            let guard = Guard {
                networks: Arc::clone(networks),
                scheme,
            };
            let built = Client::builder()
                .user_agent(concat!("piaolian-webhooks/", env!("CARGO_PKG_VERSION")))
                .tls_backend_rustls()
                .http1_only()
                .connect_timeout(CONNECT_TIMEOUT)
                .timeout(WHOLE_TIMEOUT)
                // A connection for each message: one that was kept may be closed by the other side
                // just when it is used again.
                .pool_max_idle_per_host(0)
                .redirect(redirect::Policy::none())
                .retry(reqwest::retry::never())
                // A proxy would resolve the name again, and elsewhere.
                .no_proxy()
                .referer(false)
                .dns_resolver(Arc::new(guard))
                .build();
            built
                .inspect_err(|error| {
                    tracing::error!(%error, "推送所需的 TLS 无法启用 / TLS for webhooks cannot be set up");
                })
                .ok()
        };
        Self {
            https: client(Scheme::Https),
            http: client(Scheme::Http),
        }
    }

    /// Sends a message once.
    pub(super) async fn send(
        &self,
        target: &Target,
        message: Message<'_>,
        clock: &Clock,
    ) -> (Attempt, Verdict) {
        let began = clock();
        let answered = self.post(target, message, clock).await;
        let duration = clock().ms().saturating_sub(began.ms());
        let (status, answer, verdict) = match answered {
            Ok((status, answer, verdict)) => (Some(status), answer, verdict),
            Err(reason) => (None, String::new(), failed(reason)),
        };
        let reason = match verdict {
            Verdict::Taken => None,
            Verdict::Failed { reason, .. } => Some(reason),
        };
        let attempt = Attempt {
            at_ms: began.ms(),
            duration_ms: u64::try_from(duration).unwrap_or(0),
            status,
            reason,
            answer,
        };
        (attempt, verdict)
    }

    async fn post(
        &self,
        target: &Target,
        message: Message<'_>,
        clock: &Clock,
    ) -> Result<(u16, String, Verdict), Reason> {
        let client = match target.scheme() {
            Scheme::Https => &self.https,
            Scheme::Http => &self.http,
        };
        let client = client.as_ref().ok_or(Reason::NotConnected)?;
        let mut response = client
            .post(target.as_str())
            .header(CONTENT_TYPE, "application/json")
            .header(HEADER_ID, message.id)
            .header(HEADER_TIMESTAMP, message.timestamp)
            .header(HEADER_SIGNATURE, message.signature)
            .body(message.body)
            .send()
            .await
            .map_err(|error| reason_of(&error))?;
        let status = response.status();
        let retry_after_ms = retry_after_ms(response.headers(), clock());
        let mut answer = Vec::new();
        let mut read: usize = 0;
        // The status has decided; a body that breaks off or goes on for ever changes nothing.
        while read < BODY_BYTES_MAX
            && let Ok(Some(chunk)) = response.chunk().await
        {
            read = read.saturating_add(chunk.len());
            let room = (ANSWER_BYTES_MAX + CHARACTER_BYTES_MAX).saturating_sub(answer.len());
            answer.extend_from_slice(chunk.get(..room.min(chunk.len())).unwrap_or_default());
        }
        let verdict = if status.is_success() {
            Verdict::Taken
        } else {
            let reason = match status.as_u16() {
                410 => Reason::Gone,
                300..=399 => Reason::Redirected,
                _ => Reason::StatusNotGood,
            };
            Verdict::Failed {
                reason,
                retry_after_ms,
            }
        };
        Ok((status.as_u16(), readable(&answer), verdict))
    }
}

fn failed(reason: Reason) -> Verdict {
    Verdict::Failed {
        reason,
        retry_after_ms: None,
    }
}

/// An answer as text for people, of at most [`ANSWER_BYTES_MAX`] bytes whatever it was made of:
/// what strangers send is shown, never interpreted.
fn readable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let plain = text.chars().map(|character| match character {
        '\n' => '\n',
        control if control.is_control() => ' ',
        other => other,
    });
    let mut kept = String::new();
    for character in plain {
        if kept.len().saturating_add(character.len_utf8()) > ANSWER_BYTES_MAX {
            break;
        }
        kept.push(character);
    }
    kept
}

/// `Retry-After`: seconds, or a date.
fn retry_after_ms(headers: &HeaderMap, now: Instant) -> Option<i64> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(i64::from(seconds).saturating_mul(1_000));
    }
    let date = chrono::DateTime::parse_from_rfc2822(text).ok()?;
    Some(date.timestamp_millis().saturating_sub(now.ms()))
}

/// Why nothing was answered.
fn reason_of(error: &reqwest::Error) -> Reason {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(found) = cause {
        if let Some(guarded) = found.downcast_ref::<Guarded>() {
            return match guarded {
                Guarded::Refused => Reason::AddressRefused,
                Guarded::Unknown => Reason::NameUnknown,
            };
        }
        cause = found.source();
    }
    if error.is_timeout() {
        Reason::TimedOut
    } else if error.is_connect() {
        Reason::NotConnected
    } else {
        Reason::Broken
    }
}

/// Resolves names and gives out only what was checked: the connection goes to one of these
/// addresses and to none that a second look-up might give.
struct Guard {
    networks: Arc<Networks>,
    scheme: Scheme,
}

/// Why a name has no address to connect to.
#[derive(Debug, thiserror::Error)]
enum Guarded {
    #[error("an address that the name resolves to is not allowed")]
    Refused,
    #[error("the name cannot be resolved")]
    Unknown,
}

impl Guard {
    fn allows(&self, address: SocketAddr) -> bool {
        match self.scheme {
            Scheme::Https => self.networks.check(address.ip()).is_ok(),
            Scheme::Http => self.networks.contains(address.ip()),
        }
    }

    /// All of a name's addresses, or none: one bad address among good ones is an attack.
    fn checked(&self, found: impl Iterator<Item = SocketAddr>) -> Result<Vec<SocketAddr>, Guarded> {
        let addresses: Vec<SocketAddr> = found.take(ADDRESSES_MAX).collect();
        if addresses.is_empty() {
            return Err(Guarded::Unknown);
        }
        match addresses.iter().all(|address| self.allows(*address)) {
            true => Ok(addresses),
            false => Err(Guarded::Refused),
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = Self {
            networks: Arc::clone(&self.networks),
            scheme: self.scheme,
        };
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let found = found.map_err(|_| Guarded::Unknown)?;
            let addresses: Addrs = Box::new(guard.checked(found)?.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
#[path = "send_tests.rs"]
mod tests;
