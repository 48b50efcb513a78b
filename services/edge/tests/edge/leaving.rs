//! Leaving: unready first, then no new connections, and every request under way gets its answer.

use crate::stack::{start_edge, with_stack};
use platform::setup::Host;
use std::time::{Duration, Instant};
use subjects::ids::ClinicId;

#[test]
fn a_request_under_way_is_answered_although_the_edge_leaves() {
    with_stack(async |stack| {
        let settings = stack.host.settings.clone().set("edge.request_timeout_ms", 20_000);
        let host = Host::new(settings).unwrap();
        let (running, address) = start_edge(&host).await;
        let get = move |path: String| reqwest::Client::new().get(format!("http://{address}{path}")).send();

        let under_way = tokio::spawn(get(format!("/clinics/{}", ClinicId::new())));
        stack.gate.entered.acquire().await.unwrap().forget();
        assert_eq!(get("/health/ready".to_owned()).await.unwrap().status(), 200);

        let leaving = tokio::spawn(running.drain());
        let patience = Instant::now() + Duration::from_secs(20);
        let mut was_unready = false;
        loop {
            match get("/health/ready".to_owned()).await {
                Ok(response) => was_unready |= response.status() == 503,
                Err(refused) if refused.is_connect() => break,
                Err(error) => panic!("{error}"),
            }
            assert!(Instant::now() < patience, "the edge still takes connections");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(was_unready, "the edge closed its door without a word");
        assert!(!leaving.is_finished(), "a request is still under way");

        stack.gate.open.add_permits(1);
        let answer = under_way.await.unwrap().unwrap();
        assert_eq!(answer.status(), 404);
        assert!(answer.text().await.unwrap().contains("clinic_not_found"));
        leaving.await.unwrap().unwrap();
    });
}
