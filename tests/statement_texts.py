"""Find SQL statements in Python code whose text is not constant.

Text is constant if it consists of literals and constants. Constants are names in capitals, which a module sets at
import, before any input. `sql.SQL` may only be made of constant text, so everything composed of it is constant, too:
psycopg2 accepts no plain string as a part. Text whose origin is unknown is a violation.
"""

import ast
from collections import Counter
from collections.abc import Callable, Iterator

# Methods and functions whose first argument is the text of a statement or a part of it.
TAKE_TEXT = {"SQL", "text", "literal_column", "DDL", "exec_driver_sql", "op", "prefix_with", "suffix_with"}
# Methods of a psycopg2 cursor and of Alembic's `op` that run a string; SQLAlchemy's `execute` accepts none.
RUN_TEXT = {"execute", "executemany", "copy_expert"}
RUNNERS = {"cursor", "op"}
# Names that write a value into the text of a statement.
WRITERS = {"mogrify", "AsIs", "QuotedString", "quote_ident", "execute_values", "literal_binds", "literal_execute"}


class Module:
    """The code of one module."""

    def __init__(self, code: str):
        self._tree = ast.parse(code)
        self.functions = {node.name for node in self._tree.body if isinstance(node, ast.FunctionDef)}
        self.composed = {
            _name(node.targets[0])
            for node in self._tree.body
            if isinstance(node, ast.Assign) and _is_sql(node.value, "SQL")
        }

    def violations(self) -> Iterator[tuple[int, str]]:
        """Yield the line and the source of each expression that is not allowed."""
        for node in ast.walk(self._tree):
            if _is_writer(node):
                yield node.lineno, ast.unparse(node)  # type: ignore[attr-defined]
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                yield from Scope(self, node).violations()


class Scope:
    """One function, and the values that are assigned to each name in it."""

    def __init__(self, module: Module, function: ast.AST):
        self._module = module
        self._nodes = list(ast.walk(function))
        self._assigned: dict[str, list[ast.expr]] = {}
        self._assignments = Counter(
            node.id for node in self._nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        )
        for node in self._nodes:
            match node:
                case (
                    ast.Assign(targets=[ast.Name(id=name)], value=value)
                    | ast.For(target=ast.Name(id=name), iter=value)
                ):
                    self._assigned.setdefault(name, []).append(value)
                case ast.arg(arg=name, annotation=declared):
                    self._assignments[name] += 1
                    # The annotation of a parameter stands for its value.
                    self._assigned.setdefault(name, []).extend([declared] if declared else [])

    def violations(self) -> Iterator[tuple[int, str]]:
        """Yield the line and the source of each statement whose text is not constant."""
        for call in self._nodes:
            if isinstance(call, ast.Call):
                if _name(call.func) == "cursor" and not self._is_named_cursor(call):
                    yield call.lineno, ast.unparse(call)
                for text in self._texts(call):
                    if not self._is_text(text) and not self._is_composed(text):
                        yield text.lineno, ast.unparse(text)

    def _texts(self, call: ast.Call) -> list[ast.expr]:
        """Return the argument that is the text of a statement, or all arguments if they are given by keyword."""
        name, owner = _name(call.func), _owner(call.func)
        # `rx.text` shows a text on the page, and a function of the module may have the same name.
        is_other = owner == "rx" or name in self._module.functions
        if (name in TAKE_TEXT and not is_other) or (name in RUN_TEXT and owner in RUNNERS):
            return call.args[:1] or [keyword.value for keyword in call.keywords]
        return []

    def _is_named_cursor(self, call: ast.Call) -> bool:
        """Whether a new cursor is assigned to the name `cursor`, or is not assigned at all."""
        for node in self._nodes:
            match node:
                case ast.withitem(context_expr=made, optional_vars=target) if made is call:
                    return target is not None and _name(target) == "cursor"
                case ast.Assign(targets=[target], value=made) if made is call:
                    return _name(target) == "cursor"
        return True

    def _is_text(self, node: ast.expr) -> bool:
        """Whether a string consists only of constant text."""
        match node:
            case ast.Constant():
                return True
            case ast.Name(id=name) | ast.Attribute(attr=name) if name.isupper():
                return True
            case ast.Name(id=name):
                return self._is_each_assigned(name, self._is_text)
            case ast.Subscript(value=value) | ast.FormattedValue(value=value):
                return self._is_text(value)
            case ast.JoinedStr(values=parts) | ast.Tuple(elts=parts):
                return all(map(self._is_text, parts))
            case ast.BinOp(left=one, right=other) | ast.IfExp(body=one, orelse=other):
                return self._is_text(one) and self._is_text(other)
            case ast.Call(func=ast.Attribute(value=text, attr="format"), args=args, keywords=keywords):
                return all(map(self._is_text, [text, *args, *(keyword.value for keyword in keywords)]))
            case ast.Call(func=ast.Attribute(value=composed, attr="as_string")):
                return self._is_composed(composed)
        return False

    def _is_composed(self, node: ast.expr) -> bool:
        """Whether a value is composed of `sql.SQL`, or annotated so. Its parts are checked where they are made."""
        match node:
            case ast.Call(func=ast.Attribute(value=composed, attr="format" | "join")):
                return self._is_composed(composed)
            case ast.Name(id=name) if name not in self._module.composed:
                return self._is_each_assigned(name, self._is_composed)
            case ast.Name():
                return True
        return _is_sql(node, "SQL") or _owner(node) == "sql"

    def _is_each_assigned(self, name: str, check: Callable[[ast.expr], bool]) -> bool:
        """Whether all assignments to a name are known and satisfy `check`."""
        # Remove the name meanwhile: a value that depends on itself is unknown.
        assigned = self._assigned.pop(name, [])
        is_whole = len(assigned) == self._assignments[name] > 0 and all(map(check, assigned))
        self._assigned[name] = assigned
        return is_whole


def _is_sql(node: ast.AST, kind: str) -> bool:
    return isinstance(node, ast.Call) and _owner(node.func) == "sql" and _name(node.func) == kind


def _is_writer(node: ast.AST) -> bool:
    """Whether a node writes a value into the text of a statement (psycopg2 expands a `%` there), or hides that."""
    match node:
        case ast.Attribute(attr="Literal" | "Identifier"):
            return _owner(node) == "sql"
        case (
            ast.ImportFrom(module="psycopg2.sql")
            | ast.alias(name="psycopg2.sql")
            | ast.alias(name="sql", asname=str())
        ):
            return True
        case ast.Attribute(attr=name) | ast.alias(name=name) | ast.keyword(arg=name):
            return name in WRITERS
    return False


def _name(node: ast.expr) -> str:
    """Return the last part of a dotted name."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _owner(node: ast.expr) -> str:
    """Return the part before the last one. If it is a call, return the name of the called function."""
    if not isinstance(node, ast.Attribute):
        return ""
    return _name(node.value.func if isinstance(node.value, ast.Call) else node.value)
