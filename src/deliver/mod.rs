//! Delivery: sends the files of finished bundles to their markets, by SFTP or FTPS, in a process of its own: the daemon
//! needs no network. Deciding (`next.rs`, `after.rs`) is pure. It never changes a bundle, and what it remembers is written
//! by the vault.

mod after;
mod answer;
mod connect;
mod contents;
mod ftps;
mod next;
mod one;
mod record;
mod rows;
mod run;
mod secret;
mod server;
mod sftp;
mod told;

pub use answer::{Settled, settle};
pub use run::{Due, Order, Summary, deliver};
