//! A note that comes back under its name: which of its ideas are earlier ones under another title, and what
//! becomes of the themes that the earlier version gave.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::merge;
use super::theme_files::ThemeFiles;
use crate::model::{ContentHash, RelPath, Stage, ThemeSlug};
use crate::records::{Idea, Remove, ThemeFile, merge_prompts, prompts_text, read_mapping, read_shared, write_mapping};

/// Titles at the same position that are at least this similar are of one idea.
const LIKENESS_MIN: f64 = 0.7;
/// The shortest title that is compared as the beginning of another: a shorter one begins too many.
const BEGINNING_BYTES_MIN: usize = 2;

/// The version of a note before this one, and what it gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Earlier {
    /// Where it lies in the archive.
    pub at: Option<RelPath>,
    /// Its ideas.
    pub ideas: Vec<Idea>,
    /// The files that this note made alone, as it left them.
    pub wrote: BTreeMap<RelPath, ContentHash>,
    /// The records of the themes whose ideas changed or are gone.
    pub files: BTreeMap<ThemeSlug, ThemeFiles>,
}

/// What becomes of one theme of the earlier version, or of one idea of the later one.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome<'a> {
    /// The idea is read like one of any note.
    Read(&'a Idea),
    /// The idea is the same, and so is its theme.
    Same(&'a Idea),
    /// Nobody changed the theme: it is rewritten.
    Changed(&'a Idea),
    /// Nobody changed the theme: it is removed, and the idea gets one of its new name.
    Renamed(&'a Idea, &'a Idea, Vec<Remove>),
    /// Nobody changed the theme, and its idea is gone: it is removed.
    TakenBack(&'a Idea, Vec<Remove>),
    /// Somebody worked on the theme: what changed in the note is merged into it.
    Merged(&'a Idea, &'a Idea, String),
    /// Somebody worked on the theme, and its idea is gone: it stays, and why.
    Stays(&'a Idea, String),
}

/// Returns for each earlier idea which later one it became; `None` if fewer than half became any: then it is
/// another note.
pub fn revised(earlier: &[Idea], later: &[Idea]) -> Option<Vec<Option<usize>>> {
    let pairs = pair(earlier, later);
    let matched = pairs.iter().flatten().count();
    (matched > 0 && matched * 2 >= earlier.len()).then_some(pairs)
}

/// Returns whether the disk has to be looked at to know what becomes of an earlier idea's theme.
pub fn is_in_question(earlier: &Idea, later: Option<&Idea>) -> bool {
    later.is_none_or(|later| !is_same(earlier, later))
}

/// Decides what becomes of the themes of the earlier version; `None` if this is another note.
pub(super) fn outcomes<'a>(earlier: &'a Earlier, later: &'a [Idea]) -> Option<Vec<Outcome<'a>>> {
    let pairs = revised(&earlier.ideas, later)?;
    let partner: HashMap<usize, usize> = (0..).zip(&pairs).filter_map(|(n, to)| Some(((*to)?, n))).collect();
    let nothing = ThemeFiles::default();
    let mut outcomes = Vec::new();
    for (n, idea) in later.iter().enumerate() {
        let Some(before) = partner.get(&n).map(|n| &earlier.ideas[*n]) else {
            outcomes.push(Outcome::Read(idea));
            continue;
        };
        let files = earlier.files.get(&before.slug);
        outcomes.push(match files {
            // A person who removed the theme and drops the note again wants it back.
            Some(files) if !files.has_folder() => Outcome::Read(idea),
            _ if !is_in_question(before, Some(idea)) => Outcome::Same(idea),
            files => match taken_away(before, &earlier.wrote, files.unwrap_or(&nothing)) {
                Ok(_) if before.slug == idea.slug => Outcome::Changed(idea),
                Ok(removes) => Outcome::Renamed(before, idea, removes),
                Err(why) => Outcome::Merged(before, idea, why),
            },
        });
    }
    for (before, _) in earlier.ideas.iter().zip(&pairs).filter(|(_, to)| to.is_none()) {
        let files = earlier.files.get(&before.slug).unwrap_or(&nothing);
        if !files.has_folder() {
            continue;
        }
        outcomes.push(match taken_away(before, &earlier.wrote, files) {
            Ok(removes) => Outcome::TakenBack(before, removes),
            Err(why) => Outcome::Stays(before, why),
        });
    }
    Some(outcomes)
}

/// Returns the removals of a theme that nobody but this note wrote, or why it must stay.
fn taken_away(idea: &Idea, wrote: &BTreeMap<RelPath, ContentHash>, files: &ThemeFiles) -> Result<Vec<Remove>, String> {
    let folder = Stage::Raw.folder().join(idea.slug.as_str());
    let tags = wrote.get(&folder.join("tags.yaml")).ok_or("it is not this note's alone")?;
    files.taken_away(tags, wrote.get(&folder.join("prompts.txt")))
}

/// Returns whether two versions say the same of an idea, whatever its line.
fn is_same(one: &Idea, other: &Idea) -> bool {
    *one == Idea { line: one.line, ..other.clone() }
}

/// Where an idea stands in its note. Ideas that agree in one of these stand at the same position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Position<'a> {
    /// This many ideas behind one that both versions have.
    Behind(Option<&'a ThemeSlug>, usize),
    /// The idea of this number.
    Number(usize),
    /// On this line.
    Line(usize),
}

/// Returns for each earlier idea the later one that it became: the one of its name; else one at its position
/// that is like it; else the one with its prompts.
fn pair(earlier: &[Idea], later: &[Idea]) -> Vec<Option<usize>> {
    let numbered = |ideas: &'_ [Idea]| ideas.iter().enumerate().map(|(n, idea)| (idea.slug.clone(), n)).collect();
    let (of_earlier, of_later): (HashMap<ThemeSlug, usize>, HashMap<ThemeSlug, usize>) =
        (numbered(earlier), numbered(later));
    let mut pairs: Vec<Option<usize>> = earlier.iter().map(|idea| of_later.get(&idea.slug).copied()).collect();
    let mut is_taken = vec![false; later.len()];
    pairs.iter().flatten().for_each(|n| is_taken[*n] = true);
    let later_positions = positions(later, &of_earlier);
    let by_position: HashMap<Position<'_>, usize> =
        (0..).zip(&later_positions).flat_map(|(n, positions)| positions.map(|position| (position, n))).collect();
    let by_prompts: HashMap<&[String], usize> = (0..).zip(later).map(|(n, idea)| (&*idea.prompts, n)).collect();
    for (n, positions) in
        positions(earlier, &of_later).into_iter().enumerate().filter(|(n, _)| !of_later.contains_key(&earlier[*n].slug))
    {
        let idea = &earlier[n];
        let mut here = positions.iter().filter_map(|position| by_position.get(position)).copied();
        let here = here.find(|other| !is_taken[*other] && is_like(idea, &later[*other]));
        let same_prompts = by_prompts.get(&*idea.prompts).copied().filter(|_| !idea.prompts.is_empty());
        if let Some(found) = here.or(same_prompts.filter(|other| !is_taken[*other])) {
            is_taken[found] = true;
            pairs[n] = Some(found);
        }
    }
    pairs
}

/// Returns where each idea stands; `both` are the themes that the other version has.
fn positions<'a>(ideas: &'a [Idea], both: &HashMap<ThemeSlug, usize>) -> Vec<[Position<'a>; 3]> {
    let (mut anchor, mut behind) = (None, 0);
    let of = |(n, idea): (usize, &'a Idea)| {
        (anchor, behind) = if both.contains_key(&idea.slug) { (Some(&idea.slug), 0) } else { (anchor, behind + 1) };
        [Position::Behind(anchor, behind), Position::Number(n), Position::Line(idea.line)]
    };
    ideas.iter().enumerate().map(of).collect()
}

/// Returns whether two ideas at the same position are one: a title is the beginning of the other, or nearly it, or
/// all else is the same.
fn is_like(one: &Idea, other: &Idea) -> bool {
    let (a, b) = (one.slug.as_str(), other.slug.as_str());
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    let is_beginning = short.len() >= BEGINNING_BYTES_MIN && long.starts_with(short);
    let is_same_else = one.prompts == other.prompts && one.keywords == other.keywords;
    let has_else = !one.prompts.is_empty() || one.keywords.len() > 1;
    is_beginning || (has_else && is_same_else) || strsim::normalized_levenshtein(a, b) >= LIKENESS_MIN
}

/// Merges what changed in a note into the tags of a theme that somebody worked on; what both changed stays as it
/// is there. `None` if that changes nothing.
pub(super) fn merged_tags(before: &Idea, after: &Idea, bytes: &[u8], theirs: &ThemeFile) -> Option<ThemeFile> {
    let (base, mine) = (ThemeFile::from_idea(before), ThemeFile::from_idea(after));
    if *theirs == base {
        return (mine != base).then_some(mine);
    }
    let read = |file: &ThemeFile| read_mapping(file.to_text().as_bytes()).ok();
    let sides = [("note".to_owned(), read(&mine)?), ("tags.yaml".to_owned(), read_shared(bytes).ok()?)];
    let merged = merge::merge(Some(&read(&base)?), &sides).value;
    ThemeFile::parse(write_mapping(&merged).as_bytes()).ok().filter(|merged| merged != theirs)
}

/// Merges what changed in a note's prompts into a list that somebody worked on.
pub(super) fn merged_prompts(before: &[String], after: &[String], theirs: &str) -> String {
    let (before, after) = (prompts_text(before), prompts_text(after));
    let (before, after): (HashSet<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let wanted: HashSet<&str> = after.iter().copied().collect();
    let is_gone = |line: &str| before.contains(line) && !wanted.contains(line);
    let kept: String = theirs.split_inclusive('\n').filter(|line| !is_gone(line.trim())).collect();
    let new = after.into_iter().filter(|line| !before.contains(line)).map(str::to_owned);
    merge_prompts(&kept, &new.collect::<Vec<_>>())
}

/// Says what became of the earlier version's themes.
pub(super) fn told(earlier: &Earlier, outcomes: &[Outcome<'_>]) -> String {
    let mut parts: Vec<String> = Vec::new();
    for outcome in outcomes {
        parts.push(match outcome {
            Outcome::Read(_) | Outcome::Same(_) => continue,
            Outcome::Changed(idea) => format!("`{}` changed", idea.slug),
            Outcome::Renamed(before, idea, _) => format!("`{}` renamed to `{}`", before.slug, idea.slug),
            Outcome::TakenBack(before, _) => format!("`{}` taken back", before.slug),
            Outcome::Merged(before, _, why) => format!("`{}` merged, since {why}", before.slug),
            Outcome::Stays(before, why) => format!("`{}` stays although its idea is gone, since {why}", before.slug),
        });
    }
    let left_out = parts.len().saturating_sub(TOLD_MAX);
    parts.truncate(TOLD_MAX);
    if left_out > 0 {
        parts.push(format!("and {left_out} more"));
    }
    let what = if parts.is_empty() { "nothing changed".to_owned() } else { parts.join(", ") };
    earlier.at.as_ref().map_or_else(String::new, |at| format!("; a revision of `{at}`: {what}"))
}

/// The most themes that one log line names.
const TOLD_MAX: usize = 50;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Identity;
    use crate::plan::OnDisk;
    use crate::records::parse_note;

    fn ideas(text: &str) -> Vec<Idea> {
        parse_note("n.md", text.as_bytes()).ideas
    }

    fn on_disk(path: RelPath, text: &str) -> OnDisk {
        let seen = Identity { device: 1, inode: 1, size: 1, modified_ns: 0 };
        OnDisk { path, seen, hash: ContentHash::of(text.as_bytes()) }
    }

    /// Returns an earlier version whose themes lie there as it left them, but for those that are named with
    /// what happened to them.
    fn earlier(text: &str, happened: &[(&str, &str)]) -> Earlier {
        let mut earlier = Earlier { ideas: ideas(text), ..Earlier::default() };
        for idea in &earlier.ideas {
            let what = happened.iter().find(|(theme, _)| *theme == idea.slug.as_str()).map_or("", |(_, what)| *what);
            let tags = Stage::Raw.folder().join(idea.slug.as_str()).join("tags.yaml");
            if what != "not ours" {
                earlier.wrote.insert(tags.clone(), ContentHash::of(b"tags"));
            }
            let mut files = ThemeFiles { tags: vec![on_disk(tags, "tags")], ..ThemeFiles::default() };
            match what {
                "changed" => files.tags[0].hash = ContentHash::of(b"mine"),
                "used" => files.in_use = Some("it has assets".to_owned()),
                "removed" => files.tags.clear(),
                _ => (),
            }
            earlier.files.insert(idea.slug.clone(), files);
        }
        earlier
    }

    fn shown(outcome: &Outcome<'_>) -> String {
        match outcome {
            Outcome::Read(idea) => format!("read {}", idea.slug),
            Outcome::Same(idea) => format!("same {}", idea.slug),
            Outcome::Changed(idea) => format!("changed {}", idea.slug),
            Outcome::Renamed(before, idea, removes) => {
                format!("renamed {} {} -{}", before.slug, idea.slug, removes.len())
            }
            Outcome::TakenBack(before, removes) => format!("back {} -{}", before.slug, removes.len()),
            Outcome::Merged(before, idea, _) => format!("merged {} {}", before.slug, idea.slug),
            Outcome::Stays(before, _) => format!("stays {}", before.slug),
        }
    }

    /// Every save of a note while it was typed left themes of its own.
    #[test]
    fn a_later_version_changes_what_the_earlier_one_gave() {
        type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)], &'static str);
        let cases: [Case; 16] = [
            (
                "- Winter cab\n- Summe\n",
                "- Winter cabins — snow\n- Summer lakes\n- Autumn\n",
                &[],
                "renamed winter-cab winter-cabins -1, renamed summe summer-lakes -1, read autumn",
            ),
            ("- Sea\n- Hill\n", "- Sea\n- Hill\n", &[], "same sea, same hill"),
            ("- Sea\n- Hill\n", "- Sea — wave\n- Hill\n", &[], "changed sea, same hill"),
            ("- Sea\n- Hill\n", "- Sea\n", &[], "same sea, back hill -1"),
            // What lies between may have grown.
            (
                "- Sea\n- Hil\n- Fog\n",
                "- Rain\n- Snow\n- Sea\n- Hills at dawn\n- Fog\n",
                &[],
                "read rain, read snow, same sea, renamed hil hills-at-dawn -1, same fog",
            ),
            // Another idea at the same position is another idea.
            ("- Sea\n- Hill\n", "- Sea\n- Volcano\n", &[], "same sea, read volcano, back hill -1"),
            (
                "- Sea\n- Hill\n  - prompt: a hill at dawn\n",
                "- Morning\n  - prompt: a hill at dawn\n- Sea\n",
                &[],
                "renamed hill morning -1, same sea",
            ),
            // Fewer than half: another note, which takes nothing back.
            ("- Sea\n- Hill\n- Fog\n", "- Sea\n- Rain\n- Snow\n", &[], "another"),
            ("- Sea\n- Hill\n", "- Rain\n- Snow\n", &[], "another"),
            // Somebody worked on it.
            ("- Sea\n- Hill\n", "- Sea\n", &[("hill", "used")], "same sea, stays hill"),
            ("- Sea\n- Hill\n", "- Sea\n", &[("hill", "changed")], "same sea, stays hill"),
            ("- Sea\n- Hill\n", "- Sea\n", &[("hill", "not ours")], "same sea, stays hill"),
            (
                "- Sea\n- Hill\n",
                "- Sea — wave\n- Hills\n",
                &[("sea", "changed"), ("hill", "used")],
                "merged sea sea, merged hill hills",
            ),
            (
                "- Sea\n- Hill\n",
                "- Sea — wave\n- Hill\n",
                &[("sea", "used"), ("hill", "used")],
                "merged sea sea, same hill",
            ),
            // A person removed it: it comes back only if the note still wants it.
            ("- Sea\n- Hill\n", "- Sea\n", &[("hill", "removed")], "same sea"),
            ("- Sea\n- Hill\n", "- Sea\n- Hills\n", &[("sea", "removed"), ("hill", "removed")], "read sea, read hills"),
        ];
        for (before, after, happened, expected) in cases {
            let (earlier, later) = (earlier(before, happened), ideas(after));
            let outcomes = outcomes(&earlier, &later);
            let found = outcomes
                .map_or("another".to_owned(), |outcomes| outcomes.iter().map(shown).collect::<Vec<_>>().join(", "));
            assert_eq!(found, expected, "{before:?} -> {after:?}");
        }
    }

    #[test]
    fn what_a_person_made_of_a_theme_is_kept() {
        // The tags as a person left them; what the note's next version makes of them.
        let before = &ideas("- Winter cab — snow, fog\n")[0];
        let after = &ideas("- Winter cabins — snow, moon\n")[0];
        let cases = [
            (ThemeFile::from_idea(before).to_text(), "Winter cabins: snow moon"),
            ("title: Mine\nkeywords: [snow, fog, mine]\n".to_owned(), "Mine: snow mine moon"),
            ("title: Winter cab\nkeywords: [fog]\ncreator: Me\n".to_owned(), "Winter cabins: moon"),
        ];
        for (theirs, expected) in cases {
            let file = ThemeFile::parse(theirs.as_bytes()).unwrap();
            let merged = merged_tags(before, after, theirs.as_bytes(), &file).unwrap();
            assert_eq!(merged.creator, file.creator);
            let found = format!("{}: {}", merged.title.unwrap_or_default(), merged.keywords.join(" "));
            assert_eq!(found, expected, "{theirs}");
        }
        let text = ThemeFile::from_idea(before).to_text();
        let file = ThemeFile::parse(text.as_bytes()).unwrap();
        assert_eq!(merged_tags(before, before, text.as_bytes(), &file), None);
        let lists = [
            ("a\nb\n", "a\nc\n", "# mine\na\nb\nown\n", "# mine\na\nown\nc\n"),
            ("a\nb\n", "a\nb\nc\n", "b", "b\nc\n"),
        ];
        for (before, after, theirs, expected) in lists {
            let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(merged_prompts(&lines(before), &lines(after), theirs), expected);
        }
    }

    proptest! {
        #[test]
        fn no_idea_is_lost_and_nothing_that_is_in_use_is_taken(
            before in proptest::collection::vec("[a-c]{1,2}( [a-c])?", 1..8),
            after in proptest::collection::vec("[a-c]{1,2}( [a-c])?", 1..8),
            used in proptest::collection::vec(any::<bool>(), 8),
        ) {
            let note = |titles: &[String]| format!("- {}\n", titles.join("\n- "));
            let (before, later) = (note(&before), ideas(&note(&after)));
            let names: Vec<String> = ideas(&before).iter().map(|idea| idea.slug.to_string()).collect();
            let happened: Vec<(&str, &str)> =
                names.iter().zip(&used).filter(|(_, used)| **used).map(|(name, _)| (name.as_str(), "used")).collect();
            let earlier = earlier(&before, &happened);
            let Some(outcomes) = outcomes(&earlier, &later) else { return Ok(()) };
            let (mut read, mut taken) = (Vec::new(), Vec::new());
            for outcome in &outcomes {
                match outcome {
                    Outcome::Read(idea) | Outcome::Same(idea) | Outcome::Changed(idea) | Outcome::Merged(_, idea, _) => read.push(&idea.slug),
                    Outcome::Renamed(before, idea, _) => {
                        read.push(&idea.slug);
                        taken.push(&before.slug);
                    }
                    Outcome::TakenBack(before, _) => taken.push(&before.slug),
                    Outcome::Stays(..) => (),
                }
            }
            prop_assert_eq!(read, later.iter().map(|idea| &idea.slug).collect::<Vec<_>>());
            prop_assert!(taken.iter().all(|slug| happened.iter().all(|(name, _)| *name != slug.as_str())));
        }
    }
}
