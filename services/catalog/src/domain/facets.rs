//! Counts of a search as they are told.

use super::tree::{Node, ancestry};
use crate::repo::facets::{Count, Counts, PRICE_STEPS};
use std::collections::BTreeMap;
use subjects::catalog::{
    AttributeFacet, AvailabilityCount, CategoryCount, MAX_COUNTED, PriceCount, ProductFacets, ValueCount, VendorCount,
};
use subjects::ids::CategoryId;

/// How many categories are told at the most.
const MAX_CATEGORIES_TOLD: usize = 100;
/// How many values of an attribute are told at the most.
const MAX_VALUES_TOLD: usize = 30;

/// The counts where nothing is found.
pub fn none() -> ProductFacets {
    ProductFacets {
        total: 0,
        exact: true,
        categories: Vec::new(),
        vendors: Vec::new(),
        attributes: Vec::new(),
        prices: Vec::new(),
        available: AvailabilityCount { yes: 0, no: 0 },
    }
}

/// Counts as they are told, with the categories' names from the tree; of these only those `within`, where one was chosen.
pub fn tell(counts: Counts, tree: &[(Node, String)], within: Option<&[CategoryId]>) -> ProductFacets {
    let available = |wanted: bool| {
        counts.available.iter().filter(|(is_available, _)| *is_available == wanted).map(|(_, count)| *count).sum()
    };
    ProductFacets {
        total: counts.total,
        exact: counts.scope <= MAX_COUNTED,
        available: AvailabilityCount { yes: available(true), no: available(false) },
        categories: categories(&counts.categories, tree, within),
        vendors: counts.vendors.into_iter().map(|(vendor_id, count)| VendorCount { vendor_id, count }).collect(),
        attributes: attributes(counts.attributes),
        prices: counts.prices.into_iter().filter_map(price_range).collect(),
    }
}

/// Each category's count with those of the categories below it, the most first.
fn categories(
    counts: &[Count<CategoryId>],
    tree: &[(Node, String)],
    within: Option<&[CategoryId]>,
) -> Vec<CategoryCount> {
    let nodes: Vec<Node> = tree.iter().map(|(node, _)| *node).collect();
    let mut with_those_below: BTreeMap<CategoryId, u32> = BTreeMap::new();
    for (category_id, count) in counts {
        for id in ancestry(&nodes, *category_id) {
            *with_those_below.entry(id).or_default() += count;
        }
    }
    let mut told: Vec<CategoryCount> = tree
        .iter()
        .filter(|(node, _)| within.is_none_or(|ids| ids.contains(&node.id)))
        .filter_map(|(node, name)| {
            let count = with_those_below.get(&node.id)?;
            Some(CategoryCount { category_id: node.id, name: name.clone(), count: *count })
        })
        .collect();
    told.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.name.cmp(&other.name)));
    told.truncate(MAX_CATEGORIES_TOLD);
    told
}

/// Values by their attributes, in the order of the names; the values come with the most first.
fn attributes(counts: Vec<Count<String>>) -> Vec<AttributeFacet> {
    let mut by_name: BTreeMap<String, Vec<ValueCount>> = BTreeMap::new();
    for (pair, count) in counts {
        let Some((name, value)) = pair.split_once(':') else { continue };
        let values = by_name.entry(name.to_owned()).or_default();
        if values.len() < MAX_VALUES_TOLD {
            values.push(ValueCount { value: value.to_owned(), count });
        }
    }
    by_name.into_iter().map(|(name, values)| AttributeFacet { name, values }).collect()
}

fn price_range((range, count): Count<usize>) -> Option<PriceCount> {
    let from = PRICE_STEPS.get(range.checked_sub(1)?)?;
    Some(PriceCount { from: *from, to: PRICE_STEPS.get(range).copied(), count })
}
