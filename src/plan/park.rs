use super::asset::{base_in, base_of, free_path};
use super::{Context, Facts, Plan, Recipe, naming, new_file, new_version};
use crate::model::{ContentHash, RelPath};
use crate::records::{About, Move};

/// What is added to a file's name to name the reason why it was set aside.
pub const REASON: &str = ".reason.txt";
/// What begins the note's second sentence.
const DROPPED_AS: &str = "\n\nIt was dropped as `";

/// Returns whether a text is a note of our own.
pub fn is_note_on_set_aside(text: &[u8]) -> bool {
    text.windows(DROPPED_AS.len()).any(|part| part == DROPPED_AS.as_bytes())
}

/// Plans the move of an asset that needs a person to `failed/STAGE/`, with everything that belongs to it and the
/// reason in words. A note that outlived its file is replaced; `outlived` returns the hash of one.
pub fn plan_park(
    facts: &Facts,
    context: &Context<'_>,
    why: &str,
    outlived: &dyn Fn(&RelPath) -> Option<ContentHash>,
) -> Plan {
    let failed = RelPath::new("failed").expect("a constant is a clean path");
    let to = parked_path(facts, &failed, context, outlived);
    let about = About {
        theme: super::theme_of_path(&facts.path).0,
        asset: facts.sidecar.as_ref().and_then(|(_, sidecar)| sidecar.id.clone()),
        from: Some(facts.path.clone()),
        to: Some(to.clone()),
        ..About::new(facts.stage, format!("set aside: {why}"))
    };
    let text = format!(
        "{}{DROPPED_AS}{}`. When that is solved, move it back into `{}` or run `stockmill retry`; \
         or, if you need it no more, delete it together with this note.\n",
        why, facts.path, facts.stage
    );
    let note = to.with_suffix(REASON);
    let reason = if (context.taken)(&note) {
        let was = outlived(&note);
        new_version(note, text.into_bytes(), was)
    } else {
        new_file(note, Recipe::Bytes(text.into_bytes()))
    };
    let mut moves = vec![Move { from: facts.path.clone(), to: to.clone(), seen: facts.seen }];
    let sidecar = facts.sidecar.iter().map(|(companion, _)| companion);
    let [old_stem, new_stem] = [&facts.path, &to].map(|path| path.stem().to_string_lossy().into_owned());
    for companion in sidecar.chain(&facts.companions) {
        let mut beside = to.sibling(companion.path.file_name());
        // A companion keeps its pair when the asset gets another name here.
        if let Some(rest) = companion.path.file_text().strip_prefix(&*old_stem) {
            beside = beside.sibling(format!("{new_stem}{rest}"));
        }
        moves.push(Move { from: companion.path.clone(), to: free_path(&beside, context), seen: companion.seen });
    }
    let base = base_of(facts);
    let parts = base_in(facts, &base, &to);
    for part in &facts.members {
        let inner = part.path.below(&base).expect("a part lies in the asset's folder");
        moves.push(Move { from: part.path.clone(), to: parts.join(inner.as_path()), seen: part.seen });
    }
    Plan { products: vec![reason], moves, ..Plan::new(about) }
}

/// Returns the first free name beside which those of its companions are free, too: they keep their pair.
fn free_with_companions(
    facts: &Facts,
    whole: &RelPath,
    context: &Context<'_>,
    outlived: &dyn Fn(&RelPath) -> Option<ContentHash>,
) -> RelPath {
    let stem = whole.stem().to_string_lossy().into_owned();
    let companions = facts.sidecar.iter().map(|(companion, _)| companion).chain(&facts.companions);
    let names: Vec<String> = companions.map(|companion| companion.path.file_text()).collect();
    let rests: Vec<&str> = names.iter().filter_map(|name| name.strip_prefix(&stem)).collect();
    let taken = |name: &str| {
        let path = whole.sibling(name);
        let stem = path.stem().to_string_lossy().into_owned();
        let mut beside = rests.iter().map(|rest| path.sibling(format!("{stem}{rest}")));
        let note = path.with_suffix(REASON);
        (context.taken)(&path)
            || (context.taken)(&note) && outlived(&note).is_none()
            || beside.any(|path| (context.taken)(&path))
    };
    whole.sibling(naming::free(&stem, &whole.extension(), naming::FILE_NAME_BYTES_MAX - REASON.len(), &taken))
}

/// Returns where the asset's file is put. A model and its parts keep their names: if one of them is taken, all are
/// put into a folder of their own.
fn parked_path(
    facts: &Facts,
    failed: &RelPath,
    context: &Context<'_>,
    outlived: &dyn Fn(&RelPath) -> Option<ContentHash>,
) -> RelPath {
    let whole = failed.join(facts.path.as_path());
    if facts.members.is_empty() {
        return free_with_companions(facts, &whole, context, outlived);
    }
    let base = base_of(facts);
    let inner = facts.path.below(&base).expect("an asset's file lies in its folder");
    let names = || facts.members.iter().filter_map(|part| part.path.below(&base)).chain([inner.clone()]);
    let stem = facts.path.stem().to_string_lossy().into_owned();
    let own = (2..).map(|count| base.join(format!("{stem}-{count}")));
    let mut folders = std::iter::once(base.clone()).chain(own).map(|folder| failed.join(folder.as_path()));
    let is_free = |folder: &RelPath| {
        let reason = folder.join(inner.as_path()).with_suffix(REASON);
        names().map(|name| folder.join(name.as_path())).chain([reason]).all(|path| !(context.taken)(&path))
    };
    let folder = folders.find(is_free).expect("one of endless folders is free");
    folder.join(inner.as_path())
}
