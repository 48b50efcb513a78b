//! Content lines (RFC 5545, 3.1): escaped, folded, ended by CRLF.

/// How many octets a line may have without its end.
const LONGEST: usize = 75;

/// Lines of iCalendar, one after the other.
#[derive(Debug, Default)]
pub struct Lines {
    text: String,
}

impl Lines {
    /// A line as it stands: names and values that need no escaping.
    pub fn plain(&mut self, line: &str) {
        // A line that goes on begins with a space, which counts.
        let mut room = LONGEST;
        for character in line.chars() {
            let octets = character.len_utf8();
            if octets > room {
                self.text.push_str("\r\n ");
                room = LONGEST - 1;
            }
            self.text.push(character);
            room -= octets;
        }
        self.text.push_str("\r\n");
    }

    /// A property whose value is text that people wrote.
    pub fn text(&mut self, name: &str, value: &str) {
        self.plain(&format!("{name}:{}", escape(value)));
    }

    /// All of them.
    pub fn finish(self) -> String {
        self.text
    }
}

/// Text as a value (3.3.11). Control characters have no place in one but for tab and the line's end; an end by CR or
/// CRLF, which would otherwise begin a line of the calendar, is one all the same.
fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for character in value.replace("\r\n", "\n").chars() {
        match character {
            '\\' | ';' | ',' => escaped.extend(['\\', character]),
            '\n' | '\r' => escaped.push_str("\\n"),
            '\t' => escaped.push('\t'),
            _ if character.is_control() => {}
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(name: &str, value: &str) -> String {
        let mut lines = Lines::default();
        lines.text(name, value);
        lines.finish()
    }

    #[test]
    fn what_means_something_in_icalendar_is_escaped() {
        assert_eq!(written("SUMMARY", r"a\b;c,d: e"), "SUMMARY:a\\\\b\\;c\\,d: e\r\n");
        assert_eq!(written("SUMMARY", "a\nb\r\nc\rd\u{7}\u{85}e\tf"), "SUMMARY:a\\nb\\nc\\nde\tf\r\n");
    }

    #[test]
    fn a_line_of_75_octets_is_not_folded_and_one_of_76_is() {
        assert_eq!(written("S", &"x".repeat(73)), format!("S:{}\r\n", "x".repeat(73)));
        assert_eq!(written("S", &"x".repeat(74)), format!("S:{}\r\n x\r\n", "x".repeat(73)));
    }

    proptest! {
        #[test]
        fn lines_are_short_whole_and_can_be_unfolded(value in "\\PC{0,200}") {
            let line = written("SUMMARY", &value);
            for part in line.strip_suffix("\r\n").unwrap().split("\r\n") {
                prop_assert!(part.len() <= LONGEST && !part.is_empty());
            }
            let unfolded = line.replace("\r\n ", "");
            prop_assert_eq!(unfolded, format!("SUMMARY:{}\r\n", escape(&value)));
        }
    }
}
