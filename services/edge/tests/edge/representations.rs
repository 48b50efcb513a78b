//! The forms of an answer: what the client has already, the fields that it chooses, links, and older paths.

use crate::stack::{Answer, Stack, with_stack};
use serde_json::{Value, json};
use subjects::Role;
use subjects::ids::VendorId;

const HAL: &str = "application/hal+json";

fn get(stack: &Stack, path: &str) -> reqwest::RequestBuilder {
    stack.request("GET", path)
}

fn vary(answer: &Answer) -> String {
    let values = answer.headers.get_all("vary").iter().map(|value| value.to_str().unwrap().to_lowercase());
    values.collect::<Vec<String>>().join(", ")
}

fn pointers_and_details(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 400, "{answer:?}");
    let problem = answer.json();
    let errors = problem["errors"].as_array().unwrap().iter();
    errors
        .map(|error| format!("{} {}", error["pointer"].as_str().unwrap(), error["detail"].as_str().unwrap()))
        .collect()
}

#[test]
fn what_a_client_has_already_is_not_sent_again() {
    with_stack(async |stack| {
        let one = format!("/api/v1/vendors/{}", VendorId::new());
        for (path, known) in [(one.as_str(), "\"7\""), (&one, "W/\"7\""), (&one, "\"6\", \"7\""), (&one, "*")] {
            let same = Answer::to(get(stack, path).header("if-none-match", known)).await;
            assert_eq!((same.status, same.text.as_str(), same.header("etag")), (304, "", Some("\"7\"")), "{known}");
            assert_eq!(same.header("cache-control"), Some("public, no-cache"));
            assert!(vary(&same).contains("authorization, accept"));
            assert_eq!(same.header("content-type"), None);
        }
        for other in ["\"6\"", "7"] {
            assert_eq!(Answer::to(get(stack, &one).header("if-none-match", other)).await.status, 200);
        }
        for path in ["/openapi.json", "/asyncapi.json"] {
            let first = Answer::to(get(stack, path)).await;
            let tag = first.header("etag").unwrap();
            assert!(tag.starts_with("W/\"") && !first.text.is_empty(), "{tag}");
            let second = Answer::to(get(stack, path).header("if-none-match", tag)).await;
            assert_eq!((second.status, second.header("etag"), second.text.as_str()), (304, Some(tag), ""));
        }
    });
}

#[test]
fn a_list_has_a_tag_of_its_bytes() {
    with_stack(async |stack| {
        // The tiny service makes new ids for each answer, but for chosen fields that do not change.
        let path = "/api/v1/vendors?fields=name,kind";
        let first = Answer::to(get(stack, path)).await;
        let tag = first.header("etag").unwrap();
        assert!(tag.starts_with("W/\""), "{tag}");
        let again = Answer::to(get(stack, path).header("if-none-match", tag)).await;
        assert_eq!((again.status, again.text.as_str()), (304, ""));
        let other = Answer::to(get(stack, "/api/v1/vendors?fields=name").header("if-none-match", tag)).await;
        assert_eq!(other.status, 200);
        assert_ne!(other.header("etag"), Some(tag));
    });
}

#[test]
fn reads_may_be_kept_and_nothing_else() {
    with_stack(async |stack| {
        let one = format!("/api/v1/vendors/{}", VendorId::new());
        let anonymous = Answer::to(get(stack, &one)).await;
        assert_eq!(anonymous.header("cache-control"), Some("public, no-cache"));
        let signed_in = Answer::to(get(stack, &one).bearer_auth(stack.token(&[]))).await;
        assert_eq!(signed_in.header("cache-control"), Some("private, no-cache"));
        let refused = Answer::to(get(stack, "/api/v1/vendors/seven")).await;
        assert_eq!((refused.header("cache-control"), refused.header("etag")), (Some("no-store"), None));
        let created = stack.request("POST", "/api/v1/vendors").bearer_auth(stack.token(&[Role::Customer]));
        let created = Answer::to(created.json(&json!({ "name": "x", "kind": "shop" }))).await;
        assert_eq!((created.status, created.header("cache-control")), (201, Some("no-store")));
    });
}

#[test]
fn head_is_get_without_its_body() {
    with_stack(async |stack| {
        let one = format!("/api/v1/vendors/{}", VendorId::new());
        let head = Answer::to(stack.request("HEAD", &one)).await;
        assert_eq!((head.status, head.header("etag"), head.text.as_str()), (200, Some("\"7\""), ""));
        let known = Answer::to(stack.request("HEAD", &one).header("if-none-match", "\"7\"")).await;
        assert_eq!(known.status, 304);
    });
}

