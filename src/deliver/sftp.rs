use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use russh::client::{self, AuthResult, Handle, KeyboardInteractiveAuthResponse as Asked};
use russh::keys::{Algorithm, HashAlg, PrivateKeyWithHashAlg, PublicKeyOrCertificate, decode_secret_key};
use russh::{Disconnect, MethodKind, Preferred};
use russh_sftp::client::error::Error as SftpError;
use russh_sftp::client::{Config as SftpConfig, SftpSession};
use russh_sftp::protocol::{FileAttributes, OpenFlags, StatusCode};
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};
use tokio::runtime::{Builder, Runtime};

use super::after::Kind;
use super::server::{PATIENCE, Server, Trouble};
use crate::config::{Address, Delivery};
use crate::vault::{ReadSeek, plain};

/// How a private key begins; anything else is a password.
const KEY: &str = "-----BEGIN ";
/// A server that asks more often is not answered.
const QUESTIONS_MAX: usize = 4;
/// So many writes of this size are under way at once.
const WRITES: usize = 16;
const WRITE_BYTES: u32 = 32 << 10;
/// What is read of a file at once.
const PIECE_BYTES: usize = 256 << 10;

/// A connection by SFTP.
pub(super) struct Sftp {
    runtime: Runtime,
    session: Handle<HostKey>,
    files: SftpSession,
    folder: String,
}

/// Compares the host key with those that are known.
struct HostKey {
    known: Vec<String>,
    refused: Arc<Mutex<Option<RefusedKey>>>,
}

/// A host key that is none of those that are known.
struct RefusedKey {
    algorithm: Algorithm,
    why: String,
}

impl client::Handler for HostKey {
    type Error = russh::Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        let key = shown.public_key();
        let (algorithm, digest) = (key.algorithm(), key.fingerprint(HashAlg::Sha256).to_string());
        let why = refusal(&self.known, algorithm.as_ref(), &digest);
        let is_known = why.is_none();
        let refused = why.map(|why| RefusedKey { algorithm, why });
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = refused;
        Ok(is_known)
    }
}

/// Returns why a host key is refused, unless it is known.
fn refusal(known: &[String], algorithm: &str, digest: &str) -> Option<String> {
    if known.iter().any(|known| known == digest) {
        return None;
    }
    if known.is_empty() {
        return Some(format!(
            "the host key is not known: {digest} ({algorithm}). Compare it with what the market says of its server; if it \
             is the same, write it into the settings: `host_key: \"{digest}\"`"
        ));
    }
    Some(format!(
        "THE HOST KEY IS NOT THE ONE OF THE SETTINGS: the server shows {digest} ({algorithm}), and `host_key` says {}. \
         Somebody may be between you and the market, and would get your password: nothing was sent. Ask the market before \
         you change `host_key`",
        known.join(", ")
    ))
}

impl Sftp {
    /// Connects, compares the host key, logs in, and looks whether the folder is there.
    pub(super) fn connect(delivery: &Delivery, secret: &str) -> Result<Self, Trouble> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Trouble::new(Kind::Stop, error.to_string()))?;
        let (session, files) = runtime.block_on(async {
            let opened = tokio::time::timeout(PATIENCE, open(delivery, secret)).await;
            opened.unwrap_or_else(|_| Err(Trouble::new(Kind::Cut, "the server does not answer")))
        })?;
        let mut folder = delivery.to.folder.clone();
        if !folder.is_empty() {
            folder.push('/');
        }
        let it = Self { runtime, session, files, folder };
        if !it.folder.is_empty() && it.look(it.folder.trim_end_matches('/'))?.is_none() {
            let what = format!("the server has no folder `{}`; correct `to` in the settings", delivery.to.folder);
            return Err(Trouble::new(Kind::Stop, what));
        }
        Ok(it)
    }

    /// Returns what is known of a path, if it is there.
    fn look(&self, path: &str) -> Result<Option<FileAttributes>, Trouble> {
        match self.runtime.block_on(self.files.metadata(path)) {
            Ok(found) => Ok(Some(found)),
            Err(SftpError::Status(status)) if status.status_code == StatusCode::NoSuchFile => Ok(None),
            Err(error) => Err(trouble(&error)),
        }
    }

    fn path(&self, name: &str) -> String {
        format!("{}{name}", self.folder)
    }

    /// Returns what a refused write means: servers say "failure" for a full disk, too.
    fn refused_write(&self, error: &io::Error) -> Trouble {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<SftpError>()) {
            None | Some(SftpError::Status(_)) => (),
            Some(other) => return trouble(other),
        }
        let folder = if self.folder.is_empty() { "." } else { &self.folder };
        match self.runtime.block_on(self.files.fs_info(folder)) {
            Ok(Some(space)) if space.blocks_avail * space.fragment_size < PIECE_BYTES as u64 => {
                Trouble::new(Kind::Full, "the server's disk is full")
            }
            Ok(_) => Trouble::new(Kind::Refused, format!("the server refuses it: {error}")),
            Err(other) => trouble(&other),
        }
    }
}

