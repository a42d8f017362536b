use std::collections::BTreeSet;
use std::process::ExitCode;

use super::RootArgs;
use super::ask::wait_for_daemon;
use super::error::CliError;
use super::out::say;
use super::settings::settings_of_existing;
use crate::config::{Gate, UploadDay};
use crate::model::{MarketName, Stage, ThemeSlug, nearest};
use crate::plan::gate::HOLDS_BUNDLED;
use crate::service::{Clock, How, Released, layout};
use crate::vault::{Lock, Mailbox};

/// What is told where nothing lies in `upload`: bundles are no inbox.
const FROM_BUNDLE: &str = "What lies in a bundle and waits for a further market is not released: `stockmill explain FILE` \
                           says what lets it go. What was deleted from a bundle does not lie there: copy its original from `archive` into \
                           `raw`, then `stockmill release raw --anyway` and `stockmill release upload --anyway`.";

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
    let released = crate::service::release(&mailbox, &settings, stage, theme, How { is_awaited, anyway }, now);
    let Released { request, assets, unknown, unfinished, themes } =
        released.map_err(|error| CliError::failed(&error))?;
    let of = theme.map_or_else(String::new, |theme| format!(" of theme `{theme}`"));
    let Some(request) = request else {
        if let Some(theme) = theme.filter(|theme| !themes.contains(theme.as_str())) {
            let why = no_theme(theme, &format!("`{stage}`"), "released", &themes);
            return Err(CliError::failed(&format!("{why}{}", of_bundles(stage, settings.gates.of(stage)))));
        }
        let of_bundles = of_bundles(stage, settings.gates.of(stage));
        say!("Nothing{of} lies in `{stage}` now, so nothing is released.{of_bundles}");
        return Ok(ExitCode::SUCCESS);
    };
    let answer = if is_awaited { wait_for_daemon(&mailbox, &request, &is_running)? } else { None };
    if let Some(why) = answer.as_ref().and_then(|answer| answer.refused.as_ref()) {
        return Err(CliError::failed(&format!("not released: {why}")));
    }
    match assets {
        0 => say!("Nothing{of} lies in `{stage}` now that may go on."),
        1 => say!("Released: 1 asset lies in `{stage}`{of} now, and may go on."),
        _ => say!("Released: {assets} assets lie in `{stage}`{of} now, and may go on."),
    }
    if unknown > 0 {
        say!(
            "Files of a kind that stockmill does not know: {unknown}. They stay, but for what a theme names in `documents`."
        );
    }
    if answer.is_none() {
        say!("No daemon runs: `stockmill once` takes them on.");
    }
    let past = past(&settings.upload.day, settings.gates.of(stage), anyway);
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
fn of_bundles(stage: Stage, gate: &Gate) -> String {
    match gate {
        _ if stage != Stage::Upload => String::new(),
        Gate::Hold => format!("\n{FROM_BUNDLE}\nHere {HOLDS_BUNDLED}. What lies in `upload` then goes on as well."),
        Gate::Auto | Gate::Schedule(_) => format!("\n{FROM_BUNDLE}"),
    }
}

/// Returns what of the settings does not hold back what is released from `upload`, so that nobody goes past the limits of one
/// market by a release that was meant for another.
fn past(day: &UploadDay, gate: &Gate, anyway: bool) -> Option<String> {
    let markets: Vec<&str> = day.limits.keys().map(MarketName::as_str).collect();
    let limits = (!markets.is_empty()).then(|| format!("`upload.limits` ({})", markets.join(", ")));
    let brake = day.brake.as_ref().map(|_| "`upload.brake`".to_owned());
    let probe = day.probe.map(|_| "`upload.probe`".to_owned());
    let set: Vec<String> = [limits, brake, probe].into_iter().flatten().collect();
    let set = set.join(", ");
    let past = format!("go past these settings, for every market: {set}.");
    let still = format!(
        "opens it for them, and nothing else: they still wait for {set}. `stockmill release upload --anyway` goes past these, \
         for every market."
    );
    (!set.is_empty()).then(|| match gate {
        _ if anyway => format!("They {past}"),
        Gate::Auto => format!("The gate is open: they {past}"),
        Gate::Hold => format!("The gate is shut: this {still}"),
        Gate::Schedule(_) => format!("If the gate is open by its days now, they {past} If it is shut, this {still}"),
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

    /// A release for one market's brake went past the limit of another one, and nobody said so.
    #[test]
    fn a_release_tells_which_limits_it_goes_past() {
        let rows = [
            ("{}", None),
            ("upload: {limits: {pond5: {at_most: 2}, 123rf: {at_most: 6}}}", Some("`upload.limits` (123rf, pond5)")),
            ("upload: {brake: {last: 2, accepted_min: 0.5}, probe: 3}", Some("`upload.brake`, `upload.probe`")),
        ];
        let load =
            |text: &str| crate::config::load(text, "/mill".as_ref(), &crate::market::built_in().unwrap()).unwrap();
        for (text, told) in rows {
            let settings = load(text);
            // Behind a gate that is shut it sounded as if they fell.
            let paced: Gate = load("gates: {upload: {on: [monday]}}").gates.of(Stage::Upload).clone();
            for (gate, anyway, goes, waits) in [
                (&Gate::Auto, true, true, false),
                (&Gate::Hold, true, true, false),
                (&Gate::Auto, false, true, false),
                (&Gate::Hold, false, false, true),
                (&paced, false, true, true),
            ] {
                let past = past(&settings.upload.day, gate, anyway);
                assert_eq!(past.is_some(), told.is_some(), "{text}: {past:?}");
                let Some((past, told)) = past.zip(told) else { continue };
                let says = [
                    &format!("they go past these settings, for every market: {told}."),
                    &format!("they still wait for {told}."),
                ]
                .map(|words| past.to_lowercase().contains(words.as_str()));
                assert_eq!(says, [goes, waits], "{text} {gate} {anyway}: {past}");
            }
        }
    }

    /// Whoever waited for a market behind `hold` was sent from `explain` to `release` and back.
    #[test]
    fn only_a_gate_that_holds_bundled_files_is_told_where_nothing_lies_in_upload() {
        let paced = crate::config::load(
            "gates: {upload: {on: [monday]}}",
            "/mill".as_ref(),
            &crate::market::built_in().unwrap(),
        );
        let paced = paced.unwrap().gates.of(Stage::Upload).clone();
        for (stage, gate, told) in [
            (Stage::Upload, &Gate::Hold, [true, true]),
            (Stage::Upload, &Gate::Auto, [true, false]),
            (Stage::Upload, &paced, [true, false]),
            (Stage::Keep, &Gate::Hold, [false, false]),
        ] {
            let said = of_bundles(stage, gate);
            assert_eq!([FROM_BUNDLE, HOLDS_BUNDLED].map(|words| said.contains(words)), told, "{stage} {gate}: {said}");
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
