use std::ops::Range;

use super::parts::parts;
use super::personal::personal_paths;
use super::{Insides, Limits, Looking, MakeError, head, unread};
use crate::craft::{self, Stored};
use crate::intake::{Candidate, Found, Lacking, Settled, lacking};
use crate::model::{C2pa, Colours, ContentHash, Kind, RelPath, Size, Stage, Tags, Video};
use crate::plan::{Companion, Facts};
use crate::records::{SIDECAR_BYTES_MAX, SIDECAR_SUFFIX, Sidecar};
use crate::vault::{DiskResult, Look, ReadSeek, What, hash_of};

/// The largest foreign XMP file that is read.
const XMP_BYTES_MAX: u64 = 4 << 20;
/// The most missing parts of a model that are named.
const NAMED_MAX: usize = 5;
/// A picture of at most so many pixels takes little memory to decode.
const SMALL_PIXELS_MAX: u64 = 1 << 18;

/// Looks into a settled asset: hash, type by content, size, sidecars. Reads, and changes nothing.
/// `is_claimed` says that its theme names it as a document.
pub fn inspect(
    disk: &dyn Look,
    stage: Stage,
    settled: &Settled,
    is_claimed: bool,
    limits: &Limits,
) -> Result<Facts, MakeError> {
    let candidate = settled.candidate();
    let (path, length) = (&candidate.primary.path, candidate.primary.entry.identity.size);
    // Opened once: a file that gets its name meanwhile is not taken for it.
    let mut opened = disk.open_as(path, candidate.primary.entry.identity)?;
    let sidecar = match find_sidecar(disk, candidate)? {
        Some(found) if stage != Stage::Ideas => Some((companion(&found), read_sidecar(disk, &found.path)?)),
        _ => None,
    };
    let origin = sidecar.as_ref().and_then(|(_, sidecar)| sidecar.origin.as_ref());
    let is_document = is_claimed || origin.is_some_and(|origin| origin.kind == Kind::Document);
    let head = head(&mut *opened, path, length)?;
    let kind = craft::sniff(&head, &path.extension()).or(is_document.then_some(Kind::Document));
    let kind = kind.filter(|_| stage != Stage::Ideas);
    let not_taken = craft::foreign(&head).filter(|_| kind.is_none());
    let inside = match (kind, stage) {
        // No theme names it, and it may have a terabyte.
        (None, Stage::Raw | Stage::Keep | Stage::Export | Stage::Upload) => Inside::whole(ContentHash::of(b"")),
        (Some(kind), _) if kind.is_image() => {
            look_at_picture(&mut *opened, head, (path, kind, length), sidecar.is_none(), limits)?
        }
        _ => {
            let (hash, essence) = read_through(&mut *opened, path, kind, length)?;
            let mut inside = Inside::whole(ContentHash::of(b""));
            if let Some(kind) = kind.filter(|kind| kind.is_video()) {
                inside = look_at_video(&mut *opened, length, kind);
            } else if kind.is_some_and(Kind::is_model) {
                (inside.told, inside.personal_folder) = personal_paths(disk, &mut *opened, candidate)?;
            }
            let strays = inside.strays.clone();
            let blanked = strays.map(|edits| blanked(&mut *opened, path, (kind, length), edits)).transpose()?;
            let essences = essence.into_iter().chain(blanked.flatten()).collect();
            Inside { hash, essences, ..inside }
        }
    };
    let lies = |(_, sidecar): &(Companion, Sidecar)| lies_in_archive(disk, sidecar, &inside.hash);
    let has_original = sidecar.as_ref().map(lies).transpose()?.unwrap_or(false);
    let xmp = candidate.companions.iter().find(|found| found.path.extension() == "xmp");
    let foreign = xmp.map(|found| Ok::<_, MakeError>((&found.path, read_xmp(disk, &found.path)?))).transpose()?;
    let remarks =
        remarks(foreign.as_ref().map(|(_, (foreign, _))| foreign), sidecar.as_ref(), (inside.told, inside.own_tags));
    let rejected_by = rejection(foreign.as_ref());
    Ok(Facts {
        path: path.clone(),
        stage,
        seen: candidate.primary.entry.identity,
        dropped_ns: candidate.primary.entry.changed_ns,
        hash: inside.hash,
        essences: inside.essences,
        kind,
        foreign: not_taken,
        zeros: inside.zeros,
        size: inside.size,
        video: inside.video,
        colours: inside.colours,
        is_upright: inside.is_upright,
        comes_in_rows: inside.comes_in_rows,
        has_private: inside.has_private,
        has_more_than_tags: inside.has_more_than_tags,
        c2pa: inside.c2pa,
        tagless: inside.tagless,
        is_sound: inside.is_sound,
        sidecar,
        has_original,
        rejected_by,
        remarks,
        xmp: foreign.map(|(_, (foreign, _))| foreign.tags),
        companions: candidate.companions.iter().map(companion).collect(),
        members: parts(disk, candidate, limits)?,
        personal_folder: inside.personal_folder,
        unsure_of_parts: unsure_of_parts(disk, kind, candidate),
    })
}

