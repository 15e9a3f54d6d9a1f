"""The frame around every page: its title, its menu and what stands at the foot of it."""

from pathlib import Path

import streamlit as st

ICON = Path(__file__).parent / "components" / "icon.png"  # Streamlit would fetch a named icon from the internet
st.set_page_config(page_title="Digits", page_icon=ICON, layout="wide")

page = st.navigation(
    [
        st.Page(
            "draw.py",
            title="Draw",
            icon=":material/draw:",
            default=True,
            help="Draw a digit, or bring a picture of one, and see it read.",
        ),
        st.Page(
            "train.py",
            title="Train",
            icon=":material/model_training:",
            help="Choose a network and its settings, and watch it learn.",
        ),
        st.Page(
            "gallery.py",
            title="Gallery",
            icon=":material/grid_view:",
            help="Look at 100 test samples against what a model reads in them.",
        ),
    ],
    position="top",
)
page.run()
