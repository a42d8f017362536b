mod options;

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::RootArgs;
use super::error::CliError;
use super::out::counted;
use crate::model::{Format, INSTEAD};
use crate::service::{CONVERTED_BYTES_MAX, Conversion, ConvertError, Input, convert as converted, plain_reason};
use crate::vault::{Existing, clear_outside, is_output_closed, make_folder_outside, open_outside, write_outside};
pub(super) use options::ConvertArgs;
use options::{Enlarger, check, conversion, enlarger, existing, format_of, threads};

/// What stands for the standard input or output.
const STREAM: &str = "-";

/// Converts one picture, or each of a folder.
pub(super) fn convert(root: &RootArgs, args: &ConvertArgs) -> Result<ExitCode, CliError> {
    check(args)?;
    let by = enlarger(root, args)?;
    if args.from.as_os_str() != STREAM && !args.from.exists() {
        // Whether it was to be a folder is not known, and OUT may be right.
        return Err(CliError::failed(&format!("{}: it cannot be read: it is not there", shown(&args.from))));
    }
    if args.from.is_dir() { folder(args, by) } else { single(args, by) }
}

fn single(args: &ConvertArgs, by: Enlarger) -> Result<ExitCode, CliError> {
    if args.to.is_dir() {
        let what = "is a folder; name the file to make, or give a folder of pictures as IN";
        return Err(CliError::usage(format!("`{}` {what}", args.to.display())));
    }
    let format = args.format.map_or_else(|| format_of(&args.to), Ok)?;
    let conversion = conversion(args, by, format, threads(args))?;
    if args.to.as_os_str() == STREAM && is_output_closed() {
        let why = "the standard output is closed; connect it to a file or a program, or name a file as OUT";
        return Err(CliError::failed(&why));
    }
    if let Some(folder) = args.to.parent().filter(|_| args.to.as_os_str() != STREAM) {
        // Where it cannot be looked into, writing says why.
        let _ = clear_outside(if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    }
    match one(&args.from, &args.to, &conversion, existing(args)) {
        Ok(notes) => {
            tell_notes(&args.from, &notes);
            Ok(ExitCode::SUCCESS)
        }
        Err(why) => Err(CliError::failed(&format!("{}: {why}", shown(&args.from)))),
    }
}

/// Converts each picture that lies in a folder itself, and tells each that was refused.
fn folder(args: &ConvertArgs, by: Enlarger) -> Result<ExitCode, CliError> {
    let conversion = conversion(args, by, args.format.unwrap_or(Format::Jpeg), 1)?;
    let cannot = |path: &Path, error: &std::io::Error| {
        CliError::failed(&format!("`{}` cannot be used as a folder: {}", path.display(), plain_reason(error)))
    };
    if args.to.as_os_str() == STREAM {
        return Err(CliError::usage("a folder of pictures needs a folder as OUT"));
    }
    let Found { files, left_out } = found_in(&args.from).map_err(|error| cannot(&args.from, &error))?;
    left_out.iter().for_each(|what| eprintln!("stockmill: {}: {what}", shown(&args.from)));
    if files.is_empty() {
        return Err(CliError::failed(&format!("`{}` holds no files to convert", args.from.display())));
    }
    make_folder_outside(&args.to).map_err(|error| cannot(&args.to, &error))?;
    let is_same = matches!((args.from.canonicalize(), args.to.canonicalize()), (Ok(from), Ok(to)) if from == to);
    if is_same {
        return Err(CliError::usage("OUT must be another folder than IN"));
    }
    clear_outside(&args.to).map_err(|error| cannot(&args.to, &error))?;
    let refused = AtomicUsize::new(0);
    let tell = |from: &Path, why: &str| {
        refused.fetch_add(1, Ordering::Relaxed);
        eprintln!("stockmill: {}: {why}", shown(from));
    };
    let jobs = jobs(files, &args.to, conversion.format, &tell);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads(args).min(jobs.len()) {
            scope.spawn(|| {
                while let Some((to, from)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match one(from, to, &conversion, existing(args)) {
                        Ok(notes) => tell_notes(from, &notes),
                        Err(why) => tell(from, &why),
                    }
                }
            });
        }
    });
    match refused.into_inner() {
        0 => Ok(ExitCode::SUCCESS),
        refused => Err(CliError::failed(&format!("{} refused", counted(refused, "file")))),
    }
}

/// Tells what a person wants to know of a picture that was converted.
fn tell_notes(from: &Path, notes: &[String]) {
    notes.iter().for_each(|note| eprintln!("stockmill: {}: {note}", shown(from)));
}

