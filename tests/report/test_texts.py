"""Every text exists in both languages with the same blanks, and is used."""

from __future__ import annotations

import fnmatch
import re
import string

from revictimisation.dictionary import load_dictionary
from revictimisation.report.pages import list_outlines
from revictimisation.report.sections.words import list_used, show_words
from revictimisation.report.texts import load_texts, load_words
from tests.cases import for_each
from tests.project.sources import PACKAGE, ROOT, STUDIES
from truth_studies import pages

from .conftest import make_page

TEXTS = {**load_texts(), **load_texts(pages.TEXTS)}
PARTS = "|".join(sorted({key.split(".")[0] for key in TEXTS}))
KEY = re.compile(rf"""["']((?:{PARTS})\.(?!html)[a-z0-9_]+)["']""")
# a key put together: `f"effects.card_{verdict}"`
BUILT = re.compile(rf"""f["']((?:{PARTS})\.[^"']*)["']""")
WORD = re.compile(r"""["']([a-z0-9_]+)["']""")


def read_sources() -> str:
    report = PACKAGE / "report"
    paths = [*report.rglob("*.py"), *report.rglob("*.j2"), *STUDIES.rglob("*.py")]
    text = " ".join(path.read_text(encoding="utf-8") for path in paths)
    books = (ROOT / "notebooks").glob("*.ipynb")
    return text + " ".join(path.read_text(encoding="utf-8").replace('\\"', '"') for path in books)


def list_blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_no_text_is_there_twice():
    assert set(load_texts()) & set(load_texts(pages.TEXTS)) == set()


@for_each("key", TEXTS)
def test_both_languages_with_the_same_blanks(key):
    assert set(TEXTS[key]) == {"sv", "en"}
    assert all(TEXTS[key].values())
    assert list_blanks(TEXTS[key]["sv"]) == list_blanks(TEXTS[key]["en"])


def test_every_key_that_is_used_exists():
    used = set(KEY.findall(read_sources()))
    sections = [one for outline in list_outlines() for one in outline.sections]
    names = {one.name for one in sections if one.level is None}  # of pieces without a heading
    assert len(used) > 100 and names
    assert used - set(TEXTS) - names == set()


def test_every_text_is_used():
    """By its key, by a key put together, or by its bare name (`"offered"` for `common.offered`)."""
    sources = read_sources()
    used, words = set(KEY.findall(sources)), set(WORD.findall(sources))
    stems = [re.sub(r"\{[^}]*\}", "*", built) for built in set(BUILT.findall(sources))]
    stems = [stem for stem in stems if not stem.split(".")[1].startswith("*")]
    unused = [
        key
        for key in TEXTS
        if key not in used
        and key.split(".")[1] not in words
        and not any(fnmatch.fnmatch(key, stem) for stem in stems)
        and not key.endswith(".title")
    ]
    assert unused == []


def test_swedish_words_of_the_field():
    swedish = " ".join(text["sv"] for text in TEXTS.values()).lower()
    for word in ("upprepad utsatthet", "mot samma misstänkta person", "våldsutsatt", "åtgärd"):
        assert word in swedish
    for word in ("återviktimisering", "gärningsman"):
        assert word not in swedish


def test_sentences_that_must_be_carried():
    told = {
        "sv": [
            "anmäls syns inte",
            "går inte att bevisa",
            "är inte ”hjälper inte”",
            "vilja att anmäla",
            "inte bevisad effekt",
            "säger ingenting om Stockholm",
        ],
        "en": [
            "not reported is not seen",
            "cannot be proved",
            "does not mean “does not help”",
            "willingness to report",
            "not a proven effect",
            "say nothing about Stockholm",
        ],
    }
    for language, sentences in told.items():
        whole = " ".join(text[language] for text in TEXTS.values())
        assert [one for one in sentences if one not in whole] == []


def test_swedish_has_no_english_and_english_no_swedish_letters():
    assert [key for key in TEXTS if re.search(r"\bthe\b", TEXTS[key]["sv"])] == []
    assert [key for key in TEXTS if re.search("[åäöÅÄÖ]", TEXTS[key]["en"])] == []
    swedish = [key for key in TEXTS if re.search(r"\b(?:och|inte|som)\b", TEXTS[key]["en"])]
    assert swedish == []


WORDS = {f"{part}.{key}": word for part, words in load_words().items()
         for key, word in words.items()}  # fmt: skip


@for_each("key", WORDS)
def test_a_word_of_the_list_is_named_and_explained_in_both_languages(key):
    word = WORDS[key]
    assert set(word) in ({"name", "text"}, {"label", "text"})
    given = [word["text"], *([word["name"]] if "name" in word else [])]
    assert all(set(one) == {"sv", "en"} and all(one.values()) for one in given)
    assert not any(re.search("[åäöÅÄÖ]", one["en"]) for one in given)
    assert not any(re.search(r"\bthe\b", one["sv"]) for one in given)
    if "label" in word:
        name, code = word["label"].split("/")
        assert code in set(load_dictionary().code_lists[name]["code"])


def test_the_word_list_has_an_anchor_for_each_word_and_begins_with_uncertainty():
    for language, first in (("sv", "Osäkerhet (95 %)"), ("en", "Uncertainty (95%)")):
        shown = show_words(make_page(language)).html
        assert shown.count("<dt id=") == len(WORDS) > 30
        assert re.search(r"<dt[^>]*>([^<]+)", shown).group(1) == first


def test_a_page_links_the_words_that_it_uses_and_no_others():
    page = make_page("sv")
    body = '<p title="fingeravtryck">Osäkerhet och <b>Jämkat</b> tal</p>'
    assert list_used(page, body) == [("word-uncertainty", "osäkerhet")]
    assert ("word-pooled", "jämkat tal") in list_used(page, "<p>ett jämkat tal</p>")
