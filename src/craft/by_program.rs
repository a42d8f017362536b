//! A picture that a program of a person's own has enlarged: its rows, compared with those of their source.

use std::io::Write;

use image::codecs::png::PngEncoder;
use image::{DynamicImage, ImageError};

use super::enlarge::CutOut;
use super::likeness::Likeness;
use super::source::Source;
use super::stored::Coded;
use super::stream::{Feed, FeedRows, unwritten};
use super::{CraftError, Limits, check_picture, on_one_line, size, sniff};
use crate::model::{Kind, Size};

/// The largest value of a sample, whatever its depth.
const WHITE: f32 = 255.0;
/// What it is in 16 bits.
const DEEP: f32 = 257.0;

/// Writes a picture that is transparent somewhere as PNG, its colours bled to where they are hidden.
pub(super) fn write_cut_out(source: Feed<'_>, out: &mut dyn Write) -> Result<(), CraftError> {
    let made = source.made();
    let image = CutOut::read(source, if made.has_color() { 3 } else { 1 })?.into_image();
    let image = match (made.bytes_per_pixel() / made.channel_count(), made.has_color()) {
        (1, true) => image.to_rgba8().into(),
        (1, false) => image.to_luma_alpha8().into(),
        _ => image,
    };
    image.write_with_encoder(PngEncoder::new(out)).map_err(|error| match error {
        ImageError::IoError(error) => unwritten(&error),
        error => CraftError::Unwritable(on_one_line(&error)),
    })
}

/// What a program made of a picture.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    coded: Coded<'a>,
    kind: Kind,
    times: u8,
}

impl<'a> Given<'a> {
    /// Takes what a program made of a picture of the size `from`, which was to become so many times as large: it must be
    /// a picture of that size that is whole and sound.
    pub fn new(coded: Coded<'a>, from: Size, times: u8, limits: &Limits) -> Result<Self, CraftError> {
        let wanted = Size { width: from.width * u32::from(times), height: from.height * u32::from(times) };
        let kind = sniff(coded.bytes, "").filter(|kind| kind.is_image());
        let kind = kind.ok_or_else(|| no_picture(&"it is no picture that stockmill knows"))?;
        let found = size(coded.bytes, kind).map_err(|error| no_picture(&error))?;
        if found != wanted {
            return Err(no_picture(&format!("it has {found} pixels instead of {wanted}")));
        }
        check_picture(coded, kind, limits).map_err(|error| no_picture(&error))?;
        Ok(Self { coded, kind, times })
    }

    /// Returns its rows with as many channels as its source has, whose rows they are compared with on their way: what
    /// does not look like its source is refused.
    pub(super) fn feed(self, source: Feed<'a>, limits: &Limits) -> Result<Feed<'a>, CraftError> {
        let (from, made) = (source.size(), source.made());
        let mut given = Source::open(self.coded, self.kind, limits)?;
        let size = given.size();
        let mut compared = Compared::new(source, usize::from(self.times));
        let mut next = move || {
            let Some(rows) = given.next()? else { return Ok(None) };
            let rows = compared.in_kind(&rows.image)?;
            compared.compare(&rows)?;
            Ok(Some(rows))
        };
        let first = next()?.ok_or_else(|| CraftError::Damaged(format!("what was made of its {from} has no rows")))?;
        Ok(Feed::new(size, first, next).making(made))
    }
}

fn no_picture(what: &impl std::fmt::Display) -> CraftError {
    CraftError::NotGiven(what.to_string())
}

/// The rows that were given, compared with those of their source.
struct Compared<'a> {
    source: FeedRows<'a>,
    /// How many rows of the source were read, and how many it has.
    read: usize,
    height: usize,
    /// How many rows were compared with them.
    at: usize,
    times: usize,
    channels: usize,
    has_color: bool,
    has_alpha: bool,
    likeness: Likeness,
    row: Vec<f32>,
}

impl<'a> Compared<'a> {
    fn new(source: Feed<'a>, times: usize) -> Self {
        let (size, made) = (source.size(), source.made());
        let channels = usize::from(made.channel_count());
        Self {
            source: source.into_rows(),
            read: 0,
            height: size.height as usize,
            at: 0,
            times,
            channels,
            has_color: made.has_color(),
            has_alpha: made.has_alpha(),
            likeness: Likeness::new(size, channels, times),
            row: vec![0.0; size.width as usize * channels],
        }
    }

    /// Returns some rows with the channels of the source, in 16 bits: nothing is lost on their way to another size.
    fn in_kind(&self, rows: &DynamicImage) -> Result<DynamicImage, CraftError> {
        let is_cut_out = !self.has_alpha && rows.color().has_alpha();
        if is_cut_out && rows.to_luma_alpha16().pixels().any(|pixel| pixel.0[1] < u16::MAX) {
            return Err(CraftError::LooksWrong("it is transparent in part, and its source is not".to_owned()));
        }
        Ok(match (self.has_color, self.has_alpha) {
            (false, false) => DynamicImage::ImageLuma16(rows.to_luma16()),
            (false, true) => DynamicImage::ImageLumaA16(rows.to_luma_alpha16()),
            (true, false) => DynamicImage::ImageRgb16(rows.to_rgb16()),
            (true, true) => DynamicImage::ImageRgba16(rows.to_rgba16()),
        })
    }

