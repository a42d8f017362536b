//! Reads a PNG row by row, or as a whole if its rows do not come in their order.

use image::{ColorType, DynamicImage};

use super::CraftError;
use super::picture::{EDGE_MAX, Limits, PROFILE_BYTES_MAX, SAVE_AGAIN, image_of};
use super::png_color;
use super::stored::{BufSeek, Coded};
use crate::model::Size;

/// A PNG whose rows are read one after another.
pub(super) struct PngRows<'a> {
    reader: png::Reader<Box<dyn BufSeek + 'a>>,
    pub(super) size: Size,
    color: ColorType,
    pub(super) icc: Option<Vec<u8>>,
    /// How many rows are read.
    read: u32,
}

impl<'a> PngRows<'a> {
    /// Reads what stands before the pixels.
    pub(super) fn new(coded: Coded<'a>, limits: &Limits) -> Result<Self, CraftError> {
        let memory = usize::try_from(limits.memory_bytes_max).unwrap_or(usize::MAX);
        let bytes = coded.bytes;
        let reader = coded.reader().map_err(|error| refused(error.into()))?;
        let mut decoder = png::Decoder::new_with_limits(reader, png::Limits { bytes: memory });
        // Palettes become colours, and fewer bits than eight become a byte.
        decoder.set_transformations(png::Transformations::EXPAND);
        let reader = decoder.read_info().map_err(refused)?;
        let (width, height) = reader.info().size();
        if width.max(height) > EDGE_MAX {
            return Err(CraftError::TooLarge(format!("{width} x {height} pixels; an edge has {EDGE_MAX} at most")));
        }
        let (kind, depth) = reader.output_color_type();
        let is_deep = depth == png::BitDepth::Sixteen;
        let color = match kind {
            png::ColorType::Grayscale => {
                if is_deep {
                    ColorType::L16
                } else {
                    ColorType::L8
                }
            }
            png::ColorType::GrayscaleAlpha => {
                if is_deep {
                    ColorType::La16
                } else {
                    ColorType::La8
                }
            }
            png::ColorType::Rgba => {
                if is_deep {
                    ColorType::Rgba16
                } else {
                    ColorType::Rgba8
                }
            }
            _ => {
                if is_deep {
                    ColorType::Rgb16
                } else {
                    ColorType::Rgb8
                }
            }
        };
        let icc = reader.info().icc_profile.as_ref().filter(|icc| icc.len() <= PROFILE_BYTES_MAX);
        let icc = png_color::profile(bytes, icc.map(|icc| icc.to_vec()), !color.has_color())?;
        Ok(Self { size: Size { width, height }, color, icc, read: 0, reader })
    }

    /// Returns whether it has greys alone.
    pub(super) fn is_grey(&self) -> bool {
        !self.color.has_color()
    }

    /// Returns the next rows, at most so many; none behind the last one.
    pub(super) fn next(&mut self, rows: u32) -> Result<Option<DynamicImage>, CraftError> {
        let rows = rows.min(self.size.height - self.read);
        if rows == 0 {
            return Ok(None);
        }
        let short = || CraftError::Truncated("it holds fewer rows than it says".to_owned());
        let row_bytes = self.size.width as usize * usize::from(self.color.bytes_per_pixel());
        let mut bytes = Vec::with_capacity(row_bytes * rows as usize);
        for _ in 0..rows {
            bytes.extend_from_slice(self.reader.next_row().map_err(refused)?.ok_or_else(short)?.data());
        }
        self.read += rows;
        if self.read == self.size.height {
            // What follows the last row must be sound too.
            self.reader.next_row().map_err(refused)?;
        }
        self.image(rows, bytes).map(Some)
    }

    /// Returns all rows.
    pub(super) fn whole(mut self) -> Result<DynamicImage, CraftError> {
        let Size { width, height } = self.size;
        let row_bytes = width as usize * usize::from(self.color.bytes_per_pixel());
        let mut bytes = vec![0; row_bytes * height as usize];
        self.reader.next_frame(&mut bytes).map_err(refused)?;
        self.image(height, bytes)
    }

    fn image(&self, rows: u32, bytes: Vec<u8>) -> Result<DynamicImage, CraftError> {
        let image = image_of(self.color, Size { width: self.size.width, height: rows }, bytes);
        image.ok_or_else(|| CraftError::Unsupported(format!("its pixels are of a rare kind; {SAVE_AGAIN}")))
    }
}

/// Returns what the decoder found wrong.
fn refused(error: png::DecodingError) -> CraftError {
    let text = super::on_one_line(&error);
    match error {
        png::DecodingError::LimitsExceeded => CraftError::TooLarge(text),
        png::DecodingError::IoError(io) if io.kind() == std::io::ErrorKind::UnexpectedEof => {
            CraftError::Truncated(text)
        }
        _ if text.contains("end of file") || text.contains("unexpected EOF") => CraftError::Truncated(text),
        // What the library says is not for people, and helps whoever looks into it.
        _ => CraftError::Damaged(format!("its content does not fit together ({text})")),
    }
}
