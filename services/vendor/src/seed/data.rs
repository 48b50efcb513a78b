//! The demo's vendors. All of them are made up; the coordinates are roughly those of the quarters.

use subjects::vendor::VendorKind::{self, Clinic, Groomer, Shop, Sitter};

/// A city with its zone.
#[derive(Debug, Clone, Copy)]
pub struct City {
    /// Name.
    pub name: &'static str,
    /// Province.
    pub province: &'static str,
    /// IANA name.
    pub time_zone: &'static str,
}

const JAKARTA: City = City { name: "Jakarta", province: "DKI Jakarta", time_zone: "Asia/Jakarta" };
const MAKASSAR: City = City { name: "Makassar", province: "Sulawesi Selatan", time_zone: "Asia/Makassar" };
const JAYAPURA: City = City { name: "Jayapura", province: "Papua", time_zone: "Asia/Jayapura" };

/// A vendor with its clinics, all in one city.
#[derive(Debug, Clone, Copy)]
pub struct DemoVendor {
    /// Stands for its ids; never changes.
    pub key: &'static str,
    /// Name.
    pub name: &'static str,
    /// What kind of business it is; it decides on the services.
    pub kind: VendorKind,
    /// What it says of itself.
    pub description: &'static str,
    /// Where its clinics are.
    pub city: City,
    /// Its clinics.
    pub clinics: &'static [DemoClinic],
}

/// A clinic.
#[derive(Debug, Clone, Copy)]
pub struct DemoClinic {
    /// Name.
    pub name: &'static str,
    /// Street and number.
    pub street: &'static str,
    /// District.
    pub district: &'static str,
    /// Degrees north and east.
    pub point: (f64, f64),
    /// When it is open.
    pub week: DemoWeek,
    /// Who works there.
    pub staff: &'static [&'static str],
}

/// A kind of week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DemoWeek {
    /// Monday to Saturday from 08:00, with a break on Fridays.
    Usual,
    /// Every day from 10:00 to 20:00.
    Mall,
    /// Every day until 02:00 at night.
    Late,
    /// Always.
    Always,
}

/// A service.
#[derive(Debug, Clone, Copy)]
pub struct DemoService {
    /// Name.
    pub name: &'static str,
    /// What it consists of.
    pub description: &'static str,
    /// Minutes.
    pub duration: u16,
    /// Minutes kept free after it.
    pub buffer_after: u16,
    /// Rupiah.
    pub price: i64,
    /// Pets a session.
    pub capacity: u16,
}

const fn service(
    name: &'static str,
    description: &'static str,
    duration: u16,
    buffer_after: u16,
    price: i64,
    capacity: u16,
) -> DemoService {
    DemoService { name, description, duration, buffer_after, price, capacity }
}

const VET_SERVICES: &[DemoService] = &[
    service("Konsultasi umum", "General consultation and examination", 30, 0, 150_000, 1),
    service("Vaksinasi kucing", "Cat vaccination: tricat and rabies", 20, 10, 225_000, 1),
    service("Vaksinasi anjing", "Dog vaccination: DHPP and rabies", 20, 10, 275_000, 1),
    service("Sterilisasi kucing", "Spaying or neutering of cats, with the night's observation", 90, 30, 850_000, 1),
    service("Pembersihan karang gigi", "Dental scaling", 60, 15, 600_000, 1),
];

const GROOMING_SERVICES: &[DemoService] = &[
    service("Mandi dan keringkan", "Bath and dry", 60, 10, 120_000, 1),
    service("Grooming lengkap", "Bath, cut, ears and nails", 120, 15, 250_000, 1),
    service("Potong kuku", "Nail trimming", 15, 5, 40_000, 1),
];

const SITTING_SERVICES: &[DemoService] = &[
    service("Kelas anak anjing", "Puppy class for up to six", 60, 15, 175_000, 6),
    service("Penitipan harian", "Day care for up to eight", 480, 0, 200_000, 8),
];

/// What a vendor of a kind offers at each of its clinics.
pub const fn services_of(kind: VendorKind) -> &'static [DemoService] {
    match kind {
        Clinic => VET_SERVICES,
        Groomer => GROOMING_SERVICES,
        Sitter => SITTING_SERVICES,
        Shop => &[],
    }
}

