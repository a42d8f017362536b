//! The whole engine against the formulas of a net, written down plainly.

use std::sync::{Mutex, OnceLock};

use super::span::tests::layers;
use super::weights::{Layer, Weights, tests::file};
use super::*;
use crate::craft::{CraftError, Progress, Stopped, Untold};
use crate::model::Size;

/// Returns a number that looks random.
pub(super) fn noise(n: usize) -> u32 {
    let mixed = (u32::try_from(n).unwrap() ^ 0x5bd1_e995).wrapping_mul(0x9e37_79b1);
    (mixed ^ mixed >> 15).wrapping_mul(0x85eb_ca6b) >> 8
}

/// Returns the weights of a net whose numbers look random: of either sign, from 1/32 to 1/16. Those of the last layer are
/// so small that most results lie between black and white.
fn weights() -> Weights {
    let layers = layers();
    let layers: Vec<_> = layers.iter().map(|(name, o, i, size)| (&name[..], *o, *i, *size)).collect();
    let value = |n| u16::try_from(noise(n) & 0x83ff | 0x2800).unwrap();
    let mut weights = Weights::read(&file(&layers, value)).unwrap();
    let last = weights.layers.last_mut().unwrap();
    last.weights.iter_mut().for_each(|weight| *weight /= 8.0);
    last.biases.fill(0.5);
    weights
}

/// Returns the net of these weights.
fn net() -> &'static Net {
    static NET: OnceLock<Net> = OnceLock::new();
    NET.get_or_init(|| Net::span(&weights()).unwrap())
}

/// A picture of so many channels: their values from pixel to pixel.
pub(super) struct Map {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) channels: usize,
    pub(super) values: Vec<f64>,
}

impl Map {
    pub(super) fn made(&self, channels: usize, value: impl Fn(usize, usize, usize) -> f64) -> Self {
        let (width, height) = (self.width, self.height);
        let at = |n: usize| value(n / channels % width, n / channels / width, n % channels);
        Self { width, height, channels, values: (0..width * height * channels).map(at).collect() }
    }

    /// Returns a value; there are zeros around the picture.
    pub(super) fn at(&self, x: usize, y: usize, channel: usize) -> f64 {
        if x < self.width && y < self.height {
            self.values[(y * self.width + x) * self.channels + channel]
        } else {
            0.0
        }
    }

    pub(super) fn convolved(&self, layer: &Layer) -> Self {
        let (size, half) = (layer.size, layer.size / 2);
        self.made(layer.outputs, |x, y, output| {
            let mut sum = f64::from(layer.biases[output]);
            for (n, weight) in layer.weights[output * layer.inputs * size * size..].iter().enumerate() {
                let (input, tap) = (n / (size * size), n % (size * size));
                if input == layer.inputs {
                    break;
                }
                let (x, y) = ((x + tap % size).wrapping_sub(half), (y + tap / size).wrapping_sub(half));
                sum += f64::from(*weight) * self.at(x, y, input);
            }
            sum
        })
    }

    pub(super) fn each(&self, change: impl Fn(f64) -> f64) -> Self {
        self.made(self.channels, |x, y, channel| change(self.at(x, y, channel)))
    }
}

pub(super) fn sigmoid(value: f64) -> f64 {
    1.0 / (1.0 + (-value).exp())
}

/// Returns the picture four times as wide and high, from 0 to 255, as the formulas of the net say.
fn expected(weights: &Weights, picture: &Map) -> Map {
    let silu = |value: f64| value * sigmoid(value);
    let layer = |name: &str| weights.layers.iter().find(|layer| layer.name == name).unwrap();
    let mean = |channel: usize| f64::from(weights.mean[channel]);
    let net = picture.made(3, |x, y, c| (picture.at(x, y, c) / 255.0 - mean(c)) * f64::from(weights.gain));
    let first = net.convolved(layer("conv_1"));
    let (mut last, mut inner, mut early) = (first.each(|value| value), first.each(|value| value), None);
    for block in 1..=6 {
        let part = |part: &str| layer(&format!("block_{block}.{part}"));
        inner = last.convolved(part("c1")).each(silu);
        let out = inner.convolved(part("c2")).each(silu).convolved(part("c3"));
        last = out.made(48, |x, y, c| (out.at(x, y, c) + last.at(x, y, c)) * (sigmoid(out.at(x, y, c)) - 0.5));
        if block == 1 {
            early = Some(last.each(|value| value));
        }
    }
    let early = early.unwrap();
    let last = last.convolved(layer("conv_2"));
    let all = first.made(4 * 48, |x, y, c| [&first, &last, &early, &inner][c / 48].at(x, y, c % 48));
    let up = all.convolved(layer("conv_cat")).convolved(layer("upsampler"));
    let (width, height) = (4 * picture.width, 4 * picture.height);
    Map { width, height, channels: 3, values: Vec::new() }
        .made(3, |x, y, c| 255.0 * up.at(x / 4, y / 4, c * 16 + y % 4 * 4 + x % 4).clamp(0.0, 1.0))
}

