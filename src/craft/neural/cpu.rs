//! One code, compiled for several processors.

#[cfg(target_arch = "x86_64")]
use super::vector::{Avx2, Avx512};
use super::vector::{Plain, Vector};

/// Which instructions the net is worked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cpu {
    /// Those that every processor of its kind has.
    Any,
    /// AVX2 and fused multiplication.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Cpu {
    /// Returns the best that this processor has.
    pub fn best() -> Self {
        Self::all().pop().unwrap_or(Self::Any)
    }

    /// Returns all that this processor has, the best last.
    pub fn all() -> Vec<Self> {
        #[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut, reason = "one of several"))]
        let mut all = vec![Self::Any];
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            all.push(Self::Avx2);
            if is_x86_feature_detected!("avx512f") {
                all.push(Self::Avx512);
            }
        }
        all
    }

    /// Runs a kernel: `kernel` and all that it calls must be inlined, so that it is compiled for the processor.
    #[inline]
    #[cfg_attr(
        target_arch = "x86_64",
        expect(unsafe_code, reason = "the same safe code, compiled for the instructions that the processor has")
    )]
    pub(super) fn run<K: Kernel>(self, kernel: K) {
        match self {
            Self::Any => kernel.run::<Plain>(),
            // SAFETY: both are asked for, at each call, because anyone can name these values.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 if is_x86_feature_detected!("avx512f") => unsafe { avx512(kernel) },
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") => unsafe {
                avx2(kernel);
            },
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 | Self::Avx512 => kernel.run::<Plain>(),
        }
    }
}

/// Work that is compiled for several processors; `run` is marked `#[inline(always)]`.
pub(super) trait Kernel {
    fn run<V: Vector>(self);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2<K: Kernel>(kernel: K) {
    kernel.run::<Avx2>();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn avx512<K: Kernel>(kernel: K) {
    kernel.run::<Avx512>();
}
