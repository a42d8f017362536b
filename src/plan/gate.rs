//! When a finished asset may leave a stage.

use jiff::{SignedDuration, Timestamp, ToSpan as _, ZonedDateTime};

use crate::config::{Gate, Schedule, Window, last_window, window};
use crate::model::Stage;
use crate::records::{GateDay, MadeUp};

/// How much the clocks of one household may differ. A time that is further in the future is of a wrong clock.
pub(super) const AHEAD_MAX: SignedDuration = SignedDuration::from_secs(300);
/// For so many days what goes counts for the limit of a week.
pub(super) const WEEK_DAYS: i64 = 7;

/// What a gate's answer depends on, beside the settings.
#[derive(Debug)]
pub struct GateFacts<'a> {
    /// The local time.
    pub now: &'a ZonedDateTime,
    /// Whether a person released it.
    pub is_released: bool,
    /// When assets left the stage before, oldest first.
    pub left_at: &'a [Timestamp],
    /// How many are about to leave.
    pub leaving: usize,
    /// The days that were missed and made up lately, oldest first.
    pub made_up: &'a [MadeUp],
}

/// Returns what is to be remembered of a schedule after a look at it, if that is news: a day that went by unseen is
/// made up from now on until midnight or until the gate opens again, once.
pub fn see_day(schedule: &Schedule, before: Option<&GateDay>, now: &ZonedDateTime) -> Option<GateDay> {
    let (missed, until) = last_window(schedule, now)?;
    let text = Gate::Schedule(schedule.clone()).to_string();
    // Of another schedule, or by a clock that was wrong, no day is known to have been missed.
    let Some(before) = before.filter(|before| before.schedule == text && before.opened <= now.timestamp()) else {
        return Some(GateDay::new(text, missed, Vec::new()));
    };
    if before.opened >= missed {
        return None;
    }
    let week_start = week_start(&here(schedule, now.timestamp(), now));
    let mut made_up = before.made_up.clone();
    made_up.retain(|made_up| made_up.until > week_start);
    if until <= now.timestamp()
        && let (Window::Closed { opens }, Some(midnight)) =
            (window(schedule, now), day_after(schedule, now.timestamp(), 1, now))
    {
        made_up.push(MadeUp { missed, since: now.timestamp(), until: midnight.min(opens) });
    }
    Some(GateDay::new(text, missed, made_up))
}

/// Returns a time by the clock on the wall of a schedule.
fn here(schedule: &Schedule, time: Timestamp, now: &ZonedDateTime) -> ZonedDateTime {
    time.to_zoned_datetime(schedule.zone.clone().unwrap_or_else(|| now.time_zone().clone()))
}

/// Returns the beginning of a day that is some days after that of a time.
fn day_after(schedule: &Schedule, time: Timestamp, days: i64, now: &ZonedDateTime) -> Option<Timestamp> {
    day_start(&here(schedule, time, now), days)
}

/// Returns the beginning of a day that is some days after that of a time, by the same clock on the wall.
pub(super) fn day_start(time: &ZonedDateTime, days: i64) -> Option<Timestamp> {
    let day = time.date().checked_add(days.days()).ok()?;
    Some(day.to_zoned_datetime(time.time_zone().clone()).ok()?.timestamp())
}

/// Returns when the last seven days began, today among them. What a day let through counts for whole days, so that the
/// same day of the next week opens at its hour however late it went on, also where the clocks are changed in between.
pub(super) fn week_start(now: &ZonedDateTime) -> Timestamp {
    day_start(now, 1 - WEEK_DAYS).unwrap_or(Timestamp::MIN)
}

/// Returns the last of the ordered `times`, those in the future: a wrong clock wrote them, and they do not count.
pub fn ahead(times: &[Timestamp], now: Timestamp) -> &[Timestamp] {
    let Ok(latest) = now.checked_add(AHEAD_MAX) else { return &[] };
    &times[times.partition_point(|at| *at <= latest)..]
}

/// Returns why a gate that is `hold` keeps what waits for it, with what lets it go.
pub fn held(stage: Stage) -> String {
    format!("the gate of `{stage}` is `hold`; let it go with `stockmill release {stage}`")
}

/// A gate that is shut for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shut {
    /// In words, with what opens it.
    pub why: String,
    /// When it opens, if time alone opens it.
    pub opens: Option<Timestamp>,
}

