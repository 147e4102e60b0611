//! How a client is set up.

use std::time::Duration;

use reqwest::Url;

use super::error::ClientError;
use super::limits;

/// The language that the registry is asked to answer in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AnswerLanguage {
    /// 中文
    #[default]
    Chinese,
    /// English
    English,
}

impl AnswerLanguage {
    /// The value of `Accept-Language`.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }
}

/// Settings of a client. [`ClientConfig::new`] has defaults for all but the address.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Address of the registry: scheme, host and port, without a path.
    pub server: String,
    /// Certificates in PEM that alone are trusted for `https`; the system's when absent.
    pub ca_pem: Option<Vec<u8>>,
    /// The language of the answers' texts.
    pub language: AnswerLanguage,
    /// Time for one attempt of one call.
    pub attempt_timeout: Duration,
    /// Attempts of one call, at least 1.
    pub attempts: u32,
}

impl ClientConfig {
    /// Settings for the registry at this address.
    #[must_use]
    pub fn new(server: impl Into<String>) -> Self {
        Self {
            server: server.into(),
            ca_pem: None,
            language: AnswerLanguage::default(),
            attempt_timeout: limits::ATTEMPT_TIMEOUT,
            attempts: limits::ATTEMPTS_MAX,
        }
    }

    /// Paths are signed as the server sees them, so nothing may stand between host and path.
    pub(super) fn server_url(&self) -> Result<Url, ClientError> {
        let fault = |what: &str| ClientError::Setup(format!("{}: {what}", self.server));
        let url = Url::parse(&self.server).map_err(|error| fault(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(fault(
                "应为 http 或 https 地址 / an http or https address is needed",
            ));
        }
        let bare = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !bare {
            return Err(fault("只写协议、主机和端口 / only scheme, host and port"));
        }
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_scheme_host_and_port() {
        for (server, good) in [
            ("http://127.0.0.1:8080", true),
            ("https://registry.example/", true),
            ("http://[::1]:8080", true),
            ("127.0.0.1:8080", false),
            ("ftp://registry.example", false),
            ("http://registry.example/v1", false),
            ("http://registry.example/?x=1", false),
            ("http://user@registry.example/", false),
            ("", false),
        ] {
            assert_eq!(
                ClientConfig::new(server).server_url().is_ok(),
                good,
                "{server}"
            );
        }
    }
}
