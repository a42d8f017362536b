//! A picture's file as it is read: as a whole, but of a large PNG only what stands around its pixels. These are read from
//! the file when they are decoded.

use std::cell::RefCell;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom};

use super::{CraftError, jpeg};
use crate::model::Kind;

/// A PNG of more bytes is not read as a whole.
const WHOLE_BYTES_MAX: u64 = 32 << 20;
/// One with more around its pixels is.
const AROUND_BYTES_MAX: usize = 16 << 20;
/// How much of the pixels is read at once.
const READ_BYTES: usize = 1 << 16;
/// What each PNG begins with.
const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";
/// A chunk of pixels that holds none, which stands for all that there are.
const NO_PIXELS: [u8; 12] = [0, 0, 0, 0, b'I', b'D', b'A', b'T', 0x35, 0xaf, 0x06, 0x1e];

/// Returns how many bytes of a file are in memory while it is read.
pub fn held_bytes(kind: Option<Kind>, length: u64) -> u64 {
    if kind == Some(Kind::Png) && length > WHOLE_BYTES_MAX { READ_BYTES as u64 } else { length }
}

/// A picture's file.
pub struct Stored<R> {
    /// All of it, or what stands around its pixels.
    bytes: Vec<u8>,
    /// The file, if the pixels are read from it.
    file: Option<RefCell<Noting<R>>>,
}

impl<R: Read + Seek> Stored<R> {
    /// A picture that is in memory.
    pub fn whole(bytes: Vec<u8>) -> Self {
        Self { bytes, file: None }
    }

    /// Reads what is wanted of a file, from its start; one of more than `bytes_max` is refused.
    pub fn open(mut file: R, bytes_max: u64) -> io::Result<Self> {
        if length(&mut file, bytes_max)? > WHOLE_BYTES_MAX
            && let Some(bytes) = around_pixels(&mut file)?
        {
            return Ok(Self::apart(bytes, file));
        }
        read_whole(&mut file, bytes_max).map(Self::whole)
    }

    fn apart(bytes: Vec<u8>, file: R) -> Self {
        Self { bytes, file: Some(RefCell::new(Noting { file, failure: None })) }
    }

    /// Returns whether all of it is in memory.
    pub fn is_whole(&self) -> bool {
        self.file.is_none()
    }

    /// Returns all of it, or a PNG without pixels: what its head tells, it tells too.
    pub fn head(&self) -> &[u8] {
        &self.bytes
    }

    /// Lets somebody decode it. What the disk refused meanwhile is no fault of the picture, and comes first.
    pub fn decoded<T>(
        &mut self,
        decode: impl FnOnce(Coded<'_>) -> Result<T, CraftError>,
    ) -> io::Result<Result<T, CraftError>> {
        let file = self.file.as_ref().map(|file| file as &dyn Shared);
        let decoded = decode(Coded { bytes: &self.bytes, file });
        match self.file.as_mut().and_then(|file| file.get_mut().failure.take()) {
            Some(failure) if decoded.is_err() => Err(failure),
            _ => Ok(decoded),
        }
    }
}

/// Reads a file from its start; refuses one of more than `bytes_max`.
pub fn read_whole(file: &mut (impl Read + Seek), bytes_max: u64) -> io::Result<Vec<u8>> {
    let length = length(file, bytes_max)?;
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1);
    file.take(bytes_max).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads of a picture what tells its size and its colours: of a JPEG what stands before its pixels, of a PNG what stands
/// around them, and of another kind all. One of more than `bytes_max` is refused.
pub fn read_looks(file: &mut (impl Read + Seek), kind: Kind, bytes_max: u64) -> io::Result<Vec<u8>> {
    length(file, bytes_max)?;
    let read = match kind {
        Kind::Jpeg => Some(before_pixels(file)?),
        Kind::Png => around_pixels(file)?,
        _ => None,
    };
    file.rewind()?;
    read.map_or_else(|| read_whole(file, bytes_max), Ok)
}

/// Returns the start of a JPEG up to its pixels, or all of it.
fn before_pixels(file: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        // Each time as much as before, so that none of it is looked at often.
        let wanted = bytes.len().max(READ_BYTES) as u64;
        let read = file.take(wanted).read_to_end(&mut bytes)? as u64;
        if jpeg::is_up_to_pixels(&bytes) || read < wanted {
            return Ok(bytes);
        }
    }
}

/// Returns how long a file is, and goes to its start.
fn length(file: &mut impl Seek, bytes_max: u64) -> io::Result<u64> {
    let length = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    if length > bytes_max {
        let text = format!("it has {length} bytes; at most {bytes_max} are read");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    Ok(length)
}

/// A picture's file for those who decode it, once or several times.
#[derive(Clone, Copy)]
pub struct Coded<'a> {
    /// All of it, or what stands around its pixels.
    pub(super) bytes: &'a [u8],
    file: Option<&'a dyn Shared>,
}

