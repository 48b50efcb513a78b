//! The conditions of a search, as SQL on `product_search` as `found`.

use super::id_list;
use super::search_words::Term;
use crate::access::Standing;
use std::collections::BTreeMap;
use store::Query;
use subjects::catalog::FindProducts;
use subjects::ids::CategoryId;

/// The sign between texts that are one parameter: no text of a request has it.
const SEPARATOR: &str = "\u{1f}";

/// A search, with all that has to be known to ask the database.
#[derive(Debug)]
pub struct Search<'a> {
    /// What is asked for.
    pub request: &'a FindProducts,
    /// Who asks.
    pub standing: &'a Standing,
    /// The words; none: any.
    pub terms: Option<Vec<Term>>,
    /// The category with those below it; none: any.
    pub category_ids: Option<Vec<CategoryId>>,
}

impl Search<'_> {
    /// Adds `from … where …` with what no facet leaves out: who may see it, the words, and the category.
    pub fn add_scope(&self, query: &mut Query) {
        query.sql(" from product_search found left join vendors vendor on vendor.id = found.vendor_id where true");
        if !self.standing.sees_everything() {
            query.sql(" and (vendor.open_for_business");
            let own = self.standing.vendor_ids();
            if !own.is_empty() {
                query.sql(" or found.vendor_id = any(string_to_array(").value(id_list(own)).sql(", ',')::uuid[])");
            }
            query.sql(")");
        }
        if self.terms.is_some() {
            query.sql(" and found.words @@ ");
            self.add_words(query);
        }
        if let Some(ids) = &self.category_ids {
            query.sql(" and found.category_id = any(string_to_array(").value(id_list(ids)).sql(", ',')::uuid[])");
        }
    }

    /// Adds the words as a `tsquery`.
    pub fn add_words(&self, query: &mut Query) {
        query.sql("(");
        for (index, term) in self.terms.iter().flatten().enumerate() {
            query.sql(if index > 0 { " && (" } else { "(" });
            for (place, word) in term.iter().enumerate() {
                query.sql(if place > 0 { " || word_query(" } else { "word_query(" }).value(word.as_str()).sql(")");
            }
            query.sql(")");
        }
        query.sql(")");
    }

    /// Adds the condition on the vendor.
    pub fn add_vendor(&self, query: &mut Query) {
        match self.request.vendor_id {
            Some(vendor_id) => query.sql("found.vendor_id = ").value(vendor_id),
            None => query.sql("true"),
        };
    }

    /// Adds the condition on the price.
    pub fn add_price(&self, query: &mut Query) {
        query.sql("true");
        if let Some(least) = self.request.price_min {
            query.sql(" and found.price_from >= ").value(least);
        }
        if let Some(most) = self.request.price_max {
            query.sql(" and found.price_from <= ").value(most);
        }
    }

    /// Adds the condition on the stock.
    pub fn add_stock(&self, query: &mut Query) {
        match self.request.available {
            Some(available) => query.sql("found.available = ").value(available),
            None => query.sql("true"),
        };
    }

    /// The wanted attributes by name, each with its wanted pairs.
    pub fn attributes(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut by_name: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for pair in &self.request.attributes {
            let name = pair.split_once(':').map_or(pair.as_str(), |(name, _)| name);
            by_name.entry(name).or_default().push(pair);
        }
        by_name
    }

    /// Adds the condition that one of some pairs is there.
    pub fn add_attribute(query: &mut Query, pairs: &[&str]) {
        query.sql("found.attribute_pairs && string_to_array(").value(pairs.join(SEPARATOR)).sql(", chr(31))");
    }

    /// Adds every condition that facets leave out, each after an `and`.
    pub fn add_filters(&self, query: &mut Query) {
        query.sql(" and ");
        self.add_vendor(query);
        query.sql(" and ");
        self.add_price(query);
        query.sql(" and ");
        self.add_stock(query);
        for pairs in self.attributes().values() {
            query.sql(" and ");
            Search::add_attribute(query, pairs);
        }
    }
}
