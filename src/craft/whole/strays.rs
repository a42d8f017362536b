//! Finds what lies among the pictures and the sound of an MP4 or MOV: tracks of text and data, and bytes that belong to
//! no track.

use std::collections::BTreeSet;
use std::io::{Read, Seek};
use std::ops::Range;

use super::boxes::{inner, part};
use super::edit::{Edit, FREE};
use super::streams::{Track, used};
use super::{Cannot, CraftError, PIECE_BYTES, Source};

/// The most tracks of a video that are looked at.
const TRACKS_MAX: usize = 1000;
/// The most places among the samples that are blanked.
const GAPS_MAX: usize = 1 << 18;

/// What lies among the pictures and the sound of a video.
pub(super) struct Strays {
    /// Where the boxes of the tracks lie that go.
    pub(super) tracks: Vec<Range<u64>>,
    /// How the index says that they are gone.
    pub(super) index: Vec<Edit>,
    /// How the content is blanked that no other track uses.
    pub(super) content: Vec<Edit>,
    /// What a person calls the tracks that go.
    pub(super) titles: Vec<&'static str>,
}

/// Finds the strays of a video that has these tracks and this content. What cannot be told is no reason to guess: nothing
/// is blanked that may be a picture.
pub(super) fn strays<R: Read + Seek>(
    source: &mut Source<R>,
    tracks: &[Track],
    contents: &[Range<u64>],
) -> Result<Strays, Cannot> {
    if tracks.len() > TRACKS_MAX {
        return Err(Cannot::Hold("it has more than 1,000 tracks"));
    }
    let (mut staying, mut gone) = (Vec::new(), Vec::new());
    for track in tracks {
        if track.stays()? { &mut staying } else { &mut gone }.push(track);
    }
    let used = used(source, &staying)?;
    if used.is_empty() {
        return Err(Cannot::Hold("no track says where its pictures are"));
    }
    let content = gaps(source, &used, contents)?;
    let mut index = Vec::new();
    let ids = gone.iter().map(|track| track.id(source).map(u32::to_be_bytes));
    let ids = ids.collect::<Result<BTreeSet<[u8; 4]>, _>>()?;
    for track in staying.iter().filter(|_| !ids.is_empty()) {
        if let Some(references) = track.references()? {
            index.extend(without(source, references, &ids)?);
        }
    }
    for track in &gone {
        index.extend(Edit::freed(track.at.start, track.content.clone()));
    }
    let mut titles: Vec<&str> = gone.iter().map(|track| track.title()).collect();
    titles.sort_unstable();
    titles.dedup();
    Ok(Strays { tracks: gone.into_iter().map(|track| track.at.clone()).collect(), index, content, titles })
}

/// Returns how the content that is not used is blanked; each used part must lie in it.
fn gaps<R: Read + Seek>(
    source: &mut Source<R>,
    used: &[Range<u64>],
    contents: &[Range<u64>],
) -> Result<Vec<Edit>, Cannot> {
    let mut gaps = Vec::new();
    let mut used = used.iter().peekable();
    for content in contents {
        let mut at = content.start;
        while at < content.end {
            let next = used.next_if(|next| next.start < content.end);
            let gap = at..next.map_or(content.end, |next| next.start);
            if gap.start > gap.end || next.is_some_and(|next| next.end > content.end) {
                return Err(Cannot::Hold("its index names content elsewhere"));
            }
            if !source.is_zeros(gap.clone())? {
                gaps.push(Edit::blank(gap, b""));
            }
            if gaps.len() > GAPS_MAX {
                return Err(Cannot::Hold("there is too much of it"));
            }
            at = next.map_or(content.end, |next| next.end);
        }
    }
    if used.next().is_some() { Err(Cannot::Hold("its index names content elsewhere")) } else { Ok(gaps) }
}

