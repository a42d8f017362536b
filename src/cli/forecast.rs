use std::collections::BTreeMap;
use std::process::ExitCode;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;

use super::RootArgs;
use super::error::CliError;
use super::out::{counted, say};
use super::settings::settings_of_existing;
use crate::model::{MarketName, RelPath, alike, named, together};
use crate::service::{Future, View};

/// What nobody can know of the time to come.
const UNKNOWN: &str = "This is as if each bundle were sent on its day, no market answered, and nothing else came.";

/// Prints which file leaves `upload` when and for which market, until the end of a day.
pub(super) fn forecast(args: &RootArgs, day: Date, as_json: bool) -> Result<ExitCode, CliError> {
    let mut view = View::open(settings_of_existing(args)?).map_err(|error| CliError::failed(&error))?;
    let (zone, today) = (TimeZone::system(), view.today());
    if day < today {
        return Err(CliError::usage(format!(
            "`{day}` is past, today is {today}: name a day to come; what went where before, `stockmill history FILE` tells"
        )));
    }
    let end = day.tomorrow().ok().and_then(|day| day.to_zoned_datetime(zone.clone()).ok());
    let Some(end) = end else { return Err(CliError::usage(format!("`{day}` has no end; write an earlier day"))) };
    let future = view.future(end.timestamp());
    if as_json {
        let leaves = future.forecast.leaves.iter();
        let leaves: Vec<_> = leaves
            .map(|(at, file, markets)| json!({"at": at.to_string(), "file": file.to_string(), "markets": names(markets)}))
            .collect();
        let stays = future.forecast.stays.iter();
        let stays: Vec<_> = stays
            .map(|(file, market, why)| json!({"file": file.to_string(), "market": market.as_str(), "why": why}))
            .collect();
        let held = future.held.iter();
        let held: Vec<_> = held.map(|(file, why)| json!({"file": file.to_string(), "why": why})).collect();
        let not_for = future.not_for.iter();
        let not_for: Vec<_> = not_for
            .map(|(why, files)| json!({"why": why, "files": files.iter().map(ToString::to_string).collect::<Vec<_>>()}))
            .collect();
        let refused = future.refused.iter();
        let refused: Vec<_> = refused
            .map(|((market, why), files)| json!({"market": market.as_str(), "why": why, "files": files.len()}))
            .collect();
        let until = end.timestamp().to_string();
        say!(
            "{}",
            json!({"version": 1, "until": until, "leaves": leaves, "stays": stays, "held": held, "not_for": not_for, "refused": refused, "unmade": future.unmade, "unknown": UNKNOWN})
        );
        return Ok(ExitCode::SUCCESS);
    }
    tell(&future, day, &zone);
    Ok(ExitCode::SUCCESS)
}

/// Reads a day that a person typed.
pub(super) fn day(text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| "write the day as 2026-12-24: year, month, day".to_owned())
}

fn tell(future: &Future, day: Date, zone: &TimeZone) {
    let time = |at: Timestamp| at.to_zoned_datetime(zone.clone()).strftime("%A %Y-%m-%d %H:%M (%Z)").to_string();
    let mut last = None;
    for (at, file, markets) in &future.forecast.leaves {
        if last != Some(*at) {
            say!("{}", time(*at));
            last = Some(*at);
        }
        say!("  {file}: {}", names(markets).join(", "));
    }
    if future.forecast.leaves.is_empty() {
        say!("Nothing leaves `upload` until {day}.");
    }
    let stays = future.forecast.stays.iter();
    for (markets, why, files) in grouped(stays.map(|(file, market, why)| (market.clone(), why.clone(), file))) {
        say!("{}: not by {day} for {markets}: {why}", named(&files));
    }
    for (why, files) in alike(future.held.iter().map(|(file, why)| (why.clone(), file.clone()))) {
        say!("{}: held: {why}", named(&files));
    }
    let not_for = future.not_for.iter().flat_map(|(why, files)| files.iter().map(|file| (why.clone(), file.clone())));
    for (why, files) in alike(not_for) {
        say!("{}: {why}", named(&files));
    }
    let refused = future.refused.iter();
    let refused =
        refused.flat_map(|((market, why), files)| files.iter().map(|file| (market.clone(), why.clone(), file)));
    for (markets, why, files) in grouped(refused) {
        say!("{} in bundles: not for {markets}: {why}: {}", counted(files.len(), "file"), named(&files));
    }
    if future.unmade > 0 {
        say!("{} in earlier stages: when they are made, nobody can tell.", counted(future.unmade, "file"));
    }
    say!("{UNKNOWN}");
}

/// Returns what is told of files and markets, once for all files whose reasons differ in figures alone, and for all markets
/// of which the same is told.
fn grouped<'a>(told: impl Iterator<Item = (MarketName, String, &'a RelPath)>) -> Vec<(String, String, Vec<RelPath>)> {
    let mut by_market: BTreeMap<MarketName, Vec<(String, RelPath)>> = BTreeMap::new();
    told.for_each(|(market, why, file)| by_market.entry(market).or_default().push((why, file.clone())));
    let of_market =
        |(market, told): (MarketName, Vec<_>)| alike(told).into_iter().map(move |told| (market.clone(), told));
    together(by_market.into_iter().flat_map(of_market))
        .into_iter()
        .map(|(markets, (why, files))| (markets, why, files))
        .collect()
}

fn names(markets: &[MarketName]) -> Vec<&str> {
    markets.iter().map(MarketName::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same was told once for each of seven markets.
    #[test]
    fn markets_of_which_the_same_is_told_of_the_same_files_share_a_line() {
        let files = ["upload/a.jpg", "upload/b.jpg"].map(|path| RelPath::new(path).unwrap());
        let rows = [
            ("alamy", "it has 3 megapixels", 0),
            ("alamy", "it has 5 megapixels", 1),
            ("pond5", "it has 3 megapixels", 0),
            ("pond5", "it has 5 megapixels", 1),
            ("zoonar", "it has 3 megapixels", 0),
        ];
        let rows = rows.map(|(market, why, file)| (MarketName::new(market).unwrap(), why.to_owned(), &files[file]));
        let told: Vec<_> = grouped(rows.into_iter()).into_iter().map(|(m, why, of)| (m, why, of.len())).collect();
        let line = |markets: &str, why: &str, count| (markets.to_owned(), why.to_owned(), count);
        let expected = [line("alamy, pond5", "it has 3 to 5 megapixels", 2), line("zoonar", "it has 3 megapixels", 1)];
        assert_eq!(told, expected);
    }

    /// It was told that four digits of a year could not be read.
    #[test]
    fn a_day_in_another_form_is_answered_with_the_form_that_is_wanted() {
        for (text, is_day) in [("2026-12-24", true), ("24.12.2026", false), ("tomorrow", false), ("2026-13-01", false)]
        {
            let read = day(text);
            assert_eq!(read.is_ok(), is_day, "{text}");
            assert!(read.err().is_none_or(|why| why.contains("2026-12-24")), "{text}");
        }
    }
}
