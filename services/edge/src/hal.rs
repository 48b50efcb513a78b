//! Links beside what a service answers (HAL, `draft-kelly-json-hal`).
//!
//! Each link has `href` and `title`; one that is not followed by GET has its `method` too, which HAL itself does not
//! know and lets pass.

use crate::routes::{Mount, Route};
use identity::{Caller, may_pass};
use serde_json::{Map, Value, json};
use subjects::openapi::LinkRule;
use subjects::request::Method;

/// An entity or a list with its links. `own_path` is the path and query that was asked for, `next_path` leads to the
/// next page.
pub fn with_links(
    answer: Value,
    route: &Route,
    mount: &Mount,
    caller: &Caller,
    own_path: &str,
    next_path: Option<&str>,
) -> Value {
    let Value::Object(mut answer) = answer else { return answer };
    if !route.answer.is_list {
        let links = links(&answer, &route.links, mount, caller);
        answer.insert("_links".to_owned(), links);
        return Value::Object(answer);
    }
    let items = match answer.remove("items") {
        Some(Value::Array(items)) => items,
        _ => vec![],
    };
    let items: Vec<Value> = items.into_iter().map(|item| with_own_links(item, route, mount, caller)).collect();
    let mut links = json!({ "self": { "href": own_path } });
    if let (Some(next_path), Some(links)) = (next_path, links.as_object_mut()) {
        links.insert("next".to_owned(), json!({ "href": next_path }));
    }
    answer.insert("_links".to_owned(), links);
    answer.insert("_embedded".to_owned(), json!({ "items": items }));
    Value::Object(answer)
}

fn with_own_links(item: Value, route: &Route, mount: &Mount, caller: &Caller) -> Value {
    let Value::Object(mut item) = item else { return item };
    let links = links(&item, &route.links, mount, caller);
    item.insert("_links".to_owned(), links);
    Value::Object(item)
}

/// The links of one entity: those that its state allows, to what the caller's token does not rule out.
fn links(entity: &Map<String, Value>, rules: &[LinkRule], mount: &Mount, caller: &Caller) -> Value {
    let mut links = Map::new();
    for rule in rules {
        let is_offered = holds(rule, entity) && may_pass(rule.access, caller).is_ok();
        let Some(path) = filled(rule, entity).filter(|_| is_offered && !links.contains_key(rule.rel)) else { continue };
        let mut link = json!({ "href": format!("{}{path}", mount.prefix), "title": rule.title });
        if let (true, Some(link)) = (rule.method != Method::Get, link.as_object_mut()) {
            link.insert("method".to_owned(), json!(rule.method.as_str()));
        }
        links.insert(rule.rel.to_owned(), link);
    }
    Value::Object(links)
}

fn holds(rule: &LinkRule, entity: &Map<String, Value>) -> bool {
    rule.when.iter().all(|when| {
        let value = entity.get(when.field).and_then(Value::as_str);
        value.is_some_and(|value| when.is_one_of.contains(&value))
    })
}

/// The path with the entity's ids in it; none where one is missing or could not stand in a path as it is.
fn filled(rule: &LinkRule, entity: &Map<String, Value>) -> Option<String> {
    let mut path = rule.path.to_owned();
    for (name, field) in &rule.path_fields {
        let value = entity.get(field)?.as_str()?;
        let is_plain = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
        if value.is_empty() || !is_plain {
            return None;
        }
        path = path.replace(&format!("{{{name}}}"), value);
    }
    Some(path)
}
