use std::io::{Read, Seek, SeekFrom};

/// The most bytes of one block of metadata that are read.
const BLOCK_BYTES_MAX: u64 = 1 << 20;
/// The most blocks of a picture that are read.
const BLOCKS_MAX: usize = 4096;
/// Keys under which generators write into a PNG. The key alone decides, whatever its content.
const PNG_KEYS: [&[u8]; 13] = [
    b"parameters",
    b"prompt",
    b"workflow",
    b"negative_prompt",
    b"Negative Prompt",
    b"invokeai_metadata",
    b"invokeai_workflow",
    b"invokeai_graph",
    b"sd-metadata",
    b"Dream",
    b"fooocus_scheme",
    b"postprocessing",
    b"generation_data",
];
/// What generators write somewhere in a block of metadata.
const MARKS: [&[u8]; 18] = [
    b"trainedAlgorithmicMedia",
    b"TrainedAlgorithmicMedia",
    b"Steps: ",
    b"Negative prompt: ",
    b"\"prompt\"",
    b"\"class_type\"",
    b"prompt:{",
    b"workflow:{",
    b"positive_prompt",
    b"sui_image_params",
    b"\"negative_prompt\"",
    b"NovelAI",
    b"Stable Diffusion",
    b"ComfyUI",
    b"InvokeAI",
    b"Fooocus",
    b"Job ID: ",
    b"Midjourney",
];

/// Returns whether a generator's metadata is in a picture (PNG, JPEG, WebP). Reads the blocks of metadata and no
/// pixels; what cannot be read proves nothing.
pub fn is_generated(mut reader: impl Read + Seek) -> bool {
    let mut head = [0; 12];
    if reader.read_exact(&mut head).is_err() {
        return false;
    }
    let found = match head {
        [0x89, b'P', b'N', b'G', ..] => png(&mut reader),
        [0xff, 0xd8, ..] => jpeg(&mut reader),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P'] => webp(&mut reader),
        _ => Ok(false),
    };
    found.unwrap_or(false)
}

fn png(reader: &mut (impl Read + Seek)) -> std::io::Result<bool> {
    let mut at = 8;
    for _ in 0..BLOCKS_MAX {
        let [a, b, c, d, kind @ ..] = head::<8>(reader, at)?;
        let length = u64::from(u32::from_be_bytes([a, b, c, d]));
        let is_ours = match &kind {
            b"tEXt" | b"iTXt" | b"zTXt" => {
                let text = block(reader, length)?;
                let key = text.split(|byte| *byte == 0).next().unwrap_or_default();
                PNG_KEYS.contains(&key) || has_mark(&text)
            }
            b"eXIf" => has_mark(&block(reader, length)?),
            b"caBX" | b"comf" => true,
            b"IEND" => return Ok(false),
            _ => false,
        };
        if is_ours {
            return Ok(true);
        }
        at += length + 12;
    }
    Ok(false)
}

fn jpeg(reader: &mut (impl Read + Seek)) -> std::io::Result<bool> {
    let mut at = 2;
    for _ in 0..BLOCKS_MAX {
        let [0xff, kind, a, b] = head::<4>(reader, at)? else { return Ok(false) };
        let length = u64::from(u16::from_be_bytes([a, b]));
        match kind {
            // EXIF and XMP, C2PA, IPTC, a comment.
            0xe1 | 0xeb | 0xed | 0xfe => {
                let text = block(reader, length.saturating_sub(2))?;
                if has_mark(&text) || (kind == 0xeb && text.windows(4).any(|window| window == b"c2pa")) {
                    return Ok(true);
                }
            }
            0xda | 0xd9 => return Ok(false),
            _ => (),
        }
        at += length + 2;
    }
    Ok(false)
}

