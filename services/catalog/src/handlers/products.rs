//! `product.findOne`, `product.create`, `product.update`, `product.remove` and `product.availability`.

use crate::Cx;
use crate::access::Standing;
use crate::domain::product_content::ProductContent;
use crate::domain::{attributes, tree, variants};
use crate::repo::product_writes;
use crate::repo::products::{self, Found};
use crate::repo::{categories, product_stock, vendors};
use sea_orm::ConnectionTrait;
use std::collections::BTreeMap;
use store::Tx;
use subjects::catalog::{
    AttributeRule, AvailabilityPart, CatalogError, CreateProduct, FindProduct, FindProductAvailability, Product,
    ProductAvailability, ProductStatus, RemoveProduct, UpdateProduct,
};
use subjects::ids::{CategoryId, ProductId, VendorId};
use subjects::vendor::{FindVendor, Vendor, VendorError};
use subjects::{Fallback, Fault, ServiceError as _};

/// How much of the time that is left stays for the answer, when another service does not answer: a quarter.
const KEPT_FOR_THE_ANSWER: u32 = 4;

/// `product.findOne`.
pub async fn find_one(cx: Cx, request: FindProduct) -> Result<Product, CatalogError> {
    Ok(seen(&cx, request.id).await?.product)
}

/// A product that the caller may see.
async fn seen(cx: &Cx, id: ProductId) -> Result<Found, CatalogError> {
    let db = cx.app.store.read();
    let found = products::find(db, id, store::now()).await?.ok_or(CatalogError::ProductNotFound)?;
    let is_shown = found.is_public() || Standing::of(db, cx.caller()).await?.sees_hidden(found.product.vendor_id);
    if is_shown { Ok(found) } else { Err(CatalogError::ProductNotFound) }
}

/// `product.create`: by those who run the vendor.
pub async fn create(cx: Cx, request: CreateProduct) -> Result<Product, CatalogError> {
    let (cx, request) = (&cx, &request);
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            check_vendor(cx, &tx, request.vendor_id).await?;
            let content = ProductContent::from(request);
            check_content(&tx, &content).await?;
            product_writes::insert(&tx, ProductId::new(), request.vendor_id, &content, store::now()).await
        })
        .await
}

/// Refuses who does not run the vendor: as if there were none where it is not open to everybody.
async fn check_vendor(cx: &Cx, tx: &Tx, vendor_id: VendorId) -> Result<(), CatalogError> {
    let standing = Standing::of(tx, cx.caller()).await?;
    let vendor = vendors::find(tx, vendor_id).await?;
    let is_gone = vendor.as_ref().is_some_and(|vendor| vendor.removed_at.is_some());
    // A membership may be heard of before its vendor is.
    let is_unknown = vendor.is_none() && standing.is_permitted();
    if is_gone || is_unknown {
        return Err(CatalogError::VendorNotFound);
    }
    if standing.sells_for(vendor_id) {
        return Ok(());
    }
    let is_known_to_caller = vendor.is_some_and(|vendor| vendor.open_for_business) || standing.sees_hidden(vendor_id);
    if is_known_to_caller { Err(Fault::forbidden().into()) } else { Err(CatalogError::VendorNotFound) }
}

/// `product.update`: by those who run the vendor.
pub async fn update(cx: Cx, request: UpdateProduct) -> Result<Product, CatalogError> {
    let expected_version = cx.expected_version()?;
    let (cx, request) = (&cx, &request);
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            let old = locked(cx, &tx, request.id).await?;
            store::expect_version(expected_version, old.version)?;
            if old.status == ProductStatus::Archived {
                return Err(CatalogError::ProductArchived);
            }
            let content = ProductContent::from(request);
            check_content(&tx, &content).await?;
            let ids = variants::identify(&old.variants, &content.variants).map_err(Fault::invalid)?;
            product_writes::replace(&tx, &old, &content, &ids, store::now()).await
        })
        .await
}

