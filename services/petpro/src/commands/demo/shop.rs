//! The shop: a search, and stock that is watched while it is reserved elsewhere.

use super::stock_window::StockWindow;
use super::story::{Story, list, number, text};
use crate::output::say;
use anyhow::{Context as _, ensure};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// What people type.
const TYPED: &str = "makanna kucing";
/// How many pieces the demo takes.
const WANTED: i64 = 2;

/// Searches with a typo and answers a stock with enough of the first product that has some.
pub(super) async fn search(story: &Story) -> anyhow::Result<Value> {
    let path = format!("/products?text={}&available=true&facets=true&limit=5", TYPED.replace(' ', "%20"));
    let found = story.get(&path, None).await?;
    let total = number(&found, "/facets/total")?;
    say!("   {total} products for \"{TYPED}\":")?;
    for product in list(&found, "/items") {
        let price = number(product, "/priceFrom/amount").unwrap_or_default();
        say!("     {:<52} from Rp {price}", text(product, "/name")?)?;
    }
    for category in list(&found, "/facets/categories").iter().take(4) {
        say!("     {:>5} in {}", number(category, "/count")?, text(category, "/name")?)?;
    }
    for product in list(&found, "/items") {
        let whole = story.get(&format!("/products/{}/availability", text(product, "/id")?), None).await?;
        let enough = |stock: &&Value| number(stock, "/available").is_ok_and(|available| available > WANTED);
        if let Some(stock) = list(&whole, "/stock").iter().find(enough) {
            let vendor = text(&whole, "/vendor/name").unwrap_or_else(|_| "a vendor that does not answer".to_owned());
            say!("   {} pieces at a place of {vendor}", number(stock, "/available")?)?;
            return Ok(stock.clone());
        }
    }
    anyhow::bail!("no product has enough stock: is this a stack of `./just up`?")
}

/// Watches a stock in one task while another reserves and commits.
pub(super) async fn watch_and_reserve(story: &Story, staff: &str, stock: &Value) -> anyhow::Result<()> {
    let (variant, clinic) = (text(stock, "/variantId")?, text(stock, "/clinicId")?);
    let rows = story.get(&format!("/inventory?variantId={variant}&clinicId={clinic}"), Some(staff)).await?;
    let row = list(&rows, "/items").first().context("the staff does not see the stock")?;
    let url = story.url(&format!("/inventory/watch?variantId={variant}&clinicId={clinic}"));
    say!("   GET /inventory/watch → what it tells stands on the right")?;
    let mut window = StockWindow::open(&url, staff).await?;
    window.until(|seen| number(seen, "/version").ok() >= number(row, "/version").ok()).await?;

    let wish = |quantity: i64| json!({ "lines": [{ "variantId": variant, "clinicId": clinic, "quantity": quantity }] });
    let path = "/inventory/reservations";
    let reserved = story.ask(Method::POST, path, Some(staff), Some(wish(WANTED)), StatusCode::CREATED).await?;
    let before = number(row, "/reserved")?;
    window.until(|seen| number(seen, "/reserved").is_ok_and(|reserved| reserved >= before + WANTED)).await?;

    let too_many = wish(number(row, "/onHand")? + 1);
    let refused = story.ask(Method::POST, path, Some(staff), Some(too_many), StatusCode::CONFLICT).await?;
    say!("   {}: {}", text(&refused, "/reason")?, text(&refused, "/detail")?)?;

    let commit = format!("{path}/{}/commit", text(&reserved, "/id")?);
    let committed = story.ask(Method::POST, &commit, Some(staff), None, StatusCode::OK).await?;
    ensure!(text(&committed, "/status")? == "committed", "the reservation is not committed: {committed}");
    let on_hand = number(row, "/onHand")?;
    window.until(|seen| number(seen, "/onHand").is_ok_and(|now| now <= on_hand - WANTED)).await?;
    Ok(())
}
