//! The loops over many values that take most of a picture's time. Each is plain code that the compiler turns into
//! vectors, and is compiled once more for processors with AVX2.

/// The samples of a block, or its coefficients as numbers of the transform.
type Block = [[i32; 8]; 8];

/// How many fraction bits the factors of the transform have, and what lies between its two passes.
const FACTOR_BITS: u32 = 13;
const PASS_BITS: u32 = 2;

/// Defines `name` as `plain`, compiled for the best that the processor has.
macro_rules! kernel {
    ($(#[$doc:meta])* $name:ident, $plain:ident, $avx2:ident, ($($argument:ident: $kind:ty),*)) => {
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2")]
        fn $avx2($($argument: $kind),*) {
            $plain($($argument),*);
        }

        $(#[$doc])*
        #[cfg_attr(
            target_arch = "x86_64",
            expect(unsafe_code, reason = "the same safe code, compiled for AVX2, is a third faster or more")
        )]
        pub(super) fn $name($($argument: $kind),*) {
            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("avx2") {
                // SAFETY: the processor has AVX2, which is all that the function needs.
                return unsafe { $avx2($($argument),*) };
            }
            $plain($($argument),*);
        }
    };
}

kernel! {
    /// Turns coefficients, which are already multiplied by their quantisers, into the samples of a block. Each of its
    /// rows begins `stride` samples behind the one before it.
    inverse, inverse_plain, inverse_avx2, (coefficients: &[i16; 64], out: &mut [u8], stride: usize)
}
kernel! {
    /// Doubles a row's width: three parts of the nearer sample, one of the next.
    widen, widen_plain, widen_avx2, (row: &[u8], out: &mut [u8])
}
kernel! {
    /// Makes a row between two: three parts of the nearer one, one of the other. `bias` rounds up or down.
    between, between_plain, between_avx2, (near: &[u8], far: &[u8], bias: u16, out: &mut [u8])
}
kernel! {
    /// Makes a row of double width between two rows; `sums` is room for a row.
    widen_between, widen_between_plain, widen_between_avx2,
    (near: &[u8], far: &[u8], sums: &mut [u16], out: &mut [u8])
}
kernel! {
    /// Turns brightness and two colour differences into red, green and blue.
    rgb, rgb_plain, rgb_avx2, (rows: [&[u8]; 3], out: &mut [u8])
}

/// The inverse transform in whole numbers of Loeffler, Ligtenberg and Moschytz, as the reference decoder does it.
#[inline(always)]
fn inverse_plain(coefficients: &[i16; 64], out: &mut [u8], stride: usize) {
    let mut block = [[0; 8]; 8];
    for (row, values) in block.iter_mut().zip(coefficients.as_chunks::<8>().0) {
        *row = values.map(i32::from);
    }
    let block = pass(&block, FACTOR_BITS - PASS_BITS);
    let block = pass(&transposed(&block), FACTOR_BITS + PASS_BITS + 3);
    let block = transposed(&block);
    for (out, row) in out.chunks_mut(stride).zip(&block) {
        out[..8].copy_from_slice(&row.map(sample));
    }
}

/// Returns a value around zero as a sample.
#[inline(always)]
fn sample(value: i32) -> u8 {
    byte(value.wrapping_add(128))
}

#[inline(always)]
#[expect(clippy::cast_sign_loss, reason = "it is within a byte")]
fn byte(value: i32) -> u8 {
    value.clamp(0, 255) as u8
}

#[inline(always)]
fn transposed(block: &Block) -> Block {
    let mut turned = [[0; 8]; 8];
    for (y, row) in block.iter().enumerate() {
        for (x, value) in row.iter().enumerate() {
            turned[x][y] = *value;
        }
    }
    turned
}

/// Transforms all columns, and divides them by `1 << shift`.
#[inline(always)]
fn pass(block: &Block, shift: u32) -> Block {
    let mut out = [[0; 8]; 8];
    for x in 0..8 {
        let column = column([0, 1, 2, 3, 4, 5, 6, 7].map(|y| block[y][x]));
        for (row, value) in out.iter_mut().zip(column) {
            row[x] = value.wrapping_add(1 << (shift - 1)) >> shift;
        }
    }
    out
}

