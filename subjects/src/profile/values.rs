//! The closed sets of values that people and pets are described with.

use crate::values::named_values;

named_values! {
    /// The kind of animal.
    pub enum Species {
        /// A dog.
        Dog = "dog",
        /// A cat.
        Cat = "cat",
        /// A bird.
        Bird = "bird",
        /// A rabbit.
        Rabbit = "rabbit",
        /// A hamster, guinea pig, mouse or the like.
        Rodent = "rodent",
        /// A fish.
        Fish = "fish",
        /// A turtle, snake, lizard or the like.
        Reptile = "reptile",
        /// Anything else; the breed says more.
        Other = "other",
    }
}

named_values! {
    /// A pet's sex.
    pub enum Sex {
        /// Female.
        Female = "female",
        /// Male.
        Male = "male",
        /// Nobody knows.
        Unknown = "unknown",
    }
}

named_values! {
    /// What the caller is to a pet.
    pub enum PetAccess {
        /// Whose pet it is.
        Owner = "owner",
        /// One of the household who cares for it: reads it, books for it and adds to its records.
        Carer = "carer",
        /// One of the household who reads it and books for it.
        Viewer = "viewer",
        /// Works at a clinic where it has a booking: reads it and adds to its records.
        Staff = "staff",
        /// Another service of the platform.
        Service = "service",
    }
}

named_values! {
    /// What somebody with whom a pet is shared may do.
    pub enum ShareRole {
        /// Reads the pet and its records, and books for it.
        Viewer = "viewer",
        /// Also adds to its records.
        Carer = "carer",
    }
}

named_values! {
    /// Where a share stands.
    pub enum ShareStatus {
        /// Its code waits for somebody to accept it.
        Invited = "invited",
        /// Somebody has accepted it.
        Accepted = "accepted",
    }
}

named_values! {
    /// What an entry of a pet's records is about.
    pub enum RecordKind {
        /// A vaccination.
        Vaccination = "vaccination",
        /// An allergy.
        Allergy = "allergy",
        /// A weighing.
        Weight = "weight",
        /// Anything else worth keeping.
        Note = "note",
    }
}

named_values! {
    /// How badly an allergy shows.
    pub enum Severity {
        /// Unpleasant.
        Mild = "mild",
        /// Needs treatment.
        Moderate = "moderate",
        /// Dangerous to life.
        Severe = "severe",
    }
}

named_values! {
    /// In what capacity somebody wrote an entry.
    pub enum AuthorKind {
        /// The owner of the pet.
        Owner = "owner",
        /// One of the household.
        Household = "household",
        /// Staff of a clinic where the pet had a booking then.
        Staff = "staff",
    }
}

named_values! {
    /// A language in which the platform speaks to a person.
    pub enum Language {
        /// Indonesian.
        Indonesian = "id",
        /// English.
        English = "en",
    }
}

named_values! {
    /// The order of a list of what a person has.
    pub enum AgeSort {
        /// The earliest made first.
        CreatedAt = "createdAt",
        /// The latest made first.
        CreatedAtDescending = "-createdAt",
    }
}
