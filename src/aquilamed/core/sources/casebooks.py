"""Ready sources of cases: the paper's dialogue sets (3.2), HealthBench, and the safety set of ours.

Schemas, hub ids and licences are what the publishers' pages say, looked up in November 2026; what they don't say is `unknown`, or 0 for a count. All are test sets: nothing of them may be trained on,
so they belong into the step of `evals.benchmarks`, whose cases are searched for in training text.
"""

import dataclasses
from pathlib import Path

from aquilamed.core.sources.cases import GRADES, PAIRWISE, RUBRIC, Case, Questioned
from aquilamed.core.sources.conversations import OPENAI, Pair
from aquilamed.core.sources.mapping import Skip, Source

HUATUO, CMTMEDQA, CMB, HEALTHBENCH = "FreedomIntelligence/huatuo26M-testdatasets", "Suprit/CMtMedQA_test_v1", "FreedomIntelligence/CMB", "openai/healthbench"
HEALTHBENCH_PARTS = {"healthbench": ("2025-05-07-06-14-12_oss_eval.jsonl", 5_000), "healthbench_hard": ("hard_2025-05-08-21-00-10.jsonl", 1_000),
                     "healthbench_consensus": ("consensus_2025-05-09-20-00-46.jsonl", 3_671)}
"""Part -> its file and the number of its conversations. The publisher also lays the files at https://openaipublic.blob.core.windows.net/simple-evals/healthbench."""
SAFETY = Path(__file__).resolve().parents[2] / "evals" / "safety_cases.jsonl"
"""Written by us, Apache-2.0, in HealthBench's schema with `lang` and `rule`."""
_DIALOGUE = Pair(prompt=("instruction", "input?"), history="history?")
_RUBRIC = Case(turns=dataclasses.replace(OPENAI, messages="prompt"), judged=RUBRIC, reference="ideal_completions_data.ideal_completion?", criteria="rubrics", tags="example_tags",
               meta={"published": "prompt_id"})


def published(top: Path | str) -> dict[str, Source]:
    """The sets as their publishers lay them out, below a folder for each publisher's id, or `hf://datasets`."""
    single = Case(turns=Pair(prompt=("questions[0][0]|questions[0]|questions",), answer="answers[0]|answers"), judged=PAIRWISE)
    turns = Case(turns=_DIALOGUE, judged=GRADES, every_turn=True, subject="cate1", meta={"published": "id"})
    clinical = Case(turns=Questioned(), judged=GRADES, every_turn=True, subject="title", meta={"published": "id"})
    made = [
        Source(name="huatuo_qa", path=f"{top}/{HUATUO}/test_datasets.jsonl", format="jsonl", mapping=single, license="Apache-2.0", lang="zh", expected=6_000),
        Source(name="cmtmedqa_test", path=f"{top}/{CMTMEDQA}/CMtMedQA_test.json", format="json", mapping=turns, license="Apache-2.0", lang="zh"),
        Source(name="cmb_clin", path=f"{top}/{CMB}/CMB-Clin/CMB-Clin-qa.json", format="json", mapping=clinical, license="Apache-2.0", lang="zh", expected=74),
        *(Source(name=name, path=f"{top}/{HEALTHBENCH}/{file}", format="jsonl", mapping=_RUBRIC, license="MIT", expected=n) for name, (file, n) in HEALTHBENCH_PARTS.items()),
    ]
    return {source.name: source for source in made}


def known(top: Path) -> dict[str, Source]:
    """What lies in the folder of `sources.known`: CMtMedQA's 1,000 dialogues, and questions of Huatuo-26M that stand in for its test set.

    Both files are training data, too: give `evals.benchmarks` a number for `taken`, and decontamination takes that many out of training.
    """
    single = Case(turns=Pair(prompt=("instruction[0]", "input"), answer="output[0]"), judged=PAIRWISE)
    turns = Case(turns=_DIALOGUE, judged=GRADES, every_turn=True, subject="cate1", meta={"published": "id"})
    other = Skip(why="no_dialogue", field="id?", when=("",))
    return {source.name: source for source in (
        Source(name="huatuo_qa_sample", path=top / "instruct/huatuo26m_sample.json", format="json", mapping=single, license="Apache-2.0", lang="zh"),
        Source(name="cmtmedqa_cases", path=top / "instruct/cmtmedqa.json", format="json", mapping=turns, license="Apache-2.0", lang="zh", skip=(other,)))}


def safety() -> Source:
    """Emergencies, dangerous doses, self-harm, quackery, and questions where help is right and a refusal wrong, in both languages."""
    return Source(name="safety", path="package:evals/safety_cases.jsonl", format="jsonl", license="Apache-2.0",
                  mapping=dataclasses.replace(_RUBRIC, reference="", rule="rule?"))
