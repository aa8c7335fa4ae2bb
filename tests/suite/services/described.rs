//! Sentry and status pages as others describe them: every request is one that they know, every column is there.

use super::{House, of};
use crate::partners::prism::Prism;

const SENTRY: &str = r#"
[connections]
errors.sentry = { token_env = "TOKEN", organization = "shop", url_env = "SERVICE" }
anybody.http = { url_env = "SERVICE" }
[checks.errors]
title = "Errors in payments"
read.sentry = { on = "errors", list = "errors", route = "/api/stripe/*", environment = "production", period = "1h" }
value = "rows"
red = { is_not = 1 }
[checks.issues]
title = "Issues in payments"
read.sentry = { on = "errors", list = "issues", route = "/api/stripe/*", environment = "production", project = "7", query = "level:error" }
value = "rows"
red = { is_not = 1 }
detail = "{{ id }} {{ short_id }} {{ title }} {{ culprit }} {{ level }} {{ project }} {{ events }} {{ users }} {{ first_seen }} {{ last_seen }} {{ link }}"
[checks.by_slug]
title = "Issues of a project by its name"
read.sentry = { on = "errors", list = "issues", project = "web" }
value = "rows"
red = { is_not = 1 }
[checks.misspelt]
title = "A parameter that is no number"
read.http = { on = "anybody", path = "/api/0/organizations/shop/issues/?project=web" }
value = "ok"
red = { is = "false" }
"#;

#[test]
fn sentrys_own_types_know_every_request_and_have_every_column() {
    let Some(sentry) = Prism::described("sentry") else { return };
    let house = House::of(SENTRY, &[("TOKEN", "sentry-token"), ("SERVICE", &sentry.url())]);
    house.run(&["connect", "check", "errors"]).ends(0).says(&["Sentry, organization string"]);
    let told = house.run(&["check", "--all", "--json"]).ends(3).json();
    for check in ["check.errors", "check.issues", "check.by_slug"] {
        assert_eq!(of(&told, "alerts", check)["severity"], "green", "{told}");
    }
    // Its answers are examples of what the types say: a text where a text is, a number where a number is.
    let detail = "string string string string string string string 0 string string string";
    assert_eq!(of(&told, "alerts", "check.issues")["detail"], detail, "every column is in the answer");
    // Whoever brings no token is nobody.
    let failure = of(&told, "alerts", "check.misspelt")["failure"].as_str().unwrap().to_owned();
    assert!(failure.contains("answered 401") && failure.contains("check the connection's credentials"), "{failure}");
}

const STATUS: &str = r#"
[connections]
status.statuspage = { url_env = "SERVICE" }
other.http = { url_env = "SERVICE" }
[checks.host]
title = "The host's own word"
read.statuspage = { on = "status" }
value = "indicator"
red = { is_not = "string" }
detail = "{{ description }} {{ page }} {{ updated }}"
[checks.parts]
title = "The host's parts"
read.statuspage = { on = "status", list = "components" }
value = "rows"
red = { is_not = 1 }
detail = "{{ id }} {{ name }} {{ state }} {{ updated }}"
[checks.incidents]
title = "What is not resolved"
read.statuspage = { on = "status", list = "incidents" }
value = "rows"
red = { is_not = 1 }
detail = "{{ id }} {{ name }} {{ state }} {{ impact }} {{ began }} {{ updated }} {{ link }}"
[checks.elsewhere]
title = "A page that is none"
read.http = { on = "other", path = "/api/v2/incident.json" }
value = "ok"
red = { is = "false" }
"#;

#[test]
fn a_status_page_as_another_hand_describes_it_has_every_column() {
    let Some(page) = Prism::described("statuspage") else { return };
    let house = House::of(STATUS, &[("SERVICE", &page.url())]);
    house.run(&["connect", "check", "status"]).ends(0).says(&["status page, page string, says string"]);
    let told = house.run(&["check", "--all", "--json"]).ends(3).json();
    for (check, detail) in [
        ("check.host", "string string string"),
        ("check.parts", "string string string string"),
        ("check.incidents", "string string identified critical string string string"),
    ] {
        let alert = of(&told, "alerts", check);
        assert_eq!((&alert["severity"], &alert["detail"]), (&"green".into(), &detail.into()), "{alert}");
    }
    // It knows its own paths and no others: what answered above was asked rightly.
    let failure = of(&told, "alerts", "check.elsewhere")["failure"].as_str().unwrap().to_owned();
    assert!(failure.contains("answered 404"), "{failure}");
}
