//! What the site runs on: the switches of the town, and the variables of its latest finished deployment.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::{
    clock::TownClock,
    error::Error,
    line::Line,
    script::{Script, Values},
};

#[derive(Clone, Debug)]
pub(super) struct Switchboard {
    pub stand_ins: Line,
    pub clock: TownClock,
}

impl Switchboard {
    /// Variables as the running site sees them: the first values, then those of the latest deployment that is ready.
    pub async fn live(&self) -> Result<BTreeMap<String, String>, Error> {
        let rows = self.rows("select name, live from variables", &Values::new()).await?;
        let mut live = pairs(&rows, "name", "live");
        let latest = "select variables from deployments where ready <= :now order by seq desc limit 1";
        let now = json!(self.clock.now().timestamp_millis());
        if let Some(row) = self.rows(latest, &Values::from([("now".into(), now)])).await?.first() {
            let variables = row.get("variables").and_then(Json::as_str).unwrap_or_default();
            live.extend(serde_json::from_str::<BTreeMap<String, String>>(variables).unwrap_or_default());
        }
        Ok(live)
    }

    pub async fn switches(&self) -> Result<BTreeMap<String, String>, Error> {
        Ok(pairs(&self.rows("select name, value from switches", &Values::new()).await?, "name", "value"))
    }

    /// False where there is no such switch.
    pub async fn switch(&self, name: &str, value: &str) -> Result<bool, Error> {
        let values = Values::from([("name".into(), json!(name)), ("value".into(), json!(value))]);
        let changed = self.run("update switches set value = :value where name = :name", &values).await?;
        Ok(changed == 1)
    }

    pub async fn rows(&self, source: &str, values: &Values) -> Result<Vec<Map<String, Json>>, Error> {
        let mut connection = self.stand_ins.enter().await.map_err(Error::sql("stand-ins"))?;
        Script::new("stand-ins", source).rows(&mut connection, values).await
    }

    pub async fn run(&self, source: &str, values: &Values) -> Result<u64, Error> {
        let mut connection = self.stand_ins.enter().await.map_err(Error::sql("stand-ins"))?;
        Script::new("stand-ins", source).run(&mut connection, values).await
    }
}

fn pairs(rows: &[Map<String, Json>], name: &str, value: &str) -> BTreeMap<String, String> {
    let text = |row: &Map<String, Json>, column: &str| row.get(column).and_then(Json::as_str).map(str::to_owned);
    rows.iter().filter_map(|row| Some((text(row, name)?, text(row, value)?))).collect()
}
