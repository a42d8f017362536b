//! Rows of a picture on their way through a neural net, which looks at them larger.

use std::cell::RefCell;

use image::{DynamicImage, ImageBuffer};

use super::bleed::bleed;
use super::hues::Hues;
use super::likeness::Likeness;
use super::neural::{COLUMN_BYTES_MAX, Cpu, Net, NextRow, Upscale, UpscaledRows};
use super::stream::Feed;
use super::{CraftError, Progress, Stopped, Untold};
use crate::model::{Size, Upscaler};

/// The largest value of a sample, whatever its depth.
const WHITE: f32 = 255.0;
/// What it is in 16 bits: a result loses nothing on its way to a smaller size.
const DEEP: f32 = 257.0;
/// How many pixels of a result are at hand before the first of them is written.
const WINDOW_PIXELS: usize = 1 << 21;
/// How many pixels are handed on at once, about.
const PIECE_PIXELS: usize = 1 << 15;

/// Returns the net that comes with stockmill.
pub(super) fn own_net(restore: u8) -> Result<Net, CraftError> {
    Net::embedded(restore).ok_or_else(|| CraftError::NotByNet("this stockmill was built without it".to_owned()))
}

/// Makes a picture larger by a net, and hands its rows to `write`, to be brought to the size `to`: twice or three times
/// as large if that is it, else four times, and a net that does not make that as large as it makes it. Where it is transparent, its colours and its opacity go through the net apart
/// from each other. A result that does not look like its source is refused.
pub(super) fn enlarged<R>(
    source: Feed<'_>,
    to: Size,
    net: &Net,
    threads: usize,
    progress: &dyn Progress,
    write: impl FnOnce(Feed<'_>) -> Result<R, CraftError>,
) -> Result<R, CraftError> {
    let (size, made) = (source.size(), source.made());
    let scale = net.scale_for(times(size, to));
    let channels = if made.has_color() { 3 } else { 1 };
    let upscale = Upscale { net, size, is_grey: channels == 1, scale, threads, cpu: Cpu::best() };
    let told = Told { progress, of: to.height };
    let written = if made.has_alpha() {
        let cut_out = CutOut::read(source, channels)?;
        upscaled(&upscale, &mut cut_out.colors(), &told, |colors| {
            if let Some(even) = cut_out.even() {
                return write(pieces(colors, Opacity::Even(even), &upscale)?.making(made));
            }
            let apart = Upscale { is_grey: true, threads: 1, ..upscale };
            upscaled(&apart, &mut cut_out.opacity(), &Untold, |alpha| {
                write(pieces(colors, Opacity::Rows(alpha), &upscale)?.making(made))
            })
        })
    } else {
        let mut rows = source.into_rows();
        upscaled(&upscale, &mut |row| rows.next(row), &told, |colors| {
            write(pieces(colors, Opacity::None, &upscale)?.making(made))
        })
    };
    written.map_err(|error| match error {
        CraftError::LooksWrong(why) => {
            CraftError::NotByNet(format!("what it makes does not look like its source ({why})"))
        }
        error => error,
    })
}

/// Returns about how many bytes a net takes for a picture: some rows of each layer, the first rows of its result, and all
/// of its source where that is transparent. Of a net that somebody brought it is the most that any may take.
pub(super) fn work_bytes(from: Size, by: &Upscaler, threads: usize) -> u64 {
    const COLUMN_BYTES: u64 = 16 << 10;
    const THREAD_COLUMN_BYTES: u64 = 4 << 10;
    const DEEP_PIXEL_BYTES: u64 = 8;
    const CUT_OUT_BYTES: u64 = 24;
    let column = match by {
        Upscaler::Brought { .. } => COLUMN_BYTES_MAX as u64,
        _ => COLUMN_BYTES,
    } + THREAD_COLUMN_BYTES * threads.max(1) as u64;
    u64::from(from.width) * column + WINDOW_PIXELS as u64 * DEEP_PIXEL_BYTES + from.pixels() * CUT_OUT_BYTES
}

/// Tells how far a net is in rows of what is made of its result.
struct Told<'a> {
    progress: &'a dyn Progress,
    of: u32,
}

impl Progress for Told<'_> {
    fn rows(&self, done: u32, of: u32) -> Result<(), Stopped> {
        let share = u64::from(done) * u64::from(self.of) / u64::from(of.max(1));
        self.progress.rows(u32::try_from(share).unwrap_or(self.of), self.of)
    }
}

