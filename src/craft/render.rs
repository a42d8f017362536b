use std::io::Write;

use super::{CraftError, Limits, Picture};
use super::{check_enlarged, decode, embed, encode, enlarge, flatten, in_own, to_srgb, with_fit_profile};
use crate::model::{Format, Kind, Output, Profile, Render, Size};

/// A picture between two stages is PNG, which has no quality.
const LOSSLESS: u8 = 100;

/// What there is to know of a picture that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rendered {
    /// The size that it has.
    pub size: Size,
    /// What a person is told of it.
    pub remark: Option<&'static str>,
}

/// Makes one picture of another in one pass: it is decoded once, brought to its size, and encoded once.
pub fn render(
    bytes: &[u8],
    kind: Kind,
    render: &Render,
    limits: &Limits,
    out: &mut dyn Write,
) -> Result<Rendered, CraftError> {
    let (source, remark) = with_fit_profile(decode(bytes, kind, limits)?);
    let picture = match render.size {
        Some(size) => enlarged(&source, size)?,
        None => source,
    };
    let size = Size { width: picture.image.width(), height: picture.image.height() };
    let written = match &render.output {
        Output::Master => encode(&picture, Format::Png, LOSSLESS)?,
        Output::Final { format, quality, profile, background, meta } => {
            let picture = if *profile == Profile::Keep { in_own(picture, *format)? } else { to_srgb(picture)? };
            let picture = if *format == Format::Jpeg { flatten(picture, *background)? } else { picture };
            embed(&encode(&picture, *format, *quality)?, format.kind(), meta)?
        }
    };
    out.write_all(&written).map_err(|error| CraftError::Write(error.kind(), error.to_string()))?;
    Ok(Rendered { size, remark })
}

fn enlarged(source: &Picture, size: Size) -> Result<Picture, CraftError> {
    let picture = enlarge(source, size)?;
    check_enlarged(source, &picture)?;
    Ok(picture)
}

#[cfg(test)]
mod tests {
    use image::DynamicImage;

    use super::*;
    use crate::craft::testing;
    use crate::model::Meta;

    fn rendered(bytes: &[u8], kind: Kind, to: &Render) -> Vec<u8> {
        let mut out = Vec::new();
        let made = render(bytes, kind, to, &Limits::default(), &mut out).unwrap();
        assert_eq!(crate::craft::size(&out, to.output.kind()).unwrap(), made.size);
        out
    }

    fn last(format: Format, profile: Profile) -> Output {
        let meta = Meta { title: "A cabin".to_owned(), keywords: vec!["snow".to_owned()], ..Meta::default() };
        Output::Final { format, quality: 90, profile, background: [255; 3], meta }
    }

    /// Steps that are carried out at once give the bytes that they give one by one.
    #[test]
    fn one_pass_gives_what_two_give() {
        let image = testing::gradient(60, 40).image;
        let images: [DynamicImage; 4] = [
            image.to_rgba8().into(),
            image.to_luma8().into(),
            DynamicImage::ImageRgb16(image.to_rgb16()),
            DynamicImage::ImageLumaA16(image.to_luma_alpha16()),
        ];
        let size = Some(Size { width: 150, height: 100 });
        for (number, image) in images.into_iter().enumerate() {
            for icc in [None, Some(crate::craft::srgb_profile().to_vec())] {
                let source = encode(&Picture { image: image.clone(), icc }, Format::Png, LOSSLESS).unwrap();
                let master = rendered(&source, Kind::Png, &Render { size, output: Output::Master });
                for format in Format::ALL {
                    for profile in [Profile::Srgb, Profile::Keep] {
                        let output = last(format, profile);
                        let apart = rendered(&master, Kind::Png, &Render { size: None, output: output.clone() });
                        let at_once = rendered(&source, Kind::Png, &Render { size, output });
                        assert!(apart == at_once, "picture {number} as {format:?} with {profile:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_written_is_told() {
        let source = encode(&testing::gradient(20, 20), Format::Png, LOSSLESS).unwrap();
        let mut room = [0_u8; 10];
        let to = Render { size: None, output: Output::Master };
        let refused = render(&source, Kind::Png, &to, &Limits::default(), &mut &mut room[..]);
        assert!(matches!(refused, Err(CraftError::Write(std::io::ErrorKind::WriteZero, _))), "{refused:?}");
    }
}
