use super::delivery::DELIVERY;
use super::gate::WEEKDAYS;
use super::shape::Shape;
use crate::model::{Method, Restore};

const BIG: i64 = 1 << 40;
const STRENGTHS: [&str; 4] = ["off", "low", "medium", "high"];

/// The keys of a gate's schedule.
pub(super) const SCHEDULE: Shape = Shape::Table(&[
    ("on", Shape::List(&Shape::OneOf(&WEEKDAYS))),
    ("at", Shape::Time),
    ("at_most", Shape::Integer(1, 100_000)),
    ("at_most_per_week", Shape::Integer(1, 100_000)),
    ("zone", Shape::Text),
]);

const MARKET_LIMITS: Shape = Shape::Table(&[
    ("at_most", Shape::Integer(1, 1_000_000)),
    ("at_most_per_week", Shape::Integer(1, 1_000_000)),
    ("at_most_in_review", Shape::Integer(1, 1_000_000)),
    ("review_days", Shape::Integer(1, 3650)),
]);

const BRAKE: Shape = Shape::Table(&[("last", Shape::Integer(1, 10_000)), ("accepted_min", Shape::Number(0.0, 1.0))]);

const SOURCE_TYPES: [&str; 5] = [
    "trainedAlgorithmicMedia",
    "compositeWithTrainedAlgorithmicMedia",
    "algorithmicMedia",
    "digitalCreation",
    "digitalCapture",
];

/// All keys.
pub(super) const SETTINGS: Shape = Shape::Table(&[
    (
        "folders",
        Shape::Table(&[
            ("ideas", Shape::Text),
            ("raw", Shape::Text),
            ("keep", Shape::Text),
            ("export", Shape::Text),
            ("upload", Shape::Text),
            ("archive", Shape::Text),
            ("failed", Shape::Text),
            ("logs", Shape::Text),
        ]),
    ),
    (
        "settle",
        Shape::Table(&[
            ("quiet_ms", Shape::Integer(0, 60_000)),
            ("weak_quiet_ms", Shape::Integer(0, 600_000)),
            ("notes_quiet_s", Shape::Integer(0, 3600)),
            ("patience_s", Shape::Integer(1, 86_400)),
            ("rescan_s", Shape::Integer(1, 86_400)),
            ("ignore", Shape::List(&Shape::Text)),
        ]),
    ),
    (
        "naming",
        Shape::Table(&[
            ("first", Shape::Text),
            ("last", Shape::Text),
            ("markets", Shape::Map(&Shape::Text)),
            ("bytes_max", Shape::Integer(16, 200)),
        ]),
    ),
    ("ideas", Shape::Table(&[("prompts_max", Shape::Integer(1, 10_000))])),
    (
        "keep",
        Shape::Table(&[
            ("method", Shape::Read(|text| text.parse::<Method>().map(drop))),
            ("restore", Shape::Read(|text| text.parse::<Restore>().map(drop))),
            (
                "command",
                Shape::Table(&[
                    ("run", Shape::List(&Shape::Text)),
                    ("scales", Shape::List(&Shape::Integer(2, 8))),
                    ("timeout_s", Shape::Integer(1, 86_400)),
                    ("memory_mib", Shape::Integer(64, 1 << 20)),
                ]),
            ),
            ("min_megapixels", Shape::Number(0.01, 1000.0)),
            ("scale", Shape::Number(1.0, 16.0)),
            ("long_edge", Shape::Integer(16, 65_000)),
            ("megapixels_max", Shape::Number(0.01, 1000.0)),
            ("scale_max", Shape::Number(1.0, 16.0)),
            ("enhance", Shape::Table(&[("sharpen", Shape::OneOf(&STRENGTHS)), ("levels", Shape::OneOf(&STRENGTHS))])),
        ]),
    ),
    (
        "export",
        Shape::Table(&[
            ("format", Shape::OneOf(&["jpeg", "png", "webp", "tiff"])),
            ("quality", Shape::Integer(80, 100)),
            ("scans", Shape::OneOf(&["baseline", "progressive"])),
            ("profile", Shape::OneOf(&["srgb", "keep"])),
            ("background", Shape::Text),
            ("ai_fields", Shape::List(&Shape::OneOf(&["system", "version", "prompt", "writer"]))),
        ]),
    ),
    (
        "defaults",
        Shape::Table(&[
            ("title", Shape::Scalar),
            ("description", Shape::Scalar),
            ("keywords", Shape::Words),
            ("creator", Shape::Scalar),
            ("rights", Shape::Scalar),
            ("source_type", Shape::OneOf(&SOURCE_TYPES)),
            (
                "ai",
                Shape::Table(&[
                    ("system", Shape::Scalar),
                    ("version", Shape::Scalar),
                    ("prompt", Shape::Scalar),
                    ("writer", Shape::Scalar),
                ]),
            ),
            ("category", Shape::Map(&Shape::Category)),
            ("look", Shape::OneOf(&["photo", "illustration"])),
            ("people", Shape::OneOf(&["yes", "no", "unsure"])),
        ]),
    ),
    (
        "upload",
        Shape::Table(&[
            ("markets", Shape::List(&Shape::Text)),
            ("names", Shape::Words),
            ("delivery", Shape::Map(&DELIVERY)),
            ("limits", Shape::Map(&MARKET_LIMITS)),
            ("brake", BRAKE),
            ("probe", Shape::Integer(1, 10_000)),
            ("order", Shape::OneOf(&["oldest", "complete", "priority", "season"])),
        ]),
    ),
    (
        "gates",
        Shape::Table(&[
            ("ideas", Shape::Gate),
            ("raw", Shape::Gate),
            ("keep", Shape::Gate),
            ("export", Shape::Gate),
            ("upload", Shape::Gate),
        ]),
    ),
    (
        "work",
        Shape::Table(&[
            ("jobs", Shape::Integer(0, 1024)),
            ("memory_mib", Shape::Integer(64, 1 << 20)),
            ("megapixels_max", Shape::Integer(1, 4000)),
            ("file_mib_max", Shape::Integer(1, BIG)),
            ("free_mib_min", Shape::Integer(0, BIG)),
            ("undo_days", Shape::Integer(0, 3650)),
            ("undo_mib_max", Shape::Integer(0, BIG)),
            ("neural", Shape::Table(&[("nice", Shape::Integer(0, 19)), ("cores", Shape::Integer(0, 1024))])),
        ]),
    ),
    (
        "log",
        Shape::Table(&[
            ("format", Shape::OneOf(&["text", "json"])),
            ("level", Shape::OneOf(&["error", "warn", "info", "debug"])),
            ("size_mib_max", Shape::Integer(1, BIG)),
            ("files_max", Shape::Integer(1, 10_000)),
        ]),
    ),
]);
