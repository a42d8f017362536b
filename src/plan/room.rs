//! Whether a market gets one more file of a theme now: its limits, and what it answered so far.

use jiff::{SignedDuration, Timestamp, ZonedDateTime};

use super::gate::{WEEK_DAYS, day_start, week_start};
use super::{MarketRecord, SentOnce};
use crate::config::{Brake, MarketLimits, UploadDay};
use crate::model::{MarketName, ThemeSlug};

/// What a market got so far.
#[derive(Debug, Clone, Copy)]
pub struct MarketUse<'a> {
    /// Which market.
    pub market: &'a MarketName,
    /// How many files its bundles of today have.
    pub today: usize,
    /// How many files its bundles have that were not sent yet.
    pub unsent: usize,
    /// How many of these are of the theme that is asked about.
    pub unsent_of_theme: usize,
    /// What was sent to it, and what it answered.
    pub record: &'a MarketRecord,
}

/// Why a market gets no more for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoRoom {
    /// In words, with what ends it.
    pub why: String,
    /// The same of a file in a bundle, which no release lets go.
    pub of_bundled: String,
    /// When time alone ends it, or the first of several reasons, if it does.
    pub opens: Option<Timestamp>,
}

/// One of the settings that hold a file.
struct Held {
    /// In words, with what ends it.
    why: String,
    /// Whether it holds the theme and not the market, so that it is told how a person lets the theme go.
    is_of_theme: bool,
    opens: Option<Timestamp>,
}

/// Returns whether a market gets one more file of a theme now, or why not.
pub fn check_room(day: &UploadDay, used: &MarketUse<'_>, theme: &ThemeSlug, now: &ZonedDateTime) -> Result<(), NoRoom> {
    let held = [
        day.limits.get(used.market).and_then(|limits| within_limits(limits, used, now)),
        day.brake.as_ref().and_then(|brake| not_braked(brake, used, theme)),
        day.probe.and_then(|probe| probed(probe, day.review_days(used.market), used, theme, now)),
    ];
    let held: Vec<Held> = held.into_iter().flatten().collect();
    if held.is_empty() {
        return Ok(());
    }
    let of_bundled = held.iter().map(|held| &*held.why).collect::<Vec<_>>().join("; and ");
    let is_of_theme = held.iter().any(|held| held.is_of_theme);
    let release = is_of_theme.then(|| {
        format!("; earlier, past the limits of every market, with `stockmill release upload {theme} --anyway`")
    });
    let why = format!("{of_bundled}{}", release.unwrap_or_default());
    Err(NoRoom { why, of_bundled, opens: held.iter().filter_map(|held| held.opens).min() })
}

/// A limit that is reached: what counts for it, and when one of that counts no more.
struct Reached {
    what: String,
    opens: Option<Timestamp>,
}

fn within_limits(limits: &MarketLimits, used: &MarketUse<'_>, now: &ZonedDateTime) -> Option<Held> {
    let reached = [
        limits.at_most.and_then(|most| of_day(most, used, now)),
        limits.at_most_per_week.and_then(|most| of_week(most, used, now)),
        limits.at_most_in_review.and_then(|most| in_review(most, limits.review_days, used, now.timestamp())),
    ];
    let reached: Vec<Reached> = reached.into_iter().flatten().collect();
    if reached.is_empty() {
        return None;
    }
    let what = reached.iter().map(|reached| &*reached.what).collect::<Vec<_>>().join(", and ");
    let opens = reached.iter().map(|reached| reached.opens).collect::<Option<Vec<_>>>();
    let opens = opens.and_then(|opens| opens.into_iter().max());
    let when = opens.map_or_else(
        || "there is room again some time after bundles of it are sent".to_owned(),
        |opens| format!("there is room again on {}", told(opens, now)),
    );
    let is_review = limits.at_most_in_review.is_some() && what.contains("in review");
    let answers = if is_review { ", or once it has answered (`stockmill verdicts`)" } else { "" };
    let week = limits.at_most_per_week.map(|_| before_week(now));
    let review = limits.at_most_in_review.map(|_| now.timestamp() - days_of(limits.review_days));
    let ahead = week.into_iter().chain(review).min().map(|since| ahead_told(used.record, since, now));
    let ahead = ahead.unwrap_or_default();
    let why = format!("it has {what} in `upload.limits`; {when}{answers}{ahead}");
    Some(Held { why, is_of_theme: false, opens })
}

