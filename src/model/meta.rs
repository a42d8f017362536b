use serde::{Deserialize, Serialize};

use super::{Ai, ContentHash, Rating};

/// How a picture came to be, as a term of the IPTC vocabulary
/// <http://cv.iptc.org/newscodes/digitalsourcetype/>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SourceType {
    /// Wholly made by a trained model.
    #[default]
    TrainedAlgorithmicMedia,
    /// A composite with parts made by a trained model.
    CompositeWithTrainedAlgorithmicMedia,
    /// Made by an algorithm that was not trained on sampled content.
    AlgorithmicMedia,
    /// Made by a person with digital tools.
    DigitalCreation,
    /// Taken with a camera.
    DigitalCapture,
}

impl SourceType {
    /// Returns whether a trained model made it, or a part of it.
    pub fn is_by_ai(self) -> bool {
        matches!(self, Self::TrainedAlgorithmicMedia | Self::CompositeWithTrainedAlgorithmicMedia)
    }

    /// Returns the term's full URI, as XMP wants it.
    pub fn uri(self) -> String {
        let term = match self {
            Self::TrainedAlgorithmicMedia => "trainedAlgorithmicMedia",
            Self::CompositeWithTrainedAlgorithmicMedia => "compositeWithTrainedAlgorithmicMedia",
            Self::AlgorithmicMedia => "algorithmicMedia",
            Self::DigitalCreation => "digitalCreation",
            Self::DigitalCapture => "digitalCapture",
        };
        format!("http://cv.iptc.org/newscodes/digitalsourcetype/{term}")
    }
}

/// What is embedded into an exported file: the outcome of all tag layers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Meta {
    /// Title, one line.
    pub title: String,
    /// Description; may be empty.
    pub description: String,
    /// Keywords, most important first.
    pub keywords: Vec<String>,
    /// Where some of them stand, each as `wide|narrow|keyword`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub hierarchy: Vec<String>,
    /// How many stars it has.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rating: Option<Rating>,
    /// Who made it; may be empty.
    pub creator: String,
    /// Copyright line; may be empty.
    pub rights: String,
    /// How it came to be.
    pub source_type: SourceType,
    /// What its generator was asked, as far as readers are told.
    #[serde(skip_serializing_if = "Ai::is_empty", default)]
    pub ai: Ai,
    /// The hash of the original that it was made of, where readers are told of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub derived_from: Option<ContentHash>,
}
