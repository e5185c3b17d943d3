//! The directory that a spool lives in, as far as a spool needs one.
//!
//! A trait, so that the simulation can play a disk that is full, slow, lying or broken, and lose its power.

use std::{fmt, io};

/// A flat directory of files.
pub trait Store: fmt::Debug + Send {
    /// All files with their sizes.
    fn list(&mut self) -> io::Result<Vec<(String, u64)>>;

    /// Fills `buffer` as far as the file goes.
    fn read_at(&mut self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Puts bytes in place, one part after the other, into a file that is made when it is not there. After an error some
    /// of them may be there.
    fn write_at(&mut self, name: &str, offset: u64, parts: &[&[u8]]) -> io::Result<()>;

    /// Cuts a file.
    fn truncate(&mut self, name: &str, bytes: u64) -> io::Result<()>;

    /// Gives a file another name, in place of what had that name.
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file. One that is not there is no error.
    fn remove(&mut self, name: &str) -> io::Result<()>;

    /// Asks for what was written to a file to survive a loss of power, without waiting for it.
    fn sync(&mut self, name: &str);
}
