//! What a template may be made of: text, values, and `if`.

use minijinja::{
    machinery::{ast::Stmt, parse},
    syntax::SyntaxConfig,
};

use crate::domain::expression::{ExpressionError, Node, check_length, range, understand};

/// More tags than any text needs; bounds how deep `if`s can nest.
const TAGS: usize = 200;

#[derive(Debug)]
pub(super) enum Piece {
    Words(String),
    /// A value; `plain` keeps it from being written for its place.
    Value {
        node: Node,
        how: How,
    },
    If {
        condition: Node,
        then: Vec<Piece>,
        otherwise: Vec<Piece>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    AsThePlaceWants,
    /// `| json` and `| plain`: as it is.
    AsItIs,
}

pub(super) fn pieces(source: &str) -> Result<Vec<Piece>, ExpressionError> {
    for (open, close) in [("{{", "}}"), ("{%", "%}")] {
        for (start, _) in source.match_indices(open) {
            let rest = source.get(start..).unwrap_or_default();
            check_length(start..start + rest.find(close).unwrap_or(rest.len()))?;
        }
    }
    if source.matches("{%").count() > TAGS {
        return Err(ExpressionError { said: format!("more than {TAGS} tags"), at: 0..source.len() });
    }
    let syntax = SyntaxConfig::builder().keep_trailing_newline(true).build().unwrap_or_default();
    let parsed = parse(source, "<template>", syntax).map_err(|error| ExpressionError::of_parser(&error, source))?;
    let mut pieces = Vec::new();
    add(&parsed, &mut pieces)?;
    Ok(pieces)
}

fn add(statement: &Stmt<'_>, pieces: &mut Vec<Piece>) -> Result<(), ExpressionError> {
    let refused = match statement {
        Stmt::Template(template) => return template.children.iter().try_for_each(|child| add(child, pieces)),
        Stmt::EmitRaw(raw) => {
            pieces.push(Piece::Words(raw.raw.to_owned()));
            return Ok(());
        }
        Stmt::EmitExpr(emit) => {
            let node = understand(&emit.expr)?;
            let how = if node.is_as_it_is() { How::AsItIs } else { How::AsThePlaceWants };
            pieces.push(Piece::Value { node, how });
            return Ok(());
        }
        Stmt::IfCond(condition) => {
            let (mut then, mut otherwise) = (Vec::new(), Vec::new());
            condition.true_body.iter().try_for_each(|child| add(child, &mut then))?;
            condition.false_body.iter().try_for_each(|child| add(child, &mut otherwise))?;
            pieces.push(Piece::If { condition: understand(&condition.expr)?, then, otherwise });
            return Ok(());
        }
        Stmt::ForLoop(node) => ("for", node.span()),
        Stmt::WithBlock(node) => ("with", node.span()),
        Stmt::Set(node) => ("set", node.span()),
        Stmt::SetBlock(node) => ("set", node.span()),
        Stmt::AutoEscape(node) => ("autoescape", node.span()),
        Stmt::FilterBlock(node) => ("filter", node.span()),
        Stmt::Block(node) => ("block", node.span()),
        Stmt::Import(node) => ("import", node.span()),
        Stmt::FromImport(node) => ("from", node.span()),
        Stmt::Extends(node) => ("extends", node.span()),
        Stmt::Include(node) => ("include", node.span()),
        Stmt::Macro(node) => ("macro", node.span()),
        Stmt::CallBlock(node) => ("call", node.span()),
        Stmt::Do(node) => ("do", node.span()),
    };
    let (word, span) = refused;
    Err(ExpressionError { said: format!("`{word}` has no place in a pack's text; only values and `if` have"), at: range(span) })
}

pub(super) fn names(pieces: &[Piece], names_so_far: &mut Vec<String>) {
    for piece in pieces {
        match piece {
            Piece::Words(_) => {}
            Piece::Value { node, .. } => node.names(names_so_far),
            Piece::If { condition, then, otherwise } => {
                condition.names(names_so_far);
                names(then, names_so_far);
                names(otherwise, names_so_far);
            }
        }
    }
}

pub(super) fn fill(pieces: &[Piece], value: &str, json: &str, text: &mut String) {
    for piece in pieces {
        match piece {
            Piece::Words(words) => text.push_str(words),
            Piece::Value { node, .. } => text.push_str(if node.is_json() { json } else { value }),
            Piece::If { then, .. } => fill(then, value, json, text),
        }
    }
}
