//! Hashes what a picture shows, its colour profile and how it is turned, without its metadata, also while it is written:
//! two files that differ only in their tags are one picture.

use std::io::{self, Write};

use blake3::Hasher;

use super::appearance::{self, KEPT_BYTES_MAX, named};
use super::embed::wanted;
use super::jpeg::{self, Part};
use super::webp;
use crate::model::{ContentHash, Kind};

/// Returns the hash of what a picture shows; `None` for a kind whose metadata and pixels are not separated here, and for
/// bytes that do not follow their format. It stays the same if new metadata are embedded.
pub fn essence(bytes: &[u8], kind: Kind) -> Option<ContentHash> {
    if kind == Kind::Webp {
        let mut hasher = Hasher::new();
        return webp(bytes, &mut hasher)?.then(|| ContentHash::from_digest(hasher.finalize()));
    }
    let mut watched = EssenceWriter::new(io::sink(), Some(kind));
    watched.seen(bytes);
    watched.finish().1
}

/// A writer that passes a picture on and hashes what it shows, without its metadata, however the writes are cut. Only a
/// WebP is kept in memory.
pub struct EssenceWriter<W> {
    out: W,
    picture: Picture,
}

enum Picture {
    Jpeg(Jpeg),
    Png(Png),
    Webp(Vec<u8>),
    /// Its metadata and pixels are not separated here.
    Other,
}

impl<W: Write> EssenceWriter<W> {
    /// Begins at the start of a file.
    pub fn new(out: W, kind: Option<Kind>) -> Self {
        let picture = match kind {
            Some(Kind::Jpeg) => Picture::Jpeg(Jpeg::new()),
            Some(Kind::Png) => Picture::Png(Png::new()),
            Some(Kind::Webp) => Picture::Webp(Vec::new()),
            _ => Picture::Other,
        };
        Self { out, picture }
    }

    /// Takes bytes that were passed on.
    pub(super) fn seen(&mut self, bytes: &[u8]) {
        match &mut self.picture {
            Picture::Jpeg(jpeg) => jpeg.take(bytes),
            Picture::Png(png) => png.take(bytes),
            Picture::Webp(whole) => whole.extend_from_slice(bytes),
            Picture::Other => (),
        }
    }

    /// Returns the writer that it was passed on to, and the hash of what the picture shows.
    pub fn finish(self) -> (W, Option<ContentHash>) {
        let shows = match self.picture {
            Picture::Jpeg(jpeg) => jpeg.finish(),
            Picture::Png(png) => png.finish(),
            Picture::Webp(whole) => essence(&whole, Kind::Webp),
            Picture::Other => None,
        };
        (self.out, shows)
    }
}

