//! The account that Postgres runs under: our own, unless that is root, which Postgres refuses.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, Result, bail, ensure};

/// Who runs Postgres.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Account {
    /// The one that runs this process.
    Own,
    /// The account `postgres` of the installed package.
    Postgres { user: u32, group: u32 },
}

impl Account {
    pub(crate) fn find() -> Result<Account> {
        if number(&["-u"])? != 0 {
            return Ok(Account::Own);
        }
        let hint = "Postgres refuses to run as root, and there is no account `postgres` to run it under";
        let user = number(&["-u", "postgres"]).context(hint)?;
        let group = number(&["-g", "postgres"]).context(hint)?;
        Ok(Account::Postgres { user, group })
    }

    /// The start of a command line that continues with the program. `setpriv` becomes the program, so that the process
    /// id stays and signals arrive.
    pub(crate) fn command_start(self) -> Vec<OsString> {
        match self {
            Account::Own => Vec::new(),
            Account::Postgres { .. } => {
                ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups"].map(OsString::from).into()
            }
        }
    }

    /// Gives a file or folder to the account.
    pub(crate) fn give(self, path: &Path) -> Result<()> {
        match self {
            Account::Own => Ok(()),
            Account::Postgres { user, group } => std::os::unix::fs::chown(path, Some(user), Some(group))
                .with_context(|| format!("cannot give {} to the account postgres", path.display())),
        }
    }

    /// Whether the account may enter the folder: one parent with mode 0700 is enough that it may not.
    pub(crate) fn can_enter(self, folder: &Path) -> Result<bool> {
        if matches!(self, Account::Own) {
            return Ok(true);
        }
        let mut words = self.command_start();
        words.extend(["test".into(), "-x".into(), folder.as_os_str().to_owned()]);
        Ok(run(&words)?.status.success())
    }
}

fn number(arguments: &[&str]) -> Result<u32> {
    let mut words = vec![OsString::from("id")];
    words.extend(arguments.iter().map(OsString::from));
    let output = run(&words)?;
    ensure!(output.status.success(), "id {} failed", arguments.join(" "));
    Ok(String::from_utf8_lossy(&output.stdout).trim().parse()?)
}

fn run(words: &[OsString]) -> Result<Output> {
    let Some((program, arguments)) = words.split_first() else { bail!("an empty command") };
    let output = Command::new(program).args(arguments).current_dir("/").output();
    output.with_context(|| format!("cannot run {}", program.display()))
}
