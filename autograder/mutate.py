"""Small changes to a piece of Python, one at a time: slips such as a test should notice.

Operators, comparisons, signs, constants (which dims are, too), reductions, keyword arguments and calls such as ``.detach()``
that are left out, conditions turned around, statements left out, results in another order.
"""

from collections.abc import Iterator

import libcst as cst

# What stands for what: each name on the left may be replaced by those on the right.
OPERATORS: dict[type[cst.BaseBinaryOp], tuple[type[cst.BaseBinaryOp], ...]] = {
    cst.Add: (cst.Subtract,),
    cst.Subtract: (cst.Add,),
    cst.Multiply: (cst.Divide,),
    cst.Divide: (cst.Multiply,),
    cst.FloorDivide: (cst.Multiply,),
    cst.Modulo: (cst.Multiply,),
    cst.Power: (cst.Multiply,),
    cst.BitAnd: (cst.BitOr,),
    cst.BitOr: (cst.BitAnd,),
}
ASSIGNMENTS: dict[type[cst.BaseAugOp], type[cst.BaseAugOp]] = {
    cst.AddAssign: cst.SubtractAssign,
    cst.SubtractAssign: cst.AddAssign,
    cst.MultiplyAssign: cst.DivideAssign,
    cst.DivideAssign: cst.MultiplyAssign,
}
COMPARISONS: dict[type[cst.BaseCompOp], tuple[type[cst.BaseCompOp], ...]] = {
    cst.LessThan: (cst.LessThanEqual, cst.GreaterThan),
    cst.LessThanEqual: (cst.LessThan, cst.GreaterThan),
    cst.GreaterThan: (cst.GreaterThanEqual, cst.LessThan),
    cst.GreaterThanEqual: (cst.GreaterThan, cst.LessThan),
    cst.Equal: (cst.NotEqual,),
    cst.NotEqual: (cst.Equal,),
    cst.In: (cst.NotIn,),
    cst.NotIn: (cst.In,),
    cst.Is: (cst.IsNot,),
    cst.IsNot: (cst.Is,),
}
SWAPPED = (
    *(("sum", "mean"), ("amax", "amin"), ("max", "min"), ("argmax", "argmin"), ("all", "any"), ("log", "log1p")),
    *(("exp", "expm1"), ("floor", "ceil"), ("rand", "randn"), ("rand_like", "randn_like"), ("ones", "zeros")),
    *(("ones_like", "zeros_like"), ("triu", "tril"), ("sigmoid", "tanh"), ("cumsum", "cumprod")),
    *(("softmax", "log_softmax"), ("logical_and", "logical_or")),
)
FUNCTIONS = dict([*SWAPPED, *((right, left) for left, right in SWAPPED)])
LEFT_OUT = {
    *("abs", "clamp", "clamp_min", "detach", "sqrt", "square", "exp", "log", "neg", "relu", "round", "floor", "flip"),
    *("sigmoid", "softmax", "tanh", "clone", "flatten", "contiguous", "long", "bool", "float", "double"),
}
"""Methods ``x.NAME(...)`` that may be replaced by ``x``."""
TRANSPOSES = {"T", "mT"}


def mutants(code: str) -> list[str]:
    """All codes that differ from ``code`` by one slip, each once, in the order of the places where they differ.

    What a function's head says, its annotations and its docstring are left alone.
    """
    module = cst.parse_module(code)
    found = (cst.ensure_type(module.deep_replace(old, new), cst.Module).code for old, new in _changes(module))
    return [changed for changed in dict.fromkeys(found) if changed != code]


def _changes(node: cst.CSTNode) -> Iterator[tuple[cst.CSTNode, cst.CSTNode]]:
    """Each part of a node with what it may be replaced by."""
    for change in _of(node):
        yield node, change
    for child in node.children:
        if not isinstance(child, (cst.Annotation, cst.Parameters, cst.Decorator, cst.Import, cst.ImportFrom)):
            yield from _changes(child)


def _of(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """What a node itself may be replaced by."""
    match node:
        case cst.BinaryOperation():
            for operator in OPERATORS.get(type(node.operator), ()):
                yield node.with_changes(operator=operator())
        case cst.AugAssign():
            if assignment := ASSIGNMENTS.get(type(node.operator)):
                yield node.with_changes(operator=assignment())
        case cst.ComparisonTarget():
            for comparison in COMPARISONS.get(type(node.operator), ()):
                yield node.with_changes(operator=comparison())
        case cst.BooleanOperation():
            yield node.with_changes(operator=cst.Or() if isinstance(node.operator, cst.And) else cst.And())
        case cst.UnaryOperation(operator=cst.Minus() | cst.Not() | cst.BitInvert()):
            yield node.expression
        case cst.If() | cst.While() | cst.IfExp():
            yield node.with_changes(test=_negated(node.test))
        case cst.Integer():
            yield from (_integer(node.evaluated_value + step) for step in (1, -1))
        case cst.Float():
            yield from (
                cst.Float(repr(value)) for value in (node.evaluated_value * 2 or 1.0, node.evaluated_value / 2 or 2.0)
            )
        case cst.Name(value="True" | "False"):
            yield cst.Name("False" if node.value == "True" else "True")
        case cst.Call():
            yield from _of_call(node)
        case cst.Attribute() if node.attr.value in TRANSPOSES:
            yield node.value
        case cst.Tuple() if 1 < len(node.elements) < 4:
            first, second, *rest = node.elements
            yield node.with_changes(
                elements=[first.with_changes(value=second.value), second.with_changes(value=first.value), *rest]
            )
        case cst.SimpleStatementLine(body=[cst.AugAssign() | cst.Expr(value=cst.Call())]):
            yield node.with_changes(body=[cst.Pass()])
        case cst.With():
            yield cst.If(test=cst.Name("True"), body=node.body, leading_lines=node.leading_lines)


def _of_call(call: cst.Call) -> Iterator[cst.CSTNode]:
    name = call.func.attr if isinstance(call.func, cst.Attribute) else call.func
    if isinstance(name, cst.Name):
        if name.value in FUNCTIONS:
            yield call.with_changes(func=_renamed(call.func, FUNCTIONS[name.value]))
        if name.value in LEFT_OUT and isinstance(call.func, cst.Attribute) and not _is_module(call.func.value):
            yield call.func.value
    for argument in call.args:
        if argument.keyword is not None:
            yield call.with_changes(args=[other for other in call.args if other is not argument])


def _renamed(function: cst.BaseExpression, name: str) -> cst.BaseExpression:
    new = cst.Name(name)
    return function.with_changes(attr=new) if isinstance(function, cst.Attribute) else new


def _is_module(value: cst.BaseExpression) -> bool:
    """Whether ``value.name(x)`` is a function of a module and not a method: then there is no ``value`` to be left."""
    return isinstance(value, cst.Name) and value.value in {"torch", "np", "F", "math", "nn"}


def _negated(test: cst.BaseExpression) -> cst.BaseExpression:
    return cst.UnaryOperation(
        operator=cst.Not(), expression=test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    )


def _integer(value: int) -> cst.BaseExpression:
    number = cst.Integer(str(abs(value)))
    return number if value >= 0 else cst.UnaryOperation(operator=cst.Minus(), expression=number)
