//! The entropy coding of a baseline JPEG (ITU-T T.81, annexes C, F and K.2).

use super::blocks::{Block, ZIGZAG};

/// The order in which a JPEG stores a block, the other way round.
const TO_ZIGZAG: [u8; 64] = {
    let (mut places, mut at) = ([0; 64], 0_u8);
    while at < 64 {
        places[ZIGZAG[at as usize] as usize] = at;
        at += 1;
    }
    places
};
/// Sixteen zeros.
const ZEROS: u8 = 0xf0;
const END_OF_BLOCK: u8 = 0;
/// The most blocks that are told together.
const BLOCKS_MAX: u32 = 0x7fff;
/// The largest size of a coefficient, and of a difference of means.
const AC_BITS_MAX: u8 = 10;
const DC_BITS_MAX: u8 = 11;

/// What takes the symbols of blocks.
pub(super) trait Symbols {
    /// Takes a symbol, and the bits behind it.
    fn put(&mut self, table: usize, symbol: u8, bits: u32, count: u32);
}

/// Gives the symbols of a block: tables `2 * kind` and `2 * kind + 1` are those of its mean and of its other
/// coefficients.
#[inline(always)]
pub(super) fn code(block: &Block, kind: usize, before: &mut i32, symbols: &mut impl Symbols) {
    mean(block, kind, before, symbols);
    if rest(block, ordered(block), 0, kind * 2 + 1, symbols) < 63 {
        symbols.put(kind * 2 + 1, END_OF_BLOCK, 0, 0);
    }
}

/// Gives the symbol of a block's mean, in the table `2 * kind`.
#[inline(always)]
pub(super) fn mean<S: Symbols + ?Sized>(block: &Block, kind: usize, before: &mut i32, symbols: &mut S) {
    let mean = i32::from(block.values[0]);
    let (size, bits) = magnitude(mean - *before);
    *before = mean;
    symbols.put(kind * 2, size, bits, size.into());
}

/// Returns which coefficients of a block but its mean are not zero, in the order in which they are stored.
#[inline(always)]
fn ordered(block: &Block) -> u64 {
    let (mut natural, mut order) = (block.filled & !1, 0_u64);
    while natural != 0 {
        order |= 1 << TO_ZIGZAG[(natural.trailing_zeros() & 63) as usize];
        natural &= natural - 1;
    }
    order
}

/// Gives the symbols of these coefficients behind the place `last`; returns the place of the last one.
#[inline(always)]
fn rest<S: Symbols + ?Sized>(block: &Block, mut order: u64, mut last: u32, table: usize, symbols: &mut S) -> u32 {
    while order != 0 {
        let at = order.trailing_zeros();
        let mut run = at - last - 1;
        while run > 15 {
            symbols.put(table, ZEROS, 0, 0);
            run -= 16;
        }
        let (size, bits) = magnitude(block.values[usize::from(ZIGZAG[(at & 63) as usize])].into());
        let run = u8::try_from(run).expect("fifteen at most");
        symbols.put(table, run << 4 | size, bits, size.into());
        last = at;
        order &= order - 1;
    }
    last
}

/// Blocks of a progressive scan of which nothing more comes, and that are told together.
#[derive(Debug, Default)]
pub(super) struct Run(u32);

impl Run {
    /// Gives the symbols of some coefficients of a block, in the table 1.
    pub(super) fn code(&mut self, block: &Block, first: u32, last: u32, symbols: &mut dyn Symbols) {
        let order = ordered(block) & (u64::MAX >> (63 - last)) & (u64::MAX << first);
        if order != 0 {
            self.end(symbols);
        }
        if rest(block, order, first - 1, 1, symbols) < last {
            self.0 += 1;
        }
        if self.0 == BLOCKS_MAX {
            self.end(symbols);
        }
    }

    /// Tells the blocks that ended.
    pub(super) fn end(&mut self, symbols: &mut dyn Symbols) {
        if let Some(size) = self.0.checked_ilog2() {
            let symbol = u8::try_from(size << 4).expect("fourteen at most");
            symbols.put(1, symbol, self.0 - (1 << size), size);
        }
        self.0 = 0;
    }
}

/// Returns how many bits a value has, and these bits: those of a negative one are counted from below.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 16 bits, and two's complement")]
fn magnitude(value: i32) -> (u8, u32) {
    let size = 32 - value.unsigned_abs().leading_zeros();
    (size as u8, (value + (value >> 31)) as u32 & ((1 << size) - 1))
}

/// How often each symbol comes.
#[derive(Debug)]
pub(super) struct Counts(pub(super) [[u32; 256]; 4]);

impl Symbols for Counts {
    #[inline(always)]
    fn put(&mut self, table: usize, symbol: u8, _: u32, _: u32) {
        self.0[table & 3][usize::from(symbol)] += 1;
    }
}

/// The codes of one table.
#[derive(Debug)]
pub(super) struct Codes {
    /// How many codes there are of each length, from 1 on.
    pub(super) lengths: [u8; 16],
    /// The symbols, those with short codes first.
    pub(super) symbols: Vec<u8>,
    /// For each symbol its code, and its length from bit 24 on.
    of_symbol: [u32; 256],
}

impl Codes {
    /// Returns the best codes for what a sample of a picture has. A symbol that the sample lacks may still come, so that
    /// each has a code.
    pub(super) fn of(counts: &[u32; 256], is_mean: bool) -> Self {
        let may_come = |symbol: usize| {
            let (run, size) = (symbol >> 4, symbol & 15);
            if is_mean {
                symbol <= DC_BITS_MAX.into()
            } else {
                size == 0 && (run == 0 || run == 15) || (1..=AC_BITS_MAX.into()).contains(&size)
            }
        };
        let mut weights = [0_u64; 257];
        for symbol in (0..256).filter(|symbol| may_come(*symbol)) {
            weights[symbol] = u64::from(counts[symbol]) * 16 + 1;
        }
        Self::by_weights(weights)
    }

