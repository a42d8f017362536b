use std::borrow::Cow;
use std::io::Write;

use image::codecs::webp;
use image::{DynamicImage, ExtendedColorType, ImageEncoder};

use super::color::{colored, holds};
use super::embed;
use super::packets::{Packets, Shown};
use super::picture::image_of;
use super::stream::{self, Coding, Feed};
use super::{CraftError, Picture, Progress, Stopped, on_one_line, tiff_out};
use crate::model::{Format, Scans, Size, Strength, Subsampling};

/// From this quality on, colour is kept at full resolution.
pub(super) const FULL_COLOUR_FROM: u8 = 90;

/// How a picture is written.
#[derive(Clone, Copy)]
pub(super) struct Writing<'a> {
    pub(super) format: Format,
    /// How much it is sharpened where it is enlarged.
    pub(super) sharpen: Strength,
    /// That of a JPEG, 1 to 100.
    pub(super) quality: u8,
    /// In which scans a JPEG is stored.
    pub(super) scans: Scans,
    /// How finely a JPEG stores colours; by its quality if it is not said.
    pub(super) subsampling: Option<Subsampling>,
    /// The packet of metadata, where there is one.
    pub(super) packets: Option<&'a Packets>,
    /// How many threads may work on it; the bytes are the same for any number.
    pub(super) threads: usize,
    pub(super) progress: &'a dyn Progress,
}

/// Returns a picture, or some rows of one, as a format holds it.
pub(super) fn fit(picture: Picture, format: Format) -> Result<Picture, CraftError> {
    if holds(picture.image.color(), format) { Ok(picture) } else { colored(&picture).map(Cow::into_owned) }
}

/// Writes a picture that is fit for its format in another size, or in its own, with its colour profile. Only a WebP is
/// ever in memory as a whole. JPEG has 8 bit and no transparency: flatten it first. `again` begins the source once more,
/// for a large TIFF; where that costs much, its strips are kept instead.
pub(super) fn write<'a>(
    source: Feed<'a>,
    again: Option<&dyn Fn() -> Result<Feed<'a>, CraftError>>,
    icc: Option<&[u8]>,
    to: Size,
    writing: &Writing<'_>,
    out: &mut dyn Write,
) -> Result<(), CraftError> {
    let Writing { sharpen, quality, scans, threads, progress, .. } = *writing;
    let resized = |source| -> Result<Picture, CraftError> {
        Ok(Picture { image: resized(source, to, sharpen, threads, progress)?, icc: icc.map(<[u8]>::to_vec) })
    };
    match writing.format {
        Format::Jpeg => {
            let head = embed::jpeg_head(writing.packets, to, icc);
            let by_quality = if quality < FULL_COLOUR_FROM { Subsampling::Half } else { Subsampling::Full };
            let halves_color = writing.subsampling.unwrap_or(by_quality) == Subsampling::Half;
            let coding = Coding { sharpen, quality, scans, halves_color, head: &head, threads, progress };
            stream::write_jpeg(source, to, &coding, out)
        }
        Format::Png => png(source, icc, to, writing, out),
        Format::Webp => {
            let bytes = webp(&resized(source)?)?;
            let bytes = if let Some(packets) = writing.packets { embed::webp(&bytes, packets)?.0 } else { bytes };
            stream::written(out.write_all(&bytes))
        }
        Format::Tiff => {
            let head = tiff_out::Head { size: to, color: source.made(), icc, packets: writing.packets };
            let passes = if again.is_some() { tiff_out::passes(to) } else { 1 };
            let (mut source, mut pass) = (Some(source), 0);
            let rows = |take: &mut tiff_out::Take<'_>| {
                let source = match (source.take(), again) {
                    (Some(source), _) => source,
                    (None, Some(again)) => again()?,
                    (None, None) => return Err(CraftError::Defect("rows are wanted twice".to_owned())),
                };
                let share = Share { of: progress, pass, passes };
                pass += 1;
                stream::in_size(source, to, sharpen, threads, &share, take)
            };
            tiff_out::write(&head, passes, rows, &mut |bytes| stream::written(out.write_all(bytes)))
        }
    }
}

/// One of some passes over all rows, told as a share of them.
struct Share<'a> {
    of: &'a dyn Progress,
    pass: u32,
    passes: u32,
}

impl Progress for Share<'_> {
    fn rows(&self, done: u32, of: u32) -> Result<(), Stopped> {
        self.of.rows((self.pass * of + done) / self.passes, of)
    }
}

