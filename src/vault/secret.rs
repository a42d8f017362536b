use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use rustix::fs::fstat;

use super::outside::open_outside;

/// The most bytes of a secret.
const BYTES_MAX: u64 = 16 << 10;
/// How a private key begins, which has many lines.
const KEY: &str = "-----BEGIN ";
/// The rights of others than the owner.
const OTHERS: u32 = 0o077;

/// Why a secret is not read. It never says what it is.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The system refused.
    #[error("cannot be read: {}", super::disk::plain(.0))]
    Io(#[from] io::Error),
    /// Somebody else owns it.
    #[error("belongs to another user; it must be yours: `chown` it")]
    Foreign,
    /// Others may read it.
    #[error("has the mode {0:03o}, so that others may reach it; take their rights away: `chmod 600` it")]
    Open(u32),
    /// It is no password and no key.
    #[error("must hold one line of text, the password, and nothing else; or a private key")]
    NoLine,
}

/// Reads a secret from a file that only its owner, who is the one that asks, may reach.
pub fn read_secret(path: &Path) -> Result<String, SecretError> {
    let file = open_outside(path)?;
    let stat = fstat(&file).map_err(io::Error::from)?;
    if stat.st_uid != rustix::process::geteuid().as_raw() {
        return Err(SecretError::Foreign);
    }
    if stat.st_mode & OTHERS != 0 {
        return Err(SecretError::Open(stat.st_mode & 0o777));
    }
    read(file)
}

/// Reads a secret from a folder that systemd keeps for this process alone, by rights of its own.
pub fn read_credential(path: &Path) -> Result<String, SecretError> {
    read(open_outside(path)?)
}

/// Returns a key as it is, or the one line of a file without its end.
fn read(file: File) -> Result<String, SecretError> {
    let mut bytes = Vec::new();
    file.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
    let text = String::from_utf8(bytes).ok().filter(|text| text.len() as u64 <= BYTES_MAX);
    let text = text.ok_or(SecretError::NoLine)?;
    if text.starts_with(KEY) {
        return Ok(text);
    }
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    let is_one = !line.is_empty() && !line.contains(char::is_control);
    if is_one { Ok(line.to_owned()) } else { Err(SecretError::NoLine) }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test plays the person who writes a password")]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_secret_is_of_one_line_and_of_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        // Its text, its mode, and the secret or what is told.
        let rows = [
            ("hunter2\n", 0o600, Ok("hunter2")),
            ("hunter2\r\n", 0o400, Ok("hunter2")),
            ("two words", 0o600, Ok("two words")),
            ("hunter2\n", 0o640, Err("has the mode 640")),
            ("hunter2\n", 0o604, Err("`chmod 600`")),
            ("hunter2\nmore\n", 0o600, Err("one line")),
            ("-----BEGIN X-----\nabc\n", 0o600, Ok("-----BEGIN X-----\nabc\n")),
            ("", 0o600, Err("one line")),
            ("\n", 0o600, Err("one line")),
        ];
        for (text, mode, expected) in rows {
            let _ = std::fs::remove_file(&path);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            match (read_secret(&path), expected) {
                (Ok(secret), Ok(expected)) => assert_eq!(secret, expected),
                (Err(error), Err(part)) => {
                    let said = error.to_string();
                    assert!(said.contains(part) && !said.contains("hunter2"), "{said}");
                }
                (got, _) => panic!("{text:?} {mode:o}: {got:?}"),
            }
        }
        assert!(read_secret(&folder.path().join("none")).unwrap_err().to_string().contains("it is not there"));
        assert!(read_secret(folder.path()).is_err());
    }
}
