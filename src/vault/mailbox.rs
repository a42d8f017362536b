//! The folder through which commands reach whoever holds the lock. What lies there is whole, or not there.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::sync::Arc;

use super::areas::Layout;
use super::disk::{Disk, DiskResult, Look};
use super::folders::ensure_folder;
use super::no_replace::place;
use super::own_names::requests_folder;
use super::real::RealDisk;
use super::volume::Vault;
use crate::model::RelPath;
use crate::records::{Answer, RecordError, Request};

/// How the names of answers begin.
const ANSWER: &str = "answer-";
/// A larger request is refused; a market's list of a hundred thousand files has 16 MiB.
const REQUEST_BYTES_MAX: u64 = 32 << 20;
/// A larger answer is not read; one line for each of a hundred thousand assets has 20 MiB.
const ANSWER_BYTES_MAX: u64 = 64 << 20;
/// So many answers may lie there for which nobody came.
const ANSWERS_MAX: usize = 16;

/// The folder of requests, and the right to change what lies in it.
#[derive(Debug, Clone)]
pub struct Mailbox(Arc<dyn Disk>);

impl Mailbox {
    /// Opens the mailbox for a command, whether or not a daemon works on the root.
    pub fn beside_daemon(layout: Layout) -> Self {
        Self(Arc::new(RealDisk::open_beside_daemon(layout)))
    }

    /// Returns the files of one kind, by name: those whose names begin with it.
    pub fn list(disk: &dyn Look, kind: &str) -> DiskResult<BTreeSet<RelPath>> {
        let listed = disk.list(&requests_folder())?.into_iter();
        let names = listed.filter(|(name, _)| name.as_encoded_bytes().starts_with(kind.as_bytes()));
        Ok(names.map(|(name, _)| requests_folder().join(name)).collect())
    }

    /// Returns the disk to look at what lies there.
    pub fn disk(&self) -> &dyn Look {
        &*self.0
    }

    /// Leaves a new file, durably; its name must be free.
    pub fn leave(&self, name: &str, bytes: &[u8]) -> DiskResult<RelPath> {
        let disk = &*self.0;
        ensure_folder(disk, &requests_folder())?;
        let path = requests_folder().join(name);
        place(disk, &self.draft(name, bytes)?, &path)?;
        disk.sync_folder(&requests_folder())?;
        Ok(path)
    }

    /// Puts a new version in the place of a file, durably.
    pub fn rewrite(&self, path: &RelPath, bytes: &[u8]) -> DiskResult<()> {
        self.0.replace(&self.draft(&path.file_text(), bytes)?, path)?;
        self.0.sync_folder(&requests_folder())
    }

    /// Removes a file, durably.
    pub fn remove(&self, path: &RelPath) -> DiskResult<()> {
        self.0.remove(path)?;
        self.0.sync_folder(&requests_folder())
    }

    /// Writes a file under a name that nobody reads, durably.
    fn draft(&self, name: &str, bytes: &[u8]) -> DiskResult<RelPath> {
        let draft = requests_folder().join(format!(".{name}"));
        if self.0.stat(&draft)?.is_some() {
            self.0.remove(&draft)?;
        }
        self.0.write_new(&draft, bytes)?;
        self.0.sync_file(&draft)?;
        Ok(draft)
    }
}

fn number_of(path: &RelPath) -> Option<i128> {
    path.file_name().to_str()?.rsplit_once('-')?.1.strip_suffix(".json")?.parse().ok()
}

/// Returns where the answer to a request is left.
fn answer_path(request: &RelPath) -> RelPath {
    request.sibling(format!("{ANSWER}{}", request.file_text()))
}

/// A request that lies in the mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedRequest {
    path: RelPath,
    /// What is asked, or why nobody can read it.
    pub request: Result<Request, String>,
}

impl QueuedRequest {
    /// Returns a request as if it lay there, for tests.
    #[cfg(test)]
    pub(crate) fn of(request: Request) -> Self {
        let name = format!("{}-{}.json", request.action.kind(), request.at.as_nanosecond());
        Self { path: requests_folder().join(name), request: Ok(request) }
    }

    /// Returns the file in which it lies.
    pub fn path(&self) -> &RelPath {
        &self.path
    }

    /// Returns the name of its kind.
    pub fn kind(&self) -> &str {
        let name = self.path.file_name().to_str().unwrap_or_default();
        name.split_once('-').map_or(name, |(kind, _)| kind)
    }

    /// Returns when it was left, by the number in its name.
    fn number(&self) -> Option<i128> {
        number_of(&self.path)
    }
}

