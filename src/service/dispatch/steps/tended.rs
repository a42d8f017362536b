//! Records that several assets share are brought up to date, and what lies aside gets its second look.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::time::Duration;

use super::super::job::Job;
use super::super::line::InLine;
use super::super::message::{Looks, Work};
use super::super::{Dispatcher, here};
use crate::model::{MarketName, RelPath, Stage, ThemeSlug};
use crate::plan::{BundleName, Facts, Hold, Plan, sync_base_path, theme_of_path};
use crate::records::Dealing;
use crate::report;
use crate::service::clock::Moment;
use crate::service::decide::{Found, FoundBundle, FoundTags, Order, Tended, ThemeVerdict, all_bundles};
use crate::vault::{Aside, DiskResult, SecondLook};

/// What is told of a file that was changed under a name that a person moved it to.
const MOVED_ON: &str = "it was changed after it went on, under a name that it does not have any more; the change is in that \
                        file, wherever it lies now, and nothing was brought back";

/// What is told of a bundled file that a person changed.
const RETOUCHED: &str = "it was changed by hand after it was bundled; its title, keywords and AI mark are those that it has \
                         now, and changed tags reach its row in the CSV alone; to sell the change as stockmill does, put the \
                         file back as it was, `stockmill undo` it, and change it in `export`";

/// Returns what is told of files that went before each market had got them.
fn lost(files: usize) -> String {
    let (what, they) = if files == 1 { ("1 file", "it is") } else { (&*format!("{files} files"), "they are") };
    format!(
        "further markets had not got {what} of it: {they} offered to them no more unless the folder comes back; to \
         sell it there all the same, drop it again and `stockmill release raw --anyway`"
    )
}

impl Dispatcher {
    /// Begins to look at shared records that may have changed.
    pub(in crate::service::dispatch) fn begin_tending(&mut self, now: &Moment, work: &mut Vec<Work>) {
        if self.maintenance.tending.is_due(now.steady) {
            let marked = self.maintenance.gone.next(now.steady);
            let reserved = &self.decide.reserved;
            let in_hand = |theme: ThemeSlug| (reserved.has_theme(&theme), theme);
            let marked: Vec<_> = marked.into_iter().map(in_hand).collect();
            work.extend((!marked.is_empty()).then_some(Work::JudgeGone(marked)));
        }
        let is_quiet = self.pipeline.is_quiet() && self.journal.is_free();
        let is_paused = self.areas.pauses.why_stage(Stage::Upload).is_some();
        let (disk, markets) = (self.decide.disk(), &self.decide.settings.upload.markets);
        let all = || all_bundles(disk, markets);
        let records = self.maintenance.tending.next(now.steady, is_quiet, is_paused, self.pipeline.planned(), &all);
        if !records.is_empty() {
            let bundles: BTreeSet<BundleName> = records.iter().filter_map(Tended::bundle).cloned().collect();
            let order = Order {
                on_record: bundles.iter().filter(|name| self.decide.ledger.is_sent(name)).cloned().collect(),
                settings: self.decide.settings.clone(),
                forgotten: self.decide.forgotten(),
                distrusted: self.maintenance.tending.distrusted(),
                owed: self.decide.owed(&bundles),
                places: self.decide.places(),
                delivered: OnceLock::new(),
                now: now.for_settle(),
            };
            work.push(Work::Tend { records, order });
        }
    }

    /// Takes what a look at shared records showed.
    pub(in crate::service::dispatch) fn on_tended(&mut self, looks: Looks, now: &Moment) {
        let Looks { found, copies, begun_ns, problem } = looks;
        self.maintenance.tending.looked();
        if let Some(problem) = problem.filter(|_| self.intake.watch_health.note_partial()) {
            report::watch_problem(&problem, self.decide.settings.settle.rescan);
        }
        let seen: BTreeSet<&BundleName> = found.iter().filter_map(|(record, _)| record.bundle()).collect();
        self.maintenance.tending.saw_copies(copies, &seen);
        for (record, found) in found {
            match (record, found) {
                (record @ Tended::Tags(_), Ok(Found::Tags(found))) => self.take_tags(record, found, now),
                (Tended::Bundle(name), Ok(Found::Bundle(found))) => self.take_bundle(&name, found, begun_ns, now),
                (record, Ok(_)) => debug_assert!(false, "another record was looked at than {record:?}"),
                (record, Err(hold)) => self.not_seen(record, &hold, now),
            }
        }
    }