#[test]
fn if_match_is_compared_or_refused_and_never_passed_over() {
    with_stack(async |stack| {
        let one = format!("/api/v1/vendors/{}", VendorId::new());
        let token = stack.token(&[Role::Customer, Role::PlatformAdmin]);
        for (tag, status) in [("\"7\"", 200), ("*", 200), ("\"6\"", 412), ("W/\"7\"", 412)] {
            assert_eq!(Answer::to(get(stack, &one).header("if-match", tag)).await.status, status, "{tag}");
        }
        let approve = stack.request("POST", &format!("{one}/approve")).bearer_auth(&token).header("if-match", "\"7\"");
        assert_eq!(Answer::to(approve).await.seen()["ifMatch"], 7);
        let remove = stack.request("DELETE", &one).bearer_auth(&token).header("if-match", "\"7\"");
        let create = stack.request("POST", "/api/v1/vendors").bearer_auth(&token).header("if-match", "\"7\"");
        for request in [remove, create.json(&json!({ "name": "x", "kind": "shop" }))] {
            let refused = Answer::to(request).await;
            assert_eq!((refused.status, &refused.json()["reason"]), (400, &"if_match_not_supported".into()));
        }
        // The tag of an entity with links names the same version.
        let put = stack.request("PUT", &one).bearer_auth(&token).header("if-match", "\"7-hal\"");
        assert_eq!(Answer::to(put.json(&json!({ "name": "x", "kind": "shop" }))).await.status, 200);
    });
}

#[test]
fn fields_are_chosen() {
    with_stack(async |stack| {
        let one = format!("/api/v1/vendors/{}", VendorId::new());
        let chosen = Answer::to(get(stack, &format!("{one}?fields=name,status"))).await;
        assert_eq!(chosen.json(), json!({ "name": "found", "status": "approved" }));
        assert_eq!(chosen.header("etag"), Some("\"7\""));

        let list = Answer::to(get(stack, "/vendors?limit=1&fields=kind")).await;
        assert_eq!(list.json(), json!({ "items": [{ "kind": "clinic" }], "nextCursor": "after this+one" }));
        assert!(list.header("link").unwrap().starts_with("</vendors?limit=1&fields=kind&cursor="));
    });
}

#[test]
fn fields_that_cannot_be_chosen_are_named() {
    with_stack(async |stack| {
        let refused = Answer::to(get(stack, "/vendors?fields=name,colour,,name,name.first&limit=0")).await;
        let expected = [
            "/fields names \"colour\", which the answer does not have",
            "/fields names \"name\" more than once",
            "/fields names \"name.first\", which the answer does not have",
            "/fields names nothing between two commas",
        ];
        let found = pointers_and_details(&refused);
        assert_eq!(found[..4], expected);
        assert!(found[4].starts_with("/limit "), "{found:?}");
        let twice = Answer::to(get(stack, "/vendors?fields=name&fields=kind")).await;
        assert_eq!(pointers_and_details(&twice), ["/fields is given more than once"]);
        assert_eq!(pointers_and_details(&Answer::to(get(stack, "/vendors?fields=")).await).len(), 1);
        let change = stack.request("POST", "/vendors?fields=name").bearer_auth(stack.token(&[]));
        let refused = Answer::to(change.json(&json!({ "name": "x", "kind": "shop" }))).await;
        assert_eq!(pointers_and_details(&refused), ["/fields is not a known parameter"]);
    });
}

#[test]
fn an_entity_has_the_links_that_its_state_and_its_reader_allow() {
    with_stack(async |stack| {
        let id = VendorId::new();
        let read = |token: Option<String>| {
            let request = get(stack, &format!("/api/vendors/{id}")).header("accept", HAL);
            Answer::to(token.into_iter().fold(request, |request, token| request.bearer_auth(token)))
        };
        let answer = read(Some(stack.token(&[Role::PlatformAdmin]))).await;
        assert_eq!((answer.header("content-type"), answer.header("etag")), (Some(HAL), Some("\"7-hal\"")));
        let links = answer.json()["_links"].clone();
        assert_eq!(links["self"]["href"], format!("/api/vendors/{id}"));
        assert_eq!(links["self"].get("method"), None);
        // It is approved: it can be suspended, and neither submitted nor approved.
        assert_eq!(links["suspend"]["href"], format!("/api/vendors/{id}/suspend"));
        assert_eq!(links["suspend"]["method"], "POST");
        assert!(links["suspend"]["title"].as_str().is_some_and(|title| !title.is_empty()));
        assert_eq!(links["update"]["method"], "PUT");
        assert_eq!((links.get("approve"), links.get("submit")), (None, None));

        let anonymous = read(None).await.json();
        assert_eq!(anonymous["_links"].as_object().unwrap().keys().collect::<Vec<_>>(), ["self"]);
        assert_eq!(anonymous["name"], "found");
    });
}

