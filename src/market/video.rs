//! Which videos a market takes.

use std::fmt::{self, Display};

use serde::Deserialize;

use crate::model::{Codec, Size, Video, nearest};

/// The limits of videos; what is absent is no matter, or not known.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VideoLimits {
    /// The shorter edge of a frame, in pixels.
    #[serde(default)]
    pub short_edge: Option<Limit<u32>>,
    /// The longer edge of a frame, in pixels.
    #[serde(default)]
    pub long_edge: Option<Limit<u32>>,
    /// How long it lasts, in seconds.
    #[serde(default)]
    pub seconds: Option<Limit<f64>>,
    /// Frames in a second.
    #[serde(default)]
    pub frames_per_second: Option<Limit<f64>>,
    /// File size, in bytes.
    #[serde(default)]
    pub bytes: Option<Limit<u64>>,
    /// What frames may be compressed by; any, if none is named.
    #[serde(default)]
    pub codecs: Vec<Codec>,
    /// Whether it takes clips with sound.
    #[serde(default)]
    pub sound: Sound,
    /// What the checklist says of clips with sound.
    #[serde(default)]
    pub sound_rule: Option<String>,
}

/// The least and the most, both included; one of them may be absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit<T> {
    /// The least.
    #[serde(default = "nothing")]
    pub min: Option<T>,
    /// The most.
    #[serde(default = "nothing")]
    pub max: Option<T>,
}

/// Whether a market takes clips with sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sound {
    /// It does.
    Allowed,
    /// It refuses them.
    None,
    /// Its pages do not say.
    #[default]
    Unknown,
}

fn nothing<T>() -> Option<T> {
    None
}

impl<T: PartialOrd + Copy> Limit<T> {
    fn holds(&self, value: T) -> bool {
        self.min.is_none_or(|min| min <= value) && self.max.is_none_or(|max| value <= max)
    }

    /// Returns whether nothing could ever be within it, or everything is.
    fn is_senseless(&self) -> bool {
        match (self.min, self.max) {
            (Some(min), Some(max)) => min.partial_cmp(&max).is_none_or(std::cmp::Ordering::is_gt),
            (min, max) => min.is_none() && max.is_none(),
        }
    }
}

impl<T: Display> Display for Limit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.min, &self.max) {
            (Some(min), Some(max)) => write!(f, "{min} to {max}"),
            (Some(min), None) => write!(f, "{min} or more"),
            (None, Some(max)) => write!(f, "at most {max}"),
            (None, None) => f.write_str("any"),
        }
    }
}

