//! What the units of H.264 and H.265 are, and the messages in them, by their numbers (ITU-T H.264, table 7-1 and annex D;
//! H.265, table 7-1 and annex D).

/// What may hide a text and may be needed as well, in a person's words.
const OF_LAYERS: &str = "messages about layers or views";
const REGISTERED: &str = "captions or HDR data";
const OTHER_UNITS: &str = "units of Dolby Vision or of a kind that stockmill does not know";

/// What registered messages begin with that players use: country and provider (ITU-T T.35), and what some say next.
const IN_USE: [&[u8]; 11] = [
    // ATSC: captions and bars, and the active format; DirecTV: captions.
    b"\xb5\x00\x31GA94",
    b"\xb5\x00\x31DTG1",
    b"\xb5\x00\x2f",
    // HDR: HDR10+, Dolby Vision, SL-HDR, SMPTE ST 2094-50, HDR Vivid.
    b"\xb5\x00\x3c\x00\x01\x04",
    b"\xb5\x00\x3b",
    b"\xb5\x00\x3a",
    b"\xb5\x00\x90\x00\x01",
    b"\x26\x00\x04\x00\x05",
    // Film grain of AOM; LCEVC, which enlarges the pictures, under both numbers that programs write.
    b"\xb5\x58\x90\x01",
    b"\xb4\x00\x50",
    b"\xb4\x50\x00",
];
/// How many bytes of a message say so.
pub(super) const BEGINS_BYTES: usize = 7;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    H264,
    H265,
}

/// What a unit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// A picture, or what one needs.
    Picture,
    Messages,
    Filler,
    /// Nothing to which anything gives a meaning.
    Unused,
    /// What nobody here can judge.
    Other(&'static str),
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Message {
    /// Numbers that players show the pictures by.
    Needed,
    /// A program's own, or a kind that no decoder may use.
    Note,
    Filler,
    /// What nobody here can judge.
    Other(&'static str),
}

impl Coding {
    /// Returns what a unit is that begins with a byte.
    pub(super) fn unit(self, first: u8) -> Unit {
        match (self, self.number(first)) {
            (Self::H264, 6) | (Self::H265, 39 | 40) => Unit::Messages,
            (Self::H264, 12) | (Self::H265, 38) => Unit::Filler,
            (Self::H264, 1..=5 | 7..=11 | 13..=16 | 19..=21) | (Self::H265, 0..=9 | 16..=21 | 32..=37) => Unit::Picture,
            // Dolby Vision has its own in 28 and 30, or 62 and 63; 30 and 31, or 48 and 49, are in use in files.
            (Self::H264, 0 | 24..=27 | 29) | (Self::H265, 50..=61) => Unit::Unused,
            _ => Unit::Other(OTHER_UNITS),
        }
    }

    /// Returns how many bytes a unit has before its content.
    pub(super) fn head_bytes(self) -> usize {
        match self {
            Self::H264 => 1,
            Self::H265 => 2,
        }
    }

    /// Returns what a message of a type is that begins with these bytes.
    pub(super) fn message(self, kind: usize, begins: &[u8]) -> Message {
        match (self, kind) {
            (_, 3) => Message::Filler,
            (_, 4) if IN_USE.iter().any(|known| begins.starts_with(known)) => Message::Other(REGISTERED),
            (Self::H264, 0..=2 | 6..=23 | 45 | 47 | 137 | 144 | 147..=151 | 154..=156)
            | (Self::H265, 0..=2 | 6 | 9 | 15..=17 | 19 | 22 | 23 | 45 | 47 | 56 | 128..=132 | 134..=156) => {
                Message::Needed
            }
            (Self::H264, 24..=44 | 46 | 48..=54) | (Self::H265, 133 | 157..=168 | 176..=181) => {
                Message::Other(OF_LAYERS)
            }
            _ => Message::Note,
        }
    }

    fn number(self, first: u8) -> u8 {
        match self {
            Self::H264 => first & 31,
            Self::H265 => first >> 1 & 63,
        }
    }
}
