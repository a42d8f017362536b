use std::collections::BTreeMap;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::RootArgs;
use super::error::CliError;
use super::out::{counted, say};
use super::settings::{exit_code, settings_to_look};
use super::unwise;
use crate::model::{RelPath, ThemeSlug, escape_bytes, named, on_one_line};
use crate::plan::{Freshness, MarketTally, Stale};
use crate::service::{AnswerCount, BundleStatus, Group, View, WhyKind};

/// How much is printed at the most.
#[derive(Clone, Copy)]
struct Most {
    /// Groups of one sort.
    groups: usize,
    /// Files of one group.
    files: usize,
    /// Files of one group that waits by itself, or for one word.
    waiting: usize,
}

const SHORT: Most = Most { groups: 20, files: 5, waiting: 0 };
const ALL: Most = Most { groups: usize::MAX, files: usize::MAX, waiting: usize::MAX };

/// Prints what is ready, held and set aside, for people.
pub(super) fn text(args: &RootArgs, is_whole: bool) -> Result<ExitCode, CliError> {
    let most = if is_whole { ALL } else { SHORT };
    let (mut view, wrong) = open(args)?;
    let overview = view.overview();
    let how = how_to_run(args);
    say!(
        "daemon   {}",
        if view.has_daemon() { "running".to_owned() } else { format!("not running; start it with `{how}`") }
    );
    if let Some(wrong) = &wrong {
        say!("settings {}", wrong.text());
        say!(
            "         until that is corrected, `run` does not start, and a running daemon keeps the settings that it has"
        );
        say!("         shown below: by the default settings, and with the folders as they were used last");
    }
    for (stage, count) in &overview.stages {
        let name = stage.name();
        if count.unseen.is_some() {
            say!("{name:8} cannot be seen: it is paused");
            continue;
        }
        let (held, alone) = (count.held.len(), count.left_alone.len());
        let aside = count.to_set_aside.len();
        let aside = if aside > 0 { format!(", {aside} to be set aside") } else { String::new() };
        say!("{name:8} {} ready, {held} held, {alone} left alone{aside}", count.ready);
    }
    for (area, why) in view.paused() {
        say!("paused   {area}: {why}");
    }
    let bundles = view.bundles();
    print_bundles(&bundles);
    view.answers().iter().for_each(|count| say!("answers  {}", answers_line(count)));
    let found = not_current(&mut view, wrong.as_ref());
    if let Some(line) =
        found.as_ref().map_or_else(|why| Some(format!("cannot be told: {why}")), |found| stale_line(found))
    {
        say!("stale    {line}");
    }
    print_groups("Held", &overview.held, most);
    print_ahead(&overview.ahead, most);
    print_groups("To be set aside", &overview.to_set_aside, most);
    print_groups("Set aside", &overview.set_aside, most);
    print_groups("Sent without a row", &view.without_row(&bundles), most);
    print_groups("In a CSV that was sent, without a file", &view.without_file(&bundles), most);
    let [refused, taken] = view.other_verdicts();
    print_groups("Bundled, and not to go as it is", &refused, most);
    print_groups("Bundled, and taken by a further market today", &taken, most);
    print_groups("Left alone", &overview.left_alone, most);
    print_groups("Stale", &view.stale_groups(&found.unwrap_or_default()), most);
    unwise::print(&view.unwise());
    Ok(exit_code(wrong.as_ref()))
}

/// Prints how each bundle stands.
fn print_bundles(bundles: &[BundleStatus]) {
    for BundleStatus { folder, files, without_sidecar, delivered, changed, sent, without_row, without_file } in bundles
    {
        let sent = if *sent { ", sent" } else { "" };
        let lack = match without_row.as_ref().map(Vec::len) {
            Ok(0) => String::new(),
            Ok(some) => format!("; {some} without a row in its CSV"),
            Err(_) => "; its CSV cannot be compared".to_owned(),
        };
        let lack = match without_file.as_ref().map_or(0, Vec::len) {
            0 => lack,
            some => format!("{lack}; {} in its CSV without a file", counted(some, "row")),
        };
        let delivered = match (delivered.as_ref().map_or(0, |files| *files), sent.is_empty()) {
            (0, _) => String::new(),
            (some, false) => format!(", {some} delivered"),
            (all, true) if all == *files && *changed > 0 => {
                format!(
                    ", all delivered, and {changed} changed since: `stockmill deliver` and its checklist say what to do"
                )
            }
            (all, true) if all == *files => ", all delivered: its checklist is left to do".to_owned(),
            (some, true) if *changed > 0 => {
                format!(
                    ", {some} delivered, {changed} of them changed since: `stockmill deliver` goes on, and says what to do"
                )
            }
            (some, true) => format!(", {some} delivered: `stockmill deliver` goes on"),
        };
        let others = match without_sidecar {
            0 => String::new(),
            some => format!(", and {some} without a sidecar"),
        };
        say!("bundle   {folder}: {}{others}{delivered}{sent}{lack}", counted(*files, "file"));
    }
    if let Some(why) = bundles.iter().find_map(|bundle| bundle.delivered.as_ref().err()) {
        say!("deliver  nobody can tell what was delivered: {}", escape_bytes(why.as_bytes()));
    }
}

