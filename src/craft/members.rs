use std::collections::HashSet;

use serde_json::Value;

use super::CraftError;
use crate::model::{Kind, hex_byte};

/// The most files that one model may name.
const MEMBERS_MAX: usize = 4096;

/// Returns the files that a model names, relative to its folder. A model that names files elsewhere
/// cannot be moved and is refused.
pub fn members(bytes: &[u8], kind: Kind) -> Result<Vec<String>, CraftError> {
    let names = match kind {
        Kind::Obj => {
            lines(bytes).filter_map(|line| line.strip_prefix("mtllib ").map(|name| name.trim().to_owned())).collect()
        }
        Kind::Gltf => gltf(bytes)?,
        _ => Vec::new(),
    };
    inside(names)
}

/// Returns the textures that a material library names.
pub fn mtl_members(bytes: &[u8]) -> Vec<String> {
    let is_texture =
        |word: &str| word.starts_with("map_") || matches!(word, "bump" | "disp" | "norm" | "decal" | "refl");
    let named = |line: String| {
        let (word, rest) = line.split_once(char::is_whitespace)?;
        // Options stand before the name, and a name may have spaces only where there are none.
        let rest = rest.trim();
        let name = if rest.starts_with('-') { rest.split_whitespace().next_back()? } else { rest };
        is_texture(&word.to_lowercase()).then(|| name.to_owned())
    };
    inside(lines(bytes).filter_map(named).collect()).unwrap_or_default()
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = String> + '_ {
    bytes.split(|b| *b == b'\n').map(|line| String::from_utf8_lossy(line).trim().to_owned())
}

fn gltf(bytes: &[u8]) -> Result<Vec<String>, CraftError> {
    let model: Value =
        serde_json::from_slice(bytes).map_err(|error| CraftError::Damaged(format!("the model is no JSON: {error}")))?;
    let uris = |list: &str| {
        let items = model.get(list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        items
            .iter()
            .filter_map(|item| item.get("uri")?.as_str())
            .filter(|uri| !uri.starts_with("data:"))
            .map(percent_decoded)
            .collect::<Vec<_>>()
    };
    Ok([uris("buffers"), uris("images")].concat())
}

fn percent_decoded(uri: &str) -> String {
    let mut bytes = Vec::with_capacity(uri.len());
    let mut rest = uri.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(hex_byte);
        if let Some(byte) = hex.filter(|_| *first == b'%') {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn inside(names: Vec<String>) -> Result<Vec<String>, CraftError> {
    let mut clean: Vec<String> = Vec::new();
    let mut seen = HashSet::new();
    for name in names {
        let name = name.replace('\\', "/").trim_start_matches("./").to_owned();
        let leaves = name.starts_with('/') || name.contains(':') || name.split('/').any(|part| part == "..");
        if leaves {
            return Err(CraftError::Damaged(format!("the model names `{name}`, which lies outside its folder")));
        }
        if !name.is_empty() && seen.insert(name.clone()) {
            clean.push(name);
        }
        if clean.len() > MEMBERS_MAX {
            return Err(CraftError::TooLarge(format!("the model names more than {MEMBERS_MAX} files")));
        }
    }
    Ok(clean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn models_name_their_parts() {
        assert_eq!(members(b"v 0 0 0\nmtllib my cube.mtl\r\ng x\n", Kind::Obj).unwrap(), ["my cube.mtl"]);
        let gltf =
            br#"{"asset":{},"buffers":[{"uri":"a%20b.bin"},{"uri":"data:,x"}],"images":[{"uri":"tex/c.png"},{}]}"#;
        assert_eq!(members(gltf, Kind::Gltf).unwrap(), ["a b.bin", "tex/c.png"]);
        // `%+f` was read as a control character.
        assert_eq!(members(br#"{"images":[{"uri":"a%+f%4.png"}]}"#, Kind::Gltf).unwrap(), ["a%+f%4.png"]);
        assert_eq!(
            mtl_members(b"newmtl m\nmap_Kd -s 1 1 1 tex\\wood.png\nbump b.png\nKd 1 1 1\n"),
            ["tex/wood.png", "b.png"]
        );
        for bad in ["mtllib ../x.mtl", "mtllib /etc/x.mtl", "mtllib C:\\x.mtl"] {
            assert!(members(bad.as_bytes(), Kind::Obj).is_err(), "{bad}");
        }
    }

    /// Each name was compared with all names before it.
    #[test]
    fn many_names_that_repeat_cost_little() {
        let many: Vec<String> = (0..400_000).map(|n| format!("mtllib {}-{}", "a".repeat(40), n % 4000)).collect();
        assert_eq!(members(many.join("\n").as_bytes(), Kind::Obj).unwrap().len(), 4000);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = (members(&bytes, Kind::Obj), members(&bytes, Kind::Gltf), mtl_members(&bytes));
        }
    }
}
