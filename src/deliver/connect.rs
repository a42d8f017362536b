use super::ftps::Ftps;
use super::server::{Server, Trouble};
use super::sftp::Sftp;
use crate::config::{Delivery, Protocol};

/// Connects to the server of a market and logs in.
pub(super) fn connect(delivery: &Delivery, secret: &str) -> Result<Box<dyn Server>, Trouble> {
    match delivery.to.protocol {
        Protocol::Sftp => Ok(Box::new(Sftp::connect(delivery, secret)?)),
        Protocol::Ftps => Ok(Box::new(Ftps::connect(delivery, secret)?)),
    }
}