/// `product.remove`: by those who run the vendor. A product that is archived already stays as it is.
pub async fn remove(cx: Cx, request: RemoveProduct) -> Result<(), CatalogError> {
    let (cx, request) = (&cx, &request);
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            let old = locked(cx, &tx, request.id).await?;
            store::expect_version_if_given(cx.meta().if_match, old.version)?;
            if old.status == ProductStatus::Archived {
                return Ok(());
            }
            product_writes::archive(&tx, old.id, store::now()).await
        })
        .await
}

/// A product that the caller may write, locked.
async fn locked(cx: &Cx, tx: &Tx, id: ProductId) -> Result<Product, CatalogError> {
    if !products::lock(tx, id).await? {
        return Err(CatalogError::ProductNotFound);
    }
    let found = products::find(tx, id, store::now()).await?.ok_or(CatalogError::ProductNotFound)?;
    let standing = Standing::of(tx, cx.caller()).await?;
    let vendor_id = found.product.vendor_id;
    if standing.sells_for(vendor_id) {
        return Ok(found.product);
    }
    if found.is_public() || standing.sees_hidden(vendor_id) {
        return Err(Fault::forbidden().into());
    }
    Err(CatalogError::ProductNotFound)
}

/// Refuses what the schema cannot see to be wrong, all of it at once.
async fn check_content(tx: &Tx, content: &ProductContent) -> Result<(), CatalogError> {
    let levels = rules_of(tx, content.category_id).await?;
    let rules = attributes::rules_in_force(&levels);
    let mut violations = attributes::violations(&content.attributes, &rules);
    violations.extend(variants::violations(&content.options, &content.variants));
    if violations.is_empty() { Ok(()) } else { Err(Fault::invalid(violations).into()) }
}

/// What the categories from the top down to one of them say of attributes.
async fn rules_of(db: &impl ConnectionTrait, category_id: CategoryId) -> Result<Vec<Vec<AttributeRule>>, CatalogError> {
    let rows = categories::all(db).await?;
    let ancestry = tree::ancestry(&categories::nodes(&rows), category_id);
    let mut rules: BTreeMap<CategoryId, Vec<AttributeRule>> =
        rows.into_iter().map(|row| (row.id, row.attribute_schema.0)).collect();
    if !rules.contains_key(&category_id) {
        return Err(CatalogError::UnknownCategory);
    }
    Ok(ancestry.iter().rev().filter_map(|id| rules.remove(id)).collect())
}

/// `product.availability`: what stands here and what vendor tells, at the same time and under one deadline.
pub async fn availability(cx: Cx, request: FindProductAvailability) -> Result<ProductAvailability, CatalogError> {
    let found = seen(&cx, request.id).await?;
    let (product_id, vendor_id) = (found.product.id, found.product.vendor_id);
    let remaining = cx.remaining();
    let limit = cx.app.config.vendor_timeout().min(remaining.saturating_sub(remaining / KEPT_FOR_THE_ANSWER));
    let stock = product_stock::available(cx.app.store.read(), product_id);
    let vendor_request = FindVendor { id: vendor_id };
    let vendor = cx.call_within(&vendor_request, limit);
    let (stock, vendor) = tokio::join!(stock, vendor);
    let vendor = vendor_or_gap(&cx, vendor_id, vendor)?;
    let missing = if vendor.is_none() { vec![AvailabilityPart::Vendor] } else { Vec::new() };
    Ok(ProductAvailability { product: found.product, stock: stock?, vendor, missing })
}

/// None: vendor could not tell, for whatever reason.
fn vendor_or_gap(
    cx: &Cx,
    vendor_id: VendorId,
    answer: Result<Vendor, VendorError>,
) -> Result<Option<Vendor>, CatalogError> {
    match answer {
        Ok(vendor) => Ok(Some(vendor)),
        Err(VendorError::VendorNotFound) => Err(CatalogError::ProductNotFound),
        Err(error) => {
            let fault = error.into_fault();
            tracing::debug!(
                vendor.id = %vendor_id, reason = %fault.reason, correlation = %cx.meta().correlation_id,
                "a product is told without its vendor"
            );
            cx.fall_back(Fallback::WithoutVendor);
            Ok(None)
        }
    }
}
