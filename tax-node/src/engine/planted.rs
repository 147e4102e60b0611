//! Faults that tests plant, to see that the simulation catches them.
//!
//! Without the feature `fault-injection` there are none: every question is answered `false` when it
//! is compiled.

/// A fault in what surrounds the agreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Votes leave before the log that they rest on is synced.
    VoteBeforeSync,
    /// A block is voted for whatever digests its header states.
    DigestUnchecked,
    /// A third of the weight makes a fetched block final.
    CertificateOfAThird,
    /// Records are answered before their block is durable.
    AnsweredBeforeDurable,
    /// The log is reset before the block that it led to is durable.
    LogResetEarly,
    /// What peers know of this node's votes is not listened to.
    GreetingIgnored,
    /// The log is not gone through again after a start.
    LogIgnored,
    /// The sequencer goes on over a block that was not decided.
    SequencerNotRestarted,
    /// Blocks of others may lie ahead of every clock.
    FutureAccepted,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 9] = [
        Self::VoteBeforeSync,
        Self::DigestUnchecked,
        Self::CertificateOfAThird,
        Self::AnsweredBeforeDurable,
        Self::LogResetEarly,
        Self::GreetingIgnored,
        Self::LogIgnored,
        Self::SequencerNotRestarted,
        Self::FutureAccepted,
    ];
}

/// The fault that is planted, if any.
#[derive(Clone, Copy, Debug, Default)]
pub struct Planted(#[cfg(any(test, feature = "fault-injection"))] Option<Fault>);

impl Planted {
    /// With this fault.
    #[cfg(any(test, feature = "fault-injection"))]
    #[must_use]
    pub const fn with(fault: Option<Fault>) -> Self {
        Self(fault)
    }

    /// Whether this fault is planted.
    #[cfg(any(test, feature = "fault-injection"))]
    pub(crate) fn has(self, fault: Fault) -> bool {
        self.0 == Some(fault)
    }

    /// Whether this fault is planted: never.
    #[cfg(not(any(test, feature = "fault-injection")))]
    pub(crate) const fn has(self, _fault: Fault) -> bool {
        false
    }
}
