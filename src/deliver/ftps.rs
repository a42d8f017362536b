use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::sync::Arc;

use suppaftp::rustls::crypto::ring;
use suppaftp::rustls::pki_types::CertificateDer;
use suppaftp::rustls::pki_types::pem::PemObject as _;
use suppaftp::rustls::version::{TLS12, TLS13};
use suppaftp::rustls::{self, ClientConfig, RootCertStore};
use suppaftp::rustls::{AlertDescription, SupportedProtocolVersion};
use suppaftp::types::{FileType, Response};
use suppaftp::{FtpError, FtpResult, Mode, RustlsConnector, RustlsFtpStream, Status};

use super::after::Kind;
use super::server::{PATIENCE, Server, Trouble};
use crate::config::{Address, Delivery};
use crate::vault::{ReadSeek, plain, read_outside};

/// The largest file of certificates.
const CA_BYTES_MAX: u64 = 4 << 20;
/// Many servers want each connection of data to resume the session of TLS of the login. A session of TLS 1.2 may be resumed
/// any number of times; one of 1.3 as often as the server gave tickets, and one that only gets files gives no further ones.
const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// A connection by FTP over TLS.
pub(super) struct Ftps(RustlsFtpStream);

impl Ftps {
    /// Connects, turns to TLS, checks the certificate, logs in, and goes into the folder.
    pub(super) fn connect(delivery: &Delivery, secret: &str) -> Result<Self, Trouble> {
        let Address { user, folder, .. } = &delivery.to;
        let mut ftp = secured(delivery)?;
        // Where the server names another address for the data, it is behind a router, or means no good.
        ftp.set_passive_nat_workaround(true);
        let is_ipv6 = ftp.get_ref().peer_addr().is_ok_and(|address| address.is_ipv6());
        ftp.set_mode(if is_ipv6 { Mode::ExtendedPassive } else { Mode::Passive });
        let mut ftp = ftp.passive_stream_builder(stream_of_data);
        ftp.login(user.as_str(), secret).map_err(|error| login(user, &error))?;
        ftp.transfer_type(FileType::Binary).map_err(|error| trouble(&error))?;
        if !folder.is_empty() {
            ftp.cwd(folder).map_err(|error| {
                let Trouble { kind, what } = trouble(&error);
                let what = format!("the folder `{folder}` of the server cannot be entered: {what}; correct `to`");
                Trouble::new(if kind == Kind::Refused { Kind::Stop } else { kind }, what)
            })?;
        }
        Ok(Self(ftp))
    }
}

/// Connects and turns to TLS, by the first version that the server has.
fn secured(delivery: &Delivery) -> Result<RustlsFtpStream, Trouble> {
    let host = &delivery.to.host;
    let roots = delivery.ca_file.as_deref().map_or_else(of_system, of_file)?;
    let mut lacking = None;
    for version in VERSIONS {
        let stream = reach(&delivery.to)?;
        let ftp = RustlsFtpStream::connect_with_stream(stream).map_err(|error| trouble(&error))?;
        // A server that has no TLS is refused before the login.
        match ftp.into_secure(RustlsConnector::from(Arc::new(tls(roots.clone(), version)?)), host) {
            Ok(ftp) => return Ok(ftp),
            Err(FtpError::ConnectionError(error)) if has_other_version(&error) => lacking = Some(error),
            Err(error) => return Err(insecure(host, &error)),
        }
    }
    let why = lacking.map(|error| error.to_string()).unwrap_or_default();
    Err(Trouble::new(Kind::Stop, format!("the server has neither TLS 1.2 nor 1.3: {why}")))
}

/// Returns whether an error says that the server does not have the version of TLS that it was offered.
fn has_other_version(error: &io::Error) -> bool {
    use rustls::Error::{AlertReceived, PeerIncompatible};
    let known = error.get_ref().and_then(|inner| inner.downcast_ref());
    matches!(known, Some(AlertReceived(AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure)))
        || matches!(known, Some(PeerIncompatible(_)))
}

/// Returns what is spoken, and to whom that is trusted.
fn tls(roots: RootCertStore, version: &'static SupportedProtocolVersion) -> Result<ClientConfig, Trouble> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_protocol_versions(&[version]);
    let config = config.map_err(|error| Trouble::new(Kind::Stop, error.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

fn of_system() -> Result<RootCertStore, Trouble> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        let what = "the system has no certificates to trust; install the package `ca-certificates`";
        return Err(Trouble::new(Kind::Stop, what));
    }
    Ok(roots)
}

fn of_file(path: &Path) -> Result<RootCertStore, Trouble> {
    let unusable = |why: String| Trouble::new(Kind::Stop, format!("`ca_file`: `{}` {why}", path.display()));
    let read = read_outside(path, CA_BYTES_MAX);
    let read = read.map_err(|error| unusable(format!("cannot be read: {}", plain(&error))))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&read.bytes) {
        let certificate = certificate.map_err(|_| unusable("has a block that is no PEM".to_owned()))?;
        roots.add(certificate).map_err(|error| unusable(format!("has an unusable certificate: {error}")))?;
    }
    if roots.is_empty() { Err(unusable("has no certificate".to_owned())) } else { Ok(roots) }
}

