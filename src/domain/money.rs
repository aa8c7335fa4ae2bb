//! Amounts of money: whole minor units and a currency, never a float.

use std::fmt;

use iso_currency::Currency as Iso;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An ISO 4217 currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Currency(Iso);

impl Currency {
    /// Takes a code in either case (`aud`, `AUD`).
    pub fn from_code(code: &str) -> Option<Self> {
        Iso::from_code(&code.to_ascii_uppercase()).map(Self)
    }

    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// The code's three letters: an order among currencies, and how one is kept in a record.
    pub fn letters(self) -> [u8; 3] {
        self.code().as_bytes().first_chunk().copied().unwrap_or_default()
    }

    /// Decimal places of the minor unit as Stripe counts them: ISK keeps two there although ISO says none.
    pub fn exponent(self) -> u32 {
        match self.0 {
            Iso::ISK | Iso::UGX => 2,
            other => u32::from(other.exponent().unwrap_or(0)),
        }
    }

    fn sign(self) -> &'static str {
        match self.0 {
            Iso::AUD => "A$",
            Iso::USD => "US$",
            Iso::CAD => "CA$",
            Iso::NZD => "NZ$",
            Iso::EUR => "€",
            Iso::GBP => "£",
            Iso::JPY => "¥",
            _ => "",
        }
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.code().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::from_code(&code).ok_or_else(|| serde::de::Error::custom(format!("`{code}` is not an ISO 4217 currency")))
    }
}

/// An amount in minor units (cents).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Money {
    pub minor: i64,
    pub currency: Currency,
}

impl Money {
    pub fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// The amount without sign or currency mark, as a person types it: `22.00`.
    pub fn figures(self) -> String {
        let exponent = self.currency.exponent();
        let base = 10_u64.pow(exponent);
        let (whole, rest) = (self.minor.unsigned_abs() / base, self.minor.unsigned_abs() % base);
        if exponent == 0 { format!("{whole}") } else { format!("{whole}.{rest:0width$}", width = exponent as usize) }
    }

    /// A difference with its sign: `+A$22.00`.
    pub fn signed(self) -> String {
        if self.minor > 0 { format!("+{self}") } else { self.to_string() }
    }

    /// The amount in major units, for expressions and charts; never for arithmetic on money.
    pub fn major(self) -> f64 {
        self.minor as f64 / 10_f64.powi(self.currency.exponent() as i32)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figures = self.figures();
        let (whole, rest) = figures.split_once('.').map_or((figures.as_str(), ""), |(whole, rest)| (whole, rest));
        let minus = if self.minor < 0 { "-" } else { "" };
        let mut text = match self.currency.sign() {
            "" => format!("{minus}{} ", self.currency.code()),
            sign => format!("{minus}{sign}"),
        };
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        if !rest.is_empty() {
            text.push('.');
            text.push_str(rest);
        }
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(minor: i64, code: &str) -> String {
        Money::new(minor, Currency::from_code(code).unwrap()).to_string()
    }

    #[test]
    fn amounts_read_as_a_person_writes_them() {
        assert_eq!(money(2200, "aud"), "A$22.00");
        assert_eq!(money(-2200, "AUD"), "-A$22.00");
        assert_eq!(money(123_456_789, "AUD"), "A$1,234,567.89");
        assert_eq!(money(5, "EUR"), "€0.05");
        assert_eq!(money(1500, "JPY"), "¥1,500");
        assert_eq!(money(1500, "CHF"), "CHF 15.00");
        assert_eq!(money(i64::MIN, "AUD"), "-A$92,233,720,368,547,758.08");
    }

    #[test]
    fn stripe_keeps_two_decimals_for_isk() {
        assert_eq!(Currency::from_code("isk").unwrap().exponent(), 2);
    }
}
