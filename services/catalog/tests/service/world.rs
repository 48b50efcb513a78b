//! The mesh of these tests.

use testmesh::Mesh;

/// A mesh with one instance of the service.
pub async fn start() -> Mesh {
    Mesh::of("catalog").with(catalog::service(), catalog::app).start().await
}
