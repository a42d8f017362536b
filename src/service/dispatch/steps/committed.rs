//! Products become files: batches, undo and recovery, which share the journal, and what follows from each.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::super::Dispatcher;
use super::super::failure::commit_pause;
use super::super::job::Job;
use super::super::journal_use::{Phase, Use};
use super::super::message::Work;
use super::super::part::Due;
use crate::intake::is_model_folder;
use crate::make::MakeError;
use crate::model::{MarketName, RelPath, ThemeSlug};
use crate::plan::{BundleName, Plan, TAGS_COPIED, emptied_folders};
use crate::records::{About, Dealing, Intent, Publish};
use crate::report::{self, Weight};
use crate::service::carried_out::{CarriedOut, Rules};
use crate::service::clock::Moment;
use crate::service::sent::is_sent;
use crate::service::survey::unit_of;
use crate::service::theme_files::remove_emptied_folders;
use crate::service::why::{Why, WhyKind};
use crate::vault::{Aside, CommitError, DiskResult, Made, Receipt, Recovered};

impl Dispatcher {
    /// Takes products that are complete, or could not be made.
    pub(in crate::service::dispatch) fn on_made(&mut self, made: Vec<(Job, Result<Made, MakeError>)>, now: &Moment) {
        let first_took = self.pipeline.made(made.iter().map(|(job, _)| job), now.steady);
        if let Some(took) = first_took.filter(|_| made.iter().all(|(job, made)| job.is_by_net && made.is_ok())) {
            report::net_took(took);
        }
        for (mut job, result) in made {
            match result.and_then(|made| self.decide.as_foreseen(&mut job.plan, made)) {
                Ok(made) => self.pipeline.add_made(job, made, now.steady),
                Err(error) => self.not_done(job, &error, now),
            }
        }
    }

    /// Takes it that a plan could not be carried out.
    fn not_done(&mut self, mut job: Job, error: &MakeError, now: &Moment) {
        let is_offer = job.is_offer();
        self.let_go(&mut job, now);
        if is_offer && self.decide.learn_of_offer(&job.plan, error) {
            // Its bundle is looked at anew.
            return;
        }
        self.decide.learn(&job.plan, error);
        match job.facts {
            Some(facts) => {
                let path = facts.path.clone();
                self.take_trouble(&path, Some(facts), error, now);
            }
            None => self.not_tended(&job.plan, error, now),
        }
    }

    /// Begins to carry out what is to be carried out together now.
    pub(in crate::service::dispatch) fn begin_commit(&mut self, now: &Moment, work: &mut Vec<Work>) {
        if self.journal.present_phase() == Phase::Recover || !self.journal.is_free() {
            return;
        }
        let Some(batch) = self.pipeline.batch(now.steady) else { return };
        let batch = self.still_right(batch, now);
        if !batch.is_empty() {
            self.journal.begin(Use::Committing);
            work.push(Work::Commit { batch, now: now.timestamp() });
        }
    }

    /// Returns what is still right of a batch. What changed since it was decided on (a companion came, or is somebody
    /// else's by now), and what would join a bundle that was sent meanwhile, is looked at anew. Where a bundle cannot be
    /// looked at, nobody knows whether it was sent: that is trouble with a disk.
    fn still_right(&mut self, batch: Vec<(Job, Made)>, now: &Moment) -> Vec<(Job, Made)> {
        let mut sent: BTreeMap<BundleName, bool> = BTreeMap::new();
        let mut right = Vec::with_capacity(batch.len());
        for (mut job, made) in batch {
            let is_changed = job.facts.as_ref().is_some_and(|facts| self.inbox.is_changed(&facts.path));
            match self.joins_sent(&job.plan, &mut sent) {
                Ok(false) if !is_changed => right.push((job, made)),
                Ok(_) => {
                    made.discard(&self.decide.vault);
                    self.let_go(&mut job, now);
                    job.facts.iter().for_each(|facts| self.look_anew(&facts.path, Due::new(now.steady, now.steady)));
                }
                Err(error) => {
                    made.discard(&self.decide.vault);
                    self.not_done(job, &MakeError::Disk(error), now);
                }
            }
        }
        right
    }

