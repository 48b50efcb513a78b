//! Variants of a product: what they may be, and which of the old ones they are.

use chrono::SubsecRound as _;
use std::collections::{BTreeMap, BTreeSet};
use subjects::Violation;
use subjects::catalog::{NewVariant, ProductOption, ProductVariant, VariantPrice};
use subjects::ids::VariantId;
use subjects::money::Money;
use subjects::time::Instant;

/// The variants with their prices' instants in whole microseconds, as the database keeps them: what is judged is then what
/// is stored.
pub fn as_stored(mut variants: Vec<NewVariant>) -> Vec<NewVariant> {
    for price in variants.iter_mut().flat_map(|variant| variant.prices.iter_mut()) {
        price.valid_from = price.valid_from.map(|instant| instant.trunc_subsecs(6));
        price.valid_to = price.valid_to.map(|instant| instant.trunc_subsecs(6));
    }
    variants
}

/// What is wrong with the variants of a product that has these options.
pub fn violations(options: &[ProductOption], variants: &[NewVariant]) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut names = BTreeSet::new();
    for (index, option) in options.iter().enumerate() {
        if !names.insert(option.name.as_str()) {
            violations.push(Violation::new(format!("/options/{index}/name"), "is named twice"));
        }
    }
    let (mut skus, mut ids, mut combinations) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (index, variant) in variants.iter().enumerate() {
        if !skus.insert(variant.sku.to_lowercase()) {
            violations.push(Violation::new(format!("/variants/{index}/sku"), "is another variant's, too"));
        }
        if variant.id.is_some_and(|id| !ids.insert(id)) {
            violations.push(Violation::new(format!("/variants/{index}/id"), "is another variant's, too"));
        }
        if !has_options(variant, options) {
            let message = "must have one of the product's values for each of the product's options, and no others";
            violations.push(Violation::new(format!("/variants/{index}/options"), message));
        } else if !combinations.insert(&variant.options) {
            violations.push(Violation::new(format!("/variants/{index}/options"), "are another variant's, too"));
        }
        violations.extend(price_violations(index, &variant.prices));
    }
    violations
}

fn has_options(variant: &NewVariant, options: &[ProductOption]) -> bool {
    let chosen = &variant.options.0;
    let each_is_chosen = |option: &ProductOption| chosen.get(&option.name).is_some_and(|it| option.values.contains(it));
    chosen.len() == options.len() && options.iter().all(each_is_chosen)
}

fn price_violations(variant: usize, prices: &[VariantPrice]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (index, price) in prices.iter().enumerate() {
        if matches!((price.valid_from, price.valid_to), (Some(from), Some(to)) if from >= to) {
            let pointer = format!("/variants/{variant}/prices/{index}/validTo");
            violations.push(Violation::new(pointer, "must be after validFrom"));
        }
        if prices.iter().take(index).any(|earlier| overlap(earlier, price)) {
            let pointer = format!("/variants/{variant}/prices/{index}");
            violations.push(Violation::new(pointer, "holds at the same time as another price"));
        }
    }
    violations
}

/// Whether two prices hold at the same time. A price holds from its first instant on, and not at its last.
fn overlap(one: &VariantPrice, other: &VariantPrice) -> bool {
    let begins_before_end = |begin: Option<Instant>, end: Option<Instant>| match (begin, end) {
        (Some(begin), Some(end)) => begin < end,
        _ => true,
    };
    begins_before_end(one.valid_from, other.valid_to) && begins_before_end(other.valid_from, one.valid_to)
}

/// The price that holds at an instant.
pub fn price_at(prices: &[VariantPrice], instant: Instant) -> Option<Money> {
    let holds = |price: &&VariantPrice| {
        price.valid_from.is_none_or(|from| from <= instant) && price.valid_to.is_none_or(|to| instant < to)
    };
    prices.iter().find(holds).map(|price| price.price)
}