/// Returns how a track's references become those without tracks that go; `None` if there are none to these.
fn without<R: Read + Seek>(
    source: &mut Source<R>,
    (at, content): (Range<u64>, Range<u64>),
    gone: &BTreeSet<[u8; 4]>,
) -> Result<Option<Edit>, Cannot> {
    let odd = Cannot::Hold("its tracks refer to each other in an odd way");
    if content.end - content.start > PIECE_BYTES {
        return Err(odd);
    }
    let before = source.up_to(content.start, content.end - content.start)?;
    let filled = inner(&before).map(|(_, ids)| ids.len() + 8).sum::<usize>();
    // Behind what cannot be separated there may be more.
    if before.get(filled..).is_none_or(|rest| rest.iter().any(|byte| *byte != 0)) {
        return Err(odd);
    }
    let mut kept = Vec::new();
    let mut is_changed = false;
    for (name, ids) in inner(&before) {
        let is_kept = |id: &[u8]| !<[u8; 4]>::try_from(id).is_ok_and(|id| gone.contains(&id));
        let (staying, going): (Vec<&[u8]>, Vec<&[u8]>) = ids.chunks(4).partition(|id| is_kept(id));
        is_changed |= !going.is_empty();
        if !staying.is_empty() {
            // No track has the number 0.
            let ids = [staying.concat(), vec![0; going.concat().len()]].concat();
            kept.extend(part(name, &ids));
        }
    }
    if !is_changed {
        return Ok(None);
    }
    let mut after = if kept.is_empty() { kept } else { part(*b"tref", &kept) };
    let free = (at.end - at.start).checked_sub(after.len() as u64).and_then(|left| u32::try_from(left).ok());
    match free {
        Some(0) => (),
        Some(free @ 8..) => after.extend([free.to_be_bytes(), FREE].concat()),
        _ => return Err(odd),
    }
    Ok(Some(Edit::blank(at, &after)))
}

/// Returns whether one of these parts of a file, which lie in its order, holds a range.
pub(super) fn is_within(parts: &[Range<u64>], range: &Range<u64>) -> bool {
    let next = parts.partition_point(|part| part.end < range.end);
    parts.get(next).is_some_and(|part| part.start <= range.start)
}

/// Checks that nothing changes at the places that a table names, in numbers of so many bytes.
pub(super) fn names_content<R: Read + Seek>(
    source: &mut Source<R>,
    table: &Range<u64>,
    width: usize,
    edits: &[Edit],
) -> Result<(), CraftError> {
    let mut at = table.start + 8;
    while at < table.end {
        let piece = source.up_to(at, PIECE_BYTES.min(table.end - at))?;
        for place in piece.chunks_exact(width) {
            let place = place.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
            let next = edits.partition_point(|edit| edit.at.end <= place);
            if edits.get(next).is_some_and(|edit| edit.at.start <= place) {
                return Err(no_content_at(place));
            }
        }
        at += piece.len() as u64;
    }
    Ok(())
}

