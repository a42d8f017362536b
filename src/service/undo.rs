//! Carrying out what `plan::undo` decides: by the daemon, or by the command where none runs.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::release::withdraw;
use super::sent::{bundle_of, is_sent};
use super::theme_files::{remove_emptied_folders, theme_files};
use crate::make::{Limits, MakeError, make};
use crate::model::{Ignore, RelPath, ThemeSlug};
use crate::plan::{UndoFacts, UndoWhat, choose_undo, plan_undo, themes_with_assets};
use crate::records::Intent;
use crate::vault::{CommitError, DiskError, DiskResult, Journal, Mailbox, Receipt, Vault, replaced_aside};

/// A person's wish to have something undone, as it lies in the folder of requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct UndoRequest {
    pub(super) what: UndoWhat,
    /// When the person asked.
    pub(super) at: Timestamp,
}

/// What became of a wish, in words.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoAnswer {
    /// One line for each step that was taken back.
    pub undone: Vec<String>,
    /// Why a step was not, and those before it.
    pub refused: Option<String>,
}

/// What carrying out a wish came to.
#[derive(Debug, Default)]
pub(super) struct Undone {
    pub(super) receipts: Vec<Receipt>,
    pub(super) answer: UndoAnswer,
    /// Whether the disk refused in the middle, so that recovery has to finish it or take it back.
    pub(super) is_open: bool,
}

/// What undoing is bound by.
#[derive(Debug, Clone)]
pub(super) struct UndoRules {
    pub(super) limits: Limits,
    /// A person's own patterns of names that are left alone.
    pub(super) ignore: Ignore,
}

/// Takes back what is wanted, the latest step first; stops at the first that cannot be.
pub(super) fn undo(
    vault: &Vault,
    journal: &mut Journal,
    request: &UndoRequest,
    rules: &UndoRules,
    now: Timestamp,
) -> Undone {
    let mut undone = Undone::default();
    let records = match Journal::read_only(vault.disk()) {
        Ok(records) => records,
        Err(error) => {
            undone.answer.refused = Some(error.to_string());
            return undone;
        }
    };
    let with_assets = themes_with_assets(&records);
    let chosen = choose_undo(&records, &request.what, request.at, now);
    if chosen.is_empty() {
        undone.answer.refused = Some(match &request.what {
            UndoWhat::Asset(path) => format!(
                "there is no step of `{path}` that could be undone; if it was moved or renamed by hand, move it back \
                 first: `stockmill history` says where it stood"
            ),
            UndoWhat::Last | UndoWhat::Batch => "there is no step that could be undone".to_owned(),
        });
    }
    for intent in chosen {
        match undo_one(vault, journal, intent, &with_assets, rules, now) {
            Ok(receipt) => {
                let at = |path: &Option<RelPath>| path.as_ref().map(ToString::to_string).unwrap_or_default();
                undone.answer.undone.push(format!(
                    "{}: {} -> {}",
                    receipt.about.did,
                    at(&receipt.about.from),
                    at(&receipt.about.to)
                ));
                undone.receipts.push(receipt);
            }
            Err(why) => {
                undone.is_open = matches!(why, NotUndone::Commit(CommitError::Open(_)));
                undone.answer.refused = Some(why.to_string());
                break;
            }
        }
    }
    undone
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

fn undo_one(
    vault: &Vault,
    journal: &mut Journal,
    intent: &Intent,
    with_assets: &HashSet<&ThemeSlug>,
    rules: &UndoRules,
    now: Timestamp,
) -> Result<Receipt, NotUndone> {
    let disk = vault.disk();
    for bundle in intent.publish.iter().filter_map(|product| bundle_of(&product.to)) {
        let said =
            |error: DiskError| NotUndone::Refused(format!("nobody can tell whether its bundle was sent: {error}"));
        if is_sent(disk, &bundle).map_err(said)? {
            let why = "its bundle was sent; what a market has cannot be undone here";
            return Err(NotUndone::Refused(why.to_owned()));
        }
    }
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
    let plan = plan_undo(intent, &UndoFacts { seen: &seen, hash: &hash, replaced: &replaced, theme: &theme });
    let plan = plan.map_err(NotUndone::Refused)?;
    // What comes back waits for a new word of the person; this is durable before anything comes back.
    withdraw(&vault.mailbox(), &plan.moves).map_err(|error| NotUndone::Refused(error.to_string()))?;
    let made = make(vault, &plan, &rules.limits)?;
    let receipt = vault.commit(journal, vec![made], now).remove(0)?;
    remove_emptied_folders(vault, &plan);
    Ok(receipt)
}

/// Leaves a wish for the daemon; returns where its answer will lie.
pub fn request_undo(mailbox: &Mailbox, what: UndoWhat, at: Timestamp) -> DiskResult<RelPath> {
    let number = at.as_nanosecond();
    let text = serde_json::to_vec(&UndoRequest { what, at }).expect("a request holds nothing that JSON cannot write");
    let path = mailbox.leave(&format!("undo-{number}.json"), &text)?;
    Ok(path.sibling(format!("answer-{number}.json")))
}

/// Returns the wishes that lie there, oldest first; each is removed, since it is carried out once.
pub(super) fn collect_undo(mailbox: &Mailbox) -> Vec<(RelPath, UndoRequest)> {
    let take = |path: RelPath| {
        let bytes = mailbox.disk().read(&path, 65536).ok()?;
        mailbox.remove(&path).ok()?;
        let request = serde_json::from_slice::<UndoRequest>(&bytes).ok()?;
        Some((path.sibling(path.file_text().replacen("undo-", "answer-", 1)), request))
    };
    Mailbox::list(mailbox.disk(), "undo-").unwrap_or_default().into_iter().filter_map(take).collect()
}

/// Leaves an answer for the command that waits for it.
pub(super) fn answer(mailbox: &Mailbox, path: &RelPath, answer: &UndoAnswer) -> DiskResult<()> {
    let text = serde_json::to_vec(answer).expect("an answer holds nothing that JSON cannot write");
    mailbox.leave(&path.file_text(), &text).map(drop)
}

/// Takes a wish back whose answer has not come; returns whether the daemon had not taken it yet.
pub fn withdraw_undo(mailbox: &Mailbox, answer: &RelPath) -> bool {
    let request = answer.sibling(answer.file_text().replacen("answer-", "undo-", 1));
    mailbox.remove(&request).is_ok()
}

/// Returns the answer to a wish, if it came.
pub fn read_answer(mailbox: &Mailbox, path: &RelPath) -> Option<UndoAnswer> {
    let answer = mailbox.disk().read(path, 1 << 20).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok())?;
    let _ = mailbox.remove(path);
    Some(answer)
}
