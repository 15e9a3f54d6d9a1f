"""ECharts options as the browser receives them."""

import json

import pandas as pd


def plain(option):
    """Return an option as the browser receives it, with tables as lists; raises for values not in JSON."""
    if isinstance(option, pd.DataFrame):
        return json.loads(option.to_json(orient="values"))
    if isinstance(option, dict):
        return {key: plain(value) for key, value in option.items()}
    return [plain(item) for item in option] if isinstance(option, list) else option
