//! What people read on standard output, written so that it ends well when they stop reading: `petpro openapi | head`.

use std::io::{ErrorKind, Write as _};

/// Prints a line, as `println!` does, for `say!(…)?`.
macro_rules! say {
    ($($text:tt)*) => { $crate::output::line(::std::format_args!($($text)*)) };
}
pub(crate) use say;

/// Prints a line. Whoever has stopped reading wants no more of it, and that is no failure.
///
/// # Errors
/// It cannot be written, for example because a disk is full.
pub fn line(text: std::fmt::Arguments<'_>) -> std::io::Result<()> {
    unless_unread(writeln!(std::io::stdout().lock(), "{text}"))
}

/// Prints a text as it is.
///
/// # Errors
/// As for [`line()`].
pub fn text(text: &str) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    unless_unread(output.write_all(text.as_bytes()).and_then(|()| output.flush()))
}

fn unless_unread(written: std::io::Result<()>) -> std::io::Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Says something on standard error. Where that cannot be written to, nobody could be told so either.
pub fn aside(text: std::fmt::Arguments<'_>) {
    let mut output = std::io::stderr().lock();
    let _nobody_listens = output.write_fmt(text).and_then(|()| output.flush());
}
