//! The files that ComfyUI's video nodes write for one video: its first frame as a picture, the video without sound,
//! and at last the video with sound. They are one asset.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::time::Duration;

use super::candidate::{Candidate, SIDECAR, index_of};
use super::settle::Now;
use super::walk::Found;
use crate::model::RelPath;

/// How long the other files of an asset may take to arrive after the last change of those that are here.
const PATIENCE: Duration = Duration::from_secs(30);
/// Extensions of videos.
const VIDEOS: [&str; 6] = ["mp4", "webm", "mkv", "mov", "avi", "m4v"];
/// How the name of a video with sound ends if one without sound lies beside it.
const WITH_SOUND: &[u8] = b"-audio";
/// How the name of the one without sound ends once the other one has the asset's name.
const WITHOUT_SOUND: &[u8] = b"-silent";

/// Returns the indexes of the files that go along with a video of a similar name, each with the index of the video;
/// the files are in the order of their paths. A file with a sidecar of its own is an asset of its own.
pub(super) fn along_with_videos(files: &[Found], is_asset: &dyn Fn(usize) -> bool) -> BTreeMap<usize, usize> {
    let mut owners = BTreeMap::new();
    let find = |stem: &[u8], extension: &OsStr| {
        let path = OsString::from_vec([stem, b".", extension.as_bytes()].concat());
        index_of(files, &path).filter(|n| is_asset(*n))
    };
    let is_own = |n: usize| index_of(files, files[n].path.with_suffix(SIDECAR).as_path().as_os_str()).is_some();
    for n in (0..files.len()).filter(|n| is_asset(*n) && is_video(&files[*n].path)) {
        let path = &files[n].path;
        let (stem, extension) = (path.without_extension().as_bytes(), path.as_path().extension().unwrap_or_default());
        let silent = stem.strip_suffix(WITH_SOUND).and_then(|stem| find(stem, extension));
        let frame = find(stem, OsStr::new("png"));
        for file in silent.into_iter().chain(frame).filter(|file| !is_own(*file)) {
            owners.entry(file).or_insert(n);
        }
        let with_sound = stem.strip_suffix(WITHOUT_SOUND).and_then(|stem| find(stem, extension));
        if let Some(with_sound) = with_sound.filter(|_| !is_own(n)) {
            owners.insert(n, with_sound);
        }
    }
    let last = |mut n: usize| {
        while let Some(owner) = owners.get(&n) {
            n = *owner;
        }
        n
    };
    owners.keys().map(|n| (*n, last(*n))).collect()
}

/// Returns whether a picture has the name that a video node gives to a first frame, and was written a moment ago.
pub fn may_be_first_frame(found: &Found, now: Now) -> bool {
    is_frame(&found.path) && age(found.entry.identity.modified_ns, now) < PATIENCE
}

fn is_frame(path: &RelPath) -> bool {
    path.extension() == "png" && is_numbered(path)
}

/// Returns how long ago something was; zero if it lies in the future.
fn age(then_ns: i64, now: Now) -> Duration {
    u64::try_from(now.wall_ns.saturating_sub(then_ns)).map_or(Duration::ZERO, Duration::from_nanos)
}

/// Returns until when an asset waits for its other files, and why. `is_first_frame` says that the picture's metadata
/// name a video node; `watched` is for how long the asset has been seen in its present state.
pub fn rest_awaited(
    candidate: &Candidate,
    is_first_frame: bool,
    watched: Duration,
    now: Now,
) -> Option<(Duration, String)> {
    let path = &candidate.primary.path;
    let stem = path.stem();
    if candidate.sidecar.is_some() || stem.as_bytes().ends_with(WITH_SOUND) {
        return None;
    }
    let has_frame = candidate.companions.iter().any(|found| found.path.extension() == "png");
    let why = if is_video(path) && (has_frame || is_numbered(path)) {
        let other = [stem.as_bytes(), WITH_SOUND, b".", path.extension().as_bytes()].concat();
        let other = crate::model::escape_bytes(&other);
        format!("it may be a video without sound: it waits for `{other}` until it has been quiet for 30 s")
    } else if is_frame(path) && (is_first_frame || stem.as_bytes().starts_with(b"AnimateDiff_")) {
        "it is the first frame of a video: it waits for the video until it has been quiet for 30 s".to_owned()
    } else {
        return None;
    };
    let changed_ns = candidate.files().map(|found| found.entry.identity.modified_ns).max().unwrap_or(0);
    let left = PATIENCE.saturating_sub(watched.max(age(changed_ns, now)));
    (!left.is_zero()).then(|| (now.steady + left, why))
}

/// Returns the pictures and videos that go along with a video; a person may have meant them as assets of their own.
pub fn taken_along(candidate: &Candidate) -> impl Iterator<Item = &RelPath> {
    let is_of_video = is_video(&candidate.primary.path);
    // An asset with a sidecar was reported before it got one.
    let is_new = candidate.sidecar.is_none();
    let along = candidate.companions.iter().map(|found| &found.path);
    along.filter(move |path| is_of_video && is_new && (path.extension() == "png" || is_video(path)))
}

