use std::borrow::Cow;

use super::once;
use super::text::decoded;
use crate::model::{Reference, References};

/// Returns the material libraries that an OBJ names.
pub(super) fn obj(bytes: &[u8]) -> References {
    let named = each_line(bytes, |line| {
        let rest = after_word(line, |word| word.eq_ignore_ascii_case("mtllib"))?;
        Some(libraries(rest))
    });
    References { named, unknown: None }
}

/// Returns the textures that a material library names.
pub(super) fn mtl(bytes: &[u8]) -> References {
    References { named: each_line(bytes, |line| texture(after_word(line, is_texture)?)), unknown: None }
}

/// Collects from the lines of a text; a line that ends with a backslash goes on in the next one.
fn each_line(bytes: &[u8], named: impl Fn(&str) -> Option<Reference>) -> Vec<Reference> {
    // Most lines are numbers: only those that begin with a letter can name something.
    let bytes = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Cow::Owned(decoded(bytes).into_owned().into_bytes()),
        _ => Cow::Borrowed(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)),
    };
    let mut lines = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).filter(|line| !line.is_empty());
    once(std::iter::from_fn(|| {
        loop {
            let line = lines.next()?.trim_ascii();
            if !line.first().is_some_and(|byte| b"mMbBdDnNrR".contains(byte)) {
                continue;
            }
            let mut whole = decoded(line).into_owned();
            while whole.ends_with('\\') {
                whole.pop();
                let Some(next) = lines.next() else { break };
                whole.push_str(&decoded(next.trim_ascii_end()));
            }
            if let Some(reference) = named(&whole) {
                return Some(reference);
            }
        }
    }))
}

fn after_word(line: &str, is_wanted: impl Fn(&str) -> bool) -> Option<&str> {
    let (word, rest) = line.split_once([' ', '\t'])?;
    is_wanted(word).then(|| rest.trim()).filter(|rest| !rest.is_empty())
}

fn is_texture(word: &str) -> bool {
    let word = word.to_lowercase();
    // `map_aat` is a switch and names nothing.
    (word.starts_with("map_") && word != "map_aat")
        || matches!(&*word, "bump" | "disp" | "norm" | "decal" | "refl" | "displacement" | "normal")
}

/// Reads what stands behind `mtllib`: one name with spaces, several names, or names in quotes.
fn libraries(rest: &str) -> Reference {
    let mut readings = Vec::new();
    let mut add = |names: Vec<String>| {
        if !names.is_empty() && !readings.contains(&names) {
            readings.push(names);
        }
    };
    if rest.contains('"') {
        add(quoted(rest));
    } else {
        add(vec![unquoted(rest).to_owned()]);
        add(apart_by_extension(rest));
        add(rest.split_whitespace().map(|name| unquoted(name).to_owned()).collect());
    }
    Reference { readings, may_be_inside: false }
}

/// Splits names at the end of their extensions: `my a.mtl my b.mtl`.
fn apart_by_extension(rest: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut is_open = false;
    for word in rest.split_whitespace() {
        match names.last_mut().filter(|_| is_open) {
            Some(name) => {
                name.push(' ');
                name.push_str(word);
            }
            None => names.push(word.to_owned()),
        }
        is_open = !word.to_lowercase().ends_with(".mtl");
    }
    names
}

