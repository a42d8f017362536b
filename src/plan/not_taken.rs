//! Why markets do not get a file, in words: a person reads first which they are, and each reason once.

use super::Hold;
use crate::model::{MarketName, together};

/// Why a market does not get a file.
#[derive(Clone)]
pub(super) struct NotTaken {
    pub(super) reasons: Vec<String>,
    pub(super) cause: Cause,
}

/// What would have to change for a market to get a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The file, or the market's rules.
    File,
    /// Its tags.
    Tags,
    /// The market got it before.
    Before,
    /// The market has no room for it now.
    Room,
    /// The market has no room for it now, and nobody can tell later whether it is whole then.
    Parts,
}

impl Cause {
    /// Returns how it is told, of one market and of several.
    fn says(self) -> [&'static str; 2] {
        match self {
            Self::File | Self::Tags => ["refuses it", "refuse it"],
            Self::Before => ["does not get it again", "do not get it again"],
            Self::Room => ["gets it later", "get it later"],
            Self::Parts => ["does not get it by itself", "do not get it by themselves"],
        }
    }
}

impl NotTaken {
    pub(super) fn new(cause: Cause, reason: &str) -> Self {
        Self { reasons: vec![reason.to_owned()], cause }
    }

    /// Adds what the market does not get of the tags, where that is why it refuses the file: where it has all the same
    /// against the tags as they are (`against_whole`), it is no reason.
    pub(super) fn with_left_out(mut self, left_out: &[String], against_whole: &[String]) -> Self {
        let is_why = self.reasons.iter().any(|reason| !against_whole.contains(reason));
        if is_why && !left_out.is_empty() {
            self.reasons.push(format!("of its tags the market would get less: {}", left_out.join("; ")));
        }
        self
    }
}

/// Returns what is told of the markets that do not get a file: each reason once, with all that have it.
pub(super) fn told(refused: &[(MarketName, NotTaken)]) -> Vec<String> {
    let each = refused.iter().flat_map(|(market, refusal)| {
        refusal.reasons.iter().map(|reason| (market.clone(), (refusal.cause.says(), reason.as_str())))
    });
    let mut groups: Vec<(String, [&str; 2], String)> = Vec::new();
    for (markets, (says, reason)) in together(each) {
        match groups.iter_mut().find(|(known, said, _)| *known == markets && *said == says) {
            Some((_, _, reasons)) => *reasons = format!("{reasons}; {reason}"),
            None => groups.push((markets, says, reason.to_owned())),
        }
    }
    let line = |(markets, says, reasons): (String, [&str; 2], String)| {
        format!("{markets} {}: {reasons}", says[usize::from(markets.contains(','))])
    };
    groups.into_iter().map(line).collect()
}

/// Returns why a file stays that no market takes.
pub(super) fn refused_by_all(refused: &[(MarketName, NotTaken)]) -> Hold {
    let why = told(refused).join("; ");
    let is_any = |cause: Cause| refused.iter().any(|(_, refusal)| refusal.cause == cause);
    match why {
        none if none.is_empty() => Hold::Waits("no market is configured; name one under `upload.markets`".to_owned()),
        why if is_any(Cause::Room) => Hold::NoRoom(why),
        why if is_any(Cause::Tags) => Hold::Untagged(why),
        // As long as another market may get it, it is to stay.
        why if is_any(Cause::Before) => {
            let done = "no other market gets it; if you are done with it, move it out of `upload`, or delete it";
            Hold::Unwanted(format!("{why}; {done}"))
        }
        why => Hold::Unwanted(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line told the same reason once for each of seven markets.
    #[test]
    fn markets_that_say_the_same_are_told_together() {
        let (ai, small, room) = ("it takes no work made by AI", "it has 1.0 megapixels", "it has 2 files of today");
        let sent = "it was sent";
        // The markets, each with its cause and reasons, and what is told.
        type Row<'a> = (&'a [(&'a str, Cause, &'a [&'a str])], &'a [&'a str]);
        let rows: [Row<'_>; 5] = [
            (&[], &[]),
            (
                &[("a", Cause::File, &[small, ai])],
                &["a refuses it: it has 1.0 megapixels; it takes no work made by AI"],
            ),
            (
                &[("a", Cause::File, &[ai]), ("b", Cause::File, &[ai, small]), ("c", Cause::Tags, &[ai])],
                &["a, b, c refuse it: it takes no work made by AI", "b refuses it: it has 1.0 megapixels"],
            ),
            (
                &[("a", Cause::Room, &[room]), ("b", Cause::File, &[room]), ("c", Cause::Room, &[room])],
                &["a, c get it later: it has 2 files of today", "b refuses it: it has 2 files of today"],
            ),
            // It is not the market that says so.
            (
                &[("a", Cause::Before, &[sent]), ("b", Cause::Before, &[sent]), ("c", Cause::Room, &[room])],
                &["a, b do not get it again: it was sent", "c gets it later: it has 2 files of today"],
            ),
        ];
        for (refused, expected) in rows {
            let refused: Vec<(MarketName, NotTaken)> = refused
                .iter()
                .map(|(market, cause, reasons)| {
                    let reasons = reasons.iter().map(|reason| (*reason).to_owned()).collect();
                    (MarketName::new(market).unwrap(), NotTaken { reasons, cause: *cause })
                })
                .collect();
            assert_eq!(told(&refused), expected);
        }
    }

    /// Who read "delete it" of a file that another market got on the next day lost that one.
    #[test]
    fn what_another_market_may_get_is_not_to_be_deleted() {
        let rows: [(&[Cause], bool); 5] = [
            (&[Cause::Before], true),
            (&[Cause::Before, Cause::File], true),
            (&[Cause::Before, Cause::Room], false),
            (&[Cause::Before, Cause::Tags], false),
            (&[Cause::File], false),
        ];
        for (causes, is_done) in rows {
            let refused: Vec<_> =
                causes.iter().map(|cause| (MarketName::recorded("m"), NotTaken::new(*cause, "why"))).collect();
            let why = refused_by_all(&refused).to_string();
            assert_eq!(why.contains("delete it"), is_done, "{causes:?}: {why}");
        }
    }
}
