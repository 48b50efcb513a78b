//! `petpro demo`: the story of a visit and of a purchase over HTTP, told as it happens.

mod events;
mod shop;
mod stock_window;
mod story;
mod visit;

use crate::cli::DemoArgs;
use crate::demo_users;
use crate::output::say;
use edge::EdgeConfig;
use platform::Settings;
use story::Story;

pub(super) async fn execute(args: &DemoArgs) -> anyhow::Result<()> {
    let url = match &args.url {
        Some(url) => url.clone(),
        None => format!("http://{}", Settings::load()?.section::<EdgeConfig>("edge")?.listen),
    };
    let mut story = Story::new(&url)?;
    story.tell("A customer registers and signs in")?;
    let customer = story.new_customer("Budi").await?;
    story.tell("The customer has a cat")?;
    let pet = visit::new_pet(&story, &customer).await?;
    story.tell("The customer looks for a clinic, and when it is free")?;
    let offer = visit::find_offer(&story).await?;
    story.tell("The customer books a visit with the cat")?;
    let booking = offer.book(&story, &customer, &pet).await?;
    story.tell("Another customer wants the same time, and then the same cat")?;
    let rival = story.new_customer("Siti").await?;
    offer.book_in_vain(&story, &rival, &pet).await?;
    story.tell("The clinic's staff confirms")?;
    let staff = story.sign_in("rina@petpro.example", demo_users::PASSWORD).await?;
    visit::confirm(&story, &staff, &booking).await?;
    story.tell("JetStream has told whoever listens")?;
    events::see_confirmed(&booking).await?;
    story.tell("Now that the cat is booked there, the staff reads its records and adds to them")?;
    visit::treat(&story, &staff, &pet).await?;
    story.tell("The customer looks for cat food, and misspells it")?;
    let stock = shop::search(&story).await?;
    story.tell("The staff watches its stock while some of it is reserved and sold")?;
    shop::watch_and_reserve(&story, &staff, &stock).await?;
    say!("\nThat is the whole way: REST, NATS, Postgres, JetStream, and back as a stream.")?;
    Ok(())
}
