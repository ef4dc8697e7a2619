"""Custom indicators: a name, expressions and parameters, checked and made a `Definition` like any other.

    custom({}, name="spread_z", expression="zscore(close - ema(close, n), n)", parameters={"n": Int(20, ge=2)})

A version is what its content is: the expressions in one spelling, the parameters, and the versions of all that they call. The
same content again is the same version; other content under a name is its next version. What a definition was made of stays
what it was when others register anew, so no version ever changes, and none can come to call itself.
"""

from __future__ import annotations

import difflib
import keyword
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from feature_store.bars import FEATURE_COLUMNS, OPTIONAL_COLUMNS
from feature_store.clock import CLOCK
from feature_store.errors import ConflictError, InvalidRequestError
from feature_store.indicators.definition import Definition
from feature_store.indicators.expression import Expressions, levels_of
from feature_store.indicators.expression_names import Vocabulary
from feature_store.indicators.expression_numbers import MAX_CONSTANT
from feature_store.indicators.expression_text import FIELD, Expression
from feature_store.indicators.operators import aliases, operators
from feature_store.indicators.parameters import Choice, Int, Parameter, Real
from feature_store.indicators.registry import BUILT_INS, Registry
from feature_store.indicators.units import UNITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

GROUP = "custom"
MAX_OUTPUTS = 16
MAX_PARAMETERS = 16
MAX_WINDOW = 10_000
MAX_NAME = 64
MAX_WORDS = 2_000
MAX_OPTIONS = 16
MAX_LEVELS = 8

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z][a-z0-9]*)*")
_FIELDS = {"output": FIELD, "parameter": "parameters"}
_PARAMETER_KEYS = ("type", "default", "ge", "le", "options", "description")


