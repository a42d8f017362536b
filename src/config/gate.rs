use std::fmt;

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, ZonedDateTime};

use crate::model::Stage;

pub(super) const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// When a finished asset may leave a stage.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Gate {
    /// As soon as it is finished.
    #[default]
    Auto,
    /// When a person says so.
    Hold,
    /// On certain days.
    Schedule(Schedule),
}

/// The days on which a gate opens, and how much it lets through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Weekdays.
    pub days: Vec<Weekday>,
    /// The time at which it opens; it closes at midnight.
    pub at: Time,
    /// The most assets a day.
    pub at_most: Option<u32>,
    /// The most assets within seven days, today among them.
    pub at_most_per_week: Option<u32>,
    /// The zone in which days and times are meant; the machine's if absent.
    pub zone: Option<TimeZone>,
}

impl Gate {
    /// Returns whether it may let something through that `before` would have held back.
    pub fn opens_after(&self, before: &Self) -> bool {
        match (before, self) {
            (Self::Auto, _) | (Self::Hold | Self::Schedule(_), Self::Hold) => false,
            (Self::Hold | Self::Schedule(_), Self::Auto) | (Self::Hold, Self::Schedule(_)) => true,
            (Self::Schedule(before), Self::Schedule(after)) => {
                let rises = |before: Option<u32>, after: Option<u32>| {
                    before.is_some_and(|before| after.is_none_or(|after| after > before))
                };
                // Hours of two zones cannot be compared for every day.
                after.zone != before.zone
                    || after.at < before.at
                    || after.days.iter().any(|day| !before.days.contains(day))
                    || rises(before.at_most, after.at_most)
                    || rises(before.at_most_per_week, after.at_most_per_week)
            }
        }
    }
}

/// As it would be written in the settings.
impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schedule = match self {
            Self::Auto => return f.write_str("auto"),
            Self::Hold => return f.write_str("hold"),
            Self::Schedule(schedule) => schedule,
        };
        let days: Vec<String> = schedule.days.iter().map(|day| format!("{day:?}").to_lowercase()).collect();
        write!(f, "{{on: [{}], at: \"{}\"", days.join(", "), schedule.at.strftime("%H:%M"))?;
        schedule.at_most.iter().try_for_each(|most| write!(f, ", at_most: {most}"))?;
        schedule.at_most_per_week.iter().try_for_each(|most| write!(f, ", at_most_per_week: {most}"))?;
        let zone = schedule.zone.as_ref().and_then(TimeZone::iana_name);
        zone.iter().try_for_each(|zone| write!(f, ", zone: {zone}"))?;
        f.write_str("}")
    }
}

/// Each stage's gate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gates(pub(super) [Gate; 5]);

impl Gates {
    /// Returns a stage's gate.
    pub fn of(&self, stage: Stage) -> &Gate {
        &self.0[stage as usize]
    }

    /// Returns the stages whose gate is another one than `before`.
    pub fn changed_since(&self, before: &Self) -> impl Iterator<Item = Stage> {
        Stage::ALL.into_iter().filter(|stage| self.of(*stage) != before.of(*stage))
    }
}

/// Whether a scheduled gate is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// It is.
    Open {
        /// Since when.
        since: Timestamp,
        /// Until when.
        until: Timestamp,
    },
    /// It is not.
    Closed {
        /// When it opens next.
        opens: Timestamp,
    },
}

/// Returns when a gate was to open last, and until when it was open then.
pub fn last_window(schedule: &Schedule, now: &ZonedDateTime) -> Option<(Timestamp, Timestamp)> {
    let zone = schedule.zone.clone().unwrap_or_else(|| now.time_zone().clone());
    let today = now.with_time_zone(zone.clone()).date();
    let opening = |days: i64| {
        let date = today.checked_sub(days.days()).ok().filter(|date| schedule.days.contains(&date.weekday()))?;
        let opened = date.to_datetime(schedule.at).to_zoned_datetime(zone.clone()).ok()?;
        (opened.timestamp() <= now.timestamp()).then_some(opened)
    };
    let opened = (0..=7).find_map(opening)?;
    Some((opened.timestamp(), midnight_after(&opened)?))
}

/// Returns the end of the day of a time, by the clock on the wall in its zone.
fn midnight_after(time: &ZonedDateTime) -> Option<Timestamp> {
    let midnight = time.date().tomorrow().ok()?.to_zoned_datetime(time.time_zone().clone()).ok()?;
    Some(midnight.timestamp())
}

/// Reads a time of day.
pub(super) fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

