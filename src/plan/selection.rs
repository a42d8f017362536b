//! Files of a bundle for which a person does the same in a market's portal: they are selected at once.

use std::collections::{BTreeMap, BTreeSet};

use super::bundle::BundleAsset;
use super::checklist_boxes::{ToTick, Words};
use super::checklist_done::Done;
use super::checklist_ticks::{Step, Ticked};
use super::delivered::Delivered;
use crate::market::{AND_TICK, Market};
use crate::model::{counted, escape_bytes};
use crate::records::{DELIVERED, ListedStep, Versions};

/// How a line begins, behind its box, that names files to upload, and how it ends.
pub(super) const UPLOAD: &str = "Upload ";
pub(super) const UPLOAD_END: &str = " from `files/`";
/// What stands behind files that were uploaded, and changed since.
pub(super) const ANEW: &str = ", in place of what was uploaded before they changed";
/// What stands behind files that were to be deleted at the market, and are back.
const BACK: &str = ", unless still in the portal";
/// What stands behind models that are no whole ones without their parts.
const WITH_PARTS: &str = ", each with its parts, which are named above";
/// How a line begins, behind its box, that names files for which the same is ticked.
const SELECT: &str = "Select ";
/// What stands behind files of which something else is ticked than their tags say by now.
pub(super) const CORRECT: &str = ", whose boxes are to change";
/// What stands between the first and the last name of a range, and between two ranges.
const TO: &str = " to ";
pub(super) const AND: &str = ", ";

/// Some files, and what is done with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selection<'a> {
    /// What is ticked; nothing for those that are uploaded.
    ticks: Vec<String>,
    names: BTreeSet<&'a str>,
    /// What stands behind it.
    tail: &'static str,
}

/// What is left of the files of a bundle after what a person has ticked.
#[derive(Debug)]
pub(super) struct Left<'a> {
    /// Those that are delivered.
    pub(super) delivered: Option<Selection<'a>>,
    /// Those to upload.
    pub(super) uploads: Option<Selection<'a>>,
    /// Models to upload that have parts.
    pub(super) with_parts: Option<Selection<'a>>,
    /// Those that changed since they were uploaded.
    pub(super) changed: Option<Selection<'a>>,
    /// Those that were to be deleted at the market, and are back.
    pub(super) back: Option<Selection<'a>>,
    /// Those to select, whole or one selection for each box, whichever are fewer.
    pub(super) selections: Vec<Selection<'a>>,
    /// Whether some are neither ticked nor told as delivered yet.
    pub(super) is_any_new: bool,
}

/// Returns which version of each file lies in a bundle.
pub(super) fn versions(assets: &[BundleAsset]) -> Versions {
    assets.iter().map(|asset| (asset.file_name.clone(), asset.version.clone())).collect()
}

/// Returns what a person still has to do with the files of a bundle. `unknown` are the lines of a list that are done, and of
/// which nobody remembers what they were about.
pub(super) fn left<'a>(
    market: &Market,
    assets: &'a [BundleAsset],
    delivered: &Delivered,
    done: &Done<'_>,
    unknown: &[Ticked<'_>],
) -> Left<'a> {
    let (versions, words) = (versions(assets), Words::of(market));
    let to_tick = |asset: &'a BundleAsset| {
        let name = asset.file_name.as_str();
        (name, words.left(asset, &versions[name], done))
    };
    let mut to_do: BTreeMap<&str, ToTick> = assets.iter().map(to_tick).collect();
    let all: BTreeSet<&str> = to_do.keys().copied().collect();
    let is_up = |name: &str| done.uploaded.get(name).is_some_and(|version| *version == versions[name]);
    let mut uploads: BTreeSet<&str> = all.iter().copied().filter(|name| !is_up(name)).collect();
    // What nobody remembers is told by the text; what was told as delivered stays so, also if its record is lost.
    let mut sent = tick_read(&words, unknown, &all, &mut uploads, &mut to_do);
    let is_any_new = !uploads.is_subset(&sent);
    let is_sent = |name: &&&str| delivered.files.contains_key(**name) && !done.deleted.contains_key(**name);
    sent.extend(all.iter().filter(is_sent));
    let (sent, uploads): (BTreeSet<&str>, BTreeSet<&str>) = uploads.into_iter().partition(|name| sent.contains(name));
    let uploads = uploads.into_iter().filter(|name| !delivered.in_doubt.contains(*name));
    let (changed, uploads): (BTreeSet<&str>, BTreeSet<&str>) =
        uploads.partition(|name| done.at_market(name).is_some_and(|version| version != versions[*name]));
    let (back, uploads): (BTreeSet<&str>, BTreeSet<&str>) =
        uploads.into_iter().partition(|name| done.is_to_delete(name));
    let models: BTreeSet<&str> =
        assets.iter().filter(|asset| asset.parts.is_some()).map(|asset| asset.file_name.as_str()).collect();
    let (with_parts, uploads) = uploads.into_iter().partition(|name| models.contains(name));
    let some =
        |names: BTreeSet<&'a str>, tail| (!names.is_empty()).then(|| Selection { ticks: Vec::new(), names, tail });
    let (delivered, uploads) = (some(sent, DELIVERED), some(uploads, ""));
    let (with_parts, changed, back) = (some(with_parts, WITH_PARTS), some(changed, ANEW), some(back, BACK));
    let new = grouped(to_do.iter().map(|(name, ToTick { new, .. })| (*name, &**new)), "");
    let correct = grouped(to_do.iter().map(|(name, ToTick { changed, .. })| (*name, &**changed)), CORRECT);
    Left { delivered, uploads, with_parts, changed, back, selections: [new, correct].concat(), is_any_new }
}