/// Returns a picture that looks random.
pub(super) fn picture(width: usize, height: usize, channels: usize) -> Map {
    let values = (0..width * height * channels).map(|n| f64::from(noise(n) & 0xff)).collect();
    Map { width, height, channels, values }
}

/// How a picture is enlarged, but for the net and the size.
pub(super) type Way = (Scale, usize, Cpu);

/// Returns all numbers of a picture that was enlarged, row by row.
pub(super) fn enlarged(net: &Net, picture: &Map, (scale, threads, cpu): Way) -> Result<Vec<f32>, CraftError> {
    told(net, picture, (scale, threads, cpu), &Untold)
}

fn told(net: &Net, picture: &Map, way: Way, progress: &dyn Progress) -> Result<Vec<f32>, CraftError> {
    in_panels(usize::MAX, net, picture, way, progress)
}

pub(super) fn in_panels(
    columns_max: usize,
    net: &Net,
    picture: &Map,
    (scale, threads, cpu): Way,
    progress: &dyn Progress,
) -> Result<Vec<f32>, CraftError> {
    let [width, height] = [picture.width, picture.height].map(|edge| u32::try_from(edge).unwrap());
    let (size, is_grey) = (Size { width, height }, picture.channels == 1);
    let mut rows = picture.values.chunks_exact(picture.width * picture.channels);
    let mut next = |row: &mut [f32]| {
        let Some(values) = rows.next() else {
            return Err(CraftError::Defect("too many rows were asked for".to_owned()));
        };
        #[expect(clippy::cast_possible_truncation, reason = "they are whole numbers")]
        row.iter_mut().zip(values).for_each(|(slot, value)| *slot = *value as f32);
        Ok(())
    };
    Upscale { net, size, is_grey, scale, threads, cpu }.in_panels(columns_max, &mut next, progress, |rows| {
        let mut all = Vec::new();
        while let Some(row) = rows.next_row()? {
            assert_eq!(row.len(), picture.width * scale.times() * picture.channels);
            all.extend_from_slice(row);
        }
        Ok(all)
    })
}

pub(super) fn assert_near(found: &[f32], expected: &[f64], of: &str) {
    assert_eq!(found.len(), expected.len(), "{of}");
    for (n, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((f64::from(*found) - expected).abs() < 0.02, "{of}: number {n} is {found}, not {expected}");
    }
}

