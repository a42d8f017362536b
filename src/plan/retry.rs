use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use super::Hold;
use crate::model::{RelPath, Stage};

/// The longest name that file systems take.
const NAME_BYTES_MAX: usize = 255;

/// An asset in `failed/`, with everything that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// The asset.
    pub path: RelPath,
    /// Its sidecar and its companions: they are called after it.
    pub beside: Vec<RelPath>,
    /// Files that it names inside: they keep their names.
    pub members: Vec<RelPath>,
}

impl SetAside {
    /// Returns where the asset came from.
    pub fn origin(&self) -> Option<RelPath> {
        let origin = RelPath::new(self.path.parts().skip(1).collect::<Vec<_>>().join(OsStr::new("/"))).ok()?;
        let is_in_stage = origin.parent().is_some() && origin.area().to_str()?.parse::<Stage>().is_ok();
        is_in_stage.then_some(origin)
    }
}

/// Plans the way back of an asset that was set aside: from where to where, the asset itself last, so that
/// whoever sees it sees all that belongs to it. If a name is taken, the whole asset gets another, and
/// what goes with it still does.
///
/// After a cut in the middle of it, planning the rest anew gives the same names.
pub fn plan_retry(aside: &SetAside, taken: &dyn Fn(&RelPath) -> bool) -> Result<Vec<(RelPath, RelPath)>, Hold> {
    let Some(origin) = aside.origin() else {
        return Err(Hold::Waits("it lies in no stage's folder; move it into a stage by hand".to_owned()));
    };
    let Some(new) = origin.parent() else {
        return Err(Hold::Waits("it lies in no folder".to_owned()));
    };
    // What lies in `failed/` lies as it lay in its stage.
    let failed = aside.path.area_path();
    let back = |path: &RelPath| path.below(&failed).unwrap_or_else(|| new.join(path.file_name()));
    let mut moves: Vec<_> = aside.members.iter().map(|member| (member.clone(), back(member))).collect();
    if let Some((_, target)) = moves.iter().find(|(_, to)| taken(to)) {
        return Err(Hold::Waits(format!("`{target}` is there already, and a model's parts keep their names")));
    }
    let named = |count: u64| -> Vec<(RelPath, RelPath)> {
        let name = counted(aside.path.file_name(), count);
        let beside = aside.beside.iter().map(|path| (path, renamed(path.file_name(), aside.path.file_name(), &name)));
        let beside = beside.map(|(path, name)| (path.clone(), new.join(name)));
        beside.chain([(aside.path.clone(), new.join(&name))]).collect()
    };
    let is_short = |(_, to): &(RelPath, RelPath)| to.file_name().len() <= NAME_BYTES_MAX;
    let mut tries = (1..=9999).map(named).take_while(|names| names.iter().all(is_short));
    let Some(names) = tries.find(|names| !names.iter().any(|(_, to)| taken(to))) else {
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

    fn shown(asset: &str, beside: &[&str], members: &[&str], taken: &[&str]) -> String {
        let path = |text: &&str| RelPath::new(text).unwrap();
        let aside = SetAside {
            path: path(&asset),
            beside: beside.iter().map(path).collect(),
            members: members.iter().map(path).collect(),
        };
        match plan_retry(&aside, &|path| taken.contains(&path.to_string().as_str())) {
            Ok(moves) => moves.iter().map(|(_, to)| to.to_string()).collect::<Vec<_>>().join(" "),
            Err(hold) => format!("stays: {hold}"),
        }
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
