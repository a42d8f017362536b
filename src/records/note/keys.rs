const COUNT_MAX: u32 = 10_000;
/// The longest key in bytes, with its emphasis marks.
const KEY_BYTES_MAX: usize = 32;

/// What a `key: value`, a column or a sub-heading is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Title,
    /// The title, or the category where there is a title too.
    Theme,
    Keywords,
    Mood,
    Prompts,
    Description,
    Category,
    Priority,
    Variations,
    /// Meant for the author only; it never reaches a file that is sold.
    Private,
    /// Known, but a theme has no field for it.
    Unplaced,
}

/// Returns the key that a word names.
pub(super) fn key_named(name: &str) -> Option<Key> {
    let name = name.trim_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '_' | '`' | ':' | '"'));
    Some(match name.to_lowercase().as_str() {
        "title" | "topic" | "subject" | "idea" => Key::Title,
        "theme" => Key::Theme,
        "keywords" | "keyword" | "tags" | "tag" => Key::Keywords,
        "mood" | "moods" | "style" | "styles" => Key::Mood,
        "prompt" | "prompts" => Key::Prompts,
        "description" | "desc" | "summary" => Key::Description,
        "category" | "categories" => Key::Category,
        "priority" | "prio" => Key::Priority,
        "count" | "series" | "variations" | "variation" | "variants" | "qty" | "quantity" | "n" => Key::Variations,
        "notes" | "note" | "context" | "guidance" | "status" | "done" | "date" | "created" | "updated" | "aliases"
        | "id" => Key::Private,
        "negative" | "negative prompt" | "avoid" | "ratio" | "ar" | "aspect" | "market" | "markets" => Key::Unplaced,
        _ => return None,
    })
}

/// Returns the key and the value of a `key: value`, also as `**Key:** value`; `None` for other text.
pub(super) fn split_key(text: &str) -> Option<(Key, &str)> {
    let head = &text[..text.floor_char_boundary(KEY_BYTES_MAX.min(text.len()))];
    let colon = head.find(':')?;
    let key = key_named(&head[..colon])?;
    let rest = text[colon + 1..].trim_start_matches("**").trim_start_matches("__");
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then_some((key, rest.trim()))
}

/// Returns a priority in words, as a letter, as `P2`, as `!!` or as a number; 1 is the highest.
pub(super) fn priority_of(text: &str) -> Option<u8> {
    let lower = text.trim().to_lowercase();
    Some(match lower.as_str() {
        "highest" | "urgent" | "high" | "!!!" | "a" => 1,
        "normal" | "medium" | "!!" | "b" => 2,
        "low" | "!" | "c" => 3,
        "lowest" | "d" => 4,
        other => other.strip_prefix('p').unwrap_or(other).parse().ok().filter(|number| *number > 0)?,
    })
}

/// Returns a number of variations: `12`, `x12`, `×12` or `12x`.
pub(super) fn count_of(text: &str) -> Option<u32> {
    let lower = text.trim().to_lowercase();
    let digits = lower.trim_start_matches(['x', '×']).trim_end_matches(['x', '×']).trim();
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|count| plain && (1..=COUNT_MAX).contains(count))
}