/// Returns a picture's bytes in its own size, without metadata.
#[cfg(test)]
pub fn encode(picture: &Picture, format: Format, quality: u8) -> Result<Vec<u8>, CraftError> {
    let Picture { image, icc } = fit(picture.clone(), format)?;
    let (to, mut bytes) = (picture.size(), Vec::new());
    let writing = Writing {
        format,
        sharpen: Strength::Off,
        quality,
        scans: Scans::Baseline,
        subsampling: None,
        packets: None,
        threads: 1,
        progress: &super::Untold,
    };
    let again = || Ok(Feed::of(image.clone()));
    write(again()?, Some(&again), icc.as_deref(), to, &writing, &mut bytes)?;
    Ok(bytes)
}

/// Returns a picture in another size, or in its own, as a whole.
pub(super) fn resized(
    source: Feed<'_>,
    to: Size,
    sharpen: Strength,
    threads: usize,
    progress: &dyn Progress,
) -> Result<DynamicImage, CraftError> {
    let source = match source.into_whole() {
        Ok(image) if (image.width(), image.height()) == (to.width, to.height) => return Ok(image),
        Ok(image) => Feed::of(image),
        Err(source) => source,
    };
    let (color, mut bytes) = (source.made(), Vec::new());
    stream::in_size(source, to, sharpen, threads, progress, |rows| {
        bytes.extend_from_slice(rows);
        Ok(())
    })?;
    Ok(image_of(color, to, bytes).expect("as many samples as it has"))
}

/// Writes a PNG row by row.
fn png(
    source: Feed<'_>,
    icc: Option<&[u8]>,
    to: Size,
    writing: &Writing<'_>,
    out: &mut dyn Write,
) -> Result<(), CraftError> {
    let mut info = png::Info::with_size(to.width, to.height);
    info.icc_profile = icc.map(Cow::Borrowed);
    let color = source.made();
    info.color_type = match (color.has_color(), color.has_alpha()) {
        (false, false) => png::ColorType::Grayscale,
        (false, true) => png::ColorType::GrayscaleAlpha,
        (true, false) => png::ColorType::Rgb,
        (true, true) => png::ColorType::Rgba,
    };
    let is_deep = color.bytes_per_pixel() / color.channel_count() == 2;
    info.bit_depth = if is_deep { png::BitDepth::Sixteen } else { png::BitDepth::Eight };
    let mut encoder = png::Encoder::with_info(out, info).map_err(unwritten)?;
    encoder.set_compression(png::Compression::Fast);
    encoder.set_filter(png::Filter::Adaptive);
    let mut writer = encoder.write_header().map_err(unwritten)?;
    if let Some(packets) = writing.packets {
        for (name, body) in embed::png_described(packets, &Shown { size: to, turned: None, icc }) {
            writer.write_chunk(png::chunk::ChunkType(name), &body).map_err(unwritten)?;
        }
    }
    let mut rows = writer.stream_writer().map_err(unwritten)?;
    let take = |bytes: &[u8]| stream::written(rows.write_all(bytes));
    stream::in_size(source, to, writing.sharpen, writing.threads, writing.progress, take)?;
    rows.finish().map_err(unwritten)?;
    writer.finish().map_err(unwritten)
}

/// Returns what a PNG's encoder says.
fn unwritten(error: png::EncodingError) -> CraftError {
    match error {
        png::EncodingError::IoError(error) => stream::unwritten(&error),
        error => failed(&error),
    }
}

fn failed(error: &impl std::fmt::Display) -> CraftError {
    CraftError::Unwritable(on_one_line(error))
}

fn webp(picture: &Picture) -> Result<Vec<u8>, CraftError> {
    let has_alpha = picture.image.color().has_alpha();
    let image: DynamicImage = if has_alpha { picture.image.to_rgba8().into() } else { picture.image.to_rgb8().into() };
    let mut bytes = Vec::new();
    let mut encoder = webp::WebPEncoder::new_lossless(&mut bytes);
    if let Some(icc) = &picture.icc {
        encoder.set_icc_profile(icc.clone()).map_err(|error| failed(&error))?;
    }
    let color = ExtendedColorType::from(image.color());
    encoder.write_image(image.as_bytes(), image.width(), image.height(), color).map_err(|error| failed(&error))?;
    Ok(bytes)
}