/// Connects to a server whose host key is known. A server has keys of several kinds and shows one that both sides like:
/// where that one is not known, another one may be.
async fn shake_hands(delivery: &Delivery) -> Result<Handle<HostKey>, Trouble> {
    let Address { host, port, .. } = &delivery.to;
    let mut preferred = Preferred::default();
    let mut first = None;
    loop {
        let refused = Arc::new(Mutex::new(None));
        let handler = HostKey { known: delivery.host_keys.clone(), refused: Arc::clone(&refused) };
        let config = client::Config {
            inactivity_timeout: Some(PATIENCE),
            keepalive_interval: Some(PATIENCE / 4),
            nodelay: true,
            preferred: preferred.clone(),
            ..client::Config::default()
        };
        let connected = client::connect(Arc::new(config), (host.as_str(), *port), handler).await;
        let refused = refused.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(RefusedKey { algorithm, why }) = refused else {
            return connected.map_err(|error| match (error, first) {
                // It has no key of another kind.
                (russh::Error::NoCommonAlgo { .. }, Some(why)) => Trouble::new(Kind::Stop, why),
                (error, _) => connection(&error),
            });
        };
        preferred.key.to_mut().retain(|other| !is_same_kind(other, &algorithm));
        let first = first.get_or_insert(why);
        if delivery.host_keys.is_empty() || preferred.key.is_empty() {
            return Err(Trouble::new(Kind::Stop, first.clone()));
        }
    }
}

/// Returns whether two ways to sign go with the same key: one of RSA signs with several hashes.
fn is_same_kind(one: &Algorithm, other: &Algorithm) -> bool {
    one == other || matches!((one, other), (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }))
}

async fn open(delivery: &Delivery, secret: &str) -> Result<(Handle<HostKey>, SftpSession), Trouble> {
    let mut session = shake_hands(delivery).await?;
    log_in(&mut session, &delivery.to.user, secret).await?;
    let channel = session.channel_open_session().await.map_err(|error| connection(&error))?;
    channel.request_subsystem(true, "sftp").await.map_err(|error| connection(&error))?;
    let config = SftpConfig {
        max_concurrent_writes: WRITES,
        max_write_packet_len: WRITE_BYTES,
        request_timeout_secs: PATIENCE.as_secs(),
        ..SftpConfig::default()
    };
    let sftp = SftpSession::new_with_config(channel.into_stream(), config).await.map_err(|error| trouble(&error))?;
    Ok((session, sftp))
}

async fn log_in(session: &mut Handle<HostKey>, user: &str, secret: &str) -> Result<(), Trouble> {
    let answer = if secret.starts_with(KEY) {
        let key = decode_secret_key(secret, None).map_err(|_| {
            let what = "the secret begins like a private key and cannot be read as one; it must have no passphrase";
            Trouble::new(Kind::Stop, what)
        })?;
        let hash = session.best_supported_rsa_hash().await.map_err(|error| connection(&error))?.flatten();
        session.authenticate_publickey(user, PrivateKeyWithHashAlg::new(Arc::new(key), hash)).await
    } else {
        session.authenticate_password(user, secret).await
    };
    let is_in = match answer.map_err(|error| connection(&error))? {
        AuthResult::Success => true,
        AuthResult::Failure { remaining_methods, .. } => {
            let asks = remaining_methods.contains(&MethodKind::KeyboardInteractive) && !secret.starts_with(KEY);
            asks && answer_questions(session, user, secret).await.map_err(|error| connection(&error))?
        }
    };
    let what = format!("the server refuses the login of `{user}`; correct the user in `to`, or the secret");
    if is_in { Ok(()) } else { Err(Trouble::new(Kind::Stop, what)) }
}