impl VideoLimits {
    /// Returns the keys that make no sense, each with why.
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let turned = [
            ("short_edge", self.short_edge.is_some_and(|limit| limit.is_senseless())),
            ("long_edge", self.long_edge.is_some_and(|limit| limit.is_senseless())),
            ("seconds", self.seconds.is_some_and(|limit| limit.is_senseless())),
            ("frames_per_second", self.frames_per_second.is_some_and(|limit| limit.is_senseless())),
            ("bytes", self.bytes.is_some_and(|limit| limit.is_senseless())),
        ];
        let turned = turned.into_iter().filter(|(_, is)| *is).map(|(key, _)| {
            (format!("video.{key}"), "has `min`, `max` or both, and `min` is not more than `max`".to_owned())
        });
        let unknown = self.codecs.iter().filter_map(|codec| match codec {
            Codec::Other(name) => Some(name),
            _ => None,
        });
        let unknown = unknown.map(|name| {
            let near = nearest(name, &Codec::names());
            let near = near.map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"));
            let what = format!("stockmill knows no codec `{name}`{near}; it knows {}", Codec::names().join(", "));
            ("video.codecs".to_owned(), what)
        });
        turned.chain(unknown).collect()
    }

    /// Returns what is against a video that has so many bytes. What cannot be told is no yes.
    pub(super) fn refuse(&self, video: &Video, bytes: u64) -> Vec<String> {
        if *video == Video::default() {
            return vec!["it does not say how large its frames are and how long it lasts; export it again".to_owned()];
        }
        let short = video.size.map(|size: Size| size.width.min(size.height));
        let long = video.size.map(|size| size.width.max(size.height));
        let (edges, rate) = ("how large its frames are", "how many frames it has in a second");
        let measured = [
            outside(self.short_edge, short, ["the shorter edge of its frames has", edges, "pixels"]),
            outside(self.long_edge, long, ["the longer edge of its frames has", edges, "pixels"]),
            outside(self.seconds, video.seconds, ["it lasts", "how long it lasts", "s"]),
            outside(self.frames_per_second, video.frames_per_second, ["it has", rate, "frames/s"]),
            outside(self.bytes, Some(bytes), ["it has", "its size", "bytes"]),
            self.wrong_codec(video.codec.as_ref()),
            self.wrong_sound(video.sound),
        ];
        measured.into_iter().flatten().collect()
    }

    fn wrong_codec(&self, codec: Option<&Codec>) -> Option<String> {
        if self.codecs.is_empty() || codec.is_some_and(|codec| self.codecs.contains(codec)) {
            return None;
        }
        let told =
            codec.map_or_else(|| "its codec cannot be told".to_owned(), |codec| format!("its codec is `{codec}`"));
        let taken: Vec<String> = self.codecs.iter().map(ToString::to_string).collect();
        Some(format!("{told}, and the market takes {}", taken.join(", ")))
    }

    fn wrong_sound(&self, sound: Option<bool>) -> Option<String> {
        let told = match (self.sound, sound) {
            (Sound::Allowed, _) | (_, Some(false)) => return None,
            (Sound::None, Some(true)) => "it has a sound track, and the market takes clips without",
            (Sound::Unknown, Some(true)) => {
                "it has a sound track, and nobody could establish whether the market takes that; take it away, or write \
                 `sound: allowed` under `video` into a profile of your own in `markets/`"
            }
            (_, None) => "whether it has a sound track cannot be told, and the market may not take that",
        };
        Some(told.to_owned())
    }
}