/// Returns what is told of a foreign sidecar and of what is inside. What stockmill embedded is no tag of a person, and
/// those of a foreign sidecar are used.
fn remarks(
    foreign: Option<&craft::ForeignXmp>,
    sidecar: Option<&(Companion, Sidecar)>,
    (told, own_tags): (Vec<String>, Option<String>),
) -> Vec<String> {
    let embedded = sidecar.and_then(|(_, sidecar)| sidecar.file.as_ref()?.embedded.as_ref());
    let own_tags = own_tags.filter(|_| foreign.is_none() && embedded.is_none());
    foreign.iter().flat_map(|foreign| foreign.told.clone()).chain(told).chain(own_tags).collect()
}

/// Returns why nobody can tell that the parts of a model are all there, if so.
fn unsure_of_parts(disk: &dyn Look, kind: Option<Kind>, candidate: &Candidate) -> Option<String> {
    let place = candidate.primary.path.parent().filter(|_| kind.is_some_and(Kind::is_model))?;
    let looking = Looking { disk, seen: &Insides::default() };
    let Lacking { missing, unknown } = lacking(&candidate.primary, &candidate.members, &[place], &looking);
    let missing: Vec<String> = missing.iter().take(NAMED_MAX).map(|name| format!("`{name}`")).collect();
    match (&missing[..], &unknown[..]) {
        ([], []) => None,
        ([], _) => Some(format!("nobody can tell all that it names: {}", unknown.join("; "))),
        _ => Some(format!("it names {}, which is not here", missing.join(", "))),
    }
}

/// Looks into a picture whose first bytes are read; one that is new is checked at once, if that costs no second reading.
fn look_at_picture(
    opened: &mut dyn ReadSeek,
    head: Vec<u8>,
    (path, kind, length): (&RelPath, Kind, u64),
    is_new: bool,
    limits: &Limits,
) -> Result<Inside, MakeError> {
    let is_whole = head.len() < craft::HEAD_BYTES;
    let stored = if is_whole {
        Stored::whole(head)
    } else {
        Stored::open(&mut *opened, limits.file_bytes_max).map_err(unread(path))?
    };
    let of_whole = stored.is_whole().then(|| (ContentHash::of(stored.head()), craft::essence(stored.head(), kind)));
    let inside = look_inside(stored.head(), kind, is_new && of_whole.is_some(), limits)?;
    let (hash, essence) = of_whole.map_or_else(|| read_through(opened, path, Some(kind), length), Ok)?;
    Ok(Inside { hash, essences: essence.into_iter().collect(), ..inside })
}

/// Looks into a file that lies in a bundle as its sidecar says: type by content and size, and no more of its content.
pub fn inspect_bundled(
    disk: &dyn Look,
    found: &Found,
    sidecar: (Companion, Sidecar),
    limits: &Limits,
) -> Result<Facts, MakeError> {
    let (path, seen) = (&found.path, found.entry.identity);
    let mut opened = disk.open_as(path, seen)?;
    let head = head(&mut *opened, path, seen.size)?;
    let kind = craft::sniff(&head, &path.extension());
    let inside = match kind {
        Some(kind) if kind.is_video() => look_at_video(&mut *opened, seen.size, kind),
        Some(kind) if kind.is_image() => {
            let stored = Stored::open(&mut *opened, limits.file_bytes_max).map_err(unread(path))?;
            look_inside(stored.head(), kind, false, limits)?
        }
        _ => Inside::whole(ContentHash::of(b"")),
    };
    let known = sidecar.1.file.as_ref().map(|file| file.hash.clone());
    Ok(Facts {
        kind,
        size: inside.size,
        video: inside.video,
        colours: inside.colours,
        is_upright: inside.is_upright,
        comes_in_rows: inside.comes_in_rows,
        has_private: inside.has_private,
        has_more_than_tags: inside.has_more_than_tags,
        tagless: inside.tagless,
        is_sound: true,
        essences: sidecar.1.essences.last().cloned().into_iter().collect(),
        hash: known.unwrap_or(inside.hash),
        sidecar: Some(sidecar),
        ..Facts::bare(path.clone(), Stage::Upload, seen, found.entry.changed_ns)
    })
}

/// What a market measures of a file.
#[derive(Debug, Clone)]
pub struct Measured {
    /// What it is.
    pub kind: Kind,
    /// The size of a picture.
    pub size: Option<Size>,
    /// The colours of a picture; `None` if nobody can tell.
    pub colours: Option<Colours>,
    /// How many bytes it has.
    pub bytes: u64,
}

