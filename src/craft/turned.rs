//! How the tracks of an MP4 or MOV are turned when they are shown.

use super::whole::inner;

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
