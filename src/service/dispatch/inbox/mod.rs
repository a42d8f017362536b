//! What is known of each file in the inboxes.

mod meet;

pub(in crate::service) use meet::{Around, Met, arriving, unfinished};

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use super::part::{By, Due, Left, Part};
use crate::config::SettleSettings;
use crate::intake::{Candidate, Notes, Settle, Unsettled, taken_along};
use crate::model::{RelPath, Stage, ThemeSlug};
use crate::plan::Facts;
use crate::service::clock::Moment;
use crate::service::why::{Reasons, Why, WhyKind};

/// Of so many held assets it is kept what was seen inside; of more, they are looked into again.
pub(super) const FACTS_MAX: usize = 1000;
/// The longest pause before what changed while it was in hand is looked at again.
const CHANGED_PAUSE: Duration = Duration::from_secs(1);

/// The files in the inboxes, and what tells when they are complete.
#[derive(Debug)]
pub(in crate::service) struct Inbox {
    settle: Settle,
    notes: Notes,
    files: BTreeMap<RelPath, FileState>,
    /// How many of them are in hand.
    in_hand: usize,
    tries: BTreeMap<RelPath, Tries>,
    /// The last reason that was told of each file, so that none is told twice.
    told: BTreeMap<RelPath, Why>,
    /// The same of the files that are left alone.
    left_alone: BTreeMap<RelPath, String>,
    reasons: Reasons,
    /// Names that were given or taken while a walk was under way: it may have seen half of an asset.
    just_moved: HashSet<RelPath>,
    /// Until when a file is watched that nothing but time keeps from being taken.
    quiet_until: Duration,
}

/// What is done with a file now.
#[derive(Debug)]
enum FileState {
    InHand {
        state: Fingerprint,
        /// Whether a walk saw it changed meanwhile.
        is_changed: bool,
    },
    Held(Held),
}

/// The state of an asset's files, condensed: a hundred thousand of them may be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service) struct Fingerprint(u64);

/// A file that stays where it is for now.
#[derive(Debug)]
struct Held {
    why: Why,
    state: Fingerprint,
    until: Option<Due>,
    /// What was seen inside, so that it need not be read again.
    facts: Option<Box<Facts>>,
}

/// Tries at one state of a file that went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tries {
    pub(super) count: u32,
    pub(super) first: Duration,
}

/// What is to be told of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::service) enum News {
    /// It is held for a moment.
    Passing(String),
    /// It is held.
    Held(String),
    /// It is left alone.
    LeftAlone(String),
}

impl News {
    fn of(why: &Why) -> Self {
        let text = why.text.to_string();
        match why.kind {
            WhyKind::Unknown => Self::LeftAlone(text),
            // It is over as soon as the other one has gone on.
            WhyKind::Twin => Self::Passing(text),
            _ => Self::Held(text),
        }
    }

    /// Returns the news as of something that a moment ends.
    pub(super) fn in_passing(self) -> Self {
        if let Self::Held(why) = self { Self::Passing(why) } else { self }
    }
}

impl Inbox {
    /// Returns an inbox that has seen nothing.
    pub(in crate::service) fn new(settings: &SettleSettings) -> Self {
        Self {
            settle: Settle::new(settings.quiet, settings.weak_quiet, settings.patience),
            notes: Notes::new(settings.notes_quiet, settings.patience),
            files: BTreeMap::new(),
            in_hand: 0,
            tries: BTreeMap::new(),
            told: BTreeMap::new(),
            left_alone: BTreeMap::new(),
            reasons: Reasons::default(),
            just_moved: HashSet::new(),
            quiet_until: Duration::ZERO,
        }
    }

    /// Takes other quiet times; what is being watched goes on being watched.
    pub(super) fn reload(&mut self, settings: &SettleSettings) {
        self.settle.reload(settings.quiet, settings.weak_quiet, settings.patience);
        self.notes.reload(settings.notes_quiet, settings.patience);
    }

    /// Returns why a file is held, if it is.
    pub(in crate::service) fn why(&self, path: &RelPath) -> Option<&Why> {
        match self.files.get(path) {
            Some(FileState::Held(held)) => Some(&held.why),
            _ => None,
        }
    }

    /// Returns whether this state of a file is held, whether or not its time has come.
    pub(super) fn is_held_as(&self, candidate: &Candidate) -> bool {
        let state = fingerprint(candidate);
        matches!(self.files.get(&candidate.primary.path), Some(FileState::Held(held)) if held.state == state)
    }

    /// Returns when to look again at an asset that somebody may still be writing, and what it waits for.
    pub(in crate::service) fn wait(&mut self, unsettled: &Unsettled, now: &Moment) -> (Duration, String) {
        let (again, why) = self.settle.wait(unsettled, now.for_settle());
        if unsettled.is_by_time() {
            self.quiet_until = self.quiet_until.max(again);
        }
        (again, why)
    }

    /// Takes note that `once` waits for what is held until some time, since time alone ends that.
    pub(super) fn expect_by(&mut self, until: Duration) {
        self.quiet_until = self.quiet_until.max(until);
    }

