//! The boxes of a market's portal: which are to be ticked for a file, and which were ticked and are not to be any more.

use std::collections::BTreeMap;

use super::bundle::BundleAsset;
use super::checklist_done::Done;
use super::checklist_ticks::flat;
use crate::market::{BoxKind, Market, Value};
use crate::model::{Kind, Look, People, escape_bytes};

/// How a category is named that no column of the manifest has.
const CATEGORY: &str = "category ";
/// How it begins what is ticked no more. Whether a portal keeps what was ticked of a file that is uploaded anew, nobody knows.
const TAKE_BACK: &str = "take back where it is done: ";

/// The words of a market for its boxes.
pub(super) struct Words<'a> {
    market: &'a Market,
    known: BTreeMap<String, BoxKind>,
    has_category: bool,
}

/// What is left of the boxes of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ToTick {
    pub(super) new: Vec<String>,
    /// Those that say something else in the portal.
    pub(super) changed: Vec<String>,
}

impl<'a> Words<'a> {
    pub(super) fn of(market: &'a Market) -> Self {
        let all = market.boxes.iter().flat_map(crate::market::Boxes::all_ticks);
        let known = all.map(|(kind, tick)| (flat(&tick), kind)).collect();
        Self { market, known, has_category: has_category_box(market) }
    }

    /// Returns which box a tick is about; `None` for one that the market does not ask for any more.
    pub(super) fn kind(&self, tick: &str) -> Option<BoxKind> {
        let tick = tick.strip_prefix(TAKE_BACK).unwrap_or(tick);
        let is_category = self.has_category && tick.starts_with(CATEGORY);
        self.known.get(tick).copied().or(is_category.then_some(BoxKind::Category))
    }

    /// Returns what is left of the boxes of a file, after what a person `did`.
    pub(super) fn left(&self, asset: &BundleAsset, version: &str, did: &Done<'_>) -> ToTick {
        let wanted = self.wanted(asset);
        // Of each box the portal shows what was ticked last.
        let of_kind = |(version, tick)| Some((self.kind(tick)?, (version, tick)));
        let has: BTreeMap<BoxKind, (&str, &str)> = did.ticks(&asset.file_name).filter_map(of_kind).collect();
        let gone = has.iter().filter(|(kind, (_, tick))| {
            !tick.starts_with(TAKE_BACK) && !wanted.iter().any(|(wanted, _)| wanted == *kind)
        });
        let back: Vec<String> = gone.filter_map(|(kind, (_, tick))| self.back(*kind, tick)).collect();
        let mut left = ToTick::default();
        for (kind, tick) in wanted {
            match has.get(&kind) {
                Some(last) if *last == (version, tick.as_str()) => (),
                Some((of, _)) if *of == version => left.changed.push(tick),
                _ => left.new.push(tick),
            }
        }
        left.changed.extend(back);
        left
    }

    /// Returns what takes back the box of a kind. A film that was a still has no look.
    fn back(&self, kind: BoxKind, tick: &str) -> Option<String> {
        let yes = self.market.boxes.as_ref().and_then(|boxes| boxes.yes(kind));
        let tick = yes.map(flat).or((kind == BoxKind::Category).then(|| tick.to_owned()))?;
        Some(format!("{TAKE_BACK}{tick}"))
    }

    /// Returns what is ticked for a file.
    fn wanted(&self, asset: &BundleAsset) -> Vec<(BoxKind, String)> {
        let is_by_ai = asset.fitted.meta.source_type.is_by_ai();
        ticks(self.market, is_still(asset), is_by_ai, (asset.look, asset.people, asset.category.as_deref()))
    }

    /// Returns the tick with which a text begins.
    pub(super) fn first(&self, text: &str) -> Option<String> {
        let (back, text) = text.strip_prefix(TAKE_BACK).map_or(("", text), |text| (TAKE_BACK, text));
        let longest = self.known.keys().filter(|tick| text.starts_with(tick.as_str())).max_by_key(|tick| tick.len());
        let category = || {
            let end = text.strip_prefix(CATEGORY)?.strip_prefix('`')?.find('`')?;
            Some(text[..CATEGORY.len() + end + 2].to_owned())
        };
        Some(format!("{back}{}", longest.cloned().or_else(category)?))
    }
}

/// Returns what is ticked for a file of which this is known.
pub(super) fn ticks(
    market: &Market,
    is_still: bool,
    is_by_ai: bool,
    (look, people, category): (Option<Look>, Option<People>, Option<&str>),
) -> Vec<(BoxKind, String)> {
    let boxes = market.boxes.as_ref().map(|boxes| if is_still { boxes.clone() } else { boxes.without_look() });
    let boxes = boxes.map(|boxes| boxes.ticks(is_by_ai, look, people));
    let category = category.filter(|_| has_category_box(market)).map(|category| {
        (BoxKind::Category, format!("{CATEGORY}`{}`", escape_bytes(category.replace(';', ",").as_bytes())))
    });
    boxes.into_iter().flatten().chain(category).map(|(kind, tick)| (kind, flat(&tick))).collect()
}

/// Returns whether a category is ticked: where the manifest has no column for it.
fn has_category_box(market: &Market) -> bool {
    let is_category =
        |value: Value| matches!(value, Value::Category | Value::Category2 | Value::Category3 | Value::Categories);
    !market.categories.is_empty() && !market.csv.columns.iter().any(|column| is_category(column.value))
}

