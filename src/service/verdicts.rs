//! Recording what a market answered: each row of its list is about a file that went there.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::carried_out::CarriedOut;
use crate::model::{MarketName, RelPath, counted};
use crate::plan::{Dealt, SentBefore, Verdict, is_answered_again, judge_verdicts, plan_answers};
use crate::records::{Answer, Dealing, Did, Plans, Record, SentFile, Verdicts};
use crate::vault::{CommitError, Journal, Vault};

/// Records what a market's list says. What cannot be told is named with its line; the rest is on record at once, or
/// nothing is.
pub(super) fn record(vault: &Vault, journal: &mut Journal, verdicts: &Verdicts, now: Timestamp) -> CarriedOut {
    let records = match Journal::read_only(vault.disk()) {
        Ok(records) => records,
        Err(error) => return CarriedOut { answer: Answer::refused(error.to_string()), ..CarriedOut::default() },
    };
    let sent = sent_before(&records, &verdicts.market);
    let Verdict { answers, changed, known, told, guessed } = judge_verdicts(verdicts, &sent);
    let mut carried = CarriedOut::default();
    carried.answer.done = told.into_iter().map(|(line, why)| Did::NotTold(line, why)).collect();
    if known > 0 {
        carried
            .answer
            .done
            .push(Did::Answered(format!("on record already as the list says: {}", counted(known, "file"))));
    }
    if answers.files.is_empty() {
        return carried;
    }
    let guessed = guessed.into_iter().map(|(line, which)| Did::Answered(format!("line {line}: {which}")));
    carried.answer.done.extend(guessed);
    let plan = plan_answers(answers, changed);
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
                    match before.iter_mut().rev().find(|before| is_again(before, &sending.bundle, file)) {
                        // What it refused stays what that was about.
                        Some(again) if again.dealt == Dealt::Answered(false) => (),
                        Some(again) => again.file = file,
                        None => before.push(SentBefore {
                            bundle: &sending.bundle,
                            file,
                            dealt: Dealt::InReview,
                            reason: "",
                        }),
                    }
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
                    // Of what went there mended since, it is about the later.
                    if let Some(sent) = own.last() {
                        (sent.dealt, sent.reason) = (Dealt::Answered(answered.accepted), answered.reason.as_str());
                    }
                }
            }
            _ => (),
        }
    }
    sent.retain(|_, before| !before.is_empty());
    sent
}

/// Returns whether a file that is sent from a bundle is one that was sent from it before.
fn is_again(before: &SentBefore<'_>, bundle: &RelPath, file: &SentFile) -> bool {
    before.bundle == bundle
        && before.file.asset == file.asset
        && match before.dealt {
            Dealt::InReview => true,
            Dealt::Answered(is_accepted) => is_answered_again(is_accepted, before.file.got().is_same(&file.got())),
        }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{AssetId, ContentHash, Stage};
    use crate::plan::MarketAnswer;
    use crate::records::{About, Intent, RowDigest, Sending, VerdictRow};
    use crate::service::ledger::Ledger;

    const BUNDLES: [&str; 2] = ["upload/2026-11-28/m", "upload/2026-11-29/m"];

    /// What a person says of a market.
    #[derive(Debug, Clone)]
    enum Said {
        /// A bundle was sent; with each of its two files, and its row, as it was, or as it was mended. Of some rows nobody knows
        /// what they said.
        Sent(usize, [u8; 2], [Option<u8>; 2]),
        NotSent(usize),
        /// The market's list says whether it took a file.
        List(usize, bool),
    }

    fn said() -> impl Strategy<Value = Vec<Said>> {
        let rows = [proptest::option::of(0_u8..2), proptest::option::of(0_u8..2)];
        let sent =
            (0_usize..2, [0_u8..3, 0..3], rows).prop_map(|(bundle, bytes, rows)| Said::Sent(bundle, bytes, rows));
        let list = (0_usize..2, any::<bool>()).prop_map(|(file, accepted)| Said::List(file, accepted));
        proptest::collection::vec(prop_oneof![sent, (0_usize..2).prop_map(Said::NotSent), list], 0..30)
    }

    proptest! {
        /// Lists are read by what the journal says, and `status` counts by what the ledger knows of it: they parted once a
        /// bundle was sent again.
        #[test]
        fn lists_are_read_by_what_is_counted(steps in said()) {
            let (market, mut records, mut is_sent) = (MarketName::recorded("m"), Vec::new(), [false; 2]);
            for (plan, step) in (1..).zip(steps) {
                let dealing = match step {
                    Said::Sent(bundle, ..) if is_sent[bundle] => continue,
                    Said::Sent(bundle, bytes, rows) => {
                        is_sent[bundle] = true;
                        let file = |file: usize| {
                            let hash = |text: String| ContentHash::of(text.as_bytes());
                            let (name, asset) = (format!("{file}.jpg"), AssetId::of(&hash(format!("{bundle} {file}"))));
                            let row = |row: Option<u8>| {
                                let says = hash(format!("row {}", row?));
                                Some(RowDigest { tags: says.clone(), told: says })
                            };
                            let hash = hash(format!("{bundle} {file} {}", bytes[file]));
                            SentFile { name, asset, theme: None, hash, made: None, number: None, row: row(rows[file]) }
                        };
                        let (bundle, at) = (RelPath::new(BUNDLES[bundle]).unwrap(), Timestamp::UNIX_EPOCH);
                        Dealing::Sent(Sending { bundle, market: market.clone(), at, files: vec![file(0), file(1)] })
                    }
                    Said::NotSent(bundle) => {
                        is_sent[bundle] = false;
                        Dealing::NotSent(RelPath::new(BUNDLES[bundle]).unwrap())
                    }
                    Said::List(file, accepted) => {
                        let row = VerdictRow { line: 2, file: format!("{file}.jpg"), accepted, reason: String::new() };
                        let verdicts = Verdicts { market: market.clone(), rows: vec![row] };
                        let judged = judge_verdicts(&verdicts, &sent_before(&records, &market));
                        Dealing::Answered(judged.answers)
                    }
                };
                let about = About { dealing: Some(dealing), ..About::new(Stage::Upload, "recorded") };
                let at = Timestamp::from_second(plan).unwrap();
                let plan = u64::try_from(plan).unwrap();
                let (publish, moves, removes) = (Vec::new(), Vec::new(), Vec::new());
                records.push(Record::Intent(Intent { plan, at, claims: false, about, publish, moves, removes }));
                records.push(Record::Done { plan });
            }
            let sent = sent_before(&records, &market);
            let mut by_list: Vec<_> = sent.values().flatten().map(|sent| sent.dealt).collect();
            let mut ledger = Ledger::default();
            ledger.remember_records(&records);
            let counted = ledger.market_records().flat_map(|(_, record)| record.sent());
            let dealt = |answer: Option<MarketAnswer>| answer.map_or(Dealt::InReview, |answer| Dealt::Answered(answer.is_accepted));
            let mut counted: Vec<_> = counted.map(|sent| dealt(sent.answer)).collect();
            by_list.sort_by_key(|dealt| format!("{dealt:?}"));
            counted.sort_by_key(|dealt| format!("{dealt:?}"));
            prop_assert_eq!(by_list, counted);
        }
    }
}