impl<'a> From<&'a [u8]> for Coded<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self { bytes, file: None }
    }
}

impl<'a> From<&'a Vec<u8>> for Coded<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        bytes.as_slice().into()
    }
}

impl<'a> Coded<'a> {
    /// Returns all of it to a reader, from its start; another reader of it must have ended.
    pub(super) fn reader(self) -> io::Result<Box<dyn BufSeek + 'a>> {
        let Some(file) = self.file else { return Ok(Box::new(Cursor::new(self.bytes))) };
        file.seek(SeekFrom::Start(0))?;
        Ok(Box::new(BufReader::with_capacity(READ_BYTES, Lent(file))))
    }
}

/// A file that is read from several places in the code, one after another.
trait Shared {
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize>;
    fn seek(&self, to: SeekFrom) -> io::Result<u64>;
}

impl<R: Read + Seek> Shared for RefCell<Noting<R>> {
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.borrow_mut().read(buffer)
    }

    fn seek(&self, to: SeekFrom) -> io::Result<u64> {
        self.borrow_mut().seek(to)
    }
}

struct Lent<'a>(&'a dyn Shared);

impl Read for Lent<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Seek for Lent<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

/// What a decoder reads from.
pub(super) trait BufSeek: BufRead + Seek {}
impl<T: BufRead + Seek> BufSeek for T {}

/// A file that keeps what the disk refused: decoders take it for damage, or tell it in words of their own.
struct Noting<R> {
    file: R,
    failure: Option<io::Error>,
}

impl<R> Noting<R> {
    fn noted<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            let kind = error.kind();
            if kind != io::ErrorKind::Interrupted {
                self.failure = Some(error);
            }
            kind.into()
        })
    }
}

impl<R: Read> Read for Noting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer);
        self.noted(read)
    }
}

impl<R: Seek> Seek for Noting<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let sought = self.file.seek(to);
        self.noted(sought)
    }
}

