//! What a market takes of pictures that only a person can see: the steps that name what to look at before the upload.

use std::collections::BTreeSet;

use super::bundle::BundleAsset;
use super::checklist_boxes::is_still;
use super::checklist_done::Done;
use super::checklist_ticks::{Step, flat};
use super::selection::shown;
use crate::market::Market;
use crate::model::{Look, People};
use crate::records::{ListedStep, Versions};

/// What such a step asks for.
const LEAVE_OUT: &str = ", and leave out what is not taken (delete it from `files/`)";

/// Whether the tags of a file say that a rule is about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Yes,
    No,
    Nothing,
}

/// A rule of a market, and what is said of the files that it may be about.
struct Rule<'a> {
    text: Option<&'a String>,
    of: fn(&BundleAsset) -> Said,
    yes: &'static str,
    nothing: &'static str,
}

/// Returns the steps that name the files which a rule may be about, and at which nobody looked since they are as they are.
/// `others` lie there, too: no range has them in it.
pub(super) fn look_steps(
    market: &Market,
    assets: &[BundleAsset],
    versions: &Versions,
    others: &BTreeSet<&str>,
    done: &Done<'_>,
) -> Vec<Step> {
    let all = versions.keys().map(String::as_str).chain(others.iter().copied()).collect();
    let mut steps = Vec::new();
    for Rule { text, of, yes, nothing } in rules(market) {
        let Some(text) = text.map(|text| flat(text)) else { continue };
        for (said, what) in [(Said::Yes, yes), (Said::Nothing, nothing)] {
            let is_looked_at =
                |asset: &&BundleAsset| done.is_ticked(&asset.file_name, &versions[&asset.file_name], &text);
            let left = assets.iter().filter(|asset| of(asset) == said && !is_looked_at(asset));
            let names: BTreeSet<&str> = left.map(|asset| asset.file_name.as_str()).collect();
            if names.is_empty() {
                continue;
            }
            let step = format!("Look at {}{what}{LEAVE_OUT}: {text}.", shown(&names, &all));
            let files = names.iter().map(|name| ((*name).to_owned(), versions[*name].clone())).collect();
            steps.push((step, ListedStep::Select { files, ticks: vec![text.clone()] }));
        }
    }
    steps
}

/// Returns whether a line of a list is such a step, and nothing more.
pub(super) fn is_look_step(market: &Market, line: &str) -> bool {
    let ends = |Rule { text, .. }: &Rule<'_>| text.is_some_and(|text| line.ends_with(&format!("): {}.", flat(text))));
    line.starts_with("Look at `") && line.contains(LEAVE_OUT) && rules(market).iter().any(ends)
}

fn rules(market: &Market) -> [Rule<'_>; 2] {
    [
        Rule {
            text: market.people_rule.as_ref(),
            of: people,
            yes: ", in which people appear",
            nothing: ", of which no tag says whether people appear",
        },
        Rule {
            text: market.illustration_rule.as_ref(),
            of: illustration,
            yes: ", which are illustrations",
            nothing: ", of which no tag says whether they are photos or illustrations",
        },
    ]
}

/// Returns whether people appear in what AI made; of other work the market has releases.
fn people(asset: &BundleAsset) -> Said {
    match asset.people {
        _ if !asset.fitted.meta.source_type.is_by_ai() => Said::No,
        Some(People::Yes) => Said::Yes,
        Some(People::No) => Said::No,
        Some(People::Unsure) | None => Said::Nothing,
    }
}

fn illustration(asset: &BundleAsset) -> Said {
    match asset.look {
        _ if !is_still(asset) => Said::No,
        Some(Look::Illustration) => Said::Yes,
        Some(Look::Photo) => Said::No,
        None => Said::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::built_in;
    use crate::model::{Meta, SourceType};
    use crate::plan::selection::versions;

    /// "Leave out pictures with faces" and "leave out drawings" named no file, and stood there where no file was concerned.
    #[test]
    fn what_a_rule_may_be_about_is_named() {
        let asset = |(file, source_type, people, look): (&str, SourceType, Option<People>, Option<Look>)| {
            let meta = Meta { source_type, ..Meta::default() };
            BundleAsset { look, people, ..BundleAsset::bare(file, meta) }
        };
        let (ai, camera) = (SourceType::TrainedAlgorithmicMedia, SourceType::DigitalCapture);
        let assets = [
            ("a-1.jpg", ai, Some(People::Yes), Some(Look::Photo)),
            ("a-2.jpg", ai, Some(People::Yes), Some(Look::Illustration)),
            ("a-3.jpg", ai, Some(People::No), None),
            ("a-4.jpg", ai, None, Some(Look::Photo)),
            ("a-5.jpg", camera, Some(People::Yes), None),
            ("a-6.mp4", ai, Some(People::Unsure), None),
        ]
        .map(asset);
        let market = |name: &str| built_in().unwrap().into_iter().find(|built_in| built_in.name == name).unwrap();
        let told = |name: &str, assets: &[BundleAsset], done: &Done<'_>| {
            look_steps(&market(name), assets, &versions(assets), &BTreeSet::new(), done)
        };
        let texts = |steps: &[Step]| steps.iter().map(|(text, _)| text.clone()).collect::<Vec<_>>();
        let faces =
            "and leave out what is not taken (delete it from `files/`): the market refuses generated faces of people.";
        let of_dreamstime = told("dreamstime", &assets, &Done::default());
        // Without the record of its list it is known by its words.
        for step in texts(&of_dreamstime) {
            let of = |name: &str, step: &str| is_look_step(&market(name), step);
            assert!(of("dreamstime", &step) && !of("vecteezy", &step), "{step}");
            assert!(!of("dreamstime", &format!("{step} Ann looks")), "{step}");
        }
        assert_eq!(
            texts(&of_dreamstime),
            [
                format!("Look at `a-1.jpg` to `a-2.jpg` (2 files), in which people appear, {faces}"),
                format!("Look at `a-4.jpg`, `a-6.mp4` (2 files), of which no tag says whether people appear, {faces}"),
            ]
        );
        let drawings = "and leave out what is not taken (delete it from `files/`): no 3D renderings, and no drawings that are JPEGs.";
        assert_eq!(
            texts(&told("vecteezy", &assets, &Done::default())),
            [
                format!("Look at `a-2.jpg` (1 file), which are illustrations, {drawings}"),
                format!(
                    "Look at `a-3.jpg`, `a-5.jpg` (2 files), of which no tag says whether they are photos or illustrations, {drawings}"
                ),
            ]
        );
        assert_eq!(told("adobe-stock", &assets, &Done::default()), []);
        assert_eq!(told("dreamstime", &assets[2..3], &Done::default()), []);
        // Who looked at some is asked for the others alone.
        let [(text, about), rest] = &of_dreamstime[..] else { panic!("{of_dreamstime:?}") };
        let (steps, happened) =
            ([(text.clone(), about.clone())].into(), [crate::records::ListEvent::Ticked(text.clone())]);
        assert_eq!(told("dreamstime", &assets, &Done::of(&happened, &steps)), std::slice::from_ref(rest));
    }
}