impl Shut {
    /// Returns the same with its time by the clock of `now`, and not by that of the gate's days.
    pub(super) fn told_by_clock_of(self, gate: &Gate, now: &ZonedDateTime) -> Self {
        let (Gate::Schedule(schedule), Some(opens)) = (gate, self.opens) else { return self };
        let here = Schedule { zone: None, ..schedule.clone() };
        Self { why: self.why.replace(&told(opens, schedule, now), &told(opens, &here, now)), ..self }
    }
}

/// Returns whether an asset may leave a stage now, or why not.
pub fn check(stage: Stage, gate: &Gate, facts: &GateFacts<'_>) -> Result<(), Shut> {
    if facts.is_released {
        return Ok(());
    }
    match gate {
        Gate::Auto => Ok(()),
        Gate::Hold => Err(Shut { why: held(stage), opens: None }),
        Gate::Schedule(schedule) => {
            let made_up = facts.made_up.iter().find(|made_up| made_up.holds(facts.now.timestamp()));
            match (window(schedule, facts.now), made_up) {
                (Window::Open { since, until }, _) | (Window::Closed { .. }, Some(&MadeUp { since, until, .. })) => {
                    check_limits(stage, schedule, facts, since, until)
                }
                (Window::Closed { opens }, None) => {
                    let when = told(opens, schedule, facts.now);
                    let why =
                        format!("the gate of `{stage}` opens on {when}; earlier with `stockmill release {stage}`");
                    Err(Shut { why, opens: Some(opens) })
                }
            }
        }
    }
}

/// Returns whether one more may pass a gate whose hours it is, or which limit keeps it shut and until when.
fn check_limits(
    stage: Stage,
    schedule: &Schedule,
    facts: &GateFacts<'_>,
    since: Timestamp,
    until: Timestamp,
) -> Result<(), Shut> {
    let now = facts.now.timestamp();
    let left_at = &facts.left_at[..facts.left_at.len() - ahead(facts.left_at, now).len()];
    let left_today = left_at.len() - left_at.partition_point(|at| *at < since);
    let today = schedule.at_most.filter(|cap| left_today + facts.leaving >= *cap as usize);
    let (this_week, week) = match schedule.at_most_per_week {
        Some(cap) => {
            let left = left_in_week(schedule, facts, left_at);
            let is_full = left.len() + facts.leaving >= cap as usize;
            (
                Some(cap).filter(|_| is_full),
                if is_full { week_with_room(schedule, facts, &left, cap) } else { Some(now) },
            )
        }
        None => (None, Some(now)),
    };
    let Some((cap, span)) = today.map(|cap| (cap, "today")).or(this_week.map(|cap| (cap, "this week"))) else {
        return Ok(());
    };
    let day = if today.is_some() { until } else { now };
    let opens = week.map(|week| {
        let from = day.max(week);
        match window(schedule, &from.to_zoned_datetime(facts.now.time_zone().clone())) {
            Window::Open { .. } => from,
            Window::Closed { opens } => opens,
        }
    });
    let when = opens.map_or_else(
        || "a week after those that are about to leave".to_owned(),
        |opens| format!("on {}", told(opens, schedule, facts.now)),
    );
    let why = format!(
        "the gate of `{stage}` lets {cap} through {span}, which is its limit; it opens again {when}; earlier with \
         `stockmill release {stage}`"
    );
    Err(Shut { why, opens })
}

/// Returns when assets left in the last seven days, oldest first: what left while a day was made up left on that day.
fn left_in_week(schedule: &Schedule, facts: &GateFacts<'_>, left_at: &[Timestamp]) -> Vec<Timestamp> {
    let start = week_start(&here(schedule, facts.now.timestamp(), facts.now));
    let day_of = |at: Timestamp| facts.made_up.iter().find(|made_up| made_up.holds(at)).map_or(at, |day| day.missed);
    let recent = left_at[left_at.partition_point(|at| *at < start)..].iter();
    let mut left: Vec<Timestamp> = recent.map(|at| day_of(*at)).filter(|at| *at >= start).collect();
    left.sort();
    left
}

/// Returns when fewer than `cap` have left in seven days, if none leaves until then but those that are about to; `None`
/// if one of these is the last that must be a week ago: nobody knows yet when it leaves.
fn week_with_room(schedule: &Schedule, facts: &GateFacts<'_>, left: &[Timestamp], cap: u32) -> Option<Timestamp> {
    let too_many = (left.len() + facts.leaving).saturating_sub(cap as usize);
    day_after(schedule, *left.get(too_many)?, 7, facts.now)
}

