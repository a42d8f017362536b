//! What went to a market, and what it answered: what quotas, the brake and the statistics are decided by.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::ThemeSlug;

/// All files that went to one market, in the order in which that was recorded.
///
/// The ledger has one for each market and hands it out by reference: a file takes 32 bytes. Every question but
/// [`Self::sent`] goes through all of them once, so ask it once for a round of decisions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MarketRecord {
    themes: Vec<ThemeSlug>,
    sent: Vec<Entry>,
}

/// Times are in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    /// Its place among the themes; past their end for a file that has none.
    theme: u32,
    at_s: i64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    InReview,
    Answered(bool, i64),
    /// The bundle was not sent after all.
    TakenBack,
}

/// A file that went to a market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentOnce<'a> {
    /// When its bundle was sent, to the second.
    pub at: Timestamp,
    /// Its theme.
    pub theme: Option<&'a ThemeSlug>,
    /// What the market answered; `None` as long as that is not known.
    pub answer: Option<MarketAnswer>,
}

/// What a market answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarketAnswer {
    /// When that was recorded, to the second.
    pub at: Timestamp,
    /// Whether the market took the file.
    pub is_accepted: bool,
}

/// How many files went to a market, and what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MarketTally {
    /// All.
    pub sent: usize,
    /// Those that the market did not answer.
    pub in_review: usize,
    /// Those that it took.
    pub accepted: usize,
    /// Those that it refused.
    pub refused: usize,
}

impl MarketTally {
    /// Returns the share that was accepted of what was answered, in percent; `None` as long as nothing was.
    pub fn accepted_percent(&self) -> Option<usize> {
        (self.accepted * 100).checked_div(self.accepted + self.refused)
    }
}

impl MarketRecord {
    /// Adds a file, and returns its number.
    pub fn send(&mut self, at: Timestamp, theme: Option<&ThemeSlug>) -> usize {
        let theme = theme.map_or(usize::MAX, |theme| {
            let known = self.themes.iter().position(|known| known == theme);
            known.unwrap_or_else(|| {
                self.themes.push(theme.clone());
                self.themes.len() - 1
            })
        });
        let theme = u32::try_from(theme).unwrap_or(u32::MAX);
        self.sent.push(Entry { theme, at_s: at.as_second(), state: State::InReview });
        self.sent.len() - 1
    }

    /// Takes what the market answered about a file; an earlier answer counts no more.
    pub fn answer(&mut self, number: usize, is_accepted: bool, at: Timestamp) {
        self.sent[number].state = State::Answered(is_accepted, at.as_second());
    }

    /// Takes back that a file was sent, unless the market answered: then it has it.
    pub fn take_back(&mut self, number: usize) {
        if self.sent[number].state == State::InReview {
            self.sent[number].state = State::TakenBack;
        }
    }

    /// Returns a file by its number; `None` if it was not sent after all.
    pub fn get(&self, number: usize) -> Option<SentOnce<'_>> {
        self.shown(&self.sent[number])
    }

    /// Returns all files, in the order in which they were recorded.
    pub fn sent(&self) -> impl Iterator<Item = SentOnce<'_>> {
        self.sent.iter().filter_map(|entry| self.shown(entry))
    }

    /// Returns how many files were sent at a time or later.
    pub fn sent_since(&self, since: Timestamp) -> usize {
        self.sent().filter(|sent| sent.at >= since).count()
    }

    /// Returns how many files that were sent at a time or later are not answered.
    pub fn in_review_since(&self, since: Timestamp) -> usize {
        self.sent().filter(|sent| sent.at >= since && sent.answer.is_none()).count()
    }

    /// Returns the last `most` answers about files of a theme, the latest first: whether each was accepted. Of answers
    /// that were recorded together, those about files that were sent later are later.
    pub fn last_answers(&self, theme: &ThemeSlug, most: usize) -> Vec<bool> {
        let of_theme = self.sent().filter(|sent| sent.theme == Some(theme));
        let mut answers: Vec<_> =
            of_theme.filter_map(|sent| sent.answer.map(|answer| (answer.at, sent.at, answer.is_accepted))).collect();
        answers.sort_by_key(|(answered, sent, _)| std::cmp::Reverse((*answered, *sent)));
        answers.into_iter().take(most).map(|(_, _, is_accepted)| is_accepted).collect()
    }

    /// Returns how many files were sent of each theme, and what became of them.
    pub fn by_theme(&self) -> BTreeMap<Option<&ThemeSlug>, MarketTally> {
        let mut tallies: BTreeMap<_, MarketTally> = BTreeMap::new();
        for sent in self.sent() {
            let tally = tallies.entry(sent.theme).or_default();
            tally.sent += 1;
            match sent.answer.map(|answer| answer.is_accepted) {
                None => tally.in_review += 1,
                Some(true) => tally.accepted += 1,
                Some(false) => tally.refused += 1,
            }
        }
        tallies
    }

    fn shown(&self, entry: &Entry) -> Option<SentOnce<'_>> {
        let time = |second| Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH);
        let answer = match entry.state {
            State::TakenBack => return None,
            State::InReview => None,
            State::Answered(is_accepted, at_s) => Some(MarketAnswer { at: time(at_s), is_accepted }),
        };
        Some(SentOnce { at: time(entry.at_s), theme: self.themes.get(entry.theme as usize), answer })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn what_was_sent_is_counted_by_time_and_by_theme() {
        let [sea, fox] = ["sea", "fox"].map(|name| ThemeSlug::new(name).unwrap());
        let mut record = MarketRecord::default();
        // When it was sent, its theme, and what was answered when.
        let rows = [
            (10, Some(&sea), Some((true, 50))),
            (20, Some(&sea), Some((false, 40))),
            (30, Some(&fox), Some((false, 50))),
            (40, Some(&sea), Some((false, 50))),
            (50, Some(&sea), None),
            (60, None, None),
        ];
        for (at, theme, answer) in rows {
            let number = record.send(time(at), theme);
            if let Some((is_accepted, at)) = answer {
                record.answer(number, is_accepted, time(at));
            }
        }
        for (since, sent, in_review) in [(0, 6, 2), (40, 3, 2), (51, 1, 1), (61, 0, 0)] {
            let found = (record.sent_since(time(since)), record.in_review_since(time(since)));
            assert_eq!(found, (sent, in_review), "since {since}");
        }
        assert_eq!(record.last_answers(&sea, 2), [false, true]);
        assert_eq!(record.last_answers(&sea, 9), [false, true, false]);
        let tallies = record.by_theme();
        assert_eq!(tallies[&Some(&sea)], MarketTally { sent: 4, in_review: 1, accepted: 1, refused: 2 });
        assert_eq!(tallies[&None].accepted_percent(), None);
        assert_eq!(tallies[&Some(&sea)].accepted_percent(), Some(33));
    }

    #[test]
    fn what_was_not_sent_after_all_counts_no_more_unless_it_was_answered() {
        let mut record = MarketRecord::default();
        let numbers: Vec<usize> = (0..3).map(|second| record.send(time(second), None)).collect();
        record.answer(numbers[1], true, time(9));
        numbers.iter().for_each(|number| record.take_back(*number));
        let left: Vec<_> = record.sent().map(|sent| (sent.at, sent.answer.map(|answer| answer.is_accepted))).collect();
        assert_eq!(left, [(time(1), Some(true))]);
        assert_eq!(record.get(numbers[0]), None);
    }
}
