use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::time::Duration;

use jiff::Timestamp;

use super::survey::{SurveyError, stage_of, survey};
use super::units::Units;
use crate::config::Settings;
use crate::craft::{HEAD_BYTES, sniff};
use crate::intake::{Candidate, Now};
use crate::make::Insides;
use crate::model::{Identity, Kind, MarketName, RelPath, Stage, ThemeSlug};
use crate::records::{Answer, Release, marks};
use crate::report;
use crate::vault::{DiskResult, Look, Mailbox};

/// How the names of releases begin.
const KIND: &str = "release-";
/// Larger releases are refused; one for a million files has 38 MiB.
const BYTES_MAX: u64 = 64 << 20;
/// So many files can be released at once.
const FILES_MAX: usize = 1_000_000;
/// How long a release is kept after it was given: what it covers has long gone on by then.
const KEPT: Duration = Duration::from_secs(24 * 3600);
/// It is asked of younger files whether somebody still writes to them.
const YOUNG: Duration = Duration::from_secs(60);

/// How a release is given.
#[derive(Debug, Clone, Copy)]
pub struct How {
    /// Somebody waits for its answer.
    pub is_awaited: bool,
    /// It lifts what is held for its own sake too: the gate is open when it is given, or a person says so.
    pub anyway: bool,
}

/// What the gate of `upload` keeps from further markets though it lies in bundles.
#[derive(Debug, Default)]
pub struct BehindGate {
    /// The files, each as it lies there, with the markets that would get it.
    pub files: Vec<(RelPath, Identity, Vec<MarketName>)>,
    /// The files and bundles of which nobody can tell that.
    pub untold: Vec<RelPath>,
}

/// What a release covers, for whoever gave it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Released {
    /// The file in which it waits for whoever holds the lock; `None` if there is nothing to release.
    pub request: Option<RelPath>,
    /// How many assets it lets go on.
    pub assets: usize,
    /// How many files of kinds that nobody knows: they are left alone but where a theme names them as documents.
    pub unknown: usize,
    /// Files that somebody is still writing: they are other files when they are complete.
    pub unfinished: usize,
    /// The themes that have a folder in the stage.
    pub themes: BTreeSet<String>,
}

/// Lets what lies in a stage, or in a theme of it, go on, and files of bundles to further markets: leaves a request for the daemon, or for the next `once`.
pub fn release(
    mailbox: &Mailbox,
    settings: &Settings,
    stage: Stage,
    theme: Option<&ThemeSlug>,
    how: How,
    bundled: &BehindGate,
    now: Timestamp,
) -> Result<Released, SurveyError> {
    let disk = mailbox.disk();
    let mut units = Units::default();
    units.find(disk, stage, &settings.settle.ignore)?;
    let mut release = Release::new(stage, theme.cloned(), now);
    (release.is_awaited, release.anyway) = (how.is_awaited, how.anyway);
    let mut released = Released { themes: units.themes().map(str::to_owned).collect(), ..Released::default() };
    let now_ns = i64::try_from(now.as_nanosecond()).unwrap_or(i64::MAX);
    let (insides, look) = (Insides::default(), Now { wall_ns: now_ns, steady: Duration::ZERO });
    let is_young = |written_ns: i64| now_ns.saturating_sub(written_ns) < i64::try_from(YOUNG.as_nanos()).unwrap_or(0);
    for unit in units.iter().filter(|unit| unit.area() == stage.name()) {
        for candidate in survey(disk, None, unit, &settings.settle.ignore, &insides, look)?.candidates {
            if theme.is_some() && crate::plan::theme_of_path(&candidate.primary.path).0.as_ref() != theme {
                continue;
            }
            let is_unknown = is_unknown(disk, stage, &candidate);
            *(if is_unknown { &mut released.unknown } else { &mut released.assets }) += 1;
            for found in candidate.files() {
                let seen = found.entry.identity;
                release.name(&found.path, seen);
                let is_open = || disk.has_writer(&found.path).is_ok_and(|word| word == Some(true));
                released.unfinished += usize::from(is_young(seen.modified_ns) && is_open());
            }
        }
    }
    bundled.files.iter().for_each(|(path, seen, _)| release.name(path, *seen));
    if release.len() > FILES_MAX {
        let source = std::io::Error::other(format!("more than {FILES_MAX} files lie there; release theme by theme"));
        return Err(crate::vault::DiskError { call: "released", path: stage.folder(), source }.into());
    }
    if !release.is_empty() {
        released.request = Some(request(mailbox, &release)?);
    }
    Ok(released)
}

