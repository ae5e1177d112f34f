//! The channels of the project, by which people are told beside the notes.

use crate::domain::ids::ChannelName;
use crate::domain::notification::letter::Letter;

/// What became of messages that were handed to a channel, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// How many of them, from the first on, the channel took.
    pub taken: usize,
    /// Why it did not take the rest; names the channel's host at most, never its address.
    pub failure: Option<DeliveryFailure>,
}

/// Why a channel did not take a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryFailure {
    /// What happened.
    pub reason: String,
    /// What to do about it.
    pub mend: String,
}

/// The channels of the project.
pub trait Channels {
    /// Hands messages to a channel, within a bounded time. A channel that does not take them is no error of the job.
    fn deliver(&self, channel: &ChannelName, letters: &[Letter]) -> Delivery;
    /// Why nothing could be handed to it from this job, as far as that can be told without trying.
    fn obstacle(&self, channel: &ChannelName) -> Option<DeliveryFailure>;
}