/// Which variant each of the new ones is: the one that it names, else the one with its SKU, else a new one.
///
/// # Errors
/// Those that name what is none of the product's.
pub fn identify(old: &[ProductVariant], new: &[NewVariant]) -> Result<Vec<VariantId>, Vec<Violation>> {
    let mut violations = Vec::new();
    let mut by_sku: BTreeMap<String, VariantId> =
        old.iter().map(|variant| (variant.sku.to_lowercase(), variant.id)).collect();
    let named: BTreeSet<VariantId> = new.iter().filter_map(|variant| variant.id).collect();
    by_sku.retain(|_, id| !named.contains(id));
    let mut ids = Vec::with_capacity(new.len());
    for (index, variant) in new.iter().enumerate() {
        match variant.id {
            Some(id) if old.iter().any(|known| known.id == id) => ids.push(id),
            Some(_) => {
                violations.push(Violation::new(format!("/variants/{index}/id"), "is none of the product's variants"));
            }
            None => ids.push(by_sku.get(&variant.sku.to_lowercase()).copied().unwrap_or_else(VariantId::new)),
        }
    }
    if violations.is_empty() { Ok(ids) } else { Err(violations) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn variant(value: Value) -> NewVariant {
        serde_json::from_value(value).unwrap()
    }

    fn sized(sku: &str, size: &str) -> NewVariant {
        let price = json!({ "price": { "amount": 1, "currency": "IDR" } });
        variant(json!({ "sku": sku, "options": { "size": size }, "prices": [price] }))
    }

    fn sizes() -> Vec<ProductOption> {
        vec![ProductOption { name: "size".to_owned(), values: vec!["S".to_owned(), "L".to_owned()] }]
    }

    fn pointers(violations: &[Violation]) -> Vec<&str> {
        violations.iter().map(|violation| violation.pointer.as_str()).collect()
    }

    fn price(from: Option<&str>, to: Option<&str>) -> VariantPrice {
        let instant = |text: &str| text.parse().unwrap();
        VariantPrice { price: Money::idr(1), valid_from: from.map(instant), valid_to: to.map(instant) }
    }

    #[test]
    fn each_variant_is_another_combination_of_the_options() {
        assert_eq!(violations(&sizes(), &[sized("a", "S"), sized("b", "L")]), []);
        let wrong = violations(&sizes(), &[sized("a", "S"), sized("A", "S"), sized("c", "XL")]);
        assert_eq!(pointers(&wrong), ["/variants/1/sku", "/variants/1/options", "/variants/2/options"]);
    }

    #[test]
    fn prices_that_touch_do_not_overlap() {
        let (noon, one) = ("2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z");
        assert!(!overlap(&price(None, Some(noon)), &price(Some(noon), None)));
        assert!(overlap(&price(None, Some(one)), &price(Some(noon), None)));
        assert!(overlap(&price(None, None), &price(Some(noon), Some(one))));
        let prices = [price(None, Some(noon)), price(Some(one), None)];
        let at = |text: &str| price_at(&prices, text.parse().unwrap()).is_some();
        assert_eq!((at("2026-03-01T11:59:59.999999Z"), at(noon), at(one)), (true, false, true));
        let backwards = price_violations(0, &[price(Some(one), Some(noon))]);
        assert_eq!(pointers(&backwards), ["/variants/0/prices/0/validTo"]);
    }

    #[test]
    fn variants_are_known_by_their_id_or_their_sku() {
        let known = |sku: &str| ProductVariant {
            id: VariantId::new(),
            sku: sku.to_owned(),
            options: Default::default(),
            price: None,
            prices: Vec::new(),
            active: true,
        };
        let old = [known("a"), known("b")];
        let named = NewVariant { id: Some(old[1].id), ..sized("a", "S") };
        let ids = identify(&old, &[named.clone(), sized("A", "L")]).unwrap();
        assert_eq!(ids, [old[1].id, old[0].id]);
        let stranger = NewVariant { id: Some(VariantId::new()), ..named };
        assert_eq!(pointers(&identify(&old, &[stranger]).unwrap_err()), ["/variants/0/id"]);
    }
}
