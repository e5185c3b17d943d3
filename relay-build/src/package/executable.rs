//! Finds out which shared libraries a relay needs on the machine where it runs, from the executable itself.
//!
//! Only parses its headers; the executable may be of another architecture and is never run.

use super::PackageError;
use object::{
    Endianness, FileKind,
    elf::{self, FileHeader32, FileHeader64},
    read::elf::{FileHeader, ProgramHeader as _},
};
use std::{collections::BTreeMap, path::Path};

/// The libraries that an executable needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Executable {
    /// Whether it runs without a dynamic loader, for example in an empty image.
    pub(super) is_static: bool,
    /// For each shared library, such as `libc.so.6`, the newest version of its symbols that is needed, such as
    /// `2.34`.
    pub(super) libraries: BTreeMap<String, Version>,
}

/// A version as numbers, so that 2.4 is older than 2.34.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version(pub(super) Vec<u32>);

impl Executable {
    /// Reads the headers of `bytes`, the contents of `path`.
    pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<Self, PackageError> {
        let read = match FileKind::parse(bytes) {
            Ok(FileKind::Elf32) => needs::<FileHeader32<Endianness>>(bytes),
            Ok(FileKind::Elf64) => needs::<FileHeader64<Endianness>>(bytes),
            Ok(_) => {
                return Err(PackageError::NotElf { path: path.to_owned(), why: "another format".to_owned() });
            }
            Err(error) => Err(error),
        };
        read.map_err(|error| PackageError::NotElf { path: path.to_owned(), why: error.to_string() })
    }

    /// The Debian packages of these libraries, as a `Depends` field.
    pub(super) fn debian_depends(&self) -> Result<String, PackageError> {
        let mut packages: BTreeMap<&str, Option<&Version>> = BTreeMap::new();
        for (library, version) in &self.libraries {
            let stem = library.split(['.', '-']).next().unwrap_or_default();
            match stem {
                // All of these come from one source package, with one version.
                "libc" | "libm" | "libpthread" | "libdl" | "librt" | "ld" => {
                    let newest = packages.entry("libc6").or_default();
                    *newest = (*newest).max(Some(version));
                }
                "libgcc_s" => {
                    packages.insert("libgcc-s1", None);
                }
                _ => return Err(PackageError::UnknownLibrary { library: library.clone() }),
            }
        }
        let depends = packages.into_iter().map(|(package, version)| match version {
            Some(version) => format!("{package} (>= {version})"),
            None => package.to_owned(),
        });
        Ok(depends.collect::<Vec<_>>().join(", "))
    }
}

fn needs<Header: FileHeader<Endian = Endianness>>(bytes: &[u8]) -> object::Result<Executable> {
    let header = Header::parse(bytes)?;
    let endian = header.endian()?;
    let has_loader =
        header.program_headers(endian, bytes)?.iter().any(|one| one.p_type(endian) == elf::PT_INTERP);
    let mut libraries: BTreeMap<String, Version> = BTreeMap::new();
    let sections = header.sections(endian, bytes)?;
    if let Some((needed, link)) = sections.gnu_verneed(endian, bytes)? {
        let strings = sections.strings(endian, bytes, link)?;
        for one in needed {
            let (library, versions) = one?;
            let name = String::from_utf8_lossy(library.file(endian, strings)?).into_owned();
            let newest = libraries.entry(name).or_default();
            for version in versions {
                let text = String::from_utf8_lossy(version?.name(endian, strings)?).into_owned();
                *newest = newest.clone().max(Version::of_symbol(&text));
            }
        }
    }
    Ok(Executable { is_static: !has_loader, libraries })
}

impl Version {
    /// The version in a symbol's version such as `GLIBC_2.34`.
    fn of_symbol(text: &str) -> Self {
        let numbers = text.rsplit_once('_').map_or("", |(_, numbers)| numbers);
        Self(numbers.split('.').filter_map(|number| number.parse().ok()).collect())
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.iter().map(u32::to_string).collect::<Vec<_>>().join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_needs_the_libraries_that_it_was_linked_with() {
        let path = std::env::current_exe().unwrap();
        let found = Executable::read(&path, &std::fs::read(&path).unwrap()).unwrap();
        assert!(!found.is_static && found.libraries.contains_key("libc.so.6"), "{found:?}");
        let depends = found.debian_depends().unwrap();
        assert!(depends.starts_with("libc6 (>= 2."), "{depends}");
    }

    #[test]
    fn versions_are_numbers() {
        assert!(Version::of_symbol("GLIBC_2.4") < Version::of_symbol("GLIBC_2.34"));
        assert_eq!(Version::of_symbol("GLIBC_2.2.5").to_string(), "2.2.5");
    }

    #[test]
    fn what_is_no_executable_is_refused() {
        let error = Executable::read(Path::new("relay"), b"#!/bin/sh\n").unwrap_err().to_string();
        assert!(error.contains("`relay`"), "{error}");
    }

    #[test]
    fn a_library_that_no_package_is_known_for_is_named() {
        let libraries = BTreeMap::from([("libz.so.1".to_owned(), Version::default())]);
        let error = Executable { is_static: false, libraries }.debian_depends().unwrap_err().to_string();
        assert!(error.contains("libz.so.1"), "{error}");
    }
}