/// The vendors.
pub const VENDORS: &[DemoVendor] = &[
    DemoVendor {
        key: "satwa-sehat",
        name: "Klinik Hewan Satwa Sehat",
        kind: Clinic,
        description: "Family vets with four clinics across Jakarta.",
        city: JAKARTA,
        clinics: &[
            DemoClinic {
                name: "Satwa Sehat Menteng",
                street: "Jalan Teuku Umar 21",
                district: "Menteng",
                point: (-6.1950, 106.8320),
                week: DemoWeek::Usual,
                staff: &["Anindya Putri", "Bagas Pranoto"],
            },
            DemoClinic {
                name: "Satwa Sehat Kemang",
                street: "Jalan Kemang Raya 48",
                district: "Mampang Prapatan",
                point: (-6.2605, 106.8137),
                week: DemoWeek::Usual,
                staff: &["Citra Maharani", "Dimas Aditya"],
            },
            DemoClinic {
                name: "Satwa Sehat Kelapa Gading",
                street: "Jalan Boulevard Raya 7",
                district: "Kelapa Gading",
                point: (-6.1586, 106.9080),
                week: DemoWeek::Usual,
                staff: &["Eka Wulandari", "Fajar Nugroho"],
            },
            DemoClinic {
                name: "Satwa Sehat 24 Jam Tebet",
                street: "Jalan Tebet Barat Dalam 5",
                district: "Tebet",
                point: (-6.2297, 106.8490),
                week: DemoWeek::Always,
                staff: &["Gita Permata", "Hendra Saputra", "Intan Kusuma"],
            },
        ],
    },
    DemoVendor {
        key: "sahabat-bulu",
        name: "Sahabat Bulu",
        kind: Clinic,
        description: "Cats only, quiet rooms, open late.",
        city: JAKARTA,
        clinics: &[
            DemoClinic {
                name: "Sahabat Bulu Cikini",
                street: "Jalan Cikini Raya 60",
                district: "Menteng",
                point: (-6.1912, 106.8409),
                week: DemoWeek::Late,
                staff: &["Joko Susilo", "Kartika Sari"],
            },
            DemoClinic {
                name: "Sahabat Bulu Pluit",
                street: "Jalan Pluit Karang 12",
                district: "Penjaringan",
                point: (-6.1180, 106.7900),
                week: DemoWeek::Late,
                staff: &["Laras Ayuningtyas", "Mahesa Putra"],
            },
        ],
    },
    DemoVendor {
        key: "cakar-wangi",
        name: "Cakar Wangi Grooming",
        kind: Groomer,
        description: "Grooming for dogs and cats.",
        city: JAKARTA,
        clinics: &[
            DemoClinic {
                name: "Cakar Wangi Senayan",
                street: "Jalan Asia Afrika 19",
                district: "Tanah Abang",
                point: (-6.2250, 106.7990),
                week: DemoWeek::Mall,
                staff: &["Nadia Utami", "Oki Firmansyah"],
            },
            DemoClinic {
                name: "Cakar Wangi Puri",
                street: "Jalan Puri Indah Raya 3",
                district: "Kembangan",
                point: (-6.1880, 106.7340),
                week: DemoWeek::Mall,
                staff: &["Putri Anggraini", "Rangga Wijaya"],
            },
        ],
    },
    DemoVendor {
        key: "rumah-guguk",
        name: "Rumah Guguk",
        kind: Sitter,
        description: "Day care and puppy classes.",
        city: JAKARTA,
        clinics: &[DemoClinic {
            name: "Rumah Guguk Cilandak",
            street: "Jalan Cilandak Tengah 30",
            district: "Cilandak",
            point: (-6.2890, 106.7930),
            week: DemoWeek::Mall,
            staff: &["Sekar Melati", "Teguh Santosa"],
        }],
    },
    DemoVendor {
        key: "losari",
        name: "Klinik Hewan Losari",
        kind: Clinic,
        description: "Vets by the sea, three clinics in Makassar.",
        city: MAKASSAR,
        clinics: &[
            DemoClinic {
                name: "Klinik Losari Pantai",
                street: "Jalan Penghibur 14",
                district: "Ujung Pandang",
                point: (-5.1430, 119.4075),
                week: DemoWeek::Usual,
                staff: &["Andi Tenri", "Baso Ahmad"],
            },
            DemoClinic {
                name: "Klinik Losari Panakkukang",
                street: "Jalan Boulevard 22",
                district: "Panakkukang",
                point: (-5.1550, 119.4440),
                week: DemoWeek::Usual,
                staff: &["Cahyani Daeng", "Daud Rahman"],
            },
            DemoClinic {
                name: "Klinik Losari Tamalanrea",
                street: "Jalan Perintis Kemerdekaan 9",
                district: "Tamalanrea",
                point: (-5.1320, 119.4880),
                week: DemoWeek::Usual,
                staff: &["Erni Syam", "Firdaus Latief"],
            },
        ],
    },
    DemoVendor {
        key: "phinisi",
        name: "Phinisi Pet Care",
        kind: Clinic,
        description: "A small hospital that never closes.",
        city: MAKASSAR,
        clinics: &[DemoClinic {
            name: "Phinisi Pet Care Rappocini",
            street: "Jalan Sultan Alauddin 101",
            district: "Rappocini",
            point: (-5.1760, 119.4330),
            week: DemoWeek::Always,
            staff: &["Gunawan Salim", "Hasnah Mappa", "Ilham Yusuf"],
        }],
    },
    DemoVendor {
        key: "bulu-halus",
        name: "Bulu Halus",
        kind: Groomer,
        description: "Grooming in two malls of Makassar.",
        city: MAKASSAR,
        clinics: &[
            DemoClinic {
                name: "Bulu Halus Ratu Indah",
                street: "Jalan Dr. Ratulangi 35",
                district: "Mamajang",
                point: (-5.1600, 119.4170),
                week: DemoWeek::Mall,
                staff: &["Jumriah Noor", "Kamal Idris"],
            },
            DemoClinic {
                name: "Bulu Halus Tanjung Bunga",
                street: "Jalan Metro Tanjung Bunga 2",
                district: "Tamalate",
                point: (-5.1780, 119.3960),
                week: DemoWeek::Mall,
                staff: &["Lina Marlina", "Mansyur Hadi"],
            },
        ],
    },
    DemoVendor {
        key: "cenderawasih",
        name: "Klinik Hewan Cenderawasih",
        kind: Clinic,
        description: "Vets for Jayapura and around Lake Sentani.",
        city: JAYAPURA,
        clinics: &[
            DemoClinic {
                name: "Cenderawasih Kota",
                street: "Jalan Ahmad Yani 17",
                district: "Jayapura Utara",
                point: (-2.5330, 140.7050),
                week: DemoWeek::Usual,
                staff: &["Novita Wanggai", "Oktovianus Rumbiak"],
            },
            DemoClinic {
                name: "Cenderawasih Abepura",
                street: "Jalan Raya Abepura 88",
                district: "Abepura",
                point: (-2.6090, 140.6640),
                week: DemoWeek::Usual,
                staff: &["Paulina Kambu", "Ruben Merauje"],
            },
            DemoClinic {
                name: "Cenderawasih Sentani",
                street: "Jalan Raya Sentani 40",
                district: "Sentani",
                point: (-2.5650, 140.5160),
                week: DemoWeek::Usual,
                staff: &["Selina Felle", "Thomas Ohee"],
            },
        ],
    },
    DemoVendor {
        key: "teluk-humboldt",
        name: "Teluk Humboldt Pet Salon",
        kind: Groomer,
        description: "Grooming with a view of the bay.",
        city: JAYAPURA,
        clinics: &[
            DemoClinic {
                name: "Teluk Humboldt Entrop",
                street: "Jalan Kelapa Dua 6",
                district: "Jayapura Selatan",
                point: (-2.5650, 140.6950),
                week: DemoWeek::Mall,
                staff: &["Ursula Hamadi", "Viktor Youwe"],
            },
            DemoClinic {
                name: "Teluk Humboldt Dok Dua",
                street: "Jalan Soa Siu 11",
                district: "Jayapura Utara",
                point: (-2.5270, 140.7120),
                week: DemoWeek::Mall,
                staff: &["Wilhelmina Sroyer", "Yosef Mano"],
            },
        ],
    },
];