/// Logs in where the server asks for the password as a person would be asked; returns whether it lets us in. Only a
/// lone question whose answer is not shown is answered with it.
async fn answer_questions(session: &mut Handle<HostKey>, user: &str, secret: &str) -> Result<bool, russh::Error> {
    let mut said = session.authenticate_keyboard_interactive_start(user, None).await?;
    for _ in 0..QUESTIONS_MAX {
        let answers = match &said {
            Asked::Success => return Ok(true),
            Asked::Failure { .. } => return Ok(false),
            Asked::InfoRequest { prompts, .. } => match &prompts[..] {
                [] => Vec::new(),
                [one] if !one.echo => vec![secret.to_owned()],
                _ => return Ok(false),
            },
        };
        said = session.authenticate_keyboard_interactive_respond(answers).await?;
    }
    Ok(false)
}

/// Returns what an error of the connection means.
fn connection(error: &russh::Error) -> Trouble {
    match error {
        russh::Error::NoCommonAlgo { .. } => {
            Trouble::new(Kind::Stop, format!("the server has only ways to encrypt that are too old: {error}"))
        }
        russh::Error::IO(error) => Trouble::new(Kind::Cut, format!("no connection to the server: {}", plain(error))),
        other => Trouble::new(Kind::Cut, format!("no connection to the server: {other}")),
    }
}

/// Returns what an answer of the server means.
fn trouble(error: &SftpError) -> Trouble {
    match error {
        SftpError::Status(status) => {
            let kind = match status.status_code {
                StatusCode::NoConnection | StatusCode::ConnectionLost => Kind::Cut,
                _ => Kind::Refused,
            };
            Trouble::new(kind, format!("the server refuses it: {error}"))
        }
        other => Trouble::new(Kind::Cut, format!("the connection was cut: {other}")),
    }
}

impl Server for Sftp {
    fn size(&mut self, name: &str) -> Result<Option<u64>, Trouble> {
        let Some(found) = self.look(&self.path(name))? else { return Ok(None) };
        let untold = || Trouble::new(Kind::Stop, "the server tells no sizes, so that nobody can see what arrived");
        found.size.map(Some).ok_or_else(untold)
    }

    fn send(&mut self, name: &str, from: u64, bytes: &mut dyn ReadSeek) -> Result<(), Trouble> {
        let path = self.path(name);
        let empty = if from == 0 { OpenFlags::TRUNCATE } else { OpenFlags::empty() };
        let opened = self.files.open_with_flags(path, OpenFlags::CREATE | OpenFlags::WRITE | empty);
        let mut file = self.runtime.block_on(opened).map_err(|error| trouble(&error))?;
        let mut piece = vec![0; PIECE_BYTES];
        let written = self.runtime.block_on(async {
            file.seek(io::SeekFrom::Start(from)).await?;
            loop {
                match bytes.read(&mut piece) {
                    Ok(0) => return file.shutdown().await,
                    Ok(read) => file.write_all(&piece[..read]).await?,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                    Err(error) => return Err(error),
                }
            }
        });
        written.map_err(|error| self.refused_write(&error))
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), Trouble> {
        let renamed = self.files.rename(self.path(from), self.path(to));
        self.runtime.block_on(renamed).map_err(|error| trouble(&error))
    }

    fn remove(&mut self, name: &str) -> Result<(), Trouble> {
        self.runtime.block_on(self.files.remove_file(self.path(name))).map_err(|error| trouble(&error))
    }

    fn overlap(&self) -> u64 {
        WRITES as u64 * u64::from(WRITE_BYTES)
    }
}

impl Drop for Sftp {
    fn drop(&mut self) {
        // Nobody waits for a server that is gone.
        let bye = self.session.disconnect(Disconnect::ByApplication, "", "");
        let _ = self.runtime.block_on(async { tokio::time::timeout(PATIENCE / 60, bye).await });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_known_host_key_is_trusted() {
        let known = |keys: &[&str]| keys.iter().map(ToString::to_string).collect::<Vec<_>>();
        let rows = [
            (known(&["SHA256:a", "SHA256:b"]), None),
            (known(&[]), Some("the host key is not known: SHA256:b (ssh-ed25519)")),
            (known(&["SHA256:a"]), Some("THE HOST KEY IS NOT THE ONE OF THE SETTINGS: the server shows SHA256:b")),
            (known(&["SHA256:B"]), Some("THE HOST KEY IS NOT")),
        ];
        for (known, told) in rows {
            let refused = refusal(&known, "ssh-ed25519", "SHA256:b");
            assert_eq!(refused.is_some(), told.is_some(), "{known:?}");
            assert!(told.is_none_or(|part| refused.unwrap().contains(part)), "{known:?}");
        }
    }
}