/// Connects to the first address of a host that answers: one without a route must not hide the next.
fn reach(to: &Address) -> Result<TcpStream, Trouble> {
    let unknown = |why: String| Trouble::new(Kind::Cut, format!("no address for `{}`: {why}", to.host));
    let found = (to.host.as_str(), to.port).to_socket_addrs().map_err(|error| unknown(error.to_string()))?;
    first_that_answers(found).ok_or_else(|| unknown("none is known".to_owned()))?.map_err(|error| trouble(&error))
}

/// Returns a connection to the first address that answers, or why the last one does not; nothing if there is no address.
fn first_that_answers(addresses: impl Iterator<Item = SocketAddr>) -> Option<FtpResult<TcpStream>> {
    let mut last = None;
    for address in addresses {
        match stream(address) {
            Ok(stream) => return Some(Ok(stream)),
            refused => last = Some(refused),
        }
    }
    last
}

fn stream_of_data(address: SocketAddr) -> FtpResult<TcpStream> {
    stream(address)
}

fn stream(address: SocketAddr) -> FtpResult<TcpStream> {
    let connect = || -> io::Result<TcpStream> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(stream)
    };
    connect().map_err(FtpError::ConnectionError)
}

/// Returns what it means that there is no TLS.
fn insecure(host: &str, error: &FtpError) -> Trouble {
    match error {
        FtpError::UnexpectedResponse(response) => {
            let what = format!(
                "the server does not turn to TLS ({response}), and nothing is sent for all to read; ask the market for FTPS \
                 or SFTP"
            );
            Trouble::new(Kind::Stop, what)
        }
        FtpError::SecureError(why) => Trouble::new(Kind::Stop, format!("no TLS with `{host}`: {why}")),
        other => trouble(other),
    }
}

fn login(user: &str, error: &FtpError) -> Trouble {
    match error {
        // What a server says of a login may quote the password.
        FtpError::UnexpectedResponse(response) => {
            let code = code(response);
            if code / 100 == 4 {
                return Trouble::new(Kind::Busy, format!("the server takes no login now ({code})"));
            }
            let what =
                format!("the server refuses the login of `{user}` ({code}); correct the user in `to`, or the secret");
            Trouble::new(Kind::Stop, what)
        }
        other => trouble(other),
    }
}

/// Returns the code of an answer; the library gives 0 for those that it has no word for.
fn code(response: &Response) -> u32 {
    let written = || std::str::from_utf8(response.body.get(..3)?).ok()?.parse().ok();
    match response.status.code() {
        0 => written().unwrap_or(0),
        known => known,
    }
}

/// Returns what an error of the server or of the connection means.
fn trouble(error: &FtpError) -> Trouble {
    match error {
        FtpError::UnexpectedResponse(response) => {
            let said = format!("the server refuses it: {response}");
            let kind = match code(response) {
                452 | 552 => return Trouble::new(Kind::Full, format!("the server has no room: {response}")),
                // 522: the session of the login is too old to be resumed for the data; a new login has a new one.
                421 | 425 | 426 | 522 => Kind::Cut,
                400..=499 => Kind::Busy,
                _ => Kind::Refused,
            };
            Trouble::new(kind, said)
        }
        FtpError::ConnectionError(error) => match certificate(error) {
            Some(why) => Trouble::new(
                Kind::Stop,
                format!("the server's certificate is refused: {why}. Nothing was sent, and no password"),
            ),
            None => Trouble::new(Kind::Cut, format!("the connection was cut: {}", plain(error))),
        },
        FtpError::SecureError(why) => Trouble::new(Kind::Stop, format!("no TLS: {why}")),
        other => Trouble::new(Kind::Cut, format!("the server is not understood: {other}")),
    }
}

