//! What the commands of those who run the platform share: asking services under the operator's identity, and tables,
//! times and colours for people to read.

mod ask;
mod colour;
mod counter;
mod report;
mod table;
mod words;

pub(crate) use ask::{Operator, Unanswered, named};
pub(crate) use colour::{Colour, paint};
pub(crate) use counter::Counter;
pub(crate) use report::{finish, print_json};
pub(crate) use table::{Cell, Table};
pub(crate) use words::{age, ago, clock, count, duration, many, moment, rate, shortened};
