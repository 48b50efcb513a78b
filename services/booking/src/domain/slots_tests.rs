use super::*;
use crate::domain::grid::{midnight, stretches};
use crate::domain::offer::tests::{at, offer, staff_id, works};
use crate::domain::offer::{Offer, Period};
use subjects::ids::ClinicId;
use subjects::time::TimeZone;
use subjects::vendor::{OpeningHours, OwnHours, StaffAvailability, WallTime, Weekday, WeeklyInterval};
use uuid::Uuid;

fn claim(offer: &Offer, staff: u128, minute: i64, has_room: bool) -> Claim {
    let Period { starts_at, ends_at, blocked_from, blocked_to } = offer.period(at(minute));
    let service_id = offer.service.service_id;
    Claim { staff_id: staff_id(staff), service_id, starts_at, ends_at, blocked_from, blocked_to, has_room }
}

fn search(offers: &[Offer], claims: &[Claim], from: Instant, to: Instant, limit: usize) -> Vec<FreeSlot> {
    let cut = |offer: &Offer, member: &StaffAvailability| -> Vec<Stretch> {
        member.open.iter().flat_map(|interval| stretches(offer.time_zone, *interval)).collect()
    };
    let works: Vec<Vec<Vec<Stretch>>> =
        offers.iter().map(|offer| offer.staff.iter().map(|member| cut(offer, member)).collect()).collect();
    let sought: Vec<Sought<'_>> = offers
        .iter()
        .zip(&works)
        .map(|(offer, works)| Sought {
            service: &offer.service,
            staff: offer.staff.iter().map(|member| member.staff_id).zip(works.iter().map(Vec::as_slice)).collect(),
            from,
            to,
        })
        .collect();
    free_slots(&sought, &Taken::new(claims.to_vec()), limit)
}

/// The slots of a day as (minute, staff).
fn slots(offer: &Offer, claims: &[Claim], from: i64, to: i64) -> Vec<(i64, Vec<u128>)> {
    search(std::slice::from_ref(offer), claims, at(from), at(to), usize::MAX)
        .into_iter()
        .map(|slot| {
            let staff = slot.staff_ids.iter().map(|id| id.0.as_u128()).collect();
            ((slot.starts_at - at(0)).num_minutes(), staff)
        })
        .collect()
}

#[test]
fn slots_fill_the_working_hours_step_by_step() {
    let offer = offer(30, 0, 0, vec![works(1, &[(545, 610)]), works(2, &[(575, 605)])]);
    assert_eq!(slots(&offer, &[], 0, 1440), [(545, vec![1]), (560, vec![1]), (575, vec![1, 2])]);
}

#[test]
fn slots_before_the_range_and_after_it_are_left_out() {
    let offer = offer(30, 0, 0, vec![works(1, &[(-600, 720)])]);
    assert_eq!(slots(&offer, &[], 661, 690), [(675, vec![1])]);
    assert_eq!(slots(&offer, &[], 660, 690), [(660, vec![1]), (675, vec![1])]);
}

#[test]
fn a_visit_may_go_on_over_midnight_within_working_hours() {
    let offer = offer(120, 0, 0, vec![works(1, &[(1380, 1560)])]);
    let found: Vec<i64> = slots(&offer, &[], 0, 1440).into_iter().map(|(minute, _)| minute).collect();
    assert_eq!(found, [1380, 1395, 1410, 1425]);
    assert_eq!(slots(&offer, &[], 1440, 2880), [(1440, vec![1])]);
}

#[test]
fn buffers_keep_visits_apart() {
    let offer = offer(30, 0, 15, vec![works(1, &[(540, 720)])]);
    let claims = [claim(&offer, 1, 600, false)];
    // 30 minutes and 15 of buffer: the last slot before begins at 555, the first after at 645.
    let free: Vec<i64> = slots(&offer, &claims, 0, 1440).into_iter().map(|(minute, _)| minute).collect();
    assert_eq!(free, [540, 555, 645, 660, 675, 690]);
}

#[test]
fn a_session_with_room_can_be_joined_at_its_own_time_only() {
    let offer = offer(30, 0, 0, vec![works(1, &[(600, 660)])]);
    assert_eq!(slots(&offer, &[claim(&offer, 1, 615, true)], 0, 1440), [(615, vec![1])]);
    assert_eq!(slots(&offer, &[claim(&offer, 1, 615, false)], 0, 1440), []);
    let mut for_another_service = claim(&offer, 1, 615, true);
    for_another_service.service_id = ServiceId::new();
    assert_eq!(slots(&offer, &[for_another_service], 0, 1440), []);
}

