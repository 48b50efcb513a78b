//! The demo's households. All of them are made up.

use crate::entity::pet_records::Details;
use chrono::{Days, NaiveDate};
use subjects::profile::{
    Allergy, CreateAddress, PostalAddress, Severity, Sex, ShareRole, Species, Vaccination, Weighing,
};
use subjects::vendor::Coordinates;

/// A person.
#[derive(Debug, Clone, Copy)]
pub struct DemoPerson {
    /// The name by which others see them.
    pub display_name: &'static str,
    /// What they say of themself.
    pub bio: &'static str,
    /// Their addresses; the first one is the default.
    pub addresses: &'static [DemoAddress],
    /// Their pets.
    pub pets: &'static [DemoPet],
}

/// An address.
#[derive(Debug, Clone, Copy)]
pub struct DemoAddress {
    label: &'static str,
    recipient: &'static str,
    phone: &'static str,
    street: &'static str,
    rt_rw: Option<(&'static str, &'static str)>,
    village: &'static str,
    district: &'static str,
    city: &'static str,
    postal_code: &'static str,
    point: (f64, f64),
}

impl DemoAddress {
    /// As a person would add it.
    pub fn to_request(self) -> CreateAddress {
        let (latitude, longitude) = self.point;
        CreateAddress {
            label: self.label.to_owned(),
            recipient: self.recipient.to_owned(),
            phone: self.phone.to_owned(),
            address: PostalAddress {
                street: self.street.to_owned(),
                rt: self.rt_rw.map(|(rt, _)| rt.to_owned()),
                rw: self.rt_rw.map(|(_, rw)| rw.to_owned()),
                village: self.village.to_owned(),
                district: self.district.to_owned(),
                city: self.city.to_owned(),
                province: "DKI Jakarta".to_owned(),
                postal_code: self.postal_code.to_owned(),
                country: "ID".to_owned(),
            },
            coordinates: Some(Coordinates { latitude, longitude }),
            notes: None,
            is_default: false,
        }
    }
}

/// A pet.
#[derive(Debug, Clone, Copy)]
pub struct DemoPet {
    /// Stands for its id; never changes.
    pub place: u8,
    /// Name.
    pub name: &'static str,
    /// Species.
    pub species: Species,
    /// Breed.
    pub breed: Option<&'static str>,
    /// Sex.
    pub sex: Sex,
    /// Whether it is neutered.
    pub neutered: bool,
    /// How many days ago it was born.
    pub age_days: u32,
    /// Weight.
    pub weight_grams: u32,
    /// Microchip.
    pub microchip: Option<&'static str>,
    /// What those who care for it should know.
    pub notes: Option<&'static str>,
    /// As what it is shared with the other person of the demo.
    pub shared_as: Option<ShareRole>,
    /// Its records, the earliest first.
    pub records: &'static [DemoRecord],
}

