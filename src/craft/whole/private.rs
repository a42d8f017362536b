//! Finds what a video contains besides its streams: a prompt, a location, an author.

use std::io::{BufReader, Read, Seek};

use super::edit::Edit;
use super::found::Found;
use super::{CraftError, Source, measure, private_avi, private_boxes, private_matroska};
use crate::model::{Codec, Kind};

/// What a video contains besides its pictures and sound.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Private {
    /// How it is blanked, in the order of the file: every size and offset stays the same.
    pub edits: Vec<Edit>,
    /// Whether some of it is a track, or lies among the samples of the others.
    pub is_in_content: bool,
    /// Whether there is more of it than the tags that stockmill writes.
    pub is_more_than_tags: bool,
    /// What a person is told of that.
    pub told: Vec<String>,
}

/// Finds what a video contains besides its pictures and sound. A video whose parts cannot all be separated is refused:
/// nothing is published unseen.
pub fn private<R: Read + Seek>(mut reader: R, length: u64, kind: Kind) -> Result<Private, CraftError> {
    let codec = if matches!(kind, Kind::Webm | Kind::Mkv | Kind::Avi) {
        measure(&mut reader, length, kind).codec
    } else {
        None
    };
    // The caller may have read from it before.
    reader.rewind().map_err(|error| CraftError::Damaged(error.to_string()))?;
    let mut source = Source { reader: BufReader::new(reader), at: 0, length };
    match kind {
        Kind::Mp4 | Kind::Mov => {
            let found = private_boxes::look(&mut source)?;
            let is_more_than_tags = found.is_more_than_tags(kind);
            let Found { edits, is_in_content, told, .. } = found;
            Ok(Private { edits, is_in_content, is_more_than_tags, told })
        }
        Kind::Webm | Kind::Mkv => private_matroska::find(source).map(|found| Private::beside(found, codec.as_ref())),
        Kind::Avi => private_avi::find(source).map(|found| Private::beside(found, codec.as_ref())),
        _ => Ok(Private::default()),
    }
}

/// What goes along with a film of another container.
const OTHERS: &str = "its tracks of text or data go along: stockmill takes them out of MP4 and MOV files alone";
const NOTES: &str =
    "what programs wrote into its coded pictures goes along: stockmill takes it out of MP4 and MOV files alone";

