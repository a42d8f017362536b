//! Asks the kernel whether somebody has a file open for writing, by way of a read lease.

use std::os::fd::{AsRawFd, OwnedFd};

use rustix::io::Errno;

/// Returns whether somebody has the open file open for writing or mapped writable; `None` where the
/// file system (NFS) or the file's owner does not let us know.
///
/// A lease is granted only while there is no writer, and is given back at once by closing `file`. A
/// writer that comes within those microseconds makes the kernel send `SIGIO`, which the process
/// must have asked to survive.
#[expect(
    unsafe_code,
    reason = "no maintained crate wraps F_SETLEASE; the call takes two integers and touches no memory"
)]
pub(super) fn has_writer(file: &OwnedFd) -> Option<bool> {
    // SAFETY: the descriptor is open for the length of the call, and F_SETLEASE takes a plain integer.
    let answer = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, libc::F_RDLCK) };
    if answer == 0 {
        return Some(false);
    }
    match Errno::from_io_error(&std::io::Error::last_os_error()) {
        Some(Errno::AGAIN) => Some(true),
        _ => None,
    }
}
