//! How much a neural net is to restore in a picture, by a look at the picture and at how it was stored.
//!
//! Edges tell how a picture was made: what was reduced well overshoots a little beside an edge, what was reduced by areas
//! or drawn has hard edges, and what was enlarged or blurred before has soft ones. A grid of 8 pixels tells of blocks. The
//! numbers were fitted to 30 photographs that were reduced in six ways, so that the result comes near to the original.

mod edges;
mod grid;

use image::DynamicImage;

use self::edges::Edges;
use self::grid::Grid;
use super::jpeg_quality::{Quality, quality};
use super::source::Source;
use super::stored::Coded;
use super::{CraftError, Limits, Progress, webp};
use crate::model::{Dial, Kind, Render, Restore, Size, Took, Upscaler};

/// The least that is restored: it is hardly seen in a clean picture, and noise gains no sharpness.
const CLEAN: f32 = 30.0;
/// A reason that asks for less is not told.
const TOLD_FROM: f32 = 40.0;
/// What is restored where edges tell nothing.
const USUAL: f32 = 50.0;
/// What a lossy WebP needs: little depends on its quality.
const WEBP: f32 = 55.0;
/// Fewer edges tell nothing.
const EDGES_MIN: u32 = 64;
/// Between these shares of even colour a picture comes to be drawn or flat.
const EVEN_FROM: f32 = 0.4;
const EVEN_TO: f32 = 0.6;
/// The largest value of 16 bits, as a part of that of 8.
const DEEP: f32 = 257.0;
/// A pixel that is less opaque is not seen.
const SEEN_FROM: f32 = 0.5;

/// How much is restored in a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Suited {
    /// 0 to 100.
    restore: u8,
    /// Why, as a part of a sentence.
    why: String,
}

/// Returns what enlarges a picture, and why, if that is left to what suits it.
pub(super) fn chosen(
    coded: Coded<'_>,
    kind: Kind,
    render: &Render,
    limits: &Limits,
    progress: &dyn Progress,
) -> Result<Option<(Upscaler, String)>, CraftError> {
    let (dial, took) = match &render.by {
        Upscaler::Neural(dial) => (*dial, None),
        Upscaler::Auto { dial, took: None } => (*dial, Some(Took::Neural)),
        _ => return Ok(None),
    };
    let Some(to) = render.size else { return Ok(None) };
    if took.is_none() && dial.asked != Restore::Auto {
        return Ok(None);
    }
    let by = |dial| took.map_or(Upscaler::Neural(dial), |took| Upscaler::Auto { dial, took: Some(took) });
    let why_not = match () {
        () if took.is_none() => None,
        () if cfg!(not(feature = "embedded-net")) => Some("since this stockmill was built without the neural net"),
        () if !Upscaler::suits_net(super::size(coded.bytes, kind)?, to) => Some(Upscaler::TOO_LITTLE),
        () => None,
    };
    if let Some(why) = why_not {
        return Ok(Some((Upscaler::Auto { dial, took: Some(Took::Lanczos) }, format!("made by lanczos, {why}"))));
    }
    if let Restore::Fixed(restore) = dial.asked {
        return Ok(Some((by(dial), format!("enlarged by the neural net, which restores {restore} as it is told to"))));
    }
    let Suited { restore, why } = suited(coded, kind, limits, progress)?;
    let told = format!("enlarged by the neural net, which restores {restore}, since {why}");
    Ok(Some((by(Dial { found: Some(restore), ..dial }), told)))
}

/// Looks at a picture and says how much is to be restored in it.
fn suited(coded: Coded<'_>, kind: Kind, limits: &Limits, progress: &dyn Progress) -> Result<Suited, CraftError> {
    let bytes = coded.bytes;
    let mut source = Source::open(coded, kind, limits)?;
    let mut look = Look::new(source.size());
    while let Some(rows) = source.next()? {
        look.add(&rows.image);
        // Nothing is made yet; but the work on it may be told to stop.
        progress.rows(0, source.size().height)?;
    }
    Ok(look.suited(stored(bytes, kind)))
}

/// How a picture was stored, if that lost something.
fn stored(bytes: &[u8], kind: Kind) -> Option<(f32, String)> {
    match kind {
        Kind::Jpeg => Some(match quality(bytes) {
            Some(Quality { value, is_exact }) => {
                (by_quality(value), format!("it is a JPEG of {}quality {value}", if is_exact { "" } else { "about " }))
            }
            None => (USUAL, "it is a JPEG".to_owned()),
        }),
        Kind::Webp => {
            let is_lossy = webp::chunks(bytes).is_ok_and(|chunks| chunks.iter().any(|chunk| chunk.name == *b"VP8 "));
            is_lossy.then(|| (WEBP, "it is a lossy WebP".to_owned()))
        }
        _ => None,
    }
}

/// Returns what a JPEG of a quality needs: 50 at 95, and all at 80.
fn by_quality(quality: u8) -> f32 {
    let below = 95.0 - f32::from(quality);
    (USUAL + below * if below > 0.0 { 10.0 / 3.0 } else { 4.0 }).clamp(CLEAN, 100.0)
}

