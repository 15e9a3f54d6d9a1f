"""errors: the tree in the module's docstring matches the classes."""

import inspect
import re

from digits import errors


def test_the_tree_names_every_error_below_its_parent():
    """The tree shows each exception below its base class, and its second base class in brackets."""
    drawn, line_of_parents = {}, {}
    for line in errors.__doc__.splitlines():
        if found := re.match(r"^([│├└─ ]*)([A-Z]\w+)(?: \((\w+)\))?$", line):
            depth = len(found[1]) // 4
            line_of_parents[depth] = found[2]
            drawn[found[2]] = {line_of_parents[depth - 1] if depth else "Exception"} | {found[3]} - {None}
    defined = {
        name: {base.__name__ for base in kind.__bases__}
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if kind.__module__ == errors.__name__
    }
    assert drawn == defined


def test_every_error_has_a_docstring():
    """Each exception has a docstring that is a sentence."""
    for _, kind in inspect.getmembers(errors, inspect.isclass):
        assert kind.__doc__.endswith(".")