/// Returns the ticked lines of ours of which nobody can tell which files they were about: others came since, or some went.
pub(super) fn forgotten(market: &Market, assets: &[BundleAsset], unknown: &[Ticked<'_>]) -> Vec<String> {
    let words = Words::of(market);
    let all: BTreeSet<&str> = assets.iter().map(|asset| asset.file_name.as_str()).collect();
    let read = unknown.iter().filter_map(|ticked| Some((ticked.text, Line::read(&words, ticked.text)?)));
    let is_forgotten = |line: &Line<'_>| !line.is_delivered && line.names(&all).is_none();
    read.filter(|(_, line)| is_forgotten(line)).map(|(text, _)| text.to_owned()).collect()
}

/// Takes away what is done by the text of ticked lines; returns what is told as delivered.
fn tick_read<'a, 't>(
    words: &Words<'_>,
    ticked: &'t [Ticked<'t>],
    all: &BTreeSet<&'a str>,
    uploads: &mut BTreeSet<&'a str>,
    to_do: &mut BTreeMap<&'a str, ToTick>,
) -> BTreeSet<&'a str> {
    let mut done = BTreeSet::new();
    for line in ticked.iter().filter_map(|ticked| Line::read(words, ticked.text)) {
        let Some(names) = line.names(all) else { continue };
        for name in names {
            if line.is_delivered && line.behind.is_empty() {
                done.insert(name);
            } else if line.ticks.is_empty() {
                uploads.remove(name);
            } else if let Some(to_tick) = to_do.get_mut(name) {
                to_tick.new.retain(|tick| !line.ticks.contains(tick));
            }
        }
    }
    done
}

/// Returns files by what is ticked for them.
fn grouped<'a, 'b>(to_do: impl Iterator<Item = (&'a str, &'b [String])>, tail: &'static str) -> Vec<Selection<'a>> {
    let (mut whole, mut single) = (Vec::<Selection<'a>>::new(), Vec::<Selection<'a>>::new());
    let add = |groups: &mut Vec<Selection<'a>>, ticks: &[String], name: &'a str| match groups
        .iter_mut()
        .find(|group| group.ticks == ticks)
    {
        Some(group) => drop(group.names.insert(name)),
        None => groups.push(Selection { ticks: ticks.to_vec(), names: [name].into(), tail }),
    };
    for (name, ticks) in to_do.filter(|(_, ticks)| !ticks.is_empty()) {
        add(&mut whole, ticks, name);
        ticks.chunks(1).for_each(|tick| add(&mut single, tick, name));
    }
    if whole.len() <= single.len() { whole } else { single }
}

impl Selection<'_> {
    /// Returns the step of it. `others` are the names of what lies there beside the bundle's files: no range has them in it.
    pub(super) fn step(&self, versions: &Versions, others: &BTreeSet<&str>) -> Step {
        let all = versions.keys().map(String::as_str).chain(others.iter().copied()).collect();
        let of = versions.iter().filter(|(name, _)| self.names.contains(name.as_str()));
        let files: Versions = of.map(|(name, version)| (name.clone(), version.clone())).collect();
        let about = if self.ticks.is_empty() {
            ListedStep::Upload(files)
        } else {
            ListedStep::Select { files, ticks: self.ticks.clone() }
        };
        (self.line(&all), about)
    }

    /// Returns the line of it.
    fn line(&self, all: &BTreeSet<&str>) -> String {
        let shown = shown(&self.names, all);
        if self.ticks.is_empty() {
            return format!("{UPLOAD}{shown}{UPLOAD_END}{}.", self.tail);
        }
        format!("{SELECT}{shown}{}: {}.", self.tail, self.ticks.join(AND_TICK))
    }
}

