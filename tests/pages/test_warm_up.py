"""Warming up: after it, the first visitor waits for nothing."""

import gc

from streamlit.testing.v1 import AppTest

from digits.models.judge import _bundled_judge


def _script():
    from pages._warm_up import warm_up

    warm_up(head_start_seconds=0)


def test_leaves_all_loaded_and_out_of_garbage_collection(registry):
    """The judge and the model are in memory, and what was loaded is no longer gone through after each run of a page."""
    _bundled_judge.cache_clear()
    try:
        page = AppTest.from_function(_script, default_timeout=60).run()
        assert not page.exception
        assert _bundled_judge.cache_info().currsize == 1
        assert gc.get_freeze_count() > 100_000
    finally:
        gc.unfreeze()