/// Returns what is wrong with a certificate, if that is what an error is about.
fn certificate(error: &io::Error) -> Option<String> {
    let rustls::Error::InvalidCertificate(why) = error.get_ref()?.downcast_ref::<rustls::Error>()? else { return None };
    use rustls::CertificateError as E;
    let told = match why {
        E::Expired | E::ExpiredContext { .. } => "it has expired; tell the market",
        E::NotValidYet | E::NotValidYetContext { .. } => "it is not valid yet; is the clock of this machine right?",
        E::NotValidForName | E::NotValidForNameContext { .. } => {
            "it is for another name than the one in `to`; write the name that the market gives"
        }
        E::UnknownIssuer => {
            "nobody vouches for it that this system trusts; if the market has a certificate of its own, name its file with \
             `ca_file`"
        }
        E::Revoked => "it was taken back",
        other => return Some(other.to_string()),
    };
    Some(told.to_owned())
}

impl Server for Ftps {
    fn size(&mut self, name: &str) -> Result<Option<u64>, Trouble> {
        match self.0.size(name) {
            Ok(size) => Ok(Some(size as u64)),
            Err(FtpError::UnexpectedResponse(response)) if response.status == Status::FileUnavailable => Ok(None),
            Err(FtpError::UnexpectedResponse(response)) if matches!(code(&response), 500 | 502 | 504) => {
                let what = format!("the server tells no sizes ({response}), so that nobody can see what arrived");
                Err(Trouble::new(Kind::Stop, what))
            }
            Err(error) => Err(trouble(&error)),
        }
    }

    fn send(&mut self, name: &str, from: u64, bytes: &mut dyn ReadSeek) -> Result<(), Trouble> {
        let offset = usize::try_from(from).map_err(|_| Trouble::new(Kind::Ours, "it is too large for this machine"))?;
        let set = self.0.resume_transfer(offset).and_then(|()| self.0.put_with_stream(name));
        let mut stream = match set {
            // It cannot continue: the file is sent from its start on.
            Err(FtpError::UnexpectedResponse(response)) if from > 0 && matches!(code(&response), 500..=504) => {
                bytes.rewind().map_err(|error| Trouble::new(Kind::Ours, error.to_string()))?;
                self.0.put_with_stream(name).map_err(|error| trouble(&error))?
            }
            other => other.map_err(|error| trouble(&error))?,
        };
        let copied = io::copy(bytes, &mut stream);
        // The server says why it broke off.
        match (stream.finish(), copied) {
            (Err(error @ FtpError::UnexpectedResponse(_)), _) => Err(trouble(&error)),
            (_, Err(error)) => Err(trouble(&FtpError::ConnectionError(error))),
            (finished, Ok(_)) => finished.map_err(|error| trouble(&error)),
        }
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), Trouble> {
        self.0.rename(from, to).map_err(|error| trouble(&error))
    }

    fn remove(&mut self, name: &str) -> Result<(), Trouble> {
        self.0.rm(name).map_err(|error| trouble(&error))
    }

    /// Bytes arrive in their order.
    fn overlap(&self) -> u64 {
        0
    }
}

impl Drop for Ftps {
    fn drop(&mut self) {
        // Nobody waits for a server that is gone.
        let _ = self.0.get_ref().set_read_timeout(Some(PATIENCE / 60));
        let _ = self.0.quit();
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;

    fn said(code: u32, text: &str) -> FtpError {
        FtpError::UnexpectedResponse(Response::new(Status::from(code), format!("{code} {text}").into_bytes()))
    }

    /// A name may have an address of IPv6 first, where this machine has no route.
    #[test]
    fn the_first_address_that_answers_is_taken() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let answers = listener.local_addr().unwrap();
        let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let found = first_that_answers([gone, answers].into_iter()).unwrap().unwrap();
        assert_eq!(found.peer_addr().unwrap(), answers);
        assert!(first_that_answers([gone].into_iter()).unwrap().is_err());
        assert!(first_that_answers([].into_iter()).is_none());
    }

    #[test]
    fn what_a_server_says_of_a_login_is_not_repeated() {
        for (code, kind) in [(530, Kind::Stop), (430, Kind::Busy), (331, Kind::Stop)] {
            let told = login("me", &said(code, "PASS hunter2 is wrong"));
            assert_eq!(told.kind, kind, "{code}");
            assert!(told.what.contains(&code.to_string()) && !told.what.contains("hunter2"), "{told}");
        }
    }

    #[test]
    fn what_follows_from_an_answer() {
        let rows = [
            (421, Kind::Cut),
            (425, Kind::Cut),
            (450, Kind::Busy),
            (452, Kind::Full),
            (552, Kind::Full),
            (522, Kind::Cut),
            (550, Kind::Refused),
        ];
        for (code, kind) in rows {
            assert_eq!(trouble(&said(code, "no")).kind, kind, "{code}");
        }
    }
}
