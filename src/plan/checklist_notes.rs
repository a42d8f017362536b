//! The lines of a checklist that say what is not as a person may expect it: they are written anew each time.

use super::checklist_files::{
    CHANGED_PARTS, DOUBTFUL, MISSING_PARTS, NOT_CLEANED, PARTS, PERSONAL, RETOUCHED, SIGNLESS, SOUND, TAGLESS,
    UNMEASURED, UNWISE,
};
use super::checklist_iptc::SHORT;
use super::delivered;
use super::unwanted::{LIES, MISNAMED, REFUSED_AS_IT_IS, REFUSED_BY_TAGS, WENT};
use crate::model::escape_bytes;

/// How a line begins and ends that says what a market does not get of a file's tags.
pub(super) const CUT: &str = "> The market gets less than the tags say of ";
pub(super) const CUT_END: &str = "; change its tags to say it otherwise.";

/// How a line begins and ends that says what is too much alike.
pub(super) const ALIKE: &str = "> Before you upload: ";
pub(super) const ALIKE_END: &str =
    " (in this bundle; others are not counted); give files titles and keywords of their own.";

/// What is said where files are named by the first and the last of them.
pub(super) const SORTED: &str = "> Names are sorted: ";
pub(super) const SORTED_END: &str = "`a-1` to `a-3` are all from the first to the last of them.";

/// How a line begins and ends that names what is ticked, and of which the files came or went while nobody remembered them.
const FORGOTTEN: (&str, &str) = (
    "> Ticked, and nobody knows any more for which files, since `sidecars/checklist.json` was lost: ",
    "; look in the portal what is there before you do what is asked for again.",
);

/// How lines of older versions began and ended: they go from the lists that have them.
const FORMER: [(&str, &str); 6] = [
    (ALIKE, "; give files titles and keywords of their own."),
    ("> Uploaded, and not to be sold here any more: ", "; delete them in the portal."),
    ("> Uploaded, and without a row by now: ", "; look in the portal whether the market took them."),
    ("> With people, as their tags say: ", "; look at them before you upload."),
    ("> Do not upload this one, the market would refuse it: ", "; with other tags it gets its row back."),
    (
        "> Do not upload this one, the market would refuse it: ",
        "; it gets its row back once the market's rules take it.",
    ),
];
/// What is said of a bundle in which no file has a row.
pub(super) const EMPTY: (&str, &str) =
    ("> Nothing is left to upload from here: ", "no file has a row; what joins later gets its steps.");

/// Returns the line about steps that are ticked, and of which nobody knows the files any more.
pub(super) fn of_forgotten(steps: &[String]) -> Option<String> {
    let steps = escape_bytes(steps.join(" ").as_bytes());
    (!steps.is_empty()).then(|| format!("{}{steps}{}", FORGOTTEN.0, FORGOTTEN.1))
}

/// Returns what stands behind a line of our own that says what a market does not get or wants; `None` for any other line.
pub(super) fn behind_ours(line: &[u8]) -> Option<&[u8]> {
    notes_of_ours().find_map(|(start, end)| {
        let rest = line.strip_prefix(start.as_bytes())?;
        // Our own words about more files begin with a number.
        let is_ours = ![ALIKE, UNWISE.0].contains(&start) || rest.first().is_some_and(u8::is_ascii_digit);
        let at = rest.windows(end.len()).rposition(|part| is_ours && part == end.as_bytes())?;
        Some(&rest[at + end.len()..])
    })
}

/// Returns whether a line begins as one of these does.
pub(super) fn is_begun_by_us(line: &str) -> bool {
    notes_of_ours().any(|(start, _)| line.starts_with(start))
}

/// Returns how these begin and end, also those of older versions.
fn notes_of_ours() -> impl Iterator<Item = (&'static str, &'static str)> {
    let ours = [
        (CUT, CUT_END),
        (ALIKE, ALIKE_END),
        UNWISE,
        WENT,
        LIES,
        MISNAMED,
        REFUSED_BY_TAGS,
        REFUSED_AS_IT_IS,
        (SORTED, SORTED_END),
        EMPTY,
        SOUND,
        TAGLESS,
        PARTS,
        PERSONAL,
        NOT_CLEANED,
        MISSING_PARTS,
        CHANGED_PARTS,
        RETOUCHED,
        UNMEASURED,
        DOUBTFUL,
        FORGOTTEN,
        SIGNLESS,
        SHORT,
        delivered::IN_DOUBT,
        delivered::UNKNOWN,
        delivered::CHANGED,
        delivered::BY_ITSELF,
    ];
    ours.into_iter().chain(FORMER)
}
