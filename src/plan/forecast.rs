//! What leaves `upload` when: its gate and the limits of the markets, carried on in thought.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::gate::{GateFacts, Shut, check};
use super::{BundleFolder, MarketRecord, MarketUse, NoRoom, check_room};
use crate::config::{Gate, UploadDay};
use crate::model::{MarketName, RelPath, Stage, ThemeSlug};
use crate::records::MadeUp;

/// So many times are looked at; a schedule of every day for fifty years has fewer.
const TIMES_MAX: usize = 20_000;

/// A file that waits in `upload`, and the markets that would take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Where it lies.
    pub file: RelPath,
    /// Its theme.
    pub theme: ThemeSlug,
    /// The markets.
    pub markets: Vec<MarketName>,
    /// What a person let it go past.
    pub past: Past,
    /// Why it goes to no further market once it lies in a bundle, if so.
    pub at_once: Option<String>,
}

/// What a person's word lets a file go past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Past {
    /// Nobody let it go.
    Nothing,
    /// The gate.
    Gate {
        /// When that is over: what waits for room until then waits for the gate again.
        until: Timestamp,
    },
    /// The gate, and the room that markets have: all of it goes at once.
    Room,
}

/// What went to a market before.
#[derive(Debug, Clone, Default)]
pub struct WentBefore {
    /// What was sent, and what lies in bundles as if it were sent now.
    pub record: MarketRecord,
    /// How many files its bundles of today have.
    pub today: usize,
}

/// What the time to come is told by.
#[derive(Debug)]
pub struct Outlook<'a> {
    /// The gate of `upload`.
    pub gate: &'a Gate,
    /// The days that were missed and made up lately, oldest first.
    pub made_up: &'a [MadeUp],
    /// When assets left `upload` before, oldest first.
    pub left_at: Vec<Timestamp>,
    /// How much goes to the markets at once.
    pub day: &'a UploadDay,
    /// The markets that get nothing until a person did something, and why.
    pub held: BTreeMap<MarketName, String>,
    /// What went to each market before.
    pub before: BTreeMap<MarketName, WentBefore>,
    /// The time zone of the machine.
    pub zone: TimeZone,
}

/// What leaves when, and what does not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Forecast {
    /// What leaves, in order: when, which file, for which markets.
    pub leaves: Vec<(Timestamp, RelPath, Vec<MarketName>)>,
    /// What does not leave until then, for which market, and why.
    pub stays: Vec<(RelPath, MarketName, String)>,
}

/// Returns what leaves from `now` on and before `until`, the first of `waiting` first, as if each bundle were sent on its day and no
/// market answered.
pub fn forecast(waiting: &[Waiting], mut outlook: Outlook<'_>, now: Timestamp, until: Timestamp) -> Forecast {
    let mut found = Forecast::default();
    let mut lacking: Vec<Vec<MarketName>> = waiting.iter().map(|waiting| waiting.markets.clone()).collect();
    let mut days: HashMap<MarketName, (Date, usize)> = HashMap::new();
    for (market, before) in &outlook.before {
        days.insert(market.clone(), (now.to_zoned_datetime(outlook.zone.clone()).date(), before.today));
    }
    let (mut at, mut left) = (now, Vec::new());
    for _ in 0..TIMES_MAX {
        found.stays.clear();
        let mut opens: Vec<Timestamp> = Vec::new();
        let mut full: HashMap<(MarketName, ThemeSlug), NoRoom> = HashMap::new();
        for (waiting, lacking) in waiting.iter().zip(&mut lacking).filter(|(_, lacking)| !lacking.is_empty()) {
            let past = waiting.past.at(at);
            if let Err(shut) = outlook.gate_at(at, past) {
                opens.extend(shut.opens);
                let stays = lacking.iter().map(|market| {
                    let why = outlook.told_behind(&shut, market, waiting, &days, at);
                    (waiting.file.clone(), market.clone(), why)
                });
                found.stays.extend(stays);
                continue;
            }
            let mut goes = Vec::new();
            lacking.retain(|market| {
                let key = (market.clone(), waiting.theme.clone());
                let known = full.get(&key).filter(|_| past != Past::Room).cloned();
                let room = known.map_or_else(|| outlook.room(market, waiting, &days, at), Err);
                match room {
                    Ok(()) => goes.push(market.clone()),
                    Err(no_room) => {
                        opens.extend(no_room.opens);
                        opens.extend(past.ends());
                        let why = no_room.told_of(&waiting.file).to_owned();
                        found.stays.push((waiting.file.clone(), market.clone(), why));
                        full.insert(key, no_room);
                        return true;
                    }
                }
                false
            });
            if !goes.is_empty() {
                outlook.take(&goes, waiting, &mut days, at);
                found.leaves.push((at, waiting.file.clone(), goes));
                if let Some(why) = waiting.at_once.as_ref().filter(|_| !lacking.is_empty()) {
                    found.stays.retain(|(file, ..)| *file != waiting.file);
                    left.extend(lacking.drain(..).map(|market| (waiting.file.clone(), market, why.clone())));
                }
            }
        }
        let Some(next) = opens.into_iter().filter(|opens| *opens > at).min().filter(|next| *next < until) else {
            break;
        };
        at = next;
    }
    found.stays.extend(left);
    found
}

