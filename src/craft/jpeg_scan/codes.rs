/// Codes of at most this many bits are found by one read of a table.
const QUICK_BITS: u32 = 11;
/// What the end of a block adds to the position within it: more than any other code can.
pub(in crate::craft) const END_OF_BLOCK: u32 = 128;

/// What one code means.
#[derive(Clone, Copy, Default)]
pub(in crate::craft) struct Code {
    /// How many bits it has; 0 for no code.
    pub(in crate::craft) bits: u8,
    /// How many bits it and the coefficient behind it have.
    pub(super) bits_with_value: u8,
    /// How far the code moves on within its block.
    pub(in crate::craft) step: u8,
    pub(in crate::craft) symbol: u8,
}

impl Code {
    fn new(bits: u32, symbol: u8) -> Self {
        let (run, size) = (symbol >> 4, symbol & 15);
        let step = match (run, size) {
            (15, 0) => 16,
            (_, 0) => END_OF_BLOCK.to_le_bytes()[0],
            _ => run + 1,
        };
        let bits = bits.to_le_bytes()[0];
        Self { bits, bits_with_value: bits + size, step, symbol }
    }
}

/// A table of a JPEG's codes (ITU T.81, annex C).
pub(in crate::craft) struct Codes {
    /// By the next bits; no code if it is longer.
    quick: Box<[Code; 1 << QUICK_BITS]>,
    /// By length: the first 16 bits that are no code of this length or a shorter one; the first code; the first symbol.
    by_length: [(u32, u32, usize); 17],
    symbols: Vec<u8>,
}

impl Codes {
    /// Reads a table, and returns what lies behind it; `None` if it makes no sense.
    pub(in crate::craft) fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (counts, rest) = bytes.split_first_chunk::<16>()?;
        let (symbols, rest) = rest.split_at_checked(counts.iter().map(|count| usize::from(*count)).sum())?;
        let quick = Box::new([Code::default(); 1 << QUICK_BITS]);
        let mut codes = Self { quick, by_length: [(0, 0, 0); 17], symbols: symbols.to_vec() };
        let (mut code, mut symbol) = (0_u32, 0);
        for (length, count) in (1_u32..=16).zip(counts) {
            code <<= 1;
            let (first, first_symbol) = (code, symbol);
            for symbol in &symbols[symbol..symbol + usize::from(*count)] {
                if length <= QUICK_BITS {
                    let free = QUICK_BITS - length;
                    let range = (code as usize) << free..(code as usize + 1) << free;
                    codes.quick.get_mut(range)?.fill(Code::new(length, *symbol));
                }
                code += 1;
            }
            symbol += usize::from(*count);
            if code > 1 << length {
                return None;
            }
            codes.by_length[length as usize] = (code << (16 - length), first, first_symbol);
        }
        Some((codes, rest))
    }

    /// Returns the next code without taking it; `None` if it is invalid.
    #[inline]
    pub(super) fn find(&self, bits: &mut Bits<'_>) -> Option<Code> {
        self.at(bits.ahead())
    }

    /// Returns the code that the next 16 bits begin with; `None` if it is invalid.
    #[inline]
    pub(in crate::craft) fn at(&self, ahead: u32) -> Option<Code> {
        let code = self.quick[(ahead >> (16 - QUICK_BITS)) as usize];
        if code.bits > 0 { Some(code) } else { self.find_long(ahead) }
    }

    fn find_long(&self, ahead: u32) -> Option<Code> {
        for length in QUICK_BITS + 1..=16 {
            let (end, first, first_symbol) = self.by_length[length as usize];
            if ahead < end {
                let behind = (ahead >> (16 - length)).checked_sub(first)?;
                return self.symbols.get(first_symbol + behind as usize).map(|symbol| Code::new(length, *symbol));
            }
        }
        None
    }

    /// Takes the next code and returns its symbol; `None` if it is invalid.
    #[inline]
    pub(super) fn next(&self, bits: &mut Bits<'_>) -> Option<u8> {
        let code = self.find(bits)?;
        bits.skip(code.bits.into());
        Some(code.symbol)
    }
}

/// The bits of one interval of a scan. Zeros without end follow it.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// The next byte that is not held.
    at: usize,
    /// The next bits, the first one highest.
    held: u64,
    /// How many bits are held.
    count: usize,
}

impl<'a> Bits<'a> {
    /// How many zeros lie behind the bytes, so that most reads need no check of the end.
    pub(super) const PADDING: usize = 8;

    /// Removes the zero that follows each 0xff in coded bytes.
    pub(super) fn of(coded: &[u8], buffer: &'a mut Vec<u8>) -> Self {
        buffer.clear();
        let mut rest = coded;
        while let Some(at) = rest.iter().position(|byte| *byte == 0xff) {
            buffer.extend_from_slice(&rest[..=at]);
            rest = &rest[at + 1..];
            rest = rest.strip_prefix(&[0]).unwrap_or(rest);
        }
        buffer.extend_from_slice(rest);
        buffer.extend([0; Self::PADDING]);
        Self { bytes: buffer, at: 0, held: 0, count: 0 }
    }

    /// Holds at least 32 bits: a code and the value behind it.
    #[inline]
    fn refill(&mut self) {
        if self.count < 32 {
            let next = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk);
            self.held |= u64::from_be_bytes(*next.unwrap_or(&[0; 8])) >> self.count;
            let bytes = (64 - self.count) / 8;
            self.at += bytes;
            self.count += bytes * 8;
        }
    }

    /// Returns the next 16 bits.
    #[inline]
    fn ahead(&mut self) -> u32 {
        self.refill();
        u32::from(u16::from_be_bytes([self.held.to_be_bytes()[0], self.held.to_be_bytes()[1]]))
    }

    #[inline]
    pub(super) fn skip(&mut self, count: usize) {
        if count < self.count {
            self.held <<= count;
            self.count -= count;
        } else {
            let taken = self.taken() + count;
            (self.at, self.held, self.count) = (taken / 8, 0, 0);
            self.refill();
            self.held <<= taken % 8;
            self.count -= taken % 8;
        }
    }

    /// Takes a number of at most 15 bits.
    pub(super) fn take(&mut self, count: u32) -> usize {
        let value = self.ahead() >> (16 - count);
        self.skip(count as usize);
        value as usize
    }

    /// Returns how many bits were taken.
    #[inline]
    fn taken(&self) -> usize {
        self.at * 8 - self.count
    }

    fn length(&self) -> usize {
        (self.bytes.len() - Self::PADDING) * 8
    }

    /// Returns `None` if more bits were taken than there are.
    #[inline]
    pub(super) fn are_enough(&self) -> Option<()> {
        (self.taken() <= self.length()).then_some(())
    }

    /// Returns whether at most `bytes` whole bytes are left.
    pub(super) fn end_within(&self, bytes: usize) -> bool {
        self.length().checked_sub(self.taken()).is_some_and(|left| left / 8 <= bytes)
    }
}
