//! From numbers of a picture to those of a net, and back.

use super::net::Net;
use super::plain::COLORS;
use super::rows::places;
use super::vector::{GROUP, Pixel};

/// How many times as wide and as high a picture becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Twice; by a net for four times as means of 2×2 of its pixels.
    Two,
    /// Three times; by a net for four times as means of areas of its pixels.
    Three,
    /// Four times.
    Four,
}

impl Scale {
    /// Returns it as a number.
    pub fn times(self) -> usize {
        match self {
            Self::Two => 2,
            Self::Three => 3,
            Self::Four => 4,
        }
    }
}

impl Net {
    /// Returns how many times as large it makes a picture that is to become so many times as large: a net for four times
    /// twice and three times, too.
    pub fn scale_for(&self, times: u32) -> Scale {
        match (self.scale, times) {
            (2, _) | (4, 2) => Scale::Two,
            (3, _) | (4, 3) => Scale::Three,
            _ => Scale::Four,
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

/// Returns how many numbers such a row has: a panel at its end may begin within a group.
pub(super) fn spread_length(width: usize) -> usize {
    (places(width) + GROUP) * COLORS
}

/// The pixels of the result that a pixel of the last layer holds of each colour.
type Square<const S: usize> = [[f32; S]; S];

/// Writes the rows of the result that one row of the last layer holds, of a net that makes a picture `own` times as large.
pub(super) fn gather<const C: usize>(from: &[Pixel<C>], own: usize, scale: Scale, channels: usize, to: &mut [f32]) {
    // How much of each of four pixels is in each of two, and in each of three.
    const TWO: [[f32; 4]; 2] = [[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]];
    const THREE: [[f32; 4]; 3] = [[0.75, 0.25, 0.0, 0.0], [0.0, 0.5, 0.5, 0.0], [0.0, 0.0, 0.25, 0.75]];
    match (own, scale) {
        (2, _) => gather_as::<C, 2, 2>(from, channels, to, |square| square),
        (3, _) => gather_as::<C, 3, 3>(from, channels, to, |square| square),
        (_, Scale::Two) => gather_as(from, channels, to, |square| means(&square, &TWO)),
        (_, Scale::Three) => gather_as(from, channels, to, |square| means(&square, &THREE)),
        (_, Scale::Four) => gather_as::<C, 4, 4>(from, channels, to, |square| square),
    }
}

fn gather_as<const C: usize, const S: usize, const T: usize>(
    from: &[Pixel<C>],
    channels: usize,
    to: &mut [f32],
    reduced: impl Fn(Square<S>) -> [[f32; T]; T],
) {
    let row = to.len() / T;
    for (x, pixel) in from.iter().enumerate().take(row / (T * channels)) {
        let (values, _) = pixel.0.as_chunks::<S>();
        let mut colors = [[[0.0; S]; S]; COLORS];
        for (square, values) in colors.iter_mut().zip(values.as_chunks::<S>().0) {
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
fn means<const S: usize, const T: usize>(square: &Square<S>, shares: &[[f32; S]; T]) -> [[f32; T]; T] {
    let sum = |values: [f32; S], shares: &[f32; S]| (0..S).map(|n| values[n] * shares[n]).sum();
    let across: [[f32; T]; S] = square.map(|row| std::array::from_fn(|x| sum(row, &shares[x])));
    std::array::from_fn(|y| std::array::from_fn(|x| sum(across.map(|row| row[x]), &shares[y])))
}
