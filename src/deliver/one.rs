use std::io::{self, Cursor, Read, Seek, SeekFrom};

use super::after::Kind;
use super::next::{Facts, IN_DOUBT, Naming, Next, next};
use super::record::{Parcel, Record};
use super::server::{Server, Trouble};
use crate::model::ContentHash;
use crate::records::DeliveryStep;
use crate::vault::ReadSeek;

/// A file that needs more steps than these goes in a circle.
const STEPS_MAX: usize = 8;
/// What does not arrive whole is sent once more, and no more in one run.
const SENT_MAX: u32 = 2;

/// How the delivery of a file ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The market has it.
    Delivered,
    /// A person has to look.
    Held(String),
}

/// Delivers one file. `furthest` is how many bytes of it lay on the server, over all attempts.
pub(super) fn deliver_one(
    server: &mut dyn Server,
    to: &str,
    parcel: &Parcel,
    record: &Record<'_>,
    furthest: &mut u64,
) -> Result<Outcome, Trouble> {
    let name = parcel.name();
    let temporary = temporary(&name, parcel, &parcel.hash, parcel.item.seen.modified_ns);
    remove_stale(server, parcel, record, [&temporary, &name])?;
    let mut sent = 0;
    for _ in 0..STEPS_MAX {
        let naming = record.naming(to);
        let mut partly = server.size(&temporary)?;
        if naming == Naming::Direct && partly.take().is_some() {
            // Another connection found meanwhile that the server does not rename.
            server.remove(&temporary)?;
            sent = 0;
        }
        let there = server.size(&name)?;
        *furthest = (*furthest).max(partly.or(there).unwrap_or(0));
        let facts = Facts { known: record.known(parcel), naming, bytes: parcel.bytes(), there, partly };
        match next(&facts) {
            // All of it was handed over.
            Next::Send(_) if sent > 0 && partly.is_none() && there.is_none() => {
                record.step(parcel, DeliveryStep::Begun)?;
                return Ok(Outcome::Held(IN_DOUBT.to_owned()));
            }
            Next::Send(_) if sent == SENT_MAX => {
                let shown = partly.or(there).unwrap_or(0);
                let why = format!("it was sent {sent} times, and {shown} of its {} bytes lie there", facts.bytes);
                return Err(Trouble::new(Kind::Refused, why));
            }
            Next::Done => return delivered(parcel, record),
            Next::Hold(why) => return Ok(Outcome::Held(why)),
            Next::Rename => {
                if rename(server, to, parcel, record, [&temporary, &name])? {
                    return delivered(parcel, record);
                }
                sent = 0;
            }
            Next::Send(from) if naming == Naming::Renamed => {
                record.sending(parcel)?;
                send(server, parcel, record, &temporary, from)?;
                sent += 1;
            }
            Next::Send(from) => {
                sent += 1;
                if send_directly(server, parcel, record, &name, from)? {
                    return delivered(parcel, record);
                }
            }
        }
    }
    Err(Trouble::new(Kind::Refused, "its size on the server is another one each time"))
}

/// Returns the name under which a file is sent: another one whenever the file was written, since of one that was written
/// while it was sent, and then put back, other bytes may lie there.
fn temporary(name: &str, parcel: &Parcel, hash: &ContentHash, written_ns: i64) -> String {
    let written = parcel.instead.is_none().then_some(written_ns);
    let digest = ContentHash::of(format!("{hash} {written:?}").as_bytes()).short();
    format!("{name}.{digest}.part")
}

/// Takes away what was sent in parts of a file that has other bytes by now: nobody would continue it, and it would lie there
/// for ever. A server that keeps it gets the file all the same.
fn remove_stale(
    server: &mut dyn Server,
    parcel: &Parcel,
    record: &Record<'_>,
    [current, name]: [&str; 2],
) -> Result<(), Trouble> {
    let parts = record.parts(parcel);
    for stale in parts.iter().map(|(hash, written)| temporary(name, parcel, hash, *written)) {
        if stale != current && server.size(&stale)?.is_some() {
            match server.remove(&stale) {
                Err(trouble) if trouble.kind != Kind::Refused => return Err(trouble),
                _ => (),
            }
        }
    }
    Ok(())
}

fn delivered(parcel: &Parcel, record: &Record<'_>) -> Result<Outcome, Trouble> {
    record.step(parcel, DeliveryStep::Delivered).map(|()| Outcome::Delivered)
}