@dataclass(frozen=True)
class Draft:
    """A custom indicator as somebody writes it, in a call, a file or a request; nothing of it is checked yet.

    Args:
        name: the first part of its ids.
        expression: one expression, or several by the name of their output.
        parameters: by name: `Int`, `Real`, `Choice`, or what their `describe` gives.
        title: a few words for a person.
        description: more of them.
        unit: one of `units.UNITS`, or one for each output.
    """

    name: Any
    expression: Any
    parameters: Any = field(default_factory=dict)
    title: Any = ""
    unit: Any = "index"
    description: Any = ""

    @classmethod
    def of(cls, document: Any) -> Draft:
        """Return the draft that a document such as a file's content spells; raises InvalidRequestError."""
        if not isinstance(document, dict):
            msg = f"a custom indicator is written by name: name, expression and more, not as {type(document).__name__}"
            raise InvalidRequestError(msg, field="definition")
        keys = ("name", "expression", "parameters", "title", "unit", "description")
        _refuse_unknown(document, keys, "a custom indicator", "definition")
        for needed in keys[:2]:
            if needed not in document:
                msg = f"a custom indicator needs {needed}, and this has {', '.join(map(str, document)) or 'nothing'}"
                raise InvalidRequestError(msg, field=needed)
        return cls(**document)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, of which `of` makes the same."""
        parameters = {n: p.describe() if isinstance(p, Parameter) else p for n, p in self.parameters.items()}
        return {**self.__dict__, "parameters": parameters}


def custom(draft: Draft, registry: Registry = BUILT_INS, *, stored: bool = False) -> Definition:
    """Return the definition of a draft, in the version that it is or would be among those of `registry`.

    Args:
        draft: what somebody wrote.
        registry: what its names mean; the result is not added to it.
        stored: it was accepted before, so names that built-ins took since are no reason to refuse it.

    Raises InvalidRequestError for a name, parameter, unit or expression that breaks a rule; it points at the offending part.
    """
    name = _name(draft.name, "name", "an indicator")
    lines = _lines(name, draft.expression)
    parameters = _parameters(draft.parameters)
    if not stored:
        refuse_shadows(name)
        for output in lines if len(lines) > 1 else ():
            _refuse_taken(output, "output", {**parameters, name: None}, registry)
        for parameter in parameters:
            _refuse_taken(parameter, "parameter", {name: None}, registry)
    words = {"title": draft.title, "description": draft.description}
    for field_name, text in words.items():
        if not isinstance(text, str) or len(text) > MAX_WORDS:
            msg = f"{field_name} is a text of at most {MAX_WORDS:,} characters, was {text!r:.40}"
            raise InvalidRequestError(msg, field=field_name)
    body = Expressions(lines, parameters, Vocabulary(registry), draft.description.strip())
    _refuse_recursion(name, body)
    if body.levels > MAX_LEVELS:
        rule = f"this makes a custom indicator of custom indicators, {body.levels} deep; {MAX_LEVELS} is the most"
        raise body.refusal(max(body.uses, key=levels_of), rule)
    made = Definition(
        function=body,
        name=name,
        title=draft.title.strip() or name,
        group=GROUP,
        source="an expression registered in this store",
        outputs=tuple(lines),
        units=_units(draft.unit, tuple(lines)),
        inputs=body.inputs,
        parameters=parameters,
        is_step=False,
        formula=body,
    )
    made = replace(made, version=_version(made, registry))
    _ = made.content_hash  # while what it calls has its own at hand
    return made


def body_of(definition: Definition) -> Expressions:
    """Return the expressions of a custom definition."""
    if not isinstance(definition.formula, Expressions):
        msg = f"{definition.name} is not a custom indicator"
        raise TypeError(msg)
    return definition.formula


def custom_uses(definition: Definition) -> dict[str, int]:
    """Return the custom definitions that a custom definition calls itself, with their versions."""
    return {each.name: each.version for each in body_of(definition).uses if each.formula is not None}


def parameter_of(name: str, document: Any) -> Parameter:
    """Return the parameter that plain data spells, as `Parameter.describe` gives it; raises InvalidRequestError.

    >>> parameter_of("n", {"type": "int", "default": 20, "ge": 2}).rule
    'a whole number from 2 to 5000'
    """
    if isinstance(document, Parameter):
        return document
    if not isinstance(document, dict) or "default" not in document:
        msg = f"the parameter {name} is written as in {{type = 'int', default = 20, ge = 2}}, was {document!r:.60}"
        raise InvalidRequestError(msg, field=f"parameters.{name}")
    _refuse_unknown(document, _PARAMETER_KEYS, f"the parameter {name}", f"parameters.{name}")
    default, kind, about = document["default"], document.get("type"), document.get("description", "")
    if kind is None:
        kind = "choice" if isinstance(default, str) else "int" if isinstance(default, int) else "real"
    if kind == "choice":
        return _choice(name, default, document.get("options", ()), about)
    if kind != "int" and kind != "real":  # noqa: PLR1714  a set asks for what has a hash, and this may be anything
        msg = f"the parameter {name} is of type int, real or choice, not {kind!r:.20}"
        raise InvalidRequestError(msg, field=f"parameters.{name}")
    given = {key: document[key] for key in ("ge", "le") if document.get(key) is not None}
    made: Parameter = (Int if kind == "int" else Real)(default, **given, description=about)
    return made


def _choice(name: str, default: Any, options: Any, about: str) -> Parameter:
    words = [default, *options] if isinstance(options, list | tuple) else [default, options]
    if not all(map(_is_name, words)):
        msg = f"the parameter {name}: options are words as in ema, was {words!r:.60}"
        raise InvalidRequestError(msg, field=f"parameters.{name}")
    made: Parameter = Choice(*words, description=about)
    return made


# ---------------------------------------------------------------- parts
def _is_name(name: Any) -> bool:
    return isinstance(name, str) and len(name) <= MAX_NAME and _NAME.fullmatch(name) is not None


def _name(name: Any, what: str, whose: str) -> str:
    if not _is_name(name) or keyword.iskeyword(name):
        msg = (
            f"the name of {whose} is made of small letters and digits, each word between single _ beginning with a letter, "
            f"as in spread_z, was {name!r:.40}"
        )
        raise InvalidRequestError(msg, field=what)
    return str(name)


def _lines(name: str, expression: Any) -> dict[str, Expression]:
    if not isinstance(expression, dict):
        return {"value": Expression.of(name, expression)}
    if not 1 <= len(expression) <= MAX_OUTPUTS:
        msg = f"{name}: an indicator has 1 to {MAX_OUTPUTS} outputs, this one {len(expression)}; register several"
        raise InvalidRequestError(msg, field="expression")
    return {_name(o, "expression", "an output"): Expression.of(f"{name}.{o}", text) for o, text in expression.items()}


def _parameters(given: Any) -> dict[str, Parameter]:
    if not isinstance(given, dict) or len(given) > MAX_PARAMETERS:
        msg = f"parameters are at most {MAX_PARAMETERS} by name, as in {{'n': Int(20, ge=2)}}, was {given!r:.40}"
        raise InvalidRequestError(msg, field="parameters")
    made = {_name(n, "parameters", "a parameter"): parameter_of(n, each) for n, each in given.items()}
    for name, parameter in made.items():
        _refuse_bounds(name, parameter)
    return made


def _refuse_bounds(name: str, parameter: Parameter) -> None:
    """Raise InvalidRequestError where a parameter's own bounds are not in order."""
    rule = None
    if parameter.options:
        good = len(parameter.options) <= MAX_OPTIONS and all(_is_name(each) for each in parameter.options)
        rule = None if good else f"options are at most {MAX_OPTIONS} words as in ema"
    elif any(isinstance(each, bool) or not isinstance(each, int | float) for each in (parameter.ge, parameter.le)):
        rule = "ge and le are numbers"
    elif not 0 <= parameter.ge <= parameter.le <= MAX_CONSTANT:
        rule = (
            "ge is at least 0, as ids spell no sign, and at most le, and le is at most 1e12; write -k where it is used"
        )
    elif parameter.whole and parameter.le > MAX_WINDOW:
        rule = f"a whole number counts bars, and le is at most {MAX_WINDOW:,}"
    elif parameter.whole and not (float(parameter.ge).is_integer() and float(parameter.le).is_integer()):
        rule = "ge and le of a whole number are whole"
    if rule is None and not (isinstance(parameter.description, str) and len(parameter.description) <= MAX_WORDS):
        rule = f"its description is a text of at most {MAX_WORDS:,} characters"
    if rule:
        msg = f"the parameter {name}: {rule}"
        raise InvalidRequestError(msg, field=f"parameters.{name}")
    parameter.check(parameter.default, "the default", name)