fn of_day(most: u32, used: &MarketUse<'_>, now: &ZonedDateTime) -> Option<Reached> {
    let what = beside(most as usize, used.today, "of today");
    (used.today >= most as usize).then(|| Reached { what, opens: day_start(now, 1) })
}

/// What lies in bundles counts until it was sent, and then for seven days, that of the sending among them.
fn of_week(most: u32, used: &MarketUse<'_>, now: &ZonedDateTime) -> Option<Reached> {
    let ends = |at: Timestamp| day_start(&at.to_zoned_datetime(now.time_zone().clone()), WEEK_DAYS);
    counted(most, used.unsent, &used.record.sent_after(before_week(now), now.timestamp()), ends)
        .map(|(count, opens)| Reached { what: beside(most as usize, count, "this week"), opens })
}

/// Returns the last second that does not belong to the last seven days.
fn before_week(now: &ZonedDateTime) -> Timestamp {
    week_start(now).checked_sub(SignedDuration::from_secs(1)).unwrap_or(Timestamp::MIN)
}

/// What was sent and not answered counts, until nobody expects an answer any more.
fn in_review(most: u32, days: u32, used: &MarketUse<'_>, now: Timestamp) -> Option<Reached> {
    let span = days_of(days);
    let sent = used.record.in_review_after(now - span, now);
    let counted = counted(most, used.unsent, &sent, |at| next_minute(at + span));
    counted.map(|(count, opens)| Reached { what: beside(most as usize, count, "in review or on the way there"), opens })
}

/// Returns how many files count beside a limit: what a person lets go may be more.
fn beside(most: usize, count: usize, which: &str) -> String {
    let limit = if count > most { format!("more than its limit of {most}") } else { "which is its limit".to_owned() };
    format!("{} {which}, {limit}", files(count))
}

/// Returns how much counts for a limit that is reached, and when enough of what was sent counts no more; `None` for a
/// time if what is not sent yet is too much alone.
fn counted(
    most: u32,
    unsent: usize,
    sent: &[(Timestamp, usize)],
    ends: impl Fn(Timestamp) -> Option<Timestamp>,
) -> Option<(usize, Option<Timestamp>)> {
    let (most, count) = (most as usize, unsent + sent.iter().map(|(_, files)| files).sum::<usize>());
    let mut beyond = count.checked_sub(most)?;
    let last = sent.iter().find(|(_, files)| {
        let is_last = beyond < *files;
        beyond = beyond.saturating_sub(*files);
        is_last
    });
    Some((count, last.and_then(|(at, _)| ends(*at))))
}

/// Holds a theme of which a market refused too much.
fn not_braked(brake: &Brake, used: &MarketUse<'_>, theme: &ThemeSlug) -> Option<Held> {
    let answers = used.record.last_answers(theme, brake.last as usize);
    let accepted = u32::try_from(answers.iter().filter(|is_accepted| **is_accepted).count()).unwrap_or(u32::MAX);
    if answers.len() < brake.last as usize || f64::from(accepted) >= brake.accepted_min * f64::from(brake.last) {
        return None;
    }
    let say = if accepted == 1 { "says" } else { "say" };
    let why = format!(
        "of its last {} about files of `{theme}` {accepted} {say} accepted, and `upload.brake` wants {:.0} %: it gets \
         more once newer answers are better (`stockmill verdicts`), or `upload.brake` wants less",
        crate::model::counted(brake.last as usize, "answer"),
        brake.accepted_min * 100.0
    );
    Some(Held { why, is_of_theme: true, opens: None })
}