/// Returns what a market answered about one theme, or about all.
fn answers_line(AnswerCount { market, theme, tally }: &AnswerCount) -> String {
    let of = theme.as_ref().map_or_else(|| market.to_string(), |theme| format!("  {theme}"));
    let share = tally.accepted_percent().unwrap_or_default();
    let MarketTally { sent, in_review, accepted, refused } = tally;
    let (of, answers) = (escape_bytes(of.as_bytes()), accepted + refused);
    format!(
        "{of}: {sent} sent, {in_review} in review, {accepted} accepted, {refused} refused ({accepted} of {answers} accepted, \
         {share} %)"
    )
}

fn answers_json(AnswerCount { market, theme, tally }: &AnswerCount) -> Value {
    let theme = theme.as_ref().map(ThemeSlug::as_str);
    let MarketTally { sent, in_review, accepted, refused } = tally;
    json!({"market": market.as_str(), "theme": theme, "sent": sent, "in_review": in_review, "accepted": accepted,
        "refused": refused, "accepted_percent": tally.accepted_percent()})
}

/// Returns the products that are not as the settings of today would make them, or why nobody can tell.
fn not_current(view: &mut View, wrong: Option<&CliError>) -> Result<Vec<(RelPath, Freshness)>, String> {
    match wrong {
        None => view.not_current(None).map_err(|error| error.to_string()),
        Some(_) => Err("the settings cannot be used".to_owned()),
    }
}

/// Returns how many products the settings of today would make otherwise, and what makes them anew; `None` if there are
/// none.
fn stale_line(found: &[(RelPath, Freshness)]) -> Option<String> {
    let stale = found.iter().filter_map(|(_, freshness)| match freshness {
        Freshness::Stale(stale) => Some(stale),
        Freshness::Current | Freshness::Unknown(_) => None,
    });
    let (anew, stay): (Vec<&Stale>, Vec<&Stale>) = stale.partition(|stale| stale.remake.is_ok());
    let told = |number: usize| format!("{} would be made otherwise by the settings of today", counted(number, "file"));
    match (anew.len(), stay.len()) {
        (0, 0) => None,
        (0, stay) => Some(format!("{}; they stay, for the reasons below", told(stay))),
        (anew, 0) => Some(format!("{}: run `stockmill release keep --again`", told(anew))),
        (anew, stay) => Some(format!(
            "{}: run `stockmill release keep --again`; {stay} of them will stay, for the reasons below",
            told(anew + stay)
        )),
    }
}

