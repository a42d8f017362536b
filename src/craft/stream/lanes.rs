//! Arithmetic on eight numbers at once: plainly, and with AVX2. Both give the same bits: no step is fused, and both
//! round to the nearest even number.

use super::LANES;

/// Eight numbers.
pub(super) trait Lanes: Copy {
    fn splat(value: f32) -> Self;
    fn load(from: &[f32; LANES]) -> Self;
    fn store(self, to: &mut [f32; LANES]);
    /// Returns each channel of eight pixels of three bytes.
    fn channels(pixels: &[u8; 3 * LANES]) -> [Self; 3];
    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
    fn clamped(self, low: Self, high: Self) -> Self;
    /// Turns rows into columns.
    fn transposed(rows: [Self; LANES]) -> [Self; LANES];
    /// Writes the nearest whole numbers, which have at most 16 bits; returns which of them are not zero.
    fn store_rounded(self, to: &mut [i16; LANES]) -> u8;
}

impl Lanes for [f32; LANES] {
    #[inline(always)]
    fn splat(value: f32) -> Self {
        [value; LANES]
    }

    #[inline(always)]
    fn load(from: &[f32; LANES]) -> Self {
        *from
    }

    #[inline(always)]
    fn store(self, to: &mut [f32; LANES]) {
        *to = self;
    }

    #[inline(always)]
    fn channels(pixels: &[u8; 3 * LANES]) -> [Self; 3] {
        std::array::from_fn(|channel| std::array::from_fn(|n| f32::from(pixels[n * 3 + channel])))
    }

    #[inline(always)]
    fn plus(mut self, other: Self) -> Self {
        (0..LANES).for_each(|n| self[n] += other[n]);
        self
    }

    #[inline(always)]
    fn minus(mut self, other: Self) -> Self {
        (0..LANES).for_each(|n| self[n] -= other[n]);
        self
    }

    #[inline(always)]
    fn times(mut self, other: Self) -> Self {
        (0..LANES).for_each(|n| self[n] *= other[n]);
        self
    }

    #[inline(always)]
    fn clamped(mut self, low: Self, high: Self) -> Self {
        (0..LANES).for_each(|n| self[n] = self[n].max(low[n]).min(high[n]));
        self
    }

