//! Writing a product while it is made, so that memory does not grow with it.

use std::fmt;
use std::io::{self, BufWriter, Write};

use blake3::Hasher;

use super::disk::{DiskError, DiskResult};
use super::real::answers::said;
use crate::model::{ContentHash, RelPath};

/// Small writes are gathered to so much: fewer calls, and the hash is fast only on long pieces.
const BUFFER_BYTES: usize = 256 << 10;

/// A product in scratch that is being written. It hashes what the disk took, and keeps the disk's first error: an
/// encoder between it and its maker tells every error in its own words.
#[must_use]
pub struct ProductWriter<'d> {
    file: BufWriter<Hashed<'d>>,
    noted: &'d mut ContentHash,
}

struct Hashed<'d> {
    file: Box<dyn Write + Send + 'd>,
    scratch: RelPath,
    hasher: Hasher,
    error: Option<DiskError>,
}

impl<'d> ProductWriter<'d> {
    /// Begins with a file that is empty; the hash is noted at the end.
    pub(super) fn new(file: Box<dyn Write + Send + 'd>, scratch: RelPath, noted: &'d mut ContentHash) -> Self {
        let hashed = Hashed { file, scratch, hasher: Hasher::new(), error: None };
        Self { file: BufWriter::with_capacity(BUFFER_BYTES, hashed), noted }
    }

    /// Writes what is left, and returns the hash of the whole and how many bytes it has. The first error of the disk comes back here, also if
    /// it was told to a writer before: ask this first, and only then what an encoder says.
    pub fn finish(mut self) -> DiskResult<(ContentHash, u64)> {
        let flushed = self.file.flush();
        let hashed = self.file.get_mut();
        if let Some(error) = hashed.error.take() {
            return Err(error);
        }
        said("written", &hashed.scratch, flushed)?;
        *self.noted = ContentHash::from_digest(hashed.hasher.finalize());
        Ok((self.noted.clone(), hashed.hasher.count()))
    }
}

impl Write for ProductWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Write for Hashed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(error) = &self.error {
            return Err(error.kind().into());
        }
        match said("written", &self.scratch, self.file.write_all(bytes)) {
            Ok(()) => {
                self.hasher.update(bytes);
                Ok(bytes.len())
            }
            Err(error) => {
                let kind = error.kind();
                self.error = Some(error);
                Err(kind.into())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.error.as_ref().map_or(Ok(()), |error| Err(error.kind().into()))
    }
}

impl fmt::Debug for ProductWriter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProductWriter").field("scratch", &self.file.get_ref().scratch).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// A file on a disk with so much room.
    struct Room(Arc<Mutex<Vec<u8>>>, usize);

    impl Write for Room {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut held = self.0.lock().unwrap();
            let taken = bytes.len().min(self.1 - held.len());
            if taken == 0 {
                return Err(io::Error::from_raw_os_error(libc::ENOSPC));
            }
            held.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_hash_is_that_of_the_file_and_a_full_disk_is_told_as_one() {
        let whole: Vec<u8> = (0..BUFFER_BYTES * 3 + 7).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let fits = Ok((ContentHash::of(&whole), whole.len() as u64));
        let full = || Err(("written", "keep/.scratch/1-0".to_owned(), Some(libc::ENOSPC)));
        for (piece, room, expected) in [
            (1_000, whole.len(), fits.clone()),
            (BUFFER_BYTES, whole.len(), fits.clone()),
            (whole.len(), whole.len(), fits.clone()),
            (1_000, whole.len() - 1, full()),
            (whole.len(), whole.len() - 1, full()),
            (1_000, BUFFER_BYTES + 10, full()),
            (1_000, 0, full()),
        ] {
            let (held, mut noted) = (Arc::default(), ContentHash::of(b""));
            let scratch = RelPath::new("keep/.scratch/1-0").unwrap();
            let file = Box::new(Room(Arc::clone(&held), room));
            let mut writer = ProductWriter::new(file, scratch, &mut noted);
            // An encoder may go on after an error that it was told.
            whole.chunks(piece).for_each(|piece| drop(writer.write_all(piece)));
            let finished = writer.finish();
            let told = finished.map_err(|error| (error.call, error.path.to_string(), error.source.raw_os_error()));
            assert_eq!(told, expected, "pieces of {piece}, room for {room}");
            assert_eq!(noted, expected.as_ref().map_or(ContentHash::of(b""), |(hash, _)| hash.clone()));
            assert!(whole.starts_with(&held.lock().unwrap()) && (expected.is_err() || *held.lock().unwrap() == whole));
        }
    }
}
