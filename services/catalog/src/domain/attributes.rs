//! Attributes of a product against the rules of its category and of those above it.

use std::collections::BTreeMap;
use subjects::Violation;
use subjects::catalog::{AttributeRule, AttributeType, AttributeValue, Attributes};

/// The rules that hold in a category: those of the categories from the top down to it, where the lower one decides.
pub fn rules_in_force(from_the_top: &[Vec<AttributeRule>]) -> BTreeMap<&str, &AttributeRule> {
    let mut in_force = BTreeMap::new();
    for rule in from_the_top.iter().flatten() {
        in_force.insert(rule.name.as_str(), rule);
    }
    in_force
}

/// All that is wrong with a product's attributes. What no rule names is free.
pub fn violations(attributes: &Attributes, rules: &BTreeMap<&str, &AttributeRule>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (name, rule) in rules {
        let wrong = match attributes.0.get(*name) {
            None => rule.required.then(|| "is required in this category".to_owned()),
            Some(value) => what_is_wrong(value, rule),
        };
        if let Some(message) = wrong {
            violations.push(Violation::new(format!("/attributes/{name}"), message));
        }
    }
    violations
}

fn what_is_wrong(value: &AttributeValue, rule: &AttributeRule) -> Option<String> {
    match (rule.value_type, value) {
        (AttributeType::Text, AttributeValue::Text(_))
        | (AttributeType::Number, AttributeValue::Number(_))
        | (AttributeType::Boolean, AttributeValue::Boolean(_)) => None,
        (AttributeType::Choice, AttributeValue::Text(text)) if rule.choices.contains(text) => None,
        (AttributeType::Choice, _) => Some(format!("must be one of: {}", rule.choices.join(", "))),
        (AttributeType::Text, _) => Some("must be a text".to_owned()),
        (AttributeType::Number, _) => Some("must be a number".to_owned()),
        (AttributeType::Boolean, _) => Some("must be true or false".to_owned()),
    }
}

/// The attributes as filters name them, `name:value`.
pub fn pairs(attributes: &Attributes) -> Vec<String> {
    attributes.0.iter().map(|(name, value)| format!("{name}:{value}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn rules(value: Value) -> Vec<AttributeRule> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn every_violation_is_told_at_its_place() {
        let above = rules(json!([
            { "name": "weightKg", "type": "number", "required": true },
            { "name": "flavour", "type": "text" },
        ]));
        let below = rules(json!([
            { "name": "flavour", "type": "choice", "choices": ["tuna", "ayam"] },
            { "name": "grainFree", "type": "boolean" },
        ]));
        let levels = [above, below];
        let in_force = rules_in_force(&levels);
        let check = |value: Value| -> Vec<String> {
            let attributes: Attributes = serde_json::from_value(value).unwrap();
            violations(&attributes, &in_force).into_iter().map(|violation| violation.pointer).collect()
        };
        assert_eq!(check(json!({ "weightKg": 1, "flavour": "tuna", "colour": "red" })), [""; 0]);
        let wrong = check(json!({ "flavour": "beef", "grainFree": "yes" }));
        assert_eq!(wrong, ["/attributes/flavour", "/attributes/grainFree", "/attributes/weightKg"]);
    }
}
