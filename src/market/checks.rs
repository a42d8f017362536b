use super::accepts::Accepts;
use super::profile::{Code, Market, Range, TextLimit};
use crate::model::{Colours, Kind, Meta, Size, SourceType, Video, counted, figure, nearest, split_words};

/// A file that is offered to a market.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// What it is.
    pub kind: Kind,
    /// Its size in pixels, for pictures.
    pub size: Option<Size>,
    /// What is measured of it, for videos.
    pub video: Option<Video>,
    /// Its size in bytes.
    pub bytes: u64,
    /// The colours that a picture is stored in, if anybody can tell.
    pub colours: Option<Colours>,
    /// Its tags, fitted to the market.
    pub meta: Meta,
    /// Its category, as the person wrote it.
    pub category: Option<String>,
    /// Where its tags are written.
    pub written: WrittenIn,
}

/// Where tags are written that lie on top of those of the theme, in words; writing them there would change nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WrittenIn {
    /// The title.
    pub title: Option<&'static str>,
    /// The description, or the title in its place.
    pub description: Option<&'static str>,
    /// The category for the market.
    pub category: Option<&'static str>,
    /// What is written nowhere yet; of a file with a theme that is where the theme's are.
    pub shared: Option<&'static str>,
}

impl WrittenIn {
    /// Returns where something is to be written, of which a `place` may be known.
    fn place(self, place: Option<&'static str>) -> &'static str {
        place.or(self.shared).unwrap_or("in the theme's tags.yaml")
    }
}

/// Returns why a market would refuse a file, in words; empty if it takes it. Of what it never takes nothing else is told:
/// whoever mended that would not sell it there either.
pub fn check(market: &Market, candidate: &Candidate) -> Vec<String> {
    let mut reasons = check_file(market, candidate);
    if never(market, candidate.kind, candidate.meta.source_type).is_empty() {
        reasons.extend(untold(market, &candidate.meta, candidate.category.as_deref(), candidate.written));
    }
    reasons
}

/// Returns what the market has against a file whatever its texts and categories are.
pub fn check_file(market: &Market, candidate: &Candidate) -> Vec<String> {
    let never = never(market, candidate.kind, candidate.meta.source_type);
    if !never.is_empty() {
        return never;
    }
    let mut reasons = picture(market, candidate);
    reasons.extend(refused_video(market, candidate.kind, candidate.video.as_ref(), candidate.bytes));
    reasons
}

/// Returns what the market has against the tags of a file, but for how it came to be.
fn untold(market: &Market, meta: &Meta, category: Option<&str>, written: WrittenIn) -> Vec<String> {
    let categories = wrong_categories(market, category, meta, written);
    texts(market, meta, written).into_iter().chain(categories).collect()
}

/// Returns what the market has against all tags of a file, fitted to it; how it came to be alone, if that is never taken.
pub fn check_tags(market: &Market, meta: &Meta, category: Option<&str>, written: WrittenIn) -> Vec<String> {
    ai(market, meta.source_type).map_or_else(|| untold(market, meta, category, written), |never| vec![never])
}

/// Returns why a market takes no file of a kind that came to be in such a way, whatever else it is.
pub fn never(market: &Market, kind: Kind, source_type: SourceType) -> Vec<String> {
    let kinds = || market.kinds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let is_taken = market.kinds.contains(&kind);
    let of_kind = (!is_taken).then(|| format!("it is {kind}, and the market takes {}", kinds()));
    ai(market, source_type).into_iter().chain(of_kind).collect()
}

/// Returns why the market does not get a file that AI made; what it says of that is its policy.
fn ai(market: &Market, source_type: SourceType) -> Option<String> {
    match market.accepts_ai {
        _ if !source_type.is_by_ai() => None,
        Accepts::Yes => None,
        Accepts::No => Some("it takes no work made by AI".to_owned()),
        Accepts::Unknown => Some(
            "nobody could establish whether it takes work made by AI; ask the market, and write `accepts_ai: true` or \
             `false` into a profile of your own in `markets/`"
                .to_owned(),
        ),
    }
}

/// Returns what a market that gets no work made by AI says of it, with the source; `None` if it takes that.
pub fn ai_policy(market: &Market) -> Option<String> {
    let Market { name, policy, source, checked, .. } = market;
    let rule = match market.accepts_ai {
        Accepts::Yes => return None,
        Accepts::No => "takes no work made by AI",
        Accepts::Unknown => "is not known to take work made by AI",
    };
    let is_said = |about: &str| market.facts.iter().find(|fact| fact.about.iter().any(|key| key == about));
    let (source, checked) = is_said("accepts_ai").map_or((source, checked), |fact| (&fact.source, &fact.checked));
    let said = if policy.is_empty() { String::new() } else { format!(": {policy}") };
    Some(format!("`{name}` {rule}{said} ({source}, {checked})"))
}

/// Returns what a market has against a video by what is measured of it; nothing for other kinds, and where no limits of
/// videos are known.
pub(super) fn refused_video(market: &Market, kind: Kind, video: Option<&Video>, bytes: u64) -> Vec<String> {
    let limits = market.video.as_ref().filter(|_| kind.is_video());
    limits.map(|limits| limits.refuse(video.unwrap_or(&Video::default()), bytes)).unwrap_or_default()
}

/// Returns how many megapixels a picture of these proportions has once its short edge has so many pixels, to a tenth above.
pub fn megapixels_of_edge(edge: u32, long: u32, short: u32) -> f64 {
    let edge = f64::from(edge);
    (edge * edge * f64::from(long) / f64::from(short.max(1)) / 1e5).ceil() / 10.0
}

/// Returns what is to be done with a picture that has too few pixels: the settings may say so already, and it passed `keep` before
/// they did.
fn enlarged(megapixels: f64) -> String {
    format!(
        "with `keep: {{min_megapixels: {megapixels}}}` it is enlarged so far in `keep`, unless `keep.method` is `none`; what passed \
         `keep` before goes through it again by `stockmill release keep --again`"
    )
}

/// What is to be done with a picture that has too many pixels: nothing here makes one smaller.
const SMALLER: &str = "make it smaller, and drop it again";

/// Returns what the market has against the edges of a picture.
fn edges(market: &Market, size: Size) -> Vec<String> {
    let (short, long) = (size.width.min(size.height), size.width.max(size.height));
    let Range { min, max } = market.edge;
    let mut reasons = Vec::new();
    if short < min {
        let wanted = megapixels_of_edge(min, long, short);
        let remedy =
            if wanted <= market.megapixels.max { enlarged(wanted) } else { "it is too long for its width".to_owned() };
        reasons.push(format!("an edge has {short} pixels, and the market takes {min} or more; {remedy}"));
    }
    if long > max {
        reasons.push(format!("an edge has {long} pixels, and the market takes at most {max}; {SMALLER}"));
    }
    reasons
}

/// Returns what the market has against a picture's measures.
fn picture(market: &Market, candidate: &Candidate) -> Vec<String> {
    if !candidate.kind.is_image() {
        return Vec::new();
    }
    let mut reasons = Vec::new();
    if let Some(size) = candidate.size {
        let (megapixels, range) = (size.megapixels(), market.megapixels);
        if !(range.min..=range.max).contains(&megapixels) {
            let (min, max) = (range.min, range.max);
            let has = figure(megapixels, |seen| seen > 0.0 && !(min..=max).contains(&seen));
            let remedy = if megapixels < min { enlarged(min) } else { SMALLER.to_owned() };
            reasons.push(format!("it has {has} megapixels, and the market takes {min} to {max}; {remedy}"));
        }
        reasons.extend(edges(market, size));
    }
    if !(market.bytes.min..=market.bytes.max).contains(&candidate.bytes) {
        let (min, max) = (market.bytes.min, market.bytes.max);
        // What quality can do was tried when the file was made.
        let takes = if candidate.bytes < min {
            format!("{min} or more; with more pixels (`keep: {{min_megapixels: …}}`) it has more")
        } else {
            format!("at most {max}; with fewer pixels it has fewer")
        };
        reasons.push(format!("it has {} bytes, and the market takes {takes}", candidate.bytes));
    }
    reasons.extend(market.colour.as_ref().and_then(|limit| limit.refuse(candidate.colours)));
    reasons
}

/// How a title is named that a market gets as description, too.
const STANDS_IN: &str = "title, which stands in for a description of its own,";

/// Returns a text without the words at its end that name what AI made.
fn bare<'a>(text: &'a str, flag: Option<&String>) -> &'a str {
    let bare = flag.and_then(|flag| text.strip_suffix(flag.as_str())).unwrap_or(text);
    bare.trim_end_matches(|c: char| !c.is_alphanumeric())
}

