use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use super::theme_files::removed;
use super::{Companion, Hold, Plan};
use crate::model::{Identity, RelPath, Stage};
use crate::records::{About, Move};

/// The longest name that file systems take.
const NAME_BYTES_MAX: usize = 255;

/// An asset in `failed/`, with everything that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Where the asset lies, or lay: a note may have outlived it.
    pub path: RelPath,
    /// The state in which it was seen.
    pub seen: Option<Identity>,
    /// Its sidecar and its companions: they are called after it.
    pub beside: Vec<Companion>,
    /// Files that it names inside: they keep their names.
    pub members: Vec<Companion>,
    /// The note that says why it was set aside.
    pub note: Option<Companion>,
}

impl SetAside {
    /// Returns where the asset came from.
    pub fn origin(&self) -> Option<RelPath> {
        let origin = RelPath::new(self.path.parts().skip(1).collect::<Vec<_>>().join(OsStr::new("/"))).ok()?;
        let is_in_stage = origin.parent().is_some() && origin.area().to_str()?.parse::<Stage>().is_ok();
        is_in_stage.then_some(origin)
    }

    /// Returns all its files, itself last, so that whoever sees it sees all that belongs to it.
    fn files(&self) -> impl Iterator<Item = Companion> {
        let own = self.seen.map(|seen| Companion { path: self.path.clone(), seen });
        self.members.iter().chain(&self.beside).cloned().chain(own)
    }
}

/// What the way back depends on beside the asset.
pub struct Around<'a> {
    /// Returns whether a name is taken, or nobody can tell.
    pub taken: &'a dyn Fn(&RelPath) -> bool,
    /// Returns whether the second file is a copy of the first on another disk: an older way back was cut off there.
    pub copied: &'a dyn Fn(&RelPath, &RelPath) -> bool,
}

/// Plans the way back of an asset that was set aside, and the end of the note on it. If a name is taken, the whole
/// asset gets another, and what goes with it still does. If the asset is gone, only the note goes.
pub fn plan_retry(aside: &SetAside, around: &Around<'_>) -> Result<Plan, Hold> {
    let Some(origin) = aside.origin() else {
        return Err(Hold::Waits("it lies in no stage's folder; move it into a stage by hand".to_owned()));
    };
    let mut plan = Plan::new(about(aside, &origin));
    if aside.seen.is_some() {
        let copied = copied(aside, &origin, around);
        let left: Vec<Companion> = aside.files().filter(|file| !copied.contains(file)).collect();
        // The asset comes last: if it is there, all is.
        if left.iter().any(|file| file.path == aside.path) {
            plan.moves = moves(aside, &origin, &left, around.taken)?;
            plan.about.to = plan.moves.last().map(|shift| shift.to.clone());
        }
        plan.removes.extend(copied.into_iter().map(|file| removed(file.path, file.seen)));
    }
    plan.removes.extend(aside.note.iter().map(|note| removed(note.path.clone(), note.seen)));
    Ok(plan)
}

fn about(aside: &SetAside, origin: &RelPath) -> About {
    let did = if aside.seen.is_some() { "moved back from `failed`" } else { "the note on a file that is gone removed" };
    let stage = origin.area().to_str().and_then(|area| area.parse().ok()).expect("its origin lies in a stage");
    About {
        theme: super::theme_of_path(origin).0,
        from: Some(aside.path.clone()),
        to: aside.seen.map(|_| origin.clone()),
        ..About::new(stage, did)
    }
}

/// Returns where a file of an asset lay before it was set aside. What lies in `failed/` lies as it lay in its stage.
fn first_place(aside: &SetAside, origin: &RelPath, file: &RelPath) -> RelPath {
    let beside = || origin.sibling(file.file_name());
    file.below(&aside.path.area_path()).unwrap_or_else(beside)
}

/// Returns the files of an asset that were copied back already, and would come back twice.
fn copied(aside: &SetAside, origin: &RelPath, around: &Around<'_>) -> Vec<Companion> {
    // If another file has the asset's name, what is called after it is not ours.
    if (around.taken)(origin) && !(around.copied)(&aside.path, origin) {
        return Vec::new();
    }
    aside.files().filter(|file| (around.copied)(&file.path, &first_place(aside, origin, &file.path))).collect()
}

