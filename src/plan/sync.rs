use serde_yaml::Mapping;

use super::{Plan, folder_in, merge, new_version};
use crate::model::{ContentHash, RelPath, Stage, ThemeSlug};
use crate::records::{About, RecordError, ThemeFile, merged_text, read_mapping, read_shared};

/// The stages whose theme folders hold a `tags.yaml`.
const KEPT_IN: [Stage; 4] = [Stage::Raw, Stage::Keep, Stage::Export, Stage::Upload];

/// A theme's `tags.yaml` in one stage folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagFile {
    /// The stage.
    pub stage: Stage,
    /// Its bytes; `None` if the theme's folder is there and the file is not.
    pub bytes: Option<Vec<u8>>,
    /// When it was last changed, in nanoseconds since 1970.
    pub modified_ns: i64,
}

/// The last state that all of a theme's tag files had in common, as it is remembered.
#[derive(Debug, Clone, Copy)]
pub struct Base<'a> {
    /// Its bytes, where it is known.
    pub bytes: Option<&'a [u8]>,
    /// Whether a file came back whose writer had not finished: then every version counts.
    pub is_distrusted: bool,
}

/// Plans what brings a theme's tag files into step: a change in one stage reaches the others; changes
/// in several are merged against the last state that all had in common. A value that two
/// people changed differently is kept from the latest file, and the other version goes into the
/// archive. `None` if they are in step, or if one is of another version: nobody here knows what it has in common with
/// the others.
pub fn plan_sync(theme: &ThemeSlug, below: Option<&RelPath>, base: Base<'_>, files: &[TagFile]) -> Option<Plan> {
    let (known, base) = (base.bytes, base.bytes.filter(|_| !base.is_distrusted));
    let mut files: Vec<&TagFile> = files.iter().filter(|file| KEPT_IN.contains(&file.stage)).collect();
    files.sort_by_key(|file| file.modified_ns);
    let is_other_version = |bytes: &[u8]| matches!(read_mapping(bytes), Err(RecordError::Version { .. }));
    if files.iter().any(|file| file.bytes.as_deref().is_some_and(is_other_version)) {
        return None;
    }
    // Nobody can tell what an empty file is meant to say: like a broken one, it waits for its writer.
    // One with a wrong key is not carried on, either, or all stages would have it.
    let is_read = |bytes: &[u8]| read_mapping(bytes).is_ok() && ThemeFile::parse(bytes).is_ok();
    let is_sound = |bytes: &[u8]| !bytes.trim_ascii().is_empty() && is_read(bytes);
    let is_change = |bytes: &[u8]| Some(bytes) != base && is_sound(bytes);
    let changed: Vec<&TagFile> =
        files.iter().filter(|file| file.bytes.as_deref().is_some_and(is_change)).copied().collect();
    let (wanted, lost) = match changed.as_slice() {
        [] => (known?.to_vec(), Vec::new()),
        [first, rest @ ..] if rest.iter().all(|other| other.bytes == first.bytes) => (first.bytes.clone()?, Vec::new()),
        several => merged(base, several)?,
    };
    let path_in = |stage: Stage| folder_in(stage.name(), theme, below).join("tags.yaml");
    let is_edit = files.iter().any(|file| file.bytes.as_ref().is_some_and(|bytes| is_sound(bytes) && *bytes != wanted));
    let mut plan = Plan::new(about(theme, is_edit, lost.len()));
    for (stage, bytes) in lost {
        // The name is the content: a version that is kept already is not kept twice.
        let name = format!("tags.{stage}.{}.yaml", &ContentHash::of(&bytes).to_string()[..8]);
        plan.products.push(new_version(folder_in("archive", theme, below).join(name), bytes, None));
    }
    for file in &files {
        let may_replace = file.bytes.as_deref().is_none_or(is_sound);
        if may_replace && file.bytes.as_deref() != Some(&wanted) {
            let was = file.bytes.as_deref().map(ContentHash::of);
            plan.products.push(new_version(path_in(file.stage), wanted.clone(), was));
        }
    }
    if known != Some(&wanted) && files.iter().any(|file| file.bytes.is_some()) {
        plan.products.push(new_version(base_path(theme, below), wanted.clone(), known.map(ContentHash::of)));
    }
    (!plan.products.is_empty()).then_some(plan)
}

/// Plans the commented `tags.yaml` for a theme's folder that a person made, so that they see what can be written there.
/// `None` if the theme has tags, or had some, and for what is no theme of a person: pictures without a theme, and a
/// number, which may be the year of a generator's folders.
pub fn plan_first_tags(theme: &ThemeSlug, base: Option<&[u8]>, files: &[TagFile]) -> Option<Plan> {
    let is_persons = *theme != ThemeSlug::unsorted() && theme.as_str().contains(char::is_alphabetic);
    let has_none = base.is_none() && files.iter().all(|file| file.bytes.is_none());
    if files.is_empty() || !has_none || !is_persons {
        return None;
    }
    let text = ThemeFile::default().to_text().into_bytes();
    let did = "commented `tags.yaml` written for a new theme";
    let mut plan = Plan::new(About { theme: Some(theme.clone()), ..About::new(Stage::Raw, did) });
    let stages = files.iter().filter(|file| KEPT_IN.contains(&file.stage));
    let paths = stages.map(|file| folder_in(file.stage.name(), theme, None).join("tags.yaml"));
    for path in paths.chain([base_path(theme, None)]) {
        plan.products.push(new_version(path, text.clone(), None));
    }
    Some(plan)
}

