use std::time::Duration;

/// So many attempts without any progress, one after the other, are made in one run.
const ATTEMPTS_MAX: u32 = 6;
/// So many files in turn of which a server takes nothing say that it takes none.
const NOT_TAKEN_MAX: u32 = 3;
/// The first pause, and the longest.
const PAUSE_MS: u64 = 1_000;
const PAUSE_MS_MAX: u64 = 60_000;

/// What went wrong, by what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The connection was not made, or ended.
    Cut,
    /// The server cannot now, and says so.
    Busy,
    /// The server has no room.
    Full,
    /// The server does not take the bytes of this file, and does not say why: it may have no room.
    NotTaken,
    /// The server refuses this file for good.
    Refused,
    /// Our own disk refuses this file.
    Ours,
    /// Nothing can be delivered there before a person did something: the login, the key, the folder, the record.
    Stop,
}

/// What to do after something went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// The same again, after a pause.
    Again(Duration),
    /// The next file.
    NextFile,
    /// Nothing more for this market in this run.
    StopMarket,
}

/// Decides what to do after something went wrong, for the `attempt`th time in turn, from 1: without progress for one file, or,
/// where bytes are not taken, for one file after the other. `salt` is any number: pauses of several connections should
/// differ.
pub(super) fn after(kind: Kind, attempt: u32, salt: u64) -> After {
    match kind {
        Kind::Cut | Kind::Busy if attempt < ATTEMPTS_MAX => After::Again(pause(attempt, salt)),
        Kind::NotTaken if attempt < NOT_TAKEN_MAX => After::NextFile,
        Kind::Cut | Kind::Busy | Kind::Full | Kind::NotTaken | Kind::Stop => After::StopMarket,
        Kind::Refused | Kind::Ours => After::NextFile,
    }
}

/// Returns 1, 2, 4 … s, at most a minute, less up to a quarter.
fn pause(attempt: u32, salt: u64) -> Duration {
    let whole = (PAUSE_MS << attempt.saturating_sub(1).min(10)).min(PAUSE_MS_MAX);
    Duration::from_millis(whole - salt % (whole / 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_from_trouble() {
        let again = |ms| After::Again(Duration::from_millis(ms));
        let rows = [
            (Kind::Cut, 1, 0, again(1_000)),
            (Kind::Cut, 1, 249, again(751)),
            (Kind::Cut, 1, 250, again(1_000)),
            (Kind::Busy, 3, 0, again(4_000)),
            (Kind::Cut, 5, 3_999, again(12_001)),
            (Kind::Cut, 6, 0, After::StopMarket),
            (Kind::Busy, 6, 0, After::StopMarket),
            (Kind::Full, 1, 0, After::StopMarket),
            (Kind::NotTaken, 2, 0, After::NextFile),
            (Kind::NotTaken, 3, 0, After::StopMarket),
            (Kind::Stop, 1, 0, After::StopMarket),
            (Kind::Refused, 1, 0, After::NextFile),
            (Kind::Ours, 1, 0, After::NextFile),
        ];
        for (kind, attempt, salt, expected) in rows {
            assert_eq!(after(kind, attempt, salt), expected, "{kind:?} {attempt}");
        }
        assert_eq!(pause(40, 0), Duration::from_secs(60));
    }
}
