use std::process::ExitCode;

/// What went wrong, for a person: what, where, and what to do.
#[derive(Debug)]
pub(crate) struct CliError {
    text: String,
    code: u8,
}

impl CliError {
    /// Returns an error in how the command was called or in the settings.
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self { text: text.into(), code: 2 }
    }

    /// Returns an error in the work itself.
    pub(crate) fn failed(error: &impl std::fmt::Display) -> Self {
        Self { text: error.to_string(), code: 1 }
    }

    /// Returns what went wrong.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn print(&self) -> ExitCode {
        eprintln!("stockmill: {}", self.text);
        ExitCode::from(self.code)
    }
}
