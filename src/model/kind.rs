use std::fmt;

use serde::{Deserialize, Serialize};

/// What a file is, by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each name is the format's own")]
pub enum Kind {
    Png,
    Jpeg,
    Webp,
    Gif,
    Tiff,
    Bmp,
    Mp4,
    Mov,
    Webm,
    Mkv,
    Avi,
    Glb,
    Gltf,
    Obj,
    Fbx,
    Stl,
    Usdz,
    Ply,
    Blend,
    Dae,
    Usda,
    Usdc,
    #[serde(rename = "3mf")]
    ThreeMf,
    /// A document that a theme names in `documents`.
    Document,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 24] = [
        Self::Png,
        Self::Jpeg,
        Self::Webp,
        Self::Gif,
        Self::Tiff,
        Self::Bmp,
        Self::Mp4,
        Self::Mov,
        Self::Webm,
        Self::Mkv,
        Self::Avi,
        Self::Glb,
        Self::Gltf,
        Self::Obj,
        Self::Fbx,
        Self::Stl,
        Self::Usdz,
        Self::Ply,
        Self::Blend,
        Self::Dae,
        Self::Usda,
        Self::Usdc,
        Self::ThreeMf,
        Self::Document,
    ];

    /// Returns whether it is a picture, whose pixels stockmill decodes and changes.
    pub fn is_image(self) -> bool {
        matches!(self, Self::Png | Self::Jpeg | Self::Webp | Self::Gif | Self::Tiff | Self::Bmp)
    }

    /// Returns whether it is a video.
    pub fn is_video(self) -> bool {
        matches!(self, Self::Mp4 | Self::Mov | Self::Webm | Self::Mkv | Self::Avi)
    }

    /// Returns whether it is a 3D model.
    pub fn is_model(self) -> bool {
        use Kind::{Blend, Dae, Fbx, Glb, Gltf, Obj, Ply, Stl, ThreeMf, Usda, Usdc, Usdz};
        matches!(self, Glb | Gltf | Obj | Fbx | Stl | Usdz | Ply | Blend | Dae | Usda | Usdc | ThreeMf)
    }

    /// Extensions of scenes, models and materials of 3D programs that stockmill cannot read. Archives are not among
    /// them: pictures come in archives as well, and the parts of a model lie inside.
    const SCENE_EXTENSIONS: &[&str] = &[
        "3dm",
        "3ds",
        "abc",
        "amf",
        "ase",
        "b3d",
        "bvh",
        "c4d",
        "ctm",
        "drc",
        "hip",
        "hiplc",
        "hipnc",
        "iges",
        "igs",
        "lwo",
        "lws",
        "lxo",
        "ma",
        "max",
        "mb",
        "md2",
        "md3",
        "md5mesh",
        "ms3d",
        "off",
        "pmd",
        "pmx",
        "sbs",
        "sbsar",
        "skp",
        "spp",
        "step",
        "stp",
        "u3d",
        "unitypackage",
        "vox",
        "wrl",
        "wrz",
        "x",
        "x3d",
        "x3db",
        "x3dv",
        "zpr",
        "ztl",
    ];

    /// Returns whether files of an extension, in lower case, are scenes of 3D programs that stockmill cannot read.
    pub fn is_scene_extension(extension: &str) -> bool {
        Self::SCENE_EXTENSIONS.contains(&extension)
    }

    /// Returns whether files of an extension, in lower case, are 3D models.
    pub fn is_model_extension(extension: &str) -> bool {
        // A `.usd` is a USDA or a USDC, and a `.vrm` is a GLB.
        matches!(extension, "usd" | "vrm")
            || Self::is_scene_extension(extension)
            || Self::ALL.iter().any(|kind| kind.is_model() && kind.extension() == Some(extension))
    }

    /// Returns the extension that stockmill gives to such a file, without the dot; `None` if it keeps its own.
    pub fn extension(self) -> Option<&'static str> {
        Some(match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Webp => "webp",
            Self::Gif => "gif",
            Self::Tiff => "tif",
            Self::Bmp => "bmp",
            Self::Mp4 => "mp4",
            Self::Mov => "mov",
            Self::Webm => "webm",
            Self::Mkv => "mkv",
            Self::Avi => "avi",
            Self::Glb => "glb",
            Self::Gltf => "gltf",
            Self::Obj => "obj",
            Self::Fbx => "fbx",
            Self::Stl => "stl",
            Self::Usdz => "usdz",
            Self::Ply => "ply",
            Self::Blend => "blend",
            Self::Dae => "dae",
            Self::Usda => "usda",
            Self::Usdc => "usdc",
            Self::ThreeMf => "3mf",
            Self::Document => return None,
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jpeg => "jpeg",
            Self::Tiff => "tiff",
            Self::Document => "document",
            other => other.extension().unwrap_or("document"),
        })
    }
}

