use std::io::{Seek as _, SeekFrom, Write};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use super::external::Task;
use super::kept::made_before;
use super::sidecars::{Known, filled};
use super::{Limits, MakeError, unread};
use crate::craft::{self, Brought, CraftError, EssenceWriter, Progress, Stopped, Stored};
use crate::model::{ContentHash, INSTEAD, Identity, Kind, MarketName, Meta, Output, RelPath, Render, Upscaler};
use crate::plan::{Check, Plan, Product, Recipe};
use crate::vault::{DiskError, DiskResult, Draft, Look, Made, ReadSeek, Vault};

/// What is told of a picture that need not be made.
const TAKEN_BACK: &str = "taken from the trash, where the same lay";

/// Makes a plan's products in scratch. Whatever goes wrong, nothing but scratch was touched.
pub fn make(vault: &Vault, plan: &Plan, limits: &Limits, progress: &dyn Progress) -> Result<Made, MakeError> {
    let disk = vault.disk();
    if let Some(check) = &plan.check {
        check_source(&Sources { disk, plan, limits }, check)?;
    }
    let mut draft = vault.draft();
    let mut about = plan.about.clone();
    let mut earlier = Vec::with_capacity(plan.products.len());
    for product in &plan.products {
        let known = make_product(&Sources { disk, plan, limits }, progress, &mut draft, product, &earlier)?;
        if let (Some(range), Recipe::Render { .. }) = (&plan.bytes, &product.recipe) {
            is_as_foreseen(range, known.bytes)?;
        }
        fits_its_market(plan, earlier.len(), product, known.bytes)?;
        about.essences.extend(known.essence.clone().filter(|essence| !about.essences.contains(essence)));
        for (remark, step) in known.told(plan) {
            if about.did.contains(remark) {
                continue;
            }
            about.did = format!("{}; {remark}", about.did);
            if let Some(step) = step.and_then(|step| about.steps.get_mut(step)) {
                step.did = format!("{}; {remark}", step.did);
            }
        }
        earlier.push(known);
    }
    for shift in &plan.moves {
        draft.shift(&shift.from, &shift.to, shift.seen)?;
    }
    for gone in &plan.removes {
        draft.remove(&gone.path, gone.seen)?;
    }
    Ok(draft.finish(about))
}

/// Refuses a picture that no market's limits were checked for.
fn is_as_foreseen(range: &RangeInclusive<u64>, bytes: u64) -> Result<(), MakeError> {
    if range.contains(&bytes) {
        return Ok(());
    }
    let (min, max) = (range.start(), range.end());
    Err(MakeError::Unforeseen(format!("it has {bytes} bytes once it is made, and {min} to {max} were foreseen")))
}

/// Refuses a file of a market's own that has not as many bytes as that takes.
fn fits_its_market(plan: &Plan, number: usize, product: &Product, bytes: u64) -> Result<(), MakeError> {
    let Some((_, own)) = plan.own_files.iter().find(|(own, _)| *own == number) else { return Ok(()) };
    let range = match &product.recipe {
        // It has the bytes of one that was looked at.
        Recipe::SameAs { .. } => return Ok(()),
        Recipe::Render { render: Render { output: Output::Final { bytes: Some(range), .. }, .. }, .. } => *range,
        _ => *own,
    };
    if range.holds(bytes) {
        return Ok(());
    }
    Err(MakeError::Unfit {
        range,
        why: format!("no quality that was tried gives it {range}, and as asked it has {bytes}"),
    })
}

/// Finds out whether a plan's source is sound, as making does, and makes nothing.
pub fn prove(disk: &dyn Look, plan: &Plan, limits: &Limits) -> Result<(), MakeError> {
    let Some(check) = &plan.check else { return Ok(()) };
    check_content(&Sources { disk, plan, limits }, check)
}

/// Checks the whole content of a source that stockmill did not make itself. A picture that a product
/// is made from is decoded for that anyway.
fn check_source(sources: &Sources<'_>, check: &Check) -> Result<(), MakeError> {
    let decoded_anyway = sources.plan.products.iter().any(|product| match &product.recipe {
        Recipe::Render { from, .. } => *from == check.path,
        _ => false,
    });
    if decoded_anyway { Ok(()) } else { check_content(sources, check) }
}

