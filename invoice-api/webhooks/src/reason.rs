//! Why a message was not taken, and why an endpoint gets nothing any more.

use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($(#[$doc:meta])* $type:ident { $($(#[$each:meta])* $name:ident = $code:literal, $zh:literal, $en:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $type { $($(#[$each])* #[serde(rename = $code)] $name,)* }

        impl $type {
            /// Every one, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable code.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What to tell a reader of Chinese.
            #[must_use]
            pub const fn zh(self) -> &'static str {
                match self { $(Self::$name => $zh,)* }
            }

            /// What to tell a reader of English.
            #[must_use]
            pub const fn en(self) -> &'static str {
                match self { $(Self::$name => $en,)* }
            }
        }
    };
}

reasons! {
    /// Why an attempt failed. Codes are permanent.
    Reason {
        /// The name has no address.
        NameUnknown = "name_unknown",
            "无法解析域名。", "The host name cannot be resolved.";
        /// The name leads to an address that the node does not send to.
        AddressRefused = "address_refused",
            "目标地址属于内网、本机或保留网段，本节点不向其发送。",
            "The address is local, private or reserved; this node does not send there.";
        /// No connection came about, or TLS failed.
        NotConnected = "not_connected",
            "无法建立连接（拒绝连接，或 TLS 证书不被信任）。",
            "No connection: it was refused, or the TLS certificate is not trusted.";
        /// No whole answer within 15 seconds.
        TimedOut = "timed_out", "15 秒内没有完整应答。", "There was no whole answer within 15 seconds.";
        /// The connection broke before there was an answer.
        Broken = "broken", "连接在应答前中断。", "The connection broke before there was an answer.";
        /// The answer sends elsewhere, which is not followed.
        Redirected = "redirected",
            "接收方要求重定向，本节点不跟随。", "The answer is a redirection, which is not followed.";
        /// The answer is not 2xx.
        StatusNotGood = "status_not_good",
            "接收方未以 2xx 应答。", "The receiver did not answer with 2xx.";
        /// The answer is 410: the endpoint is disabled.
        Gone = "gone", "接收方应答 410，已停用。", "The receiver answered 410, so the endpoint is disabled.";
    }
}

reasons! {
    /// Why an endpoint gets nothing until its member enables it again. Codes are permanent.
    Disabled {
        /// The receiver answered 410 Gone.
        Gone = "gone", "接收方应答 410（不再接收）。", "The receiver answered 410 Gone.";
        /// Nothing was taken for five days.
        Failing = "failing", "连续五天投递失败。", "Deliveries failed for five days.";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_code_of_its_own_and_two_texts() {
        for (place, reason) in Reason::ALL.iter().enumerate() {
            let earlier = Reason::ALL.iter().take(place);
            assert!(earlier.clone().all(|other| other.code() != reason.code()));
            assert!(!reason.zh().is_ascii() && reason.en().is_ascii());
            let text = serde_json::to_string(reason).unwrap();
            assert_eq!(text, format!("\"{}\"", reason.code()));
        }
        for disabled in Disabled::ALL {
            assert!(!disabled.zh().is_ascii() && disabled.en().is_ascii());
        }
    }
}
