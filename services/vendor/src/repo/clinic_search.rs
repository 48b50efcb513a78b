//! The search of clinics by text, distance and service, in one query.

use crate::authority::Authority;
use crate::domain::geography::{BoundingBox, EARTH_RADIUS_KM};
use crate::domain::words::words;
use crate::entity::clinic;
use crate::repo::query::Query;
use crate::repo::{failed, text_search};
use sea_orm::{DatabaseConnection, FromQueryResult};
use store::keyset::Place;
use subjects::Fault;
use subjects::vendor::{ClinicSort, FindClinics, VendorKind};

/// How far a search by distance goes unless told.
const DEFAULT_RADIUS_KM: f64 = 25.0;

/// A clinic that was found.
#[derive(Debug, FromQueryResult)]
pub struct FoundClinic {
    /// The clinic.
    #[sea_orm(nested)]
    pub clinic: clinic::Model,
    /// What kind of business its vendor is.
    pub kind: VendorKind,
    /// Metres from the point that was asked for.
    pub metres: Option<i64>,
    /// How well it matches the text: less is better.
    pub mismatch: Option<i64>,
}

/// The order of a search's answer, where none was wished for.
pub fn order_of(search: &FindClinics) -> ClinicSort {
    match search.sort {
        Some(sort) => sort,
        None if search.latitude.is_some() => ClinicSort::Distance,
        None if search.text.is_some() => ClinicSort::Relevance,
        None => ClinicSort::Name,
    }
}

/// Where a list in an order goes on after a clinic. Distances and matches are whole numbers, so that none is changed by
/// being written down.
pub fn place(sort: ClinicSort, found: &FoundClinic) -> Place<ClinicSort> {
    let value = match sort {
        ClinicSort::Name | ClinicSort::NameDescending => found.clinic.name.as_str().into(),
        ClinicSort::Distance => found.metres.unwrap_or_default().into(),
        ClinicSort::Relevance => found.mismatch.unwrap_or_default().into(),
    };
    Place { sort, value, id: found.clinic.id.into() }
}

/// The clinics that fit a search and that the caller sees, in the search's order, one more than `limit`.
///
/// # Errors
/// A bad request for a cursor that is none of this list.
pub async fn find(
    db: &DatabaseConnection,
    search: &FindClinics,
    authority: &Authority,
    after: Option<&Place<ClinicSort>>,
    limit: u16,
) -> Result<Vec<FoundClinic>, Fault> {
    let text_words = search.text.as_deref().map(words);
    let service_words = search.service.as_deref().map(words);
    // A text without a single word is found nowhere.
    if text_words.as_ref().is_some_and(Vec::is_empty) || service_words.as_ref().is_some_and(Vec::is_empty) {
        return Ok(Vec::new());
    }
    let forgives_typing_errors = text_words.is_some() || service_words.is_some();

    let mut query = Query::new("select * from (select c.*, v.kind, ");
    select_metres(&mut query, search);
    query.sql(" as metres, ");
    select_mismatch(&mut query, text_words.as_deref());
    query.sql(" as mismatch from clinics c join vendors v on v.id = c.vendor_id where ");
    filter_visible(&mut query, authority);
    filter_place(&mut query, search);
    for word in text_words.into_iter().flatten() {
        // Two questions of one table each: a condition on either of two tables could use no index.
        query.sql(" and c.id in (select id from clinics where searchable(").value(word.clone());
        query.sql(") <% search_text union select of_vendor.id from clinics of_vendor join vendors named");
        query.sql(" on named.id = of_vendor.vendor_id where searchable(").value(word).sql(") <% named.search_text)");
    }
    if let Some(service_words) = service_words {
        query.sql(" and exists (select from clinic_services s where s.clinic_id = c.id and s.active");
        for word in service_words {
            query.sql(" and searchable(").value(word).sql(") <% s.search_text");
        }
        query.sql(")");
    }
    if let Some(kind) = search.kind {
        query.sql(" and v.kind = ").value(kind.as_str());
    }
    if let Some(vendor_id) = search.vendor_id {
        query.sql(" and c.vendor_id = ").value(vendor_id);
    }
    query.sql(") found where true");
    if search.latitude.is_some() {
        // The box was a little too large; the distance decides.
        let radius_metres = search.radius_km.unwrap_or(DEFAULT_RADIUS_KM) * 1000.0;
        query.sql(" and metres <= ").value(radius_metres);
    }
    let sort = order_of(search);
    if let Some(place) = after {
        filter_after(&mut query, sort, place)?;
    }
    query.sql(match sort {
        ClinicSort::Name => " order by name, id limit ",
        ClinicSort::NameDescending => " order by name desc, id desc limit ",
        ClinicSort::Distance => " order by metres, id limit ",
        ClinicSort::Relevance => " order by mismatch, id limit ",
    });
    query.value(i64::from(limit) + 1);

    let find = FoundClinic::find_by_statement(query.statement());
    if !forgives_typing_errors {
        return find.all(db).await.map_err(failed);
    }
    let transaction = text_search::begin(db).await?;
    let found = find.all(&transaction).await.map_err(failed)?;
    transaction.commit().await.map_err(failed)?;
    Ok(found)
}

