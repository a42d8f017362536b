//! Nothing of what a file knew of its maker goes to a market: prompts, paths, places, names.

use super::*;

/// What stands in a place of a container; unlike any other text, so that it is found wherever it goes.
fn secret(place: &str) -> Vec<u8> {
    format!("SECRET in {place} /home/ann/prompts Steps: 20, Seed: 77 GPS 48.1,11.5").into_bytes()
}

/// Returns an IFD of text tags that begins at a place of its file, with the values behind it, and where the next one
/// begins, if there is one.
fn directory(at: usize, entries: &[(u16, u16, u32, Vec<u8>)], next: usize) -> Vec<u8> {
    let word = |value: usize| u32::try_from(value).unwrap().to_le_bytes();
    let mut bytes = u16::try_from(entries.len()).unwrap().to_le_bytes().to_vec();
    let (mut behind, values_at) = (Vec::new(), at + 2 + entries.len() * 12 + 4);
    for (tag, kind, count, value) in entries {
        bytes.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
        bytes.extend(count.to_le_bytes());
        // A shorter one stands in the directory itself.
        assert!(value.len() > 4);
        bytes.extend(word(values_at + behind.len()));
        behind.extend(value);
        behind.resize(behind.len().next_multiple_of(2), 0);
    }
    [bytes, word(next).to_vec(), behind].concat()
}

fn text_tags(place: &str, tags: &[u16]) -> Vec<(u16, u16, u32, Vec<u8>)> {
    let of = |tag: &u16| {
        let value = [secret(&format!("{place} tag {tag:x}")), vec![0]].concat();
        (*tag, 2, u32::try_from(value.len()).unwrap(), value)
    };
    tags.iter().map(of).collect()
}

/// Returns an EXIF block with texts, a place, a maker's note and a thumbnail's directory.
fn exif(place: &str) -> Vec<u8> {
    let head = b"II*\0\x08\0\0\0".to_vec();
    let tags = [0x10e, 0x10f, 0x110, 0x131, 0x13b, 0x8298, 0x9286, 0x927c, 0xa420, 0xa430, 0xc4a5];
    let first = text_tags(place, &tags);
    let length = directory(8, &first, 0).len();
    let second = directory(8 + length, &text_tags(&format!("{place} thumbnail"), &[0x10e, 0x1b]), 0);
    [head, directory(8, &first, 8 + length), second].concat()
}

