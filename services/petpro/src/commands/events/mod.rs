//! `petpro events`: following events, looking at one, and at all that followed from a request.

mod gather;
mod lineage;
mod show;
mod tail;
mod tree;

use crate::cli::{EventsArgs, EventsCommand};
use crate::operator::Operator;

pub(super) async fn execute(args: &EventsArgs) -> anyhow::Result<()> {
    let operator = Operator::connect(&args.operator).await?;
    let as_json = args.operator.json;
    match &args.command {
        EventsCommand::Tail(which) => tail::tail(&operator, which, as_json).await,
        EventsCommand::Show { id } => show::show(&operator, *id, as_json).await,
        EventsCommand::Lineage { id } => lineage::lineage(&operator, id, as_json).await,
    }
}