/// Returns what becomes of which file; of two that would get one name, the second is refused.
fn jobs(files: Vec<PathBuf>, folder: &Path, format: Format, tell: &dyn Fn(&Path, &str)) -> Vec<(PathBuf, PathBuf)> {
    let extension = format.kind().extension().unwrap_or("jpg");
    let mut jobs: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
    for from in files {
        let mut name = from.file_stem().unwrap_or_default().to_owned();
        name.push(format!(".{extension}"));
        let to = folder.join(name);
        if let Some(first) = jobs.get(&to) {
            let why = format!("it would get the same name as {}; rename one of them", shown(first));
            tell(&from, &why);
        } else {
            jobs.insert(to, from);
        }
    }
    jobs.into_iter().collect()
}

/// What lies in a folder.
struct Found {
    /// The files to convert.
    files: Vec<PathBuf>,
    /// What is told of the others.
    left_out: Vec<String>,
}

fn found_in(folder: &Path) -> std::io::Result<Found> {
    let (mut files, mut folders, mut hidden) = (Vec::new(), 0, 0);
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.path().is_dir() {
            folders += 1;
        } else if entry.file_name().as_encoded_bytes().starts_with(b".") {
            hidden += 1;
        } else {
            files.push(entry.path());
        }
    }
    files.sort();
    let told = |count: usize, what: &str, hint: &str| {
        let were = if count == 1 { "was" } else { "were" };
        (count > 0).then(|| format!("{} in it {were} left out; {hint}", counted(count, what)))
    };
    let folders = told(folders, "folder", "to convert what lies there, name them as IN one by one");
    let hidden = told(hidden, "hidden file", "to convert one, name it as IN");
    Ok(Found { files, left_out: folders.into_iter().chain(hidden).collect() })
}

/// Converts one picture, and returns what there is to tell of it; else nothing of it is left, and the answer says why.
fn one(from: &Path, to: &Path, conversion: &Conversion, existing: Existing) -> Result<Vec<String>, String> {
    // What is written is not made durable: the source must stay until a person removes it.
    if matches!((from.canonicalize(), to.canonicalize()), (Ok(from), Ok(to)) if from == to) {
        return Err("OUT is this very file; choose another name, so that the source stays".to_owned());
    }
    let mut input = opened(from)?;
    let plain = |error: ConvertError| match error {
        ConvertError::Disk(error) if error.kind() == ErrorKind::AlreadyExists => {
            format!("`{}` exists; choose another name, or replace it with --force", to.display())
        }
        ConvertError::Disk(error) if error.kind() == ErrorKind::NotFound && to.parent().is_some_and(is_missing) => {
            let folder = to.parent().unwrap_or(to).display();
            format!("`{}` cannot be written: there is no folder `{folder}`; make it first", to.display())
        }
        ConvertError::Disk(error) => format!("`{}` cannot be written: {}", to.display(), plain_reason(&error)),
        other => other.to_string(),
    };
    let mut write = |conversion: &Conversion| {
        if to.as_os_str() != STREAM {
            return write_outside(to, existing, |out| converted(&mut input, conversion, out));
        }
        // All of it or nothing, also into a pipe.
        let mut made = Vec::new();
        let notes = converted(&mut input, conversion, &mut made)?;
        let mut out = std::io::stdout().lock();
        out.write_all(&made).and_then(|()| out.flush())?;
        Ok(notes)
    };
    match (write(conversion), conversion.by.instead()) {
        (Err(ConvertError::NotByNet(why)), Some(by)) => {
            let told = format!("{INSTEAD}: {why}");
            let notes = write(&Conversion { by, ..conversion.clone() }).map_err(plain)?;
            Ok(notes.into_iter().chain([told]).collect())
        }
        (written, _) => written.map_err(plain),
    }
}

fn is_missing(folder: &Path) -> bool {
    !folder.as_os_str().is_empty() && !folder.exists()
}

fn opened(from: &Path) -> Result<Input, String> {
    let cannot = |error: std::io::Error| ConvertError::Unread(error).to_string();
    if from.as_os_str() != STREAM {
        return Input::open(Box::new(open_outside(from).map_err(cannot)?), CONVERTED_BYTES_MAX).map_err(cannot);
    }
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(CONVERTED_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > CONVERTED_BYTES_MAX {
        return Err(format!("it has more than {CONVERTED_BYTES_MAX} bytes; so many are read at most"));
    }
    Ok(Input::whole(bytes))
}

fn shown(path: &Path) -> String {
    if path.as_os_str() == STREAM { "the standard input".to_owned() } else { format!("`{}`", path.display()) }
}
