//! The rows of a source as they are needed: those that are at hand are a window on it, which moves down.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use image::{ColorType, DynamicImage};

use crate::craft::CraftError;
use crate::model::Size;

/// How many pixels are read before the first band is made, to fit codes to them: those of most pictures are fewer.
pub(super) const WINDOW_PIXELS: usize = 4096 * 4096;
/// The bytes of the source that a band is made of, about: some bands are at hand at once.
pub(super) const BAND_BYTES: usize = 8 << 20;

/// Rows of the source, one below another.
struct Piece {
    rows: Range<usize>,
    pixels: DynamicImage,
}

/// Gives the next rows of a picture, each time as wide and of the same kind; `None` behind the last one.
type Next<'a> = Box<dyn FnMut() -> Result<Option<DynamicImage>, CraftError> + 'a>;

/// A picture whose rows come one after another.
pub(in crate::craft) struct Feed<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) color: ColorType,
    /// Of what kind the pixels of the result are: as many channels, and perhaps fewer bits.
    pub(super) made: ColorType,
    next: Next<'a>,
    pieces: VecDeque<Arc<Piece>>,
    window_pixels: usize,
    band_bytes: usize,
}

impl<'a> Feed<'a> {
    /// Begins a picture with its first rows.
    pub(in crate::craft) fn new(
        size: Size,
        first: DynamicImage,
        next: impl FnMut() -> Result<Option<DynamicImage>, CraftError> + 'a,
    ) -> Self {
        let (width, height) = (size.width as usize, size.height as usize);
        let (color, next) = (first.color(), Box::new(next));
        let first = Piece { rows: 0..first.height() as usize, pixels: first };
        let pieces = [Arc::new(first)].into();
        Self { width, height, color, made: color, next, pieces, window_pixels: WINDOW_PIXELS, band_bytes: BAND_BYTES }
    }

    /// A picture that is there as a whole.
    pub(in crate::craft) fn of(image: DynamicImage) -> Self {
        let size = Size { width: image.width(), height: image.height() };
        Self::new(size, image, || Ok(None))
    }

    /// Has so many pixels at hand before the first of the result is made.
    pub(in crate::craft) fn with_window(self, window_pixels: usize) -> Self {
        Self { window_pixels, ..self }
    }

    /// Has smaller windows than pictures have outside of tests.
    #[cfg(test)]
    pub(super) fn with_windows(self, window_pixels: usize, band_bytes: usize) -> Self {
        Self { window_pixels, band_bytes, ..self }
    }

    /// Returns how large it is.
    pub(in crate::craft) fn size(&self) -> Size {
        let edge = |length: usize| u32::try_from(length).expect("a picture's edge");
        Size { width: edge(self.width), height: edge(self.height) }
    }

    /// Has a result of another depth than its own.
    pub(in crate::craft) fn making(self, made: ColorType) -> Self {
        Self { made, ..self }
    }

    /// Returns of what kind the pixels of the result are.
    pub(in crate::craft) fn made(&self) -> ColorType {
        self.made
    }

    /// Returns the whole picture if it came as one.
    pub(in crate::craft) fn into_whole(mut self) -> Result<DynamicImage, Self> {
        let is_whole = self.pieces.len() == 1 && self.pieces[0].rows == (0..self.height) && self.made == self.color;
        let only = if is_whole { self.pieces.pop_front().and_then(Arc::into_inner) } else { None };
        only.map(|piece| piece.pixels).ok_or(self)
    }

    /// Returns how many rows are read before the first band is made. It depends on the size alone.
    pub(super) fn first_rows(&self) -> usize {
        (self.window_pixels / self.width).clamp(1, self.height)
    }

    /// Returns how many of `most` rows of a result, each made of so many rows of the source, are made in one band.
    pub(super) fn band(&self, source_rows: usize, most: usize) -> usize {
        let row_bytes = self.width * usize::from(self.color.bytes_per_pixel());
        (self.band_bytes / (row_bytes * source_rows.max(1))).clamp(1, most)
    }