#[test]
fn slots_of_several_services_come_by_time_and_end_with_the_page() {
    let mut long = offer(60, 0, 0, vec![works(1, &[(600, 690)])]);
    long.service.service_id = ServiceId(Uuid::from_u128(7));
    let short = offer(30, 0, 0, vec![works(1, &[(600, 690)]), works(2, &[(615, 690)])]);
    let offers = [short, long];
    let found = |limit| -> Vec<(i64, u128, usize)> {
        let slots = search(&offers, &[], at(0), at(1440), limit);
        let minute = |slot: &FreeSlot| (slot.starts_at - at(0)).num_minutes();
        slots.iter().map(|slot| (minute(slot), slot.service_id.0.as_u128(), slot.staff_ids.len())).collect()
    };
    let all = [
        (600, 7, 1),
        (600, 100, 1),
        (615, 7, 1),
        (615, 100, 2),
        (630, 7, 1),
        (630, 100, 2),
        (645, 100, 2),
        (660, 100, 2),
    ];
    assert_eq!(found(usize::MAX), all);
    assert_eq!(found(4), all[..4]);
}

/// The local times at which slots of an hour begin on a date, where it is open at these times every day.
#[track_caller]
fn check_clocks(zone: &str, opens: &str, closes: &str, date: &str, expected: &[&str]) {
    let time_zone = TimeZone::parse(zone).unwrap();
    let wall = |text| WallTime::parse(text).unwrap();
    let weekly = Weekday::ALL.map(|day| WeeklyInterval { day, opens: wall(opens), closes: wall(closes) }).to_vec();
    let hours = OpeningHours { time_zone, weekly, exceptions: Vec::new() };
    let date: chrono::NaiveDate = date.parse().unwrap();
    let own = OwnHours { week: None, exceptions: &[] };
    let open = hours.worked_between(ClinicId::new(), own, date, date);
    let mut offer = offer(60, 0, 0, vec![StaffAvailability { staff_id: staff_id(1), open }]);
    offer.time_zone = time_zone;
    offer.service.slot_step_minutes = 30;
    let (from, to) = (midnight(time_zone, date), midnight(time_zone, date.succ_opt().unwrap()));
    let found = search(&[offer], &[], from, to, usize::MAX);
    let local = |slot: &FreeSlot| slot.starts_at.with_timezone(&time_zone.0).format("%H:%M%:z").to_string();
    assert_eq!(found.iter().map(local).collect::<Vec<String>>(), expected);
}

#[test]
fn berlin_puts_its_clocks_forward_over_an_hour_and_back_over_one() {
    let gap = ["01:30+01:00", "03:00+02:00", "03:30+02:00", "04:00+02:00"];
    check_clocks("Europe/Berlin", "01:30", "05:00", "2026-03-29", &gap);
    check_clocks("Europe/Berlin", "02:30", "05:00", "2026-03-29", &["03:00+02:00", "03:30+02:00", "04:00+02:00"]);
    let fold = ["02:30+02:00", "02:00+01:00", "02:30+01:00", "03:00+01:00"];
    check_clocks("Europe/Berlin", "02:30", "04:00", "2026-10-25", &fold);
    let closing_in_the_fold = ["01:30+02:00", "02:00+02:00", "02:30+02:00"];
    check_clocks("Europe/Berlin", "01:30", "02:30", "2026-10-25", &closing_in_the_fold);
}

#[test]
fn lord_howe_moves_its_clocks_by_half_an_hour() {
    let gap = ["01:30+10:30", "02:30+11:00", "03:00+11:00"];
    check_clocks("Australia/Lord_Howe", "01:30", "04:00", "2026-10-04", &gap);
    let fold = ["01:00+11:00", "01:30+11:00", "01:30+10:30", "02:00+10:30"];
    check_clocks("Australia/Lord_Howe", "01:00", "03:00", "2026-04-05", &fold);
}

#[test]
fn casablanca_goes_back_for_ramadan_and_forward_after_it() {
    let into_ramadan = ["02:00+01:00", "02:30+01:00", "02:00+00:00", "02:30+00:00", "03:00+00:00"];
    check_clocks("Africa/Casablanca", "02:00", "04:00", "2025-02-23", &into_ramadan);
    check_clocks(
        "Africa/Casablanca",
        "01:00",
        "04:30",
        "2025-04-06",
        &["01:00+00:00", "01:30+00:00", "03:00+01:00", "03:30+01:00"],
    );
}
