use std::io::Cursor;

use image::metadata::Orientation;
use image::{AnimationDecoder, DynamicImage, ImageDecoder, ImageReader};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::CraftError;
use super::color::{Inks, is_transparent, printed};
use super::complete::{check_complete, png_chunks};
use super::jpeg_in::{self, JpegRows};
use super::jpeg_scan::check_scans;
use super::picture::{EDGE_MAX, Limits, PROFILE_BYTES_MAX, Picture, Told, decoder_limits, refused};
use super::png_in::PngRows;
use super::stored::Coded;
use super::{jpeg, png_color, tiff_in, webp};
use crate::model::{Kind, Size};

/// Returns a picture's size as it is seen, from its header alone.
pub fn size(bytes: &[u8], kind: Kind) -> Result<Size, CraftError> {
    let (Size { width, height }, orientation) = header(bytes, kind)?;
    let turned = matches!(
        orientation,
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    );
    Ok(if turned { Size { width: height, height: width } } else { Size { width, height } })
}

/// Returns a picture's size as it is stored, from its header alone.
pub(super) fn stored_size(bytes: &[u8], kind: Kind) -> Result<Size, CraftError> {
    header(bytes, kind).map(|(size, _)| size)
}

/// Returns whether a picture is stored as it is seen: viewers neither turn nor mirror it.
pub fn is_upright(bytes: &[u8], kind: Kind) -> bool {
    header(bytes, kind).is_ok_and(|(_, orientation)| orientation == Orientation::NoTransforms)
}

/// Returns a picture's size as it is stored, and how it is turned.
fn header(bytes: &[u8], kind: Kind) -> Result<(Size, Orientation), CraftError> {
    if kind == Kind::Tiff {
        return tiff_in::header(bytes);
    }
    // The decoders would call damaged what is only of another kind.
    match kind {
        Kind::Png => png_color::check(bytes)?,
        Kind::Jpeg => jpeg::check_coding(bytes)?,
        _ => (),
    }
    // The general decoder refuses some samplings that are read here, and copies the file.
    if let Some(size) = jpeg_in::size(bytes).filter(|_| kind == Kind::Jpeg) {
        return Ok((size, jpeg::orientation(bytes).unwrap_or(Orientation::NoTransforms)));
    }
    let mut decoder = reader(bytes, kind)?.into_decoder().map_err(|error| refused(&error))?;
    let (width, height) = decoder.dimensions();
    let orientation = match kind {
        // The decoder does not look behind the pixels.
        Kind::Png => png_orientation(bytes),
        _ => decoder.orientation().ok(),
    };
    Ok((Size { width, height }, orientation.unwrap_or(Orientation::NoTransforms)))
}

/// Returns the colour profile of a picture that is no JPEG, PNG or TIFF, and whether it is grey, from its header.
pub(super) fn stored_colours(bytes: &[u8], kind: Kind) -> Option<(Option<Vec<u8>>, bool)> {
    let mut decoder = reader(bytes, kind).ok()?.into_decoder().ok()?;
    let is_grey = !decoder.color_type().has_color();
    let icc = decoder.icc_profile().ok()?.filter(|icc| icc.len() <= PROFILE_BYTES_MAX);
    Some((icc, is_grey))
}

pub(super) fn png_orientation(bytes: &[u8]) -> Option<Orientation> {
    let exif = png_chunks(bytes).find(|chunk| chunk.name == *b"eXIf")?;
    Orientation::from_exif_chunk(exif.whole.get(8..exif.whole.len() - 4)?)
}

/// Decodes a complete still picture. One that is cut off, damaged, animated or beyond the limits is refused.
pub fn decode<'a>(coded: impl Into<Coded<'a>>, kind: Kind, limits: &Limits) -> Result<Picture, CraftError> {
    decode_told(coded.into(), kind, limits).map(|(picture, _)| picture)
}

/// Decodes one, and tells what a person is told of that.
pub(super) fn decode_told(coded: Coded<'_>, kind: Kind, limits: &Limits) -> Result<Told, CraftError> {
    let orientation = checked(coded.bytes, kind, limits)?;
    decoded(coded, kind, limits, orientation)
}