fn check_content(sources: &Sources<'_>, check: &Check) -> Result<(), MakeError> {
    if check.kind.is_image() {
        let mut stored = sources.stored(&check.path)?;
        let checked = stored.decoded(|coded| craft::check_picture(coded, check.kind, &sources.limits.decode));
        return Ok(checked.map_err(unread(&check.path))??);
    }
    let length = sources.disk.stat(&check.path)?.map_or(0, |entry| entry.identity.size);
    Ok(craft::check_whole(sources.open(&check.path)?, length, check.kind)?)
}

fn make_product(
    sources: &Sources<'_>,
    progress: &dyn Progress,
    draft: &mut Draft,
    product: &Product,
    earlier: &[Known],
) -> Result<Known, MakeError> {
    let bytes = match &product.recipe {
        Recipe::Same { from, hash } => {
            draft.same(from, &product.to, hash, sources.seen(from))?;
            // It shows the same as its source, whose essence is known.
            return Ok(Known::file(hash.clone()));
        }
        Recipe::SameAs { product: earlier_one } => {
            draft.same_as(*earlier_one, &product.to, product.mode.clone())?;
            return Ok(Known { bytes: 0, ..earlier[*earlier_one].clone() });
        }
        Recipe::Bytes(bytes) => bytes.clone(),
        Recipe::Copy { from } => {
            let mut opened = sources.open(from)?;
            let (file, _) = draft.stream(from, &mut opened, &product.to, product.mode.clone())?;
            return Ok(Known::file(file));
        }
        Recipe::SidecarOf { product, sidecar } => {
            filled(sources.plan, draft, *product, sidecar, earlier)?.to_text().into_bytes()
        }
        Recipe::Render { from, kind, render } => {
            if let Some(bytes) = made_before(sources.disk, sources.plan, earlier.len(), sources.limits.file_bytes_max) {
                return picture(draft, product, render.output.kind(), |out| {
                    craft::written(out, &bytes)?;
                    Ok((Some(TAKEN_BACK.to_owned()), None))
                });
            }
            return rendered(sources, (from, *kind), render, progress, draft, product);
        }
        Recipe::Blank { from, kind } if kind.is_image() => craft::stripped(&sources.read(from)?, *kind)?.into_bytes(),
        Recipe::Blank { from, kind } => {
            return video(sources, (from, *kind), draft, product, |opened, length| {
                // Every size and offset stays as it is.
                craft::private(opened, length, *kind).map(|found| (found.edits, length))
            });
        }
        Recipe::Embed { from, kind, meta } if kind.is_video() => {
            return video(sources, (from, *kind), draft, product, |opened, length| {
                let edits = craft::tagged(opened, length, *kind, meta)?;
                craft::length_with(length, &edits).map(|bytes| (edits, bytes))
            });
        }
        Recipe::Embed { from, kind, meta } => {
            return embedded(&sources.read(from)?, *kind, meta, draft, product);
        }
        Recipe::EmbedOf { product: earlier, kind, meta } => {
            let source = draft.bytes_of(*earlier, sources.limits.file_bytes_max)?;
            return embedded(&source, *kind, meta, draft, product);
        }
    };
    Ok(Known::file(draft.write(&product.to, &bytes, product.mode.clone())?))
}

/// Writes a video with some of its bytes replaced, while it is read; `edits` returns how, and how many bytes it has then.
fn video(
    sources: &Sources<'_>,
    (from, kind): (&RelPath, Kind),
    draft: &mut Draft,
    product: &Product,
    edits: impl FnOnce(&mut dyn ReadSeek, u64) -> Result<(Vec<craft::Edit>, u64), CraftError>,
) -> Result<Known, MakeError> {
    let mut opened = sources.open(from)?;
    let said = |source| DiskError { call: "read", path: from.clone(), source };
    let length = opened.seek(SeekFrom::End(0)).map_err(said)?;
    let (edits, expected) = edits(&mut *opened, length)?;
    opened.rewind().map_err(said)?;
    // What lies among its samples may go.
    let mut video = craft::Watched::new(craft::edited(opened, length, edits)?, Some(kind), length);
    let (file, bytes) = draft.stream(from, &mut video, &product.to, product.mode.clone())?;
    if bytes != expected {
        let why = format!("{bytes} bytes of the video were written, and {expected} were to be");
        return Err(CraftError::Defect(why).into());
    }
    Ok(Known { essence: video.essence(), ..Known::file(file) })
}

