"""What can go wrong by a user's doing: each message says what, where and what to do. Exit code 2."""


class AquilamedError(Exception):
    """The parent of every error a user can mend; shown without a traceback."""


class ConfigError(AquilamedError):
    """A recipe, a setting or a command line that can't be meant."""


class RecordError(AquilamedError):
    """Data that do not fit what was declared of them; names file, row and key."""


class StaleOutput(AquilamedError):
    """A folder holds the output of something else; nothing was reused or overwritten."""


class FolderBusy(AquilamedError):
    """Another process is at work in the folder."""


class ModelUnavailable(AquilamedError):
    """A model that can't be loaded or reached."""


class TrainingStopped(AquilamedError):
    """Training can't go on: a loss that is not a number, or nothing to train on; names the step."""


class WorkerDied(AquilamedError):
    """A process of the engine was killed, again and again."""


class Uncertified(AquilamedError):
    """Training data of which nothing tells that benchmark items were searched for in it."""


class LimitPassed(AquilamedError):
    """A stage of training made worse by more than the recipe allows what it may not make worse."""
