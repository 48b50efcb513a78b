//! Bad input, forged identities and requests at the wrong time on every route of the contract, against the whole
//! platform: refused with the right problem, never a fault of the platform, and nothing stored.

use crate::world::World;
use scene::Scene;
use storage::Storage;

#[path = "hostile/fields.rs"]
mod fields;
#[path = "hostile/scene.rs"]
pub mod scene;
#[path = "hostile/states.rs"]
mod states;
#[path = "hostile/storage.rs"]
pub mod storage;
#[path = "hostile/strangers.rs"]
mod strangers;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_hostile_is_refused_and_leaves_nothing_behind() {
    let mut world = World::without_services().await;
    world.set("PETPRO_EDGE__LIMITS_PROFILE", "bench");
    // What is erased while the test runs is done before it looks.
    world.set("PETPRO_PROFILE__PRIVACY_SETTLING_MS", "100");
    world.run("all", &[]).await;
    world.until_heard().await;
    let scene = Scene::of(&world).await;

    let before = Storage::look(&world).await;
    fields::check_bad(&scene, &world).await;
    before.check_unchanged(&world, "bad input").await;
    fields::check_paths(&scene).await;
    before.check_unchanged(&world, "a malformed path").await;
    strangers::check_missing(&scene, &world).await;
    before.check_unchanged(&world, "an id of nothing").await;
    strangers::check_others(&scene, &world).await;
    before.check_unchanged(&world, "somebody else").await;
    strangers::check_names_of_others(&scene, &world).await;
    before.check_unchanged(&world, "another's id").await;
    states::check_versions(&scene, &world).await;

    // From here on some of it is done.
    let tokens = strangers::bad_tokens(&scene, &world).await;
    let before = Storage::look(&world).await;
    strangers::check_tokens(&scene, &world, &tokens).await;
    before.check_unchanged(&world, "a bad token").await;
    states::check_order(&scene, &world).await;
    states::check_keys(&scene, &world).await;
    fields::check_odd(&scene, &world).await;

    check_log(&world);
    world.stop().await;
}

/// Whatever was sent, the services saw no error of their own.
fn check_log(world: &World) {
    let log = world.log();
    let errors: Vec<&str> = log.lines().filter(|line| line.contains("ERROR")).take(20).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    assert!(log.contains("INFO"), "the log has no levels: {:.500}", log);
}
