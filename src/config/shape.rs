/// The form that a value must have.
pub(super) enum Shape {
    Text,
    /// A text that is a set of signs.
    Signs,
    /// A time of day, `09:00`.
    Time,
    Integer(i64, i64),
    Number(f64, f64),
    OneOf(&'static [&'static str]),
    List(&'static Self),
    /// A list of words, or a text with commas between them.
    Words,
    /// Keys that are not known beforehand.
    Map(&'static Self),
    Table(&'static [(&'static str, Self)]),
    /// A key of a table that must be written.
    Needed(&'static Self),
    /// A word or a schedule.
    Gate,
    /// Text, a number or a truth value: a keyword.
    Scalar,
    /// The categories that a market has a file in, in one text.
    Category,
    /// What a type of its own reads, which says what is wrong.
    Read(fn(&str) -> Result<(), String>),
}
