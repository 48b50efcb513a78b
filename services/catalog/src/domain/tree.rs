//! The tree of categories: its order, its depth, and what lies below what.

use std::collections::BTreeMap;
use subjects::ids::CategoryId;

/// A category's place in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// The category.
    pub id: CategoryId,
    /// The one above it.
    pub parent_id: Option<CategoryId>,
}

/// What lies below a category, itself first. Every category comes after the one above it.
pub fn subtree(nodes: &[Node], top: CategoryId) -> Vec<CategoryId> {
    let children = children(nodes);
    let mut found = vec![top];
    let mut index = 0;
    while let Some(id) = found.get(index).copied() {
        found.extend(children.get(&Some(id)).into_iter().flatten().copied());
        index += 1;
    }
    found
}

/// The categories from one of them up to the top, itself first.
pub fn ancestry(nodes: &[Node], lowest: CategoryId) -> Vec<CategoryId> {
    let parents: BTreeMap<CategoryId, Option<CategoryId>> =
        nodes.iter().map(|node| (node.id, node.parent_id)).collect();
    let mut found = Vec::new();
    let mut next = Some(lowest);
    // A tree that were none would end here, too.
    while let Some(id) = next.filter(|_| found.len() <= nodes.len()) {
        found.push(id);
        next = parents.get(&id).copied().flatten();
    }
    found
}

/// How many levels a category and all below it take.
pub fn height(nodes: &[Node], top: CategoryId) -> usize {
    let children = children(nodes);
    let mut level = vec![top];
    let mut levels = 0;
    // A tree that were none would end here, too.
    while !level.is_empty() && levels <= nodes.len() {
        levels += 1;
        level = level.iter().filter_map(|id| children.get(&Some(*id))).flatten().copied().collect();
    }
    levels
}

/// The categories in the order of the tree: each followed by what is below it. Siblings keep the order in which they come.
pub fn in_order(nodes: &[Node]) -> Vec<CategoryId> {
    let children = children(nodes);
    let mut ordered = Vec::with_capacity(nodes.len());
    let mut to_visit: Vec<CategoryId> = children.get(&None).into_iter().flatten().rev().copied().collect();
    while let Some(id) = to_visit.pop() {
        ordered.push(id);
        to_visit.extend(children.get(&Some(id)).into_iter().flatten().rev());
    }
    ordered
}

fn children(nodes: &[Node]) -> BTreeMap<Option<CategoryId>, Vec<CategoryId>> {
    let mut children: BTreeMap<Option<CategoryId>, Vec<CategoryId>> = BTreeMap::new();
    for node in nodes {
        children.entry(node.parent_id).or_default().push(node.id);
    }
    children
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_walked_from_the_top() {
        let [cats, food, dry, dogs] = [(); 4].map(|()| CategoryId::new());
        let node = |id, parent_id| Node { id, parent_id };
        let nodes = [node(dogs, None), node(dry, Some(food)), node(cats, None), node(food, Some(cats))];
        assert_eq!(in_order(&nodes), [dogs, cats, food, dry]);
        assert_eq!(subtree(&nodes, cats), [cats, food, dry]);
        assert_eq!(ancestry(&nodes, dry), [dry, food, cats]);
        assert_eq!((height(&nodes, cats), height(&nodes, food), height(&nodes, dogs)), (3, 2, 1));
    }
}
