"""The frame around every page: the browser's title, the icon and the menu."""

import logging
from pathlib import Path

import streamlit as st

ICON = (
    Path(__file__).parent / "components" / "icon.png"
)  # a file, because Streamlit fetches named icons from the internet
PAGES = (
    ("draw.py", "Draw", "draw", "Draw a digit, or choose a picture of one, and see what a model reads."),
    ("train.py", "Train", "model_training", "Choose a network and its settings, and watch it learn."),
    ("runs.py", "Runs", "format_list_bulleted", "Name, compare, repeat and delete the runs that you have started."),
    ("models.py", "Models", "neurology", "See a model's accuracy, mistakes and calibration; export and import models."),
    ("gallery.py", "Gallery", "grid_view", "Browse test images with a model's predictions."),
)

st.set_page_config(page_title="Digits", page_icon=ICON, layout="wide")
page = st.navigation(
    [
        st.Page(file, title=title, icon=f":material/{icon}:", default=file == "draw.py", help=sentence)
        for file, title, icon, sentence in PAGES
    ],
    position="top",
)
try:
    page.run()
except Exception:  # a bug: the log says which
    logging.getLogger("digits.pages").exception("The page %s failed.", page.title)
    st.error("Something went wrong on this page. Reload it; if that does not help, tell the person who runs this app.")
