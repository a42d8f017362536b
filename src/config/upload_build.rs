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
    // Another name than a market may have is no file's name either.
    let own = MarketName::new(name).map(|name| format!("market of your own has its profile in `markets/{name}.yaml`"));
    let hint = match (nearest(name, &names), own) {
        (Some(near), Ok(own)) => format!("did you mean `{near}`? A {own}"),
        (Some(near), Err(_)) => format!("did you mean `{near}`?"),
        (None, Ok(own)) => format!("the markets are {}; a {own}", names.join(", ")),
        (None, Err(_)) => format!("the markets are {}", names.join(", ")),
    };
    (format!("there is no market `{name}`"), hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who wrote a profile elsewhere was asked whether another market is meant.
    #[test]
    fn an_unknown_market_is_told_with_where_its_profile_would_be() {
        let known = ["istock", "alamy"].map(|name| MarketName::new(name).unwrap());
        for (name, expected) in [
            ("stock", "did you mean `istock`? A market of your own has its profile in `markets/stock.yaml`"),
            ("my-box", "the markets are istock, alamy; a market of your own has its profile in `markets/my-box.yaml`"),
            // No market may have such a name.
            ("../alamy", "did you mean `alamy`?"),
        ] {
            let (what, hint) = no_market(name, known.iter());
            assert_eq!((what, hint.as_str()), (format!("there is no market `{name}`"), expected));
        }
    }
}