/// Returns whether a gate is open at a time, or when it opens next. Days and hours are those of the
/// schedule's zone, over changes to and from summer time too.
pub fn window(schedule: &Schedule, now: &ZonedDateTime) -> Window {
    let zone = schedule.zone.clone().unwrap_or_else(|| now.time_zone().clone());
    let here = now.with_time_zone(zone.clone());
    let opening = |days: i64| {
        let date = here.date().checked_add(days.days()).ok()?;
        let is_day = schedule.days.contains(&date.weekday());
        is_day.then(|| date.to_datetime(schedule.at).to_zoned_datetime(zone.clone()).ok()).flatten()
    };
    if let (Some(opened), Some(until)) = (opening(0), midnight_after(&here))
        && opened <= here
    {
        return Window::Open { since: opened.timestamp(), until };
    }
    let next = (0..=7).filter_map(opening).find(|opens| *opens > here);
    Window::Closed { opens: next.map_or(Timestamp::MAX, |opens| opens.timestamp()) }
}

/// Returns the day of a name in [`WEEKDAYS`].
pub(super) fn weekday(name: &str) -> Option<Weekday> {
    let index = WEEKDAYS.iter().position(|day| *day == name)?;
    Weekday::from_monday_zero_offset(i8::try_from(index).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn friday(zone: Option<&str>) -> Schedule {
        let zone = zone.map(|name| TimeZone::get(name).unwrap());
        Schedule {
            days: vec![Weekday::Friday],
            at: Time::constant(9, 0, 0, 0),
            at_most: None,
            at_most_per_week: None,
            zone,
        }
    }

    #[test]
    fn the_gate_opens_on_its_day_in_its_zone() {
        let cases = [
            ("2026-11-27T08:59:59+01:00[Europe/Berlin]", None, "2026-11-27T08:00:00Z"),
            ("2026-11-27T09:00:00+01:00[Europe/Berlin]", Some("2026-11-27T08:00:00Z"), "2026-11-27T23:00:00Z"),
            ("2026-11-27T23:59:59+01:00[Europe/Berlin]", Some("2026-11-27T08:00:00Z"), "2026-11-27T23:00:00Z"),
            ("2026-11-28T00:00:00+01:00[Europe/Berlin]", None, "2026-12-04T08:00:00Z"),
            // Summer time ends between these two: nine o'clock stays nine o'clock.
            ("2026-10-24T12:00:00+02:00[Europe/Berlin]", None, "2026-10-30T08:00:00Z"),
            // Friday in New York while it is Saturday in Berlin.
            ("2026-11-28T01:00:00+01:00[Europe/Berlin]", None, "2026-12-04T08:00:00Z"),
        ];
        for (now, since, edge) in cases {
            let got = window(&friday(Some("Europe/Berlin")), &now.parse().unwrap());
            let edge = edge.parse().unwrap();
            let expected = match since {
                Some(since) => Window::Open { since: since.parse().unwrap(), until: edge },
                None => Window::Closed { opens: edge },
            };
            assert_eq!(got, expected, "{now}");
        }
        let berlin = "2026-11-28T01:00:00+01:00[Europe/Berlin]".parse().unwrap();
        assert!(matches!(window(&friday(Some("America/New_York")), &berlin), Window::Open { .. }));
    }

    #[test]
    fn a_gate_that_may_let_more_through_is_known() {
        let gate = |text: &str| {
            let text = format!("upload: {{markets: []}}\ngates: {{raw: {text}}}");
            crate::config::load(&text, "/r".as_ref(), &[]).unwrap().gates.of(Stage::Raw).clone()
        };
        let friday = "{on: [friday], at: \"09:00\", at_most: 5}";
        let cases = [
            ("hold", "auto", true),
            ("hold", friday, true),
            (friday, "auto", true),
            ("auto", "hold", false),
            ("auto", friday, false),
            (friday, "hold", false),
            (friday, friday, false),
            (friday, "{on: [friday, monday], at: \"09:00\", at_most: 5}", true),
            (friday, "{on: [monday], at: \"09:00\", at_most: 5}", true),
            (friday, "{on: [friday], at: \"08:59\", at_most: 5}", true),
            (friday, "{on: [friday], at: \"10:00\", at_most: 4}", false),
            (friday, "{on: [friday], at: \"09:00\", at_most: 6}", true),
            (friday, "{on: [friday], at: \"09:00\"}", true),
            (friday, "{on: [friday], at: \"09:00\", at_most: 5, at_most_per_week: 9}", false),
            ("{on: [friday], at_most_per_week: 9}", "{on: [friday], at_most: 9}", true),
            (friday, "{on: [friday], at: \"09:00\", at_most: 5, zone: Asia/Tokyo}", true),
        ];
        for (before, after, opens) in cases {
            let (before, after) = (gate(before), gate(after));
            assert_eq!(after.opens_after(&before), opens, "{before} -> {after}");
            // What is shown can be written.
            assert_eq!(gate(&after.to_string()), after);
        }
    }
}