/// Returns whether a file has no kind that stockmill knows. What cannot be read is looked at where it is worked on.
pub(super) fn is_unknown(disk: &dyn Look, stage: Stage, candidate: &Candidate) -> bool {
    let path = &candidate.primary.path;
    let extension = path.extension();
    let is_named = Kind::ALL.iter().any(|kind| kind.extension() == Some(extension.as_str()));
    if stage == Stage::Ideas || candidate.sidecar.is_some() || is_named {
        return false;
    }
    let mut head = Vec::new();
    let opened = disk.open_as(path, candidate.primary.entry.identity);
    let read = opened.ok().and_then(|opened| opened.take(HEAD_BYTES as u64).read_to_end(&mut head).ok());
    read.is_some() && sniff(&head, &extension).is_none()
}

fn request(mailbox: &Mailbox, release: &Release) -> DiskResult<RelPath> {
    mailbox.leave(&format!("{KIND}{}.json", release.at.as_nanosecond()), &release.to_bytes())
}

/// The releases that are in force, each with its request.
#[derive(Debug, Default)]
pub(super) struct Releases(BTreeMap<RelPath, Kept>);

#[derive(Debug)]
struct Kept {
    release: Release,
    /// Since when it is known, by the clock that never jumps.
    since: Duration,
    /// Whether the request does not say yet what is known of it: something that it named has left, or when it was given.
    is_unsaved: bool,
}

impl Kept {
    /// Returns whether its time is over: by the clock, as `plan`, `status` and `explain` tell it, also where nothing but a timer
    /// runs `once`; and where that stands still or went back, by the time for which it is known.
    fn is_over(&self, now: Timestamp, steady: Duration) -> bool {
        let by_wall = Duration::try_from(now.duration_since(self.release.at)).unwrap_or_default();
        by_wall >= KEPT || steady.saturating_sub(self.since) >= KEPT
    }
}

impl Releases {
    /// Returns whether a person let go of this state of a file.
    pub(super) fn cover(&self, path: &RelPath, stage: Stage, seen: Identity) -> bool {
        !self.0.is_empty() && {
            let marks = marks(path, seen);
            self.0.values().any(|kept| kept.release.covers(stage, marks))
        }
    }

    /// Returns until when a person let go of this state of a file, if that is so now.
    pub(super) fn cover_until(
        &self,
        path: &RelPath,
        stage: Stage,
        seen: Identity,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let marks = (!self.0.is_empty()).then(|| marks(path, seen))?;
        let covering = self.0.values().filter(|kept| kept.release.covers(stage, marks));
        // One that a clock gave which was ahead ends by the time for which it is known.
        covering.filter_map(|kept| kept.release.at.min(now).checked_add(KEPT).ok()).max()
    }

    /// Returns whether a person let go of this state of a file whatever it is held for.
    pub(super) fn cover_anyway(&self, path: &RelPath, stage: Stage, seen: Identity) -> bool {
        let mut anyway = self.0.values().filter(|kept| kept.release.anyway).peekable();
        anyway.peek().is_some() && {
            let marks = marks(path, seen);
            anyway.any(|kept| kept.release.covers(stage, marks))
        }
    }

    /// Takes note that a file left its stage: if `undo` brings it back, it waits for a new word.
    pub(super) fn use_up(&mut self, path: &RelPath, stage: Stage, seen: Identity) {
        if self.0.is_empty() {
            return;
        }
        let marks = marks(path, seen);
        for kept in self.0.values_mut().filter(|kept| kept.release.stage == stage) {
            kept.is_unsaved |= kept.release.use_up(marks);
        }
    }

