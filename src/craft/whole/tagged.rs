//! Writes metadata into an MP4 or MOV: as XMP and as the list that players read, in `moov`, whose tables are corrected where
//! the content moves. What was there before is not kept.

use std::io::{BufReader, Read, Seek};
use std::ops::Range;

use super::boxes::{measured, part};
use super::edit::Edit;
use super::found::Found;
use super::needed::XMP;
use super::strays::is_within;
use super::{Cannot, CraftError, Source, private_boxes};
use crate::craft::xmp::write_xmp;
use crate::model::iim::plain;
use crate::model::{Kind, Meta};

/// A larger index is not rewritten: it would be in memory as a whole.
const INDEX_BYTES_MAX: u64 = 16 << 20;
/// The most bytes that metadata take.
const TAGS_BYTES_MAX: u64 = 1 << 20;
/// The most bytes of a text in the list of players.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// Returns why stockmill writes no metadata into a video; `None` if it does.
pub fn tagless<R: Read + Seek>(reader: R, length: u64, kind: Kind) -> Option<&'static str> {
    Film::read(reader, length, kind).err().and_then(|cannot| match cannot {
        Cannot::Hold(why) => Some(why),
        // Whoever makes it is told.
        Cannot::Read(_) => None,
    })
}

/// Returns how a video gets metadata in place of all that it says beside its streams.
pub fn tagged<R: Read + Seek>(reader: R, length: u64, kind: Kind, meta: &Meta) -> Result<Vec<Edit>, CraftError> {
    let film = Film::read(reader, length, kind).map_err(|cannot| match cannot {
        Cannot::Hold(why) => CraftError::Unwritable(why.to_owned()),
        Cannot::Read(error) => error,
    })?;
    film.with(meta)
}

/// A video that can hold metadata.
struct Film {
    kind: Kind,
    length: u64,
    found: Found,
    /// The whole box that is the index, what is private in it blanked.
    index: Vec<u8>,
    index_at: Range<u64>,
    /// Where the content begins whose box says that it goes on to the end, and how many bytes that box has.
    open: Option<(u64, u32)>,
    /// Where the last box ends that stays.
    end: u64,
}

impl Film {
    fn read<R: Read + Seek>(mut reader: R, length: u64, kind: Kind) -> Result<Self, Cannot> {
        if !matches!(kind, Kind::Mp4 | Kind::Mov) {
            return Err(Cannot::Hold("stockmill writes tags into MP4 and MOV alone"));
        }
        reader.rewind().map_err(|error| CraftError::Damaged(error.to_string()))?;
        let mut source = Source { reader: BufReader::new(reader), at: 0, length };
        let found = private_boxes::look(&mut source)?;
        let index_at = found.only_index()?.at.clone();
        if index_at.end - index_at.start > INDEX_BYTES_MAX || found.has_places {
            return Err(Cannot::Hold("its index is too large, or names places in a way that is not corrected here"));
        }
        let mut bytes = source.up_to(index_at.start, index_at.end - index_at.start)?;
        for edit in found.edits.iter().filter(|edit| index_at.contains(&edit.at.start)) {
            let blanked = &mut bytes[within(&index_at, &edit.at)];
            blanked.fill(0);
            blanked[..edit.bytes.len()].copy_from_slice(&edit.bytes);
        }
        let open = found.top.last().filter(|last| last.is_open && last.is_content());
        let open = open.map(|last| u32::try_from(last.at.end - last.at.start).map(|size| (last.at.start, size)));
        let open = open.transpose().map_err(|_| Cannot::Hold("its content does not say how large it is"))?;
        let end = found.top.iter().rev().find(|top| top.stays).map_or(0, |top| top.at.end);
        let film = Self { kind, length, found, index: bytes, index_at, open, end };
        film.places_can_change()?;
        Ok(film)
    }

    /// Checks that each place that the index names lies in the content, and that the number of one that moves has room.
    fn places_can_change(&self) -> Result<(), Cannot> {
        if self.found.is_elsewhere {
            return Err(Cannot::Hold("its index names content elsewhere"));
        }
        let contents = self.found.contents();
        for (table, width) in self.tables() {
            let bytes_max = if width == 4 { u64::from(u32::MAX) } else { u64::MAX };
            for number in self.index[table].chunks_exact(width) {
                let place = read(number);
                if !is_within(&contents, &(place..place.saturating_add(1))) {
                    return Err(Cannot::Hold("its index names content elsewhere"));
                }
                if place >= self.index_at.end && place > bytes_max - TAGS_BYTES_MAX {
                    return Err(Cannot::Hold("its index has no room for larger numbers"));
                }
            }
        }
        Ok(())
    }

