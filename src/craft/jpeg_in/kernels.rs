//! The loops over many values that take most of a picture's time. Each is plain code that the compiler turns into
//! vectors, and is compiled once more for processors with AVX2.

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

#[inline(always)]
#[expect(clippy::cast_sign_loss, reason = "it is within a byte")]
fn byte(value: i32) -> u8 {
    value.clamp(0, 255) as u8
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
}
