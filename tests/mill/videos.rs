//! Videos: measured, and without what they say beside their streams.

use std::fs;

use super::{NOTE, Root};

pub(super) fn part(name: [u8; 4], content: &[u8]) -> Vec<u8> {
    [&u32::try_from(content.len() + 8).unwrap().to_be_bytes()[..], &name, content].concat()
}

fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// Returns the index of a clip of H.264 that lasts so many milliseconds, 25 frames in a second, whose content begins at
/// byte 24, with more boxes in it.
fn index([width, height]: [u32; 2], milliseconds: u32, tracks: &[u8], more: &[u8]) -> Vec<u8> {
    let entry = part(*b"avc1", &[&[0; 24], &numbers(&[(width << 16) + height])[..], &[0; 50]].concat());
    let table = [
        part(*b"stsd", &[&numbers(&[0, 1])[..], &entry].concat()),
        part(*b"stts", &numbers(&[0, 1, milliseconds / 40, 40])),
        part(*b"stco", &numbers(&[0, 1, 24])),
    ];
    let media = [
        part(*b"mdhd", &numbers(&[0, 0, 0, 1000, milliseconds])),
        part(*b"hdlr", &[&[0; 8], &b"vide"[..], &[0; 12]].concat()),
        part(*b"minf", &part(*b"stbl", &table.concat())),
    ];
    let film = part(*b"trak", &part(*b"mdia", &media.concat()));
    part(*b"moov", &[&part(*b"mvhd", &numbers(&[0, 0, 0, 1000, milliseconds]))[..], &film, tracks, more].concat())
}

/// Returns a clip of ten seconds that each market takes, with more boxes in its index.
pub(super) fn clip(frames: &[u8], more: &[u8]) -> Vec<u8> {
    film(frames, &index([1280, 720], 10_000, &[], more))
}

fn film(frames: &[u8], index: &[u8]) -> Vec<u8> {
    [&part(*b"ftyp", &[0; 8]), &part(*b"mdat", frames), index].concat()
}

fn count(video: &[u8], text: &[u8]) -> usize {
    video.windows(text.len()).filter(|window| *window == text).count()
}

