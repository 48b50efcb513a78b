//! `Accept` (RFC 9110, 12.5.1).

/// How exactly a range names a media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Precision {
    Anything,
    Kind,
    Exact,
}

struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    /// Thousandths.
    quality: u16,
}

/// Which of the offered media types a client likes best. Of those that it likes alike, the one that it names more
/// exactly, then the one that is offered first. None: it likes none of them.
pub fn best(accept: &str, offers: &[&str]) -> Option<usize> {
    if accept.trim().is_empty() {
        return (!offers.is_empty()).then_some(0);
    }
    // A member that cannot be read names nothing.
    let ranges: Vec<Range<'_>> = accept.split(',').filter_map(read).collect();
    let mut best: Option<((u16, Precision), usize)> = None;
    for (index, offer) in offers.iter().enumerate() {
        let essence = offer.split(';').next().unwrap_or_default().trim();
        let matching = ranges.iter().filter_map(|range| Some((precision(range, essence)?, range.quality)));
        let Some((precision, quality)) = matching.max() else { continue };
        if quality > 0 && best.is_none_or(|(found, _)| (quality, precision) > found) {
            best = Some(((quality, precision), index));
        }
    }
    best.map(|(_, index)| index)
}

fn precision(range: &Range<'_>, essence: &str) -> Option<Precision> {
    let (kind, subtype) = essence.split_once('/')?;
    match (range.kind, range.subtype) {
        ("*", "*") => Some(Precision::Anything),
        (its_kind, "*") if its_kind.eq_ignore_ascii_case(kind) => Some(Precision::Kind),
        (its_kind, its_subtype) if its_kind.eq_ignore_ascii_case(kind) && its_subtype.eq_ignore_ascii_case(subtype) => {
            Some(Precision::Exact)
        }
        _ => None,
    }
}

/// Parameters other than `q` are passed over: `charset=utf-8` is what is sent anyway.
fn read(member: &str) -> Option<Range<'_>> {
    let mut parts = member.split(';').map(str::trim);
    let (kind, subtype) = parts.next()?.split_once('/')?;
    let mut quality = 1_000;
    for parameter in parts {
        if let Some((name, value)) = parameter.split_once('=')
            && name.trim().eq_ignore_ascii_case("q")
        {
            quality = thousandths(value.trim())?;
        }
    }
    Some(Range { kind, subtype, quality })
}

fn thousandths(weight: &str) -> Option<u16> {
    let (whole, decimals) = weight.split_once('.').unwrap_or((weight, ""));
    let is_well_formed = decimals.len() <= 3 && decimals.bytes().all(|digit| digit.is_ascii_digit());
    let value = match whole {
        "0" => format!("{decimals:0<3}").parse().ok()?,
        "1" if decimals.bytes().all(|digit| digit == b'0') => 1_000,
        _ => return None,
    };
    is_well_formed.then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFERS: [&str; 2] = ["application/json", "application/hal+json"];

    fn check(accept: &str, expected: Option<&str>) {
        assert_eq!(best(accept, &OFFERS).map(|index| OFFERS[index]), expected, "{accept}");
    }

    #[test]
    fn the_best_liked_is_taken() {
        for json in ["", "*/*", "application/*", "Application/JSON", "application/json, application/hal+json"] {
            check(json, Some("application/json"));
        }
        for hal in [
            "application/hal+json",
            "application/hal+json, */*",
            "application/json;q=0.5, application/hal+json;q=0.501",
            "application/json;q=0, */*;q=0.1",
            "text/html, application/hal+json ; q=0.1",
        ] {
            check(hal, Some("application/hal+json"));
        }
        check("application/hal+json;q=0.9, */*;q=1.0", Some("application/json"));
    }

    #[test]
    fn nothing_is_taken_where_nothing_is_liked() {
        for nothing in
            ["text/html", "application/xml, text/*;q=0.3", "*/*;q=0", "application/json;q=0", "json", "*/*;q=7"]
        {
            check(nothing, None);
        }
    }

    #[test]
    fn parameters_of_an_offer_do_not_matter() {
        assert_eq!(best("text/calendar", &["text/calendar; charset=utf-8"]), Some(0));
    }
}
