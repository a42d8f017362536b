use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Size, escape_bytes};

/// What is measured of a video; what cannot be told is absent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Video {
    /// Size of a frame in pixels, as it is stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// How long it lasts, to the millisecond.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// Frames in a second, to the thousandth; the mean, where that changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frames_per_second: Option<f64>,
    /// What its frames are compressed by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codec: Option<Codec>,
    /// Whether it has a sound track, which may be silent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sound: Option<bool>,
}

#[cfg(test)]
impl Video {
    /// Returns what each market takes.
    pub fn usual() -> Self {
        let (size, codec) = (Some(Size { width: 1920, height: 1080 }), Some(Codec::H264));
        Self { size, seconds: Some(12.0), frames_per_second: Some(25.0), codec, sound: Some(false) }
    }
}

/// What the frames of a video are compressed by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Codec {
    /// H.264, also called AVC.
    H264,
    /// H.265, also called HEVC.
    Hevc,
    /// A flavour of Apple `ProRes`.
    Prores,
    /// AV1.
    Av1,
    /// VP8.
    Vp8,
    /// VP9.
    Vp9,
    /// Another one, by the tag that its file has.
    Other(String),
}

/// Each codec with its name and the tags by which files name it.
const KNOWN: [(Codec, &str, &[&str]); 6] = [
    (Codec::H264, "h264", &["avc1", "avc2", "avc3", "avc4", "h264", "x264", "V_MPEG4/ISO/AVC"]),
    (Codec::Hevc, "hevc", &["hvc1", "hev1", "hevc", "dvh1", "dvhe", "V_MPEGH/ISO/HEVC"]),
    (Codec::Prores, "prores", &["apch", "apcn", "apcs", "apco", "ap4h", "ap4x", "V_PRORES"]),
    (Codec::Av1, "av1", &["av01", "V_AV1"]),
    (Codec::Vp8, "vp8", &["vp08", "vp80", "V_VP8"]),
    (Codec::Vp9, "vp9", &["vp09", "vp90", "V_VP9"]),
];

impl Codec {
    /// Returns the codec that a file names by a tag, in any case.
    pub fn tagged(tag: &[u8]) -> Self {
        let text = escape_bytes(tag.trim_ascii());
        let known = KNOWN.into_iter().find(|(_, _, tags)| tags.iter().any(|tag| tag.eq_ignore_ascii_case(&text)));
        known.map_or(Self::Other(text), |(codec, ..)| codec)
    }

    /// Returns the names of those that stockmill knows.
    pub fn names() -> [&'static str; 6] {
        KNOWN.map(|(_, name, _)| name)
    }
}

impl From<String> for Codec {
    fn from(text: String) -> Self {
        KNOWN.into_iter().find(|(_, name, _)| *name == text).map_or(Self::Other(text), |(codec, ..)| codec)
    }
}

impl From<Codec> for String {
    fn from(codec: Codec) -> Self {
        codec.to_string()
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(tag) => f.write_str(tag),
            known => f.write_str(KNOWN.iter().find(|(codec, ..)| codec == known).map_or("", |(_, name, _)| name)),
        }
    }
}

/// As a person reads it: `1920x1080 pixels, 12 s, 25 frames/s, h264, with sound`.
impl fmt::Display for Video {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn told<T: fmt::Display>(value: Option<&T>, unit: &str, what: &str) -> String {
            value.map_or_else(|| format!("{what} unknown"), |value| format!("{value}{unit}"))
        }
        let sound = match self.sound {
            Some(true) => "with sound",
            Some(false) => "without sound",
            None => "sound unknown",
        };
        let size = told(self.size.as_ref(), " pixels", "size");
        let seconds = told(self.seconds.as_ref(), " s", "length");
        let rate = told(self.frames_per_second.as_ref(), " frames/s", "frame rate");
        write!(f, "{size}, {seconds}, {rate}, {}, {sound}", told(self.codec.as_ref(), "", "codec"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_codec_is_known_by_its_tag_and_by_its_name() {
        for (tag, name) in [
            ("avc1", "h264"),
            ("H264", "h264"),
            ("apcn", "prores"),
            ("V_VP9", "vp9"),
            ("WMV3", "WMV3"),
            ("a\nb", "a\\x0ab"),
        ] {
            let codec = Codec::tagged(tag.as_bytes());
            assert_eq!(codec.to_string(), name, "{tag}");
            assert_eq!(Codec::from(name.to_owned()), codec, "{tag}");
        }
    }

    #[test]
    fn what_is_unknown_is_told_as_such() {
        let whole = Video {
            size: Some(Size { width: 1920, height: 1080 }),
            seconds: Some(12.48),
            frames_per_second: Some(23.976),
            codec: Some(Codec::Prores),
            sound: Some(true),
        };
        assert_eq!(whole.to_string(), "1920x1080 pixels, 12.48 s, 23.976 frames/s, prores, with sound");
        let none = "size unknown, length unknown, frame rate unknown, codec unknown, sound unknown";
        assert_eq!(Video::default().to_string(), none);
    }
}