fn coded(format: image::ImageFormat, seed: u32) -> Vec<u8> {
    let image = image::load_from_memory(&picture(seed, 220)).unwrap();
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn segment(marker: u8, body: &[u8]) -> Vec<u8> {
    [&[0xff, marker][..], &u16::try_from(body.len() + 2).unwrap().to_be_bytes(), body].concat()
}

/// Returns a JPEG with something in every segment that may hold it, between its scans' tables, and behind its end.
fn jpeg(seed: u32) -> Vec<u8> {
    let plain = coded(image::ImageFormat::Jpeg, seed);
    let mut bytes = plain[..2].to_vec();
    bytes.extend(segment(0xe1, &[b"Exif\0\0".to_vec(), exif("JPEG EXIF")].concat()));
    let names: [&[u8]; 8] = [
        b"",
        b"JFXX\0\x13",
        b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>",
        b"http://ns.adobe.com/xmp/extension/\0",
        b"MPF\0",
        b"Photoshop 3.0\08BIM\x04\x04\0\0\0\0\0\x40",
        b"JP\0\x01\0\0\0\x01\0\0\0\x40jumb",
        b"Adobe\0d\0\0\0\0\x01",
    ];
    for marker in (0xe1..=0xef).chain([0xfe]) {
        // A second mark of Adobe's with other values would change the colours.
        for name in names.iter().filter(|name| marker != 0xee || !name.starts_with(b"Adobe")) {
            let place = format!("JPEG {marker:x} {}", name.escape_ascii());
            bytes.extend(segment(marker, &[name, secret(&place).as_slice()].concat()));
        }
    }
    bytes.extend(segment(0xe0, &[b"JFXX\0\x13".to_vec(), secret("JFXX")].concat()));
    bytes.extend(&plain[2..]);
    // Another picture, and text.
    let other = coded(image::ImageFormat::Jpeg, seed + 1);
    [bytes, other[..2].to_vec(), segment(0xfe, &secret("JPEG MPF picture")), other[2..].to_vec(), secret("JPEG end")]
        .concat()
}

fn chunk(name: [u8; 4], body: &[u8]) -> Vec<u8> {
    let named = [&name[..], body].concat();
    [&u32::try_from(body.len()).unwrap().to_be_bytes()[..], &named, &crc32fast::hash(&named).to_be_bytes()].concat()
}

/// Returns a PNG with something in every chunk that may hold it, packed as well, before its pixels and behind them.
fn png(seed: u32) -> Vec<u8> {
    let plain = coded(image::ImageFormat::Png, seed);
    let packed = |place: &str| fdeflate::compress_to_vec(&secret(place));
    let chunks = |place: &str| {
        let said = |what: &str| secret(&format!("PNG {what} {place}"));
        [
            chunk(*b"tEXt", &[b"parameters\0".to_vec(), said("tEXt")].concat()),
            chunk(*b"tEXt", &[b"workflow\0".to_vec(), said("workflow")].concat()),
            chunk(*b"zTXt", &[b"Comment\0\0".to_vec(), packed(&format!("PNG zTXt {place}"))].concat()),
            chunk(*b"iTXt", &[b"prompt\0\x01\0\0\0".to_vec(), packed(&format!("PNG iTXt {place}"))].concat()),
            chunk(*b"iTXt", &[b"XML:com.adobe.xmp\0\0\0\0\0<x:xmpmeta>".to_vec(), said("XMP")].concat()),
            chunk(*b"caBX", &said("caBX")),
            chunk(*b"prVt", &said("prVt")),
            chunk(*b"vpAg", &said("vpAg")),
        ]
        .concat()
    };
    let (at, end) = (33, plain.len() - 12);
    let only_once = [chunk(*b"tIME", b"SECRET\0"), chunk(*b"eXIf", &exif("PNG eXIf"))].concat();
    let parts: [&[u8]; 7] = [
        &plain[..at],
        &only_once,
        &chunks("before"),
        &plain[at..end],
        &chunks("behind"),
        &plain[end..],
        &secret("PNG end"),
    ];
    parts.concat()
}

/// Returns a WebP with something in every chunk that may hold it, and behind its end.
fn webp(seed: u32) -> Vec<u8> {
    let plain = coded(image::ImageFormat::WebP, seed);
    let part = |name: &[u8; 4], body: &[u8]| {
        let mut part = [&name[..], &u32::try_from(body.len()).unwrap().to_le_bytes(), body].concat();
        part.resize(part.len().next_multiple_of(2), 0);
        part
    };
    let pixels = plain[12..].to_vec();
    // EXIF and XMP are in it; 220 pixels each way.
    let head = part(b"VP8X", &[0x0c, 0, 0, 0, 219, 0, 0, 219, 0, 0]);
    let rest = [
        part(b"EXIF", &exif("WebP EXIF")),
        part(b"XMP ", &secret("WebP XMP")),
        part(b"C2PA", &secret("WebP C2PA")),
        part(b"abcd", &secret("WebP abcd")),
    ];
    let body = [b"WEBP".to_vec(), head, pixels, rest.concat()].concat();
    let length = u32::try_from(body.len()).unwrap().to_le_bytes();
    [b"RIFF".to_vec(), length.to_vec(), body, secret("WebP end")].concat()
}

/// Returns a TIFF with texts in its tags, private ones too, in a directory below, in a further page and between these.
fn tiff(seed: u32) -> Vec<u8> {
    let plain = coded(image::ImageFormat::Tiff, seed);
    let word = |at: usize| u32::from_le_bytes(plain[at..at + 4].try_into().unwrap());
    let at = word(4) as usize;
    let count = usize::from(u16::from_le_bytes([plain[at], plain[at + 1]]));
    let mut own: Vec<(u16, [u8; 12])> = (0..count)
        .map(|n| plain[at + 2 + n * 12..][..12].try_into().unwrap())
        .map(|entry: [u8; 12]| (u16::from_le_bytes([entry[0], entry[1]]), entry))
        .collect();
    let mut bytes = [plain.clone(), secret("TIFF slack")].concat();
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    let mut place = |bytes: &mut Vec<u8>, tag: u16, kind: u16, value: &[u8]| {
        let entry = [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &u32::try_from(value.len()).unwrap().to_le_bytes()];
        let entry = [&entry.concat()[..], &u32::try_from(bytes.len()).unwrap().to_le_bytes()].concat();
        own.push((tag, entry.try_into().unwrap()));
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(2), 0);
    };
    let texts = [0x10d, 0x10e, 0x10f, 0x110, 0x11d, 0x131, 0x132, 0x13b, 0x13c, 0x8298, 0xc614, 0xfde8, 0xfde9];
    for (tag, kind, _, value) in text_tags("TIFF", &texts) {
        place(&mut bytes, tag, kind, &value);
    }
    for (tag, kind) in [(700, 1), (33_723, 7), (34_377, 1), (37_724, 7)] {
        place(&mut bytes, tag, kind, &secret(&format!("TIFF {tag}")));
    }
    // Directories below: of smaller pictures, of EXIF, of a place.
    for (tag, kind) in [(330_u16, 4_u16), (0x8769, 4), (0x8825, 4)] {
        let below = bytes.len();
        bytes.extend(directory(below, &text_tags(&format!("TIFF below {tag}"), &[0x10e, 0x9286]), 0));
        let entry =
            [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &[1, 0, 0, 0], &u32::try_from(below).unwrap().to_le_bytes()];
        own.push((tag, entry.concat().try_into().unwrap()));
    }
    own.sort_by_key(|(tag, _)| *tag);
    let page = bytes.len();
    bytes.extend(directory(page, &text_tags("TIFF page", &[0x10e, 0x11d, 0x131]), 0));
    let first = u32::try_from(bytes.len()).unwrap();
    bytes.extend(u16::try_from(own.len()).unwrap().to_le_bytes());
    own.iter().for_each(|(_, entry)| bytes.extend(entry));
    bytes.extend(u32::try_from(page).unwrap().to_le_bytes());
    bytes[4..8].copy_from_slice(&first.to_le_bytes());
    [bytes, secret("TIFF end")].concat()
}

