use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::sync::Arc;

use suppaftp::rustls::crypto::ring;
use suppaftp::rustls::pki_types::CertificateDer;
use suppaftp::rustls::pki_types::pem::PemObject as _;
use suppaftp::rustls::{self, ClientConfig, RootCertStore};
use suppaftp::types::FileType;
use suppaftp::{FtpError, FtpResult, Mode, RustlsConnector, RustlsFtpStream, Status};

use super::after::Kind;
use super::server::{PATIENCE, Server, Trouble};
use crate::config::{Address, Delivery};
use crate::vault::{ReadSeek, plain, read_outside};

/// The largest file of certificates.
const CA_BYTES_MAX: u64 = 4 << 20;

/// A connection by FTP over TLS.
pub(super) struct Ftps(RustlsFtpStream);

impl Ftps {
    /// Connects, turns to TLS, checks the certificate, logs in, and goes into the folder.
    pub(super) fn connect(delivery: &Delivery, secret: &str) -> Result<Self, Trouble> {
        let Address { host, user, folder, .. } = &delivery.to;
        let tls = Arc::new(tls(delivery.ca_file.as_deref())?);
        let address = resolve(&delivery.to)?;
        let stream = stream(address).map_err(|error| trouble(&error))?;
        let ftp = RustlsFtpStream::connect_with_stream(stream).map_err(|error| trouble(&error))?;
        // A server that has no TLS is refused before the login.
        let mut ftp = ftp.into_secure(RustlsConnector::from(tls), host).map_err(|error| insecure(host, &error))?;
        // Where the server names another address for the data, it is behind a router, or means no good.
        ftp.set_passive_nat_workaround(true);
        ftp.set_mode(if address.is_ipv6() { Mode::ExtendedPassive } else { Mode::Passive });
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

/// Returns what is trusted: the certificates of a file, or those of the system.
fn tls(ca_file: Option<&Path>) -> Result<ClientConfig, Trouble> {
    let roots = ca_file.map_or_else(of_system, of_file)?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions();
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

fn resolve(to: &Address) -> Result<SocketAddr, Trouble> {
    let unknown = |why: String| Trouble::new(Kind::Cut, format!("no address for `{}`: {why}", to.host));
    let mut found = (to.host.as_str(), to.port).to_socket_addrs().map_err(|error| unknown(error.to_string()))?;
    found.next().ok_or_else(|| unknown("none is known".to_owned()))
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
        FtpError::UnexpectedResponse(response) if response.status.code() / 100 == 5 => {
            let what = format!(
                "the server refuses the login of `{user}` ({}); correct the user in `to`, or the secret",
                response.status.code()
            );
            Trouble::new(Kind::Stop, what)
        }
        other => trouble(other),
    }
}

/// Returns what an error of the server or of the connection means.
fn trouble(error: &FtpError) -> Trouble {
    match error {
        FtpError::UnexpectedResponse(response) => {
            let said = format!("the server refuses it: {response}");
            let kind = match response.status.code() {
                452 | 552 => return Trouble::new(Kind::Full, format!("the server has no room: {response}")),
                421 | 425 | 426 => Kind::Cut,
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
            Err(FtpError::UnexpectedResponse(response)) if matches!(response.status.code(), 500 | 502 | 504) => {
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
            Err(FtpError::UnexpectedResponse(response)) if from > 0 && matches!(response.status.code(), 500..=504) => {
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
