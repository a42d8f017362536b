//! Which samples of a row or column make one of the result, and with which weights.

use crate::model::Strength;

/// How far a Lanczos filter of three lobes reaches, in samples of the coarser side.
const LOBES: f64 = 3.0;
/// How far away the values lie that an enlarged one is compared with to sharpen it, in samples of the source. Nearer ones
/// need more weight for the same, and those farther away give wider halos.
const AWAY: f64 = 0.5;

/// The weights of one axis: so many neighbouring samples for each of the result, whose weights sum up to one.
#[derive(Debug, Clone)]
pub(super) struct Taps {
    /// How many samples make one.
    pub(super) count: usize,
    /// The first of them, for each.
    starts: Vec<u32>,
    /// `count` weights for each.
    weights: Vec<f32>,
}

/// The samples from the first one on, with weights that need not sum up to one.
type Window = (usize, Vec<f64>);

impl Taps {
    /// Returns the taps of a Lanczos filter of three lobes from `from` samples to `to`. At the border, where the filter
    /// reaches beyond the picture, what lies inside has all the weight. (K. Turkowski, Filters for Common Resampling
    /// Tasks, 1990.) Where it enlarges, it sharpens too: so many times the difference of a value to the mean of the two
    /// beside it is added. Both are sums of the same samples, so that they are one filter, and as fast as one.
    pub(super) fn lanczos(from: u32, to: u32, sharpen: Strength) -> Self {
        let length = from as usize;
        if from == to {
            return Self::of((0..length).map(|at| (at, vec![1.0])).collect(), length);
        }
        let scale = f64::from(from) / f64::from(to);
        let stretch = scale.max(1.0);
        let more = sharpening(sharpen, scale.recip());
        let filter = |x: f64| {
            let beside = |away: f64| lanczos(x - away) + lanczos(x + away);
            if more == 0.0 { lanczos(x) } else { lanczos(x) * (1.0 + 2.0 * more) - beside(AWAY) * more }
        };
        let window = |at: u32| {
            let centre = (f64::from(at) + 0.5) * scale;
            let near = |x: &u32| (f64::from(*x) + 0.5 - centre).abs() < LOBES * stretch;
            let around = nearest(centre - LOBES * stretch - 1.0)..nearest(centre + LOBES * stretch + 1.0).min(from);
            let inside: Vec<u32> = around.filter(near).collect();
            let weights = inside.iter().map(|x| filter((f64::from(*x) + 0.5 - centre) / stretch)).collect();
            (inside.first().map_or(0, |first| *first as usize), weights)
        };
        Self::of((0..to).map(window).collect(), length)
    }

    /// Returns the taps of a result of half the size: the mean of two neighbours.
    pub(super) fn halved(&self, length: usize) -> Self {
        let window = |at: usize| {
            let pair = [at * 2, (at * 2 + 1).min(self.starts.len() - 1)];
            let first = pair.map(|at| self.start(at));
            let start = first[0].min(first[1]);
            let mut weights = vec![0.0; first[0].max(first[1]) - start + self.count];
            for at in pair {
                for (n, weight) in self.weights(at).iter().enumerate() {
                    weights[self.start(at) - start + n] += f64::from(*weight);
                }
            }
            (start, weights)
        };
        Self::of((0..self.starts.len().div_ceil(2)).map(window).collect(), length)
    }

    /// Returns the taps of the means between some `edges`, each a share of the whole, of a row of so many samples, which
    /// come as means of `step` samples each, the last one of what is left.
    pub(super) fn means(length: usize, step: usize, edges: &[f64]) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a picture's edge")]
        let place = |at: usize| at as f64;
        let pieces = length.div_ceil(step);
        let window = |pair: &[f64]| {
            let (from, to) = (pair[0] * place(length), pair[1] * place(length));
            let covered = |piece: usize| {
                let (start, end) = (place(piece * step), place(((piece + 1) * step).min(length)));
                (end.min(to) - start.max(from)).max(0.0)
            };
            let first = (nearest(from) as usize / step).min(pieces - 1);
            let end = (nearest(to) as usize / step + 1).min(pieces);
            (first, (first..end.max(first + 1)).map(covered).collect())
        };
        Self::of(edges.windows(2).map(window).collect(), pieces)
    }

    #[expect(clippy::cast_possible_truncation, reason = "a weight needs no more bits than a sample")]
    fn of(windows: Vec<Window>, length: usize) -> Self {
        let count = windows.iter().map(|(_, weights)| weights.len()).max().unwrap_or(1).min(length);
        let (mut starts, mut all) = (Vec::with_capacity(windows.len()), Vec::with_capacity(windows.len() * count));
        for (first, weights) in windows {
            let start = first.min(length - count);
            let sum: f64 = weights.iter().sum();
            let mut own = vec![0.0; count];
            for (n, weight) in weights.iter().enumerate() {
                if let Some(slot) = own.get_mut(first - start + n) {
                    *slot = (weight / sum) as f32;
                }
            }
            starts.push(u32::try_from(start).expect("a picture's edge"));
            all.append(&mut own);
        }
        Self { count, starts, weights: all }
    }

    /// Returns how many samples there are in the result.
    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// Returns the first sample that the one at `at` is made of.
    #[inline(always)]
    pub(super) fn start(&self, at: usize) -> usize {
        self.starts[at] as usize
    }

    /// Returns the weights of the one at `at`.
    #[inline(always)]
    pub(super) fn weights(&self, at: usize) -> &[f32] {
        &self.weights[at * self.count..][..self.count]
    }
}

/// Returns a position in a picture as an index that is not negative.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast of a float ends at the bounds")]
fn nearest(position: f64) -> u32 {
    position.floor() as u32
}

/// Returns how many times the differences to both values beside it are added to one. What is hardly enlarged is hardly
/// sharpened.
fn sharpening(strength: Strength, ratio: f64) -> f64 {
    let whole = match strength {
        Strength::Off => 0.0,
        Strength::Low => 0.05,
        Strength::Medium => 0.1,
        Strength::High => 0.15,
    };
    whole * (ratio - 1.0).clamp(0.0, 1.0)
}

fn lanczos(x: f64) -> f64 {
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { (x * std::f64::consts::PI).sin() / (x * std::f64::consts::PI) };
    if x.abs() < LOBES { sinc(x) * sinc(x / LOBES) } else { 0.0 }
}
