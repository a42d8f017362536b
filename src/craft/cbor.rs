//! CBOR (RFC 8949), as far as a C2PA manifest needs it: texts, lists, maps, within limits.

/// Deeper values, and more of them, are not read.
const DEPTH_MAX: usize = 16;
const VALUES_MAX: usize = 20_000;

/// A value.
#[derive(Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    List(Vec<Value>),
    Map(Vec<(Value, Value)>),
    /// A number, bytes, or anything else that nobody asks for.
    Other,
}

impl Value {
    /// Returns the value of a key of a map.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Map(pairs) = self else { return None };
        pairs.iter().find(|(own, _)| own.text() == Some(key)).map(|(_, value)| value)
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// Returns the values of a list.
    pub(super) fn items(&self) -> &[Self] {
        if let Self::List(items) = self { items } else { &[] }
    }
}

/// Reads the value that bytes begin with.
pub(super) fn read_cbor(bytes: &[u8]) -> Option<Value> {
    Reader { rest: bytes, values: 0 }.value(0)
}

/// How much belongs to a value.
#[derive(Clone, Copy)]
enum Count {
    Of(u64),
    /// Up to a mark.
    ToMark,
}

struct Reader<'a> {
    rest: &'a [u8],
    values: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Option<Value> {
        self.values += 1;
        if depth > DEPTH_MAX || self.values > VALUES_MAX {
            return None;
        }
        let [first] = *self.take(1)? else { return None };
        let (kind, count) = (first >> 5, self.count(first & 0x1f)?);
        Some(match kind {
            0 | 1 | 7 => Value::Other,
            2 => {
                self.bytes(count)?;
                Value::Other
            }
            3 => Value::Text(String::from_utf8(self.bytes(count)?).ok()?),
            4 => Value::List(self.many(count, |reader| reader.value(depth + 1))?),
            5 => Value::Map(self.many(count, |reader| Some((reader.value(depth + 1)?, reader.value(depth + 1)?)))?),
            // What a tag says of a value, as that a text is a time, is no matter here.
            _ => self.value(depth + 1)?,
        })
    }

    /// Returns the number in a first byte, or behind it.
    fn count(&mut self, short: u8) -> Option<Count> {
        let length = match short {
            0..=23 => return Some(Count::Of(u64::from(short))),
            24..=27 => 1 << (short - 24),
            31 => return Some(Count::ToMark),
            _ => return None,
        };
        let number = self.take(length)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        Some(Count::Of(number))
    }

    /// Returns bytes of a known length, or in parts up to a mark.
    fn bytes(&mut self, count: Count) -> Option<Vec<u8>> {
        let Count::Of(count) = count else {
            let mut all = Vec::new();
            while !self.at_end()? {
                let [first] = *self.take(1)? else { return None };
                let Count::Of(length) = self.count(first & 0x1f)? else { return None };
                all.extend_from_slice(self.take(usize::try_from(length).ok()?)?);
            }
            return Some(all);
        };
        Some(self.take(usize::try_from(count).ok()?)?.to_vec())
    }

    fn many<T>(&mut self, count: Count, mut one: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut all = Vec::new();
        while match count {
            Count::Of(count) => (all.len() as u64) < count,
            Count::ToMark => !self.at_end()?,
        } {
            all.push(one(self)?);
        }
        Some(all)
    }

    /// Takes the mark that ends a value, if it is next.
    fn at_end(&mut self) -> Option<bool> {
        let is_end = *self.rest.first()? == 0xff;
        self.rest = &self.rest[usize::from(is_end)..];
        Some(is_end)
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_are_read_within_limits() {
        let text = |text: &str| Value::Text(text.to_owned());
        let cases: [(&[u8], Option<Value>); 13] = [
            (b"\x61a", Some(text("a"))),
            (b"\x78\x02ab", Some(text("ab"))),
            (b"\x7f\x61a\x61b\xff", Some(text("ab"))),
            (b"\x82\x61a\x01", Some(Value::List(vec![text("a"), Value::Other]))),
            (b"\x9f\x61a\xff", Some(Value::List(vec![text("a")]))),
            (b"\xa1\x61k\xc0\x61v", Some(Value::Map(vec![(text("k"), text("v"))]))),
            (b"\xbf\x61k\x42xy\xff", Some(Value::Map(vec![(text("k"), Value::Other)]))),
            (b"\xf5", Some(Value::Other)),
            (b"", None),
            (b"\x62a", None),
            (b"\x61\xff", None),
            (b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", None),
            (&[0x81; 40], None),
        ];
        for (bytes, expected) in cases {
            assert_eq!(read_cbor(bytes), expected, "{bytes:x?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = read_cbor(&bytes);
        }
    }
}
