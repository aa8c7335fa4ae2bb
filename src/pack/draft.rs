//! A first pack for a business on a database and Stripe, written out with comments to grow from.

use minijinja::{Environment, UndefinedBehavior, context};

use super::{Loaded, Problems, parse};
use crate::domain::moment::OddMoment;

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
    /// The column with Stripe's id, and of what it is.
    pub stripe_id: Option<(String, StripeId)>,
    /// The column with the amount in minor units.
    pub amount: String,
    /// The column with the moment of the payment.
    pub at: String,
    /// How it keeps them, where that is not as they are compared.
    pub at_kept: Option<OddMoment>,
    /// The column with what was given back, in minor units. Only charges tell of that as well.
    pub refunded: Option<String>,
}

/// What a business keeps of a payment at Stripe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StripeId {
    Charge,
    PaymentIntent,
}

impl StripeId {
    /// By an id that is there (`ch_...`, `pi_...`); `None` where it is of something else.
    pub fn of(id: &str) -> Option<Self> {
        match id.split_once('_')?.0 {
            "ch" | "py" => Some(Self::Charge),
            "pi" => Some(Self::PaymentIntent),
            _ => None,
        }
    }

    /// By what the column is called, where nothing is in it yet.
    pub fn of_column(column: &str) -> Self {
        if column.to_ascii_lowercase().contains("intent") { Self::PaymentIntent } else { Self::Charge }
    }
}

impl PaymentsDraft {
    /// Reads one of Stripe's ids, as `id`.
    pub fn one_id(&self) -> Option<String> {
        let (column, _) = self.stripe_id.as_ref().filter(|(column, _)| is_name(column) && is_name(&self.table))?;
        let (column, table) = (in_sql(column), in_sql(&self.table));
        Some(format!("select {column} as id from {table} where {column} is not null limit 1"))
    }

    /// Reads how the moments are kept, as `moment`; only SQLite answers, and only where it is in an odd form.
    pub fn one_moment(&self) -> Option<String> {
        let is_right = is_name(&self.at) && is_name(&self.table);
        is_right.then(|| OddMoment::look(&in_sql(&self.table), &in_sql(&self.at)))
    }

    /// The moment of a payment as a statement compares it.
    fn moment(&self) -> String {
        let at = in_sql(&self.at);
        self.at_kept.map_or_else(|| at.clone(), |odd| odd.in_sql(&at))
    }

    fn names(&self) -> impl Iterator<Item = &String> {
        let id = self.stripe_id.as_ref().map(|(column, _)| column);
        [Some(&self.table), id, Some(&self.amount), Some(&self.at), self.refunded.as_ref()].into_iter().flatten()
    }
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
        if let Some(name) = payments.into_iter().flat_map(PaymentsDraft::names).find(|name| !is_name(name)) {
            return Err(DraftError::Name(name.clone()));
        }
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.add_filter("toml", |said: String| toml::Value::String(said).to_string());
        environment.add_filter("line", |said: String| said.replace(char::is_control, " "));
        let stripe = self.stripe.as_ref();
        let stripe_id = payments.and_then(|payments| payments.stripe_id.as_ref());
        let id_of = |kind| stripe_id.filter(|(_, of)| *of == kind).map(|(column, _)| in_sql(column));
        let mut text = environment.render_str(
            include_str!("../../assets/new-pack.toml.jinja"),
            context! {
                file, title => &self.title, timezone => &self.timezone, currency => &self.currency, database => &self.database,
                stripe => stripe.map(|stripe| &stripe.key), account => stripe.and_then(|stripe| stripe.account.as_ref()),
                livemode => if stripe.is_some_and(|stripe| stripe.livemode) { "true" } else { "false" },
                payments => payments.map(|payments| in_sql(&payments.table)),
                charge => id_of(StripeId::Charge), intent => id_of(StripeId::PaymentIntent),
                refunded => payments.and_then(|payments| payments.refunded.as_deref()).map(in_sql),
                amount => payments.map(|payments| in_sql(&payments.amount)), at => payments.map(PaymentsDraft::moment),
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
                stripe_id: Some(("charge_id".into(), StripeId::Charge)),
                amount: "amount_cents".into(),
                at: "paid_at".into(),
                at_kept: None,
                refunded: None,
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
                payments.stripe_id = None;
            }
            let (text, loaded) = draft.write("shop.toml").unwrap();
            assert_eq!(loaded.pack.title.trim_end(), "Tea \"&\" Kettle");
            assert_eq!(loaded.pack.connections.len(), usize::from(database) + usize::from(stripe));
            assert_eq!(loaded.pack.reconciliations.len(), usize::from(database && stripe && charge), "{text}");
            assert!(text.lines().filter(|line| line.starts_with('#')).count() > 8 && text.ends_with("refused\n"), "{text}");
        }
    }

    #[test]
    fn an_id_says_of_what_it_is_and_a_column_without_one_by_its_name() {
        assert_eq!(StripeId::of("ch_1"), Some(StripeId::Charge));
        assert_eq!(StripeId::of("pi_1"), Some(StripeId::PaymentIntent));
        assert_eq!((StripeId::of("cs_test_1"), StripeId::of("1")), (None, None));
        assert_eq!(StripeId::of_column("stripe_payment_intent_id"), StripeId::PaymentIntent);
        assert_eq!(StripeId::of_column("stripe_id"), StripeId::Charge);
    }

    #[test]
    fn names_that_would_be_read_otherwise_are_quoted() {
        let mut odd = draft();
        odd.payments = Some(PaymentsDraft {
            table: "public.Payment".into(),
            stripe_id: Some(("chargeId".into(), StripeId::Charge)),
            amount: "amount".into(),
            at: "order".into(),
            at_kept: None,
            refunded: Some("givenBack".into()),
        });
        let (text, _) = odd.write("shop.toml").unwrap();
        assert!(
            text.contains(
                r#"select "chargeId" as id, amount as amount, coalesce("givenBack", 0) as refunded, "order" as paid_at from public."Payment""#
            ),
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
