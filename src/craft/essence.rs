//! Hashes what a file shows, without its metadata, while it is read: two files that differ only in their tags are one.

use std::io::{self, Read};

use blake3::Hasher;

use super::appearance::named;
use super::essence_writer::EssenceWriter;
use super::turned::{INDEX_BYTES_MAX, turned, unusual};
use super::whole;
use crate::model::{ContentHash, Kind};

/// A reader that hashes what a file shows while somebody else reads it from start to end: a video may have many
/// gigabytes, and is read once.
pub struct Watched<R> {
    reader: R,
    shows: Shows,
}

enum Shows {
    Video(Boxes),
    Picture(EssenceWriter<io::Sink>),
    /// Its metadata and content are not separated here.
    Other,
}

impl<R: Read> Watched<R> {
    /// Begins at the start of a file of `length` bytes.
    pub fn new(reader: R, kind: Option<Kind>, length: u64) -> Self {
        let shows = match kind {
            Some(Kind::Mp4 | Kind::Mov) => Shows::Video(Boxes::new(length)),
            Some(kind) if kind.is_image() => Shows::Picture(EssenceWriter::new(io::sink(), Some(kind))),
            _ => Shows::Other,
        };
        Self { reader, shows }
    }

    /// Returns the hash of what it shows; `None` for other kinds, and if a part of it is cut off.
    pub fn essence(self) -> Option<ContentHash> {
        match self.shows {
            Shows::Video(boxes) if boxes.has_content && !(boxes.is_content && boxes.left_of_box > 0) => {
                Some(boxes.essence())
            }
            Shows::Picture(picture) => picture.finish().1,
            Shows::Video(_) | Shows::Other => None,
        }
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        match &mut self.shows {
            Shows::Video(boxes) => boxes.take(&buffer[..read]),
            Shows::Picture(picture) => picture.seen(&buffer[..read]),
            Shows::Other => (),
        }
        Ok(read)
    }
}

/// The boxes of an MP4 or MOV while its bytes are read.
struct Boxes {
    /// How many bytes of the file follow the boxes so far.
    left_of_file: u64,
    /// How many bytes of the present box follow, once its head is complete.
    left_of_box: u64,
    /// The head of the next box, as far as it was read.
    head: Vec<u8>,
    is_content: bool,
    has_content: bool,
    /// What the index holds, if it is not too large, and whether the present box is it.
    index: Vec<u8>,
    is_index: bool,
    /// Whether the bytes from here on are no boxes.
    is_over: bool,
    hasher: Hasher,
}

impl Boxes {
    fn new(length: u64) -> Self {
        Self {
            left_of_file: length,
            left_of_box: 0,
            head: Vec::new(),
            is_content: false,
            has_content: false,
            index: Vec::new(),
            is_index: false,
            is_over: false,
            hasher: Hasher::new(),
        }
    }

    fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.is_over {
            let is_inside = self.left_of_box > 0;
            let wanted = if is_inside { self.left_of_box } else { self.head_bytes() - self.head.len() as u64 };
            let (part, rest) = bytes.split_at(usize::try_from(wanted).unwrap_or(usize::MAX).min(bytes.len()));
            bytes = rest;
            if is_inside {
                self.left_of_box -= part.len() as u64;
                if self.is_content {
                    self.hasher.update(part);
                    self.has_content = true;
                } else if self.is_index {
                    self.index.extend_from_slice(part);
                }
                continue;
            }
            self.head.extend_from_slice(part);
            if self.head.len() as u64 == self.head_bytes() {
                self.begin();
            }
        }
    }

    /// Returns the hash of the streams; of a film that is turned, cut or stretched when it is shown, of that, too.
    fn essence(mut self) -> ContentHash {
        let turned = turned(&self.index);
        if !turned.is_empty() {
            named(&mut self.hasher, b"tkhd", &turned);
        }
        let unusual = unusual(&self.index);
        if !unusual.is_empty() {
            named(&mut self.hasher, b"trak", &unusual);
        }
        ContentHash::from_digest(self.hasher.finalize())
    }

    /// Returns how long the head of the next box is, as far as that is known.
    fn head_bytes(&self) -> u64 {
        if self.head.len() >= 8 && self.head.starts_with(&[0, 0, 0, 1]) { 16 } else { 8 }
    }

    fn begin(&mut self) {
        let head = std::mem::take(&mut self.head);
        let measured = whole::measured(&head, self.left_of_file);
        let inner = measured.and_then(|(size, _)| size.checked_sub(head.len() as u64));
        let (Some((size, name)), Some(inner)) = (measured, inner) else {
            self.is_over = true;
            return;
        };
        self.left_of_box = inner;
        self.is_content = name == *b"mdat";
        self.is_index = name == *b"moov" && inner.saturating_add(self.index.len() as u64) <= INDEX_BYTES_MAX;
        self.left_of_file = self.left_of_file.saturating_sub(size);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft::appearance;
    use crate::craft::complete::png_chunks;
    use crate::craft::embed::wanted;
    use crate::craft::essence_writer::{EssenceWriter, essence, webp};
    use crate::craft::jpeg::parts;
    use crate::craft::webp::{self as webps, Chunk};
    use crate::craft::{Picture, embed, encode, grey_profile, srgb_profile, testing};
    use crate::model::{Format, Meta};
    use proptest::prelude::*;
    use std::io::Write;

    /// Returns a JPEG with one segment more.
    fn with_segment(jpeg: &[u8], marker: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len() + 2).unwrap().to_be_bytes();
        [&jpeg[..2], &[0xff, marker], &length, body, &jpeg[2..]].concat()
    }

    /// Returns a PNG with one chunk more behind its header.
    fn with_chunk(png: &[u8], name: [u8; 4], body: &[u8]) -> Vec<u8> {
        let sum = crc32fast::hash(&[&name, body].concat()).to_be_bytes();
        [&png[..33], &u32::try_from(body.len()).unwrap().to_be_bytes(), &name, body, &sum, &png[33..]].concat()
    }

    /// Returns an EXIF block that tells how a picture is turned, as a camera may write it.
    fn exif(turned: u8) -> Vec<u8> {
        [b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0", &[turned][..], &[0; 7], b"of a camera"].concat()
    }

    /// Returns a picture, which has 40 by 30 pixels, with a colour profile and turned.
    fn looking(bare: &[u8], kind: Kind, icc: &[u8], turned: u8) -> Vec<u8> {
        let exif = exif(turned);
        match kind {
            Kind::Jpeg => {
                let (first, second) = icc.split_at(icc.len() / 2);
                let piece = |number: u8, part: &[u8]| [b"ICC_PROFILE\0", &[number, 2][..], part].concat();
                let colored = with_segment(&with_segment(bare, 0xe2, &piece(1, first)), 0xe2, &piece(2, second));
                with_segment(&colored, 0xe1, &[b"Exif\0\0", &exif[..]].concat())
            }
            Kind::Png => {
                // Its orientation may lie behind the pixels.
                let end = bare.len() - 12;
                let chunk = &with_chunk(bare, *b"eXIf", &exif)[33..33 + 12 + exif.len()];
                let turned = [&bare[..end], chunk, &bare[end..]].concat();
                with_chunk(&turned, *b"iCCP", &[b"a name\0\0", &fdeflate::compress_to_vec(icc)[..]].concat())
            }
            _ => {
                let header = Chunk { name: *b"VP8X", body: &[0x28, 0, 0, 0, 39, 0, 0, 29, 0, 0] };
                let mut chunks = vec![header, Chunk { name: *b"ICCP", body: icc }];
                chunks.extend(webps::chunks(bare).unwrap());
                chunks.push(Chunk { name: *b"EXIF", body: &exif });
                webps::join(&chunks)
            }
        }
    }

    /// A profile that is none of those that every exported picture has.
    fn other_icc() -> Vec<u8> {
        crate::craft::icc::rgb(&crate::craft::icc::SRGB, |value| value).unwrap()
    }

    /// Returns a picture that says nothing of how it looks.
    fn bare(format: Format) -> Vec<u8> {
        encode(&Picture { icc: None, ..testing::gradient(40, 30) }, format, 90).unwrap()
    }

    /// Returns a file of each kind that says nothing of how it looks, and its hash.
    fn plain() -> [(Kind, Vec<u8>, &'static str); 3] {
        let png_head = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x09\0\0\0\x07\x08\x02\0\0\0";
        let sum = |content: &[u8]| crc32fast::hash(content).to_be_bytes();
        let pixels = [b"\0\0\0\x06IDATpixels", &sum(b"IDATpixels")[..]].concat();
        let png = [png_head, &sum(&png_head[12..])[..], &pixels, b"\0\0\0\0IEND", &sum(b"IEND")].concat();
        let jpeg = b"\xff\xd8\xff\xdb\0\x04AB\xff\xda\0\x03S..\xff\0.\xff\xd0.\xff\xff\xfe\0\x02\xff\xd9";
        [
            (Kind::Jpeg, jpeg.to_vec(), "f710ad5013f68481c432e0230aae34a95f62105192b42f614fa5d5b4b8c20680"),
            (Kind::Png, png, "84c670392c1c577c250518e8f67fba72c8a8f21eb8c6d84f343393121aed1ebc"),
            (
                Kind::Webp,
                b"RIFF\x12\0\0\0WEBPVP8L\x06\0\0\0pixels".to_vec(),
                "2d363a420abd9b302baccf7781213705e3c8766e0e6d6354787cc80dcba0a6ea",
            ),
        ]
    }

    /// Sidecars and ledgers hold the hashes of pictures that say nothing of how they look, or the usual: they stay.
    #[test]
    fn the_usual_look_keeps_the_hash_that_it_always_had() {
        for (kind, bytes, hash) in plain() {
            let expected = ContentHash::try_from(hash.to_owned()).ok();
            assert_eq!(essence(&bytes, kind), expected, "{kind}");
            // One that cannot be used is taken for sRGB.
            for icc in [srgb_profile(), grey_profile(), b"an icc"] {
                for piece in [1, 7, 4096] {
                    assert_eq!(written(&looking(&bytes, kind, icc, 1), kind, &[piece]), expected, "{kind}");
                }
            }
            if kind == Kind::Png {
                let gamma = (*b"gAMA", &[0, 1, 0x86, 0xa0][..]);
                // The first word counts.
                let srgb = with_chunk(&with_chunk(&bytes, gamma.0, gamma.1), *b"sRGB", &[0]);
                let codes = with_chunk(&with_chunk(&bytes, gamma.0, gamma.1), *b"cICP", &[1, 13, 0, 1]);
                let behind = [&bytes[..bytes.len() - 12], &with_chunk(&bytes, gamma.0, gamma.1)[33..49]].concat();
                let behind = [&behind[..], &bytes[bytes.len() - 12..]].concat();
                let torn = [b"a name\0\0", &fdeflate::compress_to_vec(&other_icc())[9..]].concat();
                let torn = with_chunk(&bytes, *b"iCCP", &torn);
                let rows = [("sRGB", srgb), ("cICP", codes), ("gAMA behind the pixels", behind), ("no profile", torn)];
                for (what, bytes) in rows {
                    assert_eq!(essence(&bytes, kind), expected, "{what}");
                }
            }
        }
    }

    /// The same pixels in Display P3, or turned, were taken for the same picture with other tags, and set aside.
    #[test]
    fn other_colours_and_another_turn_are_another_picture() {
        let icc = other_icc();
        for (kind, bytes, _) in plain() {
            let mut looks = vec![
                bytes.clone(),
                looking(&bytes, kind, srgb_profile(), 6),
                looking(&bytes, kind, srgb_profile(), 8),
                looking(&bytes, kind, &icc, 1),
                looking(&bytes, kind, &icc, 6),
            ];
            if kind == Kind::Png {
                looks.extend(
                    [
                        (*b"cICP", &[12, 13, 0, 1][..]),
                        (*b"cICP", &[9, 16, 0, 1]),
                        (*b"cICP", &[9, 18, 0, 1]),
                        (*b"gAMA", &[0, 1, 0x86, 0xa0]),
                        (*b"gAMA", &[0, 0, 0xb1, 0x8f]),
                        (*b"cHRM", &[0, 0, 0x7a, 0x26].repeat(8)),
                    ]
                    .map(|(name, body)| with_chunk(&bytes, name, body)),
                );
            }
            let shown: Vec<_> = looks.iter().map(|bytes| essence(bytes, kind).unwrap()).collect();
            for (at, one) in shown.iter().enumerate() {
                assert!(!shown[..at].contains(one), "{kind}: {at}");
                assert_eq!(written(&looks[at], kind, &[3, 1, 50]).as_ref(), Some(one), "{kind}: {at}");
            }
        }
    }

    /// The same codes are another picture where Adobe's segment says that its channels are others.
    #[test]
    fn other_channels_are_another_picture() {
        let [(kind, bytes, _), ..] = plain();
        let (ycc, rgb, header) = (Some(1), Some(0), true);
        // The components, whether there is a plain header, what Adobe's segment says, and whether that makes a difference.
        let rows: [(&[u8], bool, Option<u8>, bool); 9] = [
            (&[1], false, rgb, false),
            (&[1, 2, 3], false, ycc, false),
            (&[1, 2, 3], false, rgb, true),
            // Viewers believe the header.
            (&[1, 2, 3], header, rgb, false),
            (b"RGB", false, rgb, false),
            (b"RGB", false, ycc, true),
            (b"RGB", header, None, false),
            // Of inks both are usual, and hashes of them are on record.
            (&[1, 2, 3, 4], false, rgb, false),
            (&[1, 2, 3, 4], false, Some(2), false),
        ];
        for (ids, has_header, adobe, is_other) in rows {
            let components: Vec<u8> = ids.iter().flat_map(|id| [*id, 0x11, 0]).collect();
            let frame = [&[8, 0, 7, 0, 9, u8::try_from(ids.len()).unwrap()][..], &components].concat();
            let framed = with_segment(&bytes, 0xc0, &frame);
            let mut said = framed.clone();
            if let Some(adobe) = adobe {
                said = with_segment(&said, 0xee, &[b"Adobe\0\x64\0\0\0\0", &[adobe][..]].concat());
            }
            if has_header {
                said = with_segment(&said, 0xe0, b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0");
            }
            let shows = essence(&said, kind);
            assert_eq!(shows != essence(&framed, kind), is_other, "{ids:?} {has_header} {adobe:?}");
            assert_eq!(written(&said, kind, &[1, 7]), shows, "{ids:?}");
        }
    }

    /// What is embedded leaves the look as it is; other text in EXIF makes no difference.
    #[test]
    fn a_picture_of_any_look_shows_the_same_whatever_its_metadata() {
        let meta = Meta { title: "A title".to_owned(), ..Meta::default() };
        for format in [Format::Jpeg, Format::Png, Format::Webp] {
            let kind = format.kind();
            for (icc, turned) in [(srgb_profile(), 6), (&other_icc()[..], 1), (&other_icc()[..], 3)] {
                let bytes = looking(&bare(format), kind, icc, turned);
                let shows = essence(&bytes, kind);
                let once = embed(&bytes, kind, &meta).unwrap().0.into_bytes();
                assert_eq!(essence(&once, kind), shows, "{kind} {turned}");
                assert_eq!(embed(&once, kind, &meta).unwrap().0.into_bytes(), once, "{kind} {turned}: twice is once");
                assert!(!once.windows(6).any(|window| window == b"camera"), "{kind} {turned}");
                let limits = crate::craft::Limits::default();
                let [before, after] = [bytes, once].map(|bytes| crate::craft::decode(&bytes, kind, &limits).unwrap());
                assert_eq!((before.image, before.icc), (after.image, after.icc), "{kind} {turned}");
            }
        }
    }

    #[test]
    fn a_picture_shows_the_same_whatever_its_metadata() {
        let meta = |title: &str| Meta { title: title.to_owned(), ..Meta::default() };
        for format in [Format::Jpeg, Format::Png, Format::Webp] {
            let kind = format.kind();
            let bare = encode(&testing::gradient(40, 30), format, 90).unwrap();
            let other = encode(&testing::gradient(40, 31), format, 90).unwrap();
            let shows = essence(&bare, kind);
            assert!(shows.is_some(), "{format:?}");
            assert_ne!(shows, essence(&other, kind), "{format:?}: other pixels");
            let once = embed(&bare, kind, &meta("First")).unwrap().0.into_bytes();
            assert_eq!(shows, essence(&once, kind), "{format:?}: metadata");
            assert_eq!(
                shows,
                essence(&embed(&once, kind, &meta("Second")).unwrap().0.into_bytes(), kind),
                "{format:?}: other metadata"
            );
            assert_eq!(shows, essence(&[&once[..], b"a film"].concat(), kind), "{format:?}: something behind the end");
        }
    }

    #[test]
    fn only_what_is_known_to_be_metadata_makes_no_difference() {
        let picture = testing::gradient(40, 30);
        let jpeg = encode(&picture, Format::Jpeg, 90).unwrap();
        let png = encode(&picture, Format::Png, 90).unwrap();
        let rows = [
            ("EXIF", Kind::Jpeg, with_segment(&jpeg, 0xe1, b"Exif\0\0"), Some(true)),
            ("IPTC", Kind::Jpeg, with_segment(&jpeg, 0xed, b"Photoshop 3.0\0"), Some(true)),
            ("a comment", Kind::Jpeg, with_segment(&jpeg, 0xfe, b"\xff\xd9"), Some(true)),
            ("another table", Kind::Jpeg, with_segment(&jpeg, 0xdb, &[1; 65]), Some(false)),
            ("strays", Kind::Jpeg, [&jpeg[..2], b"..", &jpeg[2..]].concat(), None),
            ("no end", Kind::Jpeg, jpeg[..jpeg.len() - 2].to_vec(), None),
            ("no pixels", Kind::Jpeg, b"\xff\xd8\xff\xd9".to_vec(), None),
            ("text", Kind::Png, with_chunk(&png, *b"tEXt", b"prompt\0a cabin"), Some(true)),
            ("transparency", Kind::Png, with_chunk(&png, *b"tRNS", &[0; 6]), Some(false)),
            ("no pixels", Kind::Png, png[..33].to_vec(), None),
            ("nothing", Kind::Webp, Vec::new(), None),
            ("another kind", Kind::Tiff, encode(&picture, Format::Tiff, 90).unwrap(), None),
        ];
        for (what, kind, bytes, expected) in rows {
            let bare = if kind == Kind::Png { &png } else { &jpeg };
            let got = essence(&bytes, kind).map(|shows| Some(shows) == essence(bare, kind));
            assert_eq!(got, expected, "{kind}: {what}");
        }
    }

    fn part(name: [u8; 4], content: &[u8]) -> Vec<u8> {
        [&u32::try_from(content.len() + 8).unwrap().to_be_bytes()[..], &name, content].concat()
    }

    /// Returns what a video shows that comes in pieces of so many bytes.
    fn seen(bytes: &[u8], kind: Kind, piece: usize) -> Option<ContentHash> {
        let mut watched = Watched::new(bytes, Some(kind), bytes.len() as u64);
        let mut buffer = vec![0; piece];
        while watched.read(&mut buffer).unwrap() > 0 {}
        watched.essence()
    }

    #[test]
    fn a_video_shows_what_its_content_is() {
        let (index, content) = (part(*b"moov", &[1; 20]), part(*b"mdat", b"the film"));
        let wide = [b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x18", &b"the film"[..]].concat();
        let shows = Some(ContentHash::of(b"the film"));
        let rows = [
            ("index first", [&index[..], &content].concat(), shows.clone()),
            ("index last", [&content[..], &index].concat(), shows.clone()),
            ("one more atom", [&content[..], &part(*b"moov", &part(*b"udta", b"tags"))].concat(), shows.clone()),
            ("XMP", [&content[..], &index, &part(*b"uuid", &[7; 300])].concat(), shows.clone()),
            ("a wide size", [&wide[..], &index].concat(), shows.clone()),
            ("up to the end", [&index[..], b"\0\0\0\0mdat", b"the film"].concat(), shows.clone()),
            ("in parts", [&part(*b"mdat", b"the "), &index[..], &part(*b"mdat", b"film")].concat(), shows.clone()),
            ("a remark behind it", [&content[..], b"\0\0\0\0\0\0\0\0the end"].concat(), shows.clone()),
            ("an index without an end", [&content[..], &index, b"\0\0\0\x01moov", &[0xff; 9]].concat(), shows.clone()),
            ("another film", [&part(*b"mdat", b"the filn"), &index[..]].concat(), Some(ContentHash::of(b"the filn"))),
            ("cut off", [&index[..], &content[..12]].concat(), None),
            ("no content", [&index[..], &part(*b"mdat", b"")].concat(), None),
            ("a size that cannot be", b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x09the film".to_vec(), None),
            ("no video", b"the film".to_vec(), None),
        ];
        for (what, bytes, expected) in rows {
            for piece in [1, 7, 4096] {
                assert_eq!(seen(&bytes, Kind::Mp4, piece), expected, "{what} in pieces of {piece}");
            }
        }
        assert_eq!(seen(&content, Kind::Mkv, 4096), None);
        // Nobody could sell a clip whose turn was mended, since it counted as the same.
        let turned = |version: u8, matrix: [i16; 4]| {
            let [a, b, c, d] = matrix.map(|number| (i32::from(number) << 16).to_be_bytes());
            let before = vec![0; if version == 0 { 39 } else { 51 }];
            let header = [&[version][..], &before, &a, &b, &[0; 4], &c, &d, &[0; 16]].concat();
            let index = part(*b"moov", &part(*b"trak", &part(*b"tkhd", &header)));
            seen(&[&content[..], &index].concat(), Kind::Mp4, 7)
        };
        for version in [0, 1] {
            let rows =
                [[1, 0, 0, 1], [0, 0, 0, 0], [0, 1, -1, 0], [-1, 0, 0, -1]].map(|matrix| turned(version, matrix));
            assert!(rows[0] == shows && rows[1] == shows, "an upright one");
            assert!(rows[2] != shows && rows[3] != shows && rows[2] != rows[3] && rows[2].is_some(), "{version}");
        }
    }

    /// Another part of the same film, and the same film stretched, counted as the same, and were set aside.
    #[test]
    fn another_part_of_a_film_and_other_pixels_are_another_film() {
        let numbers = |numbers: &[u32]| numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<u8>>();
        let content = part(*b"mdat", b"the film");
        // Ten seconds, of which the first frame is shown two ticks behind the start of its clock.
        let film = |handler: &[u8; 4], edits: &[u8], boxes: &[u8]| {
            let entry = part(*b"avc1", &[&[0; 78], boxes].concat());
            let table =
                [part(*b"stsd", &[numbers(&[0, 1]), entry].concat()), part(*b"ctts", &numbers(&[0, 1, 250, 2]))];
            let media = [
                part(*b"mdhd", &numbers(&[0, 0, 0, 25, 250])),
                part(*b"hdlr", &[&[0; 8], &handler[..], &[0; 12]].concat()),
                part(*b"minf", &part(*b"stbl", &table.concat())),
            ];
            let track = [part(*b"edts", edits), part(*b"mdia", &media.concat())].concat();
            let index = [part(*b"mvhd", &numbers(&[0, 0, 0, 1000, 10_000])), part(*b"trak", &track)].concat();
            seen(&[&content[..], &part(*b"moov", &index)].concat(), Kind::Mov, 7)
        };
        let edits = |rows: &[[u32; 3]]| {
            part(*b"elst", &numbers(&[&[0, u32::try_from(rows.len()).unwrap()], rows.as_flattened()].concat()))
        };
        let late = |lasts: u32, starts: u32| part(*b"elst", &numbers(&[1 << 24, 1, 0, lasts, 0, starts, 1 << 16]));
        let pasp = |width: u32, height: u32| part(*b"pasp", &numbers(&[width, height]));
        let shows = Some(ContentHash::of(b"the film"));
        let speed = 1 << 16;
        for (what, list) in [
            ("none", vec![]),
            ("empty", edits(&[])),
            ("all of it", edits(&[[10_000, 0, speed]])),
            ("from its first frame on", edits(&[[10_000, 2, speed]])),
            ("less the delay", edits(&[[9920, 2, speed]])),
            ("rounded", edits(&[[9999, 0, speed]])),
            ("in fragments", edits(&[[0, 0, speed]])),
            ("of 64 bits", late(10_000, 2)),
        ] {
            assert_eq!(film(b"vide", &list, &pasp(1, 1)), shows, "{what}");
        }
        assert_eq!(film(b"soun", &edits(&[[10_000, 1024, speed]]), &[]), shows, "of sound");
        assert_eq!(film(b"vide", &[], &pasp(0, 1)), shows, "no shape");
        let others = [
            film(b"vide", &edits(&[[5000, 0, speed]]), &[]),
            film(b"vide", &edits(&[[5000, 125, speed]]), &[]),
            film(b"vide", &edits(&[[10_000, 1, speed]]), &[]),
            film(b"vide", &edits(&[[10_000, 0, speed / 2]]), &[]),
            film(b"vide", &edits(&[[1000, u32::MAX, speed], [10_000, 0, speed]]), &[]),
            film(b"vide", &late(5000, 0), &[]),
            film(b"vide", &[], &pasp(2, 1)),
            film(b"vide", &[], &pasp(4, 3)),
            film(b"vide", &edits(&[[5000, 0, speed]]), &pasp(4, 3)),
        ];
        for (n, other) in others.iter().enumerate() {
            assert!(other.is_some() && *other != shows && !others[..n].contains(other), "{n}");
        }
    }

    /// Returns the same as `essence` by the plain way over whole bytes. Sidecars hold such hashes: they stay.
    fn plainly(bytes: &[u8], kind: Kind) -> Option<ContentHash> {
        let mut hasher = Hasher::new();
        let has_pixels = match kind {
            Kind::Jpeg => jpeg(bytes, &mut hasher)?,
            Kind::Png => png(bytes, &mut hasher),
            Kind::Webp => webp(bytes, &mut hasher)?,
            _ => false,
        };
        has_pixels.then(|| ContentHash::from_digest(hasher.finalize()))
    }

    fn jpeg(bytes: &[u8], hasher: &mut Hasher) -> Option<bool> {
        let mut has_pixels = false;
        for part in parts(bytes) {
            let part = part.ok()?;
            // A decoder may then read other parts than these.
            if part.after_strays {
                return None;
            }
            if matches!(part.marker, 0xe0..=0xef | 0xfe) {
                continue;
            }
            named(hasher, &[part.marker], wanted(&part).unwrap_or(part.body));
            hasher.update(part.coded);
            has_pixels |= !part.coded.is_empty();
        }
        appearance::jpeg(bytes, hasher);
        Some(has_pixels)
    }

    fn png(bytes: &[u8], hasher: &mut Hasher) -> bool {
        let mut has_pixels = false;
        for chunk in png_chunks(bytes) {
            let body = &chunk.whole[8..chunk.whole.len() - 4];
            match &chunk.name {
                b"IHDR" | b"PLTE" | b"tRNS" => named(hasher, &chunk.name, body),
                // The pixels may be cut into chunks in another way.
                b"IDAT" => {
                    hasher.update(body);
                    has_pixels |= !body.is_empty();
                }
                _ => (),
            }
        }
        appearance::png(bytes, hasher);
        has_pixels
    }

    /// Returns what a picture shows that is written in pieces of these lengths, in turn.
    fn written(bytes: &[u8], kind: Kind, pieces: &[usize]) -> Option<ContentHash> {
        let mut copy = Vec::new();
        let mut writer = EssenceWriter::new(&mut copy, Some(kind));
        let (mut rest, mut pieces) = (bytes, pieces.iter().cycle());
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(rest.len().min(*pieces.next().unwrap()));
            writer.write_all(piece).unwrap();
            rest = behind;
        }
        let shows = writer.finish().1;
        assert!(copy == bytes, "every byte is passed on");
        shows
    }

    /// The marks that the grammar of a JPEG turns on, wherever the bytes are cut.
    #[test]
    fn a_picture_that_is_written_shows_the_same_as_a_whole_one() {
        let pixels = b"\xff\xd8\xff\xda\0\x03S..\xff\0.\xff\xd0.\xff\xff\xfe\0\x02\xff\xd9";
        let png = encode(&testing::gradient(9, 7), Format::Png, 90).unwrap();
        let cut = |left: usize| png[..png.len() - left].to_vec();
        let rows: Vec<(Kind, Vec<u8>)> = vec![
            (Kind::Jpeg, pixels.to_vec()),
            (Kind::Jpeg, [&pixels[..], b"a film \xff\xda"].concat()),
            (Kind::Jpeg, pixels[..pixels.len() - 1].to_vec()),
            (Kind::Jpeg, b"\xff\xd8\xff\xda\0\x02.\xff\xff\0.\xff\xff\xd9".to_vec()),
            (Kind::Jpeg, b"\xff\xd8\xff\xda\0\x02\xff\xd9".to_vec()),
            (Kind::Jpeg, b"\xff\xd8\xff\xda\0\x02.\xff\x01\xff\xd9".to_vec()),
            (Kind::Jpeg, b"\xff\xd8\xff\xda\0\x02.\xff\x01\xff\xfe\0\x02\xff\xd9".to_vec()),
            (Kind::Jpeg, b"\xff\xd8\xff\xda\0\x02.\xff\xfe\0\x01\xff\xd9".to_vec()),
            (Kind::Jpeg, b"\xff\xd8\xff\xda\0\x02.\xff\xdd\0\x09\xff\xd9".to_vec()),
            (Kind::Jpeg, b"\xff\xd8".to_vec()),
            (Kind::Jpeg, b"\xff".to_vec()),
            (Kind::Jpeg, b"..\xff\xd9".to_vec()),
            (Kind::Png, png.clone()),
            (Kind::Png, [&png[..], &png].concat()),
            // The end chunk and the last pixels are cut.
            (Kind::Png, cut(4)),
            (Kind::Png, cut(13)),
            (Kind::Png, png[..7].to_vec()),
            (Kind::Webp, encode(&testing::gradient(9, 7), Format::Webp, 90).unwrap()),
            (Kind::Tiff, encode(&testing::gradient(9, 7), Format::Tiff, 90).unwrap()),
        ];
        for (row, (kind, bytes)) in rows.into_iter().enumerate() {
            let expected = plainly(&bytes, kind);
            assert_eq!(essence(&bytes, kind), expected, "row {row} at once");
            for piece in [1, 2, 3, 7, 4096] {
                assert_eq!(written(&bytes, kind, &[piece]), expected, "row {row} in pieces of {piece}");
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_in_any_pieces_shows_what_it_is(
            put in proptest::collection::vec((0_usize..4000, proptest::sample::select(&[0, 1, 0x49, 0xd0, 0xd9, 0xda, 0xfe, 0xff][..])), 0..4),
            cut in 0_usize..8000,
            pieces in proptest::collection::vec(1_usize..300, 1..20),
            has_looks: bool,
        ) {
            for format in [Format::Jpeg, Format::Png, Format::Webp] {
                let mut bytes = bare(format);
                if has_looks {
                    bytes = looking(&bytes, format.kind(), &other_icc(), 6);
                }
                for (at, byte) in &put {
                    let at = at % bytes.len();
                    bytes[at] = *byte;
                }
                bytes.truncate(cut);
                let expected = plainly(&bytes, format.kind());
                prop_assert_eq!(&written(&bytes, format.kind(), &pieces), &expected);
                prop_assert_eq!(essence(&bytes, format.kind()), expected);
            }
        }

        #[test]
        fn foreign_bytes_never_panic(at in 0_usize..4000, put: [u8; 6], cut in 0_usize..4000) {
            for format in [Format::Jpeg, Format::Png, Format::Webp] {
                let mut bytes = encode(&testing::gradient(20, 15), format, 90).unwrap();
                let at = at % (bytes.len() - put.len());
                bytes[at..at + put.len()].copy_from_slice(&put);
                bytes.truncate(cut);
                let _ = essence(&bytes, format.kind());
            }
            let mut video = [part(*b"ftyp", &[0; 8]), part(*b"mdat", &[0; 9]), part(*b"moov", &[0; 9])].concat();
            let at = at % (video.len() - put.len());
            video[at..at + put.len()].copy_from_slice(&put);
            video.truncate(cut);
            let _ = seen(&video, Kind::Mov, 5);
        }
    }
}
