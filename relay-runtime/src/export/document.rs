//! A TOML document that is being written: keys, and sections with a blank line before each.
//!
//! `toml_writer` does the quoting and escaping.

use crate::table::{Late, Size, Template};
use std::fmt;
use toml_writer::{TomlWrite, WriteTomlValue};

/// The text so far.
#[derive(Debug, Default)]
pub(super) struct Document(String);

impl Document {
    /// Begins a table `[name]`.
    pub(super) fn table(&mut self, name: &str) {
        written(self.header(name));
    }

    /// Begins another element of an array of tables `[[name]]`, which may be a dotted path.
    pub(super) fn element(&mut self, path: &str) {
        written(self.element_header(path));
    }

    /// Writes `key = value`.
    pub(super) fn value(&mut self, key: &str, value: impl WriteTomlValue) {
        written(self.pair(key, value));
    }

    /// Writes `key = value`, unless the value is the default.
    pub(super) fn value_unless<T: WriteTomlValue + PartialEq>(&mut self, key: &str, value: &T, default: &T) {
        if value != default {
            self.value(key, value);
        }
    }

    /// Writes a flag if it is on.
    pub(super) fn flag(&mut self, key: &str, is_on: bool) {
        self.value_unless(key, &is_on, &false);
    }

    /// Writes a text unless it is empty.
    pub(super) fn text(&mut self, key: &str, Template(text): &Template) {
        if !text.is_empty() {
            self.value(key, text);
        }
    }

    /// Writes a text if there is one.
    pub(super) fn optional(&mut self, key: &str, text: Option<&Template>) {
        if let Some(Template(text)) = text {
            self.value(key, text);
        }
    }

    /// Writes a number that may be known only at start, unless it is the default.
    pub(super) fn late(&mut self, key: &str, value: &Late<u64>, default: &Late<u64>) {
        match value {
            _ if value == default => {}
            Late::Known(number) => self.value(key, *number),
            Late::AtStart(Template(text)) => self.value(key, text),
        }
    }

    /// Writes a number of bytes, unless it is the default.
    pub(super) fn size(&mut self, key: &str, value: &Late<Size>, default: &Late<Size>) {
        match value {
            _ if value == default => {}
            Late::Known(Size(bytes)) => self.value(key, *bytes),
            Late::AtStart(Template(text)) => self.value(key, text),
        }
    }

    /// Writes milliseconds as a Go duration, unless they are the default.
    pub(super) fn duration(&mut self, key: &str, milliseconds: &Late<u64>, default: &Late<u64>) {
        match milliseconds {
            _ if milliseconds == default => {}
            Late::Known(milliseconds) => self.value(key, duration(*milliseconds)),
            Late::AtStart(Template(text)) => self.value(key, text),
        }
    }

    pub(super) fn finish(self) -> String {
        self.0
    }

    fn header(&mut self, name: &str) -> fmt::Result {
        let text = &mut self.0;
        text.newline()?;
        text.open_table_header()?;
        text.key(name)?;
        text.close_table_header()?;
        text.newline()
    }

    fn element_header(&mut self, path: &str) -> fmt::Result {
        let text = &mut self.0;
        text.newline()?;
        text.open_array_of_tables_header()?;
        for (at, name) in path.split('.').enumerate() {
            if at > 0 {
                text.key_sep()?;
            }
            text.key(name)?;
        }
        text.close_array_of_tables_header()?;
        text.newline()
    }

    fn pair(&mut self, key: &str, value: impl WriteTomlValue) -> fmt::Result {
        let text = &mut self.0;
        text.key(key)?;
        text.space()?;
        text.keyval_sep()?;
        text.space()?;
        text.value(value)?;
        text.newline()
    }
}

/// The duration in whole seconds if it is that, otherwise in milliseconds.
pub(super) fn duration(milliseconds: u64) -> String {
    if milliseconds.is_multiple_of(1_000) {
        format!("{}s", milliseconds / 1_000)
    } else {
        format!("{milliseconds}ms")
    }
}

fn written(result: fmt::Result) {
    debug_assert!(result.is_ok(), "a string takes everything");
}