pub(super) fn no_content_at(place: u64) -> CraftError {
    CraftError::Unsupported(format!(
        "the video's index names content at byte {place}, where no content is; export it again"
    ))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use proptest::prelude::*;

    use super::super::edit::{edited, length_with};
    use super::super::private::{Private, private};
    use super::super::tests::check;
    use super::*;
    use crate::craft::{Watched, tagged, tagless};
    use crate::model::{ContentHash, Kind, Meta};

    fn numbers(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
    }

    fn number(number: usize) -> u32 {
        u32::try_from(number).unwrap()
    }

    /// A track: what it holds, what more its box has, and the sizes of the samples of each of its chunks.
    struct Made {
        handler: [u8; 4],
        more: Vec<u8>,
        described: Vec<u8>,
        ticks: u32,
        chunks: Vec<(usize, Vec<u8>)>,
        tables: Tables,
    }

    /// How a track tells where its samples are.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Tables {
        Usual,
        /// All samples have the size of the first.
        Same,
        /// Sizes of so many bits.
        Small(u8),
        /// Places of 64 bits.
        Large,
    }

    impl Made {
        fn new(handler: [u8; 4], chunks: Vec<(usize, Vec<u8>)>) -> Self {
            Self { handler, more: Vec::new(), described: vec![0; 8], ticks: 40, chunks, tables: Tables::Usual }
        }

        fn track(&self, id: u32) -> Vec<u8> {
            let sizes: Vec<u8> = self.chunks.iter().flat_map(|(_, sizes)| sizes.clone()).collect();
            let (runs, count) = (self.chunks.iter().map(|(_, sizes)| number(sizes.len())), number(sizes.len()));
            let runs = (1..).zip(runs).flat_map(|(chunk, samples)| [chunk, samples, 1]);
            let each = |bytes: Vec<u8>| [numbers(&[0, 0, count]), bytes].concat();
            let of_size = match self.tables {
                Tables::Same => part(*b"stsz", &numbers(&[0, sizes.first().copied().unwrap_or(0).into(), count])),
                Tables::Small(bits) => {
                    let packed = match bits {
                        4 => sizes.chunks(2).map(|two| two[0] << 4 | two.get(1).unwrap_or(&0)).collect(),
                        8 => sizes,
                        16 => sizes.iter().flat_map(|size| [0, *size]).collect(),
                        _ => sizes.iter().flat_map(|size| [0, 0, 0, *size]).collect(),
                    };
                    part(*b"stz2", &[&numbers(&[0, bits.into(), count])[..], &packed].concat())
                }
                _ => part(*b"stsz", &each(sizes.iter().flat_map(|size| [0, 0, 0, *size]).collect())),
            };
            let places = self.chunks.iter().map(|(place, _)| number(*place));
            let places = match self.tables {
                Tables::Large => part(*b"co64", &numbers(&places.flat_map(|place| [0, place]).collect::<Vec<_>>())),
                _ => part(*b"stco", &numbers(&places.collect::<Vec<_>>())),
            };
            let places = [&places[..8], &numbers(&[0, number(self.chunks.len())]), &places[8..]].concat();
            let table = [
                part(*b"stsd", &self.described),
                part(*b"stts", &numbers(&[0, 1, count, self.ticks])),
                part(*b"stsc", &numbers(&[vec![0, number(self.chunks.len())], runs.collect()].concat())),
                of_size,
                [&number(places.len()).to_be_bytes(), &places[4..]].concat(),
            ];
            let handler = part(*b"hdlr", &[&[0; 8], &self.handler[..], &[0; 12], b"SECRET"].concat());
            let media = part(*b"mdia", &[handler, part(*b"minf", &part(*b"stbl", &table.concat()))].concat());
            let header = part(*b"tkhd", &numbers(&[0, 0, 0, id, 0]));
            part(*b"trak", &[header, self.more.clone(), media].concat())
        }
    }

    /// Returns a film with this content, which begins at byte 24.
    fn film(content: &[u8], tracks: &[Made]) -> Vec<u8> {
        film_with(content, tracks, &[])
    }

    /// Returns such a film with more boxes in its index.
    fn film_with(content: &[u8], tracks: &[Made], more: &[u8]) -> Vec<u8> {
        let tracks: Vec<u8> = (1..).zip(tracks).flat_map(|(id, track)| track.track(id)).collect();
        let index = part(*b"moov", &[&part(*b"mvhd", &[0; 20])[..], &tracks, more].concat());
        [part(*b"ftyp", &[0; 8]), part(*b"mdat", content), index].concat()
    }

    fn found(video: &[u8]) -> Private {
        private(Cursor::new(video), video.len() as u64, Kind::Mov).unwrap()
    }

    fn blanked(video: &[u8]) -> Vec<u8> {
        let mut made = Vec::new();
        edited(video, video.len() as u64, found(video).edits).unwrap().read_to_end(&mut made).unwrap();
        made
    }

    fn essence(video: &[u8]) -> Option<ContentHash> {
        let mut watched = Watched::new(video, Some(Kind::Mov), video.len() as u64);
        watched.read_to_end(&mut Vec::new()).unwrap();
        watched.essence()
    }

    fn count(video: &[u8], text: &[u8]) -> usize {
        video.windows(text.len()).filter(|window| *window == text).count()
    }

    const BYTES: &str = "the bytes among its pictures and sound that belong to neither";
    const CONTENT: &[u8] = b"SECRETaframeSECRETthesecondsoundandmoreSECRETlastoneSECRET";
    const PICTURES: &[(usize, &[u8])] = &[(6, &[6]), (18, &[3, 6]), (45, &[7])];
    const SOUND: &[(usize, &[u8])] = &[(27, &[5, 3, 4])];
    const WORDS: &[(usize, &[u8])] = &[(0, &[6]), (12, &[2, 4])];

    fn made(handler: [u8; 4], chunks: &[(usize, &[u8])]) -> Made {
        Made::new(handler, chunks.iter().map(|(place, sizes)| (place + 24, sizes.to_vec())).collect())
    }

    /// The words of chapters, and what a writer left among the frames, went to markets.
    #[test]
    fn what_lies_among_pictures_and_sound_is_blanked() {
        let refers = |names: &[([u8; 4], &[u32])]| {
            part(*b"tref", &names.iter().flat_map(|(name, ids)| part(*name, &numbers(ids))).collect::<Vec<_>>())
        };
        let text = "its text tracks (chapters or subtitles)";
        let data = "its data tracks";
        let both = "its data tracks, without its text tracks (chapters or subtitles)";
        let rows: [(&str, [u8; 4], Vec<u8>, Option<Vec<u8>>, &str); 6] = [
            ("chapters", *b"text", refers(&[(*b"chap", &[3])]), Some(Vec::new()), text),
            (
                "and pictures of them",
                *b"sbtl",
                refers(&[(*b"tmcd", &[2]), (*b"chap", &[3, 2])]),
                Some(refers(&[(*b"tmcd", &[2]), (*b"chap", &[2, 0])])),
                text,
            ),
            (
                "of another track",
                *b"meta",
                refers(&[(*b"chap", &[3]), (*b"cdsc", &[2])]),
                Some(refers(&[(*b"cdsc", &[2])])),
                data,
            ),
            ("no references to it", *b"subt", refers(&[(*b"cdsc", &[2])]), Some(refers(&[(*b"cdsc", &[2])])), text),
            ("no references", *b"gpmd", Vec::new(), None, data),
            ("two", *b"clcp", Vec::new(), None, both),
        ];
        for (name, handler, references, left, told) in rows {
            for tables in [Tables::Usual, Tables::Small(4), Tables::Small(8), Tables::Small(16), Tables::Large] {
                let pictures = Made { more: references.clone(), tables, ..made(*b"vide", PICTURES) };
                let mut tracks = vec![pictures, made(*b"soun", SOUND), Made { tables, ..made(handler, WORDS) }];
                if told == both {
                    tracks.push(made(*b"meta", WORDS));
                }
                let video = film(CONTENT, &tracks);
                let strays = found(&video);
                let told = format!("it goes to markets without {told}, without {BYTES}");
                assert_eq!((strays.is_in_content, &strays.told[..]), (true, &[told][..]), "{name}");
                let out = blanked(&video);
                assert_eq!(out.len(), video.len(), "{name}");
                let expected = b"\0\0\0\0\0\0aframe\0\0\0\0\0\0thesecondsoundandmore\0\0\0\0\0\0lastone\0\0\0\0\0\0";
                assert_eq!(
                    String::from_utf8_lossy(&out[24..24 + CONTENT.len()]),
                    String::from_utf8_lossy(expected),
                    "{name}, {tables:?}"
                );
                assert_eq!((count(&out, b"SECRET"), count(&out, b"trak")), (0, 2), "{name}");
                if let Some(left) = left.as_ref().filter(|left| !left.is_empty()) {
                    assert_eq!(count(&out, left), 1, "{name}");
                }
                assert_eq!(
                    count(&out, b"tref"),
                    usize::from(left.as_ref().is_some_and(|left| !left.is_empty())),
                    "{name}"
                );
                assert!(check(&out, Kind::Mov), "{name}");
                // Twice is once.
                assert_eq!(found(&out), Private::default(), "{name}");
                let edits = tagged(Cursor::new(&video), video.len() as u64, Kind::Mov, &Meta::default()).unwrap();
                let mut with_tags = Vec::new();
                edited(&video[..], video.len() as u64, edits).unwrap().read_to_end(&mut with_tags).unwrap();
                assert_eq!((count(&with_tags, b"SECRET"), count(&with_tags, b"trak")), (0, 2), "{name}");
                assert!(!found(&with_tags).is_in_content && check(&with_tags, Kind::Mov), "{name}");
                assert_eq!(essence(&with_tags), essence(&out), "{name}: it shows the same");
            }
        }
    }

    /// Checks whether what lies among the samples stays as it is, for a reason that is told.
    fn stays(name: &str, video: &[u8], why: Option<&str>, has_place_for_tags: bool) {
        let (private, out) = (found(video), blanked(video));
        let told = match why {
            Some(why) => format!("what lies among its pictures and sound goes along as it is, since {why}"),
            None => format!("it goes to markets without {BYTES}"),
        };
        assert_eq!(private.told, [told], "{name}");
        let is_as_it_was = out[24..24 + CONTENT.len()] == *CONTENT;
        assert_eq!((is_as_it_was, private.is_in_content), (why.is_some(), why.is_none()), "{name}");
        assert_eq!(count(&out, b"SECRET"), if why.is_some() { 4 } else { 0 }, "{name}");
        let tags = tagless(Cursor::new(video), video.len() as u64, Kind::Mov);
        assert_eq!(tags.is_none(), has_place_for_tags, "{name}: {tags:?}");
    }

    /// Returns a film with another track beside its pictures.
    fn with(track: Made) -> Vec<u8> {
        film(CONTENT, &[made(*b"vide", PICTURES), track])
    }

    fn changed(film: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
        let at = film.windows(from.len()).position(|window| window == from).unwrap();
        [&film[..at], to, &film[at + from.len()..]].concat()
    }

    /// A film is no worse for a table that nobody understands.
    #[test]
    fn samples_that_cannot_be_told_stay_and_it_is_told() {
        let pictures = |tables: Tables, chunks| film(CONTENT, &[Made { tables, ..made(*b"vide", chunks) }]);
        let (plain, same) = (pictures(Tables::Usual, PICTURES), pictures(Tables::Same, &[(6, &[6])]));
        let changed_to = |from: &[u8], to: &[u8]| changed(&plain, from, to);
        let runs = |second: u32| numbers(&[1, 1, 1, second, 2, 1, 3, 1, 1]);
        let last_run = |samples: u32| changed_to(&numbers(&[2, 1, 3, 1, 1]), &numbers(&[2, 1, 3, samples, 1]));
        let no_sense = Some("its index makes no sense");
        let rows: [(&str, Vec<u8>, Option<&str>); 10] = [
            ("as it should be", plain.clone(), None),
            ("no runs", changed_to(b"stsc", b"stsx"), no_sense),
            ("no sizes", changed_to(b"stsz", b"stsx"), no_sense),
            ("no places", changed_to(b"stco", b"stcx"), no_sense),
            ("a run out of turn", changed_to(&runs(2), &runs(5)), no_sense),
            ("no first run", changed_to(&numbers(&[3, 1, 1]), &numbers(&[3, 0, 1])), no_sense),
            ("fewer places than samples", last_run(0), no_sense),
            // Of sizes, players take as many as there are; of one size for all, some take as many as the chunks have.
            ("fewer samples than places", last_run(2), None),
            ("and all of one size", changed(&same, &numbers(&[1, 1, 1, 1]), &numbers(&[1, 1, 2, 1])), no_sense),
            ("small sizes that are not", pictures(Tables::Small(32), PICTURES), no_sense),
        ];
        for (name, video, why) in rows {
            stays(name, &video, why, true);
        }
        let sound = |ticks: u32, bits: u8, size: u8| Made {
            described: [&numbers(&[0, 1])[..], &part(*b"sowt", &[&[0; 17][..], &[1, 0, bits], &[0; 8]].concat())]
                .concat(),
            ticks,
            tables: Tables::Same,
            ..made(*b"soun", &[(27, &vec![size; 12 / usize::from(size)])])
        };
        let uncommon = Some("it does not say in a common way how large its sound is");
        stays("sound as large as it says", &with(sound(1, 16, 2)), None, true);
        stays("one tick, other size", &with(sound(1, 16, 1)), uncommon, true);
        stays("compressed", &with(sound(1024, 16, 1)), None, true);
    }

    #[test]
    fn tracks_that_cannot_be_told_stay_and_it_is_told() {
        let pictures = || made(*b"vide", PICTURES);
        let plain = film(CONTENT, &[pictures()]);
        let media = |more: &[u8]| {
            let handler = part(*b"hdlr", &[&[0; 8], &b"text"[..], &[0; 12]].concat());
            part(*b"mdia", &[handler, part(*b"minf", more)].concat())
        };
        let words = || made(*b"text", WORDS);
        let holding = |inner: &[u8]| film_with(CONTENT, &[pictures()], &part(*b"trak", &media(inner)));
        let more = |more: Vec<u8>| with(Made { more, ..made(*b"soun", SOUND) });
        let sound_at = |place: usize| with(Made { chunks: vec![(place, vec![9])], ..made(*b"soun", SOUND) });
        let elsewhere = "its index names content elsewhere";
        let (no_handler, no_pictures) =
            ("one of its tracks does not say what it holds", "no track says where its pictures are");
        let within = "one of its tracks lies within another";
        let too_many: Vec<Made> = (0..=TRACKS_MAX).map(|_| pictures()).collect();
        let odd = "its tracks refer to each other in an odd way";
        let refers = |name: &[u8]| {
            let behind = [&numbers(&[12]), name, &numbers(&[1])[..]].concat();
            Made { more: part(*b"tref", &[part(*b"chap", &numbers(&[2])), behind].concat()), ..pictures() }
        };
        let damaged =
            Made { more: part(*b"mdia", &part(*b"minf", &part(*b"vmhd", &[0; 12]))), ..made(*b"vid\0", SOUND) };
        let unclear = "one of its tracks is described as pictures or sound, and named as something else";
        let rows: [(&str, Vec<u8>, &str, bool); 14] = [
            ("pictures of a damaged name", with(damaged), unclear, true),
            ("over the end of the content", with(made(*b"soun", &[(52, &[7])])), elsewhere, false),
            ("before the content", sound_at(20), elsewhere, false),
            ("in nothing", sound_at(9000), elsewhere, false),
            ("no handler", changed(&plain, b"hdlr", b"hdlx"), no_handler, true),
            ("two handlers", more(media(&[])), no_handler, true),
            ("a track within another", holding(&words().track(3)), within, true),
            ("an index within a track", holding(&part(*b"moov", &part(*b"trak", &[]))), within, true),
            ("too many tracks", film(CONTENT, &too_many), "it has more than 1,000 tracks", true),
            ("nothing at all", film(CONTENT, &[]), no_pictures, true),
            ("fragments", [&plain[..], &part(*b"moof", &[])].concat(), "it is written in fragments", false),
            ("words alone", film(CONTENT, &[words()]), no_pictures, true),
            // The references behind it went, too, without a word.
            ("a reference of an odd name", film(CONTENT, &[refers(b"\0\0\0\x01"), words()]), odd, true),
            ("bytes that are no reference", film(CONTENT, &[refers(b"\0"), words()]), odd, true),
        ];
        for (name, video, why, has_place_for_tags) in rows {
            stays(name, &video, Some(why), has_place_for_tags);
        }
    }

    /// Pictures changed without a word: their last bytes lay in a box that was blanked.
    #[test]
    fn samples_that_end_where_no_content_is_are_not_blanked() {
        let video = film(CONTENT, &[made(*b"vide", PICTURES), made(*b"soun", &[(52, &[20])])]);
        let end = 24 + CONTENT.len();
        let with_free = |free: &[u8]| [&video[..end], &part(*b"free", free), &video[end..]].concat();
        let found = |video: &[u8]| private(Cursor::new(video), video.len() as u64, Kind::Mov);
        let refused = found(&with_free(b"SECRET or the last of the sound")).unwrap_err().to_string();
        assert!(refused.contains("names content at byte 90, where no content is"), "{refused}");
        stays("zeros", &with_free(&[0; 20]), Some("its index names content elsewhere"), false);
        // In whatever order what is blanked was found.
        let encoder = part(*b"avc1", &[&[0; 42], &b"SECRET"[..], &[0; 40]].concat());
        for names in 0..8 {
            let described = [numbers(&[0, names]), encoder.repeat(names as usize)].concat();
            let index = |at: usize| {
                let track = Made { described: described.clone(), ..Made::new(*b"vide", vec![(at, vec![6])]) };
                part(*b"moov", &[part(*b"mvhd", &[0; 20]), track.track(1)].concat())
            };
            let at = index(0).len() + 8;
            let film = [index(at), part(*b"free", b"frames"), part(*b"mdat", b"no frames")].concat();
            let refused = found(&film).unwrap_err().to_string();
            assert!(
                refused.contains(&format!("names content at byte {at}, where no content is")),
                "{names}: {refused}"
            );
        }
    }

    /// A reader that is never asked for much at once.
    struct InPieces<R>(R);

    impl<R: Read> Read for InPieces<R> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            assert!(buffer.len() <= 1 << 20, "{} bytes at once", buffer.len());
            self.0.read(buffer)
        }
    }

    impl<R: std::io::Seek> std::io::Seek for InPieces<R> {
        fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
            self.0.seek(to)
        }
    }

    /// The header of a track that goes was read whole, of however many bytes.
    #[test]
    fn a_long_header_is_not_in_memory() {
        let words = made(*b"text", WORDS).track(2);
        let header = part(*b"tkhd", &[&numbers(&[0, 0, 0, 2, 0])[..], &vec![0; 3 << 20]].concat());
        let words = part(*b"trak", &[&header, &words[8 + 28..]].concat());
        let video = film_with(CONTENT, &[made(*b"vide", PICTURES)], &words);
        let strays = private(InPieces(Cursor::new(&video)), video.len() as u64, Kind::Mov).unwrap();
        assert!(strays.told[0].contains("text tracks"), "{:?}", strays.told);
    }

    /// Returns boxes in each other, in whatever order.
    fn any_box() -> impl Strategy<Value = Vec<u8>> {
        const LEAVES: [&[u8; 4]; 8] = [b"hdlr", b"stsd", b"tref", b"tkhd", b"udta", b"free", b"stsz", b"Xtra"];
        const HOLDERS: [&[u8; 4]; 6] = [b"trak", b"mdia", b"minf", b"stbl", b"moov", b"Xtra"];
        const HANDLERS: [&[u8; 4]; 3] = [b"vide", b"text", b"tmcd"];
        let (leaves, handlers) = (proptest::sample::select(&LEAVES[..]), proptest::sample::select(&HANDLERS[..]));
        let leaf = (leaves, handlers, 0_usize..90).prop_map(|(name, handler, bytes)| {
            let entry = part(*b"avc1", &vec![9; bytes]);
            let content = match name {
                b"hdlr" => [&[0; 8], &handler[..], &[0; 12], b"SECRET"].concat(),
                b"stsd" => [&numbers(&[0, 1])[..], &entry].concat(),
                b"tref" => part(*b"chap", &numbers(&[2, 3])),
                b"tkhd" => numbers(&[0, 0, 0, 3, 0]),
                _ => vec![9; bytes],
            };
            part(*name, &content)
        });
        leaf.prop_recursive(6, 48, 5, |inner| {
            let holders = proptest::sample::select(&HOLDERS[..]);
            (holders, proptest::collection::vec(inner, 0..5)).prop_map(|(name, inner)| part(*name, &inner.concat()))
        })
    }

    proptest! {
        /// Whatever lies where: the samples of the tracks that stay are as they were, and nothing else is left.
        #[test]
        fn samples_stay_and_nothing_else(
            chunks in proptest::collection::vec((0_usize..3, proptest::collection::vec(0_u8..9, 1..5), 0_usize..4), 1..20),
            tables in proptest::sample::select(&[Tables::Usual, Tables::Same, Tables::Small(4), Tables::Large][..]),
            same in proptest::array::uniform3(1_u8..9),
        ) {
            let mut tracks = [*b"vide", *b"soun", *b"text"].map(|handler| Made { tables, ..Made::new(handler, Vec::new()) });
            let (mut content, mut is_used) = (Vec::new(), Vec::new());
            for (track, mut sizes, gap) in chunks {
                if tables == Tables::Same {
                    sizes.fill(same[track]);
                }
                tracks[track].chunks.push((24 + content.len(), sizes.clone()));
                let bytes = sizes.iter().map(|size| usize::from(*size)).sum::<usize>();
                content.extend(std::iter::repeat_n(7, bytes + gap));
                is_used.extend(std::iter::repeat_n(track < 2, bytes));
                is_used.extend(std::iter::repeat_n(false, gap));
            }
            prop_assume!(is_used.contains(&true));
            let out = blanked(&film(&content, &tracks));
            let expected: Vec<u8> = is_used.iter().map(|is_used| if *is_used { 7 } else { 0 }).collect();
            prop_assert_eq!(&out[24..24 + content.len()], &expected[..]);
        }

        /// Whatever lies in what: nothing is blanked twice, and no byte is lost.
        #[test]
        fn edits_never_overlap(more in proptest::collection::vec(any_box(), 0..6)) {
            let video = film_with(CONTENT, &[made(*b"vide", PICTURES), made(*b"text", WORDS)], &more.concat());
            let length = video.len() as u64;
            if more.is_empty() {
                prop_assert!(private(Cursor::new(&video), length, Kind::Mov).is_ok());
            }
            if let Ok(found) = private(Cursor::new(&video), length, Kind::Mov) {
                prop_assert_eq!(length_with(length, &found.edits), Ok(length));
            }
            if let Ok(edits) = tagged(Cursor::new(&video), length, Kind::Mov, &Meta::default()) {
                prop_assert!(length_with(length, &edits).is_ok());
            }
        }
    }
}