/// Returns how many times as large a net is to make a picture.
fn times(from: Size, to: Size) -> u32 {
    let is = |times: &u32| (from.width * times, from.height * times) == (to.width, to.height);
    [2, 3].into_iter().find(is).unwrap_or(4)
}

/// A picture that is transparent somewhere, its colours bled to where they are hidden.
pub(super) struct CutOut {
    colors: Vec<f32>,
    alpha: Vec<f32>,
    width: usize,
    channels: usize,
}

impl CutOut {
    pub(super) fn read(source: Feed<'_>, channels: usize) -> Result<Self, CraftError> {
        let Size { width, height } = source.size();
        let (width, mut rows) = (width as usize, source.into_rows());
        let (mut colors, mut alpha, mut row) = (Vec::new(), Vec::new(), vec![0.0; width * (channels + 1)]);
        for _ in 0..height {
            rows.next(&mut row)?;
            for pixel in row.chunks_exact(channels + 1) {
                colors.extend_from_slice(&pixel[..channels]);
                alpha.push(pixel[channels]);
            }
        }
        bleed(&mut colors, &alpha, width, channels);
        Ok(Self { colors, alpha, width, channels })
    }

    /// Returns it as one picture in 16 bits.
    pub(super) fn into_image(self) -> DynamicImage {
        let pixels = self.colors.chunks_exact(self.channels).zip(&self.alpha);
        let samples = pixels.flat_map(|(colors, alpha)| colors.iter().chain([alpha]).map(|value| deep(*value)));
        let samples = samples.collect();
        image(self.width, self.channels + 1, samples)
    }

    /// Returns its opacity, if that is the same everywhere.
    fn even(&self) -> Option<f32> {
        self.alpha.first().copied().filter(|first| self.alpha.iter().all(|alpha| alpha.to_bits() == first.to_bits()))
    }

    fn colors(&self) -> impl FnMut(&mut [f32]) -> Result<(), CraftError> {
        rows_of(&self.colors, self.width * self.channels)
    }

    fn opacity(&self) -> impl FnMut(&mut [f32]) -> Result<(), CraftError> {
        rows_of(&self.alpha, self.width)
    }
}

/// Gives one row after another of values that are all there.
fn rows_of(values: &[f32], length: usize) -> impl FnMut(&mut [f32]) -> Result<(), CraftError> {
    let mut rows = values.chunks_exact(length);
    move |row| {
        let next = rows.next().ok_or_else(|| CraftError::Defect("a row too many is wanted".to_owned()))?;
        row.copy_from_slice(next);
        Ok(())
    }
}

/// What is known of a source while a net makes another picture of it.
struct Known {
    likeness: Likeness,
    /// Of a picture that has colours.
    hues: Option<Hues>,
}

/// The rows that a net makes, compared with those of their source, and mended.
struct Compared<'a, 'b> {
    rows: &'a mut UpscaledRows<'b>,
    known: &'a RefCell<Known>,
    row: Vec<f32>,
}

impl Compared<'_, '_> {
    fn next(&mut self) -> Result<Option<&[f32]>, CraftError> {
        let Some(row) = self.rows.next_row()? else { return Ok(None) };
        let Known { likeness, hues } = &mut *self.known.borrow_mut();
        self.row.clear();
        self.row.extend_from_slice(row);
        if let Some(hues) = hues {
            hues.mend(&mut self.row);
        }
        likeness.add_result(&self.row)?;
        Ok(Some(&self.row))
    }
}

/// Has a net make larger what comes row by row.
fn upscaled<R>(
    upscale: &Upscale<'_>,
    source: &mut NextRow<'_>,
    progress: &dyn Progress,
    call: impl FnOnce(&mut Compared<'_, '_>) -> Result<R, CraftError>,
) -> Result<R, CraftError> {
    let channels = if upscale.is_grey { 1 } else { 3 };
    let (size, times) = (upscale.size, upscale.scale.times());
    let hues = (!upscale.is_grey).then(|| Hues::new(size.height as usize, times));
    let known = RefCell::new(Known { likeness: Likeness::new(size, channels, times), hues });
    let mut next = |row: &mut [f32]| {
        source(row)?;
        let Known { likeness, hues } = &mut *known.borrow_mut();
        likeness.add_source(row);
        hues.iter_mut().for_each(|hues| hues.add_source(row));
        Ok(())
    };
    upscale.rows(&mut next, progress, |rows| call(&mut Compared { rows, known: &known, row: Vec::new() }))
}