/// Holds a theme until the market has answered about its first files.
fn probed(probe: u32, review_days: u32, used: &MarketUse<'_>, theme: &ThemeSlug, now: &ZonedDateTime) -> Option<Held> {
    let probe = probe as usize;
    let at = |sent: &SentOnce<'_>| used.record.sent_by(sent.at, now.timestamp());
    let mut sent: Vec<_> = used.record.sent_of(theme).map(|sent| SentOnce { at: at(&sent), ..sent }).collect();
    // Which files of one bundle were there first nobody knows: who let others go with them asked for no more answers.
    sent.sort_by_key(|sent| (sent.at, sent.answer.is_none()));
    if sent.len() + used.unsent_of_theme < probe {
        return None;
    }
    let first = &sent[..sent.len().min(probe)];
    let span = days_of(review_days);
    let expires = |at: Timestamp| next_minute(at + span);
    let open: Vec<Timestamp> = first.iter().filter(|sent| sent.answer.is_none()).map(|sent| sent.at).collect();
    let is_whole = first.len() == probe;
    let opens = open.last().and_then(|at| expires(*at)).filter(|_| is_whole);
    if is_whole && (open.is_empty() || opens.is_some_and(|opens| opens <= now.timestamp())) {
        return None;
    }
    let when = opens.map_or_else(String::new, |opens| format!(", or on {}", told(opens, now)));
    let why = format!(
        "the first {} of `{theme}` went there as a probe (`upload.probe`), and it has not answered about all of them: the \
         others follow once it has (`stockmill verdicts`){when}{}",
        files(probe),
        ahead_told(used.record, now.timestamp() - span, now)
    );
    Some(Held { why, is_of_theme: true, opens })
}

/// Returns what is told of files sent after a time of which a clock that was ahead recorded that.
fn ahead_told(record: &MarketRecord, since: Timestamp, now: &ZonedDateTime) -> String {
    let Some((count, at)) = record.sent_ahead(since, now.timestamp()) else { return String::new() };
    let count_s = if count == 1 { "counts" } else { "count" };
    let sent = files(count);
    format!("; {sent}, recorded as sent by a clock that was wrong, {count_s} as sent on {}", told(at, now))
}

fn days_of(days: u32) -> SignedDuration {
    SignedDuration::from_hours(i64::from(days) * 24)
}

/// Returns the minute after a time: times are told by the minute, and in the one that is told it is so.
fn next_minute(at: Timestamp) -> Option<Timestamp> {
    Timestamp::from_second((at.as_second() / 60 + 1) * 60).ok()
}

fn files(count: usize) -> String {
    crate::model::counted(count, "file")
}