/// A prompt and a place were sent to the market in a video, and taken out of pictures; and its title was in the CSV alone.
#[test]
fn a_video_is_bundled_with_its_tags_and_without_what_it_says_beside_its_streams() {
    let root = Root::new();
    root.idea(NOTE);
    assert!(root.once().status.success());
    let frames: Vec<u8> = (0..5_000_000_u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
    let video = clip(&frames, &part(*b"udta", b"SECRET"));
    fs::write(root.at("raw/winter-cabins/clip.mp4"), &video).unwrap();
    let before = root.contents("raw");
    assert!(root.once().status.success(), "{}", root.log());
    let bundled = root.bundled().pop().unwrap();
    let made = fs::read(&bundled).unwrap();
    assert!(made[..24 + frames.len()] == video[..24 + frames.len()], "{}", root.log());
    // In its XMP, twice, and in the list of players.
    assert_eq!((count(&made, b"SECRET"), count(&made, b"Winter cabins")), (0, 3));
    let archived = root.contents("archive").into_iter().filter(|(_, bytes)| *bytes == video).count();
    assert_eq!(archived, 1, "{:?}", root.files());
    assert!(root.text(&["verify"]).contains("all is as it should be"));

    // It is known again as it was dropped, and as it was bundled.
    fs::write(root.at("raw/winter-cabins/again.mp4"), &made).unwrap();
    root.once();
    assert!(root.files().contains(&"failed/raw/winter-cabins/again.mp4".to_owned()), "{}", root.log());
    assert_eq!(root.bundled(), std::slice::from_ref(&bundled));

    // Other tags reach the file as they reach the manifest.
    let tags = root.at("raw/winter-cabins/tags.yaml");
    let text = fs::read_to_string(&tags).unwrap();
    fs::write(&tags, text.replace("Winter cabins", "Cabins in snow")).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    let again = fs::read(&bundled).unwrap();
    assert_eq!((count(&again, b"Winter cabins"), count(&again, b"Cabins in snow")), (0, 3), "{}", root.log());
    assert!(root.csv()[1].contains(&"Cabins in snow".to_owned()), "{:?}", root.csv());
    assert!(root.text(&["verify"]).contains("all is as it should be"));
    fs::write(&tags, text).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    assert!(fs::read(&bundled).unwrap() == made, "the same tags give the same file");
    fs::remove_file(root.at("failed/raw/winter-cabins/again.mp4")).unwrap();
    let before: Vec<_> = before.into_iter().filter(|(path, _)| path.extension().is_some_and(|e| e == "mp4")).collect();
    assert_eq!(before.len(), 1);
}

/// What a Matroska says went out with it, and that it has no title inside was told nowhere.
#[test]
fn what_holds_no_tags_is_named_in_the_checklist() {
    let root = Root::new();
    let adobe = fs::read_to_string(root.at("markets/adobe-stock.yaml")).unwrap();
    let adobe =
        adobe.replace("kinds: [jpeg, mp4, mov]", "kinds: [jpeg, mp4, mkv]").replace("[h264, prores]", "[h264, vp9]");
    fs::write(root.at("markets/adobe-stock.yaml"), adobe).unwrap();
    root.idea(NOTE);
    assert!(root.once().status.success());
    let element = |id: &[u8], content: &[u8]| {
        [id, &(u64::try_from(content.len()).unwrap() | 1 << 56).to_be_bytes(), content].concat()
    };
    let info = element(b"\x44\x89", &10_000_f64.to_be_bytes());
    let edges = [element(b"\xb0", &[5, 0]), element(b"\xba", &[2, 208])].concat();
    let film = [
        element(b"\x83", &[1]),
        element(b"\x86", b"V_VP9"),
        element(b"\x23\xe3\x83", &[2, 98, 90, 0]),
        element(b"\xe0", &edges),
    ];
    let parts = [
        element(b"\x15\x49\xa9\x66", &info),
        element(b"\x16\x54\xae\x6b", &element(b"\xae", &film.concat())),
        element(b"\x1f\x43\xb6\x75", &element(b"\xa3", &[7; 300])),
        element(b"\x12\x54\xc3\x67", &element(b"\x73\x73", b"SECRET")),
    ];
    let head = element(b"\x1a\x45\xdf\xa3", &element(b"\x42\x82", b"matroska"));
    let video = [head, element(b"\x18\x53\x80\x67", &parts.concat())].concat();
    fs::write(root.at("raw/winter-cabins/clip.mkv"), &video).unwrap();
    assert!(root.once().status.success(), "{}", root.log());
    let bundled = root.bundled().pop().unwrap_or_else(|| panic!("{}", root.log()));
    let made = fs::read(&bundled).unwrap();
    assert_eq!((made.len(), count(&made, b"SECRET")), (video.len(), 0));
    let told =
        "stripped of its metadata and without tags inside (stockmill writes tags into MP4 and MOV alone), bundled";
    assert!(root.log().to_lowercase().contains(&told.to_lowercase()), "{}", root.log());
    let list = root.files().into_iter().find(|name| name.ends_with("CHECKLIST.md")).unwrap();
    let text = fs::read_to_string(root.at(&list)).unwrap();
    let name = bundled.file_name().unwrap().to_str().unwrap();
    assert!(
        text.contains(&format!("> Without tags inside: `{name}`; the market knows them by the CSV alone.")),
        "{text}"
    );
    assert!(root.text(&["verify"]).contains("all is as it should be"));
}

/// A clip of half a second and 320x240 pixels was bundled, and one that nobody can measure too.
#[test]
fn a_clip_that_its_market_would_refuse_waits_and_is_told_at_once() {
    let root = Root::new();
    root.idea(NOTE);
    assert!(root.once().status.success());
    let sound = {
        let handler = part(*b"hdlr", &[&[0; 8], &b"soun"[..], &[0; 12]].concat());
        part(*b"trak", &part(*b"mdia", &handler))
    };
    let raw = root.at("raw/winter-cabins");
    fs::write(raw.join("small.mp4"), film(b"small", &index([320, 240], 500, &[], &[]))).unwrap();
    fs::write(raw.join("odd.mov"), film(b"odd", &part(*b"moov", &part(*b"mvhd", &[0; 100])))).unwrap();
    fs::write(raw.join("sound.mp4"), film(b"sound", &index([1280, 720], 10_000, &sound, &[]))).unwrap();
    fs::write(raw.join("good.mp4"), clip(b"good", &[])).unwrap();
    let explained = root.text(&["explain", "raw/winter-cabins/small.mp4"]);
    let measured = "mp4, 320x240 pixels, 0.5 s, 25 frames/s, h264, without sound";
    assert!(explained.contains(measured), "{explained}");
    root.once();
    let log = root.log();
    let told =
        "no market of `upload.markets` will take it: adobe-stock refuses it: the shorter edge of its frames has 240";
    assert!(log.contains(told), "{log}");
    assert_eq!(root.csv().len(), 3, "{:?}\n{log}", root.csv());
    let status = root.text(&["status"]);
    for told in [
        "it lasts 0.5 s, and the market takes 5 to 60 s",
        "it does not say how large its frames are and how long it lasts; export it again",
    ] {
        assert!(status.contains(told), "{told}: {status}");
    }
    let list = root.files().into_iter().find(|name| name.ends_with("CHECKLIST.md")).unwrap();
    let text = fs::read_to_string(root.at(&list)).unwrap();
    assert_eq!(text.matches("> With sound: ").count(), 1, "{text}");
    let sidecars: Vec<String> = root.files().into_iter().filter(|name| name.contains("/sidecars/")).collect();
    assert!(
        sidecars.iter().all(|name| {
            fs::read_to_string(root.at(name))
                .unwrap()
                .contains("video:\n  size:\n    width: 1280\n    height: 720\n  seconds: 10.0\n")
        }),
        "{sidecars:?}"
    );
}
