//! Until when a market wants the work for a season.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::Market;

/// How many days before the last useful one it is told that it is near.
const NEAR_DAYS: i32 = 14;
/// How many days after a season nothing is told of it any more: it is over, and sells as any other work does.
const OVER_DAYS: i32 = 28;

/// Returns what is told of a file that comes too late for its season.
pub fn late_for(season: Date, market: &Market, today: Date) -> Option<String> {
    let last = last_day(season, market)?;
    let wants = if last < season { format!("; {} wants such work until {last}", market.name) } else { String::new() };
    (today > last && !is_over(season, today)).then(|| format!("late for its season, {season}{wants}"))
}

/// Returns what is told of work for a season that is not bundled yet, if the last useful day of a market is near or past; of
/// one that says no such day, if the season is.
pub fn season_ahead<'a>(markets: impl Iterator<Item = &'a Market>, season: Date, today: Date) -> Option<String> {
    if is_over(season, today) {
        return None;
    }
    let mut days: Vec<((Date, bool), Vec<&str>)> = Vec::new();
    for market in markets {
        let Some(last) = last_day(season, market) else { continue };
        let key = (last, market.season_lead_days.is_some());
        match days.iter_mut().find(|(day, _)| *day == key) {
            Some((_, names)) => names.push(market.name.as_str()),
            None => days.push((key, vec![market.name.as_str()])),
        }
    }
    days.sort();
    let told = days.into_iter().filter_map(|((last, is_known), names)| {
        let (names, when) = (names.join(", "), when(last, today)?);
        Some(if is_known {
            format!("the last useful day for {names}, {last}, {when}")
        } else {
            format!("that {when}, and how long before it such work is of use for {names} is not known")
        })
    });
    let told: Vec<String> = told.collect();
    (!told.is_empty()).then(|| format!("its season begins on {season}: {}", told.join("; ")))
}

fn when(last: Date, today: Date) -> Option<String> {
    Some(match (last - today).get_days() {
        ..0 => "is past".to_owned(),
        0 => "is today".to_owned(),
        1 => "is tomorrow".to_owned(),
        days if days <= NEAR_DAYS => format!("is in {days} days"),
        _ => return None,
    })
}

fn is_over(season: Date, today: Date) -> bool {
    (today - season).get_days() > OVER_DAYS
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
        let magnific = "the last useful day for magnific, 2026-11-24, ";
        // How early the others want it was told as if it were known: the day itself.
        let others = ", and how long before it such work is of use for adobe-stock, dreamstime is not known";
        for (today, told) in [
            ("2026-11-09", None),
            ("2026-11-10", Some(format!("{begins}{magnific}is in 14 days"))),
            ("2026-11-23", Some(format!("{begins}{magnific}is tomorrow"))),
            ("2026-11-24", Some(format!("{begins}{magnific}is today"))),
            ("2026-11-25", Some(format!("{begins}{magnific}is past"))),
            ("2026-12-10", Some(format!("{begins}{magnific}is past; that is in 14 days{others}"))),
            ("2027-01-21", Some(format!("{begins}{magnific}is past; that is past{others}"))),
            // It was told for ever.
            ("2027-01-22", None),
            ("2036-12-01", None),
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
            ("magnific", "2027-01-21", true),
            ("magnific", "2027-01-22", false),
        ] {
            let market = markets.iter().find(|market| market.name == name).unwrap();
            let told = late_for("2026-12-24".parse().unwrap(), market, today.parse().unwrap());
            assert_eq!(told.is_some(), is_late, "{name} {today}: {told:?}");
            let until = told.is_none_or(|told| told.contains("until 2026-11-24") == (name == "magnific"));
            assert!(until, "{name} {today}");
        }
    }
}
