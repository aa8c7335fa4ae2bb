//! Prism answers by a description of a service, and refuses what that does not know.

use std::{path::Path, process::Command};

use super::{Partner, free_ports, modules, node};

pub struct Prism {
    _partner: Partner,
    port: u16,
}

impl Prism {
    /// `None` where it is not installed, which is said.
    pub fn open(description: &Path) -> Option<Self> {
        for _ in 0..5 {
            let port = free_ports(1);
            let mut command = node("@stoplight/prism-cli/dist/index.js")?;
            command.args(["mock", "--port", &port.to_string(), "--host", "127.0.0.1"]).arg(description);
            if let Some((partner, _)) = Partner::start(&mut command, |line| line.contains("is listening")) {
                return Some(Self { _partner: partner, port });
            }
        }
        panic!("Prism does not start");
    }

    /// Netlify as its own description (Swagger) has it.
    pub fn netlify() -> Option<Self> {
        Self::open(&modules().join("@netlify/open-api/dist/swagger.json"))
    }

    /// A service by the types that others publish for it, which `tests/partners/described.mjs` makes a description of.
    pub fn described(service: &str) -> Option<Self> {
        let home = tempfile::tempdir().unwrap();
        let description = home.path().join("description.json");
        // Whether all of it is there is asked as for a program: none of these is run.
        for needed in ["ts-json-schema-generator", "@sentry/api", "statuspage.io"] {
            node(&format!("{needed}/package.json"))?;
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/partners/described.mjs");
        let mut command = Command::new(modules().join("node/bin/node"));
        let made = command.arg(script).arg(modules()).arg(service).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        std::fs::write(&description, made.stdout).unwrap();
        Self::open(&description)
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}
