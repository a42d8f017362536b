//! Until when a market wants the work for a season.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::Market;

/// How many days before the last useful one it is told that it is near.
const NEAR_DAYS: i32 = 14;

/// Returns what is told of a file that comes too late for its season.
pub fn late_for(season: Date, market: &Market, today: Date) -> Option<String> {
    let last = last_day(season, market)?;
    let wants = if last < season { format!("; {} wants such work until {last}", market.name) } else { String::new() };
    (today > last).then(|| format!("late for its season, {season}{wants}"))
}

/// Returns what is told of work for a season that is not bundled yet, if the last useful day of a market is near or past.
pub fn season_ahead<'a>(markets: impl Iterator<Item = &'a Market>, season: Date, today: Date) -> Option<String> {
    let mut days: Vec<(Date, Vec<String>)> = Vec::new();
    for market in markets {
        let Some(last) = last_day(season, market) else { continue };
        match days.iter_mut().find(|(day, _)| *day == last) {
            Some((_, names)) => names.push(market.name.to_string()),
            None => days.push((last, vec![market.name.to_string()])),
        }
    }
    days.sort();
    let told = days.into_iter().filter_map(|(last, names)| {
        let when = match (last - today).get_days() {
            ..0 => "is past".to_owned(),
            0 => "is today".to_owned(),
            1 => "is tomorrow".to_owned(),
            days if days <= NEAR_DAYS => format!("is in {days} days"),
            _ => return None,
        };
        Some(format!("the last useful day for {}, {last}, {when}", names.join(", ")))
    });
    let told: Vec<String> = told.collect();
    (!told.is_empty()).then(|| format!("its season begins on {season}: {}", told.join("; ")))
}

/// Returns the last day on which a market wants the work for a season: that day itself, where it does not say another one.
fn last_day(season: Date, market: &Market) -> Option<Date> {
    season.checked_sub(i64::from(market.season_lead_days.unwrap_or(0)).days()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::built_in;

    /// That work comes late was told on the day on which it was bundled.
    #[test]
    fn the_last_useful_day_is_told_before_it_is_past() {
        let all = built_in().unwrap();
        let markets =
            || all.iter().filter(|market| ["adobe-stock", "dreamstime", "magnific"].contains(&market.name.as_str()));
        let season: Date = "2026-12-24".parse().unwrap();
        let begins = "its season begins on 2026-12-24: ";
        let (magnific, others) = (
            "the last useful day for magnific, 2026-11-24, ",
            "the last useful day for adobe-stock, dreamstime, 2026-12-24, ",
        );
        for (today, told) in [
            ("2026-11-09", None),
            ("2026-11-10", Some(format!("{begins}{magnific}is in 14 days"))),
            ("2026-11-23", Some(format!("{begins}{magnific}is tomorrow"))),
            ("2026-11-24", Some(format!("{begins}{magnific}is today"))),
            ("2026-11-25", Some(format!("{begins}{magnific}is past"))),
            ("2026-12-10", Some(format!("{begins}{magnific}is past; {others}is in 14 days"))),
            ("2027-02-01", Some(format!("{begins}{magnific}is past; {others}is past"))),
        ] {
            assert_eq!(season_ahead(markets(), season, today.parse().unwrap()), told, "{today}");
        }
    }

    #[test]
    fn what_comes_late_for_its_season_says_so() {
        let markets = built_in().unwrap();
        // The market, the day, and whether that is late for Christmas.
        for (name, today, is_late) in [
            ("magnific", "2026-11-24", false),
            ("magnific", "2026-11-25", true),
            // Nobody knows how early it wants such work.
            ("adobe-stock", "2026-12-24", false),
            ("adobe-stock", "2026-12-25", true),
        ] {
            let market = markets.iter().find(|market| market.name == name).unwrap();
            let told = late_for("2026-12-24".parse().unwrap(), market, today.parse().unwrap());
            assert_eq!(told.is_some(), is_late, "{name} {today}: {told:?}");
            let until = told.is_none_or(|told| told.contains("until 2026-11-24") == (name == "magnific"));
            assert!(until, "{name} {today}");
        }
    }
}
