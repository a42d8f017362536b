use image::DynamicImage;
use image::metadata::Orientation;

use super::decode::{checked, decoded, is_upright, jpeg_picture, jpeg_pixels};
use super::jpeg_in::{JpegRows, is_in_one_scan};
use super::picture::Told;
use super::png_in::PngRows;
use super::stored::Coded;
use super::{CraftError, Limits, Picture, jpeg, srgb_profile};
use crate::model::{Kind, Size};

/// How many pixels are read at once, about: what they take is still in the cache when it is used, and is given again by
/// the allocator without asking the system.
const PIECE_PIXELS: u32 = 1 << 15;
/// Where a PNG says whether its rows come in another order than they lie.
const INTERLACE_AT: usize = 28;
/// How many of a picture with a profile: what converts its colours is made anew for each piece.
pub(super) const PROFILED_PIXELS: u32 = 1 << 21;

/// The source of a picture: read from its top to its bottom where it is coded like that, else as a whole.
pub(super) struct Source<'a> {
    size: Size,
    rows: Rows<'a>,
    icc: Option<Vec<u8>>,
    /// What a person is told of how it is decoded.
    remark: Option<String>,
}

enum Rows<'a> {
    Png(PngRows<'a>),
    Jpeg(JpegRows<'a>),
    /// All of them, until they are taken.
    Whole(Option<DynamicImage>),
}

impl<'a> Source<'a> {
    /// Begins to read a still picture. One that is animated or beyond the limits is refused, and one that is cut off or
    /// damaged here or where it is.
    pub(super) fn open(coded: Coded<'a>, kind: Kind, limits: &Limits) -> Result<Self, CraftError> {
        let bytes = coded.bytes;
        let orientation = checked(bytes, kind, limits)?;
        if orientation == Orientation::NoTransforms {
            match kind {
                Kind::Png if bytes.get(INTERLACE_AT) == Some(&0) => {
                    let mut rows = PngRows::new(coded, limits)?;
                    let (size, icc) = (rows.size, rows.icc.take());
                    return Ok(Self { size, rows: Rows::Png(rows), icc, remark: None });
                }
                Kind::Jpeg => {
                    if let Some(rows) = JpegRows::new(bytes)? {
                        let (width, height) = rows.size();
                        let (size, icc) = (Size { width, height }, jpeg::profile(bytes));
                        return Ok(Self { size, rows: Rows::Jpeg(rows), icc, remark: None });
                    }
                }
                _ => (),
            }
        }
        Ok(Self::whole(decoded(coded, kind, limits, orientation)?))
    }

    /// A picture that is there as a whole.
    pub(super) fn whole((picture, remark): Told) -> Self {
        Self { size: picture.size(), rows: Rows::Whole(Some(picture.image)), icc: picture.icc, remark }
    }

    /// Returns what a person is told of how it is decoded.
    pub(super) fn remark(&mut self) -> Option<String> {
        self.remark.take()
    }

    pub(super) fn size(&self) -> Size {
        self.size
    }

    /// Returns its next rows with its profile; none behind the last one.
    pub(super) fn next(&mut self) -> Result<Option<Picture>, CraftError> {
        let is_srgb = self.icc.as_deref().is_none_or(|icc| icc == srgb_profile());
        let pixels = if is_srgb { PIECE_PIXELS } else { PROFILED_PIXELS };
        self.next_rows((pixels / self.size.width).max(1))
    }

    /// Returns so many of them, or fewer before the end; all of a picture that is there as a whole.
    fn next_rows(&mut self, rows: u32) -> Result<Option<Picture>, CraftError> {
        let image = match &mut self.rows {
            Rows::Png(png) => png.next(rows)?,
            Rows::Whole(image) => image.take(),
            Rows::Jpeg(jpeg) => {
                let Some((rows, pixels)) = jpeg_pixels(jpeg, rows)? else { return Ok(None) };
                return jpeg_picture((self.size.width, rows), jpeg.channels(), pixels, self.icc.clone()).map(Some);
            }
        };
        Ok(image.map(|image| Picture { image, icc: self.icc.clone() }))
    }
}

/// Returns whether a picture's rows come one after another, by its header alone: any other one is decoded as a whole.
pub fn comes_in_rows(bytes: &[u8], kind: Kind) -> bool {
    let is_in_order = match kind {
        Kind::Png => bytes.get(INTERLACE_AT) == Some(&0),
        Kind::Jpeg => is_in_one_scan(bytes),
        _ => false,
    };
    is_in_order && is_upright(bytes, kind)
}

/// Checks that a picture is complete and sound.
pub fn check_picture<'a>(coded: impl Into<Coded<'a>>, kind: Kind, limits: &Limits) -> Result<(), CraftError> {
    let mut source = Source::open(coded.into(), kind, limits)?;
    while source.next()?.is_some() {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::craft::{decode, encode, testing};
    use crate::model::Format;

    fn pieces(bytes: &[u8], kind: Kind, rows: u32) -> Result<Vec<Picture>, CraftError> {
        let mut source = Source::open(bytes.into(), kind, &Limits::default())?;
        let size = source.size();
        let mut pieces = Vec::new();
        while let Some(piece) = source.next_rows(rows)? {
            assert_eq!(piece.image.width(), size.width);
            pieces.push(piece);
        }
        assert_eq!(pieces.iter().map(|piece| piece.image.height()).sum::<u32>(), size.height);
        Ok(pieces)
    }

    /// Returns a PNG as a person's program may write it: with a palette, or with few bits.
    fn rare_png(color: png::ColorType, depth: png::BitDepth, has_clear_color: bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 16, 11);
        encoder.set_color(color);
        encoder.set_depth(depth);
        if color == png::ColorType::Indexed {
            encoder.set_palette((0..48).map(|n| n * 5).collect::<Vec<u8>>());
        }
        if has_clear_color {
            encoder.set_trns(if color == png::ColorType::Indexed { vec![0, 90, 255] } else { vec![0, 1] });
        }
        let row_bytes = 16 * depth as usize * color.samples() / 8;
        let data: Vec<u8> = (0..row_bytes * 11).map(|n| u8::try_from(n * 37 % 251).unwrap()).collect();
        encoder.write_header().unwrap().write_image_data(&data).unwrap();
        bytes
    }

    fn sources() -> Vec<(Kind, Vec<u8>)> {
        let image = testing::gradient(37, 29).image;
        let images: [DynamicImage; 8] = [
            image.to_luma8().into(),
            image.to_luma_alpha8().into(),
            image.to_rgb8().into(),
            image.to_rgba8().into(),
            DynamicImage::ImageLuma16(image.to_luma16()),
            DynamicImage::ImageLumaA16(image.to_luma_alpha16()),
            DynamicImage::ImageRgb16(image.to_rgb16()),
            DynamicImage::ImageRgba16(image.to_rgba16()),
        ];
        let (mut sources, icc) = (Vec::new(), Some(crate::craft::srgb_profile().to_vec()));
        for image in images {
            let picture = Picture { image, icc: icc.clone() };
            sources.push((Kind::Png, encode(&picture, Format::Png, 90).unwrap()));
            sources.push((Kind::Jpeg, encode(&picture, Format::Jpeg, 80).unwrap()));
        }
        use png::{BitDepth, ColorType};
        for (color, depth) in [
            (ColorType::Indexed, BitDepth::Four),
            (ColorType::Indexed, BitDepth::Eight),
            (ColorType::Grayscale, BitDepth::One),
            (ColorType::Grayscale, BitDepth::Two),
            (ColorType::Grayscale, BitDepth::Sixteen),
        ] {
            sources.extend([false, true].map(|is_clear| (Kind::Png, rare_png(color, depth, is_clear))));
        }
        use jpeg_encoder::ColorType as Inks;
        for (color, channels) in [(Inks::Luma, 1), (Inks::Cmyk, 4), (Inks::CmykAsYcck, 4)] {
            let pixels: Vec<u8> = image.to_rgba8().as_raw().iter().take(37 * 29 * channels).copied().collect();
            let mut bytes = Vec::new();
            jpeg_encoder::Encoder::new(&mut bytes, 90).encode(&pixels, 37, 29, color).unwrap();
            sources.push((Kind::Jpeg, bytes));
        }
        sources
    }

    #[test]
    fn rows_are_those_of_the_whole_picture() {
        for (number, (kind, bytes)) in sources().into_iter().enumerate() {
            let whole = decode(&bytes, kind, &Limits::default()).unwrap();
            // The general decoder is another reader of the same rows.
            if kind == Kind::Png {
                let other = image::load_from_memory_with_format(&bytes, image::ImageFormat::Png).unwrap();
                assert_eq!(whole.image, other, "{number}");
            }
            assert!(comes_in_rows(&bytes, kind), "{number}");
            for rows in [1, 7, 29, 500] {
                let pieces = pieces(&bytes, kind, rows).unwrap();
                assert_eq!(pieces.len(), (whole.image.height().div_ceil(rows)) as usize, "{number}");
                assert!(pieces.iter().all(|piece| piece.icc == whole.icc), "{number}");
                assert!(pieces.iter().all(|piece| piece.image.color() == whole.image.color()), "{number}");
                let joined: Vec<u8> = pieces.iter().flat_map(|piece| piece.image.as_bytes().to_vec()).collect();
                assert!(joined == whole.image.as_bytes(), "{number} by {rows}");
            }
        }
    }

    /// Whatever reads it row by row finds the same as what reads it whole: damage, and no damage.
    #[test]
    fn damage_is_found_by_rows_as_in_the_whole() {
        for (number, (kind, bytes)) in sources().into_iter().enumerate() {
            for at in (0..bytes.len()).step_by(bytes.len() / 40 + 1) {
                let (cut, mut changed) = (bytes[..at].to_vec(), bytes.clone());
                changed[at] ^= 0x55;
                for (what, bytes) in [("cut", cut), ("changed", changed)] {
                    let whole = decode(&bytes, kind, &Limits::default()).map(drop);
                    let rows = pieces(&bytes, kind, 5).map(drop);
                    assert_eq!(rows, whole, "{number} {what} at {at}");
                    assert_eq!(check_picture(&bytes, kind, &Limits::default()), whole, "{number} {what} at {at}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_stored_in_rows_comes_as_a_whole() {
        let picture = testing::gradient(40, 30);
        let mut progressive = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut progressive, 90);
        encoder.set_progressive(true);
        encoder.encode(picture.image.as_bytes(), 40, 30, jpeg_encoder::ColorType::Rgb).unwrap();
        let mut bmp = Cursor::new(Vec::new());
        picture.image.write_to(&mut bmp, image::ImageFormat::Bmp).unwrap();
        let tiff = encode(&picture, Format::Tiff, 90).unwrap();
        for (kind, bytes) in [(Kind::Jpeg, progressive), (Kind::Bmp, bmp.into_inner()), (Kind::Tiff, tiff)] {
            let pieces = pieces(&bytes, kind, 3).unwrap();
            assert_eq!((pieces.len(), comes_in_rows(&bytes, kind)), (1, false), "{kind}");
            assert_eq!(pieces[0].image, decode(&bytes, kind, &Limits::default()).unwrap().image);
        }
        // Its rows are given one after another, but not before all scans are read.
        let mut scans = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut scans, 90);
        encoder.set_optimized_huffman_tables(true);
        encoder.encode(picture.image.as_bytes(), 40, 30, jpeg_encoder::ColorType::Rgb).unwrap();
        assert!(!comes_in_rows(&scans, Kind::Jpeg));
    }
}
