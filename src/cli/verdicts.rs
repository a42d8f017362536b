use std::path::Path;
use std::process::ExitCode;

use super::RootArgs;
use super::ask::ask;
use super::error::CliError;
use super::out::{counted, say};
use super::profiles::Profiles;
use super::reader::Reader;
use super::settings::settings_of_existing;
use crate::config::Settings;
use crate::market::{Market, Means, VerdictList};
use crate::model::{MarketName, escape_bytes};
use crate::records::{Action, Did, ListColumns, ListRow, UnreadList, VerdictRow, Verdicts, read_verdict_list};
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
    let market = &market_of(&settings, market)?;
    let list = market.verdicts.clone().unwrap_or_else(VerdictList::unknown);
    let columns = columns_of(&list, columns).map_err(|why| CliError::usage(format!("{}: {why}", market.name)))?;
    let (rows, told) = read_verdict_list(&read(file)?, &columns).map_err(|unread| match unread {
        UnreadList::Text(why) => CliError::failed(&format!("`{}`: {}", file.display(), escape_bytes(why.as_bytes()))),
        UnreadList::Columns { lacking, found } => {
            CliError::usage(ask_for_columns(args.root.as_deref(), file, market, &lacking, &found))
        }
    })?;
    told.into_iter().for_each(|told| say!("{told}"));
    let (rows, unknown, pending) = meant(&market.name, &list, rows);
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
    let is_whole = unknown.is_empty() && !answer.done.iter().any(|did| matches!(did, Did::NotTold(..)));
    if is_whole && !is_recorded {
        say!("Nothing in it is new.");
    }
    if pending > 0 {
        say!("Not answered yet: {}.", counted(pending, "file"));
    }
    if !is_whole && !is_recorded {
        return Err(CliError::failed(&"nothing of the list is recorded: the lines above say why"));
    }
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Returns the market that a person means: also one that left the settings, which may answer still, as long as it has a
/// profile.
fn market_of(settings: &Settings, name: Option<&str>) -> Result<Market, CliError> {
    let markets = &settings.upload.markets;
    let names = markets.iter().map(|market| market.name.as_str()).collect::<Vec<_>>().join(", ");
    let Some(name) = name else {
        return match &markets[..] {
            [only] => Ok(only.clone()),
            _ => Err(CliError::usage(format!("name the market with --market: {names}"))),
        };
    };
    if let Some(market) = markets.iter().find(|market| market.name == name) {
        return Ok(market.clone());
    }
    let profiles = Profiles::read(&settings.root, &mut Reader::default()).map_err(CliError::usage)?.markets;
    profiles.into_iter().find(|market| market.name == name).ok_or_else(|| {
        CliError::usage(format!(
            "`upload.markets` names no market `{name}`, and no profile `markets/{name}.yaml` is there; it names {names}"
        ))
    })
}

/// Returns the columns of a list: those that a person names, else those of the market's profile; empty if nobody says them.
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
    Ok(columns)
}

/// Returns what is wrong with the columns of a list, with those that it has, and the command that names them.
fn ask_for_columns(root: Option<&Path>, file: &Path, market: &Market, lacking: &[String], found: &[String]) -> String {
    let quoted = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let wrong = if lacking.is_empty() {
        format!("the profile of {} does not say which columns its list has", market.name)
    } else {
        format!("its first line has no column {}", quoted(lacking))
    };
    let shown = file.display().to_string();
    if found.is_empty() {
        return escape_bytes(format!("`{shown}`: {wrong}, and that line is empty").as_bytes());
    }
    // A comma divides the columns of the option.
    let mut left: Vec<&String> = found.iter().filter(|name| !name.contains(',')).collect();
    let mut likely = |words: &[&str]| {
        let at = left.iter().position(|name| words.iter().any(|word| name.to_lowercase().contains(word)))?;
        Some(left.remove(at).as_str())
    };
    let [verdict, reason, name] = [
        likely(&["status", "state", "verdict", "result", "decision"]),
        likely(&["reason", "why", "comment", "note"]),
        likely(&["file", "name"]),
    ];
    let reason = reason.map(|reason| format!(",reason={reason}")).unwrap_or_default();
    let columns = format!("file={},verdict={}{reason}", name.unwrap_or("COLUMN"), verdict.unwrap_or("COLUMN"));
    let root = root.map(|root| format!(" --root {}", word(&root.display().to_string()))).unwrap_or_default();
    let (file, market) = (word(&shown), &market.name);
    let command = format!("stockmill verdicts {file} --market {market} --columns {}{root}", word(&columns));
    let found = quoted(found);
    let told = format!(
        "`{shown}`: {wrong}; it has {found}. Say which of these are the file's name, the verdict and the reason: {command}"
    );
    escape_bytes(told.as_bytes())
}

