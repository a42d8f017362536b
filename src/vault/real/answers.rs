//! The system's answers in words of ours.

use std::io;

use rustix::fs::Stat;
use rustix::io::Errno;

use crate::model::{Identity, RelPath};
use crate::vault::disk::{DiskError, DiskResult};

pub(in crate::vault) fn identity(stat: &Stat) -> Identity {
    Identity {
        device: stat.st_dev,
        inode: stat.st_ino,
        size: u64::try_from(stat.st_size).unwrap_or(0),
        modified_ns: nanoseconds(stat.st_mtime, stat.st_mtime_nsec),
    }
}

/// Returns a time in nanoseconds since 1970; enough for the years 1678 to 2262.
pub(super) fn nanoseconds(seconds: i64, nanoseconds: u64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add_unsigned(nanoseconds)
}

/// Adds the call and the path to a system's answer.
pub(in crate::vault) fn said<T>(
    call: &'static str,
    path: &RelPath,
    answer: Result<T, impl Into<io::Error>>,
) -> DiskResult<T> {
    answer.map_err(|error| {
        let source: io::Error = error.into();
        let is_stale = source.raw_os_error() == Some(Errno::STALE.raw_os_error());
        let source = if is_stale { io::Error::new(io::ErrorKind::StaleNetworkFileHandle, STALE) } else { source };
        DiskError { call, path: path.clone(), source }
    })
}

/// What a person reads instead of the system's words, which speak of networks.
const STALE: &str = "its folder is not the one that it was; see whether its disk is mounted";

/// Answers `Unsupported` where a file system does not know a way to rename.
pub(super) fn unsupported<T>(answer: Result<T, Errno>) -> Result<T, io::Error> {
    answer.map_err(|errno| match errno {
        Errno::INVAL | Errno::NOSYS | Errno::NOTSUP => io::ErrorKind::Unsupported.into(),
        other => other.into(),
    })
}
