//! Archives with the same bytes on every machine: sorted as given, owned by root, all files with the same time.
//!
//! Only packs what it is given; what belongs into a package is decided elsewhere.

use flate2::{Compression, GzBuilder};
use std::{
    collections::BTreeSet,
    io::{self, Write as _},
    path::Path,
};

/// A file of an archive.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The path in the archive, relative.
    pub(super) path: String,
    pub(super) bytes: Vec<u8>,
    pub(super) is_executable: bool,
}

impl Entry {
    pub(super) fn text(path: impl Into<String>, text: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), bytes: text.into(), is_executable: false }
    }

    pub(super) fn program(path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { is_executable: true, ..Self::text(path, bytes) }
    }
}

/// A compressed tar archive of files, with the directories that contain them; every path begins with `prefix`.
pub(super) fn tar_gz(prefix: &str, entries: &[Entry], time_s: u64) -> io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut directories = BTreeSet::new();
    for entry in entries {
        let path = format!("{prefix}{}", entry.path);
        let above: Vec<_> =
            Path::new(&path).ancestors().skip(1).filter(|path| path.components().count() > 0).collect();
        for directory in above.into_iter().rev() {
            if directories.insert(directory.to_owned()) {
                let mut header = header(tar::EntryType::Directory, 0, 0o755, time_s);
                tar.append_data(&mut header, format!("{}/", directory.display()), io::empty())?;
            }
        }
        let mode = if entry.is_executable { 0o755 } else { 0o644 };
        let mut header = header(tar::EntryType::Regular, entry.bytes.len() as u64, mode, time_s);
        tar.append_data(&mut header, path, entry.bytes.as_slice())?;
    }
    // Without a name and a time in the gzip header.
    let mut zipped = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    zipped.write_all(&tar.into_inner()?)?;
    zipped.finish()
}

fn header(kind: tar::EntryType, bytes: u64, mode: u32, time_s: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(bytes);
    header.set_mode(mode);
    header.set_mtime(time_s);
    header.set_uid(0);
    header.set_gid(0);
    header
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;

    #[test]
    fn an_archive_has_its_files_and_their_directories_and_nothing_of_this_machine() {
        let entries = [Entry::program("usr/bin/relay", "x"), Entry::text("usr/share/doc", "y")];
        let archive = tar_gz("", &entries, 7).unwrap();
        assert_eq!(archive, tar_gz("", &entries, 7).unwrap());
        let mut tar = tar::Archive::new(GzDecoder::new(archive.as_slice()));
        let found: Vec<_> = tar
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let header = entry.header();
                assert_eq!((header.uid().unwrap(), header.mtime().unwrap()), (0, 7));
                (String::from_utf8(entry.path_bytes().into_owned()).unwrap(), header.mode().unwrap())
            })
            .collect();
        let want = [
            ("usr/", 0o755),
            ("usr/bin/", 0o755),
            ("usr/bin/relay", 0o755),
            ("usr/share/", 0o755),
            ("usr/share/doc", 0o644),
        ];
        assert_eq!(found, want.map(|(path, mode)| (path.to_owned(), mode)));
    }
}
