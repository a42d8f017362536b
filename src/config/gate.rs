use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, ZonedDateTime};

use crate::model::Stage;

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
    /// From when on; it closes at midnight.
    pub at: Time,
    /// The most assets a day.
    pub at_most: Option<u32>,
    /// The most assets within seven days.
    pub at_most_per_week: Option<u32>,
    /// The zone in which days and times are meant; the machine's if absent.
    pub zone: Option<TimeZone>,
}

/// Each stage's gate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gates(pub(super) [Gate; 5]);

impl Gates {
    /// Returns a stage's gate.
    pub fn of(&self, stage: Stage) -> &Gate {
        &self.0[stage as usize]
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
    let midnight = here.date().tomorrow().ok().and_then(|day| day.to_zoned_datetime(zone.clone()).ok());
    if let (Some(opened), Some(midnight)) = (opening(0), midnight)
        && opened <= here
    {
        return Window::Open { since: opened.timestamp(), until: midnight.timestamp() };
    }
    let next = (0..=7).filter_map(opening).find(|opens| *opens > here);
    Window::Closed { opens: next.map_or(Timestamp::MAX, |opens| opens.timestamp()) }
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
}
