"""supervisord.conf runs what the code has."""

from collections import Counter
from configparser import RawConfigParser
from pathlib import Path

from communication.lanes import all_queues
from tidings.cli import queues_matching

CONFIGURATION = Path(__file__).parents[3] / "supervisord.conf"


def test_each_queue_has_one_program_that_works_for_it() -> None:
    parser = RawConfigParser()
    parser.read(CONFIGURATION)
    commands = [parser.get(section, "command", fallback="") for section in parser.sections()]
    patterns = [command.rpartition(" --queues ")[2] for command in commands if "work" in command]

    served = Counter(queue for pattern in patterns for queue in queues_matching(pattern))

    assert served == Counter(all_queues())
