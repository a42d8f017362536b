use super::Product;
use crate::model::{ContentHash, Kind, Meta, Output, RelPath, Render};
use crate::records::Sidecar;

/// How a product is made from what there is.
#[derive(Debug, Clone, PartialEq)]
pub enum Recipe {
    /// These bytes.
    Bytes(Vec<u8>),
    /// The same bytes as another file.
    Same {
        /// The file.
        from: RelPath,
        /// The hash of its bytes.
        hash: ContentHash,
    },
    /// The same bytes as an earlier product of the same plan.
    SameAs {
        /// Which product.
        product: usize,
    },
    /// A copy of a file that goes with the asset, of its own bytes: whoever changes it changes no other.
    Copy {
        /// The file.
        from: RelPath,
    },
    /// A picture made of another's pixels.
    Render {
        /// The picture.
        from: RelPath,
        /// Its kind.
        kind: Kind,
        /// What is made of it.
        render: Render,
    },
    /// A finished picture with other metadata; its pixels stay byte for byte.
    Embed {
        /// The picture.
        from: RelPath,
        /// Its kind.
        kind: Kind,
        /// What is embedded.
        meta: Meta,
    },
    /// An earlier product of the same plan with other metadata; its pixels stay byte for byte.
    EmbedOf {
        /// Which product.
        product: usize,
        /// Its kind.
        kind: Kind,
        /// What is embedded.
        meta: Meta,
    },
    /// A video with its metadata blanked; its pictures and sound stay byte for byte, and where they are. Or a picture
    /// without metadata, a part of a model: its pixels stay byte for byte, and are not what the model shows.
    Blank {
        /// The video, or the picture.
        from: RelPath,
        /// Its kind.
        kind: Kind,
    },
    /// The sidecar of an earlier product of the same plan, whose hash is known only once it is made.
    SidecarOf {
        /// Which product.
        product: usize,
        /// The sidecar, its file's hash still to be filled in.
        sidecar: Box<Sidecar>,
    },
}

impl Recipe {
    /// Returns how it is made with the least work beside other products of its plan: nothing is made, or stored, twice.
    pub(super) fn of_earlier(self, products: &[Product]) -> Self {
        if !matches!(self, Self::Render { .. } | Self::Embed { .. } | Self::Blank { .. }) {
            return self;
        }
        let like = |recipe: &Self| products.iter().position(|other| other.recipe == *recipe);
        let made = if like(&self).is_some() { self } else { self.of_same_pixels(products) };
        like(&made).map_or(made, |product| Self::SameAs { product })
    }

    /// Returns how a picture is made of an earlier product that differs from it in its metadata alone, if there is one.
    fn of_same_pixels(self, products: &[Product]) -> Self {
        let Self::Render { from, kind, render } = &self else { return self };
        let Output::Final { format, meta: Some(meta), .. } = &render.output else { return self };
        let has_same_pixels = |other: &Product| {
            matches!(&other.recipe, Self::Render { from: other_from, kind: other_kind, render: other }
                if (other_from, other_kind) == (from, kind) && other.with_meta(meta) == *render)
        };
        match products.iter().position(has_same_pixels) {
            Some(product) => Self::EmbedOf { product, kind: format.kind(), meta: meta.clone() },
            None => self,
        }
    }
}
