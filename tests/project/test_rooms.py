"""The rooms along the data's way: what each is for, and which rooms before it it may know."""

from __future__ import annotations

from pathlib import Path

from tests.project.sources import Module, list_imports, list_modules

# room: the rooms whose modules its own may import (what a room is for says its `__init__`)
ROOMS = {
    "core": (),
    "dictionary": ("core",),
    "estimators": ("core",),
    "plan": ("core", "dictionary", "estimators"),
    "extract": ("core", "dictionary", "plan"),
    "cohort": ("core", "dictionary", "plan", "estimators"),
    "analyses": ("core", "dictionary", "plan", "estimators", "cohort"),
    "disclosure": ("core", "dictionary", "plan", "estimators"),
    "comparison": ("core", "dictionary", "plan", "estimators"),
    "pooling": ("core", "dictionary", "plan", "estimators", "disclosure"),
    "report": ("core", "dictionary", "plan", "estimators"),
    "simulate": ("core", "dictionary"),
    "api": ("core", "dictionary", "plan", "extract", "estimators", "cohort", "analyses"),
    "commands": ("core", "dictionary", "plan", "extract", "cohort", "analyses", "disclosure",
                 "comparison", "pooling", "report", "simulate"),
    "__main__": ("core", "commands"),
    # the researchers' own studies of the method, beside the package
    "truth_studies.records": ("core", "estimators"),
    "truth_studies.pages": ("report", "truth_studies.records"),
}  # fmt: skip
# the one module of the package that asks them, in a function that does without
DOOR = ("report.known_truth", "truth_studies.pages")


def find_breaches(modules: list[Module]) -> list[str]:
    """Every import that the table does not allow."""
    return [
        f"{module.name}:{line}: {module.part} imports {target}"
        for module in modules
        for line, target in list_imports(module)
        if target not in (module.part, *ROOMS.get(module.part, ()))
        and (module.name, target) != DOOR
    ]


def write_module(folder: Path, name: str, text: str) -> Module:
    path = folder / f"{name}.py"
    path.write_text(text, encoding="utf-8")
    return Module(name, path)


def test_every_module_lies_in_a_room_and_no_room_is_known_in_vain():
    assert {module.part for module in list_modules()} == set(ROOMS)
    used = {(m.part, target) for m in list_modules() for _, target in list_imports(m)}
    allowed = {(room, target) for room, targets in ROOMS.items() for target in targets}
    assert allowed - used == set()


def test_rooms_know_only_those_before_them():
    places = {room: place for place, room in enumerate(ROOMS)}
    upward = [
        (room, target)
        for room, targets in ROOMS.items()
        for target in targets
        if places[target] >= places[room]
    ]
    assert upward == []
    assert list_modules(), "no sources found"
    assert find_breaches(list_modules()) == []


def test_the_look_sees_each_kind_of_breach(tmp_path):
    breaches = {
        "cohort": "def f():\n    from revictimisation.analyses.effects import estimate_crude\n",
        "plan": "from revictimisation import commands\n",
        "report": "import revictimisation.commands.pipeline\n",
        "estimators": "from .plan import read_plan\n",
        "commands": "def f():\n    from truth_studies.records.truth import read_truth_study\n",
        "truth_studies.records.own": "from revictimisation.report import open_report\n",
        "truth_studies.pages.own": "from revictimisation.simulate.truth import read_truth\n",
    }
    for name, text in breaches.items():
        assert len(find_breaches([write_module(tmp_path, name, text)])) == 1, name
    allowed = "from revictimisation.plan import read_plan\nfrom .estimators import cox\n"
    assert find_breaches([write_module(tmp_path, "analyses", allowed)]) == []


def test_what_is_adjusted_for_has_one_way_to_the_models():
    """Analyses take their design from the study's data: else a study's splines are forgotten."""
    name = "revictimisation.estimators.design"
    others = [module for module in list_modules() if module.part == "analyses"]
    assert others
    for module in others:
        text = module.path.read_text(encoding="utf-8")
        is_own = f"from {name} import" in text and "build_design" in text
        assert not is_own, f"{module.name}: use StudyData.design in place of build_design"
