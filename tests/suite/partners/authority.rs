//! An authority, and a certificate that it signed for this machine, made with openssl.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

pub struct Authority(PathBuf);

impl Authority {
    /// Into this directory; `None` where openssl is not installed, which is said.
    pub fn new(directory: &Path) -> Option<Self> {
        if Command::new("openssl").arg("version").output().is_err() {
            super::absent("openssl", "apt-get install openssl");
            return None;
        }
        fs::create_dir_all(directory).unwrap();
        let authority = Self(directory.to_path_buf());
        authority.openssl("req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=Authority");
        authority.openssl("req -newkey rsa:2048 -nodes -keyout leaf.key -out leaf.csr -subj /CN=Server");
        fs::write(authority.file("leaf.ext"), "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n").unwrap();
        let sign = "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile leaf.ext";
        authority.openssl(&format!("{sign} -days 2 -out leaf.pem"));
        Some(authority)
    }

    pub fn certificate(&self) -> PathBuf {
        self.file("ca.pem")
    }

    /// The server's certificate and its key.
    pub fn leaf(&self) -> [PathBuf; 2] {
        [self.file("leaf.pem"), self.file("leaf.key")]
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn openssl(&self, arguments: &str) {
        let made = Command::new("openssl").args(arguments.split(' ')).current_dir(&self.0).output().unwrap();
        assert!(made.status.success(), "{arguments}: {}", String::from_utf8_lossy(&made.stderr));
    }
}
