use super::contents::Contents;
use crate::market::Accepts;
use crate::model::{ContentHash, RelPath, counted};

/// What is told of a bundle of which the record was lost, or is of an older backup.
pub(super) const FORGOTTEN: &str = "its CHECKLIST.md says that `stockmill deliver` sent files of it, and the record knows of \
    none, as if it was lost: look in the portal; then say `stockmill deliver --taken FILE …` of all files that are there at \
    once, and the rest goes; if none is there, take that line out of the list";

/// Returns what is told of a file that does not have the bytes that stockmill left, or of which nobody can tell: what other
/// programs write into it, private words and places, would go to the market unseen.
pub(super) fn changed(path: &RelPath, is: &ContentHash, left: Option<&ContentHash>) -> Option<String> {
    let what = match left {
        Some(left) if left == is => return None,
        Some(_) => "its bytes are not those that stockmill bundled: another program saved it since",
        None => "its sidecar does not say (under `file.hash`) which bytes stockmill bundled",
    };
    Some(format!(
        "{what}, and nobody looked at what it carries now; put the file back as it was, `stockmill undo` it, and change it in \
         `export`; or upload it by hand and say `stockmill deliver --taken {path}`"
    ))
}

/// Returns what is told of a model that is no whole one without its parts: where these belong on a server nobody knows.
pub(super) fn with_parts(path: &RelPath, parts: &RelPath) -> String {
    format!(
        "it has parts in `{parts}`, and no parts are sent: upload it with them by hand and say `stockmill deliver --taken {path}`"
    )
}

/// Returns what is told of a file of which nobody can say that its market would take it today.
pub(super) fn against(path: &RelPath, why: &str) -> String {
    format!(
        "{why}; mend that, or take it out of the bundle; if the market is to have it all the same, upload it by hand and say \
         `stockmill deliver --taken {path}`"
    )
}

/// Returns what is told of rows that were changed after they were delivered.
pub(super) fn rows_changed(path: &RelPath, names: &str) -> String {
    format!(
        "texts were changed after their rows were delivered, and nothing goes to a market twice: if the market is to have the new \
         ones, change them in the portal; in any case say `stockmill deliver --taken {path}`. It concerns {names}"
    )
}

/// Returns what a person still has to do for a bundle of which all files are delivered.
pub(super) fn rest(csv: Accepts, bundle: &RelPath, found: &Contents) -> String {
    let names: Vec<String> = found.csv.iter().map(|item| item.path.file_text()).collect();
    let names = names.join(", ");
    let csv = match csv {
        Accepts::Yes => format!("{names} is delivered, too"),
        Accepts::No => format!("upload {names} in the market's portal, which takes it nowhere else"),
        Accepts::Unknown => format!(
            "upload {names} in the market's portal: nobody has established whether it may be delivered (`delivery.csv` of \
             the market's profile)"
        ),
    };
    let files = counted(found.files.len(), "file");
    format!("{bundle}: all delivered ({files}); {csv}. Then go on with its CHECKLIST.md, and mark the bundle as sent")
}
