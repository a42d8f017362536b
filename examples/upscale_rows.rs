//! Enlarges raw pixels with the net that comes with stockmill, or another: `tests/neural.py` compares it with another engine.
//!
//! `upscale_rows NET WIDTH HEIGHT CHANNELS SCALE THREADS CPU < bytes > numbers`: bytes of pixels, row by row, to f32 from 0
//! to 255. NET is a number from 0 to 100, for how much the own one restores, or a `.safetensors` file; CHANNELS 1 or 3, SCALE
//! 2 to 4, CPU `any`, `avx2`, `avx512` or `best`. On Linux it says at the end how much memory it took at most.

use std::io::{Read, Write};

use stockmill::craft::{Brought, Cpu, CraftError, Net, Scale, Untold, Upscale};
use stockmill::model::Size;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [net, width, height, channels, scale, threads, cpu] = &args[..] else {
        return Err("give NET WIDTH HEIGHT CHANNELS SCALE THREADS CPU".into());
    };
    let known = Cpu::all().into_iter().find(|known| format!("{known:?}").eq_ignore_ascii_case(cpu));
    let cpu = if cpu == "best" { Cpu::best() } else { known.ok_or("this processor has no such instructions")? };
    let scales = [Scale::Two, Scale::Three, Scale::Four];
    let times: usize = scale.parse()?;
    let scale = scales.into_iter().find(|scale| scale.times() == times).ok_or("SCALE is 2, 3 or 4")?;
    let (size, is_grey) = (Size { width: width.parse()?, height: height.parse()? }, channels == "1");
    let net = match net.parse() {
        Ok(restore) => Net::embedded(restore).ok_or("it was built without the net")?,
        Err(_) => Brought::read(&std::fs::read(net)?)?.net,
    };
    let way = Upscale { net: &net, size, is_grey, scale, threads: threads.parse()?, cpu };
    let (mut source, mut result) = (std::io::stdin().lock(), std::io::stdout().lock());
    let mut bytes = vec![0; size.width as usize * if is_grey { 1 } else { 3 }];
    let mut next = |row: &mut [f32]| {
        source.read_exact(&mut bytes).map_err(|error| CraftError::Truncated(error.to_string()))?;
        row.iter_mut().zip(&bytes).for_each(|(value, byte)| *value = f32::from(*byte));
        Ok(())
    };
    way.rows(&mut next, &Untold, |rows| {
        while let Some(row) = rows.next_row()? {
            let bytes: Vec<u8> = row.iter().flat_map(|value| value.to_le_bytes()).collect();
            result.write_all(&bytes).map_err(|error| CraftError::Write(error.kind(), error.to_string()))?;
        }
        Ok(())
    })?;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().filter(|line| line.starts_with("VmHWM")).for_each(|line| eprintln!("{line}"));
    Ok(())
}