/// A look at the rows of a picture, one after another, by its brightness.
struct Look {
    width: usize,
    /// The last rows.
    rows: Vec<Vec<f32>>,
    edges: Edges,
    grid: Grid,
    even: Even,
}

/// How many pixels were seen, and how many are as those at their left and above them. Black and white do not count: they
/// may be where a camera saw no more.
#[derive(Default)]
struct Even {
    seen: u64,
    even: u64,
}

impl Look {
    fn new(size: Size) -> Self {
        let width = size.width as usize;
        Self { width, rows: Vec::new(), edges: Edges::default(), grid: Grid::default(), even: Even::default() }
    }

    /// Takes the next rows.
    fn add(&mut self, image: &DynamicImage) {
        let channels = usize::from(image.color().channel_count());
        match image {
            DynamicImage::ImageLuma16(image) => self.add_samples(image.as_raw(), channels, DEEP),
            DynamicImage::ImageLumaA16(image) => self.add_samples(image.as_raw(), channels, DEEP),
            DynamicImage::ImageRgb16(image) => self.add_samples(image.as_raw(), channels, DEEP),
            DynamicImage::ImageRgba16(image) => self.add_samples(image.as_raw(), channels, DEEP),
            _ => self.add_samples(image.as_bytes(), channels, 1.0),
        }
    }

    fn add_samples<T: Copy + Into<f32>>(&mut self, samples: &[T], channels: usize, scale: f32) {
        for row in samples.chunks_exact(self.width * channels) {
            if self.rows.len() == edges::REACH {
                self.rows.rotate_left(1);
                self.rows.pop();
            }
            self.rows.push(row.chunks_exact(channels).map(|pixel| brightness(pixel, scale)).collect());
            self.look_at_last();
        }
    }

    /// Looks at the last row, and at how it differs from those above it.
    fn look_at_last(&mut self) {
        let Some((row, above)) = self.rows.split_last() else { return };
        row.array_windows().for_each(|window| self.edges.add(window));
        if let Ok(rows) = <&[Vec<f32>; edges::REACH]>::try_from(&self.rows[..]) {
            (0..self.width).for_each(|x| self.edges.add(&std::array::from_fn(|y| rows[y][x])));
        }
        self.grid.add(row, above.last().map(Vec::as_slice));
        if let Some(above) = above.last() {
            self.even.add(row, above);
        }
    }

    /// Says how much is to be restored, knowing how it was stored: the most that one of the reasons asks for.
    fn suited(&self, stored: Option<(f32, String)>) -> Suited {
        let (soft, hard) = self.edges.soft_and_hard();
        let is_told = self.edges.count() >= EDGES_MIN;
        let of = |share: f32| CLEAN + (100.0 - CLEAN) * if is_told { share } else { 0.0 };
        let clean = if is_told { (CLEAN, "it is clean and sharp") } else { (USUAL, "it has few edges to judge it by") };
        // Of those that ask for as much, what is most certain comes first.
        let reasons = [
            (self.even.needs(), "it is drawn or flat"),
            (self.grid.needs(), "it shows a grid of 8 pixels, as a JPEG or the decoder of a generator leaves it"),
            (of(soft), "its edges are soft, as if it was enlarged or blurred before"),
            (of(hard), "its edges are hard, as if it was drawn, or reduced by areas"),
        ];
        let of_pixels = |(needs, why): (f32, &str)| (needs, why.to_owned());
        let reasons = stored.into_iter().chain(reasons.map(of_pixels));
        let (restore, why) = reasons.fold(of_pixels(clean), |most, next| match next.0 > most.0 {
            true if next.0 < TOLD_FROM => (next.0, most.1),
            true => next,
            false => most,
        });
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
        let restore = restore.round().clamp(0.0, 100.0) as u8;
        Suited { restore, why }
    }
}

impl Even {
    fn add(&mut self, row: &[f32], above: &[f32]) {
        for (pair, above) in row.array_windows::<2>().zip(&above[1..]) {
            if pair[1] > 0.0 && pair[1] < 255.0 {
                self.seen += 1;
                let same = pair[1].to_bits();
                self.even += u64::from(pair[0].to_bits() == same && above.to_bits() == same);
            }
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a share of pixels")]
    fn needs(&self) -> f32 {
        let share = self.even as f32 / self.seen.max(1) as f32;
        100.0 * ((share - EVEN_FROM) / (EVEN_TO - EVEN_FROM)).clamp(0.0, 1.0)
    }
}

/// Returns how bright a pixel is, 0 to 255 whatever the depth; one that is not seen has no number.
fn brightness<T: Copy + Into<f32>>(pixel: &[T], scale: f32) -> f32 {
    let value = |sample: T| sample.into() / scale;
    let color = |red, green, blue| (77.0 * value(red) + 150.0 * value(green) + 29.0 * value(blue)) / 256.0;
    let seen = |brightness, alpha| if value(alpha) < SEEN_FROM * 255.0 { f32::NAN } else { brightness };
    match *pixel {
        [grey] => value(grey),
        [grey, alpha] => seen(value(grey), alpha),
        [red, green, blue] => color(red, green, blue),
        [red, green, blue, alpha] => seen(color(red, green, blue), alpha),
        _ => f32::NAN,
    }
}

#[cfg(test)]
mod tests;
