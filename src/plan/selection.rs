//! Files of a bundle for which a person ticks the same boxes in a market's portal: they are selected at once.

use std::collections::{BTreeMap, BTreeSet};

use super::bundle::BundleAsset;
use crate::market::{Boxes, Market};
use crate::model::{Look, People, counted, escape_bytes};

/// How a line begins that names a selection, behind its box.
const SELECT: &str = "Select ";
/// What stands between the first and the last name of a range, and between two ranges.
const TO: &str = " to ";
const AND: &str = ", ";

/// Some files, and what is ticked for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selection<'a> {
    ticks: String,
    names: BTreeSet<&'a str>,
}

/// Returns the selections of a bundle; none for a market whose portal has no such boxes.
pub(super) fn selections<'a>(market: &Market, assets: &'a [BundleAsset]) -> Vec<Selection<'a>> {
    let Some(boxes) = &market.boxes else { return Vec::new() };
    let mut groups: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for asset in assets {
        groups.entry(ticks(boxes, asset.look, asset.people)).or_default().insert(&asset.file_name);
    }
    let mut selections: Vec<_> = groups.into_iter().map(|(ticks, names)| Selection { ticks, names }).collect();
    selections.sort_by(|a, b| a.names.first().cmp(&b.names.first()));
    selections
}

/// Returns what is ticked for a file, in words. What its tags do not say, a person has to see.
fn ticks(boxes: &Boxes, look: Option<Look>, people: Option<People>) -> String {
    let look = boxes.look.as_ref().map(|boxes| match look {
        Some(Look::Photo) => boxes.photo.clone(),
        Some(Look::Illustration) => boxes.illustration.clone(),
        None => format!("{}, or {}, as each looks", boxes.photo, boxes.illustration),
    });
    let people = boxes.people.as_ref().and_then(|boxes| match people {
        Some(People::Yes) => Some(boxes.yes.clone()),
        Some(People::No) => None,
        Some(People::Unsure) | None => {
            Some(format!("look at each, and where people or property appear, {}", boxes.yes))
        }
    });
    let ticks: Vec<String> = look.into_iter().chain(people).collect();
    if ticks.is_empty() { "nothing to tick".to_owned() } else { ticks.join("; ") }
}

impl<'a> Selection<'a> {
    /// Returns the selection without what a person has selected and ticked already, by the lines that say so. `None` if
    /// nothing is left. Where files came among those of such a line, nobody knows which it was about.
    pub(super) fn without_ticked(mut self, ticked: &[&str], all: &BTreeSet<&'a str>) -> Option<Self> {
        for line in ticked {
            if let Some(names) = self.named_in(line, all) {
                self.names.retain(|name| !names.contains(name));
            }
        }
        (!self.names.is_empty()).then_some(self)
    }

