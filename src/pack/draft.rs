//! A first pack for a business on a database and Stripe, written out with comments to grow from.

use minijinja::{Environment, UndefinedBehavior, context};

use super::{Loaded, Problems, parse};

/// What a first pack needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    pub title: String,
    /// A zone of the IANA (`Europe/Vienna`).
    pub timezone: String,
    /// ISO 4217.
    pub currency: String,
    /// The environment variable with the database's address.
    pub database: Option<String>,
    pub stripe: Option<StripeDraft>,
    pub payments: Option<PaymentsDraft>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StripeDraft {
    /// The environment variable with the key.
    pub key: String,
    pub account: Option<String>,
    pub livemode: bool,
}

/// A table with a row for each payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentsDraft {
    pub table: String,
    /// The column with Stripe's id of the charge.
    pub charge: Option<String>,
    /// The column with the amount in minor units.
    pub amount: String,
    /// The column with the moment of the payment.
    pub at: String,
}

/// Why no pack could be written.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    #[error("`{0}` cannot stand in a statement as it is: letters, digits, `_`, and a dot after the schema")]
    Name(String),
    #[error("the pack could not be written out: {0}")]
    Template(#[from] minijinja::Error),
    /// What was told makes no right pack: an unknown zone or currency.
    #[error("{0}")]
    Wrong(Box<Problems>),
}

impl Draft {
    /// The pack's text for a file of this name, read back and found right.
    ///
    /// # Errors
    /// Where a name cannot be a name in SQL, or a zone or a currency is none.
    pub fn write(&self, file: &str) -> Result<(String, Loaded), DraftError> {
        let payments = self.payments.as_ref();
        let names = payments.into_iter().flat_map(|payments| {
            [Some(&payments.table), payments.charge.as_ref(), Some(&payments.amount), Some(&payments.at)].into_iter().flatten()
        });
        if let Some(name) = names.into_iter().find(|name| !is_name(name)) {
            return Err(DraftError::Name(name.clone()));
        }
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.add_filter("toml", |said: String| toml::Value::String(said).to_string());
        environment.add_filter("line", |said: String| said.replace(char::is_control, " "));
        let stripe = self.stripe.as_ref();
        let mut text = environment.render_str(
            include_str!("../../assets/new-pack.toml.jinja"),
            context! {
                file, title => &self.title, timezone => &self.timezone, currency => &self.currency, database => &self.database,
                stripe => stripe.map(|stripe| &stripe.key), account => stripe.and_then(|stripe| stripe.account.as_ref()),
                livemode => if stripe.is_some_and(|stripe| stripe.livemode) { "true" } else { "false" },
                payments => payments.map(|payments| in_sql(&payments.table)),
                charge => payments.and_then(|payments| payments.charge.as_deref()).map(in_sql),
                amount => payments.map(|payments| in_sql(&payments.amount)), at => payments.map(|payments| in_sql(&payments.at)),
                money_per_day => "500.00",
            },
        )?;
        text.truncate(text.trim_end().len());
        text.push('\n');
        let beside = |_: &str| Err("there is no such file".to_owned());
        let loaded = parse(file, &text, &beside).map_err(|problems| DraftError::Wrong(Box::new(problems)))?;
        Ok((text, loaded))
    }
}

fn is_name(name: &str) -> bool {
    let is_part = |part: &str| {
        part.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
            && part.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
    };
    name.split('.').count() <= 2 && name.split('.').all(is_part)
}

/// A name as a statement has it: in quotes where it would be read as another name, or as no name.
fn in_sql(name: &str) -> String {
    let part = |part: &str| {
        let is_plain = !part.bytes().any(|byte| byte.is_ascii_uppercase()) && !RESERVED.split(' ').any(|word| word == part);
        if is_plain { part.to_owned() } else { format!("\"{part}\"") }
    };
    name.split('.').map(part).collect::<Vec<_>>().join(".")
}

/// What PostgreSQL or SQLite takes for no name.
const RESERVED: &str = "\
    all alter and any as asc between by case cast check collate column commit constraint create cross default \
    delete desc distinct do drop else end except false fetch for foreign from grant group having in index inner \
    insert intersect into is join left limit natural not null offset on only or order outer primary references \
    returning right select set table then to transaction true union unique update user";

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> Draft {
        Draft {
            title: "Tea \"&\" Kettle\n".into(),
            timezone: "Europe/Vienna".into(),
            currency: "EUR".into(),
            database: Some("SHOP_DATABASE_URL".into()),
            stripe: Some(StripeDraft { key: "SHOP_STRIPE_KEY".into(), account: Some("acct_1".into()), livemode: true }),
            payments: Some(PaymentsDraft {
                table: "public.payments".into(),
                charge: Some("charge_id".into()),
                amount: "amount_cents".into(),
                at: "paid_at".into(),
            }),
        }
    }

    #[test]
    fn whatever_there_is_makes_a_right_pack() {
        for (database, stripe, charge) in
            [(true, true, true), (true, true, false), (true, false, true), (false, true, false), (false, false, false)]
        {
            let mut draft = draft();
            draft.stripe = draft.stripe.filter(|_| stripe);
            draft.payments = draft.payments.filter(|_| database);
            draft.database = draft.database.filter(|_| database);
            if let Some(payments) = draft.payments.as_mut().filter(|_| !charge) {
                payments.charge = None;
            }
            let (text, loaded) = draft.write("shop.toml").unwrap();
            assert_eq!(loaded.pack.title.trim_end(), "Tea \"&\" Kettle");
            assert_eq!(loaded.pack.connections.len(), usize::from(database) + usize::from(stripe));
            assert_eq!(loaded.pack.reconciliations.len(), usize::from(database && stripe && charge), "{text}");
            assert!(text.lines().filter(|line| line.starts_with('#')).count() > 8 && text.ends_with("refused\n"), "{text}");
        }
    }

    #[test]
    fn names_that_would_be_read_otherwise_are_quoted() {
        let mut odd = draft();
        odd.payments = Some(PaymentsDraft {
            table: "public.Payment".into(),
            charge: Some("chargeId".into()),
            amount: "amount".into(),
            at: "order".into(),
        });
        let (text, _) = odd.write("shop.toml").unwrap();
        assert!(
            text.contains(r#"select "chargeId" as charge, amount as amount, "order" as paid_at from public."Payment""#),
            "{text}"
        );
        assert!(
            text.contains(r#"select max("order") as latest from public."Payment""#) && !text.contains("from public.Payment"),
            "{text}"
        );
    }

    #[test]
    fn what_makes_no_pack_is_said_before_anything_is_written() {
        let mut wrong = draft();
        wrong.timezone = "Vienna".into();
        assert!(matches!(wrong.write("shop.toml"), Err(DraftError::Wrong(_))));
        for name in ["payments; drop table users", "a.b.c", "1st", "", "pay ments", "x\"y"] {
            let mut wrong = draft();
            wrong.payments.as_mut().unwrap().table = name.into();
            assert!(matches!(wrong.write("shop.toml"), Err(DraftError::Name(told)) if told == name), "{name}");
        }
    }
}
