//! Rows of a picture on their way through a neural net, which looks at them four times as large.

use std::cell::RefCell;

use image::{DynamicImage, ImageBuffer};

use super::likeness::Likeness;
use super::neural::{Cpu, Net, Scale, Upscale, UpscaledRows};
use super::stream::Feed;
use super::{CraftError, Progress, Stopped};
use crate::model::Size;

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
/// as large if that is it, else four times. A result that does not look like its source is refused, and a source with
/// an opacity.
pub(super) fn enlarged<R>(
    source: Feed<'_>,
    to: Size,
    net: &Net,
    threads: usize,
    progress: &dyn Progress,
    write: impl FnOnce(Feed<'_>) -> Result<R, CraftError>,
) -> Result<R, CraftError> {
    let (size, made) = (source.size(), source.made());
    if made.has_alpha() {
        return Err(CraftError::NotByNet(
            "it has an opacity of its own, which a net would blend with colours".to_owned(),
        ));
    }
    let scale = scale(size, to);
    let times = u32::try_from(scale.times()).expect("a few");
    let channels = if made.has_color() { 3 } else { 1 };
    let upscale = Upscale { net, size, is_grey: channels == 1, scale, threads, cpu: Cpu::best() };
    let likeness = RefCell::new(Likeness::new(size, channels, scale.times()));
    let mut rows = source.into_rows();
    let mut next = |row: &mut [f32]| {
        rows.next(row)?;
        likeness.borrow_mut().add_source(row);
        Ok(())
    };
    let told = Told { progress, of: to.height };
    let written = upscale.rows(&mut next, &told, |made_rows| {
        let large = Size { width: size.width * times, height: size.height * times };
        let mut pieces = Pieces { rows: made_rows, likeness: &likeness, width: large.width, channels };
        let first = pieces.next()?.ok_or_else(|| CraftError::Defect("a net made no rows".to_owned()))?;
        write(Feed::new(large, first, || pieces.next()).making(made).with_window(WINDOW_PIXELS))
    });
    written.map_err(|error| match error {
        CraftError::LooksWrong(why) => {
            CraftError::NotByNet(format!("what it makes does not look like its source ({why})"))
        }
        error => error,
    })
}

/// Returns about how many bytes a net takes for a picture: some rows of each layer, and the first rows of its result.
pub(super) fn work_bytes(from: Size) -> u64 {
    const COLUMN_BYTES: u64 = 32 << 10;
    const DEEP_PIXEL_BYTES: u64 = 6;
    u64::from(from.width) * COLUMN_BYTES + WINDOW_PIXELS as u64 * DEEP_PIXEL_BYTES
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

/// Returns how many times as large a net makes a picture.
fn scale(from: Size, to: Size) -> Scale {
    let is = |times: u32| (from.width * times, from.height * times) == (to.width, to.height);
    match () {
        () if is(2) => Scale::Two,
        () if is(3) => Scale::Three,
        () => Scale::Four,
    }
}

/// The rows of a result, some at once, compared with those of their source.
struct Pieces<'a, 'b> {
    rows: &'a mut UpscaledRows<'b>,
    likeness: &'a RefCell<Likeness>,
    width: u32,
    channels: usize,
}

impl Pieces<'_, '_> {
    fn next(&mut self) -> Result<Option<DynamicImage>, CraftError> {
        let row_samples = self.width as usize * self.channels;
        let most = (PIECE_PIXELS / self.width as usize).max(1);
        let mut samples = Vec::with_capacity(row_samples * most);
        for _ in 0..most {
            let Some(row) = self.rows.next_row()? else { break };
            self.likeness.borrow_mut().add_result(row)?;
            samples.extend(row.iter().map(|value| deep(*value)));
        }
        let rows = u32::try_from(samples.len() / row_samples).expect("some rows");
        if rows == 0 {
            return Ok(None);
        }
        let size = (self.width, rows);
        let image = if self.channels == 1 {
            ImageBuffer::from_raw(size.0, size.1, samples).map(DynamicImage::ImageLuma16)
        } else {
            ImageBuffer::from_raw(size.0, size.1, samples).map(DynamicImage::ImageRgb16)
        };
        Ok(image)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is clamped to the range of a sample")]
fn deep(value: f32) -> u16 {
    (value.clamp(0.0, WHITE) * DEEP).round_ties_even() as u16
}

#[cfg(test)]
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
        ];
        for (number, image) in kinds.iter().enumerate() {
            for (width, height) in [(24, 18), (36, 27), (48, 36), (30, 23), (72, 54)] {
                let to = Size { width, height };
                let [one, two] = [1, 2].map(|threads| by_net(image, to, 50, threads).unwrap());
                assert_eq!(
                    (one.color(), one.width(), one.height()),
                    (image.color(), width, height),
                    "{number} to {to}"
                );
                assert!(one == two, "{number} to {to}");
                let back = one.resize_exact(12, 9, image::imageops::FilterType::Triangle).to_rgb8();
                let off = |(a, b): (&u8, &u8)| u32::from(a.abs_diff(*b));
                let off: u32 = back.iter().zip(image.to_rgb8().iter()).map(off).sum();
                assert!(off / (12 * 9 * 3) < 8, "{number} to {to}: {off}");
            }
        }
    }

    /// The net knows no such pictures, and paints blots.
    #[test]
    fn a_result_that_is_no_picture_of_its_source_is_refused() {
        let image = RgbImage::from_fn(24, 24, |x, y| image::Rgb([if (x + y) % 2 == 0 { 0 } else { 255 }; 3])).into();
        let made = by_net(&image, Size { width: 48, height: 48 }, 50, 1);
        assert!(matches!(made, Err(CraftError::NotByNet(_))), "{made:?}");
    }
}