    /// Returns where in the index the places of the content stand, and how wide their numbers are.
    fn tables(&self) -> Vec<(Range<usize>, usize)> {
        let numbers = |(table, width): &(Range<u64>, usize)| {
            let table = within(&self.index_at, table);
            ((table.start + 8).min(table.end)..table.end, *width)
        };
        self.found.tables.iter().map(numbers).collect()
    }

    fn with(mut self, meta: &Meta) -> Result<Vec<Edit>, CraftError> {
        let (inside, behind) = boxes_of(self.kind, meta);
        let too_long = || CraftError::Metadata("its texts are longer than a video holds; shorten them".to_owned());
        if (inside.len() + behind.len()) as u64 > TAGS_BYTES_MAX {
            return Err(too_long());
        }
        let kept = kept(&self.index);
        let size = 8 + kept.iter().map(ExactSizeIterator::len).sum::<usize>() + inside.len();
        let moved = size as u64;
        let was = self.index_at.end - self.index_at.start;
        for (table, width) in self.tables() {
            for number in self.index[table].chunks_exact_mut(width) {
                let place = read(number);
                if place >= self.index_at.end {
                    let place = (place + moved).checked_sub(was).ok_or_else(too_long)?;
                    number.copy_from_slice(&place.to_be_bytes()[8 - width..]);
                }
            }
        }
        let size = u32::try_from(size).map_err(|_| too_long())?;
        let mut index = [&size.to_be_bytes()[..], b"moov"].concat();
        kept.into_iter().for_each(|range| index.extend_from_slice(&self.index[range]));
        index.extend_from_slice(&inside);
        let (index_at, end) = (self.index_at.clone(), self.end);
        let stays = |edit: &Edit| !index_at.contains(&edit.at.start) && edit.at.start < end;
        let mut edits: Vec<Edit> = self.found.edits.into_iter().filter(stays).collect();
        edits.extend(self.open.map(|(at, size)| Edit::replace(at..at + 4, size.to_be_bytes().to_vec())));
        edits.push(Edit::replace(index_at, index));
        edits.sort_by_key(|edit| edit.at.start);
        edits.push(Edit::replace(end..self.length, behind));
        Ok(edits)
    }
}

/// Returns where a range of the file stands in the index.
fn within(index: &Range<u64>, range: &Range<u64>) -> Range<usize> {
    let position = |at: u64| usize::try_from(at.clamp(index.start, index.end) - index.start).unwrap_or(usize::MAX);
    position(range.start)..position(range.end)
}