/// Returns some names out of `all`, and how many they are: those of one beginning that follow each other are a range. A gap in
/// the numbers ends it: a portal may have the files between from another day.
pub(super) fn shown(names: &BTreeSet<&str>, all: &BTreeSet<&str>) -> String {
    let mut ranges: Vec<(&str, &str)> = Vec::new();
    let mut is_open = false;
    for name in all {
        match (names.contains(name), ranges.last_mut()) {
            (true, Some((_, last))) if is_open && follows(last, name) => *last = name,
            (true, _) => ranges.push((name, name)),
            (false, _) => (),
        }
        is_open = names.contains(name);
    }
    let quoted = |name: &str| format!("`{}`", escape_bytes(name.as_bytes()));
    let shown =
        ranges.iter().map(
            |(first, last)| {
                if first == last { quoted(first) } else { format!("{}{TO}{}", quoted(first), quoted(last)) }
            },
        );
    format!("{} ({})", shown.collect::<Vec<_>>().join(AND), counted(names.len(), "file"))
}

/// Returns whether a name is the next one after another: of one beginning and one ending, and with the next number, where they
/// end in numbers.
fn follows(last: &str, name: &str) -> bool {
    let ((before, of_last), (after, of_name)) = (number_and_ending(last), number_and_ending(name));
    let is_next = match (before.parse::<u64>(), after.parse::<u64>()) {
        (Ok(before), Ok(after)) => before.checked_add(1) == Some(after),
        _ => before.is_empty() && after.is_empty(),
    };
    stem(last) == stem(name) && of_last == of_name && is_next
}

fn number_and_ending(name: &str) -> (&str, &str) {
    let (base, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    (&base[base.trim_end_matches(|c: char| c.is_ascii_digit()).len()..], ending)
}

/// Returns what the names of one theme's files begin with.
fn stem(name: &str) -> &str {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let head = stem.rsplit_once(['-', '_']).map(|(head, _)| head);
    head.unwrap_or_else(|| stem.trim_end_matches(|c: char| c.is_ascii_digit()))
}

/// A line of ours, as it stands in a list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    ranges: Vec<(&'a str, &'a str)>,
    count: usize,
    ticks: Vec<String>,
    /// Whether it says that `stockmill deliver` did it.
    pub(super) is_delivered: bool,
    /// What stands behind it.
    pub(super) behind: &'a str,
}