/// An entry of a pet's records. Days are counted back from now.
#[derive(Debug, Clone, Copy)]
pub enum DemoRecord {
    /// Vaccine, days since it was given, days from then until it is due, batch.
    Vaccination(&'static str, u32, u32, &'static str),
    /// Substance, severity, how it shows.
    Allergy(&'static str, Severity, &'static str),
    /// Grams, days since.
    Weight(u32, u32),
    /// A note.
    Note(&'static str),
}

impl DemoRecord {
    /// As it is stored.
    pub fn details(self, days_ago: impl Fn(u32) -> NaiveDate) -> Details {
        match self {
            DemoRecord::Vaccination(vaccine, given_days_ago, due_after_days, batch) => {
                let given_on = days_ago(given_days_ago);
                Details::Vaccination(Vaccination {
                    vaccine: vaccine.to_owned(),
                    given_on,
                    due_on: given_on.checked_add_days(Days::new(due_after_days.into())),
                    batch: Some(batch.to_owned()),
                })
            }
            DemoRecord::Allergy(substance, severity, note) => {
                Details::Allergy(Allergy { substance: substance.to_owned(), severity, note: Some(note.to_owned()) })
            }
            DemoRecord::Weight(grams, days) => Details::Weight(Weighing { grams, measured_on: days_ago(days) }),
            DemoRecord::Note(note) => Details::Note(note.to_owned()),
        }
    }
}

/// Has a cat.
pub const CAT_OWNER: DemoPerson = DemoPerson {
    display_name: "Budi",
    bio: "Tinggal bersama Oyen, kucing oren yang tidak pernah kenyang.",
    addresses: &[
        DemoAddress {
            label: "Rumah",
            recipient: "Budi Hartono",
            phone: "+62 812 5550 0104",
            street: "Jl. Kebon Sirih No. 12",
            rt_rw: Some(("003", "007")),
            village: "Kebon Sirih",
            district: "Menteng",
            city: "Jakarta Pusat",
            postal_code: "10340",
            point: (-6.1834, 106.8310),
        },
        DemoAddress {
            label: "Kantor",
            recipient: "Budi Hartono",
            phone: "+62 812 5550 0104",
            street: "Menara Satwa Lt. 8, Jl. Jend. Sudirman Kav. 1",
            rt_rw: None,
            village: "Karet Semanggi",
            district: "Setiabudi",
            city: "Jakarta Selatan",
            postal_code: "12930",
            point: (-6.2197, 106.8143),
        },
    ],
    pets: &[DemoPet {
        place: 0,
        name: "Oyen",
        species: Species::Cat,
        breed: Some("Kucing kampung"),
        sex: Sex::Male,
        neutered: true,
        age_days: 1_180,
        weight_grams: 5_400,
        microchip: Some("360098100000001"),
        notes: Some("Takut timbangan; tenang kalau dibungkus handuk."),
        shared_as: Some(ShareRole::Carer),
        records: &[
            DemoRecord::Weight(4_100, 700),
            DemoRecord::Vaccination("Tricat", 400, 365, "TC-2207"),
            DemoRecord::Vaccination("Rabies", 210, 365, "RB-1183"),
            DemoRecord::Weight(5_400, 30),
            DemoRecord::Note("Gigi dibersihkan, tidak ada karang."),
        ],
    }],
};

/// Has a dog and a rabbit.
pub const DOG_OWNER: DemoPerson = DemoPerson {
    display_name: "Siti",
    bio: "Lari pagi dengan Bruno.",
    addresses: &[DemoAddress {
        label: "Rumah",
        recipient: "Siti Rahma",
        phone: "+62 813 5550 0105",
        street: "Jl. Cikini Raya No. 45",
        rt_rw: Some(("001", "002")),
        village: "Cikini",
        district: "Menteng",
        city: "Jakarta Pusat",
        postal_code: "10330",
        point: (-6.1909, 106.8390),
    }],
    pets: &[
        DemoPet {
            place: 1,
            name: "Bruno",
            species: Species::Dog,
            breed: Some("Golden Retriever"),
            sex: Sex::Male,
            neutered: false,
            age_days: 1_900,
            weight_grams: 31_000,
            microchip: Some("360098100000002"),
            notes: None,
            shared_as: Some(ShareRole::Viewer),
            records: &[
                DemoRecord::Allergy("Ayam", Severity::Moderate, "Gatal dan kulit merah di perut."),
                DemoRecord::Vaccination("Rabies", 340, 365, "RB-0917"),
                DemoRecord::Vaccination("DHPPi", 340, 365, "DH-4410"),
                DemoRecord::Weight(31_000, 60),
            ],
        },
        DemoPet {
            place: 2,
            name: "Salju",
            species: Species::Rabbit,
            breed: Some("Holland Lop"),
            sex: Sex::Female,
            neutered: false,
            age_days: 500,
            weight_grams: 1_600,
            microchip: None,
            notes: Some("Hanya makan rumput timothy."),
            shared_as: None,
            records: &[DemoRecord::Weight(1_600, 14)],
        },
    ],
};
