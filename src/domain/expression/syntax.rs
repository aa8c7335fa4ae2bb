//! What an expression may be made of: minijinja's syntax tree, narrowed to what can be reckoned over a row.

use std::ops::Range;

use minijinja::{
    machinery::{
        Span,
        ast::{BinOpKind, CallArg, CompareOpKind, Const, Expr, UnaryOpKind},
    },
    value::ValueKind,
};
use rust_decimal::{Decimal, prelude::FromPrimitive as _};

use super::{
    ExpressionError,
    calculate::{Operator, Relation},
    function::Function,
};
use crate::domain::value::Value;

#[derive(Debug)]
pub(in crate::domain) enum Node {
    Constant(Value),
    Path(Path),
    Not(Box<Node>),
    Negative(Box<Node>),
    And(Box<[Node; 2]>),
    Or(Box<[Node; 2]>),
    Calculate(Operator, Box<[Node; 2]>),
    Join(Box<[Node; 2]>),
    /// A chain (`0 < a < b`): each link against the one before it.
    Compare(Box<Node>, Vec<(Relation, Node)>),
    IsOneOf(Box<Node>, Vec<Node>),
    IsWithin(Box<[Node; 2]>),
    If(Box<[Node; 3]>),
    IsEmpty(Box<Node>),
    Call(Function, Vec<Node>),
}

/// A column, or a part of a JSON cell.
#[derive(Debug)]
pub(in crate::domain) struct Path {
    /// As written, joined by dots.
    pub full: String,
    /// Every way to read it, the longest column name first, and the JSON members that remain.
    pub ways: Vec<(String, Vec<String>)>,
}

impl Path {
    fn new(parts: &[String]) -> Self {
        let ways = (1..=parts.len())
            .rev()
            .filter_map(|length| parts.split_at_checked(length))
            .map(|(column, members)| (column.join("."), members.to_vec()))
            .collect();
        Self { full: parts.join("."), ways }
    }
}

impl Node {
    /// True where a template writes it as it is, whatever the place.
    pub(in crate::domain) fn is_as_it_is(&self) -> bool {
        matches!(self, Self::Call(Function::Json | Function::Plain, _))
    }

    pub(in crate::domain) fn is_json(&self) -> bool {
        matches!(self, Self::Call(Function::Json, _))
    }

    /// Adds the names that it reads, each once.
    pub(in crate::domain) fn names(&self, names: &mut Vec<String>) {
        match self {
            Self::Constant(_) => {}
            Self::Path(path) => {
                if !names.contains(&path.full) {
                    names.push(path.full.clone());
                }
            }
            Self::Not(node) | Self::Negative(node) | Self::IsEmpty(node) => node.names(names),
            Self::And(nodes) | Self::Or(nodes) | Self::Calculate(_, nodes) | Self::Join(nodes) | Self::IsWithin(nodes) => {
                nodes.iter().for_each(|node| node.names(names));
            }
            Self::If(nodes) => nodes.iter().for_each(|node| node.names(names)),
            Self::Compare(first, links) => {
                first.names(names);
                for (_, node) in links {
                    node.names(names);
                }
            }
            Self::IsOneOf(node, list) => {
                node.names(names);
                for node in list {
                    node.names(names);
                }
            }
            Self::Call(_, arguments) => arguments.iter().for_each(|node| node.names(names)),
        }
    }
}

/// Longer than any rule that a person reads. It bounds how deep a rule can nest: the parser and everything after it
/// go down by recursion.
const LONGEST: usize = 1_000;
/// More terms in a row, or brackets within brackets, than a rule needs.
const DEEPEST: usize = 60;

/// To be asked before anything is parsed.
pub(in crate::domain) fn check_length(at: Range<usize>) -> Result<(), ExpressionError> {
    if at.len() <= LONGEST {
        return Ok(());
    }
    Err(ExpressionError { said: format!("longer than {LONGEST} characters"), at })
}

/// Takes what has a meaning over a row and says what has none, and where.
pub(in crate::domain) fn understand(expression: &Expr<'_>) -> Result<Node, ExpressionError> {
    understand_at(expression, 0)
}