fn is_video(path: &RelPath) -> bool {
    VIDEOS.contains(&path.extension().as_str())
}

/// Returns whether a name ends in `_` and five digits, as the nodes that write videos number them.
fn is_numbered(path: &RelPath) -> bool {
    let stem = path.stem();
    let Some((rest, digits)) = stem.as_bytes().split_last_chunk::<5>() else { return false };
    rest.len() > 1 && rest.ends_with(b"_") && digits.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::claims::Nothing;
    use crate::intake::group;
    use crate::model::{Identity, Ignore, Stage};
    use crate::vault::Entry;

    const S: i64 = 1_000_000_000;

    fn candidates(names: &[&str], modified_ns: i64) -> Vec<Candidate> {
        let identity = Identity { device: 1, inode: 1, size: 10, modified_ns };
        let found = |name: &&str| Found {
            path: RelPath::new(format!("raw/t/{name}")).unwrap(),
            entry: Entry::file(identity, 0),
        };
        group(Stage::Raw, names.iter().map(found).collect(), &Ignore::default(), &Nothing).candidates
    }

    /// Each of the three was an asset of its own: a picture and two videos were sold for one.
    #[test]
    fn a_video_its_silent_twin_and_its_first_frame_are_one_asset() {
        let cases: [(&[&str], &str); 10] = [
            (&["A_00001.png", "A_00001.mp4", "A_00001-audio.mp4"], "A_00001-audio.mp4+A_00001.mp4+A_00001.png"),
            (&["A_00001.png", "A_00001.mp4"], "A_00001.mp4+A_00001.png"),
            (&["A_00001.mp4", "A_00001-audio.mp4", "A_00001.txt"], "A_00001-audio.mp4+A_00001.mp4+A_00001.txt"),
            (
                &["t-0001.mp4", "t-0001.mp4.yaml", "t-0001-silent.mp4", "t-0001.png"],
                "t-0001.mp4+t-0001.mp4.yaml+t-0001-silent.mp4+t-0001.png",
            ),
            (&["A_00001.mp4", "A_00002-audio.mp4"], "A_00001.mp4 A_00002-audio.mp4"),
            (&["A_00001.webm", "A_00001-audio.mp4"], "A_00001-audio.mp4 A_00001.webm"),
            (&["a.png", "a.png.yaml", "a.mp4"], "a.mp4 a.png+a.png.yaml"),
            (&["a.png", "a.jpg"], "a.jpg a.png"),
            (&["a-audio.mp4", "a-audio.png"], "a-audio.mp4+a-audio.png"),
            (&["a-silent.mp4", "a.mp4", "a-audio.mp4"], "a-audio.mp4+a-silent.mp4+a.mp4"),
        ];
        for (names, expected) in cases {
            let shown: Vec<String> = candidates(names, 0)
                .iter()
                .map(|candidate| candidate.files().map(|found| found.path.file_text()).collect::<Vec<_>>().join("+"))
                .collect();
            assert_eq!(shown.join(" "), expected, "{names:?}");
        }
    }

    #[test]
    fn what_may_not_be_all_waits_for_the_rest() {
        // (files, whether the picture's metadata tells, seconds since the last change, seconds left)
        type Case = (&'static [&'static str], bool, i64, Option<u64>);
        let cases: [Case; 12] = [
            (&["A_00001.mp4"], false, 1, Some(29)),
            (&["A_00001.mp4"], false, 30, None),
            (&["A_00001.mp4"], false, -90, Some(30)),
            (&["clip.mp4"], false, 1, None),
            (&["clip.mp4", "clip.png"], false, 1, Some(29)),
            (&["A_00001.mp4", "A_00001-audio.mp4"], false, 1, None),
            (&["A_00001.mp4", "A_00001.mp4.yaml"], false, 1, None),
            (&["A_00001.png"], false, 1, None),
            (&["A_00001.png"], true, 1, Some(29)),
            (&["AnimateDiff_00001.png"], false, 1, Some(29)),
            (&["ComfyUI_00001_.png"], true, 1, None),
            (&["00001.mp4"], false, 1, None),
        ];
        for (names, is_first_frame, age_s, expected) in cases {
            let now = Now { wall_ns: 1000 * S, steady: Duration::from_secs(100) };
            let candidate = candidates(names, (1000 - age_s) * S).remove(0);
            let left = |watched| {
                rest_awaited(&candidate, is_first_frame, watched, now).map(|(until, _)| until.as_secs() - 100)
            };
            assert_eq!(left(Duration::ZERO), expected, "{names:?} {age_s}");
            assert_eq!(left(PATIENCE), None, "{names:?}");
        }
    }
}