fn webp(reader: &mut (impl Read + Seek)) -> std::io::Result<bool> {
    let mut at = 12;
    for _ in 0..BLOCKS_MAX {
        let [kind @ .., a, b, c, d] = head::<8>(reader, at)?;
        let length = u64::from(u32::from_le_bytes([a, b, c, d]));
        if kind == *b"C2PA" || (matches!(&kind, b"EXIF" | b"XMP ") && has_mark(&block(reader, length)?)) {
            return Ok(true);
        }
        at += 8 + length + length % 2;
    }
    Ok(false)
}

fn head<const N: usize>(reader: &mut (impl Read + Seek), at: u64) -> std::io::Result<[u8; N]> {
    reader.seek(SeekFrom::Start(at))?;
    let mut head = [0; N];
    reader.read_exact(&mut head)?;
    Ok(head)
}

fn block(reader: &mut impl Read, length: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(length.min(BLOCK_BYTES_MAX)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn has_mark(block: &[u8]) -> bool {
    // Text of 16 bits has a zero beside each letter.
    let text: Vec<u8> = block.iter().copied().filter(|byte| *byte != 0).collect();
    let firsts = |byte: u8| MARKS.iter().filter(move |mark| mark[0] == byte);
    (0..text.len()).any(|at| firsts(text[at]).any(|mark| text[at..].starts_with(mark)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    fn png(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
        for (kind, data) in [&[(b"IHDR", &[0; 13][..])], chunks, &[(b"IEND", &[][..])]].concat() {
            bytes.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
            bytes.extend([&kind[..], data, &[0; 4]].concat());
        }
        bytes
    }

    fn jpeg(kind: u8, data: &[u8]) -> Vec<u8> {
        let length = u16::try_from(data.len() + 2).unwrap().to_be_bytes();
        [&[0xff, 0xd8, 0xff, kind], &length[..], data, &[0xff, 0xda, 0, 2]].concat()
    }

    #[test]
    fn a_generator_is_known_by_what_it_writes() {
        let wide: Vec<u8> =
            "UNICODE\0a cabin\nSteps: 20, Sampler: Euler".encode_utf16().flat_map(u16::to_be_bytes).collect();
        let webp = |kind: &[u8; 4], data: &[u8]| {
            let length = u32::try_from(data.len()).unwrap().to_le_bytes();
            [b"RIFF\0\0\0\0WEBPVP8 \x03\0\0\0abc\0", &kind[..], &length, data].concat()
        };
        let xmp = b"http://ns.adobe.com/xap/1.0/\0<x>digitalsourcetype/trainedAlgorithmicMedia</x>";
        let cases = [
            (png(&[(b"tEXt", b"parameters\0a cabin")]), true),
            (png(&[(b"IDAT", &[7; 99]), (b"zTXt", b"workflow\0\0zzz")]), true),
            (png(&[(b"tEXt", b"Software\0NovelAI")]), true),
            (png(&[(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0trainedAlgorithmicMedia")]), true),
            (png(&[(b"caBX", b"jumb")]), true),
            (png(&[(b"tEXt", b"Software\0Adobe Photoshop"), (b"tEXt", b"Comment\0Created with GIMP")]), false),
            (png(&[(b"IDAT", b"parameters trainedAlgorithmicMedia")]), false),
            (jpeg(0xe1, &wide), true),
            (jpeg(0xe1, xmp), true),
            (jpeg(0xeb, b"JP\0\0jumbc2pa"), true),
            (jpeg(0xe1, b"Exif\0\0MM\0*Canon"), false),
            (webp(b"EXIF", b"prompt:{\"3\": {}}"), true),
            (webp(b"EXIF", b"Canon"), false),
            (b"GIF89a parameters".to_vec(), false),
        ];
        for (n, (bytes, expected)) in cases.into_iter().enumerate() {
            assert_eq!(is_generated(Cursor::new(bytes)), expected, "case {n}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200), start in 0..4_usize) {
            const STARTS: [&[u8]; 4] = [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe1", b"RIFF\0\0\0\0WEBP"];
            let _ = is_generated(Cursor::new([STARTS[start], &bytes].concat()));
        }
    }
}
