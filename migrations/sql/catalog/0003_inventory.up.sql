-- How much of what is where, how it came to be so much, and what is kept for whom.

-- The stock of a variant at a place. That nothing is promised which is not there is decided here and nowhere else.
create table inventory (
    id uuid not null,
    variant_id uuid not null,
    product_id uuid not null,
    vendor_id uuid not null,
    clinic_id uuid not null,
    on_hand integer not null,
    reserved integer not null,
    available integer not null generated always as (on_hand - reserved) stored,
    reorder_level integer not null,
    version bigint not null,
    updated_at timestamptz not null,
    constraint inventory_pkey primary key (id),
    constraint inventory_place_key unique (variant_id, clinic_id),
    constraint inventory_variant_fkey foreign key (variant_id) references product_variants (id),
    constraint inventory_on_hand_check check (on_hand between 0 and 1000000),
    constraint inventory_reserved_check check (reserved >= 0),
    constraint inventory_available_check check (reserved <= on_hand),
    constraint inventory_reorder_level_check check (reorder_level between 0 and 1000000),
    constraint inventory_version_check check (version > 0)
) with (fillfactor = 80);
-- Numbers change all the time, so none of them is in an index: a change then touches the row alone.
create index inventory_product_idx on inventory (product_id);
create index inventory_place_idx on inventory (vendor_id, clinic_id, id);

-- Stock that is kept for whoever made the reservation: a service, or else a user.
create table reservations (
    id uuid not null,
    version bigint not null,
    status text not null,
    service text,
    user_id uuid,
    expires_at timestamptz not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint reservations_pkey primary key (id),
    constraint reservations_version_check check (version > 0),
    constraint reservations_status_check check (status in ('active', 'committed', 'released', 'expired')),
    constraint reservations_maker_check check ((service is null) <> (user_id is null))
);
create index reservations_expires_at_idx on reservations (expires_at, id) where status = 'active';

create table reservation_lines (
    reservation_id uuid not null,
    inventory_id uuid not null,
    quantity integer not null,
    constraint reservation_lines_pkey primary key (reservation_id, inventory_id),
    constraint reservation_lines_reservation_fkey foreign key (reservation_id) references reservations (id),
    constraint reservation_lines_inventory_fkey foreign key (inventory_id) references inventory (id),
    constraint reservation_lines_quantity_check check (quantity > 0)
);
create index reservation_lines_inventory_idx on reservation_lines (inventory_id);

-- What happened to each stock: one movement for each of its versions. It only grows.
create table stock_movements (
    id uuid not null,
    inventory_id uuid not null,
    version bigint not null,
    moved_at timestamptz not null,
    reason text not null,
    actor text not null,
    actor_id uuid,
    service text,
    reservation_id uuid,
    on_hand_change integer not null,
    reserved_change integer not null,
    on_hand integer not null,
    reserved integer not null,
    reorder_level integer not null,
    constraint stock_movements_pkey primary key (id),
    constraint stock_movements_version_key unique (inventory_id, version),
    constraint stock_movements_inventory_fkey foreign key (inventory_id) references inventory (id),
    constraint stock_movements_reservation_fkey foreign key (reservation_id) references reservations (id),
    constraint stock_movements_reason_check check (reason in
        ('opened', 'received', 'returned', 'sold', 'used', 'damaged', 'lost', 'counted', 'corrected',
         'reserved', 'committed', 'released', 'expired')),
    constraint stock_movements_reservation_check check
        ((reason in ('reserved', 'committed', 'released', 'expired')) = (reservation_id is not null)),
    constraint stock_movements_actor_check check (case actor
        when 'staff' then actor_id is not null and service is null
        when 'platform_admin' then actor_id is not null and service is null
        when 'service' then service is not null
        when 'system' then actor_id is null and service is null
        else false end),
    constraint stock_movements_result_check check (reserved between 0 and on_hand)
);

create function refuse_to_rewrite_movements() returns trigger language plpgsql as $$
begin
    raise exception 'stock_movements only grows' using errcode = 'restrict_violation';
end
$$;
create trigger stock_movements_only_grow before update or delete on stock_movements
    for each row execute function refuse_to_rewrite_movements();

-- Whether anything of a product can be bought somewhere.
create function product_is_available(product uuid) returns boolean language sql stable as $$
    select exists (
        select from inventory as stock join product_variants as variant on variant.id = stock.variant_id
        where stock.product_id = product and stock.available > 0 and variant.active
    )
$$;

-- Searches know which products are available. Most changes of stock leave that as it is; where one does not, the
-- product's row is locked first: what others have changed in the product's stock while they were waited for is seen by
-- the statement after that.
create function note_availability() returns trigger language plpgsql volatile as $$
declare
    touched uuid;
    touched_products uuid[];
begin
    if tg_op = 'INSERT' then
        touched_products := array(select distinct product_id from now_is where available > 0);
    else
        touched_products := array(
            select distinct now_is.product_id from now_is join was on was.id = now_is.id
            where (now_is.available > 0) <> (was.available > 0));
    end if;
    for touched in select distinct unnest(touched_products) order by 1 loop
        perform from product_search where product_id = touched for update;
        update product_search set available = not available
        where product_id = touched and available <> product_is_available(touched);
    end loop;
    return null;
end
$$;
create trigger inventory_opened_availability after insert on inventory
    referencing new table as now_is for each statement execute function note_availability();
create trigger inventory_changed_availability after update on inventory
    referencing old table as was new table as now_is for each statement execute function note_availability();

-- Locks are taken in one order, so that nobody waits in a circle: reservations by their ids, then stock by its ids, then
-- what searches know of products by the products' ids. The sweep takes many reservations at once and in any order, but
-- waits for none.
