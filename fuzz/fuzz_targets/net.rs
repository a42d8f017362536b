//! Neural nets that people bring: what is read of any file is worked on a few pixels.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stockmill::craft::{Brought, Cpu, Untold, Upscale};
use stockmill::model::Size;

fuzz_target!(|bytes: &[u8]| {
    let Ok(Brought { net, .. }) = Brought::read(bytes) else { return };
    let (size, scale) = (Size { width: 3, height: 2 }, net.scale_for(4));
    let way = Upscale { net: &net, size, is_grey: false, scale, threads: 1, cpu: Cpu::best() };
    let mut source = |row: &mut [f32]| {
        row.fill(100.0);
        Ok(())
    };
    let rows = way.rows(&mut source, &Untold, |rows| {
        let mut count = 0;
        while let Some(row) = rows.next_row()? {
            assert_eq!(row.len(), 3 * 3 * scale.times());
            count += 1;
        }
        Ok(count)
    });
    assert_eq!(rows, Ok(2 * scale.times()));
});
