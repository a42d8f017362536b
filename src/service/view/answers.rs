//! What the markets answered, and what went where: for `status`, `history` and `explain`.

use super::View;
use crate::model::{AssetId, ContentHash, MarketName, RelPath, ThemeSlug};
use crate::plan::MarketTally;
use crate::records::{Dealing, Intent, Plans, Record};

/// What a market answered about the files of one theme, or of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerCount {
    /// The market.
    pub market: MarketName,
    /// The theme; `None` for all files of the market.
    pub theme: Option<ThemeSlug>,
    /// How many files.
    pub tally: MarketTally,
}

impl View {
    /// Returns what markets answered: of each that answered, first about all files, then about each theme of which
    /// something was answered.
    pub fn answers(&self) -> Vec<AnswerCount> {
        let mut counts = Vec::new();
        for (market, record) in self.decide.ledger.market_records() {
            let by_theme = record.by_theme();
            let mut all = MarketTally::default();
            for tally in by_theme.values() {
                all.sent += tally.sent;
                all.in_review += tally.in_review;
                all.accepted += tally.accepted;
                all.refused += tally.refused;
            }
            if all.accepted_percent().is_none() {
                continue;
            }
            counts.push(AnswerCount { market: market.clone(), theme: None, tally: all });
            let answered = by_theme.into_iter().filter(|(_, tally)| tally.accepted_percent().is_some());
            counts.extend(answered.filter_map(|(theme, tally)| {
                let theme = Some(theme?.clone());
                Some(AnswerCount { market: market.clone(), theme, tally })
            }));
        }
        counts
    }

    /// Returns what the journal says of dealings with markets about one asset, in words, the oldest first.
    pub(super) fn dealings_of(&self, asset: &AssetId) -> Vec<String> {
        let intents = Plans::of(&self.records).done_as_begun();
        let told =
            intents.into_iter().filter_map(|intent| dealing_with(intent, std::slice::from_ref(asset), None, None));
        told.map(|dealt| dealt.1).collect()
    }
}

/// Returns the assets that the files are of which went to a market under a name or with some bytes.
pub fn dealt_assets(records: &[Record], hash: Option<&ContentHash>, path: Option<&RelPath>) -> Vec<AssetId> {
    let mut assets = Vec::new();
    for record in records {
        let Record::Intent(intent) = record else { continue };
        if let Some(Dealing::Sent(sending)) = &intent.about.dealing {
            let is_it = |name: &str, of: &ContentHash| {
                hash == Some(of) || path.is_some_and(|path| path.is_in(&sending.bundle) && path.file_text() == name)
            };
            let found = sending.files.iter().filter(|file| is_it(&file.name, &file.hash));
            assets.extend(found.map(|file| file.asset.clone()));
        }
    }
    assets
}

/// Returns what a plan says of dealings with a market about any of some assets, in words and with the time; also about a
/// file with some bytes or at a place.
pub fn dealing_with(
    intent: &Intent,
    assets: &[AssetId],
    hash: Option<&ContentHash>,
    path: Option<&RelPath>,
) -> Option<(jiff::Timestamp, String)> {
    match intent.about.dealing.as_ref()? {
        Dealing::Sent(sending) => {
            let is_it = |asset: &AssetId, of: &ContentHash| assets.contains(asset) || hash == Some(of);
            let file = sending.files.iter().find(|file| is_it(&file.asset, &file.hash));
            let is_bundle = path == Some(&sending.bundle);
            let what = file.map(|file| sending.bundle.join("files").join(&file.name));
            let what = what.or_else(|| is_bundle.then(|| sending.bundle.clone()))?;
            Some((sending.at, format!("sent to {}: {what}", sending.market)))
        }
        Dealing::NotSent(bundle) => {
            let is_bundle = path.is_some_and(|path| path.is_in(bundle) || path == bundle);
            is_bundle.then(|| (intent.at, format!("not sent after all: {bundle}")))
        }
        Dealing::Answered(answers) => {
            let is_it = |asset: &AssetId, of: &ContentHash| assets.contains(asset) || hash == Some(of);
            let file = answers.files.iter().find(|file| is_it(&file.asset, &file.hash))?;
            let verdict = match (file.accepted, file.reason.as_str()) {
                (true, _) => "accepted".to_owned(),
                (false, "") => "refused".to_owned(),
                (false, reason) => format!("refused ({reason})"),
            };
            Some((intent.at, format!("{verdict} by {}: {}", answers.market, file.file)))
        }
    }
}
