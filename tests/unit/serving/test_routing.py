"""Who answers: pointer and cohort in, an order of versions out."""

from __future__ import annotations

from typing import Any

from countersign.serving.routing import VersionRef, route, served, shadows


def ref(version: str) -> VersionRef:
    return VersionRef(version, f"digest-{version}")


def entry(version: str) -> dict[str, str]:
    return {"version": version, "digest": f"digest-{version}"}


def pointer(**changes: Any) -> dict[str, Any]:
    return {
        "epoch": 5,
        "champion": entry("1.1.0"),
        "previous": [entry("1.0.0"), entry("0.9.0")],
        "rollout": None,
        "shadows": [],
        "kill_switch": False,
        "quarantined": [],
        "updated_at": "2026-11-21T05:47:00.000000Z",
        **changes,
    }


ROLLOUT = {**entry("2.0.0"), "rollout_id": "r", "cohorts": ["DE"], "step": 1}


def test_the_champion_answers_and_its_predecessor_stands_behind_it() -> None:
    taken = route(pointer(), "DE")
    assert taken.candidates == (ref("1.1.0"), ref("1.0.0"))
    assert (taken.epoch, taken.degraded) == (5, ())


def test_a_cohort_of_the_rollout_gets_the_candidate_with_the_champion_behind_it() -> None:
    moving = pointer(rollout=ROLLOUT)
    assert route(moving, "DE").candidates == (ref("2.0.0"), ref("1.1.0"))
    assert route(moving, "FR").candidates == (ref("1.1.0"), ref("1.0.0"))


def test_the_first_rollout_ever_leaves_other_cohorts_to_the_rules() -> None:
    first = pointer(champion=None, previous=[], rollout=ROLLOUT)
    assert route(first, "DE").candidates == (ref("2.0.0"),)
    others = route(first, "FR")
    assert (others.candidates, others.degraded) == ((), ("no-champion",))


def test_no_pointer_and_an_empty_pointer_are_rules_only() -> None:
    empty = pointer(epoch=0, champion=None, previous=[])
    for nothing in (None, empty):
        taken = route(nothing, "DE")
        assert (taken.epoch, taken.candidates, taken.degraded) == (0, (), ("no-champion",))


def test_the_kill_switch_leaves_only_the_rules_of_the_version_that_would_have_answered() -> None:
    taken = route(pointer(kill_switch=True), "DE")
    assert (taken.candidates, taken.degraded) == ((), ("kill-switch",))
    assert taken.rules_from == ref("1.1.0")


def test_a_quarantined_version_never_answers() -> None:
    taken = route(pointer(quarantined=["1.1.0"]), "DE")
    assert taken.candidates == (ref("1.0.0"), ref("0.9.0"))
    assert taken.degraded == ("champion-quarantined",)
    nothing_left = route(pointer(quarantined=["1.1.0", "1.0.0", "0.9.0"]), "DE")
    assert (nothing_left.candidates, nothing_left.degraded) == ((), ("no-champion",))


def test_shadows_and_served_versions_are_read_from_the_pointer() -> None:
    moving = pointer(rollout=ROLLOUT, shadows=[entry("3.0.0")])
    assert shadows(moving) == (ref("3.0.0"),)
    assert served(moving) == (ref("1.1.0"), ref("2.0.0"))
    assert shadows(None) == served(None) == ()
