mod planted;
mod scenarios;
mod stage;
mod three_nodes;
