//! Lines of a checklist about files that need a look.

use std::collections::{BTreeMap, BTreeSet};

use super::bundle::{BundleAsset, Parts};
use crate::market::{Charset, Market, Warning, WarningKind};
use crate::model::{RelPath, counted, escape_bytes};

/// How a line begins and ends that names clips with sound.
pub(super) const SOUND: (&str, &str) = ("> With sound: ", "; listen before you upload.");
/// How a line begins and ends that names videos whose tags stand in the CSV alone.
pub(super) const TAGLESS: (&str, &str) = ("> Without tags inside: ", "; the market knows them by the CSV alone.");
/// How a line begins and ends that names files that a person changed since they were bundled.
pub(super) const RETOUCHED: (&str, &str) = (
    "> Changed by hand since they were bundled: ",
    "; look whether title, keywords and AI mark are still in them, and nothing that nobody is to read.",
);
/// How a line begins and ends that says what a market may dislike.
pub(super) const UNWISE: (&str, &str) = ("> Only a warning: ", "; nothing waits for it.");
/// How a line begins and ends that names the parts of a model.
pub(super) const PARTS: (&str, &str) = ("> Parts of a model: ", "; upload them with it.");
/// How a line begins and ends that names models which name a person's folder.
pub(super) const PERSONAL: (&str, &str) = (
    "> A folder of a person is named inside: ",
    "; export them anew without paths, or look whether anybody may read it.",
);
/// How a line begins and ends that names parts of models which may say what nobody is to read.
pub(super) const NOT_CLEANED: (&str, &str) =
    ("> Look into these parts before you upload: ", "; stockmill cannot take out what they say.");
/// How a line begins and ends that names parts of a model which are not there.
pub(super) const MISSING_PARTS: (&str, &str) = ("> Parts of a model are missing: ", "; without them it is not whole.");
/// How a line begins and ends that names files which cannot be measured.
pub(super) const UNMEASURED: (&str, &str) = (
    "> Cannot be measured, so that nobody can tell whether the market takes them: ",
    "; look at them before you upload.",
);
/// How a line begins and ends that names files which were uploaded, and lost their rows since the market would refuse them.
pub(super) const DOUBTFUL: (&str, &str) = (
    "> Uploaded, and without a row by now: ",
    "; look in the portal whether the market has them: to record that, give them back what they were uploaded with (tags, profile, bytes) before you say `stockmill sent`, until they have their rows.",
);
/// How a line begins and ends that says that names lost their signs.
pub(super) const SIGNLESS: (&str, &str) = (
    "> File names have ASCII letters and digits alone here: ",
    "other signs are left out, since the market takes none.",
);
/// How a line begins and ends that names parts of a model which a person changed.
pub(super) const CHANGED_PARTS: (&str, &str) = ("> Parts of a model are changed by hand: ", ".");
/// How many files a line names.
const NAMED_MAX: usize = 20;

/// Returns the lines about clips with sound: nobody hears it before the market does.
pub(super) fn of_sound(market: &Market, assets: &[BundleAsset]) -> Option<String> {
    let rule = market.video.as_ref()?.sound_rule.as_ref()?;
    let has_sound = |asset: &&BundleAsset| asset.video.as_ref().is_some_and(|video| video.sound == Some(true));
    let names = named(assets.iter().filter(has_sound))?;
    Some(format!("{}{names}; {}{}", SOUND.0, escape_bytes(rule.as_bytes()), SOUND.1))
}

/// Returns the line about videos that hold no tags: whoever forgets the CSV sends them without a title.
pub(super) fn of_tagless(assets: &[BundleAsset]) -> Option<String> {
    let names = named(assets.iter().filter(|asset| (asset.video.is_some() || asset.is_document) && !asset.is_tagged))?;
    Some(format!("{}{names}{}", TAGLESS.0, TAGLESS.1))
}

