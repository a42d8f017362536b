use std::collections::BTreeSet;

use jiff::civil::Date;

use super::{Hold, Refusal};
use crate::model::{AssetId, Kind, MarketName, RelPath, Stage};

/// An asset that had the same content before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Which asset.
    pub id: AssetId,
    /// Where it stands, as far as is known.
    pub at: RelPath,
    /// Whether what came has other bytes, since its metadata differs.
    pub is_retagged: bool,
    /// Whether what stands there was made of what came before, and has other bytes.
    pub is_made_of_it: bool,
    /// Where it was dropped first, if its own sidecar tells.
    pub origin: Option<RelPath>,
    /// What markets have not got of it, if it lies in a bundle.
    pub lacks: Option<Lacking>,
    /// What became of it.
    pub is: Whereabouts,
}

/// What markets have not got of an asset that lies in a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lacking {
    /// These refused it, and get it again once it was mended and lies in no bundle any more that is not sent, as these files.
    Refused(Vec<MarketName>, Vec<RelPath>),
    /// These were named in the settings after this bundle was sent.
    Named(Vec<MarketName>, RelPath),
}

impl std::fmt::Display for Lacking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let told = |markets: &[MarketName]| markets.iter().map(MarketName::as_str).collect::<Vec<_>>().join(", ");
        match self {
            Self::Refused(markets, open) => {
                let open: Vec<String> = open.iter().map(|file| format!("`{file}`")).collect();
                let (bundles, never) = match open.len() {
                    1 => ("its bundle", "that file if you will never send it"),
                    _ => ("their bundles", "those files that you will never send"),
                };
                write!(
                    f,
                    "{} refused it, and it lies in what is not sent: {}; to send it there again, change its tags, mark \
                     {bundles} as sent (`stockmill sent`), or delete {never}, and then `stockmill retry`",
                    told(markets),
                    open.join(", ")
                )
            }
            Self::Named(markets, bundle) => write!(
                f,
                "it does not go to {} by itself, since that was named after `{bundle}` was sent: to sell it there, take \
                 that back (delete its mark, or move it back), let stockmill look (`stockmill once`), and record it as sent \
                 again",
                told(markets)
            ),
        }
    }
}

/// What became of an asset whose content came again without its sidecar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whereabouts {
    /// What came is the asset: it lies where it was left, or a person lets it go on again.
    Itself,
    /// It stands there, so what came is a copy.
    There,
    /// It is gone from every place that it had.
    Gone {
        /// The day on which it was there last.
        last: Date,
        /// The markets that it was bundled for.
        bundled_for: BTreeSet<MarketName>,
    },
    /// Its place cannot be looked at now, and why.
    Unknown(String),
}

/// What became of a file that an asset had in a bundle for a market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bundled {
    /// It lies there.
    Lies(RelPath),
    /// It was sent from there.
    Sent(RelPath),
    /// It was taken out of this bundle, and not sent with it.
    TakenOut(RelPath),
    /// It was uploaded from there, and then taken back; nothing says that it was deleted at the market.
    StillUp(RelPath),
    /// It was sent, and the market refused it each time.
    Refused(Vec<Refusal>),
    /// Its bundle is gone, whether it was sent or not.
    BundleGone(RelPath),
    /// Nobody can tell, and why.
    Unknown(String),
}

