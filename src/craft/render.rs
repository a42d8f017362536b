use std::cell::Cell;
use std::io::Write;

use super::by_program::{Given, write_cut_out};
use super::color::is_transparent;
use super::decode::decode_told;
use super::encode::{FULL_COLOUR_FROM, Writing, fit, write};
use super::enlarge::{enlarged, own_net};
use super::fit::{Fitted, QUALITY_MIN, within};
use super::levels::{Levels, level};
use super::neural::Net;
use super::packets::Packets;
use super::source::Source;
use super::source_look::chosen;
use super::stored::Coded;
use super::stream::Feed;
use super::{CraftError, Limits, Picture, Progress, Stopped, Untold};
use super::{flatten, in_own, to_srgb, with_fit_profile};
use crate::model::{ByteRange, Format, Kind, Output, Profile, Render, Scans, Size, Strength, Took, Upscaler};

/// A picture between two stages is PNG, which has no quality.
const LOSSLESS: u8 = 100;

/// The longest edge of a WebP.
const WEBP_EDGE_MAX: u32 = 16_383;

/// What there is to know of a picture that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The size that it has.
    pub size: Size,
    /// What a person is told of its colours, which is found where it is decoded.
    pub remark: Option<String>,
    /// What enlarged it, if that was left to what suits it.
    pub by: Option<Upscaler>,
    /// What a person is told of how it is written, which belongs to where it is encoded.
    pub encoded: Option<String>,
    /// Why it does not have as many bytes as it was to have, if it has not.
    pub unfit: Option<String>,
}

/// Makes one picture of another in one pass: it is read once, brought to its size, and encoded once, or four times at most
/// if it is to have so many bytes. Colours are converted, and what is transparent is laid on its background, in the size of
/// the source: that is most often the smaller one, and the result is the same. Where source and format allow, neither of
/// them is in memory as a whole. Told to stop by `progress`, or where the source is damaged, it leaves `out` unfinished.
pub fn render<'a>(
    coded: impl Into<Coded<'a>>,
    kind: Kind,
    render: &Render,
    limits: &Limits,
    progress: &dyn Progress,
    out: &mut dyn Write,
) -> Result<Rendered, CraftError> {
    made((coded.into(), kind), Help::None, render, limits, progress, out)
}

