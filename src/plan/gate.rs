//! When a finished asset may leave a stage.

use jiff::{SignedDuration, Timestamp, ZonedDateTime};

use crate::config::{Gate, Schedule, Window, last_window, midnight_after, window};
use crate::model::Stage;
use crate::records::GateDay;

/// How much the clocks of one household may differ. A time that is further in the future is of a wrong clock.
const AHEAD_MAX: SignedDuration = SignedDuration::from_secs(300);
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

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
    /// When a day that was missed began to be made up, if one was.
    pub made_up: Option<Timestamp>,
}

/// Returns what is to be remembered of a schedule after a look at it, if that is news: a day that went by unseen is
/// made up from now on until midnight, once.
pub fn see_day(schedule: &Schedule, before: Option<&GateDay>, now: &ZonedDateTime) -> Option<GateDay> {
    let (opened, until) = last_window(schedule, now)?;
    let text = Gate::Schedule(schedule.clone()).to_string();
    // Of another schedule, or by a clock that was wrong, no day is known to have been missed.
    let before = before.filter(|before| before.schedule == text && before.opened <= now.timestamp());
    match before {
        Some(before) if before.opened >= opened => None,
        Some(_) if until <= now.timestamp() => Some(GateDay::new(text, opened, Some(now.timestamp()))),
        _ => Some(GateDay::new(text, opened, None)),
    }
}

/// Returns the hours in which a day that was missed is made up, if they are not over.
fn made_up(schedule: &Schedule, facts: &GateFacts<'_>) -> Option<Window> {
    let since = facts.made_up?;
    let zone = schedule.zone.as_ref().unwrap_or_else(|| facts.now.time_zone());
    let until = midnight_after(&since.to_zoned_datetime(zone.clone()))?;
    (since..until).contains(&facts.now.timestamp()).then_some(Window::Open { since, until })
}

/// Returns the last of the ordered `times`, those in the future: a wrong clock wrote them, and they do not count.
pub fn ahead(times: &[Timestamp], now: Timestamp) -> &[Timestamp] {
    let Ok(latest) = now.checked_add(AHEAD_MAX) else { return &[] };
    &times[times.partition_point(|at| *at <= latest)..]
}

/// A gate that is shut for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shut {
    /// In words, with what opens it.
    pub why: String,
    /// When it opens, if time alone opens it.
    pub opens: Option<Timestamp>,
}

/// Returns whether an asset may leave a stage now, or why not.
pub fn check(stage: Stage, gate: &Gate, facts: &GateFacts<'_>) -> Result<(), Shut> {
    if facts.is_released {
        return Ok(());
    }
    match gate {
        Gate::Auto => Ok(()),
        Gate::Hold => {
            let why = format!("the gate of `{stage}` is `hold`; let it go with `stockmill release {stage}`");
            Err(Shut { why, opens: None })
        }
        Gate::Schedule(schedule) => match (window(schedule, facts.now), made_up(schedule, facts)) {
            (Window::Closed { .. }, Some(Window::Open { since, until })) => {
                check_limits(stage, schedule, facts, since, until)
            }
            (Window::Closed { opens }, _) => {
                let when = told(opens, schedule, facts.now);
                let why = format!("the gate of `{stage}` opens on {when}; earlier with `stockmill release {stage}`");
                Err(Shut { why, opens: Some(opens) })
            }
            (Window::Open { since, until }, _) => check_limits(stage, schedule, facts, since, until),
        },
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
    let week_ago = now - WEEK;
    let left_since = |start: Timestamp| &left_at[left_at.partition_point(|at| *at < start)..];
    let is_full =
        |cap: Option<u32>, start: Timestamp| cap.filter(|cap| left_since(start).len() + facts.leaving >= *cap as usize);
    let (today, this_week) = (is_full(schedule.at_most, since), is_full(schedule.at_most_per_week, week_ago));
    let Some((cap, span)) = today.map(|cap| (cap, "today")).or(this_week.map(|cap| (cap, "this week"))) else {
        return Ok(());
    };
    let day = if today.is_some() { until } else { now };
    let week = this_week.map_or(Some(now), |cap| week_with_room(left_since(week_ago), facts.leaving, cap));
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
        "the gate of `{stage}` has let {cap} through {span}, which is its limit; it opens again {when}; earlier with \
         `stockmill release {stage}`"
    );
    Err(Shut { why, opens })
}

/// Returns when fewer than `cap` have left in the week before, if none leaves until then but those that are about to;
/// `None` if one of these is the last that must be a week ago: nobody knows yet when it leaves.
fn week_with_room(left: &[Timestamp], leaving: usize, cap: u32) -> Option<Timestamp> {
    let too_many = (left.len() + leaving).saturating_sub(cap as usize);
    let last = *left.get(too_many)? + WEEK;
    // Times are told by the minute, and in the minute that is told it is open.
    Timestamp::from_second((last.as_second() / 60 + 1) * 60).ok()
}