/// Returns all that bytes say: they, and what is packed in them, wherever it begins.
fn unpacked(bytes: &[u8]) -> Vec<Vec<u8>> {
    let starts = bytes
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| pair[0] == 0x78 && (u16::from(pair[0]) * 256 + u16::from(pair[1])).is_multiple_of(31));
    let inner = starts.filter_map(|(at, _)| fdeflate::decompress_to_vec_bounded(&bytes[at..], 64 << 20).ok());
    [bytes.to_vec()].into_iter().chain(inner).collect()
}

fn says(bytes: &[u8], word: &str) -> bool {
    let wide: Vec<u8> = word.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let wide_be: Vec<u8> = word.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let has = |text: &[u8], word: &[u8]| text.windows(word.len()).any(|window| window == word);
    unpacked(bytes).iter().any(|text| has(text, word.as_bytes()) || has(text, &wide) || has(text, &wide_be))
}

/// Returns a mill that made bundles of each container, dropped as a source and as a finished file. Files are named by what
/// they are: numbers are given to what stands still first.
fn mill(format: &str) -> Root {
    let root = Root::with(&format!(
        "keep: {{method: lanczos, min_megapixels: 0.06}}\nexport: {{format: {format}}}\nnaming: {{first: '{{id}}', last: '{{id}}'}}\n"
    ));
    let adobe = fs::read_to_string(root.at("markets/adobe-stock.yaml")).unwrap();
    let adobe = adobe.replace("kinds: [jpeg,", "kinds: [jpeg, png, webp, tiff,");
    fs::write(root.at("markets/adobe-stock.yaml"), adobe).unwrap();
    fs::create_dir_all(root.at("raw/sea")).unwrap();
    fs::create_dir_all(root.at("upload/sea")).unwrap();
    fs::write(root.at("raw/sea/tags.yaml"), "title: A quiet sea\nkeywords: [sea, wave, shore, sand, calm]\n").unwrap();
    for (n, (name, source)) in (10..).step_by(10).zip(SOURCES) {
        fs::write(root.at(&format!("raw/sea/SECRETname-{n}.{name}")), source(n)).unwrap();
        fs::write(root.at(&format!("raw/sea/SECRETname-{n}.{name}.txt")), secret("a prompt beside it")).unwrap();
        fs::write(root.at(&format!("upload/sea/done-{n}.{name}")), source(n + 100)).unwrap();
    }
    root.once();
    assert_eq!(root.bundled().len(), 8, "{format}: {:?}\n{}", root.files(), root.log());
    root
}

