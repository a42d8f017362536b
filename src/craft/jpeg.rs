use image::metadata::Orientation;

use super::CraftError;
use super::picture::PROFILE_BYTES_MAX;

/// The mark at a JPEG's start.
pub(super) const START: [u8; 2] = [0xff, 0xd8];

/// What an EXIF block and a piece of a colour profile begin with.
pub(super) const EXIF: &[u8] = b"Exif\0\0";
const PROFILE: &[u8] = b"ICC_PROFILE\0";
/// What a plain header, and Adobe's segment on the coding of colours, begin with.
pub(super) const JFIF: &[u8] = b"JFIF\0";
pub(super) const ADOBE: &[u8] = b"Adobe";

/// What the channels of a JPEG are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    /// Grey, red, green and blue, or inks: as they are shown.
    Plain,
    /// Brightness and two colour differences; of inks if there are four.
    YCbCr,
}

/// A part of a JPEG: a segment, and behind the header of a scan its coded pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    /// Its mark, without the leading 0xff.
    pub(super) marker: u8,
    /// Its content, without the length.
    pub(super) body: &'a [u8],
    /// The coded pixels of a scan with the restart marks in them; empty for all other parts.
    pub(super) coded: &'a [u8],
    /// Whether bytes before it belong to no part.
    pub(super) after_strays: bool,
}

/// The parts of a JPEG one after another, up to its own end mark: the marks in a thumbnail lie within a segment, and
/// the bytes behind the end (a video, another picture, text) are no part of it.
pub(super) struct Parts<'a> {
    rest: &'a [u8],
    is_over: bool,
    /// Whether the coded pixels are looked for: that takes nearly all of the time.
    is_whole: bool,
}

/// Returns the parts of a JPEG. The last one is an error if there is no end mark.
pub(super) fn parts(bytes: &[u8]) -> Parts<'_> {
    Parts { rest: bytes.strip_prefix(&START).unwrap_or_default(), is_over: false, is_whole: true }
}

/// The bytes end before the end mark.
struct NoEnd;

impl<'a> Iterator for Parts<'a> {
    type Item = Result<Part<'a>, CraftError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let part = self.part();
        self.is_over = !matches!(part, Ok(Some(_)));
        part.map_err(|NoEnd| CraftError::Truncated("the JPEG has no end mark".to_owned())).transpose()
    }
}

impl<'a> Parts<'a> {
    /// Returns the next part; none at the end mark.
    fn part(&mut self) -> Result<Option<Part<'a>>, NoEnd> {
        let mut after_strays = false;
        loop {
            let at = self.rest.iter().position(|byte| *byte == 0xff).ok_or(NoEnd)?;
            let fill = self.rest[at..].iter().take_while(|byte| **byte == 0xff).count();
            let (marker, rest) = self.rest[at + fill..].split_first().ok_or(NoEnd)?;
            self.rest = rest;
            after_strays |= at > 0;
            match marker {
                0xd9 => return Ok(None),
                0xc0..=0xc7 | 0xc9..=0xcf | 0xda..=0xdd | 0xe0..=0xef | 0xfe => (),
                // An unknown mark, or one where it should not be: decoders skip it.
                _ => {
                    after_strays = true;
                    continue;
                }
            }
            let length = usize::from(u16::from_be_bytes(*rest.first_chunk().ok_or(NoEnd)?));
            if length < 2 {
                after_strays = true;
                continue;
            }
            let body = rest.get(2..length).ok_or(NoEnd)?;
            let rest = &rest[length..];
            let is_coded = *marker == 0xda && self.is_whole;
            let coded = if is_coded { &rest[..coded_length(rest).map_err(|_| NoEnd)?] } else { &[] };
            self.rest = &rest[coded.len()..];
            return Ok(Some(Part { marker: *marker, body, coded, after_strays }));
        }
    }
}

/// Returns where the coded pixels at the start of `bytes` end: at a mark that is no restart. If there is none, how many bytes
/// are pixels for sure: a last 0xff may begin a mark.
pub(super) fn coded_length(bytes: &[u8]) -> Result<usize, usize> {
    let mut at = 0;
    loop {
        at += without_mark(&bytes[at..]);
        at += bytes[at..].iter().position(|byte| *byte == 0xff).ok_or(bytes.len())?;
        let fill = bytes[at..].iter().take_while(|byte| **byte == 0xff).count();
        match bytes.get(at + fill).ok_or(at)? {
            0 | 0xd0..=0xd7 => at += fill + 1,
            _ => return Ok(at),
        }
    }
}