/// Returns what is missing in texts.
fn texts(market: &Market, meta: &Meta, written: WrittenIn) -> Vec<String> {
    let mut reasons = Vec::new();
    let min = market.keywords.min;
    let flag = Some(&market.ai_flag).filter(|_| meta.source_type.is_by_ai());
    let own = |own: Option<&String>, is_there: &dyn Fn(&str) -> bool| {
        let own = own.filter(|own| is_there(own));
        own.map(|own| format!(", `{own}` for what AI made among them,")).unwrap_or_default()
    };
    let own_keyword =
        own(flag.and_then(|flag| flag.keyword.as_ref()), &|own| meta.keywords.iter().any(|word| word == own));
    let is_few = meta.keywords.len() < min;
    let has = format!("{}{own_keyword}", counted(meta.keywords.len(), "keyword"));
    let where_to = written.place(None);
    match (meta.title.is_empty(), is_few) {
        (true, true) => {
            reasons.push(format!("it has no title, and {has} of at least {min}; write both {where_to}"));
        }
        (true, false) => reasons.push(format!("it has no title; write one {where_to}")),
        (false, true) => reasons.push(format!("it has {has} and needs {min}; write them {where_to}")),
        (false, false) => (),
    }
    let short =
        |[what, more]: [&str; 2], text: &str, limit: &TextLimit, flag: Option<&String>, place: Option<&'static str>| {
            let (chars, min) = (text.chars().count(), limit.chars_min);
            let (own, place) = (own(flag, &|own| text.contains(own)), written.place(place));
            (chars < min && !text.is_empty())
                .then(|| format!("its {what} has {chars} characters{own} and needs {min}; write {more} {place}"))
        };
    let in_title = flag.and_then(|flag| flag.in_title.as_ref());
    reasons.extend(short(["title", "more"], &meta.title, &market.title_text, in_title, written.title));
    if let Some(limit) = &market.description_text {
        let flag = flag.and_then(|flag| flag.in_description.as_ref());
        let is_title = bare(described(meta), flag) == bare(&meta.title, in_title);
        let what = if is_title { [STANDS_IN, "a description"] } else { ["description", "more"] };
        reasons.extend(short(what, described(meta), limit, flag, written.description));
    }
    reasons
}

