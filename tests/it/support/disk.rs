//! A small disk of its own: an ext4 file system on a loop device, whose power can be cut.
//!
//! Needs Linux, root, loop devices, `mkfs.ext4` and `python3`. The cut is the file system's own shutdown
//! request without a flush of its journal: what was not fsynced by then is gone, and every later write fails.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// `ioctl(FS_IOC_SHUTDOWN, FS_SHUTDOWN_FLAGS_NOLOGFLUSH)`: safe Rust has no ioctl, Python has.
const CUT: &str = "import fcntl, os, struct, sys\n\
    fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack('I', 2))";

/// The disk; unmounted when dropped.
#[derive(Debug)]
pub struct Disk {
    image: PathBuf,
    mount_point: PathBuf,
}

impl Disk {
    /// Makes and mounts a disk of so many MiB below `home`; `Err` says why this machine cannot.
    pub fn new(home: &Path, mib: u64) -> Result<Self, String> {
        let disk = Self { image: home.join("disk.img"), mount_point: home.join("disk") };
        fs::create_dir(&disk.mount_point).map_err(|error| error.to_string())?;
        let image = File::create(&disk.image).map_err(|error| error.to_string())?;
        image.set_len(mib << 20).map_err(|error| error.to_string())?;
        run("mkfs.ext4", &["-q".as_ref(), "-F".as_ref(), &disk.image])?;
        run("python3", &["-c".as_ref(), "import fcntl".as_ref()])?;
        disk.mount()?;
        Ok(disk)
    }

    /// Where its files are.
    pub fn path(&self) -> &Path {
        &self.mount_point
    }

    /// Takes its power away. Who writes to it from now on is told of an error.
    pub fn cut_power(&self) {
        run("python3", &["-c".as_ref(), CUT.as_ref(), &self.mount_point]).expect("the disk can be cut off");
    }

    /// Gives it power again after a cut, as a machine that starts. Nobody may use it any more.
    pub async fn power_on(&self) {
        let began = Instant::now();
        while let Err(why) = run("umount", &[&self.mount_point]) {
            assert!(began.elapsed() < Duration::from_secs(10), "{why}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.mount().expect("the disk can be mounted again");
    }

    fn mount(&self) -> Result<(), String> {
        run("mount", &["-o".as_ref(), "loop".as_ref(), &self.image, &self.mount_point])
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // A disk that a failed test still uses goes away as soon as that process has ended.
        let _ = run("umount", &["-l".as_ref(), &self.mount_point]);
    }
}

fn run(program: &str, arguments: &[&Path]) -> Result<(), String> {
    let output =
        Command::new(program).args(arguments).output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}