/// How opaque what is made is.
enum Opacity<'a, 'b, 'c> {
    /// It has no opacity of its own.
    None,
    /// The same everywhere.
    Even(f32),
    /// As a net makes it.
    Rows(&'a mut Compared<'b, 'c>),
}

/// Returns the rows of a result, some at once.
fn pieces<'a>(
    colors: &'a mut Compared<'_, '_>,
    mut opacity: Opacity<'a, '_, '_>,
    upscale: &Upscale<'_>,
) -> Result<Feed<'a>, CraftError> {
    let times = u32::try_from(upscale.scale.times()).expect("a few");
    let size = Size { width: upscale.size.width * times, height: upscale.size.height * times };
    let (width, channels) = (size.width as usize, if upscale.is_grey { 1 } else { 3 });
    let mut next = move || {
        let mut samples = Vec::new();
        for _ in 0..(PIECE_PIXELS / width).max(1) {
            let Some(row) = colors.next()? else { break };
            let pixels = row.chunks_exact(channels).map(|pixel| pixel.iter().map(|value| deep(*value)));
            match &mut opacity {
                Opacity::None => pixels.for_each(|pixel| samples.extend(pixel)),
                Opacity::Even(even) => pixels.for_each(|pixel| samples.extend(pixel.chain([deep(*even)]))),
                Opacity::Rows(rows) => {
                    let alpha = rows.next()?.unwrap_or_default();
                    pixels.zip(alpha).for_each(|(pixel, alpha)| samples.extend(pixel.chain([deep(*alpha)])));
                }
            }
        }
        let channels = channels + usize::from(!matches!(opacity, Opacity::None));
        Ok((!samples.is_empty()).then(|| image(width, channels, samples)))
    };
    let first = next()?.ok_or_else(|| CraftError::Defect("a net made no rows".to_owned()))?;
    Ok(Feed::new(size, first, next).with_window(WINDOW_PIXELS))
}

