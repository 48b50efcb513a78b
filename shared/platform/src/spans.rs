//! Spans of requests, as OpenTelemetry's conventions for HTTP, messaging and RPC name them. They cost nothing where no
//! traces are exported.
//!
//! Whoever asks says which span is the parent, by W3C Trace Context, and a span tells its own; nothing depends on the
//! task that something runs in. Logs have spans of their own, with other fields.

use crate::trace;
use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState,
    Tracer as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SdkTracer;
use std::borrow::Cow;
use std::sync::{Mutex, OnceLock, PoisonError};

/// What makes spans where traces are exported: set once a process.
static EXPORTING: OnceLock<Exporting> = OnceLock::new();

/// The maker of spans, and the share of the traces begun here that is exported.
#[derive(Debug)]
pub(crate) struct Exporting {
    pub(crate) tracer: SdkTracer,
    pub(crate) sample_ratio: f64,
}

/// False: something else makes spans already.
pub(crate) fn export_by(exporting: Exporting) -> bool {
    EXPORTING.set(exporting).is_ok()
}

/// Whether a trace that begins without a span of ours, in the background, is one of those that are exported.
pub(crate) fn samples_new_trace() -> bool {
    EXPORTING.get().is_none_or(|exporting| rand::random::<f64>() < exporting.sample_ratio)
}

/// A span from its making to its end, which is where it is dropped. Empty where no traces are exported.
#[derive(Debug, Default)]
pub struct Span(Option<Mutex<opentelemetry_sdk::trace::Span>>);

impl Span {
    /// An HTTP request that is answered. Its route is not known yet.
    pub fn serving_http(method: &str, parent: Option<&str>) -> Span {
        Span::start(SpanKind::Server, parent, || {
            let (name, method) = http_method(method);
            (name.into(), vec![KeyValue::new("petpro.service", "edge"), KeyValue::new("http.request.method", method)])
        })
    }

    /// A call by `service` to whoever answers `subject`, from the moment when it is made until it has its answer,
    /// however often it is sent for that.
    pub fn calling(service: &'static str, subject: &str, parent: Option<&str>) -> Span {
        Span::start(SpanKind::Client, parent, || (subject.to_owned().into(), attributes(service, subject)))
    }

    /// A request that `service` takes, until it has replied.
    pub fn handling(service: &'static str, subject: &'static str, parent: Option<&str>) -> Span {
        Span::start(SpanKind::Server, parent, || (subject.into(), attributes(service, subject)))
    }

    fn start(
        kind: SpanKind,
        parent: Option<&str>,
        describe: impl FnOnce() -> (Cow<'static, str>, Vec<KeyValue>),
    ) -> Span {
        let Some(Exporting { tracer, .. }) = EXPORTING.get() else { return Span::default() };
        let (name, attributes) = describe();
        let parent =
            parent.and_then(remote).map_or_else(Context::new, |parent| Context::new().with_remote_span_context(parent));
        let span =
            tracer.span_builder(name).with_kind(kind).with_attributes(attributes).start_with_context(tracer, &parent);
        Span(Some(Mutex::new(span)))
    }

    /// The span as a `traceparent` for what follows from it. None where no traces are exported.
    pub fn traceparent(&self) -> Option<String> {
        self.look(|span| {
            let context = span.span_context();
            let flags = context.trace_flags().to_u8();
            context.is_valid().then(|| format!("00-{}-{}-{flags:02x}", context.trace_id(), context.span_id()))
        })
        .flatten()
    }

    /// Notes which route an HTTP request took, as a template.
    pub fn took_route(&self, method: &str, template: &str) {
        self.look(|span| {
            let (name, _) = http_method(method);
            span.update_name(format!("{name} {template}"));
            span.set_attribute(KeyValue::new("http.route", template.to_owned()));
        });
    }

    /// Notes the status of an answer over HTTP.
    pub fn answered_http(&self, status: u16) {
        self.look(|span| {
            span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
            if status >= 500 {
                span.set_attribute(KeyValue::new("error.type", status.to_string()));
                span.set_status(Status::error(""));
            }
        });
    }

    /// Notes the outcome of a request: `ok`, or the code of the error. A refusal is an error of the call only.
    pub(crate) fn answered(&self, code: &'static str) {
        self.look(|span| {
            if code != "ok" {
                span.set_attribute(KeyValue::new("error.type", code));
                span.set_status(Status::error(""));
            }
        });
    }

    fn look<T>(&self, look: impl FnOnce(&mut opentelemetry_sdk::trace::Span) -> T) -> Option<T> {
        let span = self.0.as_ref()?;
        Some(look(&mut span.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// A method in names and in attributes: clients make up others, and each would be a name of its own.
fn http_method(method: &str) -> (&'static str, &'static str) {
    let known = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"].into_iter().find(|known| *known == method);
    known.map_or(("HTTP", "_OTHER"), |known| (known, known))
}

fn attributes(service: &'static str, subject: &str) -> Vec<KeyValue> {
    let (entity, verb) = subject.split_once('.').unwrap_or(("", subject));
    vec![
        KeyValue::new("petpro.service", service),
        KeyValue::new("messaging.system", "nats"),
        KeyValue::new("messaging.destination.name", subject.to_owned()),
        KeyValue::new("rpc.system", "nats"),
        KeyValue::new("rpc.service", entity.to_owned()),
        KeyValue::new("rpc.method", verb.to_owned()),
    ]
}

/// The context that a valid `traceparent` stands for.
fn remote(traceparent: &str) -> Option<SpanContext> {
    let trace_id = TraceId::from_hex(trace::trace_id(traceparent)?).ok()?;
    let span_id = SpanId::from_hex(traceparent.get(36..52)?).ok()?;
    let flags = TraceFlags::new(u8::from_str_radix(traceparent.get(53..55)?, 16).ok()?);
    Some(SpanContext::new(trace_id, span_id, flags, true, TraceState::default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_read_as_it_was_written() {
        let context = remote("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").unwrap();
        assert_eq!(context.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(context.span_id().to_string(), "b7ad6b7169203331");
        assert!(context.is_sampled() && context.is_remote());
        assert!(!remote("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00").unwrap().is_sampled());
        assert_eq!(remote("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"), None);
    }
}
