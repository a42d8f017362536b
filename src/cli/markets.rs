use std::process::ExitCode;

use super::RootArgs;
use super::error::CliError;
use super::out::say;
use super::profiles::Profiles;
use super::reader::Reader;
use super::settings::root;
use crate::market::{Accepts, Market, ai_policy, all_categories};
use crate::model::nearest;

/// Lists the markets that have a profile, or shows one of them with its categories.
pub(super) fn markets(args: &RootArgs, name: Option<&str>) -> Result<ExitCode, CliError> {
    // Without a mill there are those that come with stockmill.
    let profiles = Profiles::read(&root(args)?, &mut Reader::default()).map_err(CliError::usage)?;
    profiles.notes().iter().for_each(|note| say!("note: {note}"));
    let mut markets = profiles.markets;
    markets.sort_by(|one, other| one.name.cmp(&other.name));
    let Some(name) = name else {
        markets.iter().for_each(|market| say!("{}", line(market)));
        return Ok(ExitCode::SUCCESS);
    };
    let Some(market) = markets.iter().find(|market| market.name == name) else {
        let names: Vec<&str> = markets.iter().map(|market| market.name.as_str()).collect();
        let near = nearest(name, &names).map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"));
        return Err(CliError::usage(format!("no market `{name}` has a profile{near}; `stockmill markets` lists all")));
    };
    say!("{}", line(market));
    ai_policy(market).iter().for_each(|policy| say!("  {policy}"));
    all_categories(market).iter().for_each(|(code, name)| say!("  {:>3}  {name}", code.to_string()));
    Ok(ExitCode::SUCCESS)
}

/// Returns what a market is, in one line.
fn line(market: &Market) -> String {
    let Market { name, title, checked, .. } = market;
    let ai = match market.accepts_ai {
        Accepts::Yes => "takes work made by AI",
        Accepts::No => "takes no work made by AI",
        Accepts::Unknown => "is not known to take work made by AI",
    };
    let categories = match market.categories.len() {
        0 => String::new(),
        1 => "; 1 category".to_owned(),
        some => format!("; {some} categories"),
    };
    format!("{name}: {title}; {ai}{categories}; its rules were compared last on {checked}")
}