/// Checks what can be told without decoding pixels, and returns how the picture is turned.
pub(super) fn checked(bytes: &[u8], kind: Kind, limits: &Limits) -> Result<Orientation, CraftError> {
    let (seen, orientation) = header(bytes, kind)?;
    if seen.pixels() > limits.pixels_max || seen.width.max(seen.height) > EDGE_MAX {
        return Err(CraftError::TooLarge(format!(
            "{seen} pixels; `work.megapixels_max` allows {}",
            limits.pixels_max / 1_000_000
        )));
    }
    // This comes before the check for animations: an incomplete file may still become anything.
    check_complete(bytes, kind, &decoder_limits(limits))?;
    refuse_animation(bytes, kind, limits)?;
    let icc = match kind {
        Kind::Jpeg => jpeg::profile(bytes),
        Kind::Png => png_color::counting(bytes),
        Kind::Tiff => tiff_in::stored_colours(bytes, limits).and_then(|(icc, _)| icc),
        _ => stored_colours(bytes, kind).and_then(|(icc, _)| icc),
    };
    icc.as_deref().map_or(Ok(()), png_color::check_profile)?;
    Ok(orientation)
}

/// Decodes a picture that was checked.
pub(super) fn decoded(
    coded: Coded<'_>,
    kind: Kind,
    limits: &Limits,
    orientation: Orientation,
) -> Result<Told, CraftError> {
    let bytes = coded.bytes;
    let mut picture = match kind {
        Kind::Tiff => return tiff_in::decode(bytes, limits),
        // The general decoder accepts a JPEG that was cut in the middle.
        Kind::Jpeg => decode_jpeg(bytes)?,
        Kind::Png => {
            let mut rows = PngRows::new(coded, limits)?;
            let icc = rows.icc.take();
            Picture { image: rows.whole()?, icc }
        }
        _ => {
            let mut reader = reader(bytes, kind)?;
            reader.limits(decoder_limits(limits));
            let mut decoder = reader.into_decoder().map_err(|error| refused(&error))?;
            let icc = decoder.icc_profile().ok().flatten().filter(|icc| icc.len() <= PROFILE_BYTES_MAX);
            let image = DynamicImage::from_decoder(decoder).map_err(|error| refused(&error))?;
            // The decoder gives every GIF opacity.
            let is_opaque = kind == Kind::Gif && !is_transparent(&image);
            Picture { image: if is_opaque { image.to_rgb8().into() } else { image }, icc }
        }
    };
    picture.image.apply_orientation(orientation);
    Ok((picture, None))
}

fn reader(bytes: &[u8], kind: Kind) -> Result<ImageReader<Cursor<&[u8]>>, CraftError> {
    let format = match kind {
        Kind::Png => image::ImageFormat::Png,
        Kind::Jpeg => image::ImageFormat::Jpeg,
        Kind::Webp => image::ImageFormat::WebP,
        Kind::Gif => image::ImageFormat::Gif,
        Kind::Tiff => image::ImageFormat::Tiff,
        Kind::Bmp => image::ImageFormat::Bmp,
        other => return Err(CraftError::Unsupported(format!("{other} is no picture"))),
    };
    Ok(ImageReader::with_format(Cursor::new(bytes), format))
}

fn refuse_animation(bytes: &[u8], kind: Kind, limits: &Limits) -> Result<(), CraftError> {
    let moves = match kind {
        Kind::Gif => {
            let mut decoder =
                image::codecs::gif::GifDecoder::new(Cursor::new(bytes)).map_err(|error| refused(&error))?;
            // A frame may be larger than the picture: its memory is limited too.
            decoder.set_limits(decoder_limits(limits)).map_err(|error| refused(&error))?;
            let mut whole = 0;
            for frame in decoder.into_frames().take(2) {
                match frame {
                    Ok(_) => whole += 1,
                    Err(error @ image::ImageError::Limits(_)) => return Err(refused(&error)),
                    Err(_) => (),
                }
            }
            whole > 1
        }
        Kind::Png => png_frames(bytes) > 1,
        Kind::Webp => webp::chunks(bytes)?.iter().any(|chunk| chunk.name == *b"ANMF"),
        _ => false,
    };
    if moves { Err(CraftError::Animated) } else { Ok(()) }
}