    /// Takes and answers the requests that are there; returns whether one of them is new. Those whose time is over go,
    /// and so do those that nobody can read. One that a clock gave which was ahead was given now: else it would live until then.
    pub(super) fn collect(&mut self, mailbox: &Mailbox, now: Timestamp, steady: Duration) -> bool {
        let disk = mailbox.disk();
        let Ok(found) = Mailbox::list(disk, KIND) else { return false };
        self.0.retain(|path, _| found.contains(path));
        let mut is_news = false;
        for path in found {
            if !self.0.contains_key(&path) {
                // What cannot be read now is looked at again.
                let Ok(bytes) = disk.read(&path, BYTES_MAX) else { continue };
                let read = Release::parse(&bytes);
                let answer = Answer::new(Vec::new(), read.as_ref().err().map(ToString::to_string));
                if read.as_ref().map_or(true, |release| release.is_awaited) {
                    // Whoever asked may have gone: it holds all the same.
                    let _ = mailbox.answer(&path, &answer);
                }
                let Ok(mut release) = read else {
                    report::release_unknown(&path);
                    let _ = mailbox.remove(&path);
                    continue;
                };
                report::request_answered("release", release.len(), None);
                let is_unsaved = release.at > now;
                release.at = release.at.min(now);
                self.0.insert(path.clone(), Kept { release, since: steady, is_unsaved });
                is_news = true;
            }
            if self.0.get(&path).is_some_and(|kept| kept.is_over(now, steady)) {
                self.0.remove(&path);
                report::release_over(&path);
                let _ = mailbox.remove(&path);
            }
        }
        is_news
    }

    /// Writes down what was used up. A release of which nothing is left goes. What the disk refuses is tried again,
    /// and the last of that is the error.
    pub(super) fn save(&mut self, mailbox: &Mailbox) -> DiskResult<()> {
        let mut result = Ok(());
        for (path, kept) in self.0.iter_mut().filter(|(_, kept)| kept.is_unsaved) {
            let saved = if kept.release.is_empty() {
                mailbox.remove(path)
            } else {
                mailbox.rewrite(path, &kept.release.to_bytes())
            };
            kept.is_unsaved = saved.is_err();
            result = result.and(saved);
        }
        self.0.retain(|_, kept| kept.is_unsaved || !kept.release.is_empty());
        result
    }

    /// Takes over what the requests say now, after `undo` withdrew from them.
    pub(super) fn reread(&mut self, disk: &dyn Look) {
        let now = Self::peek(disk);
        self.0.retain(|path, kept| {
            let read = now.0.get(path).map(|read| read.release.clone());
            read.map(|release| kept.release = release).is_some()
        });
    }

    /// Returns the releases that are in force, without touching them.
    pub(super) fn in_force(disk: &dyn Look, now: Timestamp) -> Self {
        let mut releases = Self::peek(disk);
        releases.0.retain(|_, kept| !kept.is_over(now, kept.since));
        releases
    }

    /// Returns the releases that lie there, without touching them.
    pub(super) fn peek(disk: &dyn Look) -> Self {
        let Ok(found) = Mailbox::list(disk, KIND) else { return Self::default() };
        let read = |path: RelPath| {
            let release = Release::parse(&disk.read(&path, BYTES_MAX).ok()?).ok()?;
            Some((path, Kept { release, since: Duration::ZERO, is_unsaved: false }))
        };
        Self(found.into_iter().filter_map(read).collect())
    }
}