/// Returns a time in words, in the zone of the schedule, as a person wrote it there; else in the machine's.
fn told(time: Timestamp, schedule: &Schedule, now: &ZonedDateTime) -> String {
    here(schedule, time, now).strftime("%A %Y-%m-%d %H:%M (%Z)").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{Time, Weekday};
    use jiff::tz::TimeZone;

    fn friday(at_most: Option<u32>, at_most_per_week: Option<u32>) -> Gate {
        friday_in(Some(TimeZone::UTC), at_most, at_most_per_week)
    }

    fn friday_in(zone: Option<TimeZone>, at_most: Option<u32>, at_most_per_week: Option<u32>) -> Gate {
        let at = Time::constant(9, 0, 0, 0);
        Gate::Schedule(Schedule { days: vec![Weekday::Friday], at, at_most, at_most_per_week, zone })
    }

    #[test]
    fn gates_hold_open_and_count() {
        let left =
            ["2026-11-22T09:30:00Z", "2026-11-27T09:10:00Z", "2026-11-27T09:20:00Z"].map(|at| at.parse().unwrap());
        let cases = [
            (Gate::Auto, "2026-11-23T12:00:00Z", false, None, None),
            (Gate::Hold, "2026-11-23T12:00:00Z", false, Some("stockmill release upload"), None),
            (Gate::Hold, "2026-11-23T12:00:00Z", true, None, None),
            (
                friday(None, None),
                "2026-11-23T12:00:00Z",
                false,
                Some("opens on Friday 2026-11-27 09:00 (UTC)"),
                Some("2026-11-27T09:00:00Z"),
            ),
            (friday(Some(3), None), "2026-11-27T10:00:00Z", false, None, None),
            (
                friday(Some(2), None),
                "2026-11-27T10:00:00Z",
                false,
                Some("lets 2 through today"),
                Some("2026-12-04T09:00:00Z"),
            ),
            (
                friday(Some(9), Some(3)),
                "2026-11-27T10:00:00Z",
                false,
                Some("lets 3 through this week"),
                Some("2026-12-04T09:00:00Z"),
            ),
            (friday(Some(9), Some(3)), "2026-12-04T10:00:00Z", false, None, None),
            (friday(Some(2), None), "2026-11-27T10:00:00Z", true, None, None),
        ];
        for (gate, now, is_released, expected, opens) in cases {
            let now = now.parse::<Timestamp>().unwrap().to_zoned_datetime(TimeZone::UTC);
            let facts = GateFacts { now: &now, is_released, left_at: &left, leaving: 0, made_up: &[] };
            match (check(Stage::Upload, &gate, &facts), expected) {
                (Ok(()), None) => (),
                (Err(shut), Some(text)) => {
                    assert!(shut.why.contains(text), "{shut:?}");
                    assert!(shut.why.contains("`stockmill release upload`"), "{shut:?}");
                    assert_eq!(shut.opens, opens.map(|at| at.parse().unwrap()), "{shut:?}");
                }
                (got, wanted) => panic!("{gate:?} at {now}: {got:?}, not {wanted:?}"),
            }
        }
    }

    /// A limit named no time and nothing to do.
    #[test]
    fn a_limit_tells_until_when_it_keeps_the_gate_shut() {
        let left = ["2026-11-21T11:00:20Z", "2026-11-22T09:30:20Z", "2026-11-27T09:10:00Z"];
        let left = left.map(|at| at.parse().unwrap());
        let every_day = vec![Weekday::Friday, Weekday::Saturday, Weekday::Sunday, Weekday::Monday];
        // (days, at most a day and a week, how many are about to leave, what is said, when it opens)
        let (friday, today, week) = (vec![Weekday::Friday], "lets 1 through today", "through this week");
        let rows = [
            (&friday, Some(1), None, 0, today, "2026-12-04T09:00:00Z"),
            (&every_day, Some(1), None, 0, today, "2026-11-28T09:00:00Z"),
            (&every_day, Some(2), None, 1, "lets 2 through today", "2026-11-28T09:00:00Z"),
            // The day on which the first of them left is a week ago, at whatever hour it did.
            (&every_day, None, Some(3), 0, week, "2026-11-28T09:00:00Z"),
            (&every_day, None, Some(2), 0, week, "2026-11-29T09:00:00Z"),
            (&every_day, None, Some(3), 1, week, "2026-11-29T09:00:00Z"),
            (&friday, None, Some(3), 0, week, "2026-12-04T09:00:00Z"),
            (&friday, None, Some(1), 0, week, "2026-12-04T09:00:00Z"),
            // Both: the later one counts.
            (&every_day, Some(1), Some(2), 0, today, "2026-11-29T09:00:00Z"),
            (&friday, Some(1), Some(3), 0, today, "2026-12-04T09:00:00Z"),
        ];
        let now = "2026-11-27T10:00:00Z".parse::<Timestamp>().unwrap().to_zoned_datetime(TimeZone::UTC);
        for (days, at_most, at_most_per_week, leaving, text, opens) in rows {
            let (days, at, zone) = (days.clone(), Time::constant(9, 0, 0, 0), Some(TimeZone::UTC));
            let gate = Gate::Schedule(Schedule { days, at, at_most, at_most_per_week, zone });
            let facts = GateFacts { now: &now, is_released: false, left_at: &left, leaving, made_up: &[] };
            let shut = check(Stage::Upload, &gate, &facts).unwrap_err();
            let opens: Timestamp = opens.parse().unwrap();
            let when =
                opens.strftime("opens again on %A %Y-%m-%d %H:%M (UTC); earlier with `stockmill release upload`");
            assert!(shut.why.contains(text) && shut.why.ends_with(&when.to_string()), "{} {opens}", shut.why);
            assert_eq!(shut.opens, Some(opens), "{}", shut.why);
            // It is open then, and not before, if those that are about to leave did so.
            let mut left = left.to_vec();
            left.extend((0..leaving).map(|_| now.timestamp()));
            let is_open = |at: Timestamp| {
                let now = at.to_zoned_datetime(TimeZone::UTC);
                check(
                    Stage::Upload,
                    &gate,
                    &GateFacts { now: &now, is_released: false, left_at: &left, leaving: 0, made_up: &[] },
                )
                .is_ok()
            };
            assert!(is_open(opens) && !is_open(opens - SignedDuration::from_secs(61)), "{}", shut.why);
        }
    }

    #[test]
    fn when_those_leave_that_are_about_to_is_not_guessed() {
        let now = "2026-11-27T10:00:00Z".parse::<Timestamp>().unwrap().to_zoned_datetime(TimeZone::UTC);
        let facts = GateFacts { now: &now, is_released: false, left_at: &[], leaving: 1, made_up: &[] };
        let shut = check(Stage::Upload, &friday(None, Some(1)), &facts).unwrap_err();
        assert!(shut.why.contains("it opens again a week after those that are about to leave; earlier"), "{shut:?}");
        assert_eq!(shut.opens, None);
    }

    /// The hour was told by the machine's zone, and without saying so; where a schedule has no zone, none was told.
    #[test]
    fn a_gate_tells_the_hour_of_its_own_zone() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        for (zone, machine, expected) in [
            (Some(berlin.clone()), TimeZone::UTC, "opens on Friday 2026-11-27 09:00 (CET)"),
            (None, TimeZone::UTC, "opens on Friday 2026-11-27 09:00 (UTC);"),
            (None, berlin, "opens on Friday 2026-11-27 09:00 (CET);"),
        ] {
            let facts = GateFacts {
                now: &now.to_zoned_datetime(machine),
                is_released: false,
                left_at: &[],
                leaving: 0,
                made_up: &[],
            };
            let shut = check(Stage::Keep, &friday_in(zone, None, None), &facts).unwrap_err();
            assert!(shut.why.contains(expected), "{}", shut.why);
        }
    }

    /// A machine that was off on Friday let everything wait for the next one.
    #[test]
    fn a_missed_day_is_made_up_once() {
        const BERLIN: &str = "Europe/Berlin";
        let friday = friday_in(TimeZone::get(BERLIN).ok(), Some(2), None);
        let Gate::Schedule(schedule) = &friday else { unreachable!() };
        let (mut kept, mut left): (Option<GateDay>, Vec<Timestamp>) = (None, Vec::new());
        // When it is looked at, by the clock in Berlin; whether a day begins to be made up then, and how many leave.
        let rows = [
            // Nobody knows what was before.
            ("2026-10-10T12:00:00", false, 0),
            ("2026-10-16T09:00:00", false, 2),
            ("2026-10-17T12:00:00", false, 0),
            // It was off on Friday, and summer time ended in the night before it was on again.
            ("2026-10-25T02:30:00", true, 2),
            ("2026-10-25T12:00:00", false, 0),
            ("2026-10-25T23:59:00", false, 0),
            ("2026-10-26T00:00:00", false, 0),
            // It was on for a part of the day.
            ("2026-10-30T23:00:00", false, 2),
            ("2026-10-31T10:00:00", false, 0),
            // Of two days one is made up; at most as many leave as on one day.
            ("2026-11-14T10:00:00", true, 2),
            ("2026-11-14T18:00:00", false, 0),
        ];
        for (at, begins, leaves) in rows {
            let now: ZonedDateTime = format!("{at}[{BERLIN}]").parse().unwrap();
            let news = see_day(schedule, kept.as_ref(), &now);
            assert_eq!(news.as_ref().is_some_and(|day| day.making_up().is_some()), begins, "{at}");
            kept = news.or(kept).map(|day| GateDay::parse(&day.to_bytes()).unwrap());
            let before = left.len();
            for _ in 0..5 {
                let made_up = kept.as_ref().map_or(&[][..], |day| &day.made_up);
                let facts = GateFacts { now: &now, is_released: false, left_at: &left, leaving: 0, made_up };
                if check(Stage::Upload, &friday, &facts).is_ok() {
                    left.push(now.timestamp());
                }
            }
            assert_eq!(left.len() - before, leaves, "{at}");
        }
        // A day of another schedule was not missed, and a clock that was wrong is not believed.
        let now: ZonedDateTime = format!("2026-11-25T10:00:00[{BERLIN}]").parse().unwrap();
        let other = GateDay::new("{on: [monday], at: \"09:00\"}".to_owned(), left[0], Vec::new());
        let wrong = GateDay::new(friday.to_string(), "2030-01-04T08:00:00Z".parse().unwrap(), Vec::new());
        for before in [other, wrong] {
            assert_eq!(see_day(schedule, Some(&before), &now).unwrap().made_up, []);
        }
    }

    const AT_HALF_PAST_TWO: Time = Time::constant(2, 30, 0, 0);
    /// The days, the hour, at most a day and a week; when it is looked at, how many leave then, and when it opens again.
    type MadeUpRow = (&'static [Weekday], Time, u32, u32, &'static [(&'static str, usize, &'static str)]);
    const MADE_UP: [MadeUpRow; 5] = [
        // The regular day follows within the hour, in a week without a change of the clocks, …
        (
            &[Weekday::Sunday],
            AT_HALF_PAST_TWO,
            2,
            2,
            &[
                ("2026-11-01T03:00:00", 2, "2026-11-08T01:30:00Z"),
                ("2026-11-15T01:59:00", 2, "2026-11-15T01:30:00Z"),
                ("2026-11-15T02:30:00", 2, "2026-11-22T01:30:00Z"),
                ("2026-11-22T02:30:00", 2, "2026-11-29T01:30:00Z"),
            ],
        ),
        // … in the night in which summer time begins, where there is no half past two, and in the week after that, …
        (
            &[Weekday::Sunday],
            AT_HALF_PAST_TWO,
            2,
            2,
            &[
                ("2026-03-15T03:00:00", 2, "2026-03-22T01:30:00Z"),
                ("2026-03-29T01:59:00", 2, "2026-03-29T01:30:00Z"),
                ("2026-03-29T03:30:00", 2, "2026-04-05T00:30:00Z"),
                ("2026-04-12T01:59:00", 2, "2026-04-12T00:30:00Z"),
                ("2026-04-12T02:30:00", 2, "2026-04-19T00:30:00Z"),
            ],
        ),
        // … and in the one in which it ends: half past two is twice, and it opens at the first.
        (
            &[Weekday::Sunday],
            AT_HALF_PAST_TWO,
            2,
            2,
            &[
                ("2026-10-11T03:00:00", 2, "2026-10-18T00:30:00Z"),
                ("2026-10-25T01:59:00", 2, "2026-10-25T00:30:00Z"),
                ("2026-10-25T02:30:00", 2, "2026-11-01T01:30:00Z"),
                ("2026-11-01T02:30:00", 2, "2026-11-08T01:30:00Z"),
            ],
        ),
        // Days later: the next one opens at its hour all the same.
        (
            &[Weekday::Friday],
            Time::constant(23, 30, 0, 0),
            3,
            3,
            &[
                ("2026-03-13T23:59:00", 3, "2026-03-20T22:30:00Z"),
                ("2026-03-23T10:00:00", 3, "2026-03-27T22:30:00Z"),
                ("2026-03-27T23:30:00", 3, "2026-04-03T21:30:00Z"),
            ],
        ),
        // Several days in the week: each counts for it as what it was.
        (
            &[Weekday::Monday, Weekday::Wednesday, Weekday::Friday],
            Time::constant(9, 0, 0, 0),
            2,
            5,
            &[
                ("2026-11-02T09:00:00", 2, "2026-11-04T08:00:00Z"),
                ("2026-11-05T12:00:00", 2, "2026-11-06T08:00:00Z"),
                ("2026-11-06T09:00:00", 1, "2026-11-09T08:00:00Z"),
                ("2026-11-09T09:00:00", 2, "2026-11-11T08:00:00Z"),
                ("2026-11-11T09:00:00", 2, "2026-11-13T08:00:00Z"),
                ("2026-11-13T09:00:00", 1, "2026-11-16T08:00:00Z"),
            ],
        ),
    ];

    /// A day that was made up counted for the day on which that was done: the regular one was shut, until the next week.
    #[test]
    fn a_day_that_was_made_up_counts_for_the_day_that_was_missed() {
        const BERLIN: &str = "Europe/Berlin";
        for (days, at, at_most, at_most_per_week, looks) in MADE_UP {
            let (days, zone) = (days.to_vec(), TimeZone::get(BERLIN).ok());
            let caps = (Some(at_most), Some(at_most_per_week));
            let schedule = Schedule { days, at, at_most: caps.0, at_most_per_week: caps.1, zone };
            let gate = Gate::Schedule(schedule.clone());
            let (mut kept, mut left): (Option<GateDay>, Vec<Timestamp>) = (None, Vec::new());
            for (at, leaves, opens) in looks {
                let now: ZonedDateTime = format!("{at}[{BERLIN}]").parse().unwrap();
                kept = see_day(&schedule, kept.as_ref(), &now).or(kept);
                let made_up = kept.as_ref().map_or(&[][..], |day| &day.made_up);
                let before = left.len();
                let shut = loop {
                    let facts = GateFacts { now: &now, is_released: false, left_at: &left, leaving: 0, made_up };
                    match check(Stage::Upload, &gate, &facts) {
                        Ok(()) => left.push(now.timestamp()),
                        Err(shut) => break shut,
                    }
                };
                assert_eq!((left.len() - before, shut.opens), (*leaves, opens.parse().ok()), "{gate} {at}: {shut:?}");
            }
        }
    }

    /// One run in 2030 shut a weekly gate until 2030.
    #[test]
    fn times_in_the_future_do_not_count() {
        let now: Timestamp = "2026-11-27T10:00:00Z".parse().unwrap();
        // (left at, cap a day, whether it is open, how many are told)
        let cases: [(&[&str], u32, bool, usize); 5] = [
            (&["2030-01-04T09:10:00Z", "2030-01-04T09:20:00Z"], 1, true, 2),
            (&["2026-11-27T09:10:00Z", "2030-01-04T09:20:00Z"], 2, true, 1),
            (&["2026-11-27T09:10:00Z", "2030-01-04T09:20:00Z"], 1, false, 1),
            (&["2026-11-27T10:04:59Z"], 1, false, 0),
            (&["2026-11-27T10:05:01Z"], 1, true, 1),
        ];
        for (left, cap, is_open, told) in cases {
            let left: Vec<Timestamp> = left.iter().map(|at| at.parse().unwrap()).collect();
            let zoned = now.to_zoned_datetime(TimeZone::UTC);
            for gate in [friday(Some(cap), None), friday(None, Some(cap))] {
                let facts = GateFacts { now: &zoned, is_released: false, left_at: &left, leaving: 0, made_up: &[] };
                assert_eq!(check(Stage::Upload, &gate, &facts).is_ok(), is_open, "{gate:?} {left:?}");
            }
            assert_eq!(ahead(&left, now).len(), told, "{left:?}");
        }
        assert_eq!(ahead(&[now], Timestamp::MAX), []);
    }
}