/// Returns how many frames a PNG says that it has.
fn png_frames(bytes: &[u8]) -> u32 {
    let mut head = png_chunks(bytes).take_while(|chunk| chunk.name != *b"IDAT");
    let control = head.find(|chunk| chunk.name == *b"acTL");
    control.and_then(|chunk| Some(u32::from_be_bytes(*chunk.whole.get(8..)?.first_chunk()?))).unwrap_or(1)
}

/// Decodes a JPEG: row by row if it is sequential, and as a whole if it is progressive.
fn decode_jpeg(bytes: &[u8]) -> Result<Picture, CraftError> {
    let icc = jpeg::profile(bytes);
    let Some(mut rows) = JpegRows::new(bytes)? else {
        // The decoder takes what is missing for grey.
        check_scans(bytes)?;
        return progressive_jpeg(bytes, icc);
    };
    let (size, channels) = (rows.size(), rows.channels());
    let (_, pixels) = jpeg_pixels(&mut rows, size.1)?.unwrap_or_default();
    jpeg_picture(size, channels, pixels, icc)
}

/// Returns the next rows of a sequential JPEG, at most so many, and their number; none behind the last one.
pub(super) fn jpeg_pixels(jpeg: &mut JpegRows<'_>, rows: u32) -> Result<Option<(u32, Vec<u8>)>, CraftError> {
    let rows = rows.min(jpeg.rows_left());
    let row_bytes = jpeg.size().0 as usize * jpeg.channels();
    let mut pixels = vec![0; row_bytes * rows as usize];
    for row in pixels.chunks_exact_mut(row_bytes) {
        jpeg.next_row(row)?;
    }
    Ok((rows > 0).then_some((rows, pixels)))
}

/// Returns the picture that the pixels of a JPEG make, or some rows of one.
pub(super) fn jpeg_picture(
    size @ (width, height): (u32, u32),
    channels: usize,
    pixels: Vec<u8>,
    icc: Option<Vec<u8>>,
) -> Result<Picture, CraftError> {
    let image = match channels {
        1 => image::GrayImage::from_raw(width, height, pixels).map(DynamicImage::from),
        4 => return printed(size, &Inks::Bytes(pixels), icc),
        _ => image::RgbImage::from_raw(width, height, pixels).map(DynamicImage::from),
    };
    let image = image.ok_or_else(|| CraftError::Damaged("the JPEG holds fewer pixels than it says".to_owned()))?;
    Ok(Picture { image, icc })
}

fn progressive_jpeg(bytes: &[u8], icc: Option<Vec<u8>>) -> Result<Picture, CraftError> {
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(EDGE_MAX as usize)
        .set_max_height(EDGE_MAX as usize);
    let headers = || {
        let mut decoder = JpegDecoder::new_with_options(Cursor::new(bytes), options);
        decoder.decode_headers().map(|()| decoder.input_colorspace())
    };
    let damaged = |error: zune_jpeg::errors::DecodeErrors| {
        let text = super::on_one_line(&error);
        if text.contains("exhausted") || text.contains("EOF") || text.contains("remature") {
            CraftError::Truncated(text)
        } else {
            CraftError::Damaged(text)
        }
    };
    let out = match headers().map_err(damaged)? {
        // Inks are mixed by their profile, and not by the decoder.
        Some(own @ (ColorSpace::Luma | ColorSpace::CMYK | ColorSpace::YCCK)) => own,
        _ => ColorSpace::RGB,
    };
    let mut decoder = JpegDecoder::new_with_options(Cursor::new(bytes), options.jpeg_set_out_colorspace(out));
    let pixels = decoder.decode().map_err(damaged)?;
    let info = decoder.info().ok_or_else(|| CraftError::Damaged("the JPEG has no header".to_owned()))?;
    let size = (u32::from(info.width), u32::from(info.height));
    match out {
        ColorSpace::Luma => jpeg_picture(size, 1, pixels, icc),
        ColorSpace::CMYK | ColorSpace::YCCK => jpeg_picture(size, 4, jpeg_inks(bytes, pixels, out), icc),
        _ => jpeg_picture(size, 3, pixels, icc),
    }
}

