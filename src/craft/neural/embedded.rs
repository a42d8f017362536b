//! The net that comes with stockmill: `models/NOTICE.txt` says where its weights are from.

use super::net::Net;

/// The published weights, which keep everything.
const BASE: &[u8] = include_bytes!("../../../models/span_x4_48_base.spanw");
/// Those trained further on worse pictures, which restore.
const FINE: &[u8] = include_bytes!("../../../models/span_x4_48_fine.spanw");

impl Net {
    /// Returns the net that comes with stockmill, from keeping everything (0) to restoring (100).
    pub fn embedded(restore: u8) -> Self {
        Self::mixed(BASE, FINE, f32::from(restore.min(100)) / 100.0).expect("they were checked when they were taken in")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_are_those_that_the_notice_names() {
        let notice = include_str!("../../../models/NOTICE.txt");
        let cases = [
            ("span_x4_48_base.spanw", BASE, "15b90c75f41b897e307fdcd7b23b5a172fc389b10ac2dafc086d2368bf895175"),
            ("span_x4_48_fine.spanw", FINE, "2a1bf243d45ea7dc33e4ac5884a9ad63939d471c4d43bf4752976183fb8db959"),
        ];
        for (name, bytes, hash) in cases {
            assert!(notice.contains(name), "{name}");
            assert_eq!(blake3::hash(bytes).to_hex().as_str(), hash, "{name}");
        }
    }
}
