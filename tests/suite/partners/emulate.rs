//! Vercel and Slack as `emulate` has them: a project of a team with two variables, one deployment, a channel.

use std::path::Path;

use reqwest::{Client, Method};
use serde_json::{Value as Json, json};

use super::{Partner, free_ports, node};

pub const TOKEN: &str = "vercel-token-of-the-test";
pub const PROJECT: &str = "dog-trainers-directory";
pub const TEAM: &str = "dogs";

pub struct Emulate {
    _partner: Partner,
    port: u16,
    client: Client,
}

impl Emulate {
    /// `None` where it is not installed, which is said.
    pub async fn open(home: &Path) -> Option<Self> {
        wheelhouse::adapters::install_tls();
        let variable = |key: &str, value: &str, kind: &str, target: &str| json!({ "key": key, "value": value, "type": kind, "target": [target] });
        let project = json!({ "name": PROJECT, "team": TEAM, "envVars": [
            variable("AI_MODE", "fast", "plain", "preview"),
            variable("AI_MODE", "z_ai", "plain", "production"),
            variable("SECRET", "unseen", "encrypted", "production"),
        ] });
        let seed = json!({
            "tokens": { TOKEN: { "login": "ana", "scopes": [] } },
            "vercel": { "users": [{ "username": "ana" }], "teams": [{ "slug": TEAM }], "projects": [project] },
            "slack": { "team": { "name": "Dogs" }, "channels": [{ "name": "general" }], "bots": [{ "name": "cockpit" }] },
        });
        let file = home.join("emulate.json");
        std::fs::write(&file, seed.to_string()).unwrap();
        // Ports that were free may be taken in between.
        for _ in 0..5 {
            let port = free_ports(2);
            let mut command = node("emulate/dist/index.js")?;
            command.args(["start", "--service", "vercel,slack", "--port", &port.to_string(), "--seed"]).arg(&file);
            if let Some((partner, _)) = Partner::start(&mut command, |line| line.contains("Ready.")) {
                let emulate = Self {
                    _partner: partner,
                    port,
                    client: Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap(),
                };
                // A project is never without its first deployment.
                emulate.ask(Method::POST, "/v13/deployments", Some(json!({ "name": PROJECT, "target": "production" }))).await;
                return Some(emulate);
            }
        }
        panic!("emulate does not start");
    }

    pub fn vercel(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where a channel takes messages.
    pub fn hook(&self) -> String {
        format!("http://127.0.0.1:{}/services/T000000001/B000000001/hook-of-the-test", self.port + 1)
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Json>) -> Json {
        let mut request = self.client.request(method, format!("{}{path}?slug={TEAM}", self.vercel())).bearer_auth(TOKEN);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
        answer.json().await.unwrap()
    }

    /// The project's id, as its address shows it.
    pub async fn project(&self) -> String {
        self.ask(Method::GET, &format!("/v9/projects/{PROJECT}"), None).await["id"].as_str().unwrap().to_owned()
    }

    /// `KEY for TARGET = VALUE`, each readable variable of the project.
    pub async fn variables(&self) -> Vec<String> {
        let told = self.ask(Method::GET, &format!("/v10/projects/{PROJECT}/env"), None).await;
        let said = told["envs"].as_array().unwrap().iter().filter(|one| one["type"] == "plain").map(|one| {
            let text = |key: &str| one[key].as_str().unwrap_or_default();
            format!("{} for {} = {}", text("key"), one["target"][0].as_str().unwrap(), text("value"))
        });
        said.collect()
    }

    /// Ids, newest first.
    pub async fn deployments(&self) -> Vec<String> {
        let told = self.ask(Method::GET, "/v6/deployments", None).await;
        told["deployments"].as_array().unwrap().iter().map(|one| one["uid"].as_str().unwrap().to_owned()).collect()
    }

    /// The messages of the channel, newest first.
    pub async fn messages(&self) -> Vec<String> {
        let address = format!("http://127.0.0.1:{}/api/conversations.history", self.port + 1);
        let asked = self.client.post(address).bearer_auth(TOKEN).form(&[("channel", "C000000001")]);
        let told: Json = asked.send().await.unwrap().json().await.unwrap();
        told["messages"].as_array().unwrap().iter().map(|one| one["text"].as_str().unwrap().to_owned()).collect()
    }
}