/// Returns a PNG with one chunk of no pixels instead of all of its pixels, up to its end or to where it is cut off; `None`
/// if that is much, and of another kind of file.
fn around_pixels(file: &mut (impl Read + Seek)) -> io::Result<Option<Vec<u8>>> {
    let mut file = BufReader::new(file);
    let (mut around, mut has_pixels) = (Vec::new(), false);
    (&mut file).take(8).read_to_end(&mut around)?;
    if around != SIGNATURE {
        return Ok(None);
    }
    loop {
        let start = around.len();
        (&mut file).take(8).read_to_end(&mut around)?;
        let Some([a, b, c, d, name @ ..]) = around[start..].first_chunk::<8>().copied() else { break };
        let rest = u64::from(u32::from_be_bytes([a, b, c, d])) + 4;
        if name == *b"IDAT" {
            around.truncate(start);
            if !has_pixels {
                around.extend(NO_PIXELS);
            }
            has_pixels = true;
            file.seek_relative(i64::try_from(rest).expect("33 bits"))?;
            continue;
        }
        if start as u64 + rest > AROUND_BYTES_MAX as u64 {
            return Ok(None);
        }
        let read = (&mut file).take(rest).read_to_end(&mut around)?;
        if name == *b"IEND" || (read as u64) < rest {
            break;
        }
    }
    Ok(Some(around))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft::{
        Limits, Picture, check_picture, colours, comes_in_rows, decode, encode, essence, size, testing,
    };
    use crate::model::Format;

    fn png() -> Vec<u8> {
        let mut image = testing::gradient(61, 47).image.into_rgba16();
        let mut state = 1_u32;
        image.iter_mut().for_each(|sample| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *sample ^= u16::try_from(state >> 20).unwrap();
        });
        let image = image.into();
        encode(&Picture { image, icc: Some(crate::craft::srgb_profile().to_vec()) }, Format::Png, 90).unwrap()
    }

    /// Opens a PNG as if it were a large one.
    fn apart(bytes: &[u8]) -> Stored<Cursor<&[u8]>> {
        let around = around_pixels(&mut Cursor::new(bytes)).unwrap();
        around.map_or_else(|| Stored::whole(bytes.to_vec()), |around| Stored::apart(around, Cursor::new(bytes)))
    }

    #[test]
    fn a_large_png_is_the_same_as_a_small_one() {
        let bytes = png();
        let mut stored = apart(&bytes);
        assert!(stored.head().len() + 10_000 < bytes.len());
        let told = |bytes: &[u8]| (size(bytes, Kind::Png), comes_in_rows(bytes, Kind::Png));
        assert_eq!(told(stored.head()), told(&bytes));
        let whole = decode(&bytes, Kind::Png, &Limits::default()).unwrap();
        // It is decoded as often as somebody wants.
        for _ in 0..2 {
            let read = stored.decoded(|coded| decode(coded, Kind::Png, &Limits::default())).unwrap().unwrap();
            assert_eq!((read.image, read.icc), (whole.image.clone(), whole.icc.clone()));
        }
        let mut watched = crate::craft::Watched::new(Cursor::new(&bytes), Some(Kind::Png), bytes.len() as u64);
        io::copy(&mut watched, &mut io::sink()).unwrap();
        assert_eq!(watched.essence(), essence(&bytes, Kind::Png));
    }

    /// All files of all bundles were read whole, to know how large their pictures are.
    #[test]
    fn what_tells_size_and_colours_is_the_start_of_a_jpeg_and_the_frame_of_a_png() {
        for (format, is_less) in
            [(Format::Jpeg, true), (Format::Png, true), (Format::Webp, false), (Format::Tiff, false)]
        {
            let kind = format.kind();
            let mut image = testing::gradient(700, 900);
            for icc in [None, Some(crate::craft::srgb_profile().to_vec()), Some(vec![7; 300_000])] {
                image.icc = icc;
                let bytes = encode(&image, format, 100).unwrap();
                let read = read_looks(&mut Cursor::new(&bytes), kind, u64::MAX).unwrap();
                let limits = Limits::default();
                let told = |bytes: &[u8]| (size(bytes, kind), colours(bytes, kind, &limits));
                assert_eq!(told(&read), told(&bytes), "{kind}");
                assert!(told(&bytes).0.is_ok() && (read.len() < bytes.len()) == is_less, "{kind}: {}", read.len());
                let cut = &bytes[..600];
                assert!(read_looks(&mut Cursor::new(cut), kind, 600).is_ok(), "{kind}");
                assert!(read_looks(&mut Cursor::new(cut), kind, 599).is_err(), "{kind}");
            }
        }
    }

    #[test]
    fn damage_is_found_as_in_a_small_one() {
        let whole = png();
        let check = |bytes: &[u8]| check_picture(bytes, Kind::Png, &Limits::default());
        for at in (0..whole.len()).step_by(97).chain(whole.len() - 40..whole.len()) {
            let (cut, mut changed) = (whole[..at].to_vec(), whole.clone());
            changed[at] ^= 0x21;
            for (what, bytes) in [("cut", cut), ("changed", changed)] {
                let found = apart(&bytes).decoded(|coded| check_picture(coded, Kind::Png, &Limits::default())).unwrap();
                assert_eq!(found, check(&bytes), "{what} at {at}");
            }
        }
    }

    /// Gives what it has up to a place, and fails there.
    struct Failing<'a>(Cursor<&'a [u8]>, u64);

    impl Read for Failing<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.position() >= self.1 {
                return Err(io::Error::from_raw_os_error(5));
            }
            let most = usize::try_from(self.1 - self.0.position()).unwrap().min(buffer.len());
            self.0.read(&mut buffer[..most])
        }
    }

    impl Seek for Failing<'_> {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    /// The picture may be sound: it is not called damaged, and the disk's own number is what is looked at.
    #[test]
    fn what_the_disk_refuses_is_no_damage() {
        let bytes = png();
        let around = around_pixels(&mut Cursor::new(&bytes)).unwrap().unwrap();
        for from in [0, 100, bytes.len() as u64 / 2] {
            let mut stored = Stored::apart(around.clone(), Failing(Cursor::new(&bytes), from));
            let read = stored.decoded(|coded| check_picture(coded, Kind::Png, &Limits::default()));
            assert_eq!(read.unwrap_err().raw_os_error(), Some(5), "{from}");
        }
    }

    #[test]
    fn only_a_large_png_is_read_apart() {
        let large = u64::from(u32::MAX);
        assert_eq!([Kind::Png, Kind::Jpeg].map(|kind| held_bytes(Some(kind), large) == large), [false, true]);
        assert_eq!(held_bytes(Some(Kind::Png), 1000), 1000);
        assert!(around_pixels(&mut Cursor::new(b"\xff\xd8\xff\xe0 and more")).unwrap().is_none());
        assert!(Stored::open(Cursor::new(png()), 1 << 20).unwrap().is_whole());
        let refused = Stored::open(Cursor::new(png()), 100).map(|_| ()).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::FileTooLarge);
        // More around its pixels than is kept apart.
        let mut padded = png();
        let text = vec![b'a'; AROUND_BYTES_MAX];
        let mut chunk = u32::try_from(text.len()).unwrap().to_be_bytes().to_vec();
        chunk.extend(b"tEXt");
        chunk.extend(&text);
        chunk.extend([0; 4]);
        padded.splice(33..33, chunk);
        assert!(around_pixels(&mut Cursor::new(&padded)).unwrap().is_none());
    }
}
