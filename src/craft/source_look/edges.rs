//! How the edges of a picture look on the mean, in rows and in columns.

/// How many pixels an edge is looked at, one beside another.
pub(super) const REACH: usize = 8;
/// The least step of an edge, of 255: smaller ones are noise.
const STEP_MIN: f64 = 8.0;
/// An edge whose neighbouring steps are on the mean a smaller part of its own is narrow.
const NARROW_MAX: f64 = 0.3;
/// An edge with nothing at its sides has smaller parts of its step there.
const ALONE_MAX: f64 = 0.15;
/// An edge overshoots by more than this part of its step.
const OVERSHOOT_MIN: f64 = -0.02;
/// As much as this part of all edges is taken for narrow ones that overshoot by so much: where hardly any is narrow, the
/// picture is soft.
const ASSUMED: (f64, f64) = (0.02, -0.8);

/// Sums over the edges of a picture.
#[derive(Debug, Default)]
pub(super) struct Edges {
    count: u32,
    /// Of each edge, the larger one of the steps beside it, as a part of its own.
    beside: Mean,
    /// Of narrow ones, the step two pixels further.
    behind: Mean,
    /// Of those with nothing at their sides, whether they overshoot.
    overshoot: Mean,
    /// The steps of all.
    steps: f64,
}

/// A weighted mean.
#[derive(Debug, Default)]
struct Mean {
    sum: f64,
    weight: f64,
}

impl Mean {
    fn add(&mut self, value: f64, weight: f64) {
        self.sum += value * weight;
        self.weight += weight;
    }

    fn value(&self) -> f64 {
        if self.weight > 0.0 { self.sum / self.weight } else { 0.0 }
    }
}

impl Edges {
    /// Returns how many there are.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// Looks at pixels one beside another; it is an edge if the step in the middle is the largest one there.
    pub(super) fn add(&mut self, pixels: &[f32; REACH]) {
        let middle = pixels[4] - pixels[3];
        let size = f64::from(middle.abs());
        // Most are none: this comes first.
        if size.is_nan() || size < STEP_MIN {
            return;
        }
        let parts: [f64; REACH - 1] = std::array::from_fn(|at| f64::from((pixels[at + 1] - pixels[at]) / middle));
        if parts.iter().any(|part| part.is_nan()) || parts[2].abs() > 1.0 || parts[4].abs() >= 1.0 {
            return;
        }
        self.count = self.count.saturating_add(1);
        self.steps += size;
        self.beside.add(parts[2].max(parts[4]), size.powi(4));
        if f64::midpoint(parts[2], parts[4]) < NARROW_MAX {
            self.behind.add(f64::midpoint(parts[1], parts[5]), size);
        }
        if parts[0].abs() < ALONE_MAX && parts[6].abs() < ALONE_MAX {
            let overshoots = |part: f64| f64::from(u8::from(part < OVERSHOOT_MIN));
            self.overshoot.add(f64::midpoint(overshoots(parts[1]), overshoots(parts[5])), size.powi(2));
        }
    }

    /// Returns how surely the edges are softer, and harder, than those of a picture that was reduced well: 0 to 1.
    pub(super) fn soft_and_hard(&self) -> (f32, f32) {
        let (share, value) = ASSUMED;
        let assumed = share * self.steps;
        let behind = (self.behind.sum + value * assumed) / (self.behind.weight + assumed).max(f64::MIN_POSITIVE);
        let (beside, overshoot) = (self.beside.value(), self.overshoot.value());
        let soft = -42.0 - 65.0 * behind + 19.0 * beside + 8.0 * overshoot;
        let hard = 21.0 - 11.0 * behind - 34.0 * beside - 35.0 * overshoot;
        (share_of(soft), share_of(hard))
    }
}

/// Returns a share that comes from 0 to 1 around 0.
#[expect(clippy::cast_possible_truncation, reason = "a share needs no more digits")]
fn share_of(value: f64) -> f32 {
    (1.0 / (1.0 + (-value.clamp(-40.0, 40.0)).exp())) as f32
}
