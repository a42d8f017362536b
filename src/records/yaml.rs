use serde::de::DeserializeOwned;
use serde_yaml::Mapping;

use super::{RecordError, yaml_guard};

/// A larger record is not one.
const BYTES_MAX: usize = 1 << 20;

/// Reads a record; an empty text is an empty record.
pub(super) fn read<T: DeserializeOwned + Default>(bytes: &[u8]) -> Result<T, RecordError> {
    if bytes.len() > BYTES_MAX {
        return Err(RecordError::TooLarge { size_bytes: bytes.len(), size_bytes_max: BYTES_MAX });
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let syntax = |line, column, what: String| RecordError::Syntax { line, column, what };
    let text = std::str::from_utf8(bytes).map_err(|_| syntax(1, 1, "it is not UTF-8; save it as UTF-8".to_owned()))?;
    if let Some(why) = yaml_guard::refusal(text) {
        return Err(syntax(1, 1, why.to_owned()));
    }
    serde_yaml::from_str::<Option<T>>(text).map(Option::unwrap_or_default).map_err(|error| {
        let (line, column) = error.location().map_or((1, 1), |place| (place.line(), place.column()));
        syntax(line, column, error.to_string())
    })
}

/// Reads a record as bare keys and values, to merge it.
pub fn read_mapping(bytes: &[u8]) -> Result<Mapping, RecordError> {
    read(bytes)
}

/// Returns merged keys and values as text.
pub fn write_mapping(mapping: &Mapping) -> String {
    serde_yaml::to_string(mapping).expect("a mapping that was read can be written")
}
