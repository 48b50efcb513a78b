//! The mesh of these tests.

use testmesh::Mesh;

/// A mesh with one instance of the service.
pub async fn start() -> Mesh {
    Mesh::of("profile").with(profile::service(), profile::app).start().await
}