/// Returns the moves of what is left of an asset, itself last.
fn moves(
    aside: &SetAside,
    origin: &RelPath,
    left: &[Companion],
    taken: &dyn Fn(&RelPath) -> bool,
) -> Result<Vec<Move>, Hold> {
    let shift = |file: &Companion, to: RelPath| Move { from: file.path.clone(), to, seen: file.seen };
    let (members, named): (Vec<&Companion>, Vec<&Companion>) =
        left.iter().partition(|file| aside.members.contains(file));
    let mut moves: Vec<Move> =
        members.into_iter().map(|file| shift(file, first_place(aside, origin, &file.path))).collect();
    if let Some(Move { to, .. }) = moves.iter().find(|shift| taken(&shift.to)) {
        return Err(Hold::Waits(format!("`{to}` is there already, and a model's parts keep their names")));
    }
    let called = |count: u64| -> Vec<Move> {
        let name = counted(aside.path.file_name(), count);
        let new = |file: &RelPath| origin.sibling(renamed(file.file_name(), aside.path.file_name(), &name));
        named.iter().map(|file| shift(file, new(&file.path))).collect()
    };
    let is_short = |shift: &Move| shift.to.file_name().len() <= NAME_BYTES_MAX;
    let mut tries = (1..=9999).map(called).take_while(|names| names.iter().all(is_short));
    let Some(names) = tries.find(|names| !names.iter().any(|shift| taken(&shift.to))) else {
        return Err(Hold::Waits(format!("no free name like `{origin}` is left; move it into the stage by hand")));
    };
    moves.extend(names);
    Ok(moves)
}

/// Returns `name`, or `stem-COUNT.extension` from 2 on.
fn counted(name: &OsStr, count: u64) -> OsString {
    if count < 2 {
        return name.to_owned();
    }
    let (stem, extension) = split(name);
    OsString::from_vec([stem, format!("-{count}").as_bytes(), extension].concat())
}

/// Returns the name of a file that goes with an asset, after the asset's name became `new`.
fn renamed(name: &OsStr, old: &OsStr, new: &OsStr) -> OsString {
    let after = |old: &[u8], new: &[u8]| name.as_bytes().strip_prefix(old).map(|rest| [new, rest].concat());
    let whole = after(old.as_bytes(), new.as_bytes());
    let stem = || after(split(old).0, split(new).0);
    whole.or_else(stem).map_or_else(|| name.to_owned(), OsString::from_vec)
}

