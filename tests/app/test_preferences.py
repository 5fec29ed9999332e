import pytest

from app.preferences import Preferences, read_preferences


@pytest.mark.parametrize(
    ("header", "expected", "within_s", "applied"),
    [
        (None, Preferences(), 60, None),
        ("respond-async", Preferences(True), 0, "respond-async"),
        ("Respond-Async, wait=10", Preferences(True, 10), 10, "respond-async, wait=10"),
        ('wait="5"; foo=bar', Preferences(False, 5), 5, "wait=5"),
        ("wait=1000", Preferences(False, 1000), 60, "wait=60"),
        ("wait=3, wait=30", Preferences(False, 3), 3, "wait=3"),
        ("wait=soon, return=minimal, , wait=-1", Preferences(), 60, None),
    ],
)
def test_what_is_preferred(header: str | None, expected: Preferences, within_s: float, applied: str | None) -> None:
    preferences = read_preferences(header)
    assert preferences == expected
    assert preferences.within(60) == within_s
    assert preferences.bounded(60).applied.get("Preference-Applied") == applied