/// Returns some rows as a picture.
fn image(width: usize, channels: usize, samples: Vec<u16>) -> DynamicImage {
    let edge = |length: usize| u32::try_from(length).expect("a picture's edge");
    let (width, height) = (edge(width), edge(samples.len() / (width * channels)));
    let image = match channels {
        1 => ImageBuffer::from_raw(width, height, samples).map(DynamicImage::ImageLuma16),
        2 => ImageBuffer::from_raw(width, height, samples).map(DynamicImage::ImageLumaA16),
        3 => ImageBuffer::from_raw(width, height, samples).map(DynamicImage::ImageRgb16),
        _ => ImageBuffer::from_raw(width, height, samples).map(DynamicImage::ImageRgba16),
    };
    image.expect("whole rows")
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is clamped to the range of a sample")]
fn deep(value: f32) -> u16 {
    (value.clamp(0.0, WHITE) * DEEP).round_ties_even() as u16
}

#[cfg(all(test, feature = "embedded-net"))]
mod tests {
    use image::RgbImage;

    use super::*;
    use crate::craft::encode::resized;
    use crate::craft::{Untold, testing};
    use crate::model::Strength;

    fn by_net(image: &DynamicImage, to: Size, restore: u8, threads: usize) -> Result<DynamicImage, CraftError> {
        let net = own_net(restore)?;
        enlarged(Feed::of(image.clone()), to, &net, threads, &Untold, |feed| {
            resized(feed, to, Strength::Off, threads, &Untold)
        })
    }

    /// Whatever the size that is wanted: it is of the same kind, looks alike, and does not depend on the threads.
    #[test]
    fn a_picture_keeps_its_kind_and_its_look() {
        let image = testing::gradient(12, 9).image;
        let kinds = [
            image.clone(),
            image.to_luma8().into(),
            DynamicImage::ImageRgb16(image.to_rgb16()),
            DynamicImage::ImageLuma16(image.to_luma16()),
            image.to_luma_alpha8().into(),
            DynamicImage::ImageRgba16(image.to_rgba16()),
        ];
        for (number, image) in kinds.iter().enumerate() {
            let sizes = [(24, 18), (30, 23), (36, 27), (48, 36), (72, 54)];
            // How far it goes and what it is are apart from each other: one picture goes to all sizes, each to the first ones.
            for (width, height) in sizes.into_iter().take(if number == 0 { 5 } else { 2 }) {
                let to = Size { width, height };
                let one = by_net(image, to, 50, 2).unwrap();
                assert_eq!(
                    (one.color(), one.width(), one.height()),
                    (image.color(), width, height),
                    "{number} to {to}"
                );
                let back = one.resize_exact(12, 9, image::imageops::FilterType::Triangle).to_rgb8();
                let off = |(a, b): (&u8, &u8)| u32::from(a.abs_diff(*b));
                let off: u32 = back.iter().zip(image.to_rgb8().iter()).map(off).sum();
                assert!(off / (12 * 9 * 3) < 8, "{number} to {to}: {off}");
            }
        }
    }

    /// The same object on black and on white is what it was: neither a fringe of what was hidden, nor a hard edge.
    #[test]
    fn a_cut_out_keeps_its_edge_and_shows_no_hidden_colour() {
        let cut_out = |hidden: [u8; 3]| {
            DynamicImage::from(image::RgbaImage::from_fn(20, 20, |x, y| match x * x + y * y {
                0..200 => image::Rgba([200, 60, 40, 255]),
                200..260 => image::Rgba([200, 60, 40, 120]),
                _ => image::Rgba([hidden[0], hidden[1], hidden[2], 0]),
            }))
        };
        let to = Size { width: 40, height: 40 };
        let [one, other] =
            [[0, 255, 0], [0, 0, 0]].map(|hidden| by_net(&cut_out(hidden), to, 50, 1).unwrap().to_rgba8());
        let mut seen = 0;
        for (a, b) in one.pixels().zip(other.pixels()) {
            assert_eq!(a[3], b[3]);
            if a[3] > 8 {
                seen += 1;
                let off = [200, 60, 40].iter().zip(a.0).map(|(own, found)| found.abs_diff(*own)).max();
                assert!(a == b && off <= Some(12), "{a:?} {b:?}");
            }
        }
        assert!(seen > 600, "{seen}");
        let soft = one.pixels().filter(|pixel| (20..236).contains(&pixel[3])).count();
        assert!((20..200).contains(&soft), "{soft}");
    }

    /// A file of weights has a check sum: here the wrong bit is in it too, as in memory that fails.
    #[test]
    fn a_wrong_weight_is_seen_where_it_does_harm() {
        let file = include_bytes!("../../models/span_x4_48_base.spanw");
        let (image, to) = (testing::gradient(16, 16).image, Size { width: 64, height: 64 });
        let made = |file: &[u8]| {
            let net = Net::mixed(file, file, 0.0).unwrap();
            enlarged(Feed::of(image.clone()), to, &net, 1, &Untold, |feed| resized(feed, to, Strength::Off, 1, &Untold))
        };
        let (sound, mut seen) = (made(file).unwrap().to_rgb8(), 0);
        for part in 1..16 {
            let mut wrong = file.to_vec();
            // The highest bit of an exponent of 16 bits.
            wrong[(file.len() * part / 16) | 1] ^= 0x40;
            assert!(Net::mixed(&wrong, &wrong, 0.0).is_err(), "{part}");
            let sum = crc32fast::hash(&wrong[48..]);
            wrong[44..48].copy_from_slice(&sum.to_le_bytes());
            match made(&wrong) {
                Err(CraftError::NotByNet(_)) => seen += 1,
                found => {
                    let off = found.unwrap().to_rgb8().iter().zip(sound.iter()).map(|(a, b)| a.abs_diff(*b)).max();
                    assert!(off <= Some(16), "{part}: {off:?}");
                }
            }
        }
        assert!(seen > 5, "{seen}");
    }

    /// The net knows no such pictures, and paints blots.
    #[test]
    fn a_result_that_is_no_picture_of_its_source_is_refused() {
        let image = RgbImage::from_fn(24, 24, |x, y| image::Rgb([if (x + y) % 2 == 0 { 0 } else { 255 }; 3])).into();
        let made = by_net(&image, Size { width: 48, height: 48 }, 50, 1);
        assert!(matches!(made, Err(CraftError::NotByNet(_))), "{made:?}");
    }
}
