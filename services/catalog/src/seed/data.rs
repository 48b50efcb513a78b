//! What the demo sells. Brands are made up, apart from those that everybody mistypes.

use subjects::catalog::{AttributeRule, AttributeType};

/// A category.
#[derive(Debug, Clone, Copy)]
pub struct DemoCategory {
    /// Stands for its id; never changes.
    pub slug: &'static str,
    /// The one above it.
    pub parent: Option<&'static str>,
    /// Name in Indonesian.
    pub name: &'static str,
    /// Name in English.
    pub english_name: &'static str,
    /// What it says of attributes.
    pub rules: &'static [DemoRule],
}

/// What a category says of an attribute.
#[derive(Debug, Clone, Copy)]
pub struct DemoRule {
    name: &'static str,
    choices: &'static [&'static str],
}

impl DemoRule {
    /// As the contract has it: a choice where there are choices, else a number.
    pub fn rule(&self) -> AttributeRule {
        let value_type = if self.choices.is_empty() { AttributeType::Number } else { AttributeType::Choice };
        AttributeRule {
            name: self.name.to_owned(),
            value_type,
            choices: self.choices.iter().map(|choice| (*choice).to_owned()).collect(),
            required: false,
            filterable: true,
        }
    }
}

/// The flavours of food.
pub const FLAVOURS: &[&str] = &["tuna", "salmon", "ayam", "sapi", "domba", "bebek"];
/// The colours of things.
pub const COLOURS: &[&str] = &["merah", "biru", "hijau", "hitam", "cokelat"];

const FOOD_RULES: &[DemoRule] =
    &[DemoRule { name: "flavour", choices: FLAVOURS }, DemoRule { name: "weightKg", choices: &[] }];
const THING_RULES: &[DemoRule] = &[DemoRule { name: "colour", choices: COLOURS }];

const fn category(
    slug: &'static str,
    parent: Option<&'static str>,
    name: &'static str,
    english_name: &'static str,
    rules: &'static [DemoRule],
) -> DemoCategory {
    DemoCategory { slug, parent, name, english_name, rules }
}

/// The tree, each category after the one above it.
pub const CATEGORIES: &[DemoCategory] = &[
    category("kucing", None, "Kucing", "Cats", &[]),
    category("anjing", None, "Anjing", "Dogs", &[]),
    category("hewan-kecil", None, "Hewan kecil", "Small pets", &[]),
    category("makanan-kucing", Some("kucing"), "Makanan kucing", "Cat food", FOOD_RULES),
    category("makanan-kucing-kering", Some("makanan-kucing"), "Makanan kering", "Dry food", &[]),
    category("makanan-kucing-basah", Some("makanan-kucing"), "Makanan basah", "Wet food", &[]),
    category("pasir-kucing", Some("kucing"), "Pasir kucing", "Cat litter", &[]),
    category("mainan-kucing", Some("kucing"), "Mainan kucing", "Cat toys", THING_RULES),
    category("makanan-anjing", Some("anjing"), "Makanan anjing", "Dog food", FOOD_RULES),
    category("camilan-anjing", Some("anjing"), "Camilan anjing", "Dog treats", FOOD_RULES),
    category("kalung-anjing", Some("anjing"), "Kalung dan tali", "Collars and leashes", THING_RULES),
    category("perawatan", None, "Perawatan", "Grooming", &[]),
    category("sampo", Some("perawatan"), "Sampo", "Shampoo", &[]),
    category("kesehatan", None, "Kesehatan", "Health", &[]),
    category("vitamin", Some("kesehatan"), "Vitamin", "Vitamins", &[]),
    category("makanan-kelinci", Some("hewan-kecil"), "Makanan kelinci", "Rabbit food", FOOD_RULES),
];

