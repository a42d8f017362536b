use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_yaml::{Mapping, Value};

use super::{RecordError, yaml_guard};
use crate::model::split_words;

/// The largest record that is read.
pub(super) const BYTES_MAX: usize = 1 << 20;

/// More values than this are no shared tags; merging compares each with each.
const VALUES_MAX: usize = 5_000;

/// Reads a record; an empty text is an empty record.
fn read<T: DeserializeOwned + Default>(bytes: &[u8]) -> Result<T, RecordError> {
    let text = sound_text(bytes)?;
    parse(text).map_err(|error| syntax(&error, text))
}

/// Reads a record that says its version. One of another version may have keys that are unknown here: the version is
/// what is told then.
pub(super) fn read_versioned<T: DeserializeOwned + Default>(bytes: &[u8], version: u32) -> Result<T, RecordError> {
    let text = sound_text(bytes)?;
    parse(text).map_err(|error| other_version(text, version).unwrap_or_else(|| syntax(&error, text)))
}

/// Returns why a record is of a version that is not known, if it is; `known` is the newest one.
pub(super) fn other_version(text: &str, known: u32) -> Option<RecordError> {
    #[derive(Deserialize)]
    struct Probe {
        version: u64,
    }
    let Probe { version } = serde_yaml::from_str(text).ok()?;
    (!(1..=u64::from(known)).contains(&version)).then_some(RecordError::Version { found: version })
}

fn parse<T: DeserializeOwned + Default>(text: &str) -> Result<T, serde_yaml::Error> {
    serde_yaml::from_str::<Option<T>>(text).map(Option::unwrap_or_default)
}

/// Returns a record's text, unless it is too large or would cost too much to read.
fn sound_text(bytes: &[u8]) -> Result<&str, RecordError> {
    if bytes.len() > BYTES_MAX {
        return Err(RecordError::TooLarge { size_bytes: bytes.len(), size_bytes_max: BYTES_MAX });
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let wrong = |what: &str| RecordError::Syntax { line: 1, column: 1, what: what.to_owned() };
    let text = std::str::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8; save it as UTF-8"))?;
    yaml_guard::refusal(text).map_or(Ok(text), |why| Err(wrong(why)))
}

fn syntax(error: &serde_yaml::Error, file: &str) -> RecordError {
    let position = error.location().map_or((1, 1), |at| (at.line(), at.column()));
    let text = error.to_string();
    let what = without_place(&text);
    // As it is called where each key is known.
    let what = twice(what).map_or(what.to_owned(), |key| format!("duplicate field `{key}`; keep only one of them"));
    let (line, column) = second_position(&what, file).unwrap_or(position);
    RecordError::Syntax { line, column, what }
}

/// Returns the key that a file has twice, by what the YAML reader says.
fn twice(what: &str) -> Option<&str> {
    let rest = what.strip_prefix("duplicate field `").or_else(|| what.strip_prefix("duplicate entry with key \""))?;
    rest.split(['`', '"']).next()
}

/// Returns where a key stands for the second time; the YAML reader tells only where the file starts.
pub(super) fn second_position(what: &str, file: &str) -> Option<(usize, usize)> {
    let key = twice(what)?;
    let is_key = |line: &str| line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(':'));
    file.lines().enumerate().filter(|(_, line)| is_key(line)).nth(1).map(|(at, _)| (at + 1, 1))
}

/// Returns what the YAML reader says without the place, which is told in front of it.
pub(super) fn without_place(text: &str) -> &str {
    text.split(" at line ").next().unwrap_or(text)
}

/// The only version of records that are merged.
const MERGED_VERSION: u32 = 1;

/// Reads a record as bare keys and values, to merge it. What could not be written again is refused, and so is another
/// version: nobody here knows how to merge that.
pub fn read_mapping(bytes: &[u8]) -> Result<Mapping, RecordError> {
    let mapping: Mapping = read(bytes)?;
    let version = mapping.get("version").and_then(Value::as_u64);
    if let Some(found) = version.filter(|version| *version != u64::from(MERGED_VERSION)) {
        return Err(RecordError::Version { found });
    }
    match check_mapping(&mapping, &mut 0) {
        Ok(()) => Ok(mapping),
        Err(what) => Err(RecordError::Syntax { line: 1, column: 1, what: what.to_owned() }),
    }
}