impl<W: Write> Write for EssenceWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.seen(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

pub(super) fn webp(bytes: &[u8], hasher: &mut Hasher) -> Option<bool> {
    let chunks = webp::chunks(bytes).ok()?;
    for chunk in &chunks {
        if matches!(&chunk.name, b"VP8 " | b"VP8L" | b"ALPH" | b"ANIM" | b"ANMF") {
            named(hasher, &chunk.name, chunk.body);
        }
    }
    appearance::webp(&chunks, hasher);
    Some(chunks.iter().any(|chunk| matches!(&chunk.name, b"VP8 " | b"VP8L" | b"ANMF")))
}

/// Where in a JPEG the next byte lies; see [`super::jpeg::parts`], which reads the same from whole bytes.
enum At {
    /// In the mark at its start, of which so many bytes were there.
    Start(usize),
    /// Before a mark.
    Between,
    /// Behind the first 0xff of a mark.
    Mark,
    /// In a segment, of which this is known: its mark, its length once that is there, its content.
    Segment(u8),
    /// In the coded pixels of a scan, behind so many bytes 0xff that are perhaps the next mark.
    Coded(usize),
    /// Behind the end mark.
    End,
    /// It does not follow its format, or a decoder might read other parts than these.
    Unknown,
}

struct Jpeg {
    at: At,
    /// The present segment with its length.
    segment: Vec<u8>,
    /// Whether bytes before the next mark belong to no part.
    has_strays: bool,
    has_pixels: bool,
    hasher: Hasher,
    /// A JPEG of the segments before the pixels that tell how it looks.
    looks: Vec<u8>,
    /// Whether a scan began.
    is_behind_head: bool,
}

impl Jpeg {
    fn new() -> Self {
        Self {
            at: At::Start(0),
            segment: Vec::new(),
            has_strays: false,
            has_pixels: false,
            hasher: Hasher::new(),
            looks: jpeg::START.to_vec(),
            is_behind_head: false,
        }
    }

    fn finish(mut self) -> Option<ContentHash> {
        let shows = matches!(self.at, At::End) && self.has_pixels;
        appearance::jpeg(&self.looks, &mut self.hasher);
        shows.then(|| ContentHash::from_digest(self.hasher.finalize()))
    }

    fn take(&mut self, mut bytes: &[u8]) {
        while let Some(&first) = bytes.first() {
            let taken = match self.at {
                At::End | At::Unknown => return,
                At::Start(had) => {
                    self.start(had, first);
                    1
                }
                At::Between => {
                    if first == 0xff {
                        self.at = At::Mark;
                    } else {
                        self.has_strays = true;
                    }
                    1
                }
                At::Mark => {
                    self.mark(first);
                    1
                }
                At::Segment(marker) => self.body(marker, bytes),
                At::Coded(fill) => self.coded(fill, bytes),
            };
            bytes = &bytes[taken..];
        }
    }

    fn start(&mut self, had: usize, byte: u8) {
        self.at = match (had, byte) {
            (0, 0xff) => At::Start(1),
            (1, 0xd8) => At::Between,
            _ => At::Unknown,
        };
    }

    fn mark(&mut self, marker: u8) {
        self.at = match marker {
            0xff => At::Mark,
            0xd9 => At::End,
            0xc0..=0xc7 | 0xc9..=0xcf | 0xda..=0xdd | 0xe0..=0xef | 0xfe => At::Segment(marker),
            // Decoders skip an unknown one.
            _ => {
                self.has_strays = true;
                At::Between
            }
        };
    }

    /// Takes what belongs to the present segment, and returns how much that is.
    fn body(&mut self, marker: u8, bytes: &[u8]) -> usize {
        let length = self.segment.first_chunk().map(|length| usize::from(u16::from_be_bytes(*length)));
        let end = length.unwrap_or(2);
        let part = &bytes[..bytes.len().min(end.saturating_sub(self.segment.len()))];
        self.segment.extend_from_slice(part);
        let Some(length) = self.segment.first_chunk().map(|length| usize::from(u16::from_be_bytes(*length))) else {
            return part.len();
        };
        if length < 2 {
            self.has_strays = true;
            self.segment.clear();
            self.at = At::Between;
        } else if self.segment.len() == length {
            self.end_segment(marker);
        }
        part.len()
    }

    fn end_segment(&mut self, marker: u8) {
        if self.has_strays {
            self.at = At::Unknown;
            return;
        }
        if !matches!(marker, 0xe0..=0xef | 0xfe) {
            let part = Part { marker, body: &self.segment[2..], coded: &[], after_strays: false };
            named(&mut self.hasher, &[marker], wanted(&part).unwrap_or(part.body));
        }
        self.is_behind_head |= marker == 0xda;
        let has_room = self.looks.len() + self.segment.len() <= KEPT_BYTES_MAX;
        if has_room && !self.is_behind_head && jpeg::tells_looks(marker, &self.segment[2..]) {
            self.looks.extend_from_slice(&[0xff, marker]);
            self.looks.extend_from_slice(&self.segment);
        }
        self.segment.clear();
        self.at = if marker == 0xda { At::Coded(0) } else { At::Between };
    }

    /// Takes coded pixels, and returns how many bytes these are.
    fn coded(&mut self, fill: usize, bytes: &[u8]) -> usize {
        if fill == 0 {
            let length = jpeg::coded_length(bytes).unwrap_or_else(|surely| surely);
            self.pixels(&bytes[..length]);
            // The 0xff itself is taken, and hashed once it is known what it belongs to.
            let is_mark = length < bytes.len();
            self.at = At::Coded(usize::from(is_mark));
            return length + usize::from(is_mark);
        }
        match bytes[0] {
            0xff => self.at = At::Coded(fill + 1),
            byte @ (0 | 0xd0..=0xd7) => {
                (0..fill).for_each(|_| self.pixels(&[0xff]));
                self.pixels(&[byte]);
                self.at = At::Coded(0);
            }
            marker => self.mark(marker),
        }
        1
    }

    fn pixels(&mut self, bytes: &[u8]) {
        self.has_pixels |= !bytes.is_empty();
        self.hasher.update(bytes);
    }
}

/// The chunks of a PNG while they are written; see [`super::complete::png_chunks`].
struct Png {
    /// How many bytes of the signature follow.
    signature: usize,
    /// The head of the next chunk, as far as it was written.
    head: Vec<u8>,
    /// How many bytes of the present chunk follow, with its check sum.
    left: usize,
    name: [u8; 4],
    is_over: bool,
    shown: Shown,
    /// What was shown before the present chunk: one that is cut off does not count.
    before: Option<Shown>,
    /// A PNG of the chunks that tell how it looks, of which the last one may not be whole.
    looks: Vec<u8>,
    /// Whether the present chunk is one of them.
    tells_looks: bool,
    /// Whether pixels began.
    is_behind_head: bool,
}

/// What the pixels so far show.
#[derive(Clone)]
struct Shown {
    hasher: Hasher,
    has_pixels: bool,
}

/// The bytes before the first chunk.
const SIGNATURE_BYTES: usize = 8;
/// The bytes of a chunk's check sum.
const SUM_BYTES: usize = 4;

impl Png {
    fn new() -> Self {
        let shown = Shown { hasher: Hasher::new(), has_pixels: false };
        Self {
            signature: SIGNATURE_BYTES,
            head: Vec::new(),
            left: 0,
            name: [0; 4],
            is_over: false,
            shown,
            before: None,
            looks: vec![0; SIGNATURE_BYTES],
            tells_looks: false,
            is_behind_head: false,
        }
    }

    fn finish(self) -> Option<ContentHash> {
        let mut shown = self.before.unwrap_or(self.shown);
        appearance::png(&self.looks, &mut shown.hasher);
        shown.has_pixels.then(|| ContentHash::from_digest(shown.hasher.finalize()))
    }

    fn take(&mut self, bytes: &[u8]) {
        let mut rest = &bytes[bytes.len().min(self.signature)..];
        self.signature -= bytes.len() - rest.len();
        while !rest.is_empty() && !self.is_over {
            let wanted = if self.left > 0 { self.left } else { 8 - self.head.len() };
            let (part, behind) = rest.split_at(rest.len().min(wanted));
            rest = behind;
            if self.left > 0 {
                self.body(part);
                continue;
            }
            self.head.extend_from_slice(part);
            if let Some([a, b, c, d, name @ ..]) = self.head.first_chunk::<8>().copied() {
                self.head.clear();
                self.begin(name, u32::from_be_bytes([a, b, c, d]));
            }
        }
    }

    fn begin(&mut self, name: [u8; 4], length: u32) {
        (self.name, self.left) = (name, length as usize + SUM_BYTES);
        if matches!(&name, b"IHDR" | b"PLTE" | b"tRNS" | b"IDAT") {
            self.before = Some(self.shown.clone());
        }
        // The pixels may be cut into chunks in another way.
        if self.before.is_some() && name != *b"IDAT" {
            self.shown.hasher.update(&name).update(&u64::from(length).to_le_bytes());
        }
        self.is_behind_head |= name == *b"IDAT";
        self.tells_looks = self.looks.len() + self.left <= KEPT_BYTES_MAX
            && match &name {
                b"IHDR" | b"cICP" | b"iCCP" | b"sRGB" | b"gAMA" | b"cHRM" => !self.is_behind_head,
                // It may lie behind the pixels.
                b"eXIf" => true,
                _ => false,
            };
        if self.tells_looks {
            self.looks.extend([&length.to_be_bytes()[..], &name].concat());
        }
    }

    /// Takes a part of the present chunk.
    fn body(&mut self, part: &[u8]) {
        if self.tells_looks {
            self.looks.extend_from_slice(part);
        }
        if self.before.is_some() {
            let body = &part[..part.len().min(self.left.saturating_sub(SUM_BYTES))];
            self.shown.hasher.update(body);
            self.shown.has_pixels |= self.name == *b"IDAT" && !body.is_empty();
        }
        self.left -= part.len();
        if self.left == 0 {
            self.before = None;
            self.is_over = self.name == *b"IEND";
        }
    }
}