/// Returns what is wrong with the categories of a file.
fn wrong_categories(market: &Market, category: Option<&str>, meta: &Meta, written: WrittenIn) -> Option<String> {
    let wrong = category.and_then(|category| no_category(market, category));
    wrong.or_else(|| {
        let (has, Range { min, max }) = (codes(market, category, meta).len(), market.categories_of_a_file);
        let what = written.place(written.category);
        match () {
            () if has < min => {
                let names: Vec<&str> = market.categories.keys().map(String::as_str).take(5).collect();
                let (market, names) = (&market.name, names.join(", "));
                Some(format!("it has no category; write `category: {{{market}: …}}` {what}: {names} …"))
            }
            () if has > max => {
                let own = market.ai_flag.category.as_deref().filter(|_| meta.source_type.is_by_ai());
                let own = own.map(|code| format!(", `{code}` for what AI made among them")).unwrap_or_default();
                Some(format!("it has {has} categories{own}, and the market takes {max}; write fewer {what}"))
            }
            () => None,
        }
    })
}

/// The most categories that are told at once: what a long table has beyond that nobody reads.
const CATEGORIES_TOLD: usize = 30;
/// The most of a long table that are told since they are like the one that is none.
const CATEGORIES_LIKE: usize = 5;

/// Returns what is wrong with a category if the market has none of that name or value. Several are divided by commas. A
/// market without categories asks for none: what is written for it does no harm.
pub fn no_category(market: &Market, category: &str) -> Option<String> {
    let unknown = split_words(category).find(|one| market.code(one).is_none())?;
    if market.categories.is_empty() {
        return None;
    }
    let names: Vec<&str> = market.categories.keys().map(String::as_str).collect();
    let wanted = unknown.to_lowercase();
    let group: Vec<&str> = names.iter().copied().filter(|name| group_of(name).is_some_and(|of| of == wanted)).collect();
    let lower: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
    let near = nearest(&wanted, &lower.iter().map(String::as_str).collect::<Vec<_>>()).filter(|_| group.is_empty());
    let near = near.and_then(|near| names.iter().find(|name| name.to_lowercase() == near));
    let near = near.map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"));
    let told = match () {
        () if !group.is_empty() => format!("of `{unknown}` it has {}", group.join(", ")),
        () if names.len() <= CATEGORIES_TOLD => format!("it has {}", categories_told(market)),
        () => {
            let like: Vec<&str> = names.iter().copied().filter(|name| name.to_lowercase().contains(&wanted)).collect();
            let like = match &like[..] {
                [] => String::new(),
                some => format!("it has {}; ", some[..some.len().min(CATEGORIES_LIKE)].join(", ")),
            };
            let mut groups: Vec<String> = names.iter().filter_map(|name| group_of(name)).collect();
            groups.dedup();
            let all = match &groups[..] {
                [] => format!("`stockmill markets {}` lists them", market.name),
                _ => format!("a group alone tells those in it: {}", groups.join(", ")),
            };
            format!("{like}there are {} in all, and {all}", names.len())
        }
    };
    Some(format!("the market has no category `{unknown}`{near}; {told}"))
}

