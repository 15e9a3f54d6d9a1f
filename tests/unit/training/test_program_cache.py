"""program_cache: compiled programs are kept between runs, the ones used last, and no more than some."""

import dataclasses

import pytest

from digits.runs.presets import PRESETS
from digits.settings import Settings
from digits.training.program_cache import MOST, ProgramCache

SOFTMAX = PRESETS["softmax"].hyperparameters


@pytest.fixture
def cache(tmp_path):
    return ProgramCache(dataclasses.replace(Settings.from_environment(), runs_dir=tmp_path))


def test_a_program_is_found_again(cache):
    assert cache.find(SOFTMAX, 10) is cache.find(SOFTMAX, 10)
    assert cache.find(SOFTMAX, 10) is not cache.find(SOFTMAX, 10, is_lesson=True)


def test_the_least_recently_used_one_goes(cache):
    first, second = cache.find(SOFTMAX, 2), cache.find(SOFTMAX, 3)
    assert cache.find(SOFTMAX, 2) is first
    for classes in range(4, MOST + 3):  # one more than fit beside these two
        cache.find(SOFTMAX, classes)
    assert cache.find(SOFTMAX, 2) is first
    assert cache.find(SOFTMAX, 3) is not second


def test_all_of_them_go_for_want_of_memory(cache):
    program = cache.find(SOFTMAX, 2)
    cache.clear()
    assert cache.find(SOFTMAX, 2) is not program
