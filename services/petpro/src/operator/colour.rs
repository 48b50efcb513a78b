//! Colours, on terminals only.

use std::io::IsTerminal as _;
use std::sync::OnceLock;

/// What a text looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    /// As it comes.
    Plain,
    /// A heading.
    Bold,
    /// What is there to be passed over.
    Dim,
    /// As it should be.
    Green,
    /// Worth a look.
    Yellow,
    /// Wrong.
    Red,
}

/// The text in a colour, where standard output is a terminal and nobody has asked for none (<https://no-color.org>).
pub(crate) fn paint(text: &str, colour: Colour) -> String {
    let code = match colour {
        Colour::Plain => return text.to_owned(),
        Colour::Bold => "1",
        Colour::Dim => "2",
        Colour::Green => "32",
        Colour::Yellow => "33",
        Colour::Red => "31",
    };
    if is_wanted() && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}

fn is_wanted() -> bool {
    static WANTED: OnceLock<bool> = OnceLock::new();
    *WANTED.get_or_init(|| {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        std::io::stdout().is_terminal() && !refused
    })
}