/// Returns how many bytes hold no mark: as long as a zero follows each 0xff, which is coded pixels. They are passed by in
/// blocks, without a branch for each 0xff: there are some in every thousand bytes.
fn without_mark(bytes: &[u8]) -> usize {
    const BLOCK_BYTES: usize = 64;
    let has_mark = |(block, next): &(&[u8; BLOCK_BYTES], &[u8; BLOCK_BYTES])| {
        let marks = block.iter().zip(*next).map(|(byte, next)| u8::from(*byte == 0xff) & u8::from(*next != 0));
        marks.fold(0, |found, is_one| found | is_one) != 0
    };
    let blocks = bytes.as_chunks().0.iter().zip(bytes.get(1..).unwrap_or_default().as_chunks().0);
    blocks.take_while(|pair| !has_mark(pair)).count() * BLOCK_BYTES
}

/// Returns the parts before the pixels.
pub(super) fn before_pixels(bytes: &[u8]) -> impl Iterator<Item = Part<'_>> {
    Parts { is_whole: false, ..parts(bytes) }.map_while(Result::ok).take_while(|part| part.marker != 0xda)
}

/// Returns whether all parts before the pixels are there.
pub(super) fn is_up_to_pixels(bytes: &[u8]) -> bool {
    Parts { is_whole: false, ..parts(bytes) }.map_while(Result::ok).any(|part| part.marker == 0xda)
}

/// Returns whether a segment before the pixels tells how the picture looks: its colours, or how it is turned.
pub(super) fn tells_looks(marker: u8, body: &[u8]) -> bool {
    match marker {
        _ if is_frame(marker) => true,
        0xe0 => body.starts_with(JFIF),
        0xee => body.starts_with(ADOBE),
        0xe1 => body.starts_with(EXIF),
        0xe2 => body.starts_with(PROFILE),
        _ => false,
    }
}

fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf)
}

/// Returns what the channels are, by the rules that all viewers follow.
pub(super) fn space(ids: &[u8], is_jfif: bool, adobe: Option<u8>) -> Space {
    match (ids, adobe) {
        ([_, _, _], _) if is_jfif => Space::YCbCr,
        ([_, _, _] | [_, _, _, _], Some(0)) | ([_, _, _, _] | [b'R', b'G', b'B'], None) => Space::Plain,
        ([_, _, _] | [_, _, _, _], _) => Space::YCbCr,
        _ => Space::Plain,
    }
}

/// Returns what Adobe's segment says of the channels.
pub(super) fn adobe_transform(body: &[u8]) -> u8 {
    body.get(11).copied().unwrap_or(0)
}

/// Returns what the three channels of a JPEG are if they would be others without Adobe's segment.
pub(super) fn other_channels(bytes: &[u8]) -> Option<Space> {
    let frame = before_pixels(bytes).find(|part| is_frame(part.marker))?;
    let ids: Vec<u8> = frame.body.get(6..)?.chunks_exact(3).map(|component| component[0]).collect();
    let is_jfif = before_pixels(bytes).any(|part| part.marker == 0xe0 && part.body.starts_with(JFIF));
    let adobe =
        before_pixels(bytes).filter(|part| part.marker == 0xee).filter(|part| part.body.starts_with(ADOBE)).last()?;
    let space_of = |adobe: Option<u8>| space(&ids, is_jfif, adobe);
    let space = space_of(Some(adobe_transform(adobe.body)));
    let as_usual = space_of(None);
    // Of four inks each of several codings is the usual one of some programs.
    (ids.len() == 3 && space != as_usual).then_some(space)
}

/// Returns how a JPEG is turned, by the last EXIF block before its pixels.
pub(super) fn orientation(bytes: &[u8]) -> Option<Orientation> {
    let exif = before_pixels(bytes).filter(|part| part.marker == 0xe1).filter_map(|part| part.body.strip_prefix(EXIF));
    Orientation::from_exif_chunk(exif.last()?)
}

