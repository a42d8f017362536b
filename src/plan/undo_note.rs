//! Taking back a note: its themes go with it, as far as nobody changed them.

use std::collections::BTreeMap;

use super::ideas::{OLD_REPORT, REPORT};
use super::theme_files::{ThemeFiles, removed};
use super::undo_facts::{UndoFacts, source_back};
use super::{Plan, new_version};
use crate::model::{ContentHash, RelPath, ThemeSlug};
use crate::records::{Intent, Publish, PublishMode, Remove};

/// What one note did to one theme.
#[derive(Default)]
struct Did<'a> {
    wrote: Vec<&'a Publish>,
    took: Vec<&'a Remove>,
}

/// Plans to take back what a note did to its themes, and the list of what was not understood. Says why for each thing
/// that stays; refuses only if that cannot be told.
pub(super) fn plan_themes_back(plan: &mut Plan, intent: &Intent, facts: &UndoFacts<'_>) -> Result<(), String> {
    let mut themes: BTreeMap<ThemeSlug, Did<'_>> = BTreeMap::new();
    for product in intent.publish.iter().filter(|product| !is_copy_of_source(intent, product)) {
        match theme_of(&product.to).filter(|_| !is_of_note(intent, &product.to)) {
            Some(theme) => themes.entry(theme).or_default().wrote.push(product),
            // The list of what was not understood.
            None if (facts.hash)(&product.to).as_ref() == Some(&product.hash) => {
                plan.removes.extend((facts.seen)(&product.to).map(|seen| removed(product.to.clone(), seen)));
            }
            None => (),
        }
    }
    for gone in intent.removes.iter().filter(|gone| gone.copied_to.is_none()) {
        if let Some(theme) = theme_of(&gone.path) {
            themes.entry(theme).or_default().took.push(gone);
        }
    }
    let mut stays = Vec::new();
    for (theme, did) in &themes {
        if let Err(why) = take_back(plan, theme, did, facts)? {
            stays.push(format!("; theme `{theme}` stays as it is: {why}"));
        }
    }
    plan.about.did.extend(stays);
    Ok(())
}

/// Plans to take back what was done to one theme; the inner error says why it stays.
fn take_back(
    plan: &mut Plan,
    theme: &ThemeSlug,
    did: &Did<'_>,
    facts: &UndoFacts<'_>,
) -> Result<Result<(), String>, String> {
    if !did.took.is_empty() {
        return Ok(bring_back(plan, did, facts));
    }
    let hash_of = |name: &str, was: fn(&PublishMode) -> bool| {
        let file = did.wrote.iter().find(|product| product.to.file_name() == name && product.to.area() == "raw");
        file.filter(|product| was(&product.mode)).map(|product| &product.hash)
    };
    let is_new = |mode: &PublishMode| matches!(mode, PublishMode::New | PublishMode::Replace { was: None });
    let Some(tags) = hash_of("tags.yaml", is_new) else { return Ok(restore(plan, did, facts)) };
    let files: ThemeFiles = (facts.theme)(theme)?;
    if files.is_gone() {
        plan.removes.extend(files.base.map(|base| removed(base.path, base.seen)));
        return Ok(Ok(()));
    }
    Ok(files.taken_away(tags, hash_of("prompts.txt", is_new)).map(|removes| plan.removes.extend(removes)))
}

/// Plans to restore records that were there before the note.
fn restore(plan: &mut Plan, did: &Did<'_>, facts: &UndoFacts<'_>) -> Result<(), String> {
    let (mut products, mut removes) = (Vec::new(), Vec::new());
    for product in &did.wrote {
        let is_unchanged = (facts.hash)(&product.to).as_ref() == Some(&product.hash);
        match &product.mode {
            // The note only wrote again what was there.
            PublishMode::Replace { was: Some(was) } if *was == product.hash => (),
            _ if !is_unchanged => return Err(format!("`{}` was changed since", product.to)),
            PublishMode::Replace { was: Some(was) } => {
                let bytes = (facts.replaced)(&product.scratch).filter(|bytes| ContentHash::of(bytes) == *was);
                let gone = || format!("the version of `{}` from before is no longer kept", product.to);
                let bytes = bytes.ok_or_else(gone)?;
                products.push(new_version(product.to.clone(), bytes, Some(product.hash.clone())));
            }
            PublishMode::New | PublishMode::Replace { was: None } => {
                removes.extend((facts.seen)(&product.to).map(|seen| removed(product.to.clone(), seen)));
            }
        }
    }
    plan.products.extend(products);
    plan.removes.extend(removes);
    Ok(())
}

/// Plans to bring a theme back that the note had removed.
fn bring_back(plan: &mut Plan, did: &Did<'_>, facts: &UndoFacts<'_>) -> Result<(), String> {
    let mut moves = Vec::new();
    for gone in &did.took {
        if (facts.seen)(&gone.path).is_some() {
            return Err(format!("`{}` is there again", gone.path));
        }
        moves.push(source_back(gone, facts)?);
    }
    plan.moves.extend(moves.into_iter().flatten());
    Ok(())
}

