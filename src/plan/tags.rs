//! Who wins: tag layers become one set of tags, each value with the layer that it came from.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use crate::market::{Names, WrittenIn};
use crate::model::hierarchy::{LEVEL, levels, of_keywords};
use crate::model::{
    Ai, AiField, ContentHash, Look, MarketName, Meta, Method, People, Rating, Restore, SourceType, Strength, Tags,
    has_words_field, normal_keyword, with_fields, words_of,
};
use crate::records::Sidecar;

/// Where tags come from, lowest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layer {
    /// `defaults` in the settings.
    Defaults,
    /// A tag set that the theme names.
    TagSet(String),
    /// The theme's `tags.yaml`.
    Theme,
    /// A folder below the theme.
    Folder(String),
    /// A foreign XMP sidecar.
    Xmp,
    /// The asset's own sidecar.
    Sidecar,
    /// What its market wants to be said of it.
    Market,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Defaults => f.write_str("defaults"),
            Self::TagSet(name) => write!(f, "tag set {name}"),
            Self::Theme => f.write_str("theme"),
            Self::Folder(name) => write!(f, "folder {name}"),
            Self::Xmp => f.write_str("foreign xmp"),
            Self::Sidecar => f.write_str("sidecar"),
            Self::Market => f.write_str("market"),
        }
    }
}

/// A value and the layer that it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub layer: Layer,
}

/// The outcome of all layers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resolved {
    /// Title.
    pub title: Option<Sourced<String>>,
    /// Description.
    pub description: Option<Sourced<String>>,
    /// Keywords, most important first.
    pub keywords: Vec<Sourced<String>>,
    /// Where keywords stand, each as `wide|narrow|keyword`.
    pub hierarchy: Vec<Sourced<String>>,
    /// How many stars it has.
    pub rating: Option<Sourced<Rating>>,
    /// Creator.
    pub creator: Option<Sourced<String>>,
    /// Copyright line.
    pub rights: Option<Sourced<String>>,
    /// How it came to be.
    pub source_type: Option<Sourced<SourceType>>,
    /// Category per market.
    pub category: BTreeMap<String, Sourced<String>>,
    /// How much it is sharpened where it is enlarged.
    pub sharpen: Option<Sourced<Strength>>,
    /// How far its darkest and its lightest may be moved.
    pub levels: Option<Sourced<Strength>>,
    /// What it looks like.
    pub look: Option<Sourced<Look>>,
    /// Whether people appear in it.
    pub people: Option<Sourced<People>>,
    /// What its generator was asked, as far as readers are told.
    pub ai: [Option<Sourced<String>>; 4],
    /// The hash of its original, where that has signed words of its own.
    pub derived_from: Option<ContentHash>,
    /// What enlarges it.
    pub method: Option<Sourced<Method>>,
    /// What a neural net does about its noise and damage.
    pub restore: Option<Sourced<Restore>>,
    /// The words of its file name that its texts would have, and do not.
    pub left_out_words: Vec<String>,
}

/// Resolves layers, lowest first. A higher layer's values win. Its keywords go in front, since the
/// more special is the more important; `-word` takes a word of a lower layer away.
pub fn resolve(layers: &[(Layer, Tags)]) -> Resolved {
    let mut resolved = Resolved::default();
    for (layer, tags) in layers {
        let sourced = |text: &Option<String>| {
            let value = normal_text(text.as_deref()?);
            (!value.is_empty()).then(|| Sourced { value, layer: layer.clone() })
        };
        resolved.title = sourced(&tags.title).or(resolved.title);
        resolved.description = sourced(&tags.description).or(resolved.description);
        resolved.creator = sourced(&tags.creator).or(resolved.creator);
        resolved.rights = sourced(&tags.rights).or(resolved.rights);
        resolved.source_type =
            tags.source_type.map(|value| Sourced { value, layer: layer.clone() }).or(resolved.source_type);
        resolved.rating = tags.rating.map(|value| Sourced { value, layer: layer.clone() }).or(resolved.rating);
        let look = |own: Option<Strength>| own.map(|value| Sourced { value, layer: layer.clone() });
        resolved.sharpen = look(tags.enhance.sharpen).or(resolved.sharpen);
        resolved.levels = look(tags.enhance.levels).or(resolved.levels);
        resolved.look = tags.look.map(|value| Sourced { value, layer: layer.clone() }).or(resolved.look);
        resolved.people = tags.people.map(|value| Sourced { value, layer: layer.clone() }).or(resolved.people);
        let method = tags.enlarge.method.clone().map(|value| Sourced { value, layer: layer.clone() });
        resolved.method = method.or(resolved.method);
        let restore = tags.enlarge.restore.map(|value| Sourced { value, layer: layer.clone() });
        resolved.restore = restore.or(resolved.restore);
        for (place, field) in resolved.ai.iter_mut().zip(AiField::ALL) {
            *place = sourced(&tags.ai.get(field).map(str::to_owned)).or(place.take());
        }
        for (market, category) in &tags.category {
            let sourced = Sourced { value: category.clone(), layer: layer.clone() };
            resolved.category.insert(market.clone(), sourced);
        }
        resolved.keywords = layered(layer, &tags.keywords, resolved.keywords);
        let paths: Vec<String> = tags.hierarchy.iter().map(|path| normal_path(path)).collect();
        resolved.hierarchy = layered(layer, &paths, resolved.hierarchy);
    }
    resolved
}