/// Returns what a person gives to a market: all of the bundles but what stockmill keeps of it, by their paths.
fn given(root: &Root) -> Vec<(PathBuf, Vec<u8>)> {
    let mut given = root.contents("upload");
    given.retain(|(path, _)| !path.components().any(|part| part.as_os_str() == "sidecars"));
    given.iter_mut().for_each(|(path, _)| *path = path.strip_prefix(&root.path).unwrap().to_owned());
    given.sort();
    given
}

const SOURCES: [(&str, fn(u32) -> Vec<u8>); 4] = [("jpg", jpeg), ("png", png), ("webp", webp), ("tif", tiff)];

/// Each place of each container, through the whole mill and as a finished file, into each format.
#[test]
fn nothing_private_is_in_a_bundle() {
    for (name, source) in SOURCES {
        assert!(says(&source(10), "SECRET in"), "{name}: it is planted");
    }
    let wide: Vec<u8> = "SECRET".encode_utf16().flat_map(u16::to_be_bytes).collect();
    for hidden in [&wide, &[b"abc", fdeflate::compress_to_vec(b"a SECRET").as_slice()].concat()] {
        assert!(says(hidden, "SECRET"), "what is packed is found too");
    }
    for format in ["jpeg", "png", "webp", "tiff"] {
        let root = mill(format);
        let own = root.path.to_string_lossy().into_owned();
        let given = given(&root);
        assert!(given.len() >= 10, "eight files, their manifest, their checklist: {given:?}");
        for (path, bytes) in given {
            for word in ["SECRET", "home/ann", "Seed: 77", "48.1,11.5", &own] {
                assert!(!says(&bytes, word), "{format}: `{word}` is in {}", path.display());
            }
            let is_file = path.components().any(|part| part.as_os_str() == "files");
            let packets = bytes.windows(24).filter(|window| *window == b"W5M0MpCehiHzreSzNTczkc9d").count();
            assert_eq!(packets, usize::from(is_file), "{}: its packet replaces all others", path.display());
        }
    }
}

/// The same files and settings give the same bytes, whoever makes them and when.
#[test]
fn the_same_input_gives_the_same_bundle() {
    let (one, other) = (given(&mill("jpeg")), given(&mill("jpeg")));
    let names = |given: &[(PathBuf, Vec<u8>)]| given.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
    assert_eq!(names(&one), names(&other));
    for ((path, one), (_, other)) in one.iter().zip(&other) {
        assert!(one == other, "{}", path.display());
    }
}
