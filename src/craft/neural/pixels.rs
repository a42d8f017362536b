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

/// The 4×4 pixels of the result that a pixel of the last layer holds of each colour.
type Square = [[f32; SCALE]; SCALE];

/// Writes the rows of the result that one row of the last layer holds.
pub(super) fn gather(from: &[Pixel<CHANNELS>], scale: Scale, channels: usize, to: &mut [f32]) {
    // How much of each of four pixels is in each of two, and in each of three.
    const TWO: [[f32; SCALE]; 2] = [[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]];
    const THREE: [[f32; SCALE]; 3] = [[0.75, 0.25, 0.0, 0.0], [0.0, 0.5, 0.5, 0.0], [0.0, 0.0, 0.25, 0.75]];
    match scale {
        Scale::Two => gather_as(from, channels, to, |square| means(&square, &TWO)),
        Scale::Three => gather_as(from, channels, to, |square| means(&square, &THREE)),
        Scale::Four => gather_as(from, channels, to, |square| square),
    }
}

fn gather_as<const T: usize>(
    from: &[Pixel<CHANNELS>],
    channels: usize,
    to: &mut [f32],
    reduced: impl Fn(Square) -> [[f32; T]; T],
) {
    let row = to.len() / T;
    for (x, pixel) in from.iter().enumerate().take(row / (T * channels)) {
        let (values, _) = pixel.0.as_chunks::<SCALE>();
        let mut colors = [[[0.0; SCALE]; SCALE]; COLORS];
        for (square, values) in colors.iter_mut().zip(values.as_chunks::<SCALE>().0) {
            *square = values.map(|row| row.map(|value| value.clamp(0.0, 1.0) * WHITE));
        }
        if channels == 1 {
            let [red, green, blue] = colors;
            let mean = |n: usize, m: usize| (red[n][m] + green[n][m] + blue[n][m]) / 3.0;
            colors[0] = std::array::from_fn(|n| std::array::from_fn(|m| mean(n, m)));
        }
        for (channel, square) in colors.iter().enumerate().take(channels) {
            for (y, values) in reduced(*square).iter().enumerate() {
                let out = &mut to[y * row + x * T * channels..][..T * channels];
                out[channel..].iter_mut().step_by(channels).zip(values).for_each(|(slot, value)| *slot = *value);
            }
        }
    }
}

/// Returns the means of areas of a square: across, then down.
fn means<const T: usize>(square: &Square, shares: &[[f32; SCALE]; T]) -> [[f32; T]; T] {
    let sum = |values: [f32; SCALE], shares: &[f32; SCALE]| (0..SCALE).map(|n| values[n] * shares[n]).sum();
    let across: [[f32; T]; SCALE] = square.map(|row| std::array::from_fn(|x| sum(row, &shares[x])));
    std::array::from_fn(|y| std::array::from_fn(|x| sum(across.map(|row| row[x]), &shares[y])))
}
