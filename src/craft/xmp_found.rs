//! What was found in foreign XMP, property by property.

use std::collections::HashSet;

use crate::model::hierarchy::{LEVEL, levels};
use crate::model::{Ai, AiField, Rating, Tags, split_words};

/// What a foreign XMP sidecar says about its picture.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ForeignXmp {
    /// Its tags.
    pub tags: Tags,
    /// Whether its rating is -1, which means rejected in Bridge, Lightroom and darktable.
    pub is_rejected: bool,
    /// What a person is told of how it was read, in words.
    pub told: Vec<String>,
}

/// How a value is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// It is all that the property has.
    Alone,
    /// As one of a list, or for one language.
    InList,
    /// For every language.
    ForAll,
}

/// A text, in one language or several.
#[derive(Default)]
struct Text {
    for_all: Option<String>,
    first: Option<String>,
}

impl Text {
    fn add(&mut self, value: &str, said: Said) {
        let place = if said == Said::ForAll { &mut self.for_all } else { &mut self.first };
        place.get_or_insert_with(|| value.to_owned());
    }

    /// Returns the text for every language, wherever it stands, else the first one.
    fn best(self) -> Option<String> {
        self.for_all.or(self.first)
    }
}

/// What was found so far.
#[derive(Default)]
pub(super) struct Found {
    title: Text,
    headline: Text,
    description: Text,
    rights: Text,
    creators: Vec<String>,
    keywords: Vec<String>,
    /// Lists of keywords, each with all of its levels.
    of_digikam: Vec<String>,
    of_lightroom: Vec<String>,
    of_microsoft: Vec<String>,
    ai: Ai,
    rating: Option<Rating>,
    is_rejected: bool,
    told: Vec<String>,
}

impl Found {
    /// Takes a value of a property.
    pub(super) fn take(&mut self, property: &str, value: &str, said: Said) {
        if value.is_empty() {
            return;
        }
        match property {
            "xmp:Rating" => self.rate(value),
            "dc:title" => self.title.add(value, said),
            "photoshop:Headline" => self.headline.add(value, said),
            "dc:description" => self.description.add(value, said),
            "dc:rights" => self.rights.add(value, said),
            "dc:creator" => self.creators.push(value.to_owned()),
            "dc:subject" if said == Said::Alone => self.keywords.extend(split_words(value).map(str::to_owned)),
            "dc:subject" => self.keywords.push(value.to_owned()),
            "digiKam:TagsList" => self.of_digikam.push(value.replace('/', "|")),
            "lr:hierarchicalSubject" => self.of_lightroom.push(value.to_owned()),
            "MicrosoftPhoto:LastKeywordXMP" => self.of_microsoft.push(value.replace('/', "|")),
            _ => self.ask(property, value),
        }
    }

    /// Takes what a generator was asked.
    fn ask(&mut self, property: &str, value: &str) {
        let Some(name) = property.strip_prefix("Iptc4xmpExt:") else { return };
        if let Some(field) = AiField::ALL.into_iter().find(|field| field.property() == name) {
            self.ai.get_mut(field).get_or_insert_with(|| value.to_owned());
        }
    }

    fn rate(&mut self, value: &str) {
        match value.parse::<f64>() {
            Ok(stars) if stars < 0.0 => self.is_rejected = true,
            Ok(stars) if stars.abs() < f64::EPSILON => (),
            // Some programs write `4.0`.
            Ok(_) | Err(_) => {
                let whole = value.strip_suffix(".0").unwrap_or(value).parse::<u8>().ok();
                match whole.and_then(|stars| Rating::try_from(stars).ok()) {
                    Some(rating) => self.rating = Some(rating),
                    None => self.told.push(format!("its rating `{value}` is none from 1 to 5, and is left out")),
                }
            }
        }
    }

    pub(super) fn finish(mut self) -> ForeignXmp {
        let mut lists = [self.of_digikam, self.of_lightroom, self.of_microsoft];
        self.keywords.retain(|keyword| !is_internal(keyword));
        lists.iter_mut().for_each(|list| list.retain(|path| !is_internal(path)));
        if self.keywords.is_empty() {
            let last = |path: &String| levels(path).next_back().map(str::to_owned);
            let first = lists.iter().find(|list| !list.is_empty());
            self.keywords = first.into_iter().flatten().filter_map(last).collect();
        }
        let (mut hierarchy, mut known): (Vec<String>, HashSet<String>) = Default::default();
        for path in lists.iter().flatten() {
            let path = levels(path).collect::<Vec<_>>().join(&LEVEL.to_string());
            if path.contains(LEVEL) && known.insert(path.clone()) {
                hierarchy.push(path);
            }
        }
        let tags = Tags {
            title: self.title.best().or_else(|| self.headline.best()),
            description: self.description.best(),
            rights: self.rights.best(),
            creator: (!self.creators.is_empty()).then(|| self.creators.join(", ")),
            keywords: self.keywords,
            hierarchy,
            rating: self.rating,
            ai: self.ai,
            ..Tags::default()
        };
        ForeignXmp { tags, is_rejected: self.is_rejected, told: self.told }
    }
}

/// Returns whether a keyword is one that darktable keeps for itself.
fn is_internal(keyword: &str) -> bool {
    keyword.strip_prefix("darktable").is_some_and(|rest| rest.starts_with(['|', '/']))
}
