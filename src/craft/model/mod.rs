//! Finds the files that 3D models name in their content: one module for each format. Every way in which programs write
//! a name is read; what cannot be read is unknown, and never "no file".

mod binary;
mod dae;
mod fbx;
mod gltf;
mod obj;
mod personal;
mod text;

use std::collections::HashMap;
use std::io::{Read, Seek};

pub use personal::personal_path;

use crate::model::{Kind, Reference, References};

/// The most bytes of a model that are searched for the names of its parts.
const SEARCHED_BYTES_MAX: u64 = 256 << 20;
/// The most files that one model may name.
const NAMES_MAX: usize = 4096;
/// How much of a PLY is read: its header.
const HEADER_BYTES: u64 = 64 << 10;

/// Returns what a model or a material names, by its extension in lower case and its content. A format that
/// cannot name files names none.
pub fn references(mut reader: impl Read + Seek, length: u64, extension: &str) -> References {
    let found = match extension {
        "glb" | "vrm" => gltf::glb(&mut reader),
        "ply" => start(&mut reader, HEADER_BYTES).map(|head| text::ply(&head)),
        _ if Kind::is_scene_extension(extension) => {
            Ok(References::unknown(format!("what a `.{extension}` file names cannot be told")))
        }
        "usdc" => Ok(References::unknown("what a binary USD file names cannot be told")),
        "obj" | "mtl" | "mat" | "gltf" | "fbx" | "dae" | "blend" | "usda" | "usd" if length > SEARCHED_BYTES_MAX => {
            Ok(References::unknown(format!("it has more than {SEARCHED_BYTES_MAX} bytes, and is not searched")))
        }
        "obj" | "mtl" | "mat" | "gltf" | "fbx" | "dae" | "blend" | "usda" | "usd" => {
            start(&mut reader, SEARCHED_BYTES_MAX).map(|bytes| in_bytes(&bytes, extension))
        }
        _ => Ok(References::default()),
    };
    let found = found.unwrap_or_else(|error| References::unknown(format!("it cannot be read: {error}")));
    limited(found)
}

fn start(reader: &mut impl Read, bytes_max: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(bytes_max).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn in_bytes(bytes: &[u8], extension: &str) -> References {
    match extension {
        "obj" => obj::obj(bytes),
        "mtl" | "mat" => obj::mtl(bytes),
        "gltf" => gltf::gltf(bytes),
        "fbx" => fbx::fbx(bytes),
        "dae" => dae::dae(bytes),
        "blend" => binary::blend(bytes),
        _ => text::usd(bytes),
    }
}

fn limited(mut found: References) -> References {
    if found.named.len() > NAMES_MAX {
        found.named.truncate(NAMES_MAX);
        found.unknown = Some(format!("it names more than {NAMES_MAX} files"));
    }
    found
}

/// Returns each reference once, in order.
fn once(references: impl IntoIterator<Item = Reference>) -> Vec<Reference> {
    let mut seen = std::collections::HashSet::new();
    let has_names = |reference: &Reference| reference.readings.iter().flatten().any(|name| !name.is_empty());
    let first = references.into_iter().filter(has_names).filter(|reference| seen.insert(reference.clone()));
    // One more than is allowed, to notice that there are too many.
    first.take(NAMES_MAX + 1).collect()
}

/// Joins the names of one file that a format writes both relative and absolute: the last part shows that they belong
/// together.
fn by_base_name(names: impl IntoIterator<Item = String>) -> Vec<Reference> {
    let mut indexes: HashMap<String, usize> = HashMap::new();
    let mut joined: Vec<Reference> = Vec::new();
    for name in names {
        let base = name.rsplit(['/', '\\']).next().unwrap_or_default().to_lowercase();
        if base.is_empty() {
            continue;
        }
        match indexes.get(&base) {
            Some(index) => {
                let readings = &mut joined[*index].readings;
                if readings.len() < 8 && !readings.iter().any(|reading| reading[0] == name) {
                    readings.push(vec![name]);
                }
            }
            None if joined.len() > NAMES_MAX => (),
            None => {
                indexes.insert(base, joined.len());
                joined.push(Reference::to(name));
            }
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    /// Returns what a file names, in short: readings apart by `|`, names of one reading by `+`.
    pub(super) fn shown(bytes: impl AsRef<[u8]>, extension: &str) -> String {
        let bytes = bytes.as_ref();
        let found = references(Cursor::new(bytes), bytes.len() as u64, extension);
        let reading = |names: &Vec<String>| names.join("+");
        let one = |reference: &Reference| {
            let mark = if reference.may_be_inside { "?" } else { "" };
            format!("{}{mark}", reference.readings.iter().map(reading).collect::<Vec<_>>().join("|"))
        };
        let mut all: Vec<String> = found.named.iter().map(one).collect();
        all.extend(found.unknown.map(|_| "unknown".to_owned()));
        all.join(", ")
    }

    #[test]
    fn what_cannot_name_files_names_none() {
        for extension in ["stl", "usdz", "3mf", "png"] {
            assert_eq!(shown(b"textures\\wood.png", extension), "", "{extension}");
        }
        assert_eq!(shown(b"PXR-USDC", "usdc"), "unknown");
        assert_eq!(shown(b"MM", "3ds"), "unknown");
        assert_eq!(
            shown("ply\r\nformat ascii 1.0\r\ncomment TextureFile my wood.png\r\nend_header\r\n", "ply"),
            "my wood.png"
        );
        assert_eq!(shown("ply\nelement vertex 0\nend_header\n", "ply"), "");
        assert_eq!(
            shown("#usda 1.0\nasset inputs:file = @./textures/wood.png@ (x = @@@a@b.png@@@)", "usda"),
            "./textures/wood.png, a@b.png"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300), start in 0..8_usize) {
            const STARTS: [&[u8]; 8] = [b"", b"glTF\x02\0\0\0", b"Kaydara FBX Binary  \0\x1a\0", b"; FBX 7.3.0\n", b"BLENDER-v405", b"mtllib ", b"map_Kd -s ", b"\xff\xfe"];
            let bytes = [STARTS[start], &bytes].concat();
            for extension in ["obj", "mtl", "gltf", "glb", "fbx", "dae", "blend", "ply", "usda", "usdc"] {
                let _ = references(Cursor::new(&bytes), bytes.len() as u64, extension);
            }
        }
    }
}