/// The keys of shared tags that are lists; a text with commas is one, too.
const LISTS: [&str; 4] = ["keywords", "use", "mood", "documents"];

/// Reads shared tags as bare keys and values, to merge them.
pub fn read_shared(bytes: &[u8]) -> Result<Mapping, RecordError> {
    let mut mapping = read_mapping(bytes)?;
    for list in LISTS {
        if let Some(value) = mapping.get_mut(list)
            && let Some(text) = value.as_str()
        {
            *value = split_words(text).map(Value::from).collect();
        }
    }
    Ok(mapping)
}

fn check_mapping(mapping: &Mapping, count: &mut usize) -> Result<(), &'static str> {
    mapping.iter().try_for_each(|(key, value)| match key {
        Value::Sequence(_) | Value::Mapping(_) => Err("a list or a section stands where a key must be"),
        _ => check(key, count).and_then(|()| check(value, count)),
    })
}

fn check(value: &Value, count: &mut usize) -> Result<(), &'static str> {
    *count += 1;
    match value {
        _ if *count > VALUES_MAX => Err("there are more than 5000 values; make it shorter"),
        Value::Tagged(_) => Err("a word starts with `!`, which is a tag in YAML; put it in quotes"),
        Value::Sequence(items) => items.iter().try_for_each(|item| check(item, count)),
        Value::Mapping(mapping) => check_mapping(mapping, count),
        _ => Ok(()),
    }
}

/// Returns merged keys and values as text.
pub fn write_mapping(mapping: &Mapping) -> String {
    serde_yaml::to_string(mapping).expect("a mapping that was read can be written")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The place was told twice, in front and behind.
    #[test]
    fn the_place_is_told_once() {
        for text in ["tags: [a", "tags: {keywords: {}}\n", "a: b: c\n"] {
            let told = read_mapping(text.as_bytes()).err().or_else(|| read::<Tags>(text.as_bytes()).err());
            let told = told.unwrap().to_string();
            assert!(told.starts_with("line ") && !told.contains(" at line "), "{told}");
        }
    }

    /// The log said `line 1`, and `explain` the line where the key stands for the second time.
    #[test]
    fn a_key_that_stands_twice_is_told_where_it_does() {
        let told = read_mapping(b"title: a\ncategory: b\nkeywords: [c]\ncategory: d\n").unwrap_err().to_string();
        assert_eq!(told, "line 4, column 1: duplicate field `category`; keep only one of them");
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Tags {
        #[serde(rename = "tags")]
        _tags: crate::model::Tags,
    }

    /// Keys with a tag, or that are sections, were read, and writing the merged tags panicked.
    #[test]
    fn what_cannot_be_written_is_not_read() {
        for bad in ["!x a: 1\n", "a: !x b\n", "a: [{b: !x c}]\n", "? [a]\n: 1\n", "a: {{b: c}: d}\n"] {
            assert!(read_mapping(bad.as_bytes()).is_err(), "{bad}");
        }
        for good in ["a: \"!x\"\n", "2: [{c: .nan}, {d: ~, e: {f: []}}]\n", ""] {
            let mapping = read_mapping(good.as_bytes()).unwrap();
            assert_eq!(read_mapping(write_mapping(&mapping).as_bytes()).unwrap(), mapping);
        }
        assert!(read_mapping(b"version: 1\na: b").is_ok());
        assert_eq!(read_mapping(b"version: 2\na: b"), Err(RecordError::Version { found: 2 }));
        assert!(read_mapping(format!("a: [{}]", "1,".repeat(4_900)).as_bytes()).is_ok());
        assert!(read_mapping(format!("a: [{}]", "1,".repeat(5_001)).as_bytes()).is_err());
    }
}