fn read(number: &[u8]) -> u64 {
    number.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

/// Returns which parts of an index stay: all boxes in it that mean something.
fn kept(index: &[u8]) -> Vec<Range<usize>> {
    let mut kept = Vec::new();
    let mut at = if index.starts_with(&[0, 0, 0, 1]) { 16 } else { 8 };
    while let Some((size, name)) = index.get(at..).and_then(|rest| measured(rest, rest.len() as u64)) {
        let end = at.saturating_add(usize::try_from(size).unwrap_or(usize::MAX)).min(index.len());
        if !matches!(&name, b"free" | b"skip" | b"wide") {
            kept.push(at..end);
        }
        at = end;
    }
    kept
}

/// Returns the boxes with metadata: those in the index, and those behind all others.
fn boxes_of(kind: Kind, meta: &Meta) -> (Vec<u8>, Vec<u8>) {
    let packet = write_xmp(meta);
    let (own, behind) = match kind {
        // QuickTime has XMP among what a person says, MP4 beside the film.
        Kind::Mov => (part(*b"XMP_", packet.as_bytes()), Vec::new()),
        _ => (Vec::new(), part(*b"uuid", &[&XMP, packet.as_bytes()].concat())),
    };
    let handler = part(*b"hdlr", b"\0\0\0\0\0\0\0\0mdirappl\0\0\0\0\0\0\0\0\0");
    let keywords = meta.keywords.join(", ");
    let texts = [
        (*b"\xa9nam", &meta.title),
        (*b"\xa9ART", &meta.creator),
        (*b"cprt", &meta.rights),
        (*b"desc", &meta.description),
        (*b"keyw", &keywords),
    ];
    let on_a_line = |text: &String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let texts = texts.map(|(name, text)| (name, plain(&on_a_line(text), TEXT_BYTES_MAX)));
    let texts = texts.into_iter().filter(|(_, text)| !text.is_empty());
    // Each is UTF-8 (type 1), in no language.
    let item = |(name, text): ([u8; 4], String)| {
        part(name, &part(*b"data", &[&[0, 0, 0, 1, 0, 0, 0, 0], text.as_bytes()].concat()))
    };
    let list = part(*b"ilst", &texts.map(item).collect::<Vec<_>>().concat());
    let list = part(*b"meta", &[&[0; 4], &handler[..], &list].concat());
    (part(*b"udta", &[list, own].concat()), behind)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::boxes::{find, inner};
    use super::super::edit::edited;
    use super::super::private::private;
    use super::super::tests::check;
    use super::*;
    use crate::craft::read_xmp;

    const SECRET: &[u8] = b"SECRET";
    const FRAMES: &[u8] = b"all frames of the film";

    fn numbers(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
    }

    fn wide(name: [u8; 4], content: &[u8]) -> Vec<u8> {
        [&[0, 0, 0, 1], &name[..], &(content.len() as u64 + 16).to_be_bytes(), content].concat()
    }

    /// Returns an index whose one chunk lies at a place, with more boxes in it.
    fn index(place: &[u8], more: &[u8]) -> Vec<u8> {
        let name = if place.len() == 4 { *b"stco" } else { *b"co64" };
        let table = [
            part(*b"stsc", &numbers(&[0, 1, 1, 1, 1])),
            part(*b"stsz", &numbers(&[0, u32::try_from(FRAMES.len()).unwrap(), 1])),
            part(name, &[&numbers(&[0, 1])[..], place].concat()),
        ];
        let media =
            [*b"stbl", *b"minf", *b"mdia"].into_iter().fold(table.concat(), |content, name| part(name, &content));
        let track = [media, part(*b"udta", SECRET)].concat();
        part(*b"moov", &[&part(*b"mvhd", &[0; 20])[..], &part(*b"trak", &track), more].concat())
    }

    fn tag(video: &[u8], kind: Kind, meta: &Meta) -> Result<Vec<u8>, CraftError> {
        let edits = tagged(Cursor::new(video), video.len() as u64, kind, meta)?;
        let mut made = Vec::new();
        edited(video, video.len() as u64, edits).unwrap().read_to_end(&mut made).unwrap();
        Ok(made)
    }

    /// Returns the place of the chunk that the index of a video names.
    fn place(video: &[u8]) -> usize {
        let path = [*b"moov", *b"trak", *b"mdia", *b"minf", *b"stbl"];
        let table = path.iter().try_fold(video, |inside, name| find(inside, *name)).unwrap();
        let places = find(table, *b"stco").or_else(|| find(table, *b"co64")).unwrap();
        usize::try_from(read(&places[8..])).unwrap()
    }

    fn count(video: &[u8], text: &[u8]) -> usize {
        video.windows(text.len()).filter(|window| *window == text).count()
    }

    fn meta(title: &str) -> Meta {
        let text = str::to_owned;
        Meta {
            title: text(title),
            description: text("Snow & ice\nat dusk"),
            keywords: vec![text("snow"), text("Hütte")],
            creator: text("Ann"),
            rights: text("© Ann"),
            ..Meta::default()
        }
    }

    #[test]
    fn tags_are_written_where_the_content_is_found_again() {
        let (ftyp, mdat) = (part(*b"ftyp", &[0; 8]), part(*b"mdat", FRAMES));
        let [late, early] = [24_u32, 16 + u32::try_from(index(&[0; 4], &[]).len()).unwrap() + 8].map(u32::to_be_bytes);
        let (udta, free) = (part(*b"udta", SECRET), part(*b"free", &[0; 900]));
        let early_with = |bytes: usize| (u32::from_be_bytes(early) + u32::try_from(bytes).unwrap()).to_be_bytes();
        let old = part(*b"uuid", &[&XMP[..], SECRET].concat());
        let rows: [(&str, Kind, Vec<u8>); 11] = [
            ("content first", Kind::Mp4, [&ftyp[..], &mdat, &index(&late, &[])].concat()),
            ("index first", Kind::Mp4, [&ftyp[..], &index(&early, &[]), &mdat].concat()),
            ("QuickTime, content first", Kind::Mov, [&ftyp[..], &mdat, &index(&late, &udta)].concat()),
            ("QuickTime, index first", Kind::Mov, [&ftyp[..], &index(&early_with(14), &udta), &mdat].concat()),
            ("much free space", Kind::Mp4, [&ftyp[..], &index(&early_with(908), &free), &mdat].concat()),
            ("free before the content", Kind::Mp4, [&ftyp[..], &index(&early_with(908), &[]), &free, &mdat].concat()),
            (
                "large numbers",
                Kind::Mp4,
                [&ftyp[..], &index(&(u64::from(u32::from_be_bytes(early)) + 4).to_be_bytes(), &[]), &mdat].concat(),
            ),
            (
                "64 bits",
                Kind::Mp4,
                [&ftyp[..], &wide(*b"mdat", FRAMES), &wide(*b"moov", &index(&32_u32.to_be_bytes(), &udta)[8..])]
                    .concat(),
            ),
            ("to the end", Kind::Mp4, [&ftyp[..], &index(&early, &[]), b"\0\0\0\0mdat", FRAMES].concat()),
            ("old XMP", Kind::Mp4, [&ftyp[..], &mdat, &index(&late, &udta), &old, &free].concat()),
            ("bytes behind", Kind::Mov, [&ftyp[..], &mdat, &index(&late, &udta), &[0, 0, 0, 2], SECRET].concat()),
        ];
        for (name, kind, video) in rows {
            let at = place(&video);
            assert_eq!(&video[at..at + FRAMES.len()], FRAMES, "{name}: the test itself");
            assert_eq!(tagless(Cursor::new(&video), video.len() as u64, kind), None, "{name}");
            let made = tag(&video, kind, &meta("A cabin")).unwrap();
            let at = place(&made);
            assert_eq!(&made[at..at + FRAMES.len()], FRAMES, "{name}");
            assert!(check(&made, kind) && count(&made, SECRET) == 0, "{name}");
            // The same gives the same, and what was there is replaced.
            assert_eq!(tag(&made, kind, &meta("A cabin")).unwrap(), made, "{name}");
            // Beside its tags a film of an older version may say what that one did not know.
            let is_more = |film: &[u8]| private(Cursor::new(film), film.len() as u64, kind).unwrap().is_more_than_tags;
            let more = [part(*b"uuid", &[&XMP[..], SECRET].concat()), part(*b"meta", SECRET), SECRET.to_vec()];
            let older = more.map(|more| [&made[..], &more].concat());
            assert!(!is_more(&made) && is_more(&video) && older.iter().all(|film| is_more(film)), "{name}");
            let other = tag(&video, kind, &meta("Another title")).unwrap();
            assert_eq!(tag(&made, kind, &meta("Another title")).unwrap(), other, "{name}");
            assert_eq!(count(&other, b"A cabin"), 0, "{name}");
            let udta = find(find(&made, *b"moov").unwrap(), *b"udta").unwrap();
            let packet = match kind {
                Kind::Mov => find(udta, *b"XMP_").unwrap(),
                _ => find(&made, *b"uuid").unwrap().strip_prefix(&XMP).unwrap(),
            };
            assert_eq!(read_xmp(packet).unwrap().title.as_deref(), Some("A cabin"), "{name}");
            let list = find(&find(udta, *b"meta").unwrap()[4..], *b"ilst").unwrap();
            let texts: Vec<&str> = inner(list).map(|(_, item)| std::str::from_utf8(&item[16..]).unwrap()).collect();
            assert_eq!(texts, ["A cabin", "Ann", "© Ann", "Snow & ice at dusk", "snow, Hütte"], "{name}");
        }
    }

    #[test]
    fn a_video_without_a_place_for_tags_is_told() {
        let (ftyp, mdat) = (part(*b"ftyp", &[0; 8]), part(*b"mdat", FRAMES));
        let late = index(&24_u32.to_be_bytes(), &[]);
        let fragments = part(*b"moov", &[&part(*b"mvhd", &[0; 20])[..], &part(*b"mvex", &[])].concat());
        let rows: [(Vec<u8>, Kind, &str); 6] = [
            ([&ftyp[..], &mdat, &late].concat(), Kind::Webm, "stockmill writes tags into MP4 and MOV alone"),
            ([&ftyp[..], &fragments, &part(*b"moof", &[]), &mdat].concat(), Kind::Mp4, "it is written in fragments"),
            ([&ftyp[..], &fragments, &mdat].concat(), Kind::Mov, "it is written in fragments"),
            ([&ftyp[..], &mdat, &late, &late].concat(), Kind::Mp4, "it has more than one index"),
            (
                [&ftyp[..], &mdat, &index(&20_u32.to_be_bytes(), &[])].concat(),
                Kind::Mp4,
                "its index names content elsewhere",
            ),
            (
                [&ftyp[..], &mdat, &index(&24_u32.to_be_bytes(), &part(*b"trak", &part(*b"saio", &[])))].concat(),
                Kind::Mp4,
                "its index is too large, or names places in a way that is not corrected here",
            ),
        ];
        for (video, kind, told) in rows {
            assert_eq!(tagless(Cursor::new(&video), video.len() as u64, kind), Some(told));
            assert_eq!(tag(&video, kind, &meta("A cabin")), Err(CraftError::Unwritable(told.to_owned())), "{told}");
        }
        let long = Meta { description: "x".repeat(2 << 20), ..meta("A cabin") };
        let video = [&ftyp[..], &mdat, &late].concat();
        assert!(tag(&video, Kind::Mp4, &long).unwrap_err().to_string().contains("shorten them"));
    }
}
