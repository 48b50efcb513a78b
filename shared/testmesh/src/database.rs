//! A migrated database for each mesh.

use identity::keys::KeyStore;
use migrations::{SERVICES, ServiceLogin, role_name};
use sea_orm::{ConnectOptions, Database, DatabaseConnection};
use secrecy::ExposeSecret as _;
use testkit::{Leaks, Postgres};

const ROLE_PREFIX: &str = "petpro";

/// A database with the tables of this service alone: its address for services, and for the administrator.
pub(crate) async fn migrated(service: &str, keys: &KeyStore, leaks: &mut Leaks) -> (String, String) {
    let postgres = Postgres::shared().await.unwrap();
    let with_tables = SERVICES.iter().filter(|known| **known == service);
    let logins: Vec<ServiceLogin> = with_tables
        .map(|service| ServiceLogin {
            service: (*service).to_owned(),
            role: role_name(ROLE_PREFIX, service),
            password: keys.postgres_password(service).unwrap().expose_secret().to_owned(),
        })
        .collect();
    let grant = |login: &ServiceLogin| format!("grant connect on database {{database}} to {}", login.role);
    let mut grants = vec!["revoke all on database {database} from public".to_owned()];
    grants.extend(logins.iter().map(grant));
    let template = format!("{service}_service");
    let migrate = |admin_url: String| async move { migrations::migrate(&admin_url, &logins).await };
    postgres.template(&template, migrate).await.unwrap();
    let database = postgres.clone_database(&template, &grants).await.unwrap();
    leaks.postgres(postgres, &database);
    (format!("postgres://127.0.0.1:{}/{database}", postgres.port()), postgres.admin_url(&database))
}

/// The administrator's connections, to whom a table without a schema is one of this service's.
pub(crate) async fn connect(admin_url: String, service: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(admin_url);
    let search_path = format!("{service},ext");
    options
        .max_connections(8)
        .sqlx_logging(false)
        .map_sqlx_postgres_opts(move |postgres| postgres.options([("search_path", search_path.as_str())]));
    Database::connect(options).await.unwrap()
}
