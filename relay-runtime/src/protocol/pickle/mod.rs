//! The pickle protocol of carbon: frames of a length and a pickled list of datapoints (spec §4.3, §11.5).
//!
//! In the order in which a frame meets them: `decoder` cuts a stream into frames, the `machine` runs the program
//! that a pickle is, on values that live on a `heap`, and `datapoint` writes what they mean as lines, which then go
//! the way of all lines. [`encode()`] does the opposite for a destination.
//!
//! Pickles come from anybody. Nothing here constructs an object or looks up a class, recurses, or takes more time than
//! the length of a frame allows. Decoding a frame takes at most 64 times its length of memory, and the lines that come
//! of it are at most about 64 times as long as it is: lists may hold the same text many times, ordinary ones do not.

mod datapoint;
mod decoder;
mod encode;
mod error;
mod escape;
mod heap;
mod long;
mod machine;
mod memo;
mod opcode;
mod reader;

pub(crate) use datapoint::push_float;
pub use decoder::{FRAME_BYTES_MAX, PickleDecoder, take_datagram};
pub use encode::{Encoded, encode};
pub use error::{BadPickle, Problem};
