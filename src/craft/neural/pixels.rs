//! From numbers of a picture to those of a net, and back.

use super::net::{CHANNELS, Net, SCALE};
use super::plain::COLORS;
use super::rows::Pool;
use super::vector::Pixel;

/// How many times as wide and as high a picture becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Twice, as means of 2×2 pixels of four times.
    Two,
    /// Three times, as means of areas of four times.
    Three,
    /// Four times, as the net makes it.
    Four,
}

impl Scale {
    /// Returns it as a number.
    pub fn times(self) -> usize {
        match self {
            Self::Two => 2,
            Self::Three => 3,
            Self::Four => SCALE,
        }
    }

    /// Returns how much of each of four pixels in a row is in each of the result.
    fn shares(self) -> &'static [[f32; SCALE]] {
        match self {
            Self::Two => &[[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]],
            Self::Three => &[[0.75, 0.25, 0.0, 0.0], [0.0, 0.5, 0.5, 0.0], [0.0, 0.0, 0.25, 0.75]],
            Self::Four => &[[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]],
        }
    }
}

/// The largest value of a channel, whatever its depth.
const WHITE: f32 = 255.0;

/// Writes a row of pixels of one channel or three as the net takes it, with an empty place on each side.
pub(super) fn spread(net: &Net, row: &[f32], channels: usize, to: &mut [f32]) {
    let places = to[COLORS..].as_chunks_mut::<COLORS>().0;
    for (pixel, place) in row.chunks_exact(channels).zip(places) {
        for color in 0..COLORS {
            let value = pixel[if channels == 1 { 0 } else { color }];
            place[color] = (value / WHITE - net.mean[color]) * net.gain;
        }
    }
}

/// Returns how many numbers such a row has.
pub(super) fn spread_length(width: usize) -> usize {
    Pool::places(width) * COLORS
}

/// Writes the rows of the result that one row of the last layer holds: a pixel of it is 4×4 of the result, colour by
/// colour.
pub(super) fn gather(from: &[Pixel<CHANNELS>], scale: Scale, channels: usize, to: &mut [f32]) {
    let times = scale.times();
    let row = to.len() / times;
    for (x, pixel) in from.iter().enumerate().take(row / (times * channels)) {
        let mut squares = pixel.0.as_chunks::<{ SCALE * SCALE }>().0.iter();
        let colors: [[f32; SCALE * SCALE]; COLORS] =
            std::array::from_fn(|_| squares.next().expect("a colour has a square").map(|v| v.clamp(0.0, 1.0) * WHITE));
        let mut write = |channel: usize, square: &[f32; SCALE * SCALE]| {
            let at = |column: usize| x * times * channels + column * channels + channel;
            if scale == Scale::Four {
                for (n, value) in square.iter().enumerate() {
                    to[n / SCALE * row + at(n % SCALE)] = *value;
                }
                return;
            }
            for (y, down) in scale.shares().iter().enumerate() {
                for (column, across) in scale.shares().iter().enumerate() {
                    let share = |n: usize| down[n / SCALE] * across[n % SCALE];
                    to[y * row + at(column)] = (0..square.len()).map(|n| share(n) * square[n]).sum();
                }
            }
        };
        if channels == 1 {
            write(0, &std::array::from_fn(|n| (colors[0][n] + colors[1][n] + colors[2][n]) / 3.0));
        } else {
            colors.iter().enumerate().for_each(|(channel, square)| write(channel, square));
        }
    }
}
