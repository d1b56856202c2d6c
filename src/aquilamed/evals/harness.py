"""The prompts and the reading that lm-evaluation-harness 0.4.13 has for its medical tasks, so that a figure can be compared with one from there.

No worked examples (its default for these tasks), options never normalised by length, the first of equal ones taken.
Differences from ours: its MedMCQA says `Choices:`, its MMLU opens with the subject, its PubMedQA does not list the answers
and reads `yes`, `no` and `maybe` themselves; all words are English.
"""

from collections.abc import Callable

from aquilamed.models.wording import LETTERS


def put(question: dict) -> tuple[str, list[str]] | None:
    """(prompt, what each option is read by), where the harness has the question's task: known by the beginning of its source's name."""
    form = next((form for task, form in _FORMS.items() if question["source"].startswith(task)), None)
    return form(question) if form else None


def _medqa(question: dict) -> tuple[str, list[str]]:
    return f"Question: {question['stem']}\n{_listed(question)}\nAnswer:", _letters(question)


def _medmcqa(question: dict) -> tuple[str, list[str]]:
    return f"Question: {question['stem']}\nChoices:\n{_listed(question)}\nAnswer:", _letters(question)


def _mmlu(question: dict) -> tuple[str, list[str]]:
    subject = question["subject"].removesuffix("_test").replace("_", " ")
    return f"The following are multiple choice questions (with answers) about {subject}.\n\n{question['stem'].strip()}\n{_listed(question)}\nAnswer:", _letters(question)


def _pubmedqa(question: dict) -> tuple[str, list[str]]:
    return f"Abstract: {question['context']}\nQuestion: {question['stem']}\nAnswer:", [f" {option}" for option in question["options"]]


def _listed(question: dict) -> str:
    return "\n".join(f"{letter}. {option}" for letter, option in zip(LETTERS, question["options"], strict=False))


def _letters(question: dict) -> list[str]:
    return [f" {letter}" for letter in LETTERS[:len(question["options"])]]


_FORMS: dict[str, Callable[[dict], tuple[str, list[str]]]] = {"medqa": _medqa, "medmcqa": _medmcqa, "mmlu": _mmlu, "pubmedqa": _pubmedqa}
