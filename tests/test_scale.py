"""The model of what so many people and logons take, and the page that has its table."""

import importlib.util
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[1]


def _module():
    spec = importlib.util.spec_from_file_location("scale_of_nodes", ROOT / "bench" / "scale.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


scale = _module()
KNOWN = scale.measured()
people = st.integers(1, 10_000_000)
rates = st.floats(0.001, 100_000.0)


@given(people, rates, st.floats(1.0, 10.0))
def test_more_people_or_logons_never_take_less(number, rate, times):
    little, much = scale.plan(number, rate, KNOWN), scale.plan(int(number * times), rate * times, KNOWN)
    for name in scale.Plan.__struct_fields__:
        if name != "memory_gb":  # a further node may leave each with fewer processes
            assert getattr(much, name) >= getattr(little, name) * 0.999, name
            assert getattr(little, name) >= 0


@given(people, rates)
def test_what_is_planned_carries_the_load_also_when_one_node_fails(number, rate):
    found = scale.plan(number, rate, KNOWN)
    if found.nodes > 1:
        left = (found.nodes - 1) * scale.CORES
        assert rate * KNOWN.shared_cpu_us / 1e6 <= left * scale.BUSY * 1.001
        assert rate * KNOWN.valkey_cpu_us / 1e6 <= found.shards * scale.SHARD_BUSY * 1.001
    else:
        assert rate * KNOWN.alone_cpu_us / 1e6 <= scale.BUSY * 1.001


@pytest.mark.parametrize("name", scale.Measured.__struct_fields__)
def test_every_figure_was_measured(name):
    assert getattr(KNOWN, name) > 0


def test_a_plan_is_made_of_the_figures_that_were_measured():
    twice = msgspec.structs.replace(KNOWN, replica_octets=2 * KNOWN.replica_octets)
    assert scale.plan(1000, 1.0, twice).replica_gb == pytest.approx(2 * scale.plan(1000, 1.0, KNOWN).replica_gb)


def test_the_page_has_the_table_and_the_figures():
    text = (ROOT / "docs" / "scale.md").read_text()
    for name in (
        "alone_cpu_us",
        "shared_cpu_us",
        "valkey_cpu_us",
        "valkey_octets",
        "valkey_person_octets",
        "valkey_challenge_octets",
        "replica_octets",
        "audit_octets",
    ):
        assert f"| {getattr(KNOWN, name):.0f} " in text, name
    assert "\n".join(scale.rows(KNOWN)) in text, "put this table into docs/scale.md: " + "\n".join(scale.rows(KNOWN))
