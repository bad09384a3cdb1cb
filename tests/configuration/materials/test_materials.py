from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.configuration.config_files import FoundFile, ReviewedFile
from tasks.configuration.key_names import bare_key
from tasks.configuration.materials.material_catalogue import (
    Catalogue,
    broken_references,
    catalogue,
    lacking_properties,
    measured_values,
)
from tasks.configuration.materials.material_findings import evaluate
from tasks.configuration.materials.material_ranges import compare_ranges, plain_unit, units_spelled_twice
from tasks.core.report.model import Status


def read(value: Any, path: str = "data/materials.yaml") -> ReviewedFile:
    return ReviewedFile(FoundFile(path, path), value, readable=True)


def of(materials: dict[str, Any], categories: dict[str, Any] | None = None, **index: str) -> Catalogue:
    files = [read({"materials": materials, **({"material_index": index} if index else {})})]
    if categories is not None:
        files.append(read({"categories": categories}, "data/Categories.yaml"))
    return catalogue(files)


def statuses(found: Catalogue, check: str) -> list[tuple[Status, str]]:
    findings = evaluate(found, ("density",)).findings
    return [(each.status, each.message) for each in findings if each.check == f"configuration.{check}"]


# The catalogue


def test_materials_and_categories_are_found_in_the_first_files_that_have_them() -> None:
    found = catalogue(
        [
            ReviewedFile(FoundFile("gone.yaml", None)),
            read([1, 2], "list.yaml"),
            read({"materials": {"Brass": {"category": "metal"}, "Air": None}}, "one.yaml"),
            read({"materials": {"Other": {}}, "categories": {"metal": {}}}, "two.yaml"),
        ]
    )
    assert (found.file, [*found.materials], found.malformed) == ("one.yaml", ["Brass"], ("Air",))
    assert (found.categories_file, [*found.categories]) == ("two.yaml", ["metal"])


def test_a_list_of_materials_with_names_is_a_catalogue_too() -> None:
    found = catalogue([read({"materials": [{"name": "Brass"}, {"name": "Oak"}], "categories": []})])
    assert [*found.materials] == ["Brass", "Oak"]
    assert found.categories_file is None
    assert catalogue([read({"materials": [{"no name": 1}]})]).file is None


def test_numbers_are_found_at_any_depth_with_their_property() -> None:
    value = {"a": {"density": {"value": 2, "unit": "g"}}, "list": [{"value": 1.5}], "flag": {"value": True}}
    found = [(each.path, each.name, each.value, each.unit) for each in measured_values(value)]
    assert found == [(("a", "density"), "density", 2, "g"), (("list", "0"), "list", 1.5, None)]


# Required properties


@pytest.mark.parametrize(
    "key", ["melting_point", "meltingPoint", "Melting Point", "MELTING-POINT", "meltingpoint", "Melting.Point"]
)
def test_a_property_counts_in_any_spelling(key: str) -> None:
    assert lacking_properties({"Brass": {"a": [{"b": {key: 1}}]}}, ["melting_point"]) == {"melting_point": []}


@pytest.mark.parametrize("value", [None, "", [], {}, {"value": None}, {"value": ""}])
def test_a_property_without_a_value_is_missing(value: Any) -> None:
    assert lacking_properties({"Brass": {"density": value}}, ["density"]) == {"density": ["Brass"]}


@pytest.mark.parametrize("value", [0, 0.0, False, "x", [1], {"unit": "g"}, {"value": 0}])
def test_a_property_with_a_value_is_there(value: Any) -> None:
    assert lacking_properties({"Brass": {"density": value}}, ["density"]) == {"density": []}


@given(st.lists(st.booleans(), max_size=40))
def test_exactly_the_materials_without_it_are_named(has: list[bool]) -> None:
    materials = {f"M{number}": {"deep": {"er": [{"density": 1}] if each else []}} for number, each in enumerate(has)}
    expected = [f"M{number}" for number, each in enumerate(has) if not each]
    assert lacking_properties(materials, ["density"])["density"] == expected


def test_a_property_named_in_a_text_only_is_missing() -> None:
    assert lacking_properties({"Brass": {"notes": "its density is 8"}}, ["density"]) == {"density": ["Brass"]}


# References


def test_references_that_lead_nowhere_are_grouped_by_where_they_lead() -> None:
    materials = {
        "A": {"category": "metal"},
        "B": {"category": "Metal"},
        "C": {"category": "cheese"},
        "D": {"category": "cheese"},
        "E": {},
    }
    found = [*broken_references(of(materials, {"metal": {}}))]
    assert [(each.message, each.names) for each in found] == [
        ('in the category "Metal", which is not defined; "metal" differs by case only', ["B"]),
        ('in the category "cheese", which is not defined', ["C", "D"]),
        ("without a category", ["E"]),
    ]


def test_an_index_is_compared_with_the_materials() -> None:
    materials = {"A": {"category": "metal"}, "B": {"category": "wood"}, "C": {"category": "wood"}}
    found = [*broken_references(of(materials, None, A="metal", B="metal", Z="wood"))]
    assert [(each.message, each.names) for each in found] == [
        ("in the index only", ["Z"]),
        ("missing in the index", ["C"]),
        ("with another category in the index than in their own entry", ["B"]),
    ]


def test_without_categories_references_are_skipped_and_said_to_be() -> None:
    ((status, message),) = statuses(of({"A": {"category": "x", "density": 1}}), "references")
    assert status is Status.SKIPPED
    assert "categories" in message


# Ranges and units


