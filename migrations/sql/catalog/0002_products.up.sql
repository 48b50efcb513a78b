-- Text as it is searched: without accents, in lower case. unaccent() is only "stable", since its dictionary could be
-- altered; ours is not, and an index needs the promise.
create function searchable(original text) returns text
    language sql immutable strict parallel safe
    as $$ select lower(ext.unaccent('ext.unaccent'::regdictionary, original)) $$;

-- Read model: vendors, as their events have told. A removed row stays, so that an event that comes late cannot bring it
-- back.
create table vendors (
    id uuid not null,
    version bigint not null,
    removed_at timestamptz,
    open_for_business boolean not null,
    constraint vendors_pkey primary key (id)
);

-- The tree of categories. That it is a tree, and how deep, is looked after under one lock.
create table product_categories (
    id uuid not null,
    parent_id uuid,
    name text not null,
    english_name text,
    slug text not null,
    -- What it says of its products' attributes, as the contract writes it.
    attribute_schema jsonb not null,
    position integer not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version bigint not null,
    -- Its name, or one above it, has changed: the words of its products are to be written anew.
    words_stale_since timestamptz,
    constraint product_categories_pkey primary key (id),
    constraint product_categories_slug_key unique (slug),
    constraint product_categories_parent_fkey foreign key (parent_id) references product_categories (id),
    constraint product_categories_parent_check check (parent_id <> id),
    constraint product_categories_position_check check (position between 0 and 10000),
    constraint product_categories_version_check check (version > 0)
);
create index product_categories_parent_index on product_categories (parent_id);
create index product_categories_stale_index on product_categories (words_stale_since) where words_stale_since is not null;

-- The names of categories from the top down to one of them.
create function category_names(lowest uuid) returns text language sql stable as $$
    with recursive above as (
        select id, parent_id, name, english_name, 1 as step from product_categories where id = lowest
        union all
        select parent.id, parent.parent_id, parent.name, parent.english_name, above.step + 1
        from product_categories parent join above on parent.id = above.parent_id
        where above.step < 10
    )
    select coalesce(string_agg(concat_ws(' ', name, english_name), ' ' order by step desc), '') from above
$$;

create table products (
    id uuid not null,
    vendor_id uuid not null,
    category_id uuid not null,
    name text not null,
    description text not null,
    brand text,
    attributes jsonb not null,
    -- In what its variants differ, as the contract writes it.
    options jsonb not null,
    status text not null,
    -- When another of its prices begins to hold, or one ceases to.
    next_price_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version bigint not null,
    constraint products_pkey primary key (id),
    constraint products_id_vendor_key unique (id, vendor_id),
    constraint products_category_fkey foreign key (category_id) references product_categories (id),
    constraint products_status_check check (status in ('active', 'archived')),
    constraint products_version_check check (version > 0)
);
create index products_category_index on products (category_id);
create index products_vendor_index on products (vendor_id, id);
create index products_next_price_index on products (next_price_at) where next_price_at is not null and status = 'active';

create table product_variants (
    id uuid not null,
    product_id uuid not null,
    vendor_id uuid not null,
    sku text not null,
    options jsonb not null,
    active boolean not null,
    -- The product is archived, and the number free for another.
    archived boolean not null,
    position integer not null,
    constraint product_variants_pkey primary key (id),
    constraint product_variants_product_fkey foreign key (product_id, vendor_id) references products (id, vendor_id) on delete cascade
);
-- A number is free again once its product is archived.
create unique index product_variants_sku_key on product_variants (vendor_id, lower(sku)) where not archived;
create index product_variants_product_index on product_variants (product_id, position);

create table product_prices (
    variant_id uuid not null,
    amount bigint not null,
    currency text not null,
    -- Null: it has always held.
    valid_from timestamptz,
    -- Null: it holds for good.
    valid_to timestamptz,
    constraint product_prices_variant_fkey foreign key (variant_id) references product_variants (id) on delete cascade,
    constraint product_prices_overlap_excl exclude using gist (variant_id with =, tstzrange(valid_from, valid_to) with &&),
    constraint product_prices_amount_check check (amount between 0 and 1000000000000 and currency = 'IDR'),
    constraint product_prices_order_check check (valid_from < valid_to)
);
create index product_prices_variant_index on product_prices (variant_id);

