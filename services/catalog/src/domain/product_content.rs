//! What a product consists of, as it is asked for.

use crate::domain::variants;
use subjects::catalog::{Attributes, CreateProduct, NewVariant, ProductImage, ProductOption, UpdateProduct};
use subjects::ids::CategoryId;

/// What a product consists of.
#[derive(Debug, Clone)]
pub struct ProductContent {
    /// The category in which it stands.
    pub category_id: CategoryId,
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Its brand.
    pub brand: Option<String>,
    /// Its attributes.
    pub attributes: Attributes,
    /// Its pictures.
    pub images: Vec<ProductImage>,
    /// In what its variants differ.
    pub options: Vec<ProductOption>,
    /// Its variants.
    pub variants: Vec<NewVariant>,
}

impl From<&CreateProduct> for ProductContent {
    fn from(request: &CreateProduct) -> ProductContent {
        let CreateProduct {
            vendor_id: _,
            category_id,
            name,
            description,
            brand,
            attributes,
            images,
            options,
            variants,
        } = request.clone();
        let variants = variants::as_stored(variants);
        ProductContent { category_id, name, description, brand, attributes, images, options, variants }
    }
}

impl From<&UpdateProduct> for ProductContent {
    fn from(request: &UpdateProduct) -> ProductContent {
        let UpdateProduct { id: _, category_id, name, description, brand, attributes, images, options, variants } =
            request.clone();
        let variants = variants::as_stored(variants);
        ProductContent { category_id, name, description, brand, attributes, images, options, variants }
    }
}
