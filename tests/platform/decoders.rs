//! Whatever comes instead of a request, a reply or an event: it is refused with what is wrong, or it is understood and then
//! means the same when it is written again. Walks the catalogue, so nothing new is left out.

use crate::samples;
use crate::world::World;
use bytes::Bytes;
use futures::StreamExt as _;
use identity::keys::{EDGE, Purpose};
use identity::{User, UserTokens};
use platform::client::RawCall;
use platform::codec::ContentType;
use platform::setup::{Host, Setup};
use platform::validate::schema_document;
use platform::{Meta, RequestReader, Settings};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use subjects::ids::{ClinicId, SessionId, UserId};
use subjects::{ErrorCode, Operation, Role, catalogue};
use testkit::mangled::check_reading_of;

/// How much of each operation and each form.
const CASES: u32 = 64;

type Schema = fn(&mut schemars::SchemaGenerator) -> schemars::Schema;

/// Something that a schema takes.
fn example_of(schema: Schema) -> Value {
    let document = schema_document(schema);
    let mut example = samples::example(&document, &document);
    name_time_zones(&mut example);
    example
}

/// Of these the schema says less than is so.
fn name_time_zones(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if name == "timeZone" {
                    *field = json!("Asia/Jakarta");
                }
                name_time_zones(field);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(name_time_zones),
        _ => {}
    }
}

/// Likewise, with what some operations need beyond what their schemas require.
fn request_of(operation: &Operation) -> Value {
    let mut sample = example_of(operation.request_schema);
    let (field, value) = match operation.subject {
        "availability.findAll" | "vendor.availability" => ("clinicId", json!(ClinicId::new())),
        "booking.create" => ("pet", json!({ "name": "a", "species": "cat" })),
        "inventory.update" => ("reorderLevel", json!(1)),
        "petRecord.create" => ("note", json!("a")),
        _ => return sample,
    };
    sample[field] = value;
    sample
}

/// What was looked at of a service's requests, and whose sample was refused.
#[derive(Default)]
struct Looked {
    seen: BTreeSet<&'static str>,
    refused: Vec<String>,
}

impl Looked {
    /// Has a service read samples of all that it can be asked, and whatever is made of them.
    fn at(&mut self, readers: Vec<RequestReader<'_>>) {
        for RequestReader { operation, read } in readers {
            let sample = request_of(&operation);
            for form in [ContentType::Json, ContentType::MessagePack] {
                let body = form.encode(&sample).unwrap().to_vec();
                if let Err(fault) = read(form, body.as_slice()) {
                    self.refused.push(format!("{}: {fault:?} {sample}", operation.subject));
                }
                let read = |body: &[u8]| match read(form, body) {
                    Ok(understood) => Some(understood),
                    Err(fault) => {
                        let is_told = fault.code == ErrorCode::BadRequest && !fault.violations.is_empty();
                        assert!(is_told, "{}: {fault:?}", operation.subject);
                        None
                    }
                };
                check_reading_of(&[body], CASES, read, |understood| understood.to_vec());
            }
            self.seen.insert(operation.subject);
        }
    }
}

#[test]
fn every_request_is_read_or_refused() {
    let mut looked = Looked::default();
    looked.at(auth::service().readers().unwrap());
    looked.at(profile::service().readers().unwrap());
    looked.at(vendor::service().readers().unwrap());
    looked.at(booking::service().readers().unwrap());
    looked.at(catalog::service().readers().unwrap());
    let all: BTreeSet<&str> = catalogue::operations().map(|operation| operation.subject).collect();
    assert_eq!(looked.seen, all, "not every operation was looked at");
    assert!(looked.refused.is_empty(), "not what their schemas say: {:#?}", looked.refused);
}

/// A sample of each is taken as it is, and whatever is made of it as above.
fn check_json(all: impl Iterator<Item = (&'static str, Schema, subjects::Reread)>) {
    let mut refused = Vec::new();
    for (what, schema, reread) in all {
        let sample = serde_json::to_vec(&example_of(schema)).unwrap();
        if let Err(error) = reread(&sample) {
            refused.push(format!("{what}: {error} {}", String::from_utf8_lossy(&sample)));
        }
        check_reading_of(&[sample], CASES, |body| reread(body).ok(), Vec::clone);
    }
    assert!(refused.is_empty(), "not what their schemas say: {refused:#?}");
}

#[test]
fn every_reply_is_read_or_refused() {
    let replies = catalogue::operations();
    check_json(replies.map(|operation| (operation.subject, operation.reply_schema, operation.reread_reply)));
}

#[test]
fn every_event_is_read_or_refused() {
    check_json(catalogue::events().map(|event| (event.event_type, event.schema, event.reread)));
}

/// What no operation takes: each is sent to each.
fn bodies() -> Vec<(ContentType, Bytes)> {
    let of = |form, bytes: &[u8]| (form, Bytes::copy_from_slice(bytes));
    let (json, binary) = (ContentType::Json, ContentType::MessagePack);
    vec![
        of(json, b"{"),
        of(json, b"\xff\xfe\x00"),
        of(json, b"[[]]"),
        of(json, &b"[".repeat(100_000)),
        of(json, &b"{\"a\":".repeat(100_000)),
        of(binary, b""),
        of(binary, b"\xc1"),
        of(binary, b"\xdf\xff\xff\xff\xff"),
        of(binary, &b"\x91".repeat(100_000)),
        of(binary, &b"\x81\xa1a".repeat(100_000)),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_refuse_what_is_no_request_and_live() {
    let world = World::start().await;
    let host = Host::new(world.stack.settings(Settings::from_toml(""))).unwrap();
    let signer = UserTokens::new(world.stack.keys.signing_key(EDGE, Purpose::User).unwrap());
    let roles = vec![Role::Customer, Role::PlatformAdmin];
    let user = User { id: UserId::new(), session: SessionId::new(), roles };
    let mut asked = BTreeSet::new();
    for declaration in petpro::services::declarations() {
        let setup = Setup::connect(&host, declaration.name).await.unwrap();
        for subject in declaration.calls {
            let calls = bodies().into_iter().map(|(content_type, body)| {
                let (client, form) = (setup.client.clone(), content_type.as_str());
                let token: Option<Arc<str>> =
                    (declaration.name == EDGE).then(|| signer.issue(&user, chrono::Utc::now()).into());
                async move {
                    let meta = Meta::background(subject);
                    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
                    let begins = format!("{:?}", &body[..body.len().min(8)]);
                    let call = RawCall { content_type, body, user_token: token, deadline, meta: &meta };
                    let refused = client.request_raw(subject, call).await.err();
                    let code = refused.as_ref().map(|fault| fault.code);
                    let may_be = [ErrorCode::BadRequest, ErrorCode::Forbidden, ErrorCode::Unauthenticated];
                    assert!(code.is_some_and(|code| may_be.contains(&code)), "{subject} {form} {begins}: {refused:?}");
                    code == Some(ErrorCode::BadRequest)
                }
            });
            let read: Vec<bool> = futures::stream::iter(calls).buffer_unordered(4).collect().await;
            if read.iter().all(|is_read| *is_read) {
                asked.insert(subject);
            }
        }
    }
    println!("{} subjects have read what was no request", asked.len());
    let routed = catalogue::operations().filter(|operation| !operation.rest.is_empty()).count();
    assert!(asked.len() > routed / 2, "only {asked:?}");
    // They live, and have seen no error of their own.
    world.free_slot().await;
    let log = world.log();
    let errors: Vec<&str> = log.lines().filter(|line| line.contains("ERROR")).take(5).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    world.stop().await;
}