fn normal_text(text: &str) -> String {
    normal_keyword(text)
}

fn normal_path(path: &str) -> String {
    levels(path).map(normal_text).collect::<Vec<_>>().join(&LEVEL.to_string())
}

/// Returns the keywords of a layer in front of those below it, without those that it takes away. Case makes no difference.
fn layered(layer: &Layer, own: &[String], below: Vec<Sourced<String>>) -> Vec<Sourced<String>> {
    let words: Vec<String> = own.iter().map(|word| normal_keyword(word)).collect();
    let gone = |word: &String| word.strip_prefix('-').map(|gone| gone.trim().to_lowercase());
    // Whoever writes both in one file means to take it away, wherever it comes from.
    let removed: HashSet<String> = words.iter().filter_map(gone).collect();
    let added = words.into_iter().filter(|word| !word.is_empty() && !word.starts_with('-'));
    let added = added.map(|value| Sourced { value, layer: layer.clone() });
    let mut known = HashSet::new();
    let is_new = |sourced: &Sourced<String>| {
        let folded = sourced.value.to_lowercase();
        !removed.contains(&folded) && known.insert(folded)
    };
    added.chain(below).filter(is_new).collect()
}

impl Resolved {
    /// Returns what is embedded into a file.
    pub fn meta(&self) -> Meta {
        let text = |sourced: &Option<Sourced<String>>| sourced.as_ref().map(|s| s.value.clone()).unwrap_or_default();
        let keywords: Vec<String> = self.keywords.iter().map(|sourced| sourced.value.clone()).collect();
        Meta {
            title: text(&self.title),
            description: text(&self.description),
            hierarchy: of_keywords(self.hierarchy.iter().map(|sourced| &sourced.value), &keywords),
            rating: self.rating.as_ref().map(|sourced| sourced.value),
            keywords,
            creator: text(&self.creator),
            rights: text(&self.rights),
            source_type: self.source_type.as_ref().map(|sourced| sourced.value).unwrap_or_default(),
            ai: self.public_ai(),
            derived_from: self.derived_from.clone(),
        }
    }

    /// Returns where those tags for a market are written that lie on top of the theme's.
    pub fn written(&self, market: &MarketName) -> WrittenIn {
        let place = |layer: &Layer| match layer {
            Layer::Defaults | Layer::TagSet(_) | Layer::Theme | Layer::Market => None,
            Layer::Folder(_) => Some("in the tags.yaml of its own folder below the theme"),
            Layer::Xmp => Some("in the `.xmp` beside it"),
            Layer::Sidecar => Some("in its own sidecar (`NAME.EXT.yaml`)"),
        };
        let of = |text: &Option<Sourced<String>>| text.as_ref().and_then(|text| place(&text.layer));
        WrittenIn {
            title: of(&self.title),
            description: of(if self.description.is_some() { &self.description } else { &self.title }),
            category: self.category.get(market.as_str()).and_then(|category| place(&category.layer)),
            shared: None,
        }
    }

    fn public_ai(&self) -> Ai {
        let mut ai = Ai::default();
        for (sourced, field) in self.ai.iter().zip(AiField::ALL) {
            *ai.get_mut(field) = sourced.as_ref().map(|sourced| sourced.value.clone());
        }
        ai
    }

    /// Returns them with those of these fields alone that readers are told.
    #[must_use]
    pub fn telling(mut self, fields: &[AiField]) -> Self {
        for (place, field) in self.ai.iter_mut().zip(AiField::ALL) {
            place.take_if(|_| !fields.contains(&field));
        }
        self
    }

