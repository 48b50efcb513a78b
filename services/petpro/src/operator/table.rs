//! Tables with aligned columns.

use super::colour::{Colour, paint};
use crate::output::say;

/// What stands between two columns.
const GAP: &str = "  ";

/// One cell of a table.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    text: String,
    colour: Colour,
    is_number: bool,
}

impl Cell {
    /// A text, to the left of its column.
    pub(crate) fn text(text: impl ToString) -> Cell {
        Cell { text: text.to_string(), colour: Colour::Plain, is_number: false }
    }

    /// A number, to the right of its column.
    pub(crate) fn number(text: impl ToString) -> Cell {
        Cell { is_number: true, ..Cell::text(text) }
    }

    /// The same in a colour.
    pub(crate) fn in_colour(self, colour: Colour) -> Cell {
        Cell { colour, ..self }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

/// A table under construction.
pub(crate) struct Table {
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table with these headings.
    pub(crate) fn new(headings: &[&str]) -> Table {
        Table { rows: vec![headings.iter().map(|heading| Cell::text(heading).in_colour(Colour::Bold)).collect()] }
    }

    /// Adds a row, with as many cells as there are headings.
    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// Whether it has no rows yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.len() <= 1
    }

    /// Prints it.
    pub(crate) fn print(&self) -> std::io::Result<()> {
        for line in self.lines() {
            say!("{line}")?;
        }
        Ok(())
    }

    fn lines(&self) -> Vec<String> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width_of = |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(Cell::width).max();
        let widths: Vec<usize> = (0..columns).map(|column| width_of(column).unwrap_or_default()).collect();
        // A heading stands where the column's cells do.
        let to_the_right: Vec<bool> = (0..columns)
            .map(|column| self.rows.iter().filter_map(|row| row.get(column)).any(|cell| cell.is_number))
            .collect();
        let mut lines = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let width = widths.get(column).copied().unwrap_or_default();
                let padding = " ".repeat(width.saturating_sub(cell.width()));
                let is_last = column + 1 == row.len();
                let right = to_the_right.get(column).copied().unwrap_or_default();
                if column > 0 {
                    line.push_str(GAP);
                }
                if right {
                    line.push_str(&padding);
                }
                line.push_str(&paint(&cell.text, cell.colour));
                if !right && !is_last {
                    line.push_str(&padding);
                }
            }
            lines.push(line.trim_end().to_owned());
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_texts_to_the_left_and_numbers_to_the_right() {
        let mut table = Table::new(&["SERVICE", "ROWS", "WHY"]);
        assert!(table.is_empty());
        table.row(vec![Cell::text("booking"), Cell::number(7), Cell::text("é")]);
        table.row(vec![Cell::text("auth"), Cell::number("1,234"), Cell::text("")]);
        assert!(!table.is_empty());
        assert_eq!(table.lines(), ["SERVICE   ROWS  WHY", "booking      7  é", "auth     1,234"]);
    }
}