/// Returns the inks of a JPEG. Adobe's programs, which say so, store them the other way round: 255 is no ink.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast of a float ends at the bounds")]
fn jpeg_inks(bytes: &[u8], mut values: Vec<u8>, space: ColorSpace) -> Vec<u8> {
    if space == ColorSpace::YCCK {
        for pixel in values.chunks_exact_mut(4) {
            let [y, blue, red] = [pixel[0], pixel[1], pixel[2]].map(f32::from);
            let (blue, red) = (blue - 128.0, red - 128.0);
            let seen = [y + 1.402 * red, y - 0.344_136 * blue - 0.714_136 * red, y + 1.772 * blue];
            pixel.iter_mut().zip(seen).for_each(|(value, seen)| *value = 255 - seen.round() as u8);
        }
    }
    if jpeg::parts(bytes).flatten().any(|part| part.marker == 0xee && part.body.starts_with(jpeg::ADOBE)) {
        values.iter_mut().for_each(|value| *value = 255 - *value);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft::{encode, testing};
    use crate::model::Format;
    use proptest::prelude::*;

    #[test]
    fn a_picture_that_is_cut_anywhere_is_no_picture() {
        let picture = testing::gradient(97, 61);
        for format in [Format::Png, Format::Jpeg, Format::Webp, Format::Tiff] {
            let whole = encode(&picture, format, 90).unwrap();
            let kind = format.kind();
            let decoded = decode(&whole, kind, &Limits::default()).unwrap();
            assert_eq!((decoded.image.width(), decoded.image.height()), (97, 61), "{kind}");
            for percent in [10, 50, 90, 99] {
                let cut = &whole[..whole.len() * percent / 100];
                assert!(decode(cut, kind, &Limits::default()).is_err(), "{kind} cut at {percent} %");
            }
            if kind != Kind::Tiff {
                let error = decode(&whole[..whole.len() - 2], kind, &Limits::default()).unwrap_err();
                assert!(matches!(error, CraftError::Truncated(_)), "{kind}: {error}");
            }
        }
    }

    /// An opaque one became a PNG with opacity everywhere.
    #[test]
    fn a_gif_has_opacity_only_where_something_is_transparent() {
        for (last, color) in [(255, image::ColorType::Rgb8), (0, image::ColorType::Rgba8)] {
            let pixels = image::RgbaImage::from_fn(9, 5, |x, y| {
                image::Rgba([200, 100, 0, if (x, y) == (8, 4) { last } else { 255 }])
            });
            let mut gif = Vec::new();
            image::codecs::gif::GifEncoder::new(&mut gif).encode_frame(image::Frame::new(pixels.clone())).unwrap();
            let image = decode(&gif, Kind::Gif, &Limits::default()).unwrap().image;
            assert_eq!((image.color(), image.to_rgba8().get_pixel(0, 0)), (color, pixels.get_pixel(0, 0)));
        }
    }

    /// One that was still being copied was set aside as animated, and its rest came as another asset.
    #[test]
    fn an_animation_is_told_once_it_is_whole() {
        let mut gif = Vec::new();
        let frames =
            [20, 200].map(|level| image::Frame::new(image::RgbaImage::from_pixel(40, 30, image::Rgba([level; 4]))));
        image::codecs::gif::GifEncoder::new(&mut gif).encode_frames(frames).unwrap();
        let refusal = |bytes: &[u8]| decode(bytes, Kind::Gif, &Limits::default()).unwrap_err();
        assert_eq!(refusal(&gif), CraftError::Animated);
        assert!(matches!(refusal(&gif[..gif.len() - 1]), CraftError::Truncated(_)));
    }

    /// Returns a PNG with these chunks before its pixels, and behind them.
    fn png(before: &[(&[u8; 4], &[u8])], behind: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let plain = encode(&testing::gradient(6, 4), Format::Png, 90).unwrap();
        let chunk = |(name, body): &(&[u8; 4], &[u8])| {
            let content = [&name[..], body].concat();
            let length = u32::try_from(body.len()).unwrap().to_be_bytes();
            [&length[..], &content, &crc32fast::hash(&content).to_be_bytes()].concat()
        };
        let all = |chunks: &[(&[u8; 4], &[u8])]| chunks.iter().flat_map(chunk).collect::<Vec<u8>>();
        let end = plain.len() - 12;
        [&plain[..33], &all(before), &plain[33..end], &all(behind), &plain[end..]].concat()
    }

    /// One with much text before that was taken for a still, and one with the letters in its text for an animation.
    #[test]
    fn what_moves_is_told_by_its_parts() {
        let frames = |count: u8| [0, 0, 0, count, 0, 0, 0, 0];
        let text = [&b"Comment\0"[..], &[b'x'; 9000]].concat();
        let rows: [(&[(&[u8; 4], &[u8])], bool); 4] = [
            (&[(b"tEXt", &text), (b"acTL", &frames(2))], true),
            (&[(b"acTL", &frames(1))], false),
            (&[(b"tEXt", b"Comment\0acTL")], false),
            (&[], false),
        ];
        for (chunks, moves) in rows {
            let decoded = decode(&png(chunks, &[]), Kind::Png, &Limits::default()).map(drop);
            assert_eq!(decoded, if moves { Err(CraftError::Animated) } else { Ok(()) });
        }
        let still = encode(&testing::gradient(6, 4), Format::Webp, 90).unwrap();
        let chunks = webp::chunks(&still).unwrap();
        let pixels = *chunks.iter().find(|chunk| chunk.name == *b"VP8L").unwrap();
        let chunk = |name: &[u8; 4], body: &'static [u8]| webp::Chunk { name: *name, body };
        let frame = [
            &[0; 6][..],
            &[5, 0, 0, 3, 0, 0, 9, 0, 0, 0],
            b"VP8L",
            &u32::try_from(pixels.body.len()).unwrap().to_le_bytes(),
            pixels.body,
        ]
        .concat();
        let frame = webp::Chunk { name: *b"ANMF", body: &frame };
        let head = |flags: &'static [u8]| chunk(b"VP8X", flags);
        let profile = webp::Chunk { name: *b"ICCP", body: crate::craft::srgb_profile() };
        let moving = [head(&[0x22, 0, 0, 0, 5, 0, 0, 3, 0, 0]), profile, chunk(b"ANIM", &[0; 6]), frame, frame];
        assert_eq!(decode(&webp::join(&moving), Kind::Webp, &Limits::default()).map(drop), Err(CraftError::Animated));
        let named = [head(&[0x08, 0, 0, 0, 5, 0, 0, 3, 0, 0]), pixels, chunk(b"EXIF", b"ANIM ANMF")];
        assert_eq!(decode(&webp::join(&named), Kind::Webp, &Limits::default()).map(drop), Ok(()));
    }

    #[test]
    fn a_picture_is_turned_once_wherever_that_stands() {
        let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        for bytes in [png(&[(b"eXIf", exif)], &[]), png(&[], &[(b"eXIf", exif)])] {
            assert_eq!(size(&bytes, Kind::Png).unwrap(), Size { width: 4, height: 6 });
            assert!(!is_upright(&bytes, Kind::Png));
            let turned = decode(&bytes, Kind::Png, &Limits::default()).unwrap().image;
            assert_eq!(turned, testing::gradient(6, 4).image.rotate90());
        }
    }

    /// A hole of zeros in a lossless WebP decoded to another picture, and what lay behind the end of a whole file was
    /// looked through for its end mark.
    #[test]
    fn a_hole_is_damage_and_what_lies_behind_the_end_is_not() {
        let mut state = 7_u32;
        let noise = image::RgbImage::from_fn(160, 120, |x, y| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let level = u8::try_from(u32::midpoint(x, y)).unwrap();
            image::Rgb([level.wrapping_add(state.to_be_bytes()[0] / 8), level, 255 - level])
        });
        let picture = Picture { image: noise.into(), icc: None };
        let mut gif = Vec::new();
        let frame = image::Frame::new(picture.image.to_rgba8());
        image::codecs::gif::GifEncoder::new(&mut gif).encode_frame(frame).unwrap();
        let encoded = |format: Format| (format.kind(), encode(&picture, format, 90).unwrap());
        let all = [Format::Png, Format::Jpeg, Format::Webp, Format::Tiff].map(encoded);
        for (kind, whole) in all.into_iter().chain([(Kind::Gif, gif)]) {
            let check = |bytes: &[u8]| decode(bytes, kind, &Limits::default()).map(|_| ());
            assert_eq!(check(&whole), Ok(()), "{kind}");
            for tail in [vec![0; 300_000], vec![0xff; 300_000], b"\nparameters: a prompt".to_vec()] {
                assert_eq!(
                    check(&[whole.clone(), tail.clone()].concat()),
                    Ok(()),
                    "{kind} and {} bytes more",
                    tail.len()
                );
            }
            let middle = whole.len() / 2;
            let mut hole = whole.clone();
            hole[middle..middle + 2048].fill(0);
            let error = check(&hole).expect_err(&format!("{kind} with a hole"));
            assert!(error.may_be_incomplete(), "{kind}: {error}");
            let mut half = whole.clone();
            half[middle..].fill(0);
            assert!(check(&half).unwrap_err().may_be_incomplete(), "{kind}, half of it zeros");
        }
    }

    /// The general decoder calls such a head damaged.
    #[test]
    fn a_sampling_of_three_is_read() {
        let mut bytes = Vec::new();
        let grey = testing::gradient(40, 30).image.to_luma8();
        let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 90);
        encoder
            .add_app_segment(1, b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec())
            .unwrap();
        encoder.encode(grey.as_raw(), 40, 30, jpeg_encoder::ColorType::Luma).unwrap();
        let whole = decode(&bytes, Kind::Jpeg, &Limits::default()).unwrap().image;
        let at = bytes.windows(9).position(|part| part == [0xff, 0xc0, 0, 11, 8, 0, 30, 0, 40]).unwrap();
        assert_eq!(bytes[at + 11], 0x11);
        bytes[at + 11] = 0x31;
        assert_eq!(size(&bytes[..at + 13], Kind::Jpeg).unwrap(), Size { width: 30, height: 40 }, "turned");
        assert_eq!(decode(&bytes, Kind::Jpeg, &Limits::default()).unwrap().image, whole);
    }

    #[test]
    fn limits_hold() {
        let bytes = encode(&testing::gradient(100, 100), Format::Png, 90).unwrap();
        let limits = Limits { pixels_max: 9_999, ..Limits::default() };
        assert!(matches!(decode(&bytes, Kind::Png, &limits), Err(CraftError::TooLarge(_))));
        let mut lying = bytes.clone();
        lying[16..24].copy_from_slice(&[0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0]);
        assert!(decode(&lying, Kind::Png, &Limits::default()).is_err());
    }

    /// 150 bytes of GIF whose second frame is far larger than the picture took all memory.
    #[test]
    fn a_frame_that_is_larger_than_the_picture_is_limited() {
        let mut bytes = Vec::new();
        let frame = image::Frame::new(image::RgbaImage::new(5, 4));
        image::codecs::gif::GifEncoder::new(&mut bytes).encode_frame(frame).unwrap();
        assert!(decode(&bytes, Kind::Gif, &Limits::default()).is_ok());
        assert_eq!(bytes.pop(), Some(0x3b));
        bytes.extend(b"\x2c\0\0\0\0\x00\xe0\x00\xe0\0\x02\x01\x2c\0\x3b");
        let limits = Limits { pixels_max: 1_000_000, memory_bytes_max: 64 << 20 };
        assert!(matches!(decode(&bytes, Kind::Gif, &limits), Err(CraftError::TooLarge(_))));
    }

    #[test]
    fn depth_alpha_and_profile_survive() {
        let level = |at: u32| u16::try_from(at).unwrap() * 8000;
        let deep = image::ImageBuffer::from_fn(8, 8, |x, y| image::Rgba([level(x), level(y), 513, 40_000]));
        let icc = Some(crate::craft::srgb_profile().to_vec());
        let picture = Picture { image: DynamicImage::ImageRgba16(deep), icc };
        let back = decode(&encode(&picture, Format::Png, 90).unwrap(), Kind::Png, &Limits::default()).unwrap();
        assert_eq!(back.image, picture.image);
        assert_eq!(back.icc, picture.icc);
    }

    proptest! {
        #[test]
        fn damaged_pictures_never_panic(at in 0_usize..3000, value in any::<u8>(), which in 0_usize..4) {
            let format = [Format::Png, Format::Jpeg, Format::Webp, Format::Tiff][which];
            let mut bytes = encode(&testing::gradient(31, 17), format, 90).unwrap();
            let at = at % bytes.len();
            bytes[at] = value;
            let limits = Limits { pixels_max: 1_000_000, memory_bytes_max: 64 << 20 };
            let _ = decode(&bytes, format.kind(), &limits);
        }
    }
}