    /// Returns them for one asset: the fields in its texts have its values. What another program wrote has none, and names
    /// that its file has from generators and cameras are none of its words.
    #[must_use]
    pub fn of_asset(mut self, names: &Names, number: Option<u64>, original: &str) -> Self {
        let texts = || [&self.title, &self.description].into_iter().flatten().filter(|text| text.layer != Layer::Xmp);
        if !texts().any(|text| text.value.contains('{')) {
            return self;
        }
        let has_words = texts().any(|text| has_words_field(&text.value));
        let (words, left_out) = names.fit_words(&words_of(original));
        for text in [&mut self.title, &mut self.description].into_iter().flatten() {
            if text.layer != Layer::Xmp {
                text.value = with_fields(&text.value, number, &words);
            }
        }
        self.left_out_words = if has_words { left_out } else { Vec::new() };
        self
    }

    /// Returns them for the asset of a sidecar.
    #[must_use]
    pub fn of_sidecar(self, names: &Names, sidecar: &Sidecar) -> Self {
        let original = sidecar.origin.as_ref().map(|origin| origin.path.stem().to_string_lossy().into_owned());
        // What is made of an original that has a C2PA manifest cannot have that, and names it.
        let signed = sidecar.original().filter(|_| sidecar.c2pa.is_some()).map(|original| original.hash.clone());
        Self { derived_from: signed, ..self.of_asset(names, sidecar.seq, &original.unwrap_or_default()) }
    }

    /// Returns them for what is made already: a look that they ask for comes too late.
    #[must_use]
    pub fn without_look(self) -> Self {
        Self { sharpen: None, levels: None, method: None, restore: None, ..self }
    }
}

