use std::fmt;
use std::io::{Read, Seek, SeekFrom};

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::text::{decoded, path_of_uri};
use super::{SEARCHED_BYTES_MAX, once, start};
use crate::model::{Reference, References};

/// Returns the files that a glTF names: every `uri` in it that holds no data itself.
pub(super) fn gltf(bytes: &[u8]) -> References {
    let mut uris = Vec::new();
    let text = decoded(bytes);
    // A binary model may pad its text.
    let text = text.trim_end_matches(['\0', ' ', '\n', '\r', '\t']);
    let mut json = serde_json::Deserializer::from_str(text);
    let read = Uris { found: &mut uris }.deserialize(&mut json).and_then(|()| json.end());
    let named = once(uris.iter().map(|uri| Reference::to(path_of_uri(uri))));
    let unknown = read.err().map(|error| format!("what it names cannot be told: it is no JSON: {error}"));
    References { named, unknown }
}

/// Returns the files that a binary glTF names: its text comes first, and the rest may have gigabytes.
pub(super) fn glb(reader: &mut (impl Read + Seek)) -> std::io::Result<References> {
    let head = start(reader, 20)?;
    let (Some(b"glTF"), Some(length)) = (head.get(..4), head.get(12..16)) else {
        return Ok(References::unknown("it is no binary glTF"));
    };
    let length = u64::from(u32::from_le_bytes(length.try_into().expect("four bytes are four bytes")));
    // The second version names the text's part `JSON`, the first one 0.
    if length > SEARCHED_BYTES_MAX || !matches!(head.get(16..20), Some(b"JSON" | b"\0\0\0\0")) {
        return Ok(References::unknown("what it names cannot be told: its text is not where it should be"));
    }
    reader.seek(SeekFrom::Start(20))?;
    Ok(gltf(&start(reader, length)?))
}

/// Collects `uri` texts without building the whole model in memory.
struct Uris<'a> {
    found: &'a mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for Uris<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Uris<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a glTF")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match &*key {
                "uri" => map.next_value_seed(Uri { found: self.found })?,
                // Notes of an application for itself.
                "extras" => drop(map.next_value::<IgnoredAny>()?),
                _ => map.next_value_seed(Uris { found: self.found })?,
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Uris { found: self.found })?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Reads the text of a `uri`.
struct Uri<'a> {
    found: &'a mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for Uri<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Uri<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text of a URI")
    }

    fn visit_str<E: serde::de::Error>(self, uri: &str) -> Result<(), E> {
        if !uri.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("data:")) {
            if self.found.len() > 1 << 20 {
                return Err(E::custom("it names too many files"));
            }
            self.found.push(uri.to_owned());
        }
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(A::Error::custom("a `uri` is no text"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::shown;

    #[test]
    fn every_uri_is_read() {
        let cases = [
            (
                r#"{"asset":{},"buffers":[{"uri":"a%20b.bin"},{"uri":"data:,x"}],"images":[{"uri":"tex/c.png"},{}]}"#,
                "a b.bin, tex/c.png",
            ),
            ("\u{feff}{\"images\":[{\"uri\":\"a.png\"},{\"uri\":\"a.png\"}]}\n", "a.png"),
            (r#"{"images":[{"uri":"https://example.org/x.png"},{"uri":"t.png"}]}"#, "https://example.org/x.png, t.png"),
            (r#"{"images":[{"uri":"file:///C:/art/x%20y.png"}]}"#, "C:/art/x y.png"),
            // The first version has names where the second has lists.
            (r#"{"images":{"wood":{"uri":"wood.png"}},"shaders":{"s":{"uri":"s.glsl"}}}"#, "wood.png, s.glsl"),
            (
                r#"{"extensions":{"MPEG_media":{"media":[{"alternatives":[{"uri":"a.mp4"}]}]}},"extras":{"uri":"x"}}"#,
                "a.mp4",
            ),
            (r#"{"images":[{"uri":"a.png"}],"meshes":["#, "a.png, unknown"),
            ("hello", "unknown"),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text, "gltf"), expected, "{text}");
        }
    }

    #[test]
    fn a_binary_model_is_asked_too() {
        let glb = |json: &str| {
            let head = [&b"glTF\x02\0\0\0\0\0\0\0"[..], &u32::try_from(json.len()).unwrap().to_le_bytes(), b"JSON"];
            [&head.concat(), json.as_bytes(), b"\x04\0\0\0BIN\0...."].concat()
        };
        assert_eq!(shown(glb(r#"{"images":[{"bufferView":0}],"buffers":[{}]}  "#), "glb"), "");
        assert_eq!(shown(glb(r#"{"images":[{"uri":"skin.png"}]}"#), "glb"), "skin.png");
        assert_eq!(shown(glb(r#"{"images":"#), "glb"), "unknown");
        assert_eq!(shown(b"glTF\x02\0\0\0\x14\0\0\0........", "glb"), "unknown");
        assert_eq!(shown(b"hello", "glb"), "unknown");
    }
}
