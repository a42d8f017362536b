//! What a file system is, by the number that the kernel gives it (statfs(2), `linux/magic.h`).

use super::disk::FileSystem;

/// Numbers, names, and whether changes may come without an event.
const KNOWN: [(u32, &str, bool); 20] = [
    (0xef53, "ext4", false),
    (0x5846_5342, "xfs", false),
    (0x9123_683e, "btrfs", false),
    (0xf2f5_2010, "f2fs", false),
    (0x2fc1_2fc1, "zfs", false),
    (0xca45_1a4e, "bcachefs", false),
    (0x0102_1994, "tmpfs", false),
    (0x794c_7630, "overlay", false),
    (0x4d44, "vfat", false),
    (0x2011_bab0, "exfat", false),
    (0x5346_544e, "ntfs", false),
    (0x7366_746e, "ntfs3", false),
    (0x6969, "nfs", true),
    (0x517b, "smb", true),
    (0xfe53_4d42, "smb2", true),
    (0xff53_4d42, "cifs", true),
    (0x0102_1997, "9p", true),
    (0x00c3_6400, "ceph", true),
    (0x6573_5546, "fuse", true),
    (0x786f_4256, "vboxsf", true),
];

/// Returns what the system says of a file system.
pub(super) fn of(stat: &rustix::fs::StatFs) -> FileSystem {
    // The kernel's numbers have 32 bits, whatever the C type is.
    by_number(u32::try_from(stat.f_type & 0xffff_ffff).unwrap_or_default())
}

/// Returns the file system with a number.
fn by_number(number: u32) -> FileSystem {
    let known = KNOWN.iter().find(|(known, _, _)| *known == number);
    known.map_or_else(
        || FileSystem { name: format!("type {number:#x}"), is_remote: false },
        |(_, name, is_remote)| FileSystem { name: (*name).to_owned(), is_remote: *is_remote },
    )
}
