use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use super::RootArgs;
use super::ask::wait_for_daemon;
use super::error::CliError;
use super::out::{counted, say};
use super::settings::settings_of_existing;
use crate::config::{Gate, UploadDay};
use crate::model::{MarketName, Stage, ThemeSlug, named, nearest};
use crate::service::{BehindGate, Clock, How, Released, View, layout};
use crate::vault::{Lock, Mailbox};

/// What is told where nothing lies in `upload`: bundles are no inbox.
const FROM_BUNDLE: &str = "Of what lies in a bundle and waits for a further market `stockmill explain FILE` says what lets \
                           it go. What was deleted from a bundle does not lie there. Where bundles of other markets have it, too, \
                           delete it there as well, in those that are sent once they are uploaded (what was sent is on record, \
                           and does not go there again). Then copy its original from `archive` into `raw`, let stockmill \
                           look, and say `stockmill release raw --anyway`, and once it lies in `upload`, `stockmill release \
                           upload --anyway`.";

/// Lets what lies in a stage now go on, whatever its gate says.
pub(super) fn release(
    args: &RootArgs,
    stage: Stage,
    theme: Option<&ThemeSlug>,
    anyway: bool,
) -> Result<ExitCode, CliError> {
    let settings = settings_of_existing(args)?;
    let mailbox = Mailbox::beside_daemon(layout(&settings));
    let now = Clock::start().now().timestamp();
    let is_running = || Lock::is_held(&layout(&settings).home());
    let is_awaited = is_running();
    let (bundled, is_open) = match (stage, settings.gates.of(stage)) {
        (Stage::Upload, _) | (_, Gate::Schedule(_)) => {
            let mut view = View::open(settings.clone()).map_err(|error| CliError::failed(&error))?;
            let bundled = if stage == Stage::Upload { view.behind_gate(theme) } else { BehindGate::default() };
            (bundled, view.is_gate_open(stage))
        }
        (_, gate) => (BehindGate::default(), *gate == Gate::Auto),
    };
    // Who lets go what a shut gate keeps has not seen yet what else it is held for; when the gate opens, that holds it still.
    let how = How { is_awaited, anyway: anyway || is_open };
    let released = crate::service::release(&mailbox, &settings, stage, theme, how, &bundled, now);
    let Released { request, assets, unknown, unfinished, themes } =
        released.map_err(|error| CliError::failed(&error))?;
    let of = theme.map_or_else(String::new, |theme| format!(" of theme `{theme}`"));
    let Some(request) = request else {
        if let Some(theme) = theme.filter(|theme| !themes.contains(theme.as_str())) {
            let why = no_theme(theme, &format!("`{stage}`"), "released", &themes);
            return Err(CliError::failed(&format!("{why}{}", of_bundles(stage, &bundled))));
        }
        say!("Nothing{of} lies in `{stage}` now, so nothing is released.{}", of_bundles(stage, &bundled));
        return Ok(ExitCode::SUCCESS);
    };
    let answer = if is_awaited { wait_for_daemon(&mailbox, &request, &is_running)? } else { None };
    if let Some(why) = answer.as_ref().and_then(|answer| answer.refused.as_ref()) {
        return Err(CliError::failed(&format!("not released: {why}")));
    }
    match assets {
        0 if !bundled.files.is_empty() => (),
        0 => say!("Nothing{of} lies in `{stage}` now that may go on."),
        1 => say!("Released: 1 asset lies in `{stage}`{of} now, and may go on."),
        _ => say!("Released: {assets} assets lie in `{stage}`{of} now, and may go on."),
    }
    bundled_told(&bundled, &settings.upload.day).iter().for_each(|told| say!("{told}"));
    if unknown > 0 {
        say!(
            "Files of a kind that stockmill does not know: {unknown}. They stay, but for what a theme names in `documents`."
        );
    }
    if answer.is_none() {
        say!("No daemon runs: `stockmill once` takes them on.");
    }
    let past = past(&settings.upload.day, is_open, anyway);
    if let Some(past) = past.filter(|_| stage == Stage::Upload && assets > 0) {
        say!("{past}");
    }
    say!("What stays all the same stands in `stockmill status`, with what to do.");
    if unfinished > 0 {
        say!("Files that are still being written: {unfinished}. Release them again when they are complete.");
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns what else is told where nothing lies in a stage: only `upload` has bundles.
fn of_bundles(stage: Stage, bundled: &BehindGate) -> String {
    if stage != Stage::Upload {
        return String::new();
    }
    let untold = untold(bundled).map_or_else(String::new, |untold| format!("\n{untold}"));
    format!("{untold}\n{FROM_BUNDLE}")
}

/// Returns what is told of the files of bundles that may go to further markets.
fn bundled_told(bundled: &BehindGate, day: &UploadDay) -> Vec<String> {
    let mut markets: BTreeMap<&MarketName, usize> = BTreeMap::new();
    for market in bundled.files.iter().flat_map(|(.., markets)| markets) {
        *markets.entry(market).or_default() += 1;
    }
    let markets: Vec<String> = markets.iter().map(|(market, count)| format!("{market} ({count})")).collect();
    let released = (!markets.is_empty()).then(|| {
        let lie = if bundled.files.len() == 1 { "lies in a bundle" } else { "lie in bundles" };
        let files = counted(bundled.files.len(), "file");
        let room = if day.is_off() {
            ""
        } else {
            ", as far as `upload.limits`, `upload.brake` and `upload.probe` leave room there, with `--anyway` as well"
        };
        format!("Released: {files} that {lie} may go to further markets: {}{room}.", markets.join(", "))
    });
    released.into_iter().chain(untold(bundled)).collect()
}

/// Returns what is told of what nobody can tell about files of bundles.
fn untold(bundled: &BehindGate) -> Option<String> {
    let what = "which further markets get it cannot be told, so it is not released; `stockmill status` says why";
    (!bundled.untold.is_empty()).then(|| format!("{}: {what}.", named(&bundled.untold)))
}

/// Returns what of the settings does not hold back what is released from `upload`, so that nobody goes past the limits of one
/// market by a release that was meant for another. `is_open` says whether its gate is open.
fn past(day: &UploadDay, is_open: bool, anyway: bool) -> Option<String> {
    let markets: Vec<&str> = day.limits.keys().map(MarketName::as_str).collect();
    let limits = (!markets.is_empty()).then(|| format!("`upload.limits` ({})", markets.join(", ")));
    let brake = day.brake.as_ref().map(|_| "`upload.brake`".to_owned());
    let probe = day.probe.map(|_| "`upload.probe`".to_owned());
    let set: Vec<String> = [limits, brake, probe].into_iter().flatten().collect();
    let set = set.join(", ");
    let past = format!("go past these settings, for every market: {set}.");
    (!set.is_empty()).then(|| match (anyway, is_open) {
        (true, _) => format!("They {past}"),
        (false, true) => format!("The gate is open: they {past}"),
        (false, false) => format!(
            "The gate is shut: this opens it for them, and nothing else: they still wait for {set}, also when it opens by \
             itself. `stockmill release upload --anyway` goes past these, for every market."
        ),
    })
}

/// Returns what is told of a theme that has no folder there, so that nothing of it is done.
pub(super) fn no_theme(theme: &ThemeSlug, place: &str, done: &str, themes: &BTreeSet<String>) -> String {
    let known: Vec<&str> = themes.iter().map(String::as_str).collect();
    let near = nearest(theme.as_str(), &known).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    format!("there is no theme `{theme}` in {place}, so nothing is {done}{near}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Identity, RelPath};

    /// A release for one market's brake went past the limit of another one, and nobody said so.
    #[test]
    fn a_release_tells_which_limits_it_goes_past() {
        let rows = [
            ("{}", None),
            ("upload: {limits: {pond5: {at_most: 2}, 123rf: {at_most: 6}}}", Some("`upload.limits` (123rf, pond5)")),
            ("upload: {brake: {last: 2, accepted_min: 0.5}, probe: 3}", Some("`upload.brake`, `upload.probe`")),
        ];
        for (text, told) in rows {
            let settings = crate::config::load(text, "/mill".as_ref(), &crate::market::built_in().unwrap()).unwrap();
            // Behind a gate that is shut it sounded as if they fell.
            for (is_open, anyway, goes, waits) in [
                (true, true, true, false),
                (false, true, true, false),
                (true, false, true, false),
                (false, false, false, true),
            ] {
                let past = past(&settings.upload.day, is_open, anyway);
                assert_eq!(past.is_some(), told.is_some(), "{text}: {past:?}");
                let Some((past, told)) = past.zip(told) else { continue };
                let says =
                    [&format!("go past these settings, for every market: {told}."), &format!("still wait for {told},")]
                        .map(|words| past.to_lowercase().contains(words.as_str()));
                assert_eq!(says, [goes, waits], "{text} {is_open} {anyway}: {past}");
            }
        }
    }

    /// No command let them go: behind `hold` they waited for ever.
    #[test]
    fn what_goes_from_bundles_to_which_markets_is_told() {
        let file = |name: &str, markets: &[&str]| {
            let seen = Identity { device: 1, inode: 7, size: 9, modified_ns: 5 };
            (RelPath::new(name).unwrap(), seen, markets.iter().map(|market| MarketName::recorded(market)).collect())
        };
        let one = file("upload/2026-11-30/pond5/files/a.jpg", &["alamy"]);
        let two = file("upload/2026-11-30/pond5/files/b.jpg", &["123rf", "alamy"]);
        let day = UploadDay::default();
        let limited = UploadDay { probe: Some(2), ..UploadDay::default() };
        for (files, day, told) in [
            (vec![], &day, None),
            (vec![one.clone()], &day, Some("1 file that lies in a bundle may go to further markets: alamy (1).")),
            (
                vec![one.clone(), two.clone()],
                &day,
                Some("2 files that lie in bundles may go to further markets: 123rf (1), alamy (2)."),
            ),
            (vec![one, two], &limited, Some("alamy (2), as far as `upload.limits`,")),
        ] {
            let said = bundled_told(&BehindGate { files, untold: Vec::new() }, day);
            assert_eq!(said.len(), usize::from(told.is_some()), "{said:?}");
            assert!(told.is_none_or(|told| said[0].contains(told)), "{said:?}");
        }
    }

    #[test]
    fn a_mistyped_theme_is_told_with_the_one_that_was_meant() {
        let themes = ["sea", "winter-cabins"].map(str::to_owned).into();
        for (name, near) in [("winter-cabin", Some("winter-cabins")), ("see", Some("sea")), ("autumn", None)] {
            let said = no_theme(&ThemeSlug::new(name).unwrap(), "`keep`", "released", &themes);
            assert_eq!(said.split("mean `").nth(1).map(|rest| rest.trim_end_matches("`?")), near, "{said}");
            assert!(said.contains(&format!("no theme `{name}` in `keep`")), "{said}");
        }
    }
}
