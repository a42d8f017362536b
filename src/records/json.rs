//! Reading JSON that stockmill wrote.

use serde::Deserialize;

use super::RecordError;

/// Reads a record, if it has the form that is known.
pub(super) fn read<T: serde::de::DeserializeOwned>(bytes: &[u8], version: u32) -> Result<T, RecordError> {
    #[derive(Deserialize)]
    struct Form {
        version: u64,
    }
    let syntax = |error: serde_json::Error| RecordError::Syntax {
        line: error.line(),
        column: error.column(),
        what: error.to_string(),
    };
    let form: Form = serde_json::from_slice(bytes).map_err(syntax)?;
    if form.version != u64::from(version) {
        return Err(RecordError::Version { found: form.version });
    }
    serde_json::from_slice(bytes).map_err(syntax)
}
