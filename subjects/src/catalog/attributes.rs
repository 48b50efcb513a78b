//! Free attributes of products, and what a category says of them.

use crate::rules;
use crate::values::named_values;
use garde::Validate;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// How many attributes a product may have at the most.
pub const MAX_ATTRIBUTES: usize = 40;
/// How many characters a text among attributes may have at the most.
pub const MAX_ATTRIBUTE_TEXT: usize = 200;
/// What the name of an attribute is like.
const NAME_PATTERN: &str = "^[A-Za-z][A-Za-z0-9_]{0,39}$";

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AttributeValue {
    /// True or false.
    Boolean(bool),
    /// A number.
    Number(serde_json::Number),
    /// A text, of which a choice is one.
    Text(String),
}

impl std::fmt::Display for AttributeValue {
    /// The value as filters and facets write it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            AttributeValue::Boolean(value) => value.fmt(f),
            AttributeValue::Number(value) => match value.as_f64() {
                // 5 and 5.0 are the same weight.
                Some(number) => number.fmt(f),
                None => value.fmt(f),
            },
            AttributeValue::Text(value) => value.fmt(f),
        }
    }
}

/// Free attributes by name: texts, numbers and booleans.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attributes(pub BTreeMap<String, AttributeValue>);

impl JsonSchema for Attributes {
    fn schema_name() -> Cow<'static, str> {
        "Attributes".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "Free attributes by name: texts, numbers and booleans.",
            "examples": [{ "weightKg": 1.5, "flavour": "tuna", "grainFree": true }],
            "maxProperties": MAX_ATTRIBUTES,
            "propertyNames": { "pattern": NAME_PATTERN },
            "additionalProperties": {
                "anyOf": [
                    { "type": "string", "minLength": 1, "maxLength": MAX_ATTRIBUTE_TEXT, "pattern": rules::READABLE },
                    { "type": "number" },
                    { "type": "boolean" },
                ],
            },
        })
    }
}

/// Attributes within the bounds that hold for every category.
pub(super) fn bounded(attributes: &Attributes, context: &()) -> garde::Result {
    if attributes.0.len() > MAX_ATTRIBUTES {
        return Err(garde::Error::new(format!("must not hold more than {MAX_ATTRIBUTES} attributes")));
    }
    for (name, value) in &attributes.0 {
        if !is_name(name) {
            return Err(garde::Error::new("must have names of letters, digits and underscores, 40 at the most"));
        }
        if let AttributeValue::Text(text) = value {
            rules::readable(text, context)?;
            if text.chars().count() > MAX_ATTRIBUTE_TEXT {
                let message = format!("must not hold texts of more than {MAX_ATTRIBUTE_TEXT} characters");
                return Err(garde::Error::new(message));
            }
        }
    }
    Ok(())
}

/// Whether it is the name of an attribute: the pattern, by hand.
fn is_name(name: &str) -> bool {
    let begins_well = name.starts_with(|first: char| first.is_ascii_alphabetic());
    begins_well && name.len() <= 40 && name.chars().all(|each| each.is_ascii_alphanumeric() || each == '_')
}

named_values! {
    /// What the values of an attribute are.
    pub enum AttributeType {
        /// Any text.
        Text = "text",
        /// A number.
        Number = "number",
        /// True or false.
        Boolean = "boolean",
        /// One of the category's choices.
        Choice = "choice",
    }
}

/// What a category says of one attribute of its products, and of those in the categories below it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct AttributeRule {
    /// The attribute.
    #[garde(pattern(r"^[A-Za-z][A-Za-z0-9_]{0,39}$"))]
    pub name: String,
    /// What its values are.
    #[serde(rename = "type")]
    #[garde(skip)]
    pub value_type: AttributeType,
    /// The values that there are, for a choice alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(pattern = rules::READABLE)))]
    #[garde(
        length(max = 100),
        inner(length(chars, min = 1, max = 200), custom(rules::readable)),
        custom(rules::distinct)
    )]
    pub choices: Vec<String>,
    /// Whether every product must have it.
    #[serde(default)]
    #[garde(skip)]
    pub required: bool,
    /// Whether searches count its values.
    #[serde(default)]
    #[garde(skip)]
    pub filterable: bool,
}

/// Rules that name each attribute once, with choices where there is something to choose and nowhere else.
pub(super) fn sound_rules(attribute_rules: &[AttributeRule], context: &()) -> garde::Result {
    let names: Vec<&str> = attribute_rules.iter().map(|rule| rule.name.as_str()).collect();
    rules::distinct(&names, context)?;
    for rule in attribute_rules {
        if (rule.value_type == AttributeType::Choice) == rule.choices.is_empty() {
            return Err(garde::Error::new("must have choices where the type is choice, and nowhere else"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn attributes(value: serde_json::Value) -> Attributes {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn values_are_texts_numbers_and_booleans() {
        let read = attributes(json!({ "flavour": "tuna", "weightKg": 5.0, "pieces": 12, "grainFree": true }));
        let texts: Vec<String> = read.0.values().map(ToString::to_string).collect();
        assert_eq!(texts, ["tuna", "true", "12", "5"]);
        for wrong in [json!({ "a": null }), json!({ "a": [1] }), json!({ "a": { "b": 1 } })] {
            assert!(serde_json::from_value::<Attributes>(wrong).is_err());
        }
    }

    #[test]
    fn whole_numbers_stay_whole() {
        let written = serde_json::to_string(&attributes(json!({ "pieces": 12, "weightKg": 1.5 }))).unwrap();
        assert_eq!(written, r#"{"pieces":12,"weightKg":1.5}"#);
    }

    #[test]
    fn names_and_numbers_of_attributes_are_bounded() {
        assert!(bounded(&attributes(json!({ "weightKg": 1 })), &()).is_ok());
        for wrong in [json!({ "weight:kg": 1 }), json!({ "": 1 }), json!({ "1a": 1 }), json!({ "a": " " })] {
            assert!(bounded(&attributes(wrong.clone()), &()).is_err(), "{wrong}");
        }
        let many: serde_json::Map<String, serde_json::Value> =
            (0..=MAX_ATTRIBUTES).map(|index| (format!("a{index}"), json!(1))).collect();
        assert!(bounded(&attributes(many.into()), &()).is_err());
    }
}
