use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;

use super::shape::Shape;
use crate::market::Market;
use crate::model::{MarketName, words};

/// So many connections to a market's server are open at once, if the settings do not say it.
const PER_HOST: usize = 2;
/// How the digest of a host key begins, as `ssh-keygen -l` prints it, and how many signs follow.
const DIGEST: &str = "SHA256:";
const DIGEST_CHARS: usize = 43;

/// The keys of one market's delivery.
pub(super) const DELIVERY: Shape = Shape::Table(&[
    ("to", Shape::Read(|text| text.parse::<Address>().map(drop))),
    ("host_key", Shape::Words),
    ("ca_file", Shape::Text),
    ("secret_file", Shape::Text),
    ("per_host", Shape::Integer(1, 8)),
]);

/// Where, and how, the bundles of a market are delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The server.
    pub to: Address,
    /// The digests of its host keys, for SFTP: `SHA256:…`.
    pub host_keys: Vec<String>,
    /// A file of certificates that vouch for the server, in place of those of the system, for FTPS.
    pub ca_file: Option<PathBuf>,
    /// The file that holds the password, or the private key; without it, systemd's credential of the market's name does.
    pub secret_file: Option<PathBuf>,
    /// How many connections are open at once.
    pub per_host: usize,
}

/// How a server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// SSH's file transfer.
    Sftp,
    /// FTP that turns to TLS before the login (`AUTH TLS`).
    Ftps,
}

/// `sftp://USER@HOST:PORT/FOLDER` or `ftps://…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// How it is spoken to.
    pub protocol: Protocol,
    /// Who logs in.
    pub user: String,
    /// Its name, which its certificate must have, or its address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The folder, below the one where a login begins; empty for that one. It begins with `/` if it is meant from the
    /// server's root on, which is written `//`.
    pub folder: String,
}

impl FromStr for Address {
    type Err = String;

    /// What it says never quotes the text: a person may have put a password there.
    fn from_str(text: &str) -> Result<Self, String> {
        const FORM: &str = "write `sftp://USER@HOST/FOLDER` or `ftps://USER@HOST:PORT/FOLDER`";
        let wrong = |what: &str| Err(format!("{what}; {FORM}"));
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return wrong("it has a space or a control character");
        }
        let Some((scheme, rest)) = text.split_once("://") else { return wrong("it names no protocol") };
        let (protocol, standard) = match scheme {
            "sftp" => (Protocol::Sftp, 22),
            "ftps" => (Protocol::Ftps, 21),
            "ftp" => return wrong("plain FTP sends the password and the files for all to read"),
            _ => return wrong("the protocol is sftp or ftps"),
        };
        let (who, folder) = rest.split_once('/').unwrap_or((rest, ""));
        let Some((user, place)) = who.rsplit_once('@') else { return wrong("it does not say who logs in") };
        if user.contains(':') {
            return wrong(
                "no password stands in the settings: it is a file of its own (`secret_file`) or a credential of systemd",
            );
        }
        let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, rest)) => (host, rest.strip_prefix(':')),
            None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
        };
        let port = port.map_or(Ok(standard), str::parse);
        let Ok(port @ 1..) = port else { return wrong("the port is a number from 1 to 65535") };
        if user.is_empty() || host.is_empty() {
            return wrong("it lacks the user or the host");
        }
        let folder = folder.trim_end_matches('/');
        if folder.split('/').any(|part| part == "..") {
            return wrong("a folder is named without `..`");
        }
        Ok(Self { protocol, user: user.to_owned(), host: host.to_owned(), port, folder: folder.to_owned() })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { protocol, user, host, port, folder } = self;
        let scheme = match protocol {
            Protocol::Sftp => "sftp",
            Protocol::Ftps => "ftps",
        };
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        write!(f, "{scheme}://{user}@{host}:{port}/{folder}")
    }
}

/// One market's delivery as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDelivery {
    #[serde(default)]
    to: Option<String>,
    #[serde(default, deserialize_with = "words")]
    host_key: Vec<String>,
    #[serde(default)]
    ca_file: Option<PathBuf>,
    #[serde(default)]
    secret_file: Option<PathBuf>,
    #[serde(default)]
    per_host: Option<usize>,
}

