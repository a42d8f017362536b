//! A picture on its way through the program of a person's own that enlarges it: what it gets, and what it must give.

use std::io::{BufWriter, Write as _};

use super::program::{Allowance, Ended, enlarge};
use super::{Limits, MakeError};
use crate::craft::{self, CraftError, Given, Progress, Stored};
use crate::model::{CommandLine, Kind, ProgramStep, RelPath, Render, Size};
use crate::vault::{DiskError, DiskResult, ReadSeek, ScratchFolder, Vault, What};

/// The files in a program's folder.
const IN: &str = "in.png";
const OUT: &str = "out.png";

/// The largest that a result may be: a pixel takes eight bytes at most, as PNG hardly more, and programs that draw with a
/// graphics processor keep some megabytes beside it.
const PIXEL_BYTES: u64 = 10;
const BESIDE_BYTES: u64 = 64 << 20;

/// How many times it is asked whether to go on before the source is looked at.
const LOOKED_EVERY: u32 = 10;

/// What a program is to do.
pub(super) struct Task<'a> {
    pub(super) vault: &'a Vault,
    pub(super) kind: Kind,
    pub(super) render: &'a Render,
    /// The step that was planned.
    pub(super) step: &'a ProgramStep,
    pub(super) limits: &'a Limits,
    pub(super) progress: &'a dyn Progress,
    /// Refuses once the source is another one than it was.
    pub(super) still: &'a dyn Fn() -> DiskResult<()>,
}

/// What a program gave; it goes with its folder.
pub(super) struct Output {
    file: Stored<Box<dyn ReadSeek>>,
    /// The size of its source.
    from: Size,
    times: u8,
    _folder: ScratchFolder,
}

impl Output {
    /// Lets somebody make a picture of it, if it is one.
    pub(super) fn decoded<T>(
        &mut self,
        limits: &craft::Limits,
        make: impl FnOnce(Given<'_>) -> Result<T, CraftError>,
    ) -> Result<T, CraftError> {
        let (from, times) = (self.from, self.times);
        let made = self.file.decoded(|coded| make(Given::new(coded, from, times, limits)?));
        made.unwrap_or_else(|error| Err(CraftError::NotGiven(craft::on_one_line(&error))))
    }
}

impl Task<'_> {
    /// Has the program enlarge a picture. Whether it gave a picture of it is to be seen.
    pub(super) fn carry_out(
        &self,
        path: &RelPath,
        source: &mut Stored<Box<dyn ReadSeek>>,
    ) -> Result<Output, MakeError> {
        let folder = self.vault.scratch_folder()?;
        let from = self.write_source(path, source, &folder)?;
        let line = self.command_line(from)?;
        let real =
            folder.real_path().ok_or_else(|| MakeError::Program("no other program sees this disk".to_owned()))?;
        let times = u64::from(self.step.times);
        let file_bytes_max = from.pixels() * times * times * PIXEL_BYTES + BESIDE_BYTES;
        let arguments = line.arguments(&real.join(IN), &real.join(OUT), self.step.times);
        let mut asked = 0_u32;
        let to_height = self.render.size.map_or(from.height, |to| to.height);
        let go_on = || -> Result<(), MakeError> {
            self.progress.rows(0, to_height).map_err(CraftError::from)?;
            asked += 1;
            if asked.is_multiple_of(LOOKED_EVERY) { Ok((self.still)()?) } else { Ok(()) }
        };
        match enlarge(line, &arguments, &Allowance { folder: &real, file_bytes_max }, go_on)? {
            Ended::Badly(why) => Err(MakeError::Program(why)),
            Ended::Well { said } => self.taken(folder, from, file_bytes_max, &said),
        }
    }

    /// Writes what the program gets.
    fn write_source(
        &self,
        path: &RelPath,
        source: &mut Stored<Box<dyn ReadSeek>>,
        folder: &ScratchFolder,
    ) -> Result<Size, MakeError> {
        let mut out = BufWriter::new(folder.create(IN)?);
        let written = source.decoded(|coded| {
            let decode = &self.limits.decode;
            let from = craft::write_for_program((coded, self.kind), self.render, decode, self.progress, &mut out)?;
            out.flush().map_err(|error| CraftError::Write(error.kind(), craft::on_one_line(&error)))?;
            Ok(from)
        });
        written.map_err(super::unread(path))?.map_err(|error| match error {
            CraftError::Write(kind, why) => {
                let source = std::io::Error::new(kind, why);
                MakeError::Disk(DiskError { call: "written", path: folder.path(IN), source })
            }
            error => error.into(),
        })
    }

    /// Returns the command line, if it is the one that was planned with.
    fn command_line(&self, from: Size) -> Result<&CommandLine, MakeError> {
        let line = self.limits.command.as_deref();
        let line = line.filter(|line| line.step(from, self.render.size.unwrap_or(from)) == *self.step);
        line.ok_or_else(|| MakeError::Program("`keep.command` was changed meanwhile".to_owned()))
    }

    /// Opens what the program wrote: a file of its own, and nothing that leads elsewhere.
    fn taken(&self, folder: ScratchFolder, from: Size, bytes_max: u64, said: &str) -> Result<Output, MakeError> {
        let (path, disk) = (folder.path(OUT), self.vault.disk());
        let no_picture = |what| MakeError::Program(CraftError::NotGiven(what).to_string());
        let entry = disk.stat(&path)?.ok_or_else(|| no_picture(format!("it wrote no file{said}")))?;
        if entry.what != What::File || entry.links > 1 || entry.is_foreign {
            return Err(no_picture("what it wrote is no file of its own, but leads elsewhere".to_owned()));
        }
        if entry.identity.size > bytes_max {
            return Err(no_picture(format!(
                "it wrote {} bytes, and at most {bytes_max} make sense",
                entry.identity.size
            )));
        }
        let opened = disk.open_as(&path, entry.identity)?;
        let file = Stored::open(opened, bytes_max).map_err(super::unread(&path))?;
        Ok(Output { file, from, times: self.step.times, _folder: folder })
    }
}
