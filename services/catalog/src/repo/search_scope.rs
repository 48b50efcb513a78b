//! The conditions of a search, as SQL on `product_search` as `found`.

use super::search_words::Term;
use crate::access::Standing;
use std::collections::BTreeMap;
use store::{Query, id_list};
use subjects::catalog::FindProducts;
use subjects::ids::{CategoryId, VendorId};

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
        query.sql(" from product_search found");
        self.add_scope_of_found(query);
    }

    /// Adds the same after a `from … found`.
    pub fn add_scope_of_found(&self, query: &mut Query) {
        query.sql(" left join vendors vendor on vendor.id = found.vendor_id where true");
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

    /// Adds the words as a `tsquery`. It is a query of its own: made once and not for each row, and always looked up in the
    /// index of words, while a guess how many have them would have Postgres read the table from end to end.
    pub fn add_words(&self, query: &mut Query) {
        query.sql("(select ");
        for (index, term) in self.terms.iter().flatten().enumerate() {
            query.sql(if index > 0 { " && (" } else { "(" });
            for (place, word) in term.iter().enumerate() {
                query.sql(if place > 0 { " || word_query(" } else { "word_query(" }).value(word.as_str()).sql(")");
            }
            query.sql(")");
        }
        query.sql(")");
    }

    /// What a facet leaves out of the question, in the order of their bits.
    pub fn narrowings(&self) -> Vec<Narrowing<'_>> {
        let FindProducts { vendor_id, price_min, price_max, available, .. } = self.request;
        let mut narrowings = Vec::new();
        narrowings.extend(vendor_id.map(Narrowing::Vendor));
        if price_min.is_some() || price_max.is_some() {
            // What has no price stands at the end of the index.
            narrowings.push(Narrowing::Price(price_min.unwrap_or(0), price_max.unwrap_or(i64::MAX - 1)));
        }
        narrowings.extend(available.map(Narrowing::Stock));
        let attributes = self.attributes().into_values().enumerate();
        narrowings.extend(attributes.map(|(index, pairs)| Narrowing::Attribute(index, pairs)));
        narrowings
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

    /// Adds every condition that facets leave out, each after an `and`.
    pub fn add_filters(&self, query: &mut Query) {
        for narrowing in self.narrowings() {
            query.sql(" and ");
            narrowing.add(query);
        }
    }
}

/// One part of a question that narrows it down, and that the facet of that very thing leaves out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Narrowing<'a> {
    /// Only of a vendor.
    Vendor(VendorId),
    /// Only from the one price to the other, in minor units.
    Price(i64, i64),
    /// Only what is in stock, or what is not.
    Stock(bool),
    /// Only with one of some pairs of an attribute, which is so-many-th by its name.
    Attribute(usize, Vec<&'a str>),
}

impl Narrowing<'_> {
    /// Its bit in what a product misses: each kind has its own, and each attribute.
    pub fn bit(&self) -> i32 {
        match self {
            Narrowing::Vendor(_) => MISSES_VENDOR,
            Narrowing::Price(..) => MISSES_PRICE,
            Narrowing::Stock(_) => MISSES_STOCK,
            Narrowing::Attribute(index, _) => misses_attribute(*index),
        }
    }

    /// Adds the condition.
    pub fn add(&self, query: &mut Query) {
        match self {
            Narrowing::Vendor(vendor_id) => query.sql("found.vendor_id = ").value(*vendor_id),
            // As the index of prices is written.
            Narrowing::Price(least, most) => {
                query.sql("coalesce(found.price_from, 9223372036854775807) between ");
                query.value(*least).sql(" and ").value(*most)
            }
            Narrowing::Stock(available) => query.sql("found.available = ").value(*available),
            Narrowing::Attribute(_, pairs) => {
                query.sql("found.attribute_pairs && string_to_array(").value(pairs.join(SEPARATOR)).sql(", chr(31))")
            }
        };
    }
}

/// The bit of a product that is of another vendor.
pub const MISSES_VENDOR: i32 = 1;
/// The bit of a product that costs less or more.
pub const MISSES_PRICE: i32 = 2;
/// The bit of a product that is in stock and should not be, or the other way round.
pub const MISSES_STOCK: i32 = 4;

/// The bit of a product that has none of the wanted values of an attribute.
pub fn misses_attribute(index: usize) -> i32 {
    8 << index
}
