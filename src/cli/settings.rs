use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::RootArgs;
use super::error::CliError;
use super::near::{self, FILE_NAME};
use super::profiles::Profiles;
use super::reader::Reader;
use crate::config::{
    DEFAULT_TEXT, Folders, Problem, Problems, Settings, advice, check_places, is_blank, load, own_folders,
    program_problem,
};
use crate::market::built_in;
use crate::model::Stage;
use crate::service::{Reading, Sound, find_program};
use crate::vault::own_names::HOME;
use crate::vault::{Place, plain};

/// Where settings come from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    File(PathBuf),
    BuiltIn,
}

impl Source {
    pub(super) fn shown(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::BuiltIn => "the built-in defaults".to_owned(),
        }
    }
}

/// Returns the root that was asked for, absolute.
pub(super) fn root(args: &RootArgs) -> Result<PathBuf, CliError> {
    let root = match &args.root {
        Some(root) => root.clone(),
        None => home()?.join("Stockmill"),
    };
    let shown = root.display();
    if root.is_file() {
        return Err(CliError::usage(format!("`{shown}` is a file, and a mill is a folder; name that one with --root")));
    }
    std::path::absolute(&root).map_err(|error| CliError::usage(format!("`{shown}` is no folder: {error}")))
}

fn home() -> Result<PathBuf, CliError> {
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
    home.map(PathBuf::from).ok_or_else(|| CliError::usage("no home folder is known; name the root with --root FOLDER"))
}

/// Returns where the settings of a root come from: the root itself, `--config`, the user's and the
/// system's configuration folders, in this order.
pub(super) fn source(args: &RootArgs, root: &Path) -> Result<Source, CliError> {
    if let Some(own) = in_folder(root)? {
        return Ok(Source::File(own));
    }
    if let Some(file) = &args.config {
        if file.exists() {
            return Ok(Source::File(file.clone()));
        }
        return Err(CliError::usage(format!("there is no settings file `{}`", file.display())));
    }
    for folder in user_folder().into_iter().chain([PathBuf::from("/etc/stockmill")]) {
        if let Some(file) = in_folder(&folder)? {
            return Ok(Source::File(file));
        }
    }
    Ok(Source::BuiltIn)
}

/// Returns the settings file of a folder. A file with almost its name is a mistake that would open every gate.
fn in_folder(folder: &Path) -> Result<Option<PathBuf>, CliError> {
    let own = folder.join(FILE_NAME);
    let cannot = |error: std::io::Error| CliError::usage(format!("{}: {}", own.display(), plain(&error)));
    // Settings that cannot be read, and a link to a missing file, are not the same as no settings.
    match own.symlink_metadata() {
        Ok(_) => return Ok(Some(own)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => (),
        Err(error) => return Err(cannot(error)),
    }
    let (meant, aside) = near::beside(folder).map_err(cannot)?;
    let Some(near) = meant.first().or_else(|| aside.first()) else { return Ok(None) };
    Err(CliError::usage(format!(
        "`{}` is not read, and no `{FILE_NAME}` lies beside it: rename it to `{FILE_NAME}`, or move it elsewhere to \
         begin with the defaults",
        folder.join(near).display()
    )))
}

/// Returns where running settings come from when they are read again: the root's own file takes precedence once it exists,
/// and a file that is gone is never replaced by one of lower precedence.
pub(super) fn source_again(root: &Path, started: &Source) -> Source {
    let own = root.join(FILE_NAME);
    if own.symlink_metadata().is_ok() { Source::File(own) } else { started.clone() }
}

fn user_folder() -> Option<PathBuf> {
    let user = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).or_else(|| Some(home().ok()?.join(".config")));
    user.map(|folder| folder.join("stockmill"))
}

/// Returns the folders that settings may be read from again, besides `/etc`. A file that is a symbolic link is read
/// from its real folder. They are folders and not files, since an editor puts a new file there.
pub(super) fn read_from(args: &RootArgs, root: &Path, source: &Source) -> Vec<PathBuf> {
    let own = if let Source::File(path) = source { Some(path.clone()) } else { None };
    let markets = std::fs::read_dir(root.join("markets")).into_iter().flatten().filter_map(Result::ok);
    let files: Vec<PathBuf> = own.into_iter().chain(args.config.clone()).chain(markets.map(|e| e.path())).collect();
    let named = files.iter().filter_map(|file| std::path::absolute(file).ok());
    let real = files.iter().filter_map(|file| file.canonicalize().ok());
    named.chain(real).filter_map(|file| file.parent().map(Path::to_owned)).chain(user_folder()).collect()
}

/// Reads once all files that the settings of a root consist of.
pub(super) fn read_settings(root: &Path, source: &Source) -> Reading {
    let mut reader = Reader::default();
    let sound = sound(root, source, &mut reader);
    Reading { sound, files: reader.files, open: reader.open, is_known: !reader.is_unknown }
}