impl<'a> Line<'a> {
    /// Reads the line that names files, wherever in the text it begins; `None` for any other text.
    pub(super) fn read(words: &Words<'_>, text: &'a str) -> Option<Self> {
        let (upload, select) = (text.find("Upload `"), text.find("Select `"));
        let rest = &text[upload.into_iter().chain(select).min()?..];
        let is_upload = rest.starts_with(UPLOAD);
        let (ranges, rest) = rest[UPLOAD.len()..].split_once(" (")?;
        let (count, rest) = rest.split_once(')')?;
        let count = count.strip_suffix(" files").or(count.strip_suffix(" file"))?.parse().ok()?;
        let name = |text: &'a str| text.strip_prefix('`')?.strip_suffix('`').filter(|name| !name.is_empty());
        let range = |range: &'a str| {
            let (first, last) = range.split_once(TO).unwrap_or((range, range));
            Some((name(first)?, name(last)?))
        };
        let ranges = ranges.split(AND).map(range).collect::<Option<_>>()?;
        if is_upload {
            let rest = rest.strip_prefix(UPLOAD_END)?;
            let by = rest.strip_prefix(DELIVERED);
            let (is_delivered, behind) = (by.is_some(), by.unwrap_or(rest));
            let behind = behind.strip_prefix('.').unwrap_or(behind);
            return Some(Self { ranges, count, ticks: Vec::new(), is_delivered, behind });
        }
        let (ticks, behind) = read_ticks(words, rest.strip_prefix(CORRECT).unwrap_or(rest).strip_prefix(": ")?);
        (!ticks.is_empty()).then_some(Self { ranges, count, ticks, is_delivered: false, behind })
    }

    /// Returns the files of a bundle that it names. `None` if others came among them, or some went: nobody knows which
    /// it was about.
    fn names<'b>(&self, all: &BTreeSet<&'b str>) -> Option<BTreeSet<&'b str>> {
        let is_in = |name: &str| {
            let of = |(first, last): &(&str, &str)| *first <= name && name <= *last && stem(first) == stem(name);
            self.ranges.iter().any(of)
        };
        let names: BTreeSet<&str> = all.iter().copied().filter(|name| is_in(name)).collect();
        (names.len() == self.count).then_some(names)
    }
}