    /// Holds a file; returns what is to be told. A pause is told once, and not for each file that it keeps waiting.
    pub(super) fn hold(
        &mut self,
        path: &RelPath,
        state: Fingerprint,
        why: Why,
        until: Option<Due>,
        facts: Option<Facts>,
    ) -> Option<News> {
        let why = self.reasons.share(why);
        let is_news = why.kind != WhyKind::Paused && self.note_reason(path, &why);
        let news = is_news.then(|| News::of(&why));
        let facts = facts.filter(|_| self.held() < FACTS_MAX).map(Box::new);
        let held = FileState::Held(Held { why, state, until, facts });
        let before = self.files.insert(path.clone(), held);
        self.no_longer(before.as_ref());
        news
    }

    /// Puts an asset back that was in hand; returns from when on it is judged again, and what is to be told. One that
    /// changed meanwhile is judged soon, but what a disk refuses is not asked for without a pause.
    pub(super) fn put_back(
        &mut self,
        path: &RelPath,
        why: Why,
        until: Option<Duration>,
        facts: Option<Facts>,
        now: Duration,
    ) -> (Option<Due>, Option<News>) {
        let Some(FileState::InHand { state, is_changed }) = self.files.get(path) else { return (None, None) };
        let (state, is_changed) = (*state, *is_changed);
        let soon = until.map_or(now, |until| until.min(now + CHANGED_PAUSE));
        let until = if is_changed { Some(soon) } else { until }.map(|until| Due::new(until, now));
        (until, self.hold(path, state, why, until, facts))
    }

    /// Takes a file in hand.
    pub(super) fn take_in_hand(&mut self, path: RelPath, state: Fingerprint) {
        let before = self.files.insert(path, FileState::InHand { state, is_changed: false });
        self.no_longer(before.as_ref());
        self.in_hand += 1;
    }

    /// Lets go of a file that was in hand.
    pub(super) fn let_out(&mut self, path: &RelPath) {
        if self.is_in_hand(path) {
            let before = self.files.remove(path);
            self.no_longer(before.as_ref());
        }
    }

    /// Forgets an asset that was carried out.
    pub(super) fn done(&mut self, path: &RelPath) {
        self.let_out(path);
        self.tries.remove(path);
        self.settle.forget(path);
        self.notes.forget(path);
    }

    /// Forgets what is held of a file.
    fn remove_held(&mut self, path: &RelPath) {
        if let Some(FileState::Held(_)) = self.files.get(path) {
            self.files.remove(path);
        }
    }

    fn is_in_hand(&self, path: &RelPath) -> bool {
        matches!(self.files.get(path), Some(FileState::InHand { .. }))
    }

    fn saw_in_hand(&mut self, path: &RelPath, seen: Fingerprint) {
        if let Some(FileState::InHand { state, is_changed }) = self.files.get_mut(path) {
            *is_changed |= *state != seen;
        }
    }

    /// Returns whether a walk saw a file changed while it was in hand.
    pub(super) fn is_changed(&self, path: &RelPath) -> bool {
        matches!(self.files.get(path), Some(FileState::InHand { is_changed: true, .. }))
    }

    /// Lets everything that is in hand count as changed: it was decided on by what holds no more.
    pub(super) fn distrust_in_hand(&mut self) {
        for file in self.files.values_mut() {
            if let FileState::InHand { is_changed, .. } = file {
                *is_changed = true;
            }
        }
    }

    /// Counts what a file was that is something else now.
    fn no_longer(&mut self, before: Option<&FileState>) {
        if let Some(FileState::InHand { .. }) = before {
            self.in_hand -= 1;
        }
    }

    /// Counts a try that went wrong.
    pub(super) fn try_again(&mut self, path: &RelPath, now: Duration) -> Tries {
        let tries = self.tries.entry(path.clone()).or_insert(Tries { count: 0, first: now });
        tries.count += 1;
        *tries
    }

    /// Takes note that nothing goes wrong with a file any more.
    pub(super) fn forget_tries(&mut self, path: &RelPath) {
        self.tries.remove(path);
    }

    /// Lets what is held be judged anew.
    pub(super) fn reconsider(&mut self) {
        for file in self.files.values_mut() {
            file.reconsider();
        }
    }

    /// Lets what waits for a stage's gate, or for room at markets, be judged anew; returns whether something does.
    pub(super) fn reconsider_gate(&mut self, stage: Stage) -> bool {
        let mut waits_any = false;
        for (_, file) in self.files.range_mut(stage.folder().inside()) {
            if matches!(file, FileState::Held(held) if matches!(held.why.kind, WhyKind::Gate | WhyKind::Room)) {
                waits_any |= file.reconsider();
            }
        }
        waits_any
    }

    /// Lets what is held of a theme be judged anew; returns the theme's folders in which something is.
    pub(super) fn reconsider_theme(&mut self, theme: &ThemeSlug) -> Vec<RelPath> {
        let units = Stage::ALL.map(|stage| stage.folder().join(theme.as_str())).into_iter();
        let is_any_held = |unit: &RelPath| {
            let files = self.files.range_mut(unit.inside());
            files.fold(false, |is_any, (_, file)| file.reconsider() || is_any)
        };
        units.filter(is_any_held).collect()
    }

