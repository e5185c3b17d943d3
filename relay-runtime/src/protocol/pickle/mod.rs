//! The pickle protocol of carbon: frames of a length and a pickled list of datapoints (spec §4.3, §11.5).
//!
//! In the order in which a frame passes them: `decoder` finds frames in a stream; `machine` runs the program
//! that a pickle is, with its values on a `heap`; `datapoint` converts these to lines, which go the way of all
//! lines. [`encode()`] does the opposite for a destination.
//!
//! Pickles may come from an attacker. Nothing here constructs an object, looks up a class, recurses, or takes
//! more time than the length of a frame justifies. Decoding takes at most 64 times the size of the frame in
//! memory. The lines of a frame are at most about 64 times as long as the frame: lists may contain the same
//! text many times, which usual ones do not.

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
