//! A vendor with clinics, staff and products, for tests of stock.

use serde_json::{Value, json};
use subjects::MembershipRole;
use subjects::ids::{CategoryId, ClinicId, MembershipId, ProductId, VariantId, VendorId};
use subjects::vendor::{MembershipChanged, MembershipState};
use testmesh::{Ask, Asker, Mesh, customer};

/// A vendor that sells.
pub struct Shop {
    /// The vendor.
    pub vendor_id: VendorId,
    /// Its places, in the order of their ids.
    pub clinics: [ClinicId; 2],
    /// Somebody who works at each of them, by a membership each.
    pub staff: Asker,
    /// A product.
    pub product_id: ProductId,
    /// The product's variants.
    pub variants: Vec<VariantId>,
}

impl Shop {
    /// A shop with so many variants, without any stock.
    pub async fn found(mesh: &Mesh, variants: usize) -> Shop {
        let (vendor_id, product_id, category_id) = (VendorId::new(), ProductId::new(), CategoryId::new());
        let clinics = [ClinicId::new(), ClinicId::new()];
        let variants: Vec<VariantId> = (0..variants).map(|_| VariantId::new()).collect();
        mesh.execute(&format!(
            "insert into product_categories (id, name, slug, attribute_schema, position, created_at, updated_at, version)
             values ('{category_id}', 'Food', 'food-{category_id}', '[]', 0, now(), now(), 1);
             insert into products (id, vendor_id, category_id, name, description, attributes, options, status, created_at,
                updated_at, version)
             values ('{product_id}', '{vendor_id}', '{category_id}', 'Food', '', '{{}}', '[]', 'active', now(), now(), 1);
             insert into product_search (product_id, vendor_id, category_id, created_at, available, attribute_pairs, words,
                words_written_at)
             values ('{product_id}', '{vendor_id}', '{category_id}', now(), false, '{{}}', '', now())"
        ))
        .await;
        for (position, variant_id) in variants.iter().enumerate() {
            mesh.execute(&format!(
                "insert into product_variants (id, product_id, vendor_id, sku, options, active, archived, position)
                 values ('{variant_id}', '{product_id}', '{vendor_id}', 'sku-{position}', '{{}}', true, false, {position})"
            ))
            .await;
        }
        let staff = customer();
        for clinic_id in clinics {
            employ(mesh, &staff, vendor_id, Some(clinic_id), MembershipRole::ClinicStaff).await;
        }
        Shop { vendor_id, clinics, staff, product_id, variants }
    }

    /// Keeps so many pieces of a variant at a place.
    pub async fn keep(&self, mesh: &Mesh, variant: usize, clinic: usize, on_hand: i32) -> Value {
        self.keep_above(mesh, variant, clinic, on_hand, 0).await
    }

    /// Likewise, with a reorder level.
    pub async fn keep_above(&self, mesh: &Mesh, variant: usize, clinic: usize, on_hand: i32, level: i32) -> Value {
        let stock = json!({ "variantId": self.variants[variant], "clinicId": self.clinics[clinic], "onHand": on_hand,
            "reorderLevel": level });
        mesh.ask("inventory.create", stock).by(&self.staff).ok().await
    }

    /// A line of a reservation.
    pub fn line(&self, variant: usize, quantity: u32) -> Value {
        json!({ "variantId": self.variants[variant], "quantity": quantity })
    }

    /// Likewise, from one place.
    pub fn line_at(&self, variant: usize, clinic: usize, quantity: u32) -> Value {
        json!({ "variantId": self.variants[variant], "quantity": quantity, "clinicId": self.clinics[clinic] })
    }
}

/// Makes somebody a member.
pub async fn employ(
    mesh: &Mesh,
    user: &Asker,
    vendor_id: VendorId,
    clinic_id: Option<ClinicId>,
    role: MembershipRole,
) -> MembershipState {
    let (membership_id, user_id) = (MembershipId::new(), user.id());
    let state = MembershipState { membership_id, user_id, vendor_id, clinic_id, role, active: true, version: 1 };
    mesh.tell(&MembershipChanged(state.clone())).await;
    mesh.until_query(&format!("select count(*) from memberships where id = '{membership_id}'"), 1).await;
    state
}

/// The service that sells: it makes the reservations of these tests.
pub const SELLER: Asker = Asker::Service("booking");

/// A reservation of the seller.
pub fn reserve(mesh: &Mesh, lines: &[Value]) -> Ask {
    mesh.ask("inventory.reserve", json!({ "lines": lines })).by(&SELLER)
}

/// The seller gives out what a reservation keeps.
pub fn commit(mesh: &Mesh, reservation: &Value) -> Ask {
    mesh.ask("inventory.commit", json!({ "id": reservation["id"] })).by(&SELLER)
}

