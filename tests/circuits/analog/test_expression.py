# SPDX-License-Identifier: Apache-2.0
"""Expressions: Python's own arithmetic is the oracle, of values, of printing and of parsing."""

from __future__ import annotations

import math
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.analog.expression import Expression, parse_expression, parse_number
from circuits.analog.tape import Tape

NAMES = ("a", "b", "c_1")
NUMBERS = st.floats(0.1, 10.0) | st.integers(-4, 4)


def combined(children):
    binary = st.tuples(st.sampled_from("+-*/"), children, children)
    power = st.tuples(st.just("**"), children, st.sampled_from([-1, 0, 1, 2, 3]))
    unary = st.tuples(st.sampled_from(["neg", "abs"]), children)
    extreme = st.tuples(st.sampled_from(["min", "max"]), children, children)
    return binary | power | unary | extreme


TREES = st.recursive(NUMBERS | st.sampled_from(NAMES), combined, max_leaves=12)
VALUES = st.fixed_dictionaries({name: st.floats(-5.0, 5.0) for name in NAMES})


def in_python(tree, values):
    if isinstance(tree, str):
        return values[tree]
    if not isinstance(tree, tuple):
        return float(tree)
    op, *args = tree
    numbers = [in_python(a, values) for a in args]
    if op == "neg":
        return -numbers[0]
    if op in ("abs", "min", "max"):
        return {"abs": abs, "min": min, "max": max}[op](*numbers)
    x, y = numbers
    if op == "**":
        return math.pow(x, y)
    return {"+": x + y, "-": x - y, "*": x * y, "/": x / y if y else math.nan}[op]


def as_expression(tree):
    if isinstance(tree, str):
        return Expression.named(tree)
    if not isinstance(tree, tuple):
        return Expression.of(tree)
    op, *args = tree
    made = [as_expression(a) for a in args]
    if op in ("min", "max", "abs"):
        return Expression.call(op, *made)
    if op == "neg":
        return -made[0]
    x, y = made
    return {"+": lambda: x + y, "-": lambda: x - y, "*": lambda: x * y, "/": lambda: x / y,
            "**": lambda: x**y}[op]()  # fmt: skip


def outcome(function):
    try:
        value = function()
    except (ValueError, ZeroDivisionError, OverflowError):
        return "undefined"
    return value if math.isfinite(value) else "undefined"


@settings(deadline=None)
@given(TREES, VALUES)
def test_values_are_those_of_python_and_survive_printing(tree, values):
    expected = outcome(lambda: in_python(tree, values))
    try:
        expression = as_expression(tree)
    except ValueError:  # numbers alone are folded at once: 1/0, and what overflows
        return
    if expected != "undefined":
        assert expression.evaluate(values) == expected
        again = parse_expression(str(expression))
        assert again.evaluate(values) == expected
        assert str(again) == str(expression)
        assert again.names == expression.names <= set(NAMES)


@settings(deadline=None)
@given(st.lists(TREES, min_size=1, max_size=5), st.lists(VALUES, min_size=1, max_size=3))
def test_a_tape_computes_what_the_expressions_say_and_their_gradients(trees, batch):
    try:
        expressions = [as_expression(tree) for tree in trees]
    except ValueError:
        return
    table = torch.tensor([[v[n] for v in batch] for n in NAMES], dtype=torch.float64)
    table.requires_grad_()
    found = Tape(NAMES, expressions)(table)
    values = dict(zip(NAMES, table, strict=True))
    full = torch.ones(len(batch), dtype=torch.float64)
    expected = torch.stack([e.evaluate(values) * full for e in expressions])
    torch.testing.assert_close(found, expected, equal_nan=True, rtol=1e-14, atol=0)
    if expected.requires_grad and bool(torch.isfinite(expected).all()):
        (a,) = torch.autograd.grad(found.sum(), table)
        (b,) = torch.autograd.grad(expected.sum(), table)
        if bool(torch.isfinite(a).all() and torch.isfinite(b).all()):
            torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1k", 1e3), ("2.5u", 2.5e-6), ("1meg", 1e6), ("1MEG", 1e6), ("10f", 1e-14),
        ("1F", 1e-15), ("100n", 1e-7), ("1e3k", 1e6), ("1d3", 1e3), ("-3p", -3e-12), ("+2", 2.0),
        (".5", 0.5), ("5.", 5.0), ("10uF", 1e-5), ("1kohm", 1e3), ("1mil", 25.4e-6), ("2A", 2.0),
        ("3V", 3.0), ("1t", 1e12), ("4g", 4e9), ("1e-3m", 1e-6),
    ],
)  # fmt: skip
def test_numbers_carry_the_scales_of_spice(text, value):
    assert parse_number(text) == value
    if "mil" not in text and "d" not in text:
        assert parse_expression(text).evaluate({}) == value


@pytest.mark.parametrize("text", ["", "k", "1..2", "0x10", "1k5", "--1", "nan", "1e"])
def test_what_is_no_number_is_refused(text):
    if text == "1e":  # an unknown letter is a unit
        assert parse_number(text) == 1.0
    else:
        with pytest.raises(ValueError, match="is no number"):
            parse_number(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "unexpected the end"),
        ("a +", "unexpected the end"),
        ("(a", "unexpected the end"),
        ("a b", "unexpected 'b'"),
        ("a @ b", "unexpected '@ b'"),
        ("a ** b ** 2", "need brackets"),
        ("__import__('os')", "unknown function '__import__'"),
        ("eval(a)", "unknown function 'eval'"),
        ("min(a)", "1 operands; expected 2"),
        ("1/0", "/ is not defined on 1.0, 0.0"),
        ("sqrt(0-1)", "sqrt is not defined"),
        ("1mil", "mil"),
        ("(" * 200 + "a" + ")" * 200, "nested brackets"),
    ],
)
def test_text_that_makes_no_sense_is_refused_by_name(text, message):
    with pytest.raises(ValueError, match="xpression") as error:
        parse_expression(text)
    assert message in str(error.value)


def test_expressions_are_immutable_and_travel():
    e = parse_expression("2*{w} + 'hdif'")
    with pytest.raises(AttributeError, match="immutable"):
        e.op = "-"
    assert str(pickle.loads(pickle.dumps(e))) == str(e) == "2.0*w + hdif"
    assert e.substitute({"w": 3, "hdif": Expression.named("x")}).evaluate({"x": 1.0}) == 7.0
    with pytest.raises(TypeError, match="truth value"):
        bool(e)


@pytest.mark.parametrize("value", [True, "1", None, 1j, torch.tensor(1.0)])
def test_only_real_numbers_become_expressions(value):
    with pytest.raises(TypeError, match="expected a real number"):
        Expression.of(value)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_are_finite(value):
    with pytest.raises(ValueError, match="not finite"):
        Expression.of(value)


def test_a_sum_made_in_a_loop_is_not_too_deep():
    x = total = Expression.named("x")
    for _ in range(5000):
        total = total + x
    assert total.evaluate({"x": 1.0}) == 5001.0
    assert str(total).count("x") == 5001
    assert Tape(["x"], [total])(torch.ones(1, 2, dtype=torch.float64)).tolist() == [[5001.0] * 2]


def test_shared_parts_are_evaluated_once():
    x = Expression.named("x")
    for _ in range(64):  # 2**64 leaves if it were a tree
        x = x + x
    assert x.evaluate({"x": 1.0}) == 2.0**64
