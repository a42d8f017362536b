//! Tells what of an MP4 or MOV players need: which boxes, and how many bytes of them (ISO/IEC 14496-12, `QuickTime` File
//! Format). What else stands there is for programs and persons.

use super::boxes::{inner, number};

/// What holds the descriptions of samples.
pub(super) const DESCRIPTIONS: [u8; 4] = *b"stsd";
/// The kinds of files that players know (the MP4 Registration Authority lists more).
const BRANDS: &[&[u8; 4]] = &[
    b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"iso7", b"iso8", b"iso9", b"isoa", b"isob", b"isoc",
    b"mp41", b"mp42", b"mp71", b"avc1", b"hvc1", b"hev1", b"av01", b"vp09", b"dash", b"dsms", b"msdh", b"msix",
    b"lmsg", b"cmfc", b"cmf2", b"cmff", b"cmfs", b"cmfl", b"cfhd", b"caac", b"chdf", b"chd1", b"clg1", b"cud1",
    b"piff", b"dby1", b"db1p", b"mp4v", b"M4V ", b"M4VH", b"M4VP", b"M4A ", b"M4B ", b"M4P ", b"qt  ", b"MSNV",
    b"XAVC", b"NDAS", b"f4v ", b"F4V ", b"3gp4", b"3gp5", b"3gp6", b"3gp7", b"3gp8", b"3gp9", b"3gg6", b"3gs7",
    b"3ge6", b"3g2a", b"3g2b", b"3g2c", b"mmp4", b"kddi", b"pnvi", b"CAEP", b"nras", b"nvr1",
];
/// The boxes that say how pictures and sound are decoded and shown, and those that say it of these.
const CODECS: &[&[u8; 4]] = &[
    b"avcC", b"hvcC", b"lhvC", b"vvcC", b"av1C", b"vpcC", b"apvC", b"esds", b"glbl", b"jp2h", b"d263", b"SMI ",
    b"dvcC", b"dvvC", b"dvwC", b"hvcE", b"avcE", b"ACLR", b"APRG", b"ARES", b"btrt", b"colr", b"pasp", b"clap",
    b"fiel", b"gama", b"mdcv", b"clli", b"amve", b"cclv", b"ccst", b"auxi", b"SmDm", b"CoLL", b"st3d", b"sv3d",
    b"vexu", b"hfov", b"wave", b"frma", b"enda", b"chan", b"chnl", b"pcmC", b"mp4a", b"alac", b"dac3", b"dec3",
    b"dac4", b"dOps", b"dfLa", b"ddts", b"damr", b"dmlp", b"mhaC", b"srat", b"SA3D", b"SAND", b"sinf",
];

/// What an XMP packet in a box of its own is known by (XMP Specification Part 3, 1.2.7.1).
pub(super) const XMP: [u8; 16] =
    [0xBE, 0x7A, 0xCF, 0xCB, 0x97, 0xA9, 0x42, 0xE8, 0x9C, 0x71, 0x99, 0x94, 0x91, 0xE3, 0xAF, 0xAC];

/// Returns whether a box belongs to the streams, or says how they are played. In what describes samples all boxes count
/// but those that are known to say something else: nobody knows all codecs.
pub(super) fn is_needed(inside: Option<[u8; 4]>, name: [u8; 4]) -> bool {
    let needed: &[&[u8; 4]] = match inside.as_ref() {
        None => &[b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"imda", b"mfra", b"sidx"],
        Some(b"moov") => &[b"mvhd", b"trak", b"mvex"],
        Some(b"trak") => &[b"tkhd", b"edts", b"mdia", b"tref", b"tapt"],
        Some(b"edts") => &[b"elst"],
        Some(b"tapt") => &[b"clef", b"prof", b"enof"],
        Some(b"mdia") => &[b"mdhd", b"hdlr", b"minf"],
        Some(b"minf") => &[b"vmhd", b"smhd", b"hmhd", b"nmhd", b"sthd", b"gmhd", b"hdlr", b"dinf", b"stbl"],
        Some(b"gmhd") => &[b"gmin", b"tmcd"],
        Some(b"tmcd") => &[b"tcmi"],
        Some(b"dinf") => &[b"dref"],
        Some(b"stbl") => &[
            b"stsd", b"stts", b"ctts", b"cslg", b"stss", b"stps", b"stsc", b"stsz", b"stz2", b"stco", b"co64", b"sbgp",
            b"sgpd", b"saiz", b"saio",
        ],
        Some(b"mvex") => &[b"mehd", b"trex"],
        Some(b"moof") => &[b"mfhd", b"traf"],
        Some(b"traf") => &[b"tfhd", b"tfdt", b"trun", b"sbgp", b"sgpd", b"saiz", b"saio", b"senc"],
        Some(b"mfra") => &[b"tfra", b"mfro"],
        Some(b"stsd" | b"wave") => {
            return !matches!(&name, b"udta" | b"meta" | b"meco" | b"uuid" | b"name") && name[0] != 0xa9;
        }
        _ => &[],
    };
    needed.contains(&&name)
}