impl Private {
    /// Returns what lies beside the streams alone: they all stay.
    fn beside((edits, has_others): (Vec<Edit>, bool), codec: Option<&Codec>) -> Self {
        let may_have_notes = matches!(codec, Some(Codec::H264 | Codec::Hevc));
        let told = [(has_others, OTHERS), (may_have_notes, NOTES)].into_iter().filter(|(stays, _)| *stays);
        Self { edits, told: told.map(|(_, told)| told.to_owned()).collect(), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::edit::edited;
    use super::super::tests::check;
    use super::*;

    const SECRET: &[u8] =
        b"SECRET +47.3+008.5/ a prompt of some length, so that a long head is needed for what takes its \
        place, and then some more words until it has more than one hundred and twenty-nine bytes";

    fn holds(video: &[u8], text: &[u8]) -> bool {
        video.windows(text.len()).any(|window| window == text)
    }

    /// Checks that of a video what is private goes, and nothing else.
    fn goes(name: &str, kind: Kind, video: &[u8], frames: &[u8]) {
        let find = |video: &[u8]| private(Cursor::new(video), video.len() as u64, kind).map(|found| found.edits);
        let edits = find(video).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut made = Vec::new();
        edited(video, video.len() as u64, edits.clone()).unwrap().read_to_end(&mut made).unwrap();
        assert!(holds(video, b"SECRET") && !holds(&made, b"SECRET"), "{name}");
        assert_eq!(made.len(), video.len(), "{name}");
        assert!(holds(&made, frames) && check(&made, kind), "{name}");
        assert_eq!(find(&made), Ok(Vec::new()), "{name}");
        let is_in = |at: usize| edits.iter().any(|edit| edit.at.contains(&(at as u64)));
        assert!((0..made.len()).all(|at| made[at] == video[at] || is_in(at)), "{name}");
    }

    fn element(id: &[u8], content: &[u8]) -> Vec<u8> {
        let size = match u8::try_from(content.len()) {
            Ok(size @ 0..=126) => vec![0x80 | size],
            _ => (u64::try_from(content.len()).unwrap() | 1 << 56).to_be_bytes().to_vec(),
        };
        [id, &size, content].concat()
    }

    /// Returns a cue with something more in it.
    fn cue(more: &[u8]) -> Vec<u8> {
        element(b"\x1c\x53\xbb\x6b", &element(b"\xbb", &[&element(b"\xb3", &[0]), more].concat()))
    }

    /// Returns a list of contents with something more in its entry.
    fn listing(more: &[u8]) -> Vec<u8> {
        let place = [element(b"\x53\xab", b"\x15\x49\xa9\x66"), element(b"\x53\xac", &[9])].concat();
        element(b"\x11\x4d\x9b\x74", &element(b"\x4d\xbb", &[&place, more].concat()))
    }

    /// Tags of a `WebM` went out as they were, with the prompt that a generator puts there.
    #[test]
    fn a_matroska_is_bundled_without_what_it_says_beside_its_streams() {
        const INFO: &[u8] = b"\x15\x49\xa9\x66";
        const TRACKS: &[u8] = b"\x16\x54\xae\x6b";
        let frames: Vec<u8> = (0..100).map(|n| n * 2).collect();
        let head = element(b"\x1a\x45\xdf\xa3", &element(b"\x42\x82", b"webm"));
        let block = element(b"\xa3", &frames);
        let times = element(b"\x44\x89", &[0; 8]);
        let info = |more: &[u8]| element(INFO, &[&times[..], more].concat());
        let tracks = |more: &[u8]| element(TRACKS, &element(b"\xae", &[&element(b"\x83", &[1])[..], more].concat()));
        let cluster = |more: &[u8]| {
            let checksum = element(b"\xbf", &[7; 4]);
            element(b"\x1f\x43\xb6\x75", &[&checksum, &element(b"\xe7", &[0]), &block[..], more].concat())
        };
        let film = |parts: &[&[u8]]| [&head[..], &element(b"\x18\x53\x80\x67", &parts.concat())].concat();
        let plain = [info(&[]), tracks(&[]), cluster(&[])].concat();
        let tags = element(b"\x12\x54\xc3\x67", &element(b"\x73\x73", SECRET));
        let open: &[u8] = b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff";
        let live_cluster = [&b"\x1f\x43\xb6\x75\xff"[..], &element(b"\xe7", &[0]), &block].concat();
        let seek = |id: &[u8]| element(b"\x4d\xbb", &[element(b"\x53\xab", id), element(b"\x53\xac", &[9])].concat());
        let seek_head = element(b"\x11\x4d\x9b\x74", &[seek(INFO), seek(b"\x12\x54\xc3\x67")].concat());
        let in_track = |id: &[u8], more: &[u8]| film(&[&info(&[]), &tracks(&element(id, more)), &cluster(&[])]);
        let in_head = |more: &[u8]| [element(b"\x1a\x45\xdf\xa3", more), film(&[&plain])].concat();
        let secret = element(b"\x42\x42", SECRET);
        let rows: [(&str, Vec<u8>); 24] = [
            ("unknown in a track", film(&[&info(&[]), &tracks(&secret), &cluster(&[])])),
            ("unknown in its pictures", in_track(b"\xe0", &[&element(b"\xb0", &[9])[..], &secret].concat())),
            ("unknown in its colours", in_track(b"\xe0", &element(b"\x55\xb0", &secret))),
            ("unknown in its sound", in_track(b"\xe1", &secret)),
            ("the name of what blocks add", in_track(b"\x41\xe4", &element(b"\x41\xa4", SECRET))),
            ("what extends its type", in_head(&element(b"\x42\x81", &element(b"\x42\x83", SECRET)))),
            (
                "unknown in a group of blocks",
                film(&[&plain, &cluster(&element(b"\xa0", &[&block[..], &secret].concat()))]),
            ),
            ("unknown in a cue", film(&[&plain, &cue(&secret)])),
            ("unknown in its place", film(&[&plain, &cue(&element(b"\xb7", &secret))])),
            ("unknown in the list of contents", film(&[&listing(&secret), &plain])),
            ("tags", film(&[&plain, &tags])),
            ("tags before the content, listed", film(&[&seek_head, &tags, &plain])),
            ("attached", film(&[&plain, &element(b"\x19\x41\xa4\x69", SECRET)])),
            ("chapters", film(&[&plain, &element(b"\x10\x43\xa7\x70", SECRET)])),
            ("a title", film(&[&info(&element(b"\x7b\xa9", SECRET)), &tracks(&[]), &cluster(&[])])),
            ("what wrote it", film(&[&info(&element(b"\x57\x41", SECRET)), &tracks(&[]), &cluster(&[])])),
            ("the name of a track", film(&[&info(&[]), &tracks(&element(b"\x53\x6e", SECRET)), &cluster(&[])])),
            ("left free", film(&[&element(b"\xec", SECRET), &plain])),
            ("left free in a cluster", film(&[&plain, &cluster(&element(b"\xec", SECRET))])),
            ("nobody knows it", film(&[&plain, &element(b"\x42\x42", SECRET)])),
            ("behind the end", [film(&[&plain]), [&[0; 2], SECRET].concat()].concat()),
            ("an element behind the end", [film(&[&plain]), element(b"\x42\x42", SECRET)].concat()),
            ("in the head", in_head(&secret)),
            ("live", [&head, open, &info(&[])[..], &tracks(&[]), &live_cluster, &live_cluster, &tags].concat()),
        ];
        for (name, video) in rows {
            goes(name, Kind::Webm, &video, &frames);
        }
        for (kind, is_told) in [(1, false), (2, false), (3, false), (0x11, true), (0x21, true), (0, true)] {
            let track = element(TRACKS, &element(b"\xae", &element(b"\x83", &[0, kind])));
            let video = film(&[&plain, &track]);
            let found = private(Cursor::new(&video), video.len() as u64, Kind::Mkv).unwrap();
            assert_eq!((found.edits, found.told.len()), (Vec::new(), usize::from(is_told)), "{kind}");
        }
        // A checksum stays where nothing is changed that it is about.
        let clean = film(&[&plain]);
        assert_eq!(private(Cursor::new(&clean), clean.len() as u64, Kind::Mkv), Ok(Private::default()));
        for (name, video) in [
            ("no element inside", film(&[&plain, b"\0\0SECRET"])),
            ("cut off inside", film(&[&plain, &b"\xec\xffSECRET"[..]])),
            ("larger than the file", [&head[..], b"\x18\x53\x80\x67\xfe", &plain].concat()),
        ] {
            assert!(private(Cursor::new(&video), video.len() as u64, Kind::Mkv).is_err(), "{name}");
        }
    }

    fn chunk(name: [u8; 4], content: &[u8]) -> Vec<u8> {
        [&name[..], &u32::try_from(content.len()).unwrap().to_le_bytes(), content, &vec![0; content.len() % 2]].concat()
    }

    fn list(name: [u8; 4], parts: &[&[u8]]) -> Vec<u8> {
        chunk(*b"LIST", &[&name[..], &parts.concat()].concat())
    }

    #[test]
    fn an_avi_is_bundled_without_what_it_says_beside_its_streams() {
        let frames: Vec<u8> = (0..101).map(|n| n * 2).collect();
        let stream = |more: &[u8]| {
            list(*b"strl", &[&chunk(*b"strh", &[&b"vids"[..], &[1; 52]].concat()), &chunk(*b"strf", &[2; 40]), more])
        };
        let header = |more: &[u8]| list(*b"hdrl", &[&chunk(*b"avih", &[0; 56]), &stream(&[]), more]);
        let movi = |more: &[u8]| {
            list(*b"movi", &[&chunk(*b"00dc", &frames), &list(*b"rec ", &[&chunk(*b"01wb", &[9; 9])]), more])
        };
        let film = |parts: &[&[u8]]| chunk(*b"RIFF", &[b"AVI ", &parts.concat()[..]].concat());
        let plain = [header(&[]), movi(&[]), chunk(*b"idx1", &[3; 32])].concat();
        let info = list(*b"INFO", &[&chunk(*b"ICMT", SECRET)]);
        let rows: [(&str, Vec<u8>); 9] = [
            ("comments", film(&[&plain, &info])),
            ("comments before the content", film(&[&header(&info), &movi(&[])])),
            ("XMP", film(&[&plain, &chunk(*b"_PMX", SECRET)])),
            ("left in JUNK", film(&[&header(&[]), &chunk(*b"JUNK", SECRET), &movi(&[])])),
            ("JUNK between frames", film(&[&header(&[]), &movi(&chunk(*b"JUNK", SECRET))])),
            ("the name of a stream", film(&[&header(&stream(&chunk(*b"strn", SECRET))), &movi(&[])])),
            ("a camera's notes", film(&[&header(&stream(&chunk(*b"strd", SECRET))), &movi(&[])])),
            ("in the second part", [film(&[&plain]), chunk(*b"RIFF", &[b"AVIX", &movi(&info)[..]].concat())].concat()),
            ("behind the end", [film(&[&plain]), SECRET.to_vec()].concat()),
        ];
        for (name, video) in rows {
            goes(name, Kind::Avi, &video, &frames);
        }
        let clean = [film(&[&plain]), vec![0; 5]].concat();
        assert_eq!(private(Cursor::new(&clean), clean.len() as u64, Kind::Avi), Ok(Private::default()));
        for (kind, is_told) in [(b"vids", false), (b"auds", false), (b"iavs", false), (b"txts", true), (b"mids", true)]
        {
            let other = list(*b"strl", &[&chunk(*b"strh", &[&kind[..], &[1; 52]].concat())]);
            let video = film(&[&header(&other), &movi(&[])]);
            let found = private(Cursor::new(&video), video.len() as u64, Kind::Avi).unwrap();
            assert_eq!((found.edits, found.told.len()), (Vec::new(), usize::from(is_told)), "{kind:?}");
        }
        for (name, video) in [
            ("cut off inside", film(&[&plain, &b"JUNK\xff\0\0\0SECRET"[..]])),
            ("no film", [&chunk(*b"RIFF", b"AVI ")[..], SECRET].concat()),
        ] {
            assert!(private(Cursor::new(&video), video.len() as u64, Kind::Avi).is_err(), "{name}");
        }
    }
}
