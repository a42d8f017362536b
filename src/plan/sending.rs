use super::{Plan, Product, Recipe};
use crate::model::{RelPath, Stage, counted};
use crate::records::{About, Dealing, PublishMode, Sending};

/// The name of the empty file by which a bundle is marked as sent.
pub const SENT_MARK: &str = "SENT";

/// Plans to record that a bundle was sent, which a person showed by a mark or by moving it.
pub fn plan_sent(sending: Sending) -> Plan {
    let files = counted(sending.files.len(), "file");
    let did = format!("recorded that {files} went to {}", sending.market);
    let about = About { from: Some(sending.bundle.clone()), ..About::new(Stage::Upload, did) };
    Plan::new(About { dealing: Some(Dealing::Sent(sending)), ..about })
}

/// Plans to mark a bundle that lies at `place` as sent, and to record it: both or none.
pub fn plan_mark_sent(sending: Sending, place: &RelPath) -> Plan {
    let mark = Product { to: place.join(SENT_MARK), recipe: Recipe::Bytes(Vec::new()), mode: PublishMode::New };
    Plan { products: vec![mark], ..plan_sent(sending) }
}

/// Plans to record that a bundle was not sent after all: a person took the mark away, or moved the bundle back.
pub fn plan_not_sent(bundle: &RelPath) -> Plan {
    let did = "recorded that it was not sent after all: its mark is gone, and it is open again";
    let about = About { from: Some(bundle.clone()), ..About::new(Stage::Upload, did) };
    Plan::new(About { dealing: Some(Dealing::NotSent(bundle.clone())), ..about })
}
