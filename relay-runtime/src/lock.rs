//! Locks a directory for one process: a spool, or `state_dir`.
//!
//! Two locks are held, and both end with the process. One is on a file in the directory: every process that
//! shares the directory sees it, on every file system. But a user who removes the directory removes that file,
//! so there is a second lock that cannot be removed: an abstract Unix socket, named after the path. So a
//! directory that is removed under a running relay still belongs to that relay, and [`DirectoryLock::renew`]
//! creates it again.
//!
//! The socket's name is visible in one network namespace only; across namespaces the file is the only lock. A
//! name that is held by another user, who may not use the directory, is ignored.

use rustix::{
    io::Errno,
    net::{
        AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with,
        sockopt::socket_peercred,
    },
};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::{
        fd::OwnedFd,
        linux::net::SocketAddrExt as _,
        unix::{
            ffi::OsStrExt as _,
            fs::{MetadataExt as _, OpenOptionsExt as _},
            net::{SocketAddr, UnixListener},
        },
    },
    path::{Path, PathBuf},
};

/// The name of the locked file.
pub(crate) const NAME: &str = "lock";

/// How often a directory is created again if another process removes it while that process ends.
const ATTEMPTS: usize = 10;

/// A directory that no other process may use.
#[derive(Debug)]
pub(crate) struct DirectoryLock {
    directory: PathBuf,
    file: File,
    _name: Option<UnixListener>,
}

impl DirectoryLock {
    /// Locks a directory, which is created if it does not exist. Fails with an error of kind `ResourceBusy` if
    /// another process has locked it.
    pub(crate) fn take(directory: PathBuf) -> io::Result<Self> {
        let name = claim(&made(&directory)?)?;
        let file = lock(&directory)?;
        Ok(Self { directory, file, _name: name })
    }

    /// Creates the directory and the lock file again if either was removed. Returns whether that was so.
    pub(crate) fn renew(&mut self) -> io::Result<bool> {
        if is_at(&self.file, &self.directory.join(NAME))? {
            return Ok(false);
        }
        self.file = lock(&self.directory)?;
        Ok(true)
    }

    /// Removes the directory if there is nothing in it.
    pub(crate) fn remove_if_empty(&self) {
        let is_own = |entry: io::Result<fs::DirEntry>| entry.is_ok_and(|entry| entry.file_name() == NAME);
        if fs::read_dir(&self.directory).is_ok_and(|mut entries| entries.all(is_own)) {
            let _ = fs::remove_file(self.directory.join(NAME));
            let _ = fs::remove_dir(&self.directory);
        }
    }
}

/// Whether a relay of this network namespace has locked the directory. Finding out locks nothing, so a relay
/// that starts at the same time is not refused.
#[cfg(feature = "tools")]
pub(crate) fn is_taken(directory: &Path) -> io::Result<bool> {
    let name = name_of(&fs::canonicalize(directory)?);
    let is_its =
        |line: &str| line.split_whitespace().last().and_then(|last| last.strip_prefix('@')) == Some(&name);
    Ok(match fs::read_to_string("/proc/net/unix") {
        Ok(sockets) => sockets.lines().any(is_its),
        // A confined service sees only processes in /proc. A connection, which nobody accepts, tells the same.
        Err(_) => is_listening(&name),
    })
}

/// Whether a process holds the name. A queue that is full of such questions is an answer, too.
#[cfg(feature = "tools")]
fn is_listening(name: &str) -> bool {
    match call(name) {
        Ok(_) => true,
        Err(error) => error == Errno::AGAIN,
    }
}

/// The path of the directory without symbolic links. Creates the directory if it does not exist.
fn made(directory: &Path) -> io::Result<PathBuf> {
    if directory.as_os_str().is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path is empty"));
    }
    for _ in 0..ATTEMPTS {
        fs::create_dir_all(directory)?;
        match fs::canonicalize(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            path => return path,
        }
    }
    Err(taken())
}

fn lock(directory: &Path) -> io::Result<File> {
    for _ in 0..ATTEMPTS {
        let path = made(directory)?.join(NAME);
        let mut options = OpenOptions::new();
        // Only the user who runs the relay may read it.
        let opened = options.create(true).write(true).truncate(false).mode(0o600).open(&path);
        let file = match opened {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            opened => opened?,
        };
        file.try_lock().map_err(|error| match error {
            TryLockError::Error(error) => error,
            TryLockError::WouldBlock => taken(),
        })?;
        // The process that had the lock before may have removed the file after it was opened here.
        if is_at(&file, &path)? {
            return Ok(file);
        }
    }
    Err(taken())
}

