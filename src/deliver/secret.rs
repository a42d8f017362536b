use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::after::Kind;
use super::server::Trouble;
use crate::config::Delivery;
use crate::model::MarketName;
use crate::vault::{SecretError, read_credential, read_secret};

/// Where systemd keeps the credentials of a unit.
pub(super) const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// Returns the password, or the private key, for a market.
pub(super) fn secret(market: &MarketName, delivery: &Delivery, credentials: Option<&OsStr>) -> Result<String, Trouble> {
    let trouble = |path: &Path, error: SecretError| {
        Trouble::new(Kind::Stop, format!("the secret for {market}: `{}` {error}", path.display()))
    };
    if let Some(path) = &delivery.secret_file {
        return read_secret(path).map_err(|error| trouble(path, error));
    }
    let Some(folder) = credentials else {
        let what = format!(
            "there is no secret for {market}: write its password into a file of your own, `chmod 600` it, and name it \
             with `upload.delivery.{market}.secret_file`; in the unit of systemd, `LoadCredential={market}:FILE` does the \
             same"
        );
        return Err(Trouble::new(Kind::Stop, what));
    };
    let path = PathBuf::from(folder).join(market.as_str());
    read_credential(&path).map_err(|error| trouble(&path, error))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test plays the person who writes a secret")]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_secret_is_found_or_it_is_told_where_it_belongs() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, mode: u32| {
            let path = folder.path().join(name);
            std::fs::write(&path, "hunter2\n").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            path
        };
        let (own, open) = (file("own", 0o600), file("open", 0o644));
        // What systemd gives has rights of systemd's own.
        file("shop", 0o440);
        let credentials = Some(folder.path().as_os_str());
        let rows = [
            (Some(own), None, "shop", Ok("hunter2")),
            (Some(open), credentials, "shop", Err("has the mode 644")),
            (Some(folder.path().join("none")), credentials, "shop", Err("it is not there")),
            (None, credentials, "shop", Ok("hunter2")),
            (None, credentials, "other", Err("it is not there")),
            (None, None, "shop", Err("`LoadCredential=shop:FILE`")),
        ];
        for (secret_file, credentials, market, expected) in rows {
            let delivery = Delivery {
                to: "sftp://me@host".parse().unwrap(),
                host_keys: Vec::new(),
                ca_file: None,
                secret_file,
                per_host: 1,
            };
            match (secret(&MarketName::recorded(market), &delivery, credentials), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(trouble), Err(part)) => {
                    assert!(trouble.what.contains(part) && !trouble.what.contains("hunter2"), "{trouble}");
                }
                (got, _) => panic!("{market}: {got:?}"),
            }
        }
    }
}