def test_a_value_is_compared_with_the_range_beside_it() -> None:
    entries = {
        "within": {"value": 5, "min": 1, "max": 9},
        "at the end": {"value": 9, "max": 9},
        "below": {"value": 0, "min": 1},
        "above": {"value": 10, "min": 1, "max": 9},
        "reversed": {"value": 5, "min": 9, "max": 1},
        "texts": {"value": 5, "min": "low", "max": True},
    }
    found = compare_ranges(of({"A": entries}))
    assert found.stated == 5
    assert [each.path[-1] for each in found.outside] == ["below", "above"]
    assert [each.path[-1] for each in found.reversed] == ["reversed"]


def test_a_value_is_compared_with_its_category_where_the_units_are_the_same() -> None:
    metal = {"ranges": {"density": {"min": 2, "max": 20, "unit": "g/cm³"}, "hardness": {"max": 9}}}
    materials = {
        "A": {"category": "metal", "density": {"value": 25, "unit": "g/cm3"}, "hardness": {"value": 10}},
        "B": {"category": "metal", "density": {"value": 2500, "unit": "kg/m³"}},
        "C": {"category": "wood", "density": {"value": 25, "unit": "g/cm³"}},
    }
    found = compare_ranges(of(materials, {"metal": metal, "wood": None}))
    assert (found.compared, found.incomparable) == (2, 1)
    assert [(each.material, each.path[-1], each.low, each.high) for each in found.beyond] == [
        ("A", "density", 2, 20),
        ("A", "hardness", None, 9),
    ]


def test_of_two_ranges_for_a_property_the_one_with_a_unit_counts() -> None:
    metal = {"properties": {"density": {"min": 5, "max": 6}}, "ranges": {"density": {"min": 1, "max": 9, "unit": "g"}}}
    material = {"category": "metal", "density": {"value": 8, "unit": "g"}}
    found = compare_ranges(of({"A": material}, {"metal": metal}))
    assert (found.compared, found.incomparable, found.beyond) == (1, 0, [])


def test_units_that_differ_in_spelling_only_are_one() -> None:
    assert plain_unit("10^-6 /K") == plain_unit("10⁻⁶/K")
    assert plain_unit("µm") == plain_unit("μm")
    assert plain_unit("W/(m·K)") == plain_unit("W/(m K)")
    assert plain_unit("MPa·√m") == plain_unit("MPa√m")
    assert plain_unit("K") != plain_unit("°C")
    found = compare_ranges(
        of({"A": {"d": {"value": 1, "unit": "µm"}}, "B": {"d": {"value": 1, "unit": "μm"}}, "C": {"d": {"value": 1}}})
    )
    assert units_spelled_twice(found.units["d"]) == {plain_unit("µm"): ["µm", "μm"]}
    assert bare_key("melting_point") == bare_key("Melting-Point") != bare_key("boiling_point")


# What is reported


def test_a_catalogue_that_is_well_is_ok() -> None:
    metal = {"density": {"min": 1, "max": 9, "unit": "g"}}
    density = {"value": 5, "unit": "g", "min": 1, "max": 9}
    reported = evaluate(of({"A": {"category": "metal", "density": density}}, {"metal": metal}), ("density",))
    assert {each.status for each in reported.findings} == {Status.OK}
    assert {each.check.removeprefix("configuration.") for each in reported.findings} == {
        *("materials", "required", "references", "ranges", "category-ranges", "units")
    }
    assert reported.data == {}


def test_no_materials_are_nothing_to_tell_unless_they_are_expected() -> None:
    assert evaluate(catalogue([]), ("density",)).findings == []
    (finding,) = evaluate(catalogue([]), ("density",), expected="data/materials.yaml").findings
    assert (finding.status, finding.subject) == (Status.UNKNOWN, "data/materials.yaml")


def test_an_empty_catalogue_and_materials_without_content_are_critical() -> None:
    assert statuses(of({}), "materials") == [(Status.CRITICAL, '"materials" is there and empty.')]
    ((status, message),) = statuses(of({"A": None, "B": {}}), "materials")
    assert (status, message) == (Status.CRITICAL, '1 material of 2 without any content: "A".')
    assert statuses(of({"A": None}), "required") == []


def test_ranges_that_cannot_be_compared_are_said_to_be() -> None:
    metal = {"density": {"min": 1, "unit": "g"}}
    found = of({"A": {"category": "metal", "density": {"value": 5, "unit": "kg"}}}, {"metal": metal})
    ((status, message),) = statuses(found, "category-ranges")
    assert status is Status.SKIPPED
    assert "1 in other units" in message


def test_tables_are_grouped_and_bounded() -> None:
    materials = {
        f"M{number}": {"category": "metal", "p": {f"x{number % 20}": {"value": number, "unit": f"u{number % 3}"}}}
        for number in range(60)
    }
    metal = {f"x{number}": {"max": -1, "unit": f"u{unit_}"} for number in range(20) for unit_ in range(1)}
    reported = evaluate(of(materials, {"metal": metal}), ("density",))
    assert [(row["missing"], row["materials"], row["by_category"]) for row in reported.data["missing_properties"]] == [
        ("density", 60, "metal 60")
    ]
    assert reported.data["missing_properties"][0]["for_instance"] == "M0, M1, M2, M3 and 56 more"
    assert len(reported.data["units"]) == 12
    assert len(reported.data["outside_category_range"]) == 12
    first = reported.data["outside_category_range"][0]
    assert first == {
        "property": "x0",
        "range": "… to -1 u0",
        "outside": 1,
        "values": "0",
        "for_instance": "M0",
    }
    assert reported.data["materials_without"] == {"density": [*materials]}
