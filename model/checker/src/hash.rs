//! The 128-bit hash behind fingerprints.
//!
//! Two 64-bit lanes with different constants, each finished with the bijective mixer of
//! MurmurHash3 (Appleby, 2011). Not cryptographic: nobody feeds it hostile values.

const LANE_A: u64 = 0x9e37_79b9_7f4a_7c15;
const LANE_B: u64 = 0xc2b2_ae3d_27d4_eb4f;

/// MurmurHash3's 64-bit finaliser: a bijection.
#[inline]
fn fmix64(mut x: u64) -> u64 {
    x ^= x >> 33;
    x = x.wrapping_mul(0xff51_afd7_ed55_8ccd);
    x ^= x >> 33;
    x = x.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    x ^ (x >> 33)
}

/// An order-dependent hash: what a task has done and observed so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rolling {
    a: u64,
    b: u64,
}

impl Rolling {
    /// Appends one word.
    #[inline]
    pub fn push(&mut self, word: u64) {
        self.a = fmix64(self.a.wrapping_mul(LANE_A) ^ word).wrapping_add(LANE_B);
        self.b = fmix64(
            self.b
                .rotate_left(23)
                .wrapping_add(word)
                .wrapping_mul(LANE_B)
                ^ LANE_A,
        );
    }

    /// Appends another hash.
    #[inline]
    pub fn push_hash(&mut self, hash: u128) {
        self.push(hash as u64);
        self.push((hash >> 64) as u64);
    }

    /// Appends a text.
    pub fn push_str(&mut self, text: &str) {
        self.push_bytes(text.as_bytes());
    }

    /// Appends bytes, and how many they are.
    pub fn push_bytes(&mut self, all: &[u8]) {
        for chunk in all.chunks(8) {
            let mut bytes = [0; 8];
            bytes[..chunk.len()].copy_from_slice(chunk);
            self.push(u64::from_le_bytes(bytes));
        }
        self.push(all.len() as u64);
    }

    /// The hash so far.
    #[inline]
    pub fn finish(self) -> u128 {
        (u128::from(self.a) << 64) | u128::from(self.b)
    }
}

/// Hash of the pair (`index`, `value`). Such hashes are added up to the hash of a set, which
/// can then follow a change of one element in constant time (Zobrist, 1970).
#[inline]
pub fn element(index: u64, value: u64) -> u128 {
    let a = fmix64(value ^ index.wrapping_add(1).wrapping_mul(LANE_A));
    let b = fmix64(value.wrapping_add(index.wrapping_add(1).wrapping_mul(LANE_B)));
    (u128::from(a) << 64) | u128::from(b)
}

/// A quick hasher of a few words for tables in memory: no content decides where it is used.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Words(u64);

impl std::hash::Hasher for Words {
    #[inline]
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        for byte in rest {
            self.write_u64(u64::from(*byte));
        }
    }
    #[inline]
    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }
    #[inline]
    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(LANE_A);
    }
    #[inline]
    fn write_u128(&mut self, word: u128) {
        self.write_u64(word as u64);
    }
    #[inline]
    fn write_i64(&mut self, word: i64) {
        self.write_u64(word.cast_unsigned());
    }
    #[inline]
    fn write_isize(&mut self, word: isize) {
        self.write_u64(word.cast_unsigned() as u64);
    }
    #[inline]
    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }
}
