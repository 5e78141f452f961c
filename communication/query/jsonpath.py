"""Conditions as PostgreSQL's jsonpath, which the GIN index on a document can answer."""

import json
from decimal import Decimal

from communication.query.conditions import Clause, Clauses, Condition, Operator, Scalar, level

_SIGNS = {
    Operator.EQ: "==",
    Operator.GT: ">",
    Operator.GTE: ">=",
    Operator.LT: "<",
    Operator.LTE: "<=",
}


def jsonpath(clauses: Clauses) -> str:
    """A path that exists in just those documents that meet all the clauses (lax mode).

    Times are not understood here: `Kind.TIME` is for columns.
    """
    return f"$ ? ({_predicate(clauses)})"


def _predicate(clauses: Clauses) -> str:
    parts = level(clauses)
    predicates = [_alternatives(clause) for clause in parts.here]
    predicates += [
        f"exists(@.{_text(name)} ? ({_predicate(those)}))" for name, those in parts.below.items()
    ]
    predicates += [_either([_predicate(((one,),)) for one in clause]) for clause in parts.mixed]
    return " && ".join(predicates)


def _alternatives(clause: Clause) -> str:
    return _either([_leaf(condition) for condition in clause])


def _leaf(condition: Condition) -> str:
    if condition.operator is Operator.REGEX:
        # The flag s: as the pattern was rewritten for, a dot is any character.
        return _either([f'@ like_regex {_text(text)} flag "s"' for text in condition.values])
    if condition.operator is Operator.NE:
        return _different(condition)
    sign = _SIGNS[condition.operator]
    return _either([f"@ {sign} {_literal(operand)}" for operand in condition.operands])


def _different(condition: Condition) -> str:
    # Comparing with a value of another type is neither true nor false, so each type by itself.
    types = {"string": str, "number": Decimal, "boolean": bool}
    return _either(
        [
            " && ".join(
                [
                    f'@.type() == "{name}"',
                    *(f"@ != {_literal(one)}" for one in condition.operands if type(one) is kind),
                ]
            )
            for name, kind in types.items()
        ]
    )


def _either(predicates: list[str]) -> str:
    return f"({' || '.join(f'({predicate})' for predicate in predicates)})"


def _literal(operand: Scalar) -> str:
    if isinstance(operand, bool):
        return str(operand).lower()
    return str(operand) if isinstance(operand, Decimal) else _text(str(operand))


def _text(text: str) -> str:
    """A jsonpath string; its escapes are those of JSON."""
    return json.dumps(text)