/// Returns the group that the name of a category begins with, in lower case.
fn group_of(name: &str) -> Option<String> {
    name.split_once('/').map(|(group, _)| group.to_lowercase())
}

/// Returns the categories of a market, the lowest value first: what stands in its manifest, and the name.
pub fn all_categories(market: &Market) -> Vec<(&Code, &str)> {
    let mut all: Vec<_> = market.categories.iter().map(|(name, code)| (code, name.as_str())).collect();
    all.sort();
    all
}

fn categories_told(market: &Market) -> String {
    let said = |(code, name): (&Code, &str)| match code {
        Code::Number(number) => format!("{number} {name}"),
        Code::Word(word) => word.clone(),
    };
    all_categories(market).into_iter().map(said).collect::<Vec<_>>().join(", ")
}

/// Returns the market's values for the categories of a file, given by name or by value, each once; what AI made may have
/// one more.
pub(super) fn codes<'a>(market: &'a Market, category: Option<&str>, meta: &Meta) -> Vec<&'a Code> {
    let flag = market.ai_flag.category.as_deref().filter(|_| meta.source_type.is_by_ai());
    let mut codes: Vec<&Code> = Vec::new();
    let flag = flag.and_then(|flag| market.code(flag));
    for code in split_words(category.unwrap_or_default()).filter_map(|one| market.code(one)) {
        if !codes.contains(&code) && Some(code) != flag {
            codes.push(code);
        }
    }
    // The one that must not be missing stands where each manifest has room.
    codes.splice(0..0, flag);
    codes
}

