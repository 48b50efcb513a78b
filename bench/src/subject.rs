//! What is measured.

use clap::ValueEnum;

/// One row of the page, or three: one for each number of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Subject {
    /// A NATS request and its reply.
    Nats,
    /// Bare axum.
    Axum,
    /// One row of Postgres read.
    Select,
    /// One row of Postgres written and committed.
    Insert,
    /// `auth.jwks` over NATS, which needs no database.
    MeshJwks,
    /// `clinic.findOne` over NATS.
    MeshClinic,
    /// `GET /api/v1/clinics/{id}`, which the edge has in its cache.
    GetClinic,
    /// The same without a cache.
    GetClinicUncached,
    /// `GET /api/v1/products/{id}`, which the edge has in its cache.
    GetProduct,
    /// The same without a cache.
    GetProductUncached,
    /// `GET /api/v1/products` with words, filters and facets.
    SearchProducts,
    /// `GET /api/v1/products/{id}/availability`.
    GetProductAvailability,
    /// `GET /api/v1/bookings/availability`.
    GetAvailability,
    /// `POST /api/v1/bookings`.
    PostBooking,
    /// `GET /api/v1/auth/me`.
    GetMe,
    /// `POST /api/v1/auth/login`.
    PostLogin,
    /// Events from commit to consumer, which have tables of their own.
    Events,
}

impl Subject {
    /// What is measured over as many connections as nobody has said otherwise.
    pub fn usual_connections(self) -> &'static [usize] {
        match self {
            // The aim of the search is one at four clients.
            Subject::SearchProducts => &[4],
            Subject::Events => &[],
            _ => &[1, 16, 64],
        }
    }

    /// Whether it needs products.
    pub fn is_about_products(self) -> bool {
        matches!(
            self,
            Subject::GetProduct
                | Subject::GetProductUncached
                | Subject::SearchProducts
                | Subject::GetProductAvailability
        )
    }

    /// Whether the edge has to have the answer in its cache.
    pub fn is_kept(self) -> bool {
        matches!(self, Subject::GetClinic | Subject::GetProduct)
    }

    /// Whether it is measured at an edge that keeps no answers.
    pub fn is_without_cache(self) -> bool {
        matches!(self, Subject::GetClinicUncached | Subject::GetProductUncached)
    }

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Subject::Nats => "NATS request and reply",
            Subject::Axum => "bare axum, GET",
            Subject::Select => "Postgres, one row read",
            Subject::Insert => "Postgres, one row committed",
            Subject::MeshJwks => "NATS `auth.jwks` through the mesh",
            Subject::MeshClinic => "NATS `clinic.findOne` through the mesh",
            Subject::GetClinic => "**GET /clinics/{id}**",
            Subject::GetClinicUncached => "**GET /clinics/{id}**, no cache",
            Subject::GetProduct => "**GET /products/{id}**",
            Subject::GetProductUncached => "**GET /products/{id}**, no cache",
            Subject::SearchProducts => "**GET /products**, search with facets",
            Subject::GetProductAvailability => "**GET /products/{id}/availability**",
            Subject::GetAvailability => "**GET /bookings/availability**",
            Subject::PostBooking => "**POST /bookings**",
            Subject::GetMe => "**GET /auth/me**",
            Subject::PostLogin => "**POST /auth/login**",
            Subject::Events => "events",
        }
    }

    /// The raw parts that follow one another in it at the least, each as often as it occurs.
    pub fn parts(self) -> &'static [Subject] {
        match self {
            Subject::GetClinic | Subject::GetProduct => &[Subject::Axum],
            Subject::GetClinicUncached | Subject::GetProductUncached | Subject::SearchProducts | Subject::GetMe => {
                &[Subject::Axum, Subject::Nats, Subject::Select]
            }
            // Catalog reads its own rows while it asks vendor.
            Subject::GetProductAvailability => &[Subject::Axum, Subject::Nats, Subject::Nats, Subject::Select],
            // The edge asks booking, and booking asks vendor.
            Subject::GetAvailability => &[Subject::Axum, Subject::Nats, Subject::Nats, Subject::Select],
            Subject::PostBooking => &[Subject::Axum, Subject::Nats, Subject::Nats, Subject::Select, Subject::Insert],
            Subject::PostLogin => &[Subject::Axum, Subject::Nats, Subject::Select, Subject::Insert],
            Subject::MeshJwks => &[Subject::Nats],
            Subject::MeshClinic => &[Subject::Nats, Subject::Select],
            Subject::Nats | Subject::Axum | Subject::Select | Subject::Insert | Subject::Events => &[],
        }
    }
}
