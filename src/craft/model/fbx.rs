use std::collections::HashSet;

use super::binary::picture_paths;
use super::by_base_name;
use super::text::decoded;
use crate::craft::whole;
use crate::model::References;

/// The mark of a picture that lies inside the model: its content, as raw bytes.
const CONTENT: &[u8] = b"\x07ContentR";
/// How near before its content the names of a picture stand.
const NEAR_BYTES: usize = 4096;

/// Returns the pictures that an FBX names and does not hold itself.
pub(super) fn fbx(bytes: &[u8]) -> References {
    let is_binary = bytes.starts_with(whole::FBX_MARK);
    if !is_binary && !decoded(&bytes[..bytes.len().min(64)]).trim_start().starts_with(';') {
        return References::unknown("it is no FBX of a known form");
    }
    let (names, inside) = if is_binary { binary(bytes) } else { ascii(&decoded(bytes)) };
    let named = by_base_name(names.into_iter().filter(|name| !inside.contains(&base(name))));
    // While it is being copied, the names at its end are missing.
    let is_cut = whole::check_whole(std::io::Cursor::new(bytes), bytes.len() as u64, crate::model::Kind::Fbx).is_err();
    let unknown = is_cut.then(|| "what it names cannot be told: it is cut off".to_owned());
    References { named, unknown }
}

fn base(name: &str) -> String {
    name.rsplit(['/', '\\']).next().unwrap_or_default().to_lowercase()
}

/// Returns the names in a binary FBX, and the last parts of those whose pictures lie inside.
fn binary(bytes: &[u8]) -> (Vec<String>, HashSet<String>) {
    let held: Vec<usize> = positions(bytes, CONTENT)
        .filter(|at| bytes.get(at + CONTENT.len()..at + CONTENT.len() + 4).is_some_and(|length| length != [0; 4]))
        .collect();
    let (mut names, mut inside) = (Vec::new(), HashSet::new());
    for (at, path) in picture_paths(bytes) {
        let path = decoded(path).into_owned();
        // A text such as `Name\0\x01Class` ends with a class, and is no path.
        let next = held.partition_point(|content| *content < at);
        if held.get(next).is_some_and(|content| content - at < NEAR_BYTES) {
            inside.insert(base(&path));
        }
        names.push(path);
    }
    (names, inside)
}

fn positions<'a>(bytes: &'a [u8], mark: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let starts = bytes.iter().enumerate().filter(|(_, byte)| **byte == mark[0]).map(|(at, _)| at);
    starts.filter(|at| bytes[*at..].starts_with(mark))
}

/// Returns the names in the text form, and the last parts of those whose pictures lie inside.
fn ascii(text: &str) -> (Vec<String>, HashSet<String>) {
    let (mut names, mut inside): (Vec<String>, HashSet<String>) = Default::default();
    let mut near: Vec<String> = Vec::new();
    let (mut in_content, mut in_take) = (false, false);
    for line in text.lines() {
        let line = line.trim();
        if in_content && line.starts_with('"') {
            inside.extend(near.drain(..));
        }
        in_content = false;
        let Some((key, value)) = line.split_once(':') else { continue };
        match &*key.trim().to_lowercase() {
            // A take names its own file, which does not exist.
            "filename" if in_take => (),
            "filename" | "relativefilename" => {
                let name = value.trim().trim_matches('"').replace("&quot;", "\"");
                near.push(base(&name));
                names.push(name);
            }
            "content" if value.contains('"') => inside.extend(near.drain(..)),
            "content" => in_content = true,
            "video" | "texture" => {
                near.clear();
                in_take = false;
            }
            "take" | "takes" => in_take = true,
            _ => (),
        }
    }
    (names, inside)
}

#[cfg(test)]
mod tests {
    use super::super::tests::shown;

    fn binary(parts: &[&[u8]]) -> Vec<u8> {
        [b"Kaydara FBX Binary  \0\x1a\0\xe8\x1c\0\0".as_slice(), &parts.concat(), &[0; 200]].concat()
    }

    #[test]
    fn pictures_are_found_in_both_forms() {
        // The letter behind a text is the type of what comes next.
        let text = |text: &str| [b"S", &u32::try_from(text.len()).unwrap().to_le_bytes()[..], text.as_bytes()].concat();
        let model = binary(&[&text("D:\\art\\m.fbm\\Wood.png"), &text("m.fbm\\Wood.png"), b"\x07ContentR\0\0\0\0"]);
        assert_eq!(shown(model, "fbx"), "D:\\art\\m.fbm\\Wood.png|m.fbm\\Wood.png");
        let held = binary(&[&text("a.png"), b"\x07ContentR\x04\0\0\0\x89PNG", &text("b.tga"), &text("b.tgax")]);
        assert_eq!(shown(held, "fbx"), "b.tga");
        assert_eq!(shown(binary(&[b"textures\\wood.png"]), "fbx"), "textures\\wood.png");

        let ascii = "; FBX 7.3.0 project file\nVideo: 1 {\n  FileName: \"C:\\a\\wood.png\"\n  RelativeFilename: \"..\\wood.png\"\n}\n";
        assert_eq!(shown(ascii, "fbx"), "C:\\a\\wood.png|..\\wood.png");
        let held = "; FBX 7.3.0 project file\nVideo: 1 {\n  Filename: \"a.png\"\n  Content: ,\n    \"iVBO\"\n}\nVideo: 2 {\n Filename: \"b.png\"\n}\n";
        assert_eq!(shown(held, "fbx"), "b.png");
        assert_eq!(shown(&held[..held.len() - 3], "fbx"), "b.png, unknown");
        assert_eq!(shown("; FBX 7.3.0\nTakes:  {\n Take: \"T\" {\n  FileName: \"T.tak\"\n }\n}\n", "fbx"), "");
        assert_eq!(shown("hello a.png", "fbx"), "unknown");
    }
}
