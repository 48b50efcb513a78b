//! The table of routes, made from the contract.

use anyhow::Context as _;
use http::Method;
use platform::validate::RequestSchema;
use std::collections::BTreeMap;
use std::sync::Arc;
use subjects::openapi::{Answer, LinkRule, MIRRORS, Mirror, PREFIXES, answers_generator, links, location_of};
use subjects::{Operation, Rest, RouteCaller};

/// One method of a path, for one kind of caller.
pub struct Route {
    /// What it leads to.
    pub operation: Operation,
    /// The route as the contract has it.
    pub rest: Rest,
    /// The names of the fields in the path.
    pub path_fields: Vec<&'static str>,
    /// The request's schema.
    pub schema: Arc<RequestSchema>,
    /// The path at which what it creates is found: `/bookings/{id}`.
    pub location: Option<&'static str>,
    /// The shape of what it answers.
    pub answer: Answer,
    /// The links that the entity in the answer may have.
    pub links: Vec<LinkRule>,
}

/// All routes of one path.
pub struct Resource {
    /// The path as the contract has it.
    pub path: &'static str,
    versioned: bool,
    routes: Vec<(Method, Arc<Route>)>,
}

/// One place at which a resource answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The whole path, as a template.
    pub template: String,
    /// Its beginning, below which the canonical paths lie.
    pub prefix: &'static str,
    /// The mirror that it is, where it is none of the contract's own paths.
    pub mirror: Option<&'static Mirror>,
}

/// What a resource has for a method and a caller.
pub enum Found {
    /// A route.
    Route(Arc<Route>),
    /// The path has routes, but not for this method or caller. The methods that it has, for `Allow`.
    NotAllowed(String),
}

impl Resource {
    /// Every place at which it answers.
    pub fn mounts(&self) -> Vec<Mount> {
        if !self.versioned {
            return vec![Mount { template: self.path.to_owned(), prefix: "", mirror: None }];
        }
        let mirrored = MIRRORS.iter().filter_map(|mirror| Some((mirror.of(self.path)?, Some(mirror))));
        let paths: Vec<_> = std::iter::once((self.path.to_owned(), None)).chain(mirrored).collect();
        let mut mounts = vec![];
        for prefix in PREFIXES {
            for (path, mirror) in &paths {
                mounts.push(Mount { template: format!("{prefix}{path}"), prefix, mirror: *mirror });
            }
        }
        mounts
    }

    /// The route for a method and a caller with or without an `Authorization` header.
    pub fn find(&self, method: &Method, has_token: bool) -> Found {
        // RFC 9110: HEAD is GET without its body, which the HTTP layer leaves out.
        let method = if method == Method::HEAD { &Method::GET } else { method };
        let serves = |route: &Route| match route.rest.caller {
            RouteCaller::Any => true,
            RouteCaller::Anonymous => !has_token,
            RouteCaller::SignedIn => has_token,
        };
        let mut of_method = self.routes.iter().filter(|(its_method, _)| its_method == method);
        match of_method.find(|(_, route)| serves(route)) {
            Some((_, route)) => Found::Route(route.clone()),
            None => Found::NotAllowed(self.allow()),
        }
    }

    /// The methods that the path has, as `Allow` lists them.
    pub fn allow(&self) -> String {
        let mut names: Vec<&str> = self.routes.iter().map(|(method, _)| method.as_str()).collect();
        if names.contains(&"GET") {
            names.push("HEAD");
        }
        names.push("OPTIONS");
        names.sort_unstable();
        names.dedup();
        names.join(", ")
    }
}

/// The resources of some operations.
///
/// # Errors
/// A schema that does not compile, or two operations for one method, path and caller.
pub fn resources<'a>(operations: impl IntoIterator<Item = &'a Operation>) -> anyhow::Result<Vec<Arc<Resource>>> {
    let operations: Vec<&Operation> = operations.into_iter().collect();
    let mut by_path: BTreeMap<&'static str, Resource> = BTreeMap::new();
    let links_by_schema = links(operations.iter().copied());
    let mut generator = answers_generator();
    for operation in operations.iter().copied().filter(|operation| !operation.rest.is_empty()) {
        let schema = RequestSchema::of(operation).with_context(|| format!("the schema of {}", operation.subject))?;
        let schema = Arc::new(schema);
        // For all operations, so that schemas have the names that the links know them by.
        let answer = Answer::of(operation, &mut generator);
        let entity = answer.entity_schema.as_deref().unwrap_or_default();
        let links = links_by_schema.get(entity).cloned().unwrap_or_default();
        for rest in operation.rest {
            let empty = || Resource { path: rest.path, versioned: rest.versioned, routes: vec![] };
            let resource = by_path.entry(rest.path).or_insert_with(empty);
            let method = Method::from_bytes(rest.method.as_str().as_bytes())?;
            for (other_method, other) in &resource.routes {
                let overlap = other.rest.caller == rest.caller
                    || other.rest.caller == RouteCaller::Any
                    || rest.caller == RouteCaller::Any;
                anyhow::ensure!(
                    *other_method != method || !overlap,
                    "{method} {} leads to both {} and {}",
                    rest.path,
                    other.operation.subject,
                    operation.subject
                );
            }
            let route = Route {
                operation: *operation,
                rest: *rest,
                path_fields: rest.path_fields().collect(),
                schema: schema.clone(),
                location: location_of(operation, operations.iter().copied()),
                answer: answer.clone(),
                links: links.clone(),
            };
            resource.routes.push((method, Arc::new(route)));
        }
    }
    Ok(by_path.into_values().map(Arc::new).collect())
}