    /// Returns whether a file of a theme is known that is in a stage before `upload`.
    pub(super) fn is_on_way_to_upload(&self, theme: &ThemeSlug) -> bool {
        let stages = [Stage::Raw, Stage::Keep, Stage::Export].map(|stage| stage.folder().join(theme.as_str()));
        stages.iter().any(|unit| self.files.range(unit.inside()).next().is_some())
    }

    /// Lets one file be judged anew if it is held; returns whether it is.
    pub(super) fn reconsider_one(&mut self, path: &RelPath) -> bool {
        self.files.get_mut(path).is_some_and(FileState::reconsider)
    }

    /// Forgets the files of a unit that were not found any more. `alone` are those that are left alone.
    pub(super) fn forget_absent(&mut self, unit: &RelPath, found: &HashSet<&RelPath>, alone: &HashSet<&RelPath>) {
        let is_top = unit.parent().is_none() && unit.area() != Stage::Ideas.name();
        let in_scope = |path: &RelPath| if is_top { path.parent().as_ref() == Some(unit) } else { path.is_in(unit) };
        let is_found = |path: &RelPath| found.contains(path) || alone.contains(path);
        self.settle.forget_absent(unit, &in_scope, &is_found);
        let is_gone = |path: &RelPath| in_scope(path) && !is_found(path);
        let inside = unit.inside();
        let is_held = |file: &FileState| matches!(file, FileState::Held(_));
        self.files.extract_if(inside.clone(), |path, file| is_held(file) && is_gone(path)).for_each(drop);
        self.tries.extract_if(inside.clone(), |path, _| is_gone(path)).for_each(drop);
        self.told.extract_if(inside.clone(), |path, _| is_gone(path)).for_each(drop);
        let is_seen = |path: &RelPath| !in_scope(path) || alone.contains(path);
        self.left_alone.extract_if(inside, |path, _| !is_seen(path)).for_each(drop);
    }

    /// Takes note that a file is left alone; returns whether that is to be told.
    pub(super) fn leave_alone(&mut self, path: &RelPath, why: &str) -> bool {
        self.remove_held(path);
        let is_told = self.left_alone.get(path).is_some_and(|told| told == why);
        if !is_told {
            self.left_alone.insert(path.clone(), why.to_owned());
        }
        !is_told
    }

    /// Returns what goes along with a video by its name, if that is to be told: it may have been meant as an asset of
    /// its own.
    pub(super) fn taken_along(&mut self, candidate: &Candidate) -> Vec<RelPath> {
        let why = Why::new(WhyKind::Person, &format!("`{}`", candidate.primary.path));
        let along: Vec<RelPath> = taken_along(candidate).cloned().collect();
        along.into_iter().filter(|path| self.note_reason(path, &why)).collect()
    }

    /// Returns whether a reason was not told of a file yet, and takes note that it is.
    fn note_reason(&mut self, path: &RelPath, why: &Why) -> bool {
        let is_told = self.told.get(path).is_some_and(|told| told == why);
        if !is_told {
            let why = self.reasons.share(why.clone());
            self.told.insert(path.clone(), why);
        }
        !is_told
    }

    /// Takes note of names that are given or taken while a walk is under way.
    pub(super) fn moved_meanwhile<'a>(&mut self, names: impl Iterator<Item = &'a RelPath>) {
        self.just_moved.extend(names.cloned());
    }

    /// Takes note that no walk is under way any more that could have seen half of an asset.
    pub(super) fn walk_ended(&mut self) {
        self.just_moved.clear();
    }

    /// Returns whether a walk may have seen a file in the middle of its step.
    pub(super) fn is_moving(&self, path: &RelPath, is_in_plan: &dyn Fn(&RelPath) -> bool) -> bool {
        self.just_moved.contains(path) || is_in_plan(path)
    }

    /// Returns how many files are in hand.
    pub(super) fn in_hand(&self) -> usize {
        self.in_hand
    }

    /// Returns how many files are held.
    pub(super) fn held(&self) -> usize {
        self.files.len() - self.in_hand
    }
}

impl FileState {
    /// Lets what is held be judged anew; returns whether it is held.
    fn reconsider(&mut self) -> bool {
        let Self::Held(held) = self else { return false };
        held.until = Some(Due::new(Duration::ZERO, Duration::ZERO));
        true
    }
}

impl Part for Inbox {
    fn wake(&self, now: Duration) -> Option<Duration> {
        Some(self.quiet_until).filter(|until| *until > now)
    }

    fn left(&self, now: Duration) -> Left {
        let by_time = (self.quiet_until > now).then_some(By::Time);
        Left { soon: by_time, stuck: self.tries.len() }
    }
}

pub(super) fn fingerprint(candidate: &Candidate) -> Fingerprint {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut state = DefaultHasher::new();
    candidate.files().for_each(|found| found.entry.identity.hash(&mut state));
    // What it waits for may come or go while its own files stay as they are.
    candidate.missing.hash(&mut state);
    Fingerprint(state.finish())
}

#[cfg(test)]
mod tests;