    /// Takes why a record could not be looked at, or not at all of it.
    fn not_seen(&mut self, record: Tended, hold: &Hold, now: &Moment) {
        let why = hold.to_string();
        match record {
            Tended::Bundle(name) if !matches!(hold, Hold::Settling { .. }) => {
                if self.tally.repeats.note(&why, now.steady) {
                    self.tally.hold(&name.folder(), &why);
                }
                self.maintenance.tending.cannot_see(name);
            }
            record => {
                report::held_for_now(&record.folder(), &why);
                self.maintenance.tending.later(record, hold, now.steady);
            }
        }
    }

    fn take_tags(&mut self, record: Tended, found: FoundTags, now: &Moment) {
        for (path, why) in self.maintenance.tending.broken(&record.folder(), found.broken) {
            self.tally.hold(&path, &why);
        }
        // Removed everywhere, they stay removed unless an asset needs them.
        let may_restore = found.removed.is_none_or(|theme| self.maintenance.gone.may_restore(&theme));
        if let Some(mut plan) = found.plan.filter(|_| may_restore) {
            if found.is_changed {
                self.decide.tell_sent(&mut plan);
            }
            found.base.iter().for_each(|base| self.maintenance.tending.trust(base));
            self.tend(record, plan, now);
        }
    }

    /// Tells of a bundled file that a person changed.
    fn tell_retouched(&mut self, file: &RelPath) {
        if BundleName::of(file).is_some() && self.inbox.leave_alone(file, RETOUCHED) {
            self.tally.leave_alone(file, RETOUCHED);
        }
    }

    fn take_bundle(&mut self, name: &BundleName, found: FoundBundle, begun_ns: i64, now: &Moment) {
        if let Some((folder, why)) = found.left_alone.filter(|(folder, why)| self.inbox.leave_alone(folder, why)) {
            self.tally.leave_alone(&folder, why);
        }
        let folder = name.folder();
        let is_there = found.folders.iter().any(|(seen, _)| BundleName::of(seen).as_ref() == Some(name));
        let folders: Vec<_> = found.folders.iter().map(|(folder, seen)| (folder.clone(), seen.modified_ns)).collect();
        if !is_there {
            // A person took it away.
            self.intake.folder_times.forget(&folder);
            let lacked = self.maintenance.tending.forget_bundle(name);
            if lacked > 0 {
                self.tally.leave_alone(&folder, &format!("it is gone, and {}", lost(lacked)));
            }
            self.decide.upload.bundles.remove(name);
            return;
        }
        self.intake.folder_times.add(&folders, begun_ns);
        self.maintenance.tending.saw_lacking(name, found.offers.lacking);
        let themes = found.themes.into_iter().chain(found.offers.themes).collect();
        self.maintenance.tending.saw_bundle(name, themes);
        found.waits.into_iter().for_each(|hold| self.not_seen(Tended::Bundle(name.clone()), &hold, now));
        // What joined it since it was looked at, or is about to, counts already.
        let is_current = !self.maintenance.tending.is_marked(name) && !self.decide.reserved.gives_in(&folder);
        match found.bundle {
            Some(bundle) if is_current => drop(self.decide.upload.bundles.insert(name.clone(), bundle)),
            Some(_) => (),
            None => self.decide.upload.bundles.get_mut(name).into_iter().for_each(|bundle| bundle.sent = true),
        }
        found.retouched.iter().for_each(|file| self.tell_retouched(file));
        for (file, why) in found.unsent {
            if self.inbox.leave_alone(&file, &why) {
                report::unsent(&file, &why);
            }
        }
        found.dealing.into_iter().for_each(|plan| self.take_dealing(name, plan, now));
        for mut plan in found.plans {
            self.decide.tell_edited_manifest(&mut plan);
            self.tend(Tended::Bundle(name.clone()), plan, now);
        }
        self.intake.line.forget_offers(name);
        self.take_offers(name, found.offers.files, now);
    }

    /// Takes in which files of a bundle are owed to further markets: where not all may go at once, they stand in line.
    fn take_offers(&mut self, name: &BundleName, files: Vec<(Facts, Vec<MarketName>)>, now: &Moment) {
        for (facts, markets) in files {
            if self.decide.is_upload_limited() {
                self.intake.line.add(InLine::Owed(name.clone(), Box::new(facts), markets), now.steady);
            } else {
                self.offer(name, &facts, &markets, now);
            }
        }
    }

