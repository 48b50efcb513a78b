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
    /// `GET /api/v1/clinics/{id}`.
    GetClinic,
    /// `GET /api/v1/bookings/availability`.
    GetAvailability,
    /// `POST /api/v1/bookings`.
    PostBooking,
    /// `GET /api/v1/auth/me`.
    GetMe,
    /// `POST /api/v1/auth/login`.
    PostLogin,
}

impl Subject {
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
            Subject::GetAvailability => "**GET /bookings/availability**",
            Subject::PostBooking => "**POST /bookings**",
            Subject::GetMe => "**GET /auth/me**",
            Subject::PostLogin => "**POST /auth/login**",
        }
    }

    /// The raw parts that follow one another in it at the least, each as often as it occurs.
    pub fn parts(self) -> &'static [Subject] {
        match self {
            Subject::GetClinic | Subject::GetMe => &[Subject::Axum, Subject::Nats, Subject::Select],
            // The edge asks booking, and booking asks vendor.
            Subject::GetAvailability => &[Subject::Axum, Subject::Nats, Subject::Nats, Subject::Select],
            Subject::PostBooking => &[Subject::Axum, Subject::Nats, Subject::Nats, Subject::Select, Subject::Insert],
            Subject::PostLogin => &[Subject::Axum, Subject::Nats, Subject::Select, Subject::Insert],
            Subject::MeshJwks => &[Subject::Nats],
            Subject::MeshClinic => &[Subject::Nats, Subject::Select],
            Subject::Nats | Subject::Axum | Subject::Select | Subject::Insert => &[],
        }
    }
}