/// Returns the names of a line in which names with spaces stand in quotes.
fn quoted(rest: &str) -> Vec<String> {
    let parts = rest.split('"').enumerate();
    let names = parts.flat_map(|(n, part)| if n % 2 == 1 { vec![part] } else { part.split_whitespace().collect() });
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn unquoted(name: &str) -> &str {
    let name = name.trim();
    let inner = |mark: char| name.strip_prefix(mark).and_then(|name| name.strip_suffix(mark));
    inner('"').or_else(|| inner('\'')).unwrap_or(name).trim()
}

/// The options of a texture, and how many words each takes.
const OPTIONS: [(&str, usize); 11] = [
    ("-blendu", 1),
    ("-blendv", 1),
    ("-boost", 1),
    ("-mm", 2),
    ("-texres", 1),
    ("-clamp", 1),
    ("-bm", 1),
    ("-imfchan", 1),
    ("-type", 1),
    ("-cc", 1),
    ("-colorspace", 1),
];
/// Options that take one number, two or three.
const VECTORS: [&str; 3] = ["-o", "-s", "-t"];

/// Reads what stands behind a texture's word: options, then a name that may have spaces.
fn texture(rest: &str) -> Option<Reference> {
    let mut rest = rest;
    let mut is_known = true;
    while rest.starts_with('-') {
        let (option, tail) = next_word(rest)?;
        let lower = option.to_lowercase();
        let fixed = OPTIONS.iter().find(|(known, _)| *known == lower).map(|(_, count)| *count);
        let is_vector = VECTORS.contains(&&*lower);
        is_known &= fixed.is_some() || is_vector;
        rest = tail;
        for taken in 0..fixed.unwrap_or(if is_vector { 3 } else { 0 }) {
            let Some((word, tail)) = next_word(rest) else { break };
            // The name comes last, and the second and third number may be left out.
            if tail.is_empty() || (is_vector && taken > 0 && word.parse::<f64>().is_err()) {
                break;
            }
            rest = tail;
        }
    }
    let mut names = vec![unquoted(rest).to_owned()];
    let mut add = |name: &str| {
        let name = unquoted(name).to_owned();
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    };
    // Some programs write options or a comment behind the name.
    if let Some((name, _)) = rest.split_once(" -").or_else(|| rest.split_once(" #")) {
        add(name);
    }
    if let Some(name) = rest.strip_prefix('"').and_then(|rest| rest.split('"').next()) {
        add(name);
    }
    if !is_known {
        add(rest.split_whitespace().next_back().unwrap_or_default());
    }
    Some(Reference::any_of(names))
}

fn next_word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    (!word.is_empty()).then(|| (word, rest.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::shown;

    #[test]
    fn material_libraries_are_read_as_they_are_written() {
        let cases = [
            ("v 0 0 0\nmtllib model.mtl\r\ng x\n", "model.mtl"),
            ("mtllib my cube.mtl\n", "my cube.mtl|my+cube.mtl"),
            ("mtllib\tmodel.mtl", "model.mtl"),
            ("\u{feff}mtllib model.mtl", "model.mtl"),
            ("  MTLLIB Model.MTL \n", "Model.MTL"),
            ("mtllib \"my model.mtl\"", "my model.mtl"),
            ("mtllib \"a b.mtl\" c.mtl", "a b.mtl+c.mtl"),
            ("mtllib 'my model.mtl'", "my model.mtl|'my model.mtl'|'my+model.mtl'"),
            ("mtllib a.mtl b.mtl", "a.mtl b.mtl|a.mtl+b.mtl"),
            ("mtllib a.mtl \\\r\n b.mtl\n", "a.mtl  b.mtl|a.mtl+b.mtl"),
            ("mtllib x\\y.mtl\nmtllib x\\y.mtl\n", "x\\y.mtl"),
            ("mtllib C:\\x.mtl", "C:\\x.mtl"),
            ("mtllib h\u{f6}.mtl", "h\u{f6}.mtl"),
            ("# mtllib x.mtl\nmtllibx y\nmtllib \n", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text, "obj"), expected, "{text}");
        }
        assert_eq!(shown(b"mtllib h\xf6.mtl", "obj"), "h\u{f6}.mtl");
        assert_eq!(shown(b"\xff\xfem\0t\0l\0l\0i\0b\0 \0a\0\n\0", "obj"), "a");
    }

    #[test]
    fn textures_are_read_as_they_are_written() {
        let cases = [
            ("map_Kd wood.png", "wood.png"),
            ("\tmap_Kd\twood.png\r\n", "wood.png"),
            ("map_Kd my wood.png", "my wood.png"),
            ("map_Bump -bm 0.8 my bump.png", "my bump.png"),
            ("map_Ks -o 0 0 0 -s 1 1 1 spec.png", "spec.png"),
            ("map_Kd -s 2 3d wood.png", "3d wood.png"),
            ("map_Kd -t 1 2 3 4.png", "4.png"),
            ("map_Kd -mm 0 1 -clamp on -blendu off a.png", "a.png"),
            ("refl -type sphere sky.png", "sky.png"),
            ("map_Kd \"my wood.png\"", "my wood.png"),
            ("map_Kd 'wood.png'", "wood.png"),
            ("map_Kd C:\\art\\wood.png", "C:\\art\\wood.png"),
            ("MAP_KD ../textures/WOOD.PNG", "../textures/WOOD.PNG"),
            ("map_Pr r.png\nmap_Pm m.png\nmap_Ke e.png\nnorm n.png", "r.png, m.png, e.png, n.png"),
            ("map_Kd wood.png -s 1 1 1", "wood.png -s 1 1 1|wood.png"),
            ("map_Kd wood.png # old", "wood.png # old|wood.png"),
            ("map_Kd -gamma 2.2 wood.png", "2.2 wood.png|wood.png"),
            ("map_Kd \\\n  wood.png", "wood.png"),
            ("map_aat on\nKd 1 1 1\nnewmtl m\nmap_Kd\n", ""),
            ("map_Kd -s", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text, "mtl"), expected, "{text}");
        }
    }

    /// Each name was compared with all names before it.
    #[test]
    fn many_names_that_repeat_cost_little() {
        let many: Vec<String> = (0..400_000).map(|n| format!("mtllib {}-{}", "a".repeat(40), n % 4000)).collect();
        assert_eq!(shown(many.join("\n"), "obj").split(", ").count(), 4000);
        let many: Vec<String> = (0..5000).map(|n| format!("mtllib {n}.mtl")).collect();
        assert!(shown(many.join("\n"), "obj").ends_with("unknown"));
    }
}