#[test]
fn a_list_embeds_its_items_with_their_links() {
    with_stack(async |stack| {
        let list = Answer::to(get(stack, "/api/v1/vendors?limit=1&fields=name").header("accept", HAL)).await;
        let body = list.json();
        assert_eq!(body["_links"]["self"]["href"], "/api/v1/vendors?limit=1&fields=name");
        let next = "/api/v1/vendors?limit=1&fields=name&cursor=after%20this%2Bone";
        assert_eq!(body["_links"]["next"]["href"], next);
        assert_eq!(body.get("items"), None);
        let item = &body["_embedded"]["items"][0];
        assert!(item["name"].is_string() && item.get("kind").is_none());
        let itself = item["_links"]["self"]["href"].as_str().unwrap();
        let one = Answer::to(get(stack, itself)).await;
        assert_eq!(one.status, 200);
        assert!(itself.ends_with(one.json()["id"].as_str().unwrap()));
    });
}

#[test]
fn a_form_that_there_is_not_is_refused_before_anything_is_done() {
    with_stack(async |stack| {
        let one = format!("/api/v1/vendors/{}", VendorId::new());
        for (accept, content_type) in [
            ("application/json", "application/json"),
            ("text/html, */*;q=0.1", "application/json"),
            ("application/json;q=0.2, application/*;q=0.1, application/hal+json;q=0.3", HAL),
            ("application/problem+json", "application/json"),
        ] {
            let answer = Answer::to(get(stack, &one).header("accept", accept)).await;
            assert_eq!(answer.header("content-type"), Some(content_type), "{accept}");
        }
        for accept in ["text/html", "application/json;q=0", "application/xml, image/*"] {
            let refused = Answer::to(get(stack, &one).header("accept", accept)).await;
            assert_eq!((refused.status, refused.header("content-type")), (406, Some("application/problem+json")));
            assert_eq!(refused.json()["code"], "not_acceptable");
        }
        let calendar = get(stack, &format!("/calendars/{}.ics", "a".repeat(43))).header("accept", "application/json");
        assert_eq!(Answer::to(calendar).await.status, 406);
    });
}

#[test]
fn a_calendar_is_only_there_with_its_ending() {
    with_stack(async |stack| {
        let without = Answer::to(get(stack, &format!("/calendars/{}", "a".repeat(43)))).await;
        assert_eq!((without.status, &without.json()["code"]), (404, &"not_found".into()));
        let bad = Answer::to(get(stack, "/calendars/short.ics")).await;
        assert_eq!((bad.status, &bad.json()["errors"][0]["pointer"]), (400, &"/token".into()));
        // Booking is away.
        assert_eq!(Answer::to(get(stack, &format!("/calendars/{}.ics", "a".repeat(43)))).await.status, 503);
    });
}

#[test]
fn an_older_path_says_which_one_is_meant_whatever_it_answers() {
    with_stack(async |stack| {
        let links = |answer: &Answer| -> Vec<String> {
            answer.headers.get_all("link").iter().map(|link| link.to_str().unwrap().to_owned()).collect()
        };
        for (method, path, canonical) in [
            ("GET", "/appointments/availability?from=soon", "/api/v1/bookings/availability?from=soon"),
            ("GET", "/api/appointments", "/api/v1/bookings"),
            ("PATCH", "/api/v1/appointments/7", "/api/v1/bookings/7"),
            ("OPTIONS", "/appointments", "/api/v1/bookings"),
        ] {
            let answer = Answer::to(stack.request(method, path)).await;
            assert_eq!(answer.header("deprecation"), Some("@1767225600"), "{method} {path}");
            let links = links(&answer);
            assert!(links.contains(&format!("<{canonical}>; rel=\"canonical\"")), "{links:?}");
            assert!(links.iter().any(|link| link.starts_with("</docs/>; rel=\"deprecation\"")), "{links:?}");
        }
        for path in ["/bookings", "/api/bookings", "/vendors", "/api/v1/vendors"] {
            let answer = Answer::to(get(stack, path)).await;
            assert_eq!(answer.header("deprecation"), None, "{path}");
        }
    });
}

#[test]
fn nothing_is_said_twice_and_a_read_has_no_body() {
    with_stack(async |stack| {
        let post = stack.request("POST", "/vendors").bearer_auth(stack.token(&[]));
        let post = post.header("content-type", "application/json");
        let twice = Answer::to(post.body(r#"{"name":"a","kind":"shop","name":"b","kind":"clinic"}"#)).await;
        assert_eq!(pointers_and_details(&twice), ["/name is given more than once", "/kind is given more than once"]);
        let id = VendorId::new();
        let token = stack.token(&[Role::Customer]);
        for (method, path) in [("GET", "/vendors".to_owned()), ("DELETE", format!("/vendors/{id}"))] {
            let with_body = stack.request(method, &path).bearer_auth(&token).json(&Value::Null);
            let refused = Answer::to(with_body).await;
            assert_eq!(pointers_and_details(&refused), [" has a body, which this method does not take"]);
        }
    });
}
