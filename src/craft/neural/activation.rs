//! What becomes of the sums of a layer.

use std::f32::consts::{LN_2, LOG2_E};

use super::vector::Vector;

/// What becomes of a sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Activation {
    /// Nothing.
    None,
    /// `x · sigmoid(x)`.
    Silu,
    /// `x · tanh(ln(1 + exp(x)))`.
    Mish,
    /// Itself where positive, else times the slope of its channel.
    Slope,
    /// `(x + y) · (sigmoid(x) − ½)`, where `y` is what the block began with.
    Attention,
    /// `x + y`, where `y` is of another layer.
    Plus,
}

impl Activation {
    /// Returns what becomes of sums; `slope` and `besides` give what some activations need besides.
    #[inline(always)]
    pub(super) fn of<V: Vector>(self, value: V, slope: impl Fn() -> V, besides: impl Fn() -> V) -> V {
        match self {
            Self::None => value,
            Self::Silu => Self::silu(value),
            Self::Mish => Self::mish(value),
            Self::Slope => {
                let positive = value.positive();
                value.minus(positive).times_plus(slope(), positive)
            }
            Self::Attention => Self::attention(value, besides()),
            Self::Plus => value.plus(besides()),
        }
    }

    #[inline(always)]
    fn silu<V: Vector>(value: V) -> V {
        value.over(exp_of_minus(value).plus(V::splat(1.0)))
    }

    #[inline(always)]
    fn mish<V: Vector>(value: V) -> V {
        // With e for exp(−x) it is x (1 + 2 e) / (1 + 2 e + 2 e²); an infinite divisor gives 0.
        let (one, exp) = (V::splat(1.0), exp_of_minus(value));
        let two = exp.plus(exp);
        value.times(two.plus(one)).over(two.times_plus(exp, two.plus(one)))
    }

    #[inline(always)]
    fn attention<V: Vector>(value: V, begun: V) -> V {
        let (one, exp) = (V::splat(1.0), exp_of_minus(value));
        // sigmoid(x) − ½ is ½ (1 − e) / (1 + e), where e is exp(−x).
        value.plus(begun).times(one.minus(exp).times(V::splat(0.5)).over(one.plus(exp)))
    }
}

/// Returns e to the power of `-value`, right to 1 in 10⁶; far from 0 what counts no more as 0 or infinite.
#[inline(always)]
fn exp_of_minus<V: Vector>(value: V) -> V {
    /// Two to these powers is nothing beside 1, or 1 beside it, and quotients of them are still exact.
    const POWER_MAX: f32 = 64.0;
    /// 1.5 · 2²³: added to it, a number becomes whole, and lies in its last bits; 127 is exponent 0.
    const WHOLE: f32 = 12_582_912.0 + 127.0;
    /// 2ˣ − 1 by powers of x, from -½ to ½, the highest first.
    const POWERS: [f32; 6] = [1.535_336e-4, 1.339_887_5e-3, 9.618_437e-3, 5.550_332_4e-2, 0.240_226_48, LN_2];
    let power = value.times(V::splat(-LOG2_E)).clamped(POWER_MAX);
    let shifted = power.plus(V::splat(WHOLE));
    let rest = power.minus(shifted.minus(V::splat(WHOLE)));
    let mut sum = V::splat(POWERS[0]);
    for n in 1..POWERS.len() {
        sum = sum.times_plus(rest, V::splat(POWERS[n]));
    }
    sum.times_plus(rest, V::splat(1.0)).times(shifted.raised())
}

#[cfg(test)]
mod tests {
    use super::super::vector::Plain;
    use super::*;

    #[test]
    #[expect(clippy::cast_possible_truncation, reason = "the nearest is meant")]
    fn activations_are_what_their_formulas_say() {
        for n in -4000..4000 {
            let value = f64::from(n) / 200.0;
            let x = Plain::splat(value as f32);
            let value = f64::from(x[0]);
            let sigmoid = 1.0 / (1.0 + (-value).exp());
            let cases = [
                (exp_of_minus(x), (-value).exp(), 1e-6 * (-value).exp()),
                (Activation::silu(x), value * sigmoid, 4e-6),
                (Activation::mish(x), value * value.exp().ln_1p().tanh(), 4e-6),
                (Activation::attention(x, Plain::splat(3.0)), (value + 3.0) * (sigmoid - 0.5), 4e-6),
            ];
            let all = [
                (Activation::None, value),
                (Activation::Slope, if value > 0.0 { value } else { 0.25 * value }),
                (Activation::Plus, value + 3.0),
            ];
            let of = |activation: Activation| activation.of(x, || Plain::splat(0.25), || Plain::splat(3.0));
            let all = all.map(|(activation, expected)| (of(activation), expected, 1e-6));
            for (found, expected, error) in cases.into_iter().chain(all) {
                assert!((f64::from(found[0]) - expected).abs() <= error, "{value}: {found:?}, {expected}");
            }
        }
    }
}