/// One mistake: the key below that of the market, what is wrong, and what to write instead.
pub(super) type Wrong = (&'static str, String, Option<String>);

impl RawDelivery {
    /// Checks one market's delivery; files are named from the root on.
    pub(super) fn check(&self, root: &Path) -> Result<Delivery, Vec<Wrong>> {
        let Some(to) = &self.to else {
            let hint = Some("write `to: sftp://USER@HOST/FOLDER`".to_owned());
            return Err(vec![("", "a delivery needs to know where".to_owned(), hint)]);
        };
        let to: Address = to.parse().map_err(|what| vec![("to", what, None)])?;
        let wrong = self.wrong(to.protocol);
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let place = |path: &PathBuf| root.join(path);
        Ok(Delivery {
            to,
            host_keys: self.host_key.clone(),
            ca_file: self.ca_file.as_ref().map(place),
            secret_file: self.secret_file.as_ref().map(place),
            per_host: self.per_host.unwrap_or(PER_HOST),
        })
    }

    fn wrong(&self, protocol: Protocol) -> Vec<Wrong> {
        let mut wrong: Vec<Wrong> = Vec::new();
        let leave_out = Some("leave it out".to_owned());
        match protocol {
            Protocol::Sftp if self.ca_file.is_some() => {
                wrong.push(("ca_file", "SFTP has host keys and no certificates".to_owned(), leave_out));
            }
            Protocol::Ftps if !self.host_key.is_empty() => {
                wrong.push(("host_key", "FTPS has certificates and no host keys".to_owned(), leave_out));
            }
            _ => (),
        }
        let bad = self.host_key.iter().find(|key| !is_digest(key));
        if let Some(bad) = bad.filter(|_| protocol == Protocol::Sftp) {
            let hint = "write it as `ssh-keygen -l` prints it, in quotation marks: \"SHA256:…\"";
            wrong.push(("host_key", format!("`{bad}` is no digest of a host key"), Some(hint.to_owned())));
        }
        wrong
    }
}

fn is_digest(text: &str) -> bool {
    let is_sign = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    text.strip_prefix(DIGEST).is_some_and(|rest| rest.len() == DIGEST_CHARS && rest.bytes().all(is_sign))
}

/// Checks all deliveries; each must be for a market that is in use.
pub(super) fn deliveries(
    raw: &BTreeMap<String, RawDelivery>,
    root: &Path,
    chosen: &[Market],
    say: &mut dyn FnMut(&str, String, Option<String>),
) -> BTreeMap<MarketName, Delivery> {
    let mut found = BTreeMap::new();
    for (name, raw) in raw {
        let key = format!("upload.delivery.{name}");
        let Some(market) = chosen.iter().find(|market| market.name == name.as_str()) else {
            let hint = "name the market there, or take its delivery away".to_owned();
            say(&key, format!("`{name}` is none of `upload.markets`"), Some(hint));
            continue;
        };
        match raw.check(root) {
            Ok(delivery) => drop(found.insert(market.name.clone(), delivery)),
            Err(wrong) => wrong.into_iter().for_each(|(below, what, hint)| {
                let key = if below.is_empty() { key.clone() } else { format!("{key}.{below}") };
                say(&key, what, hint);
            }),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;
    use crate::market::built_in;

    #[test]
    fn an_address_says_where_and_never_a_password() {
        let rows = [
            ("sftp://me@host", Ok("sftp://me@host:22/")),
            ("sftp://me@host:2022/a/b/", Ok("sftp://me@host:2022/a/b")),
            ("sftp://me@host//srv/in", Ok("sftp://me@host:22//srv/in")),
            ("ftps://a@b.c@ftps.example.com/", Ok("ftps://a@b.c@ftps.example.com:21/")),
            ("ftps://me@[::1]:2121/x", Ok("ftps://me@[::1]:2121/x")),
            ("sftp://me:hunter2@host", Err("no password stands in the settings")),
            ("ftp://me@host", Err("plain FTP")),
            ("https://me@host", Err("the protocol is sftp or ftps")),
            ("host", Err("it names no protocol")),
            ("sftp://host", Err("it does not say who logs in")),
            ("sftp://@host", Err("it lacks the user or the host")),
            ("sftp://me@host:0", Err("the port is a number")),
            ("sftp://me@host:ssh", Err("the port is a number")),
            ("sftp://me@host/../x", Err("without `..`")),
            ("ftps://me@host/a\r\nDELE b", Err("control character")),
        ];
        for (text, expected) in rows {
            match (text.parse::<Address>(), expected) {
                (Ok(address), Ok(shown)) => {
                    assert_eq!(address.to_string(), shown);
                    assert_eq!(shown.parse(), Ok(address));
                }
                (Err(said), Err(part)) => assert!(said.contains(part) && !said.contains("hunter2"), "{text:?}: {said}"),
                (got, _) => panic!("{text:?}: {got:?}"),
            }
        }
    }

    #[test]
    fn a_delivery_that_cannot_be_is_told_with_its_line() {
        const KEY: &str = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let rows = [
            ("adobe-stock: {host_key: \"KEY\"}", "`upload.delivery.adobe-stock`: a delivery needs to know where"),
            ("adobe-stock: {to: sftp://a@b, ca_file: x}", "SFTP has host keys and no certificates"),
            ("adobe-stock: {to: ftps://a@b, host_key: KEY}", "FTPS has certificates and no host keys"),
            ("adobe-stock: {to: sftp://a@b, host_key: \"ab:cd\"}", "`ab:cd` is no digest of a host key"),
            ("adobe-stock: {to: sftp://a@b, per_host: 9}", "must be a whole number from 1 to 8"),
            ("adobe-stock: {to: sftp://a@b, password: x}", "password"),
            ("adobe-stock: {to: sftp://a:hunter2@b}", "no password stands in the settings"),
            ("pond5: {to: sftp://a@b}", "`pond5` is none of `upload.markets`"),
        ];
        let markets = built_in().unwrap();
        for (text, told) in rows {
            let text = format!("upload:\n  delivery:\n    {}\n", text.replace("KEY", KEY));
            let said = load(&text, Path::new("/mill"), &markets).unwrap_err().to_string();
            assert!(said.starts_with("line 3, column") && said.contains(told), "{text}: {said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
        let text =
            format!("upload: {{delivery: {{adobe-stock: {{to: sftp://me@host, host_key: {KEY}, secret_file: p}}}}}}");
        let settings = load(&text, Path::new("/mill"), &markets).unwrap();
        let delivery = &settings.upload.delivery["adobe-stock"];
        assert_eq!((delivery.per_host, &delivery.host_keys[..]), (2, &[KEY.to_owned()][..]));
        assert_eq!(delivery.secret_file.as_deref(), Some(Path::new("/mill/p")));
    }
}