/// A kind of product.
#[derive(Debug, Clone, Copy)]
pub struct DemoKind {
    /// The category in which it stands.
    pub category: &'static str,
    /// What its name begins with.
    pub name: &'static str,
    /// What it is, in both languages.
    pub description: &'static str,
    /// What the smallest costs, in rupiah.
    pub price: i64,
    /// Whether it has a flavour and a weight, rather than a colour or nothing.
    pub is_food: bool,
    /// Whether it has a colour.
    pub has_colour: bool,
}

const fn food(category: &'static str, name: &'static str, description: &'static str, price: i64) -> DemoKind {
    DemoKind { category, name, description, price, is_food: true, has_colour: false }
}

const fn thing(category: &'static str, name: &'static str, description: &'static str, price: i64) -> DemoKind {
    DemoKind { category, name, description, price, is_food: false, has_colour: true }
}

const fn care(category: &'static str, name: &'static str, description: &'static str, price: i64) -> DemoKind {
    DemoKind { category, name, description, price, is_food: false, has_colour: false }
}

/// The kinds of products.
pub const KINDS: &[DemoKind] = &[
    food(
        "makanan-kucing-kering",
        "Makanan kucing kering",
        "Makanan lengkap untuk kucing dewasa. Complete dry food for adult cats.",
        45_000,
    ),
    food(
        "makanan-kucing-kering",
        "Makanan anak kucing",
        "Untuk anak kucing sampai dua belas bulan. Dry food for growing kittens.",
        52_000,
    ),
    food(
        "makanan-kucing-basah",
        "Makanan kucing basah",
        "Potongan lembut dalam kuah. Tender chunks in gravy for cats.",
        9_500,
    ),
    food(
        "makanan-anjing",
        "Makanan anjing dewasa",
        "Makanan lengkap untuk anjing aktif. Complete food for active dogs.",
        68_000,
    ),
    food(
        "makanan-anjing",
        "Makanan anak anjing",
        "Untuk anak anjing ras kecil dan besar. Puppy food for small and large breeds.",
        74_000,
    ),
    food("camilan-anjing", "Camilan anjing", "Camilan sehat untuk latihan. Healthy treats for training.", 25_000),
    food(
        "makanan-kelinci",
        "Pelet kelinci",
        "Pelet dengan rumput timothy. Pellets with timothy hay for rabbits.",
        30_000,
    ),
    thing("mainan-kucing", "Mainan kucing", "Bola dan bulu untuk bermain. Balls and feathers to chase.", 18_000),
    thing("kalung-anjing", "Kalung anjing", "Kalung yang kuat dan nyaman. A strong and comfortable collar.", 35_000),
    thing("kalung-anjing", "Tali anjing", "Tali untuk jalan pagi. A leash for morning walks.", 48_000),
    care("pasir-kucing", "Pasir kucing wangi", "Pasir gumpal tanpa debu. Clumping litter without dust.", 55_000),
    care("sampo", "Sampo hewan", "Sampo lembut untuk kulit sensitif. Gentle shampoo for sensitive skin.", 39_000),
    care("vitamin", "Vitamin bulu", "Vitamin untuk bulu yang sehat. Vitamins for a healthy coat.", 82_000),
];

/// The brands.
pub const BRANDS: &[&str] = &[
    "Royal Canin",
    "Whiskas",
    "Pedigree",
    "Nusa Pet",
    "Satwa Prima",
    "Bahagia",
    "Rimba",
    "Kawan Bulu",
    "Lautan",
    "Meow Mix",
];

/// What tells products of one kind and brand apart.
pub const LINES: &[&str] = &[
    "Premium",
    "Alami",
    "Organik",
    "Sensitif",
    "Klasik",
    "Gold",
    "Junior",
    "Senior",
    "Indoor",
    "Outdoor",
    "Hairball",
    "Urinary",
    "Grain Free",
    "Ekonomis",
    "Spesial",
];

/// The sizes in which most of it comes, with the weight in kilograms and what one costs in hundredths of the smallest.
pub const SIZES: &[(&str, f64, i64)] = &[("500 g", 0.5, 100), ("1,5 kg", 1.5, 270), ("5 kg", 5.0, 820)];
