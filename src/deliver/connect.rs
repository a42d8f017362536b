use super::after::Kind;
use super::ftps::Ftps;
use super::server::{Server, Trouble};
use super::sftp::Sftp;
use crate::config::{Delivery, Protocol};

/// Connects to the server of a market and logs in.
pub(super) fn connect(delivery: &Delivery, secret: &str) -> Result<Box<dyn Server>, Trouble> {
    let connected = match delivery.to.protocol {
        Protocol::Sftp => Sftp::connect(delivery, secret).map(|server| Box::new(server) as Box<dyn Server>),
        Protocol::Ftps => Ftps::connect(delivery, secret).map(|server| Box::new(server) as Box<dyn Server>),
    };
    connected.map_err(|Trouble { kind, what }| {
        // Who refuses a connection refuses no single file: the next one would be refused as well.
        Trouble::new(if kind == Kind::Refused { Kind::Stop } else { kind }, what)
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::TcpListener;

    use super::*;

    /// Each file of the market made a login of its own, and was refused by itself.
    #[test]
    fn a_server_that_refuses_the_connection_ends_the_run_for_its_market() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = format!("ftps://me@127.0.0.1:{}/", listener.local_addr().unwrap().port()).parse().unwrap();
        let ca_file = None;
        let delivery = Delivery { to, host_keys: Vec::new(), ca_file, secret_file: None, per_host: 1 };
        let server = std::thread::spawn(move || listener.accept().unwrap().0.write_all(b"530 too many of you\r\n"));
        let trouble = connect(&delivery, "hunter2").err().unwrap();
        server.join().unwrap().unwrap();
        assert_eq!(trouble.kind, Kind::Stop);
        assert!(trouble.what.contains("too many of you"), "{trouble}");
    }
}
