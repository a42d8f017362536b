//! Videos: measured, and without what they say beside their streams.

use std::fs;

use super::{NOTE, Root};

pub(super) fn part(name: [u8; 4], content: &[u8]) -> Vec<u8> {
    [&u32::try_from(content.len() + 8).unwrap().to_be_bytes()[..], &name, content].concat()
}

fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// Returns the tables of a track's samples, which lie in one chunk.
fn samples(place: usize, sizes: &[usize]) -> Vec<u8> {
    let number = |number: usize| u32::try_from(number).unwrap();
    let each = sizes.iter().map(|size| number(*size));
    let each: Vec<u32> = [0, 0, number(sizes.len())].into_iter().chain(each).collect();
    [
        part(*b"stsc", &numbers(&[0, 1, 1, number(sizes.len()), 1])),
        part(*b"stsz", &numbers(&each)),
        part(*b"stco", &numbers(&[0, 1, number(place)])),
    ]
    .concat()
}

/// Returns a track of words that lie at a place.
fn words(place: usize, bytes: usize) -> Vec<u8> {
    let media = [
        part(*b"hdlr", &[&[0; 8], &b"text"[..], &[0; 12]].concat()),
        part(*b"minf", &part(*b"stbl", &samples(place, &[bytes]))),
    ];
    let header = part(*b"tkhd", &numbers(&[0, 0, 0, 2, 0]));
    part(*b"trak", &[header, part(*b"mdia", &media.concat())].concat())
}

/// Returns the index of a clip of H.264 that lasts so many milliseconds, 25 frames in a second, whose content begins at
/// byte 24 and is its first frame, with more boxes in it.
fn index([width, height]: [u32; 2], milliseconds: u32, bytes: usize, tracks: &[u8], more: &[u8]) -> Vec<u8> {
    let entry = part(*b"avc1", &[&[0; 24], &numbers(&[(width << 16) + height])[..], &[0; 50]].concat());
    let table = [
        part(*b"stsd", &[&numbers(&[0, 1])[..], &entry].concat()),
        part(*b"stts", &numbers(&[0, 1, milliseconds / 40, 40])),
        samples(24, &[&[bytes][..], &vec![0; milliseconds as usize / 40 - 1]].concat()),
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
    film(frames, &index([1280, 720], 10_000, frames.len(), &[], more))
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
    let content = [&frames[..], b"SECRET in a chapter"].concat();
    let words = words(24 + frames.len(), 19);
    let saying = |text: &[u8]| film(&content, &index([1280, 720], 10_000, frames.len(), &words, &part(*b"udta", text)));
    let video = saying(b"SECRET");
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
    assert!(
        root.log().contains("it goes to markets without its text tracks (chapters or subtitles)"),
        "{}",
        root.log()
    );
    assert!(root.text(&["verify"]).contains("all is as it should be"));

    // It is known again as it was dropped, and as it was bundled, also with other tags.
    let retagged = made.iter().map(|byte| if *byte == b'W' { b'V' } else { *byte });
    let index_at = 24 + content.len();
    let retagged: Vec<u8> = made[..index_at].iter().copied().chain(retagged.skip(index_at)).collect();
    for (name, again) in [("bundled", &made), ("retagged", &retagged), ("dropped", &saying(b"OTHER"))] {
        fs::write(root.at("raw/winter-cabins/again.mp4"), again).unwrap();
        root.once();
        assert!(root.files().contains(&"failed/raw/winter-cabins/again.mp4".to_owned()), "{name}: {}", root.log());
        assert_eq!(root.bundled(), std::slice::from_ref(&bundled), "{name}");
        if name != "dropped" {
            fs::remove_file(root.at("failed/raw/winter-cabins/again.mp4")).unwrap();
        }
    }

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
    fs::write(raw.join("small.mp4"), film(b"small", &index([320, 240], 500, 5, &[], &[]))).unwrap();
    fs::write(raw.join("odd.mov"), film(b"odd", &part(*b"moov", &part(*b"mvhd", &[0; 100])))).unwrap();
    fs::write(raw.join("sound.mp4"), film(b"sound", &index([1280, 720], 10_000, 5, &sound, &[]))).unwrap();
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
    let sidecars = root.sidecars();
    assert!(
        sidecars.iter().all(|name| {
            fs::read_to_string(root.at(name))
                .unwrap()
                .contains("video:\n  size:\n    width: 1280\n    height: 720\n  seconds: 10.0\n")
        }),
        "{sidecars:?}"
    );
}
