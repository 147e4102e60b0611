//! Values straight from a text, in one pass and with no tree of it.
//!
//! This is how nearly every record is read: members in the order of the contract, each once, and
//! nothing wrong. A stream only ever tells that *something* is out of the ordinary, by having
//! given up; then the text is read again as a tree, which finds everything that is wrong, at its
//! place, and takes members in any order.

use std::borrow::Cow;
use std::cell::Cell;

use crate::json::scan::Scanner;

/// A text that is read from its beginning to its end, by readers that share it.
#[derive(Debug)]
pub(crate) struct Stream<'a> {
    scanner: Cell<Scanner<'a>>,
    /// How many objects and arrays have been entered and not left: a reader of one that is not
    /// the innermost must not read on.
    depth: Cell<u32>,
    gave_up: Cell<bool>,
}

impl<'a> Stream<'a> {
    /// The beginning of a text.
    pub(crate) fn new(text: &'a str) -> Self {
        let mut scanner = Scanner::new(text);
        scanner.skip_space();
        Self {
            scanner: Cell::new(scanner),
            depth: Cell::new(0),
            gave_up: Cell::new(false),
        }
    }

    /// Whether the whole text was read, and nothing in it was out of the ordinary.
    pub(crate) fn read_wholly(self) -> bool {
        !self.gave_up.get() && self.depth.get() == 0 && self.scanner.get().end().is_some()
    }

    /// Leaves the text to the reader of trees.
    #[cold]
    pub(super) fn give_up(&self) {
        self.gave_up.set(true);
    }

    #[inline(always)]
    fn read<T>(&self, read: impl FnOnce(&mut Scanner<'a>) -> Option<T>) -> Option<T> {
        let mut scanner = self.scanner.get();
        let value = read(&mut scanner);
        self.scanner.set(scanner);
        if value.is_none() {
            self.give_up();
        }
        value
    }

    /// The string that stands here.
    #[inline(always)]
    pub(super) fn string(&self) -> Option<Cow<'a, str>> {
        self.read(Scanner::string)
    }

    /// The non-negative whole number that stands here.
    pub(super) fn integer(&self) -> Option<u64> {
        self.read(Scanner::integer)
    }

    /// The truth value that stands here.
    pub(super) fn boolean(&self) -> Option<bool> {
        self.read(Scanner::boolean)
    }

    /// Enters the object or array that begins here with `open`.
    pub(super) fn enter(&self, open: u8) -> Option<Inside> {
        self.read(|scanner| scanner.take(open))?;
        let depth = self.depth.get().saturating_add(1);
        self.depth.set(depth);
        Some(Inside { depth, first: true })
    }

    /// Goes to a member of the innermost object, if it is the next one.
    #[inline(always)]
    pub(super) fn member(&self, inside: &mut Inside, name: &str) -> Option<()> {
        let mut scanner = self.here(*inside)?;
        inside.next(&mut scanner)?;
        scanner.name(name)?;
        self.scanner.set(scanner);
        inside.first = false;
        Some(())
    }

    /// Goes to the next element of the innermost array, or behind it when there is none.
    pub(super) fn element(&self, inside: &mut Inside) -> Option<()> {
        let mut scanner = self.here(*inside)?;
        if inside.next(&mut scanner).is_some() && !(inside.first && scanner.peek() == Some(b']')) {
            self.scanner.set(scanner);
            inside.first = false;
            return Some(());
        }
        self.leave(*inside, b']');
        None
    }

    /// Leaves the innermost object or array, which has to end here with `close`.
    pub(super) fn leave(&self, inside: Inside, close: u8) {
        if self.here(inside).is_none() {
            return;
        }
        self.read(|scanner| {
            scanner.skip_space();
            scanner.take(close)
        });
        self.depth.set(inside.depth.saturating_sub(1));
    }

    /// Where the text has been read to, unless this is not the innermost place any more.
    #[inline(always)]
    fn here(&self, inside: Inside) -> Option<Scanner<'a>> {
        if self.gave_up.get() || self.depth.get() != inside.depth {
            self.give_up();
            return None;
        }
        Some(self.scanner.get())
    }
}

/// A place inside an object or array.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inside {
    depth: u32,
    /// Nothing of it has been read yet.
    first: bool,
}

impl Inside {
    /// Goes to where the next member or element begins, if there is one.
    #[inline(always)]
    fn next(self, scanner: &mut Scanner<'_>) -> Option<()> {
        scanner.skip_space();
        if !self.first {
            scanner.take(b',')?;
            scanner.skip_space();
        }
        Some(())
    }
}
