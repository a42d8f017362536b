//! 3D models: what they name stays in their folder, whatever they hold.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stockmill::craft::{members, mtl_members};
use stockmill::model::{Kind, RelPath};

fuzz_target!(|bytes: &[u8]| {
    let mut names = mtl_members(bytes);
    for kind in [Kind::Obj, Kind::Gltf] {
        names.extend(members(bytes, kind).unwrap_or_default());
    }
    let folder = RelPath::new("raw/theme").expect("a constant is a clean path");
    for name in names {
        assert!(!name.is_empty() && !name.starts_with('/'));
        assert!(name.split('/').all(|part| part != ".."), "{name}");
        // Whoever looks for the file joins the name to the folder.
        if let Ok(path) = RelPath::new(format!("raw/theme/{name}")) {
            assert!(path.is_in(&folder));
        }
    }
});