impl Past {
    /// Returns what is left of it at a time.
    fn at(self, at: Timestamp) -> Self {
        if self.ends().is_some_and(|until| until <= at) { Self::Nothing } else { self }
    }

    fn ends(self) -> Option<Timestamp> {
        let Self::Gate { until } = self else { return None };
        Some(until)
    }
}

impl NoRoom {
    fn told_of(&self, file: &RelPath) -> &str {
        if BundleFolder::is_file(file) { &self.of_bundled } else { &self.why }
    }

    /// Returns whether it is so still when a gate opens; where nobody knows when that is, it is told as it is.
    fn holds_at(&self, opens: Option<Timestamp>) -> bool {
        self.opens.zip(opens).is_none_or(|(room, gate)| room > gate)
    }
}

impl Outlook<'_> {
    fn gate_at(&self, at: Timestamp, past: Past) -> Result<(), Shut> {
        let now = at.to_zoned_datetime(self.zone.clone());
        let made_up = self.made_up;
        let facts =
            GateFacts { now: &now, is_released: past != Past::Nothing, left_at: &self.left_at, leaving: 0, made_up };
        // Days of another zone stood beside what markets have room for by the clock of this machine.
        check(Stage::Upload, self.gate, &facts).map_err(|shut| shut.told_by_clock_of(self.gate, &now))
    }

    /// Returns why a file stays behind a shut gate, and what holds it besides when that opens.
    fn told_behind(
        &self,
        shut: &Shut,
        market: &MarketName,
        waiting: &Waiting,
        days: &HashMap<MarketName, (Date, usize)>,
        at: Timestamp,
    ) -> String {
        let no_room = self.room(market, waiting, days, at).err().filter(|no_room| no_room.holds_at(shut.opens));
        let besides =
            no_room.map_or_else(String::new, |no_room| format!("; besides, {}", no_room.told_of(&waiting.file)));
        format!("{}{besides}", shut.why)
    }

    fn room(
        &self,
        market: &MarketName,
        waiting: &Waiting,
        days: &HashMap<MarketName, (Date, usize)>,
        at: Timestamp,
    ) -> Result<(), NoRoom> {
        if waiting.past == Past::Room {
            return Ok(());
        }
        if let Some(why) = self.held.get(market) {
            return Err(NoRoom { why: why.clone(), of_bundled: why.clone(), opens: None });
        }
        let (now, none) = (at.to_zoned_datetime(self.zone.clone()), MarketRecord::default());
        let today = days.get(market).filter(|(day, _)| *day == now.date()).map_or(0, |(_, count)| *count);
        let record = self.before.get(market).map_or(&none, |before| &before.record);
        let used = MarketUse { market, today, unsent: 0, unsent_of_theme: 0, record };
        check_room(self.day, &used, &waiting.theme, &now)
    }

    fn take(
        &mut self,
        markets: &[MarketName],
        waiting: &Waiting,
        days: &mut HashMap<MarketName, (Date, usize)>,
        at: Timestamp,
    ) {
        let today = at.to_zoned_datetime(self.zone.clone()).date();
        self.left_at.push(at);
        for market in markets {
            self.before.entry(market.clone()).or_default().record.send(at, Some(&waiting.theme));
            let (day, count) = days.entry(market.clone()).or_insert((today, 0));
            (*day, *count) = (today, if *day == today { *count + 1 } else { 1 });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;

    fn told(settings: &str, files: &[(&str, &[&str])], until: &str) -> (Vec<String>, Vec<String>) {
        names_of(&foretold(&[], Past::Nothing, settings, files, until))
    }

    fn names_of(found: &Forecast) -> (Vec<String>, Vec<String>) {
        let names = |markets: &[MarketName]| markets.iter().map(MarketName::as_str).collect::<Vec<_>>().join(" ");
        let leaves = found.leaves.iter().map(|(at, file, markets)| {
            format!("{} {} {}", at.strftime("%m-%d %H:%M"), file.stem().to_string_lossy(), names(markets))
        });
        let stays = found.stays.iter().map(|(file, market, _)| format!("{} {market}", file.stem().to_string_lossy()));
        (leaves.collect(), stays.collect())
    }

    /// Tells what leaves while some markets get nothing, of files that a person may have let go.
    fn foretold(held: &[&str], past: Past, settings: &str, files: &[(&str, &[&str])], until: &str) -> Forecast {
        foretold_of(held, settings, files, until, |waiting| waiting.past = past)
    }

    fn foretold_of(
        held: &[&str],
        settings: &str,
        files: &[(&str, &[&str])],
        until: &str,
        change: impl Fn(&mut Waiting),
    ) -> Forecast {
        let markets = crate::market::built_in().unwrap();
        let settings = load(settings, "/mill".as_ref(), &markets).unwrap();
        let mut waiting: Vec<Waiting> = files
            .iter()
            .map(|(name, markets)| Waiting {
                file: RelPath::new(format!("upload/sea/{name}.jpg")).unwrap(),
                theme: ThemeSlug::new("sea").unwrap(),
                markets: markets.iter().map(|market| MarketName::recorded(market)).collect(),
                past: Past::Nothing,
                at_once: None,
            })
            .collect();
        waiting.iter_mut().for_each(change);
        let mut pond5 = WentBefore { today: 1, ..WentBefore::default() };
        let sent = "2026-10-19T08:00:00Z".parse().unwrap();
        pond5.record.send(sent, None);
        let refused = pond5.record.send(sent, Some(&ThemeSlug::new("sea").unwrap()));
        pond5.record.answer(refused, false);
        let outlook = Outlook {
            gate: settings.gates.of(Stage::Upload),
            made_up: &[],
            left_at: Vec::new(),
            day: &settings.upload.day,
            held: held.iter().map(|market| (MarketName::recorded(market), "held".to_owned())).collect(),
            before: [(MarketName::recorded("pond5"), pond5)].into(),
            zone: TimeZone::get("Europe/Berlin").unwrap(),
        };
        let (now, until) = ("2026-10-19T09:00:00Z".parse().unwrap(), until.parse().unwrap());
        forecast(&waiting, outlook, now, until)
    }

    /// A gate's day stood there by the clock of its own zone, and what a market has room for by that of the machine.
    #[test]
    fn all_times_are_told_by_one_clock() {
        for zone in ["", ", zone: America/New_York", ", zone: UTC"] {
            let settings = format!("gates: {{upload: {{on: [friday], at: \"09:00\"{zone}}}}}");
            let found = foretold(&[], Past::Nothing, &settings, &[("a", &["pond5"])], "2026-10-20T00:00:00Z");
            let why = &found.stays[0].2;
            assert!(why.contains("opens on Friday 2026-10-23 ") && why.contains("(CEST); earlier"), "{zone}: {why}");
        }
    }

    /// What goes to a further market at once or never was foretold for the day on which that has room.
    #[test]
    fn what_goes_to_no_further_market_later_is_not_foretold() {
        for (at_once, leaves, stays) in [(None, 2, None), (Some("packed"), 1, Some("packed"))] {
            let settings = "upload: {limits: {pond5: {at_most: 1}}}";
            let asked = |waiting: &mut Waiting| waiting.at_once = at_once.map(str::to_owned);
            let found = foretold_of(&[], settings, &[("a", &["adobe-stock", "pond5"])], "2026-11-02T08:30:00Z", asked);
            assert_eq!(found.leaves.len(), leaves, "{found:?}");
            assert_eq!(found.stays.first().map(|(.., why)| why.as_str()), stays, "{found:?}");
        }
    }

    #[test]
    fn gates_and_limits_say_what_leaves_when() {
        const BOTH: &[&str] = &["adobe-stock", "pond5"];
        let friday = "gates: {upload: {on: [friday], at: \"09:00\", at_most: 2}}\n";
        // The settings, what leaves (in UTC) until the second of November, and what stays.
        let rows: [(&str, &[&str], &[&str]); 7] = [
            ("{}", &["10-19 09:00 a adobe-stock pond5", "10-19 09:00 b pond5", "10-19 09:00 c adobe-stock pond5"], &[]),
            ("gates: {upload: hold}", &[], &["a adobe-stock", "a pond5", "b pond5", "c adobe-stock", "c pond5"]),
            // Nine o'clock stays nine o'clock when summer time ends.
            (
                friday,
                &["10-23 07:00 a adobe-stock pond5", "10-23 07:00 b pond5", "10-30 08:00 c adobe-stock pond5"],
                &[],
            ),
            (
                "upload: {limits: {pond5: {at_most: 2}}}",
                &[
                    "10-19 09:00 a adobe-stock pond5",
                    "10-19 09:00 c adobe-stock",
                    "10-19 22:00 b pond5",
                    "10-19 22:00 c pond5",
                ],
                &[],
            ),
            // Nobody answers, so that what was sent is in review for its fourteen days.
            (
                "upload: {limits: {pond5: {at_most_in_review: 2}}}",
                &["10-19 09:00 a adobe-stock pond5", "10-19 09:00 c adobe-stock", "11-02 08:01 b pond5"],
                &["c pond5"],
            ),
            // Pond5 refused the theme, and Adobe Stock was never asked.
            (
                "upload: {brake: {last: 1, accepted_min: 1}}",
                &["10-19 09:00 a adobe-stock", "10-19 09:00 c adobe-stock"],
                &["a pond5", "b pond5", "c pond5"],
            ),
            // Pond5 answered about its probe; that of Adobe Stock begins now.
            (
                "upload: {probe: 1}",
                &["10-19 09:00 a adobe-stock pond5", "10-19 09:00 b pond5", "10-19 09:00 c pond5"],
                &["c adobe-stock"],
            ),
        ];
        for (settings, leaves, stays) in rows {
            let found = told(settings, &[("a", BOTH), ("b", &BOTH[1..]), ("c", BOTH)], "2026-11-02T08:30:00Z");
            assert_eq!(
                found,
                (leaves.iter().map(ToString::to_string).collect(), stays.iter().map(ToString::to_string).collect()),
                "{settings}"
            );
        }
        // The end of a day is the first moment of the next one: what leaves then was told as if it left on that day.
        let (_, stays) =
            told("upload: {limits: {pond5: {at_most: 2}}}", &[("a", BOTH), ("b", BOTH)], "2026-10-19T22:00:00Z");
        assert_eq!(stays, ["b pond5"]);
        // It was told to get all that `status` said it does not get.
        let files: &[(&str, &[&str])] = &[("a", BOTH), ("b", &BOTH[1..])];
        let (leaves, stays) = names_of(&foretold(&["pond5"], Past::Nothing, "{}", files, "2026-10-19T22:00:00Z"));
        assert_eq!(
            (leaves, stays),
            (vec!["10-19 09:00 a adobe-stock".to_owned()], vec!["a pond5".to_owned(), "b pond5".to_owned()])
        );
    }

    /// The gate alone was told, and whoever let it go met the next reason.
    #[test]
    fn what_holds_a_file_behind_a_shut_gate_is_told_with_it() {
        let friday = "gates: {upload: {on: [friday], at: \"09:00\"}}\n";
        // The settings, and what is told besides the gate.
        let rows = [
            ("gates: {upload: hold}\n", "", None),
            ("gates: {upload: hold}\n", "upload: {limits: {pond5: {at_most: 1}}}", Some("it has 1 file of today")),
            ("gates: {upload: hold}\n", "upload: {brake: {last: 1, accepted_min: 1}}", Some("`upload.brake` wants")),
            // By Friday there is room again.
            (friday, "upload: {limits: {pond5: {at_most: 1}}}", None),
            (friday, "upload: {limits: {pond5: {at_most_in_review: 1}}}", Some("it has 1 file in review")),
            (friday, "upload: {brake: {last: 1, accepted_min: 1}}", Some("`upload.brake` wants")),
        ];
        for (gate, upload, besides) in rows {
            let settings = format!("{gate}{upload}");
            let found = foretold(&[], Past::Nothing, &settings, &[("a", &["pond5"])], "2026-10-20T00:00:00Z");
            let why = &found.stays[0].2;
            let (gate, besides_it) = why.split_once("; besides, ").map_or((why.as_str(), None), |(a, b)| (a, Some(b)));
            assert!(gate.contains("the gate of `upload`"), "{settings}: {why}");
            let is_it = besides.is_none_or(|words| besides_it.is_some_and(|told| told.contains(words)));
            assert!(is_it && besides.is_some() == besides_it.is_some(), "{settings}: {why}");
        }
    }

    /// It let them go past the gate for ever: files were foretold for days on which nothing lets them go.
    #[test]
    fn a_release_lets_files_go_for_as_long_as_it_lives() {
        let settings = "gates: {upload: GATE}\nupload: {limits: {pond5: {at_most: 1, at_most_in_review: 9}}}";
        let files: Vec<String> = (1..=4).map(|number| number.to_string()).collect();
        let files: Vec<(&str, &[&str])> = files.iter().map(|name| (name.as_str(), &["pond5"] as _)).collect();
        let first: &[&str] = &["10-19 22:00 1 pond5", "10-20 22:00 2 pond5"];
        // The gate, when its release ends, until when is looked, what leaves, and why the next one stays.
        let rows: [(&str, &str, &str, &[&str], &str); 5] = [
            ("hold", "10-21T09:00", "10-27T00:00", first, "is `hold`"),
            // Before its end, it waits for room; after it, for the gate, though room is told only for later.
            ("hold", "10-21T09:00", "10-21T08:00", first, "2026-10-22"),
            ("hold", "10-21T09:00", "10-21T12:00", first, "is `hold`"),
            // With its end it is over.
            ("hold", "10-20T22:00", "10-27T00:00", &first[..1], "is `hold`"),
            (
                "{on: [friday], at: \"09:00\"}",
                "10-20T09:00",
                "10-24T00:00",
                &["10-19 22:00 1 pond5", "10-23 07:00 2 pond5"],
                "opens on Friday 2026-10-30",
            ),
        ];
        for (gate, ends, until, leaves, stays) in rows {
            let past = Past::Gate { until: format!("2026-{ends}:00Z").parse().unwrap() };
            let found = foretold(&[], past, &settings.replace("GATE", gate), &files, &format!("2026-{until}:00Z"));
            assert_eq!(names_of(&found).0, leaves, "{gate} {ends} {until}");
            assert!(found.stays[0].2.contains(stays), "{gate} {ends} {until}: {}", found.stays[0].2);
        }
    }
}
