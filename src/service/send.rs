//! Recording that bundles were sent: a person uploaded them, and says so.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::carried_out::{CarriedOut, Rules};
use super::decide::{Places, behind, is_due, left_as_it_is, rowless, sending_of, told_behind, without_file};
use super::ledger::Ledger;
use super::sent::{UPLOADED, is_sent, place_of};
use crate::craft::Untold;
use crate::intake::Now;
use crate::make::{MakeError, make};
use crate::model::{RelPath, counted};
use crate::plan::{BundleName, Hold, SENT_MARK, plan_mark_sent, plan_sent, told_missing, told_open};
use crate::records::{Answer, Dealing, Did, Plans, Record, SIDECAR_BYTES_MAX, Sending};
use crate::vault::{CommitError, DiskError, Journal, Look, Receipt, Vault};

/// What a bundle's checklist is called.
const LIST: &str = "CHECKLIST.md";

/// Records that bundles were sent, and marks them. What cannot be recorded is told with the reason; the others are.
pub(super) fn send(
    vault: &Vault,
    journal: &mut Journal,
    bundles: &[RelPath],
    rules: &Rules,
    now: Timestamp,
) -> CarriedOut {
    let mut carried = CarriedOut::default();
    let (mut sent, mut ledger): (BTreeSet<RelPath>, _) = match Journal::read_only(vault.disk()) {
        Ok(records) => (sendings(&records).into_keys().cloned().collect(), Ledger::of(&records)),
        Err(error) => return CarriedOut { answer: Answer::refused(error.to_string()), ..carried },
    };
    for bundle in bundles {
        let did = match send_one(vault, journal, bundle, (&mut sent, &Arc::new(Places::of(&ledger))), rules, now) {
            Ok((told, receipt)) => {
                receipt.iter().for_each(|receipt| ledger.remember(&receipt.about, &receipt.publish, now));
                carried.receipts.extend(receipt);
                Did::Sent(bundle.clone(), told)
            }
            Err(NotSent::Refused(why)) => Did::Stays(bundle.clone(), why),
            Err(error) => {
                carried.is_open |= matches!(error, NotSent::Commit(CommitError::Open(_)));
                carried.answer.refused = Some(format!("{bundle}: {error}"));
                break;
            }
        };
        carried.answer.done.push(did);
    }
    carried
}

