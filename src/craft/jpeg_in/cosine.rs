//! The inverse cosine transform in whole numbers of Loeffler, Ligtenberg and Moschytz, as the reference decoder does it:
//! one code for eight numbers at once, plainly and with AVX2. Both give the same bits.

/// How many fraction bits the factors of the transform have, and what lies between its two passes.
const FACTOR_BITS: i32 = 13;
const PASS_BITS: i32 = 2;

/// Turns coefficients, which are already multiplied by their quantisers, into the samples of a block. Each of its
/// rows begins `stride` samples behind the one before it.
#[cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "the processor's own instructions take a third of the time of plain code")
)]
pub(super) fn inverse(coefficients: &[i16; 64], out: &mut [u8], stride: usize) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, which is all that the function needs.
        return unsafe { avx2::inverse(coefficients, out, stride) };
    }
    inverse_by::<[i32; 8]>(coefficients, out, stride);
}

/// Eight numbers. What no encoder makes may overflow, and gives some sample then.
trait Whole: Copy {
    fn load(from: &[i16; 8]) -> Self;
    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
    fn times(self, factor: i32) -> Self;
    /// Adds a number to each, and divides them by `1 << BITS`.
    fn shifted<const BITS: i32>(self, plus: i32) -> Self;
    /// Turns rows into columns.
    fn transposed(rows: [Self; 8]) -> [Self; 8];
    /// Returns the rows of these columns as samples; what is beyond them ends at their bounds.
    fn samples(columns: [Self; 8]) -> [[u8; 8]; 8];
}

#[inline(always)]
fn inverse_by<W: Whole>(coefficients: &[i16; 64], out: &mut [u8], stride: usize) {
    const BEFORE: i32 = FACTOR_BITS - PASS_BITS;
    const BEHIND: i32 = FACTOR_BITS + PASS_BITS + 3;
    let (rows, _) = coefficients.as_chunks::<8>();
    let mut block = [W::load(&rows[0]); 8];
    for y in 1..8 {
        block[y] = W::load(&rows[y]);
    }
    // Samples are around zero up to here.
    let columns = W::transposed(pass::<W, BEFORE>(block, 1 << (BEFORE - 1)));
    let samples = W::samples(pass::<W, BEHIND>(columns, (1 << (BEHIND - 1)) + (128 << BEHIND)));
    for y in 0..8 {
        out[y * stride..][..8].copy_from_slice(&samples[y]);
    }
}

/// Transforms eight columns, adds a number, and divides them by `1 << BITS`.
#[inline(always)]
fn pass<W: Whole, const BITS: i32>(c: [W; 8], plus: i32) -> [W; 8] {
    let turn = c[2].plus(c[6]).times(4433);
    let (low, high) = (turn.minus(c[6].times(15_137)), turn.plus(c[2].times(6270)));
    let (sum, difference) = (c[0].plus(c[4]).times(1 << FACTOR_BITS), c[0].minus(c[4]).times(1 << FACTOR_BITS));
    let even = [sum.plus(high), difference.plus(low), difference.minus(low), sum.minus(high)];

    let (z3, z4) = (c[7].plus(c[3]), c[5].plus(c[1]));
    let z5 = z3.plus(z4).times(9633);
    let (z1, z2) = (c[7].plus(c[1]).times(-7373), c[5].plus(c[3]).times(-20_995));
    let (z3, z4) = (z3.times(-16_069).plus(z5), z4.times(-3196).plus(z5));
    let odd = [
        c[1].times(12_299).plus(z1.plus(z4)),
        c[3].times(25_172).plus(z2.plus(z3)),
        c[5].times(16_819).plus(z2.plus(z4)),
        c[7].times(2446).plus(z1.plus(z3)),
    ];
    let mut out = c;
    for n in 0..4 {
        out[n] = even[n].plus(odd[n]).shifted::<BITS>(plus);
        out[7 - n] = even[n].minus(odd[n]).shifted::<BITS>(plus);
    }
    out
}

impl Whole for [i32; 8] {
    #[inline(always)]
    fn load(from: &[i16; 8]) -> Self {
        from.map(i32::from)
    }

    #[inline(always)]
    fn plus(mut self, other: Self) -> Self {
        (0..8).for_each(|n| self[n] = self[n].wrapping_add(other[n]));
        self
    }

    #[inline(always)]
    fn minus(mut self, other: Self) -> Self {
        (0..8).for_each(|n| self[n] = self[n].wrapping_sub(other[n]));
        self
    }

