use std::collections::BTreeMap;

use super::UploadDay;
use super::raw::RawUpload;
use crate::market::Market;
use crate::model::{MarketName, nearest};

/// A mistake: the key, what is wrong, and what to write instead.
type Wrong = (String, String, String);

/// Returns how much goes to the markets at once, and what is wrong with that.
pub(super) fn upload_day(raw: &RawUpload, known: &[Market]) -> (UploadDay, Vec<Wrong>) {
    let (mut limits, mut wrong) = (BTreeMap::new(), Vec::new());
    for (name, of_market) in &raw.limits {
        if let Some(market) = known.iter().find(|market| market.name == name.as_str()) {
            limits.insert(market.name.clone(), *of_market);
        } else {
            let (what, hint) = no_market(name, known.iter().map(|market| &market.name));
            wrong.push((format!("upload.limits.{name}"), what, hint));
        }
    }
    let brake = raw.brake.as_ref().and_then(|written| {
        let brake = serde_yaml::from_value(written.clone()).ok();
        if brake.is_none() {
            let hint = "write `{last: 20, accepted_min: 0.5}`".to_owned();
            wrong.push(("upload.brake".to_owned(), "a brake needs `last` and `accepted_min`".to_owned(), hint));
        }
        brake
    });
    (UploadDay { limits, brake, probe: raw.probe, order: raw.order }, wrong)
}

/// Returns what is told of a name that is no market's, and what to write instead.
pub(super) fn no_market<'a>(name: &str, known: impl Iterator<Item = &'a MarketName>) -> (String, String) {
    let names: Vec<&str> = known.map(MarketName::as_str).collect();
    let near = nearest(name, &names).map(|near| format!("did you mean `{near}`?"));
    let hint = near.unwrap_or_else(|| format!("the markets are {}", names.join(", ")));
    (format!("there is no market `{name}`"), hint)
}