/// Returns what a line says is ticked, and what stands behind that.
fn read_ticks<'a>(words: &Words<'_>, mut rest: &'a str) -> (Vec<String>, &'a str) {
    let mut ticks = Vec::new();
    loop {
        let Some(tick) = words.first(rest) else { return (ticks, rest) };
        rest = &rest[tick.len()..];
        ticks.push(tick);
        match rest.strip_prefix(AND_TICK) {
            Some(next) => rest = next,
            None => return (ticks, rest.strip_prefix('.').unwrap_or(rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{Value, built_in};
    use crate::model::{Look, Meta, People, RelPath, SourceType, Video};
    use crate::plan::Parts;

    fn asset(file_name: &str, look: Option<Look>, people: Option<People>) -> BundleAsset {
        BundleAsset { look, people, ..BundleAsset::bare(file_name, Meta::default()) }
    }

    fn market(name: &str) -> Market {
        built_in().unwrap().into_iter().find(|market| market.name == name).unwrap()
    }

    fn lines_of(market: &Market, assets: &[BundleAsset], ticked: &[&str]) -> Vec<String> {
        let ticked: Vec<Ticked<'_>> = ticked.iter().map(|text| Ticked { text, about: None }).collect();
        let left = left(market, assets, &Delivered::default(), &Done::default(), &ticked);
        left.uploads
            .iter()
            .chain(&left.with_parts)
            .chain(&left.selections)
            .map(|one| one.step(&versions(assets), &BTreeSet::new()).0)
            .collect()
    }

    /// Returns the lines but for that about what is uploaded.
    fn lines(assets: &[BundleAsset], ticked: &[&str]) -> Vec<String> {
        let mut market = market("adobe-stock");
        market.boxes.iter_mut().for_each(|boxes| boxes.ai = None);
        let lines = lines_of(&market, assets, ticked).into_iter();
        lines.filter(|line| line.starts_with(SELECT)).collect()
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
        // What is ticked stays ticked, with a note or without, unless a file came among it or its boxes are others.
        let noted = format!("(Ann) {} she looked", expected[0].trim_end_matches('.'));
        assert_eq!(lines(&assets, &[&noted, &expected[2]]), expected[1..2]);
        assert_eq!(lines(&assets[1..], &[&expected[0]])[0], "Select `a-2.jpg`, `a-4.jpg` (2 files): type Photo.");
        let other = expected[0].replace("Photo", "Illustration");
        assert_eq!(lines(&assets, &[&other]).len(), 3);
        // Of what is done in part, the rest is left.
        let half = "Select `b-1.jpg` to `b-2.jpg` (2 files): type Photo, or type Illustration, as each looks.";
        assert_eq!(
            lines(&assets, &[&expected[0], &expected[1], half]),
            [format!(
                "Select `b-1.jpg` to `b-2.jpg` (2 files): look at each, and where people or property appear, {PEOPLE}."
            )]
        );
    }

    /// Whoever selected "`a-1` to `a-4`" in a portal had files of another day among them.
    #[test]
    fn a_range_has_no_gap_and_one_ending() {
        for (names, expected) in [
            (&["a-1.jpg", "a-2.jpg", "a-3.jpg"][..], "`a-1.jpg` to `a-3.jpg` (3 files)"),
            (&["a0001.jpg", "a0004.jpg", "a0005.jpg"], "`a0001.jpg`, `a0004.jpg` to `a0005.jpg` (3 files)"),
            (&["a-09.jpg", "a-10.jpg", "a-11.mp4"], "`a-09.jpg` to `a-10.jpg`, `a-11.mp4` (3 files)"),
            (&["a-1.jpg", "a-10.jpg", "a-2.jpg"], "`a-1.jpg`, `a-10.jpg`, `a-2.jpg` (3 files)"),
            (&["a-1.jpg", "b-2.jpg"], "`a-1.jpg`, `b-2.jpg` (2 files)"),
            (&["a-left.jpg", "a-right.jpg"], "`a-left.jpg` to `a-right.jpg` (2 files)"),
            (&["a-1.jpg", "a-b.jpg"], "`a-1.jpg`, `a-b.jpg` (2 files)"),
            (
                &["a-18446744073709551615.jpg", "a-18446744073709551616.jpg"][..],
                "`a-18446744073709551615.jpg`, `a-18446744073709551616.jpg` (2 files)",
            ),
        ] {
            let names: BTreeSet<&str> = names.iter().copied().collect();
            assert_eq!(shown(&names, &names), expected);
        }
    }

    /// A film, and later a model, was to be marked as a photo or an illustration, which its portal does not ask.
    #[test]
    fn films_and_models_are_selected_apart_from_stills() {
        let measured = BundleAsset { video: Some(Video::default()), ..asset("a-2.mp4", Some(Look::Photo), None) };
        let of = |name: &str| asset(name, None, None);
        let assets = [asset("a-1.jpg", Some(Look::Photo), None), measured, of("a-3.MOV"), of("a-4.obj"), of("a-5.GLB")];
        let look = "look at each, and where people or property appear, ";
        let expected = [
            format!("Select `a-1.jpg` (1 file): type Photo; {look}{PEOPLE}."),
            format!("Select `a-2.mp4`, `a-3.MOV`, `a-4.obj`, `a-5.GLB` (4 files): {look}{PEOPLE}."),
        ];
        assert_eq!(lines(&assets, &[]), expected);
    }

    /// 18 selections of 200 mixed files were 18 times the same few boxes.
    #[test]
    fn two_hundred_mixed_files_are_few_selections() {
        use Look::{Illustration, Photo};
        use People::{No, Unsure, Yes};
        let (looks, people) = ([Some(Photo), Some(Illustration), None], [Some(Yes), Some(No), Some(Unsure), None]);
        let many: Vec<_> = (0..200)
            .map(|n| {
                let mut asset = asset(&format!("theme-{}-{n:04}.jpg", n / 20), looks[n % 3], people[n / 3 % 4]);
                asset.category = Some((n % 10 + 1).to_string());
                if n / 12 % 2 == 0 {
                    asset.fitted.meta.source_type = SourceType::DigitalCapture;
                }
                asset
            })
            .collect();
        let mixed = lines_of(&market("adobe-stock"), &many, &[]);
        let mixed: Vec<_> = mixed.into_iter().filter(|line| line.starts_with(SELECT)).collect();
        assert!(mixed.len() == 6 && mixed.iter().any(|line| line.contains("generative AI")), "{mixed:?}");
        // All is done once the lines are ticked.
        let all = lines_of(&market("adobe-stock"), &many, &[]);
        let ticked: Vec<&str> = all.iter().map(String::as_str).collect();
        assert_eq!(lines_of(&market("adobe-stock"), &many, &ticked), Vec::<String>::new());
        // What a camera made is ticked neither as made by AI nor as fictional.
        let mut photo = asset("a-1.jpg", Some(Photo), Some(Yes));
        photo.fitted.meta.source_type = SourceType::DigitalCapture;
        assert_eq!(lines_of(&market("adobe-stock"), &[photo], &[])[1], "Select `a-1.jpg` (1 file): type Photo.");
        // A theme in which all is alike is one selection.
        let theme: Vec<_> = (0..200).map(|n| asset(&format!("sea-{n:04}.jpg"), Some(Photo), Some(Yes))).collect();
        assert_eq!(
            lines(&theme, &[]),
            [format!("Select `sea-0000.jpg` to `sea-0199.jpg` (200 files): type Photo; {PEOPLE}.")]
        );
        // Where the manifest has no column for it, the category is chosen in the portal.
        let mut own = market("adobe-stock");
        own.csv.columns.retain(|column| column.value != Value::Category);
        own.boxes = None;
        let chosen = lines_of(&own, &many, &[]);
        assert!(chosen.len() == 11 && chosen[1].ends_with(" (20 files): category `1`."), "{chosen:?}");
        assert_eq!(lines_of(&own, &many, &[&chosen[1]]).len(), 10);
    }

    /// "Upload everything" was ticked, and nothing said which files came later.
    #[test]
    fn what_came_after_the_upload_is_named() {
        let of = |names: &[&str]| names.iter().map(|name| asset(name, None, None)).collect::<Vec<_>>();
        let boxless = Market { boxes: None, ..market("adobe-stock") };
        let first = "Upload `cabin-1.jpg` to `cabin-2.jpg`, `sea-1.jpg` (3 files) from `files/`.";
        let three = of(&["cabin-1.jpg", "cabin-2.jpg", "sea-1.jpg"]);
        assert_eq!(lines_of(&boxless, &three, &[]), [first]);
        // A file of another theme stands between the ranges.
        let later = of(&["cabin-1.jpg", "cabin-2.jpg", "city-1.jpg", "sea-1.jpg", "sea-2.jpg"]);
        assert_eq!(lines_of(&boxless, &later, &[first]), ["Upload `city-1.jpg`, `sea-2.jpg` (2 files) from `files/`."]);
        let among = of(&["cabin-1.jpg", "cabin-15.jpg", "cabin-2.jpg", "sea-1.jpg"]);
        assert_eq!(
            lines_of(&boxless, &among, &[first]),
            ["Upload `cabin-1.jpg`, `cabin-15.jpg`, `cabin-2.jpg`, `sea-1.jpg` (4 files) from `files/`."]
        );
    }

    /// A step said nothing of a model's parts, which were left behind.
    #[test]
    fn models_with_parts_are_uploaded_by_a_step_of_their_own() {
        let path = |text: &str| RelPath::new(text).unwrap();
        let parts = Parts {
            folder: path("parts/m-2.obj"),
            names: vec![path("m.mtl")],
            is_kept: true,
            missing: Vec::new(),
            by_hand: BTreeMap::new(),
        };
        let model = BundleAsset { parts: Some(parts), ..asset("m-2.obj", None, None) };
        let assets = [asset("m-1.obj", None, None), model, asset("m-3.obj", None, None)];
        let boxless = Market { boxes: None, ..market("adobe-stock") };
        let expected = [
            "Upload `m-1.obj`, `m-3.obj` (2 files) from `files/`.",
            "Upload `m-2.obj` (1 file) from `files/`, each with its parts, which are named above.",
        ];
        assert_eq!(lines_of(&boxless, &assets, &[]), expected);
        // One of an older version was about all three.
        assert_eq!(lines_of(&boxless, &assets, &["Upload `m-1.obj` to `m-3.obj` (3 files) from `files/`."]), [""; 0]);
        assert_eq!(lines_of(&boxless, &assets, &[expected[1]]), expected[..1]);
    }

    /// A person's lines that begin as ours went away.
    #[test]
    fn what_a_person_wrote_is_not_ours() {
        let market = market("adobe-stock");
        let words = &Words::of(&market);
        let own = lines_of(&market, &[asset("a.jpg", Some(Look::Photo), None), asset("b.jpg", None, None)], &[]);
        for line in &own {
            assert_eq!(Line::read(words, line).map(|line| line.behind), Some(""), "{line}");
        }
        let noted = format!("{} Ann", own[1]);
        assert_eq!(Line::read(words, &noted).map(|line| line.behind), Some(" Ann"));
        for line in [
            "Select `a.jpg` again after Ann has looked.",
            "Select `x` myself.",
            "Select `a` (1 file): mine.",
            "Select `a` (one file): type Photo.",
            "Upload `a` (1 file) again.",
            "Upload everything (1 file) from `files/`.",
            "",
        ] {
            assert_eq!(Line::read(words, line), None, "{line}");
        }
    }
}
