//! Arithmetic on several numbers at once: plainly, with AVX2 and with AVX-512.
//!
//! The two last give the same bits: each channel is the same chain of fused steps, whatever the width. The plain form
//! does not fuse, since a processor without the instruction takes a hundred times as long for it.

/// The channels of one place of a picture, where a processor reads them best.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(align(64))]
pub(super) struct Pixel<const C: usize>(pub(super) [f32; C]);

impl<const C: usize> Pixel<C> {
    pub(super) const ZERO: Self = Self([0.0; C]);

    /// Returns the place that has these channels first, and zeros behind them.
    pub(super) fn of(channels: &[f32]) -> Self {
        let mut pixel = Self::ZERO;
        pixel.0[..channels.len()].copy_from_slice(channels);
        pixel
    }
}

/// How many places are multiplied by a matrix at once.
pub(super) const GROUP: usize = 8;

/// Several numbers.
pub(super) trait Vector: Copy {
    /// How many numbers it holds: they divide all numbers of channels.
    const LANES: usize;

    fn splat(value: f32) -> Self;
    /// Takes the channels from `at` on.
    fn load<const C: usize>(from: &Pixel<C>, at: usize) -> Self;
    fn store<const C: usize>(self, to: &mut Pixel<C>, at: usize);
    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
    fn over(self, other: Self) -> Self;
    /// Returns `self * factor + term`.
    fn times_plus(self, factor: Self, term: Self) -> Self;
    fn clamped(self, limit: f32) -> Self;
    /// Returns it where it is positive, else 0.
    fn positive(self) -> Self;
    /// Returns the number whose exponent lies in the last bits of this one: its bits, moved up by 23.
    fn raised(self) -> Self;
    /// Multiplies places by a matrix, as many sums at a time as there are registers for; `ADDS` to what is in `out`.
    fn multiply<const K: usize, const C: usize, const ADDS: bool>(
        pixels: &[Pixel<K>; GROUP],
        matrix: &[Pixel<C>; K],
        out: &mut [Pixel<C>; GROUP],
    );
}

/// Multiplies places by a matrix, `T` places and `N` vectors of channels at a time.
#[inline(always)]
fn multiply<V: Vector, const T: usize, const N: usize, const K: usize, const C: usize, const ADDS: bool>(
    pixels: &[Pixel<K>; GROUP],
    matrix: &[Pixel<C>; K],
    out: &mut [Pixel<C>; GROUP],
) {
    const { assert!(GROUP.is_multiple_of(T)) };
    assert!(C.is_multiple_of(N * V::LANES), "vectors divide the channels");
    for (pixels, out) in pixels.as_chunks::<T>().0.iter().zip(out.as_chunks_mut::<T>().0) {
        for first in (0..C).step_by(N * V::LANES) {
            let mut sums = [[V::splat(0.0); N]; T];
            if ADDS {
                for t in 0..T {
                    for n in 0..N {
                        sums[t][n] = V::load(&out[t], first + n * V::LANES);
                    }
                }
            }
            for k in 0..K {
                let mut weights = [V::splat(0.0); N];
                for n in 0..N {
                    weights[n] = V::load(&matrix[k], first + n * V::LANES);
                }
                for t in 0..T {
                    let value = V::splat(pixels[t].0[k]);
                    for n in 0..N {
                        sums[t][n] = value.times_plus(weights[n], sums[t][n]);
                    }
                }
            }
            for t in 0..T {
                for n in 0..N {
                    sums[t][n].store(&mut out[t], first + n * V::LANES);
                }
            }
        }
    }
}

/// Four numbers, for any processor.
pub(super) type Plain = [f32; 4];

impl Vector for Plain {
    const LANES: usize = 4;

    #[inline(always)]
    fn splat(value: f32) -> Self {
        [value; 4]
    }

    #[inline(always)]
    fn load<const C: usize>(from: &Pixel<C>, at: usize) -> Self {
        *from.0[at..].first_chunk().expect("lanes divide the channels")
    }

