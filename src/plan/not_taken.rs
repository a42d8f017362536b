//! Why markets do not get a file, in words: a person reads first which they are, and each reason once.

use super::Hold;
use crate::model::MarketName;

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

/// Returns values, each once and with the names of all that have it, in the order of the first of them.
pub(super) fn together<T: PartialEq>(all: impl IntoIterator<Item = (MarketName, T)>) -> Vec<(String, T)> {
    let mut groups: Vec<(String, T)> = Vec::new();
    for (market, value) in all {
        match groups.iter_mut().find(|(_, known)| *known == value) {
            Some((markets, _)) => *markets = format!("{markets}, {market}"),
            None => groups.push((market.to_string(), value)),
        }
    }
    groups
}

/// Returns what is told of the markets that do not get a file: each reason once, with all that have it.
pub(super) fn told(refused: &[(MarketName, NotTaken)]) -> Vec<String> {
    let each = refused.iter().flat_map(|(market, refusal)| {
        refusal.reasons.iter().map(|reason| (market.clone(), (refusal.cause == Cause::Room, reason.as_str())))
    });
    let mut groups: Vec<(String, bool, String)> = Vec::new();
    for (markets, (is_later, reason)) in together(each) {
        match groups.iter_mut().find(|(known, later, _)| *known == markets && *later == is_later) {
            Some((_, _, reasons)) => *reasons = format!("{reasons}; {reason}"),
            None => groups.push((markets, is_later, reason.to_owned())),
        }
    }
    let line = |(markets, is_later, reasons): (String, bool, String)| {
        let says = match (is_later, markets.contains(',')) {
            (false, false) => "refuses it",
            (false, true) => "refuse it",
            (true, false) => "gets it later",
            (true, true) => "get it later",
        };
        format!("{markets} {says}: {reasons}")
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
        // The markets, each with its cause and reasons, and what is told.
        type Row<'a> = (&'a [(&'a str, Cause, &'a [&'a str])], &'a [&'a str]);
        let rows: [Row<'_>; 4] = [
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
}
