"""Which changes are made: a choice of cosmic-ray's operators, and one of our own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import parso
from cosmic_ray.operators.operator import Example, Operator
from cosmic_ray.operators.provider import OperatorProvider

_CHOSEN = (
    # One other operator for each: a test that notices one of them notices nearly all of them.
    *(
        f"ReplaceBinaryOperator_{change}"
        for change in (
            "Add_Sub",
            "Sub_Add",
            "Mul_Div",
            "Div_Mul",
            "FloorDiv_Mul",
            "Mod_Mul",
            "Pow_Mul",
            "LShift_RShift",
            "RShift_LShift",
            "BitOr_BitAnd",
            "BitAnd_BitOr",
            "BitXor_BitAnd",
        )
    ),
    # The boundary; that a condition is turned round is what AddNot does.
    *(
        f"ReplaceComparisonOperator_{change}"
        for change in ("Eq_NotEq", "NotEq_Eq", "Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt", "Is_IsNot", "IsNot_Is")
    ),
    "ReplaceUnaryOperator_Delete_Not",
    "ReplaceUnaryOperator_USub_UAdd",
    "AddNot",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
    "ExceptionReplacer",
    "NumberReplacer",
    "RemoveDecorator",
    "ZeroIterationForLoop",
)


Node: TypeAlias = Any
"""A node or leaf of parso's tree."""


class RemoveStatement(Operator):  # type: ignore[misc]
    """Removes a statement that is a call or adds to a value: what is done only for its effect.

    cosmic-ray has no such operator. It finds ``file.flush()`` and ``tally.remaining += 1`` that nobody would miss.
    """

    def mutation_positions(self, node: Node) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
        """Yield the position of the node where it is such a statement."""
        if _is_effect(node):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Node, index: int) -> Node:  # noqa: ARG002 - there is one mutation of a node
        """Return ``pass`` in its place."""
        first, nothing = node.get_first_leaf(), parso.parse("pass").children[0]
        nothing.prefix = first.prefix
        return nothing

    @classmethod
    def examples(cls) -> Sequence[Example]:
        """Return examples of it."""
        return (Example("flush()", "pass"), Example("x += 1", "pass"))


def _is_effect(node: Node) -> bool:
    if node.parent is None or node.parent.type not in {"simple_stmt", "suite", "file_input"}:
        return False
    if node.type == "expr_stmt":
        operator = node.children[1]
        return bool(operator.get_code().strip().endswith("=") and operator.get_code().strip() != "=")
    call = node.children[-1] if node.type in {"atom_expr", "power"} else None
    return call is not None and call.type == "trailer" and call.children[0].value == "("


def operators() -> Iterator[tuple[str, Operator]]:
    """Yield each operator with its name."""
    known = OperatorProvider()
    for name in _CHOSEN:
        yield name, known[name]()
    yield "RemoveStatement", RemoveStatement()