/// The seller gives back what a reservation keeps.
pub fn release(mesh: &Mesh, reservation: &Value) -> Ask {
    mesh.ask("inventory.release", json!({ "id": reservation["id"] })).by(&SELLER)
}

/// Lets the time of a reservation, or of all, be over.
pub async fn expire(mesh: &Mesh, reservation: Option<&Value>) {
    let which = reservation.map_or("true".to_owned(), |row| format!("id = '{}'", row["id"].as_str().unwrap()));
    mesh.execute(&format!("update reservations set expires_at = now() where status = 'active' and {which}")).await;
}

/// On hand and reserved of all stock, in the order in which it was begun.
pub async fn numbers(mesh: &Mesh) -> String {
    mesh.query("select string_agg(on_hand || '/' || reserved, ' ' order by id) from inventory").await
}

/// What must hold in the tables whatever has happened, as far as transactions have committed.
pub async fn check_stock(mesh: &Mesh) {
    let rules = [
        ("nothing is promised that is not there", "select count(*) from inventory where reserved not between 0 and on_hand"),
        (
            "what is reserved is what active reservations keep",
            "select count(*) from inventory as stock where reserved <> (
                select coalesce(sum(line.quantity), 0) from reservation_lines as line
                join reservations as reservation on reservation.id = line.reservation_id
                where line.inventory_id = stock.id and reservation.status = 'active')",
        ),
        (
            "stock is the sum of its movements, one for each version",
            "select count(*) from inventory as stock, lateral (
                select sum(on_hand_change) as on_hand, sum(reserved_change) as reserved, count(*) as count,
                    max(version) as latest
                from stock_movements where inventory_id = stock.id) as moved
            where (stock.on_hand, stock.reserved, stock.version, stock.version)
                is distinct from (moved.on_hand, moved.reserved, moved.count, moved.latest)",
        ),
        (
            "each movement goes on from the one before it",
            "select count(*) from (
                select on_hand, on_hand_change, reserved, reserved_change,
                    lag(on_hand, 1, 0) over each_stock as on_hand_before,
                    lag(reserved, 1, 0) over each_stock as reserved_before
                from stock_movements window each_stock as (partition by inventory_id order by version)
            ) as movement
            where on_hand <> on_hand_before + on_hand_change or reserved <> reserved_before + reserved_change",
        ),
        (
            "a reservation moves its stock once for each way that it goes",
            "select count(*) from reservations as reservation join reservation_lines as line on line.reservation_id = id
            where array(select reason from stock_movements as movement where movement.inventory_id = line.inventory_id
                    and movement.reservation_id = reservation.id order by movement.version)
                <> case status when 'active' then array['reserved'] else array['reserved', status] end",
        ),
        (
            "each version is told once",
            "select abs((select count(distinct (aggregate_id, version)) from outbox where type = 'inventory.changed')
                - (select count(*) from stock_movements))
                + abs((select count(*) from outbox where type = 'inventory.changed') - (select count(*) from stock_movements))",
        ),
        (
            "low stock is told once for each crossing",
            "with crossing as (
                select inventory_id, version from (
                    select inventory_id, version, on_hand - reserved <= reorder_level as is_low,
                        lag(on_hand - reserved <= reorder_level) over (partition by inventory_id order by version) as was_low
                    from stock_movements
                ) as movement where is_low and not was_low
            ), told as (select aggregate_id, version from outbox where type = 'inventory.low')
            select (select count(*) from (table crossing except all table told) as untold)
                + (select count(*) from (table told except all table crossing) as too_much)",
        ),
        (
            "searches know what is available",
            "select count(*) from product_search as known where available <> exists (
                select from inventory as stock where stock.product_id = known.product_id and on_hand > reserved)",
        ),
        (
            "locks are taken in one order",
            "select deadlocks from pg_stat_database where datname = current_database()",
        ),
    ];
    for (rule, broken) in rules {
        assert_eq!(mesh.number(broken).await, 0, "{rule}");
    }
}

/// Numbers that look random and are the same each time (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    /// A number below a bound.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap()
    }

    /// Some of the numbers below a bound, in any order.
    pub fn some(&mut self, count: usize, bound: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..bound).collect();
        (0..count).map(|_| all.swap_remove(self.below(all.len()))).collect()
    }
}

/// A mesh in which nothing is swept away by itself.
pub async fn without_sweep() -> Mesh {
    let mesh = Mesh::of("catalog").with(catalog::service(), catalog::app);
    mesh.settings("[catalog]\nexpiry_interval_ms = 3600000").start().await
}
