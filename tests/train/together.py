"""One rank of a run that trains together, for test_train_together.py: HOME STAGE OUT [field=value ...]."""

import json
import sys
from pathlib import Path

from aquilamed.engine.local import Local
from aquilamed.train import loop, ranks
from aquilamed.train.settings import Lora, Watching
from test_train import STAGES, optim


def main() -> None:
    home, name, out, stop, changes = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), json.loads(sys.argv[5])
    ranks.start()
    stage, kind, settings = STAGES[name]
    (home / out).mkdir(exist_ok=True)
    honest, steps = loop.one_step, iter(range(1000))

    def one(*given):
        if next(steps) == stop:
            raise SystemExit(3)
        return honest(*given)
    loop.one_step = one
    kinds = {"lora": Lora, "watch": Watching}
    changes = {key: kinds[key](**value) if key in kinds else value for key, value in changes.items()}
    stage.run(stage.Config(optim=optim(**changes), allow_uncertified=True, **settings), {"model": home / "base", kind: home / "data"}, home / out, Local(1))
    ranks.end()


main()