/// Returns a digest of what is embedded: another digest means that a file carries older tags.
pub fn digest(meta: &Meta) -> ContentHash {
    ContentHash::of(&serde_json::to_vec(meta).expect("metadata holds nothing that JSON cannot write"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EnhanceTags;

    fn layer(title: &str, keywords: &[&str]) -> Tags {
        let title = (!title.is_empty()).then(|| title.to_owned());
        Tags { title, keywords: keywords.iter().map(|k| (*k).to_owned()).collect(), ..Tags::default() }
    }

    #[test]
    fn higher_layers_win_and_say_so() {
        let resolved = resolve(&[
            (Layer::Defaults, layer("", &["ai", "stock"])),
            (Layer::TagSet("winter".to_owned()), layer("Winter", &["snow", "cold"])),
            (Layer::Theme, layer("Cabins", &["cabin", "Snow", "-stock"])),
            (Layer::Sidecar, layer("", &["red door", "-cold"])),
        ]);
        let shown: Vec<String> = resolved.keywords.iter().map(|k| format!("{} ({})", k.value, k.layer)).collect();
        assert_eq!(shown, ["red door (sidecar)", "cabin (theme)", "Snow (theme)", "ai (defaults)"]);
        assert_eq!(resolved.title.as_ref().map(|t| (t.value.as_str(), &t.layer)), Some(("Cabins", &Layer::Theme)));
    }

    /// What is done for the look is no part of what is embedded.
    #[test]
    fn of_a_look_each_part_has_its_own_layer() {
        let look = |sharpen, levels| Tags { enhance: EnhanceTags { sharpen, levels }, ..Tags::default() };
        let layers = [
            (Layer::TagSet("soft".to_owned()), look(Some(Strength::Off), Some(Strength::Low))),
            (Layer::Theme, look(None, Some(Strength::High))),
            (Layer::Sidecar, look(None, None)),
        ];
        let resolved = resolve(&layers);
        let shown = [&resolved.sharpen, &resolved.levels]
            .map(|sourced| sourced.as_ref().map(|sourced| format!("{} ({})", sourced.value, sourced.layer)).unwrap());
        assert_eq!(shown, ["off (tag set soft)", "high (theme)"]);
        assert_eq!(digest(&resolved.meta()), digest(&resolve(&[]).meta()));
    }

    /// Who wrote it in the theme's tags.yaml changed nothing.
    #[test]
    fn it_is_known_what_lies_on_top_of_the_theme() {
        let market = MarketName::recorded("pond5");
        let of = |layer: Layer| resolve(&[(Layer::Theme, layer_of("low")), (layer, layer_of("high"))]).written(&market);
        fn layer_of(title: &str) -> Tags {
            let category = [("pond5".to_owned(), title.to_owned())].into();
            Tags { title: Some(title.to_owned()), category, ..Tags::default() }
        }
        for (layer, place) in [
            (Layer::Theme, None),
            (Layer::Folder("night".to_owned()), Some("in the tags.yaml of its own folder below the theme")),
            (Layer::Xmp, Some("in the `.xmp` beside it")),
            (Layer::Sidecar, Some("in its own sidecar (`NAME.EXT.yaml`)")),
        ] {
            let written = of(layer.clone());
            assert_eq!([written.title, written.description, written.category], [place; 3], "{layer}");
        }
    }

    #[test]
    fn a_word_that_was_taken_away_may_come_back() {
        let words = |keywords: &[&str]| layer("", keywords);
        let resolved = resolve(&[
            (Layer::Defaults, words(&["a"])),
            (Layer::Theme, words(&["-a"])),
            (Layer::Sidecar, words(&["A"])),
        ]);
        assert_eq!(resolved.meta().keywords, ["A"]);
    }

    #[test]
    fn a_word_and_its_removal_in_one_layer_take_it_away() {
        for own in [["moss", "-Moss", "fern"], ["-moss", "moss", "fern"]] {
            let resolved = resolve(&[(Layer::Defaults, layer("", &["moss"])), (Layer::Theme, layer("", &own))]);
            assert_eq!(resolved.meta().keywords, ["fern"]);
        }
    }

    #[test]
    fn stars_and_where_keywords_stand_come_from_the_layers_too() {
        let own = |hierarchy: &[&str], stars: Option<u8>, keywords: &[&str]| Tags {
            hierarchy: hierarchy.iter().map(|path| (*path).to_owned()).collect(),
            rating: stars.map(|stars| Rating::try_from(stars).unwrap()),
            ..layer("", keywords)
        };
        let layers = [
            (Layer::Defaults, own(&["a| x"], Some(2), &["x", "y", "a"])),
            (Layer::Xmp, own(&["b|y", "c|z", "lone"], Some(4), &["z"])),
            (Layer::Sidecar, own(&["-c|Z"], None, &["-y"])),
        ];
        let meta = resolve(&layers).meta();
        assert_eq!((meta.rating.map(u8::from), meta.hierarchy), (Some(4), vec!["a|x".to_owned()]));
        // What has neither is known by the digest that it had before there were any.
        let plain = resolve(&[(Layer::Theme, layer("a", &["x"]))]).meta();
        let text = serde_json::to_string(&plain).unwrap();
        assert!(!text.contains("hierarchy") && !text.contains("rating"), "{text}");
    }

    /// A prompt is what a person sells: it stays here unless the settings say otherwise.
    #[test]
    fn what_a_generator_was_asked_is_told_on_request_alone() {
        let ai = |system: Option<&str>, prompt: Option<&str>| {
            let own = |text: Option<&str>| text.map(str::to_owned);
            Tags { ai: Ai { system: own(system), prompt: own(prompt), ..Ai::default() }, ..Tags::default() }
        };
        let resolved =
            resolve(&[(Layer::Theme, ai(Some("FLUX"), Some("a cabin"))), (Layer::Xmp, ai(None, Some("a red cabin")))]);
        for (fields, system, prompt) in [
            (&[][..], None, None),
            (&[AiField::System], Some("FLUX"), None),
            (&[AiField::Prompt, AiField::Writer], None, Some("a red cabin")),
        ] {
            let told = resolved.clone().telling(fields).meta();
            assert_eq!((told.ai.system.as_deref(), told.ai.prompt.as_deref()), (system, prompt), "{fields:?}");
            assert_eq!(serde_json::to_string(&told).unwrap().contains("\"ai\""), !fields.is_empty());
        }
    }

    /// Only the texts in which a person asked for the words of a file's name have to do with them.
    #[test]
    fn words_that_a_text_does_not_get_are_told_where_it_asks_for_them() {
        let names = Names::with(Vec::new());
        for (title, expected, left_out) in [
            ("Sea, {original|words}", "Sea, red fox", &["`comfyui` (generators)"][..]),
            ("Sea {n}", "Sea 7", &[]),
            ("Sea", "Sea", &[]),
        ] {
            let resolved =
                resolve(&[(Layer::Theme, layer(title, &[]))]).of_asset(&names, Some(7), "ComfyUI_red_fox_00012_");
            assert_eq!(
                (resolved.meta().title.as_str(), &resolved.left_out_words[..]),
                (expected, &left_out.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()[..])
            );
        }
    }

    #[test]
    fn the_digest_follows_what_is_embedded() {
        let one = resolve(&[(Layer::Theme, layer("a", &["x", "y"]))]);
        let same = resolve(&[(Layer::Sidecar, layer("a", &["x", "y"]))]);
        let other = resolve(&[(Layer::Theme, layer("a", &["y", "x"]))]);
        assert_eq!(digest(&one.meta()), digest(&same.meta()));
        assert_ne!(digest(&one.meta()), digest(&other.meta()));
    }
}
