//! Carrying out what `plan::undo` decides: by the daemon, or by the command where none runs.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Display;

use jiff::Timestamp;

use super::carried_out::{CarriedOut, Rules};
use super::decide::{folders_inside, plan_bare_away};
use super::ledger::Ledger;
use super::release::withdraw;
use super::sent::{bundle_of, is_sent};
use super::theme_files::{remove_emptied_folders, theme_files};
use crate::craft::Untold;
use crate::make::{MakeError, make};
use crate::model::{MarketName, RelPath, Stage, ThemeSlug};
use crate::plan::{BundleFolder, BundleName, UndoFacts, choose_undo, plan_undo, standing, themes_with_assets};
use crate::records::{About, Did, Intent, Plans, Publish, PublishMode, Record, UndoWhat};
use crate::vault::{CommitError, Journal, Look, Receipt, Vault, replaced_aside};

/// Takes back what is wanted.
pub(super) fn undo(
    vault: &Vault,
    journal: &mut Journal,
    what: &UndoWhat,
    asked: Timestamp,
    rules: &Rules,
    now: Timestamp,
) -> CarriedOut {
    let mut undone = CarriedOut::default();
    let records = match Journal::read_only(vault.disk()) {
        Ok(records) => records,
        Err(error) => {
            undone.answer.refused = Some(error.to_string());
            return undone;
        }
    };
    let with_assets = themes_with_assets(&records);
    let chosen = choose_undo(&records, what, asked, now);
    let Some(intent) = chosen else {
        undone.answer.refused = Some(nothing_to_undo(what));
        return undone;
    };
    let done = Plans::of(&records).done_as_begun();
    let later = later_step(vault.disk(), &records, intent);
    let undone_one = match later {
        Some(later) => Err(NotUndone::Refused(later)),
        None => undo_one(vault, journal, intent, (&done, &with_assets), rules, now),
    };
    match undone_one {
        Ok(receipt) => {
            undone.answer.done.push(told(&receipt.about));
            undone.receipts.push(receipt);
            remove_bare_bundles(vault, journal, intent, rules, now, &mut undone);
        }
        Err(why) => {
            undone.is_open = matches!(why, NotUndone::Commit(CommitError::Open(_)));
            undone.answer.refused = Some(why.to_string());
        }
    }
    undone
}

/// Returns that something else was made of a step's asset later and lies in a bundle, as far as that can be told: the step took
/// its original into `archive`, which would leave it while that bundle has what was made of it.
fn later_step(disk: &dyn Look, records: &[Record], intent: &Intent) -> Option<String> {
    let asset = intent.about.asset.as_ref()?;
    let later = standing(records).into_iter().skip_while(|other| other.plan != intent.plan).skip(1);
    let later = later.filter(|other| other.about.asset.as_ref() == Some(asset));
    let lies = |file: &&RelPath| BundleFolder::is_file(file) && !matches!(disk.stat(file), Ok(None));
    // What changed tags made anew in its place is nothing else.
    let is_new = |product: &&Publish| product.mode == PublishMode::New;
    let files = later.flat_map(|other| other.publish.iter().filter(is_new).map(|product| &product.to).filter(lies));
    let last = files.last()?;
    Some(format!(
        "`{last}` was made of it later; take that back first (`stockmill undo {last}`), or delete it if nobody is to sell it there"
    ))
}

/// Returns what is told where there is no such step.
fn nothing_to_undo(what: &UndoWhat) -> String {
    match what {
        UndoWhat::Asset(path) => format!(
            "there is no step of `{path}` that could be undone; if it was moved or renamed by hand, move it back \
             first: `stockmill history` says where it stood"
        ),
        UndoWhat::Last => "there is no step that could be undone".to_owned(),
    }
}

/// Returns the bundles in which an intent puts files.
fn bundles_of(intent: &Intent) -> BTreeSet<BundleName> {
    let files = intent.publish.iter().map(|product| &product.to).filter(|file| BundleFolder::is_file(file));
    files.filter_map(BundleName::of).collect()
}

/// Returns what is told of a step that was taken back.
fn told(about: &About) -> Did {
    let at = |path: &Option<RelPath>| path.as_ref().map(ToString::to_string).unwrap_or_default();
    let line = format!("{}: {} -> {}", about.did, at(&about.from), at(&about.to));
    if about.to.as_ref().is_none_or(|path| bundle_of(path).is_none()) {
        return Did::Undone(line);
    }
    if about.from == about.to {
        return Did::Restored(line);
    }
    // It was offered to a further market.
    let markets: Vec<&str> = about.markets.iter().map(MarketName::as_str).collect();
    Did::Restored(format!(
        "{line}; {} gets it again once you say `stockmill release upload`, or a file of it in an open bundle has other tags",
        markets.join(", ")
    ))
}