/// Whether the open file is still the one at `path`.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let own = file.metadata()?;
    match fs::metadata(path) {
        Ok(found) => Ok((own.dev(), own.ino()) == (found.dev(), found.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Takes the abstract name of a path. Returns `None` if that is not possible; then the file is the only lock.
fn claim(path: &Path) -> io::Result<Option<UnixListener>> {
    let name = name_of(path);
    match SocketAddr::from_abstract_name(&name).and_then(|address| UnixListener::bind_addr(&address)) {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && !is_strangers(&name) => Err(taken()),
        Err(error) => {
            tracing::warn!(%error, path = %path.display(), "only a file locks this directory: do not remove it");
            Ok(None)
        }
    }
}

/// Whether the name is held by a user who is neither this one nor root.
fn is_strangers(name: &str) -> bool {
    let peer = call(name).and_then(socket_peercred);
    peer.is_ok_and(|peer| !peer.uid.is_root() && peer.uid != rustix::process::geteuid())
}

/// Connects to the process that holds the name, without waiting for it.
fn call(name: &str) -> Result<OwnedFd, Errno> {
    let address = SocketAddrUnix::new_abstract_name(name.as_bytes())?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    connect(&socket, &address)?;
    Ok(socket)
}

/// A name for the path, which may itself be too long for one.
fn name_of(path: &Path) -> String {
    format!("static-relay/directory/{:x}", md5::compute(path.as_os_str().as_bytes()))
}

fn taken() -> io::Error {
    io::Error::new(io::ErrorKind::ResourceBusy, "another relay uses it")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A path that is free, and is removed after the test.
    struct Place(PathBuf);

    impl Place {
        fn new(test: &str) -> Self {
            let path = std::env::temp_dir().join(format!("static-relay-lock-{test}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            Self(path)
        }

        fn take(&self) -> io::Result<DirectoryLock> {
            DirectoryLock::take(self.0.clone())
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[track_caller]
    fn assert_taken(place: &Place) {
        assert_eq!(place.take().unwrap_err().kind(), io::ErrorKind::ResourceBusy);
        assert!(is_taken(&place.0).unwrap());
        // The same without /proc, however often it is asked.
        let name = name_of(&fs::canonicalize(&place.0).unwrap());
        assert!((0..300).all(|_| is_listening(&name)));
        assert!(!is_listening("static-relay/directory/of-nobody"));
    }

    #[test]
    fn one_process_has_a_directory_at_a_time() {
        let place = Place::new("one");
        let lock = place.take().unwrap();
        assert_taken(&place);
        drop(lock);
        assert!(!is_taken(&place.0).unwrap());
        place.take().unwrap();
    }

    #[test]
    fn a_directory_that_is_removed_is_still_taken_and_is_made_again() {
        let place = Place::new("removed");
        let mut lock = place.take().unwrap();
        assert!(!lock.renew().unwrap());
        for remove in [|path: &Path| fs::remove_dir_all(path), |path: &Path| fs::remove_file(path.join(NAME))]
        {
            remove(&place.0).unwrap();
            // A process that comes now creates the directory, but does not get it.
            assert_eq!(place.take().unwrap_err().kind(), io::ErrorKind::ResourceBusy);
            let _ = fs::remove_dir_all(&place.0);
            assert!(lock.renew().unwrap());
            assert_taken(&place);
        }
        drop(lock);
        place.take().unwrap();
    }

    #[test]
    fn to_look_is_not_to_take() {
        let place = Place::new("look");
        fs::create_dir_all(&place.0).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| (0..200).for_each(|_| assert!(is_taken(&place.0).is_ok())));
            for _ in 0..50 {
                place.take().unwrap();
            }
        });
    }

    #[test]
    fn who_ends_and_who_begins_do_not_have_it_both() {
        let place = Place::new("handover");
        let holders = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let Ok(lock) = place.take() else { continue };
                        assert_eq!(holders.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                        holders.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                        lock.remove_if_empty();
                    }
                });
            }
        });
    }
}
