//! What the catalog service refuses.

use crate::service_error;

service_error! {
    /// What the catalog service refuses.
    pub enum CatalogError {
        /// No such product, or none that the caller may know of.
        ProductNotFound = NotFound, "product_not_found", "there is no such product";
    }
}
