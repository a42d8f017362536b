//! What tells what a market is told of a file from something else: what it refused for its category alone has the same bytes
//! once that is mended.

use std::collections::BTreeSet;

use super::checklist_boxes::{is_named_as_still, ticks};
use super::tags::Resolved;
use crate::market::{self, BoxKind, Market, Row, Value};
use crate::model::ContentHash;
use crate::records::RowDigest;

/// Returns what tells the row of a file from another one; `tags` are those that it would have without a number. It is made of
/// what the tags say and of what of it the market is told, and not of a line of the CSV: another name, other columns beside
/// these, another order of them and other words for a box say nothing else, and a category may be a box of the portal.
pub fn row_digest(market: &Market, tags: &Resolved, file_name: &str) -> RowDigest {
    let meta = tags.meta();
    let category = tags.category.get(market.name.as_str()).map(|category| category.value.as_str());
    let look = tags.look.as_ref().map(|look| look.value);
    let people = tags.people.as_ref().map(|people| people.value);
    let fitted = market::fit(market, &meta).meta;
    let cells = market::cells(market, &Row { file_name: "", meta: &fitted, category });
    let is_of_file = |value: Value| !matches!(value, Value::FileName | Value::Text | Value::Nothing);
    let columns = market.csv.columns.iter().map(|column| column.value);
    let cells = columns.zip(cells).filter(|(value, _)| is_of_file(*value));
    let boxes = ticks(market, is_named_as_still(file_name), meta.source_type.is_by_ai(), (look, people, category));
    let boxes = boxes.into_iter().map(|(kind, _)| match kind {
        BoxKind::Ai => (format!("{kind:?}"), String::new()),
        BoxKind::Look => (format!("{kind:?}"), format!("{look:?}")),
        BoxKind::People => (format!("{kind:?}"), format!("{people:?}")),
        BoxKind::Category => (format!("{kind:?}"), format!("{category:?}")),
    });
    let told: BTreeSet<_> = cells.map(|(value, cell)| (format!("{value:?}"), cell)).chain(boxes).collect();
    let texts = (&meta.title, &meta.description, &meta.keywords, &meta.creator);
    let tags = serde_json::to_vec(&(texts, meta.source_type, category, look, people));
    let digest =
        |json: serde_json::Result<Vec<u8>>| ContentHash::of(&json.expect("tags are texts that JSON can write"));
    RowDigest { tags: digest(tags), told: digest(serde_json::to_vec(&told)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::built_in;
    use crate::model::{People, SourceType, Tags};
    use crate::plan::tags::{Layer, resolve};
    use crate::records::Got;

    fn sea() -> Tags {
        let keywords = ["sea", "wave", "water", "blue", "shore"].map(str::to_owned).to_vec();
        let category = [("adobe-stock", "1"), ("magnific", "1")].map(|(market, is)| (market.to_owned(), is.to_owned()));
        let source_type = Some(SourceType::TrainedAlgorithmicMedia);
        Tags { title: Some("Sea {n}".to_owned()), keywords, category: category.into(), source_type, ..Tags::default() }
    }

    /// What only the CSV says, or a box of the portal, was as if nobody had mended it.
    #[test]
    fn a_row_is_another_one_if_its_tags_say_what_the_market_is_told() {
        let market = |name: &str| built_in().unwrap().into_iter().find(|market| market.name == name).unwrap();
        let columns = |mut market: Market| {
            market.csv.columns.reverse();
            market.csv.columns.retain(|column| column.value != Value::Keywords);
            market
        };
        let without_boxes = |mut market: Market| {
            market.boxes = None;
            market
        };
        let reversed = |mut market: Market| {
            market.csv.columns.reverse();
            market
        };
        let with_people = || Tags { people: Some(People::Yes), ..sea() };
        let shorter = |mut market: Market| {
            market.title_text.chars_max = 3;
            market
        };
        let category = |name: &str| {
            let mut tags = sea();
            tags.category.insert(name.to_owned(), "11".to_owned());
            tags
        };
        let many = || (0..60).map(|n| format!("word{n}")).collect::<Vec<_>>();
        let (short, long) = (Tags { keywords: many()[..50].to_vec(), ..sea() }, Tags { keywords: many(), ..sea() });
        let adobe = || market("adobe-stock");
        // What it was for its market, what it is now, and whether that is another row.
        let rows = vec![
            ((adobe(), sea()), (adobe(), sea()), false),
            ((adobe(), sea()), (adobe(), category("adobe-stock")), true),
            ((adobe(), sea()), (adobe(), category("magnific")), false),
            ((adobe(), sea()), (adobe(), Tags { title: Some("Waves {n}".to_owned()), ..sea() }), true),
            ((adobe(), sea()), (adobe(), with_people()), true),
            // Other rules and columns of the market are nothing that the file says.
            ((adobe(), sea()), (columns(adobe()), sea()), false),
            ((adobe(), sea()), (shorter(adobe()), sea()), false),
            ((adobe(), sea()), (columns(adobe()), category("adobe-stock")), true),
            // A box that its portal has not says nothing there, also if its columns stand in another order by now.
            ((without_boxes(adobe()), sea()), (reversed(without_boxes(adobe())), with_people()), false),
            // The market gets no more keywords than it takes.
            ((adobe(), short), (adobe(), long), false),
        ];
        for (number, (was, now, is_another)) in rows.into_iter().enumerate() {
            let got = |(market, tags): (Market, Tags)| {
                let row = row_digest(&market, &resolve(&[(Layer::Theme, tags)]), "a.jpg");
                Got { hash: ContentHash::of(b"a"), row: Some(row) }
            };
            let (was, now) = (got(was), got(now));
            assert_eq!(was.has_another_row(now.row.as_ref()), is_another, "row {number}");
        }
    }
}
