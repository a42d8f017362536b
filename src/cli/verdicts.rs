use std::path::Path;
use std::process::ExitCode;

use super::RootArgs;
use super::ask::ask;
use super::error::CliError;
use super::out::{counted, say};
use super::settings::settings_of_existing;
use crate::config::Settings;
use crate::market::{Market, Means, VerdictList};
use crate::model::escape_bytes;
use crate::records::{Action, Did, ListColumns, ListRow, VerdictRow, Verdicts, read_verdict_list};
use crate::vault::plain;

/// A larger list is refused.
const LIST_BYTES_MAX: u64 = 64 << 20;

/// Records what a market's list says, and prints what of it is not recorded.
pub(super) fn verdicts(
    args: &RootArgs,
    file: &Path,
    market: Option<&str>,
    columns: Option<&str>,
) -> Result<ExitCode, CliError> {
    let settings = settings_of_existing(args)?;
    let market = market_of(&settings, market)?;
    let list = market.verdicts.clone().unwrap_or_else(VerdictList::unknown);
    let columns = columns_of(&list, columns).map_err(|why| CliError::usage(format!("{}: {why}", market.name)))?;
    let (rows, told) = read_verdict_list(&read(file)?, &columns)
        .map_err(|why| CliError::failed(&format!("`{}`: {}", file.display(), escape_bytes(why.as_bytes()))))?;
    told.into_iter().for_each(|told| say!("{told}"));
    let (rows, unknown, pending) = meant(&list, rows);
    unknown.iter().for_each(|did| say!("{did}"));
    if rows.is_empty() && unknown.is_empty() && pending == 0 {
        return Err(CliError::failed(&format!("`{}` has no row below its first line", file.display())));
    }
    let answer = ask(&settings, &Action::Verdicts(Verdicts { market: market.name.clone(), rows }))?;
    let mut is_recorded = false;
    for did in &answer.done {
        is_recorded |= matches!(did, Did::Answered(_));
        say!("{did}");
    }
    if let Some(why) = answer.refused {
        return Err(CliError::failed(&format!("nothing is recorded: {why}")));
    }
    if !is_recorded {
        say!("Nothing in it is new.");
    }
    if pending > 0 {
        say!("Not answered yet: {}.", counted(pending, "file"));
    }
    let is_whole = unknown.is_empty() && !answer.done.iter().any(|did| matches!(did, Did::NotTold(..)));
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn market_of<'a>(settings: &'a Settings, name: Option<&str>) -> Result<&'a Market, CliError> {
    let markets = &settings.upload.markets;
    let names: Vec<&str> = markets.iter().map(|market| market.name.as_str()).collect();
    match (name, &markets[..]) {
        (None, [only]) => Ok(only),
        (None, _) => Err(CliError::usage(format!("name the market with --market: {}", names.join(", ")))),
        (Some(name), _) => markets.iter().find(|market| market.name == name).ok_or_else(|| {
            let why = format!("`upload.markets` names no market `{name}`; it names {}", names.join(", "));
            CliError::usage(why)
        }),
    }
}

/// Returns the columns of a list: those that a person names, else those of the market's profile.
fn columns_of(list: &VerdictList, named: Option<&str>) -> Result<ListColumns, String> {
    let mut columns =
        ListColumns { file: list.file.clone(), verdict: list.verdict.clone(), reason: list.reason.clone() };
    for part in named.into_iter().flat_map(|named| named.split(',')) {
        match part.split_once('=').map(|(key, name)| (key.trim(), name.trim())) {
            Some(("file", name)) if !name.is_empty() => name.clone_into(&mut columns.file),
            Some(("verdict", name)) if !name.is_empty() => name.clone_into(&mut columns.verdict),
            Some(("reason", name)) if !name.is_empty() => columns.reason = Some(name.to_owned()),
            _ => return Err(format!("`{part}` is no column; write `--columns file=..,verdict=..,reason=..`")),
        }
    }
    if columns.file.is_empty() || columns.verdict.is_empty() {
        let how = "write `--columns file=..,verdict=..`, or `verdicts:` into its profile";
        return Err(format!("its profile does not say which columns its list has; {how}"));
    }
    Ok(columns)
}

/// Returns the rows that say something, what is told of those that nobody understands, and how many are not answered.
fn meant(list: &VerdictList, rows: Vec<ListRow>) -> (Vec<VerdictRow>, Vec<Did>, usize) {
    let (mut meant, mut unknown, mut pending) = (Vec::new(), Vec::new(), 0);
    for ListRow { line, file, verdict, reason } in rows {
        match list.means(&verdict) {
            Some(Means::Pending) => pending += 1,
            Some(means) => meant.push(VerdictRow { line, file, accepted: means == Means::Accepted, reason }),
            None => {
                let words = [&list.accepted[..], &list.refused, &list.pending].concat().join(", ");
                let why = format!("`{verdict}` is no verdict that is known ({words}); add it to the market's profile");
                unknown.push(Did::NotTold(line, escape_bytes(why.as_bytes())));
            }
        }
    }
    (meant, unknown, pending)
}

fn read(file: &Path) -> Result<Vec<u8>, CliError> {
    let cannot =
        |error: &std::io::Error| CliError::usage(format!("`{}` cannot be read: {}", file.display(), plain(error)));
    let found = std::fs::metadata(file).map_err(|error| cannot(&error))?;
    if !found.is_file() || found.len() > LIST_BYTES_MAX {
        let why = format!("`{}` is no ordinary file, or larger than {LIST_BYTES_MAX} bytes", file.display());
        return Err(CliError::usage(why));
    }
    std::fs::read(file).map_err(|error| cannot(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_come_from_the_person_else_from_the_profile() {
        let [file, verdict] = ["File", "Status"].map(str::to_owned);
        let profile = VerdictList { file, verdict, ..VerdictList::unknown() };
        // Whether the profile says its columns, what is named, and what comes of it.
        let rows = [
            (true, None, Some(("File", "Status", None))),
            (true, Some("reason=Why"), Some(("File", "Status", Some("Why")))),
            (true, Some("file=Name, verdict = State"), Some(("Name", "State", None))),
            (false, Some("file=Name,verdict=State"), Some(("Name", "State", None))),
            (false, None, None),
            (false, Some("file=Name"), None),
            (true, Some("name=File"), None),
            (true, Some("file="), None),
        ];
        for (is_known, named, expected) in rows {
            let list = if is_known { profile.clone() } else { VerdictList::unknown() };
            let columns = columns_of(&list, named).ok();
            let shown = columns.as_ref().map(|of| (of.file.as_str(), of.verdict.as_str(), of.reason.as_deref()));
            assert_eq!(shown, expected, "{is_known} {named:?}");
        }
    }
}
