//! The net that comes with stockmill: `models/NOTICE.txt` says where its weights are from.

use super::net::Net;

/// The published weights, which keep everything, and those trained further on worse pictures, which restore.
#[cfg(feature = "embedded-net")]
const FILES: Option<[&[u8]; 2]> = Some([
    include_bytes!("../../../models/span_x4_48_base.spanw"),
    include_bytes!("../../../models/span_x4_48_fine.spanw"),
]);
#[cfg(not(feature = "embedded-net"))]
const FILES: Option<[&[u8]; 2]> = None;

impl Net {
    /// Returns the net that comes with stockmill, from keeping everything (0) to restoring (100); `None` if it was built
    /// without.
    pub fn embedded(restore: u8) -> Option<Self> {
        let [base, fine] = FILES?;
        let share = f32::from(restore.min(100)) / 100.0;
        Some(Self::mixed(base, fine, share).expect("they were checked when they were taken in"))
    }
}

#[cfg(all(test, feature = "embedded-net"))]
mod tests {
    use super::*;

    #[test]
    fn the_weights_are_those_that_the_notice_names() {
        let [base, fine] = FILES.unwrap();
        let notice = include_str!("../../../models/NOTICE.txt");
        let cases = [
            ("span_x4_48_base.spanw", base, "15b90c75f41b897e307fdcd7b23b5a172fc389b10ac2dafc086d2368bf895175"),
            ("span_x4_48_fine.spanw", fine, "2a1bf243d45ea7dc33e4ac5884a9ad63939d471c4d43bf4752976183fb8db959"),
        ];
        for (name, bytes, hash) in cases {
            assert!(notice.contains(name), "{name}");
            assert_eq!(blake3::hash(bytes).to_hex().as_str(), hash, "{name}");
        }
    }
}