fn understand_at(expression: &Expr<'_>, depth: usize) -> Result<Node, ExpressionError> {
    if depth > DEEPEST {
        return Err(mistake("too deeply nested".into(), expression.span()));
    }
    let depth = depth + 1;
    let understand = |expression: &Expr<'_>| understand_at(expression, depth);
    match expression {
        Expr::Const(constant) => constant_node(constant, expression.span()),
        Expr::Var(_) | Expr::GetAttr(_) | Expr::GetItem(_) => {
            let mut parts = Vec::new();
            path_parts(expression, &mut parts)?;
            Ok(Node::Path(Path::new(&parts)))
        }
        Expr::UnaryOp(unary) => {
            let inner = Box::new(understand(&unary.expr)?);
            Ok(match unary.op {
                UnaryOpKind::Not => Node::Not(inner),
                UnaryOpKind::Neg => Node::Negative(inner),
            })
        }
        Expr::BinOp(binary) => binary_node(binary.op, &binary.left, &binary.right, expression.span(), depth),
        Expr::Compare(chain) => {
            if let [only] = chain.ops.as_slice() {
                return binary_node(plain(only.op), &chain.expr, &only.expr, expression.span(), depth)
                    .map(|node| if matches!(only.op, CompareOpKind::NotIn) { Node::Not(Box::new(node)) } else { node });
            }
            let mut links = Vec::new();
            for link in &chain.ops {
                let Some(relation) = relation(plain(link.op)) else {
                    return Err(mistake("`in` cannot stand in a chain of comparisons".into(), link.expr.span()));
                };
                links.push((relation, understand(&link.expr)?));
            }
            Ok(Node::Compare(Box::new(understand(&chain.expr)?), links))
        }
        Expr::IfExpr(condition) => {
            let Some(otherwise) = &condition.false_expr else {
                return Err(mistake("an `if` needs its `else`: what is the value otherwise?".into(), expression.span()));
            };
            Ok(Node::If(Box::new([understand(&condition.test_expr)?, understand(&condition.true_expr)?, understand(otherwise)?])))
        }
        Expr::Test(test) if matches!(test.name, "none" | "null") && test.args.is_empty() => {
            Ok(Node::IsEmpty(Box::new(understand(&test.expr)?)))
        }
        Expr::Test(test) => {
            let said = format!("there is no test `is {}`; only `is none` and `is not none`", test.name);
            Err(mistake(said, expression.span()))
        }
        Expr::Filter(filter) => {
            let Some(first) = &filter.expr else {
                return Err(mistake(format!("`{}` has nothing to work on", filter.name), expression.span()));
            };
            call_node(filter.name, Some(first), &filter.args, expression.span(), depth)
        }
        Expr::Call(call) => match &call.expr {
            Expr::Var(name) => call_node(name.id, None, &call.args, expression.span(), depth),
            other => Err(mistake("only a function can be called".into(), other.span())),
        },
        Expr::List(_) | Expr::Tuple(_) => Err(mistake("a list has a place only after `in`".into(), expression.span())),
        Expr::Map(_) | Expr::Slice(_) => {
            Err(mistake(format!("a {} has no value here", expression.description()), expression.span()))
        }
    }
}

fn mistake(said: String, span: Span) -> ExpressionError {
    ExpressionError { said, at: range(span) }
}

pub(in crate::domain) fn range(span: Span) -> Range<usize> {
    span.start_offset as usize..span.end_offset as usize
}

fn path_parts(expression: &Expr<'_>, parts: &mut Vec<String>) -> Result<(), ExpressionError> {
    match expression {
        Expr::Var(variable) => parts.push(variable.id.to_owned()),
        Expr::GetAttr(attribute) => {
            path_parts(&attribute.expr, parts)?;
            parts.push(attribute.name.to_owned());
        }
        Expr::GetItem(item) => {
            path_parts(&item.expr, parts)?;
            match &item.subscript_expr {
                Expr::Const(constant) => parts.push(constant.value.to_string()),
                other => return Err(mistake("a part of a column is named by a constant".into(), other.span())),
            }
        }
        other => return Err(mistake(format!("a {} has no parts", other.description()), other.span())),
    }
    Ok(())
}

fn constant_node(constant: &Const, span: Span) -> Result<Node, ExpressionError> {
    let value = &constant.value;
    let made = match value.kind() {
        ValueKind::Bool => Some(Value::Bool(value.is_true())),
        ValueKind::Number if value.is_integer() => value.as_i64().map(Value::Integer),
        ValueKind::Number => {
            f64::try_from(value.clone()).ok().and_then(Decimal::from_f64).map(|number| Value::Decimal(number.normalize()))
        }
        ValueKind::String => value.as_str().map(Value::text),
        ValueKind::None => {
            return Err(mistake("nothing equals `none`; ask `is none` or `is not none`".into(), span));
        }
        _ => None,
    };
    made.map(Node::Constant).ok_or_else(|| mistake(format!("`{value}` cannot be used here"), span))
}

