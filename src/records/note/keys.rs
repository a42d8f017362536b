use std::collections::HashMap;
use std::sync::LazyLock;

use jiff::civil::Date;

use crate::model::{Look, People};

const COUNT_MAX: u32 = 10_000;
/// The longest name of a field in bytes, with its emphasis marks.
const KEY_BYTES_MAX: usize = 40;

/// What a `key: value`, a column or a heading is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Title,
    /// The title, or the category where there is a title too.
    Theme,
    Keywords,
    Mood,
    /// One prompt, of any number of lines.
    Prompt,
    /// A prompt in each line.
    Prompts,
    Description,
    Category,
    Priority,
    Variations,
    Look,
    People,
    Season,
    /// It is read for `done` alone.
    Status,
    /// Known, but a theme has no place for it.
    Unplaced,
    /// What programs say of a note.
    Metadata,
}

/// The names of the keys in some languages, small letters.
const NAMES: &[(Key, &str)] = &[
    (
        Key::Title,
        "title titel titre título titolo tytuł タイトル topic subject idea idee idée name nombre nome concept konzept \
         headline thema motiv sujet",
    ),
    (Key::Theme, "theme"),
    (
        Key::Keywords,
        "keywords keyword key-words tags tag hashtags labels schlagwörter schlagworte schlüsselwörter stichwörter \
         stichworte suchbegriffe mots-clés mots-clefs étiquettes palabras-clave etiquetas parole-chiave etichette \
         palavras-chave słowa-kluczowe tagi trefwoorden キーワード タグ 关键词 关键字 ключевые-слова теги",
    ),
    (
        Key::Mood,
        "mood moods style styles atmosphere vibe stimmung atmosphäre stil ambiance ambiente estilo atmosfera umore \
         nastrój ムード 雰囲気",
    ),
    (Key::Prompt, "prompt prompt-idea プロンプト"),
    (Key::Prompts, "prompts prompt-ideas"),
    (
        Key::Description,
        "description desc summary caption beschreibung descripción descrizione descrição beschrijving opis 説明 描述",
    ),
    (Key::Category, "category categories kategorie catégorie categoría categoria kategoria カテゴリ"),
    (Key::Priority, "priority prio pri priorität priorité prioridad priorità"),
    (Key::Variations, "count series variations variation variants variant qty quantity n anzahl varianten"),
    (Key::Status, "status state list-name archived done erledigt fertig fait terminé hecho fatto zrobione gotowe 完了"),
    (
        Key::Unplaced,
        "notes note context guidance negative negative-prompt avoid ratio aspect-ratio ar market markets notizen notiz \
         filename file-name user-name",
    ),
    (Key::Metadata, "date created updated modified aliases alias id cssclass cssclasses publish"),
];

/// Each line of a note is asked for keys.
static BY_NAME: LazyLock<HashMap<&str, Key>> = LazyLock::new(|| {
    NAMES.iter().flat_map(|(key, names)| names.split_ascii_whitespace().map(|name| (name, *key))).collect()
});

/// Returns the key that a word names.
pub(super) fn key_named(name: &str) -> Option<Key> {
    if name.len() > KEY_BYTES_MAX {
        return None;
    }
    let name = bare(name).split([' ', '_', '-']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
    BY_NAME.get(name.as_str()).copied()
}

/// Returns the key of a word of everyday language, which is a field only with one of the values that it may have.
pub(super) fn key_of_value(name: &str, value: &str) -> Option<Key> {
    let value = value.trim();
    match bare(name).as_str() {
        "look" => look_of(value).map(|_| Key::Look),
        "people" => people_of(value).map(|_| Key::People),
        "season" => season_of(value).map(|_| Key::Season),
        _ => None,
    }
}

pub(super) fn look_of(value: &str) -> Option<Look> {
    [Look::Photo, Look::Illustration].into_iter().find(|look| look.name().eq_ignore_ascii_case(value))
}

pub(super) fn people_of(value: &str) -> Option<People> {
    [People::Yes, People::No, People::Unsure].into_iter().find(|people| people.name().eq_ignore_ascii_case(value))
}

pub(super) fn season_of(value: &str) -> Option<Date> {
    value.parse().ok()
}

/// Returns the key of a column or of a field in YAML, which may be named with more words: `Idea Name`, `Image prompt`.
pub(super) fn field_named(name: &str) -> Option<Key> {
    let name = &name[..name.find('(').unwrap_or(name.len())];
    let last = || name.trim().rsplit_once([' ', '_', '-']).filter(|_| name.len() <= KEY_BYTES_MAX);
    key_named(name).or_else(|| {
        let key = last().and_then(|(_, last)| key_named(last))?;
        matches!(key, Key::Title | Key::Keywords | Key::Prompt | Key::Prompts | Key::Description).then_some(key)
    })
}

/// Returns the key and the value of a `key: value` or `key:: value`; `None` for other text.
pub(super) fn split_key(text: &str) -> Option<(Key, &str)> {
    let head = &text[..text.floor_char_boundary(KEY_BYTES_MAX)];
    let colon = head.find(':')?;
    let in_words = || key_in_words(&head[..colon]);
    let rest = text[colon + 1..].trim_start_matches(':').trim_start_matches("**").trim_start_matches("__");
    let of_value = || key_of_value(&head[..colon], rest).or_else(|| key_before_field(&head[..colon], rest));
    let key = key_named(&head[..colon]).or_else(in_words).or_else(of_value)?;
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then_some((key, rest.trim()))
}

/// Returns the key of a word of everyday language behind whose value stands one more field: `look: photo; people: no`.
fn key_before_field(name: &str, rest: &str) -> Option<Key> {
    // Such values are short; a line may be endless.
    let mut parts = rest[..rest.floor_char_boundary(2 * KEY_BYTES_MAX)].split([';', '|']);
    let key = key_of_value(name, parts.next()?)?;
    let (name, value) = parts.next()?.split_once(':')?;
    key_named(name).or_else(|| key_of_value(name, value)).map(|_| key)
}

/// Returns the key of a name that says more: `Image prompt`, `Suggested keywords`.
fn key_in_words(name: &str) -> Option<Key> {
    const MORE: &str = "suggested main seo stock image english german possible more additional relevant search";
    let name = name.trim_matches(['*', '_', ' ']);
    // `Prompt (Midjourney): …`
    if let Some((name, _)) = name.split_once('(').filter(|_| name.ends_with(')')) {
        return key_named(name);
    }
    let (first, last) = name.rsplit_once(' ')?;
    let is_plain = first.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '&'));
    let is_more = || first.split(' ').all(|word| MORE.split(' ').any(|more| more == word.to_lowercase()));
    let key = key_named(last).filter(|_| is_plain && first.split(' ').count() < 3)?;
    match key {
        Key::Prompt | Key::Prompts => Some(key),
        Key::Keywords if is_more() => Some(key),
        _ if key_named(first) == Some(key) => Some(key),
        _ => None,
    }
}

