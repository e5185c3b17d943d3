//! stdout and stderr of a relay, which must not wait for who reads them.
//!
//! Texts are kept in memory, so many at most, and written when the stream has room for them: by whoever calls
//! [`Stream::write`], a piece at a time that fits when `poll` says that something does. The stream is not made
//! non-blocking, for it is shared with other processes. What still can wait is a file on a slow disk.

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};
use std::{
    collections::VecDeque,
    os::fd::BorrowedFd,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Bytes that fit where anything does: `PIPE_BUF` of Linux. A terminal may take fewer, and says so.
const PIECE: usize = 4096;

/// One of the two, and what waits for it.
pub(crate) struct Stream {
    descriptor: fn() -> BorrowedFd<'static>,
    texts_max: usize,
    texts: Mutex<VecDeque<Vec<u8>>>,
    /// As many as are not written, with the one that is being written, to look without a lock.
    count: AtomicUsize,
    has_come: Condvar,
    /// The text that is being written. Whoever writes has it locked.
    current: Mutex<Text>,
}

/// A text, and how much of it is written.
struct Text {
    bytes: Vec<u8>,
    written: usize,
}

impl Stream {
    /// Keeps so many texts at most.
    pub(crate) const fn new(descriptor: fn() -> BorrowedFd<'static>, texts_max: usize) -> Self {
        Self {
            descriptor,
            texts_max,
            texts: Mutex::new(VecDeque::new()),
            count: AtomicUsize::new(0),
            has_come: Condvar::new(),
            current: Mutex::new(Text { bytes: Vec::new(), written: 0 }),
        }
    }

    /// Keeps a text until it is written, or says that there is no room.
    pub(crate) fn keep(&self, text: Vec<u8>) -> bool {
        let mut texts = lock(&self.texts);
        if texts.len() >= self.texts_max {
            return false;
        }
        texts.push_back(text);
        self.count.fetch_add(1, Ordering::Relaxed);
        self.has_come.notify_one();
        true
    }

    /// Whether there is something to write.
    pub(crate) fn is_waiting(&self) -> bool {
        self.count.load(Ordering::Relaxed) > 0
    }

    /// Until there is something to write, but not longer.
    pub(crate) fn await_text(&self, longest: Duration) {
        let texts = lock(&self.texts);
        if texts.is_empty() {
            drop(self.has_come.wait_timeout(texts, longest));
        }
    }

    /// Writes what waits, and gives up when the stream takes nothing for so long. Says whether all is written. What
    /// cannot be written at all is forgotten: nobody is there to be told.
    pub(crate) fn write(&self, patience: Duration) -> bool {
        let mut text = lock(&self.current);
        while text.written < text.bytes.len() || self.next(&mut text) {
            let piece = &text.bytes[text.written..text.bytes.len().min(text.written + PIECE)];
            if !self.has_room(patience) {
                return false;
            }
            match rustix::io::write((self.descriptor)(), piece) {
                Ok(bytes) => text.written += bytes,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return false,
                Err(_) => text.written = text.bytes.len(),
            }
        }
        true
    }

    /// Puts the next text into `text`, which is written, if there is one.
    fn next(&self, text: &mut Text) -> bool {
        let mut texts = lock(&self.texts);
        let next = texts.pop_front();
        let is_there = next.is_some();
        self.count.store(texts.len() + usize::from(is_there), Ordering::Relaxed);
        drop(texts);
        *text = Text { bytes: next.unwrap_or_default(), written: 0 };
        is_there
    }

    fn has_room(&self, patience: Duration) -> bool {
        let descriptor = (self.descriptor)();
        let mut asked = [PollFd::new(&descriptor, PollFlags::OUT)];
        let timeout = Timespec::try_from(patience).ok();
        // What is not to be waited for says so when it is written to.
        poll(&mut asked, timeout.as_ref()).is_ok_and(|ready| ready > 0)
    }
}

/// Nothing panics while it holds a lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::{self, Read as _},
        os::fd::AsFd as _,
        sync::OnceLock,
        thread,
    };

    static PIPE: OnceLock<(io::PipeReader, io::PipeWriter)> = OnceLock::new();

    fn pipe() -> &'static (io::PipeReader, io::PipeWriter) {
        PIPE.get_or_init(|| io::pipe().unwrap())
    }

    #[test]
    fn a_reader_that_sleeps_keeps_nobody_waiting_and_gets_all_in_order() {
        let stream = Stream::new(|| pipe().1.as_fd(), 100);
        let texts: Vec<Vec<u8>> = (0..100_u8).map(|text| vec![text; 5_000]).collect();
        for text in &texts {
            assert!(stream.keep(text.clone()));
        }
        assert!(!stream.keep(vec![0]), "there is room for a hundred");
        assert!(!stream.write(Duration::ZERO), "a pipe takes less than this");
        assert!(stream.is_waiting());
        let all = texts.concat();
        let mut read = vec![0; all.len()];
        thread::scope(|scope| {
            scope.spawn(|| while !stream.write(Duration::from_millis(10)) {});
            (&pipe().0).read_exact(&mut read).unwrap();
        });
        assert_eq!(read, all);
        assert!(!stream.is_waiting());

        let last = vec![7; 100_000];
        assert!(stream.keep(last.clone()));
        assert!(!stream.write(Duration::ZERO), "a pipe takes less than this");
        assert!(stream.is_waiting(), "the rest of the last one waits");
        let mut read = vec![0; last.len()];
        thread::scope(|scope| {
            scope.spawn(|| while !stream.write(Duration::from_millis(10)) {});
            (&pipe().0).read_exact(&mut read).unwrap();
        });
        assert_eq!(read, last);
        assert!(!stream.is_waiting());
    }
}