/// Returns the colour profile of a JPEG: its pieces are numbered from one on, and none is missing or there twice.
pub(super) fn profile(bytes: &[u8]) -> Option<Vec<u8>> {
    let pieces = before_pixels(bytes).filter(|part| part.marker == 0xe2);
    let mut pieces: Vec<&[u8]> = pieces.filter_map(|part| part.body.strip_prefix(PROFILE)).collect();
    pieces.sort_by_key(|piece| piece.first().copied());
    let count = u8::try_from(pieces.len()).ok().filter(|count| *count > 0)?;
    let mut profile = Vec::new();
    for (number, piece) in (1..=count).zip(pieces) {
        profile.extend_from_slice(piece.strip_prefix(&[number, count])?);
    }
    (profile.len() <= PROFILE_BYTES_MAX).then_some(profile)
}

/// Refuses a JPEG that is coded as the decoder does not read it, or reads it wrongly without an error, by the head of
/// its frame.
pub(super) fn check_coding(bytes: &[u8]) -> Result<(), CraftError> {
    let Some(frame) = parts(bytes).map_while(Result::ok).find(|part| is_frame(part.marker)) else { return Ok(()) };
    let bits = frame.body.first().copied().unwrap_or(8);
    let what = match frame.marker {
        0xc3 | 0xc7 | 0xcb | 0xcf => "a lossless JPEG".to_owned(),
        0xc9..=0xcf => "a JPEG with arithmetic coding".to_owned(),
        0xc5..=0xc7 => "a JPEG of several sizes (hierarchical)".to_owned(),
        _ if bits != 8 => format!("a JPEG of {bits} bits a channel"),
        0xc2 if has_odd_sampling(frame.body) => "a progressive JPEG with an odd sampling of its colours".to_owned(),
        _ => return Ok(()),
    };
    Err(CraftError::Unsupported(format!(
        "{what}, which few programs read; save it again as a common JPEG, or as a PNG"
    )))
}