    /// Begins to put a bundled file into the bundle of a further market that takes it by now.
    pub(super) fn offer(&mut self, name: &BundleName, facts: &Facts, markets: &[MarketName], now: &Moment) {
        match self.decide.offer(facts, markets, here(&self.areas, &self.intake.walks, now)) {
            Ok(plan) => self.pipeline.add_job(Job::offer(plan, facts, now.steady)),
            Err(hold @ Hold::Settling { .. }) => {
                self.maintenance.tending.later(Tended::Bundle(name.clone()), &hold, now.steady);
            }
            // It takes it, encoded anew, and that cannot be.
            Err(hold @ Hold::Unwanted(_)) => {
                if self.tally.repeats.note(&format!("{}: {hold}", facts.path), now.steady) {
                    self.tally.hold(&facts.path, &format!("not bundled for a further market: {hold}"));
                }
            }
            // Whoever has the asset in hand lets the bundle be looked at again; so does what opens a gate.
            Err(_) => (),
        }
    }

    /// Records that a bundle was sent, or that it was not; it may be on record by now, or no more.
    fn take_dealing(&mut self, name: &BundleName, plan: Plan, now: &Moment) {
        if matches!(plan.about.dealing, Some(Dealing::Sent(_))) != self.decide.ledger.is_sent(name) {
            self.tend(Tended::Bundle(name.clone()), plan, now);
        }
    }

    /// Begins a plan for a record; if another plan is writing that, it is looked at again when that is done.
    fn tend(&mut self, record: Tended, plan: Plan, now: &Moment) {
        if self.maintenance.tending.begin(&plan) {
            self.pipeline.add_job(Job::new(plan, None, now.steady));
        } else {
            self.maintenance.tending.in_a_moment(record, now.steady);
        }
    }

    /// Takes what is left of themes of which something went.
    pub(in crate::service::dispatch) fn on_gone_judged(
        &mut self,
        verdicts: Vec<(ThemeSlug, ThemeVerdict)>,
        took: Duration,
        now: &Moment,
    ) {
        let forgotten = self.maintenance.gone.looked(verdicts, took, now.steady);
        forgotten.restore.into_iter().for_each(|folder| self.maintenance.tending.tags_changed(folder));
        for (theme, plan) in forgotten.plans {
            // A plan that was made meanwhile may need the tags.
            if self.decide.reserved.has_theme(&theme) || !self.maintenance.tending.begin(&plan) {
                self.maintenance.gone.mark(theme);
                continue;
            }
            self.decide.forget_theme(theme);
            self.pipeline.add_job(Job::new(plan, None, now.steady));
        }
    }

    /// Takes it that a record could not be written: it is tried again after a growing pause.
    pub(in crate::service::dispatch) fn not_tended(
        &mut self,
        plan: &Plan,
        error: &dyn std::fmt::Display,
        now: &Moment,
    ) {
        if self.tally.repeats.note(&format!("{}: {error}", plan.about.did), now.steady) {
            report::tending_failed(&plan.about.did, error);
        }
        self.areas.want_check();
        self.maintenance.tending.failed(plan, now.steady);
        plan.about.theme.iter().for_each(|theme| self.maintenance.gone.mark(theme.clone()));
    }

    /// Takes what became of what lay aside.
    pub(in crate::service::dispatch) fn on_ended(&mut self, ended: Vec<(Aside, DiskResult<SecondLook>)>, now: &Moment) {
        for (aside, ended) in ended {
            match ended {
                Ok(SecondLook::ChangedAs(name)) => {
                    self.maintenance.second_looks.ended(&aside.kept);
                    match name {
                        Some(name) => self.tell_retouched(&name),
                        None => self.tally.leave_alone(&aside.place, MOVED_ON),
                    }
                }
                Ok(SecondLook::Unchanged) => self.maintenance.second_looks.ended(&aside.kept),
                Ok(SecondLook::Unknown) => {
                    self.maintenance.second_looks.ended(&aside.kept);
                    report::stays_aside(&aside.place, &aside.kept);
                }
                Ok(SecondLook::BroughtBack(name)) => {
                    self.maintenance.second_looks.ended(&aside.kept);
                    report::brought_back(&aside.place, &name, BundleName::of(&aside.place) != BundleName::of(&name));
                    self.came_back(&name);
                }
                Err(error) => {
                    if self.tally.repeats.note(&error.to_string(), now.steady) {
                        report::again(Some(&aside.place), &error);
                    }
                    self.maintenance.second_looks.not_ended(&aside.kept, now.steady);
                }
            }
        }
    }

    /// Looks at what came back; of shared tags both versions count from now on.
    fn came_back(&mut self, name: &RelPath) {
        if name.file_name() == "tags.yaml" {
            if let (Some(theme), below) = theme_of_path(name) {
                self.maintenance.tending.distrust(sync_base_path(&theme, below.as_ref()));
            }
            self.maintenance.tending.tags_changed(name.parent().expect("a record lies in a folder"));
        }
        BundleName::of(name).into_iter().for_each(|bundle| self.maintenance.tending.bundle_changed(bundle));
        self.intake.walks.mark_near(name);
    }
}
