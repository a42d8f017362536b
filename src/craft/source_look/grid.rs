//! Whether a picture was stored in blocks of 8 pixels before.

/// The edge of a block.
const EDGE: usize = 8;
/// How many places in a block are not at its edge.
const OTHERS: u32 = 7;
/// A larger step is the picture's own.
const STEP_MAX: f32 = 16.0;
/// How much larger the steps between blocks are at least, as a part of those in blocks.
const EXCESS_MIN: f64 = 0.04;
/// How many times as far they are from the mean of the others as any other one.
const CLEAR_MIN: f64 = 3.0;

/// Sums of the steps between pixels, by their place in a block.
#[derive(Debug, Default)]
pub(super) struct Grid {
    across: [Steps; EDGE],
    down: [Steps; EDGE],
    y: usize,
}

#[derive(Debug, Default, Clone, Copy)]
struct Steps {
    sum: f64,
    count: f64,
}

impl Steps {
    fn add(&mut self, step: f32) {
        if !step.is_nan() {
            self.sum += f64::from(step.abs().min(STEP_MAX));
            self.count += 1.0;
        }
    }
}

impl Grid {
    /// Takes a row, and the one above it.
    pub(super) fn add(&mut self, row: &[f32], above: Option<&[f32]>) {
        for (x, pair) in row.array_windows::<2>().enumerate() {
            self.across[x % EDGE].add(pair[1] - pair[0]);
        }
        for (value, above) in row.iter().zip(above.unwrap_or_default()) {
            self.down[self.y % EDGE].add(value - above);
        }
        self.y += 1;
    }

    /// Returns how much is to be restored for it; 0 if there is no grid.
    #[expect(clippy::cast_possible_truncation, reason = "0 to 100")]
    pub(super) fn needs(&self) -> f32 {
        let excess = [self.across, self.down].map(|steps| excess(&steps)).into_iter().fold(f64::MAX, f64::min);
        if excess > EXCESS_MIN { (55.0 + 500.0 * (excess - EXCESS_MIN)).min(100.0) as f32 } else { 0.0 }
    }
}

/// Returns by how much the steps at one place are larger than at the others, as a part of these; 0 if that is not clear.
fn excess(steps: &[Steps; EDGE]) -> f64 {
    let mut means = steps.map(|steps| steps.sum / steps.count.max(1.0));
    means.sort_by(f64::total_cmp);
    let [others @ .., most] = means;
    let mean = others.iter().sum::<f64>() / f64::from(OTHERS);
    let (over, next) = (most - mean, others[EDGE - 2] - mean);
    if mean > 0.0 && over > CLEAR_MIN * next { over / mean } else { 0.0 }
}
