//! Tokens ordered by precedence and joined to a tree.

use super::lexer::{Operator, Token};
use super::{InvalidSyntax, Node};
use crate::ci::pattern::Pattern;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    Open,
    Not,
    Operator(Operator),
}

/// Precedence climbing with an explicit stack of waiting operators.
pub(super) fn parse(tokens: Vec<Token>) -> Result<Node, InvalidSyntax> {
    let mut operands = Vec::new();
    let mut waiting = Vec::new();
    for token in tokens {
        match token {
            Token::Open => waiting.push(Waiting::Open),
            Token::Not => waiting.push(Waiting::Not),
            Token::Operator(operator) => {
                while let Some(&top) = waiting.last() {
                    let binds_tighter = match top {
                        Waiting::Open => false,
                        Waiting::Not => true,
                        Waiting::Operator(before) => operator.precedence() >= before.precedence(),
                    };
                    if !binds_tighter {
                        break;
                    }
                    waiting.pop();
                    apply(top, &mut operands)?;
                }
                waiting.push(Waiting::Operator(operator));
            }
            Token::Close => loop {
                match waiting.pop().ok_or(InvalidSyntax)? {
                    Waiting::Open => break,
                    top @ (Waiting::Not | Waiting::Operator(_)) => apply(top, &mut operands)?,
                }
            },
            Token::Variable(name) => operands.push(Node::Variable(name)),
            Token::Input(name) => operands.push(Node::Input(name)),
            Token::Text(text) => operands.push(Node::Text(text)),
            Token::Null => operands.push(Node::Null),
            Token::Boolean(value) => operands.push(Node::Boolean(value)),
            Token::Pattern(text) => {
                let pattern = Pattern::parse(&text.replace("\\/", "/")).ok_or(InvalidSyntax)?;
                operands.push(Node::Pattern(pattern));
            }
        }
    }
    while let Some(top) = waiting.pop() {
        apply(top, &mut operands)?;
    }
    let root = operands.pop().ok_or(InvalidSyntax)?;
    if operands.is_empty() {
        Ok(root)
    } else {
        Err(InvalidSyntax)
    }
}

fn apply(operator: Waiting, operands: &mut Vec<Node>) -> Result<(), InvalidSyntax> {
    let right = Box::new(operands.pop().ok_or(InvalidSyntax)?);
    let node = match operator {
        Waiting::Open => return Err(InvalidSyntax),
        Waiting::Not => Node::Not(right),
        Waiting::Operator(operator) => {
            let left = Box::new(operands.pop().ok_or(InvalidSyntax)?);
            match operator {
                Operator::Equals => Node::Equals(left, right),
                Operator::NotEquals => Node::NotEquals(left, right),
                Operator::Matches => Node::Matches(left, right),
                Operator::NotMatches => Node::NotMatches(left, right),
                Operator::And => Node::And(left, right),
                Operator::Or => Node::Or(left, right),
            }
        }
    };
    operands.push(node);
    Ok(())
}
