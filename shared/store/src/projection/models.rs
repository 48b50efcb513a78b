//! The list of a service's read models.

use super::page::{self, Found, Purpose};
use super::{built, rows};
use crate::error::Error;
use crate::read_model::ReadModel;
use crate::store::{HasStore, Store};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use platform::{Calls, Cx};
use std::fmt;
use subjects::Fault;
use subjects::snapshot::Snapshot as _;
use uuid::Uuid;

/// The read models of a service, each by its table:
///
/// ```text
/// ReadModels::none().and::<vendors::Entity>().and::<memberships::Entity>()
/// ```
pub struct ReadModels<A: HasStore> {
    models: Vec<Model<A>>,
}

/// A read model whose types are erased.
pub(crate) struct Model<A: HasStore> {
    /// Its name, which is its table's.
    pub(crate) name: &'static str,
    /// The service that owns what it keeps.
    pub(crate) owner: &'static str,
    pub(super) count: fn(Store) -> Answer<i64>,
    pub(super) go_through: fn(Cx<A>, Option<Uuid>, u16, Purpose) -> Answer<Found>,
}

type Answer<T> = BoxFuture<'static, Result<T, Fault>>;

impl<A: HasStore> ReadModels<A> {
    /// No model.
    pub fn none() -> ReadModels<A> {
        ReadModels { models: Vec::new() }
    }

    /// One more. The service has declared that it asks for its snapshot.
    #[must_use]
    pub fn and<M: ReadModel>(mut self) -> ReadModels<A>
    where
        A: Calls<M::Snapshot>,
    {
        self.models.push(Model {
            name: rows::name::<M>(),
            owner: M::Snapshot::SERVICE,
            count: |store| async move { rows::count::<M>(store.read()).await }.boxed(),
            go_through: |cx, after, limit, purpose| {
                async move { page::go_through::<A, M>(&cx, after, limit, purpose).await }.boxed()
            },
        });
        self
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.models.iter().map(|model| model.name)
    }

    /// Those that were never built.
    pub(super) async fn never_built(&self, store: &Store) -> Result<Vec<&Model<A>>, Error> {
        if self.models.is_empty() {
            return Ok(Vec::new());
        }
        let built = built::all(store.read()).await?;
        Ok(self.models.iter().filter(|model| !built.contains_key(model.name)).collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Model<A>> {
        self.models.iter()
    }

    pub(super) fn find(&self, name: &str) -> Option<&Model<A>> {
        self.models.iter().find(|model| model.name == name)
    }
}

impl<A: HasStore> fmt::Debug for ReadModels<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}
