//! What went to a market, and what it answered: what quotas, the brake and the statistics are decided by.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use jiff::Timestamp;

use super::gate::AHEAD_MAX;
use crate::model::ThemeSlug;

/// All files that went to one market, in the order in which that was recorded.
///
/// The ledger has one for each market and hands it out by reference: a file takes 28 bytes. It is asked for each decision,
/// and there may be hundreds of thousands of files: what went since a time, and what is of a theme, is found without a look
/// at the others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MarketRecord {
    themes: Vec<OfTheme>,
    /// The place of each theme among them.
    places: HashMap<ThemeSlug, u32>,
    sent: Vec<Entry>,
    /// How many answers were recorded.
    answers: u32,
    /// How many files were sent in a second. Those of a bundle were sent at once.
    times: BTreeMap<i64, Count>,
    /// Earlier times that were recorded after one of these, each earlier than those before it: by the first of them that has
    /// passed what was sent then, by a clock that was ahead, had been sent.
    clock_went_back: BTreeMap<i64, Vec<i64>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct OfTheme {
    theme: ThemeSlug,
    /// The numbers of its files.
    numbers: Vec<u32>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    sent: usize,
    in_review: usize,
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
    /// Whether the market took it, and the number of this answer among all.
    Answered(bool, u32),
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
    /// Its number among all answers, in the order in which they were recorded.
    pub number: u32,
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
    /// Returns the number that the next file gets.
    pub fn next_number(&self) -> usize {
        self.sent.len()
    }

    /// Adds a file, and returns its number.
    pub fn send(&mut self, at: Timestamp, theme: Option<&ThemeSlug>) -> usize {
        let number = self.next_number();
        let theme = theme.map_or(u32::MAX, |theme| {
            let place = self.place_of(theme);
            let number = u32::try_from(number).expect("fewer than four billion files are sent");
            self.themes[place as usize].numbers.push(number);
            place
        });
        self.sent.push(Entry { theme, at_s: at.as_second(), state: State::TakenBack });
        self.becomes(number, State::InReview);
        number
    }

    fn place_of(&mut self, theme: &ThemeSlug) -> u32 {
        if let Some(place) = self.places.get(theme) {
            return *place;
        }
        let place = u32::try_from(self.themes.len()).expect("there are fewer than four billion themes");
        self.themes.push(OfTheme { theme: theme.clone(), numbers: Vec::new() });
        self.places.insert(theme.clone(), place);
        place
    }

    /// Takes what the market answered about a file; an earlier answer counts no more.
    pub fn answer(&mut self, number: usize, is_accepted: bool) {
        self.answers += 1;
        self.becomes(number, State::Answered(is_accepted, self.answers));
    }

    /// Takes back that a file was sent, unless the market answered: then it has it.
    pub fn take_back(&mut self, number: usize) {
        if self.sent[number].state == State::InReview {
            self.becomes(number, State::TakenBack);
        }
    }

    /// Gives a file another state, and counts it by that.
    fn becomes(&mut self, number: usize, state: State) {
        let entry = &mut self.sent[number];
        let before = std::mem::replace(&mut entry.state, state);
        let count = self.times.entry(entry.at_s).or_default();
        count.sent -= usize::from(before != State::TakenBack);
        count.in_review -= usize::from(before == State::InReview);
        count.sent += usize::from(state != State::TakenBack);
        count.in_review += usize::from(state == State::InReview);
        if *count == Count::default() {
            self.times.remove(&entry.at_s);
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

    /// Returns the files of a theme, in the order in which they were recorded.
    pub fn sent_of(&self, theme: &ThemeSlug) -> impl Iterator<Item = SentOnce<'_>> {
        let place = self.places.get(theme).map(|place| *place as usize);
        let numbers = place.map_or(&[][..], |place| &self.themes[place].numbers);
        numbers.iter().filter_map(|number| self.get(*number as usize))
    }

    /// Takes what a clock said after all this was recorded: what lies later was sent by a clock that was ahead, and before now.
    pub fn clock_said(&mut self, at: Timestamp) {
        let at_s = at.as_second();
        for (ahead_s, _) in self.times.range(latest_s(at) + 1..) {
            let earlier = self.clock_went_back.entry(*ahead_s).or_default();
            if earlier.last().is_none_or(|last_s| at_s < *last_s) {
                earlier.push(at_s);
            }
        }
    }

    /// Returns when what is recorded as sent at a time was sent: what happened cannot lie in the future, so that it was before
    /// what was recorded after it; as long as that is nothing, nobody knows more than that it was before `now`.
    pub fn sent_by(&self, at: Timestamp, now: Timestamp) -> Timestamp {
        let latest_s = latest_s(now);
        if at.as_second() <= latest_s {
            return at;
        }
        self.passed(at.as_second(), latest_s).map_or(now, |at_s| time_of(at_s).min(now))
    }

    fn passed(&self, at_s: i64, latest_s: i64) -> Option<i64> {
        self.clock_went_back.get(&at_s)?.iter().copied().find(|earlier_s| *earlier_s <= latest_s)
    }

    /// Returns whether something was sent in the future and nothing that was recorded since says when that was at the latest.
    pub fn is_undated(&self, now: Timestamp) -> bool {
        let latest_s = latest_s(now);
        self.times.range(latest_s + 1..).any(|(at_s, _)| self.passed(*at_s, latest_s).is_none())
    }

    /// Returns how many files of those that were sent after a time are recorded as sent in the future, and when the last of them
    /// were sent at the latest; `None` if none are.
    pub fn sent_ahead(&self, time: Timestamp, now: Timestamp) -> Option<(usize, Timestamp)> {
        let ahead = self.times.range(latest_s(now) + 1..);
        let ahead = ahead.map(|(at_s, count)| (count.sent, self.sent_by(time_of(*at_s), now)));
        ahead.filter(|(_, at)| *at > time).reduce(|(files, last), (more, at)| (files + more, last.max(at)))
    }

    /// Returns how many files were sent at each time after another, the oldest first.
    pub fn sent_after(&self, time: Timestamp, now: Timestamp) -> Vec<(Timestamp, usize)> {
        self.after(time, now, |count| count.sent)
    }

    /// Returns how many files that are not answered were sent at each time after another, the oldest first.
    pub fn in_review_after(&self, time: Timestamp, now: Timestamp) -> Vec<(Timestamp, usize)> {
        self.after(time, now, |count| count.in_review)
    }

    fn after(&self, time: Timestamp, now: Timestamp, files: fn(&Count) -> usize) -> Vec<(Timestamp, usize)> {
        let after = (Bound::Excluded(time.as_second()), Bound::Unbounded);
        let counts = self.times.range(after).map(|(at_s, count)| (self.sent_by(time_of(*at_s), now), files(count)));
        let mut counts: Vec<_> = counts.filter(|(at, _)| *at > time).collect();
        counts.sort_by_key(|(at, _)| *at);
        counts
    }

    /// Returns the last `most` answers about files of a theme, the latest first: whether each was accepted.
    pub fn last_answers(&self, theme: &ThemeSlug, most: usize) -> Vec<bool> {
        let mut answers: Vec<MarketAnswer> = self.sent_of(theme).filter_map(|sent| sent.answer).collect();
        answers.sort_by_key(|answer| std::cmp::Reverse(answer.number));
        answers.into_iter().take(most).map(|answer| answer.is_accepted).collect()
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
        let answer = match entry.state {
            State::TakenBack => return None,
            State::InReview => None,
            State::Answered(is_accepted, number) => Some(MarketAnswer { number, is_accepted }),
        };
        let theme = self.themes.get(entry.theme as usize).map(|of_theme| &of_theme.theme);
        Some(SentOnce { at: time_of(entry.at_s), theme, answer })
    }
}

/// Returns the last second that a clock may have which is right `now`.
fn latest_s(now: Timestamp) -> i64 {
    now.as_second() + AHEAD_MAX.as_secs()
}

fn time_of(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn time(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn what_was_sent_is_counted_by_time_and_by_theme() {
        let [sea, fox] = ["sea", "fox"].map(|name| ThemeSlug::new(name).unwrap());
        let mut record = MarketRecord::default();
        let sent =
            [(10, Some(&sea)), (20, Some(&sea)), (30, Some(&fox)), (40, Some(&sea)), (50, Some(&sea)), (60, None)];
        for (at, theme) in sent {
            record.send(time(at), theme);
        }
        // In the order of the market's list, in which files that were sent later may come first.
        for (number, is_accepted) in [(1, false), (3, false), (2, false), (0, true)] {
            record.answer(number, is_accepted);
        }
        let counts = |times: Vec<(Timestamp, usize)>| times.iter().map(|(_, count)| count).sum::<usize>();
        for (after, sent, in_review) in [(0, 6, 2), (39, 3, 2), (50, 1, 1), (60, 0, 0)] {
            let found = (
                counts(record.sent_after(time(after), time(60))),
                counts(record.in_review_after(time(after), time(60))),
            );
            assert_eq!(found, (sent, in_review), "after {after}");
        }
        assert_eq!(record.last_answers(&sea, 2), [true, false]);
        assert_eq!(record.last_answers(&sea, 9), [true, false, false]);
        let tallies = record.by_theme();
        assert_eq!(tallies[&Some(&sea)], MarketTally { sent: 4, in_review: 1, accepted: 1, refused: 2 });
        assert_eq!(tallies[&None].accepted_percent(), None);
        assert_eq!(tallies[&Some(&sea)].accepted_percent(), Some(33));
    }

    #[test]
    fn what_was_not_sent_after_all_counts_no_more_unless_it_was_answered() {
        let mut record = MarketRecord::default();
        let numbers: Vec<usize> = (0..3).map(|second| record.send(time(second), None)).collect();
        record.answer(numbers[1], true);
        numbers.iter().for_each(|number| record.take_back(*number));
        let left: Vec<_> = record.sent().map(|sent| (sent.at, sent.answer.map(|answer| answer.is_accepted))).collect();
        assert_eq!(left, [(time(1), Some(true))]);
        assert_eq!(record.get(numbers[0]), None);
    }

    /// What was sent by a clock in 2031 kept its market's week full until then.
    #[test]
    fn what_was_sent_in_the_future_was_sent_before_what_was_recorded_after_it() {
        const AHEAD: i64 = 1_000_000;
        // What clocks said after that, in order; now; when it was sent by then, and whether that is as long as nothing follows.
        let rows: [(&[i64], i64, i64, bool); 8] = [
            (&[], 5_000, 5_000, true),
            (&[4_000], 5_000, 4_000, false),
            (&[4_000, 4_500], 9_000, 4_000, false),
            // A second clock was ahead, and is not by now; one that was behind later on says nothing.
            (&[800_000, 4_000, 10], 5_000, 4_000, false),
            (&[800_000], 5_000, 5_000, true),
            // It is right by now, or nearly.
            (&[4_000], AHEAD, AHEAD, false),
            (&[4_000], AHEAD - 299, AHEAD, false),
            (&[], AHEAD - 301, AHEAD - 301, true),
        ];
        for (said, now, sent, is_undated) in rows {
            let mut record = MarketRecord::default();
            record.send(time(3_000), None);
            record.clock_said(time(3_100));
            record.send(time(AHEAD), None);
            said.iter().for_each(|at| record.clock_said(time(*at)));
            let now = time(now);
            assert_eq!(record.sent_by(time(AHEAD), now), time(sent), "{said:?} at {now}");
            assert_eq!(record.is_undated(now), is_undated, "{said:?} at {now}");
            assert_eq!(record.sent_by(time(3_000), now), time(3_000));
            let all = record.sent_after(time(3_000), now);
            assert_eq!(all, [(time(sent), 1)], "{said:?} at {now}");
            assert_eq!(record.in_review_after(time(sent), now), [], "{said:?} at {now}");
        }
    }

    proptest! {
        /// What is counted by time and by theme is what a look at all files counts, whatever came before.
        #[test]
        fn what_is_kept_apart_is_what_all_files_say(
            steps in prop::collection::vec((0_u8..4, 0_i64..9, 0_usize..3, 0_usize..30), 0..60),
            after in 0_i64..9,
        ) {
            let themes = ["sea", "fox"].map(|name| ThemeSlug::new(name).unwrap());
            let mut record = MarketRecord::default();
            let mut sent = 0;
            for (step, second, theme, number) in steps {
                match step {
                    _ if sent == 0 => sent = record.send(time(second), themes.get(theme)) + 1,
                    0 => sent = record.send(time(second), themes.get(theme)) + 1,
                    1 => record.take_back(number % sent),
                    _ => record.answer(number % sent, step == 2),
                }
            }
            let counted = |is_meant: &dyn Fn(&SentOnce<'_>) -> bool| {
                let mut times: BTreeMap<Timestamp, usize> = BTreeMap::new();
                let meant = record.sent().filter(|sent| sent.at > time(after) && is_meant(sent));
                meant.for_each(|sent| *times.entry(sent.at).or_default() += 1);
                times.into_iter().collect::<Vec<_>>()
            };
            let kept = |times: Vec<(Timestamp, usize)>| times.into_iter().filter(|(_, count)| *count > 0).collect::<Vec<_>>();
            prop_assert_eq!(kept(record.sent_after(time(after), time(9))), counted(&|_| true));
            prop_assert_eq!(kept(record.in_review_after(time(after), time(9))), counted(&|sent| sent.answer.is_none()));
            for theme in &themes {
                let all: Vec<_> = record.sent().filter(|sent| sent.theme == Some(theme)).collect();
                prop_assert_eq!(record.sent_of(theme).collect::<Vec<_>>(), all);
            }
        }
    }
}
