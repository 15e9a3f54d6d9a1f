"""ECharts options as the browser gets them."""

import json

import pandas as pd


def plain(option):
    """An option with its tables as lists, as it goes to the browser; raises where JSON cannot tell a value."""
    if isinstance(option, pd.DataFrame):
        return json.loads(option.to_json(orient="values"))
    if isinstance(option, dict):
        return {key: plain(value) for key, value in option.items()}
    return [plain(item) for item in option] if isinstance(option, list) else option