/// Returns whether nothing but boxes fills a box that is needed.
pub(super) fn holds_boxes(inside: Option<[u8; 4]>, name: [u8; 4]) -> bool {
    match inside.as_ref() {
        Some(b"stsd" | b"wave") => name == *b"wave",
        Some(b"gmhd") => name == *b"tmcd",
        _ => matches!(
            &name,
            b"moov"
                | b"trak"
                | b"mdia"
                | b"minf"
                | b"stbl"
                | b"moof"
                | b"traf"
                | b"mvex"
                | b"edts"
                | b"tapt"
                | b"gmhd"
                | b"dinf"
                | b"mfra"
        ),
    }
}

/// Returns whether a box in what describes samples is one of which nobody can tell what it says.
pub(super) fn is_unknown(inside: Option<[u8; 4]>, name: [u8; 4]) -> bool {
    matches!(inside.as_ref(), Some(b"stsd" | b"wave")) && !CODECS.contains(&&name)
}

/// Returns how many bytes of a box's content mean something, by the first of them; `None` where that is not known.
pub(super) fn meaning(name: [u8; 4], head: &[u8]) -> Option<u64> {
    let long = |at: usize| number(head, at).map(u64::from);
    let is_late = head.first().is_some_and(|version| *version > 0);
    let version = |early: u64, late: u64| Some(if is_late { late } else { early });
    let flags = long(0)? & 0xff_ffff;
    let table = |at: usize, row: u64| Some(at as u64 + 4 + long(at)? * row);
    match &name {
        b"mvhd" => version(100, 112),
        b"tkhd" => version(84, 96),
        b"mdhd" => version(24, 36),
        b"cslg" => version(24, 44),
        b"mehd" | b"tfdt" => version(8, 12),
        b"nmhd" | b"sthd" | b"gama" | b"clli" => Some(4),
        b"smhd" | b"mfhd" | b"mfro" | b"pasp" => Some(8),
        b"vmhd" | b"clef" | b"prof" | b"enof" | b"btrt" => Some(12),
        b"gmin" => Some(16),
        b"hmhd" => Some(20),
        // Behind the last one stands the name of a font.
        b"trex" | b"mdcv" | b"tcmi" => Some(24),
        b"clap" => Some(32),
        b"stss" | b"stps" | b"stco" => table(4, 4),
        b"stts" | b"ctts" | b"co64" => table(4, 8),
        b"stsc" => table(4, 12),
        b"elst" => table(4, if is_late { 20 } else { 12 }),
        b"stsz" if long(4)? > 0 => Some(12),
        b"stsz" => table(8, 4),
        b"stz2" => Some(12 + (long(8)? * (long(4)? & 0xff)).div_ceil(8)),
        b"sbgp" => table(if is_late { 12 } else { 8 }, 8),
        b"sgpd" if head[0] == 1 && long(8)? > 0 => table(12, long(8)?),
        b"sidx" => {
            let at = if is_late { 28 } else { 20 };
            Some(at as u64 + 4 + (long(at)? & 0xffff) * 12)
        }
        b"tfhd" => Some(
            [(1, 8), (2, 4), (8, 4), (0x10, 4), (0x20, 4)]
                .iter()
                .filter(|(flag, _)| flags & flag > 0)
                .map(|(_, bytes)| bytes)
                .sum::<u64>()
                + 8,
        ),
        b"trun" => {
            let fields = [1, 4].iter().filter(|flag| flags & **flag > 0).count() as u64;
            Some(8 + fields * 4 + long(4)? * u64::from((flags & 0xf00).count_ones()) * 4)
        }
        b"colr" if head.starts_with(b"nclx") => Some(11),
        b"colr" if head.starts_with(b"nclc") => Some(10),
        b"esds" => descriptor_end(head),
        b"tfra" => {
            let last = head.get(11)?;
            let numbers = [4, 2, 0].iter().map(|shift| (last >> shift & 3) + 1).map(u64::from).sum::<u64>();
            table(12, numbers + if is_late { 16 } else { 8 })
        }
        _ => None,
    }
}

/// Returns where the descriptor of a stream ends, which holds all others (ISO/IEC 14496-1, 7.2.6.5 and 8.3.3).
fn descriptor_end(head: &[u8]) -> Option<u64> {
    let (mark, rest) = head.get(4..)?.split_first()?;
    let last = rest.iter().take(4).position(|byte| byte & 0x80 == 0).filter(|_| *mark == 3)?;
    let length = rest[..=last].iter().fold(0, |length, byte| length << 7 | u64::from(byte & 0x7f));
    Some(5 + last as u64 + 1 + length)
}