/// Writes a finished picture with other metadata.
fn embedded(source: &[u8], kind: Kind, meta: &Meta, draft: &mut Draft, product: &Product) -> Result<Known, MakeError> {
    let (embedded, told) = craft::embed(source, kind, meta)?;
    picture(draft, product, kind, |out| {
        embedded.write(out)?;
        Ok((told, None))
    })
}

/// Returns whose limits a range of bytes is that no quality gave: no market alone may have it.
fn limits_of(markets: &[MarketName]) -> String {
    match markets {
        [] => "the limits of its markets".to_owned(),
        [market] => format!("the limits of {market}"),
        all => {
            let names: Vec<&str> = all.iter().map(MarketName::as_str).collect();
            format!(
                "the limits of {} together; whichever of them this file misses gets one of its own, or refuses it in \
                 `upload` with its own limits as the reason",
                names.join(", ")
            )
        }
    }
}

/// Makes a picture of another. If a net is of no use for it, that is told, and it is made without.
fn rendered(
    sources: &Sources<'_>,
    (from, kind): (&RelPath, Kind),
    render: &Render,
    progress: &dyn Progress,
    draft: &mut Draft,
    product: &Product,
) -> Result<Known, MakeError> {
    let net = sources.net(&render.by)?;
    let net = net.as_ref().map(|brought| &brought.net);
    let (mut source, limits) = (sources.stored(from)?, &sources.limits.decode);
    let still = || sources.open(from).map(drop);
    let looked = Looked { progress, still: &still, asked: AtomicU32::new(0), gone: Mutex::new(None) };
    let progress: &dyn Progress = if render.by.may_use_net() { &looked } else { progress };
    let mut by = |render: &Render, draft: &mut Draft| {
        let given = match &render.by {
            Upscaler::Command(step) if render.size.is_some() => {
                let (vault, limits, still) = (draft.vault().clone(), sources.limits, || sources.open(from).map(drop));
                let task = Task { vault: &vault, kind, render, step, limits, progress, still: &still };
                Some(task.carry_out(from, &mut source))
            }
            _ => None,
        };
        let mut chosen = None;
        let known = picture(draft, product, render.output.kind(), |out| {
            let given = given.transpose()?;
            let made = source.decoded(|coded| match given {
                None => craft::render_by(net, (coded, kind), render, limits, progress, out),
                Some(mut given) => given
                    .decoded(limits, |given| craft::render_given((coded, kind), given, render, limits, progress, out)),
            });
            let made = made.map_err(unread(from))?.map_err(|error| match error {
                CraftError::NotGiven(_) => MakeError::Program(error.to_string()),
                error => error.into(),
            })?;
            chosen = made.by;
            let told: Vec<String> = made
                .encoded
                .into_iter()
                .chain(made.unfit.map(|why| format!("{why}, {}", limits_of(&sources.plan.bytes_for))))
                .collect();
            Ok((made.remark, (!told.is_empty()).then(|| told.join("; "))))
        })?;
        Ok(Known { by: chosen, ..known })
    };
    let made = by(render, draft);
    if let Some(gone) = looked.gone.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return Err(gone.into());
    }
    match (made, render.by.instead()) {
        (Err(error @ MakeError::Content(CraftError::NotByNet(_) | CraftError::NotByProgram(_))), Some(instead)) => {
            draft.give_up_last();
            let known = by(&Render { by: instead.clone(), ..render.clone() }, draft)?;
            let told = format!("{INSTEAD}: {error}");
            let remark = known.remark.into_iter().chain([told]).collect::<Vec<_>>().join("; ");
            Ok(Known { remark: Some(remark), by: Some(instead), ..known })
        }
        (made, _) => made,
    }
}

/// Looks at a source now and then while a net is at work on it: nobody waits for what is not there any more.
struct Looked<'a> {
    progress: &'a dyn Progress,
    still: &'a (dyn Fn() -> DiskResult<()> + Sync),
    asked: AtomicU32,
    gone: Mutex<Option<DiskError>>,
}

/// After how many rows the source is looked at.
const LOOKED_EVERY: u32 = 64;

impl Progress for Looked<'_> {
    fn rows(&self, done: u32, of: u32) -> Result<(), Stopped> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        if asked.is_multiple_of(LOOKED_EVERY)
            && let Err(error) = (self.still)()
        {
            *self.gone.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            return Err(Stopped);
        }
        self.progress.rows(done, of)
    }
}

