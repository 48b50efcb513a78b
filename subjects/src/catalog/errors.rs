//! What the catalog service refuses.

use crate::error::Violation;
use crate::service_error;

service_error! {
    /// What the catalog service refuses.
    pub enum CatalogError {
        /// No such product, or none that the caller may know of.
        ProductNotFound = NotFound, "product_not_found", "there is no such product";
        /// No such category.
        CategoryNotFound = NotFound, "category_not_found", "there is no such category";
        /// No such vendor, or none that the caller may sell for.
        VendorNotFound = NotFound, "vendor_not_found", "there is no such vendor";
        /// The product is archived, which is for good.
        ProductArchived = Conflict, "product_archived", "the product is archived and cannot be changed any more";
        /// Another variant of the vendor has that SKU.
        SkuTaken = Conflict, "sku_taken", "the vendor has another variant with one of these skus already";
        /// The product would have more variants than it may, with those that stay since they have or had stock.
        TooManyVariants = Conflict, "too_many_variants", "a product has at most 200 variants, with those that stay for their stock";
        /// Two prices of a variant hold at the same time.
        PricesOverlap = BadRequest, "prices_overlap", "two prices of a variant hold at the same time";
        /// A category is named that is not there.
        UnknownCategory = BadRequest, "unknown_category", "the category that is named does not exist";
        /// Another category has that slug.
        SlugTaken = Conflict, "slug_taken", "there is another category with that slug";
        /// The category would stand below itself.
        CategoryCycle = Conflict, "category_cycle", "a category cannot stand below itself";
        /// The tree would get too many levels.
        CategoryTooDeep = Conflict, "category_too_deep", "the tree of categories has at most 6 levels";
        /// The tree has as many categories as it may have.
        TooManyCategories = Conflict, "too_many_categories", "there are at most 2,000 categories";
        /// The category has categories below it, or products.
        CategoryNotEmpty = Conflict, "category_not_empty", "the category still has products or categories in it";
        /// No such variant, or none that the caller may keep in stock.
        VariantNotFound = NotFound, "variant_not_found", "there is no such variant";
        /// The place is no clinic of the variant's vendor.
        ClinicNotFound = NotFound, "clinic_not_found", "the vendor has no such clinic";
        /// No such stock, or none that the caller may know of.
        InventoryNotFound = NotFound, "inventory_not_found", "there is no such stock";
        /// The variant has a stock at that place.
        AlreadyInStock = Conflict, "already_in_stock", "the variant is kept in stock at that place already";
        /// Fewer pieces would be there than are promised.
        BelowReserved = Conflict, "below_reserved", "more pieces than that are reserved";
        /// More pieces would be there than a place may have.
        TooMuchStock = Conflict, "too_much_stock", "a place has at most 1,000,000 pieces of a variant";
        /// Some lines want more than is available; each is named with how much there is.
        OutOfStock(lines: Vec<Violation>) = Conflict, "out_of_stock", "there is not enough in stock";
        /// No such reservation, or none that the caller may know of.
        ReservationNotFound = NotFound, "reservation_not_found", "there is no such reservation";
        /// Its time is over: the pieces are not kept any more.
        ReservationExpired = Conflict, "reservation_expired", "the reservation has expired";
        /// Its pieces were given out.
        ReservationCommitted = Conflict, "reservation_committed", "the reserved pieces were given out already";
        /// Its pieces were given back.
        ReservationReleased = Conflict, "reservation_released", "the reserved pieces were given back already";
    }
}