/// Returns the command that starts the daemon on the root that was named.
fn how_to_run(args: &RootArgs) -> String {
    let Some(root) = &args.root else { return "stockmill run".to_owned() };
    let shown = escape_bytes(root.as_os_str().as_encoded_bytes());
    let is_plain = shown.chars().all(|c| c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_'));
    if is_plain { format!("stockmill --root {shown} run") } else { format!("stockmill --root '{shown}' run") }
}

/// Prints the same as one JSON object.
pub(super) fn json(args: &RootArgs) -> Result<ExitCode, CliError> {
    let (mut view, wrong) = open(args)?;
    let overview = view.overview();
    let stages: BTreeMap<&str, _> = overview.stages.iter().map(|(stage, count)| (stage.name(), count)).collect();
    let bundles = view.bundles().into_iter();
    let bundles: Vec<_> = bundles
        .map(|BundleStatus { folder, files, without_sidecar, delivered, changed, sent, without_row, without_file }| {
            let names = |files: Vec<RelPath>| files.iter().map(ToString::to_string).collect::<Vec<_>>();
            json!({"folder": folder.to_string(), "files": files, "without_sidecar": without_sidecar,
                "delivered": delivered.ok(), "changed_since_delivered": changed, "sent": sent,
                "without_row": without_row.ok().map(names), "without_file": without_file.ok().map(names)})
        })
        .collect();
    let set_aside = view.set_aside().into_iter();
    let set_aside: Vec<_> = set_aside.map(|(file, why)| json!({"file": file.to_string(), "why": why})).collect();
    let paused = view.paused().into_iter();
    let paused: Vec<_> = paused.map(|(area, why)| json!({"area": area.to_string(), "why": why})).collect();
    let held: Vec<_> = overview.held.iter().map(group_json).collect();
    let names = |files: &[RelPath]| files.iter().map(ToString::to_string).collect::<Vec<_>>();
    let ahead = overview.ahead.iter();
    let ahead: Vec<_> = ahead.map(|(why, files)| json!({"why": why, "files": names(files)})).collect();
    let [refused, taken] = view.other_verdicts().map(|groups| groups.iter().map(group_json).collect::<Vec<_>>());
    let found = not_current(&mut view, wrong.as_ref()).ok();
    let stale: Option<Vec<Value>> = found.map(|found| found.iter().filter_map(stale_json).collect());
    let answers: Vec<_> = view.answers().iter().map(answers_json).collect();
    let whole = json!({
        "version": 1, "daemon": view.has_daemon(), "paused": paused, "stages": stages, "held": held, "stale": stale,
        "unwise": unwise::list(&view.unwise()), "refused_in_bundles": refused, "taken_in_bundles": taken, "bundles": bundles,
        "answers": answers, "set_aside": set_aside, "ahead": ahead, "settings_wrong": wrong.as_ref().map(CliError::text)
    });
    say!("{whole}");
    Ok(exit_code(wrong.as_ref()))
}

fn stale_json((file, freshness): &(RelPath, Freshness)) -> Option<Value> {
    let Freshness::Stale(stale) = freshness else { return None };
    let (file, was, today) = (file.to_string(), stale.was.to_string(), stale.today.to_string());
    Some(json!({"file": file, "was": was, "today": today, "stays": stale.remake.as_ref().err()}))
}

fn group_json(group: &Group) -> Value {
    let (folder, why, kind) = (group.folder.to_string(), group.why.to_string(), group.why.kind.word());
    json!({"folder": folder, "kind": kind, "why": why, "files": group.files.len()})
}

/// Opens the root, with what is wrong with its settings if they cannot be used.
fn open(args: &RootArgs) -> Result<(View, Option<CliError>), CliError> {
    let (settings, wrong) = settings_to_look(args)?;
    let mut view = View::open(settings).map_err(|error| CliError::failed(&error))?;
    if wrong.is_some() {
        view.shows_defaults();
    }
    Ok((view, wrong))
}

/// Prints what will keep files from markets or makes them late, long before upload day.
fn print_ahead(ahead: &[(String, Vec<RelPath>)], most: Most) {
    if ahead.is_empty() {
        return;
    }
    say!("\nNot for all markets, or late, as it and its tags are now:");
    for (why, files) in ahead.iter().take(most.groups) {
        let (count, why) = (counted(files.len(), "file"), on_one_line(why));
        if most.waiting == 0 {
            say!("  {count}: {why}: {}", named(files));
        } else {
            say!("  {count}: {why}:");
            print_files(files, most.waiting);
        }
    }
    if ahead.len() > most.groups {
        say!("  … and {} more reasons; `stockmill status --all` lists all", ahead.len() - most.groups);
    }
}

fn print_groups(title: &str, groups: &[Group], most: Most) {
    if groups.is_empty() {
        return;
    }
    say!("\n{title}:");
    for Group { folder, why, files } in groups.iter().take(most.groups) {
        let (kind, why) = (why.kind, on_one_line(&why.text));
        match (&files[..], kind) {
            (files, WhyKind::Gate) => {
                say!("  {folder}: {} held by the gate: {why}", files.len());
                print_files(files, most.waiting);
            }
            ([file], _) => say!("  {file}: {why}"),
            (files, WhyKind::Paused | WhyKind::Room) => {
                say!("  {folder}: {}: {why}", counted(files.len(), "file"));
                print_files(files, most.waiting);
            }
            (files, _) => {
                say!("  {folder}: {}: {why}", counted(files.len(), "file"));
                print_files(files, most.files);
                if files.len() > most.files {
                    say!("    … and {} more", files.len() - most.files);
                }
            }
        }
    }
    if groups.len() > most.groups {
        let more: usize = groups[most.groups..].iter().map(|group| group.files.len()).sum();
        say!("  … and {} more for other reasons; `stockmill status --all` lists all", counted(more, "file"));
    }
}

fn print_files(files: &[RelPath], most: usize) {
    files.iter().take(most).for_each(|file| say!("    {file}"));
}