/// Returns the folder of what is remembered of all themes' tags.
pub(super) fn bases() -> RelPath {
    RelPath::new(".stockmill/tags").expect("a constant is a clean path")
}

/// Returns where the last common state of a theme's tags is remembered.
pub fn base_path(theme: &ThemeSlug, below: Option<&RelPath>) -> RelPath {
    folder_in(".stockmill/tags", theme, below).join("tags.yaml")
}

type Lost = Vec<(Stage, Vec<u8>)>;

/// Merges several changed files; every version that the merge rewrote is returned to be kept. A file
/// that is no YAML mapping is left out of it: `None` if that leaves nothing to merge.
fn merged(base: Option<&[u8]>, changed: &[&TagFile]) -> Option<(Vec<u8>, Lost)> {
    let base_bytes = base;
    let base = base.and_then(|bytes| read_shared(bytes).ok());
    let sides: Vec<(String, Mapping)> = changed
        .iter()
        .filter_map(|file| Some((file.stage.to_string(), read_shared(file.bytes.as_deref()?).ok()?)))
        .collect();
    if sides.len() < changed.len() {
        return None;
    }
    let result = merge::merge(base.as_ref(), &sides);
    let texts: Vec<String> = changed.iter().filter_map(|file| Some(text_of(file.bytes.as_deref()?))).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let text = merged_text(base_bytes.map(text_of).as_deref(), &texts, &result.value).into_bytes();
    let lost = changed.iter().filter_map(|file| Some((file.stage, file.bytes.clone()?))).collect();
    Some((text, lost))
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What is told of shared tags that only came to a further stage: the stages had the same tags, or none.
pub const TAGS_COPIED: &str = "shared tags copied to every stage of the theme";

/// `is_edit` says whether other tags were replaced, and `lost` how many versions of them are kept in the archive.
fn about(theme: &ThemeSlug, is_edit: bool, lost: usize) -> About {
    let did = match (is_edit, lost) {
        (false, 0) => TAGS_COPIED.to_owned(),
        (true, 0) => "a change of shared tags copied to every stage of the theme".to_owned(),
        _ => format!("shared tags merged; the {lost} versions that were changed apart are in the archive"),
    };
    About { theme: Some(theme.clone()), ..About::new(Stage::Raw, did) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Recipe;

    /// Returns what a sync writes, as `path: text`, oldest file first.
    fn synced(base: Option<&str>, files: &[(Stage, Option<&str>)]) -> Vec<String> {
        synced_from(Base { bytes: base.map(str::as_bytes), is_distrusted: false }, files)
    }

    fn synced_from(base: Base<'_>, files: &[(Stage, Option<&str>)]) -> Vec<String> {
        let files: Vec<TagFile> = (0_i64..)
            .zip(files)
            .map(|(modified_ns, (stage, text))| TagFile {
                stage: *stage,
                bytes: text.map(|text| text.as_bytes().to_vec()),
                modified_ns,
            })
            .collect();
        let plan = plan_sync(&ThemeSlug::new("t").unwrap(), None, base, &files);
        let shown = |product: &crate::plan::Product| match &product.recipe {
            Recipe::Bytes(bytes) => format!("{}: {}", product.to, String::from_utf8_lossy(bytes).trim()),
            other => panic!("{other:?}"),
        };
        plan.iter().flat_map(|plan| &plan.products).map(shown).collect()
    }

    #[test]
    fn tag_files_are_brought_into_step() {
        use Stage::{Export, Keep, Raw};
        let nothing: [&str; 0] = [];
        assert_eq!(synced(Some("priority: 1"), &[(Raw, Some("priority: 1")), (Keep, Some("priority: 1"))]), nothing);
        assert_eq!(
            synced(None, &[(Raw, Some("priority: 1")), (Keep, None)]),
            ["keep/t/tags.yaml: priority: 1", ".stockmill/tags/t/tags.yaml: priority: 1"]
        );
        assert_eq!(
            synced(Some("priority: 1"), &[(Raw, Some("priority: 1")), (Keep, Some("priority: 2"))]),
            ["raw/t/tags.yaml: priority: 2", ".stockmill/tags/t/tags.yaml: priority: 2"]
        );
        // Two changed it: merged, and both versions are kept before anything is replaced.
        let merged = synced(
            Some("priority: 1"),
            &[(Raw, Some("priority: 1\nvariations: 2")), (Keep, Some("priority: 3")), (Export, Some("priority: 1"))],
        );
        assert!(
            merged[0].starts_with("archive/t/tags.raw.") && merged[1].starts_with("archive/t/tags.keep."),
            "{merged:?}"
        );
        assert_eq!(merged[4], "export/t/tags.yaml: priority: 3\nvariations: 2");
    }

    /// An empty file was taken for a torn one and replaced, while its editor was about to write it.
    #[test]
    fn an_empty_or_broken_file_is_neither_spread_nor_replaced() {
        use Stage::{Keep, Raw};
        for text in ["", "\n", "priority: [1"] {
            let nothing: [&str; 0] = [];
            assert_eq!(
                synced(Some("priority: 1"), &[(Raw, Some(text)), (Keep, Some("priority: 1"))]),
                nothing,
                "{text:?}"
            );
            assert_eq!(
                synced(Some("priority: 1"), &[(Raw, Some(text)), (Keep, None)]),
                ["keep/t/tags.yaml: priority: 1"],
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_theme_that_a_person_made_gets_the_commented_file_once() {
        use Stage::{Keep, Raw};
        let file =
            |stage, text: Option<&str>| TagFile { stage, bytes: text.map(|t| t.as_bytes().to_vec()), modified_ns: 0 };
        let both = [file(Raw, None), file(Keep, None)];
        let written = |theme: &str, base: Option<&str>, files: &[TagFile]| -> Vec<String> {
            let plan = plan_first_tags(&ThemeSlug::new(theme).unwrap(), base.map(str::as_bytes), files);
            plan.iter().flat_map(|plan| &plan.products).map(|product| product.to.to_string()).collect()
        };
        let all = ["raw/sea/tags.yaml", "keep/sea/tags.yaml", ".stockmill/tags/sea/tags.yaml"];
        assert_eq!(written("sea", None, &both), all);
        let nothing: [&str; 0] = [];
        assert_eq!(written("unsorted", None, &both), nothing);
        assert_eq!(written("2026", None, &both), nothing);
        // It had some, and a person removed them; it has some; it has no folder.
        assert_eq!(written("sea", Some("title: A"), &both), nothing);
        assert_eq!(written("sea", None, &[file(Raw, None), file(Keep, Some(""))]), nothing);
        assert_eq!(written("sea", None, &[]), nothing);
    }

    /// A comment was lost when two stages were merged, and a wrong key reached all stages before it was told.
    #[test]
    fn comments_stay_and_a_wrong_key_goes_nowhere() {
        use Stage::{Export, Keep, Raw};
        let (raw, keep) = ("# mine\ntitle: B\npriority: 1\n", "title: A # theirs\npriority: 2\n");
        let base = "title: A\npriority: 1\n";
        let merged = synced(Some(base), &[(Raw, Some(raw)), (Keep, Some(keep)), (Export, Some(base))]);
        assert_eq!(merged[4], "export/t/tags.yaml: # mine\ntitle: B # theirs\npriority: 2");
        let nothing: [&str; 0] = [];
        let wrong = "titel: A\n";
        assert_eq!(synced(Some(base), &[(Raw, Some(wrong)), (Keep, Some(base))]), nothing);
        assert_eq!(synced(None, &[(Raw, Some(wrong)), (Keep, None)]), nothing);
    }

    /// Tags of a newer version were merged with older ones, and replaced by what came of it.
    #[test]
    fn nothing_is_written_while_a_file_has_another_version() {
        use Stage::{Export, Keep, Raw};
        let (newer, nothing): (_, [&str; 0]) = ("version: 2\na: {b: 1}", []);
        let cases: [&[(Stage, Option<&str>)]; 4] = [
            &[(Raw, Some(newer)), (Keep, Some("priority: 1")), (Export, None)],
            &[(Raw, Some("priority: 2")), (Keep, Some(newer))],
            &[(Raw, Some(newer)), (Keep, None)],
            &[(Raw, Some("priority: 2")), (Keep, Some("priority: 3")), (Export, Some(newer))],
        ];
        for files in cases {
            for base in [None, Some("priority: 1"), Some(newer)] {
                assert_eq!(synced(base, files), nothing, "{files:?} from {base:?}");
            }
        }
    }

    #[test]
    fn what_somebody_wrote_on_and_what_had_taken_its_place_both_count() {
        use Stage::{Keep, Raw};
        let base = Base { bytes: Some(b"keywords: [a, b]"), is_distrusted: true };
        let merged = synced_from(base, &[(Keep, Some("keywords: [a, b]")), (Raw, Some("keywords: [a, c]"))]);
        assert!(merged[0].starts_with("archive/t/tags.keep.") && merged[1].starts_with("archive/t/tags.raw."));
        let text = "keywords: [a, c, b]";
        let all = ["keep/t/tags.yaml", "raw/t/tags.yaml", ".stockmill/tags/t/tags.yaml"];
        assert_eq!(merged[2..], all.map(|path| format!("{path}: {text}")));
    }
}