fn plain(operator: CompareOpKind) -> BinOpKind {
    match operator {
        CompareOpKind::Eq => BinOpKind::Eq,
        CompareOpKind::Ne => BinOpKind::Ne,
        CompareOpKind::Lt => BinOpKind::Lt,
        CompareOpKind::Lte => BinOpKind::Lte,
        CompareOpKind::Gt => BinOpKind::Gt,
        CompareOpKind::Gte => BinOpKind::Gte,
        CompareOpKind::In | CompareOpKind::NotIn => BinOpKind::In,
    }
}

fn relation(operator: BinOpKind) -> Option<Relation> {
    match operator {
        BinOpKind::Eq => Some(Relation::Equal),
        BinOpKind::Ne => Some(Relation::Different),
        BinOpKind::Lt => Some(Relation::Less),
        BinOpKind::Lte => Some(Relation::LessOrEqual),
        BinOpKind::Gt => Some(Relation::Greater),
        BinOpKind::Gte => Some(Relation::GreaterOrEqual),
        _ => None,
    }
}

fn binary_node(
    operator: BinOpKind,
    left: &Expr<'_>,
    right: &Expr<'_>,
    span: Span,
    depth: usize,
) -> Result<Node, ExpressionError> {
    let understand = |expression: &Expr<'_>| understand_at(expression, depth);
    if let Some(relation) = relation(operator) {
        return Ok(Node::Compare(Box::new(understand(left)?), vec![(relation, understand(right)?)]));
    }
    if matches!(operator, BinOpKind::In) {
        let needle = Box::new(understand(left)?);
        let list = match right {
            Expr::List(list) => &list.items,
            Expr::Tuple(tuple) => &tuple.items,
            other => return Ok(Node::IsWithin(Box::new([*needle, understand(other)?]))),
        };
        return Ok(Node::IsOneOf(needle, list.iter().map(understand).collect::<Result<_, _>>()?));
    }
    let calculation = match operator {
        BinOpKind::Add => Some(Operator::Plus),
        BinOpKind::Sub => Some(Operator::Minus),
        BinOpKind::Mul => Some(Operator::Times),
        BinOpKind::Div => Some(Operator::Over),
        BinOpKind::FloorDiv => Some(Operator::WholeOver),
        BinOpKind::Rem => Some(Operator::Rest),
        _ => None,
    };
    if matches!(operator, BinOpKind::Pow) {
        return Err(mistake("`**` is not reckoned here; multiply".into(), span));
    }
    let operands = Box::new([understand(left)?, understand(right)?]);
    Ok(match (calculation, operator) {
        (Some(calculation), _) => Node::Calculate(calculation, operands),
        (None, BinOpKind::ScAnd) => Node::And(operands),
        (None, BinOpKind::ScOr) => Node::Or(operands),
        (None, _) => Node::Join(operands),
    })
}

fn call_node(
    name: &str,
    first: Option<&Expr<'_>>,
    rest: &[CallArg<'_>],
    span: Span,
    depth: usize,
) -> Result<Node, ExpressionError> {
    let understand = |expression: &Expr<'_>| understand_at(expression, depth);
    let Some(function) = Function::from_name(name) else {
        let known = Function::ALL.map(Function::name).join(", ");
        return Err(mistake(format!("there is no function `{name}`; there are {known}"), span));
    };
    let mut arguments: Vec<Node> = first.map(understand).transpose()?.into_iter().collect();
    for argument in rest {
        let CallArg::Pos(argument) = argument else {
            return Err(mistake(format!("`{name}` takes its arguments by their place"), span));
        };
        arguments.push(understand(argument)?);
    }
    let takes = function.takes();
    if !takes.contains(&arguments.len()) {
        let (from, to) = (takes.start(), takes.end());
        let takes = if from == to { from.to_string() } else { format!("{from} to {to}") };
        return Err(mistake(format!("`{name}` takes {takes} arguments, not {}", arguments.len()), span));
    }
    function.check(&arguments).map_err(|said| mistake(said, span))?;
    Ok(Node::Call(function, arguments))
}