#[derive(Debug, thiserror::Error)]
enum NotUndone {
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Make(#[from] MakeError),
    #[error(transparent)]
    Commit(#[from] CommitError),
}

/// Refuses to take back a step that put something into a bundle which was sent, or of which nobody can tell that.
fn may_leave_bundles(disk: &dyn Look, intent: &Intent) -> Result<(), String> {
    let bundles: BTreeSet<RelPath> = intent.publish.iter().filter_map(|product| bundle_of(&product.to)).collect();
    for bundle in &bundles {
        let unknown = |error: &dyn Display| format!("nobody can tell whether `{bundle}` was sent: {error}");
        disk.attach(&bundle.area_path()).map_err(|error| unknown(&error))?;
        if is_sent(disk, bundle).map_err(|error| unknown(&error))? {
            let others =
                if bundles.len() == 1 { "" } else { "; to keep it from another market, delete it in that bundle" };
            return Err(format!("`{bundle}` was sent with it, and what a market has cannot be undone here{others}"));
        }
        // What is not there any more keeps nothing back.
        for product in intent.publish.iter().filter(|product| product.to.is_in(bundle)) {
            disk.stat(&product.to).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

/// Removes the bundles out of which the last file was taken by taking a step back. Where that cannot be, they stay as they were
/// before, and their lists say that they hold no file.
fn remove_bare_bundles(
    vault: &Vault,
    journal: &mut Journal,
    intent: &Intent,
    rules: &Rules,
    now: Timestamp,
    undone: &mut CarriedOut,
) {
    for name in bundles_of(intent) {
        match remove_bare(vault, journal, &name, rules, now) {
            Ok(removed) => undone.receipts.extend(removed),
            Err(NotUndone::Commit(CommitError::Open(_))) => {
                undone.is_open = true;
                break;
            }
            Err(_) => (),
        }
    }
}

/// Removes a bundle out of which the last file was taken, unless something of a person's lies in it, or had lain in it.
fn remove_bare(
    vault: &Vault,
    journal: &mut Journal,
    name: &BundleName,
    rules: &Rules,
    now: Timestamp,
) -> Result<Option<Receipt>, NotUndone> {
    let disk = vault.disk();
    let Some(plan) = plan_bare_away(disk, &rules.settings, name) else { return Ok(None) };
    let records = Journal::read_only(disk).map_err(|error| NotUndone::Refused(error.to_string()))?;
    if Ledger::of(&records).files_in(name).next().is_some() {
        return Ok(None);
    }
    let made = make(vault, &plan, &rules.limits, &Untold)?;
    let receipt = vault.commit(journal, vec![made], now).remove(0)?;
    let folders = folders_inside(disk, &name.folder());
    folders.iter().for_each(|folder| vault.remove_emptied(folder, &Stage::Upload.folder()));
    Ok(Some(receipt))
}

fn undo_one(
    vault: &Vault,
    journal: &mut Journal,
    intent: &Intent,
    (done, with_assets): (&[&Intent], &HashSet<&ThemeSlug>),
    rules: &Rules,
    now: Timestamp,
) -> Result<Receipt, NotUndone> {
    let disk = vault.disk();
    may_leave_bundles(disk, intent).map_err(NotUndone::Refused)?;
    let seen = |path: &RelPath| disk.stat(path).ok().flatten().map(|entry| entry.identity);
    let hash = |path: &RelPath| seen(path).and_then(|_| disk.hash(path).ok());
    let replaced = |scratch: &RelPath| disk.read(&replaced_aside(scratch), rules.limits.file_bytes_max).ok();
    let theme = |theme: &ThemeSlug| {
        let mut files = theme_files(disk, theme, &rules.ignore)?;
        if with_assets.contains(theme) {
            files.in_use.get_or_insert_with(|| "it got assets meanwhile".to_owned());
        }
        Ok(files)
    };
    let facts = UndoFacts { seen: &seen, hash: &hash, replaced: &replaced, theme: &theme, done };
    let plan = plan_undo(intent, &facts).map_err(NotUndone::Refused)?;
    // What comes back waits for a new word of the person; this is durable before anything comes back.
    let stays = plan.about.to.as_ref().filter(|to| BundleFolder::is_file(to));
    let stays = stays.and_then(|offered| Some((offered, seen(offered)?)));
    let back = plan.moves.iter().map(|shift| (&shift.to, shift.seen)).chain(stays);
    withdraw(&vault.mailbox(), back).map_err(|error| NotUndone::Refused(error.to_string()))?;
    let made = make(vault, &plan, &rules.limits, &Untold)?;
    let receipt = vault.commit(journal, vec![made], now).remove(0)?;
    remove_emptied_folders(vault, &plan);
    Ok(receipt)
}