/// Returns the line about files that a person changed: nobody knows what they say now.
pub(super) fn of_retouched(assets: &[BundleAsset]) -> Option<String> {
    let names = named(assets.iter().filter(|asset| asset.is_retouched))?;
    Some(format!("{}{names}{}", RETOUCHED.0, RETOUCHED.1))
}

/// Returns a line for each model that has parts: without them it is no whole model. `is_going_on` says whether
/// `stockmill deliver` sends files of the bundle.
pub(super) fn of_parts(assets: &[BundleAsset], is_going_on: bool) -> Vec<String> {
    let line = |asset: &BundleAsset| {
        let Parts { folder, names, is_kept, .. } = asset.parts.as_ref().filter(|parts| !parts.names.is_empty())?;
        let file = escape_bytes(asset.file_name.as_bytes());
        let first: Vec<String> = names.iter().take(NAMED_MAX).map(|name| format!("`{name}`")).collect();
        let more = names.len().checked_sub(NAMED_MAX).filter(|more| *more > 0);
        let more = more.map(|more| format!(" and {}", counted(more, "more file"))).unwrap_or_default();
        let kept = if *is_kept { "" } else { ", here alone: keep them" };
        let by_hand = if is_going_on { "; `stockmill deliver` sends neither it nor them" } else { "" };
        let what = format!("`{file}` has {}{more}, in `{folder}/`{kept}{by_hand}", first.join(", "));
        Some(format!("{}{what}{}", PARTS.0, PARTS.1))
    };
    assets.iter().filter_map(line).collect()
}

/// Returns the line about models that name a folder of a person: they go to markets as they are.
pub(super) fn of_personal(assets: &[BundleAsset]) -> Option<String> {
    let names = named(assets.iter().filter(|asset| asset.private.folder.is_some()))?;
    Some(format!("{}{names}; it stands there or in a material file with it{}", PERSONAL.0, PERSONAL.1))
}

/// Returns a line for each model with parts that may say what nobody is to read.
pub(super) fn of_not_cleaned(assets: &[BundleAsset]) -> Vec<String> {
    let line = |asset: &BundleAsset| {
        let parts: Vec<String> = asset.private.parts.iter().map(RelPath::to_string).collect();
        let (parts, file) = (quoted(parts.iter().map(String::as_str))?, escape_bytes(asset.file_name.as_bytes()));
        Some(format!("{}{parts} of `{file}`{}", NOT_CLEANED.0, NOT_CLEANED.1))
    };
    assets.iter().filter_map(line).collect()
}

/// Returns a line for each model that names parts which are not there.
pub(super) fn of_missing_parts(assets: &[BundleAsset]) -> Vec<String> {
    let line = |asset: &BundleAsset| {
        let (file, lacks) = (escape_bytes(asset.file_name.as_bytes()), asset.parts.as_ref()?.lacks()?);
        Some(format!("{}`{file}`: {}{}", MISSING_PARTS.0, escape_bytes(lacks.as_bytes()), MISSING_PARTS.1))
    };
    assets.iter().filter_map(line).collect()
}

/// Returns a line for each model with parts that a person changed.
pub(super) fn of_changed_parts(assets: &[BundleAsset]) -> Vec<String> {
    let line = |asset: &BundleAsset| {
        let (file, told) = (escape_bytes(asset.file_name.as_bytes()), asset.parts.as_ref()?.changed()?);
        Some(format!("{}`{file}`: {}{}", CHANGED_PARTS.0, escape_bytes(told.as_bytes()), CHANGED_PARTS.1))
    };
    assets.iter().filter_map(line).collect()
}

/// Returns a line for each kind of what is unwise in the tags of the files, with all that is told of the first one.
pub(super) fn of_unwise(assets: &[BundleAsset]) -> Vec<String> {
    let mut kinds: BTreeMap<WarningKind, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
    for asset in assets {
        for Warning { kind, text } in &asset.warnings {
            kinds.entry(*kind).or_default().entry(&asset.file_name).or_default().push(text);
        }
    }
    let told = |files: BTreeMap<&str, Vec<&str>>| {
        let text = files.values().next().map(|texts| texts.join("; ")).unwrap_or_default();
        let first = files.keys().next().copied().unwrap_or_default();
        let of = match files.len() {
            1 => format!("1 file, `{first}`"),
            more => format!("{more} files, `{first}` the first"),
        };
        format!("{}{}{}", UNWISE.0, escape_bytes(format!("{of}: {text}").as_bytes()), UNWISE.1)
    };
    kinds.into_values().map(told).collect()
}

