//! Messages of the catalog service: products, their categories, and their stock.

pub mod attributes;
pub mod availability;
pub mod categories;
pub mod errors;
pub mod events;
pub mod inventory;
pub mod parts;
pub mod products;
pub mod reservations;
pub mod search;
pub mod stock_events;
pub mod stock_values;
pub mod watch;

pub use attributes::{AttributeRule, AttributeType, AttributeValue, Attributes};
pub use availability::{AvailabilityPart, FindProductAvailability, ProductAvailability, VariantStock};
pub use categories::{
    Category, CategoryTree, CreateCategory, FindCategories, FindCategory, MAX_CATEGORIES, MAX_CATEGORY_DEPTH,
    RemoveCategory, UpdateCategory,
};
pub use errors::CatalogError;
pub use events::{CategoryState, CategoryUpdated, ProductCreated, ProductRemoved, ProductState, ProductUpdated};
pub use inventory::{
    CreateInventory, FindInventory, FindMovements, GetInventory, Inventory, MAX_ON_HAND, StockMovement, UpdateInventory,
};
pub use parts::{
    MAX_KEPT_VARIANTS, NewVariant, ProductImage, ProductOption, ProductStatus, ProductVariant, VariantOptions,
    VariantPrice,
};
pub use products::{CreateProduct, FindProduct, Product, RemoveProduct, UpdateProduct};
pub use reservations::{
    CheckInventory, CheckedLine, CommitReservation, GetReservation, MAX_LINE_QUANTITY, MAX_RESERVATION_LINES,
    MAX_RESERVATION_SECONDS, ReleaseReservation, Reservation, ReserveInventory, ReservedLine, StockCheck, StockLine,
};
pub use search::{
    AttributeFacet, AvailabilityCount, CategoryCount, FindProducts, MAX_COUNTED, PriceCount, ProductFacets,
    ProductPage, ProductSort, ProductSummary, ValueCount, VendorCount,
};
pub use stock_events::{InventoryChanged, InventoryLow, InventoryState};
pub use stock_values::{InventorySort, MovementReason, ReservationStatus, StockActor, StockChange};
pub use watch::{InventoryItem, WatchInventory};

use crate::access::{Access, MembershipRole, Who};
use crate::audit::FindAuditEntriesOfCatalog;
use crate::operation::{EventType, Operation};
use crate::privacy::{ErasePersonFromCatalog, ExportPersonOfCatalog};

/// Who may write what belongs to a vendor: those who run it, and those who run the platform. Every handler checks the
/// membership on the row.
const WRITERS: Access = Access(&[Who::Member(MembershipRole::ClinicAdmin), Who::Permitted]);

/// Every operation of the catalog service.
pub const OPERATIONS: &[Operation] = &[
    Operation::of::<FindProducts>("catalog"),
    Operation::of::<FindProduct>("catalog"),
    Operation::of::<CreateProduct>("catalog"),
    Operation::of::<UpdateProduct>("catalog"),
    Operation::of::<RemoveProduct>("catalog"),
    Operation::of::<FindProductAvailability>("catalog"),
    Operation::of::<FindCategories>("catalog"),
    Operation::of::<FindCategory>("catalog"),
    Operation::of::<CreateCategory>("catalog"),
    Operation::of::<UpdateCategory>("catalog"),
    Operation::of::<RemoveCategory>("catalog"),
    Operation::of::<FindInventory>("catalog"),
    Operation::of::<GetInventory>("catalog"),
    Operation::of::<CreateInventory>("catalog"),
    Operation::of::<UpdateInventory>("catalog"),
    Operation::of::<FindMovements>("catalog"),
    Operation::of_stream::<WatchInventory>("catalog"),
    Operation::of::<CheckInventory>("catalog"),
    Operation::of::<ReserveInventory>("catalog"),
    Operation::of::<CommitReservation>("catalog"),
    Operation::of::<ReleaseReservation>("catalog"),
    Operation::of::<GetReservation>("catalog"),
    Operation::of::<ExportPersonOfCatalog>("catalog"),
    Operation::of::<ErasePersonFromCatalog>("catalog"),
    Operation::of::<FindAuditEntriesOfCatalog>("catalog"),
];

/// Every event type of the catalog service.
pub const EVENTS: &[EventType] = &[
    EventType::of::<ProductCreated>(),
    EventType::of::<ProductUpdated>(),
    EventType::of::<ProductRemoved>(),
    EventType::of::<CategoryUpdated>(),
    EventType::of::<InventoryChanged>(),
    EventType::of::<InventoryLow>(),
];
