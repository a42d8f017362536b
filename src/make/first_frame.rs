use std::io::Read as _;

use crate::intake::Found;
use crate::vault::Look;

/// These nodes write metadata at the start of a file.
const HEAD_BYTES: u64 = 64 << 10;
/// The node that writes a video, and its first frame before it.
const NODE: &[u8] = b"VHS_VideoCombine";

/// Returns whether a picture's metadata name the node that writes a video after it; `false` if it cannot be read.
pub fn names_video_node(disk: &dyn Look, found: &Found) -> bool {
    let Ok(opened) = disk.open_as(&found.path, found.entry.identity) else { return false };
    let mut head = Vec::new();
    opened.take(HEAD_BYTES).read_to_end(&mut head).is_ok() && head.windows(NODE.len()).any(|part| part == NODE)
}