    fn by_weights(mut weights: [u64; 257]) -> Self {
        // No code may be all ones: this one is given away.
        weights[256] = 1;
        let sizes = code_sizes(weights);
        let lengths = limited(&sizes);
        let mut symbols: Vec<(usize, u8)> =
            (0..=255).filter(|symbol| sizes[usize::from(*symbol)] > 0).map(|s| (sizes[usize::from(s)], s)).collect();
        symbols.sort_unstable();
        Self::new(lengths, symbols.into_iter().map(|(_, symbol)| symbol).collect())
    }

    /// Returns the best codes for exactly these symbols.
    pub(super) fn exact(counts: &[u32; 256]) -> Self {
        let mut weights = [0_u64; 257];
        for (weight, count) in weights.iter_mut().zip(counts) {
            *weight = u64::from(*count);
        }
        // A table has a code, also if nothing needs it.
        weights[0] += u64::from(counts.iter().all(|count| *count == 0));
        Self::by_weights(weights)
    }

    fn new(lengths: [u8; 16], symbols: Vec<u8>) -> Self {
        let (mut codes, mut code, mut next) = ([0; 256], 0, symbols.iter());
        for (length, count) in (1_u32..).zip(lengths) {
            for symbol in next.by_ref().take(count.into()) {
                codes[usize::from(*symbol)] = length << 24 | code;
                code += 1;
            }
            code <<= 1;
        }
        Self { lengths, symbols, of_symbol: codes }
    }
}

/// Returns how long the code of each symbol would be (T.81, figure K.1).
fn code_sizes(mut weights: [u64; 257]) -> [usize; 257] {
    let (mut sizes, mut next) = ([0; 257], [usize::MAX; 257]);
    let least = |weights: &[u64; 257], but: usize| {
        // Of equal ones the last: those that share a code's end with the one given away are rare.
        (0..257).rev().filter(|at| weights[*at] > 0 && *at != but).min_by_key(|at| weights[*at])
    };
    while let Some(first) = least(&weights, usize::MAX) {
        let Some(second) = least(&weights, first) else { break };
        weights[first] += weights[second];
        weights[second] = 0;
        let mut end = first;
        sizes[end] += 1;
        while next[end] != usize::MAX {
            end = next[end];
            sizes[end] += 1;
        }
        next[end] = second;
        end = second;
        sizes[end] += 1;
        while next[end] != usize::MAX {
            end = next[end];
            sizes[end] += 1;
        }
    }
    sizes
}

/// Returns how many codes there are of each length, none longer than 16 bits (T.81, figure K.3).
fn limited(sizes: &[usize; 257]) -> [u8; 16] {
    let mut bits = [0_u32; 258];
    sizes.iter().filter(|size| **size > 0).for_each(|size| bits[*size] += 1);
    for length in (17..bits.len()).rev() {
        while bits[length] > 0 {
            let shorter = (1..length - 1).rev().find(|at| bits[*at] > 0).expect("codes of a tree leave room");
            bits[length] -= 2;
            bits[length - 1] += 1;
            bits[shorter + 1] += 2;
            bits[shorter] -= 1;
        }
    }
    let longest = (1..=16).rev().find(|at| bits[*at] > 0).expect("there is a symbol");
    bits[longest] -= 1;
    std::array::from_fn(|at| u8::try_from(bits[at + 1]).expect("at most 256 symbols"))
}

/// Writes symbols as bits.
#[derive(Debug)]
pub(super) struct Bits<'a> {
    codes: &'a [Codes; 4],
    pub(super) bytes: Vec<u8>,
    held: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(codes: &'a [Codes; 4]) -> Self {
        Self { codes, bytes: Vec::with_capacity(1 << 16), held: 0, count: 0 }
    }

    #[inline(always)]
    fn write(&mut self, word: u32) {
        // A byte of ones is followed by a zero, so that it is no mark.
        let has_ones = (!word).wrapping_sub(0x0101_0101) & word & 0x8080_8080 != 0;
        if !has_ones {
            self.bytes.extend_from_slice(&word.to_be_bytes());
            return;
        }
        for byte in word.to_be_bytes() {
            self.bytes.push(byte);
            if byte == 0xff {
                self.bytes.push(0);
            }
        }
    }

    /// Fills the last byte with ones, and begins anew.
    pub(super) fn end(&mut self) {
        let fill = (8 - self.count % 8) % 8;
        self.held = self.held << fill | ((1 << fill) - 1);
        self.count += fill;
        while self.count > 0 {
            self.count -= 8;
            let byte = (self.held >> self.count).to_le_bytes()[0];
            self.bytes.push(byte);
            if byte == 0xff {
                self.bytes.push(0);
            }
        }
        self.held = 0;
    }
}

impl Symbols for Bits<'_> {
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "32 bits are taken out of those that are held")]
    fn put(&mut self, table: usize, symbol: u8, bits: u32, count: u32) {
        let code = self.codes[table & 3].of_symbol[usize::from(symbol)];
        let length = (code >> 24) + count;
        self.held = self.held << length | u64::from(code & 0xff_ffff) << count | u64::from(bits);
        self.count += length;
        if self.count >= 32 {
            self.count -= 32;
            self.write((self.held >> self.count) as u32);
        }
    }
}
