"""Imports go downward only, and the stages meet at tables, never at each other."""

from __future__ import annotations

from pathlib import Path

from tests.project.sources import PACKAGE, Module, list_imports, list_modules

CORE = {
    "errors",
    "codes",
    "dictionary",
    "study_kinds",
    "study_keys",
    "study_text",
    "plan",
    "plan_parts",
    "engine",
    "results",
    "files",
    "interruption",
    "surroundings",
    "progress",
    "identity_numbers",
    "keys",
}
# what the stages meet at and compute with: agencies' files opened as rows of text; the cohort's
# joined tables; a measure's target trial laid out from them; estimators on arrays
SHARED = {"sources", "cohort_data", "trial_inputs", "estimators"}
STAGES = {
    "mapping",
    "validation",
    "pseudonyms",
    "linkage",
    "cleaning",
    "simulate",
    "cohort",
    "spells",
    "covariates",
    "person_time",
    "attrition",
    "measure_use",
    "effects",
    "exposure_variants",
    "target_trials",
    "negative_controls",
    "hidden_bias",
    "linkage_error",
    "recurrent_events",
    "joint_strategies",
    "subgroup_effects",
    "heterogeneity",
    "court_cases",
    "convictions",
    "disclosure",
    "report",
}
# stage -> stages whose tables it accounts for or describes, and only those
MARKED = {
    "attrition": {"cohort", "spells", "court_cases"},
    # opens the same files in the same way, before there is anything to validate
    "pseudonyms": {"validation"},
}
COMPOSITION = {
    "folders",
    "notebooks",
    "terminal",
    "pipeline",
    "manifest",
    "runner",
    "preparation",
    "exchange",
    "acceptance",
    "misuse",
    "options",
    "cli",
    "__main__",
}
LEVEL = {
    **dict.fromkeys(CORE, 0),
    **dict.fromkeys(SHARED, 1),
    **dict.fromkeys(STAGES, 2),
    **dict.fromkeys(COMPOSITION, 3),
}


def find_breaches(modules: list[Module]) -> list[str]:
    """Every import that goes upward or from one stage to another."""
    return [
        f"{module.path.name}:{line}: {module.part} imports {target}"
        for module in modules
        for line, target in list_imports(module)
        if target != module.part and not may_import(module.part, target)
    ]


def may_import(part: str, target: str) -> bool:
    if part in STAGES and target in STAGES:
        return target in MARKED.get(part, set())
    return LEVEL.get(target, 99) <= LEVEL.get(part, -1)


def write_module(folder: Path, name: str, text: str) -> Module:
    path = folder / f"{name}.py"
    path.write_text(text, encoding="utf-8")
    return Module(name, path)


def test_every_module_has_a_layer():
    unknown = {module.part for module in list_modules()} - set(LEVEL) - {"__init__"}
    assert not unknown, f"say in tests/project/test_layers.py which layer they belong to: {unknown}"


def test_imports_go_downward():
    assert list_modules(PACKAGE), "no sources found"
    assert find_breaches(list_modules()) == []


def test_the_look_sees_each_kind_of_breach(tmp_path):
    breaches = {
        "cohort": "def f():\n    from revictimisation.cohort.spells import find_spells\n",
        "plan": "from revictimisation import cli\n",
        "report": "import revictimisation.commands.pipeline\n",
        "effects": "from .cohort import select_index_reports\n",
    }
    for name, text in breaches.items():
        assert len(find_breaches([write_module(tmp_path, name, text)])) == 1, name
    allowed = "from revictimisation.plan import read_plan\nfrom .estimators import cox\n"
    assert find_breaches([write_module(tmp_path, "effects", allowed)]) == []


def test_what_is_adjusted_for_has_one_way_to_the_models():
    """Stages take their design from the study's data: else the splines of a study are forgotten."""
    name = "revictimisation.estimators.design"
    others = [module for module in list_modules() if LEVEL.get(module.part, 0) > 1]
    assert others
    for module in others:
        text = module.path.read_text(encoding="utf-8")
        is_own = f"from {name} import" in text and "build_design" in text
        assert not is_own, f"{module.name}: use StudyData.design in place of build_design"
