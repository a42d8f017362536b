//! Recording what a market answered: each row of its list is about a file that went there.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::carried_out::CarriedOut;
use crate::model::MarketName;
use crate::plan::{Dealt, SentBefore, Verdict, judge_verdicts, plan_answers};
use crate::records::{Answer, Dealing, Did, Plans, Record, Verdicts};
use crate::vault::{CommitError, Journal, Vault};

/// Records what a market's list says. What cannot be told is named with its line; the rest is on record at once, or
/// nothing is.
pub(super) fn record(vault: &Vault, journal: &mut Journal, verdicts: &Verdicts, now: Timestamp) -> CarriedOut {
    let records = match Journal::read_only(vault.disk()) {
        Ok(records) => records,
        Err(error) => return CarriedOut { answer: Answer::refused(error.to_string()), ..CarriedOut::default() },
    };
    let sent = sent_before(&records, &verdicts.market);
    let Verdict { answers, told } = judge_verdicts(verdicts, &sent);
    let mut carried = CarriedOut::default();
    carried.answer.done = told.into_iter().map(|(line, why)| Did::NotTold(line, why)).collect();
    if answers.files.is_empty() {
        return carried;
    }
    let plan = plan_answers(answers);
    let did = plan.about.did.clone();
    match vault.commit(journal, vec![vault.draft().finish(plan.about)], now).remove(0) {
        Ok(receipt) => {
            carried.receipts.push(receipt);
            carried.answer.done.push(Did::Answered(did));
        }
        Err(error) => {
            carried.is_open = matches!(error, CommitError::Open(_));
            carried.answer.refused = Some(error.to_string());
        }
    }
    carried
}

/// Returns what went to a market, by the names of the files, in the order in which that was recorded.
fn sent_before<'a>(records: &'a [Record], market: &MarketName) -> BTreeMap<&'a str, Vec<SentBefore<'a>>> {
    let mut sent: BTreeMap<&str, Vec<SentBefore<'_>>> = BTreeMap::new();
    for intent in Plans::of(records).done {
        match &intent.about.dealing {
            Some(Dealing::Sent(sending)) if sending.market == *market => {
                for file in &sending.files {
                    let before = sent.entry(file.name.as_str()).or_default();
                    before.push(SentBefore { bundle: &sending.bundle, file, dealt: Dealt::InReview });
                }
            }
            Some(Dealing::NotSent(bundle)) => {
                sent.values_mut().for_each(|before| {
                    before.retain(|sent| sent.bundle != bundle || sent.dealt != Dealt::InReview);
                });
            }
            Some(Dealing::Answered(answers)) if answers.market == *market => {
                for answered in &answers.files {
                    let name = answered.file.file_text();
                    let before = sent.get_mut(name.as_str()).into_iter().flatten();
                    let own =
                        before.filter(|sent| answered.file.is_in(sent.bundle) && sent.file.asset == answered.asset);
                    own.for_each(|sent| sent.dealt = Dealt::Answered(answered.accepted));
                }
            }
            _ => (),
        }
    }
    sent.retain(|_, before| !before.is_empty());
    sent
}
