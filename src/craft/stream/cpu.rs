//! One code, compiled for several processors.

use super::LANES;
#[cfg(target_arch = "x86_64")]
use super::lanes::Avx2;
use super::lanes::Lanes;

/// Which instructions a kernel is compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cpu {
    /// Those that every processor of its kind has.
    Any,
    /// AVX2 and what came with it.
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Cpu {
    /// Returns the best that this processor has.
    pub(super) fn best() -> Self {
        Self::all().pop().unwrap_or(Self::Any)
    }

    /// Returns all that this processor has, the best last.
    pub(super) fn all() -> Vec<Self> {
        #[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut, reason = "one of several"))]
        let mut all = vec![Self::Any];
        #[cfg(target_arch = "x86_64")]
        {
            let has_bits = is_x86_feature_detected!("bmi1") && is_x86_feature_detected!("bmi2");
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("lzcnt") && has_bits {
                all.push(Self::Avx2);
            }
        }
        all
    }

    /// Runs a kernel: `kernel` and all that it calls must be inlined, so that it is compiled for the processor.
    #[inline]
    pub(super) fn run<K: Kernel>(self, kernel: K) -> K::Out {
        match self {
            Self::Any => kernel.run::<[f32; LANES]>(),
            #[cfg(target_arch = "x86_64")]
            #[expect(unsafe_code, reason = "these values exist only where the processor has the instructions")]
            // SAFETY: `all` found all features that the function is compiled for.
            Self::Avx2 => unsafe { avx2(kernel) },
        }
    }
}

/// Work that is compiled for several processors; `run` is marked `#[inline(always)]`.
pub(super) trait Kernel {
    type Out;
    fn run<L: Lanes>(self) -> Self::Out;
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn avx2<K: Kernel>(kernel: K) -> K::Out {
    kernel.run::<Avx2>()
}
