//! What becomes of a file that a walk found: it waits, is held, or is ready.

use std::collections::HashSet;
use std::time::Duration;

use super::super::part::Due;
use super::super::walks::PAUSE_IF_BUSY;
use super::{FileState, Fingerprint, Inbox, News, fingerprint};
use crate::intake::{Candidate, Sign, Still, Verdict, downloads_as, plain_arrives_as, rest_awaited};
use crate::model::{RelPath, Stage};
use crate::plan::Facts;
use crate::service::clock::Moment;
use crate::service::why::{Why, WhyKind};

/// What a walk saw beside a candidate, and what others know of it.
pub(in crate::service) struct Around<'a> {
    pub(in crate::service) stage: Stage,
    pub(in crate::service) now: &'a Moment,
    /// An editor that is at work on it, for a note.
    pub(in crate::service) sign: Option<&'a Sign>,
    /// Whether a video is written after it.
    pub(in crate::service) is_first_frame: bool,
    /// Names that unfinished downloads will have.
    pub(in crate::service) unfinished: &'a HashSet<RelPath>,
    /// Whether a plan in hand gives or takes a name.
    pub(in crate::service) is_moving: &'a dyn Fn(&RelPath) -> bool,
    /// Whether a person let go of this state of it.
    pub(in crate::service) is_released: &'a dyn Fn(&Candidate) -> bool,
    /// Why it stays whatever is in it.
    pub(in crate::service) shut: &'a dyn Fn(&Candidate) -> Option<Why>,
}

/// What became of a file that a walk found.
#[derive(Debug)]
pub(in crate::service) enum Met {
    /// It can be looked into.
    Ready(Box<Still>),
    /// It is as it was when it was looked into.
    Decide(Box<Facts>),
    /// It waits, until some time if that is known; what is to be told of it.
    Waits(Option<Due>, Option<News>),
    /// The walk may have seen it in the middle of a step.
    WalkNow,
    /// It is in hand.
    InHand,
}

impl Inbox {
    /// Judges what a walk found.
    pub(in crate::service) fn meet(&mut self, candidate: Candidate, around: &Around<'_>) -> Met {
        let path = candidate.primary.path.clone();
        let state = fingerprint(&candidate);
        if self.is_in_hand(&path) {
            self.saw_in_hand(&path, state);
            return Met::InHand;
        }
        if self.join(&candidate) {
            return Met::Waits(Some(Due::new(around.now.steady + PAUSE_IF_BUSY, around.now.steady)), None);
        }
        if self.is_moving(&path, around.is_moving) {
            return Met::WalkNow;
        }
        match self.meet_held(&path, state, around.now.steady) {
            Some(Met::Decide(facts)) => {
                self.take_in_hand(path, state);
                return Met::Decide(facts);
            }
            Some(met) => return met,
            None => (),
        }
        if !candidate.missing.is_empty() && !(around.is_released)(&candidate) {
            let why = Why::new(WhyKind::Incomplete, &candidate.missing.join("; "));
            return Met::Waits(None, self.hold(&path, state, why, None, None));
        }
        if let Some(why) = (around.shut)(&candidate) {
            return Met::Waits(None, self.hold(&path, state, why, None, None));
        }
        if around.stage == Stage::Ideas
            && let Some(met) = self.note_waits(&candidate, around)
        {
            return met;
        }
        self.let_settle(candidate, state, around)
    }

    /// Judges what is held; `None` if it is to be judged anew. Who has an original is looked at anew, since that lies
    /// elsewhere.
    fn meet_held(&mut self, path: &RelPath, state: Fingerprint, now: Duration) -> Option<Met> {
        let Some(FileState::Held(held)) = self.files.get(path) else { return None };
        if held.state != state {
            self.tries.remove(path);
        } else if held.until.is_none_or(|until| until.at > now) {
            return Some(Met::Waits(held.until, None));
        }
        let Some(FileState::Held(held)) = self.files.remove(path) else { return None };
        // Nothing changed but the time: what was seen inside is still true.
        held.facts.filter(|facts| held.state == state && !facts.has_original).map(Met::Decide)
    }