/// Measures a file by what stands around its pixels; `None` if it is of no kind. Of a picture whose size cannot be read
/// nobody can tell whether a market takes it: that is an error.
pub fn measure(disk: &dyn Look, found: &Found, limits: &Limits) -> Result<Option<Measured>, MakeError> {
    let (path, bytes) = (&found.path, found.entry.identity.size);
    let mut opened = disk.open_as(path, found.entry.identity)?;
    let head = head(&mut *opened, path, bytes)?;
    let Some(kind) = craft::sniff(&head, &path.extension()) else { return Ok(None) };
    if !kind.is_image() {
        return Ok(Some(Measured { kind, size: None, colours: None, bytes }));
    }
    let looks = craft::read_looks(&mut opened, kind, limits.file_bytes_max).map_err(unread(path))?;
    let size = Some(craft::size(&looks, kind)?);
    let colours = craft::colours(&looks, kind, &limits.decode);
    Ok(Some(Measured { kind, size, colours, bytes }))
}

/// The records of an asset's own.
#[derive(Debug, Default)]
pub struct OwnRecords {
    /// Its sidecar.
    pub sidecar: Option<(Companion, Sidecar)>,
    /// The tags of a foreign sidecar.
    pub xmp: Option<Tags>,
    /// The foreign sidecar that rates it as rejected, and its hash.
    pub rejected_by: Option<(RelPath, ContentHash)>,
}

/// Reads the records of an asset's own, and nothing of the asset.
pub fn read_records(disk: &dyn Look, candidate: &Candidate) -> Result<OwnRecords, MakeError> {
    let sidecar = match find_sidecar(disk, candidate)? {
        Some(found) => Some((companion(&found), read_sidecar(disk, &found.path)?)),
        None => None,
    };
    let xmp = candidate.companions.iter().find(|found| found.path.extension() == "xmp");
    let foreign = xmp.map(|found| Ok::<_, MakeError>((&found.path, read_xmp(disk, &found.path)?))).transpose()?;
    let rejected_by = rejection(foreign.as_ref());
    Ok(OwnRecords { sidecar, xmp: foreign.map(|(_, (foreign, _))| foreign.tags), rejected_by })
}

/// Returns a foreign sidecar that rates its asset as rejected, with its hash.
fn rejection(foreign: Option<&(&RelPath, (craft::ForeignXmp, ContentHash))>) -> Option<(RelPath, ContentHash)> {
    let (path, (_, hash)) = foreign.filter(|(_, (foreign, _))| foreign.is_rejected)?;
    Some(((*path).clone(), hash.clone()))
}

/// Returns whether the original of a derived file really lies where its sidecar says: a sidecar is only
/// text, and may come from elsewhere.
pub fn lies_in_archive(disk: &dyn Look, sidecar: &Sidecar, hash: &ContentHash) -> DiskResult<bool> {
    let Some((archived, original)) = archived(disk, sidecar, hash)? else { return Ok(false) };
    Ok(disk.hash(archived)? == *original)
}

/// Returns whether a file lies where a sidecar says that the original of its derived file does, whatever is in it.
pub fn seems_in_archive(disk: &dyn Look, sidecar: &Sidecar, hash: &ContentHash) -> DiskResult<bool> {
    Ok(archived(disk, sidecar, hash)?.is_some())
}

fn archived<'a>(
    disk: &dyn Look,
    sidecar: &'a Sidecar,
    hash: &ContentHash,
) -> DiskResult<Option<(&'a RelPath, &'a ContentHash)>> {
    let Some(original) = sidecar.original().filter(|_| sidecar.can_remake(hash)) else { return Ok(None) };
    let Some(path) = original.archived.as_ref().filter(|path| path.area() == "archive") else { return Ok(None) };
    let is_file = disk.stat(path)?.is_some_and(|entry| entry.what == What::File);
    Ok(is_file.then_some((path, &original.hash)))
}

/// Returns the sidecar that the walk saw, or one that came while it walked.
fn find_sidecar(disk: &dyn Look, candidate: &Candidate) -> DiskResult<Option<Found>> {
    if let Some(found) = &candidate.sidecar {
        return Ok(Some(found.clone()));
    }
    let path = candidate.primary.path.with_suffix(SIDECAR_SUFFIX);
    Ok(disk.stat(&path)?.filter(|entry| entry.what == What::File).map(|entry| Found { path, entry }))
}

fn companion(found: &Found) -> Companion {
    Companion { path: found.path.clone(), seen: found.entry.identity }
}

