//! What the figures depend on besides the code.

use std::path::Path;

/// The machine that a run took place on.
pub struct Machine {
    /// What its processor calls itself.
    pub processor: String,
    /// How many threads run at a time.
    pub cores: usize,
    /// The system and its version.
    pub system: String,
    /// The kind of file system that the stack's folder is on.
    pub file_system: String,
}

impl Machine {
    /// Looks at this one; what cannot be found out is called unknown.
    pub fn of(folder: &Path) -> Machine {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let unknown = || "unknown".to_owned();
        let release = read("/proc/sys/kernel/osrelease");
        Machine {
            processor: processor(&read("/proc/cpuinfo")).unwrap_or_else(unknown),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            system: format!("{} {}", std::env::consts::OS, release.trim()).trim().to_owned(),
            file_system: file_system(&read("/proc/mounts"), folder).unwrap_or_else(unknown),
        }
    }
}

fn processor(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim().to_owned())
}

/// The mount with the longest path above the folder; of several on one path the last one counts.
fn file_system(mounts: &str, folder: &Path) -> Option<String> {
    let of_line = |line: &str| {
        let mut fields = line.split(' ').skip(1);
        Some((fields.next()?.to_owned(), fields.next()?.to_owned()))
    };
    let above = mounts.lines().filter_map(of_line).filter(|(path, _kind)| folder.starts_with(path));
    above.max_by_key(|(path, _kind)| path.len()).map(|(_path, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_mount_above_the_folder_counts() {
        let mounts = "/dev/a / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/b /tmp/kept xfs rw 0 0\n";
        assert_eq!(file_system(mounts, Path::new("/tmp/x")).as_deref(), Some("tmpfs"));
        assert_eq!(file_system(mounts, Path::new("/tmp/kept/y")).as_deref(), Some("xfs"));
        assert_eq!(file_system(mounts, Path::new("/tmpother")).as_deref(), Some("ext4"));
        assert_eq!(file_system("", Path::new("/")), None);
    }

    #[test]
    fn a_processor_says_its_name() {
        assert_eq!(processor("processor\t: 0\nmodel name\t: Fast One\n").as_deref(), Some("Fast One"));
        assert_eq!(processor(""), None);
    }
}