#[test]
fn a_picture_becomes_what_the_formulas_say() {
    let (weights, net) = (weights(), net());
    for (width, height) in [(1, 1), (3, 5), (9, 2)] {
        let picture = picture(width, height, 3);
        let expected = expected(&weights, &picture);
        let inside = expected.values.iter().filter(|value| (1.0..254.0).contains(*value)).count();
        assert!(inside * 4 > expected.values.len(), "{inside} of {} values are not cut off", expected.values.len());
        for cpu in Cpu::all() {
            let found = enlarged(net, &picture, (Scale::Four, 1, cpu)).unwrap();
            assert_near(&found, &expected.values, &format!("{width}×{height}, {cpu:?}"));
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let net = net();
    // Wider than a block of tiles, and higher than all threads' steps together.
    for (width, height) in [(101, 3), (2, 70)] {
        let picture = picture(width, height, 3);
        let cpu = Cpu::best();
        let [one, others @ ..] = [1, 2, 5].map(|threads| enlarged(net, &picture, (Scale::Four, threads, cpu)).unwrap());
        for other in others {
            assert!(one == other, "{width}×{height}");
        }
    }
}

/// Where a panel ends is nowhere seen, whatever lies beyond it.
#[test]
fn panels_change_no_bit() {
    let net = net();
    for (width, height, channels, scale) in [(101, 3, 3, Scale::Four), (66, 5, 1, Scale::Two)] {
        let picture = picture(width, height, channels);
        let whole = enlarged(net, &picture, (scale, 1, Cpu::best())).unwrap();
        for (columns_max, threads) in [(6, 2), (28, 1), (60, 3), (width - 1, 2)] {
            let split = in_panels(columns_max, net, &picture, (scale, threads, Cpu::best()), &Untold).unwrap();
            assert!(whole == split, "{width}×{height}, {columns_max} columns, {threads} threads");
        }
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn avx2_and_avx512_give_the_same_bits() {
    let net = net();
    let picture = picture(11, 6, 3);
    let fused = Cpu::all().into_iter().filter(|cpu| *cpu != Cpu::Any);
    let all: Vec<_> = fused.map(|cpu| enlarged(net, &picture, (Scale::Four, 1, cpu)).unwrap()).collect();
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn twice_and_three_times_are_means_of_four_times() {
    let net = net();
    let picture = picture(6, 3, 3);
    let times = |scale| enlarged(net, &picture, (scale, 1, Cpu::best())).unwrap();
    let four = times(Scale::Four);
    for (scale, edge) in [(Scale::Two, 2), (Scale::Three, 3)] {
        let small = picture.made(1, |_, _, _| 0.0);
        let map = Map { width: small.width * edge, height: small.height * edge, channels: 3, values: Vec::new() };
        let expected = map.made(3, |x, y, c| {
            // The area of a pixel in twelfths of a pixel of the source.
            let (mut sum, part) = (0.0, 12 / edge);
            for n in 0..part * part {
                let (x, y) = ((x * part + n % part) / 3, (y * part + n / part) / 3);
                sum += f64::from(four[(y * picture.width * 4 + x) * 3 + c]);
            }
            sum / f64::from(u32::try_from(part * part).unwrap())
        });
        assert_near(&times(scale), &expected.values, &format!("{scale:?}"));
    }
}

#[test]
fn grey_stays_one_channel() {
    let net = net();
    let grey = picture(5, 4, 1);
    let color = grey.made(3, |x, y, _| grey.at(x, y, 0));
    for scale in [Scale::Four, Scale::Two] {
        let way = (scale, 1, Cpu::best());
        let color = enlarged(net, &color, way).unwrap();
        let mean = |pixel: &[f32]| pixel.iter().map(|value| f64::from(*value)).sum::<f64>() / 3.0;
        let expected: Vec<f64> = color.chunks_exact(3).map(mean).collect();
        assert_near(&enlarged(net, &grey, way).unwrap(), &expected, &format!("{scale:?}"));
    }
}

/// Stops the work at a row, and notes all that it is told.
struct StopAt(u32, Mutex<Vec<u32>>);

impl Progress for StopAt {
    fn rows(&self, done: u32, of: u32) -> Result<(), Stopped> {
        assert_eq!(of, 20);
        self.1.lock().unwrap().push(done);
        if done == self.0 { Err(Stopped) } else { Ok(()) }
    }
}

#[test]
fn work_is_stopped_at_a_row() {
    let net = net();
    for threads in [1, 3] {
        for (at, is_stopped) in [(0, true), (7, true), (19, true), (20, false)] {
            let progress = StopAt(at, Mutex::default());
            let made = told(net, &picture(3, 5, 3), (Scale::Four, threads, Cpu::best()), &progress);
            assert_eq!(made.err(), is_stopped.then_some(CraftError::Stopped), "{threads} threads, row {at}");
            // Some rows are told twice; nothing is after the stop.
            let mut told = progress.1.into_inner().unwrap();
            let stops = told.iter().filter(|done| **done == at).count();
            assert_eq!(stops, usize::from(is_stopped), "{threads} threads, row {at}");
            told.dedup();
            assert_eq!(told, (0..20.min(at + 1)).collect::<Vec<_>>(), "{threads} threads, row {at}");
        }
    }
}

#[test]
fn a_source_that_fails_ends_the_work() {
    let net = net();
    for threads in [1, 2] {
        let mut left = 2;
        let mut next = |_: &mut [f32]| {
            left -= 1;
            if left == 0 { Err(CraftError::Damaged("a row is missing".to_owned())) } else { Ok(()) }
        };
        let size = Size { width: 2, height: 30 };
        let way = Upscale { net, size, is_grey: false, scale: Scale::Four, threads, cpu: Cpu::best() };
        let told = way.rows(&mut next, &Untold, |rows| rows.next_row().map(|row| row.is_some()));
        assert_eq!(told, Err(CraftError::Damaged("a row is missing".to_owned())));
    }
}

/// What onnxruntime 1.32 gives for the net that comes with stockmill.
#[test]
#[cfg(feature = "embedded-net")]
fn the_net_that_comes_with_stockmill_gives_what_another_engine_gives() {
    let values = vec![200.0, 30.0, 90.0, 10.0, 240.0, 130.0, 77.0, 5.0, 255.0, 0.0, 66.0, 31.0];
    let picture = Map { width: 2, height: 2, channels: 3, values };
    let cases: [(u8, [f64; 6]); 2] = [
        (0, [163.5444, 150.2932, 13.5977, 0.0, 212.4496, 59.1828]),
        (100, [163.8785, 131.0903, 103.3504, 5.7099, 210.1256, 107.0912]),
    ];
    for (restore, expected) in cases {
        let found = enlarged(&Net::embedded(restore).unwrap(), &picture, (Scale::Four, 1, Cpu::best())).unwrap();
        assert_near(&[&found[9..12], &found[93..96]].concat(), &expected, &format!("{restore}"));
    }
}
