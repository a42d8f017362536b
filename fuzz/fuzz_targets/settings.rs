//! Settings: any text is read, or refused with places that lie in it.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use stockmill::config::load;
use stockmill::market::{Market, built_in};

static MARKETS: LazyLock<Vec<Market>> = LazyLock::new(|| built_in().expect("the built-in profiles are sound"));

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    match load(&text, Path::new("/srv/mill"), &MARKETS) {
        Ok(settings) => {
            assert!(settings.naming.first.is_unique() && settings.naming.last.is_unique());
            assert!(settings.folders.raw.is_absolute());
        }
        Err(problems) => {
            assert!(!problems.0.is_empty(), "refused without a reason");
            let lines = text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).count() + 1;
            for problem in &problems.0 {
                assert!(problem.line <= lines, "{problem}");
            }
            let _ = problems.to_string();
        }
    }
});
