"""What is reported of materials: one finding per fact, the materials grouped."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ...core.report.model import Finding, Metric, Status
from ...core.text.formatting import count, listed
from .material_catalogue import CATEGORIES, MATERIALS, Catalogue, broken_references, lacking_properties
from .material_ranges import OutsideValue, Ranges, compare_ranges, units_spelled_twice

_NAMES = 8
"""Materials that are named in a table's cell."""

_PROPERTIES = 12
"""Rows of the tables of ranges and units: the properties with the most."""


class MaterialFindings(NamedTuple):
    """The findings on materials.

    Attributes:
        findings: one per fact.
        metrics: the numbers.
        data: tables by name.
    """

    findings: list[Finding]
    metrics: list[Metric]
    data: dict[str, Any]


def evaluate(catalogue: Catalogue, required: Sequence[str], *, expected: str | None = None) -> MaterialFindings:
    """Judge materials and categories.

    Args:
        catalogue: what there is.
        required: the properties that every material must have.
        expected: a file that by its name has materials; where none has any, that is a finding.
    """
    if catalogue.file is None:
        message = f'No material was counted: "{MATERIALS}", a mapping of materials by their names, was expected here.'
        unknown = [] if expected is None else [_finding("materials", expected, Status.UNKNOWN, message, None, None)]
        return MaterialFindings(unknown, [], {})
    missing = lacking_properties(catalogue.materials, required)
    compared = compare_ranges(catalogue)
    findings = [
        *_material_count(catalogue),
        *_required(catalogue, missing),
        *_references(catalogue),
        *_own_ranges(catalogue, compared),
        *_category_ranges(catalogue, compared),
        *_units(catalogue, compared),
    ]
    number = len(catalogue.materials) + len(catalogue.malformed)
    metrics = [Metric(name="configuration.materials", value=number, unit="materials", subject=catalogue.file)]
    metrics += [
        Metric(
            name="configuration.missing_property",
            value=len(names),
            unit="materials",
            subject=f"{catalogue.file} {property_}",
        )
        for property_, names in missing.items()
    ]
    data = {
        "missing_properties": [*_missing_rows(catalogue, missing)],
        "outside_category_range": [*_outside_rows(compared.beyond)],
        "units": [*_unit_rows(compared)],
        "materials_without": {property_: names for property_, names in missing.items() if names},
    }
    return MaterialFindings(findings, metrics, {name: table for name, table in data.items() if table})


# Findings


def _material_count(catalogue: Catalogue) -> Iterator[Finding]:
    assert catalogue.file is not None  # noqa: S101 - evaluate() has looked
    number = len(catalogue.materials) + len(catalogue.malformed)
    if catalogue.malformed:
        names = listed(catalogue.malformed, len(catalogue.malformed))
        message = f"{count(len(catalogue.malformed), 'material')} of {number:,} without any content: {names}."
        remedy = "Each is expected to be a mapping of its properties."
        yield _finding("materials", catalogue.file, Status.CRITICAL, message, len(catalogue.malformed), remedy)
    elif not number:
        yield _finding("materials", catalogue.file, Status.CRITICAL, f'"{MATERIALS}" is there and empty.', 0, None)
    else:
        defined = f" in {count(len(catalogue.categories), 'category', 'categories')}" if catalogue.categories else ""
        yield _finding("materials", catalogue.file, Status.OK, f"{count(number, 'material')}{defined}.", number, None)