    /// Returns whether a plan adds to a bundle that was sent; `sent` is what was seen of bundles already.
    fn joins_sent(&self, plan: &Plan, sent: &mut BTreeMap<BundleName, bool>) -> DiskResult<bool> {
        for name in &plan.rows {
            if !sent.contains_key(name) {
                sent.insert(name.clone(), is_sent(self.decide.disk(), &name.folder())?);
            }
        }
        Ok(plan.rows.iter().any(|name| sent[name]))
    }

    /// Begins to take back what a person wants, once nothing else is in hand.
    pub(in crate::service::dispatch) fn begin_undo(&mut self, now: &Moment, work: &mut Vec<Work>) {
        if self.pipeline.is_busy() || self.pipeline.has_batch() || self.intake.walks.is_walking() {
            return;
        }
        let Some(posted) = self.journal.next_request() else { return };
        self.journal.begin(Use::Undoing);
        self.decide.save_releases();
        let rules = Rules::of(&self.decide.settings);
        work.push(Work::Undo { posted, rules, now: now.timestamp() });
    }

    /// Begins to finish or take back what a disk error left open, once nothing else is in hand.
    pub(in crate::service::dispatch) fn begin_recovery(&mut self, now: &Moment, work: &mut Vec<Work>) {
        if self.pipeline.is_busy() || !self.journal.may_recover(now.steady) {
            return;
        }
        for (mut job, made) in self.pipeline.abandon_batch() {
            drop(made);
            self.let_go(&mut job, now);
            job.facts.iter().for_each(|facts| self.inbox.let_out(&facts.path));
        }
        self.journal.begin(Use::Recovering);
        work.push(Work::Recover(self.areas.attached()));
    }

    /// Takes what became of a batch.
    pub(in crate::service::dispatch) fn on_committed(
        &mut self,
        jobs: Vec<Job>,
        results: Vec<Result<Receipt, CommitError>>,
        now: &Moment,
    ) {
        self.journal.ended();
        for (mut job, result) in jobs.into_iter().zip(results) {
            if self.intake.walks.is_walking() {
                self.inbox.moved_meanwhile(job.plan.gives().chain(job.plan.takes()));
            }
            match result {
                Ok(receipt) => self.carried_out(&mut job, receipt, now),
                Err(CommitError::Refused(error)) => self.not_done(job, &MakeError::Disk(error), now),
                Err(CommitError::Open(error)) => {
                    self.journal.want_recovery();
                    self.not_done(job, &MakeError::Disk(error), now);
                }
                Err(error) => self.try_anew(&mut job, &error, now),
            }
        }
    }

    /// Takes it that a plan does not fit what lies on disk by now: it is decided anew.
    fn try_anew(&mut self, job: &mut Job, error: &CommitError, now: &Moment) {
        self.let_go(job, now);
        report::again(job.plan.about.from.as_ref(), error);
        let Some(facts) = &job.facts else { return self.not_tended(&job.plan, error, now) };
        let tries = self.inbox.try_again(&facts.path, now.steady);
        let why = Why::new(WhyKind::Refused, &format!("{error}; tried again"));
        self.put_back(&facts.path, why, Some(now.steady + commit_pause(tries.count)), None, now);
    }

    fn carried_out(&mut self, job: &mut Job, receipt: Receipt, now: &Moment) {
        self.let_go(job, now);
        let took = now.steady.saturating_sub(job.begun);
        self.close(&receipt.about, &receipt.publish, now.timestamp(), took);
        self.maintenance.second_looks.add(receipt.asides, now.steady);
        self.decide.ledger.notes.remember_plan(receipt.plan, &job.plan);
        self.areas.proved(job.plan.gives()).iter().for_each(report::resumed);
        self.after(&job.plan);
        job.offered.iter().for_each(|offered| self.decide.use_up_offered(offered));
        if let Some(facts) = &job.facts {
            self.decide.use_up_release(facts);
            self.inbox.done(&facts.path);
        }
    }

