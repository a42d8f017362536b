//! 3D models: what they name, and what proves that a picture beside them is none of their parts.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use stockmill::craft::{is_generated, references};

fuzz_target!(|bytes: &[u8]| {
    for extension in ["obj", "mtl", "gltf", "glb", "fbx", "dae", "blend", "ply", "usda", "usdc"] {
        let found = references(Cursor::new(bytes), bytes.len() as u64, extension);
        assert!(found.named.len() <= 4096);
        for reference in &found.named {
            assert!(!reference.readings.is_empty());
            assert!(reference.readings.iter().flatten().any(|name| !name.is_empty()), "a place names something");
        }
    }
    let _ = is_generated(Cursor::new(bytes));
});