/// Why a bundle is not recorded as sent.
#[derive(Debug, thiserror::Error)]
enum NotSent {
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error(transparent)]
    Make(#[from] MakeError),
    #[error(transparent)]
    Commit(#[from] CommitError),
}

fn send_one(
    vault: &Vault,
    journal: &mut Journal,
    bundle: &RelPath,
    (sent, places): (&mut BTreeSet<RelPath>, &Arc<Places>),
    rules: &Rules,
    now: Timestamp,
) -> Result<(String, Option<Receipt>), NotSent> {
    let disk = vault.disk();
    let refused = |why: String| NotSent::Refused(why);
    let name = BundleName::of(bundle).filter(|name| [name.folder(), name.sent_folder()].contains(bundle));
    let name = name.ok_or_else(|| refused("it is no bundle; one is a folder `upload/DAY/MARKET`".to_owned()))?;
    let place = place_of(disk, &name)?
        .ok_or_else(|| refused("there is no such bundle; `stockmill status` lists all".to_owned()))?;
    let is_marked = is_sent(disk, &place)?;
    if is_marked && sent.contains(&name.folder()) {
        return Ok(("it is on record as sent already".to_owned(), None));
    }
    if let Some(hold) = left_as_it_is(disk, &rules.settings, &place).unwrap_or_else(Some) {
        return Err(refused(hold.to_string()));
    }
    if let Some(why) = no_row(disk, rules, places, &name, now).map_err(|hold| refused(hold.to_string()))? {
        return Err(refused(why));
    }
    let missing = without_file(disk, &rules.settings, &name, &place).map_err(|hold| refused(hold.to_string()))?;
    // In a marked one nothing changes any more.
    if let Some(file) = missing.first().filter(|_| !is_marked) {
        return Err(refused(no_file(rules, &name, missing.len(), file)));
    }
    let sending =
        sending_of(disk, &rules.settings, places, &name, &place, now).map_err(|hold| refused(hold.to_string()))?;
    if sending.files.is_empty() {
        return Err(refused(
            "no file is in it that has a row in its CSV and did not go there before, so nothing was sent".to_owned(),
        ));
    }
    if !is_marked && let Some(why) = late(disk, rules, places, &name, now)? {
        return Err(refused(why));
    }
    let told = told(&sending, is_marked, &place) + &told_missing(&missing) + &told_steps(disk, &place);
    let plan = if is_marked { plan_sent(sending, &missing) } else { plan_mark_sent(sending, &place) };
    let made = make(vault, &plan, &rules.limits, &Untold)?;
    let receipt = vault.commit(journal, vec![made], now).remove(0)?;
    sent.insert(name.folder());
    Ok((told, Some(receipt)))
}

/// Returns that so many rows of a bundle have no file, and what is to be done.
fn no_file(rules: &Rules, name: &BundleName, missing: usize, first: &str) -> String {
    let is_named = rules.settings.upload.market(&name.market).is_some();
    let named = if is_named { "" } else { "name the market under `upload.markets` again: " };
    format!(
        "{} in its CSV without a file, the first is `{first}`; {named}stockmill takes it out of the CSV in a moment \
         (`stockmill once`), and the market gets that CSV; or put the file back",
        counted(missing, "row")
    )
}

/// Returns that a bundle is not up to date, if it is not, and what to do: what its list does not ask for, nobody uploads.
fn late(
    disk: &dyn Look,
    rules: &Rules,
    places: &Arc<Places>,
    name: &BundleName,
    now: Timestamp,
) -> Result<Option<String>, NotSent> {
    let wall_ns = i64::try_from(now.as_nanosecond()).unwrap_or(i64::MAX);
    let now = Now { wall_ns, steady: Duration::ZERO };
    let behind = behind(disk, &rules.settings, places.clone(), name, now);
    let behind = behind.map_err(|hold| NotSent::Refused(hold.to_string()))?;
    let anyway = format!("; or make an empty file `{SENT_MARK}` in it, which records it as it is");
    Ok(told_behind(&behind).map(|why| why + &anyway))
}

/// Returns that files of a bundle have no row, if some have none, and what is to be done: what their market would refuse today
/// gets none.
fn no_row(
    disk: &dyn Look,
    rules: &Rules,
    places: &Arc<Places>,
    name: &BundleName,
    now: Timestamp,
) -> Result<Option<String>, Hold> {
    let wall_ns = i64::try_from(now.as_nanosecond()).unwrap_or(i64::MAX);
    let mut lacking = rowless(disk, &rules.settings, places.clone(), name, Now { wall_ns, steady: Duration::ZERO })?;
    lacking.retain(|(_, against)| is_due(against.as_ref()));
    let first = lacking.iter().find(|(_, against)| against.is_some()).or(lacking.first());
    Ok(first.map(|(file, against)| {
        let what = match against {
            Some(against) => {
                format!("{against}; so it has no row: take it out; {UPLOADED}, and record the bundle then")
            }
            None => {
                "if stockmill put it there, it writes the row in a moment (`stockmill once`), and the market gets that \
                     CSV; else take it out"
                    .to_owned()
            }
        };
        let (files, file) = (counted(lacking.len(), "file"), file.file_text());
        format!("{files} in it without a row in its CSV, the first is `{file}`; {what}")
    }))
}

fn told(sending: &Sending, is_marked: bool, place: &RelPath) -> String {
    let files = counted(sending.files.len(), "file");
    let back = format!("to take that back, delete `{place}/{SENT_MARK}`");
    if is_marked {
        format!("recorded that {files} went to {}", sending.market)
    } else {
        format!("recorded that {files} went to {}; nothing in it changes any more; {back}", sending.market)
    }
}

/// Returns what is told of the steps of a bundle's checklist that nobody ticked: they are no reason not to record what was sent.
fn told_steps(disk: &dyn Look, place: &RelPath) -> String {
    match disk.read(&place.join(LIST), SIDECAR_BYTES_MAX) {
        Ok(list) => told_open(&list),
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => format!("; nobody can tell which steps of its {LIST} are not ticked: {}", error.source),
    }
}

/// Returns the bundles that are on record as sent, by where they were made.
pub(super) fn sendings(records: &[Record]) -> BTreeMap<&RelPath, &Sending> {
    let mut sendings = BTreeMap::new();
    for intent in Plans::of(records).done {
        match &intent.about.dealing {
            Some(Dealing::Sent(sending)) => {
                sendings.entry(&sending.bundle).or_insert(sending);
            }
            Some(Dealing::NotSent(bundle)) => drop(sendings.remove(bundle)),
            Some(Dealing::Answered(_)) | None => (),
        }
    }
    sendings
}
