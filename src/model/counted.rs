use super::RelPath;

/// Returns a number of things in words: `1 file`, `2 files`.
pub fn counted(count: usize, one: &str) -> String {
    let stem = one.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u']));
    match (count, stem) {
        (1, _) => format!("1 {one}"),
        (_, Some(stem)) => format!("{count} {stem}ies"),
        (_, None) => format!("{count} {one}s"),
    }
}

/// The most files that are named where the same is told of many.
const NAMED_MAX: usize = 3;

/// Returns how files are named of which the same is told.
pub fn named(files: &[RelPath]) -> String {
    let first: Vec<String> = files.iter().take(NAMED_MAX).map(ToString::to_string).collect();
    let more = if files.len() > NAMED_MAX { format!(" and {} more", files.len() - NAMED_MAX) } else { String::new() };
    format!("{}{more}", first.join(", "))
}

/// Returns a figure with as few decimals, from one on, as let what is seen of it tell what matters about it.
pub fn figure(figure: f64, tells: impl Fn(f64) -> bool) -> String {
    let mut shown = (1..=6).map(|decimals| format!("{figure:.decimals$}"));
    let is_told = |text: &String| text.parse().is_ok_and(&tells);
    shown.find(is_told).unwrap_or_else(|| figure.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_its_plural() {
        let cases = [(0, "file", "0 files"), (1, "file", "1 file"), (2, "entry", "2 entries"), (2, "day", "2 days")];
        for (count, one, expected) in cases {
            assert_eq!(counted(count, one), expected);
        }
    }
}
