//! When a finished asset may leave a stage.

use jiff::{SignedDuration, Timestamp, ZonedDateTime};

use crate::config::{Gate, Window, window};
use crate::model::Stage;

/// How much the clocks of one household may differ. A time that is further in the future is of a wrong clock.
const AHEAD_MAX: SignedDuration = SignedDuration::from_secs(300);

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
    /// When it opens, if only its schedule keeps it shut.
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
        Gate::Schedule(schedule) => match window(schedule, facts.now) {
            Window::Closed { opens } => {
                // In the zone of the schedule, as a person wrote it there.
                let zone = schedule.zone.clone().unwrap_or_else(|| facts.now.time_zone().clone());
                let opens = opens.to_zoned_datetime(zone);
                let when = match schedule.zone {
                    Some(_) => opens.strftime("%A %Y-%m-%d %H:%M (%Z)"),
                    None => opens.strftime("%A %Y-%m-%d %H:%M"),
                };
                let why = format!("the gate of `{stage}` opens on {when}; earlier with `stockmill release {stage}`");
                Err(Shut { why, opens: Some(opens.timestamp()) })
            }
            Window::Open { since, .. } => {
                let now = facts.now.timestamp();
                let left_at = &facts.left_at[..facts.left_at.len() - ahead(facts.left_at, now).len()];
                let left_since =
                    |start: Timestamp| left_at.len() - left_at.partition_point(|at| *at < start) + facts.leaving;
                let week = now - SignedDuration::from_hours(7 * 24);
                let caps = [(schedule.at_most, since, "today"), (schedule.at_most_per_week, week, "this week")];
                for (cap, start, span) in caps {
                    if let Some(cap) = cap.filter(|cap| left_since(start) >= *cap as usize) {
                        let why = format!("the gate of `{stage}` has let {cap} through {span}, which is its limit");
                        return Err(Shut { why, opens: None });
                    }
                }
                Ok(())
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Schedule;
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
            (Gate::Auto, "2026-11-23T12:00:00Z", false, None),
            (Gate::Hold, "2026-11-23T12:00:00Z", false, Some("stockmill release upload")),
            (Gate::Hold, "2026-11-23T12:00:00Z", true, None),
            (friday(None, None), "2026-11-23T12:00:00Z", false, Some("opens on Friday 2026-11-27 09:00 (UTC)")),
            (friday(Some(3), None), "2026-11-27T10:00:00Z", false, None),
            (friday(Some(2), None), "2026-11-27T10:00:00Z", false, Some("has let 2 through today")),
            (friday(Some(9), Some(3)), "2026-11-27T10:00:00Z", false, Some("has let 3 through this week")),
            (friday(Some(9), Some(3)), "2026-12-04T10:00:00Z", false, None),
            (friday(Some(2), None), "2026-11-27T10:00:00Z", true, None),
        ];
        for (gate, now, is_released, expected) in cases {
            let now = now.parse::<Timestamp>().unwrap().to_zoned_datetime(TimeZone::UTC);
            let facts = GateFacts { now: &now, is_released, left_at: &left, leaving: 0 };
            match (check(Stage::Upload, &gate, &facts), expected) {
                (Ok(()), None) => (),
                (Err(shut), Some(text)) => {
                    assert!(shut.why.contains(text), "{shut:?}");
                    let opens = text.contains("opens on").then(|| "2026-11-27T09:00:00Z".parse().unwrap());
                    assert_eq!(shut.opens, opens, "{shut:?}");
                }
                (got, wanted) => panic!("{gate:?} at {now}: {got:?}, not {wanted:?}"),
            }
        }
    }

    /// The hour was told by the machine's zone, and without saying so.
    #[test]
    fn a_gate_tells_the_hour_of_its_own_zone() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        for (zone, machine, expected) in [
            (Some(berlin.clone()), TimeZone::UTC, "opens on Friday 2026-11-27 09:00 (CET)"),
            (None, TimeZone::UTC, "opens on Friday 2026-11-27 09:00;"),
            (None, berlin, "opens on Friday 2026-11-27 09:00;"),
        ] {
            let facts =
                GateFacts { now: &now.to_zoned_datetime(machine), is_released: false, left_at: &[], leaving: 0 };
            let shut = check(Stage::Keep, &friday_in(zone, None, None), &facts).unwrap_err();
            assert!(shut.why.contains(expected), "{}", shut.why);
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
                let facts = GateFacts { now: &zoned, is_released: false, left_at: &left, leaving: 0 };
                assert_eq!(check(Stage::Upload, &gate, &facts).is_ok(), is_open, "{gate:?} {left:?}");
            }
            assert_eq!(ahead(&left, now).len(), told, "{left:?}");
        }
        assert_eq!(ahead(&[now], Timestamp::MAX), []);
    }
}