/// Returns whether the first of several components, which is the brightness, has fewer samples than another one: the
/// decoder of progressive pictures shifts such colours by up to 187 of 255. It calls three samples damaged.
fn has_odd_sampling(frame: &[u8]) -> bool {
    let samplings = || frame.iter().skip(7).step_by(3).map(|both| (both >> 4, both & 15));
    let Some(first) = samplings().next() else { return false };
    samplings().any(|(h, v)| h > first.0 || v > first.1 || h == 3 || v == 3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What [`coded_length`] returns, byte by byte.
    fn plain_coded_length(bytes: &[u8]) -> Result<usize, usize> {
        let mut fill = 0;
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                0xff => fill += 1,
                _ if fill == 0 => (),
                0 | 0xd0..=0xd7 => fill = 0,
                _ => return Ok(at - fill),
            }
        }
        Err(bytes.len() - fill)
    }

    proptest! {
        #[test]
        fn coded_pixels_end_at_a_mark(
            runs in proptest::collection::vec((0_usize..150, 0_usize..4, prop::sample::select(vec![0, 0, 0, 0xd3, 0xfe, 7])), 0..9),
            rest in 0_usize..70,
        ) {
            let run = |(plain, fill, then)| [vec![0x5a; plain], vec![0xff; fill], vec![then]].concat();
            let bytes = [runs.into_iter().flat_map(run).collect(), vec![0xfe; rest]].concat();
            prop_assert_eq!(coded_length(&bytes), plain_coded_length(&bytes));
            for end in 0..bytes.len() {
                prop_assert_eq!(coded_length(&bytes[..end]), plain_coded_length(&bytes[..end]), "{}", end);
            }
        }
    }

    fn markers(bytes: &[u8]) -> Result<Vec<(u8, usize, usize, bool)>, CraftError> {
        parts(bytes)
            .map(|part| part.map(|part| (part.marker, part.body.len(), part.coded.len(), part.after_strays)))
            .collect()
    }

    /// They were called damaged, and a person was asked to copy or generate them again.
    #[test]
    fn a_coding_that_is_not_read_is_named() {
        let cases = [
            (0xc0, 8, None),
            (0xc1, 8, None),
            (0xc2, 8, None),
            (0xc0, 12, Some("of 12 bits")),
            (0xc1, 12, Some("of 12 bits")),
            (0xc3, 8, Some("lossless")),
            (0xc5, 8, Some("hierarchical")),
            (0xc9, 8, Some("arithmetic")),
            (0xca, 8, Some("arithmetic")),
            (0xcb, 8, Some("lossless")),
        ];
        for (samplings, is_odd) in [
            (&[0x22][..], false),
            (&[0x11, 0x11, 0x11], false),
            (&[0x22, 0x11, 0x11], false),
            (&[0x22, 0x21, 0x12], false),
            (&[0x41, 0x11, 0x11], false),
            (&[0x11, 0x22, 0x22], true),
            (&[0x11, 0x21, 0x21], true),
            (&[0x21, 0x22, 0x11], true),
            (&[0x31, 0x11, 0x11], true),
        ] {
            let components: Vec<u8> = samplings.iter().flat_map(|sampling| [1, *sampling, 0]).collect();
            let frame = [&[8, 0, 1, 0, 1, u8::try_from(samplings.len()).unwrap()][..], &components].concat();
            assert_eq!(has_odd_sampling(&frame), is_odd, "{samplings:x?}");
        }
        for (marker, bits, expected) in cases {
            let jpeg = [&b"\xff\xd8\xff\xe0\0\x02\xff"[..], &[marker, 0, 8, bits, 0, 1, 0, 1, 0]].concat();
            match (check_coding(&jpeg), expected) {
                (Ok(()), None) => (),
                (Err(CraftError::Unsupported(why)), Some(word)) => assert!(why.contains(word), "{why}"),
                (other, _) => panic!("{marker:x} {bits}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_profile_is_all_of_its_pieces() {
        let rows: [(&[&[u8]], Option<&[u8]>); 7] = [
            (&[], None),
            (&[b"\x01\x01one"], Some(b"one")),
            (&[b"\x02\x02two", b"\x01\x02one"], Some(b"onetwo")),
            (&[b"\x01\x02one"], None),
            (&[b"\x01\x02one", b"\x01\x02one"], None),
            (&[b"\x00\x01one"], None),
            (&[b""], None),
        ];
        for (pieces, expected) in rows {
            let mut jpeg = b"\xff\xd8".to_vec();
            for piece in pieces {
                let body = [PROFILE, piece].concat();
                jpeg.extend([0xff, 0xe2, 0, u8::try_from(body.len() + 2).unwrap()]);
                jpeg.extend(body);
            }
            assert_eq!(profile(&[&jpeg, &b"\xff\xd9"[..]].concat()).as_deref(), expected, "{pieces:?}");
        }
    }

    #[test]
    fn the_end_mark_is_the_picture_s_own() {
        let thumbnail = b"\xff\xd8\xff\xe1\0\x06\xff\xd9\xff\xd9";
        let cases: [(&[u8], Result<Vec<_>, ()>); 9] = [
            (b"\xff\xd8\xff\xd9 and a film \xff\xda", Ok(vec![])),
            (thumbnail, Err(())),
            (b"\xff\xd8\xff\xe1\0\x06\xff\xd9\xff\xd9\xff\xff\xff\xd9", Ok(vec![(0xe1, 4, 0, false)])),
            (
                b"\xff\xd8\xff\xda\0\x03S..\xff\0.\xff\xd0.\xff\xff\xfe\0\x02\xff\xd9",
                Ok(vec![(0xda, 1, 8, false), (0xfe, 0, 0, false)]),
            ),
            (b"\xff\xd8..\xff\xdd\0\x04\0\0\xff\x01\xff\xd9", Ok(vec![(0xdd, 2, 0, true)])),
            (b"\xff\xd8\xff\xda\0\x02....\xff\0", Err(())),
            (b"\xff\xd8\xff\xfe\0\x01\xff\xd9", Ok(vec![])),
            (b"\xff\xd8\xff\xfe\0\x09\xff\xd9", Err(())),
            (b"\xff\xd9", Err(())),
        ];
        for (bytes, expected) in cases {
            assert_eq!(markers(bytes).map_err(|_| ()), expected, "{bytes:x?}");
        }
    }
}