/// Returns why a value is not within a limit, if there is one. `words` name it as known and as unknown, and its unit.
fn outside<T: PartialOrd + Copy + Display>(
    limit: Option<Limit<T>>,
    value: Option<T>,
    words: [&str; 3],
) -> Option<String> {
    let (limit, [known, unknown, unit]) = (limit?, words);
    match value {
        Some(value) if limit.holds(value) => None,
        Some(value) => Some(format!("{known} {value} {unit}, and the market takes {limit} {unit}")),
        None => Some(format!("{unknown} cannot be told, and the market takes {limit} {unit}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::checks::refused_video;
    use crate::market::{built_in, parse};
    use crate::model::Kind;

    fn clip() -> Video {
        Video::usual()
    }

    /// A clip of half a second and 320x240 pixels was bundled.
    #[test]
    fn what_is_not_within_the_limits_is_refused_and_what_cannot_be_told_too() {
        let adobe = built_in().unwrap().into_iter().find(|market| market.name == "adobe-stock").unwrap();
        let size = |width, height| Some(Size { width, height });
        // The clip, its bytes, what is told.
        let rows: [(Video, u64, &[&str]); 14] = [
            (clip(), 9_000_000, &[]),
            (Video { size: size(720, 1280), seconds: Some(60.0), sound: Some(true), ..clip() }, 9, &[]),
            (
                Video { frames_per_second: Some(23.976), codec: Some(Codec::Prores), seconds: Some(5.0), ..clip() },
                9,
                &[],
            ),
            (
                Video { size: size(320, 240), seconds: Some(0.5), ..clip() },
                9,
                &[
                    "the shorter edge of its frames has 240 pixels, and the market takes 720 or more pixels",
                    "the longer edge of its frames has 320 pixels, and the market takes 1280 or more pixels",
                    "it lasts 0.5 s, and the market takes 5 to 60 s",
                ],
            ),
            (Video { seconds: Some(60.001), ..clip() }, 9, &["it lasts 60.001 s, and the market takes 5 to 60 s"]),
            (
                Video { frames_per_second: Some(16.0), ..clip() },
                9,
                &["it has 16 frames/s, and the market takes 23.97 to 60"],
            ),
            (Video { frames_per_second: Some(120.0), ..clip() }, 9, &["it has 120 frames/s"]),
            (clip(), 3_900_000_000, &["it has 3900000000 bytes, and the market takes at most 3899999999 bytes"]),
            (
                Video { codec: Some(Codec::Vp9), ..clip() },
                9,
                &["its codec is `vp9`, and the market takes h264, prores"],
            ),
            (Video { codec: None, ..clip() }, 9, &["its codec cannot be told, and the market takes h264, prores"]),
            (
                Video { seconds: None, ..clip() },
                9,
                &["how long it lasts cannot be told, and the market takes 5 to 60 s"],
            ),
            (
                Video { size: None, ..clip() },
                9,
                &["how large its frames are cannot", "how large its frames are cannot"],
            ),
            (
                Video { seconds: None, frames_per_second: None, ..clip() },
                9,
                &["how long it lasts cannot be told", "how many frames it has in a second cannot be told"],
            ),
            (Video::default(), 9, &["it does not say how large its frames are and how long it lasts; export it again"]),
        ];
        for (video, bytes, told) in rows {
            let found = refused_video(&adobe, Kind::Mp4, Some(&video), bytes);
            assert_eq!(found.len(), told.len(), "{video}: {found:?}");
            assert!(found.iter().zip(told).all(|(found, told)| found.starts_with(told)), "{video}: {found:?}");
        }
        assert_eq!(refused_video(&adobe, Kind::Mov, None, 9).len(), 1);
        assert_eq!(refused_video(&adobe, Kind::Glb, None, 9), [""; 0]);
    }

    #[test]
    fn sound_goes_where_it_is_known_to_be_taken() {
        for (sound, has, told) in [
            (Sound::Allowed, Some(true), None),
            (Sound::Allowed, None, None),
            (Sound::None, Some(false), None),
            (Sound::None, Some(true), Some("it has a sound track, and the market takes clips without")),
            (Sound::None, None, Some("whether it has a sound track cannot be told")),
            (Sound::Unknown, Some(false), None),
            (Sound::Unknown, Some(true), Some("it has a sound track, and nobody could establish")),
        ] {
            let limits = VideoLimits { sound, ..limits("{}").unwrap() };
            let found = limits.refuse(&Video { sound: has, ..clip() }, 9);
            assert_eq!(found.len(), told.iter().len(), "{sound:?} {has:?}: {found:?}");
            assert!(found.iter().zip(told).all(|(found, told)| found.starts_with(told)), "{found:?}");
        }
    }

    fn limits(video: &str) -> Result<VideoLimits, String> {
        let profile = format!(
            "name: shop\ntitle: Shop\naccepts_ai: true\nchecked: 2026-11-28\nsource: its pages\nkinds: [mp4]\n\
             megapixels: {{min: 4, max: 100}}\nbytes: {{min: 1, max: 100}}\nfile_name: {{chars_max: 30, charset: portable}}\n\
             title_text: {{chars_max: 70}}\nkeywords: {{min: 1, max: 50}}\nvideo: {video}\n\
             csv: {{separator: \",\", bom: false, rows_max: 9, bytes_max: 900, columns: [{{header: F, value: file_name}}]}}\n"
        );
        parse(&profile).map(|market| market.video.unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_place() {
        for (video, told) in [
            (
                "{seconds: {min: 60, max: 5}}",
                "`video.seconds`: has `min`, `max` or both, and `min` is not more than `max`",
            ),
            ("{seconds: {min: .nan, max: 5}}", "`video.seconds`"),
            ("{bytes: {}}", "`video.bytes`: has `min`, `max` or both"),
            (
                "{codecs: [h246]}",
                "`video.codecs`: stockmill knows no codec `h246` (did you mean `h264`?); it knows h264, hevc, prores",
            ),
            ("{sound: perhaps}", "unknown variant `perhaps`, expected one of `allowed`, `none`, `unknown` at line 12"),
            ("{frames: 3}", "unknown field `frames`"),
        ] {
            let said = limits(video).unwrap_err();
            assert!(said.contains(told), "{video}: {said}");
        }
    }
}
