//! MD5 of `N` names side by side, for any `N`.
//!
//! Everything is an array with one element per lane, and the rounds are the body of one plain loop over the
//! lanes. The compiler turns that loop into vector instructions of the width that its caller allows. Therefore
//! `inline(always)` is everywhere: a function is compiled for the instruction set of the function into which it
//! is inlined.
#![allow(clippy::inline_always, reason = "what makes this vectors of any width, see above")]

use super::LANES_MAX;

/// Longer names are not hashed here, because the lanes beside them would be idle.
pub(super) const NAME_BYTES_MAX: usize = BLOCKS_MAX * BLOCK_BYTES - LENGTH_BYTES - 1;

const BLOCK_BYTES: usize = 64;
const BLOCKS_MAX: usize = 2;
/// MD5 appends a byte 0x80, zeros, and the length of the text in bits.
const LENGTH_BYTES: usize = 8;
/// The longest name that fits one block, in bytes.
const SHORT_NAME_BYTES_MAX: usize = BLOCK_BYTES - LENGTH_BYTES - 1;

/// A 32-bit number for each lane.
type Word<const N: usize> = [u32; N];
/// One block of each lane's name.
type Blocks<const N: usize> = [Word<N>; 16];
/// `a`, `b`, `c` and `d` of each lane.
type State<const N: usize> = [Word<N>; 4];

/// The positions of up to [`LANES_MAX`] names. Those of names longer than [`NAME_BYTES_MAX`] are arbitrary.
#[inline(always)]
pub(super) fn positions<const N: usize>(names: &[&[u8]], positions: &mut [u16; LANES_MAX]) {
    for (names, positions) in names.chunks(N).zip(positions.chunks_mut(N)) {
        if names.iter().all(|name| name.len() <= SHORT_NAME_BYTES_MAX) {
            short_positions::<N>(names, positions);
        } else {
            long_positions::<N>(names, positions);
        }
    }
}

/// The positions of names that are one block each, as most names are.
#[inline(always)]
fn short_positions<const N: usize>(names: &[&[u8]], positions: &mut [u16]) {
    let mut rows = [[0; BLOCK_BYTES]; N];
    for (name, row) in names.iter().zip(&mut rows) {
        write_short(name, row);
    }
    let [a, ..] = compress(initial::<N>(), &by_word(&rows));
    for (position, a) in positions.iter_mut().zip(a) {
        *position = first_two_bytes(a);
    }
}

/// The positions of names that are one or two blocks each.
#[inline(always)]
fn long_positions<const N: usize>(names: &[&[u8]], positions: &mut [u16]) {
    let mut state = initial::<N>();
    for block in 0..BLOCKS_MAX {
        let mut rows = [[0; BLOCK_BYTES]; N];
        for (name, row) in names.iter().zip(&mut rows) {
            write_block(name, block, row);
        }
        state = compress(state, &by_word(&rows));
        for ((position, name), a) in positions.iter_mut().zip(names).zip(state[0]) {
            if last_block(name) == block {
                *position = first_two_bytes(a);
            }
        }
    }
}

/// The number of the block that ends the name.
#[inline(always)]
const fn last_block(name: &[u8]) -> usize {
    (name.len() + LENGTH_BYTES) / BLOCK_BYTES
}

/// Writes block number `block` of the name, and what MD5 appends to it, to a row of zeros.
#[inline(always)]
fn write_block(name: &[u8], block: usize, row: &mut [u8; BLOCK_BYTES]) {
    let rest = name.get(block * BLOCK_BYTES..).unwrap_or(&[]);
    for (to, from) in row.iter_mut().zip(rest) {
        *to = *from;
    }
    if block == name.len() / BLOCK_BYTES {
        row[rest.len() % BLOCK_BYTES] = 0x80;
    }
    if block == last_block(name) {
        write_length(name, row);
    }
}

/// Like [`write_block`], for a name that is one block. Two overlapping copies of fixed size cost less than one
/// copy of variable size, which is a call.
#[inline(always)]
fn write_short(name: &[u8], row: &mut [u8; BLOCK_BYTES]) {
    if name.len() > SHORT_NAME_BYTES_MAX {
        return;
    }
    let is_written = write_ends::<32>(name, row)
        || write_ends::<16>(name, row)
        || write_ends::<8>(name, row)
        || write_ends::<4>(name, row);
    if !is_written {
        for (to, from) in row.iter_mut().zip(name) {
            *to = *from;
        }
    }
    row[name.len()] = 0x80;
    write_length(name, row);
}

