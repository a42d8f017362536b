//! What is asked of `stockmill convert`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use clap::ValueEnum;

use super::super::RootArgs;
use super::super::error::CliError;
use super::super::numbers::{factor, whole};
use super::super::settings::root;
use crate::model::{
    ByteRange, Enhance, Format, Method, NetName, Profile, Restore, Scans, Strength, Subsampling, Upscaler,
};
use crate::service::{Conversion, NET_FILE_BYTES_MAX, NetFile, Resize, plain_reason};
use crate::vault::{Existing, read_outside};

/// The quality and the background that the mill has by default.
const QUALITY: u8 = 95;
const BACKGROUND: u32 = 0x00ff_ffff;

/// What to convert, and how.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ConvertArgs {
    /// A picture, a folder of pictures, or `-` for the standard input
    #[arg(value_name = "IN")]
    pub(super) from: PathBuf,
    /// The file or folder to make, or `-` for the standard output
    #[arg(value_name = "OUT")]
    pub(super) to: PathBuf,
    /// A factor on each edge; without any size the picture keeps its own
    #[arg(long, value_name = "N", group = "size", allow_negative_numbers = true, value_parser = factor)]
    scale: Option<f64>,
    /// The size to get, in millions of pixels
    #[arg(long, value_name = "M", group = "size", allow_negative_numbers = true, value_parser = factor)]
    megapixels: Option<f64>,
    /// The longer edge to get, in pixels
    #[arg(long, value_name = "E", group = "size", allow_negative_numbers = true, value_parser = whole::<u32>(1, 65_535))]
    long_edge: Option<u32>,
    /// What enlarges a picture: lanczos, neural, auto (what suits it), none, which keeps its size, or a neural net of
    /// others: the path of its `.safetensors` file, or its name in `models/` of the root
    #[arg(long, value_name = "M", default_value = "lanczos", value_parser = by)]
    method: By,
    /// What the neural net does about noise and damage: `auto`, or from keeping everything (0) to 100 [default: auto]
    #[arg(long, value_name = "R", allow_negative_numbers = true, value_parser = read::<Restore>)]
    restore: Option<Restore>,
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
    pub(super) format: Option<Format>,
    /// Replace files that exist; of a symbolic link, the file that it leads to
    #[arg(long)]
    force: bool,
}

/// What is to enlarge a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
enum By {
    Method(Method),
    /// The file of a net.
    File(PathBuf),
}

impl By {
    fn is(&self, method: &Method) -> bool {
        matches!(self, Self::Method(own) if own == method)
    }

    fn is_net(&self) -> bool {
        matches!(self, Self::File(_) | Self::Method(Method::Neural | Method::Brought(_)))
    }
}

/// What enlarges a picture, with the net of that if somebody brought it.
pub(super) type Enlarger = (Upscaler, Option<Arc<NetFile>>);

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

/// Refuses options that do not fit together.
pub(super) fn check(args: &ConvertArgs) -> Result<(), CliError> {
    if args.method.is(&Method::Command) {
        let what = "`--method command` is for a mill, whose settings name the program; run the program itself here";
        return Err(CliError::usage(what));
    }
    let has_size = args.scale.is_some() || args.megapixels.is_some() || args.long_edge.is_some();
    if args.method.is(&Method::None) && has_size {
        return Err(CliError::usage("`--method none` keeps the size: leave out --scale, --megapixels and --long-edge"));
    }
    if args.restore.is_some() && !args.method.is(&Method::Neural) && !args.method.is(&Method::Auto) {
        return Err(CliError::usage("`--restore` has an effect with `--method neural` or `auto` alone; leave it out"));
    }
    let is_by_net = args.method.is_net() || args.method.is(&Method::Auto);
    if enhance(args).sharpen != Strength::Off && (!has_size || is_by_net) {
        let (what, hint) = if has_size {
            ("what a neural net makes is not sharpened", "leave it out, or give `--method lanczos`")
        } else {
            let hint = "give --scale, --megapixels or --long-edge, or leave out what does nothing";
            ("a picture is sharpened only where it is enlarged", hint)
        };
        return Err(CliError::usage(format!("--enhance sharpen: without effect, since {what}; {hint}")));
    }
    if bytes(args).is_some_and(|range| range.min > range.max) {
        return Err(CliError::usage("`--min-bytes` is more than `--max-bytes`"));
    }
    Ok(())
}

/// Returns what enlarges a picture.
pub(super) fn enlarger(root_args: &RootArgs, args: &ConvertArgs) -> Result<Enlarger, CliError> {
    let dial = args.restore.unwrap_or(Restore::Auto).into();
    let path = match &args.method {
        By::Method(Method::Neural) => return Ok((Upscaler::Neural(dial), None)),
        By::Method(Method::Auto) => return Ok((Upscaler::Auto { dial, took: None }, None)),
        By::Method(Method::Lanczos | Method::Command | Method::None) => return Ok((Upscaler::Lanczos, None)),
        By::Method(Method::Brought(name)) => root(root_args)?.join(name.file().as_path()),
        By::File(path) => path.clone(),
    };
    let wrong = |why: String| CliError::usage(format!("`--method`: `{}`: {why}", path.display()));
    let read = read_outside(&path, NET_FILE_BYTES_MAX + 1).map_err(|error| match &args.method {
        By::Method(Method::Brought(name)) if error.kind() == ErrorKind::NotFound => {
            let hint = "`stockmill models` lists what is there, and --root names another mill";
            wrong(format!("there is no net `{name}`; {hint}"))
        }
        _ => wrong(plain_reason(&error)),
    })?;
    let net = NetFile::read(&read.bytes).map_err(wrong)?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let name = NetName::new(&stem).map_err(wrong)?;
    Ok((Upscaler::Brought { name, hash: net.hash.clone() }, Some(Arc::new(net))))
}

pub(super) fn conversion(
    args: &ConvertArgs,
    (by, net): Enlarger,
    format: Format,
    threads: usize,
) -> Result<Conversion, CliError> {
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
        by,
        net,
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

pub(super) fn existing(args: &ConvertArgs) -> Existing {
    if args.force { Existing::Replaced } else { Existing::Stays }
}

pub(super) fn threads(args: &ConvertArgs) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    args.threads.map_or_else(cores, usize::from)
}

pub(super) fn format_of(to: &Path) -> Result<Format, CliError> {
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

/// Reads what a type of the model reads.
fn by(text: &str) -> Result<By, String> {
    if Path::new(text).extension().is_some_and(|extension| extension == "safetensors") {
        return Ok(By::File(PathBuf::from(text)));
    }
    text.parse().map(By::Method)
}

fn read<T: FromStr<Err = String>>(text: &str) -> Result<T, String> {
    text.parse()
}

fn colour(text: &str) -> Result<u32, String> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && !digits.starts_with('+'));
    let value = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    value.ok_or_else(|| "it is no colour; write it as \"#ffffff\"".to_owned())
}
