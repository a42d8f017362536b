//! What a command prints.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write as _};

/// Prints a line for the person who asked.
macro_rules! say {
    ($($text:tt)*) => { $crate::cli::out::line(format_args!($($text)*)) };
}
pub(super) use say;

/// Prints one line. A closed pipe is no error: the reader has read enough, and the exit code depends on what the
/// command found.
pub(super) fn line(text: Arguments<'_>) {
    let Err(error) = writeln!(std::io::stdout().lock(), "{text}") else { return };
    if error.kind() == ErrorKind::BrokenPipe {
        return;
    }
    eprintln!("cannot print: {error}");
    std::process::exit(1);
}

/// Returns a number with what is counted: `1 file`, `2 files`.
pub(super) fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