/// Returns whether a product is the note itself, on its way to another disk.
fn is_copy_of_source(intent: &Intent, product: &Publish) -> bool {
    intent.removes.iter().any(|gone| gone.copied_to.as_ref() == Some(&product.to))
}

/// Returns whether a file lies with the note, and is no theme's.
fn is_of_note(intent: &Intent, path: &RelPath) -> bool {
    intent
        .about
        .to
        .as_ref()
        .is_some_and(|note| [REPORT, OLD_REPORT].iter().any(|suffix| *path == note.with_suffix(suffix)))
}

/// Returns the theme whose record lies there: in a stage, in the archive, in the memory of common states.
fn theme_of(path: &RelPath) -> Option<ThemeSlug> {
    let inner = path.below(&super::sync::bases()).map_or_else(|| path.below(&path.area_path()), Some)?;
    inner.parent().and_then(|folder| ThemeSlug::new(folder.area().to_str()?).ok())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::{Identity, Stage};
    use crate::plan::{OnDisk, plan_undo};
    use crate::records::{About, Move};

    fn path(text: &str) -> RelPath {
        RelPath::new(text).unwrap()
    }

    fn seen(text: &str) -> Identity {
        Identity { device: 1, inode: 1, size: text.len() as u64, modified_ns: 0 }
    }

    fn wrote(n: usize, to: &str, text: &str, was: Option<&str>) -> Publish {
        let hash = |text: &str| ContentHash::of(text.as_bytes());
        let mode = PublishMode::Replace { was: was.map(hash) };
        Publish { scratch: path(&format!("s/{n}")), to: path(to), hash: hash(text), mode }
    }

    /// A note that made `new`, added to `old`, said again what `same` has, and took `gone` away.
    fn intent() -> Intent {
        let gone = |name: &str| Remove {
            path: path(name),
            seen: seen("gone"),
            aside: Some(path(&format!("trash/{}", name.replace('/', "-")))),
            copied_to: None,
        };
        Intent {
            plan: 7,
            at: Timestamp::UNIX_EPOCH,
            claims: false,
            about: About {
                from: Some(path("ideas/n.md")),
                hash: Some(ContentHash::of(b"note")),
                to: Some(path("archive/ideas/n.md")),
                ..About::new(Stage::Ideas, "read")
            },
            publish: vec![
                wrote(0, "raw/new/tags.yaml", "new", None),
                wrote(1, "raw/new/prompts.txt", "prompts", None),
                Publish { mode: PublishMode::New, ..wrote(2, "archive/old/tags.yaml", "old", None) },
                wrote(3, "raw/old/tags.yaml", "old, more", Some("old")),
                wrote(4, "raw/same/tags.yaml", "same", Some("same")),
                Publish { mode: PublishMode::New, ..wrote(5, "archive/ideas/n.md.problems.txt", "what", None) },
            ],
            moves: vec![Move { from: path("ideas/n.md"), to: path("archive/ideas/n.md"), seen: seen("note") }],
            removes: vec![gone("raw/gone/tags.yaml"), gone(".stockmill/tags/gone/tags.yaml")],
        }
    }

    /// Returns the plan for a disk on which the note's files lie as it left them, but for these changes.
    fn undone(changes: &[(&str, Option<&str>)], in_use: Option<&str>) -> String {
        let mut disk: BTreeMap<RelPath, String> = [
            ("raw/new/tags.yaml", "new"),
            ("raw/new/prompts.txt", "prompts"),
            ("keep/new/tags.yaml", "new"),
            (".stockmill/tags/new/tags.yaml", "new"),
            ("archive/old/tags.yaml", "old"),
            ("raw/old/tags.yaml", "old, more"),
            ("raw/same/tags.yaml", "same"),
            ("archive/ideas/n.md", "note"),
            ("archive/ideas/n.md.problems.txt", "what"),
            ("trash/raw-gone-tags.yaml", "gone"),
            ("trash/.stockmill-tags-gone-tags.yaml", "gone"),
        ]
        .map(|(name, text)| (path(name), text.to_owned()))
        .into();
        for (name, text) in changes {
            match text {
                Some(text) => drop(disk.insert(path(name), (*text).to_owned())),
                None => drop(disk.remove(&path(name))),
            }
        }
        let on_disk = |name: &str| {
            let text = disk.get(&path(name))?;
            Some(OnDisk { path: path(name), seen: seen(text), hash: ContentHash::of(text.as_bytes()) })
        };
        let theme = |theme: &ThemeSlug| {
            let tags = ["raw", "keep"].iter().filter_map(|stage| on_disk(&format!("{stage}/{theme}/tags.yaml")));
            Ok(ThemeFiles {
                tags: tags.collect(),
                without_tags: Vec::new(),
                prompts: on_disk(&format!("raw/{theme}/prompts.txt")),
                base: on_disk(&format!(".stockmill/tags/{theme}/tags.yaml")),
                in_use: in_use.map(str::to_owned),
            })
        };
        let facts = UndoFacts {
            seen: &|path| disk.get(path).map(|text| seen(text)),
            hash: &|path| disk.get(path).map(|text| ContentHash::of(text.as_bytes())),
            replaced: &|scratch| (*scratch == path("s/3")).then(|| b"old".to_vec()),
            theme: &theme,
            done: &[],
        };
        plan_undo(&intent(), &facts).map_or_else(|why| why, |plan| plan.to_string())
    }

    /// `undo` of a note left its themes, or refused as soon as one file of it had changed.
    #[test]
    fn a_note_takes_its_themes_along_as_far_as_nobody_changed_them() {
        const PROBLEMS_GONE: &str = "  remove  archive/ideas/n.md.problems.txt\n";
        const OLD: &str = "  replace raw/old/tags.yaml\n";
        const OLD_COPY: &str = "  remove  archive/old/tags.yaml\n";
        const NOTE: &str = "  move    archive/ideas/n.md -> ideas/n.md\n";
        const GONE: &str = "  move    trash/raw-gone-tags.yaml -> raw/gone/tags.yaml\n  \
                            move    trash/.stockmill-tags-gone-tags.yaml -> .stockmill/tags/gone/tags.yaml\n";
        const NEW: &str = "  remove  raw/new/tags.yaml\n  remove  keep/new/tags.yaml\n  \
                           remove  raw/new/prompts.txt\n  remove  .stockmill/tags/new/tags.yaml\n";
        let stays = |theme: &str, why: &str| format!("; theme `{theme}` stays as it is: {why}");
        let changed = |file: &str| format!("`{file}` was changed since");
        let all = [OLD, GONE, NOTE, PROBLEMS_GONE, NEW, OLD_COPY].concat();
        let cases: [(&[(&str, Option<&str>)], Option<&str>, String, String); 8] = [
            (&[], None, String::new(), all.clone()),
            (
                &[("raw/new/prompts.txt", Some("mine"))],
                None,
                stays("new", "its `tags.yaml` or `prompts.txt` was changed, moved or removed since"),
                [OLD, GONE, NOTE, PROBLEMS_GONE, OLD_COPY].concat(),
            ),
            (
                &[("keep/new/tags.yaml", Some("mine"))],
                None,
                stays("new", &changed("keep/new/tags.yaml")),
                [OLD, GONE, NOTE, PROBLEMS_GONE, OLD_COPY].concat(),
            ),
            (
                &[],
                Some("`raw/new/x.png` lies in it"),
                stays("new", "`raw/new/x.png` lies in it"),
                [OLD, GONE, NOTE, PROBLEMS_GONE, OLD_COPY].concat(),
            ),
            // A person removed it: nothing of it may come back.
            (
                &[("raw/new/tags.yaml", None), ("raw/new/prompts.txt", None), ("keep/new/tags.yaml", None)],
                None,
                String::new(),
                [OLD, GONE, NOTE, PROBLEMS_GONE, "  remove  .stockmill/tags/new/tags.yaml\n", OLD_COPY].concat(),
            ),
            (
                &[("raw/old/tags.yaml", Some("mine"))],
                None,
                stays("old", &changed("raw/old/tags.yaml")),
                [GONE, NOTE, PROBLEMS_GONE, NEW].concat(),
            ),
            (
                &[("raw/gone/tags.yaml", Some("mine"))],
                None,
                stays("gone", "`raw/gone/tags.yaml` is there again"),
                [OLD, NOTE, PROBLEMS_GONE, NEW, OLD_COPY].concat(),
            ),
            (
                &[("archive/ideas/n.md.problems.txt", None)],
                None,
                String::new(),
                [OLD, GONE, NOTE, NEW, OLD_COPY].concat(),
            ),
        ];
        for (changes, in_use, told, expected) in cases {
            let expected = format!("archive/ideas/n.md: undone: read{told}\n{expected}");
            assert_eq!(undone(changes, in_use), expected, "{changes:?}");
        }
        let moved = undone(&[("archive/ideas/n.md", None)], None);
        assert!(moved.contains("`archive/ideas/n.md` changed or went on since"), "{moved}");
    }

    /// On another disk the note is copied to the archive, and the copy is no record of a theme.
    #[test]
    fn a_copy_of_the_note_is_known_by_what_it_was_copied_from() {
        let mut intent = intent();
        intent.removes.clear();
        let product = intent.publish[0].clone();
        assert!(!is_copy_of_source(&intent, &product));
        for (copied_to, is_copy) in
            [(None, false), (Some(path("archive/other.md")), false), (Some(product.to.clone()), true)]
        {
            let gone = crate::records::Remove { path: path("ideas/n.md"), seen: seen("note"), aside: None, copied_to };
            intent.removes = vec![gone];
            assert_eq!(is_copy_of_source(&intent, &product), is_copy, "{:?}", intent.removes);
        }
    }
}