    /// Returns some rows; those before them are kept.
    pub(super) fn rows(&mut self, rows: &Range<usize>) -> Result<View, CraftError> {
        loop {
            let read = self.pieces.back().map_or(0, |piece| piece.rows.end);
            if read >= rows.end {
                break;
            }
            let short = || CraftError::Damaged("it holds fewer rows than it says".to_owned());
            let pixels = (self.next)()?.ok_or_else(short)?;
            if pixels.color() != self.color || pixels.width() as usize != self.width {
                return Err(CraftError::Defect("rows of a picture differ in their kind".to_owned()));
            }
            self.pieces.push_back(Arc::new(Piece { rows: read..read + pixels.height() as usize, pixels }));
        }
        let is_of = |piece: &&Arc<Piece>| piece.rows.start < rows.end && piece.rows.end > rows.start;
        Ok(View { pieces: self.pieces.iter().filter(is_of).cloned().collect() })
    }

    /// Returns how many rows are at hand.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.pieces.iter().map(|piece| piece.rows.len()).sum()
    }

    /// Lets rows go that come before one. The last piece is kept: it says how far the source is read.
    pub(super) fn forget_before(&mut self, row: usize) {
        while self.pieces.len() > 1 && self.pieces[0].rows.end <= row {
            self.pieces.pop_front();
        }
    }
}

/// The rows of a picture one after another.
pub(in crate::craft) struct FeedRows<'a> {
    feed: Feed<'a>,
    at: usize,
}

impl<'a> Feed<'a> {
    /// Gives its rows one after another.
    pub(in crate::craft) fn into_rows(self) -> FeedRows<'a> {
        FeedRows { feed: self, at: 0 }
    }
}

impl FeedRows<'_> {
    /// Writes the next row, its channels side by side, from 0 to 255 whatever the depth.
    pub(in crate::craft) fn next(&mut self, to: &mut [f32]) -> Result<(), CraftError> {
        let rows = self.feed.rows(&(self.at..self.at + 1))?;
        match rows.row(self.at) {
            Samples::Bytes(row) => to.iter_mut().zip(row).for_each(|(to, value)| *to = f32::from(*value)),
            Samples::Deep(row) => to.iter_mut().zip(row).for_each(|(to, value)| *to = f32::from(*value) / 257.0),
        }
        self.at += 1;
        self.feed.forget_before(self.at);
        Ok(())
    }
}

/// Some rows of a source, which several threads may look at.
pub(super) struct View {
    pieces: Vec<Arc<Piece>>,
}

/// The samples of a row, those of a pixel one after another.
#[derive(Debug, Clone, Copy)]
pub(super) enum Samples<'a> {
    Bytes(&'a [u8]),
    Deep(&'a [u16]),
}

impl View {
    /// Returns a row, by its number in the picture.
    #[inline]
    pub(super) fn row(&self, y: usize) -> Samples<'_> {
        let at = self.pieces.partition_point(|piece| piece.rows.end <= y);
        let Piece { rows, pixels } = &*self.pieces[at];
        let length = pixels.width() as usize * usize::from(pixels.color().channel_count());
        let row = (y - rows.start) * length..(y - rows.start + 1) * length;
        match pixels {
            DynamicImage::ImageLuma16(pixels) => Samples::Deep(&pixels.as_raw()[row]),
            DynamicImage::ImageLumaA16(pixels) => Samples::Deep(&pixels.as_raw()[row]),
            DynamicImage::ImageRgb16(pixels) => Samples::Deep(&pixels.as_raw()[row]),
            DynamicImage::ImageRgba16(pixels) => Samples::Deep(&pixels.as_raw()[row]),
            bytes => Samples::Bytes(&bytes.as_bytes()[row]),
        }
    }
}
