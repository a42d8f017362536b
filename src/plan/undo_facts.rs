use super::theme_files::ThemeFiles;
use crate::model::{ContentHash, Identity, RelPath, ThemeSlug};
use crate::records::{Intent, Move, Publish, PublishMode, Remove};

/// What undoing has to know of the disk.
pub struct UndoFacts<'a> {
    /// Returns the state of a file, if it is there.
    pub seen: &'a dyn Fn(&RelPath) -> Option<Identity>,
    /// Returns the hash of a file, if it is there.
    pub hash: &'a dyn Fn(&RelPath) -> Option<ContentHash>,
    /// Returns the version that a product replaced, if it is kept.
    pub replaced: &'a dyn Fn(&RelPath) -> Option<Vec<u8>>,
    /// Returns what lies of a theme, or why that cannot be told.
    pub theme: &'a dyn Fn(&ThemeSlug) -> Result<ThemeFiles, String>,
    /// The plans that were carried out, in the order in which they were begun.
    pub done: &'a [&'a Intent],
}

impl UndoFacts<'_> {
    /// Returns the hash that a product of the plan `number` has as stockmill left it: what was written anew in its bundle by
    /// changed tags is no step of its own. What a person wrote into it meanwhile ends that, so that nothing of it is lost.
    pub(super) fn left<'b>(&'b self, number: u64, product: &'b Publish) -> &'b ContentHash {
        let later = self.done.iter().skip_while(|intent| intent.plan != number).skip(1);
        let anew = later.filter(|intent| intent.about.hash.is_none() && intent.about.from == intent.about.to);
        let versions = anew.flat_map(|intent| &intent.publish).filter(|version| version.to == product.to);
        versions.fold(&product.hash, |left, version| match &version.mode {
            PublishMode::Replace { was: Some(was) } if was == left => &version.hash,
            _ => left,
        })
    }
}

/// Returns the move that brings a removed file back; none if it had changed by then, and stayed.
pub(super) fn source_back(gone: &Remove, facts: &UndoFacts<'_>) -> Result<Option<Move>, String> {
    let back = |from: &RelPath, seen| Ok(Some(Move { from: from.clone(), to: gone.path.clone(), seen }));
    if let Some(copy) = &gone.copied_to {
        return back(copy, (facts.seen)(copy).ok_or_else(|| format!("`{copy}` is gone"))?);
    }
    let kept = gone.aside.as_ref().and_then(|aside| Some((aside, (facts.seen)(aside)?)));
    match kept.filter(|(_, seen)| is_same(*seen, gone.seen)) {
        Some((aside, seen)) => back(aside, seen),
        None if (facts.seen)(&gone.path).is_some_and(|seen| !is_same(seen, gone.seen)) => Ok(None),
        None => Err(format!("`{}` is no longer kept (`work.undo_days`, `work.undo_mib_max`)", gone.path)),
    }
}

/// Returns whether a file is the one that was seen; its device may have another number by now.
pub(super) fn is_same(found: Identity, seen: Identity) -> bool {
    (found.inode, found.size, found.modified_ns) == (seen.inode, seen.size, seen.modified_ns)
}
