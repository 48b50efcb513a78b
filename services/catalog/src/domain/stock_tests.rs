use super::*;
use proptest::prelude::*;
use uuid::Uuid;

fn variant(number: u8) -> VariantId {
    VariantId(Uuid::from_u128(u128::from(number) + 1))
}

fn clinic(number: u8) -> ClinicId {
    ClinicId(Uuid::from_u128(u128::from(number) + 101))
}

fn shelf(number: u8, at: u8, available: i32) -> Shelf {
    let id = InventoryId(Uuid::from_u128(u128::from(number) * 16 + u128::from(at) + 1_001));
    Shelf { id, variant_id: variant(number), clinic_id: clinic(at), available }
}

fn line(number: u8, at: Option<u8>, quantity: u32) -> StockLine {
    StockLine { variant_id: variant(number), clinic_id: at.map(clinic), quantity }
}

fn taken(shares: &[Share], from: Shelf) -> i32 {
    shares.iter().find(|share| share.id == from.id).map_or(0, |share| share.quantity)
}

#[test]
fn a_named_place_serves_before_what_may_come_from_anywhere() {
    let shelves = [shelf(0, 0, 5), shelf(0, 1, 3)];
    // Alone, the second line would empty the fuller place.
    let shares = allocate(&[line(0, None, 3), line(0, Some(0), 5)], &shelves).unwrap();
    assert_eq!((taken(&shares, shelves[0]), taken(&shares, shelves[1])), (5, 3));
}

#[test]
fn what_no_place_has_alone_is_split_from_the_fullest_on() {
    let shelves = [shelf(0, 0, 2), shelf(0, 1, 7), shelf(0, 2, 4)];
    let shares = allocate(&[line(0, None, 8)], &shelves).unwrap();
    assert_eq!(shelves.map(|shelf| taken(&shares, shelf)), [0, 7, 1]);
}

#[test]
fn lines_of_one_variant_are_summed_and_all_that_are_short_are_named() {
    let shelves = [shelf(0, 0, 5), shelf(1, 0, 9)];
    let lines = [line(0, None, 3), line(1, None, 9), line(0, None, 3), line(2, Some(0), 1)];
    let shortages = allocate(&lines, &shelves).unwrap_err();
    let expected = [(0, 6, 5), (2, 6, 5), (3, 1, 0)];
    assert_eq!(shortages, expected.map(|(line, wanted, available)| Shortage { line, wanted, available }));
    let violation = shortages[1].violation();
    assert_eq!((violation.pointer.as_str(), violation.message.as_str()), ("/lines/2", "6 wanted, 5 available"));
}

proptest! {
    /// Whether all can be served is known beforehand: each place covers what names it, and together they cover the rest.
    #[test]
    fn all_are_served_exactly_where_they_can_be(
        stock in prop::collection::btree_map((0_u8..3, 0_u8..3), 0_i32..12, 0..9),
        wishes in prop::collection::vec((0_u8..3, prop::option::of(0_u8..3), 1_u32..8), 1..6),
    ) {
        let shelves: Vec<Shelf> = stock.iter().map(|((number, at), available)| shelf(*number, *at, *available)).collect();
        let lines: Vec<StockLine> = wishes.iter().map(|(number, at, quantity)| line(*number, *at, *quantity)).collect();
        let wanted = |number: u8, at: Option<Option<u8>>| -> i64 {
            let fitting = wishes.iter().filter(|wish| wish.0 == number && at.is_none_or(|at| wish.1 == at));
            fitting.map(|wish| i64::from(wish.2)).sum()
        };
        let there = |number: u8, at: Option<u8>| -> i64 {
            let fitting = stock.iter().filter(|((variant, place), _)| *variant == number && at.is_none_or(|at| *place == at));
            fitting.map(|(_, available)| i64::from(*available)).sum()
        };
        let can_be = (0..3).all(|number| {
            let places_do = (0..3).all(|at| wanted(number, Some(Some(at))) <= there(number, Some(at)));
            places_do && wanted(number, None) <= there(number, None)
        });
        match allocate(&lines, &shelves) {
            Ok(shares) => {
                prop_assert!(can_be);
                for shelf in &shelves {
                    prop_assert!(taken(&shares, *shelf) <= shelf.available);
                }
                for number in 0..3 {
                    let of_variant = shelves.iter().filter(|shelf| shelf.variant_id == variant(number));
                    let given: i64 = of_variant.map(|shelf| i64::from(taken(&shares, *shelf))).sum();
                    prop_assert_eq!(given, wanted(number, None));
                    for at in 0..3 {
                        let from_it = taken(&shares, shelf(number, at, 0));
                        prop_assert!(i64::from(from_it) >= wanted(number, Some(Some(at))));
                    }
                }
                prop_assert!(shares.iter().all(|share| share.quantity > 0));
                prop_assert!(shares.windows(2).all(|pair| pair[0].id < pair[1].id));
            }
            Err(shortages) => {
                prop_assert!(!can_be);
                prop_assert!(!shortages.is_empty());
                prop_assert!(shortages.iter().all(|shortage| shortage.available < shortage.wanted));
            }
        }
    }
}
