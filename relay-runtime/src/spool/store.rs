//! The operations on a directory that a spool needs.
//!
//! It is a trait, so that the simulation can play a disk that is full, slow, wrong or broken, and lose its
//! power.

use std::{fmt, io};

/// A flat directory of files.
pub trait Store: fmt::Debug + Send {
    /// All files, with their sizes in bytes.
    fn list(&mut self) -> io::Result<Vec<(String, u64)>>;

    /// Fills `buffer` as far as the file goes.
    fn read_at(&mut self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes `parts`, one after the other, to a file that is created if it does not exist. After an error some
    /// bytes may have been written.
    fn write_at(&mut self, name: &str, offset: u64, parts: &[&[u8]]) -> io::Result<()>;

    /// Cuts a file to `bytes` bytes.
    fn truncate(&mut self, name: &str, bytes: u64) -> io::Result<()>;

    /// Renames a file, replacing one that has the new name.
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file. It is no error if the file does not exist.
    fn remove(&mut self, name: &str) -> io::Result<()>;

    /// Asks the disk to flush a file, without waiting for it.
    fn sync(&mut self, name: &str);
}

/// A store that has nothing and takes nothing: what is left of a spool whose files another thread has.
#[derive(Debug)]
pub(super) struct Nowhere;

impl Store for Nowhere {
    fn list(&mut self) -> io::Result<Vec<(String, u64)>> {
        Ok(Vec::new())
    }

    fn read_at(&mut self, _: &str, _: u64, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }

    fn write_at(&mut self, _: &str, _: u64, _: &[&[u8]]) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn truncate(&mut self, _: &str, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn rename(&mut self, _: &str, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn remove(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn sync(&mut self, _: &str) {}
}