    #[inline(always)]
    fn transposed(rows: [Self; LANES]) -> [Self; LANES] {
        std::array::from_fn(|x| std::array::from_fn(|y| rows[y][x]))
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "at most 16 bits are asked for")]
    fn store_rounded(self, to: &mut [i16; LANES]) -> u8 {
        *to = self.map(|value| value.round_ties_even() as i16);
        (0..LANES).fold(0, |filled, n| filled | u8::from(to[n] != 0) << n)
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use avx2::Avx2;

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the processor's own instructions; a compiler makes four times as many of plain code")]
mod avx2 {
    use std::arch::x86_64::{
        __m256, _mm_loadu_si128, _mm_or_si128, _mm_packs_epi32, _mm_shuffle_epi8, _mm_storeu_si128, _mm256_add_ps,
        _mm256_castsi256_ps, _mm256_castsi256_si128, _mm256_cmpeq_epi32, _mm256_cvtepi32_ps, _mm256_cvtepu8_epi32,
        _mm256_cvtps_epi32, _mm256_extracti128_si256, _mm256_loadu_ps, _mm256_max_ps, _mm256_min_ps,
        _mm256_movemask_ps, _mm256_mul_ps, _mm256_permute2f128_ps, _mm256_set1_ps, _mm256_setzero_si256,
        _mm256_shuffle_ps, _mm256_storeu_ps, _mm256_sub_ps, _mm256_unpackhi_ps, _mm256_unpacklo_ps,
    };

    use super::{LANES, Lanes};

    /// Eight numbers in one register. Values are made by [`super::super::cpu::Cpu::run`] alone, where the processor has
    /// AVX2: that is what makes each call below sound. Loads and stores are of whole arrays.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Avx2(__m256);

    impl Lanes for Avx2 {
        #[inline(always)]
        fn splat(value: f32) -> Self {
            Self(unsafe { _mm256_set1_ps(value) })
        }

        #[inline(always)]
        fn load(from: &[f32; LANES]) -> Self {
            Self(unsafe { _mm256_loadu_ps(from.as_ptr()) })
        }

        #[inline(always)]
        fn store(self, to: &mut [f32; LANES]) {
            unsafe { _mm256_storeu_ps(to.as_mut_ptr(), self.0) }
        }

        #[inline(always)]
        fn channels(pixels: &[u8; 3 * LANES]) -> [Self; 3] {
            /// Which of the first 16 bytes are samples of a channel, and which of the last 16; -1 is none.
            const FIRST: [[i8; 16]; 3] = [
                [0, 3, 6, 9, 12, 15, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1],
                [1, 4, 7, 10, 13, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1],
                [2, 5, 8, 11, 14, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1],
            ];
            const LAST: [[i8; 16]; 3] = [
                [-1, -1, -1, -1, -1, -1, 10, 13, -1, -1, -1, -1, -1, -1, -1, -1],
                [-1, -1, -1, -1, -1, 8, 11, 14, -1, -1, -1, -1, -1, -1, -1, -1],
                [-1, -1, -1, -1, -1, 9, 12, 15, -1, -1, -1, -1, -1, -1, -1, -1],
            ];
            let mut channels = [Self::splat(0.0); 3];
            unsafe {
                let first = _mm_loadu_si128(pixels[..16].as_ptr().cast());
                let last = _mm_loadu_si128(pixels[8..].as_ptr().cast());
                for channel in 0..3 {
                    let first = _mm_shuffle_epi8(first, _mm_loadu_si128(FIRST[channel].as_ptr().cast()));
                    let last = _mm_shuffle_epi8(last, _mm_loadu_si128(LAST[channel].as_ptr().cast()));
                    let whole = _mm256_cvtepu8_epi32(_mm_or_si128(first, last));
                    channels[channel] = Self(_mm256_cvtepi32_ps(whole));
                }
            }
            channels
        }

        #[inline(always)]
        fn plus(self, other: Self) -> Self {
            Self(unsafe { _mm256_add_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn minus(self, other: Self) -> Self {
            Self(unsafe { _mm256_sub_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn times(self, other: Self) -> Self {
            Self(unsafe { _mm256_mul_ps(self.0, other.0) })
        }

        #[inline(always)]
        fn clamped(self, low: Self, high: Self) -> Self {
            Self(unsafe { _mm256_min_ps(_mm256_max_ps(self.0, low.0), high.0) })
        }

        #[inline(always)]
        fn transposed(rows: [Self; LANES]) -> [Self; LANES] {
            let [r0, r1, r2, r3, r4, r5, r6, r7] = rows;
            unsafe {
                let (a0, a1) = (_mm256_unpacklo_ps(r0.0, r1.0), _mm256_unpackhi_ps(r0.0, r1.0));
                let (a2, a3) = (_mm256_unpacklo_ps(r2.0, r3.0), _mm256_unpackhi_ps(r2.0, r3.0));
                let (a4, a5) = (_mm256_unpacklo_ps(r4.0, r5.0), _mm256_unpackhi_ps(r4.0, r5.0));
                let (a6, a7) = (_mm256_unpacklo_ps(r6.0, r7.0), _mm256_unpackhi_ps(r6.0, r7.0));
                let (b0, b1) = (_mm256_shuffle_ps::<0x44>(a0, a2), _mm256_shuffle_ps::<0xee>(a0, a2));
                let (b2, b3) = (_mm256_shuffle_ps::<0x44>(a1, a3), _mm256_shuffle_ps::<0xee>(a1, a3));
                let (b4, b5) = (_mm256_shuffle_ps::<0x44>(a4, a6), _mm256_shuffle_ps::<0xee>(a4, a6));
                let (b6, b7) = (_mm256_shuffle_ps::<0x44>(a5, a7), _mm256_shuffle_ps::<0xee>(a5, a7));
                [
                    Self(_mm256_permute2f128_ps::<0x20>(b0, b4)),
                    Self(_mm256_permute2f128_ps::<0x20>(b1, b5)),
                    Self(_mm256_permute2f128_ps::<0x20>(b2, b6)),
                    Self(_mm256_permute2f128_ps::<0x20>(b3, b7)),
                    Self(_mm256_permute2f128_ps::<0x31>(b0, b4)),
                    Self(_mm256_permute2f128_ps::<0x31>(b1, b5)),
                    Self(_mm256_permute2f128_ps::<0x31>(b2, b6)),
                    Self(_mm256_permute2f128_ps::<0x31>(b3, b7)),
                ]
            }
        }

        #[inline(always)]
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a mask of eight bits")]
        fn store_rounded(self, to: &mut [i16; LANES]) -> u8 {
            unsafe {
                let whole = _mm256_cvtps_epi32(self.0);
                let empty = _mm256_cmpeq_epi32(whole, _mm256_setzero_si256());
                let narrow = _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256::<1>(whole));
                _mm_storeu_si128(to.as_mut_ptr().cast(), narrow);
                !(_mm256_movemask_ps(_mm256_castsi256_ps(empty)) as u8)
            }
        }
    }
}