/// Returns what describes a file: its title, where it has no description.
pub(super) fn described(meta: &Meta) -> &str {
    if meta.description.is_empty() { &meta.title } else { &meta.description }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::built_in;

    fn adobe() -> Market {
        built_in().unwrap().into_iter().find(|market| market.name == "adobe-stock").unwrap()
    }

    fn candidate() -> Candidate {
        let meta = Meta { title: "A cabin".to_owned(), keywords: vec!["cabin".to_owned()], ..Meta::default() };
        let size = Some(Size { width: 2048, height: 2048 });
        let (category, colours) = (Some("Landscapes".to_owned()), Some(Colours::SRGB));
        let written = WrittenIn::default();
        Candidate { kind: Kind::Jpeg, size, video: None, bytes: 1_000_000, colours, meta, category, written }
    }

    const ALL: &str = "1 animals, 2 buildings and architecture, 3 business, 4 drinks, 5 the environment, \
        6 states of mind, 7 food, 8 graphic resources, 9 hobbies and leisure, 10 industry, 11 landscapes, 12 lifestyle, \
        13 people, 14 plants and flowers, 15 culture and religion, 16 science, 17 social issues, 18 sports, \
        19 technology, 20 transport, 21 travel";

    /// `0.0 megapixels` were told of a small picture, and of one that misses 4 by little that it has `4.0`.
    #[test]
    fn a_figure_is_never_shown_as_nothing_or_as_the_limit_that_it_misses() {
        // Its edges, and the megapixels that are told; the market takes 4 to 100.
        let rows = [
            ((1024, 1024), "1.0"),
            ((160, 120), "0.02"),
            ((1, 1), "0.000001"),
            ((1999, 2001), "3.999999"),
            ((2200, 1800), "3.96"),
            ((10_004, 10_000), "100.04"),
            ((12_000, 10_000), "120.0"),
        ];
        for ((width, height), has) in rows {
            let small = Candidate { size: Some(Size { width, height }), ..candidate() };
            let expected = format!("it has {has} megapixels, and the market takes 4 to 100; ");
            let told = &check(&adobe(), &small)[0];
            assert!(told.starts_with(&expected), "{told}");
        }
    }

    #[test]
    fn refusals_are_said_with_figures() {
        assert_eq!(check(&adobe(), &candidate()), Vec::<String>::new());
        type Change = fn(&mut Candidate);
        let cases: [(Change, &str); 11] = [
            (|c| c.colours = None, "nobody can tell what its colours mean, and the market takes sRGB"),
            (
                |c| (c.meta.title, c.meta.keywords) = Default::default(),
                "it has no title, and 0 keywords of at least 1; write both in the theme's tags.yaml",
            ),
            (|c| c.kind = Kind::Png, "it is png, and the market takes jpeg, mp4, mov"),
            (
                |c| c.size = Some(Size { width: 1024, height: 1024 }),
                "it has 1.0 megapixels, and the market takes 4 to 100; with `keep: {min_megapixels: 4}` it is enlarged so far in `keep`, unless `keep.method` is `none`; what passed `keep` before goes through it again by `stockmill release keep --again`",
            ),
            (
                |c| c.size = Some(Size { width: 12_000, height: 10_000 }),
                "it has 120.0 megapixels, and the market takes 4 to 100; make it smaller, and drop it again",
            ),
            (
                |c| c.bytes = 50_000_000,
                "it has 50000000 bytes, and the market takes at most 45000000; with fewer pixels it has fewer",
            ),
            (
                |c| c.bytes = 0,
                "it has 0 bytes, and the market takes 1 or more; with more pixels (`keep: {min_megapixels: …}`) it has more",
            ),
            (|c| c.meta.title.clear(), "it has no title; write one in the theme's tags.yaml"),
            (|c| c.meta.keywords.clear(), "it has 0 keywords and needs 1; write them in the theme's tags.yaml"),
            (|c| c.category = Some("22".to_owned()), &format!("the market has no category `22`; it has {ALL}")),
            (
                |c| c.category = Some("Landscape".to_owned()),
                &format!("the market has no category `Landscape` (did you mean `landscapes`?); it has {ALL}"),
            ),
        ];
        for (change, reason) in cases {
            let mut candidate = candidate();
            change(&mut candidate);
            assert_eq!(check(&adobe(), &candidate), [reason]);
        }
    }

    /// Work of AI was told to write categories for markets that never take it, and a clip to say more for one of pictures.
    #[test]
    fn of_what_is_never_taken_nothing_else_is_told() {
        let of = |name: &str| built_in().unwrap().into_iter().find(|market| market.name == name).unwrap();
        let small = Size { width: 20, height: 10 };
        let bare = |kind, source_type| {
            let meta = Meta { source_type, ..Meta::default() };
            Candidate { kind, size: Some(small), bytes: 1, colours: None, meta, ..candidate() }
        };
        let (ai, drawn) = (SourceType::TrainedAlgorithmicMedia, SourceType::DigitalCreation);
        let no_ai = "it takes no work made by AI";
        let no_tiff = "it is tiff, and the market takes jpeg, mp4, mov";
        // The market, what it is offered, and all that is told.
        let rows: [(&str, Kind, SourceType, &[&str]); 3] = [
            ("shutterstock", Kind::Jpeg, ai, &[no_ai]),
            ("pond5", Kind::Jpeg, ai, &[no_ai]),
            ("adobe-stock", Kind::Tiff, drawn, &[no_tiff]),
        ];
        for (name, kind, source_type, told) in rows {
            let candidate = bare(kind, source_type);
            assert_eq!(check(&of(name), &candidate), told, "{name}");
            if kind == Kind::Jpeg {
                assert_eq!(check_tags(&of(name), &candidate.meta, None, WrittenIn::default()), told, "{name}");
            }
        }
        // What it may take has all its reasons.
        assert!(check(&of("shutterstock"), &bare(Kind::Jpeg, drawn)).len() > 2);
    }

    /// It said `1 keywords`.
    #[test]
    fn one_keyword_is_one() {
        let of = |name: &str| built_in().unwrap().into_iter().find(|market| market.name == name).unwrap();
        let told = |title: &str, count: usize| {
            let keywords = (0..count).map(|n| format!("k{n}")).collect();
            let meta = Meta { title: title.to_owned(), keywords, ..Meta::default() };
            texts(&of("canva"), &meta, WrittenIn::default()).remove(0)
        };
        let rows = [
            ("", 1, "it has no title, and 1 keyword of at least 5; write both in the theme's tags.yaml"),
            ("", 2, "it has no title, and 2 keywords of at least 5; write both in the theme's tags.yaml"),
            ("Sea", 1, "it has 1 keyword and needs 5; write them in the theme's tags.yaml"),
        ];
        for (title, count, expected) in rows {
            assert_eq!(told(title, count), expected);
        }
    }

    /// It was to be written in the theme's tags.yaml, where the text came from a file that lies on top of that; and what the
    /// market adds itself was counted as the person's.
    #[test]
    fn it_is_told_where_a_text_is_written_and_what_of_it_is_the_market_s_own() {
        let of = |name: &str| built_in().unwrap().into_iter().find(|market| market.name == name).unwrap();
        let described = |market: &Market, keywords: &[&str], description: &str| {
            let keywords = keywords.iter().map(|word| (*word).to_owned()).collect();
            let source_type = SourceType::TrainedAlgorithmicMedia;
            let (title, description) = ("A sea".to_owned(), description.to_owned());
            crate::market::fit(market, &Meta { title, description, keywords, source_type, ..Meta::default() }).meta
        };
        let by_ai = |market: &Market, keywords: &[&str]| described(market, keywords, "Waves");
        let here = WrittenIn { description: Some("in the `.xmp` beside it"), ..WrittenIn::default() };
        let vecteezy = of("vecteezy");
        assert_eq!(
            texts(&vecteezy, &by_ai(&vecteezy, &["sea", "wave"]), here),
            [
                "it has 3 keywords, `AI generated` for what AI made among them, and needs 5; write them in the theme's tags.yaml"
            ]
        );
        let dreamstime = of("dreamstime");
        let told = texts(&dreamstime, &by_ai(&dreamstime, &["sea"]), here);
        let short = "its description has 19 characters, `AI generated` for what AI made among them, and needs 50; write more in \
                     the `.xmp` beside it";
        assert!(told.iter().any(|told| told == short), "{told:?}");
        // A description of so many characters was told where there was none.
        let told = texts(&dreamstime, &described(&dreamstime, &["sea"], ""), WrittenIn::default());
        let short = "its title, which stands in for a description of its own, has 19 characters, `AI generated` for what AI made \
                     among them, and needs 50; write a description in the theme's tags.yaml";
        assert!(told.iter().any(|told| told == short), "{told:?}");
        let mut many = candidate();
        many.category = Some("1, 2".to_owned());
        many.written.category = Some("in its own sidecar");
        assert_eq!(
            check(&adobe(), &many),
            ["it has 2 categories, and the market takes 1; write fewer in its own sidecar"]
        );
    }

    /// A name with a capital was never found, and advised all the same.
    #[test]
    fn the_case_of_a_category_does_not_count() {
        let categories = [("Nature", "N"), ("Food & Drink", "F")];
        let categories = categories.map(|(name, code)| (name.to_owned(), Code::Word(code.to_owned()))).into();
        let market = Market { categories, ..adobe() };
        // What the tags say, and what is told of that.
        let rows = [
            ("Nature", None),
            ("nature", None),
            ("NATURE, food & drink", None),
            ("n", None),
            ("Natur", Some("the market has no category `Natur` (did you mean `Nature`?); it has F, N")),
        ];
        for (category, told) in rows {
            assert_eq!(no_category(&market, category).as_deref(), told, "{category}");
        }
    }

    /// All 182 categories of a market were told of one that is none; and a file was refused for a category that its market
    /// does not ask for.
    #[test]
    fn of_many_categories_the_nearest_few_are_told() {
        let of = |name: &str| built_in().unwrap().into_iter().find(|market| market.name == name).unwrap();
        let all = "there are 182 in all, and a group alone tells those in it: abstract, animals, arts&architecture, \
            business, editorial, holidays, illustrations&clipart, industries, it&c, nature, objects, people, technology, \
            travel, web design";
        // The market, the category, and what is told.
        let rows = [
            (
                "dreamstime",
                "nature/see",
                Some(format!("the market has no category `nature/see` (did you mean `nature/sea`?); {all}")),
            ),
            (
                "dreamstime",
                "Christ",
                Some(format!("the market has no category `Christ`; it has holidays/christmas; {all}")),
            ),
            (
                "dreamstime",
                "IT&C",
                Some(
                    "the market has no category `IT&C`; of `IT&C` it has it&c/ai, it&c/connectivity, \
                     it&c/equipment, it&c/internet, it&c/networking"
                        .to_owned(),
                ),
            ),
            ("vecteezy", "landscapes", None),
        ];
        for (name, category, told) in rows {
            assert_eq!(no_category(&of(name), category), told, "{category}");
        }
    }

    /// What a market says of AI-made work, of edges, of short texts and of categories.
    #[test]
    fn each_market_has_its_own_reasons() {
        let of = |name: &str| built_in().unwrap().into_iter().find(|market| market.name == name).unwrap();
        let by = |source_type| Meta { source_type, ..candidate().meta };
        let ai = SourceType::TrainedAlgorithmicMedia;
        let keywords = |n: usize, meta: Meta| Meta { keywords: (0..n).map(|n| format!("k{n}")).collect(), ..meta };
        // The market, the tags, the category, the edge, the start of what is told.
        let rows = [
            ("shutterstock", keywords(7, by(ai)), Some("arts"), 2048, Some("it takes no work made by AI")),
            ("shutterstock", keywords(7, by(SourceType::DigitalCreation)), Some("Arts, nature"), 2048, None),
            (
                "shutterstock",
                keywords(7, by(SourceType::DigitalCapture)),
                None,
                2048,
                Some("it has no category; write"),
            ),
            (
                "shutterstock",
                keywords(7, by(SourceType::DigitalCapture)),
                Some("arts, nature, people"),
                2048,
                Some("it has 3 categories"),
            ),
            ("canva", keywords(5, by(ai)), None, 2048, Some("nobody could establish whether")),
            ("magnific", keywords(9, by(ai)), None, 2001, None),
            (
                "magnific",
                keywords(9, by(ai)),
                None,
                1999,
                Some(
                    "an edge has 1999 pixels, and the market takes 2000 or more; with `keep: {min_megapixels: 4.3}` it is",
                ),
            ),
            ("dreamstime", by(ai), None, 2048, Some("its title, which stands in for a description of its own, has 7")),
            ("dreamstime", by(ai), Some("nature/sea, moon"), 2048, Some("its title, which stands in")),
        ];
        for (name, meta, category, edge, told) in rows {
            let size = Some(Size { width: edge, height: 2100 });
            let category = category.map(str::to_owned);
            let bytes = 2_000_000;
            let found = check(&of(name), &Candidate { size, bytes, meta, category, ..candidate() });
            match told {
                Some(told) => assert!(found[0].starts_with(told), "{name}: {found:?}"),
                None => assert_eq!(found, Vec::<String>::new(), "{name}"),
            }
        }
        for (name, policy) in [
            ("adobe-stock", None),
            (
                "alamy",
                Some(
                    "`alamy` takes no work made by AI: its quality control refuses what is generated wholly or in part \
                     (aitrace.org; a copy of Alamy's FAQ (2024), 2026-11-28)",
                ),
            ),
            (
                "canva",
                Some(
                    "`canva` is not known to take work made by AI: its rule on AI-made work is not established (nobody \
                     says them; careful values, 2026-11-23)",
                ),
            ),
        ] {
            assert_eq!(ai_policy(&of(name)).as_deref(), policy);
        }
        let dreamstime = of("dreamstime");
        let flagged = codes(&dreamstime, Some("nature/sea, 212"), &by(ai));
        assert_eq!(flagged.iter().map(ToString::to_string).collect::<Vec<_>>(), ["212", "19"]);
        assert_eq!(codes(&dreamstime, None, &by(SourceType::DigitalCapture)).len(), 0);
    }

    #[test]
    fn a_category_is_known_by_its_name_or_its_value() {
        let cases = [
            ("Landscapes", Some(11)),
            (" landscapes ", Some(11)),
            ("11", Some(11)),
            ("22", None),
            ("0", None),
            ("sea", None),
        ];
        for (category, expected) in cases {
            assert_eq!(adobe().code(category), expected.map(Code::Number).as_ref(), "{category}");
        }
    }
}
