use crate::model::counted;

/// What is on record of a content on its way to a market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing, or that the server refused it.
    New,
    /// It was cut or refused under its own name, so that a part of it may lie there.
    Cut,
    /// Its own name was about to appear.
    Begun,
}

/// How files get their names on a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// A file is sent under a temporary name and renamed when it is whole.
    Renamed,
    /// The server refuses to rename: a file is sent under its own name.
    Direct,
}

/// What the server shows and the record says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) known: Known,
    pub(super) naming: Naming,
    /// The bytes that the file has here.
    pub(super) bytes: u64,
    /// Those that lie there under its own name.
    pub(super) there: Option<u64>,
    /// Those that lie there under its temporary name.
    pub(super) partly: Option<u64>,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// The market has it.
    Done,
    /// All of it lies there under its temporary name: give it its own.
    Rename,
    /// Send the bytes from this one on.
    Send(u64),
    /// A person has to look.
    Hold(String),
}

/// What is told of a file that is perhaps there.
pub(super) const IN_DOUBT: &str = "nobody can tell whether the market has it: the connection or this program ended just \
    as it got its name, and the server does not show it now, as servers do that take files away at once. Look in the \
    portal; then say `stockmill deliver --taken FILE`, or `stockmill deliver --send-again FILE`";

/// What is told of a file of which nothing is on record, where one of its name and size lies on the server.
const NOT_KNOWN: &str = "a file of that name and size lies on the server, and nobody can tell whether it is this one: if it \
    is, say `stockmill deliver --taken FILE`; else take it away there";

/// Decides what to do next for one file.
pub(super) fn next(facts: &Facts) -> Next {
    let Facts { known, naming, bytes, there, partly } = *facts;
    match (there, known, naming) {
        // Two mills, or two days, may have files of the same name and size. What lies there besides its temporary file was not
        // made of it; and of what was cut or refused not all bytes were sent under that name.
        (Some(there), Known::Begun, _) if there == bytes && partly.is_none() => Next::Done,
        (Some(there), _, _) if there == bytes => Next::Hold(NOT_KNOWN.to_owned()),
        // Its name is in the temporary one, with its hash: what lies there is the beginning of it.
        (None, _, Naming::Renamed) if partly == Some(bytes) => Next::Rename,
        (None, Known::Begun, _) => Next::Hold(IN_DOUBT.to_owned()),
        (None, _, Naming::Renamed) => Next::Send(partly.filter(|partly| *partly < bytes).unwrap_or(0)),
        (None, _, Naming::Direct) => Next::Send(0),
        (Some(there), Known::Cut | Known::Begun, Naming::Direct) if there < bytes => Next::Send(there),
        (Some(there), _, _) => Next::Hold(format!(
            "another file of that name lies on the server, with {} instead of {bytes}; take it away there, or upload this \
             one by hand and say `stockmill deliver --taken FILE`",
            counted(usize::try_from(there).unwrap_or(usize::MAX), "byte"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_from_the_record_and_the_server() {
        use Known::{Begun, Cut, New};
        use Naming::{Direct, Renamed};
        let hold = |part: &str| Err(part.to_owned());
        // The record, the naming, what lies under the own name and the temporary one of 10 bytes, and what follows.
        let rows = [
            (New, Renamed, None, None, Ok(Next::Send(0))),
            (New, Renamed, None, Some(4), Ok(Next::Send(4))),
            (New, Renamed, None, Some(10), Ok(Next::Rename)),
            // It cannot be a beginning of it.
            (New, Renamed, None, Some(11), Ok(Next::Send(0))),
            (New, Renamed, Some(10), None, hold("nobody can tell whether it is this one")),
            (New, Renamed, Some(10), Some(10), hold("nobody can tell whether it is this one")),
            (New, Renamed, Some(4), None, hold("with 4 bytes instead of 10")),
            (New, Renamed, Some(4), Some(10), hold("another file")),
            // Killed, or cut off, in the middle of the renaming.
            (Begun, Renamed, None, Some(10), Ok(Next::Rename)),
            (Begun, Renamed, Some(10), None, Ok(Next::Done)),
            (Begun, Renamed, None, None, hold("nobody can tell whether the market has it")),
            // Somebody took the name before it was renamed.
            (Begun, Renamed, Some(10), Some(10), hold("nobody can tell whether it is this one")),
            (Cut, Renamed, Some(10), Some(10), hold("nobody can tell whether it is this one")),
            (Cut, Renamed, Some(10), None, hold("nobody can tell whether it is this one")),
            (Begun, Renamed, Some(4), None, hold("another file")),
            (Cut, Renamed, None, None, Ok(Next::Send(0))),
            (New, Direct, None, None, Ok(Next::Send(0))),
            (New, Direct, None, Some(4), Ok(Next::Send(0))),
            (New, Direct, Some(10), None, hold("nobody can tell whether it is this one")),
            (New, Direct, Some(4), None, hold("another file")),
            (Cut, Direct, Some(4), None, Ok(Next::Send(4))),
            (Cut, Direct, Some(11), None, hold("another file")),
            (Cut, Direct, Some(10), None, hold("nobody can tell whether it is this one")),
            (Cut, Direct, None, None, Ok(Next::Send(0))),
            (Begun, Direct, Some(4), None, Ok(Next::Send(4))),
            (Begun, Direct, Some(10), None, Ok(Next::Done)),
            (Begun, Direct, None, None, hold("nobody can tell")),
            // An empty folder says nothing of a file that a server took away at once.
            (Begun, Direct, None, Some(10), hold("nobody can tell")),
        ];
        for (known, naming, there, partly, expected) in rows {
            let facts = Facts { known, naming, bytes: 10, there, partly };
            match (next(&facts), expected) {
                (Next::Hold(said), Err(part)) => assert!(said.contains(&part), "{facts:?}: {said}"),
                (next, Ok(expected)) => assert_eq!(next, expected, "{facts:?}"),
                (next, Err(_)) => panic!("{facts:?}: {next:?}"),
            }
        }
    }
}