impl Bundled {
    /// Returns why the market does not get the asset again, unless a person lets it go and it cannot have been sold.
    pub fn refuse(&self, is_let_go: bool) -> Option<String> {
        let anyway = "`stockmill release upload --anyway`";
        let why = match self {
            Self::TakenOut(_) | Self::StillUp(_) if is_let_go => return None,
            // Whether the market gets it once more is known when it is known how it is made.
            Self::Refused(_) => return None,
            Self::TakenOut(bundle) => {
                format!("and taken out of `{bundle}`; {anyway} bundles it again")
            }
            Self::StillUp(file) => format!(
                "and taken back after its upload as `{file}`: delete that in the portal, tick so in the list of its bundle, \
                 and say `stockmill release upload`; {anyway} bundles it again as it is"
            ),
            Self::Lies(file) => format!("it lies there as `{file}`, and nothing is sold there twice"),
            Self::Sent(file) => format!("it was sent as `{file}`, and nothing is sold there twice"),
            Self::BundleGone(bundle) => format!(
                "and nobody can tell whether it was sold, since `{bundle}` is gone; if that was not sent, make this \
                 folder again, empty, and {anyway} bundles it again"
            ),
            Self::Unknown(why) => {
                format!("and nobody can tell whether it was sold: {why}")
            }
        };
        Some(format!("it was bundled for this market before, {why}"))
    }
}

