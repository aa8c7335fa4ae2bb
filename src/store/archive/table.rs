//! The statement's rows as CSV: one line for each row of either side. No cell is a formula.

use std::io;

use super::Hashing;
use crate::domain::{archive::Filing, money::Money, text::csv_cell};

const HEAD: [&str; 11] = ["side", "class", "id", "link", "amount", "refunded", "currency", "at", "status", "settled", "partner"];

pub(super) fn write(out: &mut Hashing, filing: &Filing) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(HEAD).map_err(io::Error::other)?;
    let (theirs, ours) = (&filing.statement.theirs_title, &filing.statement.ours_title);
    for row in filing.evidence.sheet.rows() {
        let amount = figures(row.amount);
        let refunded = figures(row.refunded);
        let at = row.at.to_rfc3339();
        let cells: [&str; 11] = [
            if row.is_theirs { theirs } else { ours },
            row.class.word(),
            row.key,
            row.link.unwrap_or_default(),
            &amount,
            &refunded,
            row.amount.currency.code(),
            &at,
            row.status.unwrap_or_default(),
            if row.settled { "yes" } else { "no" },
            row.partner.unwrap_or_default(),
        ];
        writer.write_record(cells.iter().map(|cell| csv_cell(cell).into_owned())).map_err(io::Error::other)?;
    }
    writer.flush()
}

/// `-22.00`.
fn figures(money: Money) -> String {
    if money.minor < 0 { format!("-{}", money.figures()) } else { money.figures() }
}