/// Cuts a name before the dot of its last extension.
fn split(name: &OsStr) -> (&[u8], &[u8]) {
    let bytes = name.as_bytes();
    let dot = bytes.iter().rposition(|b| *b == b'.').filter(|at| *at > 0).unwrap_or(bytes.len());
    bytes.split_at(dot)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEN: Identity = Identity { device: 1, inode: 7, size: 9, modified_ns: 5 };

    fn file(text: &str) -> Companion {
        Companion { path: RelPath::new(text).unwrap(), seen: SEEN }
    }

    fn set_aside(asset: &str, beside: &[&str], members: &[&str]) -> SetAside {
        let files = |names: &[&str]| names.iter().map(|name| file(name)).collect();
        let (path, seen) = (RelPath::new(asset).unwrap(), Some(SEEN));
        SetAside { path, seen, beside: files(beside), members: files(members), note: None }
    }

    fn planned(aside: &SetAside, taken: &[&str], copied: &[&str]) -> Result<Plan, Hold> {
        let taken = |path: &RelPath| taken.contains(&path.to_string().as_str());
        let copied = |_: &RelPath, path: &RelPath| copied.contains(&path.to_string().as_str());
        plan_retry(aside, &Around { taken: &taken, copied: &copied })
    }

    fn shown(asset: &str, beside: &[&str], members: &[&str], taken: &[&str]) -> String {
        match planned(&set_aside(asset, beside, members), taken, &[]) {
            Ok(plan) => plan.moves.iter().map(|shift| shift.to.to_string()).collect::<Vec<_>>().join(" "),
            Err(hold) => format!("stays: {hold}"),
        }
    }

    #[test]
    fn the_note_goes_and_what_was_copied_back_before_does_not_come_twice() {
        let mut aside = set_aside("failed/raw/t/a.png", &["failed/raw/t/a.txt"], &[]);
        aside.note = Some(file("failed/raw/t/a.png.reason.txt"));
        let (asset, text) = ("raw/t/a.png", "raw/t/a.txt");
        let both = "raw/t/a.txt raw/t/a.png";
        let note = "a.png.reason.txt";
        let cases: [(&[&str], &[&str], &str, String, &str); 5] = [
            (&[], &[], both, note.to_owned(), asset),
            (&[text], &[text], "raw/t/a.png", format!("a.txt {note}"), asset),
            (&[text, asset], &[text, asset], "", format!("a.txt a.png {note}"), asset),
            // Another file has the asset's name: the text with its bytes is that file's.
            (&[text, asset], &[text], "raw/t/a-2.txt raw/t/a-2.png", note.to_owned(), "raw/t/a-2.png"),
            // Nothing was copied: the text is somebody else's.
            (&[text], &[], "raw/t/a-2.txt raw/t/a-2.png", note.to_owned(), "raw/t/a-2.png"),
        ];
        for (taken, copied, moves, removes, to) in cases {
            let plan = planned(&aside, taken, copied).unwrap();
            let join = |names: Vec<String>| names.join(" ");
            assert_eq!(
                join(plan.moves.iter().map(|shift| shift.to.to_string()).collect()),
                moves,
                "{taken:?} {copied:?}"
            );
            assert_eq!(
                join(plan.removes.iter().map(|gone| gone.path.file_text()).collect()),
                removes,
                "{taken:?} {copied:?}"
            );
            assert_eq!(plan.about.to, Some(RelPath::new(to).unwrap()), "{taken:?} {copied:?}");
        }
        aside.seen = None;
        let plan = planned(&aside, &[], &[]).unwrap();
        assert_eq!((plan.moves.len(), plan.removes.len(), plan.about.to), (0, 1, None));
    }

    #[test]
    fn an_asset_goes_back_with_all_that_belongs_to_it() {
        let beside = ["failed/raw/t/A.PNG.yaml", "failed/raw/t/A.txt"];
        assert_eq!(shown("failed/raw/t/A.PNG", &beside, &[], &[]), "raw/t/A.PNG.yaml raw/t/A.txt raw/t/A.PNG");
        // One name that is taken gives the whole asset another.
        for taken in ["raw/t/A.PNG", "raw/t/A.txt", "raw/t/A.PNG.yaml"] {
            let expected = "raw/t/A-2.PNG.yaml raw/t/A-2.txt raw/t/A-2.PNG";
            assert_eq!(shown("failed/raw/t/A.PNG", &beside, &[], &[taken]), expected, "{taken}");
        }
        let cut = shown("failed/raw/t/A.PNG", &[], &[], &["raw/t/A.PNG", "raw/t/A-2.PNG.yaml", "raw/t/A-2.txt"]);
        assert_eq!(cut, "raw/t/A-2.PNG", "what a cut left is not joined to what went before");
        assert_eq!(shown("failed/ideas/note", &[], &[], &["ideas/note"]), "ideas/note-2");
    }

    #[test]
    fn parts_of_a_model_keep_their_names() {
        let members = ["failed/raw/t/m/wood.png", "failed/raw/t/cube.mtl"];
        let all = "raw/t/m/wood.png raw/t/cube.mtl raw/t/cube.obj";
        assert_eq!(shown("failed/raw/t/cube.obj", &[], &members, &[]), all);
        // What lay beside the model's folder lay in that folder afterwards.
        let members = ["failed/raw/t/textures/wood.png"];
        let all = "raw/t/textures/wood.png raw/t/source/cube.fbx";
        assert_eq!(shown("failed/raw/t/source/cube.fbx", &[], &members, &[]), all);
        let members = ["failed/raw/t/cube.mtl"];
        assert!(shown("failed/raw/t/cube.obj", &[], &members, &["raw/t/cube.mtl"]).contains("keep their names"));
    }

    #[test]
    fn what_came_from_no_stage_stays() {
        for path in ["failed/a.png", "failed/elsewhere/a.png", "failed/raw"] {
            assert!(shown(path, &[], &[], &[]).starts_with("stays"), "{path}");
        }
        let long = format!("failed/raw/{}.png", "n".repeat(251));
        assert!(shown(&long, &[], &[], &[&long["failed/".len()..]]).contains("no free name"));
    }
}