    /// Takes note of a plan that was carried out, whoever did it: in the ledger, the tally and the log.
    fn close(&mut self, about: &About, publish: &[Publish], at: Timestamp, took: Duration) {
        self.decide.carried_out(about, publish, at);
        if let Some(market) = about.dealing.as_ref().and_then(dealt_with) {
            // What a market has keeps no row in its other bundles.
            let ledger = &self.decide.ledger;
            self.maintenance.tending.dealt(&market, |name| !ledger.is_sent(name));
        }
        self.tally.count_done();
        let steps = about.told();
        for (number, step) in (1..).zip(&steps) {
            // Steps that were taken at once took their time together.
            report::moved(step, weight(step), (number == steps.len()).then_some(took));
        }
    }

    /// Lets go of what a plan had taken: an asset's names and number, or the records that it tends, and its room.
    pub(in crate::service::dispatch) fn let_go(&mut self, job: &mut Job, now: &Moment) {
        if job.facts.is_some() || job.is_offer() {
            for twin in self.decide.reserved.give_back(&job.plan) {
                if self.inbox.reconsider_one(&twin) {
                    self.intake.walks.mark_path_at(&twin, Due::new(now.steady, now.steady));
                }
            }
        } else if let Some(theme) = &job.plan.about.theme {
            self.decide.remember_theme(theme);
        }
        if job.is_offer() {
            // What did not come of it is offered anew, and so is what others had in hand.
            let bundle = job.plan.about.from.as_ref().and_then(BundleName::of);
            bundle.into_iter().for_each(|bundle| self.maintenance.tending.bundle_changed(bundle));
        }
        self.maintenance.tending.ended(&job.plan);
        // Their rows were counted when it was decided; what came of that is seen there.
        job.plan.rows.iter().for_each(|name| self.maintenance.tending.bundle_changed(name.clone()));
        job.promise.take().into_iter().for_each(|promise| self.areas.give_back(promise));
    }

    /// Looks at what a plan changed: the next inbox, bundles, shared tags, the folders that it emptied.
    fn after(&mut self, plan: &Plan) {
        let walks = &mut self.intake.walks;
        plan.gives().for_each(|target| walks.mark_theme_of(target));
        for bundle in plan.gives().filter_map(BundleName::of).filter(|_| plan.about.from.is_some()) {
            self.maintenance.tending.bundle_changed(bundle);
        }
        remove_emptied_folders(&self.decide.vault, plan);
        emptied_folders(plan).keys().for_each(|folder| walks.mark_known(folder));
        // A model beside a folder for parts waits for as long as something lies in it.
        let left = plan.takes().filter_map(unit_of).filter(|unit| unit.parent().is_some() && is_model_folder(unit));
        left.for_each(|unit| walks.mark(unit.area_path()));
        let has_tags = plan.products.iter().any(|product| product.to.file_name() == "tags.yaml");
        if let Some(theme) = plan.about.theme.as_ref().filter(|_| has_tags) {
            // Shared tags are resolved late: bundles that are not sent yet follow, and so may what waited for a title.
            self.maintenance.tending.theme_changed(theme);
            self.reconsider_theme(theme);
        }
    }

    /// Lets what is held of a theme be decided anew.
    pub(in crate::service::dispatch) fn reconsider_theme(&mut self, theme: &ThemeSlug) {
        self.inbox.reconsider_theme(theme).into_iter().for_each(|unit| self.intake.walks.mark(unit));
    }

    /// Takes note of what a person wanted back.
    pub(in crate::service::dispatch) fn on_undone(&mut self, undone: CarriedOut, now: &Moment) {
        self.journal.ended();
        if undone.is_open {
            self.journal.want_recovery();
        }
        for receipt in undone.receipts {
            self.close(&receipt.about, &receipt.publish, now.timestamp(), Duration::ZERO);
            self.decide.ledger.kept.note(&receipt.about, &receipt.asides);
            self.maintenance.second_looks.add(receipt.asides, now.steady);
            let to = receipt.about.to.as_ref().filter(|_| receipt.about.asset.is_none());
            if let Some(bundle) = to.and_then(BundleName::of) {
                // What lay in it came back: nothing of it is lost for further markets.
                self.maintenance.tending.saw_lacking(&bundle, 0);
                self.maintenance.tending.bundle_changed(bundle);
            }
        }
        self.decide.reread_releases();
        // Records that were to be brought into step may be gone: that is decided anew.
        for mut job in self.pipeline.take_records() {
            self.let_go(&mut job, now);
            job.plan.about.theme.into_iter().for_each(|theme| self.maintenance.gone.mark(theme));
        }
        self.maintenance.tending.forget_seen_tags();
        self.reconsider();
        self.look_everywhere(now);
    }

