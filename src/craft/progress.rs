/// Work was told to stop: what it made so far is thrown away, and nothing is wrong with the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped;

/// What the pixel pipeline tells how far it is, every few rows, and asks whether it is to go on.
pub trait Progress: Sync {
    /// Takes it that so many rows `of` all are done.
    fn rows(&self, done: u32, of: u32) -> Result<(), Stopped>;
}

/// Nobody is told, and nobody stops it.
#[derive(Debug, Clone, Copy)]
pub struct Untold;

impl Progress for Untold {
    fn rows(&self, _: u32, _: u32) -> Result<(), Stopped> {
        Ok(())
    }
}