/// Takes back what releases say of files, before `undo` brings these back, or what was made of them: they wait for a new word, also if the
/// releases were used and a kill came before that was written down.
pub(super) fn withdraw<'a>(
    mailbox: &Mailbox,
    files: impl IntoIterator<Item = (&'a RelPath, Identity)>,
) -> DiskResult<()> {
    let mut releases = Releases::peek(mailbox.disk());
    for (path, seen) in files {
        if let Some(stage) = stage_of(path) {
            releases.use_up(path, stage, seen);
        }
    }
    releases.save(mailbox)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::own_names::requests_folder;
    use crate::vault::{Disk as _, Layout, RealDisk};

    fn path(text: &str) -> RelPath {
        RelPath::new(text).unwrap()
    }

    const SEEN: Identity = Identity { device: 1, inode: 7, size: 9, modified_ns: 5 };

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// A release compared the time of a file's last change, whatever changed, with the clock on the wall.
    #[test]
    fn a_release_covers_what_lay_there_and_nothing_else() {
        let mut release = Release::new(Stage::Raw, None, time("2026-11-27T10:00:00Z"));
        release.name(&path("raw/a.png"), SEEN);
        let cases = [
            ("raw/a.png", SEEN, true),
            // It was moved by hand, or its file system numbers files and devices anew.
            ("raw/sea/b.png", SEEN, true),
            ("raw/a.png", Identity { inode: 8, device: 2, ..SEEN }, true),
            ("raw/b.png", Identity { device: 2, ..SEEN }, true),
            // Another file, or it was changed since.
            ("raw/a.png", Identity { inode: 8, modified_ns: 6, ..SEEN }, false),
            ("raw/a.png", Identity { size: 10, ..SEEN }, false),
            ("raw/b.png", Identity { inode: 8, ..SEEN }, false),
        ];
        let mut releases = Releases::default();
        releases.0.insert(path("x"), Kept { release, since: Duration::ZERO, is_unsaved: false });
        for (name, seen, covers) in cases {
            assert_eq!(releases.cover(&path(name), Stage::Raw, seen), covers, "{name} {seen:?}");
            assert!(!releases.cover(&path(name), Stage::Keep, seen));
        }
        // What left and was brought back waits again.
        releases.use_up(&path("raw/sea/b.png"), Stage::Raw, SEEN);
        assert!(!releases.cover(&path("raw/a.png"), Stage::Raw, SEEN));
        assert!(releases.0.values().all(|kept| kept.release.is_empty()));
    }

    #[test]
    fn a_release_is_over_after_a_day_of_either_clock() {
        let hour = Duration::from_secs(3600);
        // (given, now, known for, is over)
        let cases = [
            ("2026-11-27T10:00:00Z", "2026-11-27T10:00:01Z", 0, false),
            ("2026-11-27T10:00:00Z", "2026-11-28T09:59:00Z", 0, false),
            ("2026-11-27T10:00:00Z", "2026-11-28T10:01:00Z", 0, true),
            ("2030-11-27T10:00:00Z", "2026-11-28T10:01:00Z", 23, false),
            ("2030-11-27T10:00:00Z", "2026-11-28T10:01:00Z", 25, true),
        ];
        for (given, now, hours, is_over) in cases {
            let release = Release::new(Stage::Raw, None, time(given));
            let kept = Kept { release, since: hour, is_unsaved: false };
            assert_eq!(kept.is_over(time(now), hour + hour * hours), is_over, "{given} at {now} + {hours} h");
        }
    }

    #[test]
    fn requests_shrink_and_go_and_old_forms_are_dropped() {
        let root = tempfile::tempdir().unwrap();
        let layout = Layout { root: root.path().to_owned(), areas: BTreeMap::new() };
        let disk = RealDisk::open(layout.clone()).unwrap();
        let mailbox = Mailbox::beside_daemon(layout);
        let now = time("2026-11-27T10:00:00Z");
        let mut release = Release::new(Stage::Raw, Some(ThemeSlug::unsorted()), now);
        release.is_awaited = true;
        let other = Identity { inode: 8, ..SEEN };
        release.name(&path("raw/a.png"), SEEN);
        release.name(&path("raw/b.png"), other);
        let given = request(&mailbox, &release).unwrap();
        let old = requests_folder().join("release-1.json");
        disk.write_new(&old, br#"{"stage":"raw","theme":null,"at":"2026-11-27T10:00:00Z"}"#).unwrap();

        let mut releases = Releases::default();
        assert!(releases.collect(&mailbox, now, Duration::ZERO));
        assert!(!releases.collect(&mailbox, now, Duration::ZERO), "it is no news any more");
        assert!(disk.stat(&old).unwrap().is_none(), "an old request was kept");
        let refused = |request: &RelPath| mailbox.read_answer(request).unwrap().unwrap().refused;
        assert_eq!(refused(&given), None);
        assert!(refused(&old).is_some_and(|why| why.contains("version")), "it is answered all the same");
        releases.use_up(&path("raw/a.png"), Stage::Raw, SEEN);
        releases.save(&mailbox).unwrap();
        let again = Releases::peek(&disk);
        assert!(!again.cover(&path("raw/a.png"), Stage::Raw, SEEN));
        assert!(again.cover(&path("raw/b.png"), Stage::Raw, other));
        releases.use_up(&path("raw/b.png"), Stage::Raw, other);
        releases.save(&mailbox).unwrap();
        assert!(Mailbox::list(&disk, KIND).unwrap().is_empty() && releases.0.is_empty());
    }

    /// `plan` let go what nobody had looked at until the release was over.
    #[test]
    fn what_a_release_lets_go_it_lets_go_until_it_is_over() {
        let root = tempfile::tempdir().unwrap();
        let layout = Layout { root: root.path().to_owned(), areas: BTreeMap::new() };
        let disk = RealDisk::open(layout.clone()).unwrap();
        let mailbox = Mailbox::beside_daemon(layout);
        for given in ["2026-11-27T10:00:00Z", "2026-11-27T12:00:00Z"] {
            let mut release = Release::new(Stage::Upload, None, time(given));
            release.name(&path("upload/a.jpg"), SEEN);
            request(&mailbox, &release).unwrap();
        }
        // (now, until when); the last is a clock that was ahead.
        let cases = [
            ("2026-11-28T09:00:00Z", Some("2026-11-28T12:00:00Z")),
            ("2026-11-28T11:00:00Z", Some("2026-11-28T12:00:00Z")),
            ("2026-11-28T12:00:00Z", None),
            ("2026-11-20T12:00:00Z", Some("2026-11-21T12:00:00Z")),
        ];
        for (now, until) in cases {
            let (now, seen) = (time(now), path("upload/a.jpg"));
            let releases = Releases::in_force(&disk, now);
            assert_eq!(releases.cover_until(&seen, Stage::Upload, SEEN, now), until.map(time), "{now}");
            assert_eq!(releases.cover(&seen, Stage::Upload, SEEN), until.is_some(), "{now}");
            assert_eq!(
                releases.cover_until(&path("upload/b.jpg"), Stage::Upload, Identity { size: 1, ..SEEN }, now),
                None
            );
        }
    }

    /// By `once` alone, one that a clock gave which was ahead lived until that came; what `plan` said of it was never so.
    #[test]
    fn a_release_lives_a_day_by_the_clock_whatever_runs() {
        let root = tempfile::tempdir().unwrap();
        let layout = Layout { root: root.path().to_owned(), areas: BTreeMap::new() };
        let _disk = RealDisk::open(layout.clone()).unwrap();
        let mailbox = Mailbox::beside_daemon(layout);
        // When it is given, when it is seen by a run each, and in how many of these it lives.
        let rows: [(&str, &[&str], usize); 2] = [
            ("2026-12-01T10:00:00Z", &["2026-12-01T10:00:01Z", "2026-12-02T09:59:00Z", "2026-12-02T10:00:00Z"], 2),
            ("2031-12-01T10:00:00Z", &["2026-12-01T10:00:00Z", "2026-12-02T09:59:00Z", "2026-12-02T10:00:00Z"], 2),
        ];
        for (given, runs, lives) in rows {
            let mut release = Release::new(Stage::Upload, None, time(given));
            release.name(&path("upload/a.jpg"), SEEN);
            request(&mailbox, &release).unwrap();
            let lived = runs.iter().filter(|now| {
                let mut releases = Releases::default();
                releases.collect(&mailbox, time(now), Duration::ZERO);
                releases.save(&mailbox).unwrap();
                releases.cover(&path("upload/a.jpg"), Stage::Upload, SEEN)
            });
            assert_eq!(lived.count(), lives, "{given}");
        }
    }

    /// After a kill, a release that had been used let what `undo` brought back go on through a shut gate.
    #[test]
    fn what_undo_brings_back_is_released_no_more() {
        let root = tempfile::tempdir().unwrap();
        let layout = Layout { root: root.path().to_owned(), areas: BTreeMap::new() };
        let disk = RealDisk::open(layout.clone()).unwrap();
        let mailbox = Mailbox::beside_daemon(layout);
        let mut release = Release::new(Stage::Keep, None, time("2026-11-27T10:00:00Z"));
        let other = Identity { inode: 8, ..SEEN };
        release.name(&path("keep/a.png"), SEEN);
        release.name(&path("keep/b.png"), other);
        request(&mailbox, &release).unwrap();
        let mut releases = Releases::peek(&disk);
        withdraw(&mailbox, [(&path("keep/a.png"), SEEN)]).unwrap();
        releases.reread(&disk);
        for releases in [releases, Releases::peek(&disk)] {
            assert!(!releases.cover(&path("keep/a.png"), Stage::Keep, SEEN));
            assert!(releases.cover(&path("keep/b.png"), Stage::Keep, other));
        }
    }
}