    /// Compares some rows, once the rows of the source are read that they were made of.
    fn compare(&mut self, rows: &DynamicImage) -> Result<(), CraftError> {
        let samples = deep_samples(rows);
        let mut result = vec![0.0; rows.width() as usize * self.channels];
        for row in samples.chunks_exact(result.len()) {
            self.at += 1;
            while self.read < self.at.div_ceil(self.times).min(self.height) {
                self.source.next(&mut self.row)?;
                self.read += 1;
                hide(&mut self.row, self.channels, self.has_alpha);
                self.likeness.add_source(&self.row);
            }
            result.iter_mut().zip(row).for_each(|(to, value)| *to = f32::from(*value) / DEEP);
            hide(&mut result, self.channels, self.has_alpha);
            self.likeness.add_result(&result)?;
        }
        Ok(())
    }
}

/// Takes away of a row what its opacity hides: no two programs agree on colours that nobody sees.
fn hide(row: &mut [f32], channels: usize, has_alpha: bool) {
    if has_alpha {
        for pixel in row.chunks_exact_mut(channels) {
            let (alpha, colors) = pixel.split_last_mut().expect("it has a channel of opacity");
            colors.iter_mut().for_each(|color| *color *= *alpha / WHITE);
        }
    }
}

/// Returns the samples of rows in 16 bits.
fn deep_samples(rows: &DynamicImage) -> &[u16] {
    match rows {
        DynamicImage::ImageLuma16(rows) => rows.as_raw(),
        DynamicImage::ImageLumaA16(rows) => rows.as_raw(),
        DynamicImage::ImageRgb16(rows) => rows.as_raw(),
        DynamicImage::ImageRgba16(rows) => rows.as_raw(),
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use image::imageops::FilterType;

    use super::*;
    use crate::craft::{Picture, Untold, decode, encode, render_given, testing, write_for_program};
    use crate::model::{Enhance, Format, Output, Render, Upscaler};

    fn render(to: Size) -> Render {
        Render {
            size: Some(to),
            by: Upscaler::Lanczos,
            enhance: Enhance::default(),
            output: Output::Master,
            threads: 1,
        }
    }

    fn png(image: &DynamicImage) -> Vec<u8> {
        encode(&Picture { image: image.clone(), icc: None }, Format::Png, 100).unwrap()
    }

    /// Returns what is made of a picture that a program makes twice as large.
    fn made(source: &DynamicImage, given: &[u8], to: Size) -> Result<DynamicImage, CraftError> {
        let (bytes, limits) = (png(source), Limits::default());
        let from = Size { width: source.width(), height: source.height() };
        let given = Given::new(given.into(), from, 2, &limits)?;
        let mut out = Vec::new();
        render_given(((&bytes).into(), Kind::Png), given, &render(to), &limits, &Untold, &mut out)?;
        Ok(decode(&out, Kind::Png, &limits)?.image)
    }

    fn doubled(image: &DynamicImage) -> DynamicImage {
        image.resize_exact(image.width() * 2, image.height() * 2, FilterType::Triangle)
    }

    /// Returns a picture that is transparent where it has this colour.
    fn cut_out(hidden: [u8; 3]) -> DynamicImage {
        let image = testing::gradient(40, 30).image.to_rgba8();
        DynamicImage::from(image::RgbaImage::from_fn(40, 30, |x, y| match x {
            0..20 => image::Rgba([hidden[0], hidden[1], hidden[2], 0]),
            _ => *image.get_pixel(x, y),
        }))
    }

    /// Whatever channels and depth a program writes: what is made of it is of the kind of the source, in the size wanted.
    #[test]
    fn a_result_becomes_a_picture_of_the_kind_of_its_source() {
        let image = testing::gradient(40, 30).image;
        let sources = [
            image.clone(),
            image.to_luma8().into(),
            image.to_luma_alpha8().into(),
            image.to_rgba8().into(),
            DynamicImage::ImageRgb16(image.to_rgb16()),
            cut_out([0, 255, 0]),
        ];
        for (number, source) in sources.iter().enumerate() {
            let given = doubled(source);
            let mut written =
                vec![given.clone(), given.to_rgba8().into(), DynamicImage::ImageRgba16(given.to_rgba16())];
            if !source.color().has_alpha() {
                written.push(given.to_rgb8().into());
            }
            for given in &written {
                for (width, height) in [(80, 60), (70, 53), (120, 90)] {
                    let made = made(source, &png(given), Size { width, height }).unwrap();
                    let found = (made.color(), made.width(), made.height());
                    assert_eq!(found, (source.color(), width, height), "{number} as {:?}", given.color());
                }
            }
        }
    }

    #[test]
    fn what_is_given_comes_out_as_it_is() {
        let source = testing::gradient(40, 30).image;
        let given = doubled(&source);
        assert!(made(&source, &png(&given), Size { width: 80, height: 60 }).unwrap() == given);
        // What nobody sees may be any colour, in the source and in what is made of it.
        let given = doubled(&cut_out([0, 0, 0]));
        assert!(made(&cut_out([0, 255, 0]), &png(&given), Size { width: 80, height: 60 }).unwrap() == given);
    }

    #[test]
    fn what_is_no_picture_of_its_source_is_refused() {
        let source = testing::gradient(40, 30).image;
        let given = doubled(&source);
        let whole = png(&given);
        let mut dark = given.to_rgb8();
        dark.pixels_mut().for_each(|pixel| *pixel = image::Rgb([0; 3]));
        let mut half = given.to_rgb8();
        half.enumerate_pixels_mut().filter(|(_, y, _)| *y >= 30).for_each(|(_, _, pixel)| *pixel = image::Rgb([0; 3]));
        let mut holes = given.to_rgba8();
        holes.pixels_mut().take(80).for_each(|pixel| pixel.0[3] = 0);
        let mut noisy = whole.clone();
        let at = noisy.len() / 2;
        noisy[at] ^= 0x55;
        let rows: [(&str, Vec<u8>, &str); 10] = [
            ("nothing", Vec::new(), "it is no picture that stockmill knows"),
            ("text", b"done".to_vec(), "it is no picture that stockmill knows"),
            ("its source", png(&source), "it has 40x30 pixels instead of 80x60"),
            ("half of a file", whole[..whole.len() / 2].to_vec(), "it is cut off"),
            ("a file without its end", whole[..whole.len() - 12].to_vec(), "it is cut off"),
            ("a damaged file", noisy, "it is damaged"),
            ("all black", png(&dark.into()), "what it makes does not look like its source (a part of it differs by"),
            ("black below", png(&half.into()), "what it makes does not look like its source (a part of it differs by"),
            ("turned", png(&given.rotate180()), "what it makes does not look like its source (a part of it differs by"),
            ("with holes", png(&holes.into()), "(it is transparent in part, and its source is not)"),
        ];
        for (what, given, why) in rows {
            let found = made(&source, &given, Size { width: 80, height: 60 }).unwrap_err();
            // What does not look like its source is made in another way; what is no picture may be one another time.
            let is_of_looks = matches!(found, CraftError::NotByProgram(_));
            assert_eq!(is_of_looks, why.contains("look like") || why.contains("transparent"), "{what}: {found}");
            assert!(found.to_string().contains(why), "{what}: {found}");
        }
        // Opacity that a program drops.
        let opaque = png(&doubled(&cut_out([0; 3])).to_rgb8().into());
        let found = made(&cut_out([0; 3]), &opaque, Size { width: 80, height: 60 });
        assert!(matches!(found, Err(CraftError::NotByProgram(_))), "{found:?}");
    }

    /// It gets what the decoder sees, without a profile; what is transparent has the colour of what is beside it.
    #[test]
    fn a_program_gets_the_pixels_and_nothing_else() {
        let (limits, to) = (Limits::default(), Size { width: 80, height: 60 });
        let written = |image: &DynamicImage| {
            let source = Picture { image: image.clone(), icc: Some(crate::craft::srgb_profile().to_vec()) };
            let (bytes, mut out) = (encode(&source, Format::Png, 100).unwrap(), Vec::new());
            let from =
                write_for_program(((&bytes).into(), Kind::Png), &render(to), &limits, &Untold, &mut out).unwrap();
            let read = decode(&out, Kind::Png, &limits).unwrap();
            assert_eq!((from.width, from.height, read.icc), (40, 30, None));
            read.image
        };
        let image = testing::gradient(40, 30).image;
        let kinds = [
            image.clone(),
            image.to_luma8().into(),
            image.to_luma_alpha8().into(),
            DynamicImage::ImageRgb16(image.to_rgb16()),
            DynamicImage::ImageRgba16(image.to_rgba16()),
        ];
        for (number, image) in kinds.iter().enumerate() {
            assert!(written(image) == *image, "{number}");
        }
        let (given, source) = (written(&cut_out([0, 255, 0])).to_rgba8(), cut_out([0, 255, 0]).to_rgba8());
        for (x, y, pixel) in given.enumerate_pixels() {
            let beside = source.get_pixel(x.max(20), y);
            let is_alike = pixel.0[..3].iter().zip(&beside.0).all(|(a, b)| a.abs_diff(*b) < 60);
            let is_hidden = x < 20 && pixel.0[..3] == [0, 255, 0];
            assert_eq!(pixel[3], source.get_pixel(x, y)[3]);
            assert!(!is_hidden && (is_alike || x < 18), "{x} {y}: {pixel:?} {beside:?}");
        }
    }
}