/// Makes a picture as [`render`] does, where that may be by a net that somebody brought: this one.
pub fn render_by(
    brought: Option<&Net>,
    source: (Coded<'_>, Kind),
    render: &Render,
    limits: &Limits,
    progress: &dyn Progress,
    out: &mut dyn Write,
) -> Result<Rendered, CraftError> {
    made(source, brought.map_or(Help::None, Help::Net), render, limits, progress, out)
}

/// Makes one picture of another that a program has enlarged: what it gave is compared with the source, and brought to the
/// size that is wanted.
pub fn render_given(
    source: (Coded<'_>, Kind),
    given: Given<'_>,
    render: &Render,
    limits: &Limits,
    progress: &dyn Progress,
    out: &mut dyn Write,
) -> Result<Rendered, CraftError> {
    // Most of the time is over: how much of it the rest takes, nobody can tell.
    made(source, Help::Given(given), render, limits, &NotBegun(progress), out).map_err(|error| match error {
        CraftError::LooksWrong(why) => {
            CraftError::NotByProgram(format!("what it makes does not look like its source ({why})"))
        }
        error => error,
    })
}

/// Writes a picture as a program gets it that is to enlarge it: a PNG in the colours of what is made of it, as our
/// decoder sees them, that says nothing else. What is transparent gets the colours beside it, since most programs enlarge
/// colours and opacity apart from each other. Returns its size.
pub fn write_for_program(
    source: (Coded<'_>, Kind),
    render: &Render,
    limits: &Limits,
    progress: &dyn Progress,
    out: &mut dyn Write,
) -> Result<Size, CraftError> {
    let is_flattened = Cell::new(false);
    let Opened { from, feed, .. } = opened(source, render, limits, &is_flattened)?;
    let writing = Writing {
        format: Format::Png,
        sharpen: Strength::Off,
        quality: LOSSLESS,
        scans: Scans::Baseline,
        subsampling: None,
        packets: None,
        threads: render.threads,
        progress: &NotBegun(progress),
    };
    if feed.made().has_alpha() {
        write_cut_out(feed, out)?;
    } else {
        write(feed, None, None, from, &writing, out)?;
    }
    Ok(from)
}

/// Asks whether to go on, and tells that nothing is made yet.
struct NotBegun<'a>(&'a dyn Progress);

impl Progress for NotBegun<'_> {
    fn rows(&self, _: u32, of: u32) -> Result<(), Stopped> {
        self.0.rows(0, of)
    }
}

/// What enlarges a picture and does not come with stockmill.
#[derive(Clone, Copy)]
enum Help<'a> {
    /// Nothing is wanted.
    None,
    /// A net that somebody brought.
    Net(&'a Net),
    /// What a program made of the picture.
    Given(Given<'a>),
}

/// Makes a picture of a source, or of what was given of it.
fn made(
    (coded, kind): (Coded<'_>, Kind),
    help: Help<'_>,
    render: &Render,
    limits: &Limits,
    progress: &dyn Progress,
    out: &mut dyn Write,
) -> Result<Rendered, CraftError> {
    fits_its_format(render.size.map_or_else(|| super::size(coded.bytes, kind), Ok)?, render.output.format())?;
    let Some((by, why)) = chosen(coded, kind, render, limits, progress)? else {
        return in_its_bytes((coded, kind), (render, help), (limits, progress), out);
    };
    let render = Render { by: by.clone(), ..render.clone() };
    let made = in_its_bytes((coded, kind), (&render, help), (limits, progress), out)?;
    let remark = made.remark.into_iter().chain([why]).collect::<Vec<_>>().join("; ");
    Ok(Rendered { remark: Some(remark), by: Some(by), ..made })
}

/// Makes it, a few times if it is to have so many bytes.
fn in_its_bytes(
    (coded, kind): (Coded<'_>, Kind),
    (render, help): (&Render, Help<'_>),
    (limits, progress): (&Limits, &dyn Progress),
    out: &mut dyn Write,
) -> Result<Rendered, CraftError> {
    let once = |quality, out: &mut dyn Write| once((coded, kind), (render, help), quality, (limits, progress), out);
    match &render.output {
        Output::Master => once(LOSSLESS, out),
        Output::Final { format: Format::Jpeg, quality, bytes: Some(range), subsampling, .. } => {
            let mut last = None;
            let mut one = |quality| {
                let mut made = Vec::new();
                last = Some(once(quality, &mut made)?);
                Ok(made)
            };
            let leap = subsampling.is_none().then_some(FULL_COLOUR_FROM);
            let fitted = within(*range, *quality, leap, &mut one)?;
            written(out, &fitted.bytes)?;
            let mut made = last.expect("it was made once at least");
            tell(&fitted, *range, *quality, leap, &mut made);
            Ok(made)
        }
        Output::Final { quality, .. } => once(*quality, out),
    }
}

/// Refuses what its format cannot hold, before any work is done.
fn fits_its_format(size: Size, format: Format) -> Result<(), CraftError> {
    if format != Format::Webp || size.width.max(size.height) <= WEBP_EDGE_MAX {
        return Ok(());
    }
    Err(CraftError::TooLarge(format!(
        "it would get {size} pixels, and a WebP has at most {WEBP_EDGE_MAX} on an edge; ask for fewer, or for another format"
    )))
}

/// Tells if a JPEG that was to have so many bytes has another quality for that, or if it has not so many.
fn tell(fitted: &Fitted, range: ByteRange, asked: u8, leap: Option<u8>, made: &mut Rendered) {
    let Fitted { bytes, quality, is_within } = fitted;
    if *quality != asked {
        let colours = match leap.map(|leap| [asked, *quality].map(|quality| quality >= leap)) {
            Some([true, false]) => ", with colours at half the resolution",
            Some([false, true]) => ", with colours at full resolution",
            _ => "",
        };
        let told = format!("its quality is {quality} instead of {asked}{colours}, for {range}");
        made.encoded = Some(made.encoded.iter().cloned().chain([told]).collect::<Vec<_>>().join("; "));
    }
    if !is_within {
        let (count, from) = (bytes.len(), QUALITY_MIN.min(asked));
        made.unfit =
            Some(format!("it has {count} bytes, and no quality from {from} to 100 that was tried gave {range}"));
    }
}

/// Makes it once, with this quality.
fn once(
    (coded, kind): (Coded<'_>, Kind),
    (render, help): (&Render, Help<'_>),
    quality: u8,
    (limits, progress): (&Limits, &dyn Progress),
    out: &mut dyn Write,
) -> Result<Rendered, CraftError> {
    // That something is transparent is known once all of it was seen.
    let is_flattened = Cell::new(false);
    let open = || opened((coded, kind), render, limits, &is_flattened);
    let Opened { from, feed, icc, mut remarks } = open()?;
    let again = || open().map(|opened| opened.feed);
    let (size, threads) = (render.size.unwrap_or(from), render.threads);
    progress.rows(0, size.height)?;
    let packets = match &render.output {
        Output::Final { meta: Some(meta), .. } => Some(Packets::of(meta)?),
        _ => None,
    };
    let (scans, subsampling) = match &render.output {
        Output::Final { scans, subsampling, .. } => (*scans, *subsampling),
        Output::Master => (Scans::Baseline, None),
    };
    let format = render.output.format();
    let sharpen = render.enhance.sharpen;
    let packets = packets.as_ref();
    let writing = Writing { format, sharpen, quality, scans, subsampling, packets, threads, progress };
    let is_enlarged = render.size.is_some();
    let own = match &render.by {
        Upscaler::Neural(dial) | Upscaler::Auto { dial, took: Some(Took::Neural) } if is_enlarged => {
            Some(own_net(dial.value())?)
        }
        _ => None,
    };
    let net = match &render.by {
        Upscaler::Brought { name, .. } if is_enlarged => {
            let Help::Net(net) = help else {
                return Err(CraftError::Defect(format!("the net `{name}` was not given")));
            };
            remarks.extend(rest_of(net, from, size));
            Some(net)
        }
        _ => own.as_ref(),
    };
    match (net, help) {
        (Some(net), _) => {
            // Rows are written as the net makes them: who asks how far it is, is told that.
            let writing = Writing { progress: &Untold, ..writing };
            enlarged(feed, size, net, threads, progress, |feed| {
                write(feed, None, icc.as_deref(), size, &writing, out)
            })?;
        }
        (None, Help::Given(given)) => write(given.feed(feed, limits)?, None, icc.as_deref(), size, &writing, out)?,
        (None, _) => write(feed, Some(&again), icc.as_deref(), size, &writing, out)?,
    }
    let remark = (!remarks.is_empty()).then(|| remarks.join("; "));
    let flattened = match &render.output {
        Output::Final { background: [red, green, blue], .. } if is_flattened.get() => {
            Some(format!("what is transparent lies on #{red:02x}{green:02x}{blue:02x}"))
        }
        _ => None,
    };
    let told: Vec<String> = flattened.into_iter().chain(packets.and_then(|packets| packets.told.clone())).collect();
    let encoded = (!told.is_empty()).then(|| told.join("; "));
    Ok(Rendered { size, remark, by: None, encoded, unfit: None })
}

/// Tells if a net does not make a picture as large as it is to be.
fn rest_of(net: &Net, from: Size, to: Size) -> Option<String> {
    let times = net.scale();
    let is_less = to.width as usize > from.width as usize * times || to.height as usize > from.height as usize * times;
    is_less.then(|| format!("its net enlarges {times} times, and lanczos from there to {to}"))
}

/// A source that its first rows were read of.
struct Opened<'a> {
    from: Size,
    feed: Feed<'a>,
    icc: Option<Vec<u8>>,
    /// What a person is told of it.
    remarks: Vec<String>,
}

/// Begins to read a source, as it is written.
fn opened<'a>(
    (coded, kind): (Coded<'a>, Kind),
    render: &'a Render,
    limits: &Limits,
    is_flattened: &'a Cell<bool>,
) -> Result<Opened<'a>, CraftError> {
    // How far levels may go is known once all of it was seen.
    let levels = render.enhance.levels;
    let is_by_rows = render.output.format() != Format::Webp && levels == Strength::Off;
    let mut source =
        if is_by_rows { Source::open(coded, kind, limits)? } else { Source::whole(decode_told(coded, kind, limits)?) };
    let from = source.size();
    let mut first = source.next()?.ok_or_else(|| CraftError::Damaged("it has no rows".to_owned()))?;
    let levelled = levelled(&mut first, levels);
    let (Picture { image, icc }, told) = in_output(first, &render.output, is_flattened)?;
    let remarks = source.remark().into_iter().chain(told.map(str::to_owned)).chain(levelled).collect();
    let feed = Feed::new(from, image, move || {
        let next = source.next()?.map(|rows| in_output(rows, &render.output, is_flattened)).transpose()?;
        Ok(next.map(|(rows, _)| rows.image))
    });
    Ok(Opened { from, feed, icc, remarks })
}

/// Stretches the range of a picture if that is wanted, and returns what there is to tell of it.
fn levelled(picture: &mut Picture, strength: Strength) -> Option<String> {
    if strength == Strength::Off {
        return None;
    }
    Some(match level(&mut picture.image, strength) {
        None => "its levels stay, since nothing of it is seen".to_owned(),
        Some(Levels::Whole) => "its levels stay, since they use the whole range".to_owned(),
        Some(Levels::Plain { from: (low, high) }) if low == high => {
            format!("its levels stay, since all of it has the value {low}")
        }
        Some(Levels::Plain { from: (low, high) }) => {
            format!("its levels {low} to {high} stay, since it is plain")
        }
        Some(Levels::Dark { from: (low, high) }) => {
            format!("its levels {low} to {high} stay, since it would become darker")
        }
        Some(Levels::Stretched { from: (low, high), to: (black, white) }) => {
            format!("its levels {low} to {high} became {black} to {white}")
        }
    })
}

/// Returns a picture, or some rows of one, as it is written, and what there is to tell of its profile; says whether
/// something transparent was laid on a background.
fn in_output(
    picture: Picture,
    output: &Output,
    is_flattened: &Cell<bool>,
) -> Result<(Picture, Option<&'static str>), CraftError> {
    let (picture, remark) = with_fit_profile(picture);
    let Output::Final { format, profile, background, .. } = output else { return Ok((picture, remark)) };
    let (picture, unkept) =
        if *profile == Profile::Keep { in_own(picture, *format)? } else { (to_srgb(picture)?, None) };
    let picture = if *format == Format::Jpeg {
        is_flattened.set(is_flattened.get() || is_transparent(&picture.image));
        flatten(picture, *background)?
    } else {
        picture
    };
    Ok((fit(picture, *format)?, remark.or(unkept)))
}

/// Writes a picture that is ready.
pub fn written(out: &mut dyn Write, bytes: &[u8]) -> Result<(), CraftError> {
    super::stream::written(out.write_all(bytes))
}

#[cfg(test)]
mod tests {
    use image::DynamicImage;

    use super::*;
    use crate::craft::{Stopped, Untold, decode, encode, testing};
    use crate::model::{Enhance, Meta};

    fn rendered(bytes: &[u8], kind: Kind, to: &Render) -> Vec<u8> {
        let mut out = Vec::new();
        let made = render(bytes, kind, to, &Limits::default(), &Untold, &mut out).unwrap();
        assert_eq!(crate::craft::size(&out, to.output.kind()).unwrap(), made.size);
        out
    }

    fn last(format: Format, profile: Profile) -> Output {
        let meta = Meta { title: "A cabin".to_owned(), keywords: vec!["snow".to_owned()], ..Meta::default() };
        Output::Final {
            format,
            quality: 90,
            bytes: None,
            scans: Scans::Baseline,
            subsampling: None,
            profile,
            background: [255; 3],
            meta: Some(meta),
        }
    }

    /// Steps that are carried out at once give what they give one by one, but for what the file between them rounds.
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
                let master = rendered(
                    &source,
                    Kind::Png,
                    &Render {
                        size,
                        by: Upscaler::Lanczos,
                        enhance: Enhance::default(),
                        output: Output::Master,
                        threads: 1,
                    },
                );
                for format in Format::ALL {
                    for profile in [Profile::Srgb, Profile::Keep] {
                        let output = last(format, profile);
                        let apart = rendered(
                            &master,
                            Kind::Png,
                            &Render {
                                size: None,
                                by: Upscaler::Lanczos,
                                enhance: Enhance::default(),
                                output: output.clone(),
                                threads: 1,
                            },
                        );
                        let at_once = rendered(
                            &source,
                            Kind::Png,
                            &Render { size, by: Upscaler::Lanczos, enhance: Enhance::default(), output, threads: 1 },
                        );
                        let [apart, at_once] =
                            [apart, at_once].map(|bytes| decode(&bytes, format.kind(), &Limits::default()).unwrap());
                        assert_eq!((apart.image.color(), &apart.icc), (at_once.image.color(), &at_once.icc));
                        let (a, b) = (apart.image.to_rgba8(), at_once.image.to_rgba8());
                        let worst = a.iter().zip(b.iter()).map(|(a, b)| a.abs_diff(*b)).max();
                        let allowed = if format == Format::Jpeg { 12 } else { 1 };
                        assert!(worst <= Some(allowed), "picture {number} as {format:?} with {profile:?}: {worst:?}");
                    }
                }
            }
        }
    }

    /// The result is compared with the stretched source, and what was done is told with its numbers.
    #[test]
    fn levels_are_set_before_all_else_and_told() {
        let byte = |value: u32| u8::try_from(value).unwrap();
        let dull = image::RgbImage::from_fn(90, 60, |x, y| image::Rgb([60, byte(60 + x), byte(200 - y)]));
        let dull = encode(&Picture { image: dull.into(), icc: None }, Format::Png, LOSSLESS).unwrap();
        let whole = encode(&testing::gradient(90, 60), Format::Png, LOSSLESS).unwrap();
        let plain = image::GrayImage::from_pixel(90, 60, image::Luma([70]));
        let plain = encode(&Picture { image: plain.into(), icc: None }, Format::Png, LOSSLESS).unwrap();
        let noisy = image::GrayImage::from_fn(90, 60, |x, _| image::Luma([byte(70 + x % 3)]));
        let noisy = encode(&Picture { image: noisy.into(), icc: None }, Format::Png, LOSSLESS).unwrap();
        let size = Some(Size { width: 200, height: 140 });
        let told = "its levels 60 to 200 became 37 to 234";
        for output in [Output::Master, last(Format::Jpeg, Profile::Srgb), last(Format::Webp, Profile::Keep)] {
            for (source, levels, expected) in [
                (&dull, Strength::High, Some(told)),
                (&dull, Strength::Off, None),
                (&whole, Strength::High, Some("its levels stay, since they use the whole range")),
                (&plain, Strength::High, Some("its levels stay, since all of it has the value 70")),
                (&noisy, Strength::High, Some("its levels 70 to 72 stay, since it is plain")),
            ] {
                let enhance = Enhance { sharpen: Strength::High, levels };
                let to = Render { size, by: Upscaler::Lanczos, enhance, output: output.clone(), threads: 1 };
                let mut out = Vec::new();
                let made = render(source, Kind::Png, &to, &Limits::default(), &Untold, &mut out).unwrap();
                assert_eq!(made.remark.as_deref(), expected);
                let made = decode(&out, to.output.kind(), &Limits::default()).unwrap().image.to_rgb8();
                let red = made.pixels().map(|pixel| pixel[0]).max().unwrap();
                assert_eq!(red < 40, expected == Some(told), "{red}");
            }
        }
    }

    /// Both went without a word: the other pages of a TIFF, and what shows where a picture is transparent.
    #[test]
    fn what_is_left_out_or_laid_on_a_background_is_told() {
        let png = |image: DynamicImage| encode(&Picture { image, icc: None }, Format::Png, LOSSLESS).unwrap();
        let with_alpha = |last: u8| {
            let mut image = testing::gradient(600, 900).image.to_rgba8();
            image.put_pixel(599, 899, image::Rgba([9, 9, 9, last]));
            image
        };
        let (opaque, clear) = (png(with_alpha(255).into()), png(with_alpha(254).into()));
        let grey = DynamicImage::from(with_alpha(0)).to_luma_alpha16();
        let grey = png(DynamicImage::ImageLumaA16(grey));
        let mut pages = std::io::Cursor::new(Vec::new());
        let mut encoder = tiff::encoder::TiffEncoder::new(&mut pages).unwrap();
        for level in [10, 20] {
            encoder.write_image::<tiff::encoder::colortype::Gray8>(2, 1, &[level; 2]).unwrap();
        }
        let pages = pages.into_inner();
        let mut bright = std::io::Cursor::new(Vec::new());
        let mut values = [0.5; 300];
        values[7] = 1.5;
        let mut encoder = tiff::encoder::TiffEncoder::new(&mut bright).unwrap();
        encoder.write_image::<tiff::encoder::colortype::RGB32Float>(10, 10, &values).unwrap();
        let bright = bright.into_inner();
        let jpeg = last(Format::Jpeg, Profile::Srgb);
        let one = Some("it has more pages, and only the first one is taken");
        let above = Some("values above 1, which is white, are taken for white (1 of 300, up to 1.5)");
        let on_white = Some("what is transparent lies on #ffffff");
        for (source, kind, output, decoded, encoded) in [
            (&opaque, Kind::Png, &jpeg, None, None),
            (&clear, Kind::Png, &jpeg, None, on_white),
            (&grey, Kind::Png, &jpeg, None, on_white),
            (&clear, Kind::Png, &last(Format::Webp, Profile::Srgb), None, None),
            (&clear, Kind::Png, &Output::Master, None, None),
            (&pages, Kind::Tiff, &Output::Master, one, None),
            (&pages, Kind::Tiff, &jpeg, one, None),
            (&bright, Kind::Tiff, &jpeg, above, None),
            (&bright, Kind::Tiff, &last(Format::Webp, Profile::Srgb), above, None),
        ] {
            let to = Render {
                size: None,
                by: Upscaler::Lanczos,
                enhance: Enhance::default(),
                output: output.clone(),
                threads: 1,
            };
            let made = render(source, kind, &to, &Limits::default(), &Untold, &mut std::io::sink()).unwrap();
            assert_eq!((made.remark.as_deref(), made.encoded.as_deref()), (decoded, encoded), "{kind} {output:?}");
        }
    }

    /// The bytes are right to the last one, or it is as it would be, and what is missed is told.
    #[test]
    fn a_jpeg_has_so_many_bytes_or_says_that_it_has_not() {
        let mut state = 1_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        };
        let image = image::RgbImage::from_fn(120, 90, |_, _| image::Rgb([noise(), noise(), noise()]));
        let source = encode(&Picture { image: image.into(), icc: None }, Format::Png, LOSSLESS).unwrap();
        let made = |range: Option<ByteRange>, format: Format| {
            let mut output = last(format, Profile::Srgb);
            if let Output::Final { bytes, .. } = &mut output {
                *bytes = range;
            }
            let to = Render { size: None, by: Upscaler::Lanczos, enhance: Enhance::default(), output, threads: 1 };
            let mut out = Vec::new();
            let made = render(&source, Kind::Png, &to, &Limits::default(), &Untold, &mut out).unwrap();
            assert_eq!(made.remark, None);
            (out, made.encoded, made.unfit)
        };
        let (plain, ..) = made(None, Format::Jpeg);
        let count = u64::try_from(plain.len()).unwrap();
        let whole = ByteRange { min: 1, max: count };
        assert_eq!(made(Some(whole), Format::Jpeg), (plain.clone(), None, None));
        let halved = "instead of 90, with colours at half the resolution, for at most ";
        for (range, words) in [
            (ByteRange { max: count * 85 / 100, ..whole }, halved),
            (ByteRange { min: count * 13 / 10, max: u64::MAX }, "instead of 90, for at least "),
        ] {
            let (bytes, remark, unfit) = made(Some(range), Format::Jpeg);
            assert!(range.holds(bytes.len() as u64) && unfit.is_none(), "{} {unfit:?}", bytes.len());
            let told = remark.unwrap();
            assert!(told.contains(words) && told.ends_with(&range.to_string()), "{told}");
            assert!(decode(&bytes, Kind::Jpeg, &Limits::default()).is_ok());
        }
        let small = ByteRange { min: 1, max: count / 10 };
        let (bytes, remark, unfit) = made(Some(small), Format::Jpeg);
        let why = unfit.unwrap();
        assert!((bytes == plain, remark) == (true, None) && why.contains(&small.to_string()), "{why}");
        // Other formats have no quality that could be another one.
        assert_eq!(made(Some(small), Format::Png), made(None, Format::Png));
    }

    /// Nothing is decoded for it: this one is cut off, which is not even seen.
    #[test]
    fn a_webp_that_would_be_too_long_is_refused_before_any_work() {
        let source = encode(&testing::gradient(20, 10), Format::Png, LOSSLESS).unwrap();
        let cut = &source[..source.len() - 30];
        for (format, width, is_refused) in
            [(Format::Webp, 16_384, true), (Format::Webp, 16_383, false), (Format::Png, 16_384, false)]
        {
            let (size, enhance) = (Some(Size { width, height: 1 }), Enhance::default());
            let to = Render { size, by: Upscaler::Lanczos, enhance, output: last(format, Profile::Srgb), threads: 1 };
            let refused = render(cut, Kind::Png, &to, &Limits::default(), &Untold, &mut std::io::sink()).unwrap_err();
            let told = refused.to_string();
            let is_told = told.contains("a WebP has at most 16383 on an edge; ask for fewer, or for another format");
            assert!(is_told == is_refused && !told.contains('\n'), "{format:?} of {width}: {told}");
        }
    }

    #[test]
    fn it_stops_where_it_is_told_to() {
        struct At(u32);
        impl Progress for At {
            fn rows(&self, done: u32, _: u32) -> Result<(), Stopped> {
                if done < self.0 { Ok(()) } else { Err(Stopped) }
            }
        }
        let source = encode(&testing::gradient(20, 20), Format::Png, LOSSLESS).unwrap();
        let to = Render {
            by: Upscaler::Lanczos,
            size: Some(Size { width: 40, height: 40 }),
            enhance: Enhance::default(),
            output: Output::Master,
            threads: 1,
        };
        for (at, is_stopped) in [(0, true), (1, true), (40, true), (41, false)] {
            let made = render(&source, Kind::Png, &to, &Limits::default(), &At(at), &mut std::io::sink());
            assert_eq!(made == Err(CraftError::Stopped), is_stopped, "at row {at}: {made:?}");
        }
    }

    #[test]
    fn what_cannot_be_written_is_told() {
        let source = encode(&testing::gradient(20, 20), Format::Png, LOSSLESS).unwrap();
        let mut room = [0_u8; 10];
        let to = Render {
            size: None,
            by: Upscaler::Lanczos,
            enhance: Enhance::default(),
            output: Output::Master,
            threads: 1,
        };
        let refused = render(&source, Kind::Png, &to, &Limits::default(), &Untold, &mut &mut room[..]);
        assert!(matches!(refused, Err(CraftError::Write(std::io::ErrorKind::WriteZero, _))), "{refused:?}");
    }
}