/// Requests and their answers.
impl Mailbox {
    /// Leaves a request.
    pub fn ask(&self, request: &Request) -> DiskResult<QueuedRequest> {
        let mut number = request.at.as_nanosecond();
        loop {
            match self.leave(&format!("{}-{number}.json", request.action.kind()), &request.to_bytes()) {
                Ok(path) => return Ok(QueuedRequest { path, request: Ok(request.clone()) }),
                // Somebody asked in the very same moment.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Returns the requests that lie there, oldest first. One that the disk does not give now is told another time.
    pub fn requests(disk: &dyn Look) -> DiskResult<Vec<QueuedRequest>> {
        let mut found = Vec::new();
        for kind in Request::KINDS {
            for path in Self::list(disk, &format!("{kind}-"))? {
                let Ok(bytes) = disk.read(&path, REQUEST_BYTES_MAX) else { continue };
                found.push(QueuedRequest { path, request: Request::parse(&bytes).map_err(|error| error.to_string()) });
            }
        }
        found.sort_by_key(QueuedRequest::number);
        Ok(found)
    }

    /// Takes a request out, durably: it is carried out once. Returns whether it still lay there.
    pub fn take(&self, posted: &QueuedRequest) -> DiskResult<bool> {
        match self.remove(&posted.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            removed => removed.map(|()| true),
        }
    }

    /// Answers the request that lies, or lay, in a file.
    pub fn answer(&self, request: &RelPath, answer: &Answer) -> DiskResult<()> {
        self.forget_answers();
        let path = answer_path(request);
        if self.0.stat(&path)?.is_some() {
            // It was answered before, and nobody came for that.
            return self.rewrite(&path, &answer.to_bytes());
        }
        self.leave(&path.file_text(), &answer.to_bytes()).map(drop)
    }

    /// Returns the answer to a request, if it came, and takes it out.
    pub fn read_answer(&self, request: &RelPath) -> Option<Result<Answer, RecordError>> {
        let path = answer_path(request);
        let answer = Answer::parse(&self.0.read(&path, ANSWER_BYTES_MAX).ok()?);
        let _ = self.remove(&path);
        Some(answer)
    }

    /// Removes the oldest answers for which nobody came.
    fn forget_answers(&self) {
        let mut answers: Vec<RelPath> = Self::list(self.disk(), ANSWER).unwrap_or_default().into_iter().collect();
        answers.sort_by_key(number_of);
        let over = answers.len().saturating_sub(ANSWERS_MAX);
        answers[..over].iter().for_each(|answer| drop(self.0.remove(answer)));
    }
}

impl Vault {
    /// Returns the mailbox of the root.
    pub fn mailbox(&self) -> Mailbox {
        Mailbox(self.disk_to_share())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::records::{Action, RetryWhat, UndoWhat};

    #[test]
    fn requests_are_taken_once_in_their_order_and_answered() {
        let root = tempfile::tempdir().unwrap();
        let layout = Layout { root: root.path().to_owned(), areas: BTreeMap::new() };
        let mailbox = Mailbox(Arc::new(RealDisk::open(layout.clone()).unwrap()));
        let command = Mailbox::beside_daemon(layout);
        let ask = |at: &str, action: Action| command.ask(&Request::new(action, at.parse().unwrap())).unwrap();
        // Two in the very same moment, and one that is older although its number has fewer digits.
        let second = ask("2026-11-28T10:00:00Z", Action::Undo(UndoWhat::Last));
        let asset = UndoWhat::Asset(RelPath::new("keep/t/a.png").unwrap());
        let third = ask("2026-11-28T10:00:00Z", Action::Undo(asset));
        let first = ask("1999-11-28T10:00:00Z", Action::Retry(RetryWhat::All));
        mailbox.leave("undo-5.json", br#"{"what":"last","at":"2026-11-28T10:00:00Z"}"#).unwrap();

        let found = Mailbox::requests(mailbox.disk()).unwrap();
        assert!(found[0].request.is_err(), "what nobody can read is told");
        assert_eq!(found[1..], [first.clone(), second.clone(), third.clone()]);
        assert_eq!((first.kind(), second.kind()), ("retry", "undo"));
        let path = first.path();
        assert_eq!(command.read_answer(path), None);
        assert!(mailbox.take(&first).unwrap() && !command.take(&first).unwrap());
        mailbox.answer(path, &Answer::refused("later")).unwrap();
        mailbox.answer(path, &Answer::refused("no")).unwrap();
        assert_eq!(command.read_answer(path), Some(Ok(Answer::refused("no"))));
        assert_eq!(command.read_answer(path), None);
        assert!(command.take(&second).unwrap(), "it was withdrawn");
        assert_eq!(Mailbox::requests(mailbox.disk()).unwrap().len(), 2);
    }

    #[test]
    fn answers_for_which_nobody_came_go_at_last() {
        let root = tempfile::tempdir().unwrap();
        let layout = Layout { root: root.path().to_owned(), areas: BTreeMap::new() };
        let mailbox = Mailbox(Arc::new(RealDisk::open(layout).unwrap()));
        let posted: Vec<QueuedRequest> = (0..20)
            .map(|second| {
                let at = jiff::Timestamp::from_second(second).unwrap();
                let posted = mailbox.ask(&Request::new(Action::Undo(UndoWhat::Last), at)).unwrap();
                mailbox.answer(posted.path(), &Answer::refused("no")).unwrap();
                posted
            })
            .collect();
        let left = posted.iter().filter(|posted| mailbox.read_answer(posted.path()).is_some()).count();
        assert_eq!(left, ANSWERS_MAX + 1);
        assert!(mailbox.read_answer(posted[0].path()).is_none());
    }
}
