"""A scan that the scanner itself broke off is made anew; one that it can't make ends the run."""

import argparse
from pathlib import Path

import pytest

from tests.scan.scanner import wapiti

RACE = "sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) database is locked"


def breaking_off(folder: Path, times: int, saying: str) -> argparse.Namespace:
    """Options whose scanner ends so often without a report, and then writes one."""
    command = folder / "wapiti"
    command.write_text(
        f"""#!/bin/sh
        echo began >>{folder}/begun
        if [ "$(wc -l <{folder}/begun)" -le {times} ]; then
            echo "{saying}" >&2
            exit 1
        fi
        echo '{{"infos": {{}}}}' >{folder}/report.json
        """
    )
    command.chmod(0o700)
    return argparse.Namespace(wapiti=str(command), seconds=1, attack=1)


def begun(folder: Path) -> int:
    return len((folder / "begun").read_text().splitlines())


def test_a_scan_that_ran_into_its_own_lock_is_made_anew(tmp_path, capsys):
    options = breaking_off(tmp_path, 2, RACE)
    assert wapiti("http://127.0.0.1", {}, tmp_path / "report.json", options) == {"infos": {}}
    assert begun(tmp_path) == 3
    assert capsys.readouterr().out.count("once more") == 2


@pytest.mark.parametrize(("saying", "times"), [(RACE, 3), ("Cannot reach the target", 1)])
def test_a_scan_without_a_report_ends_the_run_with_what_the_scanner_said(
    tmp_path, capsys, saying, times
):
    options = breaking_off(tmp_path, 9, saying)
    with pytest.raises(SystemExit, match="wapiti wrote no report") as ended:
        wapiti("http://127.0.0.1", {}, tmp_path / "report.json", options)
    assert saying in str(ended.value)
    assert begun(tmp_path) == times
    assert capsys.readouterr().out.count("once more") == times - 1