    #[inline(always)]
    fn times(self, factor: i32) -> Self {
        self.map(|value| value.wrapping_mul(factor))
    }

    #[inline(always)]
    fn shifted<const BITS: i32>(self, plus: i32) -> Self {
        self.map(|value| value.wrapping_add(plus) >> BITS)
    }

    #[inline(always)]
    fn transposed(rows: [Self; 8]) -> [Self; 8] {
        std::array::from_fn(|x| std::array::from_fn(|y| rows[y][x]))
    }

    #[inline(always)]
    #[expect(clippy::cast_sign_loss, reason = "it is within a byte")]
    fn samples(columns: [Self; 8]) -> [[u8; 8]; 8] {
        std::array::from_fn(|y| std::array::from_fn(|x| columns[x][y].clamp(0, 255) as u8))
    }
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the processor's own instructions; a compiler makes three times as many of plain code")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm_loadu_si128, _mm256_add_epi32, _mm256_cvtepi16_epi32, _mm256_mullo_epi32, _mm256_packs_epi32,
        _mm256_packus_epi16, _mm256_permute2x128_si256, _mm256_set1_epi32, _mm256_setr_epi8, _mm256_shuffle_epi8,
        _mm256_srai_epi32, _mm256_storeu_si256, _mm256_sub_epi32, _mm256_unpackhi_epi32, _mm256_unpackhi_epi64,
        _mm256_unpacklo_epi32, _mm256_unpacklo_epi64,
    };

    use super::{Whole, inverse_by};

    #[target_feature(enable = "avx2")]
    pub(super) fn inverse(coefficients: &[i16; 64], out: &mut [u8], stride: usize) {
        inverse_by::<Avx2>(coefficients, out, stride);
    }

    /// Eight numbers in one register. Values are made within [`inverse`] alone, where the processor has AVX2: that is
    /// what makes each call below sound. Loads and stores are of whole arrays.
    #[derive(Clone, Copy)]
    struct Avx2(__m256i);

    impl Whole for Avx2 {
        #[inline(always)]
        fn load(from: &[i16; 8]) -> Self {
            Self(unsafe { _mm256_cvtepi16_epi32(_mm_loadu_si128(from.as_ptr().cast())) })
        }

        #[inline(always)]
        fn plus(self, other: Self) -> Self {
            Self(unsafe { _mm256_add_epi32(self.0, other.0) })
        }

        #[inline(always)]
        fn minus(self, other: Self) -> Self {
            Self(unsafe { _mm256_sub_epi32(self.0, other.0) })
        }

        #[inline(always)]
        fn times(self, factor: i32) -> Self {
            Self(unsafe { _mm256_mullo_epi32(self.0, _mm256_set1_epi32(factor)) })
        }

        #[inline(always)]
        fn shifted<const BITS: i32>(self, plus: i32) -> Self {
            Self(unsafe { _mm256_srai_epi32::<BITS>(_mm256_add_epi32(self.0, _mm256_set1_epi32(plus))) })
        }

        #[inline(always)]
        fn transposed(rows: [Self; 8]) -> [Self; 8] {
            let [r0, r1, r2, r3, r4, r5, r6, r7] = rows;
            unsafe {
                let (a0, a1) = (_mm256_unpacklo_epi32(r0.0, r1.0), _mm256_unpackhi_epi32(r0.0, r1.0));
                let (a2, a3) = (_mm256_unpacklo_epi32(r2.0, r3.0), _mm256_unpackhi_epi32(r2.0, r3.0));
                let (a4, a5) = (_mm256_unpacklo_epi32(r4.0, r5.0), _mm256_unpackhi_epi32(r4.0, r5.0));
                let (a6, a7) = (_mm256_unpacklo_epi32(r6.0, r7.0), _mm256_unpackhi_epi32(r6.0, r7.0));
                let (b0, b1) = (_mm256_unpacklo_epi64(a0, a2), _mm256_unpackhi_epi64(a0, a2));
                let (b2, b3) = (_mm256_unpacklo_epi64(a1, a3), _mm256_unpackhi_epi64(a1, a3));
                let (b4, b5) = (_mm256_unpacklo_epi64(a4, a6), _mm256_unpackhi_epi64(a4, a6));
                let (b6, b7) = (_mm256_unpacklo_epi64(a5, a7), _mm256_unpackhi_epi64(a5, a7));
                [
                    Self(_mm256_permute2x128_si256::<0x20>(b0, b4)),
                    Self(_mm256_permute2x128_si256::<0x20>(b1, b5)),
                    Self(_mm256_permute2x128_si256::<0x20>(b2, b6)),
                    Self(_mm256_permute2x128_si256::<0x20>(b3, b7)),
                    Self(_mm256_permute2x128_si256::<0x31>(b0, b4)),
                    Self(_mm256_permute2x128_si256::<0x31>(b1, b5)),
                    Self(_mm256_permute2x128_si256::<0x31>(b2, b6)),
                    Self(_mm256_permute2x128_si256::<0x31>(b3, b7)),
                ]
            }
        }

        /// Four columns become bytes of one register: the upper half of each lies in the upper half of it.
        #[inline(always)]
        #[rustfmt::skip]
        fn samples(columns: [Self; 8]) -> [[u8; 8]; 8] {
            let [c0, c1, c2, c3, c4, c5, c6, c7] = columns;
            let mut rows = [[0; 8]; 8];
            unsafe {
                let turn = _mm256_setr_epi8(
                    0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15,
                    0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15,
                );
                let left = _mm256_packus_epi16(_mm256_packs_epi32(c0.0, c1.0), _mm256_packs_epi32(c2.0, c3.0));
                let right = _mm256_packus_epi16(_mm256_packs_epi32(c4.0, c5.0), _mm256_packs_epi32(c6.0, c7.0));
                let (left, right) = (_mm256_shuffle_epi8(left, turn), _mm256_shuffle_epi8(right, turn));
                let (low, high) = (_mm256_unpacklo_epi32(left, right), _mm256_unpackhi_epi32(left, right));
                // Rows 0, 1, 4 and 5 are in the one, and 2, 3, 6 and 7 in the other.
                let (top, bottom) = rows.split_at_mut(4);
                _mm256_storeu_si256(top.as_mut_ptr().cast(), _mm256_permute2x128_si256::<0x20>(low, high));
                _mm256_storeu_si256(bottom.as_mut_ptr().cast(), _mm256_permute2x128_si256::<0x31>(low, high));
            }
            rows
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns bytes that look random.
    fn noise(count: usize, mut state: u32) -> Vec<u8> {
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        };
        (0..count).map(|_| next()).collect()
    }

    /// The plain form is the reference for what the processor's own instructions give.
    #[test]
    fn both_forms_give_the_same() {
        for seed in 0..200 {
            let bytes = noise(128, seed);
            let bits = 16 - seed % 16;
            let mut coefficients = [0_i16; 64];
            for (value, pair) in coefficients.iter_mut().zip(bytes.as_chunks::<2>().0) {
                *value = i16::from_le_bytes(*pair) >> (16 - bits);
            }
            let (mut plain, mut best) = ([0; 7 * 9 + 8], [0; 7 * 9 + 8]);
            inverse_by::<[i32; 8]>(&coefficients, &mut plain, 9);
            inverse(&coefficients, &mut best, 9);
            assert_eq!(plain, best, "{coefficients:?}");
        }
    }

    /// The exact transform in floats: no sample is off by more than one.
    #[test]
    fn the_transform_is_that_of_the_standard() {
        for seed in 0..50 {
            let mut coefficients = [0_i16; 64];
            for (value, byte) in coefficients.iter_mut().zip(noise(64, seed)) {
                *value = i16::from(byte.cast_signed());
            }
            let mut samples = [0; 64];
            inverse(&coefficients, &mut samples, 8);
            for (at, sample) in samples.iter().enumerate() {
                let exact = exact_sample(&coefficients, at % 8, at / 8);
                assert!((exact - f64::from(*sample)).abs() <= 1.0, "{at}: {exact} {sample}");
            }
        }
    }

    fn exact_sample(coefficients: &[i16; 64], x: usize, y: usize) -> f64 {
        let wave = |at: usize, frequency: usize| {
            let scale = if frequency == 0 { 0.5_f64.sqrt() } else { 1.0 };
            let turns = u32::try_from((2 * at + 1) * frequency).unwrap();
            scale * (f64::from(turns) * std::f64::consts::PI / 16.0).cos()
        };
        let all = coefficients.iter().enumerate();
        let sum: f64 = all.map(|(at, value)| f64::from(*value) * wave(x, at % 8) * wave(y, at / 8)).sum();
        (sum / 4.0 + 128.0).clamp(0.0, 255.0)
    }
}
