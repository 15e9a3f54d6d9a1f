"""The frame around every page: its title, its menu and what stands at the foot of it."""

from pathlib import Path

import streamlit as st

ICON = Path(__file__).parent / "components" / "icon.png"  # Streamlit would fetch a named icon from the internet
PAGES = (
    ("draw.py", "Draw", "draw", "Draw a digit, or bring a picture of one, and see it read."),
    ("train.py", "Train", "model_training", "Choose a network and its settings, and watch it learn."),
    ("runs.py", "Runs", "format_list_bulleted", "Name, compare, repeat and delete the runs that you have started."),
    ("models.py", "Models", "neurology", "See what a model confuses and how far to trust it; take it away."),
    ("gallery.py", "Gallery", "grid_view", "Look at 100 test samples against what a model reads in them."),
)

st.set_page_config(page_title="Digits", page_icon=ICON, layout="wide")
page = st.navigation(
    [
        st.Page(file, title=title, icon=f":material/{icon}:", default=file == "draw.py", help=sentence)
        for file, title, icon, sentence in PAGES
    ],
    position="top",
)
page.run()