    /// Takes what a recovery finished, took back, or had to leave.
    pub(in crate::service::dispatch) fn on_recovered(&mut self, result: DiskResult<Recovered>, now: &Moment) {
        match result {
            Ok(recovered) => {
                self.journal.recovered(Some(recovered.is_refused()), now.steady);
                let is_news = !recovered.finished.is_empty() || !recovered.taken_back.is_empty();
                let repeats = &mut self.tally.repeats;
                if is_news || !recovered.is_refused() || repeats.note("recovery was refused", now.steady) {
                    report::recovered(&recovered);
                }
                for intent in &recovered.finished {
                    self.close(&intent.about, &intent.publish, intent.at, Duration::ZERO);
                    self.decide.ledger.notes.remember_intent(intent);
                    self.decide.ledger.kept.note(&intent.about, &Aside::of_intent(intent));
                    self.maintenance.second_looks.add(Aside::of_intent(intent), now.steady);
                }
                self.take_blocked(&recovered);
            }
            Err(error) => {
                self.journal.recovered(None, now.steady);
                report::recovery_failed(&error);
            }
        }
        self.maintenance.tending.forget_seen_tags();
        self.look_everywhere(now);
    }

    /// Keeps the files of plans that stay open where they are.
    pub(in crate::service::dispatch) fn take_blocked(&mut self, recovered: &Recovered) {
        let blocked = blocked(recovered, self.areas.detached());
        if std::mem::replace(&mut self.decide.blocked, blocked) != self.decide.blocked {
            self.reconsider();
        }
    }
}

/// Returns how much a person wants to know of a step.
fn weight(about: &About) -> Weight {
    let is_set_aside = about.undoes.is_none() && about.to.as_ref().is_some_and(|to| to.area() == "failed");
    match about.did.as_str() {
        TAGS_COPIED => Weight::Routine,
        _ if is_set_aside => Weight::SetAside,
        _ => Weight::Step,
    }
}

/// Returns the market that something is put on record about.
fn dealt_with(dealing: &Dealing) -> Option<MarketName> {
    match dealing {
        Dealing::Sent(sending) => Some(sending.market.clone()),
        Dealing::NotSent(bundle) => BundleName::of(bundle).map(|name| name.market),
        Dealing::Answered(answers) => Some(answers.market.clone()),
    }
}

/// Returns the files of plans that stay open, and why.
fn blocked(recovered: &Recovered, detached: &BTreeSet<RelPath>) -> HashMap<RelPath, Arc<str>> {
    let files = |intent: &Intent| {
        let published = intent.publish.iter().map(|product| product.to.clone());
        let moved = intent.moves.iter().flat_map(|shift| [shift.from.clone(), shift.to.clone()]);
        let removed = intent.removes.iter().map(|gone| gone.path.clone());
        published.chain(moved).chain(removed).collect::<Vec<_>>()
    };
    let mut blocked = HashMap::new();
    for intent in &recovered.waiting {
        let files = files(intent);
        let away = files.iter().map(RelPath::area_path).find(|area| detached.contains(area));
        let away = away.unwrap_or_else(|| intent.about.stage.folder());
        let why: Arc<str> = format!("it waits for `{away}`, which is paused").into();
        blocked.extend(files.into_iter().map(|file| (file, why.clone())));
    }
    for (intent, error) in &recovered.refused {
        let why: Arc<str> = format!("the disk refuses to finish it ({error}); tried again").into();
        blocked.extend(files(intent).into_iter().map(|file| (file, why.clone())));
    }
    blocked
}