def _units(unit: Any, outputs: tuple[str, ...]) -> tuple[str, ...]:
    by_output = unit if isinstance(unit, dict) else dict.fromkeys(outputs, unit)
    odd = sorted(set(map(str, by_output)) ^ set(outputs))
    if odd:
        msg = (
            f"unit is one for all outputs or one for each of {', '.join(outputs)}; {odd[0][:40]} is too many or missing"
        )
        raise InvalidRequestError(msg, field="unit")
    for each in by_output.values():
        if not isinstance(each, str) or each not in UNITS:
            msg = f"no unit is called {each!r:.40}{_nearest(str(each), UNITS)}; units are {', '.join(UNITS)}"
            raise InvalidRequestError(msg, field="unit")
    return tuple(by_output[output] for output in outputs)


# ---------------------------------------------------------------- names
def refuse_shadows(name: str) -> None:
    """Raise InvalidRequestError where a name would hide what others mean by it."""
    _refuse_taken(name, "name", {}, BUILT_INS)
    try:
        meant = BUILT_INS.parse(name)
    except InvalidRequestError:
        return
    msg = f"{name} is an id already, of {meant.name}; choose another name"
    raise ConflictError(msg, field="name")


def _refuse_taken(name: str, what: str, others: Iterable[str], registry: Registry) -> None:
    kinds = {
        "a bar column": (*FEATURE_COLUMNS, *OPTIONAL_COLUMNS, *CLOCK),
        "an operator": (*operators, *aliases),
        "an indicator": registry.names(),
        "used here already": others,
    }
    for kind, names in kinds.items():
        if name in names and what == "name":
            msg = f"{name} is {kind}; choose another name"
            raise ConflictError(msg, field="name")
        if name in names:
            msg = f"{name} is {kind}; choose another name for the {what}"
            raise InvalidRequestError(msg, field=f"{_FIELDS[what]}.{name}")


def _refuse_recursion(name: str, body: Expressions) -> None:
    """Raise InvalidRequestError where a definition would call another version of itself, however far below."""
    pending: list[tuple[Definition, tuple[Definition, ...]]] = [(each, (each,)) for each in body.uses]
    seen: set[Definition] = set()
    while pending:
        each, way = pending.pop()
        if each.name == name and each.formula is not None:
            told = " which calls ".join(called.name for called in way[1:])
            rule = "an indicator cannot call itself" + (f", and this calls {told}" if told else "")
            raise body.refusal(way[0], f"{rule}; give the new one another name")
        if each not in seen and isinstance(each.formula, Expressions):
            seen.add(each)
            pending.extend((below, (*way, below)) for below in each.formula.uses)


def _version(made: Definition, registry: Registry) -> int:
    """Return the newest version's number where that has this content, else the next one."""
    newest = registry.newest(made.name)
    if isinstance(newest, Definition) and replace(made, version=newest.version).content_hash == newest.content_hash:
        return newest.version
    return newest.version + 1 if newest else 1


def _refuse_unknown(document: Mapping[Any, Any], keys: tuple[str, ...], whose: str, field: str) -> None:
    unknown = [key for key in document if key not in keys]
    if unknown:
        msg = f"{whose} has no {str(unknown[0])[:40]!r}{_nearest(str(unknown[0]), keys)}; it has {', '.join(keys)}"
        raise InvalidRequestError(msg, field=field)


def _nearest(word: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f", did you mean {found[0]}?" if found else ""