create table product_images (
    product_id uuid not null,
    position integer not null,
    url text not null,
    alt text,
    constraint product_images_pkey primary key (product_id, position),
    constraint product_images_product_fkey foreign key (product_id) references products (id) on delete cascade
);

-- What searches look at: one narrow row for each product that is sold, written in the transaction that writes the product.
create table product_search (
    product_id uuid not null,
    vendor_id uuid not null,
    category_id uuid not null,
    created_at timestamptz not null,
    -- What the cheapest variant costs now; null where none can be bought.
    price_from bigint,
    -- Whether anything of it is in stock anywhere.
    available boolean not null,
    -- The attributes, each as `name:value`.
    attribute_pairs text[] not null,
    words tsvector not null,
    words_written_at timestamptz not null,
    constraint product_search_pkey primary key (product_id),
    constraint product_search_product_fkey foreign key (product_id) references products (id) on delete cascade
);
create index product_search_words_index on product_search using gin (words) with (fastupdate = off);
create index product_search_attributes_index on product_search using gin (attribute_pairs) with (fastupdate = off);
create index product_search_category_index on product_search (category_id, words_written_at);
create index product_search_vendor_index on product_search (vendor_id, product_id);
-- The orders of lists. What has no price stands last in both.
create index product_search_created_index on product_search (created_at, product_id);
create index product_search_price_index on product_search (coalesce(price_from, 9223372036854775807), product_id);
create index product_search_price_down_index on product_search (coalesce(price_from, -1), product_id);

-- Every word that products have, or had, by which mistyped ones are set right.
create table search_words (
    word text not null,
    constraint search_words_pkey primary key (word)
);
create index search_words_trigram_index on search_words using gin (word ext.gin_trgm_ops);

-- The words of a product, what weighs most first. Names are kept as they are written, too, since stems of two languages
-- do not fit every name.
create function product_words(name text, brand text, categories text, description text) returns tsvector
    language sql stable as $$
    select setweight(to_tsvector('simple', searchable(name)), 'A')
        || setweight(to_tsvector('indonesian', searchable(name)), 'A')
        || setweight(to_tsvector('english', searchable(name)), 'A')
        || setweight(to_tsvector('simple', searchable(concat_ws(' ', brand, categories))), 'B')
        || setweight(to_tsvector('indonesian', searchable(categories)), 'B')
        || setweight(to_tsvector('english', searchable(categories)), 'B')
        || setweight(to_tsvector('indonesian', searchable(description)), 'C')
        || setweight(to_tsvector('english', searchable(description)), 'C')
$$;

-- What has a word, in any of its forms. Each form stands there once: Postgres takes a form that stands there again for
-- another one that may be found, too, and thinks that most products have such words.
create function word_query(word text) returns tsquery language sql immutable as $$
    select coalesce(string_agg(distinct '(' || form::text || ')', ' | '), '')::tsquery
    from (values (plainto_tsquery('simple', searchable(word))), (plainto_tsquery('indonesian', searchable(word))),
        (plainto_tsquery('english', searchable(word)))) as forms (form)
    where numnode(form) > 0
$$;

-- What the cheapest variant that is sold costs at an instant.
create function price_from(product uuid, instant timestamptz) returns bigint language sql stable as $$
    select min(price.amount)
    from product_variants variant
    join product_prices price on price.variant_id = variant.id
    where variant.product_id = product and variant.active
        and tstzrange(price.valid_from, price.valid_to) @> instant
$$;

-- When, after an instant, another price of the product begins to hold, or one ceases to.
create function next_price_at(product uuid, instant timestamptz) returns timestamptz language sql stable as $$
    select min(boundary)
    from product_variants variant
    join product_prices price on price.variant_id = variant.id
    cross join lateral (values (price.valid_from), (price.valid_to)) as boundaries (boundary)
    where variant.product_id = product and boundary > instant
$$;