def _required(catalogue: Catalogue, missing: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    number = len(catalogue.materials)
    for property_, names in missing.items():
        if names:
            message = (
                f"{property_} is missing in {len(names):,} of {number:,} materials: {listed(names, len(names), 3)}."
            )
            remedy = f"Add it in {catalogue.file}, or take it out of configuration.required_properties."
            yield _finding("required", f"{catalogue.file} {property_}", Status.WARNING, message, len(names), remedy)
        elif number:
            message = f"Every material has {property_}."
            yield _finding("required", f"{catalogue.file} {property_}", Status.OK, message, 0, None)


def _references(catalogue: Catalogue) -> Iterator[Finding]:
    assert catalogue.file is not None  # noqa: S101 - evaluate() has looked
    found = [*broken_references(catalogue)]
    for each in found:
        message = f"{count(len(each.names), 'material')} {each.message}: {listed(each.names, len(each.names), 3)}."
        remedy = f"Correct them in {catalogue.file}" + (
            f", or define the category in {catalogue.categories_file}." if catalogue.categories_file else "."
        )
        yield _finding("references", catalogue.file, Status.WARNING, message, len(each.names), remedy)
    if not found and catalogue.categories:
        message = f"Every material is in a category that {catalogue.categories_file} defines."
        yield _finding("references", catalogue.file, Status.OK, message, 0, None)
    elif not catalogue.categories and catalogue.materials:
        message = f'The categories of materials were not looked up: no reviewed file has "{CATEGORIES}".'
        yield _finding("references", catalogue.file, Status.SKIPPED, message, None, None)


def _own_ranges(catalogue: Catalogue, found: Ranges) -> Iterator[Finding]:
    assert catalogue.file is not None  # noqa: S101 - evaluate() has looked
    if found.reversed:
        message = f"{count(len(found.reversed), 'range')} with min above max: {_examples(found.reversed)}."
        yield _values("ranges", catalogue.file, Status.WARNING, message, len(found.reversed), "Exchange the two.")
    if found.outside:
        message = f"{count(len(found.outside), 'value')} outside the range stated beside: {_examples(found.outside)}."
        remedy = "Correct the value or its range."
        yield _values("ranges", catalogue.file, Status.WARNING, message, len(found.outside), remedy)
    elif found.stated and not found.reversed:
        message = f"{count(found.stated, 'value')} within the range stated beside."
        yield _values("ranges", catalogue.file, Status.OK, message, 0, None)


def _category_ranges(catalogue: Catalogue, found: Ranges) -> Iterator[Finding]:
    if not found.compared and not found.incomparable:
        return
    assert catalogue.categories_file is not None  # noqa: S101 - there are ranges
    rest = f"; {found.incomparable:,} not compared, their unit being another" if found.incomparable else ""
    if found.beyond:
        message = f"{len(found.beyond):,} of {found.compared:,} values outside the range of their category{rest}."
        remedy = "Correct the values, or the ranges, of which the table shows the most frequent."
        yield _values("category-ranges", catalogue.categories_file, Status.WARNING, message, len(found.beyond), remedy)
    elif found.compared:
        message = f"{count(found.compared, 'value')} within the range of their category{rest}."
        yield _values("category-ranges", catalogue.categories_file, Status.OK, message, 0, None)
    else:
        message = f"No value could be compared with the range of its category: {found.incomparable:,} in other units."
        yield _values("category-ranges", catalogue.categories_file, Status.SKIPPED, message, None, None)


def _units(catalogue: Catalogue, found: Ranges) -> Iterator[Finding]:
    assert catalogue.file is not None  # noqa: S101 - evaluate() has looked
    mixed = _mixed(found)
    if mixed:
        respelled = sum(bool(units_spelled_twice(units)) for _, units in mixed)
        same = f", {respelled} of them in several spellings of one unit" if respelled else ""
        message = f"{count(len(mixed), 'property', 'properties')} with values in several units{same}."
        remedy = "One unit for each property makes its values comparable."
        yield _finding("units", catalogue.file, Status.WARNING, message, len(mixed), remedy, unit="properties")
    elif found.units:
        message = "Every property has one unit in all materials."
        yield _finding("units", catalogue.file, Status.OK, message, 0, None, unit="properties")


def _mixed(found: Ranges) -> list[tuple[str, Counter[str | None]]]:
    mixed = [(name, units) for name, units in found.units.items() if len(units) > 1]
    return sorted(mixed, key=lambda each: (-len(each[1]), each[0]))


# Tables


def _missing_rows(catalogue: Catalogue, missing: Mapping[str, Sequence[str]]) -> Iterator[dict[str, Any]]:
    """Yield a row for each set of properties that the same materials lack."""
    lacks: dict[str, list[str]] = defaultdict(list)
    for property_, names in missing.items():
        for name in names:
            lacks[name].append(property_)
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name in catalogue.materials:
        if name in lacks:
            groups[tuple(lacks[name])].append(name)
    for properties, names in sorted(groups.items(), key=lambda group: -len(group[1])):
        kinds = Counter(str(catalogue.materials[name].get("category", "-")) for name in names)
        yield {
            "missing": ", ".join(properties),
            "materials": len(names),
            "by_category": ", ".join(f"{kind} {number}" for kind, number in kinds.most_common(4)),
            "for_instance": _shortened(names),
        }


def _outside_rows(beyond: Sequence[OutsideValue]) -> Iterator[dict[str, Any]]:
    """Yield a row for each property and range, those with most values first."""
    groups: dict[tuple[str, float | None, float | None, str | None], list[OutsideValue]] = defaultdict(list)
    for each in beyond:
        groups[each.path[-1], each.low, each.high, each.unit].append(each)
    for (name, low, high, unit), found in sorted(groups.items(), key=lambda group: -len(group[1]))[:_PROPERTIES]:
        values = [each.value for each in found]
        yield {
            "property": name,
            "range": f"{_end(low)} to {_end(high)} {unit or ''}".strip(),
            "outside": len(found),
            "values": f"{min(values):g}" if len(values) == 1 else f"{min(values):g} to {max(values):g}",
            "for_instance": _shortened([*dict.fromkeys(each.material for each in found)], 3),
        }


def _unit_rows(found: Ranges) -> Iterator[dict[str, Any]]:
    for name, units in _mixed(found)[:_PROPERTIES]:
        parts = (
            f"{'none' if unit is None else unit or '(empty)'} {number}" for unit, number in units.most_common(_NAMES)
        )
        yield {"property": name, "units": ", ".join(parts)}


def _end(limit: float | None) -> str:
    return "…" if limit is None else f"{limit:g}"


def _shortened(names: Sequence[str], most: int = 4) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest:,} more" if rest > 0 else "")


def _examples(found: Sequence[OutsideValue]) -> str:
    examples = [
        f"{each.material} {each.path[-1]} {each.value:g} ({_end(each.low)} to {_end(each.high)})" for each in found
    ]
    return listed(examples, len(examples), 3)


def _finding(
    check: str,
    subject: str,
    status: Status,
    message: str,
    value: int | None,
    remedy: str | None,
    *,
    unit: str = "materials",
) -> Finding:
    return Finding(
        check=f"configuration.{check}",
        subject=subject,
        status=status,
        message=message,
        value=value,
        unit=None if value is None else unit,
        remedy=remedy,
    )


def _values(check: str, subject: str, status: Status, message: str, value: int | None, remedy: str | None) -> Finding:
    return _finding(check, subject, status, message, value, remedy, unit="values")
