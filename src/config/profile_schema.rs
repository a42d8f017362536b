use jiff::civil::Date;

use super::shape::Shape;
use crate::model::{Kind, MarketName, nearest};

const TEXT: Shape = Shape::Needed(&Shape::Text);
const TEXTS: Shape = Shape::List(&Shape::Text);
const DAY: Shape = Shape::Needed(&Shape::Read(day));
const COUNT: Shape = Shape::Integer(0, i64::MAX);
const NUMBER: Shape = Shape::Number(0.0, f64::MAX);
const YES_OR_NO: Shape = Shape::OneOf(&["true", "false"]);
const ACCEPTS: Shape = Shape::Needed(&Shape::OneOf(&["true", "false", "unknown"]));

/// The least and the most.
const COUNTS: Shape = Shape::Table(&[("min", Shape::Needed(&COUNT)), ("max", Shape::Needed(&COUNT))]);
/// The same, of which one may be left out.
const ANY_COUNTS: Shape = Shape::Table(&[("min", COUNT), ("max", COUNT)]);
const ANY_NUMBERS: Shape = Shape::Table(&[("min", NUMBER), ("max", NUMBER)]);

const TEXT_LIMIT: Shape =
    Shape::Table(&[("chars_min", COUNT), ("chars_max", Shape::Needed(&COUNT)), ("forbidden", Shape::Signs)]);

const FACT: Shape = Shape::Table(&[
    ("about", Shape::Needed(&TEXTS)),
    ("source", TEXT),
    ("checked", DAY),
    ("known", Shape::OneOf(&["official", "reported", "not_established"])),
    ("note", Shape::Text),
]);

const VIDEO: Shape = Shape::Table(&[
    ("short_edge", ANY_COUNTS),
    ("long_edge", ANY_COUNTS),
    ("seconds", ANY_NUMBERS),
    ("frames_per_second", ANY_NUMBERS),
    ("bytes", ANY_COUNTS),
    ("codecs", TEXTS),
    ("sound", Shape::OneOf(&["allowed", "none", "unknown"])),
    ("sound_rule", Shape::Text),
]);

const COLUMN: Shape = Shape::Table(&[
    ("header", TEXT),
    (
        "value",
        Shape::Needed(&Shape::OneOf(&[
            "file_name",
            "title",
            "description",
            "keywords",
            "category",
            "category_2",
            "category_3",
            "categories",
            "creator",
            "text",
            "nothing",
        ])),
    ),
    ("text", Shape::Text),
]);

const CSV: Shape = Shape::Table(&[
    ("separator", Shape::Needed(&Shape::Read(sign))),
    ("quoting", Shape::OneOf(&["necessary", "all"])),
    ("bom", Shape::Needed(&YES_OR_NO)),
    ("rows_max", Shape::Needed(&COUNT)),
    ("bytes_max", Shape::Needed(&COUNT)),
    ("columns", Shape::Needed(&Shape::List(&COLUMN))),
]);

const YES_BOX: Shape = Shape::Table(&[("yes", TEXT)]);

/// The keys of a profile, as [`crate::market::Market`] has them.
pub(super) const PROFILE: Shape = Shape::Table(KEYS);

/// The same, one by one.
pub(super) const KEYS: &[(&str, Shape)] = &[
    ("name", Shape::Needed(&Shape::Read(|text| MarketName::new(text).map(drop).map_err(|why| why.to_string())))),
    ("title", TEXT),
    ("accepts_ai", ACCEPTS),
    ("policy", Shape::Text),
    ("checked", DAY),
    ("source", TEXT),
    ("life_days", Shape::Integer(0, u16::MAX as i64)),
    ("facts", Shape::List(&FACT)),
    ("kinds", Shape::Needed(&Shape::List(&Shape::Read(kind)))),
    ("megapixels", Shape::Needed(&Shape::Table(&[("min", Shape::Needed(&NUMBER)), ("max", Shape::Needed(&NUMBER))]))),
    ("edge", COUNTS),
    ("bytes", Shape::Needed(&COUNTS)),
    ("video", VIDEO),
    (
        "colour",
        Shape::Table(&[
            (
                "profiles",
                Shape::Needed(&Shape::List(&Shape::OneOf(&["srgb", "adobe-rgb", "prophoto-rgb", "display-p3"]))),
            ),
            ("grey", YES_OR_NO),
        ]),
    ),
    (
        "file_name",
        Shape::Needed(&Shape::Table(&[
            ("chars_max", Shape::Needed(&COUNT)),
            ("charset", Shape::Needed(&Shape::OneOf(&["portable", "alphanumeric"]))),
        ])),
    ),
    ("title_text", Shape::Needed(&TEXT_LIMIT)),
    ("description_text", TEXT_LIMIT),
    ("keywords", Shape::Needed(&COUNTS)),
    ("forbidden_words", TEXTS),
    (
        "ai_flag",
        Shape::Table(&[
            ("in_title", Shape::Text),
            ("in_description", Shape::Text),
            ("keyword", Shape::Text),
            ("category", Shape::Text),
        ]),
    ),
    ("distinct", Shape::Table(&[("titles", Shape::Needed(&COUNT)), ("first_keywords", Shape::Needed(&COUNT))])),
    ("season_lead_days", Shape::Integer(0, u16::MAX as i64)),
    ("csv", Shape::Needed(&CSV)),
    ("categories", Shape::Map(&Shape::Scalar)),
    ("categories_of_a_file", COUNTS),
    (
        "boxes",
        Shape::Table(&[
            ("ai", YES_BOX),
            ("look", Shape::Table(&[("photo", TEXT), ("illustration", TEXT)])),
            ("people", YES_BOX),
        ]),
    ),
    ("delivery", Shape::Table(&[("csv", ACCEPTS)])),
    (
        "verdicts",
        Shape::Table(&[
            ("file", TEXT),
            ("verdict", TEXT),
            ("reason", Shape::Text),
            ("accepted", Shape::Needed(&TEXTS)),
            ("refused", Shape::Needed(&TEXTS)),
            ("pending", TEXTS),
        ]),
    ),
    ("people_rule", Shape::Text),
    ("illustration_rule", Shape::Text),
    ("before", TEXTS),
    ("checklist", TEXTS),
];

fn day(text: &str) -> Result<(), String> {
    text.parse::<Date>().map(drop).map_err(|_| format!("`{text}` is no day; write it as 2026-11-28"))
}

fn sign(text: &str) -> Result<(), String> {
    let is_one = text.chars().count() == 1;
    is_one.then_some(()).ok_or_else(|| format!("`{text}` must be one sign such as `,` or `;`, or a tab"))
}

fn kind(text: &str) -> Result<(), String> {
    let names = Kind::ALL.map(|kind| kind.to_string());
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    if names.contains(&text) {
        return Ok(());
    }
    let near = nearest(text, &names).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    Err(format!("`{text}` must be one of {}{near}", names.join(", ")))
}