/// Returns a text as one word of a command line.
fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./,=:+".contains(c);
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\"'\"'")) }
}

/// Returns the rows that say something, what is told of those that nobody understands, and how many are not answered.
fn meant(market: &MarketName, list: &VerdictList, rows: Vec<ListRow>) -> (Vec<VerdictRow>, Vec<Did>, usize) {
    let (mut meant, mut unknown, mut pending) = (Vec::new(), Vec::new(), 0);
    for ListRow { line, file, verdict, reason } in rows {
        match list.means(&verdict) {
            Some(Means::Pending) => pending += 1,
            Some(means) => meant.push(VerdictRow { line, file, accepted: means == Means::Accepted, reason }),
            None => {
                let words = [&list.accepted[..], &list.refused, &list.pending].concat().join(", ");
                let why = format!(
                    "`{verdict}` is no verdict that is known ({words}); write one of these in its place in the list, or add it \
                     to `verdicts` of a profile of your own, `markets/{market}.yaml`"
                );
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
            (false, None, Some(("", "", None))),
            (false, Some("file=Name"), Some(("Name", "", None))),
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

    /// The answer to a list of other columns named none of them.
    #[test]
    fn a_list_of_other_columns_is_answered_with_a_command_to_copy() {
        let market =
            crate::market::built_in().unwrap().into_iter().find(|market| market.name == "adobe-stock").unwrap();
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        // The file, what is missing, what it has, and how the answer begins and ends.
        let rows: [(&str, &[&str], &[&str], &str, &str); 4] = [
            (
                "list.csv",
                &[],
                &["File name", "File status", "Rejection reason"],
                "`list.csv`: the profile of adobe-stock does not say which columns its list has; it has `File name`,",
                "stockmill verdicts list.csv --market adobe-stock --columns 'file=File name,verdict=File status,reason=Rejection reason'",
            ),
            (
                "Ann's.csv",
                &["Status"],
                &["id", "outcome"],
                "`Ann's.csv`: its first line has no column `Status`; it has `id`, `outcome`. Say which of these are",
                "stockmill verdicts 'Ann'\"'\"'s.csv' --market adobe-stock --columns file=COLUMN,verdict=COLUMN",
            ),
            (
                "l.csv",
                &["Status"],
                &["name", "state"],
                "`l.csv`: its first line has no column `Status`; it has",
                "stockmill verdicts l.csv --market adobe-stock --columns file=name,verdict=state",
            ),
            ("l.csv", &[], &[], "`l.csv`: the profile of", ", and that line is empty"),
        ];
        for (file, lacking, found, begins, ends) in rows {
            let told = ask_for_columns(None, Path::new(file), &market, &names(lacking), &names(found));
            assert!(told.starts_with(begins) && told.ends_with(ends), "{told}");
        }
        let told = ask_for_columns(Some(Path::new("/my mill")), Path::new("l"), &market, &[], &names(&["name"]));
        assert!(told.ends_with("--columns file=name,verdict=COLUMN --root '/my mill'"), "{told}");
    }
}
