use std::fmt::{self, Write as _};
use std::time::Duration;

use super::after::Kind;
use crate::vault::ReadSeek;

/// How long a server may take to answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// The most characters of what is told of one trouble: a server may say anything.
const TOLD_MAX: usize = 2000;

/// Something that went wrong, in words that never hold a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) kind: Kind,
    /// As it was said. What is told of it is one short line.
    pub(super) what: String,
}

impl Trouble {
    pub(super) fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into() }
    }

    /// Returns it without a secret: a server may repeat what it was told.
    pub(super) fn without(self, secret: &str) -> Self {
        let what = if secret.is_empty() { self.what } else { self.what.replace(secret, "…") };
        Self { what, ..self }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What a server says must not look like a line of ours, nor command a terminal.
        let plain = |char: char| if char.is_control() { ' ' } else { char };
        self.what.chars().take(TOLD_MAX).try_for_each(|char| f.write_char(plain(char)))
    }
}

/// A connection to a server, in the folder that the settings name. Small, so that a test can be one.
pub(super) trait Server: Send {
    /// Returns how many bytes a file has; `None` if it is not there.
    fn size(&mut self, name: &str) -> Result<Option<u64>, Trouble>;
    /// Writes a file from a byte on, up to the end of what is read; what lies there before that byte stays. Ends only when
    /// the server said that it has all.
    fn send(&mut self, name: &str, from: u64, bytes: &mut dyn ReadSeek) -> Result<(), Trouble>;
    /// Gives a file another name, which is free.
    fn rename(&mut self, from: &str, to: &str) -> Result<(), Trouble>;
    /// Removes a file.
    fn remove(&mut self, name: &str) -> Result<(), Trouble>;
    /// Returns how many bytes before the end of a cut file are sent again: a server may have written them in any order.
    fn overlap(&self) -> u64;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_stays_one_short_line() {
        let said = Trouble::new(Kind::Refused, format!("550 no\r\n\u{1b}[2Ja.jpg: delivered{}", "x".repeat(9000)));
        let told = said.to_string();
        assert!(told.starts_with("550 no   [2Ja.jpg: delivered") && told.len() == TOLD_MAX, "{told}");
    }

    /// Where the line ended within the secret, its beginning was told; one with a control character was told whole.
    #[test]
    fn what_a_server_repeats_of_a_secret_is_taken_out_whole() {
        for (before, secret) in [("x".repeat(TOLD_MAX - 5), "hunter2"), (String::new(), "hun\tter2")] {
            let told = Trouble::new(Kind::Refused, format!("{before}{secret} is wrong")).without(secret).to_string();
            assert!(!told.contains("hun") && told.starts_with(&format!("{before}…")), "{told}");
        }
    }
}