/// Gives a whole file its own name; returns whether the server did. One that refuses is remembered.
fn rename(
    server: &mut dyn Server,
    to: &str,
    parcel: &Parcel,
    record: &Record<'_>,
    [temporary, name]: [&str; 2],
) -> Result<bool, Trouble> {
    record.step(parcel, DeliveryStep::Begun)?;
    match server.rename(temporary, name) {
        Ok(()) if server.size(temporary)?.is_some() => {
            record.step(parcel, DeliveryStep::Undone)?;
            Err(Trouble::new(Kind::Refused, "the server says that it renamed it, and did not"))
        }
        Ok(()) => Ok(true),
        Err(Trouble { kind: Kind::Refused, .. }) => {
            record.step(parcel, DeliveryStep::Undone)?;
            if server.size(name)?.is_some() {
                // Another one took the name meanwhile: that says nothing of this server.
                return Ok(false);
            }
            record.no_rename(to)?;
            server.remove(temporary)?;
            Ok(false)
        }
        Err(trouble) => Err(trouble),
    }
}

/// Sends a file under its own name; returns whether the market has it. A server may take it away as soon as it is whole.
fn send_directly(
    server: &mut dyn Server,
    parcel: &Parcel,
    record: &Record<'_>,
    name: &str,
    from: u64,
) -> Result<bool, Trouble> {
    record.step(parcel, DeliveryStep::Begun)?;
    let mut source = open(parcel, record)?;
    let from = from.saturating_sub(server.overlap());
    if let Err(trouble) = push(server, name, from, &mut source) {
        // Nobody has a file of which not all bytes were handed over.
        let is_cut = source.read_to < parcel.bytes();
        if is_cut || !matches!(trouble.kind, Kind::Cut) {
            record.step(parcel, DeliveryStep::Undone)?;
        }
        return Err(trouble);
    }
    unless_changed(server, parcel, record, name)?;
    let there = server.size(name)?;
    let is_whole = there.is_none_or(|there| there == parcel.bytes());
    if !is_whole {
        record.step(parcel, DeliveryStep::Undone)?;
    }
    Ok(is_whole)
}

/// Sends a file under its temporary name, which nobody takes for the file.
fn send(
    server: &mut dyn Server,
    parcel: &Parcel,
    record: &Record<'_>,
    temporary: &str,
    from: u64,
) -> Result<(), Trouble> {
    let from = from.saturating_sub(server.overlap());
    push(server, temporary, from, &mut open(parcel, record)?)?;
    unless_changed(server, parcel, record, temporary)
}

/// Takes away what was sent of a file that somebody wrote into meanwhile: nobody knows which bytes these are.
fn unless_changed(server: &mut dyn Server, parcel: &Parcel, record: &Record<'_>, name: &str) -> Result<(), Trouble> {
    if parcel.instead.is_none() && !parcel.item.is_as_seen(record.disk()) {
        // Under its own name it would else count as delivered once it lies there whole.
        record.step(parcel, DeliveryStep::Undone)?;
        server.remove(name)?;
        return Err(Trouble::new(Kind::Ours, "it was changed, or taken away, while it was sent"));
    }
    Ok(())
}

fn push(server: &mut dyn Server, name: &str, from: u64, source: &mut Source) -> Result<(), Trouble> {
    let sent =
        source.seek(SeekFrom::Start(from)).map_err(|error| ours(&error)).and_then(|_| server.send(name, from, source));
    if let Some(error) = source.failed.take() {
        return Err(ours(&error));
    }
    let Err(trouble) = sent else { return Ok(()) };
    let kind = if trouble.kind == Kind::Refused { Kind::NotTaken } else { trouble.kind };
    if matches!(kind, Kind::NotTaken | Kind::Full) && server.size(name) == Ok(Some(0)) {
        // Nothing of it is there but the name. If it cannot go, the next run sends into it.
        let _ = server.remove(name);
    }
    Err(Trouble { kind, ..trouble })
}

fn ours(error: &io::Error) -> Trouble {
    Trouble::new(Kind::Ours, format!("it cannot be read here: {}", crate::vault::plain(error)))
}

fn open(parcel: &Parcel, record: &Record<'_>) -> Result<Source, Trouble> {
    let file = match &parcel.instead {
        Some(instead) => Ok(Box::new(Cursor::new(instead.new.manifest.clone())) as Box<dyn ReadSeek>),
        None => record.disk().open_as(&parcel.item.path, parcel.item.seen),
    };
    let file = file.map_err(|error| Trouble::new(Kind::Ours, error.to_string()))?;
    Ok(Source { file, read_to: 0, failed: None })
}

/// A file that is sent: it knows how far it was read, and an error of our own disk from one of the connection.
struct Source {
    file: Box<dyn ReadSeek>,
    read_to: u64,
    failed: Option<io::Error>,
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.file.read(buffer) {
            Ok(read) => {
                self.read_to += read as u64;
                Ok(read)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let told = io::Error::new(error.kind(), "our own disk refuses");
                self.failed = Some(error);
                Err(told)
            }
        }
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.read_to = self.file.seek(to)?;
        Ok(self.read_to)
    }
}

#[cfg(test)]
mod tests;