/// Writes the first and the last `SIZE` bytes of the name, if it has that many. Returns whether it has.
#[inline(always)]
fn write_ends<const SIZE: usize>(name: &[u8], row: &mut [u8; BLOCK_BYTES]) -> bool {
    let (Some(first), Some(last)) = (name.first_chunk::<SIZE>(), name.last_chunk::<SIZE>()) else {
        return false;
    };
    row[..SIZE].copy_from_slice(first);
    row[name.len() - SIZE..name.len()].copy_from_slice(last);
    true
}

#[inline(always)]
fn write_length(name: &[u8], row: &mut [u8; BLOCK_BYTES]) {
    row[BLOCK_BYTES - LENGTH_BYTES..].copy_from_slice(&(name.len() as u64 * 8).to_le_bytes());
}

/// Transposes names of 16 words each to 16 words of all names.
#[inline(always)]
fn by_word<const N: usize>(rows: &[[u8; BLOCK_BYTES]; N]) -> Blocks<N> {
    let mut blocks = [[0; N]; 16];
    for (lane, row) in rows.iter().enumerate() {
        let (words, _) = row.as_chunks::<4>();
        for (block, word) in blocks.iter_mut().zip(words) {
            block[lane] = u32::from_le_bytes(*word);
        }
    }
    blocks
}

#[inline(always)]
const fn initial<const N: usize>() -> State<N> {
    [[0x6745_2301; N], [0xefcd_ab89; N], [0x98ba_dcfe; N], [0x1032_5476; N]]
}

#[inline(always)]
const fn first_two_bytes(a: u32) -> u16 {
    let [first, second, ..] = a.to_le_bytes();
    u16::from_be_bytes([first, second])
}

/// The four times sixteen steps of MD5 (RFC 1321, §3.4). The compiler removes steps whose result is not used,
/// such as the last three of a name's last block.
#[inline(always)]
fn compress<const N: usize>(mut state: State<N>, blocks: &Blocks<N>) -> State<N> {
    for lane in 0..N {
        let mut abcd = [state[0][lane], state[1][lane], state[2][lane], state[3][lane]];
        // Written out step by step: a loop inside the loop over lanes would be vectorised instead of that one.
        macro_rules! round {
            ($round:literal, $mix:expr, $word:expr) => {
                round!($round, $mix, $word, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
            };
            ($round:literal, $mix:expr, $word:expr, $($step:literal)*) => {
                $({
                    let [a, b, c, d] = abcd;
                    let word: fn(usize) -> usize = $word;
                    let mix: fn(u32, u32, u32) -> u32 = $mix;
                    let sum = a
                        .wrapping_add(mix(b, c, d))
                        .wrapping_add(SINES[$round][$step])
                        .wrapping_add(blocks[word($step) % 16][lane]);
                    abcd = [d, b.wrapping_add(sum.rotate_left(SHIFTS[$round][$step % 4])), b, c];
                })*
            };
        }
        round!(0, |b, c, d| (b & c) | (!b & d), |step| step);
        round!(1, |b, c, d| (d & b) | (!d & c), |step| 5 * step + 1);
        round!(2, |b, c, d| b ^ c ^ d, |step| 3 * step + 5);
        round!(3, |b, c, d| c ^ (b | !d), |step| 7 * step);
        for (state, sum) in state.iter_mut().zip(abcd) {
            state[lane] = state[lane].wrapping_add(sum);
        }
    }
    state
}

const SHIFTS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];

/// The integer part of 2³² · |sin(i)|, for i from 1 to 64.
#[rustfmt::skip]
const SINES: [[u32; 16]; 4] = [
    [
        0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee, 0xf57c_0faf, 0x4787_c62a, 0xa830_4613, 0xfd46_9501,
        0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be, 0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821,
    ],
    [
        0xf61e_2562, 0xc040_b340, 0x265e_5a51, 0xe9b6_c7aa, 0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8,
        0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed, 0xa9e3_e905, 0xfcef_a3f8, 0x676f_02d9, 0x8d2a_4c8a,
    ],
    [
        0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c, 0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70,
        0x289b_7ec6, 0xeaa1_27fa, 0xd4ef_3085, 0x0488_1d05, 0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665,
    ],
    [
        0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039, 0x655b_59c3, 0x8f0c_cc92, 0xffef_f47d, 0x8584_5dd1,
        0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1, 0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb, 0xeb86_d391,
    ],
];
