-- Products for measurements, as the catalog service writes them, of all vendors that are open for business: in bulk,
-- because making each of them over the REST API would take longer than everything that is measured.
set local search_path = catalog, ext;

create temporary table bench_vendors on commit drop as
    select vendor.id, row_number() over (order by vendor.id) - 1 as number,
        coalesce((select clinic.id from vendor.clinics clinic where clinic.vendor_id = vendor.id order by 1 limit 1),
            vendor.id) as clinic_id
    from vendors vendor where open_for_business;

-- Two levels: what an animal needs, by kind of animal.
create temporary table bench_categories on commit drop as
    select gen_random_uuid() as id, number, animal, need,
        (array['kucing', 'anjing', 'burung', 'ikan', 'kelinci'])[animal + 1] as animal_name,
        (array['cats', 'dogs', 'birds', 'fish', 'rabbits'])[animal + 1] as animal_in_english,
        (array['makanan', 'camilan', 'mainan', 'sampo', 'vitamin', 'kandang', 'obat', 'pasir'])[need + 1] as need_name,
        (array['food', 'treats', 'toys', 'shampoo', 'vitamins', 'houses', 'medicine', 'litter'])[need + 1]
            as need_in_english
    from (select animal, need, animal * 8 + need as number
          from generate_series(0, 4) animal, generate_series(0, 7) need) both_of_them;

create temporary table bench_animals on commit drop as
    select gen_random_uuid() as id, animal, min(animal_name) as name, min(animal_in_english) as english_name
    from bench_categories group by animal;

insert into product_categories (id, parent_id, name, english_name, slug, attribute_schema, position, created_at,
    updated_at, version)
select id, null, 'Semua untuk ' || name, 'All for ' || english_name, 'bench-' || name,
    '[{"name": "flavour", "type": "text", "required": false, "filterable": true},
      {"name": "weightKg", "type": "number", "required": false, "filterable": true},
      {"name": "grainFree", "type": "boolean", "required": false, "filterable": true}]'::jsonb,
    animal, now(), now(), 1
from bench_animals;

insert into product_categories (id, parent_id, name, english_name, slug, attribute_schema, position, created_at,
    updated_at, version)
select category.id, above.id, initcap(need_name) || ' ' || animal_name, initcap(animal_in_english) || ' ' || need_in_english,
    'bench-' || need_name || '-' || animal_name, '[]'::jsonb, need, now(), now(), 1
from bench_categories category join bench_animals above using (animal);

create temporary table bench_products on commit drop as
    select gen_random_uuid() as id, gen_random_uuid() as variant_id, gen_random_uuid() as inventory_id,
        made.number, vendor.id as vendor_id, vendor.clinic_id, category.id as category_id,
        brand, line, flavour, weight, grain_free, need_name, animal_name, need_in_english, animal_in_english,
        initcap(need_name) || ' ' || animal_name || ' ' || brand || ' ' || line || ' rasa ' || flavour || ' ' || weight || ' kg' as name,
        5000 + (made.number * 7919) % 995000 as price,
        case when made.number % 5 = 0 then 0 else made.number % 40 end as on_hand,
        now() - made.number * interval '1 minute' as created_at
    from (
        select number,
            (array['Bulu', 'Cakar', 'Ekor', 'Kumis', 'Moncong', 'Paruh', 'Sirip', 'Telapak'])[number % 8 + 1] || ' '
                || (array['Ceria', 'Emas', 'Manis', 'Nusantara', 'Prima'])[number / 8 % 5 + 1] as brand,
            initcap((array['ka', 'ri', 'no', 'ma', 'lu', 'te', 'si', 'po', 'da', 'wi', 'gu', 'ne'])[number / 5 % 12 + 1]
                || (array['la', 'ro', 'ni', 'mu', 'ta', 'ke', 'so', 'pi', 'du', 'wa', 'ge', 'bo'])[number / 60 % 12 + 1]
                || (array['ra', 'lo', 'mi', 'nu', 'to', 'ka', 'si', 'pe', 'di', 'wo', 'ga', 'be'])[number / 720 % 12 + 1])
                as line,
            (array['tuna', 'ayam', 'salmon', 'sapi', 'domba', 'bebek', 'udang', 'labu', 'wortel', 'keju', 'hati'])
                [number / 40 % 11 + 1] as flavour,
            (array[0.5, 1, 1.5, 3, 5, 7.5, 10])[number / 3 % 7 + 1]::numeric as weight,
            number % 3 = 0 as grain_free
        from generate_series(1, {products}) number
    ) made
    join bench_categories category on category.number = made.number / 7 % 40
    join bench_vendors vendor on vendor.number = made.number % (select count(*) from bench_vendors);

insert into products (id, vendor_id, category_id, name, description, brand, attributes, options, status, next_price_at,
    created_at, updated_at, version)
select id, vendor_id, category_id, name,
    format('%s dari %s dengan %s pilihan, untuk %s yang sehat dan ceria. Disukai hewan, dipercaya dokter. %s for %s with '
        'real %s, made in small batches, %s kilograms a bag.', initcap(need_name), brand, flavour, animal_name,
        initcap(need_in_english), animal_in_english, flavour, weight),
    brand, jsonb_build_object('flavour', flavour, 'weightKg', weight, 'grainFree', grain_free), '[]'::jsonb, 'active',
    null, created_at, created_at, 1
from bench_products;

insert into product_variants (id, product_id, vendor_id, sku, options, active, archived, position)
select variant_id, id, vendor_id, 'BENCH-' || number, '{}'::jsonb, true, false, 0 from bench_products;

insert into product_prices (variant_id, amount, currency, valid_from, valid_to)
select variant_id, price, 'IDR', null, null from bench_products;

insert into inventory (id, variant_id, product_id, vendor_id, clinic_id, on_hand, reserved, reorder_level, version,
    updated_at)
select inventory_id, variant_id, id, vendor_id, clinic_id, on_hand, 0, 5, 1, created_at from bench_products;

insert into stock_movements (id, inventory_id, version, moved_at, reason, actor, on_hand_change, reserved_change, on_hand,
    reserved, reorder_level)
select gen_random_uuid(), inventory_id, 1, created_at, 'opened', 'system', on_hand, 0, on_hand, 0, 5 from bench_products;

insert into product_search (product_id, vendor_id, category_id, created_at, price_from, available, attribute_pairs, words,
    words_written_at)
select id, vendor_id, category_id, created_at, price, on_hand > 0,
    array['flavour:' || flavour, 'weightKg:' || weight, 'grainFree:' || grain_free],
    product_words(product.name, product.brand, names.of_categories, product.description), now()
from bench_products made
join products product using (id, vendor_id, category_id, created_at)
join (select id as category_id, category_names(id) as of_categories from bench_categories) names using (category_id);

insert into search_words (word)
select distinct word
from ts_stat($$select to_tsvector('simple', catalog.searchable(name || ' ' || coalesce(brand, ''))) from catalog.products$$)
on conflict do nothing;
insert into search_words (word)
select distinct word
from ts_stat($$select to_tsvector('simple', catalog.searchable(name || ' ' || coalesce(english_name, '')))
               from catalog.product_categories$$)
on conflict do nothing;
