//! What is done to the platform, a file each.

mod behind_poison;
mod dead_letters;
mod kill;
mod nodes;
mod old_copy;
mod planted;
mod stage;
mod stopped;
mod store_deleted;

pub use behind_poison::poison;
pub use dead_letters::park_and_replay;
pub use kill::{Target, kill};
pub use nodes::{Cut, Node, cut_node_off, lose_node};
pub use old_copy::put_old_copy_back;
pub use planted::{break_commit, forget_unheard};
pub use stage::{Quiet, Stage};
pub use stopped::stop_consumer;
pub use store_deleted::delete_store;