/// Returns the line about files that cannot be measured, with why the first one cannot: they have their rows.
pub(super) fn of_unmeasured(assets: &[BundleAsset]) -> Option<String> {
    let why = |asset: &BundleAsset| asset.against.as_ref()?.as_ref().err().cloned();
    let names = named(assets.iter().filter(|asset| why(asset).is_some()))?;
    let why = escape_bytes(assets.iter().find_map(why)?.as_bytes());
    Some(format!("{}{names} ({why}){}", UNMEASURED.0, UNMEASURED.1))
}

/// Returns the line about files that were uploaded, and that the market would refuse today.
pub(super) fn of_doubtful(doubtful: &BTreeSet<String>) -> Option<String> {
    Some(format!("{}{}{}", DOUBTFUL.0, quoted(doubtful.iter().map(String::as_str))?, DOUBTFUL.1))
}

/// Returns the line about names without dashes and other signs.
pub(super) fn of_names(market: &Market, assets: &[BundleAsset]) -> Option<String> {
    let is_told = market.file_name.charset == Charset::Alphanumeric && !assets.is_empty();
    is_told.then(|| format!("{}{}", SIGNLESS.0, SIGNLESS.1))
}

/// Returns the names of files for a line; `None` if there are none.
fn named<'a>(assets: impl Iterator<Item = &'a BundleAsset>) -> Option<String> {
    quoted(assets.map(|asset| asset.file_name.as_str()))
}

