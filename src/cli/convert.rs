use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::ValueEnum;

use super::error::CliError;
use super::numbers::{factor, whole};
use super::out::counted;
use crate::model::{ByteRange, Enhance, Format, Profile, Scans, Strength, Subsampling, Upscaler};
use crate::service::{
    CONVERTED_BYTES_MAX, Conversion, ConvertError, Input, Resize, convert as converted, plain_reason,
};
use crate::vault::{Existing, clear_outside, is_output_closed, make_folder_outside, open_outside, write_outside};

/// The quality and the background that the mill has by default.
const QUALITY: u8 = 95;
const BACKGROUND: u32 = 0x00ff_ffff;
/// How much the neural net restores where nothing is said: as much as suits most pictures.
const RESTORE: u8 = 50;
/// What stands for the standard input or output.
const STREAM: &str = "-";

/// What to convert, and how.
#[derive(Debug, clap::Args)]
pub(super) struct ConvertArgs {
    /// A picture, a folder of pictures, or `-` for the standard input
    #[arg(value_name = "IN")]
    from: PathBuf,
    /// The file or folder to make, or `-` for the standard output
    #[arg(value_name = "OUT")]
    to: PathBuf,
    /// A factor on each edge; without any size the picture keeps its own
    #[arg(long, value_name = "N", group = "size", allow_negative_numbers = true, value_parser = factor)]
    scale: Option<f64>,
    /// The size to get, in millions of pixels
    #[arg(long, value_name = "M", group = "size", allow_negative_numbers = true, value_parser = factor)]
    megapixels: Option<f64>,
    /// The longer edge to get, in pixels
    #[arg(long, value_name = "E", group = "size", allow_negative_numbers = true, value_parser = whole::<u32>(1, 65_535))]
    long_edge: Option<u32>,
    /// What enlarges a picture; `none` keeps its size
    #[arg(long, value_enum, default_value = "lanczos")]
    method: Method,
    /// What the neural net does about noise and damage, from keeping everything (0) to 100 [default: 50]
    #[arg(long, value_name = "R", allow_negative_numbers = true, value_parser = whole::<u8>(0, 100))]
    restore: Option<u8>,
    /// What to do for its look, each `off`, `low`, `medium` or `high`: `sharpen=low,levels=medium`; it is sharpened only
    /// where it is enlarged, and not by the net
    #[arg(long, value_name = "WHAT", value_delimiter = ',', value_parser = enhancement)]
    enhance: Vec<Enhancement>,
    /// JPEG quality, 1 to 100 [default: 95]
    #[arg(long, value_name = "Q", allow_negative_numbers = true, value_parser = whole::<u8>(1, 100))]
    quality: Option<u8>,
    /// The least bytes of a JPEG: its quality is raised for that, if it must be
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole::<u64>(1, u64::MAX))]
    min_bytes: Option<u64>,
    /// The most bytes of a JPEG: its quality is lowered for that, to 80 at least
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole::<u64>(1, u64::MAX))]
    max_bytes: Option<u64>,
    /// Store a JPEG in scans from coarse to fine
    #[arg(long)]
    progressive: bool,
    /// How finely a JPEG stores colours [default: 444 from quality 90 on, else 420]
    #[arg(long, value_parser = ["444", "420"])]
    subsampling: Option<String>,
    /// How many threads work, on one picture or on several [default: one per processor core]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole::<u16>(1, 1024))]
    threads: Option<u16>,
    /// `srgb` converts the colours, `keep` leaves a picture its own profile
    #[arg(long, value_enum, default_value = "srgb")]
    icc: Icc,
    /// The colour behind transparent pixels in a JPEG [default: #ffffff]
    #[arg(long, value_name = "COLOUR", value_parser = colour)]
    background: Option<u32>,
    /// jpeg, png, webp or tiff [default: by the name of OUT, in a folder jpeg]
    #[arg(long, value_name = "F", value_parser = format_named)]
    format: Option<Format>,
    /// Replace files that exist; of a symbolic link, the file that it leads to
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Method {
    Lanczos,
    Neural,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Enhancement {
    Sharpen(Strength),
    Levels(Strength),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Icc {
    Srgb,
    Keep,
}

/// Converts one picture, or each of a folder.
pub(super) fn convert(args: &ConvertArgs) -> Result<ExitCode, CliError> {
    let has_size = args.scale.is_some() || args.megapixels.is_some() || args.long_edge.is_some();
    if args.method == Method::None && has_size {
        return Err(CliError::usage("`--method none` keeps the size: leave out --scale, --megapixels and --long-edge"));
    }
    if args.restore.is_some() && args.method != Method::Neural {
        return Err(CliError::usage("`--restore` has an effect with `--method neural` alone; leave it out"));
    }
    if enhance(args).sharpen != Strength::Off && (!has_size || args.method == Method::Neural) {
        let (what, hint) = if has_size {
            ("what the neural net makes is not sharpened", "leave it out")
        } else {
            let hint = "give --scale, --megapixels or --long-edge, or leave out what does nothing";
            ("a picture is sharpened only where it is enlarged", hint)
        };
        return Err(CliError::usage(format!("--enhance sharpen: without effect, since {what}; {hint}")));
    }
    if bytes(args).is_some_and(|range| range.min > range.max) {
        return Err(CliError::usage("`--min-bytes` is more than `--max-bytes`"));
    }
    if args.from.as_os_str() != STREAM && !args.from.exists() {
        // Whether it was to be a folder is not known, and OUT may be right.
        return Err(CliError::failed(&format!("{}: it cannot be read: it is not there", shown(&args.from))));
    }
    if args.from.is_dir() { folder(args) } else { single(args) }
}

fn single(args: &ConvertArgs) -> Result<ExitCode, CliError> {
    if args.to.is_dir() {
        let what = "is a folder; name the file to make, or give a folder of pictures as IN";
        return Err(CliError::usage(format!("`{}` {what}", args.to.display())));
    }
    let format = args.format.map_or_else(|| format_of(&args.to), Ok)?;
    let conversion = conversion(args, format, threads(args))?;
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
fn folder(args: &ConvertArgs) -> Result<ExitCode, CliError> {
    let conversion = conversion(args, args.format.unwrap_or(Format::Jpeg), 1)?;
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
            let told = format!("enlarged by lanczos instead: {why}");
            let notes = write(&Conversion { by, ..*conversion }).map_err(plain)?;
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

fn conversion(args: &ConvertArgs, format: Format, threads: usize) -> Result<Conversion, CliError> {
    let without_effect = if format == Format::Jpeg { Vec::new() } else { of_a_jpeg(args) };
    if !without_effect.is_empty() {
        let (options, title) = (without_effect.join(", "), format.title());
        let what = format!("without effect on a {title}, only on a JPEG; leave out what does nothing");
        return Err(CliError::usage(format!("{options}: {what}")));
    }
    let sizes =
        [args.scale.map(Resize::Scale), args.megapixels.map(Resize::Megapixels), args.long_edge.map(Resize::LongEdge)];
    let [_, red, green, blue] = args.background.unwrap_or(BACKGROUND).to_be_bytes();
    Ok(Conversion {
        resize: sizes.into_iter().flatten().next().unwrap_or(Resize::Same),
        by: match args.method {
            Method::Neural => Upscaler::Neural { restore: args.restore.unwrap_or(RESTORE) },
            Method::Lanczos | Method::None => Upscaler::Lanczos,
        },
        enhance: enhance(args),
        format,
        quality: args.quality.unwrap_or(QUALITY),
        bytes: bytes(args),
        scans: if args.progressive { Scans::Progressive } else { Scans::Baseline },
        subsampling: args.subsampling.as_deref().map(|text| match text {
            "420" => Subsampling::Half,
            _ => Subsampling::Full,
        }),
        threads,
        profile: if args.icc == Icc::Keep { Profile::Keep } else { Profile::Srgb },
        background: [red, green, blue],
    })
}

fn enhance(args: &ConvertArgs) -> Enhance {
    let mut enhance = Enhance::default();
    for enhancement in &args.enhance {
        match enhancement {
            Enhancement::Sharpen(strength) => enhance.sharpen = *strength,
            Enhancement::Levels(strength) => enhance.levels = *strength,
        }
    }
    enhance
}

/// Returns the options that were given and matter in a JPEG alone.
fn of_a_jpeg(args: &ConvertArgs) -> Vec<&'static str> {
    let options = [
        ("--quality", args.quality.is_some()),
        ("--min-bytes", args.min_bytes.is_some()),
        ("--max-bytes", args.max_bytes.is_some()),
        ("--progressive", args.progressive),
        ("--subsampling", args.subsampling.is_some()),
        ("--background", args.background.is_some()),
    ];
    options.into_iter().filter(|(_, is_given)| *is_given).map(|(option, _)| option).collect()
}

fn bytes(args: &ConvertArgs) -> Option<ByteRange> {
    let (min, max) = (args.min_bytes, args.max_bytes);
    (min.is_some() || max.is_some()).then(|| ByteRange { min: min.unwrap_or(1), max: max.unwrap_or(u64::MAX) })
}

fn existing(args: &ConvertArgs) -> Existing {
    if args.force { Existing::Replaced } else { Existing::Stays }
}

fn threads(args: &ConvertArgs) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    args.threads.map_or_else(cores, usize::from)
}

fn shown(path: &Path) -> String {
    if path.as_os_str() == STREAM { "the standard input".to_owned() } else { format!("`{}`", path.display()) }
}

fn format_of(to: &Path) -> Result<Format, CliError> {
    let extension = to.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    format_named(extension).map_err(|_| {
        let hint = "name it .jpg, .png, .webp or .tif, or say --format";
        CliError::usage(format!("`{}` does not tell the format; {hint}", to.display()))
    })
}

fn format_named(text: &str) -> Result<Format, String> {
    match text.to_ascii_lowercase().as_str() {
        "jpeg" | "jpg" => Ok(Format::Jpeg),
        "png" => Ok(Format::Png),
        "webp" => Ok(Format::Webp),
        "tiff" | "tif" => Ok(Format::Tiff),
        _ => Err("it is none of jpeg, png, webp and tiff".to_owned()),
    }
}

fn enhancement(text: &str) -> Result<Enhancement, String> {
    let (what, word) = text.split_once('=').unwrap_or((text, ""));
    let strength = Strength::named(word).ok_or_else(|| format!("write `{what}=low`, or off, medium or high"));
    match what {
        "sharpen" => strength.map(Enhancement::Sharpen),
        "levels" => strength.map(Enhancement::Levels),
        _ => Err("it must be `sharpen=` or `levels=`, and off, low, medium or high".to_owned()),
    }
}

fn colour(text: &str) -> Result<u32, String> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && !digits.starts_with('+'));
    let value = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    value.ok_or_else(|| "it is no colour; write it as \"#ffffff\"".to_owned())
}
