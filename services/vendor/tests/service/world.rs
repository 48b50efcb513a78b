//! A mesh with the vendor service in it, and those who ask it: the edge for users, and the booking service.

use crate::auth_stand_in::{self, AuthStandIn};
use std::ops::Deref;
use testmesh::Mesh;
pub use testmesh::{Asker, customer, platform_admin};

pub struct World {
    pub auth: AuthStandIn,
    mesh: Mesh,
}

impl World {
    pub async fn start() -> World {
        let auth = AuthStandIn::default();
        let in_the_mesh = auth.clone();
        let mesh = Mesh::of("vendor")
            .with(auth_stand_in::service(), async |_| Ok(in_the_mesh))
            .with(vendor::service(), vendor::app)
            .start()
            .await;
        World { auth, mesh }
    }

    /// A context for work of the vendor service itself.
    pub async fn own_cx(&self) -> vendor::Cx {
        self.mesh.own_cx(vendor::app).await
    }
}

impl Deref for World {
    type Target = Mesh;

    fn deref(&self) -> &Mesh {
        &self.mesh
    }
}