/// Returns whether a heading says that what stands below it is done.
pub(super) fn is_done_heading(name: &str) -> bool {
    matches!(
        bare(name).as_str(),
        "done"
            | "finished"
            | "completed"
            | "published"
            | "uploaded"
            | "archive"
            | "archived"
            | "erledigt"
            | "fertig"
            | "fait"
            | "terminé"
            | "hecho"
            | "fatto"
            | "zrobione"
            | "gotowe"
            | "完了"
    )
}

/// Returns whether a heading is one that names no idea, whatever stands below it.
pub(super) fn is_general_heading(name: &str) -> bool {
    const GENERAL: &str = "notes note notizen notiz status state context kontext idea ideas ideen todo to-do list inbox misc \
        overview intro introduction background links references resources summary log journal keywords tags count \
        settings conclusion tips";
    let name = bare(name);
    GENERAL.split_whitespace().any(|known| known == name)
}

/// Returns whether a heading stands above advice, which chat-bots add.
pub(super) fn is_advice_heading(name: &str) -> bool {
    const ADVICE: &str = "|tip|tips|tipp|tipps|hinweise|advice|conseils|consejos|suggerimenti|";
    const BEFORE: &str = "|pro|bonus|quick|extra|final|general|shooting|some|";
    let name = bare(name);
    let mut words = name.split_whitespace().skip_while(|word| BEFORE.contains(&format!("|{word}|")));
    name == "next steps" || words.next().is_some_and(|word| ADVICE.contains(&format!("|{word}|")))
}

fn bare(name: &str) -> String {
    name.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}

/// Returns whether the value of a `status` says that the idea is done.
pub(super) fn is_done(value: &str) -> bool {
    let word = value.trim_matches(|c: char| c.is_whitespace() || c.is_ascii_punctuation()).to_lowercase();
    matches!(
        word.as_str(),
        "done"
            | "finished"
            | "complete"
            | "completed"
            | "closed"
            | "published"
            | "uploaded"
            | "cancelled"
            | "canceled"
            | "dropped"
            | "erledigt"
            | "fertig"
            | "yes"
            | "true"
            | "ja"
            | "x"
            | "1"
            | "✓"
            | "✔"
            | "✅"
            | "☑"
    )
}

/// Returns the idea that is done in `done: Apple pie`, which is no field of another.
pub(super) fn done_idea(text: &str) -> Option<&str> {
    let (_, value) = split_key(text).filter(|(key, value)| *key == Key::Status && !value.is_empty())?;
    let name = text.split(':').next().unwrap_or("");
    (is_done_heading(name) && !is_done(value) && !is_open(value)).then_some(value)
}

/// Returns whether the value of a `status` says that the idea is still open.
pub(super) fn is_open(value: &str) -> bool {
    const OPEN: &str = "|open|todo|to do|to-do|not started|in progress|doing|started|idea|draft|active|planned|backlog|new|\
        next|later|waiting|pending|inbox|someday|no|false|0|offen|neu|geplant|in arbeit|nein|à faire|en cours|\
        pendiente|en curso|da fare|in corso|do zrobienia|w toku|";
    OPEN.contains(&format!("|{}|", value.trim().to_lowercase()))
}

/// Returns a priority in words, as a letter, as `P2`, as `!!` or as a number; 1 is the highest.
pub(super) fn priority_of(text: &str) -> Option<u8> {
    let lower = text.trim().to_lowercase();
    Some(match lower.as_str() {
        "highest" | "urgent" | "high" | "hoch" | "!!!" | "a" => 1,
        "normal" | "medium" | "mittel" | "!!" | "b" => 2,
        "low" | "niedrig" | "!" | "c" => 3,
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

/// Returns the markets and categories of `market: category, …`. What names no market belongs to the one before it, or to
/// none, which has no name.
pub(super) fn categories(text: &str) -> Vec<(&str, String)> {
    let mut found: Vec<(&str, String)> = Vec::new();
    for part in text.split([',', ';']).map(str::trim).filter(|part| !part.is_empty()) {
        match (part.split_once([':', '=']), found.last_mut()) {
            (Some((market, category)), _) => found.push((market.trim(), category.trim().to_owned())),
            (None, Some((_, category))) => category.extend([", ", part]),
            (None, None) => found.push(("", part.to_owned())),
        }
    }
    found
}