fn sound(root: &Path, source: &Source, reader: &mut Reader) -> Result<Sound, String> {
    let text = match source {
        // A person may have renamed the file.
        Source::File(path) => reader
            .text(path)
            .map_err(|error| std::iter::once(error).chain(unread_beside(source)).collect::<Vec<_>>().join("\n"))?,
        Source::BuiltIn => DEFAULT_TEXT.to_owned(),
    };
    let profiles = Profiles::read(root, reader)?;
    let mut notes = profiles.notes();
    let settings = load(&text, root, &profiles.markets).map_err(|problems| {
        let shown = problems.0.iter().map(|problem| format!("{}: {problem}", source.shown()));
        shown.chain(notes.iter().cloned()).collect::<Vec<_>>().join("\n")
    })?;
    beside_each_other(&text, &settings).map_err(|problems| {
        problems.0.iter().map(|problem| format!("{}: {problem}", source.shown())).collect::<Vec<_>>().join("\n")
    })?;
    if let Some(why) = profiles.unread_profile(&settings) {
        return Err(why);
    }
    notes.extend(unread_beside(source));
    notes.extend(advice(&settings));
    let lacks = lacks_program(&settings, &text).map(|problem| format!("{}: {problem}", source.shown()));
    Ok(Sound { settings, is_blank: is_blank(&text), notes, lacks })
}

/// Refuses folders that are one place on the disk under two names.
fn beside_each_other(text: &str, settings: &Settings) -> Result<(), Problems> {
    let folders: Vec<PathBuf> = own_folders(settings).into_iter().map(|(_, folder)| folder).collect();
    let places = Place::of_all(&folders);
    check_places(text, settings, &|one, other| places[one].overlaps(&places[other]))
}

/// Returns what is wrong with the program that enlarges pictures: it may come later, and is no mistake in the settings.
fn lacks_program(settings: &Settings, text: &str) -> Option<Problem> {
    let line = settings.keep.command.as_deref()?;
    let missing = find_program(line.program(), &std::env::var_os("PATH").unwrap_or_default()).err()?;
    program_problem(text, missing.to_string())
}

/// Returns a line for each file beside the settings that has almost their name.
fn unread_beside(source: &Source) -> Vec<String> {
    let Source::File(path) = source else { return Vec::new() };
    let Some(folder) = path.parent().filter(|_| path.ends_with(FILE_NAME)) else { return Vec::new() };
    let (meant, _) = near::beside(folder).unwrap_or_default();
    let others = meant.iter().map(|name| folder.join(name)).filter(|other| other != path);
    others.map(|other| format!("{} is not read: the settings are {}", other.display(), path.display())).collect()
}

/// Returns a line if the settings file of `--config` is not the one that is read.
pub(super) fn config_ignored(args: &RootArgs, source: &Source) -> Option<String> {
    let (Some(asked), Source::File(read)) = (&args.config, source) else { return None };
    let is_same = asked == read || matches!((asked.canonicalize(), read.canonicalize()), (Ok(a), Ok(b)) if a == b);
    (!is_same).then(|| format!("{} is not read: the root has settings of its own, {}", asked.display(), read.display()))
}

/// Reads the settings that a command works with.
pub(super) fn settings(args: &RootArgs) -> Result<Settings, CliError> {
    let root = root(args)?;
    let source = source(args, &root)?;
    read_settings(&root, &source).sound.map(|sound| sound.settings).map_err(CliError::usage)
}

/// Reads the settings of a root that must exist.
pub(super) fn settings_of_existing(args: &RootArgs) -> Result<Settings, CliError> {
    let settings = settings(args)?;
    is_mill(&settings.root).map(|()| settings)
}

fn is_mill(root: &Path) -> Result<(), CliError> {
    if root.join(HOME).is_dir() {
        return Ok(());
    }
    let root = root.display();
    Err(CliError::usage(format!(
        "`{root}` is no stockmill folder; make one with `stockmill init {root}`, or name another with --root"
    )))
}

/// Reads the settings of a root that must exist, for a command that only looks. If they cannot be used, it gets what is
/// wrong with them, and the defaults with the folders as they were used last.
pub(super) fn settings_to_look(args: &RootArgs) -> Result<(Settings, Option<CliError>), CliError> {
    let wrong = match settings(args) {
        Ok(settings) => return is_mill(&settings.root).map(|()| (settings, None)),
        Err(wrong) => wrong,
    };
    let root = root(args)?;
    is_mill(&root)?;
    let markets = match Profiles::read(&root, &mut Reader::default()) {
        Ok(profiles) => profiles.markets,
        Err(_) => built_in().map_err(|error| CliError::failed(&error))?,
    };
    let mut settings = load(DEFAULT_TEXT, &root, &markets).map_err(|problems| CliError::failed(&problems))?;
    let Folders { ideas, raw, keep, export, upload, archive, failed, logs: _ } = &mut settings.folders;
    let areas = [ideas, raw, keep, export, upload, archive, failed];
    let names = Stage::ALL.map(Stage::name).into_iter().chain(["archive", "failed"]);
    for (name, folder) in names.zip(areas) {
        if let Some(last) = last_place(&root, name) {
            *folder = last;
        }
    }
    Ok((settings, Some(wrong)))
}

/// Returns the exit code of a command that only looked: that of wrong settings, although it shows what it can.
pub(super) fn exit_code(wrong: Option<&CliError>) -> ExitCode {
    wrong.map_or(ExitCode::SUCCESS, |_| ExitCode::from(2))
}

/// Returns where an area lay when it was used last.
fn last_place(root: &Path, area: &str) -> Option<PathBuf> {
    let file = root.join(HOME).join("areas").join(area);
    let text = file.is_file().then(|| std::fs::read(&file).ok())??;
    let place = text.split(|byte| *byte == b'\n').next()?;
    Some(PathBuf::from(std::ffi::OsStr::from_bytes(place))).filter(|place| place.is_absolute())
}