impl Known {
    /// Returns the identity under which a file with this content goes on, or why it does not.
    pub fn admit(&self, stage: Stage) -> Result<AssetId, Hold> {
        let at = &self.at;
        let same = match (self.is_retagged, self.is_made_of_it) {
            (true, false) => format!("it differs only in its metadata from `{at}`"),
            (true, true) => format!("it differs only in its metadata from what became `{at}`"),
            (false, false) => format!("it has the same bytes as `{at}`"),
            (false, true) => format!("it has the same bytes as what became `{at}`"),
        };
        match &self.is {
            Whereabouts::Itself => Ok(self.id.clone()),
            Whereabouts::There => {
                let lacks = self.lacks.as_ref().map(|lacks| format!("; {lacks}")).unwrap_or_default();
                let never = "nothing goes on twice while the first one is there, also not by `--anyway`";
                // What was made of it is none of its own bytes: what came may be the only one that has them.
                // Nor does anybody compare the parts of a model.
                let rid = if Kind::is_model_extension(&at.extension()) {
                    "a model is known by its main file alone: if parts of it differ, keep them, change something in that \
                     file, too (a comment, a name), and drop all of it again; else delete what was dropped now"
                } else if self.is_made_of_it {
                    "keep what was dropped now, which may be the only one with its bytes, in `archive`"
                } else {
                    "delete what was dropped now"
                };
                Err(Hold::Park(format!("{same}, which was dropped before, and {never}{lacks}; {rid}, or drop another")))
            }
            Whereabouts::Gone { last, bundled_for } => {
                let markets = bundled_for.iter().map(MarketName::as_str).collect::<Vec<_>>().join(", ");
                let bundled = if markets.is_empty() { String::new() } else { format!(", was bundled for {markets}") };
                Err(Hold::Waits(format!(
                    "it was seen before{bundled}, and was deleted: last seen as `{at}` on {last}, and gone since; \
                     let it go on with `stockmill release {stage} --anyway`, or delete it"
                )))
            }
            Whereabouts::Unknown(why) => Err(Hold::Waits(format!("{same}, which cannot be looked at now: {why}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Other textures of the same mesh may be the only ones: they were to be deleted.
    #[test]
    fn parts_of_a_model_that_came_again_are_to_be_kept() {
        let model = Known {
            id: AssetId::of(&crate::model::ContentHash::of(b"a")),
            at: RelPath::new("upload/t/t-0001/chair.obj").unwrap(),
            is_retagged: false,
            is_made_of_it: false,
            origin: None,
            lacks: None,
            is: Whereabouts::There,
        };
        let Err(Hold::Park(got)) = model.admit(Stage::Raw) else { panic!("it is a copy") };
        assert!(got.contains("; a model is known by its main file alone: if parts of it differ, keep them"), "{got}");
    }

    #[test]
    fn bytes_that_came_again_go_on_only_as_what_they_are() {
        let id = AssetId::of(&crate::model::ContentHash::of(b"a"));
        let last = "2026-11-28".parse().unwrap();
        let admitted_of = |is, is_retagged, is_made_of_it, lacks| {
            let at = RelPath::new("keep/t/t-0001.png").unwrap();
            let known = Known { id: id.clone(), at, is_retagged, is_made_of_it, origin: None, lacks, is };
            match known.admit(Stage::Raw) {
                Ok(found) => format!("goes on {}", found == id),
                Err(Hold::Park(why)) => format!("park {why}"),
                Err(hold) => format!("stay {hold}"),
            }
        };
        let admitted = |is, is_retagged, is_made_of_it| admitted_of(is, is_retagged, is_made_of_it, None);
        let gone = |markets: &[&str]| Whereabouts::Gone {
            last,
            bundled_for: markets.iter().map(|market| MarketName::recorded(market)).collect(),
        };
        let cases = [
            (Whereabouts::Itself, false, "goes on true"),
            (Whereabouts::There, false, "park it has the same bytes as `keep/t/t-0001.png`"),
            (Whereabouts::There, true, "park it differs only in its metadata from `keep/t/t-0001.png`"),
            // What a person deleted went on when it was dropped again.
            (
                gone(&[]),
                true,
                "stay it was seen before, and was deleted: last seen as `keep/t/t-0001.png` on 2026-11-28",
            ),
            (gone(&["adobe-stock"]), false, "stay it was seen before, was bundled for adobe-stock, and was deleted"),
            (Whereabouts::Unknown("it is away".to_owned()), false, "stay it has the same bytes as"),
        ];
        for (is, is_retagged, expected) in cases {
            let got = admitted(is.clone(), is_retagged, false);
            assert!(got.starts_with(expected), "{is:?}: {got}");
        }
        let got = admitted(Whereabouts::There, false, false);
        assert!(
            got.contains("also not by `--anyway`; delete what was dropped now"),
            "who says so is told why it does nothing: {got}"
        );
        let got = admitted(Whereabouts::There, false, true);
        assert!(
            got.contains("; keep what was dropped now, which may be the only one") && !got.contains("delete"),
            "{got}"
        );
        // The market that refused it, or was named later, was told nowhere.
        let markets = || vec![MarketName::recorded("pond5")];
        let bundle = || RelPath::new("upload/2026-11-28/alamy").unwrap();
        let open = |name: &str| RelPath::new(format!("upload/2026-11-28/{name}/files/a.jpg")).unwrap();
        for (lacks, expected) in [
            (
                Lacking::Refused(markets(), vec![open("alamy")]),
                "; pond5 refused it, and it lies in what is not sent: `upload/2026-11-28/alamy/files/a.jpg`; to send it \
                 there again, change its tags, mark its bundle as sent (`stockmill sent`), or delete that file if you will \
                 never send it, and then `stockmill retry`; delete what",
            ),
            // They were named one after the other.
            (
                Lacking::Refused(markets(), vec![open("alamy"), open("istock")]),
                "; pond5 refused it, and it lies in what is not sent: `upload/2026-11-28/alamy/files/a.jpg`, \
                 `upload/2026-11-28/istock/files/a.jpg`; to send it there again, change its tags, mark their bundles as sent \
                 (`stockmill sent`), or delete those files that you will never send, and then `stockmill retry`; delete what",
            ),
            (
                Lacking::Named(markets(), bundle()),
                "; it does not go to pond5 by itself, since that was named after `upload/2026-11-28/alamy` was sent: to",
            ),
        ] {
            let got = admitted_of(Whereabouts::There, false, false, Some(lacks));
            assert!(got.contains(&format!("also not by `--anyway`{expected}")), "{got}");
        }
        // The one that was named has other bytes: it was enlarged, or is a JPEG.
        let got = [false, true].map(|is_retagged| admitted(Whereabouts::There, is_retagged, true));
        assert!(got[0].starts_with("park it has the same bytes as what became `keep/t/t-0001.png`, which"), "{got:?}");
        assert!(got[1].starts_with("park it differs only in its metadata from what became `keep/"), "{got:?}");
    }
}