fn told(at: Timestamp, now: &ZonedDateTime) -> String {
    at.to_zoned_datetime(now.time_zone().clone()).strftime("%A %Y-%m-%d %H:%M (%Z)").to_string()
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn limits(at_most: Option<u32>, at_most_per_week: Option<u32>, at_most_in_review: Option<u32>) -> MarketLimits {
        MarketLimits { at_most, at_most_per_week, at_most_in_review, review_days: 14 }
    }

    fn day_with(limits: MarketLimits) -> UploadDay {
        UploadDay { limits: [(MarketName::recorded("pond5"), limits)].into(), ..UploadDay::default() }
    }

    fn check(day: &UploadDay, today: usize, unsent: usize, record: &MarketRecord, now: &str) -> Result<(), NoRoom> {
        let (market, theme) = (MarketName::recorded("pond5"), ThemeSlug::new("sea").unwrap());
        let used = MarketUse { market: &market, today, unsent, unsent_of_theme: unsent, record };
        check_room(day, &used, &theme, &now.parse().unwrap())
    }

    #[test]
    fn a_limit_tells_what_counts_and_when_there_is_room_again() {
        const NOW: &str = "2026-10-24T12:00:00+02:00[Europe/Berlin]";
        let mut record = MarketRecord::default();
        for (sent, answered) in [
            ("2026-10-01T10:00:00Z", false),
            ("2026-10-12T10:00:20Z", false),
            ("2026-10-13T10:00:00Z", true),
            ("2026-10-18T10:00:20Z", false),
            ("2026-10-20T10:00:00Z", true),
        ] {
            let number = record.send(at(sent), None);
            if answered {
                record.answer(number, false);
            }
        }
        let (day, week, review) = ("3 files of today, which is its limit in", "this week", "in review");
        let (beyond, both) =
            ("8 files of today, more than its limit of 3 in `upload.limits`;", "2 files of today, which");
        // At most a day, a week and in review; in bundles of today, in those that are not sent; what is said, when it opens.
        let rows = [
            (limits(None, None, None), 90, 90, "", None),
            (limits(Some(3), None, None), 2, 2, "", None),
            // The day begins by the clock on the wall, also after summer time ended in the night.
            (limits(Some(3), None, None), 3, 3, day, Some("2026-10-24T22:00:00Z")),
            (limits(None, Some(5), None), 0, 2, "", None),
            (limits(None, Some(4), None), 0, 2, week, Some("2026-10-24T22:00:00Z")),
            (limits(None, Some(3), None), 0, 2, week, Some("2026-10-26T23:00:00Z")),
            (limits(None, Some(2), None), 0, 2, week, None),
            // What was sent on the first of October is not expected to be answered any more.
            (limits(None, None, Some(5)), 0, 2, "", None),
            (limits(None, None, Some(4)), 0, 2, review, Some("2026-10-26T10:01:00Z")),
            (limits(None, None, Some(2)), 0, 2, review, None),
            // A person let them go all the same.
            (limits(Some(3), None, None), 8, 8, beyond, Some("2026-10-24T22:00:00Z")),
            (limits(Some(2), Some(4), Some(4)), 2, 2, both, Some("2026-10-26T10:01:00Z")),
        ];
        for (limits, today, unsent, said, opens) in rows {
            let found = check(&day_with(limits), today, unsent, &record, NOW);
            let Err(no_room) = found else {
                assert_eq!(said, "", "{limits:?}");
                continue;
            };
            assert!(!said.is_empty() && no_room.why.contains(said), "{limits:?}: {}", no_room.why);
            assert_eq!(no_room.opens, opens.map(at), "{limits:?}: {}", no_room.why);
            assert_eq!(
                no_room.why.contains("stockmill verdicts"),
                limits.at_most_in_review.is_some(),
                "{}",
                no_room.why
            );
            let zone = no_room.why.contains("(CET)") || no_room.why.contains("(CEST)");
            assert_eq!(zone, opens.is_some(), "{}", no_room.why);
        }
    }

    /// The answers about files of a theme, oldest first, and whether the next one of it goes.
    #[test]
    fn a_theme_that_a_market_refuses_is_held() {
        let sea = ThemeSlug::new("sea").unwrap();
        let rows = [
            ("", true),
            ("nnn", true),
            ("nnnn", false),
            ("nnyn", false),
            ("nyyn", true),
            // Only the last four count.
            ("yyyynnyn", false),
            ("nnnnynyn", true),
        ];
        let brake = Some(Brake { last: 4, accepted_min: 0.5 });
        for (answers, goes) in rows {
            let mut record = MarketRecord::default();
            for (second, answer) in (0..).zip(answers.chars()) {
                let number = record.send(Timestamp::from_second(second).unwrap(), Some(&sea));
                record.answer(number, answer == 'y');
            }
            let day = UploadDay { brake, ..UploadDay::default() };
            let found = check(&day, 0, 0, &record, "2026-10-24T12:00:00Z[UTC]");
            assert_eq!(found.is_ok(), goes, "{answers}: {found:?}");
            let told = found.err().is_none_or(|held| {
                held.why.contains("past the limits of every market, with `stockmill release upload sea --anyway`")
                    && !held.of_bundled.contains("release")
                    && held
                        .of_bundled
                        .contains("once newer answers are better (`stockmill verdicts`), or `upload.brake`")
            });
            assert!(told, "{answers}");
        }
    }

    /// A clock that stood in 2031 for an hour kept its market full until then.
    #[test]
    fn what_was_sent_in_the_future_counts_as_sent_when_that_had_happened() {
        const BACK: &str = "2026-10-23T08:00:00Z";
        let told =
            "; 2 files, recorded as sent by a clock that was wrong, count as sent on Friday 2026-10-23 08:00 (UTC)";
        // The limits, the probe, what the clock said after that, now, when there is room again, and whether that is told.
        let (week, review) = (limits(None, Some(2), None), limits(None, None, Some(2)));
        let rows = [
            (week, None, Some(BACK), "2026-10-24T12:00:00Z", Some("2026-10-30T00:00:00Z"), told),
            (week, None, Some(BACK), "2026-10-31T12:00:00Z", None, ""),
            (review, None, Some(BACK), "2026-10-24T12:00:00Z", Some("2026-11-06T08:01:00Z"), told),
            (review, None, Some(BACK), "2026-11-07T12:00:00Z", None, ""),
            (limits(None, None, None), Some(2), Some(BACK), "2026-10-24T12:00:00Z", Some("2026-11-06T08:01:00Z"), told),
            (limits(None, None, None), Some(2), Some(BACK), "2026-11-07T12:00:00Z", None, ""),
            // Nothing says when it was: it may have been just now.
            (
                week,
                None,
                None,
                "2026-10-24T12:00:00Z",
                Some("2026-10-31T00:00:00Z"),
                "count as sent on Saturday 2026-10-24 12:00",
            ),
        ];
        for (limits, probe, back, now, opens, told) in rows {
            let mut record = MarketRecord::default();
            let sea = ThemeSlug::new("sea").unwrap();
            for _ in 0..2 {
                record.send(at("2031-01-01T00:00:00Z"), Some(&sea));
            }
            back.into_iter().for_each(|back| record.clock_said(at(back)));
            let day = UploadDay { probe, ..day_with(limits) };
            let found = check(&day, 0, 0, &record, &format!("{now}[UTC]"));
            assert_eq!(found.as_ref().err().and_then(|held| held.opens), opens.map(at), "{found:?}");
            assert!(found.err().is_none_or(|held| held.of_bundled.contains(told)), "{told}");
        }
    }

    /// Only the first reason was told: whoever mended it met the next one.
    #[test]
    fn each_setting_that_holds_a_file_is_told() {
        let sea = ThemeSlug::new("sea").unwrap();
        let mut record = MarketRecord::default();
        for second in 0..3 {
            let number = record.send(Timestamp::from_second(second).unwrap(), Some(&sea));
            record.answer(number, false);
        }
        let (brake, probe) = (Some(Brake { last: 3, accepted_min: 0.5 }), Some(4));
        let one = UploadDay { brake: Some(Brake { last: 1, accepted_min: 1.0 }), ..UploadDay::default() };
        let why = check(&one, 0, 0, &record, "2026-10-24T12:00:00Z[UTC]").unwrap_err().why;
        assert!(why.starts_with("of its last 1 answer about files of `sea` 0 say accepted"), "{why}");
        let (limit, braked, probed) = ("`upload.limits`", "`upload.brake`", "`upload.probe`");
        let opens = Some(at("2026-10-25T00:00:00Z"));
        // At most a day, the brake, the probe, and what is told.
        let rows = [
            (Some(1), None, None, vec![limit], opens),
            (Some(1), brake, None, vec![limit, braked], opens),
            (Some(1), brake, probe, vec![limit, braked, probed], opens),
            (None, brake, probe, vec![braked, probed], None),
            (None, None, probe, vec![probed], None),
        ];
        for (most, brake, probe, told, opens) in rows {
            let day = UploadDay { brake, probe, ..day_with(limits(most, None, None)) };
            let held = check(&day, 1, 1, &record, "2026-10-24T12:00:00Z[UTC]").unwrap_err();
            for word in [limit, braked, probed] {
                assert_eq!(held.of_bundled.contains(word), told.contains(&word), "{word}: {}", held.of_bundled);
            }
            assert!(brake.is_none() || held.why.contains("of its last 3 answers about files of `sea` 0 say accepted"));
            let releases = held.why.matches("stockmill release upload sea --anyway").count();
            assert_eq!((releases, held.opens), (usize::from(told != [limit]), opens), "{}", held.why);
        }
    }

    #[test]
    fn a_new_theme_sends_a_few_first() {
        let sea = ThemeSlug::new("sea").unwrap();
        // When files of it were sent and whether they are answered, how many lie in bundles, whether the next one goes
        // on 2026-10-24, and when time alone lets it go.
        type Sent = &'static [(&'static str, bool)];
        const OLD: &str = "2026-10-01T10:00:00Z";
        const YOUNG: &str = "2026-10-20T10:00:00Z";
        let rows: [(Sent, usize, bool, Option<&str>); 9] = [
            (&[], 0, true, None),
            (&[], 1, true, None),
            (&[], 2, false, None),
            (&[(YOUNG, true)], 1, false, None),
            (&[(YOUNG, false), (YOUNG, false)], 0, false, Some("2026-11-03T10:01:00Z")),
            (&[(YOUNG, true), (YOUNG, false)], 0, false, Some("2026-11-03T10:01:00Z")),
            (&[(YOUNG, true), (YOUNG, true)], 9, true, None),
            // A third one went with them by a person's word.
            (&[(YOUNG, false), (YOUNG, true), (YOUNG, true)], 0, true, None),
            (&[(OLD, false), (OLD, true), (YOUNG, false)], 9, true, None),
        ];
        for (sent, unsent, goes, opens) in rows {
            let mut record = MarketRecord::default();
            for (sent, is_answered) in sent {
                let number = record.send(at(sent), Some(&sea));
                if *is_answered {
                    record.answer(number, true);
                }
            }
            let day = UploadDay { probe: Some(2), ..UploadDay::default() };
            let found = check(&day, 0, unsent, &record, "2026-10-24T12:00:00Z[UTC]");
            assert_eq!(found.is_ok(), goes, "{sent:?} {unsent}: {found:?}");
            assert_eq!(found.err().and_then(|held| held.opens), opens.map(at), "{sent:?} {unsent}");
        }
    }

    proptest! {
        /// Whatever comes when, no window ever has more than its limit, and whoever waits gets the room that there is.
        #[test]
        fn no_window_has_more_than_its_limit_and_nothing_waits_while_there_is_room(
            (day_most, week_most, review_most) in (1_u32..5, 1_u32..9, 1_u32..12),
            steps in prop::collection::vec((0_i64..40, 0_u8..4), 1..60),
        ) {
            let limits = MarketLimits { review_days: 5, ..limits(Some(day_most), Some(week_most), Some(review_most)) };
            let day = day_with(limits);
            let (mut record, mut days) = (MarketRecord::default(), Vec::new());
            let mut now = at("2026-03-27T08:00:00Z").to_zoned_datetime(TimeZone::get("Europe/Berlin").unwrap());
            for (hours, answers) in steps {
                now = &now + hours.hours();
                let (unanswered, stamp) = (record.sent().enumerate().filter(|(_, sent)| sent.answer.is_none()).map(|(n, _)| n).collect::<Vec<_>>(), now.timestamp());
                unanswered.into_iter().take(answers.into()).for_each(|number| record.answer(number, true));
                // Bundles are sent at once here, so that nothing counts but what is on record.
                while check(&day, days.iter().filter(|day| **day == now.date()).count(), 0, &record, &now.to_string()).is_ok() {
                    record.send(stamp, None);
                    days.push(now.date());
                }
                let today = days.iter().filter(|day| **day == now.date()).count();
                let week = days.iter().filter(|day| **day + 7.days() > now.date()).count();
                let review = record.sent().filter(|sent| sent.answer.is_none() && sent.at > stamp - days_of(5)).count();
                let most = [day_most, week_most, review_most].map(|most| most as usize);
                let used = [today, week, review];
                prop_assert!(used.iter().zip(most).all(|(used, most)| *used <= most), "{:?} of {:?}", used, most);
                prop_assert!(used.iter().zip(most).any(|(used, most)| *used == most), "{:?} of {:?}", used, most);
                let held = check(&day, today, 0, &record, &now.to_string()).unwrap_err();
                if let Some(opens) = held.opens {
                    let then = opens.to_zoned_datetime(now.time_zone().clone());
                    let today = days.iter().filter(|day| **day == then.date()).count();
                    prop_assert!(check(&day, today, 0, &record, &then.to_string()).is_ok(), "{}", held.why);
                }
            }
        }
    }
}
