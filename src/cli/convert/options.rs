//! What is asked of `stockmill convert`.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::ValueEnum;

use super::super::error::CliError;
use super::super::numbers::{factor, whole};
use crate::model::{ByteRange, Enhance, Format, Method, Profile, Restore, Scans, Strength, Subsampling, Upscaler};
use crate::service::{Conversion, Resize};
use crate::vault::Existing;

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
    /// What enlarges a picture: lanczos, neural, auto (what suits it), or none, which keeps its size
    #[arg(long, value_name = "M", default_value = "lanczos", value_parser = read::<Method>)]
    method: Method,
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
    let has_size = args.scale.is_some() || args.megapixels.is_some() || args.long_edge.is_some();
    if args.method == Method::None && has_size {
        return Err(CliError::usage("`--method none` keeps the size: leave out --scale, --megapixels and --long-edge"));
    }
    if args.restore.is_some() && !matches!(args.method, Method::Neural | Method::Auto) {
        return Err(CliError::usage("`--restore` has an effect with `--method neural` or `auto` alone; leave it out"));
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
    Ok(())
}

pub(super) fn conversion(args: &ConvertArgs, format: Format, threads: usize) -> Result<Conversion, CliError> {
    let without_effect = if format == Format::Jpeg { Vec::new() } else { of_a_jpeg(args) };
    if !without_effect.is_empty() {
        let (options, title) = (without_effect.join(", "), format.title());
        let what = format!("without effect on a {title}, only on a JPEG; leave out what does nothing");
        return Err(CliError::usage(format!("{options}: {what}")));
    }
    let sizes =
        [args.scale.map(Resize::Scale), args.megapixels.map(Resize::Megapixels), args.long_edge.map(Resize::LongEdge)];
    let dial = args.restore.unwrap_or(Restore::Auto).into();
    let [_, red, green, blue] = args.background.unwrap_or(BACKGROUND).to_be_bytes();
    Ok(Conversion {
        resize: sizes.into_iter().flatten().next().unwrap_or(Resize::Same),
        by: match args.method {
            Method::Neural => Upscaler::Neural(dial),
            Method::Auto => Upscaler::Auto { dial, took: None },
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
fn read<T: FromStr<Err = String>>(text: &str) -> Result<T, String> {
    text.parse()
}

fn colour(text: &str) -> Result<u32, String> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && !digits.starts_with('+'));
    let value = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    value.ok_or_else(|| "it is no colour; write it as \"#ffffff\"".to_owned())
}
