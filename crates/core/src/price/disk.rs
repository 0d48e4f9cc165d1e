//! How much disk a task needs for its keys and rows, and how much Fargate gives.

use super::task::FREE_STORAGE_GIB;

/// Bytes of a key and its row, in addition to its line in the key file (bench/README.md: 213 in the temporary folder, 106 in the CSV).
const BYTES_PER_KEY: f64 = 319.3;
/// Bytes of a line of a key file whose length is not known: 31 characters of a key, its size, its `ETag`, its class.
pub const KEY_LINE_BYTES: f64 = 82.0;
/// What does not depend on keys: the layers of the image, and a reserve, in GiB.
const FIXED_GIB: f64 = 1.0;
/// Most that a task can have (ECS API reference, `EphemeralStorage`).
const MOST_STORAGE_GIB: u32 = 200;

/// A GiB.
const GIB: f64 = 1_073_741_824.0;

/// Bytes that so many keys take, if their lines are so long.
pub fn key_bytes(keys: f64, line_bytes: f64) -> f64 {
    keys * (BYTES_PER_KEY + line_bytes)
}

/// GiB of ephemeral storage for a task with so many bytes on its disk: what every task has, or as much more as it needs, and no more than there is.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to what a task can have before"
)]
pub fn storage_gib(bytes: f64) -> u32 {
    let needed = (bytes / GIB + FIXED_GIB).ceil();
    needed.clamp(FREE_STORAGE_GIB, f64::from(MOST_STORAGE_GIB)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_gets_the_disk_that_its_keys_need() {
        // 401.3 bytes a key: 50 million are 18.7 GiB, and 100 million 37.4 GiB.
        let of = |keys: f64| storage_gib(key_bytes(keys, KEY_LINE_BYTES));
        assert_eq!(
            [0.0, 5e7, 5.1e7, 1e8, 1e10].map(of),
            [20, 20, 21, 39, MOST_STORAGE_GIB]
        );
    }
}
