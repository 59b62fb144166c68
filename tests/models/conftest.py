"""Says how many pairs of family and quantizer the contract suite covered."""

from tests.models.pairs import FAMILIES, PAIRS, QUANTIZERS


def pytest_terminal_summary(terminalreporter) -> None:
    ran = terminalreporter.stats.get("passed", []) + terminalreporter.stats.get("failed", [])
    covered = {
        pair
        for pair in PAIRS
        if any("test_contract.py" in r.nodeid and pair in r.nodeid for r in ran)
    }
    if covered:
        terminalreporter.write_line(
            f"contract suite: {len(covered)} pairs ({len(FAMILIES)} families x {len(QUANTIZERS)} quantizers)"
        )
