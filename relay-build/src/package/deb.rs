//! A Debian package: an `ar` archive with the format's version, the control files for dpkg, and the files to
//! install.
//!
//! Its scripts enable and start the units when it is installed; no other program is run to make it.

use super::{
    Contents, PackageError, Request,
    archive::{Entry, tar_gz},
    systemd,
    template::render,
};
use serde::Serialize;
use std::fmt::Write as _;

const CONTROL: &str = include_str!("../../packed/templates/deb/control.in");
const POSTINST: &str = include_str!("../../packed/templates/deb/postinst.in");
const PRERM: &str = include_str!("../../packed/templates/deb/prerm.in");
const POSTRM: &str = include_str!("../../packed/templates/deb/postrm.in");
const COPYRIGHT: &str = include_str!("../../packed/templates/deb/copyright.in");

/// The fields that only `control` has.
#[derive(Serialize)]
struct Control<'a> {
    #[serde(flatten)]
    facts: &'a super::facts::Facts,
    architecture: &'static str,
    installed_kib: u64,
    depends: String,
}

/// The package, under the file name that Debian prescribes.
pub(super) fn deb(request: &Request<'_>, contents: &Contents) -> Result<Entry, PackageError> {
    let Contents { facts, executable, relay, .. } = contents;
    let name = &facts.name;
    let mut files = vec![Entry::program(format!("usr/bin/{name}"), relay.clone())];
    files.extend(systemd::units(facts)?.into_iter().map(|unit| under("usr/lib/systemd/system", unit)));
    let defaults = systemd::defaults(facts)?
        .map(|defaults| under("etc/default", Entry { path: name.clone(), ..defaults }));
    let conffiles = defaults.as_ref().map(|file| format!("/{}\n", file.path));
    files.extend(defaults);
    let documents = format!("usr/share/doc/{name}");
    files.push(Entry::text(format!("{documents}/copyright"), render("deb/copyright", COPYRIGHT, facts)?));
    files.extend(contents.documents.iter().cloned().map(|document| under(&documents, document)));
    files.sort_by(|one, other| one.path.cmp(&other.path));

    let control = Control {
        facts,
        architecture: architecture(&request.manifest.target)?,
        installed_kib: files.iter().map(|file| (file.bytes.len() as u64).div_ceil(1024)).sum(),
        depends: executable.debian_depends()?,
    };
    let file_name = format!("{name}_{}_{}.deb", facts.version, control.architecture);
    let mut about = vec![
        Entry::text("control", render("deb/control", CONTROL, control)?),
        Entry::text("md5sums", md5sums(&files)),
        Entry::program("postinst", render("deb/postinst", POSTINST, facts)?),
        Entry::program("postrm", render("deb/postrm", POSTRM, facts)?),
        Entry::program("prerm", render("deb/prerm", PRERM, facts)?),
    ];
    if let Some(conffiles) = conffiles {
        about.insert(0, Entry::text("conffiles", conffiles));
    }
    let members = [
        ("debian-binary", b"2.0\n".to_vec()),
        ("control.tar.gz", tar_gz("", &about, request.time_s)?),
        ("data.tar.gz", tar_gz("", &files, request.time_s)?),
    ];
    let mut ar = ar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = ar::Header::new(name.as_bytes().to_vec(), bytes.len() as u64);
        header.set_mode(0o100_644);
        header.set_mtime(request.time_s);
        ar.append(&header, bytes.as_slice())?;
    }
    Ok(Entry::text(file_name, ar.into_inner()?))
}

fn under(directory: &str, entry: Entry) -> Entry {
    Entry { path: format!("{directory}/{}", entry.path), ..entry }
}

fn md5sums(files: &[Entry]) -> String {
    let mut text = String::new();
    // Configuration files may be changed by the administrator.
    for file in files.iter().filter(|file| !file.path.starts_with("etc/")) {
        let written = writeln!(text, "{:x}  {}", md5::compute(&file.bytes), file.path);
        debug_assert!(written.is_ok(), "a string takes everything");
    }
    text
}

/// Debian's name for the processor of a target.
fn architecture(target: &str) -> Result<&'static str, PackageError> {
    Ok(match target.split('-').next().unwrap_or_default() {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "i686" | "i586" => "i386",
        "riscv64gc" => "riscv64",
        "powerpc64le" => "ppc64el",
        "s390x" => "s390x",
        "armv7" => "armhf",
        _ => return Err(PackageError::UnknownProcessor { target: target.to_owned() }),
    })
}
