use serde::Deserialize;

use super::accepts::Accepts;

/// How a market takes what is delivered to a server of its own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// Whether the CSV may go to that server, too.
    pub csv: Accepts,
}

impl Default for Delivery {
    /// What nobody said is unknown, and what is unknown is not sent.
    fn default() -> Self {
        Self { csv: Accepts::Unknown }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::built_in;

    /// Both say on their own pages that the CSV goes by the portal alone.
    #[test]
    fn no_csv_goes_to_a_server_that_must_not_have_it() {
        let csv = |name: &str| built_in().unwrap().into_iter().find(|market| market.name == name).unwrap().delivery.csv;
        let rows = [
            ("adobe-stock", Accepts::No),
            ("shutterstock", Accepts::No),
            ("vecteezy", Accepts::Yes),
            ("canva", Accepts::Unknown),
        ];
        for (name, expected) in rows {
            assert_eq!(csv(name), expected, "{name}");
        }
    }
}