    /// Takes note that files which were found alone before belong to an asset; returns whether some are in hand.
    fn join(&mut self, candidate: &Candidate) -> bool {
        let mut is_any_in_hand = false;
        for found in candidate.files().skip(1) {
            match self.files.get_mut(&found.path) {
                Some(FileState::InHand { is_changed, .. }) => {
                    (*is_changed, is_any_in_hand) = (true, true);
                }
                Some(FileState::Held(_)) => drop(self.files.remove(&found.path)),
                None => (),
            }
        }
        is_any_in_hand
    }

    fn note_waits(&mut self, note: &Candidate, around: &Around<'_>) -> Option<Met> {
        let path = &note.primary.path;
        let wait = self.notes.judge(&note.primary, around.sign, around.now.for_settle())?;
        let why = Why::new(WhyKind::Settling, &wait.why);
        let news = if wait.is_fresh {
            self.quiet_until = self.quiet_until.max(wait.again);
            Some(News::Passing(wait.why))
        } else if self.note_reason(path, &why) {
            Some(News::Held(wait.why))
        } else {
            None
        };
        Some(Met::Waits(Some(Due::new(wait.again, around.now.steady)), news))
    }

    /// Takes a candidate that stands still, and lets one wait that does not.
    fn let_settle(&mut self, candidate: Candidate, state: Fingerprint, around: &Around<'_>) -> Met {
        let path = candidate.primary.path.clone();
        let now = around.now.for_settle();
        let unfinished = |path: &RelPath| around.unfinished.contains(path);
        let has_twin = unfinished(&path) || unfinished(&path.sibling(path.stem()));
        match self.settle.judge(candidate, has_twin, now) {
            Verdict::Still(still) => {
                let watched = self.settle.watched(still.candidate(), now);
                if let Some((until, why)) = rest_awaited(still.candidate(), around.is_first_frame, watched, now) {
                    let why = Why::new(WhyKind::Incomplete, &why);
                    let until = Due::new(until, now.steady);
                    return Met::Waits(Some(until), self.hold(&path, state, why, Some(until), None));
                }
                self.take_in_hand(path, state);
                Met::Ready(still)
            }
            Verdict::Wait { again, why, is_by_time } => {
                if is_by_time {
                    self.quiet_until = self.quiet_until.max(again);
                }
                Met::Waits(Some(Due::new(again, now.steady)), Some(News::Passing(why)))
            }
        }
    }

    /// Judges a companion that was found without its asset as if it had been dropped alone; `Ok` is its state if it is
    /// complete. `has_writer` asks whether somebody writes it.
    pub(in crate::service) fn meet_alone(
        &mut self,
        candidate: Candidate,
        unfinished: &HashSet<RelPath>,
        has_writer: &dyn Fn(&RelPath) -> Option<bool>,
        now: &Moment,
    ) -> Result<Fingerprint, Met> {
        let path = candidate.primary.path.clone();
        let state = fingerprint(&candidate);
        if self.is_in_hand(&path) {
            self.saw_in_hand(&path, state);
            return Err(Met::InHand);
        }
        if let Some(FileState::Held(held)) = self.files.get(&path)
            && held.state == state
            && held.until.is_none_or(|until| until.at > now.steady)
        {
            return Err(Met::Waits(held.until, None));
        }
        self.remove_held(&path);
        let name = path.without_extension();
        let is_twin = |other: &RelPath| other.as_path().as_os_str() == name || other.without_extension() == name;
        let waits = |again, why| Met::Waits(Some(Due::new(again, now.steady)), Some(News::Passing(why)));
        match self.settle.judge(candidate, unfinished.iter().any(is_twin), now.for_settle()) {
            Verdict::Wait { again, why, .. } => Err(waits(again, why)),
            Verdict::Still(still) => match still.settled(has_writer) {
                Ok(_) => Ok(state),
                Err(unsettled) => {
                    let (again, why) = self.wait(&unsettled, now);
                    Err(waits(again, why))
                }
            },
        }
    }
}

/// Returns the names that files among these will have which a program is still writing under another name.
pub(in crate::service) fn arriving<'a>(names: impl Iterator<Item = &'a RelPath>) -> HashSet<RelPath> {
    names.filter_map(|path| Some(path.sibling(plain_arrives_as(&path.file_text())?))).collect()
}

/// Returns the names that unfinished downloads among these will have.
pub(in crate::service) fn unfinished<'a>(names: impl Iterator<Item = &'a RelPath>) -> HashSet<RelPath> {
    names.filter_map(|path| Some(path.sibling(downloads_as(&path.file_text())?))).collect()
}
