use jiff::Timestamp;

use crate::model::RelPath;
use crate::records::{DeliveryRecord, DeliveryStep, FileDelivery};
use crate::vault::{DeliveryLog, DeliveryLogError, Layout};

/// What a person found in the portal of a file that is in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// The market has it.
    Taken,
    /// The market has it not.
    SendAgain,
}

/// Records what a person says of files of which nobody could tell whether the market has them; returns those that are not
/// in doubt.
pub fn settle(
    layout: Layout,
    files: &[RelPath],
    settled: Settled,
    now: Timestamp,
) -> Result<Vec<RelPath>, DeliveryLogError> {
    let (log, known) = DeliveryLog::open(layout)?;
    let step = match settled {
        Settled::Taken => DeliveryStep::Delivered,
        Settled::SendAgain => DeliveryStep::Undone,
    };
    let mut others = Vec::new();
    for file in files {
        let mut is_in_doubt = false;
        for was in known.in_doubt(file) {
            is_in_doubt = true;
            log.add(&DeliveryRecord::File(FileDelivery { at: now, step, ..was.clone() }))?;
        }
        if !is_in_doubt {
            others.push(file.clone());
        }
    }
    Ok(others)
}
