//! Dead letters: events that a handler could not deal with. The table is the truth; the stream `DEAD_LETTERS` tells of
//! it.

mod announce;
mod announcement;
mod drop;
mod find;
mod letter;
mod of_events;
mod park;
mod replay;
mod replay_one;
mod selection;

pub(crate) use announce::announce;
pub use drop::drop_letters;
pub use find::{find_all, find_one};
pub(crate) use of_events::of_events;
pub(crate) use park::{BEHIND, Parking, insert, which_have_any};
pub(crate) use replay::meant;
pub use replay::replay;
