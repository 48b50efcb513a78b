//! Distances on the globe.

/// The earth's mean radius in kilometres (IUGG).
pub const EARTH_RADIUS_KM: f64 = 6371.0088;

/// A box of latitudes and longitudes that holds every point within a radius: cheap to look up in an index, and a
/// little too large, so the exact distance decides afterwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoundingBox {
    /// Its southern edge in degrees.
    pub south: f64,
    /// Its northern edge in degrees.
    pub north: f64,
    /// Its western edge in degrees.
    pub west: f64,
    /// Its eastern edge in degrees. Less than `west` where the box lies across the 180th meridian.
    pub east: f64,
}

impl BoundingBox {
    /// The box around a point.
    pub fn around(latitude: f64, longitude: f64, radius_km: f64) -> BoundingBox {
        // A little more than the radius, so that rounding can never cut a point off that is just within it.
        let angle = radius_km * 1.000_001 / EARTH_RADIUS_KM;
        let south = latitude - angle.to_degrees();
        let north = latitude + angle.to_degrees();
        if south <= -90.0 || north >= 90.0 {
            // A pole lies within: every longitude does.
            return BoundingBox { south: south.max(-90.0), north: north.min(90.0), west: -180.0, east: 180.0 };
        }
        let longitude_reach = (angle.sin() / latitude.to_radians().cos()).clamp(-1.0, 1.0).asin().to_degrees();
        BoundingBox {
            south,
            north,
            west: wrap_longitude(longitude - longitude_reach),
            east: wrap_longitude(longitude + longitude_reach),
        }
    }

    /// Whether the box lies across the 180th meridian.
    pub fn crosses_date_line(&self) -> bool {
        self.east < self.west
    }

    /// Whether a point lies in it.
    pub fn contains(&self, latitude: f64, longitude: f64) -> bool {
        let fits_longitude = if self.crosses_date_line() {
            longitude >= self.west || longitude <= self.east
        } else {
            (self.west..=self.east).contains(&longitude)
        };
        (self.south..=self.north).contains(&latitude) && fits_longitude
    }
}

fn wrap_longitude(degrees: f64) -> f64 {
    if degrees > 180.0 {
        degrees - 360.0
    } else if degrees < -180.0 {
        degrees + 360.0
    } else {
        degrees
    }
}

/// The great-circle distance between two points in kilometres, by the haversine formula. The search does the same
/// in SQL; this one is what it is tested against.
pub fn distance_km(from: (f64, f64), to: (f64, f64)) -> f64 {
    let half_latitude = ((to.0 - from.0).to_radians() / 2.0).sin();
    let half_longitude = ((to.1 - from.1).to_radians() / 2.0).sin();
    let cosines = from.0.to_radians().cos() * to.0.to_radians().cos();
    let haversine = half_latitude * half_latitude + cosines * half_longitude * half_longitude;
    2.0 * EARTH_RADIUS_KM * haversine.sqrt().min(1.0).asin()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const JAKARTA: (f64, f64) = (-6.2, 106.816_667);
    const MAKASSAR: (f64, f64) = (-5.147_665, 119.432_732);

    #[test]
    fn jakarta_to_makassar() {
        let distance = distance_km(JAKARTA, MAKASSAR);
        assert!((1395.0..1405.0).contains(&distance), "{distance}");
        assert!(distance_km(JAKARTA, JAKARTA) < 1e-9);
    }

    #[test]
    fn a_box_may_lie_across_the_date_line() {
        let fiji = BoundingBox::around(-17.7, 179.9, 100.0);
        assert!(fiji.crosses_date_line());
        assert!(fiji.contains(-17.7, -179.9));
        assert!(!fiji.contains(-17.7, 0.0));
    }

    proptest! {
        #[test]
        fn whatever_is_within_the_radius_is_within_the_box(
            latitude in -90.0..=90.0_f64,
            longitude in -180.0..=180.0_f64,
            radius_km in 0.1..=500.0_f64,
            north_step in -5.0..=5.0_f64,
            east_step in -8.0..=8.0_f64,
        ) {
            let other = ((latitude + north_step).clamp(-90.0, 90.0), wrap_longitude(longitude + east_step));
            if distance_km((latitude, longitude), other) <= radius_km {
                prop_assert!(BoundingBox::around(latitude, longitude, radius_km).contains(other.0, other.1));
            }
        }
    }
}
