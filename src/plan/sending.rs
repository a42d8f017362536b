use super::{Plan, Product, Recipe};
use crate::model::{RelPath, Stage, counted, escape_bytes};
use crate::records::{About, Dealing, PublishMode, Sending};

/// The name of the empty file by which a bundle is marked as sent.
pub const SENT_MARK: &str = "SENT";

/// Plans to record that a bundle was sent, which a person showed by a mark or by moving it; its manifest has rows of the
/// files `missing`, which do not lie in it.
pub fn plan_sent(sending: Sending, missing: &[String]) -> Plan {
    let files = counted(sending.files.len(), "file");
    let did = format!("recorded that {files} went to {}{}", sending.market, told_missing(missing));
    let about = About { from: Some(sending.bundle.clone()), ..About::new(Stage::Upload, did) };
    Plan::new(About { dealing: Some(Dealing::Sent(sending)), ..about })
}

/// Plans to record when it was, after a clock that was wrong: what is on record for a time that was not had happened by then.
pub fn plan_clock_back() -> Plan {
    let did = "recorded that the clock was wrong before: what it recorded as sent then was sent by now";
    Plan::new(About::new(Stage::Upload, did))
}

/// Plans to mark a bundle that lies at `place` as sent, and to record it: both or none.
pub fn plan_mark_sent(sending: Sending, place: &RelPath) -> Plan {
    let mark = Product { to: place.join(SENT_MARK), recipe: Recipe::Bytes(Vec::new()), mode: PublishMode::New };
    Plan { products: vec![mark], ..plan_sent(sending, &[]) }
}

/// Returns what is told of rows that a manifest has of files which were not there; they are on record as sent nowhere.
pub fn told_missing(missing: &[String]) -> String {
    let Some(first) = missing.first() else { return String::new() };
    let rows = counted(missing.len(), "row");
    format!(
        "; its CSV has {rows} without a file, the first is `{}`: that is not recorded",
        escape_bytes(first.as_bytes())
    )
}

/// Plans to record that a bundle was not sent after all: a person took the mark away, or moved the bundle back.
pub fn plan_not_sent(bundle: &RelPath) -> Plan {
    let did = "recorded that it was not sent after all: its mark is gone, and it is open again";
    let about = About { from: Some(bundle.clone()), ..About::new(Stage::Upload, did) };
    Plan::new(About { dealing: Some(Dealing::NotSent(bundle.clone())), ..about })
}
