//! Numbers among the options: what is allowed is told in one form. Clap names the option and what was given.

/// Returns what reads a whole number between two limits; `u64::MAX` is none.
pub(super) fn whole<T: TryFrom<u64>>(
    min: u64,
    max: u64,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static {
    move |text| {
        let number = text.parse().ok().filter(|number| (min..=max).contains(number));
        let allowed = if max == u64::MAX { format!("{min} or more") } else { format!("from {min} to {max}") };
        number
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| format!("it must be a whole number, {allowed}"))
    }
}

/// Reads a number above zero.
pub(super) fn factor(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| "it must be more than 0: a number as 2 or 1.5".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "invalid digit found in string" and "200 is not in 1..=100" were told of the same option.
    #[test]
    fn what_is_no_number_and_what_is_too_large_is_told_alike() {
        let sound = [("1", 1), ("95", 95), ("100", 100)];
        for (text, expected) in sound {
            assert_eq!(whole::<u8>(1, 100)(text), Ok(expected));
        }
        for text in ["0", "101", "200", "300", "-1", "9.5", "3MB", "abc", "", "99999999999999999999999"] {
            let why = whole::<u8>(1, 100)(text).unwrap_err();
            assert_eq!(why, "it must be a whole number, from 1 to 100", "{text}");
        }
        assert_eq!(whole::<u64>(1, u64::MAX)("3MB").unwrap_err(), "it must be a whole number, 1 or more");
        assert_eq!((factor("2"), factor("1.5")), (Ok(2.0), Ok(1.5)));
        for text in ["0", "-1", "abc", "", "nan", "inf", "1,5"] {
            assert_eq!(factor(text).unwrap_err(), "it must be more than 0: a number as 2 or 1.5", "{text}");
        }
    }
}
