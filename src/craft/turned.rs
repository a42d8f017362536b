//! How the tracks of an MP4 or MOV are shown in another way than as they are: turned, in part, or stretched.

use super::whole::{find, inner, number, picture_tracks};

/// A larger index is not looked into.
pub(super) const INDEX_BYTES_MAX: u64 = 16 << 20;
/// Where the matrix of a track stands in its header (ISO/IEC 14496-12, 8.3.2), by the header's version.
const MATRIX: [usize; 2] = [40, 52];
/// The first two and the next two numbers of a matrix that turns nothing, in 16.16.
const UPRIGHT: [[u8; 8]; 2] = [[0, 1, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1, 0, 0]];

/// Returns the matrices of the tracks that are turned or mirrored, without where they are moved to; `index` is what `moov`
/// holds.
pub(super) fn turned(index: &[u8]) -> Vec<u8> {
    let tracks = inner(index).filter(|(name, _)| name == b"trak").flat_map(|(_, track)| inner(track));
    let headers = tracks.filter(|(name, _)| name == b"tkhd").map(|(_, header)| header);
    let mut turned = Vec::new();
    for header in headers {
        let at = MATRIX[usize::from(header.first() == Some(&1))];
        let Some((matrix, _)) = header.get(at..).and_then(<[u8]>::split_first_chunk::<36>) else { continue };
        let turns = [&matrix[..8], &matrix[12..20]];
        if turns != UPRIGHT && turns.concat() != [0; 16] {
            turned.extend(turns.concat());
        }
    }
    turned
}

/// Returns the edit lists and the shapes of pixels of the tracks of pictures, where they are not the usual ones: one edit
/// of all frames from the first one on, and square pixels.
pub(super) fn unusual(index: &[u8]) -> Vec<u8> {
    let ticks_per_second = find(index, *b"mvhd").and_then(clock);
    picture_tracks(index).flat_map(|track| [edits(track, ticks_per_second), shape(track)]).flatten().flatten().collect()
}

/// Returns how many ticks a header's clock has in a second, and for how many it runs.
fn clock(header: &[u8]) -> Option<(u64, u64)> {
    let long = |at: usize| number(header, at).map(u64::from);
    match header.first()? {
        0 => Some((long(12)?, long(16)?)),
        _ => Some((long(20)?, long(24)? << 32 | long(28)?)),
    }
}

/// Returns the rows of an edit list (ISO/IEC 14496-12, 8.6.6), unless it is a usual one.
fn edits(track: &[u8], movie: Option<(u64, u64)>) -> Option<Vec<u8>> {
    let list = find(find(track, *b"edts")?, *b"elst")?;
    let is_late = list.first() == Some(&1);
    let row = if is_late { 20 } else { 12 };
    let count = usize::try_from(number(list, 4)?).ok()?;
    let rows = list.get(8..8_usize.checked_add(count.checked_mul(row)?)?)?;
    let is_usual = rows.is_empty() || (count == 1 && is_of_all(rows, is_late, track, movie).unwrap_or(false));
    (!is_usual).then(|| [b"elst", rows].concat())
}

/// Returns whether an edit is of all frames of a track, at their own speed.
fn is_of_all(edit: &[u8], is_late: bool, track: &[u8], movie: Option<(u64, u64)>) -> Option<bool> {
    let long = |at: usize| number(edit, at).map(u64::from);
    let (lasts, starts, speed) = if is_late {
        (long(0)? << 32 | long(4)?, long(8)? << 32 | long(12)?, number(edit, 16)?)
    } else {
        (long(0)?, long(4)?, number(edit, 8)?)
    };
    let media = find(track, *b"mdia")?;
    let table = find(find(media, *b"minf")?, *b"stbl")?;
    // Frames that wait for others begin behind the start of their clock.
    let first = find(table, *b"ctts").and_then(|table| number(table, 12)).map_or(0, u64::from);
    let starts_there = starts == 0 || starts == first;
    let (ticks, all) = clock(find(media, *b"mdhd")?)?;
    let (movie_ticks, _) = movie.filter(|(ticks, _)| *ticks > 0)?;
    // It is in ticks of the film, and rounded to them.
    let all = all.saturating_sub(starts);
    let ends_there = u128::from(lasts) + 1;
    let ends_there = lasts == 0 || ends_there * u128::from(ticks) >= u128::from(all) * u128::from(movie_ticks);
    Some(speed == 0x1_0000 && starts_there && ends_there)
}

/// Returns the shape of pixels that are not square, by the first description of a track's pictures.
fn shape(track: &[u8]) -> Option<Vec<u8>> {
    /// Where the boxes of a description begin (ISO/IEC 14496-12, 12.1.3).
    const BOXES: usize = 78;
    let table = find(find(find(track, *b"mdia")?, *b"minf")?, *b"stbl")?;
    let (_, entry) = inner(find(table, *b"stsd")?.get(8..)?).next()?;
    let shape = find(entry.get(BOXES..)?, *b"pasp")?.get(..8)?;
    let (width, height) = (number(shape, 0)?, number(shape, 4)?);
    (width != height && width > 0 && height > 0).then(|| [b"pasp", shape].concat())
}