/// Returns where in a description of samples its boxes begin; `None` if it cannot be told.
pub(super) fn boxes_at(handler: Option<[u8; 4]>, entry: &[u8], is_quicktime: bool) -> Option<u64> {
    let short = |at: usize| Some(u16::from_be_bytes(entry.get(at..at + 2)?.try_into().ok()?));
    match handler.as_ref()? {
        // Pictures of few colours may have a list of them.
        b"vide" | b"auxv" | b"pict" if matches!(short(82)? & 0x1f, 1 | 2 | 4 | 8) && short(84)? == 0 => {
            Some(86 + 8 + (u64::from(short(92)?) + 1) * 8)
        }
        b"vide" | b"auxv" | b"pict" => Some(86),
        b"soun" => Some(match short(16)? {
            1 if is_quicktime => 52,
            2 if is_quicktime => 72,
            _ => 36,
        }),
        _ => None,
    }
}

/// Returns what of brands means something: the kind of file, its version, and those of the other kinds that are known
/// (ISO/IEC 14496-12, 4.3).
pub(super) fn brands(content: &[u8]) -> Vec<u8> {
    let (codes, _) = content.as_chunks::<4>();
    let kept = codes.iter().enumerate().map(|(at, code)| if at < 2 || BRANDS.contains(&code) { *code } else { [0; 4] });
    kept.collect::<Vec<_>>().concat()
}

/// Returns the references of a track to its own file without what they say beside that, which may be a path; `None` if they
/// cannot be told apart.
pub(super) fn emptied(references: &[u8]) -> Option<Vec<u8>> {
    let count = usize::try_from(number(references, 4)?).ok()?;
    let mut emptied = references.get(..8)?.to_vec();
    let mut entries = 0;
    for (name, entry) in inner(&references[8..]).take(count) {
        // Such a one has the number of a box in its file.
        let entry = entry.get(..if name == *b"imdt" { 8 } else { 4 })?;
        emptied.extend(u32::try_from(entry.len() + 8).ok()?.to_be_bytes());
        emptied.extend(name);
        emptied.extend(entry);
        entries += 1;
    }
    (entries == count).then_some(emptied)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A box that is shorter than its own numbers was the end of the daemon's work on a film.
    #[test]
    fn of_a_box_as_many_bytes_stay_as_it_says() {
        let with = |at: usize, bytes: &[u8], length: usize| {
            let mut head = vec![0; length];
            head[at..at + bytes.len()].copy_from_slice(bytes);
            head
        };
        let rows: [(&[u8; 4], Vec<u8>, Option<u64>); 19] = [
            (b"tfra", with(0, &[], 11), None),
            // Rows of a time and a place, and three numbers of one to four bytes.
            (b"tfra", with(11, &[0b11_0110, 0, 0, 0, 2], 16), Some(16 + 2 * (8 + 4 + 2 + 3))),
            (b"tfra", [vec![1], with(14, &[1], 15)].concat(), Some(16 + 16 + 3)),
            (b"trun", with(3, &[5], 7), None),
            (b"trun", with(2, &[3, 5, 0, 0, 0, 9], 8), Some(8 + 8 + 9 * 8)),
            (b"tfhd", with(3, &[0x3b], 8), Some(8 + 8 + 4 * 4)),
            (b"sidx", with(0, &[], 20), None),
            (b"stz2", with(7, &[4, 0, 0, 0, 3], 12), Some(14)),
            (b"sgpd", with(0, &[1], 11), None),
            (b"stco", with(4, &[0xff; 4], 8), Some(8 + 4 * u64::from(u32::MAX))),
            (b"esds", with(4, &[3, 25], 20), Some(31)),
            (b"esds", with(4, &[3, 0x80, 0x80, 0x81, 5], 20), Some(9 + 128 + 5)),
            (b"esds", with(4, &[3, 0x80, 0x80, 0x80, 0x80, 5], 20), None),
            (b"esds", with(4, &[4, 25], 20), None),
            (b"esds", with(4, &[3], 5), None),
            (b"esds", with(0, &[], 4), None),
            (b"colr", b"nclx".to_vec(), Some(11)),
            (b"colr", b"prof".to_vec(), None),
            (b"tkhd", Vec::new(), None),
        ];
        for (name, head, expected) in rows {
            assert_eq!(meaning(*name, &head), expected, "{} {head:?}", name.escape_ascii());
            for end in 0..head.len() {
                let _ = meaning(*name, &head[..end]);
            }
        }
    }

    #[test]
    fn of_brands_those_stay_that_players_know() {
        for (before, after) in [
            (&b"qt  2005qt  \0\0\0\0"[..], &b"qt  2005qt  \0\0\0\0"[..]),
            (b"isom\0\0\x02\0isomJaneiso2 Doemp41xy", b"isom\0\0\x02\0isom\0\0\0\0iso2\0\0\0\0mp41"),
            (b"isom", b"isom"),
            (b"", b""),
        ] {
            assert_eq!(brands(before), after);
        }
    }
}
