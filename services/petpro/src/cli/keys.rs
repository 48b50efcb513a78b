//! The commands for keys.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// What to do with keys; makes what is missing when nothing is said.
#[derive(Debug, Args)]
pub struct KeysArgs {
    /// What to do
    #[command(subcommand)]
    pub command: Option<KeysCommand>,
}

/// What can be done with keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Show signing keys, NATS nkeys and certificates with where they stand, and which secrets are not sealed
    List {
        /// Print JSON, for scripts
        #[arg(long)]
        json: bool,
    },
    /// Put new signing keys, NATS nkeys and certificates in place of those in use; safe to give again
    #[command(
        after_help = "A new key is known at once, used after PETPRO_KEYS__ROTATION_OVERLAP_SECONDS, and the old one accepted \
                      until what it has signed has expired. Nobody is restarted.\n\nExamples:\n  petpro keys rotate               \
                      everybody's but neighbours'\n  petpro keys rotate auth booking\n  petpro keys rotate nats          \
                      the certificate of nats-server\n  petpro keys rotate ca            the authority behind all \
                      certificates\n  petpro keys rotate neighbour     then `petpro keys export`, and hand the files over"
    )]
    Rotate {
        /// Whose keys; those of all but neighbours when nobody is named
        owners: Vec<String>,
        /// Print JSON, for scripts
        #[arg(long)]
        json: bool,
    },
    /// Seal every secret under the key-encryption key of the settings that is not yet
    #[command(
        after_help = "To change the key-encryption key: set PETPRO_KEYS__ENCRYPTION_KEY_FILE to the new one and \
                      PETPRO_KEYS__PREVIOUS_ENCRYPTION_KEY_FILE to the old one, for every process; run this; then take the \
                      old one away."
    )]
    Seal,
    /// Print a new key-encryption key, for a file that only the platform can read
    NewEncryptionKey,
    /// Write the neighbours' user key, NATS seed and certificate into a folder, not sealed, to be handed to them
    Export {
        /// The folder, outside of the folder of keys
        #[arg(long)]
        to: PathBuf,
    },
}
