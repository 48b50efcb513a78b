//! Many products, and those who look for them.

use crate::clinics::API;
use anyhow::{Context as _, ensure};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::fmt::Write as _;
use uuid::Uuid;

/// Makes the products: `{products}` says how many.
const PRODUCTS: &str = include_str!("shop.sql");
/// Postgres then knows how many rows there are, as autovacuum would tell it a little later.
const KNOWN: &str = "vacuum analyze";
/// Words as people type them: in both languages, few and many, mistyped, and none that is there.
const WORDS: [&str; 14] = [
    "makanan kucing tuna",
    "makanan kucng",
    "sampo anjing",
    "vitamin",
    "cat food salmon",
    "bulu manis ayam",
    "dog treats beef",
    "mainan kelinci prima",
    "pasir kucing wortel",
    "salmonn",
    "nusantara",
    "kandang burung",
    "cakar emas domba 7.5 kg",
    "telescope",
];
/// What narrows a search, each combined with the words.
const FILTERS: [&str; 7] = [
    "",
    "&available=true",
    "&priceMin=50000&priceMax=250000",
    "&attributes=flavour:tuna&attributes=flavour:ayam",
    "&attributes=grainFree:true&available=true",
    "&sort=price",
    "&sort=-createdAt&priceMax=400000",
];

/// A shop with many products.
pub struct Shop {
    /// A product that is in stock.
    pub product: Uuid,
    /// Its category, and those of the other products with it.
    category: Uuid,
    /// Its vendor.
    vendor: Uuid,
}

impl Shop {
    /// Makes so many products in the database, as its admin. The platform must not run.
    ///
    /// # Errors
    /// The database refuses something, or no vendor is open for business.
    pub async fn create(products: u32, admin_url: &str) -> anyhow::Result<Shop> {
        let mut connection = PgConnection::connect(admin_url).await.context("cannot connect to Postgres")?;
        let mut making = connection.begin().await?;
        let sql = PRODUCTS.replace("{products}", &products.to_string());
        // Our own text with a number in it.
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *making).await.context("the products cannot be made")?;
        let made: i64 = sqlx::query_scalar("select count(*) from catalog.product_variants where sku like 'BENCH-%'")
            .fetch_one(&mut *making)
            .await?;
        ensure!(made == i64::from(products), "{made} products were made instead of {products}");
        let one_in_stock = "select product_id, category_id, vendor_id from catalog.product_search \
                            where available order by created_at desc limit 1";
        let (product, category, vendor) = sqlx::query_as(one_in_stock).fetch_one(&mut *making).await?;
        making.commit().await?;
        sqlx::raw_sql(KNOWN).execute(&mut connection).await?;
        connection.close().await?;
        Ok(Shop { product, category, vendor })
    }

    /// One product.
    pub fn product_path(&self) -> String {
        format!("{API}/products/{}", self.product)
    }

    /// The same with its stock and its vendor.
    pub fn availability_path(&self) -> String {
        format!("{}/availability", self.product_path())
    }

    /// Searches, with facets all: each of the words with each filter, and those who only walk through the shelves.
    pub fn searches(&self) -> Vec<String> {
        let mut searches = Vec::new();
        for filter in FILTERS {
            for words in WORDS {
                searches.push(format!("{API}/products?text={}{filter}", encoded(words)));
            }
        }
        let (category, vendor) = (self.category, self.vendor);
        for shelf in [String::new(), format!("categoryId={category}"), format!("vendorId={vendor}")] {
            searches.push(format!("{API}/products?{shelf}"));
            searches.push(format!("{API}/products?{shelf}&available=true&sort=price"));
        }
        searches
    }

    /// The search whose plan is shown: words, a category, an attribute, what is in stock, and facets.
    pub fn shown_search(&self) -> String {
        format!(
            "{API}/products?text={}&categoryId={}&attributes=flavour:tuna&available=true",
            encoded("makanan kucng"),
            self.category
        )
    }
}

/// A text as it stands in a query.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' => encoded.push(char::from(byte)),
            // Writing to a String cannot fail.
            other => {
                let _infallible = write!(encoded, "%{other:02X}");
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use migrations::{SERVICES, ServiceLogin, role_name};
    use testkit::Postgres;

    /// A vendor that is open for business, and one that is not.
    const VENDORS: &str = "insert into catalog.vendors (id, version, open_for_business) \
                           values (gen_random_uuid(), 1, true), (gen_random_uuid(), 1, false)";

    async fn migrated() -> (&'static Postgres, String) {
        let postgres = Postgres::shared().await.unwrap();
        let login = |service: &&str| ServiceLogin {
            service: (*service).to_owned(),
            role: role_name("petpro", service),
            password: "p".to_owned(),
        };
        let logins: Vec<ServiceLogin> = SERVICES.iter().map(login).collect();
        let migrate = |admin_url: String| async move { migrations::migrate(&admin_url, &logins).await };
        postgres.template("bench", migrate).await.unwrap();
        (postgres, postgres.clone_database("bench", &[]).await.unwrap())
    }

    #[tokio::test]
    async fn products_are_made_as_the_tables_want_them() {
        let (postgres, database) = migrated().await;
        let admin_url = postgres.admin_url(&database);
        assert!(Shop::create(100, &admin_url).await.is_err(), "nobody sells them");
        postgres.execute(&database, &[VENDORS.to_owned()]).await.unwrap();
        let shop = Shop::create(2_500, &admin_url).await.unwrap();
        let mut connection = PgConnection::connect(&admin_url).await.unwrap();
        let found: (i64, i64, i64) = sqlx::query_as(
            "select count(*), count(*) filter (where available), count(*) filter \
             (where words @@ websearch_to_tsquery('indonesian', 'makanan kucing tuna')) from catalog.product_search",
        )
        .fetch_one(&mut connection)
        .await
        .unwrap();
        assert!(found.0 == 2_500 && found.1 > 1_000 && found.2 > 1, "{found:?}");
        let vendor: Uuid = sqlx::query_scalar("select id from catalog.vendors where open_for_business")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert_eq!(shop.vendor, vendor);
    }

    #[test]
    fn searches_differ_and_can_stand_in_a_request_line() {
        let shop = Shop { product: Uuid::nil(), category: Uuid::nil(), vendor: Uuid::nil() };
        let searches = shop.searches();
        let distinct: std::collections::BTreeSet<&String> = searches.iter().collect();
        assert_eq!(distinct.len(), WORDS.len() * FILTERS.len() + 6);
        assert!(searches.iter().all(|path| path.parse::<http::uri::PathAndQuery>().is_ok()));
        assert_eq!(encoded("a b&c"), "a%20b%26c");
    }
}
