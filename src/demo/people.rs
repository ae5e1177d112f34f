//! Who plays in the story.

/// Somebody with an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person {
    /// The user name.
    pub name: &'static str,
    /// The name people say.
    pub called: &'static str,
    /// What they do.
    pub part: &'static str,
    /// GitLab's number of their role in the project.
    pub access: u64,
}

/// Everybody, bots included.
pub const EVERYBODY: [Person; 8] = [
    Person {
        name: "olga",
        called: "Olga",
        part: "product owner",
        access: 30,
    },
    Person {
        name: "quentin",
        called: "Quentin",
        part: "QA",
        access: 30,
    },
    Person {
        name: "rita",
        called: "Rita",
        part: "release manager",
        access: 40,
    },
    Person {
        name: "ana",
        called: "Ana",
        part: "developer",
        access: 30,
    },
    Person {
        name: "dan",
        called: "Dan",
        part: "developer",
        access: 30,
    },
    Person {
        name: "eve",
        called: "Eve",
        part: "developer",
        access: 30,
    },
    Person {
        name: "mallory",
        called: "Mallory",
        part: "developer who holds no role",
        access: 30,
    },
    Person {
        name: "trainyard-bot",
        called: "Trainyard",
        part: "the bot of the gate",
        access: 40,
    },
];

/// The bot that lands, and owns the trigger that wakes the gate.
pub const BOT: &str = "trainyard-bot";