    #[inline(always)]
    fn store<const C: usize>(self, to: &mut Pixel<C>, at: usize) {
        *to.0[at..].first_chunk_mut().expect("lanes divide the channels") = self;
    }

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        std::array::from_fn(|n| self[n] + other[n])
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        std::array::from_fn(|n| self[n] - other[n])
    }

    #[inline(always)]
    fn times(self, other: Self) -> Self {
        std::array::from_fn(|n| self[n] * other[n])
    }

    #[inline(always)]
    fn over(self, other: Self) -> Self {
        std::array::from_fn(|n| self[n] / other[n])
    }

    #[inline(always)]
    fn times_plus(self, factor: Self, term: Self) -> Self {
        std::array::from_fn(|n| self[n] * factor[n] + term[n])
    }

    #[inline(always)]
    fn clamped(self, limit: f32) -> Self {
        self.map(|value| value.clamp(-limit, limit))
    }

    #[inline(always)]
    fn positive(self) -> Self {
        self.map(|value| value.max(0.0))
    }

    #[inline(always)]
    fn raised(self) -> Self {
        self.map(|value| f32::from_bits(value.to_bits() << 23))
    }

    #[inline(always)]
    fn multiply<const K: usize, const C: usize, const ADDS: bool>(
        pixels: &[Pixel<K>; GROUP],
        matrix: &[Pixel<C>; K],
        out: &mut [Pixel<C>; GROUP],
    ) {
        multiply::<Self, 4, 2, K, C, ADDS>(pixels, matrix, out);
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use wide::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the processor's own instructions; a compiler fuses nothing, and spills the sums")]
mod wide {
    use std::arch::x86_64::{
        __m256, __m512, _mm256_add_ps, _mm256_castps_si256, _mm256_castsi256_ps, _mm256_div_ps, _mm256_fmadd_ps,
        _mm256_loadu_ps, _mm256_max_ps, _mm256_min_ps, _mm256_mul_ps, _mm256_set1_ps, _mm256_slli_epi32,
        _mm256_storeu_ps, _mm256_sub_ps, _mm512_add_ps, _mm512_castps_si512, _mm512_castsi512_ps, _mm512_div_ps,
        _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_max_ps, _mm512_min_ps, _mm512_mul_ps, _mm512_set1_ps,
        _mm512_slli_epi32, _mm512_storeu_ps, _mm512_sub_ps,
    };

    use super::{GROUP, Pixel, Vector, multiply};

    /// Defines `$name` as `$lanes` numbers in one register. Values are made by [`super::super::cpu::Cpu::run`] alone,
    /// where the processor has the instructions: that is what makes each call below sound. Loads and stores are of whole
    /// arrays.
    macro_rules! vector {
        (
            $name:ident($register:ty), $lanes:literal, $places:literal by $vectors:literal,
            $splat:ident, $load:ident, $store:ident, $add:ident, $sub:ident, $mul:ident, $div:ident, $fma:ident,
            $min:ident, $max:ident, $bits:ident, $shift:ident, $from_bits:ident
        ) => {
            #[derive(Clone, Copy)]
            pub(in super::super) struct $name($register);

            impl Vector for $name {
                const LANES: usize = $lanes;

                #[inline(always)]
                fn splat(value: f32) -> Self {
                    Self(unsafe { $splat(value) })
                }

                #[inline(always)]
                fn load<const C: usize>(from: &Pixel<C>, at: usize) -> Self {
                    let from: &[f32; $lanes] = from.0[at..].first_chunk().expect("lanes divide the channels");
                    Self(unsafe { $load(from.as_ptr()) })
                }

                #[inline(always)]
                fn store<const C: usize>(self, to: &mut Pixel<C>, at: usize) {
                    let to: &mut [f32; $lanes] = to.0[at..].first_chunk_mut().expect("lanes divide the channels");
                    unsafe { $store(to.as_mut_ptr(), self.0) }
                }

                #[inline(always)]
                fn plus(self, other: Self) -> Self {
                    Self(unsafe { $add(self.0, other.0) })
                }

                #[inline(always)]
                fn minus(self, other: Self) -> Self {
                    Self(unsafe { $sub(self.0, other.0) })
                }

                #[inline(always)]
                fn times(self, other: Self) -> Self {
                    Self(unsafe { $mul(self.0, other.0) })
                }

                #[inline(always)]
                fn over(self, other: Self) -> Self {
                    Self(unsafe { $div(self.0, other.0) })
                }

                #[inline(always)]
                fn times_plus(self, factor: Self, term: Self) -> Self {
                    Self(unsafe { $fma(self.0, factor.0, term.0) })
                }

                #[inline(always)]
                fn clamped(self, limit: f32) -> Self {
                    Self(unsafe { $min($max(self.0, $splat(-limit)), $splat(limit)) })
                }

                #[inline(always)]
                fn positive(self) -> Self {
                    Self(unsafe { $max(self.0, $splat(0.0)) })
                }

                #[inline(always)]
                fn raised(self) -> Self {
                    Self(unsafe { $from_bits($shift::<23>($bits(self.0))) })
                }

                #[inline(always)]
                fn multiply<const K: usize, const C: usize, const ADDS: bool>(
                    pixels: &[Pixel<K>; GROUP],
                    matrix: &[Pixel<C>; K],
                    out: &mut [Pixel<C>; GROUP],
                ) {
                    // Two vectors divide any number of channels that a net has.
                    if C.is_multiple_of($vectors * $lanes) {
                        multiply::<Self, $places, $vectors, K, C, ADDS>(pixels, matrix, out);
                    } else {
                        multiply::<Self, $places, 2, K, C, ADDS>(pixels, matrix, out);
                    }
                }
            }
        };
    }

    // Of 16 registers, 8 are sums: of 12, a compiler keeps one in memory. Of 32, 24 are.
    vector!(
        Avx2(__m256), 8, 4 by 2,
        _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_add_ps, _mm256_sub_ps, _mm256_mul_ps, _mm256_div_ps,
        _mm256_fmadd_ps, _mm256_min_ps, _mm256_max_ps,
        _mm256_castps_si256, _mm256_slli_epi32, _mm256_castsi256_ps
    );
    vector!(
        Avx512(__m512), 16, 8 by 3,
        _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_add_ps, _mm512_sub_ps, _mm512_mul_ps, _mm512_div_ps,
        _mm512_fmadd_ps, _mm512_min_ps, _mm512_max_ps,
        _mm512_castps_si512, _mm512_slli_epi32, _mm512_castsi512_ps
    );
}

#[cfg(test)]
mod tests {
    use super::super::cpu::{Cpu, Kernel};
    use super::*;

    /// Works each operation once, for each channel of two places.
    struct Each<'a>([Pixel<48>; 2], &'a mut [Pixel<48>; 9]);

    impl Kernel for Each<'_> {
        #[inline(always)]
        fn run<V: Vector>(self) {
            for at in (0..48).step_by(V::LANES) {
                let [a, b] = [V::load(&self.0[0], at), V::load(&self.0[1], at)];
                let (third, eighth) = (V::splat(3.0), V::splat(f32::from_bits(130)));
                let results = [
                    a.plus(b),
                    a.minus(b),
                    a.times(b),
                    a.over(b),
                    a.times_plus(b, third),
                    a.clamped(1.5),
                    a.positive(),
                    third,
                    eighth.raised(),
                ];
                for n in 0..results.len() {
                    results[n].store(&mut self.1[n], at);
                }
            }
        }
    }

    /// Multiplies places by a matrix, and adds it once more.
    struct Twice<'a, const C: usize>(&'a [Pixel<5>; GROUP], &'a [Pixel<C>; 5], &'a mut [Pixel<C>; GROUP]);

    impl<const C: usize> Kernel for Twice<'_, C> {
        #[inline(always)]
        fn run<V: Vector>(self) {
            V::multiply::<5, C, false>(self.0, self.1, self.2);
            V::multiply::<5, C, true>(self.0, self.1, self.2);
        }
    }

    /// Returns small fractions of two: sums and products of them are exact.
    fn pixel<const C: usize>(seed: usize) -> Pixel<C> {
        let number = |n: usize| u8::try_from((seed * 31 + n * 17) % 64).unwrap();
        Pixel(std::array::from_fn(|n| (f32::from(number(n)) - 31.5) / 8.0))
    }

    #[test]
    fn each_operation_gives_the_same_on_all_processors() {
        let places = [pixel(1), pixel(2)];
        for cpu in Cpu::all() {
            let mut found = [Pixel::ZERO; 9];
            cpu.run(Each(places, &mut found));
            for n in 0..48 {
                let (a, b) = (places[0].0[n], places[1].0[n]);
                let expected = [a + b, a - b, a * b, a / b, a * b + 3.0, a.clamp(-1.5, 1.5), a.max(0.0), 3.0, 8.0];
                let found = found.map(|result| result.0[n].to_bits());
                assert_eq!(found, expected.map(f32::to_bits), "{cpu:?}, channel {n}");
            }
        }
    }

    #[test]
    fn a_product_is_the_sum_over_all_inputs() {
        product::<48>();
        product::<64>();
    }

    fn product<const C: usize>() {
        let (places, matrix): ([Pixel<5>; GROUP], [Pixel<C>; 5]) =
            (std::array::from_fn(pixel), std::array::from_fn(|n| pixel(n + 50)));
        for cpu in Cpu::all() {
            let mut found = [Pixel([7.0; C]); GROUP];
            cpu.run(Twice(&places, &matrix, &mut found));
            for (n, found) in found.iter().enumerate() {
                for channel in 0..C {
                    let sum: f32 = (0..5).map(|k| places[n].0[k] * matrix[k].0[channel]).sum();
                    let expected = (2.0 * sum).to_bits();
                    assert_eq!(found.0[channel].to_bits(), expected, "{cpu:?}, {C}: place {n}, channel {channel}");
                }
            }
        }
    }
}
