import pytest

pytest.register_assert_rewrite(*(f"tests.model.{name}" for name in ("worlds", "desk", "machine", "reading")))
