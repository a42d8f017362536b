//! Rows of a picture as planes of numbers: each channel by itself, 0 to 255 whatever the depth.

use super::LANES;
use super::feed::{Feed, Samples};
use super::lanes::Lanes;
use crate::craft::CraftError;

/// What the planes of a picture hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    /// Its own channels; colours are multiplied by their opacity, where there is one.
    Own,
    /// Brightness and two differences of colour, as JFIF has them; the picture is red, green and blue.
    Jfif,
}

/// How the rows of a picture are given as planes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planes {
    pub(super) width: usize,
    pub(super) height: usize,
    /// How many channels it has, the opacity included.
    pub(super) channels: usize,
    has_alpha: bool,
    space: Space,
}

impl Planes {
    pub(super) fn of(source: &Feed<'_>, space: Space) -> Result<Self, CraftError> {
        let color = source.color;
        if color.bytes_per_pixel() / color.channel_count() > 2 {
            return Err(CraftError::Unsupported(format!("its pixels are of the kind {color:?}")));
        }
        let (channels, has_alpha) = (color.channel_count().into(), color.has_alpha());
        Ok(Self { width: source.width, height: source.height, channels, has_alpha, space })
    }

    /// Returns the length of a row of a plane: there is room for a whole number of lanes.
    pub(super) fn stride(&self) -> usize {
        self.width.next_multiple_of(LANES)
    }

    /// Writes the planes of a row, one behind another.
    #[inline(always)]
    pub(super) fn write_row<L: Lanes>(&self, row: Samples<'_>, planes: &mut [f32]) {
        match row {
            Samples::Bytes(row) if self.space == Space::Jfif => self.write_jfif::<L>(row, planes),
            Samples::Bytes(row) => self.write(row, |value| f32::from(*value), planes),
            Samples::Deep(row) => self.write(row, |value| f32::from(*value) / 257.0, planes),
        }
    }

    /// Writes brightness and differences of colour of a row of bytes, a whole number of lanes.
    #[inline(always)]
    fn write_jfif<L: Lanes>(&self, row: &[u8], planes: &mut [f32]) {
        let (y, colors) = planes.split_at_mut(self.stride());
        let (blue, red) = colors.split_at_mut(self.stride());
        let ((y, _), (blue, _), (red, _)) = (y.as_chunks_mut(), blue.as_chunks_mut(), red.as_chunks_mut());
        let by = |factor: f32, lanes: L| lanes.times(L::splat(factor));
        let (whole, rest) = row.as_chunks::<{ 3 * LANES }>();
        let mut last = [0; 3 * LANES];
        last[..rest.len()].copy_from_slice(rest);
        for n in 0..y.len() {
            let [r, g, b] = L::channels(whole.get(n).unwrap_or(&last));
            by(0.299, r).plus(by(0.587, g)).plus(by(0.114, b)).store(&mut y[n]);
            let middle = L::splat(128.0);
            middle.minus(by(0.168_735_9, r)).minus(by(0.331_264_1, g)).plus(by(0.5, b)).store(&mut blue[n]);
            middle.plus(by(0.5, r)).minus(by(0.418_687_6, g)).minus(by(0.081_312_4, b)).store(&mut red[n]);
        }
    }

    #[inline(always)]
    fn write<T>(&self, row: &[T], value: impl Fn(&T) -> f32, planes: &mut [f32]) {
        let stride = self.stride();
        if self.space == Space::Jfif {
            let (y, colors) = planes.split_at_mut(stride);
            let (blue, red) = colors.split_at_mut(stride);
            for (((pixel, y), blue), red) in row.chunks_exact(3).zip(y).zip(blue).zip(red) {
                let [r, g, b] = [value(&pixel[0]), value(&pixel[1]), value(&pixel[2])];
                *y = 0.299 * r + 0.587 * g + 0.114 * b;
                *blue = 128.0 - 0.168_735_9 * r - 0.331_264_1 * g + 0.5 * b;
                *red = 128.0 + 0.5 * r - 0.418_687_6 * g - 0.081_312_4 * b;
            }
            return;
        }
        for (channel, plane) in planes.chunks_exact_mut(stride).enumerate() {
            let own = row[channel..].iter().step_by(self.channels);
            plane.iter_mut().zip(own).for_each(|(slot, sample)| *slot = value(sample));
        }
        if self.has_alpha {
            let (colors, alpha) = planes.split_at_mut(stride * (self.channels - 1));
            for plane in colors.chunks_exact_mut(stride) {
                plane.iter_mut().zip(&*alpha).for_each(|(color, alpha)| *color *= alpha / 255.0);
            }
        }
    }
}