/// Returns names for a line; `None` if there are none.
pub(super) fn quoted<'a>(names: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut names: Vec<String> = names.map(|name| format!("`{}`", escape_bytes(name.as_bytes()))).collect();
    let more = names.len().saturating_sub(NAMED_MAX);
    names.truncate(NAMED_MAX);
    let more = (more > 0).then(|| format!(" and {}", counted(more, "more file")));
    (!names.is_empty()).then(|| format!("{}{}", names.join(", "), more.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::built_in;
    use crate::model::ContentHash;
    use crate::model::{Meta, RelPath, Video};
    use crate::plan::{MissingPart, Parts};
    use crate::records::Private;

    /// Nothing named the parts of a model: it was uploaded without them.
    #[test]
    fn the_parts_of_a_model_are_named() {
        let path = |text: &str| RelPath::new(text).unwrap();
        let asset = |folder: &str, names: &[&str], is_kept| BundleAsset {
            parts: Some(Parts {
                folder: path(folder),
                names: names.iter().map(|name| path(name)).collect(),
                is_kept,
                missing: Vec::new(),
                by_hand: BTreeMap::new(),
            }),
            ..BundleAsset::bare("m.obj", Meta::default())
        };
        let many: Vec<String> = (10..33).map(|n| format!("tex/{n}.png")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let by_hand = "; `stockmill deliver` sends neither it nor them";
        for (asset, is_going_on, start, end) in [
            (asset("parts/m.obj", &["m.mtl", "tex/w.png"], true), false, "`m.mtl`, `tex/w.png`", ", in `parts/m.obj/`"),
            (
                asset("parts/m.obj", &many, true),
                true,
                "`tex/10.png`, ",
                "`tex/29.png` and 3 more files, in `parts/m.obj/`",
            ),
            (
                asset("sidecars/m.obj.parts", &["m.mtl"], false),
                false,
                "`m.mtl`",
                ", in `sidecars/m.obj.parts/`, here alone: keep them",
            ),
        ] {
            let lines = of_parts(&[BundleAsset::bare("a.jpg", Meta::default()), asset], is_going_on);
            let [line] = &lines[..] else { panic!("{lines:?}") };
            assert!(line.starts_with(&format!("> Parts of a model: `m.obj` has {start}")), "{line}");
            let told = if is_going_on { by_hand } else { "" };
            assert!(line.ends_with(&format!("{end}{told}; upload them with it.")), "{line}");
        }
    }

    /// The log alone said that a model names a person's folder, and nothing said that of a texture with a prompt.
    #[test]
    fn what_nobody_is_to_read_in_a_model_is_named() {
        let asset = |folder: Option<&str>, parts: &[&str]| BundleAsset {
            private: Private {
                folder: folder.map(str::to_owned),
                parts: parts.iter().map(|part| RelPath::new(part).unwrap()).collect(),
            },
            ..BundleAsset::bare("m.obj", Meta::default())
        };
        let personal = "> A folder of a person is named inside: `m.obj`; it stands there or in a material file with it; \
                        export them anew without paths, or look whether anybody may read it.";
        let parts = "> Look into these parts before you upload: `tex/a.exr`, `b.psd` of `m.obj`; stockmill cannot take out \
                     what they say.";
        for (folder, of_asset, expected) in [
            (None, &[][..], (None, &[][..])),
            (Some("/home/jane"), &[], (Some(personal), &[])),
            (None, &["tex/a.exr", "b.psd"], (None, &[parts])),
        ] {
            let assets = [BundleAsset::bare("a.jpg", Meta::default()), asset(folder, of_asset)];
            assert_eq!(
                (of_personal(&assets).as_deref(), of_not_cleaned(&assets)),
                (expected.0, expected.1.to_vec().iter().map(|line: &&str| (*line).to_owned()).collect())
            );
        }
    }

    /// Nothing told that a person changed a part, after it was uploaded.
    #[test]
    fn parts_that_a_person_changed_are_named_and_make_another_version() {
        let path = |text: &str| RelPath::new(text).unwrap();
        let asset = |changed: &[(&str, &str)]| {
            let hash = |bytes: &str| ContentHash::of(bytes.as_bytes());
            let by_hand = changed.iter().map(|(name, bytes)| (path(name), hash(bytes))).collect();
            let (folder, names) = (path("parts/m.obj"), vec![path("a.png"), path("b.png")]);
            let parts = Parts { folder, names, is_kept: true, missing: Vec::new(), by_hand };
            BundleAsset { parts: Some(parts), ..BundleAsset::bare("m.obj", Meta::default()) }
        };
        let mut versions = std::collections::BTreeSet::from(["as it was left".to_owned()]);
        for (changed, told) in [
            (&[][..], None),
            (&[("a.png", "1")], Some("`m.obj`: `a.png` in `parts/m.obj/` of its bundle was changed by hand")),
            // Each version is one of its own.
            (&[("a.png", "2")], Some("`a.png`")),
            (&[("b.png", "2")], Some("`b.png`")),
            (
                &[("a.png", "1"), ("b.png", "2")],
                Some("`m.obj`: `a.png`, `b.png` in `parts/m.obj/` of its bundle were "),
            ),
        ] {
            let asset = [asset(changed)];
            let lines = of_changed_parts(&asset);
            assert_eq!(lines.len(), usize::from(told.is_some()), "{lines:?}");
            assert!(told.is_none_or(|told| lines[0].contains(told)), "{lines:?}");
            let version = asset[0].parts.as_ref().unwrap().version("as it was left".to_owned());
            assert_eq!(versions.insert(version), told.is_some(), "{changed:?}");
        }
    }

    /// A part that was deleted was one less in the line about those that are there.
    #[test]
    fn the_parts_that_are_missing_are_named_with_where_they_are_kept() {
        let path = |text: &str| RelPath::new(text).unwrap();
        let part =
            |n: usize| MissingPart { name: format!("{n}.png"), kept: Some(path(&format!("archive/t/m/{n}.png"))) };
        let (folder, by_hand) = (path("parts/m.obj"), BTreeMap::new());
        let parts = Parts { folder, names: Vec::new(), is_kept: true, missing: Vec::new(), by_hand };
        let asset = |missing: Vec<MissingPart>| BundleAsset {
            parts: Some(Parts { missing, ..parts.clone() }),
            ..BundleAsset::bare("m.obj", Meta::default())
        };
        let unkept = MissingPart { name: "m.mtl".to_owned(), kept: None };
        for (missing, told) in [
            (vec![], None),
            (
                vec![unkept],
                Some("it names `m.mtl`, which is not in `parts/m.obj/` of its bundle; put it back there first"),
            ),
            (
                (1..8).map(part).collect(),
                Some(
                    "`5.png` (kept as `archive/t/m/5.png`) and 2 more files, which are not in `parts/m.obj/` of its bundle; put them back",
                ),
            ),
        ] {
            let asset = [asset(missing)];
            let lines = of_missing_parts(&asset);
            assert_eq!((lines.len(), of_parts(&asset, false).len()), (usize::from(told.is_some()), 0), "{lines:?}");
            assert!(told.is_none_or(|told| lines[0].contains(told)), "{lines:?}");
        }
    }

    #[test]
    fn clips_with_sound_and_without_tags_are_named_once() {
        let asset = |(n, sound): (usize, Option<bool>)| BundleAsset {
            video: Some(Video { sound, ..Video::default() }),
            is_tagged: n % 2 == 0,
            ..BundleAsset::bare(&format!("{n}.mp4"), Meta::default())
        };
        let adobe = built_in().unwrap().into_iter().find(|market| market.name == "adobe-stock").unwrap();
        let told = |sounds: &[Option<bool>]| {
            let assets: Vec<BundleAsset> = sounds.iter().copied().enumerate().map(asset).collect();
            of_sound(&adobe, &assets)
        };
        assert_eq!(told(&[Some(false), None]), None);
        let line = told(&[Some(true), Some(false), Some(true)]).unwrap();
        assert!(line.starts_with("> With sound: `0.mp4`, `2.mp4`; it takes no music, and a voice"), "{line}");
        assert!(line.ends_with(" needs a release; listen before you upload."), "{line}");
        let line = told(&[Some(true); 23]).unwrap();
        let assets: Vec<BundleAsset> = [None; 4].into_iter().enumerate().map(asset).collect();
        let tagless = of_tagless(&assets).unwrap();
        assert_eq!(tagless, "> Without tags inside: `1.mp4`, `3.mp4`; the market knows them by the CSV alone.");
        assert_eq!(of_tagless(&assets[..1]), None);
        let document = BundleAsset { is_document: true, video: None, ..assets[1].clone() };
        assert_eq!(of_tagless(&[document]).unwrap().matches("1.mp4").count(), 1);
        assert_eq!((of_names(&adobe, &assets), of_retouched(&assets)), (None, None));
        let mut strict = adobe.clone();
        strict.file_name.charset = Charset::Alphanumeric;
        assert_eq!(of_names(&strict, &[]), None);
        assert!(
            of_names(&strict, &assets)
                .unwrap()
                .ends_with("alone here: other signs are left out, since the market takes none.")
        );
        let changed = [BundleAsset { is_retouched: true, ..assets[1].clone() }];
        assert!(
            of_retouched(&changed).unwrap().starts_with("> Changed by hand since they were bundled: `1.mp4`; look ")
        );
        assert_eq!(of_unmeasured(&assets), None);
        let mut unseen = assets.clone();
        unseen[1].against = Some(Ok(Vec::new()));
        unseen[2..].iter_mut().for_each(|asset| asset.against = Some(Err("the disk refused".to_owned())));
        let line_of = of_unmeasured(&unseen).unwrap();
        assert!(line_of.contains("takes them: `2.mp4`, `3.mp4` (the disk refused); look at them"), "{line_of}");
        assert!(line.contains("`19.mp4` and 3 more files; ") && !line.contains("`20.mp4`"), "{line}");
    }
}