/// Returns whether a file is a still: films and models are neither photographs nor illustrations. One that was not measured is
/// known by its extension.
pub(super) fn is_still(asset: &BundleAsset) -> bool {
    asset.video.is_none() && is_named_as_still(&asset.file_name)
}

/// Returns whether a file has the name of a still.
pub(super) fn is_named_as_still(file_name: &str) -> bool {
    let extension = file_name.rsplit_once('.').map_or("", |(_, extension)| extension).to_lowercase();
    let is_film = |kind: Kind| kind.is_video() && kind.extension() == Some(extension.as_str());
    !Kind::ALL.into_iter().any(is_film) && !Kind::is_model_extension(&extension)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::built_in;
    use crate::model::{Meta, SourceType};
    use crate::records::{ListEvent, ListedStep};

    /// A picture was a photo, then an illustration, then a photo again: the portal has what was ticked last. What was ticked, and
    /// is for no file as it is now, was asked for by nothing.
    #[test]
    fn what_was_ticked_last_is_asked_for_no_more_and_what_is_not_so_any_more_is_taken_back() {
        let mut market = built_in().unwrap().into_iter().find(|market| market.name == "adobe-stock").unwrap();
        market.csv.columns.retain(|column| column.value != Value::Category);
        let words = Words::of(&market);
        let ticks = market.boxes.as_ref().unwrap().all_ticks();
        let of = |kind, begins: &str| {
            let found = ticks.iter().find(|(of, tick)| *of == kind && tick.starts_with(begins));
            found.unwrap_or_else(|| panic!("{begins}")).1.clone()
        };
        let (ai, photo, people) =
            (of(BoxKind::Ai, "tick"), of(BoxKind::Look, "type Photo"), of(BoxKind::People, "tick"));
        let (drawn, either) = (of(BoxKind::Look, "type Illustration"), of(BoxKind::People, "look at each"));
        let photo = photo.split(',').next().unwrap().to_owned();
        let back = |tick: &str| format!("take back where it is done: {tick}");
        let (two, three) = ("category `2`".to_owned(), "category `3`".to_owned());
        // A photo by AI without people and of the category 2.
        let asset = BundleAsset {
            look: Some(Look::Photo),
            people: Some(People::No),
            category: Some("2".to_owned()),
            ..BundleAsset::bare("a.jpg", Meta { source_type: SourceType::TrainedAlgorithmicMedia, ..Meta::default() })
        };
        let camera = BundleAsset {
            fitted: crate::market::Fitted {
                meta: Meta { source_type: SourceType::DigitalCapture, ..Meta::default() },
                left_out: Vec::new(),
            },
            ..asset.clone()
        };
        assert!(!camera.fitted.meta.source_type.is_by_ai());
        let bare = BundleAsset { category: None, ..asset.clone() };
        let all = || vec![ai.clone(), photo.clone(), two.clone()];
        let with = |more: &String| [all(), vec![more.clone()]].concat();
        // The file, what was ticked one after the other for which version, and what is left of version `v`.
        type Row<'a> = (&'a BundleAsset, Vec<(&'a str, Vec<String>)>, Vec<String>, Vec<String>);
        let none = Vec::new;
        let rows: [Row<'_>; 14] = [
            (&asset, vec![], all(), none()),
            (&asset, vec![("v", all())], none(), none()),
            (&asset, vec![("v", vec![ai.clone()]), ("v", vec![photo.clone()])], vec![two.clone()], none()),
            (&asset, vec![("v", all()), ("v", vec![drawn.clone()])], none(), vec![photo.clone()]),
            (&asset, vec![("v", all()), ("v", vec![drawn.clone()]), ("v", vec![photo.clone()])], none(), none()),
            // Of another version nothing is ticked, also if the first one comes back.
            (&asset, vec![("v", all()), ("w", vec![ai.clone()])], all(), none()),
            (&asset, vec![("v", with(&people))], none(), vec![back(&people)]),
            (&asset, vec![("v", with(&either))], none(), vec![back(&people)]),
            (&asset, vec![("v", with(&people)), ("v", vec![back(&people)])], none(), none()),
            (&asset, vec![("w", with(&people))], all(), vec![back(&people)]),
            (&camera, vec![("w", all())], vec![photo.clone(), two.clone()], vec![back(&ai)]),
            (&bare, vec![("v", all())], none(), vec![back(&two)]),
            (&asset, vec![("v", vec![ai.clone(), photo.clone(), three])], none(), vec![two.clone()]),
            // A box that the profile does not name any more is none.
            (&asset, vec![("v", with(&"tick \"Old\"".to_owned()))], none(), none()),
        ];
        for (asset, ticked, new, changed) in rows {
            let select = |(n, (version, ticks)): (usize, &(&str, Vec<String>))| {
                let files = [("a.jpg".to_owned(), (*version).to_owned())].into();
                (n.to_string(), ListedStep::Select { files, ticks: ticks.clone() })
            };
            let steps: BTreeMap<String, ListedStep> = ticked.iter().enumerate().map(select).collect();
            let happened: Vec<ListEvent> = steps.keys().cloned().map(ListEvent::Ticked).collect();
            let left = words.left(asset, "v", &Done::of(&happened, &steps));
            assert_eq!(left, ToTick { new, changed }, "{ticked:?}");
        }
    }
}