/// Returns a time in words, in the zone of the schedule, as a person wrote it there; else in the machine's.
fn told(time: Timestamp, schedule: &Schedule, now: &ZonedDateTime) -> String {
    let zone = schedule.zone.as_ref().unwrap_or_else(|| now.time_zone());
    time.to_zoned_datetime(zone.clone()).strftime("%A %Y-%m-%d %H:%M (%Z)").to_string()
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
                Some("has let 2 through today"),
                Some("2026-12-04T09:00:00Z"),
            ),
            (
                friday(Some(9), Some(3)),
                "2026-11-27T10:00:00Z",
                false,
                Some("has let 3 through this week"),
                Some("2026-12-04T09:00:00Z"),
            ),
            (friday(Some(9), Some(3)), "2026-12-04T10:00:00Z", false, None, None),
            (friday(Some(2), None), "2026-11-27T10:00:00Z", true, None, None),
        ];
        for (gate, now, is_released, expected, opens) in cases {
            let now = now.parse::<Timestamp>().unwrap().to_zoned_datetime(TimeZone::UTC);
            let facts = GateFacts { now: &now, is_released, left_at: &left, leaving: 0, made_up: None };
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
        let (friday, today, week) = (vec![Weekday::Friday], "has let 1 through today", "through this week");
        let rows = [
            (&friday, Some(1), None, 0, today, "2026-12-04T09:00:00Z"),
            (&every_day, Some(1), None, 0, today, "2026-11-28T09:00:00Z"),
            (&every_day, Some(2), None, 1, "has let 2 through today", "2026-11-28T09:00:00Z"),
            // The first of them leaves the week on a day on which the gate is open, at an hour at which it is, or not.
            (&every_day, None, Some(3), 0, week, "2026-11-28T11:01:00Z"),
            (&every_day, None, Some(2), 0, week, "2026-11-29T09:31:00Z"),
            (&every_day, None, Some(3), 1, week, "2026-11-29T09:31:00Z"),
            (&friday, None, Some(3), 0, week, "2026-12-04T09:00:00Z"),
            (&friday, None, Some(1), 0, week, "2026-12-04T09:11:00Z"),
            // Both: the later one counts.
            (&every_day, Some(1), Some(2), 0, today, "2026-11-29T09:31:00Z"),
            (&friday, Some(1), Some(3), 0, today, "2026-12-04T09:00:00Z"),
        ];
        let now = "2026-11-27T10:00:00Z".parse::<Timestamp>().unwrap().to_zoned_datetime(TimeZone::UTC);
        for (days, at_most, at_most_per_week, leaving, text, opens) in rows {
            let (days, at, zone) = (days.clone(), Time::constant(9, 0, 0, 0), Some(TimeZone::UTC));
            let gate = Gate::Schedule(Schedule { days, at, at_most, at_most_per_week, zone });
            let facts = GateFacts { now: &now, is_released: false, left_at: &left, leaving, made_up: None };
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
                    &GateFacts { now: &now, is_released: false, left_at: &left, leaving: 0, made_up: None },
                )
                .is_ok()
            };
            assert!(is_open(opens) && !is_open(opens - SignedDuration::from_secs(61)), "{}", shut.why);
        }
    }

    #[test]
    fn when_those_leave_that_are_about_to_is_not_guessed() {
        let now = "2026-11-27T10:00:00Z".parse::<Timestamp>().unwrap().to_zoned_datetime(TimeZone::UTC);
        let facts = GateFacts { now: &now, is_released: false, left_at: &[], leaving: 1, made_up: None };
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
                made_up: None,
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
            assert_eq!(news.as_ref().is_some_and(|day| day.made_up.is_some()), begins, "{at}");
            kept = news.or(kept).map(|day| GateDay::parse(&day.to_bytes()).unwrap());
            let before = left.len();
            for _ in 0..5 {
                let made_up = kept.as_ref().and_then(|day| day.made_up);
                let facts = GateFacts { now: &now, is_released: false, left_at: &left, leaving: 0, made_up };
                if check(Stage::Upload, &friday, &facts).is_ok() {
                    left.push(now.timestamp());
                }
            }
            assert_eq!(left.len() - before, leaves, "{at}");
        }
        // A day of another schedule was not missed, and a clock that was wrong is not believed.
        let now: ZonedDateTime = format!("2026-11-25T10:00:00[{BERLIN}]").parse().unwrap();
        let other = GateDay::new("{on: [monday], at: \"09:00\"}".to_owned(), left[0], None);
        let wrong = GateDay::new(friday.to_string(), "2030-01-04T08:00:00Z".parse().unwrap(), None);
        for before in [other, wrong] {
            assert_eq!(see_day(schedule, Some(&before), &now).unwrap().made_up, None);
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
                let facts = GateFacts { now: &zoned, is_released: false, left_at: &left, leaving: 0, made_up: None };
                assert_eq!(check(Stage::Upload, &gate, &facts).is_ok(), is_open, "{gate:?} {left:?}");
            }
            assert_eq!(ahead(&left, now).len(), told, "{left:?}");
        }
        assert_eq!(ahead(&[now], Timestamp::MAX), []);
    }
}