    fn named_in(&self, line: &str, all: &BTreeSet<&'a str>) -> Option<BTreeSet<&'a str>> {
        let rest = line.strip_prefix(SELECT)?;
        let (ranges, rest) = rest.split_once(" (")?;
        let (count, ticks) = rest.split_once("): ")?;
        if ticks.trim_end().trim_end_matches('.') != self.ticks {
            return None;
        }
        let mut names = BTreeSet::new();
        for range in ranges.split(AND) {
            let (first, last) = range.split_once(TO).unwrap_or((range, range));
            let (first, last) = (first.trim_matches('`'), last.trim_matches('`'));
            names.extend(all.iter().filter(|name| first <= **name && **name <= last));
        }
        (counted(names.len(), "file") == count).then_some(names)
    }

    /// Returns the line of it: names that follow each other among all of the bundle are a range.
    pub(super) fn line(&self, all: &BTreeSet<&str>) -> String {
        let mut ranges: Vec<(&str, &str)> = Vec::new();
        let mut is_open = false;
        for name in all {
            match (self.names.contains(name), ranges.last_mut()) {
                (true, Some((_, last))) if is_open => *last = name,
                (true, _) => ranges.push((name, name)),
                (false, _) => (),
            }
            is_open = self.names.contains(name);
        }
        let quoted = |name: &str| format!("`{}`", escape_bytes(name.as_bytes()));
        let shown = ranges.iter().map(|(first, last)| {
            if first == last { quoted(first) } else { format!("{}{TO}{}", quoted(first), quoted(last)) }
        });
        let shown: Vec<String> = shown.collect();
        format!("{SELECT}{} ({}): {}.", shown.join(AND), counted(self.names.len(), "file"), self.ticks)
    }
}

/// Returns whether a line of a list is one that a list of this market may have had itself, and nobody wrote on.
pub(super) fn is_ours(market: &Market, line: &str) -> bool {
    let Some((false, rest)) = selected(line).filter(|_| line.starts_with("- [ ] ")) else { return false };
    let Some((ranges, said)) = rest.strip_prefix(SELECT).and_then(|rest| rest.split_once(" (")) else { return false };
    let Some((count, ticked)) = said.split_once("): ") else { return false };
    let is_range =
        |range: &str| range.split(TO).all(|name| name.len() > 2 && name.starts_with('`') && name.ends_with('`'));
    let is_count =
        count.strip_suffix(" files").or(count.strip_suffix(" file")).is_some_and(|n| n.parse::<usize>().is_ok());
    let Some(boxes) = &market.boxes else { return false };
    let looks = [None, Some(Look::Photo), Some(Look::Illustration)];
    let people = [None, Some(People::Yes), Some(People::No), Some(People::Unsure)];
    let mut known = looks.iter().flat_map(|look| people.map(|people| ticks(boxes, *look, people)));
    let is_ticks = |ticks: String| ticked.strip_suffix('.') == Some(&ticks);
    is_count && ranges.split(AND).all(is_range) && known.any(is_ticks)
}

/// Returns the selection that a line of a list names behind its box, and whether it is ticked; `None` for another line.
pub(super) fn selected(line: &str) -> Option<(bool, &str)> {
    let rest = line.trim_start();
    let (is_ticked, rest) = match (rest.strip_prefix("- [ ] "), rest.get(..6).zip(rest.get(6..))) {
        (Some(rest), _) => (false, rest),
        (None, Some(("- [x] " | "- [X] ", rest))) => (true, rest),
        _ => return None,
    };
    rest.starts_with("Select `").then_some((is_ticked, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{Fitted, built_in};
    use crate::model::Meta;

    fn asset(file_name: &str, look: Option<Look>, people: Option<People>) -> BundleAsset {
        let fitted = Fitted { meta: Meta::default(), left_out: Vec::new() };
        BundleAsset { file_name: file_name.to_owned(), fitted, category: None, look, people }
    }

    fn lines(assets: &[BundleAsset], ticked: &[&str]) -> Vec<String> {
        let market = built_in().unwrap().into_iter().find(|market| market.name == "adobe-stock").unwrap();
        let all: BTreeSet<&str> = assets.iter().map(|asset| asset.file_name.as_str()).collect();
        let left = selections(&market, assets).into_iter().filter_map(|one| one.without_ticked(ticked, &all));
        left.map(|one| one.line(&all)).collect()
    }

    const PEOPLE: &str = "tick \"People and Property are fictional\"";

    #[test]
    fn files_with_the_same_boxes_are_one_selection() {
        use Look::{Illustration, Photo};
        use People::{No, Unsure, Yes};
        let assets = [
            asset("a-1.jpg", Some(Photo), Some(No)),
            asset("a-2.jpg", Some(Photo), Some(No)),
            asset("a-3.jpg", Some(Illustration), Some(Yes)),
            asset("a-4.jpg", Some(Photo), Some(No)),
            asset("b-1.jpg", None, Some(Unsure)),
            asset("b-2.jpg", None, None),
        ];
        let expected = [
            "Select `a-1.jpg` to `a-2.jpg`, `a-4.jpg` (3 files): type Photo.".to_owned(),
            format!("Select `a-3.jpg` (1 file): type Illustration; {PEOPLE}."),
            format!(
                "Select `b-1.jpg` to `b-2.jpg` (2 files): type Photo, or type Illustration, as each looks; look at each, and where people or property appear, {PEOPLE}."
            ),
        ];
        assert_eq!(lines(&assets, &[]), expected);
        // What is ticked stays ticked, unless a file came among it or its boxes are others.
        assert_eq!(lines(&assets, &[&expected[0], &expected[2]]), expected[1..2]);
        assert_eq!(lines(&assets[1..], &[&expected[0]])[0], "Select `a-2.jpg`, `a-4.jpg` (2 files): type Photo.");
        let other = expected[0].replace("Photo", "Illustration");
        assert_eq!(lines(&assets, &[&other]).len(), 3);
        // 200 files of all sorts.
        let looks = [Some(Photo), Some(Illustration), None];
        let people = [Some(Yes), Some(No), Some(Unsure), None];
        let many: Vec<_> = (0..200).map(|n| asset(&format!("{n:03}.jpg"), looks[n % 3], people[n % 4])).collect();
        assert!(lines(&many, &[]).len() <= 12);
    }

    /// A person's lines that begin as ours went away.
    #[test]
    fn what_a_person_wrote_is_not_ours() {
        let market = built_in().unwrap().into_iter().find(|market| market.name == "adobe-stock").unwrap();
        let own = lines(&[asset("a.jpg", Some(Look::Photo), None), asset("b.jpg", None, Some(People::No))], &[]);
        for line in own {
            assert!(is_ours(&market, &format!("- [ ] {line}")), "{line}");
            for other in [
                format!("  - [ ] {line}"),
                format!("- [x] {line}"),
                format!("- [ ] {line} Ann"),
                line.replace("type", "no"),
            ] {
                assert!(!is_ours(&market, &other), "{other}");
            }
        }
        for line in [
            "- [ ] Select `a.jpg` again after Ann has looked.",
            "- [ ] Select `x` myself.",
            "- [ ] Select `a` (1 file): mine.",
        ] {
            assert!(!is_ours(&market, line), "{line}");
        }
    }

    #[test]
    fn a_line_is_known_by_its_box() {
        let rows = [
            ("- [ ] Select `a` (1 file): x.", Some((false, "Select `a` (1 file): x."))),
            ("- [x] Select `a` (1 file): x.\r\n", Some((true, "Select `a` (1 file): x.\r\n"))),
            ("- [ ] Select those that Ann likes", None),
            ("- [é] Select `a`", None),
            ("Select `a`", None),
            ("", None),
        ];
        for (line, expected) in rows {
            assert_eq!(selected(line), expected, "{line}");
        }
    }
}