/// Transforms a column. What no encoder makes may overflow, and gives some sample then.
#[inline(always)]
fn column(c: [i32; 8]) -> [i32; 8] {
    let (add, sub, mul) = (i32::wrapping_add, i32::wrapping_sub, i32::wrapping_mul);
    let turn = mul(add(c[2], c[6]), 4433);
    let (low, high) = (sub(turn, mul(c[6], 15_137)), add(turn, mul(c[2], 6270)));
    let (sum, difference) = (mul(add(c[0], c[4]), 1 << FACTOR_BITS), mul(sub(c[0], c[4]), 1 << FACTOR_BITS));
    let even = [add(sum, high), add(difference, low), sub(difference, low), sub(sum, high)];

    let (z3, z4) = (add(c[7], c[3]), add(c[5], c[1]));
    let z5 = mul(add(z3, z4), 9633);
    let (z1, z2) = (mul(add(c[7], c[1]), -7373), mul(add(c[5], c[3]), -20_995));
    let (z3, z4) = (add(mul(z3, -16_069), z5), add(mul(z4, -3196), z5));
    let odd = [
        add(mul(c[1], 12_299), add(z1, z4)),
        add(mul(c[3], 25_172), add(z2, z3)),
        add(mul(c[5], 16_819), add(z2, z4)),
        add(mul(c[7], 2446), add(z1, z3)),
    ];
    [
        add(even[0], odd[0]),
        add(even[1], odd[1]),
        add(even[2], odd[2]),
        add(even[3], odd[3]),
        sub(even[3], odd[3]),
        sub(even[2], odd[2]),
        sub(even[1], odd[1]),
        sub(even[0], odd[0]),
    ]
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "a mean of samples is a sample")]
fn widen_plain(row: &[u8], out: &mut [u8]) {
    let (Some(first), Some(last)) = (row.first(), row.last()) else { return };
    let wide = |near: u8, far: u8, bias: u16| ((3 * u16::from(near) + u16::from(far) + bias) >> 2) as u8;
    let (pairs, _) = out.as_chunks_mut::<2>();
    for ((pair, far), near) in pairs[1..].iter_mut().zip(row).zip(&row[1..]) {
        pair[0] = wide(*near, *far, 1);
    }
    for ((pair, near), far) in pairs.iter_mut().zip(row).zip(&row[1..]) {
        pair[1] = wide(*near, *far, 2);
    }
    (pairs[0][0], pairs[row.len() - 1][1]) = (*first, *last);
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "a mean of samples is a sample")]
fn between_plain(near: &[u8], far: &[u8], bias: u16, out: &mut [u8]) {
    for ((out, near), far) in out.iter_mut().zip(near).zip(far) {
        *out = ((3 * u16::from(*near) + u16::from(*far) + bias) >> 2) as u8;
    }
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "a mean of samples is a sample")]
fn widen_between_plain(near: &[u8], far: &[u8], sums: &mut [u16], out: &mut [u8]) {
    for ((sum, near), far) in sums.iter_mut().zip(near).zip(far) {
        *sum = 3 * u16::from(*near) + u16::from(*far);
    }
    let (Some(first), Some(last)) = (sums.first(), sums.last()) else { return };
    let (pairs, _) = out.as_chunks_mut::<2>();
    let (start, end) = ((4 * first + 8) >> 4, (4 * last + 7) >> 4);
    for ((pair, far), near) in pairs[1..].iter_mut().zip(&*sums).zip(&sums[1..]) {
        pair[0] = ((3 * near + far + 8) >> 4) as u8;
    }
    for ((pair, near), far) in pairs.iter_mut().zip(&*sums).zip(&sums[1..]) {
        pair[1] = ((3 * near + far + 7) >> 4) as u8;
    }
    (pairs[0][0], pairs[sums.len() - 1][1]) = (start as u8, end as u8);
}

/// The factors are those of JFIF with 16 fraction bits.
#[inline(always)]
fn rgb_plain([y, blue, red]: [&[u8]; 3], out: &mut [u8]) {
    const HALF: i32 = 1 << 15;
    let (pixels, _) = out.as_chunks_mut::<3>();
    for (((pixel, y), blue), red) in pixels.iter_mut().zip(y).zip(blue).zip(red) {
        let [y, blue, red] = [*y, *blue, *red].map(i32::from);
        let (blue, red) = (blue - 128, red - 128);
        *pixel = [
            byte(y + ((91_881 * red + HALF) >> 16)),
            byte(y + ((HALF - 22_554 * blue - 46_802 * red) >> 16)),
            byte(y + ((116_130 * blue + HALF) >> 16)),
        ];
    }
}

#[cfg(test)]
#[expect(unsafe_code, reason = "both forms of each kernel are compared")]
#[cfg(target_arch = "x86_64")]
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

    #[test]
    fn both_forms_of_a_kernel_give_the_same() {
        if !is_x86_feature_detected!("avx2") {
            return;
        }
        for seed in 0..200 {
            let bytes = noise(128, seed);
            let bits = 16 - seed % 16;
            let mut coefficients = [0_i16; 64];
            for (value, pair) in coefficients.iter_mut().zip(bytes.as_chunks::<2>().0) {
                *value = i16::from_le_bytes(*pair) >> (16 - bits);
            }
            let (mut plain, mut fast) = ([0; 7 * 9 + 8], [0; 7 * 9 + 8]);
            inverse_plain(&coefficients, &mut plain, 9);
            // SAFETY: the processor has AVX2, as was asked above.
            unsafe { inverse_avx2(&coefficients, &mut fast, 9) };
            assert_eq!(plain, fast, "{coefficients:?}");
        }
        for width in 1..100 {
            let rows = [1, 2, 3].map(|row| noise(width, row + 10 * u32::try_from(width).unwrap()));
            let [near, far, third] = [&rows[0][..], &rows[1], &rows[2]];
            // What the plain form gives, and what the processor's own instructions give.
            let new = || [0; 4].map(|_: i32| vec![0; 3 * width]);
            let (mut plain, mut fast) = (new(), new());
            let mut sums = vec![0; width];
            widen_plain(near, &mut plain[0]);
            between_plain(near, far, 1, &mut plain[1]);
            widen_between_plain(near, far, &mut sums, &mut plain[2]);
            rgb_plain([near, far, third], &mut plain[3]);
            // SAFETY: the processor has AVX2, as was asked above.
            unsafe {
                widen_avx2(near, &mut fast[0]);
                between_avx2(near, far, 1, &mut fast[1]);
                widen_between_avx2(near, far, &mut sums, &mut fast[2]);
                rgb_avx2([near, far, third], &mut fast[3]);
            }
            assert_eq!(plain, fast, "{width}");
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
