//! The statement's rows as CSV: one line for each row of either side. No cell is a formula.

use std::io::{self, Write};

use crate::domain::{archive::Filing, money::Money, reconcile::SheetRow, text::csv_cell};

const HEAD: [&str; 11] = ["side", "class", "id", "link", "amount", "refunded", "currency", "at", "status", "settled", "partner"];

/// The table as it is written, row by row.
pub(super) struct Table<W: Write> {
    writer: csv::Writer<W>,
    /// What the sides are called, theirs first.
    sides: [String; 2],
}

pub(super) fn write(out: impl Write, filing: &Filing) -> io::Result<()> {
    let mut table = Table::begin(out, [filing.statement.theirs_title.clone(), filing.statement.ours_title.clone()])?;
    for row in filing.evidence.sheet.rows() {
        table.row(&row)?;
    }
    table.end().map(drop)
}

impl<W: Write> Table<W> {
    pub(super) fn begin(out: W, sides: [String; 2]) -> io::Result<Self> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(HEAD).map_err(io::Error::other)?;
        Ok(Self { writer, sides })
    }

    pub(super) fn row(&mut self, row: &SheetRow<'_>) -> io::Result<()> {
        let [theirs, ours] = &self.sides;
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
        self.writer.write_record(cells.iter().map(|cell| csv_cell(cell).into_owned())).map_err(io::Error::other)
    }

    pub(super) fn end(self) -> io::Result<W> {
        self.writer.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}

/// `-22.00`.
fn figures(money: Money) -> String {
    if money.minor < 0 { format!("-{}", money.figures()) } else { money.figures() }
}