/// Writes a picture while it is made; `make` returns what a person is told of it, and of how it is written.
fn picture(
    draft: &mut Draft,
    product: &Product,
    kind: Kind,
    make: impl FnOnce(&mut dyn Write) -> Result<(Option<String>, Option<String>), MakeError>,
) -> Result<Known, MakeError> {
    let mut writer = EssenceWriter::new(draft.writer(&product.to, product.mode.clone())?, Some(kind));
    let made = make(&mut writer);
    let (writer, essence) = writer.finish();
    // What the disk refused comes first: an encoder tells it in words of its own.
    let (file, bytes) = writer.finish()?;
    let (remark, encoded) = made?;
    Ok(Known { file, essence, remark, encoded, bytes, by: None })
}

/// The files that a plan's products are made from, each the very one that was seen when it was decided.
struct Sources<'a> {
    disk: &'a dyn Look,
    plan: &'a Plan,
    limits: &'a Limits,
}

impl Sources<'_> {
    fn seen(&self, path: &RelPath) -> Option<Identity> {
        let moved = self.plan.moves.iter().map(|shift| (&shift.from, shift.seen));
        let removed = self.plan.removes.iter().map(|gone| (&gone.path, gone.seen));
        moved.chain(removed).find(|(from, _)| *from == path).map(|(_, seen)| seen)
    }

    fn open(&self, path: &RelPath) -> DiskResult<Box<dyn ReadSeek>> {
        match self.seen(path) {
            Some(seen) => self.disk.open_as(path, seen),
            None => self.disk.open(path),
        }
    }

    fn read(&self, path: &RelPath) -> DiskResult<Vec<u8>> {
        craft::read_whole(&mut self.open(path)?, self.limits.file_bytes_max).map_err(unread(path))
    }

    /// Returns the net that somebody brought, if one is to be used: the very one that was decided on.
    fn net(&self, by: &Upscaler) -> Result<Option<Brought>, MakeError> {
        let Upscaler::Brought { name, hash } = by else { return Ok(None) };
        let path = name.file();
        let unforeseen = |why: &dyn std::fmt::Display| MakeError::Unforeseen(format!("the net `{path}`: {why}"));
        let bytes = self.disk.read(&path, craft::NET_BYTES_MAX).map_err(|error| unforeseen(&error))?;
        if ContentHash::of(&bytes) != *hash {
            return Err(unforeseen(&"it was changed meanwhile"));
        }
        Brought::read(&bytes).map(Some).map_err(|error| unforeseen(&error))
    }

    fn stored(&self, path: &RelPath) -> DiskResult<Stored<Box<dyn ReadSeek>>> {
        Stored::open(self.open(path)?, self.limits.file_bytes_max).map_err(unread(path))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::Stage;
    use crate::records::{About, PublishMode};
    use crate::vault::{Disk as _, Layout, RealDisk};

    /// A film that is not as long as its edits make it lacks something, or has too much.
    #[test]
    fn a_film_of_another_length_than_foreseen_is_none() {
        let root = tempfile::tempdir().unwrap();
        let disk = RealDisk::open(Layout { root: root.path().to_owned(), areas: [].into() }).unwrap();
        let path = |text: &str| RelPath::new(text).unwrap();
        disk.make_area(&path("upload")).unwrap();
        disk.write_new(&path("upload/a.mp4"), b"a film").unwrap();
        let vault = Vault::new(Arc::new(disk), &[]).unwrap();
        let decode = craft::Limits::default();
        let limits = Limits { file_bytes_max: 1 << 20, decode, command: None };
        let plan = Plan::new(About::new(Stage::Upload, ""));
        let sources = Sources { disk: vault.disk(), plan: &plan, limits: &limits };
        for (foreseen, is_made) in [(5, false), (6, true), (7, false)] {
            let product =
                Product { to: path("upload/b.mp4"), recipe: Recipe::Bytes(Vec::new()), mode: PublishMode::New };
            let mut draft = vault.draft();
            let from = (&path("upload/a.mp4"), Kind::Mp4);
            let made = video(&sources, from, &mut draft, &product, |_, _| Ok((Vec::new(), foreseen)));
            let told = format!("6 bytes of the video were written, and {foreseen} were to be");
            assert_eq!(made.is_ok(), is_made);
            assert!(made.is_ok() || made.is_err_and(|error| error.to_string().contains(&told)));
        }
    }
}
