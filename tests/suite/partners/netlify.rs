//! Netlify as its own description (Swagger) has it: Prism refuses what the description does not know, and answers by it.

use super::{Partner, free_ports, node, target};

pub struct Netlify {
    _partner: Partner,
    port: u16,
}

impl Netlify {
    /// `None` where it is not installed, which is said.
    pub fn open() -> Option<Self> {
        let description = target().join("npm/node_modules/@netlify/open-api/dist/swagger.json");
        for _ in 0..5 {
            let port = free_ports(1);
            let mut command = node("@stoplight/prism-cli/dist/index.js")?;
            command.args(["mock", "--port", &port.to_string(), "--host", "127.0.0.1"]).arg(&description);
            if let Some((partner, _)) = Partner::start(&mut command, |line| line.contains("is listening")) {
                return Some(Self { _partner: partner, port });
            }
        }
        panic!("Prism does not start");
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}
