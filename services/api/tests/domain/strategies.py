"""Random JSON for property tests."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from rmos.domain.entities import JsonObject, JsonValue

_SCALARS: Final = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(allow_nan=False, allow_infinity=False, width=16)
    | st.text(alphabet="ab~/é", max_size=3)
)
"""Few values, so that two random documents have much in common; the characters that pointers escape among them."""

JSON_VALUES: Final[st.SearchStrategy[JsonValue]] = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "~", "/"]), inner, max_size=4)
    ),
    max_leaves=12,
)
JSON_OBJECTS: Final[st.SearchStrategy[JsonObject]] = st.dictionaries(
    st.sampled_from(["a", "b", "~", "/"]), JSON_VALUES, max_size=4
)
