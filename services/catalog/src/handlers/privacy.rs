//! `catalog.exportPerson` and `catalog.erasePerson`.

use crate::Cx;
use store::HasStore as _;
use store::person::{self, Section, only_for_privacy};
use subjects::privacy::{ErasePersonFromCatalog, Erasure, ExportPersonOfCatalog, PersonPage};
use subjects::{Fault, NoError};

/// What is kept of a person: ids only, of stock that they kept for themselves and of stock that they moved.
const SECTIONS: &[Section] = &[
    Section {
        kind: "reservation",
        rows: "select id::text as key, jsonb_build_object('id', id, 'status', status, 'expiresAt', expires_at,
                'createdAt', created_at, 'updatedAt', updated_at,
                'lines', (select coalesce(jsonb_agg(jsonb_build_object('variantId', stock.variant_id,
                        'clinicId', stock.clinic_id, 'quantity', line.quantity) order by line.inventory_id), '[]')
                    from reservation_lines as line join inventory as stock on stock.id = line.inventory_id
                    where line.reservation_id = reservations.id)) as data
            from reservations where user_id = $1 and id::text > $2 order by id limit $3",
    },
    Section {
        kind: "stockMovement",
        rows: "select id::text as key, jsonb_build_object('id', id, 'inventoryId', inventory_id, 'at', moved_at,
                'reason', reason, 'onHandChange', on_hand_change) as data
            from stock_movements where actor_id = $1 and id::text > $2 order by id limit $3",
    },
];

/// What is kept of a person, a page at a time.
pub async fn export(cx: Cx, request: ExportPersonOfCatalog) -> Result<PersonPage, NoError> {
    only_for_privacy(&cx)?;
    Ok(person::export(cx.app.store().read(), SECTIONS, request.user_id, request.cursor.as_deref()).await?)
}

/// Forgets the answers that were stored for a person. All else that stands here of anybody are ids, which stay: the
/// books of stock need them, and without the account they lead to nobody.
pub async fn erase(cx: Cx, request: ErasePersonFromCatalog) -> Result<Erasure, NoError> {
    only_for_privacy(&cx)?;
    let user_id = request.user_id;
    let forgotten = cx.app.store().write(&cx, |tx| async move {
        person::forget_person(&tx, user_id, [user_id]).await?;
        Ok::<(), Fault>(())
    });
    forgotten.await?;
    Ok(Erasure { complete: true })
}