/// A picture's size in pixels, as seen (orientation applied).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Size {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Size {
    /// Returns the number of pixels.
    pub fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Returns the number of pixels in millions.
    #[expect(clippy::cast_precision_loss, reason = "a picture has far fewer than 2^52 pixels")]
    pub fn megapixels(self) -> f64 {
        self.pixels() as f64 / 1e6
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// The colour profile of exported pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Colours are converted to sRGB, which every program shows.
    Srgb,
    /// A picture's own one stays.
    Keep,
}

/// A format that pictures are exported to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// 8 bit, lossy; what every market takes.
    Jpeg,
    /// Lossless, with transparency and 16 bit.
    Png,
    /// Lossless WebP.
    Webp,
    /// Compressed TIFF.
    Tiff,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Jpeg, Self::Png, Self::Webp, Self::Tiff];

    /// Returns the format's name as people write it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Webp => "WebP",
            Self::Tiff => "TIFF",
        }
    }

    /// Returns the kind of file that this format makes.
    pub fn kind(self) -> Kind {
        match self {
            Self::Jpeg => Kind::Jpeg,
            Self::Png => Kind::Png,
            Self::Webp => Kind::Webp,
            Self::Tiff => Kind::Tiff,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_one_name_and_one_sort() {
        let pictures = "png jpeg webp gif tiff bmp";
        let others = "mp4 mov webm mkv avi document";
        let models = "glb gltf obj fbx stl usdz ply blend dae usda usdc 3mf";
        for kind in Kind::ALL {
            let name = kind.to_string();
            assert_eq!(serde_json::to_value(kind).unwrap(), name.as_str(), "settings and messages call it the same");
            let is_in = |names: &str| names.split(' ').any(|known| known == name);
            assert_eq!((kind.is_image(), kind.is_model()), (is_in(pictures), is_in(models)), "{name}");
            assert!(kind.is_image() || kind.is_model() || is_in(others), "{name}");
            let extension = match name.as_str() {
                "jpeg" => Some("jpg"),
                "tiff" => Some("tif"),
                "document" => None,
                _ => Some(name.as_str()),
            };
            assert_eq!(kind.extension(), extension, "{name}");
            assert_eq!(extension.is_some_and(Kind::is_model_extension), kind.is_model(), "{name}");
        }
        for (extension, is_model) in
            [("usd", true), ("vrm", true), ("max", true), ("zip", false), ("OBJ", false), ("", false)]
        {
            assert_eq!(Kind::is_model_extension(extension), is_model, "{extension}");
        }
        for format in [Format::Jpeg, Format::Png, Format::Webp, Format::Tiff] {
            assert_eq!(serde_json::to_value(format).unwrap(), format.kind().to_string().as_str());
        }
    }

    #[test]
    fn a_size_is_counted_and_shown() {
        let size = Size { width: 2_000, height: 1_500 };
        assert_eq!((size.pixels(), size.to_string().as_str()), (3_000_000, "2000x1500"));
        assert!((size.megapixels() - 3.0).abs() < 1e-9);
        assert_eq!(Size { width: u32::MAX, height: 2 }.pixels(), 8_589_934_590);
    }
}