/// What the bytes of an asset show.
struct Inside {
    hash: ContentHash,
    essences: Vec<ContentHash>,
    size: Option<Size>,
    video: Option<Video>,
    colours: Option<Colours>,
    is_upright: bool,
    comes_in_rows: bool,
    has_private: bool,
    has_more_than_tags: bool,
    /// How a video becomes one without what lies among its samples, if something does.
    strays: Option<Vec<craft::Edit>>,
    told: Vec<String>,
    personal_folder: Option<String>,
    /// What is told of the title and the keywords in a picture.
    own_tags: Option<String>,
    c2pa: Option<C2pa>,
    tagless: Option<&'static str>,
    is_sound: bool,
    zeros: Option<Range<usize>>,
}

impl Inside {
    /// Returns what is known of a file that is not looked into.
    fn whole(hash: ContentHash) -> Self {
        Self {
            hash,
            essences: Vec::new(),
            size: None,
            video: None,
            colours: None,
            is_upright: true,
            comes_in_rows: false,
            has_private: false,
            has_more_than_tags: false,
            strays: None,
            told: Vec::new(),
            personal_folder: None,
            own_tags: None,
            c2pa: None,
            tagless: None,
            is_sound: false,
            zeros: None,
        }
    }
}

/// Looks into a picture. One of few pixels is decoded right here if a plan `may_check` it: it is in memory already,
/// and opening it once more costs as much. If it is damaged, that check says how.
fn look_inside(bytes: &[u8], kind: Kind, may_check: bool, limits: &Limits) -> Result<Inside, MakeError> {
    let size = craft::size(bytes, kind)?;
    let is_small = size.pixels() <= SMALL_PIXELS_MAX && bytes.len() <= craft::HEAD_BYTES;
    let is_sound = may_check && is_small && craft::check_picture(bytes, kind, &limits.decode).is_ok();
    let is_upright = craft::is_upright(bytes, kind);
    Ok(Inside {
        size: Some(size),
        colours: craft::colours(bytes, kind, &limits.decode),
        is_upright,
        comes_in_rows: craft::comes_in_rows(bytes, kind),
        is_sound,
        own_tags: craft::own_tags(bytes, kind),
        c2pa: craft::c2pa(bytes, kind),
        zeros: craft::zeros(bytes, kind),
        ..Inside::whole(ContentHash::of(b""))
    })
}

/// Looks at a video. One whose parts cannot be told is refused for that when it is made.
fn look_at_video(opened: &mut dyn ReadSeek, length: u64, kind: Kind) -> Inside {
    let private = craft::private(&mut *opened, length, kind);
    let (has_private, found) =
        private.map_or_else(|_| (true, craft::Private::default()), |found| (!found.edits.is_empty(), found));
    Inside {
        has_private,
        has_more_than_tags: found.is_more_than_tags,
        strays: found.is_in_content.then_some(found.edits),
        told: found.told,
        video: Some(craft::measure(&mut *opened, length, kind)),
        tagless: craft::tagless(&mut *opened, length, kind),
        zeros: craft::hollow(&mut *opened, length, kind),
        ..Inside::whole(ContentHash::of(b""))
    }
}

/// Reads a file from its start to its end, and returns its hash and that of what it shows.
fn read_through(
    opened: &mut dyn ReadSeek,
    path: &RelPath,
    kind: Option<Kind>,
    length: u64,
) -> DiskResult<(ContentHash, Option<ContentHash>)> {
    opened.rewind().map_err(unread(path))?;
    let mut watched = craft::Watched::new(opened, kind, length);
    let hash = hash_of(&mut watched, path)?;
    Ok((hash, watched.essence()))
}

/// Returns the hash of what a video shows without what is not bundled of it.
fn blanked(
    opened: &mut dyn ReadSeek,
    path: &RelPath,
    (kind, length): (Option<Kind>, u64),
    edits: Vec<craft::Edit>,
) -> Result<Option<ContentHash>, MakeError> {
    opened.rewind().map_err(unread(path))?;
    let mut watched = craft::Watched::new(craft::edited(opened, length, edits)?, kind, length);
    std::io::copy(&mut watched, &mut std::io::sink()).map_err(unread(path))?;
    Ok(watched.essence())
}

fn read_sidecar(disk: &dyn Look, path: &RelPath) -> Result<Sidecar, MakeError> {
    let bytes = disk.read(path, SIDECAR_BYTES_MAX)?;
    Sidecar::parse(&bytes).map_err(|source| MakeError::Sidecar { path: path.clone(), source })
}

/// Returns what a foreign sidecar says, and the hash of its bytes.
fn read_xmp(disk: &dyn Look, path: &RelPath) -> Result<(craft::ForeignXmp, ContentHash), MakeError> {
    let bytes = disk.read(path, XMP_BYTES_MAX)?;
    let read = craft::read_foreign_xmp(&bytes).map_err(|source| MakeError::Xmp { path: path.clone(), source })?;
    Ok((read, ContentHash::of(&bytes)))
}