/// The great-circle distance by the haversine formula, in whole metres.
fn select_metres(query: &mut Query, search: &FindClinics) {
    let (Some(latitude), Some(longitude)) = (search.latitude, search.longitude) else {
        query.sql("null::bigint");
        return;
    };
    query.sql("round(2000 * ").value(EARTH_RADIUS_KM).sql(" * asin(least(1, sqrt(power(sin(radians(c.latitude - ");
    query.value(latitude).sql(") / 2), 2) + cos(radians(").value(latitude).sql(")) * cos(radians(c.latitude))");
    query.sql(" * power(sin(radians(c.longitude - ").value(longitude).sql(") / 2), 2)))))::bigint");
}

/// How badly the words match the clinic or its vendor on average, from 0 to 10,000, in whole numbers. Likeness to a
/// part of a word lets them be found; likeness to whole words puts the better ones first.
fn select_mismatch(query: &mut Query, text_words: Option<&[String]>) {
    let Some(text_words) = text_words else {
        query.sql("null::bigint");
        return;
    };
    query.sql("round(10000 * (1 - (0");
    for word in text_words {
        query.sql(" + greatest(0");
        for column in ["c.search_text", "v.search_text"] {
            query.sql(", ext.word_similarity(searchable(").value(word.clone()).sql("), ").sql(column);
            query.sql(") + ext.strict_word_similarity(searchable(").value(word.clone()).sql("), ").sql(column).sql(")");
        }
        query.sql(")");
    }
    query.sql(") / ").value(2.0 * text_words.len() as f64).sql("))::bigint");
}

fn filter_visible(query: &mut Query, authority: &Authority) {
    if authority.sees_everything() {
        query.sql("true");
        return;
    }
    query.sql("((v.status = 'approved' and c.active)");
    let vendor_ids = authority.member_vendor_ids();
    if !vendor_ids.is_empty() {
        query.sql(" or v.id in (").values(vendor_ids).sql(")");
    }
    query.sql(")");
}

fn filter_place(query: &mut Query, search: &FindClinics) {
    let (Some(latitude), Some(longitude)) = (search.latitude, search.longitude) else { return };
    let radius_km = search.radius_km.unwrap_or(DEFAULT_RADIUS_KM);
    let bounds = BoundingBox::around(latitude, longitude, radius_km);
    query.sql(" and c.latitude between ").value(bounds.south).sql(" and ").value(bounds.north);
    let both_edges = if bounds.crosses_date_line() { " or " } else { " and " };
    query.sql(" and (c.longitude >= ").value(bounds.west).sql(both_edges);
    query.sql("c.longitude <= ").value(bounds.east).sql(")");
}

fn filter_after(query: &mut Query, sort: ClinicSort, place: &Place<ClinicSort>) -> Result<(), Fault> {
    match sort {
        ClinicSort::Name => query.sql(" and (name, id) > (").value(place.value::<String>()?),
        ClinicSort::NameDescending => query.sql(" and (name, id) < (").value(place.value::<String>()?),
        ClinicSort::Distance => query.sql(" and (metres, id) > (").value(place.value::<i64>()?),
        ClinicSort::Relevance => query.sql(" and (mismatch, id) > (").value(place.value::<i64>()?),
    };
    query.sql(", ").value(place.id).sql(")");
    Ok(())
}
