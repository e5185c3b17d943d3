//! stdout and stderr of a relay, which must not wait for their readers.
//!
//! Up to a maximum number of texts are kept in memory and written when the stream has room, by the thread that
//! calls [`Stream::write`]: one piece at a time, of a size that fits whenever `poll` reports room. The stream
//! is not made non-blocking, because other processes share it. Only writing to a file on a slow disk can still
//! block.

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

/// The size of a piece in bytes: `PIPE_BUF` of Linux, which fits into a pipe that has any room. A terminal may
/// accept less, and reports so.
const PIECE: usize = 4096;

/// One of the two streams, with the texts that are not written yet.
pub(crate) struct Stream {
    descriptor: fn() -> BorrowedFd<'static>,
    texts_max: usize,
    texts: Mutex<VecDeque<Vec<u8>>>,
    /// The number of texts that are not written, the current one included; read without a lock.
    count: AtomicUsize,
    has_come: Condvar,
    /// The text that is being written, locked by the thread that writes it.
    current: Mutex<Text>,
}

/// A text, and how many bytes of it are written.
struct Text {
    bytes: Vec<u8>,
    written: usize,
}

impl Stream {
    /// A stream that keeps at most `texts_max` texts.
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

    /// Keeps a text until it is written. Returns false if there is no room for it.
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

    /// Whether there is a text to write.
    pub(crate) fn is_waiting(&self) -> bool {
        self.count.load(Ordering::Relaxed) > 0
    }

    /// Waits until there is a text to write, at most for `longest`.
    pub(crate) fn await_text(&self, longest: Duration) {
        let texts = lock(&self.texts);
        if texts.is_empty() {
            drop(self.has_come.wait_timeout(texts, longest));
        }
    }

    /// Writes the texts, and stops if the stream accepts nothing for `patience`. Returns whether all are
    /// written. A text that cannot be written at all is discarded, because there is no reader who could be
    /// told.
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

    /// Moves the next text into `text`, whose contents are written, if there is one.
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
        // A stream that cannot be polled reports its error when it is written to.
        poll(&mut asked, timeout.as_ref()).is_ok_and(|ready| ready > 0)
    }
}

/// Locks a mutex; no code panics while it holds one.
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
